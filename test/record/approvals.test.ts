import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
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

test('a file that is gone, or may be an older one, says of nothing before that it was not ended', (t) => {
  const dir = tempDir(t);
  const gone = Approvals.read(dir, later);
  assert.deepEqual([gone.isUnknown(NOW), gone.isUnknown(NOW + 120), gone.isUnknown(NOW + 121)], [true, true, false]);
  gone.noteEnded(['a']);
  gone.save();
  const again = Approvals.read(dir, { ...later, now: NOW + 9999 });
  assert.deepEqual([again.hasEnded('a'), again.isUnknown(NOW), again.isUnknown(NOW + 500)], [true, true, false]);
  const copy = Approvals.read(dir, { ...later, isDoubtful: true, now: NOW + 9999 });
  assert.deepEqual([copy.hasEnded('a'), copy.isUnknown(NOW + 500)], [true, true]);
});

test('approvals.unreadable: a file that is there and cannot be read is not taken for none, and stays as it is', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'approvals.json');
  const readers = [
    () => Approvals.read(dir, later),
    () => Approvals.countingIn(dir)('kid-mallory'),
    () => Approvals.peopleIn(dir),
  ];
  assert.deepEqual([Approvals.countingIn(dir)('kid-mallory'), Approvals.peopleIn(dir)], [true, 0], 'none is none');
  for (const damaged of [
    '{"ended":["a"',
    '',
    '[]',
    '{"ended":[],"people":9,"approvers":[],"counted":[],"admitted":[]}',
  ]) {
    writeFileSync(file, damaged);
    for (const read of readers) assert.throws(read, { code: 'approvals.unreadable' });
    assert.equal(readFileSync(file, 'utf8'), damaged);
  }
  rmSync(file);
  mkdirSync(file);
  for (const read of readers) assert.throws(read, { code: 'approvals.unreadable', message: /EISDIR/ });
});

test('a file that is removed or cut short while the agent runs is written again, and a full disk leaves the former one', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'approvals.json');
  const approvals = Approvals.read(dir, { ...later, isWhole: true });
  approvals.noteApprovers([{ kid: 'kid-alice', name: 'alice' }]);
  approvals.save();
  const whole = readFileSync(file, 'utf8');
  rmSync(file);
  approvals.save();
  assert.equal(readFileSync(file, 'utf8'), whole);
  truncateSync(file, 10);
  approvals.save();
  assert.equal(readFileSync(file, 'utf8'), whole);
  symlinkSync('/dev/full', `${file}.new`);
  approvals.noteEnded(['a']);
  assert.throws(() => approvals.save(), { code: 'store.full' });
  assert.equal(readFileSync(file, 'utf8'), whole);
  rmSync(`${file}.new`);
  approvals.save();
  assert.equal(Approvals.read(dir, later).hasEnded('a'), true);
});

test('the oldest of very many are forgotten', (t) => {
  const approvals = Approvals.read(tempDir(t), { ...later, isWhole: true });
  for (let made = 0; made < 5000; made += 1) approvals.noteEnded([`d${made}`]);
  assert.equal(approvals.ended.length, 4096);
  assert.deepEqual([approvals.hasEnded('d0'), approvals.hasEnded('d4999')], [false, true]);
});
