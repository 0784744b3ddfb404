/** Frames of HTTP/2 (RFC 9113) as a server sends them, byte by byte, right or wrong. */

const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

/** `length`: what the frame says of itself, where that is not the truth. */
export const frame = (
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

/** Header fields as literals that no table keeps (RFC 7541 §6.2.2); names and values shorter than 127 bytes. */
export const fields = (...pairs: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(
    pairs.flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );

export const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** What every server says first: its settings, none changed. */
export const PREFACE = frame(SETTINGS, 0, 0, Buffer.alloc(0));

/** The head of an answer to the first call. */
export const head = (flags: number, ...pairs: readonly (readonly [string, string])[]): Buffer =>
  frame(HEADERS, END_HEADERS | flags, 1, fields(...pairs));

export const data = (bytes: Uint8Array, flags = 0): Buffer => frame(DATA, flags, 1, bytes);

const GRPC = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;

/** A whole answer of gRPC: its message and its status. */
export const answer = (
  message: Uint8Array,
  { status = '0', metadata = [] }: { status?: string; metadata?: readonly (readonly [string, string])[] } = {},
): Buffer => {
  const prefix = Buffer.concat([Buffer.from([0]), number(message.length)]);
  return Buffer.concat([
    PREFACE,
    head(0, ...GRPC, ...metadata),
    data(Buffer.concat([prefix, message])),
    head(END_STREAM, ['grpc-status', status]),
  ]);
};

/** An answer of gRPC that is a status and nothing else, all in one head. */
export const statusOnly = (status: string): Buffer =>
  Buffer.concat([PREFACE, head(END_STREAM, ...GRPC, ['grpc-status', status])]);
