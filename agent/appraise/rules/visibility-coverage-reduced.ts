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

/** Which of the questions of this look were answered, and which were refused or found nothing that listens. */
export interface Answered {
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** The questions that a fact is read from. */
  readonly of: (fact: FactName) => readonly string[];
}

/** The questions that have been closed all the time: one that was answered once is closed by somebody when it is so again. */
export const usuallyClosed = (usual: readonly string[] | undefined, { open, closed }: Answered): readonly string[] => {
  if (usual === undefined) return closed;
  const still = usual.filter((query) => !open.includes(query));
  return still.length === usual.length ? usual : still;
};

/** `accepted`: facts that a person knows to be closed. */
export const coverageLost = (
  gaps: Observation['gaps'],
  known: Facts,
  {
    accepted,
    usual,
    answered,
  }: {
    readonly accepted: readonly FactName[];
    readonly usual: readonly string[];
    readonly answered: Answered;
  },
): readonly Deviation[] => {
  const surfaces = answered.closed.filter((query) => !usual.includes(query)).sort();
  const isBehind = (fact: FactName): boolean => answered.of(fact).some((query) => surfaces.includes(query));
  const lost = [...gaps]
    .filter(([fact, gap]) => (gap === 'refused' || gap === 'unreachable') && known[fact] !== undefined)
    .map(([fact]) => fact)
    .filter((fact) => !accepted.includes(fact) && isBehind(fact))
    .sort();
  return lost.length === 0 ? [] : [{ before: { readable: lost }, after: { closed: surfaces } }];
};

/** While it is not settled what became of the firmware, what it does not serve is a matter of that. */
export const speaksOfFirmware = (id: string): boolean =>
  id === 'firmware.family-changed' || id === 'firmware.version-changed' || id === 'firmware.rollback';
