import { FACTS, type FactName, type Facts, type PoolSlot } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { KeyClass } from '../../shared/terms.ts';
import type { ReferenceEntry } from '../appraise/device.ts';
import { canonicalPoolUrl } from '../normalise/pool-url.ts';
import { type Circumstances, itemsAt, type Judgement, judgeValue } from './expected.ts';
import type { Held } from './standing.ts';

/**
 * The reference of one device at one look: what is learned or accepted, with what documents lay down over it. Where a
 * seen value is among those that a document allows it is the approved one, so that rules, which compare two sets of
 * facts, need to know nothing of classes.
 */
export interface Approved {
  readonly facts: Facts;
  /** `seq` of the adopting entry of facts that a document holds. */
  readonly holders: ReadonlyMap<FactName, number>;
  /** Classes of facts that a document holds otherwise than by their own. */
  readonly classes: ReadonlyMap<FactName, KeyClass>;
}

const COLUMNS = ['url', 'user', 'priority', 'quota'] as const;
type Column = (typeof COLUMNS)[number];

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
): Approved => {
  const facts: { [name: string]: unknown } = { ...known };
  const holders = new Map<FactName, number>();
  const classes = new Map<FactName, KeyClass>();
  for (const [name, document] of held) {
    if (!isFact(name) || isCloser(entryOf(name), document)) continue;
    apply(facts, name, document, observed[name], circumstances);
    classes.set(name, itemsAt(document.items, circumstances.nowMs)[0]?.class ?? 'exact');
    if (facts[name] !== undefined) holders.set(name, document.seq);
  }
  const columns = COLUMNS.flatMap((column) => {
    const document = held.get(`pools.${column}`);
    return document === undefined || isCloser(entryOf('pools'), document) ? [] : [{ column, document }];
  });
  if (columns.length > 0) {
    const base = (facts.pools as readonly PoolSlot[] | undefined) ?? observed.pools ?? [];
    facts.pools = columns.reduce(
      (slots, { column, document }) => withColumn(slots, column, document, observed.pools ?? [], circumstances),
      base,
    );
    holders.set('pools', Math.max(...columns.map(({ document }) => document.seq)));
  }
  // Names are those of facts, values those of their documents, in the types of the facts: `termsProblem` saw to it.
  return { facts: facts as Facts, holders, classes };
};

/** An approval of this device alone, signed, holds against documents that speak of more than it. */
const isCloser = (entry: ReferenceEntry | undefined, { closeness, seq }: Held): boolean =>
  entry?.approval === 'signed' && (closeness < DEVICE_CLOSENESS || entry.seq > seq);

const DEVICE_CLOSENESS = 200;

const apply = (
  facts: { [name: string]: unknown },
  name: FactName,
  { items }: Held,
  seen: unknown,
  circumstances: Circumstances,
): void => {
  const volatile = itemsAt(items, circumstances.nowMs).filter((item) => item.class === 'volatile');
  const keys = volatile.flatMap(({ value }) => value ?? []);
  if (volatile.some(({ value }) => value === undefined)) {
    delete facts[name];
    return;
  }
  if (keys.length > 0 && Array.isArray(facts[name])) facts[name] = withoutParts(facts[name], keys);
  const others = items.filter((item) => item.class !== 'volatile');
  if (others.length === 0) return;
  // What could not be read this time is held to something all the same: its check did not run.
  const judgement =
    seen === undefined ? unseen(others, circumstances) : judgeValue(others, seen, circumstances, sameFact(name));
  if (judgement.kind === 'free') delete facts[name];
  else facts[name] = judgement.kind === 'fits' ? seen : judgement.nearest;
};

const unseen = (items: Held['items'], { nowMs }: Circumstances): Judgement => {
  const [item] = itemsAt(items, nowMs);
  return item === undefined ? { kind: 'free' } : { kind: 'leaves', nearest: item.value };
};

const withoutParts = (list: readonly unknown[], keys: readonly string[]): readonly unknown[] =>
  (list as readonly { name?: string; key?: string }[]).filter(({ name, key }) => !keys.includes(name ?? key ?? ''));

/** Two values of a fact are the same as its own class has it: sets without their order. */
const sameFact =
  (name: FactName) =>
  (one: unknown, other: unknown): boolean =>
    form(name, one) === form(name, other);

const form = (name: FactName, value: unknown): string => {
  if (FACTS[name].class === 'set' && Array.isArray(value)) return canonicalJson([...value].sort());
  if (name === 'pools' && Array.isArray(value)) return canonicalJson(value.map(configured));
  return canonicalJson(value ?? null);
};

/** A slot without what changes by itself. */
const configured = (pool: Partial<PoolSlot>): object => ({
  slot: pool.slot ?? null,
  url: canonicalPoolUrl(String(pool.url)),
  user: pool.user ?? null,
});

/** Each slot is held against the column: a list by position for `exact`, the same for every slot otherwise. */
const withColumn = (
  slots: readonly PoolSlot[],
  column: Column,
  { items }: Held,
  observed: readonly PoolSlot[],
  circumstances: Circumstances,
): readonly PoolSlot[] =>
  slots.map((slot, index) => {
    const seen = observed.find((other) => other.slot === slot.slot)?.[column] ?? slot[column];
    const judgement = judgeValue(atPosition(items, index), seen, circumstances, sameIn(column));
    if (judgement.kind === 'free') return slot;
    const value = judgement.kind === 'fits' ? seen : judgement.nearest;
    return { ...slot, [column]: column === 'url' ? canonicalPoolUrl(String(value)) : value };
  });

const atPosition = (items: Held['items'], index: number): Held['items'] =>
  items.map((item) =>
    item.class === 'exact' && Array.isArray(item.value) ? { ...item, value: item.value[index] } : item,
  );

const sameIn =
  (column: Column) =>
  (one: unknown, other: unknown): boolean =>
    column === 'url' ? canonicalPoolUrl(String(one)) === canonicalPoolUrl(String(other)) : one === other;
