import type { Finding } from '../../appraise/finding.ts';
import { integer, made, type Sql, text } from './sql.ts';

/** A finding as it was last stated; `device` is missing for the parent of a storm. */
export interface StoredFinding {
  readonly device?: string;
  readonly finding: Finding;
}

/** What names the row of a finding. */
export const rowOf = ({ ruleId, part = '', firstObservedAt, openedSeq }: Finding, device = ''): string =>
  named(device, ruleId, device === '' ? String(openedSeq ?? '') : part, firstObservedAt);

const named = (...members: readonly (string | number)[]): string => JSON.stringify(members);

/** States of a finding that counts. */
const OPEN: ReadonlySet<string> = new Set(['open', 'acknowledged', 'waived']);

/** Findings, each as it was last stated. */
export const findingsTable = (sql: Sql) => ({
  /**
   * Keeps the newest state of a finding; rule, part and first instant name it within its device. One of no device, or of many, is
   * named by the entry that opened it: two storms of one rule may begin in the same second. `ranS`: how long agents have run here, seconds.
   */
  saveFinding(finding: Finding, device: string | undefined, ranS: number): void {
    sql.run(
      `INSERT INTO findings (device, rule, part, first_observed_at, open, finding, ran_s) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET open = excluded.open, finding = excluded.finding, ran_s = excluded.ran_s`,
      device ?? '',
      finding.ruleId,
      device === undefined ? String(finding.openedSeq ?? '') : (finding.part ?? ''),
      finding.firstObservedAt,
      OPEN.has(finding.state) ? 1 : 0,
      JSON.stringify(finding),
      ranS,
    );
  },

  /** The finding of many devices, which was kept as first observed at `formerAt`, is of another instant. */
  redateFinding({ ruleId, openedSeq, firstObservedAt }: Finding, formerAt: number): void {
    sql.run(
      `UPDATE OR REPLACE findings SET first_observed_at = ? WHERE device = '' AND rule = ? AND part = ? AND first_observed_at = ?`,
      firstObservedAt,
      ruleId,
      String(openedSeq ?? ''),
      formerAt,
    );
  },

  /** Findings, newest first; `open` ones are those that count: open, acknowledged or waived. */
  findings({ open, limit = 1000 }: { readonly open: boolean; readonly limit?: number }): readonly StoredFinding[] {
    const where = open ? 'WHERE open = 1' : '';
    return sql.all(
      (row) => ({
        finding: made((written) => JSON.parse(written) as Finding, row.finding), // written by saveFinding
        ...(row.device === '' ? {} : { device: text(row.device) }),
      }),
      `SELECT device, finding FROM findings ${where} ORDER BY first_observed_at DESC, device, rule, part LIMIT ?`,
      limit,
    );
  },

  /** The names of the rows of those that count. */
  openFindings(): ReadonlySet<string> {
    const rows = sql.all(
      (row) => named(text(row.device), text(row.rule), text(row.part), integer(row.first_observed_at)),
      'SELECT device, rule, part, first_observed_at FROM findings WHERE open = 1',
    );
    return new Set(rows);
  },

  /** Removes at most `limit` closed findings last stated before agents had run `before` seconds, and says how many that were. */
  pruneFindings(before: number, limit: number): number {
    return sql.run(
      `DELETE FROM findings WHERE (device, rule, part, first_observed_at) IN
         (SELECT device, rule, part, first_observed_at FROM findings WHERE open = 0 AND coalesce(ran_s, first_observed_at) < ? LIMIT ?)`,
      before,
      limit,
    );
  },
});
