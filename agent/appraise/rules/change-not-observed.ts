import type { RuleEntry } from '../rule.ts';

/** The window of a plan closed and devices are not in the state it expects (catalogue 5.9). It lists them. */
export const changeNotObserved: RuleEntry = {
  id: 'change.not-observed',
  title: 'Planned change not seen',
  meaning: 'A quarter of an hour after the window of a plan closed, devices do not show what the plan expects.',
  benign: ['work put off', 'device left out', 'device was off'],
  severity: 'medium',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};
