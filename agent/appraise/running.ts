import type { FactName, Facts } from '../../shared/facts.ts';
import { changedFacts, comparedFacts } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState, Marks } from './device.ts';
import { hasRebooted, sampleUptime } from './rules/runtime-reboot-unexpected.ts';

/**
 * What several looks in a row tell of a device and one does not: whether its counters still run, whether it hashes as
 * before, whether somebody holds a write session. A look of every minute moves a few small integers, and no more.
 */

/** Takes note of what a look shows, before anything else does. */
export const noteRunning = (marks: Marks, observation: Observation, pollIntervalMs: number): void => {
  const { facts, observedAtMs } = observation;
  const anew = startedAnew(marks, facts, observedAtMs);
  noteCounters(marks, facts, observedAtMs);
  noteRate(marks, facts['telemetry.hashrate_hs'], anew, observedAtMs);
  noteSession(marks, observation, pollIntervalMs);
};

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Clocks of devices jump by a few seconds when they are set. */
const SLACK_S = 5;

/** The board or the mining program began anew since the last look. */
const startedAnew = (marks: Marks, facts: Facts, atMs: number): boolean => {
  const { 'telemetry.elapsed_s': elapsed } = facts;
  const { elapsedS } = marks;
  return (
    hasRebooted(marks.uptime, sampleUptime(facts, atMs)) ||
    (elapsed !== undefined && elapsedS !== undefined && elapsed + SLACK_S < elapsedS)
  );
};

/** A counter that stays while the device says that it hashes is counted; any that moves shows that all is new. */
const noteCounters = (marks: Marks, facts: Facts, atMs: number): void => {
  const { 'telemetry.elapsed_s': elapsed, 'telemetry.uptime_s': uptime, 'telemetry.hashrate_hs': rate = 0 } = facts;
  const boardS = marks.uptime?.counter === 'uptime' ? marks.uptime.s : undefined;
  const stays = isSame(marks.elapsedS, elapsed) || isSame(boardS, uptime);
  const moves = isOther(marks.elapsedS, elapsed) || isOther(boardS, uptime);
  if (elapsed !== undefined) marks.elapsedS = elapsed;
  if (moves || marks.movedS === undefined) {
    marks.movedS = seconds(atMs);
    marks.still = 0;
  } else if (stays && rate > 0) marks.still += 1;
};

/** A counter that is 0 was never started. */
const isSame = (was: number | undefined, now: number | undefined): boolean =>
  was !== undefined && was !== 0 && was === now;

const isOther = (was: number | undefined, now: number | undefined): boolean =>
  was !== undefined && now !== undefined && was !== now;

const STILL_POLLS = 3;
/** Some firmware counts minutes. */
const LEAST_POLL_MS = 60_000;
/** Looks come up to a tenth of the interval early. */
const JITTER = 0.9;

/** Whether what the device shows is older than three polls: its counters stand while it says that it hashes. */
export const isStale = (
  { still, movedS }: Marks,
  { nowMs, pollIntervalMs }: { readonly nowMs: number; readonly pollIntervalMs: number },
): boolean =>
  still >= STILL_POLLS &&
  movedS !== undefined &&
  nowMs - movedS * 1000 >= STILL_POLLS * JITTER * Math.max(pollIntervalMs, LEAST_POLL_MS);

/** Nothing of such a look is known to be current but what it shows otherwise than what was attested last. */
export const withoutStale = ({ attested }: DeviceState, observation: Observation): Observation => {
  const { facts } = observation;
  const current = new Set<string>(['family', ...changedFacts(keptFacts(attested?.facts), comparedFacts(facts))]);
  const stale = (Object.keys(facts) as FactName[]).filter((fact) => !current.has(fact));
  return {
    ...observation,
    facts: Object.fromEntries(Object.entries(facts).filter(([fact]) => current.has(fact))),
    gaps: new Map([...observation.gaps, ...stale.map((fact) => [fact, 'unreadable'] as const)]),
  };
};

/** Hash rates are kept in steps of this part of a doubling: a small integer each, whatever the algorithm counts. */
const STEPS = 64;
const inSteps = (share: number): number => Math.round(Math.log2(share) * STEPS);
const RUNNING = inSteps(0.7);
const STOPPED = inSteps(0.05);

/** The usual rate follows a higher one at once and a lower one slowly, so that another profile is not a stop for ever. */
const noteRate = (marks: Marks, rate: number | undefined, anew: boolean, atMs: number): void => {
  if (anew) marks.ranS = undefined;
  if (rate === undefined || rate <= 0) return;
  const now = inSteps(rate);
  const usual = Math.max(now, (marks.rate ?? now) - 1);
  if (now < usual + STOPPED) return;
  marks.rate = usual;
  if (now >= usual + RUNNING) marks.ranS = seconds(atMs);
};

/** Whether a device that ran as usual, and did not start anew since, has stopped hashing. */
export const hasStopped = ({ rate: usual, ranS }: Marks, { 'telemetry.hashrate_hs': rate }: Facts): boolean =>
  rate !== undefined && usual !== undefined && ranS !== undefined && (rate <= 0 || inSteps(rate) < usual + STOPPED);

const noteSession = (marks: Marks, { facts, observedAtMs }: Observation, pollIntervalMs: number): void => {
  const held = facts['access.write_session'];
  if (held === false) marks.sessionPolls = 0;
  // Looks in a hurry are one poll.
  const isPoll = observedAtMs - (marks.fullMs ?? 0) >= pollIntervalMs / 2;
  if (held === true && (isPoll || marks.sessionPolls === 0)) marks.sessionPolls += 1;
};

const MOST_SESSION_POLLS = 2;

/** Whether a write session has been open for more than two polls. */
export const isSessionHeld = ({ sessionPolls }: Marks): boolean => sessionPolls > MOST_SESSION_POLLS;

/** Whether an open session has to be looked at again a poll later. */
export const isSessionNew = ({ sessionPolls }: Marks): boolean =>
  sessionPolls > 0 && sessionPolls <= MOST_SESSION_POLLS;
