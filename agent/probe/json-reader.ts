import { CONFLICT, type JsonObject, type JsonValue } from './capture.ts';

/** What reading a damaged document needed, by name; it travels with the evidence. */
export type Repair =
  | 'missing-comma'
  | 'stray-comma'
  | 'bare-nan'
  | 'control-character'
  | 'bad-escape'
  | 'trailing-bytes'
  | 'duplicate-key'
  | 'conflicting-key'
  | 'invalid-utf8'
  | 'byte-order-mark'
  | 'script-callback'
  | 'plain-text'
  | 'unescaped-mark';

/** Where things stand in the text that is read: for masking, which works on places and not on values. */
export interface Visitor {
  /** The value of a member, from its first character to the one after its last, and where the object begins that has it. */
  readonly member: (name: string, start: number, end: number, object: number) => void;
  /** A text, without its quotes. */
  readonly text: (start: number, end: number) => void;
}

/**
 * Why a document cannot be read. `truncated`: it ended before it was complete, and nobody may complete it. `oversized`: it
 * has more values than are read of one.
 */
export class DocumentProblem extends Error {
  readonly problem: 'truncated' | 'unreadable' | 'oversized';

  constructor(problem: DocumentProblem['problem'], detail: string) {
    super(detail);
    this.problem = problem;
  }
}

/**
 * Most values of one reply, whatever they are and however they are nested: every look at a reply costs by their number.
 * Of real ones the largest has 2,839 (`stats` of an HonorKnight of 2020).
 */
export const MOST_VALUES = 8_192;

/** Counts the values of a reply. */
export const boundOnValues = (): ((more: number) => void) => {
  let count = 0;
  return (more) => {
    count += more;
    if (count > MOST_VALUES) throw new DocumentProblem('oversized', `more than ${MOST_VALUES} values`);
  };
};

/** A run of characters of which numbers and words are made. */
const TOKEN = /[-+.0-9A-Za-z]+/y;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
const NOT_A_NUMBER = /^[-+]?(?:nan|inf|infinity)$/i;
const LITERALS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES: { readonly [letter: string]: string } = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Adds a member; a name that is there already keeps its value only if both are equal. `__proto__` is a name like any other. */
export const addMember = (object: JsonObject, name: string, value: JsonValue, repairs: Set<Repair>): void => {
  let kept = value;
  if (Object.hasOwn(object, name)) {
    const same = sameJson(object[name] as JsonValue, value);
    repairs.add(same ? 'duplicate-key' : 'conflicting-key');
    if (!same) kept = CONFLICT;
  }
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value: kept, enumerable: true, writable: true, configurable: true });
  } else {
    (object as { [name: string]: JsonValue })[name] = kept;
  }
};

const sameJson = (a: JsonValue, b: JsonValue): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b && a !== CONFLICT;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((element, index) => sameJson(element, b[index]))
    );
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) =>
        Object.hasOwn(b, name) && sameJson((a as JsonObject)[name] as JsonValue, (b as JsonObject)[name] as JsonValue),
    )
  );
};

/**
 * What real devices send behind a document (protocols, CGMiner API §7). Whatever else stands there was a part of it: a
 * bracket that came into a reply closes it early, and the members behind would look like ones that are not sent.
 */
const SURPLUS: ReadonlySet<string> = new Set(['"', '"}']);

interface JsonReaderOptions {
  readonly visitor?: Visitor;
  /** Whether a number stays the text that was written. */
  readonly isKept?: (number: string) => boolean;
}

/**
 * Reads the JSON document that a text is, character by character, so that a repair can never touch the inside of a
 * string. Only the damage seen in the field is repaired; anything else is unreadable. The recursion is bounded by
 * `maxDepth`.
 */
export class JsonReader {
  readonly repairs = new Set<Repair>();
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #visitor: Visitor | undefined;
  readonly #isKept: ((number: string) => boolean) | undefined;
  readonly #countValues = boundOnValues();
  #at = 0;

