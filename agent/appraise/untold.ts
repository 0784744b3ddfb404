import { FACTS, type FactName, type Facts, type ReadingName } from '../../shared/facts.ts';
import type { DeviceState } from './device.ts';
import { filledSlots, leavesOutUsers } from './slots.ts';

/** A fact that a device does not tell now: an acceptance adopts no value of it, and what the reference knew of it stays. */
export interface Untold {
  readonly fact: ReadingName;
  /**
   * Of what the reference knows: `left-out` where the device answers without it, `closed` where the surface that told it refuses or is
   * gone, else `unread`. `never-told`: the reference does not know it either.
   */
  readonly why: 'left-out' | 'closed' | 'unread' | 'never-told';
}

/** Which machine it is, what it runs, and where it works for whom. Of other facts most families tell some only, so that none is missed. */
const TELLING: ReadonlySet<FactName> = new Set(['identity.serial', 'identity.mac', 'firmware.version', 'pools']);

const NAMES = Object.keys(FACTS) as FactName[];

/** What its reference knows of a device, and what it was attested with last. */
interface KnownOf {
  readonly known: Facts;
  readonly claims: Facts;
}

/** What a device does not tell, of what its reference knows and of what tells most about it. */
export const untoldOf = ({ marks }: Pick<DeviceState, 'marks'>, { known, claims }: KnownOf): readonly Untold[] => {
  const { leftOut = {}, closed = [], poolsUnreadMs } = marks;
  const isHidden = leftOut['pools.user'] !== undefined;
  const isUnread = poolsUnreadMs !== undefined && !isHidden;
  // What was told when the device was attested may be told no more.
  const whyNow = (fact: FactName): Untold['why'] | undefined => {
    if (leftOut[fact] !== undefined) return 'left-out';
    if (known[fact] === undefined) return claims[fact] === undefined && TELLING.has(fact) ? 'never-told' : undefined;
    if (closed.includes(fact)) return 'closed';
    return claims[fact] === undefined || (fact === 'pools' && isUnread) ? 'unread' : undefined;
  };
  const facts = NAMES.flatMap((fact): readonly Untold[] => {
    const why = whyNow(fact);
    return why === undefined ? [] : [{ fact, why }];
  });
  return [...facts, ...untoldUsers({ known: known.pools, shown: claims.pools, isHidden })];
};

/** Of pools that are told: one whose user is not, known or never known. */
const untoldUsers = ({
  known = [],
  shown = [],
  isHidden,
}: {
  readonly known: Facts['pools'];
  readonly shown: Facts['pools'];
  readonly isHidden: boolean;
}): readonly Untold[] => {
  if (isHidden || leavesOutUsers(known, shown)) return [{ fact: 'pools.user', why: 'left-out' }];
  return filledSlots(shown).some(({ user }) => user === undefined) ? [{ fact: 'pools.user', why: 'never-told' }] : [];
};
