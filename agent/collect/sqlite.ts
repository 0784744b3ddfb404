import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { StoreConflict } from '../../shared/index.ts';
import { AgentError, isRefused } from '../platform/errors.ts';
import { storeFailure } from '../record/failure.ts';
import { HeldFile, isThere, requireReadable } from '../record/store-file.ts';
import { type Database, integer, type Row, type Value, type Write } from './database.ts';
import { storeError } from './failure.ts';
import { type Dialect, MIGRATIONS } from './schema.ts';
import { requireVersion } from './version.ts';

const FILE = 'collector.db';
/** How long a transaction waits for that of another process. Nothing else happens meanwhile, so it is short. */
const BUSY_MS = 1_000;
const DIALECT: Dialect = { integer: 'INTEGER', bytes: 'BLOB', strict: 'STRICT' };

/** One SQLite file in a state folder. Several processes may write it, one transaction after the other. */
export class Sqlite implements Database {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #held: HeldFile;

  private constructor(file: string, db: DatabaseSync) {
    this.#file = file;
    this.#db = db;
    this.#held = new HeldFile(file);
  }

  /** Opens for writing; makes folder (mode 0700), file and tables where there are none. Throws `store.*`. */
  static open(folder: string): Sqlite {
    const file = join(folder, FILE);
    return failing(file, () => {
      makeFolder(folder);
      const db = new DatabaseSync(file, { timeout: BUSY_MS });
      chmodSync(file, 0o600);
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;');
      migrate(db);
      return new Sqlite(file, db);
    });
  }

  /** Opens for looking, also while a collector writes. Throws `store.absent` where there is none. */
  static openReadOnly(folder: string): Sqlite {
    const file = join(folder, FILE);
    return failing(file, () => {
      if (!readable(file, () => isThere(file))) {
        throw new AgentError({
          code: 'store.absent',
          message: `there is no store of a collector at ${file}`,
          remedy: 'name the folder of a collector with --state, or start one: assayer collect <broker-url>',
        });
      }
      readable(file, () => requireReadable(file));
      const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
      requireVersion(versionOf(db), file);
      return new Sqlite(file, db);
    });
  }

  all(sql: string, values: readonly Value[] = []): readonly Row[] {
    return failing(this.#file, () => this.#statement(sql).all(...values));
  }

  write(writes: readonly Write[]): void {
    failing(this.#file, () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        for (const write of writes) this.#run(write);
        this.#db.exec('COMMIT');
      } catch (problem) {
        // SQLite has already rolled back by itself after some failures, a full disk among them.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw problem;
      }
    });
    this.requireThere();
  }

  requireThere(): void {
    if (failing(this.#file, () => this.#held.isThere)) return;
    throw storeError(
      'store.replaced',
      `the store ${this.#file}, or what SQLite keeps beside it, was removed or replaced while it is in use`,
      undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#db.isOpen) return;
    this.#db.close();
    this.#held.clear();
  }

  #run({ before, row, after, rows, isCompared }: Write): void {
    if (rows.length === 0) return;
    const statement = this.#statement(`${before}${row}${after}`);
    for (const values of rows) {
      const { changes } = statement.run(...values);
      if (isCompared && changes !== 1) throw new StoreConflict(`${values[0]} was changed`);
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

/** The folder, not the path to it: what stands there may be a disk that is not mounted. */
const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== 'EEXIST') throw problem;
  }
};

const migrate = (db: DatabaseSync): void => {
  db.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;');
  try {
    for (let version = versionOf(db); version < MIGRATIONS.length; version += 1) {
      db.exec(MIGRATIONS[version]?.(DIALECT) ?? '');
      db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('version', ?)").run(String(version + 1));
    }
    db.exec('COMMIT');
  } catch (problem) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw problem;
  }
  requireVersion(versionOf(db), db.location() ?? FILE);
};

const versionOf = (db: DatabaseSync): number =>
  integer(db.prepare("SELECT value FROM meta WHERE name = 'version'").get()?.value ?? 0);

const readable = <Result>(file: string, body: () => Result): Result => {
  try {
    return body();
  } catch (problem) {
    if (!isRefused(problem)) throw problem;
    throw storeError('store.unreadable', `the store ${file} may not be read by this user`, problem);
  }
};

const failing = <Result>(file: string, body: () => Result): Result => {
  try {
    return body();
  } catch (problem) {
    if (problem instanceof Error && /^no such (?:table|column)\b|^table \S+ has no column/.test(problem.message))
      throw storeError('store.tables', `${file}: ${problem.message}`, problem);
    const failure = storeFailure(problem, file);
    throw failure instanceof AgentError && failure !== problem
      ? storeError(failure.code, failure.message, problem)
      : failure;
  }
};
