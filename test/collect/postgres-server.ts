import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
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

/** A server in a folder of its own, on a loopback port, ended by its process id. */
export class PostgresServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-postgres-'));
  readonly port: number;
  #process: ChildProcess | undefined;
  #count = 0;
  log = '';

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort());
    if (NOBODY !== undefined) chownSync(server.folder, NOBODY.uid, NOBODY.gid);
    const words = ['-D', join(server.folder, 'data'), '-U', 'collector', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
    execFileSync(INITDB ?? 'initdb', [...words, '--no-sync'], { ...NOBODY, cwd: server.folder, stdio: 'pipe' });
    await server.up();
    return server;
  }

  /** Starts the process again after `kill`, with what it had written. */
  async up(): Promise<void> {
    const words = ['-D', join(this.folder, 'data'), '-k', this.folder, '-p', String(this.port)];
    const child = spawn(join(dirname(INITDB ?? ''), 'postgres'), [...words, '-c', 'listen_addresses=127.0.0.1'], {
      ...NOBODY,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    child.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    for (let tries = 0; tries < 400; tries += 1) {
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

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
