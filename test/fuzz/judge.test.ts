import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberedIn } from '../../agent/drivers/damaged-names.ts';
import { cgminer, type Driver, defineDriver, type Source } from '../../agent/drivers/driver.ts';
import { livePools, poolList } from '../../agent/drivers/pools.ts';
import {
  alike,
  anyOf,
  asArray,
  asObject,
  at,
  firstOf,
  type Reader,
  text,
  UNREADABLE,
} from '../../agent/drivers/readers.ts';
import { listed } from '../../agent/drivers/rows.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { Judge } from '../../scripts/fuzz/judge.ts';
import type { Mutation } from '../../scripts/fuzz/mutations.ts';
import { layoutOf } from '../../scripts/fuzz/places.ts';
import { type FirmwareComponent, type PoolSlot, present } from '../../shared/facts.ts';

/** What the fuzzer says of drivers that keep its promises, and of such that do not. */

const driverWith = (facts: Driver['facts']): Driver =>
  defineDriver({
    family: 'judged',
    title: 'Judged',
    source: 'this test',
    recognise: () => 0,
    queries: { one: cgminer('one'), two: cgminer('two') },
    facts,
  });

const read = (bytes: Uint8Array) => readReply(bytes, { whole: false });

/** What is said where `from`, which stands in the reply once, became `to`. */
const judged = (
  facts: Driver['facts'],
  reply: string,
  { from, to, ...kind }: Pick<Mutation, 'swapped'> & { from: string; to: string; conflict?: string },
): readonly string[] => {
  const layout = layoutOf(reply);
  const bytes = Buffer.from(reply);
  const answer = { bytes, read };
  const other = read(Buffer.from('{"version":"1.2","pools":[{"url":"stratum+tcp://c.example:1"}]}'));
  const clueTo = () => noReply('unreachable', 'nobody asks', { dark: true });
  const replies = new Map([
    ['one', read(bytes)],
    ['two', other],
  ]);
  const driver = driverWith(facts);
  const subject = { name: 'judged/one', driver, replies, answers: new Map([['one', answer]]), clueTo };
  const start = reply.indexOf(from);
  const conflict = layout.places.find(({ path }) => path === kind.conflict);
  const verdict = new Judge(subject, 'one', answer, layout).judge({
    edits: [{ start, end: start + from.length, text: to }],
    note: 'test',
    ...(kind.swapped ? { swapped: true } : {}),
    ...(conflict === undefined ? {} : { conflict }),
  });
  return verdict.problems.map((problem) => `${problem.kind} ${problem.fact}`);
};

const ROWS = ['{"id":0,"url":"stratum+tcp://a.example:1"}', '{"id":1,"url":"stratum+tcp://b.example:1"}'] as const;
const SWAPPED = { from: ROWS.join(), to: ROWS.toReversed().join(), swapped: true } as const;
const LIST = `{"pools":[${ROWS.join()}]}`;

const byNumber = poolList({ url: 'url', slot: 'id' });
/** Which pool is tried first by the place of its row, though each row has its number. */
const byPlace: Reader<readonly PoolSlot[]> = (list) => {
  const slots = byNumber(list);
  const first = (asArray(list) ?? []).map((row) => asObject(row)?.id);
  if (slots.kind !== 'present') return slots;
  return present(slots.value.map((slot) => ({ ...slot, priority: first.indexOf(slot.slot) })));
};

test('rows with numbers that changed places are the same slots, with the same priority', () => {
  assert.deepEqual(judged({ pools: at('one', '/pools', byNumber) }, LIST, SWAPPED), []);
  const problems = judged({ pools: at('one', '/pools', byPlace) }, LIST, SWAPPED);
  assert.deepEqual(problems, ['different pools', 'different pools']);
});

test('rows without numbers that changed places are other slots, also beside a list whose rows have numbers', () => {
  const stored = ['{"url":"stratum+tcp://a.example:1"}', '{"url":"stratum+tcp://b.example:1"}'] as const;
  const reply = `{"stored":{"pools":[${stored.join()}]},"pools":{"POOLS":[{"POOL":0,"URL":"stratum+tcp://a.example:1"}]}}`;
  const swapped = { from: stored.join(), to: stored.toReversed().join(), swapped: true } as const;
  assert.deepEqual(judged({ pools: at('one', '/stored/pools', poolList({ url: 'url' })) }, reply, swapped), []);
});

