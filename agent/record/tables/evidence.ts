import type { CitedReply, Disclosure } from '../entry.ts';
import { blob, type Sql, text } from './sql.ts';

/** What entries rest on: the replies that they cite, and the values that are redacted in them. */
export const evidenceTables = (sql: Sql) => ({
  /** Keeps a reply that entry `seq` cites; until agents have run `keepUntil` seconds, or as long as the entry. */
  keepCapture(seq: number, capture: CitedReply, keepUntil: number | undefined): void {
    sql.run(
      'INSERT INTO captures (seq, query, sha256, bytes, keep_until) VALUES (?, ?, ?, ?, ?)',
      seq,
      capture.query,
      capture.sha256,
      capture.bytes,
      keepUntil ?? null,
    );
  },

  /** The kept replies that entry `seq` cites. */
  captures(seq: number): readonly CitedReply[] {
    return sql.all(
      ({ query, sha256, bytes }) => ({ query: text(query), sha256: blob(sha256), bytes: blob(bytes) }),
      'SELECT query, sha256, bytes FROM captures WHERE seq = ? ORDER BY query',
      seq,
    );
  },

  /** Removes at most `limit` captures whose time is over once agents have run `ranS` seconds, and says how many that were. */
  pruneCaptures(ranS: number, limit: number): number {
    return sql.run(
      'DELETE FROM captures WHERE rowid IN (SELECT rowid FROM captures WHERE keep_until <= ? LIMIT ?)',
      ranS,
      limit,
    );
  },

  /** Keeps what opens one redacted value of entry `seq`. */
  keepDisclosure(seq: number, disclosure: Disclosure): void {
    sql.run('INSERT INTO disclosures (digest, seq, text) VALUES (?, ?, ?)', disclosure.digest, seq, disclosure.text);
  },

  /** What is redacted in entry `seq`. */
  disclosures(seq: number): readonly Disclosure[] {
    return sql.all(
      (row) => ({ digest: text(row.digest), text: text(row.text) }),
      'SELECT digest, text FROM disclosures WHERE seq = ? ORDER BY digest',
      seq,
    );
  },
});
