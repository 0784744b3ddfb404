import type { Facts } from '../../shared/facts.ts';
import { areSerials, isMac, isSerial } from './placeholder.ts';

/** The components that tell machines apart, and how much each says (catalogue 5.6). */
const WEIGHTS = { serial: 5, hashboards: 4, chip_id: 4, control_board: 4, psu: 2, mac: 1 } as const;

export type Component = keyof typeof WEIGHTS;

/** How far two records speak of one machine. */
export interface Likeness {
  /** Equal weight ÷ weight of the components that both records have; 0 when they share none. */
  readonly ratio: number;
  /** That weight: below 4 it is too little to judge by. */
  readonly available: number;
  readonly equal: readonly Component[];
  readonly differing: readonly Component[];
}

/** From here on two records are the same machine; below `OTHER` they are different machines. */
export const SAME = 0.6;
export const OTHER = 0.25;
export const ENOUGH = 4;

/**
 * A board or supply is known by its serial, which is one word. Many firmwares give its type instead (`ALLWINNER_H616 V10`),
 * which every machine of a model shares.
 */
const ownNumber = (text: string | undefined): string | undefined =>
  isSerial(text) &&
  !/[\s_]/.test(text.trim()) &&
  (text.match(/[0-9a-z]/gi) ?? []).length >= 12 &&
  (text.match(/[0-9]/g) ?? []).length >= 5
    ? text
    : undefined;

/** The component as text, where the record holds one that identifies. */
export const componentOf = (facts: Facts, component: Component): string | undefined => {
  switch (component) {
    case 'serial':
      return isSerial(facts['identity.serial']) ? facts['identity.serial'] : undefined;
    case 'hashboards': {
      const boards = facts['identity.hashboards'];
      return areSerials(boards) ? [...boards].sort().join(' ') : undefined;
    }
    case 'control_board':
      return ownNumber(facts['identity.control_board']);
    case 'chip_id':
      return isSerial(facts['identity.chip_id']) ? facts['identity.chip_id'] : undefined;
    case 'psu':
      return ownNumber(facts['identity.psu']);
    case 'mac':
      return isMac(facts['identity.mac']) ? facts['identity.mac'] : undefined;
  }
};

/** Compares two records of identity by weight. Symmetric; the order of hashboards does not matter. */
export const compareIdentity = (a: Facts, b: Facts): Likeness => {
  const equal: Component[] = [];
  const differing: Component[] = [];
  for (const component of Object.keys(WEIGHTS) as Component[]) {
    // The chip sits on the board: together they are one part.
    if (component === 'control_board' && [...equal, ...differing].includes('chip_id')) continue;
    const one = componentOf(a, component);
    const other = componentOf(b, component);
    if (one === undefined || other === undefined) continue;
    (one === other ? equal : differing).push(component);
  }
  const weigh = (components: readonly Component[]) =>
    components.reduce((sum, component) => sum + WEIGHTS[component], 0);
  const available = weigh(equal) + weigh(differing);
  return { ratio: available === 0 ? 0 : weigh(equal) / available, available, equal, differing };
};

/** What tells machines apart most surely of all that both records hold, where it is the same in both. */
export const sharedKey = (a: Facts, b: Facts): { readonly key: Component; readonly value: string } | undefined => {
  for (const key of Object.keys(WEIGHTS) as Component[]) {
    const [value, other] = [componentOf(a, key), componentOf(b, key)];
    if (value === undefined || other === undefined) continue;
    return value === other ? { key, value } : undefined;
  }
  return undefined;
};
