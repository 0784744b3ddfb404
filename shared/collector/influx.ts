const SPAN_MS = 1_000;
/** Messages in a second that a fleet does not send when all is said. */
const MUCH = 64;

/**
 * Whether a backlog comes in. What a gateway says that it has, and that is not here, is then most likely on its way, in the
 * queue of the broker: to ask for it would bring it twice, into the same queue.
 */
export class Influx {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  #muchMs = Number.NEGATIVE_INFINITY;

  came(count: number, nowMs: number): void {
    if (nowMs - this.#sinceMs >= SPAN_MS) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    this.#count += count;
    if (this.#count >= MUCH) this.#muchMs = nowMs;
  }

  isMuch(nowMs: number): boolean {
    return nowMs - this.#muchMs < 2 * SPAN_MS;
  }
}
