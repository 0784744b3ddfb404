import type { Severity } from '../finding.ts';
import { accountOf, sameTemplate, workerOf } from '../pool-user.ts';
import { defineRule } from '../rule.ts';
import { compareSlots } from '../slots.ts';

/** Account, wallet or worker of a configured slot differs from the baseline (catalogue 5.1). */
export const poolUserChanged = defineRule({
  id: 'pool.user-changed',
  title: 'Pool user changed',
  meaning:
    'A configured pool slot works for another user. Another account or wallet takes the earnings; another worker name only relabels them.',
  benign: ['tenant move', 'workers renamed', 'worker named after a leased address'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 1,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, { address }) =>
    compareSlots(approved.pools, observed.pools).changed.flatMap(({ part, before, after }) => {
      if (before.user === undefined || after.user === undefined || before.user === after.user) return [];
      return [{ part, before: before.user, after: after.user, ...judge(before.user, after.user, address) }];
    }),
});

const judge = (before: string, after: string, address: string): { severity: Severity; reasons: string[] } => {
  if (accountOf(before) !== accountOf(after)) return { severity: 'critical', reasons: ['account'] };
  const template = sameTemplate(workerOf(before) ?? '', workerOf(after) ?? '', address);
  return template ? { severity: 'low', reasons: ['worker'] } : { severity: 'medium', reasons: ['worker', 'template'] };
};
