import { integer, type Sql, text } from './sql.ts';

/** How far each target of notify was told the log, and of which findings it was told and not yet of their end. */
export const toldTables = (sql: Sql) => ({
  /** How far a target was told; `skipped` as it was saved. */
  notifyPlace(target: string): { readonly next: number; readonly skipped?: string } | undefined {
    return sql.get(
      ({ next, skipped }) => ({ next: integer(next), ...(skipped === null ? {} : { skipped: text(skipped) }) }),
      'SELECT next, skipped FROM notify_places WHERE target = ?',
      target,
    );
  },

  /** Keeps how far a target was told. */
  saveNotifyPlace(target: string, { next, skipped }: { readonly next: number; readonly skipped?: string }): void {
    sql.run(
      `INSERT INTO notify_places (target, next, skipped) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET next = excluded.next, skipped = excluded.skipped`,
      target,
      next,
      skipped ?? null,
    );
  },

  /** The target was told of the finding that entry `openedSeq` opened. */
  wasTold(target: string, openedSeq: number): boolean {
    return (
      sql.get(() => true, 'SELECT 1 FROM notify_told WHERE target = ? AND opened_seq = ?', target, openedSeq) ?? false
    );
  },

  /** The target was told now. */
  saveTold(target: string, openedSeq: number): void {
    sql.run('INSERT OR IGNORE INTO notify_told (target, opened_seq) VALUES (?, ?)', target, openedSeq);
  },

  /** The target was told of the end of that finding. */
  forgetTold(target: string, openedSeq: number): void {
    sql.run('DELETE FROM notify_told WHERE target = ? AND opened_seq = ?', target, openedSeq);
  },

  /** All targets that have a place. */
  notifyTargets(): readonly string[] {
    return sql.all(({ target }) => text(target), 'SELECT target FROM notify_places ORDER BY target');
  },

  /** Forgets all targets but these. */
  keepTargets(targets: readonly string[]): void {
    const named = JSON.stringify(targets);
    for (const table of ['notify_places', 'notify_told'])
      sql.run(`DELETE FROM ${table} WHERE target NOT IN (SELECT value FROM json_each(?))`, named);
  },
});
