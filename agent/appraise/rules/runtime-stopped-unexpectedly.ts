import type { Facts } from '../../../shared/facts.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** The device answers and did not start anew, and has stopped hashing without naming a fault (catalogue 5.7). */
export const runtimeStoppedUnexpectedly: RuleEntry = {
  id: 'runtime.stopped-unexpectedly',
  title: 'Stopped hashing',
  meaning:
    'The hash rate fell from at least 70 % of the usual to less than 5 %. The device still answers, did not start anew, names no fault, is not too hot, and has a pool.',
  benign: ['stopped at the device', 'heat or supply, where the firmware does not say so'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A0',
  version: 1,
};

/** `unknown` where the look shows another cause: a fault that the device names, heat beyond its own limit, or that no pool answers. */
export const stopSeen = (facts: Facts): readonly Deviation[] | 'unknown' => {
  const { pools = [], 'telemetry.faults': faults = [], 'config.mode': mode } = facts;
  const isCutOff = pools.length > 0 && pools.every(({ status }) => DEAD.test(status ?? ''));
  if (faults.length > 0 || isTooHot(facts) || isCutOff) return 'unknown';
  return [{ after: { hashing: 'stopped', ...(mode === undefined ? {} : { mode }) } }];
};

const isTooHot = ({ 'telemetry.temp_max_mc': hottest, 'config.temp_limit_mc': limit }: Facts): boolean =>
  hottest !== undefined && limit !== undefined && hottest >= limit;

/** What programs call a pool that does not answer. */
const DEAD = /^(?:dead|offline|unreachable|disconnected)$/i;
