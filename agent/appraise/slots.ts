import type { FeePool, PoolSlot } from '../../shared/facts.ts';
import { payeeOf } from '../../shared/pool-user.ts';
import { quotaOf } from '../baseline/compared.ts';
import { endpointText, parseEndpoint, sameUrl } from './pool-url.ts';

/**
 * How two lists of configured slots differ. Slots are matched by their position among the filled ones: blank slots say nothing. A
 * device may fill as many as its reply has room for, so nothing here holds each slot against each other one.
 */
export interface SlotChanges {
  readonly changed: readonly SlotChange[];
  readonly added: readonly NumberedSlot[];
  readonly removed: readonly NumberedSlot[];
  /** The slots that both lists have are in another order, or have other quotas or shares, whatever came, went or changed beside that. */
  readonly reordered: boolean;
}

/** A pool slot with its place in the list. */
export interface NumberedSlot {
  /** `slot 0` and so on, the name of a part. */
  readonly part: string;
  readonly slot: PoolSlot;
}

/** A pool slot that shows something else than before. */
export interface SlotChange {
  readonly part: string;
  readonly before: PoolSlot;
  readonly after: PoolSlot;
}

/** The filled slots in order. */
export const filledSlots = (pools: readonly PoolSlot[]): readonly PoolSlot[] =>
  pools.filter(({ url }) => url.trim() !== '').sort((a, b) => a.slot - b.slot);

const part = (index: number): string => `slot ${index}`;

const numbered = (slot: PoolSlot, index: number): NumberedSlot => ({ part: part(index), slot });

/** A user that one side does not tell is no difference. */
export const samePool = (a: Pick<FeePool, 'url' | 'user'>, b: Pick<FeePool, 'url' | 'user'>): boolean =>
  sameUrl(a.url, b.url) && (a.user === undefined || b.user === undefined || a.user === b.user);

/** A slot of a document may have no priority that anybody tells: it stands where its number has it. */
const turnOf = ({ priority, slot }: Partial<Pick<PoolSlot, 'priority'>> & Pick<PoolSlot, 'slot'>): number =>
  priority ?? slot;

const inTurn = (a: PoolSlot, b: PoolSlot): number => turnOf(a) - turnOf(b) || a.slot - b.slot;

/** In the order in which they are tried. */
export const byPriority = (slots: readonly PoolSlot[]): readonly PoolSlot[] => [...slots].sort(inTurn);

/** Slots to be found by their pool. */
class Shelf {
  readonly #byUrl: ReadonlyMap<string, number[]>;
  readonly #byPool: ReadonlyMap<string, number[]>;
  readonly #taken: Set<number>;

  /** `taken`: places that are not to be found. */
  constructor(slots: readonly PoolSlot[], taken: Iterable<number> = []) {
    const places = [...slots.keys()];
    this.#byUrl = Map.groupBy(places, (place) => endpointText((slots[place] as PoolSlot).url));
    this.#byPool = Map.groupBy(places, (place) => poolText(slots[place] as PoolSlot));
    this.#taken = new Set(taken);
  }

  /** The first place of this pool, that with its very user before one that tells none; undefined where there is none. */
  find(slot: PoolSlot): number | undefined {
    const { url, user } = slot;
    if (user === undefined) return this.#first(this.#byUrl.get(endpointText(url)));
    return this.#first(this.#byPool.get(poolText(slot))) ?? this.#first(this.#byPool.get(poolText({ url })));
  }

  /** The same, once. */
  take(slot: PoolSlot): number | undefined {
    const place = this.find(slot);
    if (place !== undefined) this.#taken.add(place);
    return place;
  }

  #first(places: number[] = []): number | undefined {
    while (places[0] !== undefined && this.#taken.has(places[0])) places.shift();
    return places[0];
  }
}

const poolText = ({ url, user }: Pick<PoolSlot, 'url' | 'user'>): string => JSON.stringify([endpointText(url), user]);

/** Two slots of which one became the other. */
interface Pair {
  readonly before: PoolSlot;
  readonly after: PoolSlot;
}

