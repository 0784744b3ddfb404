import type { PoolSlot } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { canonicalPoolUrl } from '../normalise/pool-url.ts';
import { quotaOf } from './compared.ts';

/**
 * Lists of pools as documents tell them. Whoever wrote one may have left out columns: of these it says nothing, and they are held to what
 * lies below it; where that does not know them they are not judged.
 */

/** A slot of such a list. */
export type ListedSlot = Pick<PoolSlot, 'slot' | 'url'> & Partial<PoolSlot>;

/** Two URLs of one pool, however spelled. */
export const isSamePlace = (one: unknown, other: unknown): boolean =>
  canonicalPoolUrl(String(one)) === canonicalPoolUrl(String(other));

/**
 * The list with what it leaves out as it lies below, or as it is seen where nothing below tells it. One that tells no proxy says that there
 * is none. A slot whose priority nobody tells is left without one.
 */
export const completedList = (
  list: readonly ListedSlot[],
  below: readonly PoolSlot[] = [],
  seen: readonly PoolSlot[] = [],
): readonly ListedSlot[] => {
  const stays = new Set(list.map(placeOf));
  const [known, now] = [new Shelf(below, stays), new Shelf(seen, stays)];
  return inOrder(
    list.map((slot) => completed(slot, known, now)),
    known,
    now,
  );
};

/** Slots by their number and by their pool: a device may show as many as its reply has room for. */
class Shelf {
  readonly #numbered: ReadonlyMap<number, PoolSlot>;
  readonly #placed: ReadonlyMap<string, PoolSlot>;
  readonly #moved: ReadonlyMap<string, PoolSlot>;

  /** `stays`: places where a list leaves a pool. Whatever stands there is none that it has moved. */
  constructor(slots: readonly PoolSlot[], stays: ReadonlySet<string>) {
    // Of several the first one counts.
    const first = slots.toReversed();
    this.#numbered = new Map(first.map((slot) => [slot.slot, slot]));
    this.#placed = new Map(first.map((slot) => [placeOf(slot), slot]));
    const moved = first.filter((slot) => !stays.has(placeOf(slot)));
    this.#moved = new Map(moved.map((slot) => [canonicalPoolUrl(slot.url), slot]));
  }

  /** The slot of this number, whatever pool it holds. */
  at(place: number): PoolSlot | undefined {
    return this.#numbered.get(place);
  }

  /** The slot of this pool: in its place, else one that the list has moved from where it stood. */
  poolOf(slot: ListedSlot): PoolSlot | undefined {
    return this.#placed.get(placeOf(slot)) ?? this.#moved.get(canonicalPoolUrl(slot.url));
  }
}

const placeOf = ({ slot, url }: ListedSlot): string => `${slot} ${canonicalPoolUrl(url)}`;

/** What an expected value says of pools, each list of it completed so. */
export const withLists = (
  item: ExpectedValue,
  complete: (list: readonly ListedSlot[]) => readonly ListedSlot[],
): ExpectedValue => {
  // What is no list is none that any look shows: it is compared as it is.
  const each = (value: unknown): unknown => (Array.isArray(value) ? complete(value as readonly ListedSlot[]) : value);
  if (item.class === 'exact') return { ...item, value: each(item.value) };
  if (item.class === 'set') return { ...item, value: item.value.map(each) };
  if (item.class !== 'schedule') return item;
  const { slots, otherwise, ...when } = item.value;
  return {
    ...item,
    value: {
      ...when,
      slots: slots.map((slot) => ({ ...slot, value: each(slot.value) })),
      ...(otherwise === undefined ? {} : { otherwise: each(otherwise) }),
    },
  };
};

/** Whether a completed list is what is seen, slot by slot: what the device does not tell of a connection is no difference. */
export const isAsSeen = (list: readonly ListedSlot[], seen: readonly PoolSlot[]): boolean =>
  list.length === seen.length &&
  list.every((slot, at) => {
    const now = seen[at] as PoolSlot;
    return (
      isSamePool(slot, now) &&
      slot.priority === now.priority &&
      quotaOf(slot) === quotaOf(now) &&
      slot.share_ppm === now.share_ppm &&
      (slot.tls === now.tls || slot.tls === undefined || now.tls === undefined)
    );
  });

