/** What one device may cost. Deadlines are absolute: a peer that drips bytes does not move them. */
export interface Limits {
  readonly connectMs: number;
  /** From the connected socket, or on a kept-alive one from the request, to the last byte of the reply. */
  readonly exchangeMs: number;
  /** One look at one device, all questions together. */
  readonly deviceMs: number;
  readonly maxReplyBytes: number;
}

/** How many that had their turn may still be held by a line that never empties. */
const MOST_DONE = 1024;

/** Lets at most `most` pieces of work run at the same time; the others wait in the order they came. */
export class Semaphore {
  readonly #most: number;
  #running = 0;
  /** From `#head` on: shifting a long array would move all of it for each that leaves. What left is let go in batches. */
  #waiting: (() => Promise<void>)[] = [];
  #head = 0;
  #whenIdle: (() => void)[] = [];

  constructor(most: number) {
    if (!Number.isInteger(most) || most < 1) throw new Error(`not a bound: ${most}`);
    this.#most = most;
  }

  /** Starts `work`, which must not reject, when there is a place. While it waits it costs no more than its closure. */
  start(work: () => Promise<void>): void {
    if (this.#running === this.#most) {
      this.#waiting.push(work);
      return;
    }
    this.#running += 1;
    this.#do(work);
  }

  /** The same, for who wants the outcome. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.start(() => work().then(resolve, reject)));
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #do(work: () => Promise<void>): void {
    void work().then(() => this.#passOn());
  }

  /** The place goes straight to the next in line, so that a newcomer cannot take it in between. */
  #passOn(): void {
    const next = this.#waiting[this.#head];
    if (next !== undefined) {
      this.#head += 1;
      if (this.#head === MOST_DONE) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      this.#do(next);
      return;
    }
    this.#waiting = [];
    this.#head = 0;
    this.#running -= 1;
    if (this.#running > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
