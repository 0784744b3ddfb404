import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { afterStep, noteUnwatched } from '../../agent/appraise/step.ts';
import { type Answer, HOUR, MINUTE, pools, rebooting, showing, Watch } from './watch.ts';

/** What a device shows at a time that no clock changes; undefined while it is silent. */
type Show = (trueMs: number) => Answer | undefined;

/** How far the clock of each watch is from that time. */
const offsets = new WeakMap<Watch, number>();

/** The wall clock is set while the agent runs. */
const set = (watch: Watch, byMs: number): void => {
  watch.nowMs += byMs;
  watch.nextFullMs += byMs;
  watch.state = afterStep(watch.state, byMs, watch.nowMs);
  offsets.set(watch, (offsets.get(watch) ?? 0) + byMs);
};

const live = (watch: Watch, forMs: number, show: Show): Watch =>
  watch.live(forMs, (nowMs) => show(nowMs - (offsets.get(watch) ?? 0)));

const silent = (): undefined => undefined;
const EVIL = pools({ user: 'mallory.rig0417' });

/** What is lived before the clock is set, and after it. */
interface Life {
  readonly known?: () => Watch;
  readonly before: readonly (readonly [forMs: number, show: Show])[];
  readonly after: readonly (readonly [forMs: number, show: Show])[];
}

