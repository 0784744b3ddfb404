import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SimulatedDevice } from './device.ts';
import type { Fleet } from './fleet.ts';

/** What came over one connection until the device closed, or until `forMs` had passed. */
export interface Heard {
  readonly text: string;
  readonly ended: 'closed' | 'refused' | 'reset' | 'waiting';
  readonly bytes: number;
}

const MOST_KEPT = 1_000_000;

/** Sends `request` as it is, `secure` through TLS, and listens; texts are Latin-1. For tests of the simulator: no miner is asked like this. */
export const converse = (
  host: string,
  port: number,
  request: string,
  forMs = 5000,
  { secure = false } = {},
): Promise<Heard> =>
  new Promise((resolve) => {
    let text = '';
    let bytes = 0;
    let ended: Heard['ended'] = 'closed';
    const speak = (): void => void socket.write(request, 'latin1');
    const socket = secure
      ? connectTls({ host, port, rejectUnauthorized: false }, speak)
      : connect({ host, port }, speak);
    const timer = setTimeout(() => {
      ended = 'waiting';
      socket.destroy();
    }, forMs);
    socket.on('data', (piece) => {
      bytes += piece.length;
      if (text.length < MOST_KEPT) text += piece.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ended = error.code === 'ECONNREFUSED' ? 'refused' : 'reset';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text, ended, bytes });
    });
  });

/** Asks a CGMiner question. */
export const askCommand = (fleet: Fleet, device: SimulatedDevice, command: string, forMs?: number): Promise<Heard> =>
  converse(device.address, fleet.ports.cgminer, `{"command":"${command}"}`, forMs);

/** GETs a path over a connection of its own; `headers` are whole lines. */
export const getPath = (
  fleet: Fleet,
  device: SimulatedDevice,
  path: string,
  headers: readonly string[] = [],
): Promise<Heard> => {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${device.address}`, ...headers, 'Connection: close'];
  return converse(device.address, fleet.ports.http, `${lines.join('\r\n')}\r\n\r\n`);
};

/** Asks what a specimen lists as a question: by the key of CGMiner that every firmware knows, without a log-in. */
export const askQuestion = (fleet: Fleet, device: SimulatedDevice, question: string): Promise<Heard> => {
  const [, kind = '', named, words = ''] = /^([a-z]+)(?:@([a-z]+))?:(.*)$/s.exec(question) ?? [];
  const port = fleet.ports[(named ?? USUAL[kind]) as keyof Fleet['ports']];
  const bytes = BYTES[kind]?.(words, device) ?? '';
  return converse(device.address, port, bytes, undefined, { secure: named === 'https' });
};

const USUAL: { readonly [kind: string]: string } = {
  cgminer: 'cgminer',
  http: 'http',
  framed: 'whatsminer',
  grpc: 'grpc',
};

const BYTES: { readonly [kind: string]: (words: string, device: SimulatedDevice) => string } = {
  cgminer: (words) => document('parameter', words),
  framed: (words) => {
    const text = document('param', words);
    return `${String.fromCharCode(text.length)}\0\0\0${text}`;
  },
  http: (words, { address }) => {
    const [method, path, ...rest] = words.startsWith('POST ') ? words.split(' ') : ['GET', words];
    const body = rest.join(' ');
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `Host: ${address}`,
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body}`;
  },
};

const document = (member: string, words: string): string => {
  const [command = '', parameter] = words.split(' ');
  return JSON.stringify(parameter === undefined ? { cmd: command } : { cmd: command, [member]: parameter });
};

/** What came of one call: the status of gRPC, and the message. */
export interface Called {
  readonly status: string | undefined;
  readonly metadata: IncomingHttpHeaders;
  readonly message: Buffer;
}

/** Calls any method of gRPC with any message. For tests of the simulator: no miner is asked like this. */
export const callMethod = (
  fleet: Fleet,
  device: SimulatedDevice,
  method: string,
  { message = Buffer.alloc(0), token }: { readonly message?: Buffer; readonly token?: string } = {},
): Promise<Called> =>
  new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${device.address}:${fleet.ports.grpc}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(token === undefined ? {} : { authorization: token }),
    });
    const pieces: Buffer[] = [];
    let metadata: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (headers) => {
      metadata = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    session.on('error', reject);
    stream.on('close', () => {
      session.close();
      const status = [trailers, metadata].map((told) => told['grpc-status']).find((told) => typeof told === 'string');
      resolve({ status: status as string | undefined, metadata, message: Buffer.concat(pieces).subarray(5) });
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });

/** What follows the header of an HTTP message. */
export const bodyOf = ({ text }: Heard): string => text.slice(text.indexOf('\r\n\r\n') + 4);
