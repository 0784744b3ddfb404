import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RoundSchedule } from '../../agent/schedule/rounds.ts';

const NOON = Date.UTC(2026, 10, 23, 12, 0, 0);

/** A schedule, and a wall clock that the test sets; `at` gives the interval of the round that opens then, `pass` lets time pass. */
const scheduled = (t: TestContext, expression: string, startMs: number) => {
  t.mock.timers.enable({ apis: ['Date'], now: startMs });
  const events: { event: string; members: unknown }[] = [];
  let monoMs = 0;
  const schedule = new RoundSchedule('pools', expression, {
    clock: { wallMs: Date.now, monoMs: () => monoMs },
    emit: (_level, event, members) => events.push({ event, members }),
  });
  t.after(() => schedule[Symbol.dispose]());
  const at = (ms: number): number | undefined => {
    t.mock.timers.setTime(ms);
    return schedule.opens();
  };
  const pass = (ms: number): number | undefined => {
    monoMs += ms;
    return at(Date.now() + ms);
  };
  return { at, pass, events, schedule };
};

test('a round opens once at every firing and lasts until the next', (t) => {
  const { at, schedule } = scheduled(t, '* * * * *', NOON + 5_000);
  assert.equal(schedule.intervalMs(), 60_000);
  assert.equal(at(NOON + 5_000), undefined);
  assert.equal(at(NOON + 59_999), undefined);
  assert.equal(at(NOON + 60_000), 60_000);
  assert.equal(at(NOON + 60_040), undefined);
  assert.equal(at(NOON + 120_040), 59_960);
});

test('an expression may have seconds, and is read as UTC', (t) => {
  const { at } = scheduled(t, '30 15 12 * * *', NOON);
  assert.equal(at(NOON + 15 * 60_000 + 29_000), undefined);
  assert.equal(at(NOON + 15 * 60_000 + 30_000), 86_400_000);
});

test('a clock that was set back never makes a round wait longer than one interval', (t) => {
  const { at } = scheduled(t, '* * * * *', NOON);
  assert.equal(at(NOON + 60_000), 60_000);
  assert.equal(at(NOON - 365 * 86_400_000 + 70_000), undefined);
  assert.equal(at(NOON - 365 * 86_400_000 + 120_000), 60_000);
});

test('a clock that is slewed back over a firing opens no second round', (t) => {
  const { at } = scheduled(t, '* * * * *', NOON);
  assert.equal(at(NOON + 60_010), 59_990);
  assert.equal(at(NOON + 59_960), undefined);
  assert.equal(at(NOON + 60_020), undefined);
  assert.equal(at(NOON + 120_000), 60_000);
});

test('a clock that was set, forward by years or back, makes no round late: one opens', (t) => {
  const { at, events } = scheduled(t, '*/10 * * * * *', Date.UTC(2020, 0, 1));
  assert.equal(at(NOON + 3_000), 7_000);
  assert.equal(at(NOON + 10_000), 10_000);
  assert.equal(at(NOON - 3_600_000), undefined);
  assert.equal(at(NOON - 3_590_000), 10_000);
  assert.deepEqual(events, []);
});

test('schedule.late: a round for which the agent had no time says by how much', (t) => {
  const { at, pass, events } = scheduled(t, '* * * * *', NOON);
  assert.equal(pass(65_000), 55_000);
  assert.deepEqual(events, []);
  assert.equal(pass(70_000), 45_000);
  at(NOON + 30 * 86_400_000);
  assert.deepEqual(events, [{ event: 'schedule.late', members: { schedule: 'pools', late_s: 15 } }]);
});
