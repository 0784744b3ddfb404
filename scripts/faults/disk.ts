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
    if (isMounted) done(['mount', '-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', folder]);
  }

  /** Full, or has been a moment ago: what met it may still be on its way out. */
  get isFull(): boolean {
    return performance.now() < this.#fullUntilMs;
  }

  /** From now on it has no room for what is not there yet. */
  fill(): void {
    this.#fullUntilMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.folder);
      const size = (blocks - bfree) * bsize + LEFT * (tries + 1);
      if (tried(['mount', '-o', `remount,size=${size}`, this.folder]) === undefined) return;
    }
    throw new Error(`cannot make ${this.folder} full`);
  }

  free(): void {
    done(['mount', '-o', `remount,size=${SIZE}`, this.folder]);
    this.#fullUntilMs = performance.now() + AFTERWARDS_MS;
  }
}
