import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { leafHash } from '../../shared/tree.ts';
import type { Finding } from '../appraise/finding.ts';
import { AgentError } from '../platform/errors.ts';
import type { CitedReply, Disclosure, Entry } from './entry.ts';
import { DamagedRow, storeFailure } from './failure.ts';
import { MIGRATIONS, retireTables } from './schema.ts';

const STORE_FILE = 'assayer.db';
const LOCK_FILE = 'assayer.lock';

/** Which entries `find` gives. `newest` counts back from the end; the result is in `seq` order either way. */
export interface EntryQuery {
  readonly from?: number;
  readonly device?: string;
  readonly kind?: string;
  readonly below?: number;
  readonly newest?: number;
  readonly limit?: number;
}

/** A topic `dev/<device>` at the broker, of a tenant where one is named, whose retained message is to be cleared. */
export interface StaleMirror {
  readonly tenant?: string;
  readonly device: string;
}

/** A finding as it was last stated; `device` is missing for the parent of a storm. */
export interface StoredFinding {
  readonly device?: string;
  readonly finding: Finding;
}

/**
 * The one file of the agent: log, captures, devices, findings, cursors. One process writes (`open`), any number look
 * (`openReadOnly`). Every failure that an operator can fix is an `AgentError` `store.*`.
 */
export class Store {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #lock: DatabaseSync | undefined;
  readonly #prepared = new Map<string, StatementSync>();

  private constructor(file: string, db: DatabaseSync, lock: DatabaseSync | undefined) {
    this.file = file;
    this.#db = db;
    this.#lock = lock;
  }

  /** Opens for writing, makes the file (mode 0600) where there is none. Throws `store.locked` while another agent runs. */
  static open(stateDir: string): Store {
    const file = join(stateDir, STORE_FILE);
    return failing(file, () => {
      const lock = holdLock(join(stateDir, LOCK_FILE));
      try {
        makePrivate(file);
        const db = new DatabaseSync(file, { timeout: 5000 });
        db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;');
        migrate(db, file);
        return new Store(file, db, lock);
      } catch (error) {
        lock.close();
        throw error;
      }
    });
  }

