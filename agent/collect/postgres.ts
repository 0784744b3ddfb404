import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import type { Client, ClientConfig } from 'pg';
import { StoreConflict } from '../../shared/index.ts';
import { AgentError } from '../platform/errors.ts';
import { type Database, integer, type Row, type Value, type Write } from './database.ts';
import { storeError } from './failure.ts';
import { type Dialect, MIGRATIONS } from './schema.ts';
import { requireVersion } from './version.ts';

const DIALECT: Dialect = { integer: 'BIGINT', bytes: 'BYTEA', strict: '' };
/** The number under which collectors wait for each other while one makes the tables. */
const MIGRATION_LOCK = 7_205_759;
/** A statement carries 65 535 values at most. */
const MOST_VALUES = 32_000;
const CONNECT_MS = 10_000;
const ANSWER_MS = 60_000;

/** Where the database is. A password is never part of a URL: `PGPASSWORD`, or what a file holds. */
export interface PostgresPlace {
  readonly url: string;
  readonly password?: string | undefined;
}

/** Tables in the schema `assayer` of a PostgreSQL database, which any number of collectors may share. */
export class Postgres implements Database {
  readonly #config: ClientConfig;
  readonly #where: string;
  readonly #readOnly: boolean;
  #client: Client | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(config: ClientConfig, where: string, readOnly: boolean) {
    this.#config = config;
    this.#where = where;
    this.#readOnly = readOnly;
  }

  /** Makes the tables where there are none. Throws `store.*`, and `usage.postgres` for a URL that cannot be used. */
  static async open(place: PostgresPlace): Promise<Postgres> {
    const database = new Postgres(...configOf(place), false);
    await database.#run((client) => migrate(client));
    return database;
  }

  /** Opens for looking. Throws `store.absent` where no collector has made its tables. */
  static async openReadOnly(place: PostgresPlace): Promise<Postgres> {
    const database = new Postgres(...configOf(place), true);
    await database.#run(async (client) => requireVersion(await versionOf(client, database.#where), database.#where));
    return database;
  }

  all(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#run(async (client) => (await client.query(numbered(sql), [...values])).rows);
  }

  write(writes: readonly Write[]): Promise<void> {
    return this.#run((client) =>
      transaction(client, async () => {
        for (const write of writes) await writeAll(client, write);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  /** One piece of work after the other: a connection has one transaction. After a failure the next one connects anew. */
  #run<Result>(body: (client: Client) => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(async () => {
      try {
        this.#client ??= await this.#connect();
        return await body(this.#client);
      } catch (problem) {
        if (!(problem instanceof StoreConflict)) this.#discard();
        throw failureOf(problem, this.#where);
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #connect(): Promise<Client> {
    // Loaded when it is used: most who run this program have no PostgreSQL.
    const { default: pg } = await import('pg');
    const client = new pg.Client(this.#config);
    // Without a listener a connection that ends while it is idle would end the process.
    client.on('error', () => this.#discard(client));
    try {
      await client.connect();
      // The server may be set to answer before it has written, and to look for tables elsewhere.
      await client.query(`SET synchronous_commit = on; SET search_path = assayer;${this.#readOnly ? READ_ONLY : ''}`);
      return client;
    } catch (problem) {
      void client.end().catch(() => {});
      throw problem;
    }
  }

  #discard(client = this.#client): void {
    if (client === undefined) return;
    if (this.#client === client) this.#client = undefined;
    void client.end().catch(() => {});
  }
}

const READ_ONLY = ' SET default_transaction_read_only = on;';

const transaction = async (client: Client, body: () => Promise<void>): Promise<void> => {
  await client.query('BEGIN');
  try {
    await body();
    await client.query('COMMIT');
  } catch (problem) {
    // Where the connection is gone, so is the transaction.
    await client.query('ROLLBACK').catch(() => {});
    throw problem;
  }
};

const writeAll = async (client: Client, { before, row, after, rows, isCompared }: Write): Promise<void> => {
  const most = Math.max(1, Math.floor(MOST_VALUES / Math.max(1, rows[0]?.length ?? 1)));
  for (let from = 0; from < rows.length; from += most) {
    const some = rows.slice(from, from + most);
    const sql = `${before}${some.map(() => row).join(', ')}${after}`;
    const { rowCount } = await client.query(numbered(sql), some.flat());
    if (isCompared && rowCount !== some.length) throw new StoreConflict('another collector changed a log');
  }
};

/** `?` as PostgreSQL writes it. No text of ours contains one. */
const numbered = (sql: string): string => {
  let count = 0;
  return sql.replace(/\?/g, () => `$${++count}`);
};

// ---- tables

const migrate = (client: Client): Promise<void> =>
  transaction(client, async () => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query('CREATE SCHEMA IF NOT EXISTS assayer');
    await client.query('CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
    const { rows } = await client.query("SELECT value FROM meta WHERE name = 'version'");
    const before = integer(rows[0]?.value ?? 0);
    for (const migration of MIGRATIONS.slice(before)) await client.query(migration(DIALECT));
    const version = Math.max(before, MIGRATIONS.length);
    await client.query(
      "INSERT INTO meta (name, value) VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [String(version)],
    );
    requireVersion(version, 'in PostgreSQL');
  });

const versionOf = async (client: Client, where: string): Promise<number> => {
  const { rows: tables } = await client.query("SELECT to_regclass('assayer.meta') AS name");
  if (tables[0]?.name === null) {
    throw new AgentError({
      code: 'store.absent',
      message: `no collector has made its tables in ${where}`,
      remedy: 'start one first: assayer collect <broker-url> --postgres <url>',
    });
  }
  const { rows } = await client.query("SELECT value FROM meta WHERE name = 'version'");
  return integer(rows[0]?.value ?? 0);
};

// ---- where it is

/** What a URL may say beyond the place; anything else could undo what is decided here. */
const PARAMETERS: ReadonlySet<string> = new Set(['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']);

const configOf = ({ url, password }: PostgresPlace): [config: ClientConfig, where: string] => {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) {
    throw usage('the value of --postgres is no URL of a PostgreSQL database');
  }
  if (parsed.password !== '') {
    throw usage('the URL of --postgres holds a password, which everybody on this machine can read');
  }
  const other = [...parsed.searchParams.keys()].find((name) => !PARAMETERS.has(name));
  if (other !== undefined) throw usage(`${JSON.stringify(other)} is not understood in the URL of --postgres`);
  const socket = parsed.searchParams.get('host');
  if (socket !== null && !socket.startsWith('/'))
    throw usage('host= in the URL of --postgres is no folder of a socket');
  const ssl = tlsOf(parsed, socket !== null || isLocal(parsed));
  for (const name of PARAMETERS) if (name !== 'host') parsed.searchParams.delete(name);
  const where = `PostgreSQL at ${parsed.host === '' ? (socket ?? 'the local socket') : parsed.host}${parsed.pathname}`;
  const config = {
    connectionString: parsed.href,
    ...(password === undefined ? {} : { password }),
    ssl,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    application_name: 'assayer collect',
  };
  return [config, where];
};

/** The certificate of the server is verified unless it is on this machine or the URL says `sslmode=disable`. */
const tlsOf = ({ searchParams }: URL, isHere: boolean): NonNullable<ClientConfig['ssl']> => {
  const mode = searchParams.get('sslmode') ?? (isHere ? 'disable' : 'verify-full');
  if (mode === 'disable') return false;
  if (mode !== 'verify-full') throw usage(`sslmode=${mode} does not say who the server has to be`);
  const read = (name: string, parameter: string) => {
    const file = searchParams.get(parameter);
    return file === null ? {} : { [name]: pem(file) };
  };
  return {
    rejectUnauthorized: true,
    ...read('ca', 'sslrootcert'),
    ...read('cert', 'sslcert'),
    ...read('key', 'sslkey'),
  };
};

const isLocal = ({ hostname }: URL): boolean => {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
};

const pem = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw usage(`cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
};

const usage = (message: string, cause?: unknown): AgentError =>
  new AgentError({
    code: 'usage.postgres',
    message,
    remedy:
      'postgresql://role@host:5432/database, the password in PGPASSWORD or --postgres-password-file, sslmode=verify-full with sslrootcert=<file> or sslmode=disable',
    cause,
  });

// ---- what went wrong

/** SQLSTATE (PostgreSQL, appendix A): whole classes by their first two characters. */
const BY_STATE: { readonly [state: string]: string } = {
  '08': 'store.unreachable',
  '57': 'store.unreachable',
  '53': 'store.unreachable',
  '53100': 'store.full',
  '58': 'store.io',
  '28': 'store.denied',
  '3D': 'store.denied',
  '42501': 'store.denied',
  '25006': 'store.read-only',
  XX: 'store.corrupt',
  // No such table, column or schema: somebody dropped or changed them.
  '3F': 'store.tables',
  '42': 'store.tables',
};

/** Two workers met in a way that only one of them survives: it looks again, as after any conflict. */
const MET: ReadonlySet<unknown> = new Set(['40001', '40P01']);

const failureOf = (problem: unknown, where: string): unknown => {
  if (!(problem instanceof Error) || problem instanceof AgentError || problem instanceof StoreConflict) return problem;
  const { code } = problem as { code?: unknown };
  if (MET.has(code)) return new StoreConflict(problem.message);
  const known = typeof code === 'string' ? (BY_STATE[code] ?? BY_STATE[code.slice(0, 2)]) : undefined;
  if (known !== undefined) return storeError(known, `${where}: ${problem.message}`, problem);
  if (/^SASL|password/i.test(problem.message))
    return storeError('store.denied', `${where}: ${problem.message}`, problem);
  return isOfConnection(problem) ? storeError('store.unreachable', `${where}: ${problem.message}`, problem) : problem;
};

/** What the library, the sockets and TLS below it say has no SQLSTATE. */
const isOfConnection = (problem: Error & { code?: unknown }): boolean =>
  typeof problem.code === 'string'
    ? /^(?:E[A-Z]+[A-Z0-9_]*|(?:UNABLE|CERT|DEPTH|SELF|ERR_TLS|ERR_SSL)_[A-Z0-9_]+)$/.test(problem.code)
    : problem.name === 'Error' && /connection|timeout|queryable|SSL/i.test(problem.message);
