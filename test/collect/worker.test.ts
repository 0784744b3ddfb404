import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { storeError } from '../../agent/collect/failure.ts';
import { EVERYTHING } from '../../agent/collect/share.ts';
import { Worker } from '../../agent/collect/worker.ts';
import { configSchema } from '../../agent/config/schema.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { MemoryStore, type Report, StoreConflict } from '../../shared/index.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { keys, plain } from '../shared/collector/bench.ts';
import { stop } from '../shared/writing.ts';
import { SimulatedGateway } from './simulated-gateway.ts';

const DAY_MS = 86_400_000;

/** A worker in this process, with clock, store and events in reach. */
const started = async (url: string, store = new MemoryStore()) => {
  const { wallMs, monoMs } = systemClock();
  const set = { aheadMs: 0 };
  const events: string[] = [];
  const reports: Report[] = [];
  const worker = await Worker.open({
    id: 'collector-a',
    settings: configSchema.shape.mqtt.unwrap().parse({ url, spread_s: 0 }),
    store,
    trust: { kind: 'keys', keys },
    share: EVERYTHING,
    mode: 'required',
    clock: { wallMs: () => wallMs() + set.aheadMs, monoMs },
    emit: (_level, event) => events.push(event),
    tell: (report) => reports.push(report),
  });
  const running = worker.run();
  const end = async () => {
    worker.stop();
    await running;
  };
  return { worker, store, set, events, reports, running, [Symbol.asyncDispose]: end };
};

describe('the loop of a collector', { skip: WITHOUT_MOSQUITTO }, () => {
  test('a wall clock that is set, forth and back, is nobody\u2019s silence, and everything goes on', async () => {
    await using broker = await Mosquitto.start();
    const log = plain(10);
    await using gateway = await SimulatedGateway.connect(broker.url, log);
    await using at = await started(broker.url);
    await until('the first are confirmed', () => gateway.isDone);
    for (const [steps, aheadMs] of [
      [1, DAY_MS],
      [2, -DAY_MS],
    ] as const) {
      at.set.aheadMs = aheadMs;
      await until(
        'the step is told',
        () => at.events.filter((event) => event === 'collect.clock-step').length === steps,
      );
      for (let n = 0; n < 5; n += 1) log.write(stop);
      await until('more are confirmed', () => gateway.isDone);
    }
    assert.deepEqual(
      at.reports.flatMap(({ notices }) => notices).filter(({ kind }) => kind === 'silent'),
      [],
    );
    assert.equal(at.store.all(log.next.log).length, 20);
    assert.deepEqual(gateway.wrong, []);
  });

  test('a store that is damaged ends it with what to do, and the presence says stopped', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = await SimulatedGateway.connect(broker.url, plain(10));
    const store = new MemoryStore();
    store.commit = () => {
      throw storeError('store.corrupt', 'the store is damaged', undefined);
    };
    const { running } = await started(broker.url, store);
    await assert.rejects(running, /the store is damaged/);
    assert.equal(gateway.acked, 0);
    await until(
      'the end is told',
      () => observer.states('attest/v1/_fleet/collector/collector-a').at(-1) === 'stopped',
    );
  });

  test('a store that refuses for a while: what arrived waits, and is acknowledged when it is stored', async () => {
    await using broker = await Mosquitto.start();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(40));
    const store = new MemoryStore();
    const commit = store.commit.bind(store);
    let refusals = 0;
    store.commit = (changes) => {
      refusals += 1;
      if (refusals <= 2) throw storeError('store.unreachable', 'no connection', undefined);
      commit(changes);
    };
    await using at = await started(broker.url, store);
    await until('the refusal is told', () => at.events.includes('collect.store-refuses'));
    assert.deepEqual([gateway.acks.filter((next) => next > 0), at.worker.failing], [[], 'store.unreachable']);
    await until('all are confirmed', () => gateway.isDone);
    assert.deepEqual(
      at.events.filter((event) => event.startsWith('collect.store')),
      ['collect.store-refuses', 'collect.store-accepts'],
    );
  });

  test('a log that another worker changes all the time ends nobody: it is told once, and it goes on when it can', async () => {
    await using broker = await Mosquitto.start();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(20));
    const store = new MemoryStore();
    const commit = store.commit.bind(store);
    let conflicts = 0;
    store.commit = (changes) => {
      conflicts += 1;
      if (conflicts <= 15) throw new StoreConflict('it was changed');
      commit(changes);
    };
    await using at = await started(broker.url, store);
    await until('all are confirmed', () => gateway.isDone);
    assert.equal(at.events.filter((event) => event === 'collect.shared-log').length, 1);
    assert.equal(store.all(gateway.log.next.log).length, 20);
  });
});
