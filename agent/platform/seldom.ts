import type { Clock } from './clock.ts';

const TOLD_MS = 60_000;

/** What others can bring about any number of times is told once in a minute, by what it is: a bounded number of things. */
export class Seldom {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #told = new Map<string, { readonly atMs: number; untold: number }>();

  constructor(clock: Pick<Clock, 'monoMs'>) {
    this.#clock = clock;
  }

  /** Where it is to be told now, how often it came since it was told last; undefined where that was lately. */
  take(what: string): number | undefined {
    const nowMs = this.#clock.monoMs();
    const known = this.#told.get(what);
    if (known !== undefined && nowMs - known.atMs < TOLD_MS) {
      known.untold += 1;
      return undefined;
    }
    this.#told.set(what, { atMs: nowMs, untold: 0 });
    return known?.untold ?? 0;
  }
}
