import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createKey, loadKey } from '../../agent/platform/keys.ts';
import { noteRunning, ranUntilMs } from '../../agent/record/last-run.ts';
import { Store } from '../../agent/record/store.ts';
import { trustKey } from '../../shared/keys.ts';
import { anyStatement, openGateway, restart, TestClock, tempDir } from './gateway.ts';

const MINUTE = 60_000;

/** A gateway that wrote an entry and then had nothing to say; `note` is what it leaves in its store. */
const quiet = (t: TestContext) => {
  const { dir, store, log, clock } = openGateway(t);
  const signed = (from: string) => {
    const { signer, jwk } = loadKey(from);
    return { ...signer, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x } };
  };
  const recorder = {
    saveMeta: (name: string, value: string) => store.transaction(() => store.saveMeta(name, value)),
  };
  const note = (by = dir) => noteRunning(recorder, log, store, signed(by));
  const { kid, jwk } = loadKey(dir);
  const key = trustKey({ kid, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, role: 'gateway' });
  const ranUntil = (of = store) => ranUntilMs(of, key);
  log.transaction((tx) => void tx.append(anyStatement()));
  const lastMs = clock.wall;
  return { dir, store, log, clock, note, ranUntil, lastMs };
};

test('an agent that wrote nothing for long ran until it last noted so, also for the next one', (t) => {
  const { dir, store, clock, note, ranUntil, lastMs } = quiet(t);
  assert.equal(ranUntil(), lastMs, 'it noted nothing yet');
  for (let minute = 0; minute < 12; minute += 1) {
    clock.pass(MINUTE);
    note();
  }
  assert.equal(ranUntil(), lastMs + 12 * MINUTE);
  store[Symbol.dispose]();
  const again = Store.open(dir);
  t.after(() => again[Symbol.dispose]());
  assert.equal(ranUntil(again), lastMs + 12 * MINUTE);
});

test('what is written after the note counts, and the note of a former run does not', (t) => {
  const { dir, store, log, clock, note, ranUntil, lastMs } = quiet(t);
  clock.pass(MINUTE);
  note();
  clock.pass(MINUTE);
  log.transaction((tx) => void tx.append(anyStatement()));
  assert.equal(ranUntil(), lastMs + 2 * MINUTE);
  clock.pass(5 * MINUTE);
  note();
  store[Symbol.dispose]();
  // It starts by a clock that is behind, so that the former note would be the later one.
  const next = restart(t, dir, new TestClock(lastMs + MINUTE));
  assert.equal(ranUntil(next.store), lastMs + MINUTE);
});

test('a note that was edited, signed by another key, or is none at all hides no gap', (t) => {
  const { store, clock, note, ranUntil, lastMs } = quiet(t);
  clock.pass(MINUTE);
  note();
  const written = store.meta('running', (text) => text) ?? '';
  assert.match(written, /"iat":\d+/);
  const other = tempDir(t);
  createKey(other);
  const later = `"iat":${lastMs / 1000 + 3600}`;
  for (const text of [written.replace(/"iat":\d+/, later), 'no note', '{}', '']) {
    store.transaction(() => store.saveMeta('running', text));
    assert.equal(ranUntil(), lastMs, text.slice(0, 40));
  }
  clock.pass(MINUTE);
  note(other);
  assert.equal(ranUntil(), lastMs);
});

test('an empty store tells of no run', (t) => {
  const dir = tempDir(t);
  const { kid, jwk } = createKey(dir);
  const store = Store.open(dir);
  t.after(() => store[Symbol.dispose]());
  assert.equal(
    ranUntilMs(store, trustKey({ kid, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, role: 'gateway' })),
    undefined,
  );
});
