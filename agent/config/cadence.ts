import { createTask } from 'node-cron';
import { durationText } from '../terms/instant.ts';
import type { Contradiction } from './meaning.ts';
import type { Config } from './schema.ts';

/** Rounds that are looked ahead: more than a day of those that open every minute, so that nights are among them. */
const AHEAD = 1500;

/** What works, and leaves devices alone for longer than a period of coverage: what is done to them meanwhile nobody sees. */
export const seldomLooks = ({ schedule, coverage_s: coverageS }: Config): readonly Omit<Contradiction, 'path'>[] => {
  const config = longestGapS(schedule.config);
  // A full look reads the pools, too.
  const pools = Math.min(longestGapS(schedule.pools), config);
  return [
    { name: 'pools', gapS: pools, what: 'a change of the pools' },
    { name: 'config', gapS: config, what: 'a change of settings and firmware' },
  ]
    .filter(({ gapS }) => gapS > coverageS)
    .map(({ name, gapS, what }) => ({
      message: `schedule.${name} lets up to ${durationText(gapS)} pass without a look, and a period of coverage_s is ${durationText(coverageS)}: ${what} is found that late`,
      remedy: `let schedule.${name} open a round at least every ${durationText(coverageS)}, at any hour, or leave it out`,
    }));
};

/** The longest time from a round to the next, of those to come, s. */
const longestGapS = (expression: string): number => {
  // Only its calendar is used; it is never started.
  const task = createTask(expression, () => {}, { timezone: 'UTC' });
  const opens = task.getNextRuns(AHEAD).map((date) => date.getTime());
  void task.destroy();
  const gapsMs = opens.slice(1).map((atMs, index) => atMs - (opens[index] ?? atMs));
  return Math.round(Math.max(...gapsMs) / 1000);
};
