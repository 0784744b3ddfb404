import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RUNTIME_OPTIONS } from '../../scripts/runtime-options.ts';
import { until } from '../publish/observer.ts';
import { knownAnswers } from '../shared/vectors.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A collector in a folder of its own, as a process that is started and ended at will. */
export class CollectorProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-collect-'));
  state = join(this.folder, 'state');
  readonly keyFile = join(this.folder, 'gateway.jwk.json');
  out = '';
  err = '';
  #child: ChildProcess | undefined;
  /** Where in `err` the events of the process that runs begin. */
  #startedAt = 0;
  #ended: Promise<Ended> | undefined;

  constructor() {
    writeFileSync(this.keyFile, JSON.stringify(knownAnswers.jwk));
  }

  /** Starts it; `words` are further words of the command line. */
  start(url: string, words: readonly string[] = [], env: NodeJS.ProcessEnv = {}): void {
    const store = words.includes('--postgres') ? [] : ['--state', this.state];
    const all = ['collect', url, '--id', 'collector-a', '--trust', this.keyFile, ...store, ...words];
    // With the options that the binary brings along.
    const child = spawn(process.execPath, [...RUNTIME_OPTIONS, MAIN, ...all], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    this.#startedAt = this.err.length;
    child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.#ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  async kill(): Promise<Ended> {
    this.#child?.kill('SIGKILL');
    return this.ended();
  }

  /** Asks it to end, once it is there: before that nobody listens to the signal. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Ended> {
    await until('it is connected', () => this.err.includes('"collect.connected"', this.#startedAt));
    this.#child?.kill(signal);
    return this.ended();
  }

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  ended(): Promise<Ended> {
    return this.#ended ?? Promise.resolve({ code: null, signal: null });
  }

  /** Memory in use, kB. */
  rssKb(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }

  /** Names of the events it wrote. */
  events(): readonly string[] {
    return this.err
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).event);
  }

  /** The JSON lines it printed that belong to an event. */
  told(event: string): readonly { readonly [name: string]: unknown }[] {
    return this.out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .filter((line) => line.event === event);
  }

  /** Entries of a log in the SQLite store, in order. */
  stored(log: { readonly next: { readonly log: string } }): readonly Buffer[] {
    const db = new DatabaseSync(join(this.state, 'collector.db'), { readOnly: true, timeout: 5000 });
    try {
      const rows = db.prepare('SELECT seq, bytes FROM entry WHERE log = ? ORDER BY seq').all(log.next.log);
      return rows.map(({ bytes }) => Buffer.from(bytes as Uint8Array));
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
