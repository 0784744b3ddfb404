import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Journal, LibraryCollector, WITNESS_VKEY } from '../publish/library-collector.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway, NO_ENDPOINT } from './agent.ts';
import { assertPolite, fleetOf, rangeOf } from './fleets.ts';

const FAMILIES = ['axeos/gamma-2.15', 'whatsminer/m50s-api2'];

/** Every plug is pulled this often; between two of them some seconds pass, so that things come to run again. */
const ROUNDS = 3;

for (const protocol of ['5', '3.1.1'] as const) {
  suite(`a required collector, over MQTT ${protocol}`, { skip: WITHOUT_MOSQUITTO, timeout: 240_000 }, () => {
    test('agent, broker and collector killed at random, broker wiped, collector restored from an older copy: nothing is lost', async (t) => {
      await using fleet = await fleetOf(FAMILIES, protocol === '5' ? '127.72.0.1' : '127.73.0.1', { devices: 8 });
      await using broker = await Mosquitto.start();
      await using gateway = Gateway.create({
        devices: [rangeOf(fleet)],
        mqtt: { url: broker.url, protocol, spread_s: 0, collectors: ['col-a'], witnesses: [WITNESS_VKEY] },
        schedule: { pools: '* * * * * *', config: '* * * * * *', ...NO_ENDPOINT },
      });
      const journal = new Journal();
      const options = {
        url: broker.url,
        journal,
        jwk: JSON.parse(readFileSync(gateway.keyFile, 'utf8')),
        protocolVersion: protocol === '5' ? 5 : 4,
      } as const;
      let thefts = 0;
      const thief = setInterval(() => {
        thefts += 1;
        fleet.device(thefts % 8).changePoolUser(0, `thief.${thefts}`);
      }, 200);
      await gateway.up();
      let collector = await LibraryCollector.start(options);
      try {
        for (let round = 0; round < ROUNDS; round += 1) {
          const before = journal.length;
          await delay(500 + Math.random() * 2_500);
          await gateway.stop('SIGKILL');
          await gateway.up();
          await delay(500 + Math.random() * 2_500);
          await broker.kill();
          await broker.up();
          await delay(500 + Math.random() * 2_500);
          collector.kill();
          if (round > 0) journal.restore(Math.floor((before + journal.length) / 2));
          await delay(300);
          collector = await LibraryCollector.start(options);
        }
        clearInterval(thief);
        await gateway.knows(8);
        const { log } = gateway.log[0] ?? {};
        assert.ok(log !== undefined);
        await until(
          'everything at the collector',
          () => journal.all(log).length > 0 && journal.all(log).length === gateway.log.length,
          90_000,
        );
        await confirmed(gateway);
        assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
        await until('the last entry', () => journal.all(log).length === gateway.log.length, 30_000);

        const messages = await gateway.verified();
        const entries = journal.all(log);
        assert.deepEqual(
          entries.map(({ bytes }) => Buffer.from(bytes).toString()),
          messages,
          'byte for byte what the log holds',
        );
        assert.deepEqual([...new Set(entries.map(({ status }) => status))], ['chained']);
        const alarms = journal.notices.filter(({ kind }) => kind === 'fork' || kind === 'lost');
        assert.deepEqual(alarms, []);
        const [report] = await collector.collector.logs();
        assert.equal(report?.size, messages.length);
        await until('a checkpoint of the end', () => {
          return journal.notices.some((each) => each.kind === 'checkpoint' && each.size === messages.length);
        });
        const [epoch] = gateway.log.flatMap((statement) => statement.epoch ?? []);
        assert.equal(epoch?.iss, 'example.org/col-a');
        assert.ok(thefts > 10 && gateway.findings('pool.user-changed').length > 0);
        t.diagnostic(`${messages.length} entries, ${thefts} thefts, ${journal.length} commits`);
        assertPolite(fleet);
      } finally {
        clearInterval(thief);
        collector.kill();
      }
    });
  });
}

suite('a request over the broker', { skip: WITHOUT_MOSQUITTO, timeout: 60_000 }, () => {
  test('a device that somebody wants looked at is attested as it is, on demand, and nothing is asked that may not be', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.74.1.1');
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = await Gateway.start({
      devices: [{ host: fleet.device(0).address, name: 'rig-0', ports: fleet.ports }],
      mqtt: { url: broker.url, spread_s: 0 },
      schedule: { pools: '* * * * *', config: '0 0 * * *', ...NO_ENDPOINT },
    });
    await gateway.knows(1);
    await gateway.event('uplink.connected');
    const request = (id: string, devices: readonly string[]) =>
      observer.publish(
        'attest/v1/gw-1/cmd/auditor',
        JSON.stringify({ id, op: 'observe', args: { devices }, expires_at: Math.floor(Date.now() / 1000) + 60 }),
        false,
      );
    await request('1', ['rig-0', 'rig-9']);
    await gateway.says('the demanded look', () => gateway.attestations('rig-0').length === 2);
    assert.deepEqual(
      gateway.attestations('rig-0').map(({ evidence }) => evidence.trigger),
      ['first', 'demand'],
    );
    await until('the answer', () => observer.on('attest/v1/gw-1/rsp/auditor').length === 1);
    const answer = JSON.parse(observer.on('attest/v1/gw-1/rsp/auditor')[0]?.text ?? '');
    assert.deepEqual(answer.data, { asked: ['rig-0'], unknown: ['rig-9'] });
    await request('2', ['rig-0']);
    await until('the refusal', () => observer.on('attest/v1/gw-1/rsp/auditor').length === 2);
    assert.match(observer.on('attest/v1/gw-1/rsp/auditor')[1]?.text ?? '', /"E_BUSY"/);
    await gateway.stop();
    await gateway.verified();
    assertPolite(fleet);
  });
});

/** `status` says that nothing waits for the collector, with as many entries as the log has. */
const confirmed = async (gateway: Gateway): Promise<void> => {
  for (let tries = 0; ; tries += 1) {
    const { out } = await gateway.assayer('status');
    const [, stored] = /^collector col-a: online, (\d+) entries stored, nothing waits$/m.exec(out) ?? [];
    if (stored !== undefined && new RegExp(`, ${stored} of ${stored} confirmed by every required collector`).test(out))
      return;
    assert.ok(tries < 20, out);
    await delay(500);
  }
};
