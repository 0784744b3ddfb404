import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assayer } from '../cli/assayer.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { mountSmall, remount, WITHOUT_MOUNT } from '../record/small-disk.ts';
import { eventful, keyOf, plain } from '../shared/collector/bench.ts';
import { attestation, start, stop, Writing } from '../shared/writing.ts';
import { CollectorProcess } from './collector-process.ts';
import { SimulatedGateway, textOf } from './simulated-gateway.ts';

const assertWhole = (collector: CollectorProcess, { log }: SimulatedGateway): void => {
  assert.deepEqual(collector.stored(log).map(textOf), log.messages.map(textOf), log.next.log);
};

const fleet = (url: string, count: number, entries: number): Promise<readonly SimulatedGateway[]> =>
  Promise.all(
    Array.from({ length: count }, (_none, index) =>
      SimulatedGateway.connect(url, eventful(entries, `example.org/gw-${index}/1`)),
    ),
  );

const replaceByCopy = (file: string): void => {
  cpSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
};

/** A number below `limit` from a seed: what fails can be run again. */
const dice = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
};

describe('assayer collect at Mosquitto', { skip: WITHOUT_MOSQUITTO, concurrency: 2 }, () => {
  test('killed at any moment it has every entry once, and acknowledged none that it does not have', async () => {
    const seed = Date.now() % 100_000;
    const roll = dice(seed);
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    const gateways = await fleet(broker.url, 3, 40);
    const writing = setInterval(() => {
      for (const gateway of gateways) {
        if (gateway.log.messages.length < 900) for (let n = 0; n < 4; n += 1) gateway.log.write(stop);
        gateway.wake();
      }
    }, 50);
    try {
      for (let kills = 0; kills < 8; kills += 1) {
        const before = gateways.map(({ acks }) => acks.length);
        collector.start(broker.url);
        const isAtWork = () => gateways.some(({ acks }, index) => acks.length > (before[index] ?? 0));
        await until(`it acknowledges (seed ${seed})`, isAtWork);
        await delay(roll(700));
        await collector.kill();
        for (const { log, acked } of gateways) {
          const stored = collector.stored(log).length;
          assert.ok(acked <= stored, `${acked} acknowledged, ${stored} stored (seed ${seed})`);
        }
      }
      collector.start(broker.url);
      const isDone = () => gateways.every(({ isDone: done, log }) => done && log.messages.length >= 900);
      await until(`all entries are confirmed (seed ${seed})`, isDone, 60_000);
      for (const gateway of gateways) {
        assertWhole(collector, gateway);
        assert.deepEqual(gateway.wrong, []);
      }
    } finally {
      clearInterval(writing);
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
    }
    assert.deepEqual(await collector.stop(), { code: 0, signal: null });
  });

  test('restored from an older copy it says so, and is filled again', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(60));
    const copy = join(collector.folder, 'copy');
    collector.start(broker.url);
    await until('the first are confirmed', () => gateway.isDone);
    assert.equal((await collector.stop('SIGINT')).code, 0);
    cpSync(collector.state, copy, { recursive: true });
    for (let n = 0; n < 140; n += 1) gateway.log.write(stop);
    collector.start(broker.url);
    await until('all are confirmed', () => gateway.isDone);
    await collector.kill();
    rmSync(collector.state, { recursive: true });
    collector.state = copy;
    collector.start(broker.url);
    await until('it is told that less is there', () => gateway.lowered.length > 0);
    await until('all are confirmed again', () => gateway.isDone);
    assert.equal(gateway.lowered[0], 60);
    assertWhole(collector, gateway);
    assert.deepEqual(gateway.wrong, []);
  });

  test('forged and altered messages are refused, untrue ones quarantined, and both are shown', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    const log = new Writing();
    log.write(start());
    log.write(attestation('rig-1'));
    const lie = attestation('rig-2');
    log.write({ ...lie, appraisal: { ...lie.appraisal, conformance: 'match' } });
    log.write(stop);
    await using gateway = await SimulatedGateway.connect(broker.url, log);
    collector.start(broker.url, ['--json']);
    await until('all are confirmed', () => gateway.isDone);
    const forged = new Writing();
    forged.signer = keyOf(9);
    await gateway.publish('log', forged.write(start()));
    await gateway.publish('log', log.messages[1]?.toString().replace('2.9.0', '2.9.1') ?? '');
    await until(
      'both are refused',
      () => collector.told('message').filter(({ status }) => status === 'refused').length === 2,
    );
    // Told means stored, and a running collector can be asked.
    const asked = await assayer(['collect', 'alarms', '--state', collector.state, '--json']);
    const alarms = asked.out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    assert.equal(asked.code, 1, asked.err);
    assert.deepEqual(alarms.map(({ kind, detail }) => `${kind} ${detail.remarks[0].code}`).sort(), [
      'quarantined E_APPRAISAL',
      'refused E_KEY_UNKNOWN',
      'refused E_SIGNATURE',
    ]);
    const kept = alarms.find(({ kind }) => kind === 'quarantined');
    assert.deepEqual([kept.seq, Buffer.from(kept.proof[0], 'base64')], [2, log.messages[2]]);
    assert.match((await assayer(['collect', 'alarms', '--state', collector.state])).out, /E_APPRAISAL/);
    const { out } = await assayer(['collect', 'devices', '--state', collector.state, '--json']);
    assert.deepEqual(
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .map(({ device, firmware, seq }) => [device, firmware, seq]),
      [['rig-1', '2.9.0', 1]],
    );
    assert.equal((await collector.stop()).code, 0);
    // What is delivered again is refused again: a run that was to judge what there is says so.
    collector.start(broker.url, ['--until-idle', '3']);
    await until(
      'it is there again',
      () => collector.events().filter((event) => event === 'collect.connected').length === 2,
    );
    await gateway.publish('log', log.messages[1]?.toString().replace('2.9.0', '2.9.1') ?? '');
    assert.equal((await collector.ended()).code, 1);
  });

  test('missing entries are asked for in the acknowledgement after two seconds, and what waited for them is stored', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    const log = plain(30);
    await using gateway = await SimulatedGateway.connect(broker.url, new Writing('example.org/gw-test/1'));
    await using observer = await Observer.connect(broker.url);
    collector.start(broker.url, ['--json']);
    await until('it is there', () => collector.events().includes('collect.connected'));
    for (const message of [...log.messages.slice(0, 5), ...log.messages.slice(8, 12)])
      await gateway.publish('log', message);
    const gaps = () =>
      observer
        .on('attest/v1/gw-test/ack/collector-a')
        .map(({ text }) => JSON.parse(text))
        .filter(({ gap }) => gap !== undefined);
    await until('it asks', () => gaps().length > 0);
    assert.deepEqual([gaps()[0].next, gaps()[0].gap], [5, [5, 8]]);
    for (const message of log.messages.slice(5, 8)) await gateway.publish('log', message);
    await until('all are stored', () => collector.stored(log).length === 12);
  });

  test('the broker is killed, wiped and started again: everything is there once', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(200));
    collector.start(broker.url);
    await until('the first are confirmed', () => gateway.isDone);
    await broker.kill();
    for (let n = 0; n < 100; n += 1) gateway.log.write(stop);
    await until('the loss is told', () => collector.events().some((event) => /^uplink\.(network|closed)$/.test(event)));
    await broker.up();
    await until('all are confirmed', () => gateway.isDone, 30_000);
    assertWhole(collector, gateway);
  });

  test('two workers share a fleet and one store; when one is gone the other goes on saying that the collector is there', async () => {
    await using broker = await Mosquitto.start();
    await using one = new CollectorProcess();
    await using other = new CollectorProcess();
    other.state = one.state;
    await using observer = await Observer.connect(broker.url);
    const gateways = await fleet(broker.url, 6, 60);
    one.start(broker.url, ['--shard', '1/2']);
    await until('the first is there', () => one.events().includes('collect.connected'));
    await until('its part is confirmed', () => gateways.some(({ isDone }) => isDone));
    await delay(1_000);
    const first = gateways.filter(({ isDone }) => isDone).map(({ id }) => id);
    assert.ok(first.length > 0 && first.length < 6, `${first}`);
    other.start(broker.url, ['--shard', '2/2']);
    await until('all are confirmed', () => gateways.every(({ isDone }) => isDone));
    for (const gateway of gateways) {
      assertWhole(one, gateway);
      assert.deepEqual(gateway.wrong, []);
    }
    const states = () => observer.states('attest/v1/_fleet/collector/collector-a');
    await one.kill();
    await until('the will is followed by a presence', () => /lost,(?:.*,)?online$/.test(states().join()));
    await other.stop();
    await until('the end is told', () => states().at(-1) === 'stopped');
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  });

  test('a full disk: told once, nothing is acknowledged, and it goes on when there is space again', {
    skip: WITHOUT_MOUNT,
  }, async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    mkdirSync(collector.state);
    using _mount = { [Symbol.dispose]: mountSmall(collector.state) };
    await using gateway = await SimulatedGateway.connect(broker.url, eventful(900));
    collector.start(broker.url);
    await until('the disk is full', () => collector.events().includes('collect.store-refuses'), 40_000);
    await delay(1_500);
    const stored = collector.stored(gateway.log).length;
    assert.ok(stored < 900 && gateway.acked <= stored, `${gateway.acked} acknowledged, ${stored} stored`);
    assert.match(collector.err, /"code":"store.full".*free space where the store is/);
    assert.equal(collector.events().filter((event) => event === 'collect.store-refuses').length, 1);
    remount(collector.state, 'size=64m');
    await until('all are confirmed', () => gateway.isDone, 40_000);
    assert.ok(collector.events().includes('collect.store-accepts'));
    assertWhole(collector, gateway);
  });

  for (const [how, change] of [
    ['removed', (file: string) => rmSync(file)],
    ['replaced by a copy', replaceByCopy],
    ['left without its -wal', (file: string) => rmSync(`${file}-wal`)],
  ] as const)
    test(`a store that is ${how} under it: nothing more is acknowledged, and it ends with what to do`, async () => {
      await using broker = await Mosquitto.start();
      await using collector = new CollectorProcess();
      await using gateway = await SimulatedGateway.connect(broker.url, plain(20));
      collector.start(broker.url);
      await until('all are confirmed', () => gateway.isDone);
      change(join(collector.state, 'collector.db'));
      for (let n = 0; n < 5; n += 1) gateway.log.write(stop);
      gateway.wake();
      assert.deepEqual(await collector.ended(), { code: 3, signal: null });
      assert.equal(gateway.acked, 20);
      assert.match(
        collector.err,
        /was removed or replaced while it is in use\n.*start the collector again.*\[store\.replaced\]/,
      );
      collector.start(broker.url);
      await until('all are confirmed', () => gateway.isDone, 20_000);
      assertWhole(collector, gateway);
    });

  test('without a broker a run that is to end when nothing comes ends, too, with 1 and the reason', async () => {
    await using collector = new CollectorProcess();
    collector.start('mqtt://127.0.0.1:1', ['--until-idle', '1']);
    assert.deepEqual(await collector.ended(), { code: 1, signal: null });
    assert.match(
      collector.err,
      /"event":"collect.no-broker","message":"nothing listens at port 1 .*<broker-url>: 8883/,
    );
  });

  test('over MQTT 3.1.1, for named gateways only, and to its end when nothing comes', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    const gateways = await fleet(broker.url, 2, 50);
    collector.start(broker.url, ['--protocol', '3.1.1', '--gateways', 'gw-1', '--until-idle', '2']);
    assert.deepEqual(await collector.ended(), { code: 0, signal: null });
    assert.match(collector.out, /^messages: .*\b50 chained/m);
    assert.deepEqual(
      gateways.map(({ acked }) => acked),
      [0, 50],
    );
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  });
});
