import type { FactName } from '../../shared/facts.ts';
import { type Absent, absentMember } from '../baseline/absent.ts';
import { NO_FACTS } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState } from './device.ts';
import { COMPARISONS } from './index.ts';

/** Facts of which a rule says that a value in the place of none is a change. */
const TELLING: ReadonlySet<FactName> = new Set(COMPARISONS.flatMap(({ absences = [] }) => absences));

/** Which of these a device has none of, where this says of what it told that it was absent. */
export const absencesIn = (says: (fact: FactName) => boolean): Absent => [...TELLING].filter(says);

/** The same of the readings of an attestation. */
export const absencesOf = (readings: { readonly [name: string]: string }): Absent =>
  absencesIn((fact) => readings[fact] === 'absent');

/** Whether a look says that the device has none of this. */
export const isAbsent = (fact: FactName, { facts, gaps, noPools = false }: Told): boolean =>
  facts[fact] === undefined && (gaps.get(fact) === 'absent' || (fact === 'pools' && noPools));

/** What of a look says that something is not there. */
type Told = Pick<Observation, 'facts' | 'gaps'> & { readonly noPools?: boolean | undefined };

/** A device that starts has not all of its settings yet: so long after it was first seen nobody takes a blank for what it has. */
const START_MS = 10 * 60_000;

/** When a look can say that what was absent at first sight is so; undefined where nothing waits for that. */
export const absentAtMs = ({ reference, firstSeenMs = 0 }: DeviceState): number | undefined =>
  reference?.absentOnce === undefined ? undefined : firstSeenMs + START_MS;

/**
 * The state after a full look: what it has none of, as the look it was learned from, is known to be absent, once that is some time ago;
 * what it has is not.
 */
export const withAbsent = (state: DeviceState, look: Told & Pick<Observation, 'observedAtMs'>): DeviceState => {
  const { absentOnce, absent = [], ...reference } = state.reference ?? { entries: [], facts: NO_FACTS };
  if (absentOnce === undefined) return state;
  const isLate = look.observedAtMs >= (absentAtMs(state) ?? 0);
  const again = isLate ? absentOnce.filter((fact) => isAbsent(fact, look)) : [];
  const left = absentOnce.filter((fact) => !again.includes(fact) && look.facts[fact] === undefined);
  if (left.length === absentOnce.length) return state;
  return {
    ...state,
    reference: {
      ...reference,
      ...absentMember([...absent, ...again]),
      ...(left.length === 0 ? {} : { absentOnce: left }),
    },
  };
};
