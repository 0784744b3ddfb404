import type { Entry } from '../entry.ts';
import { retireTables } from '../schema.ts';
import { blob, entryOf, HELD_ENTRIES, integer, type Sql } from './sql.ts';

/** Which entries `find` gives. `newest` counts back from the end; the result is in `seq` order either way. */
export interface EntryQuery {
  readonly from?: number;
  readonly device?: string;
  readonly kind?: string;
  readonly below?: number;
  readonly newest?: number;
  readonly limit?: number;
}

/** The log. An entry whose message was pruned keeps its row and leaf hash; it is no longer given as an entry. */
export const entriesTable = (sql: Sql) => ({
  /** Number of entries ever appended, so the next `seq`. */
  size(): number {
    return sql.get(({ size }) => (size === null ? 0 : integer(size)), 'SELECT max(seq) + 1 AS size FROM entries') ?? 0;
  },

  /** Appends an entry; `seq` must be `size()`. `ranS`: how long agents have run here, seconds. */
  insertEntry({ seq, kind, device, iat, message, leaf }: Entry, ranS: number): void {
    sql.run(
      'INSERT INTO entries (seq, kind, device, iat, message, leaf, ran_s) VALUES (?, ?, ?, ?, ?, ?, ?)',
      seq,
      kind,
      device ?? null,
      iat,
      message,
      leaf,
      ranS,
    );
  },

  /** How long agents had run when the last entry was written, seconds; its instant where an earlier version wrote it. */
  lastRan(): { readonly ranS: number } | { readonly iat: number } | undefined {
    return sql.get(
      ({ ran_s, iat }) => (ran_s === null ? { iat: integer(iat) } : { ranS: integer(ran_s) }),
      'SELECT ran_s, iat FROM entries ORDER BY seq DESC LIMIT 1',
    );
  },

  /** Entry `seq`; undefined when it was never written or its message was pruned. */
  entry(seq: number): Entry | undefined {
    return sql.get(entryOf, `${HELD_ENTRIES} AND seq = ?`, seq);
  },

  /** The held entries from `seq` upwards, at most `limit`. */
  entriesFrom(seq: number, limit: number): readonly Entry[] {
    return sql.all(entryOf, `${HELD_ENTRIES} AND seq >= ? ORDER BY seq LIMIT ?`, seq, limit);
  },

  /** The held entries that match, in `seq` order. */
  find({ from = 0, device, kind, below, newest, limit = newest ?? 1000 }: EntryQuery): readonly Entry[] {
    const conditions = [
      ['AND device = ?', device],
      ['AND kind = ?', kind],
      ['AND seq < ?', below],
    ] as const;
    const asked = conditions.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
    const where = asked.map(({ condition }) => condition).join(' ');
    const values = [from, ...asked.map(({ value }) => value), limit];
    const order = newest === undefined ? 'ASC' : 'DESC';
    const rows = sql.all(entryOf, `${HELD_ENTRIES} AND seq >= ? ${where} ORDER BY seq ${order} LIMIT ?`, ...values);
    return newest === undefined ? rows : rows.reverse();
  },

  /** The held `baseline` entries in `seq` order, a page in memory at a time. */
  *baselineEntries(): Generator<Entry> {
    let from = 0;
    for (;;) {
      const page = sql.all(entryOf, `${HELD_ENTRIES} AND kind = 'baseline' AND seq >= ? ORDER BY seq LIMIT 100`, from);
      yield* page;
      if (page.length === 0) return;
      from = (page.at(-1)?.seq ?? 0) + 1;
    }
  },

  /** `seq` of the newest held entries of a kind, at most `limit`, the newest first. */
  newestOf(kind: string, limit: number): readonly number[] {
    return sql.all(
      ({ seq }) => integer(seq),
      'SELECT seq FROM entries WHERE message IS NOT NULL AND kind = ? ORDER BY seq DESC LIMIT ?',
      kind,
      limit,
    );
  },

  /** Leaf hashes from `seq` upwards, also of pruned entries. */
  leavesFrom(seq: number, limit: number): readonly Uint8Array[] {
    return sql.all(
      ({ leaf }) => blob(leaf),
      'SELECT leaf FROM entries WHERE seq >= ? ORDER BY seq LIMIT ?',
      seq,
      limit,
    );
  },

  /** Entries that still hold a message and were written before agents had run `before` seconds, above `after`, in `seq` order. */
  prunable(range: {
    readonly after: number;
    readonly below: number;
    readonly before: number;
    readonly limit: number;
  }): readonly { readonly seq: number; readonly iat: number }[] {
    return sql.all(
      ({ seq, iat }) => ({ seq: integer(seq), iat: integer(iat) }),
      `SELECT seq, iat FROM entries
       WHERE message IS NOT NULL AND seq > ? AND seq < ? AND coalesce(ran_s, iat) < ? ORDER BY seq LIMIT ?`,
      range.after,
      range.below,
      range.before,
      range.limit,
    );
  },

  /** Removes the message of an entry, its captures and disclosures; row and leaf hash stay. */
  pruneEntry(seq: number): void {
    sql.run('UPDATE entries SET message = NULL WHERE seq = ?', seq);
    sql.run('DELETE FROM captures WHERE seq = ?', seq);
    sql.run('DELETE FROM disclosures WHERE seq = ?', seq);
  },

  /** Puts the log aside under the number of its incarnation and begins an empty one; part of a transaction. */
  retireLog(incarnation: number): void {
    if (!Number.isSafeInteger(incarnation)) throw new Error(`no incarnation: ${incarnation}`);
    sql.redefine(retireTables(incarnation));
  },
});
