import type { FactName } from '../../shared/facts.ts';

/** Facts that a device was known to be without: it answered, and had none of them. */
export type Absent = readonly FactName[];

const NONE: Absent = [];

/** The devices of a fleet are without the same few facts, and a gateway remembers many devices: each list is kept once. */
const lists = new Map<string, Absent>();
const MOST_LISTS = 256;

/** The member that holds them; none where there are none. */
export const absentMember = (facts: Absent = NONE): { readonly absent?: Absent } => {
  if (facts.length === 0) return {};
  const key = facts.join();
  const known = lists.get(key);
  if (known === undefined && lists.size < MOST_LISTS) lists.set(key, facts);
  return { absent: known ?? facts };
};
