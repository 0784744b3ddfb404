import { FACTS, type FactName, type Facts, type PoolSlot } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { KeyClass } from '../../shared/terms.ts';
import type { ReferenceEntry } from '../appraise/device.ts';
import { canonicalPoolUrl } from '../normalise/pool-url.ts';
import type { Absent } from './absent.ts';
import { quotaOf } from './compared.ts';
import { type Circumstances, itemsAt, type Judgement, judgeValue, saysNothing } from './expected.ts';
import {
  completedList,
  isAsSeen,
  isSamePlace,
  type ListedSlot,
  nearness,
  withLists,
  withUsersBelow,
} from './listed-pools.ts';
import { DEVICE_CLOSENESS } from './scope.ts';
import { COLUMNS, type Column, type Held, tellsColumn } from './standing.ts';

/**
 * The reference of one device at one look: what is learned or accepted, with what documents lay down over it. Where a
 * seen value is among those that a document allows it is the approved one, so that rules, which compare two sets of
 * facts, need to know nothing of classes.
 */
export interface Approved {
  readonly facts: Facts;
  readonly holders: ReadonlyMap<FactName, Holders>;
  /** Classes of facts that a document holds otherwise than by their own. */
  readonly classes: ReadonlyMap<FactName, KeyClass>;
  /** Facts of which it is known, and laid down by nobody, that the device had none. */
  readonly absent?: Absent;
  /** Its parts of the firmware are those that were first seen with the version of this look, whatever its own version is. */
  readonly firstSeen?: true;
  /** So is its slot that the firmware is booted from. */
  readonly firstMedium?: true;
  /** Its texts of the firmware are those that were first seen with the family of this look, which is not the approved one. */
  readonly otherFamily?: true;
}

/** The documents that hold a fact. */
export interface Holders {
  /** `seq` of the adopting entries. */
  readonly seqs: readonly number[];
  /** A part of the fact is held to what was learned or accepted all the same: pools of which no document tells URL or user. */
  readonly beside?: true;
}

/** What stands for a value that none of those of a document is: the nearest of these, or what was known before. */
type Leaving = 'nearest' | 'known';

const isFact = (name: string): name is FactName => Object.hasOwn(FACTS, name);

/**
 * `known` are the facts of learned and accepted entries, `entryOf` the entry among them that holds a fact: one that was
 * signed for this very device is closer than a document for its group.
 */
export const approvedFacts = (
  known: Facts,
  held: ReadonlyMap<string, Held>,
  observed: Facts,
  circumstances: Circumstances,
  entryOf: (fact: FactName) => ReferenceEntry | undefined,
  leaving: Leaving = 'nearest',
): Approved => {
  const facts: { [name: string]: unknown } = { ...known };
  const holders = new Map<FactName, Holders>();
  const classes = new Map<FactName, KeyClass>();
  for (const [name, document] of held) {
    if (!isFact(name) || isCloser(entryOf(name), document)) continue;
    apply(facts, name, document, observed[name], circumstances, leaving);
    classes.set(name, itemsAt(document.items, circumstances.nowMs)[0]?.class ?? 'exact');
    if (facts[name] === undefined) continue;
    const isBeside = name === 'pools' && !tellsColumn(document, 'user', circumstances.nowMs);
    holders.set(name, { seqs: [document.seq], ...(isBeside ? { beside: true } : {}) });
  }
  const columns = COLUMNS.flatMap((column) => {
    const document = held.get(`pools.${column}`);
    return document === undefined || isCloser(entryOf('pools'), document) ? [] : [{ column, document }];
  });
  if (columns.length > 0) {
    const base = (facts.pools as readonly PoolSlot[] | undefined) ?? observed.pools ?? [];
    const slots = columns.reduce(
      (under, { column, document }) =>
        withColumn(under, column, document, observed.pools ?? [], circumstances, leaving),
      base,
    );
    facts.pools = held.has('pools') ? withUsersBelow(slots, known.pools) : slots;
    const holding = columns.filter(({ document }) => !saysNothing(document.items, circumstances.nowMs));
    if (holding.length > 0) holders.set('pools', poolHolders(holding, holders.get('pools')));
  }
  // Names are those of facts, values those of their documents, in the types of the facts: `termsProblem` saw to it.
  return { facts: facts as Facts, holders, classes };
};

/** Where work goes, and for whom: what of this no document tells is held to what stands below the documents. */
const poolHolders = (
  columns: readonly { readonly column: Column; readonly document: Held }[],
  whole: Holders | undefined,
): Holders => {
  const tells = (column: Column): boolean => columns.some((one) => one.column === column);
  const seqs = [...new Set([...(whole?.seqs ?? []), ...columns.map(({ document }) => document.seq)])];
  const isTold = (whole !== undefined || tells('url')) && ((whole !== undefined && !whole.beside) || tells('user'));
  return isTold ? { seqs } : { seqs, beside: true };
};

/** An approval of this device alone, signed, holds against documents that speak of more than it. */
export const isCloser = (entry: ReferenceEntry | undefined, { closeness, seq }: Held): boolean =>
  entry?.approval === 'signed' && (closeness < DEVICE_CLOSENESS || entry.seq > seq);