/** Each slot of `before` with what became of it: the same pool, best in its place, else what is new in its place. */
const pairsOf = (before: readonly PoolSlot[], after: readonly PoolSlot[]): ReadonlyMap<number, number> => {
  const pairs = new Map<number, number>();
  for (const [index, slot] of before.entries()) {
    const now = after[index];
    if (now !== undefined && samePool(slot, now)) pairs.set(index, index);
  }
  const shelf = new Shelf(after, pairs.values());
  for (const [index, slot] of before.entries()) {
    const place = pairs.has(index) ? undefined : shelf.take(slot);
    if (place !== undefined) pairs.set(index, place);
  }
  const met = new Set(pairs.values());
  for (const index of before.keys())
    if (!pairs.has(index) && !met.has(index) && index < after.length) pairs.set(index, index);
  return pairs;
};

/** Whether these are in another order than they were. That two of one pool changed places is none. */
const isReordered = (pairs: readonly Pair[], order: (a: PoolSlot, b: PoolSlot) => number): boolean => {
  const [was, is] = [
    pairs.toSorted((a, b) => order(a.before, b.before)),
    pairs.toSorted((a, b) => order(a.after, b.after)),
  ];
  return was.some((pair, at) => {
    const other = is[at] as Pair;
    return pair !== other && !(samePool(pair.before, other.before) && samePool(pair.after, other.after));
  });
};

/** Of a slot whose priority nobody tells no other one can be found. */
const tellsTurns = ({ before, after }: { before: Partial<PoolSlot>; after: Partial<PoolSlot> }): boolean =>
  before.priority !== undefined && after.priority !== undefined;

const bySlot = (a: PoolSlot, b: PoolSlot): number => a.slot - b.slot;

/** `changed`: a slot that is told as changed stands in its place, wherever its former pool, which may only run, is listed behind all that were known. */
const reordered = (
  before: readonly PoolSlot[],
  after: readonly PoolSlot[],
  { changed }: Pick<SlotChanges, 'changed'>,
): boolean => {
  const [paired, told] = [pairsOf(before, after), new Set(changed.map((change) => change.before))];
  const met = new Set(paired.values());
  const isReplaced = (was: number, is: number): boolean =>
    is >= before.length && !met.has(was) && told.has(before[was] as PoolSlot);
  const pairs = [...paired].map(([was, is]) => ({
    before: before[was] as PoolSlot,
    after: after[isReplaced(was, is) ? was : is] as PoolSlot,
  }));
  return (
    isReordered(pairs, bySlot) ||
    isReordered(pairs.filter(tellsTurns), inTurn) ||
    pairs.some(({ before, after }) => quotaOf(before) !== quotaOf(after) || before.share_ppm !== after.share_ppm)
  );
};

/** Whether two lists of one length hold the same pools, in whatever order. */
const samePools = (before: readonly PoolSlot[], after: readonly PoolSlot[]): boolean => {
  const pairs = [...pairsOf(before, after)];
  return (
    pairs.length === before.length &&
    pairs.every(([was, is]) => samePool(before[was] as PoolSlot, after[is] as PoolSlot))
  );
};

/** The slots of `longer` that are left over when `shorter` is found in it in order; undefined when it is not. */
const leftOver = (shorter: readonly PoolSlot[], longer: readonly PoolSlot[]): readonly NumberedSlot[] | undefined => {
  const rest: NumberedSlot[] = [];
  let at = 0;
  for (const [index, slot] of longer.entries()) {
    const wanted = shorter[at];
    if (wanted !== undefined && samePool(wanted, slot)) at += 1;
    else rest.push(numbered(slot, index));
  }
  return at === shorter.length ? rest : undefined;
};

/** The slots that became of none that was known. Which of two alike that is `pairsOf` says, for what else is told of a slot, too. */
const unpaired = (before: readonly PoolSlot[], after: readonly PoolSlot[]): readonly NumberedSlot[] => {
  const met = new Set(pairsOf(before, after).values());
  return after.map(numbered).filter((_, place) => !met.has(place));
};

const inPlace = (before: readonly PoolSlot[], after: readonly PoolSlot[]): readonly SlotChange[] =>
  before.flatMap((slot, index) => {
    const now = after[index];
    return now === undefined || samePool(slot, now) ? [] : [{ part: part(index), before: slot, after: now }];
  });

