import { closest } from 'fastest-levenshtein';
import type { z } from 'zod';
import type { Issue } from './problems.ts';
import { knownKeys, unwrapped } from './schema-parts.ts';

/**
 * What to write in place of what a schema refuses, up to the words that say what the setting means; empty where nothing is known
 * but that. A wrong spelling has the right one in its problem. `found` is not repeated: it may be a secret in a wrong place.
 */
export const instructionFor = (issue: Issue, schema: z.ZodType | undefined, found: unknown): string => {
  switch (issue.code) {
    case 'invalid_value':
      return wordOf(issue.values.map(String), found);
    case 'invalid_type':
      return `${typeWanted(issue, schema)}; `;
    case 'too_small':
    case 'too_big':
      return isNumeric(issue.origin) ? `write ${numberOf(schema)}; ` : `write ${sizeWanted(issue)}; `;
    case 'invalid_format':
    case 'invalid_key':
      return 'spell it otherwise; ';
    default:
      return '';
  }
};

const wordOf = (words: readonly string[], found: unknown): string => {
  if (typeof found === 'string') return `did you mean "${closest(found, words)}"? `;
  if (words.includes(String(found))) return `${inQuotes(typeof found)}; `;
  return words.length === 1 ? `write ${words[0]}; ` : `write one of ${words.join(', ')}; `;
};

const inQuotes = (type: string): string => `put it in quotes: without them it is a ${type}`;

const isNumeric = (origin: string): boolean => origin === 'number' || origin === 'int';

const typeWanted = (
  { expected, message }: Extract<Issue, { code: 'invalid_type' }>,
  schema: z.ZodType | undefined,
): string => {
  const received = /received (\w+)$/.exec(message)?.[1] ?? '';
  switch (expected) {
    case 'int':
    case 'number':
      return `write ${numberOf(schema)}`;
    case 'boolean':
      return 'write true or false';
    case 'array':
      return 'write a list, each entry behind a dash or all of them in brackets';
    case 'record':
      return 'write names with their values, like { name: value }';
    case 'object':
      return `write settings, each as name: value; known here: ${knownKeys(schema).join(', ')}`;
    case 'string':
      return received === 'number' || received === 'boolean' ? inQuotes(received) : 'write one text';
    default:
      return `write a value of type ${expected}`;
  }
};

/** A number as this schema takes it. */
const numberOf = (schema: z.ZodType | undefined): string => {
  const { isInt = false, minValue = null, maxValue = null } = (schema === undefined ? {} : unwrapped(schema)) as Bounds;
  const kind = isInt ? 'a whole number' : 'a number';
  const least = minValue === null || minValue <= Number.MIN_SAFE_INTEGER ? '' : ` from ${minValue}`;
  const most = maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER ? '' : ` to ${maxValue}`;
  return `${kind}${least}${most}`;
};

/** What zod 4 tells of a schema for numbers. */
interface Bounds {
  readonly isInt?: boolean;
  readonly minValue?: number | null;
  readonly maxValue?: number | null;
}

const sizeWanted = (issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string => {
  const [bound, limit] = issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum];
  const isText = issue.origin === 'string';
  if (Number(limit) === 1) return `${bound} one ${isText ? 'character' : 'entry'}`;
  return `${bound} ${limit} ${isText ? 'characters' : 'entries'}`;
};
