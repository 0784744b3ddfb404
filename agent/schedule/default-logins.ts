/** A device is tried once in so long. */
const PERIOD_MS = 30 * 86_400_000;

/**
 * When devices have their turns for the log-in that their maker documents: each once in 30 days, at its phase of them. Nobody
 * has one where the operator did not allow it, nor after any device has closed its door.
 */
export class DefaultLogins {
  readonly #allowed: boolean;
  readonly #wallMs: () => number;
  #isLockedOut: boolean;

  constructor(options: { readonly allowed: boolean; readonly isLockedOut: boolean; readonly wallMs: () => number }) {
    this.#allowed = options.allowed;
    this.#isLockedOut = options.isLockedOut;
    this.#wallMs = options.wallMs;
  }

  /** The last turn of a seat of this phase, Unix milliseconds; undefined where it is not allowed, long ago where it is over. */
  lastMs(phase: number): number | undefined {
    if (!this.#allowed) return undefined;
    // What was found before stays known: a turn that is undefined would forget it.
    if (this.#isLockedOut) return 0;
    const nowMs = this.#wallMs();
    const turnMs = (Math.floor(nowMs / PERIOD_MS) + phase) * PERIOD_MS;
    return turnMs <= nowMs ? turnMs : turnMs - PERIOD_MS;
  }

  /** True the first time. */
  lockOut(): boolean {
    const isFirst = !this.#isLockedOut;
    this.#isLockedOut = true;
    return isFirst;
  }
}
