import type { Finding } from '../finding.ts';
import type { RuleEntry } from '../rule.ts';

/** The agent was down, or lost its store (catalogue 5.9). It speaks of the gateway, not of a device. */
export const evidenceAgentGap: RuleEntry = {
  id: 'evidence.agent-gap',
  title: 'Agent gap',
  meaning: 'For a while nobody looked: the agent did not run, or its store was lost.',
  benign: ['gateway restarted', 'agent upgraded'],
  severity: 'medium',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'A0',
  version: 1,
};

/**
 * The gap that a starting agent finds, over as it is seen: stated once, as `resolved`. Undefined when there is none, which
 * is also so at the very first start.
 */
export const agentGap = (start: {
  readonly nowMs: number;
  /** When the last entry was written; absent in an empty store. */
  readonly lastEntryMs?: number;
  readonly pollIntervalMs: number;
  /** This key began a log here before: a store without entries is then one that was lost. */
  readonly keyIsOlder: boolean;
}): Finding | undefined => {
  const { nowMs, lastEntryMs, pollIntervalMs, keyIsOlder } = start;
  const lost = lastEntryMs === undefined && keyIsOlder;
  if (!lost && (lastEntryMs === undefined || nowMs - lastEntryMs <= 3 * pollIntervalMs)) return undefined;
  const now = Math.floor(nowMs / 1000);
  return {
    ruleId: evidenceAgentGap.id,
    state: 'resolved',
    severity: evidenceAgentGap.severity,
    severityBase: evidenceAgentGap.severity,
    basis: evidenceAgentGap.basis,
    ruleVersion: evidenceAgentGap.version,
    reasons: [lost ? 'store-lost' : 'agent-down'],
    ...(lastEntryMs === undefined ? {} : { after: { gap_s: Math.floor((nowMs - lastEntryMs) / 1000) } }),
    ...(lastEntryMs === undefined ? {} : { beforeAt: Math.floor(lastEntryMs / 1000) }),
    firstObservedAt: now,
    confirmedAt: now,
    resolvedAt: now,
    surfaces: [],
  };
};
