import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import type { Claims } from '../../shared/statement.ts';

/** The facts of the claims of an attestation, as `nestFacts` wrote them. Undefined where one of them is redacted there. */
export const factsOfClaims = (claims: Claims): Facts | undefined => {
  if (isRedacted(claims)) return undefined;
  const known = (Object.keys(FACTS) as FactName[]).flatMap((fact) => {
    const value = valueAt(claims, fact);
    return value === undefined ? [] : [[fact, value]];
  });
  return Object.fromEntries(known) as Facts;
};

/** What the claims say of one fact; undefined where it is redacted, too. */
export const valueAt = (claims: Claims, fact: string): unknown => {
  const [group = '', name] = fact.split('.');
  const value = claims[group];
  if (name === undefined) return value;
  return typeof value === 'object' && value !== null ? (value as Claims)[name] : undefined;
};

/** A redacted member left a digest behind. */
const isRedacted = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (Object.hasOwn(value, '_sd') || Object.values(value).some(isRedacted));
