import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { AgentError, isRefused, noAccess } from '../platform/errors.ts';
import { folderInPlace, mixedStore, replacedStore, storeFailure } from './failure.ts';
import { lostFrom, settleDamaged, takeLost } from './lost-end.ts';
import { migrate, requireVersion } from './schema.ts';
import { HeldFile, immutable, isAtRest, isFolder, isThere, makePrivate, requireReadable } from './store-file.ts';
import { cursorsTable } from './tables/cursors.ts';
import { devicesTable } from './tables/devices.ts';
import { entriesTable } from './tables/entries.ts';
import { evidenceTables } from './tables/evidence.ts';
import { findingsTable } from './tables/findings.ts';
import { metaTable } from './tables/meta.ts';
import { newestTables } from './tables/newest.ts';
import { ordersTable } from './tables/orders.ts';
import type { Row, Sql, Value } from './tables/sql.ts';
import { stormsTables } from './tables/storms.ts';
import { toldTables } from './tables/told.ts';

const STORE_FILE = 'assayer.db';
const LOCK_FILE = 'assayer.lock';

/** What is kept, a file for each subject in `tables/`. Whatever writes here is called in a `transaction`. */
const tablesOf = (sql: Sql) => ({
  ...entriesTable(sql),
  ...evidenceTables(sql),
  ...newestTables(sql),
  ...devicesTable(sql),
  ...findingsTable(sql),
  ...stormsTables(sql),
  ...ordersTable(sql),
  ...cursorsTable(sql),
  ...toldTables(sql),
  ...metaTable(sql),
});

/**
 * The one file of the agent: log, captures, devices, findings, cursors. One process writes (`open`), any number look
 * (`openReadOnly`). Every failure that an operator can fix is an `AgentError` `store.*`.
 */
export type Store = Pick<
  Connection,
  'file' | 'transaction' | 'isThere' | 'rescue' | 'lost' | 'settleLost' | typeof Symbol.dispose
> &
  ReturnType<typeof tablesOf>;

export const Store = {
  /**
   * Opens for writing, makes the file (mode 0600) where there is none. Throws `store.locked` while another agent runs. Where its end is
   * damaged it is what it was before that (`lost`), and must not be continued.
   */
  open(stateDir: string): Store {
    const file = join(stateDir, STORE_FILE);
    return failing(file, () => {
      requireNoFolder(file);
      const lock = holdLock(join(stateDir, LOCK_FILE));
      try {
        makePrivate(file);
        const lost = takeLost(file, (what) => requireWhole(file, what));
        const db = new DatabaseSync(file, { timeout: 5000 });
        db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;');
        // What is left of a transaction that was torn, or of a damaged end, would else stand behind later ones as if it were of their time.
        db.exec('PRAGMA wal_checkpoint(RESTART)');
        migrate(db, file);
        return storeOn(new Connection(file, db, { lock, held: new HeldFile(file), lost }));
      } catch (error) {
        lock.close();
        throw error;
      }
    });
  },

  /**
   * Opens for looking, also while an agent writes. Throws `store.absent` where there is no store yet, and `agent.no-access`, as all that
   * look do, where this user may not read it.
   */
  openReadOnly(stateDir: string): Store {
    const file = join(stateDir, STORE_FILE);
    return looking(file, () => {
      if (!isThere(file)) {
        throw new AgentError({
          code: 'store.absent',
          message: `there is no store at ${file}`,
          remedy: 'start the agent first: assayer run',
        });
      }
      requireNoFolder(file);
      requireReadable(file);
      const db = new DatabaseSync(isAtRest(file) ? immutable(file) : file, { readOnly: true, timeout: 5000 });
      requireVersion(db, file, () => Store.lostFrom(stateDir) !== undefined);
      return storeOn(new Connection(file, db, undefined));
    });
  },

  /** What was durable and is lost with a damaged end, where the next start will find that; undefined while an agent runs. */
  lostFrom(stateDir: string): string | undefined {
    const file = join(stateDir, STORE_FILE);
    const lost = looking(file, () => lostFrom(file));
    // An agent that writes meanwhile makes any frame look damaged.
    return lost === undefined || Store.isHeld(stateDir) ? undefined : lost;
  },

  /** Whether a process writes here now. */
  isHeld(stateDir: string): boolean {
    const file = join(stateDir, LOCK_FILE);
    try {
      looking(file, () => isThere(file) && readLocked(file));
      return false;
    } catch (error) {
      if (error instanceof AgentError && error.code === 'store.locked') return true;
      throw error;
    }
  },
};