/**
 * The slots behind all those that were known, without the pools which the changed ones held before: these stand at another place. What differs in
 * anything that decides where work goes is none of them.
 */
const behind = (
  before: readonly PoolSlot[],
  after: readonly PoolSlot[],
  changed: readonly SlotChange[],
): readonly NumberedSlot[] => {
  const kept = Map.groupBy(
    changed.map((change) => change.before),
    exactText,
  );
  return after
    .map(numbered)
    .slice(before.length)
    .filter(({ slot }) => kept.get(exactText(slot))?.pop() === undefined);
};

const exactText = ({ url, user, proxy }: PoolSlot): string =>
  JSON.stringify([endpointText(url), user, proxy === undefined ? undefined : endpointText(proxy)]);

type SetChanges = Omit<SlotChanges, 'reordered'>;

const NOTHING: SetChanges = { changed: [], added: [], removed: [] };

const setChanges = (before: readonly PoolSlot[], after: readonly PoolSlot[]): SetChanges => {
  if (before.length === after.length)
    return samePools(before, after) ? NOTHING : { ...NOTHING, changed: inPlace(before, after) };
  if (before.length < after.length) {
    if (leftOver(before, after) !== undefined) return { ...NOTHING, added: unpaired(before, after) };
    const changed = inPlace(before, after);
    return { ...NOTHING, changed, added: behind(before, after, changed) };
  }
  const removed = leftOver(after, before);
  if (removed !== undefined) return { ...NOTHING, removed };
  return { ...NOTHING, changed: inPlace(before, after), removed: before.map(numbered).slice(after.length) };
};

/** What became of the slots. A swap is an order, an insertion is an addition: neither is reported as changed slots. */
export const compareSlots = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): SlotChanges => {
  const [known, shown] = compared.get(observed) ?? [];
  if (known === approved && shown !== undefined) return shown;
  const [before, after] = [filledSlots(approved), filledSlots(observed)];
  const told = setChanges(before, after);
  const changes = { ...told, reordered: reordered(before, after, told) };
  compared.set(observed, [approved, changes]);
  return changes;
};

/** What a list was compared with last: several rules ask the same of one look. */
const compared = new WeakMap<readonly PoolSlot[], readonly [readonly PoolSlot[], SlotChanges]>();

/** Each approved slot with what became of it: the same pool wherever it stands now, else the one in its place. */
export const pairedSlots = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): readonly SlotChange[] => {
  const [known, after] = [filledSlots(approved), filledSlots(observed)];
  const shelf = new Shelf(after);
  const kept = known.flatMap((before, index) => {
    const inItsPlace = after[index];
    const place = inItsPlace !== undefined && samePool(before, inItsPlace) ? index : shelf.find(before);
    const now = place === undefined ? undefined : after[place];
    return now === undefined ? [] : [{ part: part(index), before, after: now }];
  });
  return [...kept, ...setChanges(known, after).changed];
};

/** The slots that are reached through another proxy than before, or through one and not, wherever they stand now. */
export const otherProxies = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): readonly SlotChange[] => {
  if (![...approved, ...observed].some(({ proxy }) => proxy !== undefined)) return [];
  const [known, shown] = [filledSlots(approved), filledSlots(observed)];
  return [...pairsOf(known, shown)]
    .map(([was, is]) => ({ part: part(was), before: known[was] as PoolSlot, after: shown[is] as PoolSlot }))
    .filter(({ before, after }) => !sameProxy(before.proxy, after.proxy));
};

const sameProxy = (a: string | undefined, b: string | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && sameUrl(a, b));

/** An approved slot, with the one that is mined on of those that it is now. */
interface SlotUse {
  readonly slot: PoolSlot;
  /** As approved, wherever it stands, or what it became in its place. */
  readonly used?: PoolSlot;
}

/** How the approved slots are mined on, in the order in which they are tried. */
export const usesOf = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): readonly SlotUse[] => {
  const [known, shown] = [filledSlots(approved), filledSlots(observed)];
  const active = shown.filter((slot) => slot.active === true);
  const [pairs, shelf] = [pairsOf(known, shown), new Shelf(active)];
  const places = new Map(known.map((slot, index) => [slot, pairs.get(index)]));
  return byPriority(known).map((slot) => {
    const [place, now] = [shelf.find(slot), shown[places.get(slot) ?? shown.length]];
    const used = place === undefined ? now : active[place];
    return { slot, ...(used?.active === true ? { used } : {}) };
  });
};

