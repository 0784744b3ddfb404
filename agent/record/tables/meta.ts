import { made, type Sql } from './sql.ts';

/** Single values of other stages and of this one, by name. */
export const metaTable = (sql: Sql) => ({
  /** Keeps a value in place of the one before. */
  saveMeta(name: string, value: string): void {
    sql.run(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  },

  /** What `read` makes of a value as it was saved; `store.corrupt` where it makes nothing of it. */
  meta<T>(name: string, read: (value: string) => T): T | undefined {
    return sql.get(({ value }) => made(read, value), 'SELECT value FROM meta WHERE name = ?', name);
  },
});
