import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutFuture } from '../../agent/appraise/past.ts';
import { HOUR, MINUTE, pools, SECOND, showing, Watch } from './watch.ts';

/** Issue 2: what a clock that ran ahead noted holds nothing up once it is right again. */

const AHEAD = 12 * 24 * HOUR;
const EVIL = pools({ user: 'mallory.rig0417' });

/** The clock is set; looks that were asked for are made by another one. */
const set = (watch: Watch, byMs: number): Watch => {
  watch.nowMs += byMs;
  watch.nextFullMs = watch.nowMs;
  return watch;
};

/** A device of which much is remembered, by a clock that runs ahead. */
const restless = (): Watch => {
  const watch = set(Watch.known(), AHEAD);
  for (let turn = 0; turn < 6; turn += 1) {
    watch.live(5 * MINUTE, showing(EVIL));
    watch.live(5 * MINUTE, showing({}));
  }
  return watch;
};

test('a flapping finding is stated again, and ends an hour after it was quiet', () => {
  const watch = set(restless(), -AHEAD);
  watch.clear();
  watch.live(5 * MINUTE, showing(EVIL));
  watch.live(5 * MINUTE, showing({}));
  assert.ok(watch.statements.length > 0, 'it is spoken of');
  watch.live(75 * MINUTE, showing({}));
  assert.equal(watch.said().at(-1), 'pool.user-changed resolved');
  assert.deepEqual(watch.state.tracks, []);
});

test('a finding that is held although its device shows the reference again ends', () => {
  const watch = set(restless(), -AHEAD);
  watch.live(75 * MINUTE, showing({}));
  assert.deepEqual(watch.state.tracks, []);
});

test('a change that takes three looks over ten minutes is confirmed', () => {
  const watch = set(Watch.known(), AHEAD);
  const changed = showing({ 'identity.psu': 'PSU2024091599999' });
  watch.live(2 * MINUTE, changed);
  const pending = watch.state.tracks.filter(({ finding }) => finding.state === 'provisional');
  assert.ok(pending.length > 0);
  set(watch, -AHEAD).live(20 * MINUTE, changed);
  assert.deepEqual(
    watch.state.tracks.filter(({ finding }) => finding.state === 'provisional'),
    [],
  );
});

test('a device that was silent when the clock was set back is missing a day later, and not at once', () => {
  const watch = set(Watch.known(), AHEAD);
  watch.live(10 * MINUTE, () => undefined);
  set(watch, -AHEAD).live(23 * HOUR, () => undefined);
  assert.equal(watch.opened('identity.device-missing').length, 0);
  watch.live(2 * HOUR, () => undefined);
  assert.equal(watch.opened('identity.device-missing').length, 1);
});

test('nothing that a device remembers lies ahead, but when it was attested; what is kept is the same a second time', () => {
  const { state, nowMs } = restless();
  const past = withoutFuture(state, nowMs - AHEAD);
  const { attested: _, identified: __, reference: ___, ...rest } = past;
  const ahead: string[] = [];
  JSON.stringify(rest, (name, value: unknown) => {
    const times = name.endsWith('Ms') ? [value].flat() : [];
    if (times.some((time) => typeof time === 'number' && time > nowMs - AHEAD)) ahead.push(name);
    return value;
  });
  assert.deepEqual(ahead, []);
  assert.equal(withoutFuture(past, nowMs - AHEAD), past);
});

test('a clock that is slewed, or set back by less than two minutes, changes nothing that is remembered', () => {
  const { state, nowMs } = restless();
  const marks = { ...state.marks };
  for (const backMs of [0, SECOND, 119 * SECOND]) assert.equal(withoutFuture(state, nowMs - backMs), state);
  assert.deepEqual(state.marks, marks);
});

test('what was seen before is never told to have been seen after the change, by however little the clock was set back', () => {
  for (const backMs of [1500, 100 * SECOND, HOUR]) {
    const watch = Watch.known();
    set(watch, -backMs).live(5 * MINUTE, showing(EVIL));
    const [theft] = watch.opened('pool.user-changed');
    assert.ok(theft?.beforeAt !== undefined && theft.beforeAt <= theft.firstObservedAt, `by ${backMs} ms`);
  }
});
