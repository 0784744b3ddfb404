import type { RuleEntry } from '../rule.ts';

/** Somebody approved what devices show (catalogue 5.9). The `baseline` entry is the statement; there is no other. */
export const baselinePromoted: RuleEntry = {
  id: 'baseline.promoted',
  title: 'Baseline approved',
  meaning: 'A person at the gateway accepted what devices show, or a signed reference was adopted.',
  benign: ['change control at work'],
  severity: 'info',
  basis: 'human',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};
