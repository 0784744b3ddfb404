import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
import type { RuleEntry } from '../rule.ts';

/** The agent was down, or lost its store (catalogue 5.9). It speaks of the gateway, not of a device. */
export const evidenceAgentGap: RuleEntry = {
  id: 'evidence.agent-gap',
  title: 'Agent gap',
  meaning:
    'For a while nobody looked, because the agent did not run: that is over when it is stated. Or the store was lost (`store-lost`): what was open in it is found no more, and what devices show is learned as if it were first seen; that is high, and open until a person closes it.',
  benign: ['gateway restarted', 'agent upgraded', 'disk exchanged'],
  severity: 'medium',
  gravest: 'high',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'AN',
  version: 1,
};

/** The gap that a starting agent finds; undefined when there is none, which is also so at the very first start. */
export const agentGap = (start: {
  readonly nowMs: number;
  /** When the last entry was written; absent in an empty store. */
  readonly lastEntryMs?: number;
  readonly pollIntervalMs: number;
  /** This key began a log here before: a store without entries is then one that was lost. */
  readonly keyIsOlder: boolean;
}): Finding | undefined => {
  const { nowMs, lastEntryMs, pollIntervalMs, keyIsOlder } = start;
  if (lastEntryMs === undefined) return keyIsOlder ? storeLost(nowMs) : undefined;
  if (nowMs - lastEntryMs <= 3 * pollIntervalMs) return undefined;
  const gap = gatewayFinding(evidenceAgentGap, nowMs, {
    after: { gap_s: Math.floor((nowMs - lastEntryMs) / 1000) },
    reasons: ['agent-down'],
  });
  return {
    ...gap,
    state: 'resolved',
    beforeAt: Math.floor(lastEntryMs / 1000),
    resolvedAt: gap.firstObservedAt,
  };
};

const STORE_LOST = 'store-lost';

const storeLost = (nowMs: number): Finding => ({
  ...gatewayFinding(evidenceAgentGap, nowMs, { severity: 'high', reasons: [STORE_LOST] }),
  severityBase: 'high',
});

/** Whether the finding says that the log began without what was known before. */
export const isStoreLost = ({ ruleId, reasons }: Finding): boolean =>
  ruleId === evidenceAgentGap.id && reasons?.includes(STORE_LOST) === true;
