import type { OutboxEntry } from './outbox.ts';

const MOST_ENTRIES = 256;
const MOST_BYTES = 1_048_576;

/**
 * What was sent beyond what is confirmed (mqtt.md §5): 256 entries or 1 MiB, and never less than one entry. A collector
 * that stops acknowledging stops the gateway.
 */
export class Lead {
  #sent: { readonly seq: number; readonly bytes: number }[] = [];
  #bytes = 0;

  /** Entries that were sent and are not confirmed. */
  get count(): number {
    return this.#sent.length;
  }

  hasRoom({ message }: OutboxEntry): boolean {
    const { length } = this.#sent;
    return length === 0 || (length < MOST_ENTRIES && this.#bytes + message.length <= MOST_BYTES);
  }

  sent({ seq, message }: OutboxEntry): void {
    this.#sent.push({ seq, bytes: message.length });
    this.#bytes += message.length;
  }

  /** Everything below `floor` is confirmed. */
  confirmed(floor: number): void {
    const first = this.#sent.findIndex(({ seq }) => seq >= floor);
    const gone = this.#sent.splice(0, first === -1 ? this.#sent.length : first);
    this.#bytes -= gone.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  clear(): void {
    this.#sent = [];
    this.#bytes = 0;
  }
}
