import type { Facts } from '../../shared/facts.ts';
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

const isSame = (known: Facts, facts: Facts, above = 0): boolean => {
  const { ratio, available } = compareIdentity(known, facts);
  return available > 0 && ratio >= SAME && ratio > above;
};
