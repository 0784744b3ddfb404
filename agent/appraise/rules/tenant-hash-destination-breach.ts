import type { LivePool, PoolSlot } from '../../../shared/facts.ts';
import { isListed, isListedRunning, nearestLine, shownLine } from '../allow.ts';
import { marksOfHost } from '../pool-url.ts';
import { type Deviation, defineRule, type RuleContext } from '../rule.ts';
import { byPriority, filledSlots, isToldBy, samePool, slotValue } from '../slots.ts';

/** A device that is assigned to a tenant works for a pool or user that is none of that tenant (catalogue 5.1). */
export const tenantHashDestinationBreach = defineRule({
  id: 'tenant.hash-destination-breach',
  title: 'Works for another than its tenant',
  meaning: 'The device works for a pool or user that is not on the list of the tenant to whom it is assigned now.',
  benign: ['an assignment that was written down late'],
  severity: 'critical',
  basis: 'self-reported',
  confirm: 'C2',
  approval: 'A2',
  version: 2,
  against: 'policy',
  applies: ({ tenancy }) => tenancy?.allow !== undefined,
  reads: [],
  compares: ['pools', 'live_pools'],
  judgesUsers: ({ tenancy }) => tenancy?.allow?.some(({ user }) => user !== undefined) === true,
  sees: (part, observed) => (/ live \d+$/.test(part) ? observed.live_pools : observed.pools) !== undefined,
  appraise: ({ pools = [], live_pools = [] }, _approved, context) => {
    if (context.tenancy?.allow === undefined) return 'unknown';
    const slots = filledSlots(pools);
    const running = live_pools.filter((pool) => pool.active === true && !isFee(pool, context));
    return [
      ...atWork(slots).flatMap((slot) => judge(`slot ${slots.indexOf(slot)}`, slot, context)),
      // What runs as configured was judged as a slot.
      ...running.flatMap((pool, index) =>
        slots.some((slot) => isToldBy(slot, asSlot(pool)))
          ? []
          : judge(`live ${index}`, asSlot(pool), context, isListedRunning),
      ),
    ];
  },
});

/** The slots in use; where none tells, the one that is tried first. */
const atWork = (slots: readonly PoolSlot[]): readonly PoolSlot[] =>
  slots.some(({ active }) => active !== undefined)
    ? slots.filter(({ active }) => active === true)
    : byPriority(slots).slice(0, 1);

const asSlot = ({ url, user }: LivePool): PoolSlot => ({
  slot: 0,
  priority: 0,
  url,
  ...(user === undefined ? {} : { user }),
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
  const { tenant, fromMs, untilMs, allow } = tenancy;
  const nearest = nearestLine(allow, slot.url, slot.user);
  return [
    {
      part: `${tenant} ${part}`,
      after: {
        ...slotValue(slot),
        tenant,
        ...(fromMs === undefined ? {} : { assigned_from: instant(fromMs) }),
        ...(untilMs === undefined ? {} : { assigned_until: instant(untilMs) }),
        ...(nearest === undefined ? {} : { nearest: shownLine(nearest) }),
      },
      reasons: marksOfHost(slot.url),
    },
  ];
};

const instant = (atMs: number): string => new Date(atMs).toISOString();
