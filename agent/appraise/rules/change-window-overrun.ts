import type { RuleEntry } from '../rule.ts';

/** The planned change came after the window of its plan, or a curtailment stays beyond it (catalogue 5.9). */
export const changeWindowOverrun: RuleEntry = {
  id: 'change.window-overrun',
  title: 'Change came late',
  meaning:
    'A change that a plan expects came within a day after the window of the plan had closed, or is there still a quarter of an hour after the end of a curtailment.',
  benign: ['work took longer', 'device was off during the window', 'curtailment that lasts longer than announced'],
  severity: 'low',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A1',
  version: 2,
};
