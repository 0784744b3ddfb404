import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';

export const MAIN = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');

/** What a person got to see, and the exit code. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Circumstances {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: { readonly [name: string]: string };
  /** Number of the user and group who runs it, where it is not the one who runs the test: root can do that. */
  readonly as?: number | undefined;
  /** Gets the process while it runs. */
  readonly meanwhile?: (child: ChildProcess, soFar: () => Said) => void;
}

/** Longest time a verb may take here, ms. */
const PATIENCE_MS = 30_000;

/** Runs `assayer` as a person does. */
export const assayer = (words: readonly string[], circumstances: Circumstances = {}): Promise<Said> =>
  new Promise((resolve, reject) => {
    const { cwd, input = '', env = {}, as, meanwhile } = circumstances;
    const user = as === undefined ? {} : { uid: as, gid: as };
    // What another user covers he may not write where the others do.
    const uncovered = as === undefined ? {} : { NODE_V8_COVERAGE: '' };
    const child = spawn(process.execPath, [MAIN, ...words], {
      cwd,
      env: { ...process.env, ...uncovered, ...env },
      ...user,
    });
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`assayer ${words.join(' ')} did not end; it said ${out}${err}`));
    }, PATIENCE_MS);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (code) => {
      clearTimeout(late);
      resolve({ code, out, err });
    });
    meanwhile?.(child, () => ({ code: child.exitCode, out, err }));
  });

/** The lines of a text, without its last end. */
export const lines = (text: string): readonly string[] => text.replace(/\n$/, '').split('\n');

/** A folder of its own that ends with the test. */
export const folder = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-cli-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

/** A configuration file in `dir`, from settings; gives its path. */
export const configured = (dir: string, settings: object): string => {
  const file = join(dir, 'assayer.yaml');
  const all = {
    gateway: 'tx1-gw3',
    operator: 'example.org',
    state_dir: dir,
    devices: [{ host: '127.0.0.1' }],
    ...settings,
  };
  writeFileSync(file, stringify(all));
  return file;
};

/** Nothing that could move a cursor or colour a terminal. */
export const assertHarmless = ({ out, err }: Said): void => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
  assert.doesNotMatch(out + err, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
};