  /** Opens for looking, also while an agent writes. Throws `store.absent` where there is no store yet. */
  static openReadOnly(stateDir: string): Store {
    const file = join(stateDir, STORE_FILE);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      throw new AgentError({
        code: 'store.absent',
        message: `there is no store at ${file}`,
        remedy: 'start the agent first: assayer run',
      });
    }
    return failing(file, () => {
      const db = new DatabaseSync(isAtRest(file) ? immutable(file) : file, { readOnly: true, timeout: 5000 });
      requireVersion(db, file);
      return new Store(file, db, undefined);
    });
  }

  /** Whether a process writes here now. */
  static isHeld(stateDir: string): boolean {
    const file = join(stateDir, LOCK_FILE);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
    try {
      failing(file, () => holdLock(file).close());
      return false;
    } catch (error) {
      if (error instanceof AgentError && error.code === 'store.locked') return true;
      throw error;
    }
  }

  /** Runs `body` in one transaction; either all it wrote is durable afterwards, or nothing was written and the error is thrown. */
  transaction<T>(body: () => T): T {
    return failing(this.file, () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = body();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite has already rolled back by itself after some failures, a full disk among them.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  // ---- log

  /** Number of entries ever appended, so the next `seq`. */
  size(): number {
    return (
      this.#get(({ size }) => (size === null ? 0 : integer(size)), 'SELECT max(seq) + 1 AS size FROM entries') ?? 0
    );
  }

  insertEntry({ seq, kind, device, iat, message, leaf }: Entry): void {
    this.#run(
      'INSERT INTO entries (seq, kind, device, iat, message, leaf) VALUES (?, ?, ?, ?, ?, ?)',
      seq,
      kind,
      device ?? null,
      iat,
      message,
      leaf,
    );
  }

  /** Notes entry `seq` as the newest attestation of a device; what its former tenant was shown is to be cleared. */
  saveNewest(device: string, seq: number, tenant: string): void {
    this.#run(
      `INSERT OR IGNORE INTO stale_mirrors (tenant, device)
         SELECT tenant, device FROM newest WHERE device = ? AND tenant NOT IN ('', ?)`,
      device,
      tenant,
    );
    this.#run("DELETE FROM stale_mirrors WHERE device = ? AND tenant IN ('', ?)", device, tenant);
    this.#run(
      `INSERT INTO newest (device, seq, tenant) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, tenant = excluded.tenant`,
      device,
      seq,
      tenant,
    );
  }

  /** Topics at the broker whose retained message is of the past, at most `limit`. */
  staleMirrors(limit: number): readonly StaleMirror[] {
    return this.#all(
      ({ tenant, device }) => ({ device: text(device), ...(tenant === '' ? {} : { tenant: text(tenant) }) }),
      'SELECT tenant, device FROM stale_mirrors LIMIT ?',
      limit,
    );
  }

  mirrorCleared({ tenant = '', device }: StaleMirror): void {
    this.#run('DELETE FROM stale_mirrors WHERE tenant = ? AND device = ?', tenant, device);
  }

  /** `seq` of the newest attestation of a device that is in the configuration. */
  newest(device: string): number | undefined {
    return this.#get(({ seq }) => integer(seq), 'SELECT seq FROM newest WHERE device = ?', device);
  }

  /** The newest attestations in the order of device ids, above `device`, at most `limit`. */
  newestAfter(device: string, limit: number): readonly Entry[] {
    return this.#all(
      entryOf,
      `${SELECT_ENTRY} AND seq IN (SELECT seq FROM newest WHERE device > ? ORDER BY device LIMIT ?) ORDER BY device`,
      device,
      limit,
    );
  }

  /** Device and `seq` of every newest attestation, sorted by device. */
  newestAttestations(): readonly {
    readonly device: string;
    readonly seq: number;
    readonly leaf: Uint8Array;
    readonly tenant?: string;
  }[] {
    return this.#all(
      ({ device, seq, leaf, tenant }) => ({
        device: text(device),
        seq: integer(seq),
        leaf: blob(leaf),
        ...(tenant === '' ? {} : { tenant: text(tenant) }),
      }),
      'SELECT newest.device, seq, leaf, tenant FROM newest JOIN entries USING (seq) ORDER BY newest.device',
    );
  }

  newestCount(): number {
    return this.#get(({ count }) => integer(count), 'SELECT count(*) AS count FROM newest') ?? 0;
  }

  /** Entry `seq`; undefined when it was never written or its message was pruned. */
  entry(seq: number): Entry | undefined {
    return this.#get(entryOf, `${SELECT_ENTRY} AND seq = ?`, seq);
  }

  /** The held entries from `seq` upwards, at most `limit`. */
  entriesFrom(seq: number, limit: number): readonly Entry[] {
    return this.#all(entryOf, `${SELECT_ENTRY} AND seq >= ? ORDER BY seq LIMIT ?`, seq, limit);
  }

  /** The held entries that match, in `seq` order. */
  find({ from = 0, device, kind, below, newest, limit = newest ?? 1000 }: EntryQuery): readonly Entry[] {
    const conditions = [
      ['AND device = ?', device],
      ['AND kind = ?', kind],
      ['AND seq < ?', below],
    ] as const;
    const asked = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
    const where = asked.map(({ sql }) => sql).join(' ');
    const values = [from, ...asked.map(({ value }) => value), limit];
    const order = newest === undefined ? 'ASC' : 'DESC';
    const rows = this.#all(entryOf, `${SELECT_ENTRY} AND seq >= ? ${where} ORDER BY seq ${order} LIMIT ?`, ...values);
    return newest === undefined ? rows : rows.reverse();
  }

  /** The held `baseline` entries in `seq` order, a page in memory at a time. */
  *baselineEntries(): Generator<Entry> {
    let from = 0;
    for (;;) {
      const page = this.#all(
        entryOf,
        `${SELECT_ENTRY} AND kind = 'baseline' AND seq >= ? ORDER BY seq LIMIT 100`,
        from,
      );
      yield* page;
      if (page.length === 0) return;
      from = (page.at(-1)?.seq ?? 0) + 1;
    }
  }

  /** `seq` of the newest held entries of a kind, at most `limit`, the newest first. */
  newestOf(kind: string, limit: number): readonly number[] {
    return this.#all(
      ({ seq }) => integer(seq),
      'SELECT seq FROM entries WHERE message IS NOT NULL AND kind = ? ORDER BY seq DESC LIMIT ?',
      kind,
      limit,
    );
  }

  /** Leaf hashes from `seq` upwards, also of pruned entries. */
  leavesFrom(seq: number, limit: number): readonly Uint8Array[] {
    return this.#all(
      ({ leaf }) => blob(leaf),
      'SELECT leaf FROM entries WHERE seq >= ? ORDER BY seq LIMIT ?',
      seq,
      limit,
    );
  }

  /** Puts the log aside under the number of its incarnation and begins an empty one; part of a transaction. */
  retireLog(incarnation: number): void {
    if (!Number.isSafeInteger(incarnation)) throw new Error(`no incarnation: ${incarnation}`);
    failing(this.file, () => {
      this.#prepared.clear();
      this.#db.exec(retireTables(incarnation));
    });
  }

  // ---- what entries rest on

  keepCapture(seq: number, capture: CitedReply, keepUntil: number | undefined): void {
    this.#run(
      'INSERT INTO captures (seq, query, sha256, bytes, keep_until) VALUES (?, ?, ?, ?, ?)',
      seq,
      capture.query,
      capture.sha256,
      capture.bytes,
      keepUntil ?? null,
    );
  }

  /** The kept replies that entry `seq` cites. */
  captures(seq: number): readonly CitedReply[] {
    return this.#all(
      ({ query, sha256, bytes }) => ({ query: text(query), sha256: blob(sha256), bytes: blob(bytes) }),
      'SELECT query, sha256, bytes FROM captures WHERE seq = ? ORDER BY query',
      seq,
    );
  }

  keepDisclosure(seq: number, disclosure: Disclosure): void {
    this.#run('INSERT INTO disclosures (digest, seq, text) VALUES (?, ?, ?)', disclosure.digest, seq, disclosure.text);
  }

  /** What is redacted in entry `seq`. */
  disclosures(seq: number): readonly Disclosure[] {
    return this.#all(
      (row) => ({ digest: text(row.digest), text: text(row.text) }),
      'SELECT digest, text FROM disclosures WHERE seq = ? ORDER BY digest',
      seq,
    );
  }

  // ---- state

  saveDevice(id: string, state: string): void {
    this.#run(
      'INSERT INTO devices (id, state) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state',
      id,
      state,
    );
  }

  /** Forgets a device that left the configuration; its entries stay. */
  removeDevice(id: string): void {
    this.#run('DELETE FROM devices WHERE id = ?', id);
    for (const mirror of ["''", 'tenant'])
      this.#run(
        `INSERT OR IGNORE INTO stale_mirrors (tenant, device) SELECT ${mirror}, device FROM newest WHERE device = ?`,
        id,
      );
    this.#run('DELETE FROM newest WHERE device = ?', id);
  }

  /** What `read` makes of the state of a device as it was saved; `store.corrupt` where it makes nothing of it. */
  device<T>(id: string, read: (state: string) => T): T | undefined {
    return this.#get(({ state }) => made(read, state), 'SELECT state FROM devices WHERE id = ?', id);
  }

  /** The same for every device, sorted by id; a page of rows in memory at a time. */
  *devices<T>(read: (state: string) => T): Generator<T> {
    let after = '';
    for (;;) {
      const rows = this.#all(
        ({ id, state }) => ({ id: text(id), state: made(read, state) }),
        'SELECT id, state FROM devices WHERE id > ? ORDER BY id LIMIT 500',
        after,
      );
      for (const { state } of rows) yield state;
      if (rows.length === 0) return;
      after = rows.at(-1)?.id as string;
    }
  }

  /** Keeps the newest state of a finding; rule, part and first instant name it within its device. */
  saveFinding(finding: Finding, device: string | undefined): void {
    this.#run(
      `INSERT INTO findings (device, rule, part, first_observed_at, open, finding) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET open = excluded.open, finding = excluded.finding`,
      device ?? '',
      finding.ruleId,
      finding.part ?? '',
      finding.firstObservedAt,
      OPEN.has(finding.state) ? 1 : 0,
      JSON.stringify(finding),
    );
  }

  /** Findings, newest first; `open` ones are those that count: open, acknowledged or waived. */
  findings({ open, limit = 1000 }: { readonly open: boolean; readonly limit?: number }): readonly StoredFinding[] {
    const where = open ? 'WHERE open = 1' : '';
    return this.#all(
      (row) => ({
        finding: made((written) => JSON.parse(written) as Finding, row.finding), // written by saveFinding
        ...(row.device === '' ? {} : { device: text(row.device) }),
      }),
      `SELECT device, finding FROM findings ${where} ORDER BY first_observed_at DESC, device, rule, part LIMIT ?`,
      limit,
    );
  }

  /** Keeps a document in force, by the entry that adopted it. */
  saveOrder(seq: number, order: string): void {
    this.#run(
      'INSERT INTO orders (seq, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
      seq,
      order,
    );
  }

  /** It is no longer in force; its entry stays. */
  removeOrder(seq: number): void {
    this.#run('DELETE FROM orders WHERE seq = ?', seq);
  }

  /** What `read` makes of each document in force, in the order in which they were adopted. */
  orders<T>(read: (order: string) => T): readonly T[] {
    return this.#all(({ text: order }) => made(read, order), 'SELECT text FROM orders ORDER BY seq');
  }

  saveMeta(name: string, value: string): void {
    this.#run(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }

  /** What `read` makes of a value as it was saved; `store.corrupt` where it makes nothing of it. */
  meta<T>(name: string, read: (value: string) => T): T | undefined {
    return this.#get(({ value }) => made(read, value), 'SELECT value FROM meta WHERE name = ?', name);
  }

  /** Keeps how many entries from 0 a reader confirmed. */
  saveCursor(reader: string, next: number): void {
    this.#run(
      'INSERT INTO cursors (reader, next) VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next',
      reader,
      next,
    );
  }

  /** How many entries from 0 a reader confirmed; 0 for one that is not known. */
  cursor(reader: string): number {
    return this.#get(({ next }) => integer(next), 'SELECT next FROM cursors WHERE reader = ?', reader) ?? 0;
  }

  // ---- who is told of findings

  /** How far a target was told; `skipped` as it was saved. */
  notifyPlace(target: string): { readonly next: number; readonly skipped?: string } | undefined {
    return this.#get(
      ({ next, skipped }) => ({ next: integer(next), ...(skipped === null ? {} : { skipped: text(skipped) }) }),
      'SELECT next, skipped FROM notify_places WHERE target = ?',
      target,
    );
  }

  saveNotifyPlace(target: string, { next, skipped }: { readonly next: number; readonly skipped?: string }): void {
    this.#run(
      `INSERT INTO notify_places (target, next, skipped) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET next = excluded.next, skipped = excluded.skipped`,
      target,
      next,
      skipped ?? null,
    );
  }

  /** The target was told of the finding that entry `openedSeq` opened. */
  wasTold(target: string, openedSeq: number): boolean {
    return (
      this.#get(() => true, 'SELECT 1 FROM notify_told WHERE target = ? AND opened_seq = ?', target, openedSeq) ?? false
    );
  }

  saveTold(target: string, openedSeq: number): void {
    this.#run('INSERT OR IGNORE INTO notify_told (target, opened_seq) VALUES (?, ?)', target, openedSeq);
  }

  forgetTold(target: string, openedSeq: number): void {
    this.#run('DELETE FROM notify_told WHERE target = ? AND opened_seq = ?', target, openedSeq);
  }

  /** Forgets all targets but these. */
  keepTargets(targets: readonly string[]): void {
    const named = JSON.stringify(targets);
    for (const table of ['notify_places', 'notify_told'])
      this.#run(`DELETE FROM ${table} WHERE target NOT IN (SELECT value FROM json_each(?))`, named);
  }

  // ---- retention

  /** Entries that still hold a message and are older than `before`, above `after`, in `seq` order. */
  prunable(range: {
    readonly after: number;
    readonly below: number;
    readonly before: number;
    readonly limit: number;
  }): readonly number[] {
    return this.#all(
      ({ seq }) => integer(seq),
      'SELECT seq FROM entries WHERE message IS NOT NULL AND seq > ? AND seq < ? AND iat < ? ORDER BY seq LIMIT ?',
      range.after,
      range.below,
      range.before,
      range.limit,
    );
  }

  /** Removes the message of an entry, its captures and disclosures; row and leaf hash stay. */
  pruneEntry(seq: number): void {
    this.#run('UPDATE entries SET message = NULL WHERE seq = ?', seq);
    this.#run('DELETE FROM captures WHERE seq = ?', seq);
    this.#run('DELETE FROM disclosures WHERE seq = ?', seq);
  }

  /** Removes at most `limit` captures whose time is over; how many it were. */
  pruneCaptures(now: number, limit: number): number {
    return this.#run(
      'DELETE FROM captures WHERE rowid IN (SELECT rowid FROM captures WHERE keep_until <= ? LIMIT ?)',
      now,
      limit,
    );
  }

  /** Removes at most `limit` closed findings first seen before `before`; how many it were. */
  pruneFindings(before: number, limit: number): number {
    return this.#run(
      `DELETE FROM findings WHERE (device, rule, part, first_observed_at) IN
         (SELECT device, rule, part, first_observed_at FROM findings WHERE open = 0 AND first_observed_at < ? LIMIT ?)`,
      before,
      limit,
    );
  }

  [Symbol.dispose](): void {
    this.#prepared.clear();
    if (this.#db.isOpen) this.#db.close();
    if (this.#lock?.isOpen) this.#lock.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return failing(this.file, () => Number(this.#statement(sql).run(...values).changes));
  }

  #get<T>(read: (row: Row) => T, sql: string, ...values: SQLInputValue[]): T | undefined {
    return failing(this.file, () => {
      const row = this.#statement(sql).get(...values);
      return row === undefined ? undefined : read(row);
    });
  }

  #all<T>(read: (row: Row) => T, sql: string, ...values: SQLInputValue[]): T[] {
    return failing(this.file, () =>
      this.#statement(sql)
        .all(...values)
        .map(read),
    );
  }
}

