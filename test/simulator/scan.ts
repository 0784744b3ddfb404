/** A place in a text. `end` is behind the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A number, word or string; the span is that of its content, without quotes. */
export interface Scalar extends Span {
  readonly kind: 'scalar';
  readonly quoted: boolean;
}

export interface Member {
  readonly key: string;
  readonly value: Node;
}

export interface ObjectNode extends Span {
  readonly kind: 'object';
  readonly members: readonly Member[];
}

export interface ArrayNode extends Span {
  readonly kind: 'array';
  readonly items: readonly Node[];
}

export type Node = Scalar | ObjectNode | ArrayNode;

/**
 * Where the values of a JSON reply stand. Specimens are damaged on purpose (missing and stray commas, raw control
 * characters, bare `nan`, bytes after the end), and their bytes must stay as they are, so this only finds places.
 */
export const scan = (text: string): Node | undefined => {
  const start = text.search(/[{[]/);
  return start === -1 ? undefined : new Scanner(text, start).value();
};

class Scanner {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  value(): Node | undefined {
    switch (this.#next()) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return { kind: 'scalar', quoted: true, ...this.#string() };
      default:
        return this.#word();
    }
  }

  /** The next character that is neither blank nor comma; it is not taken. */
  #next(): string {
    while (/[\s,]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text[this.#at] ?? '';
  }

  #object(): ObjectNode {
    const start = this.#at;
    const members: Member[] = [];
    this.#at += 1;
    while (this.#next() === '"') {
      const key = this.#string();
      this.#at = Math.max(this.#at, this.#text.indexOf(':', this.#at) + 1);
      const value = this.value();
      if (value === undefined) break;
      members.push({ key: this.#text.slice(key.start, key.end), value });
    }
    if (this.#next() === '}') this.#at += 1;
    return { kind: 'object', start, end: this.#at, members };
  }

  #array(): ArrayNode {
    const start = this.#at;
    const items: Node[] = [];
    this.#at += 1;
    while (this.#next() !== ']') {
      const item = this.value();
      if (item === undefined) break;
      items.push(item);
    }
    if (this.#next() === ']') this.#at += 1;
    return { kind: 'array', start, end: this.#at, items };
  }

  #string(): Span {
    const start = this.#at + 1;
    let end = start;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    return { start, end };
  }

  #word(): Scalar | undefined {
    const start = this.#at;
    while (/[^\s,:{}[\]"]/.test(this.#text[this.#at] ?? ' ')) this.#at += 1;
    return this.#at === start ? undefined : { kind: 'scalar', quoted: false, start, end: this.#at };
  }
}
