import type { Clock } from '../platform/clock.ts';

/** What a device gave for a log-in: headers that every further request carries. */
export interface Session {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Pause after the first refusal, doubled by each further one, ms. */
const FIRST_PAUSE_MS = 300_000;
const LONGEST_PAUSE_MS = 86_400_000;

interface Refusal {
  readonly untilMs: number;
  readonly pauseMs: number;
}

/**
 * Log-ins across looks: a session is used again while it holds, and a log-in that a device refused rests for five minutes,
 * then ten, up to a day, so that a wrong password locks no account. Forgotten when the configuration is read again.
 */
export class Logins {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #sessions = new Map<string, Session>();
  readonly #refusals = new Map<string, Refusal>();

  constructor(clock: Pick<Clock, 'monoMs'>) {
    this.#clock = clock;
  }

  session(door: string): Session | undefined {
    return this.#sessions.get(door);
  }

  opened(door: string, session: Session): void {
    this.#sessions.set(door, session);
  }

  ended(door: string): void {
    this.#sessions.delete(door);
  }

  /** How long the log-in still rests, ms; 0 where it may be tried. */
  restsMs(door: string): number {
    return Math.max(0, (this.#refusals.get(door)?.untilMs ?? 0) - this.#clock.monoMs());
  }

  refused(door: string): void {
    const before = this.#refusals.get(door)?.pauseMs;
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, before * 2);
    this.#refusals.set(door, { untilMs: this.#clock.monoMs() + pauseMs, pauseMs });
  }

  accepted(door: string): void {
    this.#refusals.delete(door);
  }
}
