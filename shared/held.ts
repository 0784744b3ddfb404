import { rereadMessage, type VerifiedMessage } from './verify.ts';

const MOST_ENTRIES = 1_000;
const MOST_BYTES = 4 * 1_048_576;

/** Bytes that all logs of a verifier together may hold. */
export class Room {
  readonly most: number;
  used = 0;

  constructor(most: number) {
    this.most = most;
  }
}

type Held = Pick<VerifiedMessage, 'bytes' | 'leaf' | 'kid'>;

/**
 * Authentic messages of a log above a gap (step 9): at most 1 000 of 4 MiB. Where there is no room the farthest goes, so
 * nobody who chooses the order of messages can keep out the ones that are needed first.
 */
export class HeldMessages {
  readonly #messages = new Map<number, Held>();
  readonly #room: Room;
  #bytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** Numbers held, ascending. */
  seqs(): readonly number[] {
    return [...this.#messages.keys()].sort((one, other) => one - other);
  }

  /** The lowest number held. */
  lowest(): number | undefined {
    return this.#messages.size === 0 ? undefined : Math.min(...this.#messages.keys());
  }

  has(seq: number): boolean {
    return this.#messages.has(seq);
  }

  get(seq: number): VerifiedMessage | undefined {
    const held = this.#messages.get(seq);
    return held && rereadMessage(held);
  }

  /** Holds a message and returns those that had to make room, possibly itself. */
  put({ bytes, leaf, kid, statement }: VerifiedMessage): readonly VerifiedMessage[] {
    // A copy: the bytes may be a view of a network buffer, which would be kept with them.
    this.#messages.set(statement.seq, { bytes: Buffer.from(bytes), leaf, kid });
    this.#count(bytes.length);
    const displaced: VerifiedMessage[] = [];
    while (this.#isFull()) {
      const farthest = this.take(Math.max(...this.#messages.keys()));
      if (farthest !== undefined) displaced.push(farthest);
    }
    return displaced;
  }

  /** Takes a message out. */
  take(seq: number): VerifiedMessage | undefined {
    const message = this.get(seq);
    this.#remove(seq);
    return message;
  }

  /** Lets go of everything. */
  clear(): void {
    for (const seq of this.#messages.keys()) this.#remove(seq);
  }

  #remove(seq: number): void {
    this.#count(-(this.#messages.get(seq)?.bytes.length ?? 0));
    this.#messages.delete(seq);
  }

  #isFull(): boolean {
    if (this.#messages.size === 0) return false;
    return this.#messages.size > MOST_ENTRIES || this.#bytes > MOST_BYTES || this.#room.used > this.#room.most;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#room.used += bytes;
  }
}
