import type { Facts } from '../../../shared/facts.ts';
import type { RuleEntry } from '../rule.ts';

/** The counters of the device stand while it says that it hashes: nothing it shows is known to be current (catalogue 5.7). */
export const runtimeStaleData: RuleEntry = {
  id: 'runtime.stale-data',
  title: 'Stale data',
  meaning:
    'For three polls or more the counters of running time stand still while the device says that it hashes. What it shows may be of an earlier time, and is not attested.',
  benign: ['an interface that hung while the machine hashes on', 'a cache in the firmware'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};

/** The counters as they stand, those that a look shows. */
export const standingCounters = (facts: Facts): { readonly [counter: string]: number } => {
  const { 'telemetry.elapsed_s': elapsed, 'telemetry.uptime_s': uptime } = facts;
  return {
    ...(elapsed === undefined ? {} : { elapsed_s: elapsed }),
    ...(uptime === undefined ? {} : { uptime_s: uptime }),
  };
};
