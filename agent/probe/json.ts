import { isUtf8 } from 'node:buffer';
import type { JsonValue } from './capture.ts';
import { DocumentProblem, JsonReader, MOST_VALUES, type Repair, type Visitor } from './json-reader.ts';
import { looksLikeText, readTextForm } from './text-reader.ts';

/** A reply read, with the repairs it needed; or why it cannot be. A truncated reply is never completed. */
export type Parsed =
  | { readonly kind: 'parsed'; readonly value: JsonValue; readonly repairs: readonly Repair[] }
  | { readonly kind: DocumentProblem['problem']; readonly detail: string };

/** Deepest nesting of a reply that is read; real ones need eight. */
export const MAX_DEPTH = 32;

const NONE: readonly Repair[] = [];

/** How a reply is to be read. */
export interface ReadOptions {
  readonly maxDepth?: number;
  /** The transport knows that no byte is missing. The plain-text form shows it only by its last `|` and the NUL behind. */
  readonly whole?: boolean;
}

/**
 * Reads a reply of a miner: JSON, damaged JSON, or the plain-text form of the CGMiner API. The bytes are untrusted.
 * An undamaged reply costs one `JSON.parse` and one count of its members.
 */
export const parseReply = (bytes: Uint8Array, { maxDepth = MAX_DEPTH, whole = false }: ReadOptions = {}): Parsed => {
  const { start, end } = content(bytes);
  const text = decode(asBuffer(bytes).subarray(start, end));
  const strict = start === 0 && !mayBeOversized(text) && isFlawless(text) ? parseStrict(text, maxDepth) : undefined;
  if (strict !== undefined) return { kind: 'parsed', value: strict, repairs: NONE };
  try {
    if (looksLikeText(text)) {
      if (!whole && !(text.endsWith('|') && bytes.subarray(end).includes(0))) {
        return { kind: 'truncated', detail: 'text without its last mark and NUL' };
      }
      return { kind: 'parsed', ...readText(text) };
    }
    return { kind: 'parsed', ...readDamaged(text, bytes, maxDepth) };
  } catch (error) {
    if (error instanceof DocumentProblem) return { kind: error.problem, detail: error.message };
    throw error;
  }
};

/**
 * The text of UTF-8. A byte that is none becomes a lone surrogate, as its own each: with one mark for all of them, what
 * differs in such bytes alone would read the same.
 */
const decode = (bytes: Buffer): string => {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd') || isUtf8(bytes)) return text;
  return bytes
    .toString('latin1')
    .replace(UTF8, (found) =>
      found.length === 1 && found >= '\x80'
        ? String.fromCharCode(STRAY_BYTE + found.charCodeAt(0))
        : Buffer.from(found, 'latin1').toString('utf8'),
    );
};

/** A stretch of well-formed UTF-8, one character for each byte (Unicode, table 3-7); or a byte that belongs to none. */
const UTF8 =
  /(?:[\0-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}){1,1024}|[\x80-\xff]/g;

/** The surrogates that stand for bytes of 0x80 and more begin above. */
const STRAY_BYTE = 0xdc00;

/** Nothing that a decoder had to put in place of something else. */
const isFlawless = (text: string): boolean => !text.includes('\ufffd') && text.isWellFormed();

/**
 * A number where a value may stand, other than a whole one of few digits, which has one spelling. Also inside a text,
 * where looking twice does no harm.
 */
const MAY_BE_ODD = /[:,[]\s*(-?[0-9]+[.eE][-+.0-9eE]*|-?[0-9]{16,}|-0)/g;

const isOdd = (number: string): boolean => !isPlainDecimal(number) && String(Number(number)) !== number;

/** A decimal that needs no second look: of few digits, none of which could be left out, and not so small as to need an exponent. */
const isPlainDecimal = (number: string): boolean =>
  number.length <= 16 && /^-?[0-9]+\.(?!00000)[0-9]*[1-9]$/.test(number);

const NO_NUMBERS: ReadonlySet<number> = new Set();

/** The numbers of a reply that are not spelled as this program does: `4.10`, `1e999`, more digits than a number holds. */
export const oddNumbersIn = (bytes: Uint8Array): ReadonlySet<number> => {
  let odd: Set<number> | undefined;
  for (const [, number = ''] of asBuffer(bytes).toString('latin1').matchAll(MAY_BE_ODD)) {
    if (!isOdd(number)) continue;
    odd ??= new Set();
    odd.add(Number(number));
  }
  return odd ?? NO_NUMBERS;
};

/** A reply in which each of those numbers is the text that the device wrote. Undefined where it is no JSON. */
export const parseSpelled = (bytes: Uint8Array): JsonValue | undefined => {
  const { start, end } = content(bytes);
  const text = decode(asBuffer(bytes).subarray(start, end));
  if (looksLikeText(text)) return undefined;
  // With quotes around what was inside a text, and is none of the numbers then, it is no JSON any more.
  const quoted = text.replace(MAY_BE_ODD, (found, number: string) =>
    isOdd(number) ? `${found.slice(0, -number.length)}"${number}"` : found,
  );
  const strict = isFlawless(text) ? parseStrict(quoted, MAX_DEPTH) : undefined;
  if (strict !== undefined) return strict;
  try {
    return new JsonReader(text, MAX_DEPTH, { isKept: isOdd }).read();
  } catch (error) {
    if (error instanceof DocumentProblem) return undefined;
    throw error;
  }
};

/**
 * Where the content of a reply stands: without a byte order mark, without the name of the function that a page of the
 * device would hand the document to (Avalon: `minerinfoCallback({…});`) and the end of that call, and without the NULs and
 * white space after it.
 */
const content = (bytes: Uint8Array): { readonly start: number; readonly end: number; readonly before?: Repair } => {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] as number) <= 0x20) end -= 1;
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  if (marked) return { start: 3, end: Math.max(end, 3), before: 'byte-order-mark' };
  if (bytes[0] === OBJECT) return { start: 0, end };
  const called = CALLBACK.exec(asBuffer(bytes).toString('latin1', 0, LONGEST_CALLBACK))?.[1]?.length;
  if (called === undefined) return { start: 0, end };
  return { start: called, end: end - callEndIn(bytes, end), before: 'script-callback' };
};

