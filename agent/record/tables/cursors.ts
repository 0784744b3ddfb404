import { integer, type Sql } from './sql.ts';

/** How far the broker and each collector took the log. */
export const cursorsTable = (sql: Sql) => ({
  /** Keeps how many entries from 0 a reader confirmed. */
  saveCursor(reader: string, next: number): void {
    sql.run(
      'INSERT INTO cursors (reader, next) VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next',
      reader,
      next,
    );
  },

  /** How many entries from 0 a reader confirmed; 0 for one that is not known. */
  cursor(reader: string): number {
    return sql.get(({ next }) => integer(next), 'SELECT next FROM cursors WHERE reader = ?', reader) ?? 0;
  },
});
