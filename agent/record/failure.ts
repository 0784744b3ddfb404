import { AgentError } from '../platform/errors.ts';

/** What an operator can do about a failure of the store, by primary result code of SQLite (sqlite.org/rescode.html). */
const BY_RESULT: { readonly [result: number]: { code: string; what: string; remedy: string } } = {
  3: {
    code: 'store.read-only',
    what: 'may not be written',
    remedy: 'give state_dir to the user of the agent: chown -R <user> <state_dir>',
  },
  5: {
    code: 'store.locked',
    what: 'is held by another process',
    remedy: 'stop the other agent that uses this state_dir',
  },
  8: {
    code: 'store.read-only',
    what: 'is read-only',
    remedy:
      'make the file and its folder writable for the user of the agent; where its file system is mounted read-only (findmnt -T <state_dir>), dmesg says why: mount -o remount,rw <it>',
  },
  10: { code: 'store.io', what: 'could not be read or written', remedy: 'check the disk: dmesg, df, smartctl' },
  11: { code: 'store.corrupt', what: 'is damaged', remedy: '' },
  13: {
    code: 'store.full',
    what: 'cannot grow, the disk is full',
    remedy: 'free space on the file system of state_dir; an agent that runs goes on by itself',
  },
  14: {
    code: 'store.unreadable',
    what: 'cannot be opened',
    remedy: 'check that state_dir exists and belongs to the user of the agent',
  },
  26: { code: 'store.corrupt', what: 'is not a store', remedy: '' },
};

const CORRUPT = 11;

const REMEDY_CORRUPT =
  'keep the file for analysis and restore a backup, or move the whole state_dir except gateway.key away: an empty one begins a new log';

/** Shared memory of the write-ahead log could not grow: on a full file system SQLite says this instead of FULL. */
const IOERR_SHMSIZE = 4874;

/** A row whose values cannot have been written by this agent. The message names what, and never its bytes. */
export class DamagedRow extends Error {
  constructor(what: string) {
    super(`${what} in it is not what was written`);
    this.name = 'DamagedRow';
  }
}

/** Turns a failure of SQLite or of the file system into an `AgentError`; anything else is returned as it is. */
export const storeFailure = (error: unknown, file: string): unknown => {
  if (!(error instanceof Error) || error instanceof AgentError) return error;
  if (isBeyondNumbers(error)) return storeFailure(new DamagedRow('a number'), file);
  const result = resultOf(error);
  const known = result === undefined ? undefined : BY_RESULT[result];
  if (known === undefined) return error;
  return new AgentError({
    code: known.code,
    message: `the store ${file} ${known.what} (${error.message})`,
    remedy: known.remedy === '' ? REMEDY_CORRUPT : known.remedy,
    cause: error,
  });
};

/** An integer that this program never writes; the text of Node quotes it. */
const isBeyondNumbers = (error: Error & { code?: unknown }): boolean =>
  error.code === 'ERR_OUT_OF_RANGE' && error.message.startsWith('Value is too large to be represented');

const resultOf = (error: Error & { code?: unknown; errcode?: unknown }): number | undefined => {
  if (error instanceof DamagedRow) return CORRUPT;
  if (error.code === 'ERR_SQLITE_ERROR' && typeof error.errcode === 'number') {
    return error.errcode === IOERR_SHMSIZE ? 13 : error.errcode & 0xff;
  }
  return typeof error.code === 'string' ? BY_ERRNO[error.code] : undefined;
};

const BY_ERRNO: { readonly [code: string]: number } = {
  ENOSPC: 13,
  EDQUOT: 13,
  EIO: 10,
  EROFS: 8,
  EACCES: 3,
  EPERM: 3,
  ENOENT: 14,
  ENOTDIR: 14,
  EISDIR: 14,
};

/** Whatever is written into the open file is gone with it. `kept`: what became of what it held. */
export const replacedStore = (file: string, kept = ''): AgentError =>
  new AgentError({
    code: 'store.replaced',
    message: `the store ${file}, or what SQLite keeps beside it, was removed or replaced while it is in use${kept}`,
    remedy:
      'start the agent again: it goes on with the file that is there, or with none, and begins another log where that is older. The next time end the agent first: docs/backup.md',
  });

/** A folder has the name of a file of the store. `then` is what the next start does without that file. */
export const folderInPlace = (path: string, then: string, cause?: unknown): AgentError =>
  new AgentError({
    code: 'store.unreadable',
    message: `${path} is a folder, where a file of the store has to be`,
    remedy: `find out who made it, and put the file that stood there back; where that is gone move the folder away: the next start ${then} (docs/backup.md)`,
    cause,
  });

/** What is left of the store is no state that it ever had. */
export const mixedStore = (file: string, what: string): AgentError =>
  new AgentError({
    code: 'store.corrupt',
    message: `the store ${file} is damaged (${what})`,
    remedy: REMEDY_CORRUPT,
  });

/** The evidence in the store contradicts itself; nothing may be written on top of it. */
export const corruptLog = (file: string, what: string): AgentError =>
  new AgentError({
    code: 'store.corrupt',
    message: `the log in ${file} does not verify: ${what}`,
    remedy: REMEDY_CORRUPT,
  });
