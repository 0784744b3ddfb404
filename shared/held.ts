import { gatewayOf, rereadMessage, type VerifiedMessage } from './verify.ts';

const MOST_ENTRIES = 1_000;
const MOST_BYTES = 4 * 1_048_576;

/** What the logs of one gateway hold. */
interface Share {
  bytes: number;
  readonly logs: Set<HeldMessages>;
}

/**
 * Bytes that all logs of a verifier together may hold. Where there is no room the gateway that holds most gives way, so that
 * nobody pushes out what others need.
 */
export class Room {
  readonly #most: number;
  readonly #shares = new Map<string, Share>();
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get used(): number {
    return this.#used;
  }

  /** What a log holds has changed by so many bytes. */
  count(held: HeldMessages, bytes: number): void {
    const share = this.#shares.get(held.gateway) ?? { bytes: 0, logs: new Set() };
    share.bytes += bytes;
    this.#used += bytes;
    if (held.bytes > 0) share.logs.add(held);
    else share.logs.delete(held);
    if (share.logs.size > 0) this.#shares.set(held.gateway, share);
    else this.#shares.delete(held.gateway);
  }

  /** Where too much is held: the log that gives way. */
  overfull(): HeldMessages | undefined {
    if (this.#used <= this.#most) return undefined;
    const most = [...this.#shares.values()].reduce((one, other) => (other.bytes > one.bytes ? other : one));
    return [...most.logs].reduce((one, other) => (other.bytes > one.bytes ? other : one));
  }
}

type Held = Pick<VerifiedMessage, 'bytes' | 'leaf' | 'kid'>;

/**
 * Authentic messages of a log above a gap (step 9): at most 1 000 of 4 MiB. Where there is no room the farthest goes, so
 * nobody who chooses the order of messages can keep out the ones that are needed first.
 */
export class HeldMessages {
  readonly gateway: string;
  readonly #messages = new Map<number, Held>();
  readonly #room: Room;
  #bytes = 0;

  constructor(log: string, room: Room) {
    this.gateway = gatewayOf(log);
    this.#room = room;
  }

  get bytes(): number {
    return this.#bytes;
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

  /** Holds a message and returns those that had to make room, possibly itself, possibly of other logs. */
  put({ bytes, leaf, kid, statement }: VerifiedMessage): readonly VerifiedMessage[] {
    // A copy: the bytes may be a view of a network buffer, which would be kept with them.
    this.#messages.set(statement.seq, { bytes: Buffer.from(bytes), leaf, kid });
    this.#count(bytes.length);
    const displaced: VerifiedMessage[] = [];
    for (let full = this.#overfull(); full !== undefined; full = this.#overfull()) {
      const farthest = full.takeFarthest();
      if (farthest !== undefined) displaced.push(farthest);
    }
    return displaced;
  }

  /** Takes out what is needed last. */
  takeFarthest(): VerifiedMessage | undefined {
    return this.take(Math.max(...this.#messages.keys()));
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

  /** Who has to give way. */
  #overfull(): HeldMessages | undefined {
    return this.#messages.size > MOST_ENTRIES || this.#bytes > MOST_BYTES ? this : this.#room.overfull();
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#room.count(this, bytes);
  }
}
