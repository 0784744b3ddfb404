import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Challenge } from './http-auth.ts';
import type { Credential } from './target.ts';

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
  /** The password that was refused, as `mark` knows it again. */
  readonly of: string;
}

/** A refusal as one process hands it to the next: its end by the wall clock. */
type Kept = readonly [door: string, untilWallMs: number, pauseMs: number, of: string];

/**
 * Log-ins across looks: a session is used again while it holds, so is the challenge of a device that asks by Digest, and a
 * log-in that a device refused rests for five minutes, then ten, up to a day, so that a wrong password locks no account,
 * however often the configuration is read again or the agent starts. Another password is tried at once.
 */
export class Logins {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #markKey: Uint8Array;
  readonly #sessions = new Map<string, Session>();
  readonly #challenges = new Map<string, KeptChallenge>();
  readonly #refusals = new Map<string, Refusal>();
  #isUnsaved = false;
  /** How many log-ins were taken. */
  taken = 0;

  /** `markKey` is secret: with it a mark tells whether two passwords are the same, without it nothing. */
  constructor(clock: Pick<Clock, 'monoMs'>, markKey: Uint8Array = randomBytes(32)) {
    this.#clock = clock;
    this.#markKey = markKey;
  }

  /** The refusals as text for the process after this one, where they changed since this was asked last. */
  unsaved(wallMs: number): string | undefined {
    if (!this.#isUnsaved) return undefined;
    this.#isUnsaved = false;
    const aheadMs = wallMs - this.#clock.monoMs();
    const kept = [...this.#refusals].map(
      ([door, { untilMs, pauseMs, of }]): Kept => [door, untilMs + aheadMs, pauseMs, of],
    );
    return JSON.stringify(kept);
  }

  /** Takes over what an earlier process with the same key was refused, but for what is long past. */
  takeOver(text: string, wallMs: number): void {
    // Written by `unsaved`.
    for (const [door, untilWallMs, pauseMs, of] of JSON.parse(text) as readonly Kept[]) {
      const restMs = Math.min(untilWallMs - wallMs, pauseMs);
      if (restMs > -LONGEST_PAUSE_MS) this.#refusals.set(door, { untilMs: this.#clock.monoMs() + restMs, pauseMs, of });
    }
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

  /** Whether a log-in was refused, and none taken since at the same door. */
  get isRefused(): boolean {
    return this.#refusals.size > 0;
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
  restsMs(door: string, credential: Credential): number {
    const refusal = this.#refusals.get(door);
    if (refusal === undefined || refusal.of !== this.#mark(credential)) return 0;
    return Math.max(0, refusal.untilMs - this.#clock.monoMs());
  }

  refused(door: string, credential: Credential): void {
    const of = this.#mark(credential);
    const before = this.#refusals.get(door);
    const pauseMs = before?.of === of ? Math.min(LONGEST_PAUSE_MS, before.pauseMs * 2) : FIRST_PAUSE_MS;
    this.#refusals.set(door, { untilMs: this.#clock.monoMs() + pauseMs, pauseMs, of });
    this.#isUnsaved = true;
  }

  accepted(door: string): void {
    this.taken += 1;
    if (this.#refusals.delete(door)) this.#isUnsaved = true;
  }

  #mark({ password }: Credential): string {
    return createHmac('sha256', this.#markKey).update(password()).digest('base64url');
  }
}
