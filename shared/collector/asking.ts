const WAITS_MS = [2_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000];

/**
 * When to ask for entries that are known to exist and did not come: two seconds after the log stopped short of them, as
 * they may be on their way, then after 30, 60, 120 … 900 s without progress (mqtt.md §5).
 */
export class Asking {
  #next = -1;
  #sinceMs = 0;
  #attempt = 0;

  /** True if it is time to ask for the entries from `next` to below `target`. Counts as asked. */
  isDue(next: number, target: number, nowMs: number): boolean {
    if (next >= target) {
      this.#next = -1;
      return false;
    }
    if (next !== this.#next) {
      [this.#next, this.#sinceMs, this.#attempt] = [next, nowMs, 0];
      return false;
    }
    const waitMs = WAITS_MS[Math.min(this.#attempt, WAITS_MS.length - 1)] ?? 0;
    if (nowMs - this.#sinceMs < waitMs) return false;
    this.#attempt += 1;
    this.#sinceMs = nowMs;
    return true;
  }
}
