import type { Finding, Severity } from './finding.ts';
import type { RuleEntry } from './rule.ts';

/** A finding about the gateway, or about many devices at once, that is stated once and open until a person closes it. */
export const gatewayFinding = (
  { id, severity, basis, version }: RuleEntry,
  nowMs: number,
  about: Pick<Finding, 'part' | 'reasons' | 'after' | 'plan' | 'waiver'> & { readonly severity?: Severity },
): Finding => {
  const now = Math.floor(nowMs / 1000);
  return {
    ruleId: id,
    state: 'open',
    severityBase: severity,
    severity,
    ...about,
    basis,
    ruleVersion: version,
    firstObservedAt: now,
    confirmedAt: now,
    surfaces: [],
  };
};
