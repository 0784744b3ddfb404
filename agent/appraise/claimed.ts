import type { FactName, Facts } from '../../shared/facts.ts';
import type { Absent } from '../baseline/absent.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS } from './index.ts';
import { isKeyed, keyOf, OTHER } from './keyed.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { leavesOutUsers } from './slots.ts';
import { inputsOf } from './still-shown.ts';
import { factsToApprove, isSlotOfVersion } from './who-approves.ts';

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
  const inputs = inputsOf(rule);
  const about = toldAmong(inputs, finding);
  const out = about.find(isOut);
  if (out !== undefined || about.length > 0) return out;
  return inputs.every(isOut) ? inputs[0] : undefined;
};

/**
 * The facts that a finding is about: of those that its rule holds against the reference the ones that it tells, else all of them. The slot
 * that came with a version is a matter of that, too.
 */
export const factsAbout = (finding: Finding): readonly FactName[] => {
  const inputs = factsToApprove(finding);
  if (isSlotOfVersion(finding)) return inputs;
  const about = toldAmong(inputs, finding);
  return about.length > 0 ? about : inputs;
};

/** Those without which its rule says nothing, and those that its values name. */
const toldAmong = (inputs: readonly FactName[], { ruleId, before, after }: Finding): readonly FactName[] => {
  const keys = [before, after].flatMap((value) => (isKeyed(value) ? value.map(({ key }) => key) : []));
  const isNamed = (fact: FactName): boolean => keys.some((key) => factNames(fact).some((name) => nameIn(key) === name));
  const reads = COMPARISONS.find(({ id }) => id === ruleId)?.reads ?? [];
  return inputs.filter((fact) => reads.includes(fact) || isNamed(fact));
};

const factNames = (fact: FactName): readonly string[] => [fact, keyOf(fact)];

const nameIn = (key: string): string => (key.startsWith(OTHER) ? 'config.other' : key);
