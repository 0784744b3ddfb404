import { keptFacts } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { Attested, DeviceState, Marks } from './device.ts';
import { believable } from './placeholder.ts';
import { countsTheSame, isLost } from './rules/visibility-coverage-reduced.ts';
import { leavesOutUsers } from './slots.ts';

/**
 * Whether a look that asked for the pools which the current attestation claims could read them (attestation.md §4,
 * `coverage`). One that could not is no evidence that they are still the same: a miner that cuts off this one reply would
 * hide other pools behind it, and one that leaves out the users another account. `observation` as it is comparable with what is known of the device.
 */
export const affirmsPools = (attested: Attested | undefined, { facts, gaps }: Observation): boolean => {
  const { pools } = facts;
  // What most looks show: nothing has to be parsed for it.
  if (pools !== undefined && pools.length > 0 && pools.every(({ user }) => user !== undefined)) return true;
  if (attested === undefined || attested.missing?.includes('pools') === true) return true;
  if (pools === undefined && !gaps.has('pools')) return true;
  const claimed = keptFacts(attested.facts).pools;
  if (claimed === undefined) return true;
  if (pools === undefined) return false;
  if (pools.length === 0) return claimed.length === 0 || believable(facts).pools !== undefined;
  return !leavesOutUsers(claimed, pools);
};

/**
 * Whether a look changed since when the pools are not read, or how often in a row something was not told. That is kept at once: an agent
 * that is started again and again would count anew each time, and never say so.
 */
export const isUnreadNews = (before: Marks, after: Marks): boolean =>
  (before.poolsUnreadMs === undefined) !== (after.poolsUnreadMs === undefined) ||
  !countsTheSame(before.leftOut, after.leftOut);

/**
 * Notes since when the pools cannot be read, for `assayer status`: those that the attestation claims, or those that it says were lost, as
 * long as they are lost.
 */
export const notePools = (
  { marks, attested }: DeviceState,
  affirms: boolean,
  { gaps, observedAtMs }: Pick<Observation, 'gaps' | 'observedAtMs'>,
): void => {
  const isLostStill = attested?.missing?.includes('pools') === true && isLost(gaps.get('pools'));
  if (!affirms) marks.poolsUnreadMs ??= observedAtMs;
  else if (!isLostStill) marks.poolsUnreadMs = undefined;
};
