import { followsTemplate } from '../allow.ts';
import { isFactoryPool } from '../factory-pools.ts';
import type { Severity } from '../finding.ts';
import { accountOf, sameTemplate, workerOf } from '../pool-user.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import { compareSlots } from '../slots.ts';
import { isBrokenAddress } from '../wallet.ts';

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
  version: 2,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, context) =>
    compareSlots(approved.pools, observed.pools).changed.flatMap(({ part, before, after }) => {
      if (before.user === undefined || after.user === undefined || before.user === after.user) return [];
      const judged = judge(before.user, after.user, after.url, context);
      return [{ part, before: before.user, after: after.user, ...judged }];
    }),
});

const judge = (
  before: string,
  after: string,
  url: string,
  { address, allow = [], device }: RuleContext,
): { severity: Severity; reasons: string[] } => {
  if (accountOf(before) !== accountOf(after)) {
    const more = [
      ...(isBrokenAddress(after) ? ['invalid-address'] : []),
      ...(isFactoryPool(url, after) ? ['factory-default'] : []),
    ];
    return { severity: 'critical', reasons: ['account', ...more] };
  }
  const template =
    sameTemplate(workerOf(before) ?? '', workerOf(after) ?? '', address) || followsTemplate(allow, url, after, device);
  return template ? { severity: 'low', reasons: ['worker'] } : { severity: 'medium', reasons: ['worker', 'template'] };
};
