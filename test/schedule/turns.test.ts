import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formerlyUntilMs, Turns } from '../../agent/schedule/turns.ts';

const NOON = Date.UTC(2026, 10, 22, 12, 0, 0);
const HOUR = 3_600_000;

/** When seats of a phase had their last turn, at a time that the test sets. */
const turnsOf = (t: TestContext, expression: string, startMs: number) => {
  t.mock.timers.enable({ apis: ['Date'], now: startMs });
  const turns = new Turns(expression, () => Date.now());
  return (atMs: number, phase: number): number | undefined => {
    t.mock.timers.setTime(atMs);
    return turns.lastMs(phase);
  };
};

test('the turns of a round are spread over its interval, each once', (t) => {
  const last = turnsOf(t, '0 */6 * * *', NOON + HOUR);
  assert.equal(last(NOON + HOUR, 0), NOON);
  assert.equal(last(NOON + HOUR, 0.5), NOON - 3 * HOUR, 'its turn in this round is yet to come');
  assert.equal(last(NOON + 4 * HOUR, 0.5), NOON + 3 * HOUR);
  assert.equal(last(NOON + 7 * HOUR, 0.5), NOON + 3 * HOUR);
  assert.equal(last(NOON + 9 * HOUR, 0.5), NOON + 9 * HOUR);
});

test('a process that starts later has the same turns', (t) => {
  for (const startMs of [NOON + 1, NOON + 5 * HOUR]) {
    const last = turnsOf(t, '0 */6 * * *', startMs);
    assert.equal(last(NOON + 5 * HOUR + 1, 0.25), NOON + 1.5 * HOUR);
    t.mock.timers.reset();
  }
});

test('rounds that are not equally long keep every seat to one turn in each', (t) => {
  const last = turnsOf(t, '0 3,4 * * *', NOON);
  const day = 24 * HOUR;
  const three = NOON + 15 * HOUR;
  last(three - 1, 0.5);
  const turns = new Set<number | undefined>();
  for (let atMs = three + 1; atMs < three + 3 * day; atMs += HOUR / 4) turns.add(last(atMs, 0.5));
  assert.deepEqual(
    [...turns].filter((turn) => turn !== undefined && turn > three),
    [three, three + day, three + 2 * day].flatMap((opens) => [opens + 0.5 * HOUR, opens + 12.5 * HOUR]),
  );
});

test('a clock that is set moves the turns along with it', (t) => {
  const last = turnsOf(t, '0 */6 * * *', NOON);
  assert.equal(last(NOON + 100 * 24 * HOUR + HOUR, 0), NOON + 100 * 24 * HOUR);
  assert.equal(last(NOON - 24 * HOUR + HOUR, 0), NOON - 24 * HOUR);
});

test('off is never', (t) => {
  assert.equal(turnsOf(t, 'off', NOON)(NOON, 0), undefined);
});

test('a former process looked no later than this one began, by whatever clock it noted that', () => {
  const began = Date.UTC(2026, 10, 22);
  const HOUR_MS = 3_600_000;
  const after = (setMs: number) => ({ wallMs: () => began + HOUR_MS + setMs, monoMs: () => HOUR_MS });
  assert.equal(formerlyUntilMs(began - HOUR_MS, after(0)), began - HOUR_MS);
  assert.equal(formerlyUntilMs(began - HOUR_MS, after(8760 * HOUR_MS)), began - HOUR_MS);
  for (const setMs of [-HOUR_MS, -8760 * HOUR_MS])
    assert.equal(formerlyUntilMs(began, after(setMs)), began + setMs, 'set back while this one runs');
  assert.equal(formerlyUntilMs(began + 8760 * HOUR_MS, after(0)), began, 'set back before it began');
});
