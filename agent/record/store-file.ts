import { accessSync, closeSync, constants, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The files of the store as the file system sees them, before SQLite opens them. */

/** Whether there is such a file. */
export const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;

/** Whether a folder stands there: of one SQLite says that the disk fails. */
export const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

/** Throws what the file system says where this process may not read the file: SQLite does not say why it cannot. */
export const requireReadable = (file: string): void => accessSync(file, constants.R_OK);

/**
 * Makes an empty file, mode 0600, where there is none. One that exists must be writable, and is not opened: closing it
 * would drop the locks that SQLite holds on it elsewhere in this process (fcntl(2)).
 */
export const makePrivate = (file: string): void => {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    accessSync(file, constants.R_OK | constants.W_OK);
  }
};

/** No agent has the file open, and this process could not make the shared memory that looking at a running log needs. */
export const isAtRest = (file: string): boolean => {
  if (isThere(`${file}-wal`)) return false;
  try {
    accessSync(dirname(file), constants.W_OK);
    return false;
  } catch {
    return true;
  }
};

/** The name under which SQLite reads a file on a read-only file system (sqlite.org/wal.html, read-only databases). */
export const immutable = (file: string): URL => {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
};

/** Device and number of a file; empty where there is none. */
const identityOf = (file: string): string => {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev} ${found.ino}`;
};

/** A file as it was at one time. */
type Known = readonly [file: string, identity: string];

const isSame = ([file, identity]: Known): boolean => identityOf(file) === identity;

/** A file that SQLite has open for writing, with what it keeps beside it. SQLite goes on writing into one that was removed, or that another one replaced. */
export class HeldFile {
  readonly #main: Known;
  readonly #beside: readonly Known[];

  /** To be made once something was read: then the files beside it are there. */
  constructor(file: string) {
    this.#main = [file, identityOf(file)];
    const beside = [`${file}-wal`, `${file}-shm`].map((each) => [each, identityOf(each)] as const);
    this.#beside = beside.filter(([, identity]) => identity !== '');
  }

  /** It is still the one that was opened, and so is what stands beside it: without that, a process that is killed leaves an older state. */
  get isThere(): boolean {
    return isSame(this.#main) && this.#beside.every(isSame);
  }

  /** Once it is closed: what stands beside a file that is gone would be taken for the end of the one that is there now. */
  clear(): void {
    if (isSame(this.#main)) return;
    for (const each of this.#beside) if (isSame(each)) rmSync(each[0], { force: true });
  }
}
