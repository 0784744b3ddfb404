import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';

export type Protocol = 'auto' | '5' | '3.1.1';

/** What a side of the run consists of. */
export interface Ours {
  /** Where configuration and logs go; its state is on the disk. */
  readonly folder: string;
  /** The words that start assayer, without its arguments. */
  readonly program: readonly string[];
  readonly url: string;
  readonly protocol: Protocol;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** How a process ended that nobody had asked to. */
export interface OwnEnd {
  readonly name: string;
  readonly how: string;
  /** The last line it wrote. */
  readonly last: string;
  /** Why that was to be expected, if it was. */
  readonly excuse?: string;
}

export interface ServiceOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly clock: Clock;
  /** Its stderr, and what it prints where nobody listens, are kept here. */
  readonly logFile: string;
  /** Every line that it prints. */
  readonly hear?: (line: string) => void;
  /** What makes it understandable that it ended by itself, at the moment when it did. */
  readonly excuse?: () => string | undefined;
  readonly tell: (end: OwnEnd) => void;
}

/** A service manager starts what ended again after this. */
const RESTART_MS = 1_000;
const PATIENCE_MS = 20_000;

/** A process that is started, killed and ended by its id, and started again where it ended by itself: what a service manager does. */
export class Service {
  readonly #options: ServiceOptions;
  #child: ChildProcess | undefined;
  #gone: Promise<string> = Promise.resolve('never started');
  #isWanted = false;
  #restart: NodeJS.Timeout | undefined;
  #last = '';

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isWanted && this.#isRunning) throw new Error(`${this.#options.name} is started while it runs`);
    this.#isWanted = true;
    const { command, clock, logFile, hear } = this.#options;
    const [program = '', ...words] = command;
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...clock.env } });
    this.#child = child;
    const note = (line: string): void => appendFileSync(logFile, `${line}\n`);
    createInterface({ input: child.stdout }).on('line', hear ?? note);
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#last = line;
      note(line);
    });
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      // `close` comes after everything that it wrote was read.
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.#gone.then((how) => {
      if (child.pid !== undefined) clock.forget(child.pid);
      if (this.#isWanted && this.#child === child) this.#endedByItself(how);
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#dismiss()?.kill('SIGKILL');
    await this.#gone;
  }

  /** SIGTERM, and SIGKILL for one that does not go. Gives how it ended. */
  async stop(): Promise<string> {
    const child = this.#dismiss();
    child?.kill('SIGTERM');
    const late = setTimeout(() => child?.kill('SIGKILL'), PATIENCE_MS);
    const how = await this.#gone;
    clearTimeout(late);
    return how;
  }

  get #isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  #dismiss(): ChildProcess | undefined {
    this.#isWanted = false;
    clearTimeout(this.#restart);
    return this.#child;
  }

  #endedByItself(how: string): void {
    const { name, excuse, tell } = this.#options;
    const reason = excuse?.();
    tell({ name, how, last: this.#last, ...(reason === undefined ? {} : { excuse: reason }) });
    this.#restart = setTimeout(() => this.start(), RESTART_MS);
  }
}
