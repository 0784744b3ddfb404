import type { Facts, PoolSlot } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { quotaOf } from '../baseline/compared.ts';
import { type Circumstances, itemsAt, judgeValue } from '../baseline/expected.ts';
import { completedList, withLists } from '../baseline/listed-pools.ts';
import type { Held } from '../baseline/standing.ts';
import { sameUrl } from './pool-url.ts';
import type { Deviation } from './rule.ts';
import { poolSlotRemoved } from './rules/pool-slot-removed.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { byPriority, compareSlots, filledSlots, samePool } from './slots.ts';
import { wholeOf } from './who-approves.ts';

/**
 * Which pools a plan expects. What a finding says of a list is a matter of how two lists are laid beside each other: a slot that
 * somebody puts in front moves all others. So a plan is asked about the pool itself, and a plan that lists pools by their places
 * about that place.
 */

/** What a plan says of pools, and of whom. */
export interface PlannedPools {
  readonly held: ReadonlyMap<string, Held>;
  readonly observed: Facts;
  readonly approved: Facts;
  /** The approved facts as they would be once the change is made. */
  readonly expected: Facts;
  readonly circumstances: Circumstances;
}

/** As much of a pool as a finding tells. */
type Shown = Partial<Pick<PoolSlot, Column>>;
type Column = 'url' | 'user' | 'proxy';

/** Which findings of pools a plan announces. */
export interface Announced {
  /** Slots come. */
  readonly added: boolean;
  /** What is in the slots that are there changes. */
  readonly changed: boolean;
}

/** Whether the plan says anything of where work goes, or for whom. */
const speaksOf = (held: ReadonlyMap<string, Held>): boolean =>
  [...held.keys()].some((fact) => wholeOf(fact) === 'pools');

/** Whether the pool that a finding of this rule tells is one of the plan. What tells no pool is not asked about here. */
export const tellsPlanned = (ruleId: string, deviation: Deviation, planned: PlannedPools): boolean => {
  const { held, observed, expected } = planned;
  if (!speaksOf(held)) return true;
  // Which slot is gone says as much as which one came.
  if (ruleId === poolSlotRemoved.id) return !isListed(deviation.before, planned);
  const pool = shownIn(ruleId, deviation);
  if (pool === undefined) return true;
  return (
    isPlanned(pool, placeOf(deviation), planned) && !(isPutFirst(deviation) && isListOther(held, expected, observed))
  );
};

/** Whether all pools of a look are those of the plan, or approved ones. */
export const arePlanned = (planned: PlannedPools): boolean => {
  const { held, observed, approved } = planned;
  return (
    !speaksOf(held) ||
    filledSlots(observed.pools ?? NO_SLOTS).every(
      (pool, place) => isPlanned(pool, place, planned) || isApproved(pool, approved),
    )
  );
};

/**
 * Whether the pools are all that the plan expects, those that it lists by their places in these. What a list leaves out is to be as it was
 * approved. A slot is not held to what it does not tell; nor to other pools, where the plan announces that one comes beside those that are approved.
 */
export const showsPools = (
  planned: Omit<PlannedPools, 'expected'> & { readonly below: readonly PoolSlot[] },
  { added, changed }: Announced,
): boolean => {
  const { held, observed, approved, below, circumstances } = planned;
  const slots = filledSlots(observed.pools ?? NO_SLOTS);
  const lists = held.get('pools')?.items.map((item) => withLists(item, (list) => completedList(list, below, slots)));
  if (lists !== undefined && judgeValue(lists, slots, circumstances, isSameList).kind === 'leaves') return false;
  const columns = columnsOf(held, circumstances.nowMs);
  if (columns.length === 0) return true;
  const isExpected = (slot: PoolSlot, place: number): boolean =>
    columns.every((one) => fitsColumn(slot, place, one, circumstances));
  const isByPlace = columns.some(({ items }) => items.some(isList));
  const isKept = (slot: PoolSlot): boolean => added && !changed && !isByPlace && isApproved(slot, approved);
  const areThere = columns.every(({ items }) =>
    items.some((item) => !isList(item) || item.value.length <= slots.length),
  );
  return (
    (areThere || !added) &&
    slots.some(isExpected) &&
    slots.every((slot, place) => isExpected(slot, place) || isKept(slot))
  );
};

/** What a plan says of each slot. */
interface PlannedColumn {
  readonly column: (typeof COLUMNS)[number];
  readonly items: readonly ExpectedValue[];
}

const COLUMNS = ['url', 'user', 'priority', 'quota', 'proxy'] as const;

const columnsOf = (held: ReadonlyMap<string, Held>, nowMs: number): readonly PlannedColumn[] =>
  COLUMNS.flatMap((column) => {
    const items = itemsAt(held.get(`pools.${column}`)?.items ?? [], nowMs);
    return items.length === 0 ? [] : [{ column, items }];
  });

const fitsColumn = (
  slot: PoolSlot,
  place: number,
  { column, items }: PlannedColumn,
  circumstances: Circumstances,
): boolean => {
  const value = slot[column] ?? (column === 'proxy' ? NO_PROXY : undefined);
  // Of a slot behind the last one of a list nothing is said.
  if (value === undefined || items.every((item) => isList(item) && place >= item.value.length)) return true;
  return judgeValue(items.map(listedAt(place)), value, circumstances, SAME[column]).kind !== 'leaves';
};

/** How a plan says of a slot that it has no proxy. */
const NO_PROXY = '';

