import type { RefusedMessage } from './store.ts';

const HOUR_MS = 3_600_000;
const EACH_PER_HOUR = 16;
const ALL_PER_HOUR = 256;
const KEPT_BYTES = 32_768;

/**
 * Which refused messages are kept as evidence: 16 an hour from one gateway's topics, 256 in all. Anyone who can
 * publish can send any number; each is reported, few are needed to show what goes on.
 */
export class Quarantine {
  readonly #counts = new Map<string, number>();
  #hour = -1;
  #all = 0;

  /** The message as it is to be kept, undefined where enough are. */
  keep(message: RefusedMessage): RefusedMessage | undefined {
    const source = message.topic.split('/', 4).join('/');
    const hour = Math.floor(message.receivedAtMs / HOUR_MS);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#all = 0;
      this.#counts.clear();
    }
    const count = this.#counts.get(source) ?? 0;
    if (count >= EACH_PER_HOUR || this.#all >= ALL_PER_HOUR) return undefined;
    this.#counts.set(source, count + 1);
    this.#all += 1;
    return { ...message, bytes: Buffer.from(message.bytes.subarray(0, KEPT_BYTES)) };
  }
}
