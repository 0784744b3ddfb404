import type { Timing } from './timing.ts';

/** When entries that nobody confirmed are sent again: after 30 s without progress, then after 60, 120 … 900 s (mqtt.md §5). */
export class Patience {
  readonly #timing: Pick<Timing, 'resendMs' | 'resendCapMs'>;
  #waits = false;
  #attempts = 0;
  #sinceMs = 0;

  constructor(timing: Pick<Timing, 'resendMs' | 'resendCapMs'>) {
    this.#timing = timing;
  }

  /** An entry was sent; the first one after all were confirmed begins the wait. */
  sent(nowMs: number): void {
    if (!this.#waits) this.begin(nowMs);
  }

  /** All that was sent is confirmed. */
  rest(): void {
    this.#waits = false;
  }

  /** Something was confirmed, or somebody came: the wait begins anew. */
  begin(nowMs: number): void {
    this.#waits = true;
    this.#attempts = 0;
    this.#sinceMs = nowMs;
  }

  isDue(nowMs: number): boolean {
    const { resendMs, resendCapMs } = this.#timing;
    return nowMs - this.#sinceMs >= Math.min(resendCapMs, resendMs * 2 ** this.#attempts);
  }

  /** Whether a gap that a collector names is a reason now: at once the first time, then no more often than without it. */
  heedsGap(nowMs: number): boolean {
    return this.#attempts === 0 || this.isDue(nowMs);
  }

  sentAgain(nowMs: number): void {
    this.#attempts += 1;
    this.#sinceMs = nowMs;
  }
}
