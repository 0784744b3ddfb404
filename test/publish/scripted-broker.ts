import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** One packet as it was on the wire. */
export interface WirePacket {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
  /** Length of the whole packet, bytes. */
  readonly length: number;
}

export const TYPE = { connect: 1, publish: 3, puback: 4, subscribe: 8, pingreq: 12, disconnect: 14 } as const;

/** What the broker does with a packet; `undefined` is the polite answer in the version of CONNECT. */
export type Script = (packet: WirePacket, socket: Socket, connection: number) => readonly Buffer[] | undefined;

/** A broker that says what a test wants, byte for byte, and remembers what it was sent. */
export class ScriptedBroker {
  readonly received: WirePacket[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  readonly #script: Script;

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(script: Script = () => undefined): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script);
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  of(type: number): readonly WirePacket[] {
    return this.received.filter((packet) => packet.type === type);
  }

  /** PUBLISH packets to one topic. */
  published(topic: string): readonly WirePacket[] {
    return this.of(TYPE.publish).filter((packet) => topicOf(packet) === topic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    let rest = Buffer.alloc(0);
    let level = 5;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let packet = firstPacket(rest); packet !== undefined; packet = firstPacket(rest)) {
        rest = rest.subarray(packet.length);
        this.received.push(packet);
        if (packet.type === TYPE.connect) level = levelOf(packet);
        for (const answer of this.#script(packet, socket, connection) ?? polite(packet, level)) socket.write(answer);
      }
    });
  }
}

const firstPacket = (bytes: Buffer): WirePacket | undefined => {
  let remaining = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at += 1) {
    const digit = bytes[at] ?? 0;
    remaining += (digit & 0x7f) * 128 ** (at - 1);
    if (digit >= 0x80) continue;
    const length = at + 1 + remaining;
    if (bytes.length < length) return undefined;
    const [first = 0] = bytes;
    return { type: first >> 4, flags: first & 0x0f, body: bytes.subarray(at + 1, length), length };
  }
  return undefined;
};

const polite = (packet: WirePacket, level: number): readonly Buffer[] => {
  if (packet.type === TYPE.connect) return [level === 5 ? connack() : oldConnack(0)];
  if (packet.type === TYPE.subscribe) return [suback(packet, level)];
  if (packet.type === TYPE.publish) return [puback(packet)];
  if (packet.type === TYPE.pingreq) return [Buffer.from([0xd0, 0])];
  return [];
};

/** Grants QoS 1 for each filter. */
const suback = ({ body }: WirePacket, level: number): Buffer => {
  const granted: number[] = [];
  // The identifier, in 5 also an empty list of properties; then a filter and one byte of options at a time.
  for (let at = level === 5 ? 3 : 2; at < body.length; at += 3 + body.readUInt16BE(at)) granted.push(1);
  const rest = level === 5 ? [0, ...granted] : granted;
  return Buffer.from([0x90, 2 + rest.length, body[0] ?? 0, body[1] ?? 0, ...rest]);
};

/** CONNACK of MQTT 5; `properties` as bytes, e.g. [0x21, 0, 3] for a receive maximum of 3. */
export const connack = (reason = 0, properties: readonly number[] = [], sessionPresent = false): Buffer =>
  Buffer.from([0x20, 3 + properties.length, sessionPresent ? 1 : 0, reason, properties.length, ...properties]);

/** CONNACK of 3.1.1. */
export const oldConnack = (returnCode: number): Buffer => Buffer.from([0x20, 2, 0, returnCode]);

export const topicOf = ({ body }: WirePacket): string => body.subarray(2, 2 + body.readUInt16BE(0)).toString('utf8');

/** Protocol level in CONNECT: 5, or 4 for 3.1.1. */
export const levelOf = ({ body }: WirePacket): number => body[6] ?? 0;

export const puback = (publish: WirePacket, reason = 0): Buffer => {
  const at = 2 + publish.body.readUInt16BE(0);
  const [high = 0, low = 0] = publish.body.subarray(at, at + 2);
  return reason === 0 ? Buffer.from([0x40, 2, high, low]) : Buffer.from([0x40, 3, high, low, reason]);
};
