import { createTask, type ScheduledTask } from 'node-cron';
import type { Clock } from '../platform/clock.ts';

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
  #formerMs = 0;
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
    const turnMs = this.#openedMs + phase * (this.#nextMs - this.#openedMs);
    return turnMs <= nowMs ? turnMs : this.#formerMs + phase * (this.#openedMs - this.#formerMs);
  }

  #find(task: ScheduledTask, nowMs: number): void {
    const [nextMs = nowMs, afterMs = nextMs] = task.getNextRuns(2).map((date) => date.getTime());
    const intervalMs = afterMs - nextMs;
    // The calendar knows no past: a round that did not open under our eyes is taken to be as long as the next.
    const isNext = this.#nextMs <= nowMs && nowMs - this.#nextMs < nextMs - nowMs + intervalMs;
    const openedMs = Math.min(isNext ? this.#nextMs : nextMs - intervalMs, nowMs);
    this.#formerMs = isNext ? this.#openedMs : openedMs - intervalMs;
    this.#foundMs = nowMs;
    this.#openedMs = openedMs;
    this.#nextMs = nextMs;
  }
}

/**
 * Until when a former process looked, by the clock as it is now, Unix milliseconds: no later than this one began, as it would be where the
 * clock was set back since, and no turn would count as missed for as long.
 */
export const formerlyUntilMs = (ranUntilMs: number, { wallMs, monoMs }: Pick<Clock, 'wallMs' | 'monoMs'>): number =>
  Math.min(ranUntilMs, wallMs() - monoMs());
