import { type AcceptedEntry, gatewayOf, type Notice } from '../../shared/index.ts';
import { bytes, type Database, insertion, integer, text, type Write } from './database.ts';
import { type Stated, standingWrites, supersedingWrite } from './standing.ts';

/**
 * A log that is set aside stays in every byte, and is left out of all that is derived: of its devices the rest of the logs say what they are
 * again. A collector that works on it finds another revision, and looks again.
 */
export const asideWrites = async (database: Database, notices: readonly Notice[]): Promise<readonly Write[]> => {
  const logs = logsIn(notices, 'aside');
  // One that was only spoken of is kept by its name.
  const named = logs.map((log) => [log, gatewayOf(log), 0, 0, '', 0]);
  const columns = ['log', 'gateway', 'revision', 'size', 'state', 'stored_at'];
  const writes = [
    insertion('log', columns, named, ' ON CONFLICT DO NOTHING'),
    ...logs.flatMap((log) => [
      about(log, 'UPDATE log SET aside = 1, revision = revision + 1 WHERE log = '),
      about(log, 'DELETE FROM device WHERE log = '),
      about(log, 'DELETE FROM finding WHERE log = '),
      about(log, "DELETE FROM gap WHERE kind = 'gap' AND log = "),
      about(log, "UPDATE finding SET superseded_by = '' WHERE superseded_by = "),
    ]),
  ];
  for (const gateway of new Set(logs.map(gatewayOf))) {
    for (const log of await logsBeside(database, gateway, logs))
      writes.push(...standingWrites(await stated(database, log, "kind = 'session'")));
    writes.push(supersedingWrite([gateway]));
  }
  return writes;
};

/** The other way round. */
export const reinstatingWrites = async (database: Database, notices: readonly Notice[]): Promise<readonly Write[]> => {
  const writes: Write[] = [];
  for (const log of logsIn(notices, 'reinstated')) {
    writes.push(
      about(log, 'DELETE FROM log WHERE size = 0 AND log = '),
      about(log, 'UPDATE log SET aside = 0, revision = revision + 1 WHERE log = '),
      ...standingWrites(await stated(database, log, "kind IN ('session', 'finding')")),
      supersedingWrite([gatewayOf(log)]),
    );
  }
  return writes;
};

const logsIn = (notices: readonly Notice[], kind: 'aside' | 'reinstated'): readonly string[] =>
  notices.flatMap((notice) => (notice.kind === kind ? [notice.log] : []));

const about = (log: string, before: string): Write => ({ before, row: '?', after: '', rows: [[log]] });

const logsBeside = async (database: Database, gateway: string, left: readonly string[]): Promise<readonly string[]> => {
  const rows = await database.all('SELECT log FROM log WHERE gateway = ? AND aside = 0', [gateway]);
  return rows.map(({ log }) => text(log)).filter((log) => !left.includes(log));
};

/** The entries of a log that its devices stand by: the newest attestation of each, and others of a kind. */
const stated = async (database: Database, log: string, others: string): Promise<readonly Stated[]> => {
  const rows = await database.all(
    `SELECT seq, bytes FROM entry WHERE log = ? AND status = 'chained' AND (${others} OR seq IN (
      SELECT max(seq) FROM entry WHERE log = ? AND status = 'chained' AND kind = 'attestation' GROUP BY device
    )) ORDER BY seq`,
    [log, log],
  );
  return rows.map((row) => ({
    seq: integer(row.seq),
    status: 'chained',
    // It was verified before it was stored.
    statement: JSON.parse(Buffer.from(bytes(row.bytes)).toString('utf8')) as AcceptedEntry['statement'],
  }));
};
