import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { AgentError } from '../../agent/platform/errors.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { Log } from '../../agent/record/log.ts';
import { buildReload, buildStop } from '../../agent/record/session.ts';
import { Store } from '../../agent/record/store.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { verifyMessage } from '../../shared/verify.ts';
import { checkByHand } from './by-hand.ts';
import { anyStatement, logOptions, openGateway, restart, START, TestClock, tempDir } from './gateway.ts';

const code = (expected: string) => (error: AgentError) => {
  assert.equal(error.code, expected);
  assert.notEqual(error.remedy, '');
  return true;
};

const messagesOf = (store: Store) => store.entriesFrom(0, 100_000).map(({ message }) => message);

test('a new log begins with a session start at seq 0 that names no former log', (t) => {
  const { store, jwk, log } = openGateway(t);
  const [start, ...rest] = checkByHand(messagesOf(store), jwk);
  assert.deepEqual(rest, []);
  assert.equal(start?.log, 'example.org/tx1-gw3/1795339200');
  assert.equal(start?.bootcount, 1);
  assert.equal(Buffer.from(start?.bootseed ?? '', 'base64url').length, 16);
  assert.deepEqual(start?.session, {
    event: 'start',
    agent: START.agent,
    config_sha256: START.configSha256,
    host: START.host,
    key_protection: 'file',
    prior: null,
  });
  assert.equal(log.size(), 1);
});

test('every kind of entry the log writes by itself is a valid statement to a verifier', (t) => {
  const { store, jwk, log, clock } = openGateway(t);
  clock.wall += 60_000;
  log.transaction((tx) => {
    for (const reload of buildReload({ configSha256: START.configSha256, removed: ['rig-1'] })) tx.append(reload);
    tx.append(anyStatement());
    tx.append(buildStop('SIGTERM'));
  });
  const keys = parseTrustedKeys(jwk);
  const kinds = messagesOf(store).map((bytes) => {
    const { statement } = verifyMessage(bytes, { keys, topic: 'attest/v1/tx1-gw3/log' });
    return statement.kind === 'session' ? statement.session.event : statement.kind;
  });
  assert.deepEqual(kinds, ['start', 'clock-step', 'reload', 'coverage', 'stop']);
});

test('each start of the agent continues the chain with the next boot count and another seed', (t) => {
  const { dir, store, jwk } = openGateway(t);
  store[Symbol.dispose]();
  const second = restart(t, dir, new TestClock(1_795_400_000_000));
  const [first, next] = checkByHand(messagesOf(second.store), jwk);
  assert.equal(next?.bootcount, 2);
  assert.notEqual(next?.bootseed, first?.bootseed);
  assert.equal(next?.log, first?.log);
  assert.equal(next?.session?.prior, undefined);
});

test('what one transaction writes is there together or not at all', (t) => {
  const { store, log, clock, jwk } = openGateway(t);
  clock.pass(1000);
  const broken = () =>
    log.transaction((tx) => {
      tx.append(anyStatement());
      tx.saveDevice('rig-1', '{}');
      tx.saveMeta('storm', '{}');
      throw new Error('a mistake of ours');
    });
  assert.throws(broken, /a mistake of ours/);
  assert.equal(log.size(), 1);
  assert.equal(store.device('rig-1', String), undefined);
  assert.equal(store.meta('storm', String), undefined);
  const entries = log.transaction((tx) => {
    assert.equal(tx.append(anyStatement()), 1);
    assert.equal(tx.next(), 2);
    assert.equal(tx.append(anyStatement()), 2);
    tx.saveDevice('rig-1', '{"a":1}');
  });
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    [1, 2],
  );
  assert.equal(store.device('rig-1', String), '{"a":1}');
  assert.equal(checkByHand(messagesOf(store), jwk).length, 3);
});

test('a clock that is set, or a host that slept, gives a clock-step before the next entry', (t) => {
  const { store, log, clock, jwk } = openGateway(t);
  clock.pass(60_000);
  log.transaction((tx) => tx.append(anyStatement()));
  clock.pass(1000);
  clock.wall -= 3_600_000;
  log.transaction((tx) => tx.append(anyStatement()));
  clock.pass(1000);
  log.transaction((tx) => tx.append(anyStatement()));
  const events = checkByHand(messagesOf(store), jwk).map(({ kind, session }) => session ?? kind);
  assert.deepEqual(events.slice(1), [
    'coverage',
    { event: 'clock-step', delta_ms: -3_600_000 },
    'coverage',
    'coverage',
  ]);
});

