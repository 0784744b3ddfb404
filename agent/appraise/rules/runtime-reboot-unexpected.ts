import type { Facts } from '../../../shared/facts.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** The uptime counter began anew (catalogue 5.7). */
export const runtimeRebootUnexpected: RuleEntry = {
  id: 'runtime.reboot-unexpected',
  title: 'Rebooted',
  meaning:
    'The device, or its mining program, started anew since the last look; more than twice in an hour weighs more.',
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

/** What the reboots of the last hour amount to. */
export const rebootsSeen = (rebootsMs: readonly number[], nowMs: number): readonly Deviation[] => {
  const recent = recentReboots(rebootsMs, nowMs);
  if (nowMs - (recent.at(-1) ?? -REBOOT_HOLD_MS) >= REBOOT_HOLD_MS) return [];
  return [recent.length > 2 ? { severity: 'medium', reasons: ['repeated'] } : {}];
};