/**
 * SQLite may have moved into the file some of what its log has lost: then it would read neither one state nor the other. Looked at without
 * writing, as both files have to stay what they are. Throws `store.corrupt`.
 */
const requireWhole = (file: string, lost: string): void => {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const found = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (found !== 'ok') throw mixedStore(file, `${lost}; what is left does not fit together`);
  } finally {
    db.close();
  }
};

const storeOn = (connection: Connection): Store => Object.assign(connection, tablesOf(connection));

/** What the process that writes has beside the open file. */
interface Writing {
  readonly lock: DatabaseSync;
  readonly held: HeldFile;
  readonly lost: string | undefined;
}

/** The open file, and the lock of the process that writes it. */
class Connection implements Sql {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #writing: Writing | undefined;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(file: string, db: DatabaseSync, writing: Writing | undefined) {
    this.file = file;
    this.#db = db;
    this.#writing = writing;
  }

  /** The file is still the one that was opened for writing. */
  isThere(): boolean {
    return failing(this.file, () => this.#writing?.held.isThere ?? true);
  }

  /** What was durable and could not be read any more when it was opened, in words. */
  get lost(): string | undefined {
    return this.#writing?.lost;
  }

  /** Another log has begun, in place of the one that lost its end: the next start looks for it no more. Gives the name of what is kept of it. */
  settleLost(): string {
    return failing(this.file, () => settleDamaged(this.file, Date.now()));
  }

  /** Writes everything that is in the open file into a new one beside it, and gives its name: the file itself is gone once it is closed. */
  rescue(): string {
    const copy = `${this.file}.replaced-${Date.now()}`;
    return failing(copy, () => {
      makePrivate(copy);
      this.#db.prepare('VACUUM INTO ?').run(copy);
      return copy;
    });
  }

  /** Runs `body` in one transaction; either all it wrote is durable afterwards, or nothing was written and the error is thrown. */
  transaction<T>(body: () => T): T {
    if (!this.isThere()) throw replacedStore(this.file);
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

  run(sql: string, ...values: Value[]): number {
    return failing(this.file, () => Number(this.#statement(sql).run(...values).changes));
  }

  get<T>(read: (row: Row) => T, sql: string, ...values: Value[]): T | undefined {
    return failing(this.file, () => {
      const row = this.#statement(sql).get(...values);
      return row === undefined ? undefined : read(row);
    });
  }

  all<T>(read: (row: Row) => T, sql: string, ...values: Value[]): T[] {
    return failing(this.file, () =>
      this.#statement(sql)
        .all(...values)
        .map(read),
    );
  }

  redefine(sql: string): void {
    failing(this.file, () => {
      this.#prepared.clear();
      this.#db.exec(sql);
    });
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  [Symbol.dispose](): void {
    this.#prepared.clear();
    if (this.#db.isOpen) this.#db.close();
    if (!this.#writing?.lock.isOpen) return;
    this.#writing.held.clear();
    this.#writing.lock.close();
  }
}

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

/** Throws where a process holds the lock. Asked without writing: on a file system that is mounted read-only nobody holds it, and nobody could. */
const readLocked = (file: string): void => {
  const lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    lock.exec('PRAGMA schema_version');
  } finally {
    lock.close();
  }
};

/** A folder in its place is no store, and no disk that fails. */
const requireNoFolder = (file: string): void => {
  if (isFolder(file)) throw folderInPlace(file, 'begins another log');
};

/** For who only looks: a refusal says nothing of the store, but that somebody else owns it. */
const looking = <T>(file: string, body: () => T): T =>
  failing(file, () => {
    try {
      return body();
    } catch (error) {
      throw isRefused(error) ? noAccess(`the store ${file} may not be read`, error) : error;
    }
  });

const failing = <T>(file: string, body: () => T): T => {
  try {
    return body();
  } catch (error) {
    throw storeFailure(error, file);
  }
};
