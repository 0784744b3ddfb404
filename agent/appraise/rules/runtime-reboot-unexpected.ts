import type { Facts } from '../../../shared/facts.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** The uptime counter began anew (catalogue 5.7). */
export const runtimeRebootUnexpected: RuleEntry = {
  id: 'runtime.reboot-unexpected',
  title: 'Rebooted',
  meaning:
    'The device, or its mining program, started anew since the last look; more than twice in an hour weighs more. A plan that changes its firmware covers it, twice in an hour.',
  benign: ['watchdog', 'power interruption', 'settings saved'],
  severity: 'low',
  gravest: 'medium',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};

/** One reading of an uptime counter. */
export interface UptimeSample {
  readonly atMs: number;
  readonly s: number;
  readonly counter: 'uptime' | 'elapsed';
}

/** The counter of the board where there is one, else that of the mining program. */
export const sampleUptime = (facts: Facts, atMs: number): UptimeSample | undefined => {
  const { 'telemetry.uptime_s': uptime, 'telemetry.elapsed_s': elapsed } = facts;
  if (uptime !== undefined) return { atMs, s: uptime, counter: 'uptime' };
  return elapsed === undefined ? undefined : { atMs, s: elapsed, counter: 'elapsed' };
};

/** Counters of 16, 31 and 32 bits, in seconds, hundredths and milliseconds, begin anew by themselves. */
const WRAPS_S = [2 ** 16, ...[2 ** 31, 2 ** 32].flatMap((full) => [full, full / 100, full / 1000])];

/** Clocks of devices jump by a few seconds when they are set. */
const SLACK_S = 60;

/**
 * Whether the counter began anew between two samples. It is then no higher than the time between them; a counter that
 * fell otherwise was set, and one that reached the end of its range wrapped.
 */
export const hasRebooted = (last: UptimeSample | undefined, now: UptimeSample | undefined): boolean => {
  if (last === undefined || now === undefined || last.counter !== now.counter || now.s >= last.s) return false;
  const passed = (now.atMs - last.atMs) / 1000;
  const wrapped = WRAPS_S.some((full) => last.s < full && Math.abs(last.s + passed - full - now.s) <= SLACK_S);
  return !wrapped && now.s <= passed + SLACK_S && last.s - now.s > 5;
};

/** For so long after it a reboot counts as happening. */
export const REBOOT_HOLD_MS = 10 * 60_000;
const LOOP_MS = 3_600_000;

export const recentReboots = (rebootsMs: readonly number[], nowMs: number): readonly number[] =>
  rebootsMs.filter((atMs) => nowMs - atMs < LOOP_MS);

/** A reboot that a plan expected: of the entry that adopted it. */
export interface PlannedReboot {
  readonly atMs: number;
  readonly plan: number;
}

/** An update starts a device anew once or twice in an hour; one that goes on doing so does not work. */
export const PLANNED_REBOOTS = 2;

/** What the reboots of the last hour amount to, beside those that plans expected. */
export const rebootsSeen = (
  rebootsMs: readonly number[],
  planned: readonly PlannedReboot[],
  nowMs: number,
): readonly Deviation[] => {
  const recent = recentReboots(rebootsMs, nowMs);
  const lastMs = recent.at(-1);
  if (lastMs === undefined || nowMs - lastMs >= REBOOT_HOLD_MS) return [];
  const unplanned = recent.filter((atMs) => !planned.some((one) => one.atMs === atMs));
  const plan = planned.find(({ atMs }) => atMs === lastMs)?.plan;
  if (plan !== undefined && lastMs - (unplanned.at(-1) ?? -REBOOT_HOLD_MS) >= REBOOT_HOLD_MS) return [{ plan }];
  const weight: Deviation = unplanned.length > 2 ? { severity: 'medium', reasons: ['repeated'] } : {};
  // What covered the one before does not cover this one.
  return [planned.length === 0 ? weight : { ...weight, uncovered: true }];
};
