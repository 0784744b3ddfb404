import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Notification } from '../../shared/notification.ts';

/** One request as it came. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
  readonly notification: Notification;
}

/** How the receiver answers one request. */
type Answer = (response: ServerResponse, received: Received) => void;

export const accept: Answer = (response) => void response.writeHead(204).end();
export const refuse =
  (status: number, headers: { readonly [name: string]: string } = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end('what is wrong is none of your business');

/** A receiver of webhooks on a loopback port, which answers as it is told to. */
export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  answer: Answer = accept;
  readonly #server: ReturnType<typeof createServer>;
  readonly #scheme: string;

  private constructor(tls?: { readonly cert: Buffer; readonly key: Buffer }) {
    const take: Parameters<typeof createServer>[1] = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      const received = { headers: request.headers, body, path: request.url ?? '', notification: JSON.parse(body) };
      this.received.push(received);
      this.answer(response, received);
    };
    this.#server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  static async start({
    tls,
    port = 0,
  }: {
    tls?: { cert: Buffer; key: Buffer };
    port?: number;
  } = {}): Promise<Receiver> {
    const receiver = new Receiver(tls);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/hooks/s3cret-path?token=s3cret-query`;
  }

  /** The types that came, in order. */
  get types(): readonly string[] {
    return this.received.map(({ notification }) => notification.type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** A signing secret as an operator makes one. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
