import type { PoolSlot } from '../../../shared/facts.ts';
import { accountOf, isAccount, workerOf } from '../../../shared/pool-user.ts';
import { followsTemplate, isListed } from '../allow.ts';
import { isFactoryPool } from '../factory-pools.ts';
import type { Severity } from '../finding.ts';
import { sameTemplate } from '../pool-user.ts';
import { type Deviation, defineRule, type RuleContext } from '../rule.ts';
import { compareSlots, pairedSlots } from '../slots.ts';
import { isBrokenAddress } from '../wallet.ts';

/** Account, wallet or worker of a configured slot differs from the baseline (catalogue 5.1). */
export const poolUserChanged = defineRule({
  id: 'pool.user-changed',
  title: 'Pool user changed',
  meaning:
    'A configured pool slot works for another user. Another account takes the earnings, and has to be planned (AP). Another worker (`worker`) relabels them (A2), unless no account stands before it (`no-account`). `first-told`: people approved the slot without a user (A2).',
  benign: ['tenant move', 'workers renamed', 'worker named after a leased address', 'a log-in that was given later'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'AP',
  version: 5,
  against: 'reference',
  reads: ['pools'],
  judgesUsers: () => true,
  appraise: (observed, approved, context) => {
    const { changed } = compareSlots(approved.pools, observed.pools);
    if (changed.length === 0) return firstTold(approved.pools, observed.pools, context);
    return changed.flatMap(({ part, before, after }) => {
      if (before.user === undefined || after.user === undefined || before.user === after.user) return [];
      const judged = judge(before.user, after.user, after.url, context);
      return [{ part, before: before.user, after: after.user, ...judged }];
    });
  },
});

/**
 * Users that show in slots which people approved without one: nobody approved these. Where nobody approved anything they are
 * learned, and where a document that names pools tells no user, nor does what lies below it, any will do.
 */
const firstTold = (
  approved: readonly PoolSlot[],
  observed: readonly PoolSlot[],
  { commissioned, classOf, allow = [], device }: RuleContext,
): readonly Deviation[] =>
  !commissioned || classOf('pools') !== undefined
    ? []
    : pairedSlots(approved, observed).flatMap(({ part, before, after: { url, user } }) => {
        if (before.user !== undefined || user === undefined) return [];
        const naming = allow.filter((line) => line.user !== undefined);
        const severity = isListed(naming, url, user, device) ? 'low' : 'high';
        return [{ part, after: user, severity, reasons: [FIRST_TOLD, ...marksOf(url, user)] }];
      });

/** Not another account than the approved one: the first that anybody sees there. */
export const FIRST_TOLD = 'first-told';

const marksOf = (url: string, user: string): readonly string[] => [
  ...(isBrokenAddress(user) ? ['invalid-address'] : []),
  ...(isFactoryPool(url, user) ? ['factory-default'] : []),
];

const judge = (
  before: string,
  after: string,
  url: string,
  { address, allow = [], device }: RuleContext,
): { severity: Severity; reasons: string[] } => {
  if (accountOf(before) !== accountOf(after))
    return { severity: 'critical', reasons: [OTHER_ACCOUNT, ...marksOf(url, after)] };
  const template =
    sameTemplate(workerOf(before) ?? '', workerOf(after) ?? '', address) || followsTemplate(allow, url, after, device);
  const isKnown = isAccount(accountOf(after));
  return {
    // Where no account is told the worker may be one.
    severity: template ? 'low' : isKnown ? 'medium' : 'critical',
    reasons: [OTHER_WORKER, ...(template ? [] : ['template']), ...(isKnown ? [] : [NO_ACCOUNT])],
  };
};

const OTHER_ACCOUNT = 'account';
const OTHER_WORKER = 'worker';
const NO_ACCOUNT = 'no-account';

/** Whether it works for the account that was approved, and for nobody else: by the reasons of the finding, or of those of many devices. */
export const isSameAccount = ({ reasons = [] }: Pick<Deviation, 'reasons'>): boolean =>
  (reasons.includes(OTHER_WORKER) || reasons.includes(FIRST_TOLD)) &&
  !reasons.includes(OTHER_ACCOUNT) &&
  !reasons.includes(NO_ACCOUNT);
