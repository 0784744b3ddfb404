import { FACTS, type FactName, type PoolSlot } from '../../shared/facts.ts';
import {
  type ExpectedValue,
  isBlanket,
  mayBeBlanket,
  namesRule,
  type Plan,
  type ReferenceTerms,
  type Terms,
  type Waiver,
} from '../../shared/terms.ts';
import { itemsAt, saysNothing, scheduled, scheduledNear, TOLERANCE_MS, valuesOf } from './expected.ts';
import { closeness, type Described, isForBecome, KIND_FACTS, KIND_MEMBERS, speaksOf } from './scope.ts';

/** What approvers laid down and the log holds: reference documents, plans and waivers in force, and whom they speak of. */

/** A document that an entry of the log adopted. */
export interface Adopted<Of> {
  /** `seq` of that entry. */
  readonly seq: number;
  readonly terms: Of;
  /** Digest of the signed message, or of the canonical terms that a person at the gateway adopted unsigned; b64u. */
  readonly sha256: string;
  /** Who signed, by the names of their keys, or the person at the gateway. */
  readonly by: readonly string[];
  /** Unix seconds. */
  readonly adoptedAt: number;
}

/** The documents in force, by kind. */
export interface Standing {
  readonly references: readonly Adopted<ReferenceTerms>[];
  readonly plans: readonly Adopted<Plan>[];
  readonly waivers: readonly Adopted<Waiver>[];
  /** Facts that change by themselves and that a document holds to something all the same. */
  readonly watched: ReadonlySet<FactName>;
}

/** What is in force, from what was adopted and neither closed nor withdrawn. */
export const standingOf = (adopted: Omit<Standing, 'watched'>): Standing => ({
  ...adopted,
  watched: watchedFacts(adopted.references),
});

const isVolatile = (fact: string): fact is FactName =>
  Object.hasOwn(FACTS, fact) && FACTS[fact as FactName].class === 'volatile';

const watchedFacts = (references: Standing['references']): ReadonlySet<FactName> =>
  new Set(references.flatMap(({ terms }) => (terms.values ?? []).map(({ fact }) => fact).filter(isVolatile)));

/** No document is in force. */
export const NOTHING_STANDING: Standing = standingOf({ references: [], plans: [], waivers: [] });

/** Whether a document in force speaks of the devices that tell this fact so, and not of others. */
export const isScopedBy = ({ references, plans, waivers }: Standing, fact: FactName): boolean => {
  const member = fact === 'identity.model' ? 'models' : fact === 'firmware.version' ? 'firmware' : undefined;
  return (
    member !== undefined &&
    [...references, ...plans, ...waivers].some(({ terms: { scope } }) => scope?.[member] !== undefined)
  );
};

/** A change that comes late is told as such for this long after the window, ms. */
const LATE_MS = 24 * 3_600_000;

/** Whether a document counts for this device: its scope fits, but for what an edit of the configuration did to that. */
export const countsFor = ({ sha256, terms }: Pick<Adopted<Terms>, 'sha256' | 'terms'>, who: Described): boolean =>
  who.edited?.apart.includes(sha256) !== true && (speaksOf(terms, who) || isKept(terms, who));

const isKept = (terms: Terms, { edited }: Described): boolean =>
  terms.kind === 'reference' && edited?.kept.includes(terms.ref_id) === true;

/** What the documents say of one fact, or of one column of the pools, of one device. */
export interface Held {
  readonly items: readonly ExpectedValue[];
  /** `seq` of the entry that adopted the document. */
  readonly seq: number;
  readonly refId: string;
  readonly closeness: number;
  /** Its scope fits the device no more, since the configuration was edited. */
  readonly kept?: true;
  /** Of a column of the pools: the slots of which a document that holds over this one tells it in its list. */
  readonly except?: ReadonlySet<number>;
}

/** Columns of the pools of which a document may tell one by itself. */
export const COLUMNS = ['url', 'user', 'priority', 'quota', 'proxy'] as const;

/** One of them. */
export type Column = (typeof COLUMNS)[number];

/**
 * By name of the fact or column: the document that names the device most closely, then the newest, says it, with the values that
 * count now. One whose scope fits it no more, since the configuration was edited, gives way to others, but not to one that says nothing.
 * What a list of pools tells of a column holds over a document for that column in the same way.
 */
