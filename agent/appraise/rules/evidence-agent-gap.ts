import type { Finding } from '../finding.ts';
import { gatewayFinding } from '../gateway-finding.ts';
import type { RuleEntry } from '../rule.ts';

/** The agent was down, stood still, could keep nothing, or lost its store (catalogue 5.9). It speaks of the gateway, not of a device. */
export const evidenceAgentGap: RuleEntry = {
  id: 'evidence.agent-gap',
  title: 'Agent gap',
  meaning:
    'For longer than three rounds at the pools nobody looked, because the agent did not run (`agent-down`) or stood still (`stood-still`: stopped by a signal, frozen, starved, asleep with its host), or the store refused what it saw (`not-recorded`: full disk), so that a change which came and went meanwhile is in no entry: that is over when it is stated, and the `coverage` of the time counts every device as missed, or there is none. Or the store was lost, or its end: damaged, or put back to an older state (`store-lost`). What was open in what is lost is found no more unless it differs from what is left, and devices that what is left does not know are learned as if they were first seen; that is high, and open until a person closes it.',
  benign: ['gateway restarted', 'agent upgraded', 'disk exchanged', 'disk full', 'host paused'],
  severity: 'medium',
  gravest: 'high',
  basis: 'gateway-observed',
  confirm: 'C1',
  approval: 'AN',
  version: 1,
};

/** The gap that a starting agent finds; undefined when there is none, which is also so in an empty store. */
export const agentGap = (start: {
  readonly nowMs: number;
  /** Until when the agent before is known to have run; absent in an empty store. */
  readonly ranUntilMs?: number | undefined;
  readonly pollIntervalMs: number;
}): Finding | undefined => {
  const { nowMs, ranUntilMs, pollIntervalMs } = start;
  if (ranUntilMs === undefined) return undefined;
  return isGap(nowMs - ranUntilMs, pollIntervalMs) ? gapSince(ranUntilMs, nowMs, 'agent-down') : undefined;
};

/** Whether a stretch without looks is longer than what lies between two of them. */
export const isGap = (lastedMs: number, pollIntervalMs: number): boolean => lastedMs > 3 * pollIntervalMs;

/** Why nobody looked, or nothing of it was kept. */
export type GapReason = 'agent-down' | 'stood-still' | 'not-recorded';

/** A stretch that is over. Instants are those of the wall clock, ms. */
export const gapSince = (fromMs: number, nowMs: number, reason: GapReason): Finding => {
  const gap = gatewayFinding(evidenceAgentGap, nowMs, {
    after: { gap_s: Math.floor((nowMs - fromMs) / 1000) },
    reasons: [reason],
  });
  return {
    ...gap,
    state: 'resolved',
    beforeAt: Math.floor(fromMs / 1000),
    resolvedAt: gap.firstObservedAt,
  };
};

const STORE_LOST = 'store-lost';

/** A log begins without what the one before it knew, or without the end of that. */
export const storeLost = (nowMs: number): Finding => ({
  ...gatewayFinding(evidenceAgentGap, nowMs, { severity: 'high', reasons: [STORE_LOST] }),
  severityBase: 'high',
});

/** Whether the finding says that the log began without what was known before. */
export const isStoreLost = ({ ruleId, reasons }: Finding): boolean =>
  ruleId === evidenceAgentGap.id && reasons?.includes(STORE_LOST) === true;
