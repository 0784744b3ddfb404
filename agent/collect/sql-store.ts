import {
  type AcceptedEntry,
  type Changes,
  type CollectorStore,
  gatewayOf,
  type ListedLog,
  type LogChanges,
  type Statement,
  type StoredEntry,
  type StoredLog,
} from '../../shared/index.ts';
import { asideWrites, reinstatingWrites } from './aside.ts';
import { bytes, type Database, insertion, integer, replacing, text, type Value, type Write } from './database.ts';
import { bare, eventWrites, seconds } from './events-kept.ts';
import { standingWrites } from './standing.ts';

const MOST_ASKED = 512;

/** The store of a collector in a database: the entries as received, and what they come to, in one transaction each. */
export class SqlStore implements CollectorStore {
  readonly #database: Database;
  readonly #wallMs: () => number;

  constructor(database: Database, wallMs: () => number) {
    this.#database = database;
    this.#wallMs = wallMs;
  }

  async logs(): Promise<readonly ListedLog[]> {
    const rows = await this.#database.all('SELECT log, size, aside FROM log');
    return rows.map(({ log, size, aside }) => ({
      log: text(log),
      size: integer(size),
      aside: integer(aside) === 1 || undefined,
    }));
  }

  async log(log: string): Promise<StoredLog | undefined> {
    const [stored] = await this.#database.all('SELECT revision, state FROM log WHERE log = ?', [log]);
    if (stored === undefined) return undefined;
    const devices = await this.#database.all('SELECT device, state FROM log_device WHERE log = ?', [log]);
    return {
      revision: integer(stored.revision),
      state: text(stored.state),
      devices: devices.map(({ device, state }) => [text(device), text(state)] as const),
    };
  }

  async entries(log: string, seqs: readonly number[]): Promise<readonly StoredEntry[]> {
    const found: StoredEntry[] = [];
    for (let from = 0; from < seqs.length; from += MOST_ASKED) {
      const some = seqs.slice(from, from + MOST_ASKED);
      const asked = filledUp(some);
      const places = asked.map(() => '?').join(', ');
      const rows = await this.#database.all(`SELECT seq, bytes FROM entry WHERE log = ? AND seq IN (${places})`, [
        log,
        ...asked,
      ]);
      for (const row of rows) found.push({ seq: integer(row.seq), bytes: bytes(row.bytes) });
    }
    return found;
  }

  async trusted(): Promise<string | undefined> {
    const [row] = await this.#database.all("SELECT value FROM meta WHERE name = 'trusted'");
    return row && text(row.value);
  }

  async commit(changes: Changes): Promise<void> {
    const nowS = seconds(this.#wallMs());
    const entries = changes.logs.flatMap((log) => log.entries);
    const aside = new Set(changes.notices.flatMap((notice) => (notice.kind === 'aside' ? [notice.log] : [])));
    await this.#database.write([
      ...logWrites(changes.logs, nowS),
      // Before what others state of its devices, which would be older than what it said.
      ...(await asideWrites(this.#database, changes.notices)),
      ...(await reinstatingWrites(this.#database, changes.notices)),
      insertion('entry', ENTRY, entries.map(entryRow)),
      ...standingWrites(entries.filter(({ statement }) => !aside.has(statement.log))),
      ...eventWrites(changes, nowS),
      ...(changes.trusted === undefined ? [] : [metaWrite('trusted', changes.trusted)]),
    ]);
  }
}

/** To a power of two, with numbers that are there: a database keeps what it prepared for each text of a question. */
const filledUp = (seqs: readonly number[]): readonly number[] => {
  const length = 2 ** Math.ceil(Math.log2(seqs.length));
  return Array.from({ length }, (_none, index) => seqs[index % seqs.length] ?? 0);
};

const LOG = ['log', 'gateway', 'revision', 'size', 'state', 'stored_at'];
const LOG_DEVICE = ['log', 'device', 'state'];
const ENTRY = ['log', 'seq', 'kind', 'device', 'status', 'remarks', 'iat', 'received_at', 'leaf', 'bytes'];

/** First of all the revisions: a log that somebody else began or continued ends the transaction. */
const logWrites = (logs: readonly LogChanges[], nowS: number): readonly Write[] => {
  // Two workers that meet take the rows in the same order, and do not wait for each other.
  const sorted = logs.toSorted((one, other) => (one.log < other.log ? -1 : 1));
  const rowOf = ({ log, revision, size, state }: LogChanges) => [log, gatewayOf(log), revision + 1, size, state, nowS];
  const begun = sorted.filter(({ revision }) => revision === 0).map(rowOf);
  const grown = sorted.filter(({ revision }) => revision > 0).map(rowOf);
  const devices = sorted.flatMap(({ log, devices: each }) => [...each].map(([device, state]) => [log, device, state]));
  return [
    { ...insertion('log', LOG, begun, ' ON CONFLICT DO NOTHING'), isCompared: true },
    {
      before: 'WITH grown (log, gateway, revision, size, state, stored_at) AS (VALUES ',
      row: '(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT))',
      after: `) UPDATE log SET revision = grown.revision, size = grown.size, state = grown.state, stored_at = grown.stored_at
        FROM grown WHERE log.log = grown.log AND log.revision = grown.revision - 1`,
      rows: grown,
      isCompared: true,
    },
    insertion('log_device', LOG_DEVICE, devices, replacing(['log', 'device'], LOG_DEVICE)),
  ];
};

const entryRow = ({ seq, bytes: message, leaf, status, remarks, statement, receivedAtMs }: AcceptedEntry): Value[] => [
  statement.log,
  seq,
  statement.kind,
  deviceOf(statement) ?? null,
  status,
  JSON.stringify(remarks.map(bare)),
  statement.iat,
  seconds(receivedAtMs),
  leaf,
  message,
];

const deviceOf = (statement: Statement): string | undefined => {
  if (statement.kind === 'attestation') return statement.subject.device;
  return statement.kind === 'finding' ? statement.finding.device : undefined;
};

/** A word of the store about itself. */
const metaWrite = (name: string, value: string): Write =>
  insertion('meta', ['name', 'value'], [[name, value]], replacing(['name'], ['name', 'value']));
