import type { PoolSlot } from '../../shared/facts.ts';
import { accountOf } from '../../shared/pool-user.ts';
import { parseEndpoint, sameUrl } from './pool-url.ts';

/** How two lists of configured slots differ. Slots are matched by their position among the filled ones: blank slots say nothing. */
export interface SlotChanges {
  readonly changed: readonly SlotChange[];
  readonly added: readonly NumberedSlot[];
  readonly removed: readonly NumberedSlot[];
  /** The same set of slots in another order, or with other quotas. */
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

/** No firmware has more; what a device claims beyond is counted, not listed. */
const MOST_SLOTS = 16;

/** The filled slots in order. */
export const filledSlots = (pools: readonly PoolSlot[]): readonly PoolSlot[] =>
  pools
    .filter(({ url }) => url.trim() !== '')
    .sort((a, b) => a.slot - b.slot)
    .slice(0, MOST_SLOTS);

const part = (index: number): string => `slot ${index}`;

const numbered = (slot: PoolSlot, index: number): NumberedSlot => ({ part: part(index), slot });

/** A user that one side does not tell is no difference. */
export const samePool = (a: PoolSlot, b: PoolSlot): boolean =>
  sameUrl(a.url, b.url) && (a.user === undefined || b.user === undefined || a.user === b.user);

const sameOrder = (a: readonly PoolSlot[], b: readonly PoolSlot[]): boolean =>
  a.every((slot, index) => samePool(slot, b[index] as PoolSlot));

/** In the order in which they are tried. */
export const byPriority = (slots: readonly PoolSlot[]): readonly PoolSlot[] =>
  [...slots].sort((a, b) => a.priority - b.priority || a.slot - b.slot);

const samePools = (a: readonly PoolSlot[], b: readonly PoolSlot[]): boolean => {
  const left = [...b];
  for (const slot of a) {
    const at = left.findIndex((other) => samePool(slot, other));
    if (at === -1) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
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

const NOTHING: SlotChanges = { changed: [], added: [], removed: [], reordered: false };

const sameLength = (before: readonly PoolSlot[], after: readonly PoolSlot[]): SlotChanges => {
  if (!samePools(before, after)) return { ...NOTHING, changed: inPlace(before, after) };
  const kept =
    sameOrder(before, after) &&
    sameOrder(byPriority(before), byPriority(after)) &&
    before.every(({ quota }, index) => quota === after[index]?.quota);
  return { ...NOTHING, reordered: !kept };
};

const inPlace = (before: readonly PoolSlot[], after: readonly PoolSlot[]): readonly SlotChange[] =>
  before.flatMap((slot, index) => {
    const now = after[index];
    return now === undefined || samePool(slot, now) ? [] : [{ part: part(index), before: slot, after: now }];
  });

/** What became of the slots. A swap is an order, an insertion is an addition: neither is reported as changed slots. */
export const compareSlots = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): SlotChanges => {
  const [before, after] = [filledSlots(approved), filledSlots(observed)];
  if (before.length === after.length) return sameLength(before, after);
  if (before.length < after.length) {
    const added = leftOver(before, after);
    if (added !== undefined) return { ...NOTHING, added };
    return { ...NOTHING, changed: inPlace(before, after), added: after.map(numbered).slice(before.length) };
  }
  const removed = leftOver(after, before);
  if (removed !== undefined) return { ...NOTHING, removed };
  return { ...NOTHING, changed: inPlace(before, after), removed: before.map(numbered).slice(after.length) };
};

/** Each approved slot with what became of it: the same pool wherever it stands now, else the one in its place. */
export const pairedSlots = (approved: readonly PoolSlot[], observed: readonly PoolSlot[]): readonly SlotChange[] => {
  const after = filledSlots(observed);
  const kept = filledSlots(approved).flatMap((before, index) => {
    const same = [after[index], ...after].find((slot) => slot !== undefined && samePool(before, slot));
    return same === undefined ? [] : [{ part: part(index), before, after: same }];
  });
  return [...kept, ...compareSlots(approved, observed).changed];
};

/** Whether a slot that told its user is shown without one now. A slot that never told any says nothing by that. */
export const leavesOutUsers = (known: readonly PoolSlot[], shown: readonly PoolSlot[]): boolean =>
  shown.some(({ user }) => user === undefined) &&
  pairedSlots(known, shown).some(({ before, after }) => before.user !== undefined && after.user === undefined);

/** Whether what is found of this slot is true of the pool that runs, too: one that tells no user says nothing of that of the other. */
export const isToldBy = (slot: PoolSlot, running: PoolSlot): boolean =>
  samePool(slot, running) && (slot.user !== undefined || running.user === undefined);

/**
 * Two lists of one device spell schemes and fragments differently, append workers to users that have none, and leave out paths, which may be
 * the keys of pools.
 */
const isSpelledOtherwise = (known: PoolSlot, told: PoolSlot): boolean => {
  if (known.user !== undefined && told.user !== undefined && accountOf(known.user) !== accountOf(told.user))
    return false;
  const [one, other] = [parseEndpoint(known.url), parseEndpoint(told.url)];
  const paths = new Set([one.path, other.path].map(withoutFragment).filter((path) => path !== ''));
  return one.account === other.account && one.host === other.host && one.port === other.port && paths.size < 2;
};

const withoutFragment = (path: string): string => path.replace(/#.*$/s, '').replace(/\/$/, '').toLowerCase();

/** The pools that another list of the device tells, and that are none of the known ones, however that spells them. */
export const strangersIn = (told: readonly PoolSlot[], known: readonly PoolSlot[]): readonly PoolSlot[] =>
  told.filter((pool) => !known.some((slot) => isSpelledOtherwise(slot, pool)));

/** The known slots with strangers: in their place where nothing is known of it, else behind all others. */
export const withStrangers = (known: readonly PoolSlot[], strangers: readonly PoolSlot[]): readonly PoolSlot[] => {
  const filled = new Set(known.map(({ slot }) => slot));
  let last = Math.max(...filled, ...strangers.map(({ slot }) => slot));
  const placed = strangers.map((pool) => (filled.has(pool.slot) ? { ...pool, slot: ++last } : pool));
  return [...known, ...placed];
};

/** A slot as a before- or after-value. */
export const slotValue = ({ url, user }: PoolSlot): { readonly url: string; readonly user?: string } => ({
  url,
  ...(user === undefined ? {} : { user }),
});
