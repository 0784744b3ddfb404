import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Arrived,
  appendLeaf,
  type Collector,
  type CollectorOptions,
  EMPTY_RANGE,
  extendRange,
  leafHash,
  MemoryStore,
  type Report,
  requestSchema,
  subtreeWidths,
  toBase64url,
  treeRoot,
} from '../../../shared/index.ts';
import type { Writing } from '../writing.ts';
import { arrived, checkpointCodes, heartbeat, keyOf, LOG, NOW, noticesOf, open, plain, rootOf } from './bench.ts';

/** Entries that retention removed before a collector had them: how its tree is joined to the log again (attestation.md §7, §8 step 9). */

const log = plain(40);
const all = log.messages.map((message) => arrived(message));
const witness = { ...keyOf(3), name: 'example.org/collector-a' };

const leavesIn = ({ messages }: Writing): readonly Buffer[] => messages.map((message) => leafHash(message));

/** What a gateway answers to `tiles`. */
const hashesOf = (of: Writing, from: number, to: number): readonly string[] => {
  let at = from;
  return subtreeWidths(from, to).map((width) => {
    at += width;
    return toBase64url(treeRoot(leavesIn(of).slice(at - width, at)));
  });
};

const asksFor = ({ publish }: Report) =>
  publish
    .filter(({ topic }) => topic === 'attest/v1/gw-test/cmd/collector-a')
    .map(({ payload }) => requestSchema.parse(JSON.parse(payload.toString())));

const cosignedIn = ({ publish }: Report): readonly number[] =>
  publish
    .filter(({ topic }) => topic.includes('/cosig/'))
    .map(({ payload }) => JSON.parse(payload.toString()).size as number);

const answer = (content: object, gateway = 'gw-test'): Arrived =>
  arrived(Buffer.from(JSON.stringify(content)), `attest/v1/${gateway}/rsp/collector-a`);

const tiles = (id: string, data: object): Arrived => answer({ id, page: 1, last: true, ok: true, data });

/** A collector that has the first entries, and hears that the gateway holds those from 12 on only; and what it asks for then. */
const afterLoss = async (has: number, options: Partial<CollectorOptions> = {}) => {
  let ids = 0;
  const nextId = (): string => {
    ids += 1;
    return `r-${ids}`;
  };
  const store = new MemoryStore();
  const collector = await open({ store, witness, uuid: nextId, ...options });
  await collector.take([...all.slice(0, has), ...(has > 3 ? [heartbeat(log, 3)] : [])], NOW);
  const said = await collector.take([heartbeat(log, 30, { first: 12 }), ...all.slice(12, 30)], NOW + 100);
  assert.deepEqual(
    noticesOf(said, 'lost').map(({ from, to }) => [from, to]),
    [[has, 12]],
  );
  await collector.tick(NOW + 1_000);
  const asked = asksFor(await collector.tick(NOW + 4_000));
  return { store, collector, asked };
};

const report = async (collector: Collector) => (await collector.logs())[0];

for (const has of [0, 5, 11]) {
  test(`with ${has} entries before those that are lost, tiles join the tree, and checkpoints are included and cosigned again`, async () => {
    const { store, collector, asked } = await afterLoss(has);
    assert.deepEqual(
      asked.map(({ op, args }) => [op, args]),
      [['tiles', { from: has, to: 12 }]],
    );
    const data = { log: LOG, from: has, to: 12, hashes: hashesOf(log, has, 12) };
    await collector.take([tiles('r-1', data)], NOW + 5_000);
    const said = await collector.take([heartbeat(log, 30, { first: 12 })], NOW + 6_000);
    assert.deepEqual(checkpointCodes(said), []);
    assert.deepEqual(cosignedIn(said), [30]);
    assert.deepEqual([(await report(collector))?.included, (await report(collector))?.root], [30, rootOf(log, 30)]);
    assert.equal(await collector.standing(LOG, 20), 'included');
    assert.equal(await collector.standing(LOG, 11), has > 11 ? 'included' : 'missing');
    // It goes on, in memory and from the store; one that is behind agrees, and another tree is a fork again.
    await collector.take(all.slice(30, 35), NOW + 7_000);
    assert.deepEqual(checkpointCodes(await collector.take([heartbeat(log, 33, { first: 12 })], NOW + 8_000)), []);
    const again = await open({ store, witness });
    await again.take(all.slice(35), NOW + 9_000);
    const later = await again.take(
      [37, 40].map((size) => heartbeat(log, size, { first: 12 })),
      NOW + 10_000,
    );
    assert.deepEqual([checkpointCodes(later), cosignedIn(later)], [[], [40]]);
    const forked = await again.take([heartbeat(log, 40, { first: 12, root: rootOf(log, 39) })], NOW + 11_000);
    assert.deepEqual(checkpointCodes(forked), ['E_FORK']);
    assert.equal((await report(again))?.root, rootOf(log, 40));
  });
}

