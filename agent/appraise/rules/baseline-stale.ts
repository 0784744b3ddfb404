import type { RuleEntry } from '../rule.ts';

/** Nobody looked at an approved reference for half a year (catalogue 5.9). */
export const baselineStale: RuleEntry = {
  id: 'baseline.stale',
  title: 'Baseline not reviewed',
  meaning: 'The newest approval behind the reference of these devices is older than 180 days.',
  benign: ['nothing had to change'],
  severity: 'low',
  basis: 'human',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};
