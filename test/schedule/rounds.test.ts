import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RoundSchedule } from '../../agent/schedule/rounds.ts';

const NOON = Date.UTC(2026, 10, 23, 12, 0, 0);

/** A schedule, and a wall clock that the test sets; `at` gives the interval of the round that opens then. */
const scheduled = (t: TestContext, expression: string, startMs: number) => {
  t.mock.timers.enable({ apis: ['Date'], now: startMs });
  const events: { event: string; members: unknown }[] = [];
  const schedule = new RoundSchedule('pools', expression, {
    wallMs: Date.now,
    emit: (_level, event, members) => events.push({ event, members }),
  });
  t.after(() => schedule[Symbol.dispose]());
  const at = (ms: number): number | undefined => {
    t.mock.timers.setTime(ms);
    return schedule.opens();
  };
  return { at, events, schedule };
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

test('a clock that was set forward by years opens one round, late, and says so', (t) => {
  const { at, events } = scheduled(t, '*/10 * * * * *', Date.UTC(2020, 0, 1));
  assert.equal(at(NOON + 3_000), 7_000);
  assert.equal(at(NOON + 10_000), 10_000);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['schedule.late'],
  );
});