test('tiles of another tree show nothing: what is signed decides, and they are asked for again, more and more rarely', async () => {
  const { collector, asked } = await afterLoss(5);
  const other = plain(40, 'other');
  const hashes = hashesOf(other, 5, 12);
  let id = asked[0]?.id ?? '';
  const askedAtS: number[] = [];
  for (let second = 5; second < 400; second += 1) {
    const said = await collector.tick(NOW + second * 1_000);
    const next = asksFor(said)[0]?.id;
    if (next !== undefined) {
      askedAtS.push(second);
      id = next;
    }
    if (second % 5 === 0) {
      const beat = heartbeat(log, 30, { first: 12 });
      const told = await collector.take(
        [tiles(id, { log: LOG, from: 5, to: 12, hashes }), beat],
        NOW + second * 1_000 + 500,
      );
      assert.deepEqual([checkpointCodes(told), cosignedIn(told)], [['I_UNCHECKED'], []]);
    }
  }
  assert.ok(askedAtS.length >= 2 && askedAtS.length <= 4, askedAtS.join());
  assert.equal((await report(collector))?.root, undefined);
  await collector.take([tiles(id, { log: LOG, from: 5, to: 12, hashes: hashesOf(log, 5, 12) })], NOW + 401_000);
  assert.equal((await report(collector))?.root, undefined, 'it was answered already');
});

test('answers that nobody asked for, of another gateway, about another log or of another shape change nothing', async () => {
  const { collector } = await afterLoss(5);
  const good = { log: LOG, from: 5, to: 12, hashes: hashesOf(log, 5, 12) };
  await collector.take(
    [
      tiles('r-9', good),
      answer({ id: 'r-1', page: 1, last: true, ok: true, data: good }, 'gw-other'),
      tiles('r-1', { ...good, log: 'example.org/gw-test/2' }),
      tiles('r-1', { ...good, from: 4 }),
      tiles('r-1', { ...good, hashes: good.hashes.slice(1) }),
      tiles('r-1', { ...good, hashes: 'x' }),
      answer({ id: 'r-1', ok: false, code: 'E_OP' }),
    ],
    NOW + 5_000,
  );
  const said = await collector.take([heartbeat(log, 30, { first: 12 })], NOW + 6_000);
  assert.deepEqual(checkpointCodes(said), ['I_UNCHECKED']);
  assert.equal((await report(collector))?.root, undefined);
});

test('a checkpoint that comes again, or is ahead of what is here, shows nothing of tiles; entries that come meanwhile count', async () => {
  const { collector } = await afterLoss(5);
  const old = heartbeat(log, 30, { first: 12 });
  await collector.take([heartbeat(log, 30, { first: 12 })], NOW + 4_500);
  await collector.take([tiles('r-1', { log: LOG, from: 5, to: 12, hashes: hashesOf(log, 5, 12) })], NOW + 5_000);
  await collector.take([old, heartbeat(log, 36, { first: 12 })], NOW + 5_500);
  assert.equal((await report(collector))?.root, undefined);
  await collector.take(all.slice(30), NOW + 6_000);
  const said = await collector.take([heartbeat(log, 38, { first: 12 })], NOW + 7_000);
  assert.deepEqual([checkpointCodes(said), cosignedIn(said)], [[], [38]]);
});

