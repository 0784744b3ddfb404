import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { firstHeld, pruneBatch } from '../../agent/record/retention.ts';
import { Store } from '../../agent/record/store.ts';
import { Journal, LibraryCollector, WITNESS_VKEY } from '../publish/library-collector.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { fleetOf } from './fleets.ts';

suite('a log whose beginning retention removed', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('meets a collector that is empty: it learns the tree over what is lost, and cosigns', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.77.2.1');
    const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
    await using broker = await Mosquitto.start();
    await using gateway = Gateway.create({
      devices,
      mqtt: { url: broker.url, spread_s: 0, collectors: ['col-a'], witnesses: [WITNESS_VKEY] },
    });
    for (let starts = 0; starts < 4; starts += 1) {
      await gateway.up();
      await gateway.knows(1);
      await gateway.stop();
    }
    const [origin, first] = (() => {
      using store = Store.open(gateway.stateDir);
      const ranS = Math.floor(Date.now() / 1000) + 500 * 86_400;
      pruneBatch(store, { ranS, days: 400, below: 7, keep: new Set([1]), after: -1 });
      const [entry] = store.entriesFrom(firstHeld(store), 1);
      return [String(JSON.parse(Buffer.from(entry?.message ?? []).toString()).log), firstHeld(store)];
    })();
    assert.equal(first, 7);

    const journal = new Journal();
    const jwk = JSON.parse(readFileSync(gateway.keyFile, 'utf8'));
    using _collector = await LibraryCollector.start({ url: broker.url, journal, jwk });
    await gateway.up();
    await until('what is lost is told', () => journal.notices.some(({ kind }) => kind === 'lost'), 40_000);
    await until(
      'it asks for the tree over it',
      () => gateway.eventsOf('uplink.request').some(({ op, outcome }) => op === 'tiles' && outcome === 'ok'),
      40_000,
    );
    await until('it has the rest', () => journal.all(origin).some(({ seq }) => seq > first));
    // A heartbeat comes once a minute, and with every connect.
    await gateway.stop();
    await gateway.up();
    await until('a cosignature has come back', () => gateway.eventsOf('uplink.cosigned').length > 0, 100_000);
    await gateway.stop();
    const agreed = journal.notices.filter((each) => each.kind === 'checkpoint' && each.remarks.length === 0);
    assert.ok(agreed.some((each) => each.kind === 'checkpoint' && each.log === origin));
    assert.deepEqual(
      journal.notices.filter(({ kind }) => kind === 'fork'),
      [],
    );
  });
});