  constructor(text: string, maxDepth: number, { visitor, isKept }: JsonReaderOptions = {}) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#visitor = visitor;
    this.#isKept = isKept;
  }

  /** Where the document ended, after `read`. */
  get end(): number {
    return this.#at;
  }

  /** The document, an object or an array: a lone scalar is what is left of something else. */
  read(): JsonValue {
    const first = this.#next();
    if (first !== '{' && first !== '[') throw this.#unexpected();
    const value = this.#value(1);
    const end = this.#at;
    if (this.#next() !== '') this.#passSurplus();
    this.#at = end;
    return value;
  }

  #passSurplus(): void {
    if (!SURPLUS.has(this.#text.slice(this.#at))) {
      throw new DocumentProblem('unreadable', `the document ends early, before place ${this.#at}`);
    }
    this.repairs.add('trailing-bytes');
  }

  #value(depth: number): JsonValue {
    this.#countValues(1);
    const first = this.#next();
    if (first === '{' || first === '[') {
      if (depth > this.#maxDepth) {
        throw new DocumentProblem('unreadable', `nested deeper than ${this.#maxDepth}`);
      }
      return first === '{' ? this.#object(depth) : this.#array(depth);
    }
    if (first === '"') return this.#string();
    return this.#scalar();
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = {};
    const begin = this.#at;
    this.#at += 1;
    this.#dropComma();
    while (this.#next() !== '}') {
      if (this.#next() !== '"') throw this.#unexpected();
      const name = this.#string();
      if (this.#next() !== ':') throw this.#unexpected();
      this.#at += 1;
      this.#next();
      const start = this.#at;
      const value = this.#value(depth + 1);
      this.#visitor?.member(name, start, this.#at, begin);
      addMember(object, name, value, this.repairs);
      const after = this.#next();
      if (after === ',') this.#comma('}');
      else if (after === '"' && this.#text.slice(this.#lastMark(), this.#at).includes('\n'))
        // FDMiner: one member to a line, and the last but one without its comma.
        this.repairs.add('missing-comma');
      else if (after !== '}') throw this.#unexpected();
    }
    this.#at += 1;
    return object;
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at += 1;
    this.#dropComma();
    while (this.#next() !== ']') {
      array.push(this.#value(depth + 1));
      const after = this.#next();
      if (after === ',') this.#comma(']');
      else if (after === '{' && this.#text[this.#lastMark()] === '}') this.repairs.add('missing-comma');
      else if (after !== ']') throw this.#unexpected();
    }
    this.#at += 1;
    return array;
  }

  /** Passes a comma; one before the closing bracket stands for nothing. */
  #comma(closing: string): void {
    this.#at += 1;
    if (this.#next() === closing) this.repairs.add('stray-comma');
  }

  /** A comma right after the opening bracket stands for nothing. */
  #dropComma(): void {
    if (this.#next() !== ',') return;
    this.repairs.add('stray-comma');
    this.#at += 1;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let plainFrom = start;
    let built = '';
    for (let at = start; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        this.#visitor?.text(start, at);
        return built + text.slice(plainFrom, at);
      }
      if (code < 0x20) this.repairs.add('control-character');
      if (code !== 0x5c) continue;
      const escaped = this.#escape(at);
      built += text.slice(plainFrom, at) + escaped.text;
      at = escaped.end - 1;
      plainFrom = escaped.end;
    }
    throw new DocumentProblem('truncated', 'ends inside a text');
  }

  /** The text of an escape. A backslash that begins none is a backslash, except that `\'` is how btminer writes `'`. */
  #escape(at: number): { text: string; end: number } {
    const letter = this.#text[at + 1] ?? '';
    const known = ESCAPES[letter];
    if (known !== undefined) return { text: known, end: at + 2 };
    if (letter === 'u') {
      const hex = this.#text.slice(at + 2, at + 6);
      if (/^[0-9a-fA-F]{4}$/.test(hex)) return { text: String.fromCharCode(Number.parseInt(hex, 16)), end: at + 6 };
    }
    this.repairs.add('bad-escape');
    return letter === "'" ? { text: "'", end: at + 2 } : { text: '\\', end: at + 1 };
  }

  #scalar(): JsonValue {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[0];
    if (token === undefined) throw this.#unexpected();
    const end = this.#at + token.length;
    if (end === this.#text.length) throw new DocumentProblem('truncated', 'ends inside a value');
    const value = this.#valueOf(token);
    this.#at = end;
    return value;
  }

  #valueOf(token: string): JsonValue {
    if (NUMBER.test(token)) return this.#isKept?.(token) === true ? token : Number(token);
    const literal = LITERALS.get(token);
    if (literal !== undefined) return literal;
    if (!NOT_A_NUMBER.test(token)) throw this.#unexpected();
    this.repairs.add('bare-nan');
    return null;
  }

  /** The next character that is not white space, without passing it; '' at the end. */
  #next(): string {
    const text = this.#text;
    for (; this.#at < text.length; this.#at += 1) {
      const code = text.charCodeAt(this.#at);
      if (code > 0x20) return text[this.#at] as string;
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) this.repairs.add('control-character');
    }
    return '';
  }

  /** The last place before this one that is not white space. */
  #lastMark(): number {
    let at = this.#at - 1;
    while (this.#text.charCodeAt(at) <= 0x20) at -= 1;
    return at;
  }

  #unexpected(at = this.#at): DocumentProblem {
    if (at >= this.#text.length) return new DocumentProblem('truncated', 'ends before the document is complete');
    return new DocumentProblem('unreadable', `unexpected character at place ${at}`);
  }
}
