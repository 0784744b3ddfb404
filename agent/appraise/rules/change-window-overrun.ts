import type { RuleEntry } from '../rule.ts';

/** The planned change came after the window of its plan (catalogue 5.9). */
export const changeWindowOverrun: RuleEntry = {
  id: 'change.window-overrun',
  title: 'Change came late',
  meaning: 'A change that a plan expects came within a day after the window of the plan had closed.',
  benign: ['work took longer', 'device was off during the window'],
  severity: 'low',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 1,
};
