import type { Clock } from '../platform/clock.ts';
import { type Foreign, foreignOnline, type Sessions } from './presence.ts';
import type { Timing } from './timing.ts';

/** Somebody else is online as this gateway. `proven`: it said so twice, so it lives; else it may be what a dead agent left. */
export interface Rivalry {
  readonly session: string;
  readonly proven: boolean;
}

/**
 * Tells another agent of this identity from what an agent that is gone has left with the broker: a retained `online` of a session that
 * nobody here knows, because the folder with its seed was put back or lost. A living agent says it again: at once where our connect
 * put it out, else when it hears us.
 */
export class Rivals {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #timing: Pick<Timing, 'rivalFreshS'>;
  #seen: (Foreign & { readonly isGone: boolean }) | undefined;

  constructor(options: {
    readonly sessions: Sessions;
    readonly clock: Clock;
    readonly timing: Pick<Timing, 'rivalFreshS'>;
  }) {
    this.#sessions = options.sessions;
    this.#clock = options.clock;
    this.#timing = options.timing;
  }

  /** What a message on our own `conn` shows. */
  hear(payload: Uint8Array): Rivalry | undefined {
    const nowS = Math.floor(this.#clock.wallMs() / 1000);
    const foreign = foreignOnline(payload, this.#sessions, nowS, this.#timing.rivalFreshS);
    if (foreign === undefined) return undefined;
    const seen = this.#seen;
    const isSame = seen?.session === foreign.session && seen.at === foreign.at;
    if (isSame && seen.isGone) return undefined;
    this.#seen = { ...foreign, isGone: false };
    return { session: foreign.session, proven: seen !== undefined && !isSame };
  }

  /** Nobody came back, and nobody spoke: who was heard last is gone. */
  dismiss(): void {
    if (this.#seen !== undefined) this.#seen = { ...this.#seen, isGone: true };
  }
}
