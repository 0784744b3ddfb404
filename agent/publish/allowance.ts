/** At most `perSecond` on average, with bursts of a tenth of that, or of `burst`. */
export class Allowance {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number, burst = Math.max(1, perSecond / 10)) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = this.#burst;
    this.#atMs = nowMs;
  }

  /** Takes one and returns 0, or returns the milliseconds after which there is one. */
  take(nowMs: number): number {
    // A clock that is set back takes nothing away.
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#left = Math.min(this.#burst, this.#left + (passedMs * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) * 1000) / this.#perSecond);
    this.#left -= 1;
    return 0;
  }
}
