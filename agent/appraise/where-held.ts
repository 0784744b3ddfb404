import { FACTS, type FactName } from '../../shared/facts.ts';
import type { Terms } from '../../shared/terms.ts';
import { COMPARISONS } from './index.ts';

/** Facts that change by themselves: they are learned of no device, and held to nothing but what signed documents say of them. */

/** Those of them that rules compare where a document holds them. The others are compared with no reference at all. */
export const COMPARED_WHERE_HELD: ReadonlySet<string> = new Set<FactName>(
  COMPARISONS.filter(({ against }) => against === 'reference')
    .flatMap(({ reads, compares = [] }) => [...reads, ...compares])
    .filter((fact) => FACTS[fact].class === 'volatile'),
);

/** Whether no device is held to this fact by what was learned or accepted of it. */
export const changesByItself = (fact: string): boolean =>
  Object.hasOwn(FACTS, fact) && FACTS[fact as FactName].class === 'volatile';

/** What whoever expects a value of such a fact has to know, and what to do about it. */
export const uncomparedText = (fact: string): string =>
  COMPARED_WHERE_HELD.has(fact)
    ? `${fact} changes by itself: it is compared with nothing, and no report tells whether devices show it, unless a signed reference holds it to other values before; have one adopted first (exact, or a band)`
    : `${fact} changes by itself and is compared with nothing, whatever a document says of it: no finding and no report tells whether devices show it; look at the devices (assayer probe)`;

/** The facts that a plan expects, where all of them are such: it covers nothing without a document, and nothing tells what came of it. */
export const expectsUncompared = (terms: Partial<Terms>): readonly string[] => {
  const expected = terms.kind === 'plan' ? (terms.expected_after ?? []) : [];
  const facts = [...new Set(expected.map(({ fact }) => fact))];
  return facts.every(changesByItself) ? facts : [];
};
