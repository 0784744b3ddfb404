import type { RuleEntry } from '../rule.ts';

/** Values seen first became the reference (catalogue 5.9). The `baseline` entry is the statement; there is no other. */
export const baselineLearned: RuleEntry = {
  id: 'baseline.learned',
  title: 'Baseline learned',
  meaning: 'What a device showed at first sight became its reference. Nobody looked at it yet.',
  benign: ['first sight'],
  severity: 'info',
  basis: 'self-reported',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};
