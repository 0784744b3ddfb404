import { gunzipSync } from 'node:zlib';
import type { Receiver } from './connection.ts';

/** One response of a device. Header names are in lower case; a repeated header has several values. Untrusted. */
export interface HttpMessage {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  /** The framing says that nothing of the body is missing. */
  readonly whole: boolean;
  /** There is no framing: the body ends with the connection. */
  readonly untilClose: boolean;
  /** Another request may follow on this connection. */
  readonly reusable: boolean;
  /** More than line ends came behind the body. */
  readonly surplus: boolean;
}

const CR = 0x0d;
const LF = 0x0a;

/** Longest status line and headers together. */
const MAX_HEAD = 32_768;

/** A value may be sent back in an answer; what could end a line there is dropped. */
const CONTROL = /\p{Cc}/gu;

type Framing = { readonly kind: 'length'; readonly left: number } | { readonly kind: 'chunked' | 'close' };

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly bodyAt: number;
  readonly framing: Framing;
  readonly keepAlive: boolean;
}

/**
 * Takes the bytes of one HTTP/1.x response to a GET (RFC 9112). Tolerant where the web servers of miners are careless
 * and nothing is lost by it: bare LF, blank lines before the status line, odd header names, no content type.
 */
export class HttpReceiver implements Receiver {
  readonly #all = new Bytes();
  /** Few bodies have chunks. */
  #chunks: Chunks | undefined;
  #head: Head | undefined;
  #complete = false;
  #surplus = false;
  #unreadable = false;

  take(piece: Buffer): 'more' | 'done' {
    this.#all.add(piece);
    if (this.#head === undefined) this.#readHead();
    if (this.#unreadable) return 'done';
    if (this.#head !== undefined) this.#readBody(this.#head, piece);
    return this.#complete ? 'done' : 'more';
  }

  whole(): boolean {
    return this.#complete;
  }

  /** Whether anything arrived at all. */
  get empty(): boolean {
    return this.#all.length === 0;
  }

  /** Whether what arrived begins like HTTP, and ends before its headers do. */
  get cutInHead(): boolean {
    return this.#head === undefined && !this.#unreadable;
  }

  /** Whether the answer is one of the CGMiner API: the port speaks, but not HTTP. */
  isCgminer(): boolean {
    return this.#unreadable && /^\s*(?:\{|STATUS=)/.test(this.#all.from(0).toString('latin1', 0, 64));
  }

  /** The response as far as it came; undefined where it is no HTTP or its headers did not arrive. */
  message(): HttpMessage | undefined {
    if (this.#head === undefined || this.#unreadable) return undefined;
    const { status, headers, bodyAt, framing, keepAlive } = this.#head;
    return {
      status,
      headers,
      body: this.#body(framing, bodyAt),
      whole: this.#complete,
      untilClose: framing.kind === 'close',
      reusable: this.#complete && keepAlive && !this.#surplus,
      surplus: this.#surplus && this.#isMoreThanLineEnds(framing, bodyAt),
    };
  }

  #isMoreThanLineEnds(framing: Framing, bodyAt: number): boolean {
    const body = this.#all.from(bodyAt);
    const end = framing.kind === 'length' ? framing.left : (this.#chunksOf(body).end ?? body.length);
    return body.subarray(end).some((byte) => byte !== CR && byte !== LF);
  }

  #body(framing: Framing, bodyAt: number): Buffer {
    const body = this.#all.from(bodyAt);
    if (framing.kind === 'length') return body.subarray(0, framing.left);
    if (framing.kind === 'close') return body;
    return this.#chunksOf(body).data();
  }

  #readHead(): void {
    const bytes = this.#all.from(0);
    let from = 0;
    for (;;) {
      while (from < MAX_HEAD && (bytes[from] === CR || bytes[from] === LF)) from += 1;
      // Decoded is the head alone: the body may be long.
      const text = bytes.toString('latin1', from, Math.min(endOfHead(bytes, from), MAX_HEAD));
      const found = /^HTTP\/1\.[01] +(\d{3})[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n/.exec(text);
      if (found === null) {
        this.#unreadable = bytes.length - from > MAX_HEAD || !'HTTP/1.'.startsWith(text.slice(0, 7));
        return;
      }
      from += found[0].length;
      const status = Number(found[1]);
      // 1xx only announces the response proper.
      if (status >= 200) {
        this.#setHead(status, found[0], from);
        return;
      }
    }
  }

  #setHead(status: number, head: string, bodyAt: number): void {
    const headers = parseHeaders(head);
    const framing = framingOf(status, headers);
    const connection = (headers.get('connection') ?? []).join(',').toLowerCase();
    const keepAlive =
      framing.kind !== 'close' &&
      !connection.includes('close') &&
      (head.startsWith('HTTP/1.1') || connection.includes('keep-alive'));
    this.#head = { status, headers, bodyAt, framing, keepAlive };
  }

  #readBody({ framing, bodyAt }: Head, piece: Buffer): void {
    const length = this.#all.length - bodyAt;
    if (framing.kind === 'length') {
      this.#complete = length >= framing.left;
      this.#surplus = length > framing.left;
    } else if (framing.kind === 'chunked' && piece[piece.length - 1] === LF) {
      // Every chunked body ends in a line feed: only then it is worth looking on.
      const { end } = this.#chunksOf(this.#all.from(bodyAt));
      this.#complete = end !== undefined;
      this.#surplus = length > (end ?? length);
    }
  }

  #chunksOf(body: Buffer): Chunks {
    this.#chunks ??= new Chunks();
    this.#chunks.read(body);
    return this.#chunks;
  }
}

