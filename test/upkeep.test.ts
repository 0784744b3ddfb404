import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Upkeep, type UpkeepDeps } from '../agent/upkeep.ts';
import type { Statement } from '../shared/statement.ts';
import { Recording } from './record/recording.ts';

const MINUTE = 60_000;

test('a clock that is set while the agent stands still says nothing against the periods before and after that', async (t) => {
  const recording = new Recording(t);
  const { recorder, clock, store } = recording;
  const upkeep = new Upkeep({
    ground: { log: { isFailing: () => false }, store, recorder },
    plant: () => ({ pacer: { poolsIntervalMs: () => MINUTE } }),
    clock,
  } as unknown as UpkeepDeps);
  const watched = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      const { recorded } = recording.look('rig-1', {});
      recorder.flush();
      await recorded;
      upkeep.watchGaps();
      clock.pass(MINUTE);
    }
  };
  await watched(5);
  clock.pass(30 * MINUTE);
  clock.wall -= 60 * MINUTE;
  upkeep.watchGaps();
  await watched(5);
  recorder.closePeriod();
  const said = store.entriesFrom(0, 100).map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  assert.deepEqual(
    said.flatMap((one) => (one.kind === 'coverage' ? [[one.coverage.observed, one.coverage.missed]] : [])),
    [
      [1, 0],
      [1, 0],
    ],
  );
  const gaps = said.flatMap((one) => (one.kind === 'finding' ? [one.finding.reasons] : []));
  assert.deepEqual(gaps, [['stood-still']]);
  clock.pass(30 * MINUTE);
  upkeep.watchGaps();
  recorder.closePeriod();
  const last = JSON.parse(Buffer.from(store.entriesFrom(0, 100).at(-1)?.message ?? []).toString()) as Statement;
  assert.ok(last.kind === 'coverage' && last.coverage.missed === 1, 'no clock was set: it is missed');
});
