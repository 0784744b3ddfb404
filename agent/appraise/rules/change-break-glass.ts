import { CONFIGURATION_EDITED } from '../edited.ts';
import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
import type { RuleEntry } from '../rule.ts';

/** One person accepted what two have to, or what had to be planned, or ended what two stand behind (catalogue 5.9). */
export const changeBreakGlass: RuleEntry = {
  id: 'change.break-glass',
  title: 'Done by one person',
  meaning:
    'One person at the gateway accepted what two approvers have to accept, or what is acceptable only when planned beforehand, or ended what two had signed, or what nothing else stands in for; or approvers were taken out of the configuration; or an edit of it changed which documents speak of which devices.',
  benign: ['emergency with nobody else at hand'],
  severity: 'high',
  basis: 'human',
  confirm: 'C1',
  approval: 'A1',
  version: 1,
};

/** One person did it: stated once, and open until somebody reviews it. `after`: what came of it, where that is not an approval. */
export const brokenGlass = (
  { by, note }: { readonly by: string; readonly note: string },
  nowMs: number,
  after?: { readonly ended: string; readonly signed_by?: string },
): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, {
    part: `${by} ${Math.floor(nowMs / 1000)}`,
    reasons: [note],
    ...(after === undefined ? {} : { after }),
  });

/** Approvers whom the configuration names no more. Nobody says by whom: whoever could edit it. */
export const approversRemoved = (removed: string, nowMs: number): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, {
    part: `approvers ${Math.floor(nowMs / 1000)}`,
    after: { removed },
    reasons: ['approvers-removed'],
  });

/**
 * Documents whose scope begins, or ceases, to fit devices by an edit of the configuration, or whose values are filled in with what
 * was edited. Nobody says by whom.
 */
export const scopesEdited = (
  documents: { readonly [what in 'began' | 'ceased' | 'refilled']: readonly string[] },
  nowMs: number,
): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, {
    part: `configuration ${Math.floor(nowMs / 1000)}`,
    after: Object.fromEntries(
      Object.entries(documents).flatMap(([what, names]) => (names.length === 0 ? [] : [[what, names.join(', ')]])),
    ),
    reasons: [CONFIGURATION_EDITED],
  });