export const heldBy = (standing: Standing, who: Described, nowMs: number): ReadonlyMap<string, Held> => {
  const held = new Map<string, Held>();
  const counting = standing.references.filter(({ terms, sha256 }) => terms.values && countsFor({ terms, sha256 }, who));
  const [fitting = [], kept = []] = [true, false].map((fits) =>
    counting.filter(({ terms }) => speaksOf(terms, who) === fits),
  );
  for (const [fact, own] of fitting.flatMap((document) => itemsOf(document, who, nowMs))) {
    const other = held.get(fact);
    if (
      other !== undefined &&
      (other.closeness > own.closeness || (other.closeness === own.closeness && other.seq > own.seq))
    )
      continue;
    held.set(fact, own);
  }
  for (const [fact, own] of kept.flatMap((document) => itemsOf(document, who, nowMs))) {
    const other = held.get(fact);
    const givesWay = other !== undefined && !(saysNothing(other.items, nowMs) && own.closeness >= other.closeness);
    if (!givesWay) held.set(fact, { ...own, kept: true });
  }
  return underList(held, nowMs);
};

/** Columns of the pools as far as no list that holds over them tells them; where it tells a column of all of its slots that is nothing. */
const underList = (held: Map<string, Held>, nowMs: number): ReadonlyMap<string, Held> => {
  const list = held.get('pools');
  if (list === undefined) return held;
  for (const column of COLUMNS) {
    const own = held.get(`pools.${column}`);
    if (own === undefined || !isOver(list, own, nowMs)) continue;
    const except = placesTold(list, column, nowMs);
    if (except === 'all') held.delete(`pools.${column}`);
    else if (except.size > 0) held.set(`pools.${column}`, { ...own, except });
  }
  return held;
};

/** Whether the one holds over the other: by what it is to the device, then by how close it is, then as the newer one. Of one document both hold. */
const isOver = (one: Held, other: Held, nowMs: number): boolean => {
  if (one.kept !== other.kept)
    return one.kept === true
      ? saysNothing(other.items, nowMs) && one.closeness >= other.closeness
      : !(saysNothing(one.items, nowMs) && other.closeness >= one.closeness);
  return one.closeness === other.closeness ? one.seq > other.seq : one.closeness > other.closeness;
};

/** Whether a list of pools tells this column of each of its slots. */
export const tellsColumn = (list: Held, column: Column, nowMs: number): boolean =>
  placesTold(list, column, nowMs) === 'all';

/** The slots of which each list that counts now, where it has them, tells this column. What leaves all open tells none. */
const placesTold = ({ items }: Held, column: Column, nowMs: number): ReadonlySet<number> | 'all' => {
  const counting = itemsAt(items, nowMs);
  const lists = counting.flatMap((item) => valuesOf(item, nowMs));
  if (lists.length === 0 || saysNothing(items, nowMs) || !lists.every(Array.isArray)) return NOWHERE;
  const slots = lists.flat() as readonly (Partial<PoolSlot> & Pick<PoolSlot, 'slot'>)[];
  const untold = new Set(slots.filter((slot) => slot[column] === undefined).map(({ slot }) => slot));
  return untold.size === 0 ? 'all' : new Set(slots.map(({ slot }) => slot).filter((slot) => !untold.has(slot)));
};

const NOWHERE: ReadonlySet<number> = new Set();

/**
 * What counts no longer must not keep what others say from counting. Nor does a document for what a device has become say of that what
 * it has to be: it could take the device back to what it was, or let it be that for good.
 */
const itemsOf = (
  { seq, terms }: Adopted<ReferenceTerms>,
  who: Described,
  nowMs: number,
): readonly (readonly [string, Held])[] =>
  [...Map.groupBy(itemsAt(terms.values ?? [], nowMs), ({ fact }) => fact)]
    .filter(([fact]) => !KIND_MEMBERS.some((one) => KIND_FACTS[one] === fact && isForBecome(terms, who, one)))
    .map(([fact, items]) => [fact, { items, seq, refId: terms.ref_id, closeness: closeness(terms.scope) }]);

/** A plan is held against its devices this long after its window, ms (catalogue 5.9). */
export const REPORT_MS = 15 * 60_000;

