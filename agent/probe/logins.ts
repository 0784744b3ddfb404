import type { Clock } from '../platform/clock.ts';
import type { Challenge } from './http-auth.ts';

/** What a device gave for a log-in: headers that every further request carries. */
export interface Session {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Pause after the first refusal, doubled by each further one, ms. */
const FIRST_PAUSE_MS = 300_000;
const LONGEST_PAUSE_MS = 86_400_000;

/** The last Digest challenge of a device: its parameters as text, because there is one for each device, and its uses. */
interface KeptChallenge {
  readonly parameters: string;
  uses: number;
}

interface Refusal {
  readonly untilMs: number;
  readonly pauseMs: number;
}

/**
 * Log-ins across looks: a session is used again while it holds, so is the challenge of a device that asks by Digest, and a log-in that a device refused rests for five minutes,
 * then ten, up to a day, so that a wrong password locks no account. Forgotten when the configuration is read again.
 */
export class Logins {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #sessions = new Map<string, Session>();
  readonly #challenges = new Map<string, KeptChallenge>();
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

  /** The challenge of an earlier look, to be answered before the device asks again, and how often that makes it. */
  answering(door: string): { readonly challenge: Challenge; readonly count: number } | undefined {
    const kept = this.#challenges.get(door);
    if (kept === undefined) return undefined;
    kept.uses += 1;
    return {
      challenge: { scheme: 'digest', parameters: new Map(JSON.parse(kept.parameters) as [string, string][]) },
      count: kept.uses,
    };
  }

  challenged(door: string, { parameters }: Challenge): void {
    this.#challenges.set(door, { parameters: JSON.stringify([...parameters]), uses: 0 });
  }

  unasked(door: string): void {
    this.#challenges.delete(door);
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
