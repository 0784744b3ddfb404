import { ASSIGNMENT_ENDED, CONFIGURATION_EDITED } from '../edited.ts';
import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
import type { RuleEntry } from '../rule.ts';

/** One person accepted what two have to, or what had to be planned, or ended what two stand behind (catalogue 5.9). */
export const changeBreakGlass: RuleEntry = {
  id: 'change.break-glass',
  title: 'Done by one person',
  meaning:
    'One person at the gateway accepted what two approvers have to accept, or what is acceptable only when planned beforehand, or ended what two had signed, or what nothing else stands in for; or approvers were taken out of the configuration, or put into it; or an edit of it changed which documents speak of which devices, or what devices are held against, how they are asked or how often (lists of pools and firmware, nameplates, provenance, `probe`, schedules, driver files; `ports`, `credentials`, the label `cooling` and the `host` of entries that stay), or who is told of findings (`notify`); or devices were given to another tenant (label `tenant`, `tenants.*.devices`) while what two have to approve was open for the former one, and ended with that.',
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

/** Approvers who came or went with the configuration, each as a name, and who came with the id of the key. */
export interface Replacement {
  readonly removed: readonly string[];
  /** They wait until those who count have admitted them. */
  readonly added: readonly string[];
  /** They counted before, and count again. */
  readonly returned: readonly string[];
}

/** Approvers came or went. Nobody says by whom: whoever could edit the configuration. Undefined where nothing of the kind happened. */
export const approversReplaced = (replacement: Replacement, nowMs: number): Finding | undefined => {
  const told = Object.entries(replacement).filter(([, names]) => names.length > 0);
  if (told.length === 0) return undefined;
  return gatewayFinding(changeBreakGlass, nowMs, {
    part: `approvers ${Math.floor(nowMs / 1000)}`,
    after: Object.fromEntries(told.map(([what, names]) => [what, names.join(', ')])),
    reasons: told.map(([what]) => `approvers-${what}`),
  });
};

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

/**
 * Parts of the configuration by which devices are judged or asked, and that nobody signs, were edited; `entries` under `devices` by which
 * some are now. Nobody says by whom.
 */
export const criteriaEdited = (parts: readonly string[], entries: readonly string[], nowMs: number): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, {
    part: `criteria ${Math.floor(nowMs / 1000)}`,
    after: { edited: parts.join(', '), ...(entries.length === 0 ? {} : { entries: entriesText(entries) }) },
    reasons: [CONFIGURATION_EDITED],
  });

/** Of more entries the first are named. */
const MOST_NAMED = 8;

const entriesText = (entries: readonly string[]): string =>
  `${entries.slice(0, MOST_NAMED).join(', ')}${entries.length > MOST_NAMED ? ` and ${entries.length - MOST_NAMED} more` : ''}`;

/** From which tenant devices went to which; without one they are nobody's. */
export interface Reassignment {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Ids of the findings that ended with it. */
  readonly ended: readonly string[];
  /** By an edit, and not on the date of an assignment, or with the address of the device. */
  readonly isEdit: boolean;
}

/** What was found for their tenant, and takes two people, ended because devices are another one's. Nobody says by whom. */
export const tenantReassigned = ({ from, to, ended, isEdit }: Reassignment, nowMs: number): Finding =>
  gatewayFinding(changeBreakGlass, nowMs, {
    part: `tenant ${from ?? '-'} ${to ?? '-'} ${Math.floor(nowMs / 1000)}`,
    after: {
      ...(isEdit ? { edited: 'tenant' } : {}),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ended: ended.join(', '),
    },
    reasons: [...(isEdit ? [CONFIGURATION_EDITED] : []), ASSIGNMENT_ENDED],
  });

/**
 * The first approvers of this gateway, whom nobody could admit: taken as the configuration names them, and stated. Where an agent
 * ran here and nothing is left of who counted, it is open until a person closes it.
 */
export const approversNamed = (named: readonly string[], isForgotten: boolean, nowMs: number): Finding => {
  const finding = gatewayFinding(changeBreakGlass, nowMs, {
    part: `approvers ${Math.floor(nowMs / 1000)}`,
    after: { named: named.join(', ') },
    reasons: ['approvers-named', ...(isForgotten ? ['record-lost'] : [])],
  });
  if (isForgotten) return finding;
  return { ...finding, severity: 'info', severityBase: 'info', state: 'resolved', resolvedAt: finding.firstObservedAt };
};
