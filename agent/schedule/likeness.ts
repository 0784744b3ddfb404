import { FACTS, type FactName, type Facts, type LivePool } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { DeviceState } from '../appraise/device.ts';
import { boardsOf, compareIdentity, ENOUGH, OTHER, SAME } from '../appraise/identity.ts';
import { isMac, isSerial } from '../appraise/placeholder.ts';
import { keptFacts } from '../baseline/kept.ts';

/** Which machine a device is: how facts of a look are held against what was attested. */

/** What was attested of a device; nothing where it never answered. */
export const factsOf = ({ attested }: DeviceState): Facts => keptFacts(attested?.facts);

/** What a machine can be looked up by, before the weighted comparison decides. */
export const marksOf = ({ 'identity.serial': serial, 'identity.mac': mac, ...others }: Facts): readonly string[] => [
  ...(isSerial(serial) ? [markOf('serial', serial)] : []),
  ...(isMac(mac) ? [markOf('mac', mac)] : []),
  ...boardsOf(others).map((board) => markOf('hashboard', board)),
];

/** Joined, because V8 would keep what a template makes in pieces, and there are many of them. */
const markOf = (kind: string, value: string): string => [kind, value].join(' ');

/**
 * Whether what shows at the address of a device is that device, as it was attested or, where it showed something else since, as its
 * reference has it. `unsure`: the address decides, because there is too little to compare, or because the MAC, to which an address
 * is given, is the same: then it is the device with other parts.
 */
export const likenessTo = (state: DeviceState | undefined, facts: Facts): 'same' | 'unsure' | 'other' => {
  if (state === undefined) return 'other';
  if (state.attested === undefined) return 'same';
  const { ratio, available, equal } = compareIdentity(factsOf(state), facts);
  if (available < ENOUGH) return available > 0 && ratio >= SAME ? 'same' : 'unsure';
  if (ratio >= OTHER || isSame(keptFacts(state.reference?.facts), facts)) return 'same';
  return equal.includes('mac') ? 'unsure' : 'other';
};

/** Whether these facts are those of the machine of a device; `above`: more surely than that, a ratio of equal marks. */
export const isSameMachine = (state: DeviceState, facts: Facts, above = 0): boolean =>
  isSame(factsOf(state), facts, above);

/** Whether a look tells another value than is known of a device, or a pool that it has not; of lists of parts it may have read some. */
export const tellsOther = (known: Facts, facts: Facts): boolean =>
  !worksAs(known, facts) ||
  (Object.keys(facts) as FactName[]).some((name) => FACTS[name].class === 'exact' && differs(name, known, facts));

/** Whether a look may be one at a device that is known like this: of the same kind, and with no pool that this one has not. */
export const mayShow = (known: Facts, facts: Facts): boolean =>
  worksAs(known, facts) && KIND.every((name) => !differs(name, known, facts));

const KIND = ['family', 'identity.model', 'firmware.version'] as const;

const differs = (name: FactName, known: Facts, facts: Facts): boolean =>
  known[name] !== undefined && facts[name] !== undefined && canonicalJson(known[name]) !== canonicalJson(facts[name]);

const worksAs = ({ pools = [] }: Facts, facts: Facts): boolean =>
  poolsOf(facts).every((pool) => pools.some(({ url, user }) => url === pool.url && user === pool.user));

/** The pools that are stored, else those that are mined on. */
export const poolsOf = ({ pools, live_pools = [] }: Facts): readonly LivePool[] => pools ?? live_pools;

/** The users of its pools, each once. */
export const usersOf = (facts: Facts): ReadonlySet<string> =>
  new Set(
    poolsOf(facts)
      .map(({ user }) => user)
      .filter((user) => user !== undefined),
  );

const isSame = (known: Facts, facts: Facts, above = 0): boolean => {
  const { ratio, available } = compareIdentity(known, facts);
  return available > 0 && ratio >= SAME && ratio > above;
};
