import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt from 'mqtt';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { attestation, start, Writing } from '../shared/writing.ts';
import { CollectorProcess } from './collector-process.ts';

const UNLIMITED = ['allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0'];
const ENTRIES = 1_000;
const TIMES = 16;
/** 10 kB in one fact. */
const WORDS = Array.from({ length: 10 }, () => 'x'.repeat(1_000));

/** 160 MB of messages, each many times: what comes twice costs no less room while it waits. */
const flood = async (broker: Mosquitto, log: Writing): Promise<void> => {
  const client = await mqtt.connectAsync(broker.url);
  for (let times = 0; times < TIMES; times += 1) {
    await Promise.all(log.messages.map((each) => client.publishAsync('attest/v1/gw-test/log', each, { qos: 1 })));
  }
  await client.endAsync(true);
};

const longLog = (): Writing => {
  const log = new Writing();
  log.write(start());
  const { evidence } = attestation('rig-1');
  const claims = { ...evidence.claims, extra: { words: WORDS } };
  for (let seq = 1; seq < ENTRIES; seq += 1) log.write(attestation('rig-1', { evidence: { ...evidence, claims } }));
  return log;
};

/** Most memory that a collector had while something went on, above what it began with, MB. */
const growth = async (collector: CollectorProcess, during: () => Promise<void>): Promise<number> => {
  const before = collector.rssKb();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, collector.rssKb());
  }, 100);
  await during();
  clearInterval(look);
  return (most - before) / 1024;
};

describe('memory while a backlog waits', { skip: WITHOUT_MOSQUITTO }, () => {
  test('a store that refuses: 320 MB arrive, a bounded part is kept, all is taken when it comes again', async () => {
    await using broker = await Mosquitto.start(UNLIMITED);
    await using collector = new CollectorProcess();
    const log = longLog();
    collector.start(broker.url);
    await until('it is there', () => collector.events().includes('collect.connected'));
    const holder = new DatabaseSync(join(collector.state, 'collector.db'));
    holder.exec('BEGIN IMMEDIATE');
    const grown = await growth(collector, async () => {
      await flood(broker, log);
      await flood(broker, log);
      await until('the store is seen to refuse', () => collector.events().includes('collect.store-refuses'));
      await delay(6_000);
    });
    assert.equal(collector.stored(log).length, 0);
    holder.exec('ROLLBACK');
    holder.close();
    await until('the store is seen to accept', () => collector.events().includes('collect.store-accepts'), 30_000);
    const dropped = Number(/"dropped":(\d+)/.exec(collector.err)?.[1]);
    assert.ok(dropped > TIMES * ENTRIES, `${dropped} dropped`);
    assert.ok(grown < 160, `${grown} MB more`);
    await until('what was kept is stored', () => collector.stored(log).length === ENTRIES, 30_000);
  });

  test('a broker that has 160 MB at once: they wait there, not here, and another 160 MB change nothing', async () => {
    await using broker = await Mosquitto.start(UNLIMITED);
    await using collector = new CollectorProcess();
    const log = longLog();
    collector.start(broker.url, ['--json']);
    await until('it is there', () => collector.events().includes('collect.connected'));
    const verdicts = () => collector.out.split('"status"').length - 1;
    const grown: number[] = [];
    for (let floods = 1; floods <= 2; floods += 1) {
      grown.push(
        await growth(collector, async () => {
          await flood(broker, log);
          await until('all are judged', () => verdicts() === floods * TIMES * ENTRIES, 60_000);
        }),
      );
    }
    assert.equal(collector.stored(log).length, ENTRIES);
    const [first = 0, second = 0] = grown;
    assert.ok(first < 250 && second < 60, `${first} MB more, then ${second} MB`);
  });
});
