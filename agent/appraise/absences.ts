import type { FactName } from '../../shared/facts.ts';
import type { Absent } from '../baseline/absent.ts';
import { COMPARISONS } from './index.ts';

/** Facts of which a rule says that a value in the place of none is a change. */
const TELLING: ReadonlySet<FactName> = new Set(COMPARISONS.flatMap(({ absences = [] }) => absences));

/** Which of these a device has none of, where this says of what it told that it was absent. */
export const absencesIn = (isAbsent: (fact: FactName) => boolean): Absent => [...TELLING].filter(isAbsent);

/** The same of the readings of an attestation. */
export const absencesOf = (readings: { readonly [name: string]: string }): Absent =>
  absencesIn((fact) => readings[fact] === 'absent');