test('a second loss begins anew, joined to what was shown before', async () => {
  const { collector, asked } = await afterLoss(5);
  assert.equal(asked.length, 1);
  await collector.take([tiles('r-1', { log: LOG, from: 5, to: 12, hashes: hashesOf(log, 5, 12) })], NOW + 5_000);
  await collector.take([heartbeat(log, 30, { first: 12 })], NOW + 6_000);
  await collector.take([heartbeat(log, 40, { first: 36 }), ...all.slice(36)], NOW + 7_000);
  await collector.tick(NOW + 8_000);
  const again = asksFor(await collector.tick(NOW + 11_000));
  assert.deepEqual(
    again.map(({ args }) => args),
    [{ from: 30, to: 36 }],
  );
  const data = { log: LOG, from: 30, to: 36, hashes: hashesOf(log, 30, 36) };
  await collector.take([tiles(again[0]?.id ?? '', data)], NOW + 12_000);
  const said = await collector.take([heartbeat(log, 40, { first: 36 })], NOW + 13_000);
  assert.deepEqual([checkpointCodes(said), cosignedIn(said)], [[], [40]]);
});

test('a log of many entries after the loss is worked off in parts', async () => {
  const long = plain(9_000);
  const store = new MemoryStore();
  const collector = await open({ store, witness, uuid: () => 'r-1' });
  const first = 100;
  await collector.take([heartbeat(long, 9_000, { first })], NOW);
  for (let from = first; from < 9_000; from += 500)
    await collector.take(
      long.messages.slice(from, from + 500).map((message) => arrived(message)),
      NOW + 3_600_000,
    );
  assert.equal((await report(collector))?.size, 9_000);
  const restarted = await open({ store, witness, uuid: () => 'r-1' });
  await restarted.connected(NOW + 3_601_000);
  await restarted.tick(NOW + 3_601_000);
  assert.equal(asksFor(await restarted.tick(NOW + 3_604_000)).length, 1);
  await restarted.take(
    [tiles('r-1', { log: LOG, from: 0, to: first, hashes: hashesOf(long, 0, first) })],
    NOW + 3_605_000,
  );
  let calls = 0;
  for (; (await report(restarted))?.root === undefined && calls < 20; calls += 1)
    await restarted.take([heartbeat(long, 9_000, { first })], NOW + 3_606_000 + calls);
  assert.equal((await report(restarted))?.root, rootOf(long, 9_000));
  assert.ok(calls >= 3, `${calls} calls`);
});

test('entries that are lost one range after the other are one loss that grows, for a process that was started between, too; entries in between part them', async () => {
  const store = new MemoryStore();
  const told = async (collector: Collector, ...messages: readonly Arrived[]) =>
    noticesOf(await collector.take(messages, NOW), 'lost').map(({ from, to }) => [from, to]);
  const collector = await open({ store });
  assert.deepEqual(await told(collector, ...all.slice(0, 5), heartbeat(log, 30, { first: 12 })), [[5, 12]]);
  assert.deepEqual(await told(collector, heartbeat(log, 30, { first: 12 })), [], 'no more of them');
  assert.deepEqual(await told(collector, heartbeat(log, 30, { first: 15 }), heartbeat(log, 30, { first: 16 })), [
    [5, 15],
    [5, 16],
  ]);
  const restarted = await open({ store });
  assert.deepEqual(await told(restarted, heartbeat(log, 30, { first: 20 })), [[5, 20]]);
  assert.deepEqual(await told(restarted, ...all.slice(20, 22), heartbeat(log, 30, { first: 25 })), [[22, 25]]);
  assert.deepEqual(await told(await open({ store }), heartbeat(log, 30, { first: 26 })), [[22, 26]]);
  assert.deepEqual(store.notices.filter(({ kind }) => kind === 'lost').length, 6);
});

test('of a log that loses more before its first entry came all is told with that', async () => {
  const collector = await open();
  await collector.take([heartbeat(log, 30, { first: 12 }), heartbeat(log, 30, { first: 20 })], NOW);
  const begun = await collector.take(all.slice(20, 22), NOW);
  assert.deepEqual(
    noticesOf(begun, 'lost').map(({ from, to }) => [from, to]),
    [[0, 20]],
  );
});

test('the range at a later size follows from one before it and the subtrees between', () => {
  const leaves = leavesIn(log);
  const rangeAt = (size: number) => leaves.slice(0, size).reduce(appendLeaf, EMPTY_RANGE);
  for (let from = 0; from <= 40; from += 1) {
    for (let to = from; to <= 40; to += 1) {
      const roots = hashesOf(log, from, to).map((each) => Buffer.from(each, 'base64url'));
      assert.deepEqual(extendRange(rangeAt(from), to, roots), rangeAt(to));
      assert.equal(extendRange(rangeAt(from), to, [...roots, Buffer.alloc(32)]), undefined);
    }
  }
});