/** Where a time lies with regard to the window of a plan. What it expects for a while, after it too, is known until that was put back. */
export const phaseOfPlan = (plan: Plan, nowMs: number): 'before' | 'open' | 'late' | 'over' => {
  const { not_before_at: from, not_after_at: to } = plan;
  if (nowMs < from * 1000 - TOLERANCE_MS) return 'before';
  if (nowMs <= to * 1000 + TOLERANCE_MS) return 'open';
  return nowMs <= lastOfPlan(plan) * 1000 + TOLERANCE_MS + LATE_MS ? 'late' : 'over';
};

/** The end of the window, or of what the plan expects for longer, Unix seconds. */
export const lastOfPlan = ({ not_after_at: to, expected_after: values = [] }: Plan): number =>
  Math.max(to, ...values.map(({ until_at: until = to }) => until));

/** The values that a plan expects still: what it expects for a while, until then and until it is held against its devices. */
const stillExpected = (
  { expected_after: values = [], not_after_at: to }: Plan,
  nowMs: number,
): readonly ExpectedValue[] =>
  values.filter(({ until_at: until }) => until === undefined || nowMs < Math.max(until, to) * 1000 + REPORT_MS);

/** The plan without what it expected for a while and does not any more; undefined where nothing of it ended. */
export const leftOfPlan = (plan: Plan, nowMs: number): Plan | undefined => {
  const left = stillExpected(plan, nowMs);
  return left.length === (plan.expected_after ?? []).length ? undefined : { ...plan, expected_after: [...left] };
};

/** Plans that speak of this device, as it was or as it is, and are open, or were until a day ago. */
export const plansFor = (standing: Standing, stages: readonly Described[], nowMs: number): readonly Adopted<Plan>[] =>
  standing.plans.filter((plan) => {
    const phase = phaseOfPlan(plan.terms, nowMs);
    return (phase === 'open' || phase === 'late') && stages.some((who) => countsFor(plan, who));
  });

/** Whether a plan may speak of a finding: one that does not tell the after-state speaks of few. */
export const planNames = (plan: Plan, id: string): boolean =>
  plan.ids.some((pattern) => namesRule(pattern, id)) && (mayBeBlanket(id) || !isBlanket(plan));

/** What a plan expects, as a document would hold it; closer than any. What ended in its window it expects no more. */
export const expectedBy = (
  { expected_after: values = [], plan_id: refId, not_after_at: to }: Plan,
  seq: number,
  nowMs: number,
): ReadonlyMap<string, Held> =>
  new Map(
    [...Map.groupBy(itemsAt(values, Math.min(nowMs, to * 1000 - 1)), ({ fact }) => fact)].map(([fact, items]) => [
      fact,
      { items, seq, refId, closeness: Number.POSITIVE_INFINITY },
    ]),
  );

/** The waiver in force for a finding of this device, the one that lasts longest. */
export const waiverFor = (standing: Standing, who: Described, id: string, nowMs: number): Adopted<Waiver> | undefined =>
  standing.waivers
    .filter(
      (waiver) =>
        nowMs < waiver.terms.expires_at * 1000 &&
        waiver.terms.ids.some((pattern) => namesRule(pattern, id)) &&
        countsFor(waiver, who),
    )
    .reduce<Adopted<Waiver> | undefined>(
      (longest, waiver) => ((longest?.terms.expires_at ?? 0) >= waiver.terms.expires_at ? longest : waiver),
      undefined,
    );

/** Text that changes when time alone changes what is in force. */
export const revisionOf = ({ references, plans, waivers }: Standing, nowMs: number): string =>
  [
    ...references.map(({ seq, terms }) => `${seq}${(terms.values ?? []).map((item) => stageOf(item, nowMs)).join('')}`),
    ...plans.map(({ seq, terms }) => `${seq}${phaseOfPlan(terms, nowMs)}${stillExpected(terms, nowMs).length}`),
    ...waivers.map(({ seq, terms }) => `${seq}${nowMs < terms.expires_at * 1000}`),
  ].join();

const stageOf = (item: ExpectedValue, nowMs: number): string => {
  const ended = item.until_at !== undefined && nowMs >= item.until_at * 1000 ? '!' : '';
  if (item.class !== 'schedule') return ended;
  return `${ended}${JSON.stringify([scheduled(item.value, nowMs), ...scheduledNear(item.value, nowMs)])}`;
};
