import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const BINARIES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'];
const BINARY = BINARIES.find((path) => existsSync(path));

/** The program. */
export const MOSQUITTO = BINARY ?? 'mosquitto';

/** For `node:test`: why tests with a real broker cannot run here, with the command that changes it; false where they can. */
export const WITHOUT_MOSQUITTO: string | false =
  BINARY === undefined ? 'Mosquitto is missing: run scripts/install-test-packages.sh' : false;

/** A real broker on a loopback port, with a configuration of its own, ended by its process id. */
export class Mosquitto {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-broker-'));
  readonly port: number;
  readonly #lines: readonly string[];
  readonly #first: readonly string[];
  #process: ChildProcess | undefined;
  /** What the broker logged. */
  log = '';

  private constructor(port: number, lines: readonly string[], first: readonly string[]) {
    this.port = port;
    this.#lines = lines;
    this.#first = first;
  }

  /**
   * Starts one; `lines` are further lines of its configuration, behind its listener, `#` in them stands for its folder. What
   * has to stand before any listener is in `first`.
   */
  static async start(
    lines: readonly string[] = ['allow_anonymous true'],
    files: Files = {},
    first: readonly string[] = [],
  ): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), lines, first);
    for (const [name, text] of Object.entries(files)) broker.write(name, text);
    await broker.up();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Starts the process again after `kill`, on the same port. */
  async up(): Promise<void> {
    const text = [...this.#first, 'user root', `listener ${this.port} 127.0.0.1`, 'log_type all', ...this.#lines].join(
      '\n',
    );
    this.write('mosquitto.conf', `${text.replaceAll('#', this.folder)}\n`);
    const child = spawn(MOSQUITTO, ['-c', join(this.folder, 'mosquitto.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    child.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    await listening(
      this.port,
      () => child.exitCode ?? undefined,
      () => this.log,
    );
  }

  /** SIGHUP: reads its access list again. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  /** SIGKILL: what it had not written is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Files = { readonly [name: string]: string };

/** A port of the loopback that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

const listening = async (port: number, exitCode: () => number | undefined, log: () => string): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (exitCode() !== undefined) throw new Error(`mosquitto ended: ${log()}`);
    if (await answers(port)) return;
    await delay(25);
  }
  throw new Error(`mosquitto does not listen: ${log()}`);
};

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
