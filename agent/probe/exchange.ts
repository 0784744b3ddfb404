import { type HttpQuery, PORTS } from '../drivers/driver.ts';
import type { WebRequest } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint } from './connection.ts';
import { readTable } from './html-table.ts';
import { type Challenge, parseChallenges } from './http-auth.ts';
import { decodeBody, type HttpMessage, HttpReceiver } from './http-message.ts';
import type { Limits } from './limits.ts';
import { brokenOff, noReply, readReply } from './reply.ts';
import { Surplus } from './surplus.ts';
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
  /** What is known of looks before; nothing unless given. */
  readonly surplus?: Surplus | undefined;
}

/**
 * Requests to one web interface, one after the other, over one kept-alive connection. Redirects are reported, not followed.
 * Bytes that nobody asked for end the connection. Where they come after the next request was written they look like its
 * answer: an answer that repeats the one before is therefore asked for again over another connection.
 */
export class Exchange {
  readonly #endpoint: Endpoint;
  readonly #deps: ExchangeDeps;
  readonly #surplus: Surplus;
  #connection: Connection | TlsConnection | undefined;
  /** What the open connection answered last, and to what. */
  #last: Answered | undefined;

  constructor(endpoint: Endpoint, deps: ExchangeDeps) {
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#surplus = deps.surplus ?? new Surplus();
  }

  /** Closes the connection; resolves when it is gone. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#last = undefined;
    if (connection === undefined) return;
    await connection.close();
    if (connection.strayed) this.#surplus.note(this.#endpoint);
  }

  /** Sends a request and gives the page that answers it. `repeats` is asked before it is sent once more. */
  async request(
    request: WebRequest,
    headers: Headers = [],
    repeats: () => boolean = () => true,
  ): Promise<Page | NoReply> {
    const reused = this.#connection !== undefined && !this.#connection.over;
    const before = this.#last;
    const first = await this.#send(request, headers);
    // A device may close an idle connection just as we write: then nothing arrives, and a read is asked anew, once.
    if (first === 'closed') {
      return asReply(reused && repeats() ? await this.#send(request, headers) : first);
    }
    if (!reused || before === undefined || !isRepeated(before, { request, page: first })) return first;
    return repeats() ? this.#askedAnew(first, request, headers) : SENT_TWICE;
  }

  /** What is shown once, over a connection of its own: no answer before it can be taken for its own, and it is not sent again. */
  async once(request: WebRequest, headers: Headers = []): Promise<Page | NoReply> {
    await this.close();
    return asReply(await this.#send(request, headers));
  }

  /** Where it is another answer now, the first one belonged to the question before. */
  async #askedAnew(first: Page | NoReply, request: WebRequest, headers: Headers): Promise<Page | NoReply> {
    await this.close();
    const second = asReply(await this.#send(request, headers));
    if (second.kind === 'no-reply' || isSamePage(first, second)) return second;
    this.#surplus.note(this.#endpoint);
    // What was shown to the device a second time may be refused for that alone, and says nothing against a log-in.
    return isDenied(second) ? SENT_TWICE : second;
  }

  async #send(request: WebRequest, headers: Headers): Promise<Page | NoReply | 'closed'> {
    const limits = this.#deps.limits();
    if (this.#connection?.over) await this.close();
    const keep = !this.#surplus.isOf(this.#endpoint);
    if (!keep) await this.close();
    this.#connection ??= this.#connect(limits);
    const receiver = new HttpReceiver();
    const ending = await this.#connection.ask(this.#message(request, headers), receiver, { keep, limits });
    const message = receiver.message();
    if (message?.surplus === true) this.#surplus.note(this.#endpoint);
    if (message?.reusable !== true || !keep) await this.close();
    // What is refused is known by the head alone, whatever becomes of the body.
    const isRefused = message !== undefined && !message.whole && isDenied(message);
    const fault = brokenOff(ending, limits);
    if (fault !== undefined && !isRefused) return begun(receiver.empty ? fault : { ...fault, drips: true }, message);
    if (receiver.empty) return 'closed';
    if (receiver.isCgminer()) return noReply('unreachable', 'the CGMiner API answers at this port', { dark: true });
    if (receiver.cutInHead) return noReply('truncated', 'closed before the headers were complete');
    if (message === undefined) return noReply('unreadable', 'not HTTP');
    const page = asPage(message, ending.kind === 'closed', limits.maxReplyBytes);
    this.#last = this.#connection === undefined || page.kind === 'no-reply' ? undefined : { request, page };
    return page;
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

const SENT_TWICE = noReply('unreadable', 'the device sent the reply before this one twice');

interface Answered {
  readonly request: WebRequest;
  readonly page: Page | NoReply;
}

/** Whether one answer came to two questions. Refusals and pages that are not there are often alike, and tell nothing. */
const isRepeated = (before: Answered, now: Answered): boolean =>
  (before.request.path !== now.request.path || before.request.body !== now.request.body) &&
  isSamePage(before.page, now.page);

const isSamePage = (one: Page | NoReply, other: Page | NoReply): boolean =>
  one.kind === 'page' &&
  other.kind === 'page' &&
  one.status === other.status &&
  one.status < 300 &&
  one.body.length > 0 &&
  one.body.equals(other.body);

const isDenied = ({ status }: Pick<Page, 'status'>): boolean => status === 401 || status === 403;

/** How an exchange went wrong of which this much of the answer came. */
const begun = (fault: NoReply, message: HttpMessage | undefined): NoReply =>
  message !== undefined && message.status < 300 ? { ...fault, begun: true } : fault;

const asReply = (outcome: Page | NoReply | 'closed'): Page | NoReply =>
  outcome === 'closed' ? noReply('truncated', 'closed without a byte of reply') : outcome;

const NO_BODY: Buffer = Buffer.alloc(0);

const asPage = (message: HttpMessage, closed: boolean, mostBytes: number): Page | NoReply => {
  const { status, headers } = message;
  const isWhole = message.whole || (message.untilClose && closed);
  if (!isWhole && !isDenied(message))
    return begun(noReply('truncated', 'closed before the reply was complete'), message);
  const body = isWhole ? decodeBody(message, mostBytes) : NO_BODY;
  if (body === undefined) return begun(noReply('unreadable', 'body in an encoding that cannot be read'), message);
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

/** Whether a status says that there is no answer at the moment: later, too often, or what is behind the web server does not answer it. */
export const isBusy = (status: number): boolean =>
  status === 408 || status === 429 || (status >= 500 && status !== 501);

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
  const busy = isBusy(status) ? ({ busy: true } as const) : {};
  return reply.kind === 'no-reply' && reply.reason === 'unreachable'
    ? { ...reply, ...busy }
    : noReply('unreadable', `HTTP ${status}`, { withheld: true, ...busy });
};
