import type { FactName, Facts } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { Approval, Attested, Reference, ReferenceEntry } from '../appraise/device.ts';
import type { Value } from '../appraise/finding.ts';
import { type Absent, absentMember } from './absent.ts';
import type { Holders } from './approved.ts';
import { changed, comparedFacts, withKnownUsers } from './compared.ts';
import { keepFacts, keptFacts } from './kept.ts';

const STRENGTH: readonly Approval[] = ['none', 'local', 'signed'];

/** The entry that holds a fact: the newest of the strongest approval that speaks of it. */
export const holderOf = <Entry extends ReferenceEntry>(
  entries: readonly Entry[],
  fact: FactName,
): Entry | undefined => {
  let holder: Entry | undefined;
  for (const entry of entries) {
    if (entry.facts?.includes(fact) === false || entry.without?.includes(fact) === true) continue;
    if (holder === undefined || rank(entry) > rank(holder) || (rank(entry) === rank(holder) && entry.seq >= holder.seq))
      holder = entry;
  }
  return holder;
};

/**
 * The entries once a weaker one adopts other values of these facts: what it is known by holds them then, and its approval is claimed for
 * them, not that of a stronger one whose value they are no more.
 */
const withoutWeakened = (
  entries: readonly ReferenceEntry[],
  by: ReferenceEntry,
  facts: readonly FactName[],
): readonly ReferenceEntry[] =>
  facts.length === 0
    ? entries
    : entries.flatMap((entry): readonly ReferenceEntry[] => {
        if (rank(entry) <= rank(by)) return [entry];
        if (entry.facts === undefined)
          return [{ ...entry, without: [...new Set([...(entry.without ?? []), ...facts])] }];
        const left = entry.facts.filter((fact) => !facts.includes(fact));
        return left.length === 0 ? [] : [{ ...entry, facts: left }];
      });

const rank = ({ approval }: Pick<ReferenceEntry, 'approval'>): number => STRENGTH.indexOf(approval);

/**
 * The entries after those from which `facts` were learned that they knew nothing of: one that speaks of all its claims cannot speak
 * of what was told for the first time after them. A list that tells more than it did is spoken of, as a whole.
 */
export const withoutLater = (
  entries: readonly ReferenceEntry[],
  facts: readonly FactName[],
): readonly ReferenceEntry[] =>
  facts.length === 0
    ? entries
    : entries.map((entry) =>
        entry.facts === undefined ? { ...entry, without: [...(entry.without ?? []), ...facts] } : entry,
      );

/** The entries that still hold a fact, of those that are limited to some. */
export const stillHolding = (entries: readonly ReferenceEntry[]): readonly ReferenceEntry[] =>
  entries.filter((entry) => entry.facts?.some((fact) => holderOf(entries, fact) === entry) !== false);

const NO_DOCUMENTS: ReadonlyMap<FactName, Holders> = new Map();

/**
 * What an attestation says about its reference: the entries that hold at least one of the compared facts, and the weakest
 * approval. `documents` has the entries of facts that a signed document holds.
 */
export const citedReference = (
  reference: Reference | undefined,
  compared: readonly FactName[],
  documents: ReadonlyMap<FactName, Holders> = NO_DOCUMENTS,
): { readonly approval: Approval; readonly seqs: readonly number[] } | undefined => {
  const holders = new Set(
    compared.flatMap((fact): readonly (Pick<ReferenceEntry, 'seq' | 'approval'> | undefined)[] => {
      const { seqs, beside = true } = documents.get(fact) ?? { seqs: [] };
      const signed = seqs.map((seq) => ({ seq, approval: 'signed' as const }));
      return beside ? [...signed, holderOf(reference?.entries ?? [], fact)] : signed;
    }),
  );
  const cited = [...holders].filter((holder) => holder !== undefined);
  if (cited.length === 0) return undefined;
  const weakest = Math.min(...cited.map(rank));
  return {
    approval: STRENGTH[weakest] ?? 'none',
    seqs: [...new Set(cited.map(({ seq }) => seq))].sort((a, b) => a - b),
  };
};

/** Whether a person stands behind the reference: the device is commissioned. */
export const isCommissioned = (reference: Reference | undefined): boolean =>
  reference?.entries.some(({ approval }) => approval !== 'none') ?? false;

