import { asGap, type FactName, type Facts, type StandsIn } from '../../shared/facts.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keepFacts, keptFacts, NO_FACTS } from '../baseline/kept.ts';
import { holderOf, only } from '../baseline/reference.ts';
import { isScopedBy, type Standing } from '../baseline/standing.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState } from './device.ts';
import { leavesOutUsers, strangersIn } from './slots.ts';

/** A place that gave nothing is not a change. What another one says in its place is compared with what that one said before, never with what that one said itself. */

type Known = Pick<NonNullable<DeviceState['attested']>, 'facts' | 'standIns'>;

/** Which of the facts that stand in are known from where they should stand, as this family has them. */
const knownProper = (
  known: Known | undefined,
  { family, standIns, facts: shown }: Observation,
): readonly FactName[] => {
  if (known === undefined || known.facts === NO_FACTS) return [];
  const others = [...standIns.keys()].filter((name) => known.standIns?.includes(name) !== true);
  // A device whose surface was closed from the start is known by its stand-ins: nothing needs to be parsed.
  if (others.length === 0) return others;
  const facts = keptFacts(known.facts);
  // The place was open, and what it does not tell now it did not tell then.
  const isOld = (name: FactName): boolean => standIns.get(name) === 'absent' && shown[name] === facts[name];
  return facts.family === family ? others.filter((name) => facts[name] !== undefined && !isOld(name)) : [];
};

/**
 * The look as it can be held against what is known of the device: a fact that stands in now, and did not when the
 * reference or the last attestation was made, was not read; nor were the users of pools that the reference knows and the
 * look leaves out. The same look where there is nothing of that.
 */
export const comparable = (state: Pick<DeviceState, 'reference' | 'attested'>, observation: Observation): Observation =>
  withStrangers(state, withoutStandIns(state, withUsersLeftOut(state, observation)));

/** Of pools that are no list those that were not attested: what was is judged already, or known. */
const withStrangers = ({ attested }: Pick<DeviceState, 'attested'>, observation: Observation): Observation => {
  const { toldPools } = observation;
  if (toldPools === undefined) return observation;
  return { ...observation, toldPools: strangersIn(toldPools, keptFacts(attested?.facts).pools ?? []) };
};

/** Nothing is parsed for what most looks show: every slot with its user. */
const withUsersLeftOut = ({ reference }: Pick<DeviceState, 'reference'>, observation: Observation): Observation => {
  const { pools } = observation.facts;
  if (reference === undefined || pools?.some(({ user }) => user === undefined) !== true) return observation;
  if (!leavesOutUsers(keptFacts(reference.facts).pools ?? [], pools)) return observation;
  return { ...observation, gaps: new Map([...observation.gaps, ['pools.user', 'unreadable']]) };
};

const withoutStandIns = (
  { reference, attested }: Pick<DeviceState, 'reference' | 'attested'>,
  observation: Observation,
): Observation => {
  const { standIns } = observation;
  if (standIns.size === 0) return observation;
  const without = new Set<string>([reference, attested].flatMap((known) => knownProper(known, observation)));
  if (without.size === 0) return observation;
  const left = [...standIns].filter(([fact]) => without.has(fact));
  const { pools } = observation.facts;
  return {
    ...observation,
    facts: Object.fromEntries(Object.entries(observation.facts).filter(([fact]) => !without.has(fact))),
    gaps: new Map([...observation.gaps, ...left.map(([fact, why]) => [fact, gapOf(fact, why)] as const)]),
    standIns: new Map([...standIns].filter(([fact]) => !without.has(fact))),
    ...(pools === undefined || !without.has('pools') ? {} : { toldPools: pools }),
  };
};

/** No miner has no pools because the place of their list is empty. */
const gapOf = (fact: FactName, why: StandsIn) => (fact === 'pools' && why === 'absent' ? 'unreadable' : asGap(why));

/**
 * The state once a surface opened that was closed when its reference was made. A fact is held against what its own place tells from then
 * on. Where that says it in other words than the reference, and a place that may have stood in tells now what it told then, these words
 * are the reference: nobody but the device says that they mean the same, so they are learned. Pools are none of this, as nobody who
 * approved those that run approved the stored ones.
 */
export const withOpened = (state: DeviceState, observation: Observation, standing: Standing): DeviceState => {
  const opened = openedIn(state.reference, observation);
  if (state.reference === undefined || opened.length === 0) return state;
  const { standIns = [], carried = [], ...reference } = state.reference;
  const known = keptFacts(reference.facts);
  if (known.family !== observation.family) return state;
  const now = comparedFacts(only(observation.facts, opened));
  const same = opened.filter((fact) => isKnown(known, fact, now[fact]));
  const others = opened.filter((fact) => !same.includes(fact) && mayLearn(state, fact, standing));
  const reworded = others.filter((fact) =>
    observation.tellsAtPlaces?.(fact).some((value) => isKnown(known, fact, comparedFacts({ [fact]: value })[fact])),
  );
  if (same.length + reworded.length === 0) return state;
  const unnamed = [...new Set([...carried, ...reworded])];
  return {
    ...state,
    reference: {
      ...reference,
      ...(reworded.length === 0 ? {} : { facts: keepFacts({ ...known, ...only(now, reworded) }) }),
      ...(unnamed.length === 0 ? {} : { carried: unnamed }),
      ...standInsMember(standIns.filter((fact) => !same.includes(fact) && !reworded.includes(fact))),
    },
  };
};

/** Facts that stood in when the reference was made, and show where they should stand. */
const openedIn = (
  reference: DeviceState['reference'],
  { facts, standIns }: Pick<Observation, 'facts' | 'standIns'>,
): readonly FactName[] =>
  reference?.standIns?.filter((fact) => fact !== 'pools' && facts[fact] !== undefined && !standIns.has(fact)) ?? [];

const isKnown = (known: Facts, fact: FactName, value: unknown): boolean =>
  known[fact] !== undefined && value !== undefined && !changed(fact, known[fact], value);

/** Not what was attested from its own place before, nor what approvers signed, nor what decides which documents speak of the device. */
const mayLearn = ({ reference, attested }: DeviceState, fact: FactName, standing: Standing): boolean =>
  (attested === undefined || attested.standIns?.includes(fact) === true) &&
  holderOf(reference?.entries ?? [], fact)?.approval !== 'signed' &&
  !isScopedBy(standing, fact);

const standInsMember = (names: readonly FactName[]): Pick<Known, 'standIns'> =>
  names.length === 0 ? {} : { standIns: names };

/** Whether the look shows this fact where it should stand, or where it was always read. */
export const isShown = (
  fact: FactName,
  { attested }: Pick<DeviceState, 'attested'>,
  { facts, standIns }: Pick<Observation, 'facts' | 'standIns'>,
): boolean =>
  facts[fact] !== undefined &&
  (!standIns.has(fact) || attested === undefined || attested.standIns?.includes(fact) === true);
