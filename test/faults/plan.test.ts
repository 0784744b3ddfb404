import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CatchUp } from '../../scripts/faults/catch-up.ts';
import { compare } from '../../scripts/faults/compare.ts';
import { FAULTS, type Part } from '../../scripts/faults/kinds.ts';
import { planFaults } from '../../scripts/faults/plan.ts';

const ALL = FAULTS.map(({ kind }) => kind);
const plan = (seed: number, seconds = 120) => planFaults({ seed, seconds, everyMs: 1_500, kinds: ALL });

test('the same seed gives the same faults, another one others', () => {
  assert.deepEqual(plan(1), plan(1));
  assert.notDeepEqual(plan(1), plan(2));
});

test('every fault that can be made is made, and none that cannot', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    assert.deepEqual([...new Set(plan(seed).map(({ kind }) => kind))].sort(), [...ALL].sort(), `seed ${seed}`);
  }
  const some = planFaults({ seed: 1, seconds: 60, everyMs: 500, kinds: ['agent-killed', 'broker-wiped'] });
  assert.deepEqual([...new Set(some.map(({ kind }) => kind))].sort(), ['agent-killed', 'broker-wiped']);
});

test('two faults at the same thing do not overlap, others do, and none outlasts a quarter of the run', () => {
  let overlaps = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const until = new Map<Part, number>();
    let longestMs = 0;
    for (const { kind, atMs, lastsMs } of plan(seed)) {
      const holds = FAULTS.find((fault) => fault.kind === kind)?.holds ?? [];
      for (const part of holds) {
        assert.ok((until.get(part) ?? 0) <= atMs, `${part} at ${atMs}, seed ${seed}`);
        until.set(part, atMs + lastsMs);
      }
      if (longestMs > atMs) overlaps += 1;
      longestMs = Math.max(longestMs, atMs + lastsMs);
      assert.ok(atMs < 120_000 && lastsMs <= 30_000);
    }
  }
  assert.ok(overlaps > 100, `${overlaps} overlaps`);
});

test('what is missing, altered or only partly there is seen', () => {
  const entry = (seq: number) => ({ seq, message: Buffer.from(`entry ${seq}`) });
  const written = [0, 1, 2, 3].map(entry);
  const stored = new Map<number, Buffer>(written.map(({ seq, message }) => [seq, message]));
  const compared = () => compare(written, (seq) => stored.get(seq));
  assert.deepEqual(compared(), { written: 4, stored: 4, lost: 0, differing: 0, first: [] });
  stored.delete(1);
  stored.set(3, Buffer.from('entry 3 '));
  assert.deepEqual(compared(), { written: 4, stored: 2, lost: 1, differing: 1, first: [1, 3] });
});

test('catch-up is counted from the end of a fault until all that was written then is stored', () => {
  const catchUp = new CatchUp();
  catchUp.faultEnded(10, 1_000);
  catchUp.has(9, 2_000);
  assert.equal(catchUp.longestMs, 0);
  catchUp.faultEnded(20, 3_000);
  catchUp.has(10, 4_000);
  assert.equal(catchUp.longestMs, 3_000);
  catchUp.has(20, 5_000);
  assert.equal(catchUp.longestMs, 3_000);
});
