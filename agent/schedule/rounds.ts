import { createTask, type ScheduledTask } from 'node-cron';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';

/** An opened round: its devices are spread over `intervalMs`. `openedAtMs` is on the clock of the timetable. */
export interface Round {
  readonly openedAtMs: number;
  readonly intervalMs: number;
}

const SHORTEST_MS = 1000;
/** A round that opens so long after its turn is told: the agent had no time for it. A clock that was set is told elsewhere (`clock.stepped`). */
const LATE_MS = 5000;

/**
 * When rounds open: an operator's cron expression, UTC. It is asked again and again instead of setting a timer, so that
 * neither a clock that was set back, nor one that was set forward by years, nor a host that slept can stop or flood it.
 */
export class RoundSchedule {
  readonly #name: string;
  readonly #task: ScheduledTask;
  readonly #clock: Clock;
  readonly #emit: Emit;
  #nextMs = 0;
  /** From when `#nextMs` was found until then: waiting longer means that the clock was set back. */
  #gapMs = 0;
  /** When it was found, on the clock that is never set. */
  #foundMonoMs = 0;

  constructor(name: string, expression: string, deps: { readonly clock: Clock; readonly emit: Emit }) {
    this.#name = name;
    this.#clock = deps.clock;
    this.#emit = deps.emit;
    // Only its calendar is used; it is never started.
    this.#task = createTask(expression, () => {}, { timezone: 'UTC' });
    this.#findNext(this.#clock.wallMs());
  }

  /** Time until the next round if one opens now, ms. */
  opens(): number | undefined {
    const nowMs = this.#clock.wallMs();
    const waitMs = this.#nextMs - nowMs;
    if (waitMs > this.#gapMs + SHORTEST_MS) this.#findNext(nowMs);
    if (this.#nextMs > nowMs) return undefined;
    const lateMs = this.#clock.monoMs() - this.#foundMonoMs - this.#gapMs;
    if (lateMs > LATE_MS)
      this.#emit('warn', 'schedule.late', { schedule: this.#name, late_s: Math.round(lateMs / 1000) });
    this.#findNext(nowMs);
    return Math.max(SHORTEST_MS, this.#gapMs);
  }

  /** Time between two rounds as it stands now, ms. */
  intervalMs(): number {
    const [first, second] = this.#task.getNextRuns(2).map((date) => date.getTime());
    return first === undefined || second === undefined ? SHORTEST_MS : Math.max(SHORTEST_MS, second - first);
  }

  #findNext(nowMs: number): void {
    this.#nextMs = this.#task.getNextRuns(1)[0]?.getTime() ?? nowMs + SHORTEST_MS;
    this.#gapMs = this.#nextMs - nowMs;
    this.#foundMonoMs = this.#clock.monoMs();
  }

  [Symbol.dispose](): void {
    void this.#task.destroy();
  }
}
