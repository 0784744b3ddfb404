import { integer, made, type Sql, text } from './sql.ts';

/** What the agent knows of each configured device, as the text that the appraise stage makes of it. */
export const devicesTable = (sql: Sql) => ({
  /** Keeps the state of a device in place of the one before. */
  saveDevice(id: string, state: string): void {
    sql.run(
      'INSERT INTO devices (id, state) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state',
      id,
      state,
    );
  },

  /** Forgets a device that left the configuration before entry `seq`, and marks what the broker retains of it; its entries stay. */
  removeDevice(id: string, seq: number): void {
    sql.run('DELETE FROM devices WHERE id = ?', id);
    sql.run(
      'INSERT INTO departures (device, seq) VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET seq = excluded.seq',
      id,
      seq,
    );
    for (const mirror of ["''", 'tenant'])
      sql.run(
        `INSERT OR IGNORE INTO stale_mirrors (tenant, device) SELECT ${mirror}, device FROM newest WHERE device = ?`,
        id,
      );
    sql.run('DELETE FROM newest WHERE device = ?', id);
  },

  /** The entry from which on the log speaks of the device that has this name now; 0 where none left under it. */
  leftBefore(id: string): number {
    return sql.get(({ seq }) => integer(seq), 'SELECT seq FROM departures WHERE device = ?', id) ?? 0;
  },

  /** What `read` makes of the state of a device as it was saved; `store.corrupt` where it makes nothing of it. */
  device<T>(id: string, read: (state: string) => T): T | undefined {
    return sql.get(({ state }) => made(read, state), 'SELECT state FROM devices WHERE id = ?', id);
  },

  /** The same for every device, sorted by id; a page of rows in memory at a time. */
  *devices<T>(read: (state: string) => T): Generator<T> {
    let after = '';
    for (;;) {
      const rows = sql.all(
        ({ id, state }) => ({ id: text(id), state: made(read, state) }),
        'SELECT id, state FROM devices WHERE id > ? ORDER BY id LIMIT 500',
        after,
      );
      for (const { state } of rows) yield state;
      if (rows.length === 0) return;
      after = rows.at(-1)?.id as string;
    }
  },
});
