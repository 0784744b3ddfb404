/** How long the collector takes, from the end of a fault, to have what the log had at that moment. */
export class CatchUp {
  longestMs = 0;
  #waiting: readonly { readonly sinceMs: number; readonly size: number }[] = [];

  faultEnded(size: number, nowMs: number): void {
    this.#waiting = [...this.#waiting, { sinceMs: nowMs, size }];
  }

  /** The collector has so many entries now. */
  has(size: number, nowMs: number): void {
    for (const each of this.#waiting) {
      if (each.size <= size) this.longestMs = Math.max(this.longestMs, nowMs - each.sinceMs);
    }
    this.#waiting = this.#waiting.filter((each) => each.size > size);
  }

  /** Faults whose end it has not caught up with. */
  get behind(): number {
    return this.#waiting.length;
  }
}
