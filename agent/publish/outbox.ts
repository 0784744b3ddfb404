import type { Severity } from '../appraise/finding.ts';

/** One committed log entry as the uplink sees it: its bytes, and what routes them. */
export interface OutboxEntry {
  readonly seq: number;
  readonly kind: string;
  /** Of an `attestation`: the device it is about. */
  readonly device?: string;
  /** Of a `finding` whose transition is of a confirmed finding; a provisional one has none and is not mirrored. */
  readonly severity?: Severity;
  /** Label `tenant` of the device that it is about, or the tenant whose `coverage` it is; a parent finding has none. */
  readonly tenant?: string;
  /** The exact signed bytes. */
  readonly message: Uint8Array;
}

/** The log as the queue of what is still to be sent (mqtt.md §1). The record stage implements it; nothing here is a copy. */
export interface Outbox {
  /** Number of committed entries. */
  size(): number;
  /** Committed entries from `seq` upwards, at most `limit`, in order, without a gap. */
  entriesFrom(seq: number, limit: number): readonly OutboxEntry[];
  /** The lowest entry no broker has acknowledged. May be persisted late: after a crash a few entries are sent again. */
  cursor(): number;
  /** Everything below `next` was acknowledged by a broker. */
  advance(next: number): void;
  /** Number of entries from 0 that a required collector has stored, as far as it said. May be persisted late, too. */
  confirmed(collector: string): number;
  /** A collector has stored this many; fewer than before where it was restored from a backup. */
  confirm(collector: string, next: number): void;
  /** Leaf hash of an entry, b64u, also where its message was pruned; undefined beyond the end. */
  leaf(seq: number): string | undefined;
  /**
   * Roots of the largest complete subtrees side by side over the leaves from `from` to below `to` (`subtreeWidths`), also where messages
   * were pruned. Takes its time for many of them.
   */
  tiles(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** When an entry was written, Unix seconds; undefined where it is not held. */
  writtenAt(seq: number): number | undefined;
  /** Calls back after each commit; returns the way to stop that. */
  onAppend(callback: () => void): () => void;
  /** True while the entry is the newest attestation of the device. */
  isNewest(device: string, seq: number): boolean;
  /** Newest attestations in the order of device ids, above `device` ('' for the first), at most `limit`. */
  newestAfter(device: string, limit: number): readonly OutboxEntry[];
  /** Number of devices that have an attestation and are still in the configuration. */
  deviceCount(): number;
  /** Retained mirrors of devices that left, or of their former tenants, not yet cleared; at most `limit`. */
  staleMirrors(limit: number): readonly StaleMirror[];
  /** The broker has none there any more. */
  mirrorCleared(mirror: StaleMirror): void;
}

/** A topic `dev/<device>`, of a tenant where one is named. */
export interface StaleMirror {
  readonly tenant?: string;
  readonly device: string;
}

/** What is signed about the log beside its entries. The record stage implements it. */
export interface Notary {
  /** The log began in this process: nobody can have signed something else in its name. */
  readonly isNew: boolean;
  /** Signs a checkpoint of all committed entries, as a heartbeat message; undefined where the log turned out not to be the one that was signed. */
  heartbeat(): { readonly size: number; readonly message: Uint8Array } | undefined;
  /** Takes what came on `cosig/<col>`; anything but a good cosignature is passed over. */
  takeCosigned(payload: Uint8Array): void;
  /** Takes an entry that a collector has; one under our own key that this log does not hold shows that the log is not the one that was signed. */
  takeEntry(message: Uint8Array): void;
  /** Takes what came on `_fleet/epoch/<col>`, likewise. */
  takeMarker(payload: Uint8Array): void;
}
