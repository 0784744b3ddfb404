import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../agent/platform/clock.ts';
import type { AllowList } from '../../agent/probe/allow.ts';
import type { Limits } from '../../agent/probe/limits.ts';
import { Logins } from '../../agent/probe/logins.ts';

/** Deadlines that no answer misses: miner and client share an event loop, and a busy machine may hold up both. */
export const PATIENT: Limits = { connectMs: 3000, exchangeMs: 3000, deviceMs: 9000, maxReplyBytes: 1_048_576 };

/** Where the deadline is what ends an exchange, so that a hostile miner costs a test little. */
export const SHORT: Limits = { ...PATIENT, exchangeMs: 300, deviceMs: 2000 };

/** Where one answer must miss the deadline and another must not. */
export const BETWEEN: Limits = { ...PATIENT, exchangeMs: 1000 };

/** What a fake miner does with the first bytes of a request. */
export type Behaviour = (request: string, socket: Socket) => void;

/** A miner on a loopback port that records what it was sent, and how many connections it saw at the same time. */
export class FakeMiner implements AsyncDisposable {
  readonly requests: string[] = [];
  connections = 0;
  mostAtOnce = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = 0;

  private constructor(behave: Behaviour) {
    this.#server = createServer((socket) => this.#serve(socket, behave));
  }

  static async start(behave: Behaviour): Promise<FakeMiner> {
    const miner = new FakeMiner(behave);
    await new Promise<void>((resolve) => miner.#server.listen(0, '127.0.0.1', resolve));
    return miner;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  /** Requests that are not byte for byte what the allow-list can send. */
  strangers(allow: AllowList): readonly string[] {
    const listed = new Set(allow.listed);
    return this.requests.filter((request) => {
      const [head = ''] = request.split(' HTTP/1.1\r\n');
      const body = head.startsWith('POST ') ? request.slice(request.indexOf('\r\n\r\n') + 4) : '';
      return !listed.has(`${head} ${body}`.trimEnd());
    });
  }

  /** Resolves when the client has closed every connection. */
  async allClosed(): Promise<void> {
    while (this.#open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket, behave: Behaviour): void {
    this.connections += 1;
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    this.#sockets.add(socket);
    let open = true;
    const left = () => {
      if (open) this.#open -= 1;
      open = false;
    };
    socket.on('error', () => {});
    // The end of the client's side is when it let go; our own close may come a turn later.
    socket.on('end', left);
    socket.on('close', left);
    socket.on('data', (bytes) => {
      this.requests.push(bytes.toString('latin1'));
      behave(bytes.toString('latin1'), socket);
    });
  }
}

/** Answers as the CGMiner API does: the document, one NUL, close. */
export const answering =
  (reply: string | Buffer): Behaviour =>
  (_request, socket) => {
    socket.end(Buffer.concat([Buffer.from(reply), Buffer.from([0])]));
  };

/** Sends exactly these bytes and closes. */
export const sending =
  (bytes: string | Buffer): Behaviour =>
  (_request, socket) => {
    socket.end(bytes);
  };

/** Sends these bytes and keeps the connection open for ever. */
export const keepingOpen =
  (bytes: string): Behaviour =>
  (_request, socket) => {
    socket.write(bytes);
  };

/** Sends these bytes one at a time. */
export const dripping =
  (bytes: string, everyMs: number): Behaviour =>
  (_request, socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(bytes[at++ % bytes.length] as string), everyMs);
    socket.on('close', () => clearInterval(timer));
  };

/** Sends as much as the other side takes, up to `most` bytes. */
export const flooding =
  (most: number, sent: { bytes: number }): Behaviour =>
  (_request, socket) => {
    const block = Buffer.alloc(65_536, 0x20);
    block.write('{"a":"');
    const pour = () => {
      while (sent.bytes < most && !socket.destroyed) {
        sent.bytes += block.length;
        if (!socket.write(block)) {
          socket.once('drain', pour);
          return;
        }
      }
    };
    pour();
  };

/** A web page as most servers send it. */
export const page = (body: string, head: { status?: string; headers?: readonly string[] } = {}): string =>
  [
    `HTTP/1.1 ${head.status ?? '200 OK'}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(head.headers ?? []),
    '',
    body,
  ].join('\r\n');

/** A web server that keeps connections alive and answers by path. */
export const serving =
  (pages: { readonly [path: string]: string }): Behaviour =>
  (request, socket) => {
    const path = request.split(' ')[1] ?? '';
    socket.write(pages[path] ?? page('not found', { status: '404 Not Found' }));
  };

/** Clock and log-ins of an agent that has just started. */
export const fresh = (): { readonly clock: Clock; readonly logins: Logins } => {
  const clock = systemClock();
  return { clock, logins: new Logins(clock) };
};