/** Whether a slot that told its user is shown without one now. A slot that never told any says nothing by that. */
export const leavesOutUsers = (known: readonly PoolSlot[], shown: readonly PoolSlot[]): boolean =>
  shown.some(({ user }) => user === undefined) &&
  pairedSlots(known, shown).some(({ before, after }) => before.user !== undefined && after.user === undefined);

/** Whether what is found of one of these slots is true of a pool that runs, too: one that tells no user says nothing of that of the other. */
export const tellsOf = (slots: readonly PoolSlot[]): ((running: PoolSlot) => boolean) => {
  const urls = new Set(slots.map(({ url }) => endpointText(url)));
  const pools = new Set(slots.map(poolText));
  return (running) => (running.user === undefined ? urls.has(endpointText(running.url)) : pools.has(poolText(running)));
};

/**
 * A pool as far as two lists of one device agree about it: they spell schemes and fragments differently, append workers to users that
 * have none, and leave out paths, which may be the keys of pools.
 */
interface Told {
  readonly place: string;
  readonly path: string;
  readonly account: string | undefined;
  readonly proxy: string | undefined;
}

const toldOf = ({ url, user, proxy }: PoolSlot): Told => {
  const { account, host, port, path } = parseEndpoint(url);
  return {
    place: JSON.stringify([account, host, port]),
    path: path.replace(/#.*$/s, '').replace(/\/$/, '').toLowerCase(),
    account: user === undefined ? undefined : payeeOf(user),
    proxy,
  };
};

const maySayTheSame = (one: Told, other: Told): boolean =>
  (other.proxy === undefined || sameProxy(one.proxy, other.proxy)) &&
  (one.path === other.path || one.path === '' || other.path === '') &&
  (one.account === other.account || one.account === undefined || other.account === undefined);

/** The pools that another list of the device tells, and that are none of the known ones, however that spells them. */
export const strangersIn = (told: readonly PoolSlot[], known: readonly PoolSlot[]): readonly PoolSlot[] => {
  const places = Map.groupBy(known.map(toldOf), ({ place }) => place);
  return told.filter((pool) => {
    const spelled = toldOf(pool);
    return places.get(spelled.place)?.some((slot) => maySayTheSame(slot, spelled)) !== true;
  });
};

/** The known slots with strangers: in their place where nothing is known of it, else behind all others. */
export const withStrangers = (known: readonly PoolSlot[], strangers: readonly PoolSlot[]): readonly PoolSlot[] => {
  const filled = new Set(known.map(({ slot }) => slot));
  let last = Math.max(...filled, ...strangers.map(({ slot }) => slot));
  const placed = strangers.map((pool) => (filled.has(pool.slot) ? { ...pool, slot: ++last } : pool));
  return [...known, ...placed];
};

/** A slot as a before- or after-value. */
export const slotValue = ({ url, user, proxy }: PoolSlot): Pick<PoolSlot, 'url' | 'user' | 'proxy'> => ({
  url,
  ...(user === undefined ? {} : { user }),
  ...(proxy === undefined ? {} : { proxy }),
});

/**
 * What an after-value says of an added slot beside its pool: that it is mined on, and its priority where one of the reference is tried
 * after it. So it is told again when it is put to the front later.
 */
export const standingAmong = (
  approved: readonly PoolSlot[],
  observed: readonly PoolSlot[],
): ((added: PoolSlot) => Pick<Partial<PoolSlot>, 'priority' | 'active'>) => {
  const shown = filledSlots(observed);
  const known = [...pairsOf(filledSlots(approved), shown).values()].map((place) => shown[place] as PoolSlot);
  const last = byPriority(known).at(-1);
  return (added) => ({
    ...(last !== undefined && inTurn(added, last) < 0 ? { priority: added.priority } : {}),
    ...(added.active === true ? { active: true } : {}),
  });
};