type Row = { readonly [column: string]: unknown };

const OPEN: ReadonlySet<string> = new Set(['open', 'acknowledged', 'waived']);

const SELECT_ENTRY = 'SELECT seq, kind, device, iat, message, leaf FROM entries WHERE message IS NOT NULL';

/** A message that gives its leaf hash is the one that was written. */
const entryOf = (row: Row): Entry => {
  const seq = integer(row.seq);
  const [message, leaf] = [blob(row.message), blob(row.leaf)];
  if (!leafHash(message).equals(leaf)) throw new DamagedRow(`entry ${seq}`);
  return {
    seq,
    kind: text(row.kind),
    iat: integer(row.iat),
    message,
    leaf,
    ...(row.device === null ? {} : { device: text(row.device) }),
  };
};

/** A damaged page gives values of any type, whatever the table says. */
const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new DamagedRow('a text');
};

const integer = (value: unknown): number => {
  if (Number.isSafeInteger(value)) return value as number;
  throw new DamagedRow('a number');
};

const blob = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value;
  throw new DamagedRow('a value');
};

/** What `read` makes of a text that this agent wrote. That it fails says that the text is another one; what it says may hold the text. */
const made = <T>(read: (text: string) => T, value: unknown): T => {
  const written = text(value);
  try {
    return read(written);
  } catch {
    throw new DamagedRow('what is kept of a device, a finding or the agent');
  }
};

