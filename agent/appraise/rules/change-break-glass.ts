import type { RuleEntry } from '../rule.ts';

/** One person accepted what two have to, or what had to be planned (catalogue 5.9). */
export const changeBreakGlass: RuleEntry = {
  id: 'change.break-glass',
  title: 'Accepted by one person',
  meaning:
    'One person at the gateway accepted what two approvers have to accept, or what is acceptable only when planned beforehand.',
  benign: ['emergency with nobody else at hand'],
  severity: 'high',
  basis: 'human',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};
