import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '../publish/observer.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'docs', 'examples');
/** The packages are Debian's, so the interpreter has to be, too. */
const PYTHON = '/usr/bin/python3';

const hasPython = (): boolean =>
  existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import paho.mqtt.client, cryptography']).status === 0;

/** One example of the page "Write a collector". */
export interface Example {
  readonly language: string;
  readonly file: string;
  readonly command: readonly string[];
  /** Further words: what one of them does and the other does not. */
  readonly words: readonly string[];
  /** Why it cannot run here, false where it can. */
  readonly skip: string | false;
}

export const EXAMPLE_PROGRAMS: readonly Example[] = [
  {
    language: 'TypeScript',
    file: join(EXAMPLES, 'collector.ts'),
    command: [process.execPath],
    words: ['--mqtt5'],
    skip: false,
  },
  {
    language: 'Python',
    file: join(EXAMPLES, 'collector.py'),
    // No compiled files beside the example.
    command: [PYTHON, '-B'],
    words: [],
    skip: hasPython()
      ? false
      : 'python3-paho-mqtt or python3-cryptography is missing: run scripts/install-test-packages.sh',
  },
];

/** What an example printed. */
export interface Line {
  readonly event: string;
  readonly [member: string]: unknown;
}

/** An example in a folder of its own, as a process that is started and ended at will. */
export class ExampleProcess implements AsyncDisposable {
  readonly lines: Line[] = [];
  err = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'assayer-example-'));
  readonly #example: Example;
  #words: readonly string[];
  #child: ChildProcess | undefined;

  constructor(example: Example, words: readonly string[]) {
    this.#example = example;
    this.#words = words;
  }

  start(): void {
    const { command, file } = this.#example;
    const [program = '', ...before] = command;
    const words = [...before, file, ...this.#example.words, ...this.#words, '--store', this.#store];
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as Line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  /** Ends it, and goes on with other words. */
  async restart(words: readonly string[]): Promise<void> {
    await this.end();
    this.#words = words;
    this.start();
  }

  of(event: string): readonly Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Codes of its alarms, each once, in the order of their first. */
  alarms(): readonly unknown[] {
    return [...new Set(this.of('alarm').map(({ code }) => code))];
  }

  async says(what: string, isSaid: () => boolean, withinMs = 30_000): Promise<void> {
    await until(what, isSaid, withinMs).catch((late: Error) => {
      const lines = this.lines.slice(-10).map((line) => JSON.stringify(line));
      throw new Error(`${late.message}\n${lines.join('\n')}\n${this.err.slice(-2000)}`);
    });
  }

  /** The entries in its store, in order. */
  stored(): readonly { readonly seq: number; readonly text: string; readonly status: string }[] {
    using db = new DatabaseSync(this.#store, { readOnly: true, timeout: 5_000 });
    return db
      .prepare('select seq, bytes, status from entry order by log, seq')
      .all()
      .map(({ seq, bytes, status }) => ({
        seq: Number(seq),
        text: Buffer.from(bytes as Uint8Array).toString(),
        status: String(status),
      }));
  }

  /** The messages that it kept as evidence, with their codes. */
  evidence(): readonly { readonly code: string; readonly text: string }[] {
    using db = new DatabaseSync(this.#store, { readOnly: true, timeout: 5_000 });
    const rows = db.prepare('select code, bytes from alarm order by rowid').all();
    return rows.map(({ code, bytes }) => ({
      code: String(code),
      text: Buffer.from(bytes as Uint8Array).toString('latin1'),
    }));
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'close');
    }
    return child.exitCode;
  }

  get #store(): string {
    return join(this.#folder, 'entries.db');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
