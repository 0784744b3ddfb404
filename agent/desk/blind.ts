import type { DeviceState } from '../appraise/device.ts';
import { isStoreLost } from '../appraise/rules/evidence-agent-gap.ts';
import type { Store } from '../record/store.ts';

/**
 * Whether a device is held against nothing but what was learned before a person closed that the store was lost, or its end: what was open in
 * what is lost is not known, and may show as if it were right. What another log says again counts as said after the loss: two losses in a
 * row would else make right what was learned after the first. What is learned after a person closed the finding about that is as good as ever.
 */
export const learnedBlind = (store: Pick<Store, 'findings' | 'entry'>): ((state: DeviceState) => boolean) => {
  const lost = store
    .findings({ open: false, limit: Number.MAX_SAFE_INTEGER })
    .find(({ finding }) => isStoreLost(finding))?.finding;
  if (lost === undefined) return () => false;
  const { resolvedAt: closedAt } = lost;
  const wasBefore = (seq: number): boolean => closedAt === undefined || (store.entry(seq)?.iat ?? 0) <= closedAt;
  return ({ reference }) => {
    const entries = reference?.entries ?? [];
    // What is learned and not recorded yet is learned now.
    if (entries.length === 0) return closedAt === undefined;
    return entries.every(({ approval }) => approval === 'none') && entries.some(({ seq }) => wasBefore(seq));
  };
};
