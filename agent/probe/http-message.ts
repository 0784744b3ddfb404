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
}

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
  #pieces: Buffer[] = [];
  #bytes = 0;
  #head: Head | undefined;
  #complete = false;
  #surplus = false;
  #unreadable = false;

  take(piece: Buffer): 'more' | 'done' {
    this.#pieces.push(Buffer.from(piece));
    this.#bytes += piece.length;
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
    return this.#bytes === 0;
  }

  /** The response as far as it came; undefined where it is no HTTP or its headers did not arrive. */
  message(): HttpMessage | undefined {
    if (this.#head === undefined || this.#unreadable) return undefined;
    const { status, headers, bodyAt, framing, keepAlive } = this.#head;
    const all = this.#all();
    let body = all.subarray(bodyAt);
    if (framing.kind === 'length') body = body.subarray(0, framing.left);
    if (framing.kind === 'chunked') body = unchunk(body).body;
    return {
      status,
      headers,
      body,
      whole: this.#complete,
      untilClose: framing.kind === 'close',
      reusable: this.#complete && keepAlive && !this.#surplus,
    };
  }

  #all(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  #readHead(): void {
    let text = this.#all().toString('latin1', 0, MAX_HEAD);
    let from = 0;
    for (;;) {
      const found = /^[\r\n]*HTTP\/1\.[01] +(\d{3})[^\n]*\n(?:[^\r\n][^\n]*\n)*\r?\n/.exec(text);
      if (found === null) {
        const start = text.replace(/^[\r\n]+/, '').slice(0, 7);
        this.#unreadable = this.#bytes - from > MAX_HEAD || !'HTTP/1.'.startsWith(start);
        return;
      }
      from += found[0].length;
      const status = Number(found[1]);
      // 1xx only announces the response proper.
      if (status >= 200) {
        this.#setHead(status, found[0], from);
        return;
      }
      text = text.slice(found[0].length);
    }
  }

  #setHead(status: number, head: string, bodyAt: number): void {
    const headers = parseHeaders(head);
    const framing = framingOf(status, headers);
    const connection = (headers.get('connection') ?? []).join(',').toLowerCase();
    const keepAlive =
      framing.kind !== 'close' &&
      !connection.includes('close') &&
      (/HTTP\/1\.1/.test(head) || connection.includes('keep-alive'));
    this.#head = { status, headers, bodyAt, framing, keepAlive };
  }

  #readBody({ framing, bodyAt }: Head, piece: Buffer): void {
    if (framing.kind === 'length') {
      this.#complete = this.#bytes - bodyAt >= framing.left;
      this.#surplus = this.#bytes - bodyAt > framing.left;
    } else if (framing.kind === 'chunked' && piece[piece.length - 1] === 0x0a) {
      // Every chunked body ends in a line feed: only then it is worth looking at all of it.
      const { complete, surplus } = unchunk(this.#all().subarray(bodyAt));
      this.#complete = complete;
      this.#surplus = surplus;
    }
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
  const lengths = new Set(headers.get('content-length'));
  const [length] = lengths;
  // Two lengths that differ say nothing: the body then ends with the connection.
  if (length === undefined || lengths.size > 1 || !/^[0-9]{1,10}$/.test(length)) return { kind: 'close' };
  return { kind: 'length', left: Number(length) };
};

/** The data of the chunks that are complete. */
const unchunk = (raw: Buffer): { body: Buffer; complete: boolean; surplus: boolean } => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = raw.indexOf(0x0a, at);
    if (line === -1) break;
    const size = /^[0-9a-fA-F]{1,7}/.exec(raw.toString('latin1', at, line).trim())?.[0];
    if (size === undefined) break;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const end = /^(?:[^\r\n][^\n]*\n)*\r?\n/.exec(raw.toString('latin1', line + 1))?.[0].length;
      if (end === undefined) break;
      return { body: Buffer.concat(chunks), complete: true, surplus: line + 1 + end < raw.length };
    }
    if (line + 1 + length > raw.length) break;
    chunks.push(raw.subarray(line + 1, line + 1 + length));
    at = line + 1 + length;
    if (raw[at] === 0x0d) at += 1;
    if (raw[at] === 0x0a) at += 1;
  }
  return { body: Buffer.concat(chunks), complete: false, surplus: false };
};
