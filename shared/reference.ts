import type { Approval } from './appraisal.ts';
import { FACTS } from './facts.ts';
import type { Claims } from './statement.ts';

/** One item of a `baseline` entry for one device: which facts it gives values to. */
export interface ReferenceItem {
  /** `seq` of the `baseline` entry. */
  readonly seq: number;
  readonly approval: Approval;
  /** Facts it holds values for; undefined where the attestation it cites was not seen. */
  readonly facts: readonly string[] | undefined;
}

const STRENGTH: readonly Approval[] = ['none', 'local', 'signed'];

/** The weaker of two approvals. */
export const weakerApproval = (one: Approval, other: Approval): Approval =>
  STRENGTH.indexOf(one) < STRENGTH.indexOf(other) ? one : other;

/**
 * The items in force: those that hold at least one fact that rules compare. For each fact the newest item of the strongest approval
 * holds (attestation.md §4), and what came after it: a weaker item that has another value is cited for that, with its own approval. An
 * item of unknown facts stays in force and displaces none.
 */
export const itemsInForce = (items: readonly ReferenceItem[]): readonly ReferenceItem[] => {
  const newestFirst = items.toSorted((one, other) => other.seq - one.seq);
  /** The strongest approval of a newer item for a fact. */
  const strongest = new Map<string, number>();
  return newestFirst.filter(({ facts, approval }) => {
    if (facts === undefined) return true;
    const strength = STRENGTH.indexOf(approval);
    const isHeld = (fact: string): boolean => (strongest.get(fact) ?? -1) >= strength;
    const own = facts.filter((fact) => !isHeld(fact) && !isHeld(wholeOf(fact)));
    for (const fact of own) strongest.set(fact, strength);
    return own.length > 0;
  });
};

/** The facts that an item holds: all that its attestation claims, or those it is limited to, as far as they are claimed. */
export const factsHeld = (
  limit: readonly string[] | undefined,
  claimed: readonly string[] | undefined,
): readonly string[] | undefined =>
  limit === undefined || claimed === undefined
    ? (limit ?? claimed)
    : limit.filter((fact) => claimed.includes(fact) || claimed.includes(wholeOf(fact)));

/**
 * Gives equal lists as one and the same: most devices of a log have values for the same facts, and a list of their names for each of
 * them would be most of what is kept of it.
 */
export const sharingLists = (): ((names: readonly string[]) => readonly string[]) => {
  const known = new Map<string, readonly string[]>();
  return (names) => {
    const key = JSON.stringify(names);
    const same = known.get(key);
    if (same !== undefined) return same;
    known.set(key, names);
    return names;
  };
};

/** A column of a list (`pools.url`) is held by what holds the list. */
const wholeOf = (fact: string): string => fact.split('.')[0] ?? fact;

/** The names of the compared facts in nested claims; a redacted fact counts by its pseudonym (`…_pid`). */
export const comparedFacts = (claims: Claims): readonly string[] =>
  Object.entries(claims)
    .flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.keys(value).map((member) => `${name}.${member}`)
        : [name],
    )
    .map((name) => name.replace(/_pid$/, ''))
    .filter((name) => !name.includes('_sd') && !isVolatile(name));

const isVolatile = (name: string): boolean =>
  (FACTS as { readonly [name: string]: { readonly class: string } | undefined })[name]?.class === 'volatile';