test('a pool that is told of a list which cannot be read whole is one of the list', () => {
  const damagedName = { from: ',{"id', to: ',{"i d' };
  assert.deepEqual(judged({ pools: at('one', '/pools', byNumber) }, LIST, damagedName), []);
  const inventing: Reader<readonly PoolSlot[]> = (list) => {
    const reading = byNumber(list);
    const other = { slot: 0, url: 'stratum+tcp://d.example:1', priority: 0 };
    return reading.kind === 'unknown' ? { ...reading, toldPools: [other] } : reading;
  };
  assert.deepEqual(judged({ pools: at('one', '/pools', inventing) }, LIST, damagedName), ['different pools']);
});

test('serials of hashboards in another order are the same boards; one less are others', () => {
  const serials =
    (keep: number): Reader<readonly string[]> =>
    (boards) => {
      const values = numberedIn(asObject(boards) ?? {}, '# SN').map(({ value }) => text(value));
      return listed(values.slice(0, keep));
    };
  const reply = '{"boards":{"1 SN":"B1","2 SN":"B2","3 SN":"B3"}}';
  const later = { from: '"1 SN"', to: '"5 SN"' };
  assert.deepEqual(judged({ 'identity.hashboards': at('one', '/boards', serials(3)) }, reply, later), []);
  const problems = judged({ 'identity.hashboards': at('one', '/boards', serials(2)) }, reply, later);
  assert.deepEqual(problems, ['different identity.hashboards']);
});

test('a member with two values takes its fact, also where another reply would tell it; each fact is named once', () => {
  const version = (combine: typeof alike) => ({
    'firmware.version': combine(at('one', '/version', text), at('two', '/version', text)),
  });
  const twice = { from: '"1.2"', to: '"1.2","version":"6.6"', conflict: '/version' };
  assert.deepEqual(judged(version(alike), '{"version":"1.2"}', twice), []);
  assert.deepEqual(judged(version(anyOf), '{"version":"1.2"}', twice), ['conflict firmware.version']);
});

test('a list of live pools that was damaged is not replaced by another list', () => {
  const list = livePools({ url: 'url' });
  const live = (combine: typeof firstOf) => ({
    live_pools: combine(at('one', '/pools', list), at('two', '/pools', list)),
  });
  const twice = { from: '"id":0', to: '"url":"stratum+tcp://d.example:1","id":0', conflict: '/pools/0/url' };
  assert.deepEqual(judged(live(firstOf), LIST, twice), []);
  const problems = judged(live(anyOf), LIST, twice);
  assert.deepEqual(new Set(problems), new Set(['different live_pools']));
});

/** A part that is named by a value, as partitions are. */
const partition = (pointer: string): Source<readonly FirmwareComponent[], 'one'> =>
  at('one', pointer, (row) => {
    const { label, version } = asObject(row) ?? {};
    if (typeof label !== 'string' || typeof version !== 'string') return UNREADABLE;
    return present([{ name: `partition.${label}`, value: version }]);
  });

test('a value that names a part may name another one when it is damaged; nothing else may', () => {
  const reply = '{"part":{"label":"ota_0","version":"1.2"},"note":"x"}';
  const facts = { 'firmware.components': partition('/part') };
  assert.deepEqual(judged(facts, reply, { from: 'ota_0', to: 'ota_p' }), []);
  const renaming: Source<readonly FirmwareComponent[], 'one'> = {
    queries: ['one'],
    read: (replies) => {
      const note = at('one', '/note', text).read(replies);
      const parts = partition('/part').read(replies);
      if (note.kind === 'present' || parts.kind !== 'present') return parts;
      return present(parts.value.map(({ value }) => ({ name: 'partition.of-nobody', value })));
    },
  };
  const damagedName = { from: '"note"', to: '"nots"' };
  assert.deepEqual(judged({ 'firmware.components': renaming }, reply, damagedName), ['different firmware.components']);
});
