import { tellsKey } from '../../baseline/compared.ts';
import { isListed, isListedProxy } from '../allow.ts';
import { marksOfHost, sameOwner, sameUrl } from '../pool-url.ts';
import { type Deviation, defineRule, type RuleContext } from '../rule.ts';
import { compareSlots, otherProxies, type SlotChange } from '../slots.ts';
import { FIRST_TOLD } from './pool-user-changed.ts';

/** Scheme, host or port of a configured slot, or the proxy in front of it, differs from the baseline (catalogue 5.1). */
export const poolUrlChanged = defineRule({
  id: 'pool.url-changed',
  title: 'Pool URL changed',
  meaning:
    'A configured pool slot points to another scheme, host or port than the reference says, or holds the pool to another key; the part `slot N proxy` is the proxy through which the pool is reached, which came, went or is another one. The reason `first-told` says that people approved the pool without a key; `malformed-host` that the new host is neither an address nor a name: a miner may connect elsewhere than it seems.',
  benign: ['pool migration', 'tenant move', 'profit switching', 'firmware or an agent that tells keys'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 3,
  against: 'reference',
  reads: ['pools'],
  appraise: (observed, approved, context) => [
    ...compareSlots(approved.pools, observed.pools).changed.flatMap((change) => urlChanges(change, context)),
    ...otherProxies(approved.pools, observed.pools).map((change) => proxyChange(change, context)),
  ],
});

const urlChanges = (
  { part, before, after }: SlotChange,
  { allow, commissioned, device }: RuleContext,
): readonly Deviation[] => {
  if (sameUrl(before.url, after.url)) return [];
  const isKeyed = tellsKey(before.url, after.url);
  // Where nobody approved the pools the key is learned.
  if (isKeyed && !commissioned) return [];
  const listed = allow === undefined ? [] : [isListed(allow, after.url, after.user, device) ? 'listed' : 'not-listed'];
  const change = { part, before: before.url, after: after.url };
  // Without a key the pool was whoever answered there: one that first shows takes nothing away.
  if (isKeyed) return [{ ...change, severity: 'low', reasons: [FIRST_TOLD, ...listed] }];
  return [{ ...change, ...weightOf(before.url, after.url, listed) }];
};

/** What stands between a miner and its pool sees all that it sends, and may answer in place of the pool. */
const proxyChange = (
  { part, before: { proxy: before }, after: { proxy: after } }: SlotChange,
  { allow }: RuleContext,
): Deviation => {
  const change = {
    part: `${part} proxy`,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  if (after === undefined) return change;
  const listed = allow === undefined ? [] : [isListedProxy(allow, after) ? 'listed' : 'not-listed'];
  return { ...change, ...weightOf(before, after, listed) };
};

const weightOf = (
  before: string | undefined,
  after: string,
  listed: readonly string[],
): Pick<Deviation, 'severity' | 'reasons'> => {
  const owner = before !== undefined && sameOwner(before, after);
  return {
    severity: owner ? 'medium' : 'high',
    reasons: [...(owner ? ['same-domain'] : []), ...listed, ...marksOfHost(after)],
  };
};
