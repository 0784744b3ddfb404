import type { OutboxEntry } from './outbox.ts';

const MOST_ENTRIES = 256;
const MOST_BYTES = 1_048_576;
/** Confirmed within this, as much more may be on its way; after the second, half as much is. */
const PROMPT_MS = 2_000;
const LATE_MS = 8_000;
/** A collector that is late for so many gateways at once gets little of each, but not one entry at a time. */
const LEAST_ENTRIES = 8;

/**
 * What was sent beyond what is confirmed (mqtt.md §5): at most 256 entries or 1 MiB, and never less than one entry. A collector
 * that stops acknowledging stops the gateway. It begins with `first` and grows with every entry that is confirmed in time,
 * so that a fleet that comes back to one collector does not put all of its leads into the queue of the broker at once:
 * what then waits there for longer than the patience of its gateway is sent again, and waits twice.
 */
export class Lead {
  #sent: { readonly seq: number; readonly bytes: number; readonly atMs: number }[] = [];
  #bytes = 0;
  #most: number;
  #halvedMs = Number.NEGATIVE_INFINITY;

  constructor(first: number) {
    this.#most = Math.min(first, MOST_ENTRIES);
  }

  /** Entries that were sent and are not confirmed. */
  get count(): number {
    return this.#sent.length;
  }

  hasRoom({ message }: OutboxEntry): boolean {
    const { length } = this.#sent;
    return length === 0 || (length < this.#most && this.#bytes + message.length <= MOST_BYTES);
  }

  sent({ seq, message }: OutboxEntry, nowMs: number): void {
    this.#sent.push({ seq, bytes: message.length, atMs: nowMs });
    this.#bytes += message.length;
  }

  /** Everything below `floor` is confirmed. */
  confirmed(floor: number, nowMs: number): void {
    const first = this.#sent.findIndex(({ seq }) => seq >= floor);
    const gone = this.#sent.splice(0, first === -1 ? this.#sent.length : first);
    this.#bytes -= gone.reduce((sum, { bytes }) => sum + bytes, 0);
    const newest = gone.at(-1);
    if (newest !== undefined) this.#heed(gone.length, nowMs - newest.atMs, nowMs);
  }

  clear(): void {
    this.#sent = [];
    this.#bytes = 0;
  }

  #heed(count: number, tookMs: number, nowMs: number): void {
    if (tookMs <= PROMPT_MS) this.#most = Math.min(MOST_ENTRIES, this.#most + count);
    // Once for all that was on its way together.
    if (tookMs <= LATE_MS || nowMs - this.#halvedMs < tookMs) return;
    this.#most = Math.max(LEAST_ENTRIES, Math.floor(this.#most / 2));
    this.#halvedMs = nowMs;
  }
}
