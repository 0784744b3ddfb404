import type { Arrived } from '../../shared/index.ts';

/** Above this the connection is not read on until half of it is done. */
const HIGH_MESSAGES = 4_096;
const HIGH_BYTES = 16 * 1_048_576;
/** Messages of one gateway at a time: one that sends very many does not stand before all others. */
const TURN = 16;

const NOBODY = '';

/**
 * What arrived and is not stored yet. It holds a bounded amount: while the store keeps up a connection that brings more waits,
 * and while the store refuses the rest is dropped, because a connection that is not read for long dies. Nothing is lost by
 * that: gateways send again what was not acknowledged.
 */
export class Inbox {
  /** By gateway, each in its order; the gateway whose turn is next first. */
  readonly #queues = new Map<string, Arrived[]>();
  /** Those whose turn has come. */
  readonly #next: Arrived[] = [];
  #count = 0;
  #bytes = 0;
  #dropped = 0;
  #isRefusing = false;
  #room: PromiseWithResolvers<void> | undefined;
  #wake: (() => void) | undefined;

  /** A promise where the sender has to wait for room. What is no gateway's, as markers of time are, comes before what may rest on it. */
  put(message: Arrived, gateway = NOBODY): Promise<void> | undefined {
    if (this.#isRefusing && this.#isFull()) {
      this.#dropped += 1;
      return undefined;
    }
    // A copy: what arrives is a view of all that was read together, messages for other workers among it.
    const copy = { topic: message.topic, payload: new Uint8Array(message.payload) };
    const queue = this.#queues.get(gateway);
    if (queue === undefined) this.#queues.set(gateway, [copy]);
    else queue.push(copy);
    this.#count += 1;
    this.#bytes += message.payload.length;
    this.#wake?.();
    if (this.#isRefusing || !this.#isFull()) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  get size(): number {
    return this.#count;
  }

  /** The next messages, as many and together as large at most, but one where there is any; they stay until they are `done`. */
  first(count: number, bytes: number): readonly Arrived[] {
    this.#draw(count);
    const oldest = this.#next.slice(0, count);
    let together = 0;
    const tooMuch = oldest.findIndex(({ payload }, index) => {
      together += payload.length;
      return together > bytes && index > 0;
    });
    return tooMuch < 0 ? oldest : oldest.slice(0, tooMuch);
  }

  done(count: number): void {
    this.#draw(count);
    for (const { payload } of this.#next.splice(0, count)) {
      this.#count -= 1;
      this.#bytes -= payload.length;
    }
    if (this.#count <= HIGH_MESSAGES / 2 && this.#bytes <= HIGH_BYTES / 2) this.#makeRoom();
  }

  /** The store does not take anything: what arrives beyond the bound is dropped from now on. */
  refuse(): void {
    this.#isRefusing = true;
    this.#makeRoom();
  }

  /** The store takes messages again. Gives how many were dropped meanwhile. */
  accept(): number {
    const dropped = this.#dropped;
    this.#isRefusing = false;
    this.#dropped = 0;
    return dropped;
  }

  /** Until there is something, at most so long. */
  async filled(withinMs: number): Promise<void> {
    if (this.#count > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Some of each gateway in turn, until there are so many. */
  #draw(count: number): void {
    this.#next.push(...(this.#queues.get(NOBODY)?.splice(0, Math.max(0, count - this.#next.length)) ?? []));
    // One that is put behind the others comes again in the same loop.
    for (const [gateway, queue] of this.#queues) {
      if (this.#next.length >= count) return;
      this.#next.push(...queue.splice(0, Math.min(TURN, count - this.#next.length)));
      this.#queues.delete(gateway);
      if (queue.length > 0) this.#queues.set(gateway, queue);
    }
  }

  #isFull(): boolean {
    return this.#count >= HIGH_MESSAGES || this.#bytes >= HIGH_BYTES;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
