import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../publish/mosquitto.ts';

const [INITDB] = globSync(['/usr/lib/postgresql/*/bin/initdb', '/usr/local/bin/initdb', '/opt/homebrew/bin/initdb']);

/** For `node:test`: why tests with a real PostgreSQL cannot run here, with the command that changes it; false where they can. */
export const WITHOUT_POSTGRES: string | false =
  INITDB === undefined ? 'PostgreSQL is missing: run scripts/install-test-packages.sh' : false;

/** PostgreSQL refuses to run as root: then it runs as whoever owns nothing. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

const STILL_IN_USE = 'is still in use';
const MOST_STARTS = 20;

/** A server in a folder of its own, on a loopback port, ended by its process id. */
export class PostgresServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-postgres-'));
  readonly port: number;
  #process: ChildProcess | undefined;
  #count = 0;
  log = '';

  readonly #words: readonly string[];

  private constructor(port: number, words: readonly string[]) {
    this.port = port;
    this.#words = words;
  }

  /** Starts one; with a certificate it speaks TLS, too. */
  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<PostgresServer> {
    const words =
      tls === undefined ? [] : ['-c', 'ssl=on', '-c', 'ssl_cert_file=tls.pem', '-c', 'ssl_key_file=tls.key'];
    const server = new PostgresServer(await freePort(), words);
    if (NOBODY !== undefined) chownSync(server.folder, NOBODY.uid, NOBODY.gid);
    const init = ['-D', join(server.folder, 'data'), '-U', 'collector', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
    execFileSync(INITDB ?? 'initdb', [...init, '--no-sync'], { ...NOBODY, cwd: server.folder, stdio: 'pipe' });
    if (tls !== undefined) {
      server.#take(tls.cert, 'tls.pem');
      server.#take(tls.key, 'tls.key');
    }
    await server.up();
    return server;
  }

  /** Starts the process again after `kill`, with what it had written. */
  async up(starts = 1): Promise<void> {
    const words = ['-D', join(this.folder, 'data'), '-k', this.folder, '-p', String(this.port)];
    const child = spawn(
      join(dirname(INITDB ?? ''), 'postgres'),
      [...words, ...this.#words, '-c', 'listen_addresses=127.0.0.1'],
      {
        ...NOBODY,
        cwd: this.folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#process = child;
    child.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    for (let tries = 0; tries < 400; tries += 1) {
      // The last children of the one that was killed may not have noticed yet; while they live it does not start.
      if (child.exitCode !== null && this.log.includes(STILL_IN_USE) && starts < MOST_STARTS) {
        this.log = '';
        await delay(250);
        return await this.up(starts + 1);
      }
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended: ${this.log}`);
      try {
        await this.query('postgres', 'SELECT 1');
        return;
      } catch {
        await delay(25);
      }
    }
    throw new Error(`PostgreSQL does not answer: ${this.log}`);
  }

  /** SIGKILL: what was not durable is gone. Its children end with it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** An empty database; gives its URL. */
  async database(): Promise<string> {
    this.#count += 1;
    await this.query('postgres', `CREATE DATABASE fleet_${this.#count}`);
    return this.urlOf(`fleet_${this.#count}`);
  }

  urlOf(database: string): string {
    return `postgresql://collector@127.0.0.1:${this.port}/${database}`;
  }

  async query(database: string, sql: string): Promise<readonly { readonly [column: string]: unknown }[]> {
    const client = new pg.Client({ connectionString: this.urlOf(database) });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A file of its own, which nobody else can read. */
  #take(file: string, name: string): void {
    const own = join(this.folder, 'data', name);
    copyFileSync(file, own);
    chmodSync(own, 0o600);
    if (NOBODY !== undefined) chownSync(own, NOBODY.uid, NOBODY.gid);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
