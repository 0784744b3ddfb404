import { keptFacts } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { Attested, DeviceState } from './device.ts';
import { believable } from './placeholder.ts';

/**
 * Whether a look that asked for the pools which the current attestation claims could read them (attestation.md §4,
 * `coverage`). One that could not is no evidence that they are still the same: a miner that cuts off this one reply would
 * hide other pools behind it. `observation` as it is comparable with what is known of the device.
 */
export const affirmsPools = (attested: Attested | undefined, { facts, gaps }: Observation): boolean => {
  // What most looks show: nothing has to be parsed for it.
  if (facts.pools !== undefined && facts.pools.length > 0) return true;
  if (attested === undefined || attested.missing?.includes('pools') === true) return true;
  if (facts.pools === undefined ? !gaps.has('pools') : believable(facts).pools !== undefined) return true;
  const claimed = keptFacts(attested.facts).pools;
  return claimed === undefined || (claimed.length === 0 && facts.pools !== undefined);
};

/** Notes since when the claimed pools cannot be read, for `assayer status`. */
export const notePools = ({ marks }: DeviceState, affirms: boolean, atMs: number): void => {
  if (!affirms) marks.poolsUnreadMs ??= atMs;
  else marks.poolsUnreadMs = undefined;
};
