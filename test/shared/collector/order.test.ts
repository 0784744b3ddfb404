import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Collector, MemoryStore, type Report } from '../../../shared/index.ts';
import type { Writing } from '../writing.ts';
import { acksOf, arrived, assertWhole, eventful, LOG, NOW, noticesOf, open, verdictsOf } from './bench.ts';

const ENTRIES = 24;
const log = eventful(ENTRIES);

/** What a broker may do to a stream: deliver some of the messages, in any order, often or never, and kill the collector. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      seqs: fc.array(fc.nat(ENTRIES - 1), { maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(120) }) },
);

/** The gateway sends again from where the collector says it is, as mqtt.md §5 has it, until nothing is outstanding. */
const resync = async (collector: Collector, { messages }: Writing, nowMs: number): Promise<readonly Report[]> => {
  const reports = [await collector.connected(nowMs)];
  for (let round = 0; round < 3; round += 1) {
    const next = acksOf(reports.at(-1) ?? (reports[0] as Report)).at(-1)?.next ?? 0;
    reports.push(
      await collector.take(
        messages.slice(next).map((each) => arrived(each)),
        nowMs + round * 1000,
      ),
    );
  }
  return reports;
};

test('any order, repetition, loss and restart, then a resync: the same log, every entry once', async () => {
  const straight = new MemoryStore();
  await (await open({ store: straight })).take(
    log.messages.map((each) => arrived(each)),
    NOW,
  );
  assertWhole(straight, log);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const store = new MemoryStore();
      let collector = await open({ store });
      let nowMs = NOW;
      const verdicts: string[] = [];
      for (const each of steps) {
        if (each.kind === 'restart') collector = await open({ store });
        if (each.kind === 'wait') {
          nowMs += each.seconds * 1000;
          await collector.tick(nowMs);
        }
        if (each.kind !== 'deliver') continue;
        const messages = each.seqs.map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0)));
        verdicts.push(...verdictsOf(await collector.take(messages, nowMs)));
      }
      for (const report of await resync(collector, log, nowMs)) verdicts.push(...verdictsOf(report));
      assertWhole(store, log);
      assert.equal(store.log(LOG)?.state, straight.log(LOG)?.state);
      assert.deepEqual(new Map(store.log(LOG)?.devices), new Map(straight.log(LOG)?.devices));
      const chained = verdicts.filter((each) => each.includes('chained') && !each.includes('unchained'));
      assert.deepEqual(chained.toSorted(), log.messages.map((_message, seq) => `${seq} chained`).toSorted());
    }),
    { numRuns: 60 },
  );
});

test('whatever the order, the same messages at the same times give the same reports', async () => {
  const run = async (orders: readonly (readonly number[])[]) => {
    const collector = await open({ uuid: () => 'x' });
    const reports: Report[] = [];
    for (const [round, seqs] of orders.entries()) {
      const messages = seqs.map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0)));
      reports.push(await collector.take(messages, NOW + round * 1000), await collector.tick(NOW + round * 1000 + 500));
    }
    return reports.map(({ verdicts, notices, publish }) => ({ verdicts, notices, publish }));
  };
  const orders = fc.array(fc.array(fc.nat(ENTRIES - 1), { maxLength: 8 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(orders, async (each) => assert.deepEqual(await run(each), await run(each))),
    { numRuns: 20 },
  );
});

