import type { LivePool, PoolSlot } from '../../../shared/facts.ts';
import { isListed, isListedProxy, isListedRunning, isPrivateHost, nearestLine, shownLine } from '../allow.ts';
import { FACTORY_MS, isFactoryPool } from '../factory-pools.ts';
import { marksOfHost } from '../pool-url.ts';
import { type AllowList, type Deviation, defineRule, type RuleContext } from '../rule.ts';
import { filledSlots, slotValue, tellsOf } from '../slots.ts';
import { isBrokenAddress } from '../wallet.ts';

/** A configured or running pool is on no line of the operator's list, whatever the baseline says (catalogue 5.1). */
export const poolOutsideAllowlist = defineRule({
  id: 'pool.outside-allowlist',
  title: 'Pool not on the list',
  meaning:
    'The device is set to, or works for, a pool or user that no line of `pools.allow` covers, or of the list of its tenant. A new device may work for the default of its maker for half an hour. The reason `proxy`, with the part `slot N proxy`, says that the proxy through which a pool is reached is on no line. The reason `malformed-host` says that the host is neither an address nor a name: a miner may connect elsewhere than it seems.',
  benign: ['burn-in bench', 'a list that is out of date'],
  severity: 'high',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 5,
  against: 'policy',
  applies: ({ allow }) => allow !== undefined,
  reads: [],
  compares: ['pools', 'live_pools'],
  judgesUsers: ({ allow = [] }) => allow.some(({ user }) => user !== undefined),
  sees: (part, observed) => (part.startsWith('live') ? observed.live_pools : observed.pools) !== undefined,
  appraise: (observed, _approved, context) => {
    const { allow } = context;
    if (allow === undefined) return 'unknown';
    const slots = filledSlots(observed.pools ?? []);
    const running = filledSlots((observed.live_pools ?? []).map(asSlot));
    const isSlot = tellsOf(slots);
    const proxies = new Set(slots.map(({ proxy }) => proxy));
    return [
      ...slots.flatMap((slot, index) => judge(allow, `slot ${index}`, slot, context)),
      // What runs as configured was judged as a slot.
      ...running.flatMap((pool, index) =>
        isSlot(pool) ? [] : judge(allow, `live ${index}`, pool, context, isListedRunning),
      ),
      ...slots.flatMap(({ proxy }, index) => judgeProxy(allow, `slot ${index} proxy`, proxy)),
      ...running.flatMap(({ proxy }, index) =>
        proxies.has(proxy) ? [] : judgeProxy(allow, `live ${index} proxy`, proxy),
      ),
    ];
  },
});

const asSlot = ({ url, user, proxy }: LivePool, index: number): PoolSlot => ({
  slot: index,
  priority: index,
  url,
  ...(user === undefined ? {} : { user }),
  ...(proxy === undefined ? {} : { proxy }),
});

/** Whoever the pool behind it pays: no default of a maker has a proxy. */
const judgeProxy = (allow: AllowList, part: string, proxy: string | undefined): readonly Deviation[] => {
  if (proxy === undefined || isListedProxy(allow, proxy)) return [];
  const nearest = nearestLine(allow, proxy, undefined);
  return [
    {
      part,
      after: { url: proxy, ...(nearest === undefined ? {} : { nearest: shownLine(nearest) }) },
      reasons: ['not-listed', 'proxy', ...marksOfHost(proxy), ...(isPrivateHost(proxy) ? ['private-host'] : [])],
    },
  ];
};

const judge = (
  allow: AllowList,
  part: string,
  slot: PoolSlot,
  { device, nowMs, firstSeenMs = 0 }: RuleContext,
  covers = isListed,
): readonly Deviation[] => {
  if (covers(allow, slot.url, slot.user, device)) return [];
  const factory = isFactoryPool(slot.url, slot.user);
  if (factory && nowMs - firstSeenMs < FACTORY_MS) return [];
  const nearest = nearestLine(allow, slot.url, slot.user);
  return [
    {
      part,
      after: { ...slotValue(slot), ...(nearest === undefined ? {} : { nearest: shownLine(nearest) }) },
      reasons: [
        'not-listed',
        ...(factory ? ['factory-default'] : []),
        ...marksOfHost(slot.url),
        ...(isPrivateHost(slot.url) ? ['private-host'] : []),
        ...(isBrokenAddress(slot.user ?? '') ? ['invalid-address'] : []),
      ],
    },
  ];
};
