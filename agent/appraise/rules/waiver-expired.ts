import { namesRule, type Waiver } from '../../../shared/terms.ts';
import { type Adopted, type Standing, waiverFor } from '../../baseline/standing.ts';
import { describe } from '../approval.ts';
import type { DeviceState } from '../device.ts';
import type { Finding } from '../finding.ts';
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

/**
 * Those of the devices that a waiver covered on which its end left a finding standing, whether or not a look has seen that end
 * yet. `standing` may still have the waiver: past its expiry it covers nothing.
 */
export const leftStanding = (
  { seq, terms }: Adopted<Waiver>,
  covered: readonly DeviceState[],
  standing: Standing,
  nowMs: number,
): readonly string[] => {
  const stood = ({ ruleId, confirmedAt, resolvedAt, waiver }: Finding): boolean =>
    terms.ids.some((pattern) => namesRule(pattern, ruleId)) &&
    confirmedAt !== undefined &&
    confirmedAt < terms.expires_at &&
    (resolvedAt === undefined || (resolvedAt >= terms.expires_at && waiver !== seq));
  return covered
    .filter((state) =>
      [...state.tracks, ...state.closed].some(
        ({ finding }) =>
          stood(finding) && waiverFor(standing, describe(state, {}), finding.ruleId, nowMs) === undefined,
      ),
    )
    .map(({ id }) => id);
};
