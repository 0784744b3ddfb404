import type { Facts } from '../../shared/facts.ts';
import { isMac, isSerial } from './placeholder.ts';

/** The components that tell machines apart, and how much each says (catalogue 5.6). */
const WEIGHTS = { serial: 5, hashboards: 4, chip_id: 4, control_board: 4, psu: 2, mac: 1 } as const;

export type Component = keyof typeof WEIGHTS;

/** How far two records speak of one machine. */
export interface Likeness {
  /** Equal weight ÷ weight of the components that both records have; 0 when they share none. Boards count by the share that is equal. */
  readonly ratio: number;
  /** That weight: below 4 it is too little to judge by. */
  readonly available: number;
  /** Equal as a whole: boards of which some are others differ. */
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

/**
 * The serials of hashboards that the record holds, each once. A board whose serial is blank, lost or shown twice is not known:
 * that is no other board.
 */
export const boardsOf = ({ 'identity.hashboards': boards = [] }: Facts): readonly string[] =>
  [...new Set(boards.filter(isSerial))].sort();

/** The component as text, where the record holds one that identifies. */
export const componentOf = (facts: Facts, component: Component): string | undefined => {
  switch (component) {
    case 'serial':
      return isSerial(facts['identity.serial']) ? facts['identity.serial'] : undefined;
    case 'hashboards': {
      const boards = boardsOf(facts);
      return boards.length === 0 ? undefined : boards.join(' ');
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

/**
 * How much of a component is the same in both records, from 0 to 1; undefined where one of them lacks it. Of boards only as
 * many can be compared as the record has that knows fewer.
 */
const shareOf = (a: Facts, b: Facts, component: Component): number | undefined => {
  if (component !== 'hashboards') {
    const [one, other] = [componentOf(a, component), componentOf(b, component)];
    return one === undefined || other === undefined ? undefined : Number(one === other);
  }
  const [boards, others] = [boardsOf(a), boardsOf(b)];
  const fewer = Math.min(boards.length, others.length);
  return fewer === 0 ? undefined : boards.filter((board) => others.includes(board)).length / fewer;
};

/** Compares two records of identity by weight. Symmetric; the order of hashboards does not matter. */
export const compareIdentity = (a: Facts, b: Facts): Likeness => {
  const equal: Component[] = [];
  const differing: Component[] = [];
  let agreeing = 0;
  for (const component of Object.keys(WEIGHTS) as Component[]) {
    // The chip sits on the board: together they are one part.
    if (component === 'control_board' && [...equal, ...differing].includes('chip_id')) continue;
    const share = shareOf(a, b, component);
    if (share === undefined) continue;
    agreeing += WEIGHTS[component] * share;
    (share === 1 ? equal : differing).push(component);
  }
  const available = [...equal, ...differing].reduce((sum, component) => sum + WEIGHTS[component], 0);
  return { ratio: available === 0 ? 0 : agreeing / available, available, equal, differing };
};

/** What tells machines apart most surely of all that both records hold, where it is the same in both. */
export const sharedKey = (a: Facts, b: Facts): { readonly key: Component; readonly value: string } | undefined => {
  for (const key of Object.keys(WEIGHTS) as Component[]) {
    const share = shareOf(a, b, key);
    if (share === undefined) continue;
    const value = share === 1 ? sharedValue(a, b, key) : undefined;
    return value === undefined ? undefined : { key, value };
  }
  return undefined;
};

/** What both records hold of a component that is the same: of boards those that both know. */
const sharedValue = (a: Facts, b: Facts, key: Component): string | undefined => {
  if (key !== 'hashboards') return componentOf(a, key);
  const others = boardsOf(b);
  return boardsOf(a)
    .filter((board) => others.includes(board))
    .join(' ');
};
