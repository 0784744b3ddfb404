import type { Semaphore } from '../probe/limits.ts';
import type { Interface } from '../probe/target.ts';
import type { Place } from './places.ts';
import type { Seat } from './timetable.ts';

/** Looks that read nothing which names a machine, while another one that is known may stand there. Instants are ms of the timetable. */
export interface Nameless {
  readonly looks: number;
  readonly sinceMs: number;
  /** When it is asked again. */
  readonly againMs: number;
  /** It never told: whoever sits there is taken for it, until it does. */
  readonly over: boolean;
  /** The last look found nobody. */
  readonly gone: boolean;
}

/** A place and what is known to sit there. Changed in place by the fleet and the rounds only. */
export interface FleetSeat extends Seat {
  readonly place: Place;
  /** Place within a round, from 0 to 1. */
  readonly phase: number;
  occupied: boolean;
  restUntilMs: number;
  /** The device that answers here; undefined for an address of a range where none was found. */
  device?: string;
  /** The one that sat here before, and left, or lost its place. */
  former?: string;
  /** Family that the last look spoke. */
  family?: string;
  /** Interfaces to which the last full look could not connect, and those to which the one before it could not either. */
  dark?: readonly Interface[] | undefined;
  closed?: readonly Interface[] | undefined;
  /** What was said of a miner here that lets nothing be read. */
  silent?: string;
  /**
   * Somebody stands here of whom it is not known yet whether it is a miner, and which: `there`. Nobody could tell which miner it is: seen
   * once, or said.
   */
  untold?: 'there' | 'once' | 'said';
  nameless?: Nameless;
  /** The last look found nobody here. */
  goneOnce?: boolean;
  /** A look is under way. */
  busy: boolean;
  /** Where looks wait for those at other positions that are most likely the same machine; absent where there are none. */
  line?: Semaphore;
  /** Somebody asked for an attestation of what shows here now. */
  demanded?: boolean;
  /** Looked at once since the entry was added. */
  passed: boolean;
  /** What shows here was last seen at another seat: whose it is follows from the next look there. */
  claim?: { readonly device: string; readonly sinceMs: number };
  /** How many machines of other seats it showed lately without being one of them, and when the last of them. */
  claims?: { readonly count: number; readonly atMs: number };
}
