import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { NO_TEXT, parseYaml, textOf } from '../config/document.ts';
import { type ConfigProblem, describeProblem, problemAt, schemaProblems } from '../config/problems.ts';
import type { Driver } from '../drivers/driver.ts';
import { AgentError } from '../platform/errors.ts';
import { compileDriver } from './compile.ts';
import { driverSchema } from './schema.ts';

/** A driver file that was read and found good. */
export interface DriverFile {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What it says, with nothing filled in. */
  readonly written: unknown;
  readonly driver: Driver;
}

/** Larger than any driver, bytes: what is larger was not written by a person. */
const LARGEST = 262_144;

type Read =
  | { readonly kind: 'good'; readonly read: DriverFile }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** Reads driver files beside the built-in drivers. Whatever is wrong with one is a problem with its file and line. */
export const readDriverFiles = (
  files: readonly string[],
  builtIn: readonly Driver[],
): { readonly files: readonly DriverFile[]; readonly problems: readonly ConfigProblem[] } => {
  const good: DriverFile[] = [];
  const problems: ConfigProblem[] = [];
  for (const file of files) {
    const one = readDriverFile(resolve(file), builtIn);
    if (one.kind === 'bad') problems.push(...one.problems);
    else if (good.some(({ driver }) => driver.family === one.read.driver.family)) problems.push(twice(one.read));
    else good.push(one.read);
  }
  return { files: good, problems };
};

/** The same for the command line. Throws `driver.invalid` (message: one line per problem). */
export const requireDriverFiles = (files: readonly string[], builtIn: readonly Driver[]): readonly DriverFile[] => {
  const { files: good, problems } = readDriverFiles(files, builtIn);
  if (problems.length === 0) return good;
  throw new AgentError({
    code: 'driver.invalid',
    message: problems.map((problem) => describeProblem('', problem)).join('\n'),
    remedy: 'correct the driver file; docs/write-a-driver.md says what may stand in it',
  });
};

/** Checks the text of a driver file. */
export const parseDriver = (
  text: string,
  builtIn: readonly Driver[],
):
  | { readonly kind: 'good'; readonly driver: Driver; readonly written: unknown }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] } => {
  const read = parseYaml(text);
  if (read.kind === 'bad') return read;
  const schema = driverSchema();
  const checked = schema.safeParse(read.value);
  if (!checked.success) {
    const described = { ...read, schema, page: 'docs/write-a-driver.md' };
    return { kind: 'bad', problems: schemaProblems(checked.error.issues, described) };
  }
  const driver = compileDriver(checked.data, builtIn);
  return 'family' in driver
    ? { kind: 'good', driver, written: read.value }
    : { kind: 'bad', problems: driver.map((flaw) => problemAt(read, flaw)) };
};

const readDriverFile = (file: string, builtIn: readonly Driver[]): Read => {
  const bytes = bytesOf(file);
  if ('remedy' in bytes) return { kind: 'bad', problems: [bytes] };
  const text = textOf(bytes);
  if (text === undefined) return { kind: 'bad', problems: [{ ...NO_TEXT, file }] };
  const parsed = parseDriver(text, builtIn);
  return parsed.kind === 'good'
    ? { kind: 'good', read: { file, bytes, written: parsed.written, driver: parsed.driver } }
    : { kind: 'bad', problems: parsed.problems.map((problem) => ({ file, ...problem })) };
};

const bytesOf = (file: string): Uint8Array | ConfigProblem => {
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    const stats = statSync(file);
    if (!stats.isFile()) return problemOf(file, 'it is no regular file', 'name a driver file');
    if (stats.size > LARGEST)
      return problemOf(
        file,
        `it is larger than ${LARGEST} bytes`,
        'name a driver file; docs/write-a-driver.md has one',
      );
    return readFileSync(file);
  } catch (cause) {
    return problemOf(
      file,
      `cannot read it: ${(cause as NodeJS.ErrnoException).code}`,
      'name a driver file that can be read',
    );
  }
};

const problemOf = (file: string, message: string, remedy: string): ConfigProblem => ({
  file,
  line: 1,
  path: '',
  message,
  remedy,
});

const twice = ({ file, driver }: DriverFile): ConfigProblem => ({
  file,
  line: 1,
  path: 'family',
  message: `another driver file has the family "${driver.family}" already`,
  remedy: 'name one of the two files only, or give the family another id',
});
