import type { RuleEntry } from '../rule.ts';

/** A change of a planned kind left the device in another state than the plan says (catalogue 5.9). */
export const changeDeviation: RuleEntry = {
  id: 'change.deviation',
  title: 'Change differs from its plan',
  meaning: 'Within the window of a plan a change of the planned kind came, but not to the value that the plan expects.',
  benign: ['typing error in the plan', 'one device set by hand'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 1,
};
