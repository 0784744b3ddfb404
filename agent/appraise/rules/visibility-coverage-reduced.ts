import type { FactName, Facts } from '../../../shared/facts.ts';
import type { Observation } from '../../normalise/observation.ts';
import type { Deviation, RuleEntry } from '../rule.ts';

/** A surface that was readable is refused or gone while others still answer (catalogue 5.9). */
export const visibilityCoverageReduced: RuleEntry = {
  id: 'visibility.coverage-reduced',
  title: 'Less can be read',
  meaning:
    'Facts that the reference holds can no longer be read, because the interface that gave them refuses or is gone, while the device answers elsewhere and speaks the same firmware.',
  benign: ['hardening', 'a password that was changed'],
  severity: 'medium',
  basis: 'gateway-observed',
  confirm: 'C3',
  approval: 'A1',
  version: 1,
};

/** The facts that stand behind a closed surface in this look. */
export const closedFacts = ({ gaps }: Pick<Observation, 'gaps'>): readonly FactName[] =>
  [...gaps].filter(([, gap]) => gap === 'refused' || gap === 'unreachable').map(([fact]) => fact);

/** `accepted`: facts that a person knows to be closed. `surfacesOf`: names of the questions that were refused or lost. */
export const coverageLost = (
  closed: readonly FactName[],
  known: Facts,
  accepted: readonly FactName[],
  surfacesOf: (fact: FactName) => readonly string[],
): readonly Deviation[] => {
  const lost = closed.filter((fact) => known[fact] !== undefined && !accepted.includes(fact)).sort();
  if (lost.length === 0) return [];
  return [{ before: { readable: lost }, after: { closed: [...new Set(lost.flatMap(surfacesOf))].sort() } }];
};

/** While it is not settled what became of the firmware, what it does not serve is a matter of that. */
export const speaksOfFirmware = (id: string): boolean =>
  id === 'firmware.family-changed' || id === 'firmware.version-changed' || id === 'firmware.rollback';