const SECOND_POOL = pools({ active: false }, { active: true });
/** What Antminers work for as they leave the box. */
const FACTORY = pools({ url: 'stratum+tcp://solo.antpool.com:3333', user: 'antminer_1' });
const ALLOW = [{ url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' }, { url: 'backup.example' }];

const lives: { readonly [name: string]: Life } = {
  'it is dark for a while, and not missing': { before: [[6 * MINUTE, silent]], after: [[30 * MINUTE, silent]] },
  'it is dark for minutes, and nothing changed in the dark': {
    before: [[6 * MINUTE, silent]],
    after: [[20 * MINUTE, showing(EVIL)]],
  },
  'it comes back, and what changes later did not change in the dark': {
    before: [
      [30 * MINUTE, silent],
      [MINUTE, showing({})],
    ],
    after: [[30 * MINUTE, showing(EVIL)]],
  },
  'a change takes three looks over ten minutes': {
    before: [[2 * MINUTE, showing({ 'identity.psu': 'PSU2024091599999' })]],
    after: [
      [4 * MINUTE, showing({ 'identity.psu': 'PSU2024091599999' })],
      [20 * MINUTE, showing({})],
    ],
  },
  'another pool in use is graver after half an hour': {
    before: [[10 * MINUTE, showing(SECOND_POOL)]],
    after: [
      [15 * MINUTE, showing(SECOND_POOL)],
      [10 * MINUTE, showing({})],
    ],
  },
  'it is, if that goes on': {
    before: [[10 * MINUTE, showing(SECOND_POOL)]],
    after: [[40 * MINUTE, showing(SECOND_POOL)]],
  },
  'what comes and goes is held for an hour': {
    before: Array.from({ length: 6 }, (_, turn) => [5 * MINUTE, showing(turn % 2 === 0 ? EVIL : {})] as const),
    after: [[90 * MINUTE, showing({})]],
  },
  'what came and went twice is believed when it comes once more': {
    before: [
      [MINUTE, showing(EVIL)],
      [5 * MINUTE, showing({})],
      [MINUTE, showing(EVIL)],
      [5 * MINUTE, showing({})],
    ],
    after: [
      [MINUTE, showing(EVIL)],
      [5 * MINUTE, showing({})],
    ],
  },
  'the default of its maker is no alarm in the first half hour': {
    known: () => new Watch({ allow: ALLOW }),
    before: [[5 * MINUTE, showing(FACTORY)]],
    after: [[15 * MINUTE, showing(FACTORY)]],
  },
  'it is new for a day': {
    known: () => new Watch({ inFirstPass: false }, 'range'),
    before: [[HOUR, showing({})]],
    after: [[4 * HOUR, showing({})]],
  },
};

for (const [name, { known = () => Watch.known(), before, after }] of Object.entries(lives))
  test(`a clock that is set changes nothing of how long something lasts: ${name}`, () => {
    const said = (byMs: number): readonly unknown[] => {
      const watch = known();
      for (const [forMs, show] of before) live(watch, forMs, show);
      set(watch, byMs);
      for (const [forMs, show] of after) live(watch, forMs, show);
      return watch.statements.map(({ ruleId, state, severity, reasons, part }) => [
        ruleId,
        part,
        state,
        severity,
        reasons,
      ]);
    };
    const steady = said(0);
    for (const byMs of [26 * HOUR, -26 * HOUR, 12 * MINUTE, -12 * MINUTE, 400 * 24 * HOUR])
      assert.deepEqual(said(byMs), steady, `by ${byMs / HOUR} h`);
  });

test('a device that reboots before the clock is set has not rebooted after it', () => {
  const watch = Watch.known();
  const bootMs = watch.nowMs + MINUTE;
  live(watch, 5 * MINUTE, rebooting([bootMs]));
  const opened = watch.opened('runtime.reboot-unexpected').length;
  set(watch, 26 * HOUR);
  live(watch, 30 * MINUTE, rebooting([bootMs]));
  assert.deepEqual([opened, watch.opened('runtime.reboot-unexpected').length], [1, 1]);
});

test('when a device was last seen stays as it was told: no step says that it was seen later', () => {
  const watch = Watch.known();
  live(watch, 20 * MINUTE, silent);
  const { poolsMs, fullMs } = watch.state.marks;
  const { attested } = watch.state;
  set(watch, 26 * HOUR);
  assert.deepEqual([watch.state.marks.poolsMs, watch.state.marks.fullMs], [poolsMs, fullMs]);
  assert.equal(watch.state.attested, attested);
  const before = watch.state.tracks.map(({ finding }) => finding.firstObservedAt);
  assert.ok(before.length > 0);
  live(watch, 20 * MINUTE, showing(EVIL));
  const [changed] = watch.statements.filter(({ ruleId }) => ruleId === 'visibility.changed-while-dark');
  const lastS = Math.floor(Math.max(poolsMs ?? 0, fullMs ?? 0) / 1000);
  assert.ok(changed?.beforeAt !== undefined && changed.beforeAt <= lastS);
});

test('when a device was last seen is told by the clock as it is now where that was set back, and is never later than what is told after it', () => {
  const watch = Watch.known();
  live(watch, 20 * MINUTE, showing({}));
  live(watch, 10 * MINUTE, silent);
  const { poolsMs = 0, fullMs = 0 } = watch.state.marks;
  set(watch, -HOUR);
  assert.deepEqual([watch.state.marks.poolsMs, watch.state.marks.fullMs], [poolsMs - HOUR, fullMs - HOUR]);
  watch.clear();
  live(watch, 20 * MINUTE, showing(EVIL));
  const told = watch.statements.filter(({ state, beforeAt }) => state === 'open' && beforeAt !== undefined);
  assert.ok(told.length > 0);
  for (const { ruleId, beforeAt } of told) assert.equal(beforeAt, Math.floor((poolsMs - HOUR) / 1000), ruleId);
});

test('what was told before a clock was set back, and is not told since, was told when that clock says', () => {
  const watch = Watch.known();
  const { reference } = watch.state;
  assert.ok(reference !== undefined);
  watch.see('full', {}, { 'identity.psu': 'timeout' });
  const { toldMs } = watch.state.marks;
  const atMs = toldMs?.['identity.psu'] ?? 0;
  assert.ok(atMs > 0);
  set(watch, -26 * HOUR);
  assert.equal(watch.state.marks.toldMs?.['identity.psu'], atMs - 26 * HOUR);
});

test('a clock that is set back to the beginning of time says of nothing that it was seen before that', () => {
  const watch = Watch.known();
  live(watch, HOUR, silent);
  set(watch, MINUTE - watch.nowMs);
  const { poolsMs, fullMs } = watch.state.marks;
  assert.deepEqual([poolsMs, fullMs], [0, 0]);
  watch.clear();
  live(watch, 20 * MINUTE, showing(EVIL));
  const told = watch.statements.filter(({ state }) => state === 'open');
  assert.ok(told.length > 0);
  for (const { beforeAt, ruleId } of told) assert.equal(beforeAt, undefined, ruleId);
});

test('identity.device-missing: time in which nobody looked is none in which it was silent, and counts once somebody looks again', () => {
  const watch = Watch.known();
  live(watch, 10 * MINUTE, silent);
  const hours = (passed: number): void => {
    noteUnwatched(watch.state, passed * HOUR);
    watch.nowMs += passed * HOUR;
    watch.nextFullMs = watch.nowMs;
    watch.state = readDevice(writeDevice(watch.state));
  };
  hours(30);
  live(watch, 10 * MINUTE, silent);
  hours(30);
  live(watch, 23 * HOUR, silent);
  assert.deepEqual(watch.opened('identity.device-missing'), []);
  live(watch, 2 * HOUR, silent);
  assert.equal(watch.opened('identity.device-missing').length, 1);
  live(watch, 20 * MINUTE, showing({}));
  assert.equal(watch.state.marks.unwatchedMs, undefined);
});

test('a device of which nothing lasts is the same one after a step', () => {
  const watch = Watch.known();
  live(watch, 30 * HOUR, showing({}));
  assert.equal(afterStep(watch.state, HOUR, watch.nowMs + HOUR), watch.state);
});
