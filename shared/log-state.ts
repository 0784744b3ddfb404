import { EntryWindow } from './entry-window.ts';
import type { ReferenceItem } from './reference.ts';
import type { LogEnd } from './statement.ts';
import { type CompactRange, EMPTY_RANGE, rangeRoot } from './tree.ts';

/** What the next entry is checked against, of the entry before it. */
export interface Predecessor {
  readonly leaf: Buffer;
  readonly bootcount: number;
  readonly bootseed: string;
  readonly monoMs: number;
  readonly iat: number;
}

/** What is known of a device from its entries. */
export interface DeviceState {
  /** Leaf hash of its current attestation, b64u; undefined for a device that was never attested or left. */
  attested?: string | undefined;
  /** Label `tenant` of that attestation. */
  tenant?: string | undefined;
  /** Baseline items of the device that were not withdrawn. */
  items: readonly ReferenceItem[];
}

/** The state of one log at a verifier (attestation.md §8): small, and independent of the length of the log. */
export interface LogState {
  readonly log: string;
  /** `seq` the chain begins at; above 0 the tree is not known. */
  start: number;
  /** From here to `start` entries are lost, none where it is `start`. */
  lostFrom: number;
  next: number;
  before: Predecessor | undefined;
  range: CompactRange | undefined;
  readonly entries: EntryWindow;
  readonly devices: Map<string, DeviceState>;
  /** Devices of which something changed; who stores them empties it. */
  readonly touched: Set<string>;
  /** Signed documents in force, by `ref_id`: the `seq` of the `baseline` entry that adopted the newest version. */
  readonly documents: Map<string, number>;
  /** Keys that handed over in this log, with the `seq` at which they did. */
  readonly retiredKeys: Map<string, number>;
  /** The end of the former incarnation that entry 0 names; undefined where entry 0 was not seen. */
  prior: LogEnd | null | undefined;
  /** Latest issue time of a marker that an entry contains: a lower bound of time. */
  epochIat: number | undefined;
  /** Latest time that an entry claims. */
  latestIat: number;
}

/** A log of which nothing was read yet, from entry `start` on. */
export const newState = (log: string, start: number, window: number): LogState => ({
  log,
  start,
  lostFrom: start,
  next: start,
  before: undefined,
  range: start === 0 ? EMPTY_RANGE : undefined,
  entries: new EntryWindow(window, start),
  devices: new Map(),
  touched: new Set(),
  documents: new Map(),
  retiredKeys: new Map(),
  prior: undefined,
  epochIat: undefined,
  latestIat: 0,
});

/** Size and root as far as the log is chained; no root where the chain did not begin at entry 0. */
export const endOf = ({ log, next, range }: LogState): Pick<LogEnd, 'log' | 'size'> & Partial<LogEnd> => ({
  log,
  size: next,
  ...(range === undefined ? {} : { root: rangeRoot(range).toString('base64url') }),
});
