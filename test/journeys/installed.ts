import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** How a verb of the binary ended, and what it printed. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The binary in a folder that holds nothing else, run with nothing in its environment. */
export class Installed implements Disposable {
  readonly folder: string;
  readonly #before: readonly string[];
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string, before: readonly string[]) {
    this.folder = folder;
    this.#before = before;
  }

  /** A copy of `file` alone. `under` is what runs it, for a file of another architecture. */
  static alone(file: string, under: readonly string[] = []): Installed {
    const folder = mkdtempSync(join(tmpdir(), 'assayer-binary-'));
    copyFileSync(file, join(folder, 'assayer'));
    return new Installed(folder, [...under, './assayer']);
  }

  /** A root folder of its own with `file` and the shared libraries it names: no shell, no accounts, no /proc. Needs root. */
  static inChroot(file: string): Installed {
    const folder = mkdtempSync(join(tmpdir(), 'assayer-root-'));
    copyFileSync(file, join(folder, 'assayer'));
    for (const library of librariesOf(file)) {
      mkdirSync(join(folder, dirname(library)), { recursive: true });
      copyFileSync(library, join(folder, library));
    }
    return new Installed(folder, ['/usr/sbin/chroot', folder, '/assayer']);
  }

  /** Runs a verb to its end. */
  run(...words: readonly string[]): Promise<Outcome> {
    const [program, args] = this.#command(words);
    return new Promise((resolve) => {
      const child = execFile(
        program,
        args,
        { ...this.#place, timeout: PATIENCE_MS, maxBuffer: 1 << 28 },
        (_, out, err) => resolve({ code: child.exitCode, out, err }),
      );
    });
  }

  /** Starts a verb that does not end by itself. Its events can be read from `stderr`. */
  start(...words: readonly string[]): ChildProcess {
    const [program, args] = this.#command(words);
    const child = spawn(program, args, { ...this.#place, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#children.push(child);
    return child;
  }

  /** Writes a file where the binary sees it under the same name. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  get #place() {
    return { cwd: this.folder, env: { PATH: '/usr/bin:/bin' } };
  }

  #command(words: readonly string[]): [string, string[]] {
    const [program = '', ...before] = this.#before;
    return [program, [...before, ...words]];
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const PATIENCE_MS = 60_000;

/** The files that the loader would load, and the loader. */
const librariesOf = (file: string): readonly string[] =>
  execFileSync('ldd', [file], { encoding: 'utf8' }).match(/\/\S+(?= \()/g) ?? [];
