import type { Severity } from '../appraise/finding.ts';
import { AgentError } from '../platform/errors.ts';
import type { Entry } from './entry.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';

/** An entry as the uplink sends it; `severity` only of a transition of a confirmed finding. */
export interface OutgoingEntry extends Entry {
  readonly severity?: Severity;
}

/** How many acknowledged entries may be sent again after a crash (mqtt.md §5, `lead`). */
const LEAD = 256;

/** As many entries are a backlog, whose end is kept at once; of fewer the end is kept by the next `save`. */
const BACKLOG = 16;

/** The log as the queue of what is still to be sent: reads entries, keeps how far one reader has confirmed them. */
export class LogOutbox {
  readonly #log: Log;
  readonly #store: Store;
  readonly #reader: string;
  #cursor: number;
  #saved: number;

  constructor(log: Log, store: Store, reader: string) {
    this.#log = log;
    this.#store = store;
    this.#reader = reader;
    this.#saved = store.cursor(reader);
    this.#cursor = this.#saved;
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

  /** Number of entries from 0 that the reader confirmed. */
  cursor(): number {
    return this.#cursor;
  }

  /** The reader confirmed everything below `next`. Made durable every `LEAD` entries, once a backlog is sent, and by `save`. */
  advance(next: number): void {
    this.#cursor = next;
    if (!this.#isDue(next)) return;
    try {
      this.save();
    } catch (error) {
      // A store that takes no writes now only means that more is sent again after a crash; the log reports the failure.
      if (!(error instanceof AgentError)) throw error;
    }
  }

  /** An agent that crashes again and again must not send the same backlog each time; the next few entries can wait. */
  #isDue(next: number): boolean {
    const unsaved = next - this.#saved;
    return unsaved >= LEAD || (unsaved >= BACKLOG && next === this.#log.size());
  }

  /** Makes the cursor durable: at the end, and when nothing is left to send. */
  save(): void {
    if (this.#saved === this.#cursor) return;
    this.#store.transaction(() => this.#store.saveCursor(this.#reader, this.#cursor));
    this.#saved = this.#cursor;
  }

  /** True while the entry is the newest attestation of a device of the configuration. */
  isNewest(device: string, seq: number): boolean {
    return this.#store.newest(device) === seq;
  }

  /** Newest attestations in the order of device ids, above `device`, at most `limit`. */
  newestAfter(device: string, limit: number): readonly OutgoingEntry[] {
    return this.#store.newestAfter(device, limit);
  }

  /** Number of devices of the configuration that have an attestation. */
  deviceCount(): number {
    return this.#store.newestCount();
  }
}

const outgoing = (entry: Entry): OutgoingEntry => {
  if (entry.kind !== 'finding') return entry;
  // Our own statement, signed when it was appended.
  const { finding } = JSON.parse(Buffer.from(entry.message).toString()) as {
    readonly finding: { readonly severity: Severity; readonly confirmed_at?: number };
  };
  return finding.confirmed_at === undefined ? entry : { ...entry, severity: finding.severity };
};
