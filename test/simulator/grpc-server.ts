import { performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { misbehave } from './misbehave.ts';
import { encoded, textField, textsIn } from './protobuf.ts';
import { prefixAt } from './script.ts';
import { speaker, type Visit } from './visit.ts';

/** What a device answers: a status of gRPC, further metadata, and a message where it has one. */
interface Answer {
  readonly status: number;
  readonly metadata?: { readonly [name: string]: string };
  readonly message?: Buffer;
}

const OK = 0;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

/** The settings with which a server of HTTP/2 begins: what a device that misbehaves says, honestly or in part. */
const PREFACE = '\0\0\0\x04\0\0\0\0\0';

/** Serves one connection of gRPC without TLS: one call after the other. */
export const serveGrpc = (socket: Socket, visit: Visit): void => {
  if (misbehave(visit.device.behaviour, socket, () => PREFACE)) return;
  const session = performServerHandshake(socket);
  // A peer that hangs up in the middle is what peers do.
  session.on('error', () => socket.destroy());
  let calls = 0;
  session.on('stream', (stream, headers) => {
    stream.on('error', () => socket.destroy());
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const frame = Buffer.concat(pieces);
      const call = { path: String(headers[':path']), token: headers.authorization, message: frame.subarray(5) };
      calls += 1;
      if (calls > 1 || headers[':method'] !== 'POST' || frame.length < 5) visit.watch.odd(visit.device, call.path);
      visit.watch.grpc(visit, inWords(call, visit));
      answer(stream, replyTo(call, visit));
    });
  });
};

interface Call {
  readonly path: string;
  readonly token: string | undefined;
  readonly message: Buffer;
}

/** A call as the allow-list has it: user and password of the device are not part of it. */
const inWords = ({ path, message }: Call, { device }: Visit): string => {
  const { auth } = device.script.device;
  const method = path.slice(1);
  if (message.length === 0) return `grpc ${method}`;
  const texts = [...(textsIn(message) ?? [[0, message.toString('hex')] as const])];
  const named = texts.map(([number, text]) => {
    if (auth?.kind !== 'grpc-login' || method !== auth.method) return `${number}=${text}`;
    return `${number}=${number === 1 && text === auth.user ? '<user>' : number === 2 && text === auth.password ? '<password>' : text}`;
  });
  return `grpc ${method} ${named.join(' ')}`;
};

const replyTo = ({ path, token, message }: Call, visit: Visit): Answer => {
  const { device, port } = visit;
  const method = path.slice(1);
  const { auth } = device.script.device;
  if (device.behaviour === 'code45') return { status: PERMISSION_DENIED };
  if (auth?.kind === 'grpc-login' && method === auth.method) {
    const texts = textsIn(message);
    if (texts?.get(1) !== auth.user || texts.get(2) !== auth.password) return { status: UNAUTHENTICATED };
    return auth.told === 'metadata'
      ? { status: OK, metadata: { authorization: auth.token }, message: Buffer.alloc(0) }
      : { status: OK, message: textField(1, auth.token) };
  }
  const line = speaker(visit).lines.get(`${prefixAt('grpc', port)}${method}`);
  if (line === undefined) return { status: UNIMPLEMENTED };
  if (line.auth && (auth?.kind !== 'grpc-login' || token !== auth.token)) return { status: UNAUTHENTICATED };
  return { status: OK, message: encoded(method, Buffer.from(device.render(line.template), 'latin1')) };
};

const answer = (stream: ServerHttp2Stream, { status, metadata = {}, message }: Answer): void => {
  const head = { ':status': 200, 'content-type': 'application/grpc', ...metadata };
  const told = { 'grpc-status': String(status) };
  if (message === undefined) {
    stream.respond({ ...head, ...told }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(told));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
};
