import { FACTS, type FactName, type Facts, type ReadingName } from '../../shared/facts.ts';
import type { DeviceState } from './device.ts';
import { factOf } from './rules/visibility-coverage-reduced.ts';
import { filledSlots, leavesOutUsers } from './slots.ts';

/** A fact that a device does not tell now: an acceptance adopts no value of it, and what the reference knew of it stays; but for `as_of`. */
export interface Untold {
  readonly fact: ReadingName;
  /**
   * Of what the reference knows: `left-out` where the device answers without it, `closed` where the surface that told it refuses or is
   * gone, else `unread`. `never-told`: the reference does not know it either.
   */
  readonly why: 'left-out' | 'closed' | 'unread' | 'never-told';
  /** Unix seconds of the attestation that tells another value than the reference, which an acceptance adopts: so it was then. */
  readonly as_of?: number;
}

/** Which machine it is, what it runs, and where it works for whom. Of other facts most families tell some only, so that none is missed. */
const TELLING: ReadonlySet<FactName> = new Set(['identity.serial', 'identity.mac', 'firmware.version', 'pools']);

const NAMES = Object.keys(FACTS) as FactName[];

/** What its reference knows of a device, and what it was attested with last. */
interface KnownOf {
  readonly known: Facts;
  readonly claims: Facts;
  /** Facts of which the claims are others. */
  readonly differing?: readonly FactName[];
}

/** What a device does not tell, of what its reference knows and of what tells most about it. */
export const untoldOf = (
  { marks, attested }: Pick<DeviceState, 'marks' | 'attested'>,
  { known, claims, differing = [] }: KnownOf,
): readonly Untold[] => {
  const { leftOut = {}, closed = [], poolsUnreadMs } = marks;
  const isHidden = leftOut['pools.user'] !== undefined;
  const isUnread = poolsUnreadMs !== undefined && !isHidden;
  // What was told when the device was attested may be told no more.
  const whyNow = (fact: FactName): Untold['why'] | undefined => {
    const row = leftOut[fact];
    if (row !== undefined && row.lost === undefined) return 'left-out';
    if (known[fact] === undefined && claims[fact] === undefined) return TELLING.has(fact) ? 'never-told' : undefined;
    if (closed.includes(fact)) return 'closed';
    return claims[fact] === undefined || row?.lasts === true || (fact === 'pools' && isUnread) ? 'unread' : undefined;
  };
  const facts = NAMES.flatMap((fact): readonly Untold[] => {
    const why = whyNow(fact);
    return why === undefined ? [] : [{ fact, why }];
  });
  const untold = [...facts, ...untoldUsers({ known: known.pools, shown: claims.pools, isHidden })];
  if (attested === undefined) return untold;
  const isAdopted = ({ fact, why }: Untold): boolean =>
    why !== 'never-told' && differing.includes(factOf(fact)) && isClaimed(fact, claims);
  return untold.map((one) => (isAdopted(one) ? { ...one, as_of: Math.floor(attested.atMs / 1000) } : one));
};

const isClaimed = (name: ReadingName, claims: Facts): boolean =>
  name === 'pools.user'
    ? filledSlots(claims.pools ?? []).every(({ user }) => user !== undefined)
    : claims[name] !== undefined;

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
