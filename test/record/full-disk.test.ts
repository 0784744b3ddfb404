import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentError } from '../../agent/platform/errors.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { Log } from '../../agent/record/log.ts';
import { Store } from '../../agent/record/store.ts';
import { checkByHand } from './by-hand.ts';
import { fill } from './fill.ts';
import { anyStatement, logOptions, TestClock } from './gateway.ts';
import { smallDisk, WITHOUT_MOUNT } from './small-disk.ts';

const full = (error: AgentError): boolean => {
  assert.equal(error.code, 'store.full', error.message);
  return true;
};

test('on a full disk a transaction fails whole, the log stands where it stood, and the loss is recorded when space returns', {
  skip: WITHOUT_MOUNT,
}, (t) => {
  const dir = smallDisk(t);
  const { jwk } = createKey(dir);
  const clock = new TestClock();
  const store = Store.open(dir);
  const log = Log.open(logOptions(store, dir, clock));
  const free = fill(dir);
  const append = () =>
    log.transaction((tx) => {
      for (let row = 0; row < 20; row += 1) tx.append(anyStatement());
      tx.saveDevice('rig-1', '{}');
    });

  let committed = log.size();
  assert.throws(() => {
    // What the write-ahead log had room for already may still succeed.
    for (let tries = 0; tries < 100; tries += 1) committed += append().length;
  }, full);
  assert.equal(log.size(), committed);
  assert.equal(store.size(), committed);
  assert.ok(log.isFailing());
  clock.pass(1000);
  assert.throws(() => log.transaction(() => {}), full);

  free();
  clock.pass(1000);
  assert.equal(log.transaction(() => {}).length, 1);
  assert.ok(!log.isFailing());
  assert.deepEqual(
    log.transaction(() => {}),
    [],
  );
  append();
  const statements = checkByHand(
    store.entriesFrom(0, 10_000).map(({ message }) => message),
    jwk,
  );
  assert.deepEqual(statements[committed]?.session, {
    event: 'storage',
    reason: 'store.full: 2 not recorded since 1795339200',
  });
  store[Symbol.dispose]();
});

test('an agent that starts on a full disk says so and leaves the log as it was', { skip: WITHOUT_MOUNT }, (t) => {
  const dir = smallDisk(t);
  createKey(dir);
  const first = Store.open(dir);
  Log.open(logOptions(first, dir, new TestClock()));
  first[Symbol.dispose]();
  const free = fill(dir);
  assert.throws(() => {
    using store = Store.open(dir);
    Log.open(logOptions(store, dir, new TestClock()));
  }, full);
  free();
  using store = Store.open(dir);
  assert.equal(store.size(), 1);
  assert.equal(Log.open(logOptions(store, dir, new TestClock())).bootcount, 2);
});