const apply = (
  facts: { [name: string]: unknown },
  name: FactName,
  { items }: Held,
  seen: unknown,
  circumstances: Circumstances,
  leaving: Leaving,
): void => {
  const volatile = itemsAt(items, circumstances.nowMs).filter((item) => item.class === 'volatile');
  const keys = volatile.flatMap(({ value }) => value ?? []);
  if (volatile.some(({ value }) => value === undefined)) {
    delete facts[name];
    return;
  }
  if (keys.length > 0 && Array.isArray(facts[name])) facts[name] = withoutParts(facts[name], keys);
  const held = items.filter((item) => item.class !== 'volatile');
  if (held.length === 0) return;
  const others = name === 'pools' ? listsOver(held, facts[name], seen) : held;
  // What could not be read this time is held to something all the same: its check did not run.
  const judgement =
    seen === undefined ? unseen(others, circumstances) : judgeValue(others, seen, circumstances, sameFact(name));
  if (judgement.kind === 'free') delete facts[name];
  else if (judgement.kind === 'fits') facts[name] = seen;
  else if (leaving === 'nearest') facts[name] = judgement.nearest;
};

const unseen = (items: Held['items'], { nowMs }: Circumstances): Judgement => {
  const [item] = itemsAt(items, nowMs);
  return item === undefined ? { kind: 'free' } : { kind: 'leaves', nearest: item.value };
};

/** A list that is compared by name or key, without these parts. */
const withoutParts = (list: readonly unknown[], keys: readonly string[]): readonly unknown[] =>
  (list as readonly { name?: string; key?: string }[]).filter(({ name, key }) => !keys.includes(name ?? key ?? ''));

/** What is left of such a list where documents leave parts of it open; of any other value all. */
export const withoutOpen = (value: unknown, items: Held['items']): unknown => {
  const open = items.flatMap((item) => (item.class === 'volatile' ? (item.value ?? []) : []));
  return open.length > 0 && Array.isArray(value) ? withoutParts(value, open) : value;
};

/** Two values of a fact are the same as its own class has it: sets without their order. */
const sameFact =
  (name: FactName) =>
  (one: unknown, other: unknown): boolean =>
    name === 'pools' && isList(one) && isList(other)
      ? isAsSeen(one, other as readonly PoolSlot[])
      : form(name, one) === form(name, other);

const form = (name: FactName, value: unknown): string => {
  if (FACTS[name].class === 'set' && Array.isArray(value)) return canonicalJson([...value].sort());
  return canonicalJson(value ?? null);
};

/** Lists of pools over what lies below them. Of alternatives the nearest to what is seen comes first, wherever the document has it. */
const listsOver = (items: Held['items'], below: unknown, seen: unknown): Held['items'] => {
  // Both are of the type of the fact; nothing below and nothing seen are undefined.
  const [known, shown] = [below as Facts['pools'], seen as Facts['pools']];
  const lists = items.map((item) => withLists(item, (list) => completedList(list, known, shown)));
  if (shown === undefined) return lists;
  const near = (value: unknown): number => (isList(value) ? nearness(value, shown) : Number.NEGATIVE_INFINITY);
  const ordered = lists.map((item) =>
    item.class === 'set' ? { ...item, value: nearestFirst(item.value, near) } : item,
  );
  return nearestFirst(ordered, (item) =>
    item.class === 'exact' || item.class === 'set'
      ? near([item.value].flat(item.class === 'set' ? 1 : 0)[0])
      : near(undefined),
  );
};

const nearestFirst = <Each>(all: readonly Each[], near: (one: Each) => number): Each[] =>
  all.toSorted((one, other) => near(other) - near(one) || 0);

const isList = (value: unknown): value is readonly ListedSlot[] => Array.isArray(value);

/** Each slot is held against the column: a list by position for `exact`, the same for every slot otherwise. */
const withColumn = (
  slots: readonly PoolSlot[],
  column: Column,
  { items, except }: Held,
  observed: readonly PoolSlot[],
  circumstances: Circumstances,
  leaving: Leaving,
): readonly PoolSlot[] =>
  slots.map((slot, index) => {
    if (except?.has(slot.slot)) return slot;
    const seen = seenIn(column, slot, counterpart(slot, column, observed));
    const judgement = judgeValue(atPosition(items, index), seen, circumstances, sameIn(column));
    if (judgement.kind === 'leaves' && leaving === 'known') return slot;
    // Of what nothing is said whatever is seen is right.
    const value = judgement.kind === 'leaves' ? judgement.nearest : seen;
    if (value === undefined) return slot;
    if (column === 'proxy' && value === NO_PROXY) return withoutProxy(slot);
    return { ...slot, [column]: isUrl(column) ? canonicalPoolUrl(String(value)) : value };
  });

/** How a document says of a slot that it has no proxy. */
const NO_PROXY = '';

const withoutProxy = ({ proxy: _, ...slot }: PoolSlot): PoolSlot => slot;

/** A slot that tells no proxy has none, and one that tells no quota the usual one; of other columns what is not told is as it was. */
const seenIn = (column: Column, slot: PoolSlot, now: PoolSlot | undefined): PoolSlot[Column] => {
  if (column === 'proxy') return (now ?? slot).proxy ?? NO_PROXY;
  return column === 'quota' ? quotaOf(now ?? slot) : (now?.[column] ?? slot[column]);
};

const isUrl = (column: Column): boolean => column === 'url' || column === 'proxy';

/** The slot that shows now what this one did. A pool that stands in another place keeps what goes with it. */
const counterpart = (slot: PoolSlot, column: Column, observed: readonly PoolSlot[]): PoolSlot | undefined => {
  const inPlace = observed.find((other) => other.slot === slot.slot);
  if (column === 'url') return inPlace;
  return [inPlace, ...observed].find((other) => other !== undefined && sameIn('url')(other.url, slot.url)) ?? inPlace;
};

const atPosition = (items: Held['items'], index: number): Held['items'] =>
  items.map((item) =>
    item.class === 'exact' && Array.isArray(item.value) ? { ...item, value: item.value[index] } : item,
  );

const sameIn =
  (column: Column) =>
  (one: unknown, other: unknown): boolean =>
    isUrl(column) ? isSamePlace(one, other) : one === other;