/** Where the first blank line from `from` on ends; the end of the bytes where there is none yet. */
const endOfHead = (bytes: Buffer, from: number): number => {
  for (let feed = bytes.indexOf(LF, from); feed !== -1; feed = bytes.indexOf(LF, feed + 1)) {
    if (bytes[feed + 1] === LF) return feed + 2;
    if (bytes[feed + 1] === CR && bytes[feed + 2] === LF) return feed + 3;
  }
  return bytes.length;
};

const EMPTY: Buffer = Buffer.alloc(0);

/** Bytes that arrive in pieces. Their place doubles when it is full, so that many small pieces are not copied again for each. */
class Bytes {
  #place = EMPTY;
  length = 0;

  add(piece: Buffer): void {
    const length = this.length + piece.length;
    if (length > this.#place.length) {
      const larger = Buffer.allocUnsafe(this.length === 0 ? length : 2 * length);
      this.#place.copy(larger, 0, 0, this.length);
      this.#place = larger;
    }
    piece.copy(this.#place, this.length);
    this.length = length;
  }

  from(start: number): Buffer {
    return this.#place.subarray(start, this.length);
  }
}

/** The body as its `Content-Encoding` says, at most `mostBytes` of it; undefined if it cannot be decoded or is longer. */
export const decodeBody = ({ headers, body }: HttpMessage, mostBytes: number): Buffer | undefined => {
  const encoding = headers.get('content-encoding')?.at(-1)?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: mostBytes });
  } catch {
    return undefined;
  }
};

const parseHeaders = (head: string): Map<string, string[]> => {
  const headers = new Map<string, string[]>();
  for (const line of head.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line
      .slice(colon + 1)
      .trim()
      .replace(CONTROL, '');
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
};

const framingOf = (status: number, headers: ReadonlyMap<string, readonly string[]>): Framing => {
  if (status === 204 || status === 304) return { kind: 'length', left: 0 };
  if (headers.get('transfer-encoding')?.join(',').toLowerCase().includes('chunked')) return { kind: 'chunked' };
  const lengths = headers.get('content-length') ?? [];
  const [length] = lengths;
  // Two lengths that differ say nothing: the body then ends with the connection.
  if (length === undefined || lengths.some((other) => other !== length) || !/^[0-9]{1,10}$/.test(length))
    return { kind: 'close' };
  return { kind: 'length', left: Number(length) };
};

/** The chunks of a body that are complete. A body that grew is read on from where it ended before, not from its start. */
class Chunks {
  readonly #found: { readonly start: number; readonly end: number }[] = [];
  #body: Buffer = EMPTY;
  #at = 0;
  /** Where the body ends with its trailers, once it does. */
  end: number | undefined;

  read(body: Buffer): void {
    this.#body = body;
    while (this.end === undefined && this.#readOne());
  }

  data(): Buffer {
    return Buffer.concat(this.#found.map(({ start, end }) => this.#body.subarray(start, end)));
  }

  /** Whether there was a chunk to read and more may follow. */
  #readOne(): boolean {
    const body = this.#body;
    const line = body.subarray(this.#at, this.#at + MAX_HEAD).indexOf(LF);
    if (line === -1) return false;
    const start = this.#at + line + 1;
    const size = /^[0-9a-fA-F]{1,7}/.exec(body.toString('latin1', this.#at, start).trim())?.[0];
    if (size === undefined) return false;
    const end = start + Number.parseInt(size, 16);
    if (end === start) {
      const trailers = /^(?:[^\r\n][^\n]*\n)*\r?\n/.exec(body.toString('latin1', start, start + MAX_HEAD))?.[0];
      if (trailers !== undefined) this.end = start + trailers.length;
      return false;
    }
    const next = body[end] === CR ? end + 1 : end;
    // What may still be the line end behind the data must not be taken for the next size.
    if (next >= body.length) return false;
    this.#found.push({ start, end });
    this.#at = body[next] === LF ? next + 1 : next;
    return true;
  }
}
