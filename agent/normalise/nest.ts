import type { Facts } from '../../shared/facts.ts';

/** The facts as nested objects: the dots of a name are its path, as in `evidence.claims` and in `probe --json`. */
export const nestFacts = (facts: Facts | { readonly [name: string]: unknown }): { [name: string]: unknown } => {
  const nested: { [name: string]: unknown } = {};
  for (const [fact, value] of Object.entries(facts)) {
    const [group = fact, name] = fact.split('.');
    if (name === undefined) nested[group] = value;
    else nested[group] = { ...(nested[group] as object | undefined), [name]: value };
  }
  return nested;
};
