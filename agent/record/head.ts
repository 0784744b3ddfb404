import { NO_PREVIOUS } from '../../shared/statement.ts';
import { corruptLog } from './failure.ts';
import type { Store } from './store.ts';

/** How many of the last entries are checked when the log is opened. */
const TAIL = 256;

/** Where the log ends: what the next entry continues. */
export interface Head {
  /** `seq` of the next entry. */
  readonly seq: number;
  /** Its `prev`. */
  readonly prev: string;
  /** Of the last entry; absent in an empty log. */
  readonly last?: { readonly log: string; readonly kid: string; readonly bootcount: number };
}

/**
 * Reads the end of the log and checks it: rows without a hole, whose bytes the store found to give their leaf hash, each
 * entry chained to the one before. Throws `store.corrupt`: what does not verify is never continued.
 */
export const readHead = (store: Store): Head => {
  const size = store.size();
  if (size === 0) return { seq: 0, prev: NO_PREVIOUS };
  const from = Math.max(0, size - TAIL);
  const leaves = store.leavesFrom(from, TAIL);
  if (leaves.length !== size - from) throw corruptLog(store.file, `entries are missing above ${from}`);
  const held = store.entriesFrom(from, TAIL);
  let end: Stated | undefined;
  for (const { seq, message } of held) {
    end = parseStated(message, seq, store.file);
    const prev = seq === 0 ? NO_PREVIOUS : seq === from ? undefined : encode(leaves[seq - 1 - from]);
    if (end.seq !== seq || (prev !== undefined && end.prev !== prev))
      throw corruptLog(store.file, `entry ${seq} is not chained`);
  }
  if (end?.seq !== size - 1) throw corruptLog(store.file, `the last entry, ${size - 1}, is not there`);
  return { seq: size, prev: encode(leaves.at(-1)), last: { log: end.log, kid: end.kid, bootcount: end.bootcount } };
};

interface Stated {
  readonly seq: number;
  readonly prev: string;
  readonly log: string;
  readonly bootcount: number;
  readonly kid: string;
}

const parseStated = (message: Uint8Array, seq: number, file: string): Stated => {
  try {
    // Our own statement; a leaf hash that fits a message that is none means that the store was written by something else.
    const stated = JSON.parse(Buffer.from(message).toString()) as Stated & { readonly jws: string };
    const header = Buffer.from(stated.jws.slice(0, stated.jws.indexOf('.')), 'base64url').toString();
    return { ...stated, kid: (JSON.parse(header) as { readonly kid: string }).kid };
  } catch {
    throw corruptLog(file, `entry ${seq} is not a statement`);
  }
};

const encode = (leaf: Uint8Array | undefined): string => Buffer.from(leaf ?? []).toString('base64url');
