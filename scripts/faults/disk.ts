import { mkdirSync, statfsSync } from 'node:fs';
import { done, tried } from './machine.ts';

const SIZE = '2g';
const TRIES = 20;
/** A process that met a full disk needs so long to end. */
const AFTERWARDS_MS = 3_000;
/** What is left, so that the size is not below what is used by the time it is set. */
const LEFT = 65_536;

/** The folder in which one side keeps its state: a disk of its own where that can be mounted, which can then be full. */
export class Disk {
  readonly folder: string;
  #fullUntilMs = 0;

  constructor(folder: string, { isMounted }: { readonly isMounted: boolean }) {
    this.folder = folder;
    mkdirSync(folder, { mode: 0o700 });
    if (isMounted) done(this.#mount('mode=0700', `size=${SIZE}`));
  }

  /** Full, or has been a moment ago: what met it may still be on its way out. */
  get isFull(): boolean {
    return performance.now() < this.#fullUntilMs;
  }

  /** From now on it has no room for what is not there yet. */
  fill(): void {
    this.#fullUntilMs = Number.POSITIVE_INFINITY;
    let problem: string | undefined;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.folder);
      const size = (blocks - bfree) * bsize + LEFT * (tries + 1);
      problem = tried(this.#mount('remount', `size=${size}`));
      if (problem === undefined) return;
    }
    throw new Error(`cannot make ${this.folder} full: ${problem}`);
  }

  free(): void {
    done(this.#mount('remount', `size=${SIZE}`));
    this.#fullUntilMs = performance.now() + AFTERWARDS_MS;
  }

  /** Named in full: where the user is none of the machine, mount finds it in no other way. */
  #mount(...words: readonly string[]): readonly string[] {
    return ['mount', '-t', 'tmpfs', '-o', words.join(','), 'tmpfs', this.folder];
  }
}