/** An entry that speaks of all its claims, with the facts it cannot speak of because they are not among them. */
const without = (entry: ReferenceEntry, facts: readonly FactName[], claims: Facts, absent: Absent): ReferenceEntry => {
  const missing = facts.filter((fact) => claims[fact] === undefined && !absent.includes(fact));
  return entry.facts !== undefined || missing.length === 0 ? entry : { ...entry, without: missing };
};

/**
 * The reference after one more entry that holds `claims`, or only `entry.facts` of them; of `standIns` those it adopts. Of `absent`,
 * which the device was attested to have none of, those that the reference does not know: what is not seen now stays as it was.
 */
export const withEntry = (
  reference: Reference | undefined,
  entry: ReferenceEntry,
  claims: Facts,
  { standIns = [], absent = [] }: Pick<Attested, 'standIns' | 'absent'> = {},
): Reference => {
  const known = keptFacts(reference?.facts);
  const adopted = withKnownUsers(known, entry.facts === undefined ? claims : only(claims, entry.facts));
  const facts: Facts = { ...known, ...adopted };
  const stoodIn = [
    ...(reference?.standIns ?? []).filter((fact) => adopted[fact] === undefined),
    ...standIns.filter((fact) => adopted[fact] !== undefined),
  ];
  const carried = reference?.carried?.filter((fact) => adopted[fact] === undefined) ?? [];
  const adoptedAbsent = absent.filter((fact) => entry.facts?.includes(fact) !== false);
  const lacking = [...new Set([...(reference?.absent ?? []), ...adoptedAbsent])].filter(
    (fact) => facts[fact] === undefined,
  );
  const once = reference?.absentOnce?.filter((fact) => facts[fact] === undefined && !lacking.includes(fact)) ?? [];
  const names = [...(Object.keys(facts) as FactName[]), ...lacking];
  const others = (Object.keys(adopted) as FactName[]).filter((fact) => isOther(fact, known[fact], adopted[fact]));
  const former = withoutWeakened(reference?.entries ?? [], entry, others);
  const entries = [...former, without(entry, names, claims, adoptedAbsent)];
  const holding = new Set(names.map((fact) => holderOf(entries, fact)));
  return {
    entries: entries.filter((other) => holding.has(other)),
    ...(reference?.unrecorded === undefined ? {} : { unrecorded: reference.unrecorded }),
    facts: keepFacts(facts),
    ...absentMember(lacking),
    ...(once.length === 0 ? {} : { absentOnce: once }),
    ...(carried.length === 0 ? {} : { carried }),
    ...(stoodIn.length === 0 ? {} : { standIns: stoodIn }),
  };
};

const isOther = (fact: FactName, known: unknown, now: unknown): boolean =>
  known === undefined || changed(fact, known, now);

/** The named facts that are present. */
export const only = (facts: Facts, names: readonly FactName[]): Facts =>
  Object.fromEntries(names.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]])) as Facts;

/** One line of the difference that a person is shown before accepting. */
export interface Difference {
  readonly fact: FactName;
  /** Left out when the reference does not have it yet; null when it says that there was none. */
  readonly before?: Value | null;
  readonly after: Value;
}

/**
 * What differs between the reference and what is seen. What is not seen now stays as it was; a named part of a list that is not seen
 * is a difference only to who asks what `adopting` it would change: then it is in the reference no more.
 */
export const diffReference = (
  reference: Facts,
  claims: Facts,
  { adopting = false, absent = [] }: { readonly adopting?: boolean; readonly absent?: Absent | undefined } = {},
): readonly Difference[] => {
  const before = comparedFacts(reference);
  const after = withKnownUsers(before, comparedFacts(claims));
  const differs = (fact: FactName): boolean =>
    adopting ? canonicalJson(before[fact]) !== canonicalJson(after[fact]) : changed(fact, before[fact], after[fact]);
  return (Object.keys(after) as FactName[])
    .filter((fact) => before[fact] === undefined || differs(fact))
    .map((fact) => {
      const { [fact]: was = absent.includes(fact) ? null : undefined } = before;
      return {
        fact,
        ...(was === undefined ? {} : { before: was as Value | null }),
        after: after[fact] as Value,
      };
    });
};
