import type { LivePool, PoolSlot } from '../../../shared/facts.ts';
import { isListed, isListedProxy, isListedRunning, nearestLine, shownLine } from '../allow.ts';
import { marksOfHost } from '../pool-url.ts';
import { type AllowList, type Deviation, defineRule, type RuleContext } from '../rule.ts';
import { byPriority, filledSlots, samePool, slotValue, tellsOf } from '../slots.ts';

/** A device that is assigned to a tenant works for a pool or user that is none of that tenant (catalogue 5.1). */
export const tenantHashDestinationBreach = defineRule({
  id: 'tenant.hash-destination-breach',
  title: 'Works for another than its tenant',
  meaning:
    'The device works for a pool or user that is not on the list of the tenant to whom it is assigned now. The reason `proxy`, with the part `slot N proxy`, says that it does so through a proxy that is on no line of that list.',
  benign: ['an assignment that was written down late'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 4,
  against: 'policy',
  applies: ({ tenancy }) => tenancy?.allow !== undefined,
  reads: [],
  compares: ['pools', 'live_pools'],
  judgesUsers: ({ tenancy }) => tenancy?.allow?.some(({ user }) => user !== undefined) === true,
  sees: (part, observed) => (/ live \d+(?: proxy)?$/.test(part) ? observed.live_pools : observed.pools) !== undefined,
  appraise: ({ pools = [], live_pools = [] }, _approved, context) => {
    if (context.tenancy?.allow === undefined) return 'unknown';
    const slots = filledSlots(pools);
    const running = live_pools.filter((pool) => pool.active === true && !isFee(pool, context));
    const isSlot = tellsOf(slots);
    return [
      ...atWork(slots).flatMap((slot) => judge(`slot ${slots.indexOf(slot)}`, slot, context)),
      // What runs as configured was judged as a slot.
      ...running.flatMap((pool, index) =>
        isSlot(asSlot(pool)) ? [] : judge(`live ${index}`, asSlot(pool), context, isListedRunning),
      ),
      ...atWork(slots).flatMap((slot) => judgeProxy(`slot ${slots.indexOf(slot)} proxy`, slot, context)),
      ...running.flatMap((pool, index) =>
        slots.some(({ proxy }) => proxy === pool.proxy) ? [] : judgeProxy(`live ${index} proxy`, asSlot(pool), context),
      ),
    ];
  },
});

/** The slots in use; where none tells, the one that is tried first. */
const atWork = (slots: readonly PoolSlot[]): readonly PoolSlot[] =>
  slots.some(({ active }) => active !== undefined)
    ? slots.filter(({ active }) => active === true)
    : byPriority(slots).slice(0, 1);

const asSlot = ({ url, user, proxy }: LivePool): PoolSlot => ({
  slot: 0,
  priority: 0,
  url,
  ...(user === undefined ? {} : { user }),
  ...(proxy === undefined ? {} : { proxy }),
});

/** What the firmware declares to mine for its maker now and then. */
const isFee = (pool: LivePool, { device }: RuleContext): boolean =>
  device.facts.fee_pools?.some((fee) => samePool(asSlot(fee), asSlot(pool))) ?? false;

/** The tenant is a part of the name: what was found for one is not what is found for the next. */
const judge = (
  part: string,
  slot: PoolSlot,
  { tenancy, device }: RuleContext,
  covers = isListed,
): readonly Deviation[] => {
  if (tenancy?.allow === undefined || covers(tenancy.allow, slot.url, slot.user, device)) return [];
  const nearest = nearestLine(tenancy.allow, slot.url, slot.user);
  return [breach(part, tenancy, slotValue(slot), nearest, marksOfHost(slot.url))];
};

const judgeProxy = (part: string, { proxy }: PoolSlot, { tenancy }: RuleContext): readonly Deviation[] => {
  if (proxy === undefined || tenancy?.allow === undefined || isListedProxy(tenancy.allow, proxy)) return [];
  const nearest = nearestLine(tenancy.allow, proxy, undefined);
  return [breach(part, tenancy, { url: proxy }, nearest, ['proxy', ...marksOfHost(proxy)])];
};

const breach = (
  part: string,
  { tenant, fromMs, untilMs }: NonNullable<RuleContext['tenancy']>,
  value: ReturnType<typeof slotValue>,
  nearest: AllowList[number] | undefined,
  reasons: readonly string[],
): Deviation => ({
  part: `${tenant} ${part}`,
  after: {
    ...value,
    tenant,
    ...(fromMs === undefined ? {} : { assigned_from: instant(fromMs) }),
    ...(untilMs === undefined ? {} : { assigned_until: instant(untilMs) }),
    ...(nearest === undefined ? {} : { nearest: shownLine(nearest) }),
  },
  reasons,
});

const instant = (atMs: number): string => new Date(atMs).toISOString();
