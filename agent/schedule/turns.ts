import { createTask, type ScheduledTask } from 'node-cron';

/** In place of a cron expression: never. */
export const OFF = 'off';

/**
 * When seats have their turns in rounds that open seldom: a round spreads them over its interval, each at its phase. Nothing
 * is set or kept for a turn: who looks at a seat anyway asks when its last turn was.
 */
export class Turns {
  readonly #task: ScheduledTask | undefined;
  readonly #wallMs: () => number;
  #foundMs = Number.POSITIVE_INFINITY;
  #openedMs = 0;
  #nextMs = 0;

  constructor(expression: string, wallMs: () => number) {
    this.#wallMs = wallMs;
    if (expression === OFF) return;
    // Only its calendar is used: it is never started, and the library need not keep it.
    this.#task = createTask(expression, () => {}, { timezone: 'UTC' });
    void this.#task.destroy();
  }

  /** The last turn of a seat of this phase, Unix milliseconds; undefined where there never is one. */
  lastMs(phase: number): number | undefined {
    if (this.#task === undefined) return undefined;
    const nowMs = this.#wallMs();
    // Before it was found: the clock was set back.
    if (nowMs >= this.#nextMs || nowMs < this.#foundMs) this.#find(this.#task, nowMs);
    const intervalMs = this.#nextMs - this.#openedMs;
    const turnMs = this.#openedMs + phase * intervalMs;
    return turnMs <= nowMs ? turnMs : turnMs - intervalMs;
  }

  #find(task: ScheduledTask, nowMs: number): void {
    const [nextMs = nowMs, afterMs = nextMs] = task.getNextRuns(2).map((date) => date.getTime());
    const opensMs = nowMs >= this.#nextMs && nowMs >= this.#foundMs ? this.#nextMs : nextMs - (afterMs - nextMs);
    this.#foundMs = nowMs;
    this.#openedMs = Math.min(opensMs, nowMs);
    this.#nextMs = nextMs;
  }
}
