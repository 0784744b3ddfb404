import { closeSync, copyFileSync, fsyncSync, openSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { folderInPlace } from './failure.ts';
import { isThere } from './store-file.ts';
import { type LostEnd, lostEndOf } from './wal.ts';

/** A write-ahead log that was damaged: what is lost is told, and its file is kept, before SQLite writes over it. */

const walOf = (file: string): string => `${file}-wal`;

/** The copy, until another log has begun: a start that comes to no end leaves it to the next one. */
const copyOf = (file: string): string => `${walOf(file)}.damaged`;

/** What the end of the store `file` has lost, in words; undefined where nothing is. Nobody may write there meanwhile. */
export const lostFrom = (file: string): string | undefined => {
  const lost = endOf(copyOf(file)) ?? endOf(walOf(file));
  return lost === undefined ? undefined : textOf(file, lost);
};

/** Throws `store.unreadable` where a folder stands in the place of the file: of `assayer.db` alone nobody would look for it there. */
const endOf = (path: string): LostEnd | undefined => {
  try {
    return lostEndOf(path);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EISDIR'
      ? folderInPlace(path, 'goes on with an older state', error)
      : error;
  }
};

const textOf = (file: string, { read, written }: LostEnd): string =>
  `${basename(walOf(file))} is damaged behind frame ${read}: transactions that were durable, up to frame ${written}, cannot be read any more`;

/**
 * The same, by the process that is about to write: the damaged log is copied before SQLite writes over it. `requireWhole` throws where
 * nothing may be written.
 */
export const takeLost = (file: string, requireWhole: (lost: string) => void): string | undefined => {
  const lost = endOf(walOf(file));
  if (lost !== undefined) {
    requireWhole(textOf(file, lost));
    keepDamaged(file);
  }
  const kept = endOf(copyOf(file));
  return kept === undefined ? undefined : textOf(file, kept);
};

/** Never half a file: the name comes once it is whole. */
const keepDamaged = (file: string): void => {
  if (isThere(copyOf(file))) return;
  const half = `${copyOf(file)}.new`;
  copyFileSync(walOf(file), half);
  sync(half);
  renameSync(half, copyOf(file));
  sync(dirname(file));
};

const sync = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** Another log has begun: gives the copy the name under which it stays, until a person removes it. */
export const settleDamaged = (file: string, nowMs: number): string => {
  const settled = `${copyOf(file)}-${nowMs}`;
  renameSync(copyOf(file), settled);
  return settled;
};

/** The copies that were settled. */
export const keptDamaged = (file: string): readonly string[] => {
  const stem = `${basename(copyOf(file))}-`;
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(stem))
    .map((name) => join(dirname(file), name));
};
