import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Call } from './allow.ts';
import type { NoReply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import { asStream, converse, type Speaker, type Wire } from './dialogue.ts';
import type { Limits } from './limits.ts';
import { brokenOff, noReply } from './reply.ts';

type Http2 = typeof import('node:http2');

/** What a device gave for a call: the status of gRPC, the metadata before its message, and the message where it is one. */
export interface Answer {
  readonly kind: 'answer';
  /** 0 is success (gRPC, `statuscodes.md`). */
  readonly status: number;
  readonly metadata: IncomingHttpHeaders;
  readonly message?: Uint8Array;
}

/** Metadata of a call beside what every one has. */
export type Metadata = readonly (readonly [name: string, value: string])[];

/** What a device may have us keep of it beyond the bytes that it sends: header fields of one answer, and their size. */
const MOST_HEADERS = 64;
const MOST_HEADER_BYTES = 16_384;

/** The least that the platform takes, MB. */
const MOST_SESSION_MB = 1;

/**
 * Makes one call over a connection of its own (gRPC over HTTP/2, without TLS). Deadline and byte limit are those of any
 * exchange; compressed messages are not asked for and not read.
 */
export const makeCall = async (
  endpoint: Endpoint,
  call: Call,
  metadata: Metadata,
  { limits, signal }: { readonly limits: Limits; readonly signal?: AbortSignal | undefined },
): Promise<Answer | NoReply> => {
  // It takes time and memory, and most fleets have no device that is asked so.
  const http2 = await import('node:http2');
  let talk: Talk | undefined;
  const begin = (wire: Wire): Speaker => {
    talk = new Talk(wire, http2, { ...call, host: hostOf(endpoint), metadata });
    return talk;
  };
  try {
    const ending = await converse(endpoint, { limits, signal }, begin);
    return brokenOff(ending, limits) ?? talk?.outcome() ?? noReply('truncated', 'closed without a byte of reply');
  } finally {
    talk?.close();
  }
};

const hostOf = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

const HEAD_BYTES = 5;

/** One message with its head, which says that it is not compressed, and how long it is. */
export const frameOf = (message: Uint8Array): Buffer => {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

/** The message of a frame; undefined where the bytes are not one frame, or it is compressed. */
export const messageIn = (frame: Buffer): Uint8Array | undefined => {
  if (frame.length < HEAD_BYTES || frame[0] !== 0) return undefined;
  return frame.readUInt32BE(1) === frame.length - HEAD_BYTES ? frame.subarray(HEAD_BYTES) : undefined;
};

interface Request extends Call {
  readonly host: string;
  readonly metadata: Metadata;
}

/** One call as the two sides talk it over. */
class Talk implements Speaker {
  readonly #wire: Wire;
  readonly #pipe: Duplex;
  readonly #session: ClientHttp2Session;
  readonly #pieces: Buffer[] = [];
  #heard = 0;
  /** The device has said something that only HTTP/2 has. */
  #speaks = false;
  #head: IncomingHttpHeaders | undefined;
  #trailers: IncomingHttpHeaders = {};
  #whole = false;
  #fault: string | undefined;

  constructor(wire: Wire, http2: Http2, request: Request) {
    this.#wire = wire;
    this.#pipe = asStream(wire);
    this.#session = http2.connect('http://device', {
      createConnection: () => this.#pipe,
      maxHeaderListPairs: MOST_HEADERS,
      maxSessionMemory: MOST_SESSION_MB,
      settings: { enablePush: false, maxHeaderListSize: MOST_HEADER_BYTES },
    });
    this.#session.on('error', (error) => this.#end(error));
    this.#session.on('remoteSettings', () => {
      this.#speaks = true;
    });
    const stream = this.#session.request(headersOf(request));
    this.#follow(stream);
    stream.end(frameOf(request.message));
  }

  #follow(stream: ClientHttp2Stream): void {
    stream.on('response', (headers) => {
      this.#head = headers;
    });
    stream.on('headers', () => this.#end(new Error('an answer before the answer')));
    stream.on('trailers', (headers) => {
      this.#trailers = headers;
    });
    stream.on('data', (piece: Buffer) => this.#pieces.push(piece));
    stream.on('end', () => {
      this.#whole = this.#head !== undefined;
    });
    stream.on('error', (error) => this.#end(error));
    stream.on('close', () => this.#wire.hangUp());
  }

  hear(piece: Buffer): void {
    this.#heard += piece.length;
    this.#pipe.push(piece);
  }

  /** The first fault counts; what is broken off afterwards follows from it. */
  #end(error: Error): void {
    this.#fault ??= error.message;
    this.#wire.hangUp();
  }

  outcome(): Answer | NoReply {
    if (this.#heard === 0) return noReply('truncated', 'closed without a byte of reply');
    if (!this.#speaks) return noReply('unreachable', 'something else answers at this port', { dark: true });
    if (this.#fault !== undefined) return noReply('unreadable', `broken off: ${this.#fault}`);
    if (!this.#whole || this.#head === undefined) return noReply('truncated', 'closed before the reply was complete');
    return answerOf(this.#head, this.#trailers, Buffer.concat(this.#pieces));
  }

  /** The session ends the pipe by itself, a little later; where that is ended first the platform keeps both for ever. */
  close(): void {
    this.#session.destroy();
  }
}

const headersOf = ({ path, host, metadata }: Request) => ({
  ':method': 'POST',
  ':scheme': 'http',
  ':authority': host,
  ':path': path,
  te: 'trailers',
  'content-type': 'application/grpc',
  ...Object.fromEntries(metadata),
});

const answerOf = (head: IncomingHttpHeaders, trailers: IncomingHttpHeaders, frames: Buffer): Answer | NoReply => {
  const http = Number(head[':status']);
  if (http === 401 || http === 403) return noReply('refused', `HTTP ${http}`);
  if (http === 404 || http === 405 || http === 501) return noReply('unsupported', `HTTP ${http}`);
  if (http !== 200) return noReply('unreadable', `HTTP ${http}`);
  if (!/^application\/grpc(?:\+proto)?(?:;|$)/.test(head['content-type'] ?? ''))
    return noReply('unreadable', 'not gRPC');
  // A device that has nothing else to say puts it in the one head.
  const told = trailers['grpc-status'] ?? head['grpc-status'];
  if (typeof told !== 'string' || !/^\d{1,3}$/.test(told)) return noReply('unreadable', 'no status of gRPC');
  const message = messageIn(frames);
  return { kind: 'answer', status: Number(told), metadata: head, ...(message === undefined ? {} : { message }) };
};