/** How long the end of the call is. */
const callEndIn = (bytes: Uint8Array, end: number): number =>
  CALL_END.exec(asBuffer(bytes).toString('latin1', Math.max(0, end - 2), end))?.[0].length ?? 0;

const OBJECT = 0x7b;
const CALLBACK = /^([A-Za-z_]\w*Callback\()\{/;
const LONGEST_CALLBACK = 64;
const CALL_END = /\);?$/;

/**
 * Whether a text may have more values than are read of a reply: by its commas and opening brackets, some of which may be
 * inside texts. The reader that counts them exactly stops at the first that is too many; `JSON.parse` would make them all.
 */
const mayBeOversized = (text: string): boolean => {
  // A value takes a character, and a comma or bracket before it.
  if (text.length <= 2 * MOST_VALUES) return false;
  let most = 1;
  for (let at = 0; at < text.length && most <= MOST_VALUES; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || code === 0x5b || code === OBJECT) most += 1;
  }
  return most > MOST_VALUES;
};

/** What was visited, and where it ended. */
export interface Visited {
  readonly form: 'json' | 'text';
  readonly end: number;
}

/** The same reading, telling `visitor` where things stand in `bytes`. Undefined where the reply cannot be read. */
export const visitReply = (bytes: Uint8Array, visitor: Visitor): Visited | undefined => {
  const { start, end } = content(bytes);
  // Latin-1 keeps one character for each byte, so that places in the text are places in the bytes.
  const text = asBuffer(bytes).toString('latin1', start, end);
  const shifted: Visitor = {
    member: (name, from, to, object) => visitor.member(name, from + start, to + start, object + start),
    text: (from, to) => visitor.text(from + start, to + start),
  };
  try {
    if (looksLikeText(text)) {
      readTextForm(text, new Set(), shifted);
      return { form: 'text', end };
    }
    const reader = new JsonReader(text, MAX_DEPTH, { visitor: shifted });
    reader.read();
    return { form: 'json', end: start + reader.end };
  } catch (error) {
    if (error instanceof DocumentProblem) return undefined;
    throw error;
  }
};

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * A name with an escape. V8 14.6 takes such a name for another that it has met at this place before, if that one is
 * spelled with the characters of the escape: `{"n":0,"\":":1}` after `{"n":0,"\\\"":1}`.
 */
const ESCAPED_NAME = /\\.[^"\\]*"\s*:/s;

/** The value, if the text is flawless: strict JSON in which every member that is written was also found. */
const parseStrict = (text: string, maxDepth: number): JsonValue | undefined => {
  if (text.includes('\\') && ESCAPED_NAME.test(text)) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  // `JSON.parse` lets the last of two members of one name win in silence: then fewer are found than were written.
  return countFound(value, maxDepth) === countWritten(text) ? value : undefined;
};

/** How often a quote is followed by a colon: the members written, and more only where texts contain that, too. */
const countWritten = (text: string): number => {
  let count = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (before > 0 && text.charCodeAt(before) <= 0x20) before -= 1;
    if (text.charCodeAt(before) === 0x22) count += 1;
  }
  return count;
};

/** Members of all objects of a value; NaN, which equals nothing, if it is nested too deep. */
const countFound = (value: JsonValue, depthLeft: number): number => {
  if (typeof value !== 'object' || value === null) return 0;
  if (depthLeft === 0) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') count += countFound(element, depthLeft - 1);
    return count;
  }
  for (const name in value) {
    count += 1;
    const member = (value as { [name: string]: JsonValue })[name];
    if (typeof member === 'object') count += countFound(member as JsonValue, depthLeft - 1);
  }
  return count;
};

const readText = (text: string): { value: JsonValue; repairs: Repair[] } => {
  const repairs = new Set<Repair>();
  return { value: readTextForm(text, repairs), repairs: [...repairs] };
};

const readDamaged = (text: string, bytes: Uint8Array, maxDepth: number): { value: JsonValue; repairs: Repair[] } => {
  const reader = new JsonReader(text, maxDepth);
  const value = reader.read();
  const { before } = content(bytes);
  if (before !== undefined) reader.repairs.add(before);
  if (!text.isWellFormed()) reader.repairs.add('invalid-utf8');
  return { value, repairs: [...reader.repairs] };
};
