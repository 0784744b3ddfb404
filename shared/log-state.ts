import type { EntryWindow } from './entry-window.ts';
import type { ReferenceItem } from './reference.ts';
import type { CompactRange } from './tree.ts';

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
  readonly start: number;
  next: number;
  before: Predecessor | undefined;
  range: CompactRange | undefined;
  readonly entries: EntryWindow;
  readonly devices: Map<string, DeviceState>;
  /** Signed documents in force, by `ref_id`: the `seq` of the `baseline` entry that adopted the newest version. */
  readonly documents: Map<string, number>;
  /** Keys that handed over in this log. */
  readonly retiredKeys: Set<string>;
  /** Latest issue time of a marker that an entry contains: a lower bound of time. */
  epochIat: number | undefined;
}
