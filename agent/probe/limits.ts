/** What one device may cost. Deadlines are absolute: a peer that drips bytes does not move them. */
export interface Limits {
  readonly connectMs: number;
  /** From the connected socket, or on a kept-alive one from the request, to the last byte of the reply. */
  readonly exchangeMs: number;
  /** One look at one device, all questions together. */
  readonly deviceMs: number;
  readonly maxReplyBytes: number;
}

/** Lets at most `most` pieces of work run at the same time; the others wait in the order they came. */
export class Semaphore {
  #free: number;
  /** From `#head` on: shifting a long array would move all of it for each that leaves. */
  #waiting: (() => void)[] = [];
  #head = 0;

  constructor(most: number) {
    if (!Number.isInteger(most) || most < 1) throw new Error(`not a bound: ${most}`);
    this.#free = most;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  /** The place goes straight to the next in line, so that a newcomer cannot take it in between. */
  #passOn(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#waiting = [];
      this.#head = 0;
      this.#free += 1;
    } else {
      this.#head += 1;
      next();
    }
  }
}
