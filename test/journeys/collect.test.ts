import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CollectorProcess } from '../collect/collector-process.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { Gateway, NO_ENDPOINT } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

const ROUNDS = 5;

suite('agent, broker and collector', { skip: WITHOUT_MOSQUITTO, timeout: 180_000 }, () => {
  test('whichever of the three is killed, the collector has every entry of the log once, byte for byte', async (t) => {
    await using fleet = await fleetOf(FAMILIES, '127.73.0.1', { devices: 12 });
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    await using gateway = Gateway.create({
      devices: [rangeOf(fleet)],
      mqtt: { url: broker.url, spread_s: 0, collectors: ['collector-a'] },
      schedule: { pools: '* * * * * *', config: '* * * * * *', ...NO_ENDPOINT },
    });
    copyFileSync(gateway.keyFile, collector.keyFile);
    let thefts = 0;
    const thief = setInterval(() => {
      thefts += 1;
      fleet.device(thefts % 12).changePoolUser(0, `thief.${thefts}`);
    }, 150);
    await gateway.up();
    collector.start(broker.url);
    for (let round = 0; round < ROUNDS; round += 1) {
      await delay(500 + Math.random() * 1_500);
      if (round % 3 === 0) {
        await collector.kill();
        collector.start(broker.url);
      } else if (round % 3 === 1) {
        await broker.kill();
        await broker.up();
      } else {
        await gateway.stop('SIGKILL');
        await gateway.up();
      }
    }
    clearInterval(thief);
    await gateway.says('a theft is found', () => gateway.findings('pool.user-changed').length > 0);
    const origin = () => ({ next: { log: gateway.log[0]?.log ?? '' } });
    const stored = () => collector.stored(origin());
    await until(
      'the collector has what the log has',
      () => stored().length > 0 && stored().length === gateway.log.length,
      90_000,
    );
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    const messages = await gateway.verified();
    // The broker may have come back after the agent left: what it wrote last goes with its next start.
    await gateway.up();
    await until('and its last entry', () => stored().length >= messages.length, 60_000);
    assert.deepEqual(stored().slice(0, messages.length).map(String), messages);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    t.diagnostic(`${messages.length} entries`);
    assertPolite(fleet);
  });
});
