import type { PoolEntry } from './pools.ts';
import type { Span } from './scan.ts';

/** What one machine puts into its replies at one moment. */
export interface Values {
  /** Tells this machine from the others of the fleet. */
  readonly machine: number;
  /** Tells the place: the worker name belongs to it, whatever machine stands there. */
  readonly place: number;
  /** Unix seconds. */
  readonly now: number;
  /** Seconds since the fleet started, or since the last restart of this machine. */
  readonly running: number;
  /** As long as it got shares through: the same, unless none got through of late. */
  readonly sharing: number;
  readonly restarted: boolean;
  /** Undefined while the pools are those of the specimen. */
  readonly pools: readonly PoolEntry[] | undefined;
  /** How the machine does now; undefined while it does as its specimen did. */
  readonly pace: Pace | undefined;
}

/** Parts of what the specimen shows: its hash rate, and the frequency its tuner found. */
export interface Pace {
  readonly rate: number;
  readonly frequency: number;
}

/** What stands in a gap at one moment: bytes as Latin-1 characters. */
export type Fill = (values: Values) => string;

/** A place of a reply where machines differ. */
export interface Gap extends Span {
  readonly fill: Fill;
}

/** The text of a place. */
export const within = (text: string, { start, end }: Span): string => text.slice(start, end);

/** UTF-8 bytes as Latin-1 characters, escaped for a JSON string. */
export const asJsonText = (text: string): string =>
  Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8').toString('latin1');
