import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Statement } from '../../shared/statement.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { damageFrame, framesOf } from '../record/torn.ts';
import { Gateway, run } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

const TOPIC = 'attest/v1/gw-1/log';

/** The messages of each log, by its origin, in order of `seq`; every message once. */
const byLog = (observer: Observer): ReadonlyMap<string, readonly { readonly seq: number; readonly text: string }[]> => {
  const texts = [...new Set(observer.on(TOPIC).map(({ text }) => text))];
  const entries = texts.map((text) => ({ text, ...(JSON.parse(text) as Pick<Statement, 'log' | 'seq'>) }));
  return Map.groupBy(
    entries.sort((one, other) => one.seq - other.seq),
    ({ log }) => log,
  );
};

suite(
  'a write-ahead log whose end is damaged while the agent is down (issue 2)',
  {
    skip: WITHOUT_MOSQUITTO,
    timeout: 120_000,
  },
  () => {
    test('no number of what was published is used again: another log begins, and says what shows', async () => {
      await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.78.0.1');
      const devices = fleet.devices.map(({ address }, at) => ({
        host: address,
        name: `rig-${at}`,
        ports: fleet.ports,
      }));
      await using broker = await Mosquitto.start();
      await using observer = await Observer.connect(broker.url);
      await using gateway = Gateway.create({ devices, mqtt: { url: broker.url, spread_s: 0 } });
      await gateway.up();
      await gateway.knows(2);
      await gateway.says('what was learned', (log) => log.some(({ kind }) => kind === 'baseline'));
      const wal = join(gateway.stateDir, 'assayer.db-wal');
      const before = framesOf(wal);
      fleet.device(1).changePoolUser(0, 'thief.1');
      const theft = (text: string): boolean =>
        text.includes('"pool.user-changed"') && text.includes('"kind":"finding"');
      await until('the theft is published', () => observer.on(TOPIC).some(({ text }) => theft(text)));
      const [stolen] = gateway.findings('pool.user-changed');
      // The agent notes again and again that it runs: what it wrote of the theft is not the last that it wrote.
      await delay(6000);
      assert.deepEqual(await gateway.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
      assert.ok(framesOf(wal) > before);
      damageFrame(wal, before);

      const doctor = await gateway.assayer('doctor');
      assert.match(doctor.out, /^FAIL {2}store .* assayer\.db-wal is damaged behind frame \d+: /m);
      for (const verb of ['findings', 'status', 'log']) {
        const { err } = await gateway.assayer(verb);
        assert.match(err, /assayer\.db-wal is damaged behind frame \d+: /, verb);
      }

      await gateway.up();
      const told = await gateway.event('store.end-lost');
      assert.equal(told.level, 'error');
      assert.match(String(told.message), /^assayer\.db-wal is damaged behind frame \d+: /);
      assert.match(String(told.kept), /assayer\.db-wal\.damaged-\d+$/);
      assert.equal((await gateway.event('log.replaced')).former, stolen?.log);
      await until('the theft is found again', () =>
        observer.on(TOPIC).some(({ text }) => theft(text) && (JSON.parse(text) as Statement).log !== stolen?.log),
      );
      await gateway.stop();
      assert.match((await gateway.assayer('findings')).out, /critical .*pool\.user-changed/);
      assert.match((await gateway.assayer('doctor')).out, /^warn {2}store .* the end of the store was damaged/m);

      await gateway.verified();
      const logs = byLog(observer);
      assert.equal(logs.size, 2);
      for (const [log, entries] of logs) {
        assert.deepEqual(
          entries.map(({ seq }) => seq),
          entries.map((_entry, at) => at),
          `a number of ${log} stands for one entry`,
        );
      }
      const file = gateway.write(
        'published.jsonl',
        `${[...logs.values()]
          .flat()
          .map(({ text }) => text)
          .join('\n')}\n`,
      );
      const { out } = await run(['verify', file, '--key', gateway.keyFile]);
      assert.doesNotMatch(out, /E_/);

      await gateway.up();
      await gateway.stop('SIGKILL');
      await gateway.up();
      await gateway.stop();
      assert.deepEqual([gateway.eventsOf('store.end-lost').length, gateway.eventsOf('log.replaced').length], [1, 1]);
      assert.equal(readdirSync(gateway.stateDir).filter((name) => name.includes('.damaged')).length, 1);
      assertPolite(fleet);
    });

    test('of a store that was never moved into its file doctor and the verbs that look say so, too', async () => {
      await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.1.1');
      const devices = fleet.devices.map(({ address }) => ({ host: address, name: 'rig-0', ports: fleet.ports }));
      await using gateway = Gateway.create({ devices });
      await gateway.up();
      await gateway.knows(1);
      await gateway.says('what was learned', (log) => log.some(({ kind }) => kind === 'baseline'));
      await gateway.stop('SIGKILL');
      damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 1);
      assert.match(
        (await gateway.assayer('doctor')).out,
        /^FAIL {2}store .* assayer\.db-wal is damaged behind frame 0: /m,
      );
      for (const verb of ['findings', 'status', 'log'])
        assert.match((await gateway.assayer(verb)).err, /assayer\.db-wal is damaged behind frame 0: /, verb);
      await gateway.up();
      await gateway.event('store.end-lost');
      await gateway.verified();
    });
  },
);
