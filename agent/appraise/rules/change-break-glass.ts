import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
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

/** One person did it: stated once, and open until somebody reviews it. */
export const brokenGlass = ({ by, note }: { readonly by: string; readonly note: string }, nowMs: number): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, { part: `${by} ${Math.floor(nowMs / 1000)}`, reasons: [note] });
