import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Lines of stderr that are kept, to be shown where a process ends by itself. */
const LAST_WORDS = 16;
const PATIENCE_MS = 10_000;

/** A process of the demo: started, listened to, ended by its id. */
export class Child {
  readonly name: string;
  readonly lastWords: string[] = [];
  /** Resolves with the way it ended. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, script: string, words: readonly string[] = []) {
    this.name = name;
    // A process group of its own: a Ctrl-C at the terminal goes to the demo alone, which then ends the others in order.
    this.#process = spawn(process.execPath, [script, ...words], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.#process.stdin?.on('error', () => {});
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('a child with pipes has pipes');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    createInterface({ input: stderr }).on('line', (line) => {
      this.lastWords.push(line);
      if (this.lastWords.length > LAST_WORDS) this.lastWords.shift();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The next line of its stdout; undefined once it has ended. */
  async nextLine(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null && this.#process.pid !== undefined;
  }

  /** SIGTERM, and SIGKILL for one that does not go. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), PATIENCE_MS);
    await gone;
    clearTimeout(late);
  }

  kill(): void {
    if (this.isRunning) this.#process.kill('SIGKILL');
  }
}
