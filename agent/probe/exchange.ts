import { type HttpQuery, PORTS } from '../drivers/driver.ts';
import type { WebRequest } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint } from './connection.ts';
import { readTable } from './html-table.ts';
import { type Challenge, parseChallenges } from './http-auth.ts';
import { decodeBody, type HttpMessage, HttpReceiver } from './http-message.ts';
import type { Limits } from './limits.ts';
import { noReply, readReply } from './reply.ts';
import { TlsConnection, type TlsPeer } from './tls-connection.ts';

/** A page as a device gave it, whatever its status. */
export interface Page {
  readonly kind: 'page';
  readonly status: number;
  readonly challenges: readonly Challenge[];
  readonly location?: string;
  /** Values of `Set-Cookie`. */
  readonly cookies: readonly string[];
  readonly body: Buffer;
  readonly whole: boolean;
}

/** Headers of a request beside those that every one has. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** What an exchange needs from outside. The limits are asked for anew each time. */
export interface ExchangeDeps {
  readonly limits: () => Limits;
  readonly signal?: AbortSignal | undefined;
  /** The interface is spoken to through TLS, with this peer. */
  readonly tls?: TlsPeer | undefined;
}

/** Requests to one web interface, one after the other, over one kept-alive connection. Redirects are reported, not followed. */
export class Exchange {
  readonly #endpoint: Endpoint;
  readonly #deps: ExchangeDeps;
  #connection: Connection | TlsConnection | undefined;

  constructor(endpoint: Endpoint, deps: ExchangeDeps) {
    this.#endpoint = endpoint;
    this.#deps = deps;
  }

  /** Closes the connection; resolves when it is gone. */
  close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    return connection?.close() ?? Promise.resolve();
  }

  /** Sends a request and gives the page that answers it. */
  async request(request: WebRequest, headers: Headers = []): Promise<Page | NoReply> {
    const reused = this.#connection !== undefined && !this.#connection.over;
    const first = await this.#send(request, headers);
    // A device may close an idle connection just as we write: then nothing arrives, and a read is asked anew, once.
    return first === 'closed' && reused ? asReply(await this.#send(request, headers)) : asReply(first);
  }

  async #send(request: WebRequest, headers: Headers): Promise<Page | NoReply | 'closed'> {
    const limits = this.#deps.limits();
    if (this.#connection?.over) await this.close();
    this.#connection ??= this.#connect(limits);
    const receiver = new HttpReceiver();
    const ending = await this.#connection.ask(this.#message(request, headers), receiver, { keep: true, limits });
    const message = receiver.message();
    if (message?.reusable !== true) await this.close();
    if (ending.kind === 'none') return noReply(ending.reason, ending.detail, { dark: true });
    if (ending.kind === 'too-large') return noReply('truncated', `longer than ${limits.maxReplyBytes} bytes`);
    if (ending.kind === 'deadline') return noReply('timeout', 'no complete reply');
    if (receiver.empty) return 'closed';
    if (receiver.isCgminer()) return noReply('unreachable', 'the CGMiner API answers at this port', { dark: true });
    if (receiver.cutInHead) return noReply('truncated', 'closed before the headers were complete');
    if (message === undefined) return noReply('unreadable', 'not HTTP');
    return asPage(message, ending.kind === 'closed', limits.maxReplyBytes);
  }

  #connect(limits: Limits): Connection | TlsConnection {
    const { signal, tls } = this.#deps;
    return tls === undefined
      ? new Connection(this.#endpoint, limits, signal)
      : new TlsConnection(this.#endpoint, tls, signal);
  }

  /** The request in one piece, as bytes, one character each. */
  #message({ method, path, body, type }: WebRequest, headers: Headers): string {
    const { host, port } = this.#endpoint;
    const name = host.includes(':') ? `[${host}]` : host;
    const usual = this.#deps.tls === undefined ? PORTS.http : PORTS.https;
    const bytes = body === undefined ? '' : Buffer.from(body, 'utf8').toString('latin1');
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${port === usual ? name : `${name}:${port}`}\r\nAccept: */*\r\n`;
    if (type !== undefined) head += `Content-Type: ${type}\r\n`;
    if (method === 'POST') head += `Content-Length: ${bytes.length}\r\n`;
    for (const [header, value] of headers) head += `${header}: ${value}\r\n`;
    return `${head}\r\n${bytes}`;
  }
}

const asReply = (outcome: Page | NoReply | 'closed'): Page | NoReply =>
  outcome === 'closed' ? noReply('truncated', 'closed without a byte of reply') : outcome;

const asPage = (message: HttpMessage, closed: boolean, mostBytes: number): Page | NoReply => {
  const { status, headers } = message;
  if (!message.whole && !(message.untilClose && closed))
    return noReply('truncated', 'closed before the reply was complete');
  const body = decodeBody(message, mostBytes);
  if (body === undefined) return noReply('unreadable', 'body in an encoding that cannot be read');
  const location = headers.get('location')?.[0];
  const challenges = (headers.get('www-authenticate') ?? []).flatMap(parseChallenges);
  return {
    kind: 'page',
    status,
    challenges,
    cookies: headers.get('set-cookie') ?? [],
    body,
    whole: message.whole,
    ...(location === undefined ? {} : { location }),
  };
};

/** The document of a page, in HTML where `table` names one. A page that is none, or that the device does not give, is no reply. */
export const documentIn = (
  { status, body, whole, location }: Page,
  { table }: Pick<HttpQuery, 'table'> = {},
): Reply | NoReply => {
  if (status === 401 || status === 403) return noReply('refused', `HTTP ${status}`);
  if (status === 404 || status === 405 || status === 501) return noReply('unsupported', `HTTP ${status}`);
  if (status >= 300 && status < 400) {
    return noReply('unreadable', `redirected to ${JSON.stringify(location ?? '')}`, { elsewhere: true });
  }
  const reply = table === undefined ? readReply(body, { whole }) : readTable(body, table);
  if (status >= 200 && status < 300) return reply;
  return reply.kind === 'no-reply' && reply.reason === 'unreachable' ? reply : noReply('unreadable', `HTTP ${status}`);
};
