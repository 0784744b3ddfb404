import { leafHash } from '../../../shared/tree.ts';
import type { Entry } from '../entry.ts';
import { DamagedRow } from '../failure.ts';

/** What a table needs of the open store. Each text of SQL is prepared once; failures come as `AgentError` `store.*`. */
export interface Sql {
  /** How many rows it changed. */
  run(sql: string, ...values: readonly Value[]): number;
  /** What `read` makes of the first row; undefined where there is none. */
  get<T>(read: (row: Row) => T, sql: string, ...values: readonly Value[]): T | undefined;
  /** What `read` makes of each row. */
  all<T>(read: (row: Row) => T, sql: string, ...values: readonly Value[]): T[];
  /** Changes the tables themselves; whatever was prepared for the former ones is forgotten. */
  redefine(sql: string): void;
}

/** What a column takes. */
export type Value = string | number | Uint8Array | null;

/** A damaged page gives values of any type, whatever the table says: each is read by one of the functions below. */
export type Row = { readonly [column: string]: unknown };

/** A text column. */
export const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new DamagedRow('a text');
};

/** An integer column. */
export const integer = (value: unknown): number => {
  if (Number.isSafeInteger(value)) return value as number;
  throw new DamagedRow('a number');
};

/** A column of bytes. */
export const blob = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value;
  throw new DamagedRow('a value');
};

/**
 * What `read` makes of a text that this agent wrote. Where `read` fails, the text is not what was written; its error is
 * dropped because it may quote the text.
 */
export const made = <T>(read: (text: string) => T, value: unknown): T => {
  const written = text(value);
  try {
    return read(written);
  } catch {
    throw new DamagedRow('what is kept of a device, a finding or the agent');
  }
};

/** The entries that still hold their message; conditions are added with `AND`. */
export const HELD_ENTRIES = 'SELECT seq, kind, device, iat, message, leaf FROM entries WHERE message IS NOT NULL';

/** A row of `HELD_ENTRIES`. Its message is the one that was written if it gives the leaf hash beside it. */
export const entryOf = (row: Row): Entry => {
  const seq = integer(row.seq);
  const [message, leaf] = [blob(row.message), blob(row.leaf)];
  if (!leafHash(message).equals(leaf)) throw new DamagedRow(`entry ${seq}`);
  return {
    seq,
    kind: text(row.kind),
    iat: integer(row.iat),
    message,
    leaf,
    ...(row.device === null ? {} : { device: text(row.device) }),
  };
};
