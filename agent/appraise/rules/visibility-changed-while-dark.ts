import { SEVERITIES } from '../finding.ts';
import { keyedValues } from '../keyed.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** A device that came back after more than 15 min differs from what it was (catalogue 5.9). */
export const visibilityChangedWhileDark: RuleEntry = {
  id: 'visibility.changed-while-dark',
  title: 'Changed while dark',
  meaning:
    'Nobody could see the device for a while; since it is back its pools, firmware, identity or access are others.',
  benign: ['bench work with a ticket'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 1,
};

/** Shorter absences are reboots. */
export const DARK_MS = 15 * 60_000;

/** The findings whose comparison says whether a device changed while it was dark. */
export const speaksOfReturn = (id: string): boolean =>
  /^(?:pool|firmware|identity)\./.test(id) || id === 'config.access-changed';

/**
 * What rules found between the last attestation before and now; of it only what is `known` to have changed in the dark, where that
 * was settled. Small things, like a worker renamed by a lease, do not count.
 */
export const changedWhileDark = (
  found: readonly { readonly id: string; readonly deviation: Deviation; readonly severity: Deviation['severity'] }[],
  known: readonly string[] | undefined,
): readonly Deviation[] => {
  const changes = found
    .filter(({ severity = 'info' }) => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf('medium'))
    .map(({ id, deviation: { part, before = '', after = '' } }) => ({
      key: part === undefined ? id : `${id} ${part}`,
      // A user keeps the name of its member, by which it can be redacted.
      before: id === 'pool.user-changed' ? { user: before } : before,
      after: id === 'pool.user-changed' ? { user: after } : after,
    }))
    .filter(({ key }) => known?.includes(key) !== false);
  return changes.length === 0 ? [] : [keyedValues(changes)];
};