/** A lock that ends with the process however it ends: an exclusive transaction, never committed, on a file of its own. */
const holdLock = (file: string): DatabaseSync => {
  makePrivate(file);
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
};

/**
 * Makes an empty file, mode 0600, where there is none. One that exists must be writable, and is not opened: closing it
 * would drop the locks that SQLite holds on it elsewhere in this process (fcntl(2)).
 */
const makePrivate = (file: string): void => {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    accessSync(file, constants.R_OK | constants.W_OK);
  }
};

/** Nobody writes the file, and this process could not make the shared memory that looking at a running log needs. */
const isAtRest = (file: string): boolean => {
  if (statSync(`${file}-wal`, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    accessSync(dirname(file), constants.W_OK);
    return false;
  } catch {
    return true;
  }
};

/** The name under which SQLite reads a file on a read-only file system (sqlite.org/wal.html, read-only databases). */
const immutable = (file: string): URL => {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
};

const migrate = (db: DatabaseSync, file: string): void => {
  for (let version = versionOf(db); version < MIGRATIONS.length; version += 1) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
  requireVersion(db, file);
};

const requireVersion = (db: DatabaseSync, file: string): void => {
  const version = versionOf(db);
  if (version === MIGRATIONS.length) return;
  throw new AgentError({
    code: 'store.version',
    message: `the store ${file} has version ${version}, this program knows ${MIGRATIONS.length}`,
    remedy:
      version > MIGRATIONS.length
        ? 'use the newer release that wrote it'
        : 'start the agent once, it brings the store up to date: assayer run',
  });
};

const versionOf = (db: DatabaseSync): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);

const failing = <T>(file: string, body: () => T): T => {
  try {
    return body();
  } catch (error) {
    throw storeFailure(error, file);
  }
};
