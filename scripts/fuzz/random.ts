import { hash } from 'node:crypto';

/** Whole numbers from a seed (mulberry32): the same ones in every run, on every machine. */
export class Random {
  #state: number;

  /** The words name a place in the run, so that what is drawn there does not depend on what was drawn before. */
  constructor(seed: number, ...words: readonly string[]) {
    this.#state = Number.parseInt(hash('sha256', [seed, ...words].join('\n'), 'hex').slice(0, 8), 16);
  }

  /** From 0 to below `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** One of a list; undefined of an empty one. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }
}
