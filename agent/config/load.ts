import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { type Document, isMap, isNode, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { AgentError } from '../platform/errors.ts';
import { parseYaml } from './document.ts';
import { type Contradiction, checkMeaning } from './meaning.ts';
import { type Config, configSchema } from './schema.ts';

/** One thing wrong with a configuration file: where, what, and what to do about it. */
export interface ConfigProblem {
  readonly line: number;
  /** Dotted path of the setting; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

/** A file that was read and found good, with the digest input the `session` statements need. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Reads and checks a configuration file. Throws `config.unreadable` or `config.invalid` (message: one line per problem). */
export const loadConfig = (file: string): LoadedConfig => {
  const path = resolve(file);
  const bytes = readFile(path);
  const parsed = parseConfig(new TextDecoder().decode(bytes), dirname(path));
  if (parsed.kind === 'good') return { config: parsed.config, file: path, bytes };
  throw new AgentError({
    code: 'config.invalid',
    message: parsed.problems.map((problem) => describeProblem(path, problem)).join('\n'),
    remedy: `correct the file, then run: assayer check-config -c ${path}`,
  });
};

/** `file:line: path: message (remedy)`. */
export const describeProblem = (file: string, { line, path, message, remedy }: ConfigProblem): string =>
  `${file}:${line}: ${path === '' ? '' : `${path}: `}${message} (${remedy})`;

const readFile = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AgentError({
      code: 'config.unreadable',
      message: `cannot read the configuration ${path}: ${(cause as Error).message}`,
      remedy: 'name an existing file with -c, or make one: assayer init',
      cause,
    });
  }
};

type Parsed =
  | { readonly kind: 'good'; readonly config: Config }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/**
 * Checks the text of a configuration. Paths in it are relative to `folder`. Finds every problem it can: syntax first,
 * then unknown and wrong settings, then settings that contradict each other, then what `also` looks at.
 */
export const parseConfig = (
  text: string,
  folder: string,
  also: (config: Config) => readonly Contradiction[] = () => [],
): Parsed => {
  const read = parseYaml(text);
  if (read.kind === 'bad') return read;
  const { document, lines } = read;
  const checked = configSchema.safeParse(read.value);
  const lineOf = (path: readonly PropertyKey[]): number => lineOfPath(document, lines, path);
  if (!checked.success)
    return { kind: 'bad', problems: checked.error.issues.flatMap((issue) => problems(issue, lineOf)) };
  const config = withAbsolutePaths(checked.data, folder);
  const contradictions = [...checkMeaning(config), ...also(config)].map(({ path, message, remedy }) => ({
    line: lineOf(path),
    path: dotted(path),
    message,
    remedy,
  }));
  return contradictions.length === 0 ? { kind: 'good', config } : { kind: 'bad', problems: contradictions };
};

type Issue = z.core.$ZodIssue;

const problems = (issue: Issue, lineOf: (path: readonly PropertyKey[]) => number): readonly ConfigProblem[] => {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: lineOf([...issue.path, key]),
      path: dotted([...issue.path, key]),
      message: `unknown setting "${key}"`,
      remedy: nearest(key, issue.path),
    }));
  }
  if (issue.code === 'invalid_union') {
    return branchOf(issue).flatMap((inner) => problems({ ...inner, path: [...issue.path, ...inner.path] }, lineOf));
  }
  const at = { line: lineOf(issue.path), path: dotted(issue.path) };
  if (isMissing(issue)) {
    return [{ ...at, message: `missing: ${meaningOf(issue.path)}`, remedy: 'give it a value' }];
  }
  return [{ ...at, message: issue.message, remedy: meaningOf(issue.path) }];
};

/** A setting that is not there, or has nothing behind its colon. */
const isMissing = ({ code, path, message }: Issue): boolean =>
  code === 'invalid_type' && path.length > 0 && /received (undefined|null)$/.test(message);

/** Of the forms an entry may take, the one whose own key it has; else the form it misses least. */
const branchOf = (issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] => {
  const strangers = (branch: readonly Issue[]): number =>
    branch.reduce((sum, inner) => sum + (inner.code === 'unrecognized_keys' ? inner.keys.length : 1), 0);
  return [...issue.errors].sort((a, b) => strangers(a) - strangers(b))[0] ?? [];
};

const nearest = (key: string, path: readonly PropertyKey[]): string => {
  const known = knownKeys(schemaAt(path));
  return known.length === 0 ? 'remove it' : `did you mean "${closest(key, known)}"? known here: ${known.join(', ')}`;
};

const meaningOf = (path: readonly PropertyKey[]): string =>
  schemaAt(path)?.meta()?.description ?? 'see docs/configuration.md';

/** The schema behind a path of the file, through defaults, lists, records and the forms of an entry. */
const schemaAt = (path: readonly PropertyKey[]): z.ZodType | undefined =>
  path.reduce<z.ZodType | undefined>(
    (schema, key) => (schema === undefined ? undefined : step(schema, key)),
    configSchema,
  );

const step = (schema: z.ZodType, key: PropertyKey): z.ZodType | undefined => {
  const definition = unwrapped(schema).def as SchemaDefinition;
  if (definition.type === 'object') return definition.shape?.[String(key)];
  if (definition.type === 'array') return definition.element;
  if (definition.type === 'record') return definition.valueType;
  if (definition.type === 'union')
    return definition.options?.map((option) => step(option, key)).find((inner) => inner !== undefined);
  return undefined;
};

/** The members of a zod 4 definition that this file reads; zod documents `def` as the way to look inside a schema. */
interface SchemaDefinition {
  readonly type: string;
  readonly shape?: { readonly [key: string]: z.ZodType };
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

const unwrapped = (schema: z.ZodType): z.ZodType => {
  const inner = (schema.def as SchemaDefinition).innerType;
  return inner === undefined ? schema : unwrapped(inner);
};

const knownKeys = (schema: z.ZodType | undefined): readonly string[] => {
  if (schema === undefined) return [];
  const definition = unwrapped(schema).def as SchemaDefinition;
  if (definition.type === 'union') return [...new Set(definition.options?.flatMap((option) => knownKeys(option)))];
  return Object.keys(definition.shape ?? {});
};

const dotted = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');

/** The line of the deepest part of the path that the file has; a key counts, not its value. */
const lineOfPath = (document: Document, lines: LineCounter, path: readonly PropertyKey[]): number => {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = document.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1];
    const offset = isMap(parent)
      ? parent.items.map((item) => item.key).find((node) => isNode(node) && String(node) === String(key))
      : document.getIn(path.slice(0, depth), true);
    if (isNode(offset) && offset.range) return lines.linePos(offset.range[0]).line;
  }
  return 1;
};

const FILE_SETTINGS = ['ca', 'cert', 'key', 'password_file'] as const;

const withAbsolutePaths = (config: Config, folder: string): Config => {
  const absolute = <T extends object>(part: T): T => ({
    ...part,
    ...Object.fromEntries(
      FILE_SETTINGS.flatMap((name) => {
        const value = (part as { readonly [name: string]: unknown })[name];
        return typeof value === 'string' ? [[name, resolve(folder, value)]] : [];
      }),
    ),
  });
  return {
    ...config,
    state_dir: resolve(folder, config.state_dir),
    ...(config.mqtt === undefined ? {} : { mqtt: absolute(config.mqtt) }),
    credentials: Object.fromEntries(Object.entries(config.credentials).map(([name, value]) => [name, absolute(value)])),
  };
};