/** How near a list is to what is seen: where the work goes counts before for whom, and both before slots that are too many or missing. */
export const nearness = (list: readonly ListedSlot[], seen: readonly PoolSlot[]): number => {
  const matches = list.map((slot) => {
    const now = seen.find((other) => other.slot === slot.slot);
    if (now === undefined || !isSamePlace(slot.url, now.url)) return 0;
    return isSamePool(slot, now) ? 4 : 3;
  });
  return matches.reduce<number>((sum, one) => sum + one, 0) - Math.abs(list.length - seen.length);
};

/** The slots with the users that are known below of these pools, where they have none. */
export const withUsersBelow = (slots: readonly PoolSlot[], below: readonly PoolSlot[] = []): readonly PoolSlot[] => {
  if (slots.every(({ user }) => user !== undefined)) return slots;
  const known = new Shelf(below, new Set(slots.map(placeOf)));
  return slots.map((slot) => {
    const user = slot.user ?? userBelow(slot, known);
    return user === undefined ? slot : { ...slot, user };
  });
};

const isSamePool = (slot: ListedSlot, now: PoolSlot): boolean =>
  slot.slot === now.slot &&
  isSamePlace(slot.url, now.url) &&
  slot.user === now.user &&
  (slot.proxy === undefined ? now.proxy === undefined : now.proxy !== undefined && isSamePlace(slot.proxy, now.proxy));

/** Nobody approved another account by leading the work to another pool. */
const userBelow = (slot: ListedSlot, below: Shelf): string | undefined =>
  (below.poolOf(slot) ?? below.at(slot.slot))?.user;

const completed = (slot: ListedSlot, below: Shelf, seen: Shelf): ListedSlot => {
  const [known, now] = [below.poolOf(slot), seen.poolOf(slot)];
  const inPlace = now ?? seen.at(slot.slot);
  const { quota: _, ...told } = slot;
  const user = slot.user ?? userBelow(slot, below) ?? now?.user;
  const tls = slot.tls ?? known?.tls ?? inPlace?.tls;
  const share = slot.share_ppm ?? (known ?? inPlace)?.share_ppm;
  const quota = quotaAs(slot.quota ?? (known ?? inPlace)?.quota, inPlace);
  return {
    ...told,
    url: canonicalPoolUrl(slot.url),
    ...(slot.proxy === undefined ? {} : { proxy: canonicalPoolUrl(slot.proxy) }),
    ...(user === undefined ? {} : { user }),
    ...(tls === undefined ? {} : { tls }),
    ...(share === undefined ? {} : { share_ppm: share }),
    ...(quota === undefined ? {} : { quota }),
  };
};

/** The usual quota is told by some families, and left out by others. */
const quotaAs = (quota: number | undefined, now: PoolSlot | undefined): number | undefined =>
  now !== undefined && (quota ?? 1) === quotaOf(now) ? now.quota : quota;

/**
 * Priorities say an order, and whoever gives them counts in his own way: where the slots of which one is told are in that order, all are
 * as seen. So those of which none is told are where they are.
 */
const inOrder = (list: readonly ListedSlot[], below: Shelf, seen: Shelf): readonly ListedSlot[] => {
  const turns = list.map(({ slot, priority }) => ({
    slot,
    told: priority ?? below.at(slot)?.priority,
    now: seen.at(slot)?.priority,
  }));
  const both = turns.filter(({ told, now }) => told !== undefined && now !== undefined);
  const order = (turn: 'told' | 'now'): readonly number[] =>
    both.toSorted((a, b) => (a[turn] ?? 0) - (b[turn] ?? 0) || a.slot - b.slot).map(({ slot }) => slot);
  const isKept = order('told').join() === order('now').join();
  return list.map(({ priority: _, ...slot }, at) => {
    const { told, now } = turns[at] ?? {};
    const priority = isKept ? (now ?? told) : told;
    return { ...slot, ...(priority === undefined ? {} : { priority }) };
  });
};