/** Two lists of filled slots: the same pools in the same places, tried in the same order. */
const isSameList = (planned: unknown, shown: unknown): boolean => {
  // A list that a plan holds the pools to has the type of the fact: `termsProblem` saw to it.
  const [expected, seen] = [filledSlots(planned as readonly PoolSlot[]), shown as readonly PoolSlot[]];
  const [turns, seenTurns] = [byPriority(expected), byPriority(seen)];
  return (
    expected.length === seen.length &&
    expected.every((slot, place) => isSameSlot(slot, seen[place] as PoolSlot)) &&
    turns.every((slot, turn) => expected.indexOf(slot) === seen.indexOf(seenTurns[turn] as PoolSlot))
  );
};

const isSameSlot = (slot: PoolSlot, seen: PoolSlot): boolean =>
  samePool(slot, seen) &&
  SAME.proxy(slot.proxy, seen.proxy) &&
  (slot.quota === undefined || slot.quota === quotaOf(seen)) &&
  (slot.share_ppm === undefined || slot.share_ppm === seen.share_ppm);

const isApproved = (pool: PoolSlot, { pools }: Facts): boolean =>
  pools?.some((slot) => samePool(slot, pool) && SAME.proxy(slot.proxy, pool.proxy)) === true;

/** The place among the filled slots of which a finding speaks; undefined of a proxy, whose slot may have moved, and of what only runs. */
const placeOf = ({ part = '' }: Deviation): number | undefined => {
  const [, place] = /(?:^| )slot (\d+)$/.exec(part) ?? [];
  return place === undefined ? undefined : Number(place);
};

const shownIn = (ruleId: string, { part, after }: Deviation): Shown | undefined => {
  const isProxy = part?.endsWith(' proxy') === true;
  if (typeof after === 'string') {
    if (isProxy) return { proxy: after };
    return ruleId === poolUserChanged.id ? { user: after } : { url: after };
  }
  if (!isPool(after)) return undefined;
  return isProxy ? { proxy: after.url } : after;
};

const isPool = (value: unknown): value is Shown & { readonly url: string } =>
  typeof value === 'object' && value !== null && 'url' in value;

const isPlanned = (pool: Shown, place: number | undefined, planned: PlannedPools): boolean => {
  const { url, user, proxy } = pool;
  return (
    isOfList(pool, place, planned) &&
    (url === undefined || isPlannedIn('url', url, place, planned)) &&
    (user === undefined || isPlannedIn('user', user, place, planned)) &&
    (proxy === undefined || isPlannedIn('proxy', proxy, place, planned))
  );
};

/** A list says which user belongs to which URL. Where columns are laid over it, they say it. */
const isOfList = ({ url, user }: Shown, place: number | undefined, { held, expected }: PlannedPools): boolean =>
  !held.has('pools') ||
  held.has('pools.url') ||
  held.has('pools.user') ||
  expected.pools === undefined ||
  atPlace(filledSlots(expected.pools), place).some((slot) =>
    samePool(slot, { url: url ?? slot.url, ...(user === undefined ? {} : { user }) }),
  );

const isSameUrl = (one: unknown, other: unknown): boolean => one === other || sameUrl(String(one), String(other));

const isEqual = (one: unknown, other: unknown): boolean => one === other;

const SAME = { url: isSameUrl, user: isEqual, priority: isEqual, quota: isEqual, proxy: isSameUrl } as const;

const isPlannedIn = (
  column: Column,
  value: string,
  place: number | undefined,
  { held, approved, expected, circumstances }: PlannedPools,
): boolean => {
  const own = held.get(`pools.${column}`);
  if (own !== undefined)
    return judgeValue(own.items.map(listedAt(place)), value, circumstances, SAME[column]).kind !== 'leaves';
  // Of what a plan does not speak nothing else comes than what is approved.
  const slots = held.has('pools') ? expected.pools : approved.pools;
  // A list that the plan leaves open, or a device of which nothing is approved.
  if (slots === undefined) return true;
  // A slot that tells no user may have any; one that tells no proxy has none.
  return slots.some((slot) => (slot[column] === undefined ? column !== 'proxy' : SAME[column](slot[column], value)));
};

/** A list by place, as what it has there, which may be nothing; as all that is in it where nobody knows the place. */
const listedAt =
  (place: number | undefined) =>
  (item: ExpectedValue): ExpectedValue =>
    isList(item) ? { ...item, class: 'set', value: atPlace(item.value, place) } : item;

const isList = (item: ExpectedValue): item is ExpectedValue & { readonly value: readonly unknown[] } =>
  item.class === 'exact' && Array.isArray(item.value);

const atPlace = <Of>(list: readonly Of[], place: number | undefined): Of[] =>
  place === undefined ? [...list] : list.slice(place, place + 1);

const isListed = (pool: unknown, { held, expected }: PlannedPools): boolean =>
  held.has('pools') && isPool(pool) && (expected.pools ?? []).some((slot) => samePool(slot, pool));

/** As `pool.slot-added` tells it of a slot that is tried before one of the reference. */
const isPutFirst = ({ after }: Deviation): boolean => isPool(after) && 'priority' in after;

/** A list says the order, too. */
const isListOther = (held: ReadonlyMap<string, Held>, expected: Facts, { pools }: Facts): boolean =>
  held.has('pools') && compareSlots(expected.pools ?? NO_SLOTS, pools ?? NO_SLOTS).reordered;

const NO_SLOTS: readonly PoolSlot[] = [];
