import type { FactName } from '../../shared/facts.ts';
import { keptFacts, NO_FACTS } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import type { DeviceState } from './device.ts';

/** A surface that was closed is not a change. What another one says in its place is compared with what that one said before, never with what the closed one said. */

type Known = Pick<NonNullable<DeviceState['attested']>, 'facts' | 'standIns'>;

/** Which of these facts are known from where they should stand, as this family has them. */
const knownProper = (known: Known | undefined, names: readonly FactName[], family: string): readonly FactName[] => {
  if (known === undefined || known.facts === NO_FACTS) return [];
  const others = names.filter((name) => known.standIns?.includes(name) !== true);
  // A device whose surface was closed from the start is known by its stand-ins: nothing needs to be parsed.
  if (others.length === 0) return others;
  const facts = keptFacts(known.facts);
  return facts.family === family ? others.filter((name) => facts[name] !== undefined) : [];
};

/**
 * The look as it can be held against what is known of the device: a fact that stands in now, and did not when the
 * reference or the last attestation was made, was not read. The same look where there is no such fact.
 */
export const comparable = (
  { reference, attested }: Pick<DeviceState, 'reference' | 'attested'>,
  observation: Observation,
): Observation => {
  const { family, standIns } = observation;
  if (standIns.size === 0) return observation;
  const names = [...standIns.keys()];
  const without = new Set<string>([reference, attested].flatMap((known) => knownProper(known, names, family)));
  if (without.size === 0) return observation;
  return {
    ...observation,
    facts: Object.fromEntries(Object.entries(observation.facts).filter(([fact]) => !without.has(fact))),
    gaps: new Map([...observation.gaps, ...[...standIns].filter(([fact]) => without.has(fact))]),
    standIns: new Map([...standIns].filter(([fact]) => !without.has(fact))),
  };
};

/** Whether the look shows this fact where it should stand, or where it was always read. */
export const isShown = (
  fact: FactName,
  { attested }: Pick<DeviceState, 'attested'>,
  { facts, standIns }: Pick<Observation, 'facts' | 'standIns'>,
): boolean =>
  facts[fact] !== undefined &&
  (!standIns.has(fact) || attested === undefined || attested.standIns?.includes(fact) === true);
