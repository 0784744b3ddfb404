import type { FactName, Facts, PoolSlot, ReadingName, StandsIn, UnknownReason } from '../../shared/facts.ts';
import type { LookKind } from '../probe/capture.ts';

export type { LookKind };

/**
 * What one look at one device gave, in the vocabulary of facts. A fact is in `facts` (present), in `gaps` (absent or
 * unknown, with the reason), or in neither: not asked in this look, or the driver knows no place to look.
 */
export interface Observation {
  readonly family: string;
  readonly address: string;
  readonly look: LookKind;
  /** Unix milliseconds, when the last reply was complete. */
  readonly observedAtMs: number;
  readonly facts: Facts;
  readonly gaps: ReadonlyMap<ReadingName, 'absent' | Exclude<UnknownReason, 'unsupported'>>;
  /** Facts read from a place that stands in for the one where they should stand, with why that one gave none. */
  readonly standIns: ReadonlyMap<FactName, StandsIn>;
  /** What each place tells of a fact that has several, of which one may stand in for another; read when it is asked for. */
  readonly tellsAtPlaces?: (fact: FactName) => readonly unknown[];
  /** Pools that the device tells, where they are no list that could be held against the known one. */
  readonly toldPools?: readonly PoolSlot[];
  /** The list of pools was read, and none of its places is filled; `pools` is unknown all the same, since such a list may hide others. */
  readonly noPools?: true;
  /** Names of facts whose text was changed by sanitising (control, bidi, invalid characters, length). */
  readonly sanitized: readonly string[];
}
