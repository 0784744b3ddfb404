import { type Alias, type Document, isScalar, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml';
import type { ConfigProblem } from './problems.ts';

/** The text of a configuration or a driver as YAML: its value, and its nodes for the lines on which they stand. */
export type ReadDocument =
  | { readonly kind: 'read'; readonly value: unknown; readonly document: Document; readonly lines: LineCounter }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** The text of a file, without a byte order mark; undefined where it is no UTF-8. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** What is wrong with a file that is no text. */
export const NO_TEXT: ConfigProblem = {
  line: 1,
  path: '',
  message: 'it is no UTF-8 text',
  remedy: 'save the file as UTF-8',
};

/** Parses the text. Whatever the YAML library fails with, also late, is a problem of the text. */
export const parseYaml = (text: string): ReadDocument => {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
    const problems = [
      ...document.errors.map((error) =>
        error.code === 'DUPLICATE_KEY' ? twiceProblem(error, text) : syntaxProblem(error),
      ),
      ...aliasesWithoutAnchor(document, lines),
      ...keysThatVanish(document, lines),
    ];
    if (problems.length > 0) return { kind: 'bad', problems };
    return evaluated(document, lines);
  } catch (error) {
    // Nesting beyond what the library can follow.
    return { kind: 'bad', problems: [syntaxProblem(error as Error)] };
  }
};

/** The library finds only here that aliases multiply beyond its bound or that a merge key merges no mapping. */
const evaluated = (document: Document, lines: LineCounter): ReadDocument => {
  try {
    return { kind: 'read', value: document.toJS(), document, lines };
  } catch (error) {
    const [first] = aliasesOf(document);
    return {
      kind: 'bad',
      problems: [
        {
          line: first === undefined ? 1 : lineOf(first, lines),
          path: '',
          message: `not valid YAML: ${firstLine(error as Error)}`,
          remedy: 'write the value out wherever an alias (*name) or a merge key (<<) stands for it',
        },
      ],
    };
  }
};

const aliasesWithoutAnchor = (document: Document, lines: LineCounter): readonly ConfigProblem[] =>
  aliasesOf(document)
    .filter((alias) => alias.resolve(document) === undefined)
    .map((alias) => ({
      line: lineOf(alias, lines),
      path: '',
      message: `not valid YAML: *${alias.source} is an alias, and nothing has the anchor &${alias.source}`,
      remedy: `a text that begins with * is written in quotes: "*${alias.source}"`,
    }));

/** A schema would pass over such a key in silence. */
const keysThatVanish = (document: Document, lines: LineCounter): readonly ConfigProblem[] => {
  const found: ConfigProblem[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value !== '__proto__') return;
      const line = key.range ? lines.linePos(key.range[0]).line : 1;
      found.push({ line, path: '', message: 'no setting can have the name "__proto__"', remedy: 'remove it' });
    },
  });
  return found;
};

const aliasesOf = (document: Document): readonly Alias[] => {
  const found: Alias[] = [];
  visit(document, { Alias: (_, alias) => void found.push(alias) });
  return found;
};

const lineOf = ({ range }: Alias, lines: LineCounter): number => (range ? lines.linePos(range[0]).line : 1);

const syntaxProblem = (
  error: Error & { readonly linePos?: readonly { readonly line: number }[] | undefined },
): ConfigProblem => ({
  line: error.linePos?.[0]?.line ?? 1,
  path: '',
  message: `not valid YAML: ${firstLine(error)}`,
  remedy: 'check indentation, quotes and colons on this line',
});

/** The library says where the key stands the second time, and not which it is. */
const twiceProblem = ({ pos: [start], linePos }: YAMLParseError, text: string): ConfigProblem => {
  const key = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,}]+)/.exec(text.slice(start))?.[0] ?? '';
  return {
    line: linePos?.[0].line ?? 1,
    path: '',
    message: `${key} is there twice, and only one of them could count`,
    remedy: 'remove one of them, or put what stands below both under one',
  };
};

const firstLine = ({ message }: Error): string => message.split('\n')[0] ?? '';
