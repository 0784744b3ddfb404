import { closest } from 'fastest-levenshtein';
import { type Document, isMap, isNode, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { instructionFor } from './instruction.ts';
import { knownKeys, meaningOf, schemaAt } from './schema-parts.ts';

/** One thing wrong with a file that an operator wrote: where, what, and what to do about it. */
export interface ConfigProblem {
  /** Where it is not the file that was checked, but one that it names. */
  readonly file?: string;
  readonly line: number;
  /** Dotted path of the setting; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

/** A file whose settings a schema describes. */
export interface Described {
  readonly schema: z.ZodType;
  readonly document: Document;
  readonly lines: LineCounter;
  /** The page that says what its settings mean. */
  readonly page: string;
}

/** `file:line: path: message (remedy)`. */
export const describeProblem = (file: string, { file: named, line, path, message, remedy }: ConfigProblem): string =>
  `${named ?? file}:${line}: ${path === '' ? '' : `${path}: `}${message} (${remedy})`;

/** A problem of the setting at a path. */
export const problemAt = (
  { document, lines }: Pick<Described, 'document' | 'lines'>,
  {
    path,
    message,
    remedy,
  }: { readonly path: readonly PropertyKey[]; readonly message: string; readonly remedy: string },
): ConfigProblem => ({ line: lineOfPath(document, lines, path), path: dotted(path), message, remedy });

/** What a schema found wrong with the value of a file: each with its line, the nearest setting there is, or what it means. */
export const schemaProblems = (issues: readonly Issue[], described: Described): readonly ConfigProblem[] =>
  leavesOf(issues).flatMap((issue) => problems(issue, described));

/** What a schema finds wrong with a value. */
export type Issue = z.core.$ZodIssue;

/** The same, of an entry that may take several forms what is wrong with the one that was meant. */
export const leavesOf = (issues: readonly Issue[]): readonly Issue[] =>
  issues.flatMap((issue) =>
    issue.code === 'invalid_union' && issue.discriminator === undefined
      ? leavesOf(branchOf(issue).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })))
      : [issue],
  );

const problems = (issue: Issue, described: Described): readonly ConfigProblem[] => {
  const { schema } = described;
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schemaAt(schema, path));
    return issue.keys.map((key) =>
      problemAt(described, {
        path: [...path, key],
        ...(known.includes(key) ? ofAnotherForm(key) : stranger(key, known)),
      }),
    );
  }
  if (issue.code === 'invalid_union') return [noSuchForm(issue, described)];
  const meaning = meaningOf(schemaAt(schema, path));
  if (isMissing(issue, described)) {
    return [
      problemAt(described, { path, message: `missing: ${meaning ?? described.page}`, remedy: 'give it a value' }),
    ];
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [problemAt(described, { path, message, remedy: remedyOf(issue, described) })];
};

/** What to write in place of what the schema refuses, and what the setting means, or the part of the file that it belongs to. */
const remedyOf = (issue: Issue, { schema, document, page }: Described): string => {
  const { path } = issue;
  const instruction = instructionFor(issue, schemaAt(schema, path), document.getIn(path));
  return `${instruction}${explained(schema, path) ?? `see ${page}`}`;
};

const explained = (schema: z.ZodType, path: readonly PropertyKey[]): string | undefined => {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const part = path.slice(0, depth);
    const meaning = meaningOf(schemaAt(schema, part));
    if (meaning !== undefined) return depth === path.length ? meaning : `${dotted(part)}: ${meaning}`;
  }
  return undefined;
};

/** Where a member says which of several forms an entry has, and names none of them, or is missing. */
const noSuchForm = (issue: Extract<Issue, { code: 'invalid_union' }>, described: Described): ConfigProblem => {
  const forms = (issue as { readonly options?: readonly unknown[] }).options?.map(String) ?? [];
  const found = described.document.getIn(issue.path);
  const nearest = typeof found === 'string' && forms.length > 0 ? `did you mean "${closest(found, forms)}"? ` : '';
  return problemAt(described, {
    path: issue.path,
    message: found === undefined ? 'missing: it says what the rest of the entry means' : 'no such form',
    remedy: `${nearest}one of ${forms.join(', ')}`,
  });
};

/** A setting that is not there, or has nothing behind its colon. */
const isMissing = ({ code, path, message }: Issue, { document }: Described): boolean => {
  if (path.length === 0) return false;
  return code === 'invalid_value'
    ? !document.hasIn(path)
    : code === 'invalid_type' && /received (undefined|null)$/.test(message);
};

/** Of the forms an entry may take, the one whose own key it has; else the form it misses least. */
const branchOf = (issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] => {
  const strangers = (branch: readonly Issue[]): number => branch.reduce((sum, inner) => sum + weightOf(inner), 0);
  return [...issue.errors].sort((a, b) => strangers(a) - strangers(b))[0] ?? [];
};

/** A form of another type altogether is no form that was meant. */
const weightOf = (issue: Issue): number =>
  issue.code === 'unrecognized_keys' ? issue.keys.length : issue.path.length === 0 ? 100 : 1;

const stranger = (key: string, known: readonly string[]) => ({
  message: `unknown setting "${key}"`,
  remedy: known.length === 0 ? 'remove it' : `did you mean "${closest(key, known)}"? known here: ${known.join(', ')}`,
});

/** Where an entry takes one of several forms: a setting of another one than the rest. */
const ofAnotherForm = (key: string) => ({
  message: `"${key}" does not go with the other settings of this entry`,
  remedy: 'remove it, or give it an entry of its own',
});

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
