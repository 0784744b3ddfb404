import { mkdirSync, statfsSync } from 'node:fs';
import { done, tried } from './machine.ts';

const SIZE = '2g';
const TRIES = 20;
/** What is left, so that the size is not below what is used by the time it is set. */
const LEFT = 65_536;

/** The folder in which one side keeps its state: a disk of its own where that can be mounted, which can then be full. */
export class Disk {
  readonly folder: string;
  #isFull = false;

  constructor(folder: string, { isMounted }: { readonly isMounted: boolean }) {
    this.folder = folder;
    mkdirSync(folder, { mode: 0o700 });
    if (isMounted) done(['mount', '-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', folder]);
  }

  /** Full, or has been a moment ago: what met it may still be on its way out. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** From now on it has no room for what is not there yet. */
  fill(): void {
    this.#isFull = true;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.folder);
      const size = (blocks - bfree) * bsize + LEFT * (tries + 1);
      if (tried(['mount', '-o', `remount,size=${size}`, this.folder]) === undefined) return;
    }
    throw new Error(`cannot make ${this.folder} full`);
  }

  free(): void {
    done(['mount', '-o', `remount,size=${SIZE}`, this.folder]);
    this.#isFull = false;
  }
}
