import type { FactName, Facts } from '../../shared/facts.ts';
import type { Absent } from '../baseline/absent.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS } from './index.ts';
import { isKeyed, keyOf, OTHER } from './keyed.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { leavesOutUsers } from './slots.ts';
import { inputsOf } from './still-shown.ts';

/** The claims of an attestation, and what it says the device has none of. */
export interface Claimed {
  readonly claims: Facts;
  readonly absent: Absent;
  /** What was known of the device. */
  readonly known: Facts;
}

/**
 * The fact that a finding of this device's reference is about and that these claims leave out, if there is one: who adopts them
 * adopts nothing of it, and it is found again as soon as it is told. A list that is claimed is adopted as a whole, also where a part of
 * it is told no more.
 */
export const leftUnclaimed = (finding: Finding, { claims, absent, known }: Claimed): FactName | undefined => {
  const rule = COMPARISONS.find(({ id, against }) => id === finding.ruleId && against === 'reference');
  if (rule === undefined) return undefined;
  const isOut = (fact: FactName): boolean => claims[fact] === undefined && !absent.includes(fact);
  if (rule.id === poolUserChanged.id && leavesOutUsers(known.pools ?? [], claims.pools ?? [])) return 'pools';
  const { before, after } = finding;
  const keys = [before, after].flatMap((value) => (isKeyed(value) ? value.map(({ key }) => key) : []));
  const isNamed = (fact: FactName): boolean => keys.some((key) => factNames(fact).some((name) => nameIn(key) === name));
  const inputs = inputsOf(rule);
  const about = inputs.filter((fact) => rule.reads.includes(fact) || isNamed(fact));
  const out = about.find(isOut);
  if (out !== undefined || about.length > 0) return out;
  return inputs.every(isOut) ? inputs[0] : undefined;
};

const factNames = (fact: FactName): readonly string[] => [fact, keyOf(fact)];

const nameIn = (key: string): string => (key.startsWith(OTHER) ? 'config.other' : key);
