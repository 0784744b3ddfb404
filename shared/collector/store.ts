import type { LogEnd, Statement } from '../statement.ts';
import type { Remark } from '../verification.ts';
import type { Notice } from './notice.ts';

/** What a collector needs of a database. `storeContract` checks an implementation. */

type Awaitable<Value> = Value | Promise<Value>;

/** An entry in its place in the log, as it is to be kept for ever. */
export interface AcceptedEntry {
  readonly seq: number;
  /** W as received: never store a re-serialised copy only. */
  readonly bytes: Uint8Array;
  readonly leaf: Buffer;
  /** `quarantined`: authentic, but its content is not to be used. */
  readonly status: 'chained' | 'quarantined';
  readonly remarks: readonly Remark[];
  readonly statement: Statement;
  /** Own clock, Unix milliseconds. */
  readonly receivedAtMs: number;
}

/** A message that was kept out, as evidence. */
export interface RefusedMessage {
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly remarks: readonly Remark[];
  readonly receivedAtMs: number;
}

/** What changed in one log. */
export interface LogChanges {
  readonly log: string;
  /** The revision this builds on: 0 for a log that is not stored yet. Stored becomes `revision + 1`. */
  readonly revision: number;
  /** Number of entries from 0 that are here with these changes. */
  readonly size: number;
  /** The state of the log without its devices: text to be kept as it is, a few kilobytes. */
  readonly state: string;
  /** The state of each device that changed: text to be kept as it is. */
  readonly devices: ReadonlyMap<string, string>;
  /** Accepted entries in order of `seq`, the last one is `size - 1`. */
  readonly entries: readonly AcceptedEntry[];
}

/** One transaction. */
export interface Changes {
  readonly logs: readonly LogChanges[];
  /** What happened to logs, with the proof where there is one. Each stands in one transaction only. */
  readonly notices: readonly Notice[];
  /** Refused messages, a bounded number. */
  readonly refused: readonly RefusedMessage[];
  /** The manifest in force and known epoch markers; absent where nothing changed. Text to be kept as it is. */
  readonly trusted?: string;
}

/** A log as it was committed last. */
export interface StoredLog {
  readonly revision: number;
  readonly state: string;
  readonly devices: Iterable<readonly [device: string, state: string]>;
}

/** A log in the list of those that are stored. */
export interface ListedLog extends Pick<LogEnd, 'log' | 'size'> {
  /** A notice `aside` spoke of it, or a person did: it is evidence, and no log that another one has to come after. One without an entry, too. */
  readonly aside?: true | undefined;
}

/** An entry as it was committed. */
export interface StoredEntry {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Another process changed a log meanwhile: nothing was committed. The collector reads the log again. */
export class StoreConflict extends Error {}

/**
 * Keeps what a collector accepted. The contract: `commit` is one transaction, and durable when it returns or resolves;
 * it throws `StoreConflict`, and changes nothing, where a log is not at the revision the changes build on; whatever else
 * it throws, nothing or everything was kept. `log` and `entries` give what was committed last, byte for byte.
 */
export interface CollectorStore {
  /** Every log that is stored. */
  readonly logs: () => Awaitable<readonly ListedLog[]>;
  readonly log: (log: string) => Awaitable<StoredLog | undefined>;
  /** Those of the entries that are stored, in any order. */
  readonly entries: (log: string, seqs: readonly number[]) => Awaitable<readonly StoredEntry[]>;
  /** The `trusted` that was committed last. */
  readonly trusted: () => Awaitable<string | undefined>;
  readonly commit: (changes: Changes) => Awaitable<void>;
}
