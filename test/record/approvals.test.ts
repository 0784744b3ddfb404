import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Approvals, type Past } from '../../agent/record/approvals.ts';
import { tempDir } from './gateway.ts';

/** What has to be remembered of approvals beside the store. */

const NOW = 1_795_339_200;
const later: Past = { isWhole: false, isDoubtful: false, wasBegun: true, now: NOW };

test('what was ended, and how many approved, is remembered without the store', (t) => {
  const dir = tempDir(t);
  const first = Approvals.read(dir, { ...later, isWhole: true });
  assert.deepEqual([first.hasEnded('a'), first.people, first.isUnknown(0)], [false, 0, false]);
  first.noteEnded(['a', 'site-pools 3']);
  first.noteEnded(['a']);
  const name = (...names: readonly string[]): void =>
    first.noteApprovers(names.map((each) => ({ kid: `kid-${each}`, name: each })));
  name('alice');
  name('alice', 'bob');
  assert.deepEqual([first.people, first.counts('kid-bob')], [1, false]);
  first.admit(['kid-bob', 'kid-carol']);
  name('alice', 'bob');
  assert.deepEqual([first.people, first.counts('kid-bob'), first.isExpected('kid-carol')], [2, true, true]);
  name();
  first.save();
  assert.equal(statSync(join(dir, 'approvals.json')).mode & 0o777, 0o600);
  const next = Approvals.read(dir, later);
  assert.deepEqual([next.ended, next.people, next.approvers, next.isUnknown(0)], [['a', 'site-pools 3'], 2, [], false]);
  assert.deepEqual([next.counts('kid-bob'), next.counts('kid-mallory'), next.isForgotten], [true, false, false]);
});

test('a file that is gone, half written, or may be an older one says of nothing before that it was not ended', (t) => {
  const dir = tempDir(t);
  const gone = Approvals.read(dir, later);
  assert.deepEqual([gone.isUnknown(NOW), gone.isUnknown(NOW + 120), gone.isUnknown(NOW + 121)], [true, true, false]);
  gone.noteEnded(['a']);
  gone.save();
  const again = Approvals.read(dir, { ...later, now: NOW + 9999 });
  assert.deepEqual([again.hasEnded('a'), again.isUnknown(NOW), again.isUnknown(NOW + 500)], [true, true, false]);
  const copy = Approvals.read(dir, { ...later, isDoubtful: true, now: NOW + 9999 });
  assert.deepEqual([copy.hasEnded('a'), copy.isUnknown(NOW + 500)], [true, true]);
  writeFileSync(join(dir, 'approvals.json'), '{"ended":["a"');
  assert.equal(Approvals.read(dir, later).isUnknown(NOW), true);
});

test('the oldest of very many are forgotten', (t) => {
  const approvals = Approvals.read(tempDir(t), { ...later, isWhole: true });
  for (let made = 0; made < 5000; made += 1) approvals.noteEnded([`d${made}`]);
  assert.equal(approvals.ended.length, 4096);
  assert.deepEqual([approvals.hasEnded('d0'), approvals.hasEnded('d4999')], [false, true]);
});
