import type { RuleEntry } from '../rule.ts';

/** A waiver ran out while it still waived something (catalogue 5.9): what it covered counts again. */
export const waiverExpired: RuleEntry = {
  id: 'waiver.expired',
  title: 'Waiver expired',
  meaning: 'A waiver ended at its expiry and findings that it covered are still there: they count again.',
  benign: ['nobody renewed it in time'],
  severity: 'medium',
  basis: 'human',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};