test('a gap is asked for in the acknowledgement after two seconds, then ever more seldom, and told after a minute', async () => {
  const collector = await open();
  const messages = [0, 1, 5, 6].map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0)));
  const first = await collector.take(messages, NOW);
  assert.deepEqual(verdictsOf(first), ['0 chained', '1 chained', '5 held', '6 held']);
  assert.deepEqual(
    acksOf(first).map(({ next, gap }) => ({ next, gap })),
    [{ next: 2, gap: undefined }],
  );
  const asked: number[] = [];
  const told: number[] = [];
  for (let second = 1; second <= 1200; second += 1) {
    const report = await collector.tick(NOW + second * 1000);
    for (const { next, gap } of acksOf(report)) {
      if (gap === undefined) continue;
      assert.deepEqual([next, gap], [2, [2, 5]]);
      asked.push(second);
    }
    for (const notice of noticesOf(report, 'gap')) {
      assert.deepEqual([notice.from, notice.to, notice.waiting], [2, 5, 2]);
      told.push(second);
    }
  }
  assert.deepEqual(asked, [2, 32, 92, 212, 452, 932]);
  assert.deepEqual(told, [60]);
  const filled = await collector.take(
    [2, 3, 4].map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0))),
    NOW + 1201_000,
  );
  assert.deepEqual(verdictsOf(filled), ['2 chained', '3 chained', '4 chained', '5 chained', '6 chained']);
  assert.deepEqual(
    noticesOf(filled, 'filled').map(({ next }) => next),
    [5],
  );
  assert.deepEqual(
    acksOf(filled).map(({ next }) => next),
    [7],
  );
});

test('pages that nobody asked for are passed over, and of those that were asked for no more is taken than they can bring', async () => {
  const flood = (id: string, gateway = 'gw-test') =>
    arrived(
      Buffer.from(JSON.stringify({ id, page: 1, last: false, ok: true, data: { entries: Array(43_000).fill('') } })),
      `attest/v1/${gateway}/rsp/collector-a`,
    );
  for (const mode of ['required', 'observer'] as const) {
    const collector = await open({ mode, uuid: () => 'request-1' });
    await collector.take(
      [0, 9].map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0))),
      NOW,
    );
    await collector.tick(NOW + 1000);
    const early = await collector.take([flood('request-1'), flood('another')], NOW + 1500);
    assert.deepEqual(verdictsOf(early), [], mode);
    await collector.tick(NOW + 3000);
    const report = await collector.take(
      [flood('request-1', 'gw-other'), ...Array(60).fill(flood('request-1')), flood('another')],
      NOW + 4000,
    );
    assert.equal(report.verdicts.length, mode === 'observer' ? 16 : 0, mode);
  }
});

test('an observer asks with resync, and takes the pages that come', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, mode: 'observer', uuid: () => 'request-1' });
  await collector.take(
    [0, 9].map((seq) => arrived(log.messages[seq] ?? Buffer.alloc(0))),
    NOW,
  );
  await collector.tick(NOW + 1000);
  const { publish } = await collector.tick(NOW + 3000);
  assert.deepEqual(
    publish.map(({ topic, payload, retain, expiryS }) => [topic, JSON.parse(payload.toString()), retain, expiryS]),
    [
      [
        'attest/v1/gw-test/cmd/collector-a',
        { id: 'request-1', op: 'resync', args: { from: 1, to: 9 }, expires_at: NOW / 1000 + 63 },
        false,
        60,
      ],
    ],
  );
  const data = log.messages.slice(1).map(String);
  const page = (content: object) => arrived(Buffer.from(JSON.stringify(content)), 'attest/v1/gw-test/rsp/collector-a');
  const pages = [
    page({ id: 'request-1', page: 1, last: false, ok: true, data: { entries: data.slice(0, 4) } }),
    page({ id: 'request-1', ok: false, code: 'E_BUSY' }),
    page({ id: 'request-1', page: 2, last: false, ok: true, data: data.slice(4, 6) }),
    page({ id: 'request-1', page: 2, last: true, ok: true, data: { entries: ['no entry', ...data.slice(4, 9)] } }),
  ];
  const report = await collector.take(pages, NOW + 4000);
  assert.deepEqual(
    verdictsOf(report).filter((each) => !each.endsWith('chained')),
    ['refused E_ENCODING', '9 duplicate I_DUPLICATE'],
  );
  assert.deepEqual(report.publish, []);
  await collector.take(
    log.messages.slice(10).map((message) => arrived(message)),
    NOW + 5000,
  );
  assertWhole(store, log);
});
