import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogVerifier, type LogVerifierOptions, parseTrustedKeys, type Verdict } from '../../shared/index.ts';
import { knownAnswers } from './vectors.ts';
import { attestation, start, stop, Writing } from './writing.ts';

const keys = parseTrustedKeys(knownAnswers.jwk);
const verifier = (options: Partial<LogVerifierOptions> = {}) => new LogVerifier({ keys, ...options });

const summary = ({ status, remarks, statement }: Verdict): string =>
  [statement?.seq, status, ...remarks.map(({ code }) => code)].join(' ');

const writing = (entries: number): Writing => {
  const log = new Writing();
  log.write(start());
  for (let seq = 1; seq < entries; seq++) log.write(stop);
  return log;
};

/** The messages of a log by number. */
const pick = (log: Writing, ...seqs: readonly number[]): readonly Buffer[] =>
  seqs.map((seq) => log.messages[seq] ?? Buffer.alloc(0));

test('a stream that begins later is followed from there, and says so', () => {
  const log = writing(5);
  const follower = verifier();
  const verdicts = pick(log, 2, 3, 4, 1).flatMap((message) => follower.accept(message));
  assert.deepEqual(verdicts.map(summary), ['2 chained I_START', '3 chained', '4 chained', '1 unchained I_UNCHECKED']);
  assert.deepEqual(follower.ends(), [{ log: 'example.org/gw-test/1', size: 5 }]);
});

test('the root of a log that was followed from entry 0 is the root of its tree', () => {
  const follower = verifier();
  for (const message of writing(3).messages) follower.accept(message);
  const [end] = follower.ends();
  assert.equal(end?.size, 3);
  assert.match(end?.root ?? '', /^[\w-]{43}$/);
});

test('entries that arrive in any order are chained in their own', () => {
  const log = writing(6);
  const follower = verifier({ start: 'zero' });
  const verdicts = pick(log, 5, 3, 0, 1, 4, 2).flatMap((message) => follower.accept(message));
  assert.deepEqual(verdicts.map(summary), [
    '5 held',
    '3 held',
    '0 chained',
    '1 chained',
    '4 held',
    '2 chained',
    '3 chained',
    '4 chained',
    '5 chained',
  ]);
  assert.deepEqual(follower.finish(), []);
});

test('a gap is announced after a minute with its range; filled later, its entries are chained', () => {
  const log = writing(8);
  const follower = verifier();
  const nowMs = 1795339300_000;
  for (const message of pick(log, 0, 3, 4, 6)) follower.accept(message, { nowMs });
  assert.deepEqual(follower.tick(nowMs + 59_999), []);
  const announced = follower.tick(nowMs + 60_000);
  assert.deepEqual(announced.map(summary), ['3 unchained W_GAP', '4 unchained', '6 unchained W_GAP']);
  assert.match(announced[0]?.remarks[0]?.detail ?? '', /1 to 2/);
  assert.match(announced[2]?.remarks[0]?.detail ?? '', /5 to 5/);
  assert.deepEqual(follower.tick(nowMs + 120_000), []);
  assert.deepEqual(
    pick(log, 7)
      .flatMap((message) => follower.accept(message))
      .map(summary),
    ['7 unchained'],
  );
  const filled = pick(log, 1, 2, 5).flatMap((message) => follower.accept(message));
  assert.deepEqual(filled.map(summary), [
    '1 chained',
    '2 chained',
    '3 chained',
    '4 chained',
    '5 chained',
    '6 chained',
    '7 chained',
  ]);
});

test('at most 1 000 entries wait for a gap; the others are handed out and may come again', () => {
  const log = writing(1_004);
  const follower = verifier();
  const [first, missing, ...rest] = log.messages;
  follower.accept(first ?? Buffer.alloc(0));
  const statuses = rest.flatMap((message) => follower.accept(message)).map(summary);
  assert.equal(statuses.filter((each) => each.endsWith(' held')).length, 1_000);
  assert.deepEqual(statuses.slice(1_000, 1_002), ['1002 unchained', '2 unchained W_GAP']);
  assert.equal(follower.accept(missing ?? Buffer.alloc(0)).length, 1_001);
  assert.deepEqual(
    pick(log, 1_002, 1_003)
      .flatMap((message) => follower.accept(message))
      .map(summary),
    ['1002 chained', '1003 chained'],
  );
});

test('two messages at one place above a gap are a fork as well', () => {
  const log = writing(2);
  const follower = verifier({ start: 'zero' });
  const other = new Writing();
  other.next = { ...other.next, seq: 1, prev: log.next.prev };
  assert.deepEqual([...pick(log, 1), other.write(stop)].flatMap((each) => follower.accept(each)).map(summary), [
    '1 held',
    '1 refused E_FORK',
  ]);
});

test('a fork older than the window is found where the caller can look entries up', () => {
  const log = writing(200);
  const other = new Writing();
  other.next = { ...other.next, seq: 3 };
  const fork = other.write(attestation('rig-7'));
  const forgetful = verifier({ window: 64 });
  const leaf = Buffer.from(log.leaf(3), 'base64url');
  const recalling = verifier({
    window: 64,
    recall: (_, seq) => (seq === 3 ? { leaf, kind: 'session', about: '', facts: [] } : undefined),
  });
  for (const message of log.messages) for (const each of [forgetful, recalling]) each.accept(message);
  assert.deepEqual(forgetful.accept(fork).map(summary), ['3 unchained I_UNCHECKED']);
  assert.deepEqual(recalling.accept(fork).map(summary), ['3 refused E_FORK']);
  assert.deepEqual(
    pick(log, 3, 180)
      .flatMap((each) => recalling.accept(each))
      .map(summary),
    ['3 duplicate I_DUPLICATE', '180 duplicate I_DUPLICATE'],
  );
});

test('logs are followed apart from each other', () => {
  const follower = verifier();
  const logs = ['example.org/gw-a/1', 'example.org/gw-b/1'].map((name) => new Writing(name));
  const verdicts = logs.flatMap((log) => [...follower.accept(log.write(start())), ...follower.accept(log.write(stop))]);
  assert.deepEqual(verdicts.map(summary), ['0 chained', '1 chained', '0 chained', '1 chained']);
  assert.equal(follower.ends().length, 2);
});

test('a further incarnation names the known end of the former, else W_NEW_LOG', () => {
  const begin = (prior: object | null) => {
    const follower = verifier();
    for (const message of writing(3).messages) follower.accept(message);
    const [end] = follower.ends();
    const named = prior === null ? null : { ...end, ...prior };
    return follower.accept(new Writing('example.org/gw-test/2').write(start({ prior: named }))).map(summary);
  };
  assert.deepEqual(begin({}), ['0 chained']);
  assert.deepEqual(begin({ size: 2 }), ['0 chained W_NEW_LOG']);
  assert.deepEqual(begin({ root: 'A'.repeat(43) }), ['0 chained W_NEW_LOG']);
  assert.deepEqual(begin(null), ['0 chained W_NEW_LOG']);
});

test('what is wrong with one entry does not reach the next', () => {
  const log = writing(2);
  const follower = verifier();
  log.write(stop, { iat: log.next.iat + 3_600 });
  log.write(stop);
  const verdicts = log.messages.flatMap((message) => follower.accept(message)).map(summary);
  assert.deepEqual(verdicts, ['0 chained', '1 chained', '2 quarantined E_CLOCK', '3 quarantined E_CLOCK']);
  log.write(stop);
  assert.deepEqual(
    pick(log, 4)
      .flatMap((message) => follower.accept(message))
      .map(summary),
    ['4 chained'],
  );
});
