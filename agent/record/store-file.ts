import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The files of the store as the file system sees them, before SQLite opens them. */

/** Whether there is such a file. */
export const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;

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
