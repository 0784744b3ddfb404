import type { Entry } from '../entry.ts';
import { blob, entryOf, HELD_ENTRIES, integer, type Sql, text } from './sql.ts';

/** A topic `dev/<device>` at the broker, of a tenant where one is named, whose retained message is to be cleared. */
export interface StaleMirror {
  readonly tenant?: string;
  readonly device: string;
}

/** The newest attestation of each configured device, which the broker retains, and what it retains of the past. */
export const newestTables = (sql: Sql) => ({
  /** Notes entry `seq` as the newest attestation of a device; what its former tenant was shown is to be cleared. */
  saveNewest(device: string, seq: number, tenant: string): void {
    sql.run(
      `INSERT OR IGNORE INTO stale_mirrors (tenant, device)
         SELECT tenant, device FROM newest WHERE device = ? AND tenant NOT IN ('', ?)`,
      device,
      tenant,
    );
    sql.run("DELETE FROM stale_mirrors WHERE device = ? AND tenant IN ('', ?)", device, tenant);
    sql.run(
      `INSERT INTO newest (device, seq, tenant) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, tenant = excluded.tenant`,
      device,
      seq,
      tenant,
    );
  },

  /** `seq` of the newest attestation of a device that is in the configuration. */
  newest(device: string): number | undefined {
    return sql.get(({ seq }) => integer(seq), 'SELECT seq FROM newest WHERE device = ?', device);
  },

  /** The newest attestations in the order of device ids, above `device`, at most `limit`. */
  newestAfter(device: string, limit: number): readonly Entry[] {
    return sql.all(
      entryOf,
      `${HELD_ENTRIES} AND seq IN (SELECT seq FROM newest WHERE device > ? ORDER BY device LIMIT ?) ORDER BY device`,
      device,
      limit,
    );
  },

  /** Device and `seq` of every newest attestation, sorted by device. */
  newestAttestations(): readonly {
    readonly device: string;
    readonly seq: number;
    readonly leaf: Uint8Array;
    readonly tenant?: string;
  }[] {
    return sql.all(
      ({ device, seq, leaf, tenant }) => ({
        device: text(device),
        seq: integer(seq),
        leaf: blob(leaf),
        ...(tenant === '' ? {} : { tenant: text(tenant) }),
      }),
      'SELECT newest.device, seq, leaf, tenant FROM newest JOIN entries USING (seq) ORDER BY newest.device',
    );
  },

  /** Number of configured devices that have an attestation. */
  newestCount(): number {
    return sql.get(({ count }) => integer(count), 'SELECT count(*) AS count FROM newest') ?? 0;
  },

  /** Topics at the broker whose retained message is of the past, at most `limit`. */
  staleMirrors(limit: number): readonly StaleMirror[] {
    return sql.all(
      ({ tenant, device }) => ({ device: text(device), ...(tenant === '' ? {} : { tenant: text(tenant) }) }),
      'SELECT tenant, device FROM stale_mirrors LIMIT ?',
      limit,
    );
  },

  /** The broker retains nothing there any more. */
  mirrorCleared({ tenant = '', device }: StaleMirror): void {
    sql.run('DELETE FROM stale_mirrors WHERE tenant = ? AND device = ?', tenant, device);
  },
});