test('a clock that is slewed within the tolerance of §8 step 12 gives no clock-step', (t) => {
  const { store, log, clock } = openGateway(t);
  for (const drift of [900, -900, 0, 400]) {
    clock.pass(100_000);
    clock.wall += drift;
    log.transaction((tx) => tx.append(anyStatement()));
  }
  assert.deepEqual(
    store.entriesFrom(1, 10).map(({ kind }) => kind),
    ['coverage', 'coverage', 'coverage', 'coverage'],
  );
});

test('the monotonic clock of the log never falls', (t) => {
  const { store, log, clock, jwk } = openGateway(t);
  clock.pass(5000);
  log.transaction((tx) => tx.append(anyStatement()));
  clock.mono -= 100;
  log.transaction((tx) => tx.append(anyStatement()));
  assert.deepEqual(
    checkByHand(messagesOf(store), jwk).map((statement) => statement.mono_ms),
    [0, 5000, 5000],
  );
});

test('listeners hear of commits that appended, not of failed or empty ones', (t) => {
  const { log } = openGateway(t);
  let heard = 0;
  const stop = log.onAppend(() => {
    heard += 1;
  });
  log.transaction((tx) => tx.append(anyStatement()));
  log.transaction((tx) => tx.saveMeta('a', 'b'));
  assert.throws(() => log.transaction(() => assert.fail('no')));
  assert.equal(heard, 1);
  stop();
  log.transaction((tx) => tx.append(anyStatement()));
  assert.equal(heard, 1);
});

test('a log of another gateway name or another key is not continued', (t) => {
  const { dir, store } = openGateway(t);
  assert.throws(() => Log.open(logOptions(store, dir, new TestClock(), { gateway: 'tx1-gw4' })), code('log.renamed'));
  const other = createKey(tempDir(t)).signer;
  assert.throws(() => Log.open(logOptions(store, dir, new TestClock(), { signer: other })), code('log.key-changed'));
  assert.equal(store.size(), 1);
});

const damage: readonly (readonly [string, string])[] = [
  [
    'a changed byte of the last message',
    "UPDATE entries SET message = CAST(replace(message, 'pools', 'fools') AS BLOB) WHERE seq = 3",
  ],
  ['a last entry whose message is gone', 'UPDATE entries SET message = NULL WHERE seq = 3'],
  ['a missing entry', 'DELETE FROM entries WHERE seq = 2'],
  ['an entry that was moved', 'UPDATE entries SET seq = 9 WHERE seq = 3'],
  ['a changed leaf hash', "UPDATE entries SET leaf = x'00' WHERE seq = 1"],
  [
    'a swapped pair',
    'UPDATE entries SET seq = -1 WHERE seq = 1; UPDATE entries SET seq = 1 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = -1',
  ],
];

for (const [what, sql] of damage) {
  test(`nothing is appended after ${what}, and nothing is repaired`, (t) => {
    const { dir, store, log } = openGateway(t);
    log.transaction((tx) => {
      for (let count = 0; count < 3; count += 1) tx.append(anyStatement());
    });
    store[Symbol.dispose]();
    const db = new DatabaseSync(join(dir, 'assayer.db'));
    db.exec(sql);
    db.close();
    const damaged = Store.open(dir);
    t.after(() => damaged[Symbol.dispose]());
    const before = damaged.size();
    assert.throws(() => Log.open(logOptions(damaged, dir, new TestClock())), code('store.corrupt'));
    assert.equal(damaged.size(), before);
  });
}

test('10 000 entries in transactions of 256 verify as one chain', (t) => {
  const { store, log, clock, jwk } = openGateway(t);
  const began = performance.now();
  for (let done = 0; done < 10_000; ) {
    clock.pass(1000);
    log.transaction((tx) => {
      for (let row = 0; row < 256 && done < 10_000; row += 1, done += 1) {
        tx.append(anyStatement());
        tx.saveDevice(`rig-${done % 500}`, `{"seen":${done}}`);
      }
    });
  }
  t.diagnostic(`${((performance.now() - began) / 10).toFixed(0)} µs per signed entry with its device row`);
  assert.equal(checkByHand(messagesOf(store), jwk).length, 10_001);
});
