import type { Severity } from '../appraise/finding.ts';
import { AgentError } from '../platform/errors.ts';
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';
import type { StaleMirror } from './tables/newest.ts';
import { subtreeRoots } from './tree.ts';

/**
 * An entry as the uplink sends it. `severity` only of a transition of a confirmed finding; `tenant` of what is about one
 * tenant alone.
 */
export interface OutgoingEntry extends Entry {
  readonly severity?: Severity;
  readonly tenant?: string;
}

/** How many acknowledged entries may be sent again after a crash (mqtt.md §5, `lead`). */
const LEAD = 256;

/** So many unsaved entries are a backlog: once it is sent its end is saved at once. The end of fewer waits for the next `save`. */
const BACKLOG = 16;

/** The log as the queue of what is still to be sent: reads entries, keeps how far its readers have confirmed them. */
export class LogOutbox {
  readonly #log: Log;
  readonly #store: Store;
  /** The broker. */
  readonly #reader: string;
  /** By reader: how far it confirmed, and how far of that the store knows. */
  readonly #cursors = new Map<string, { next: number; saved: number }>();

  constructor(log: Log, store: Store, reader: string) {
    this.#log = log;
    this.#store = store;
    this.#reader = reader;
  }

  #at(reader: string): { next: number; saved: number } {
    const known = this.#cursors.get(reader);
    if (known !== undefined) return known;
    // A place beyond the end is one in another log.
    const saved = Math.min(this.#store.cursor(reader), this.#log.size());
    const cursor = { next: saved, saved };
    this.#cursors.set(reader, cursor);
    return cursor;
  }

  size(): number {
    return this.#log.size();
  }

  entriesFrom(seq: number, limit: number): readonly OutgoingEntry[] {
    return this.#log.entriesFrom(seq, limit).map(outgoing);
  }

  onAppend(callback: () => void): () => void {
    return this.#log.onAppend(callback);
  }

  /** Number of entries from 0 that a broker took. */
  cursor(): number {
    return this.#at(this.#reader).next;
  }

  /** A broker took everything below `next`. Made durable every `LEAD` entries, once a backlog is sent, and by `save`. */
  advance(next: number): void {
    this.#move(this.#reader, next);
  }

  /** Number of entries from 0 that a collector has stored. */
  confirmed(collector: string): number {
    return this.#at(readerOf(collector)).next;
  }

  /** A collector has stored this many. Made durable like the place of the broker. */
  confirm(collector: string, next: number): void {
    this.#move(readerOf(collector), next);
  }

  #move(reader: string, next: number): void {
    const cursor = this.#at(reader);
    cursor.next = next;
    if (!this.#isDue(cursor)) return;
    try {
      this.save();
    } catch (error) {
      // A store that takes no writes now only means that more is sent again after a crash; the log reports the failure.
      if (!(error instanceof AgentError)) throw error;
    }
  }

  /** An agent that crashes again and again must not send the same backlog each time; the next few entries can wait. */
  #isDue({ next, saved }: { readonly next: number; readonly saved: number }): boolean {
    const unsaved = next - saved;
    return unsaved >= LEAD || (unsaved >= BACKLOG && next === this.#log.size());
  }

  /** Makes all places durable: at the end, and when nothing is left to send. */
  save(): void {
    const moved = [...this.#cursors].filter(([, { next, saved }]) => next !== saved);
    if (moved.length === 0) return;
    this.#store.transaction(() => {
      for (const [reader, { next }] of moved) this.#store.saveCursor(reader, next);
    });
    for (const [, cursor] of moved) cursor.saved = cursor.next;
  }

  /** Leaf hash of an entry, b64u; undefined beyond the end of the log. */
  leaf(seq: number): string | undefined {
    const [leaf] = seq < this.#log.size() ? this.#store.leavesFrom(seq, 1) : [];
    return leaf === undefined ? undefined : Buffer.from(leaf).toString('base64url');
  }

  /** Roots of the complete subtrees over a range of leaves. */
  tiles(from: number, to: number): Promise<readonly Uint8Array[]> {
    return subtreeRoots(this.#store, from, to);
  }

  /** When an entry was written, Unix seconds; undefined where its message was pruned. */
  writtenAt(seq: number): number | undefined {
    return this.#store.entry(seq)?.iat;
  }

  /** True while the entry is the newest attestation of a device of the configuration. */
  isNewest(device: string, seq: number): boolean {
    return this.#store.newest(device) === seq;
  }

  /** Newest attestations in the order of device ids, above `device`, at most `limit`. */
  newestAfter(device: string, limit: number): readonly OutgoingEntry[] {
    return this.#store.newestAfter(device, limit).map(outgoing);
  }

  /** Number of devices of the configuration that have an attestation. */
  deviceCount(): number {
    return this.#store.newestCount();
  }

  /** Retained messages at the broker that are of the past, at most `limit`. */
  staleMirrors(limit: number): readonly StaleMirror[] {
    return this.#store.staleMirrors(limit);
  }

  /** The broker retains nothing there any more. Where the store takes no writes now, it is cleared once more later. */
  mirrorCleared(mirror: StaleMirror): void {
    try {
      this.#store.transaction(() => this.#store.mirrorCleared(mirror));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
  }
}

/** The name of a collector's place in the store; that of the broker has no slash. */
const readerOf = (collector: string): string => `collector/${collector}`;

/** What is read of our own statement, signed when it was appended. */
interface Routing {
  readonly subject?: { readonly labels?: Labels };
  readonly finding?: { readonly severity: Severity; readonly confirmed_at?: number; readonly labels?: Labels };
  readonly coverage?: { readonly scope: string };
}

interface Labels {
  readonly tenant?: string;
}

const outgoing = (entry: Entry): OutgoingEntry => {
  // Nearly all entries of a site without tenants need not be parsed.
  if (entry.kind !== 'finding' && !TENANT.some((sign) => Buffer.from(entry.message).includes(sign))) return entry;
  const { subject, finding, coverage } = JSON.parse(Buffer.from(entry.message).toString()) as Routing;
  const tenant = subject?.labels?.tenant ?? finding?.labels?.tenant ?? tenantIn(coverage?.scope);
  const isConfirmed = finding?.confirmed_at !== undefined;
  return {
    ...entry,
    ...(isConfirmed ? { severity: finding.severity } : {}),
    ...(tenant === undefined ? {} : { tenant }),
  };
};

const SCOPE = 'tenant:';

/** Where a statement speaks of a tenant, in its canonical form. */
const TENANT = ['"tenant":"', `"scope":"${SCOPE}`];

const tenantIn = (scope = ''): string | undefined => (scope.startsWith(SCOPE) ? scope.slice(SCOPE.length) : undefined);
