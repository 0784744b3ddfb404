import { randomUUID } from 'node:crypto';
import type { HttpQuery } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import { Connection, type Endpoint } from './connection.ts';
import { answerDigest, basicHeader, bearerHeader, type Challenge, parseChallenges } from './http-auth.ts';
import { decodeBody, type HttpMessage, HttpReceiver } from './http-message.ts';
import type { Limits } from './limits.ts';
import { noReply, readReply } from './reply.ts';
import type { Credential } from './target.ts';

/** A page as a device gave it, whatever its status. */
export interface Page {
  readonly kind: 'page';
  readonly status: number;
  readonly challenges: readonly Challenge[];
  readonly location?: string;
  readonly body: Buffer;
  readonly whole: boolean;
}

/** What a session needs. The limits are asked for anew before each exchange. */
export interface HttpDeps {
  readonly limits: () => Limits;
  readonly allow: AllowList;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The web interface of one device during one look: GETs of listed paths, one after the other, over one kept-alive
 * connection. Redirects are reported, not followed. Once the device refused the configured log-in, it is not offered
 * again in this look, so that a wrong password cannot lock an account.
 */
export class HttpSession implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #deps: HttpDeps;
  readonly #credential: Credential | undefined;
  #connection: Connection | undefined;
  #challenge: Challenge | undefined;
  #nonceUses = 0;
  #refused = false;

  constructor(endpoint: Endpoint, credential: Credential | undefined, deps: HttpDeps) {
    this.#endpoint = endpoint;
    this.#credential = credential;
    this.#deps = deps;
  }

  /** Asks for a page and gives it as it is, whatever its status. */
  async page(query: HttpQuery): Promise<Page | NoReply> {
    const path = this.#deps.allow.path(query);
    if (query.auth === 'none') return this.#request(path, undefined);
    if (this.#credential === undefined) return noReply('refused', 'no credentials are configured for this device');
    if (this.#refused) return noReply('refused', 'the device refused the configured log-in');
    return this.#authorised(path, query.auth, this.#credential);
  }

  /** Closes the connection; resolves when it is gone. */
  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #authorised(
    path: string,
    scheme: 'digest' | 'basic' | 'bearer',
    credential: Credential,
  ): Promise<Page | NoReply> {
    let header: string | undefined;
    if (scheme === 'basic') header = basicHeader(credential);
    else if (scheme === 'bearer') header = bearerHeader(credential);
    else header = this.#digest(path, credential);
    const offered = header !== undefined;

    const page = await this.#request(path, header);
    if (page.kind !== 'page' || page.status !== 401) return page;
    const challenge = page.challenges.find((candidate) => candidate.scheme === 'digest');
    // A log-in in clear is never sent to a device whose driver knows Digest, whatever it asks for now.
    const mayAnswer = scheme === 'digest' && (!offered || challenge?.parameters.get('stale')?.toLowerCase() === 'true');
    if (!mayAnswer || challenge === undefined) return this.#refuse(page);

    this.#challenge = challenge;
    this.#nonceUses = 0;
    const answer = this.#digest(path, credential);
    if (answer === undefined) return this.#refuse(page);
    const answered = await this.#request(path, answer);
    return answered.kind === 'page' && answered.status === 401 ? this.#refuse(answered) : answered;
  }

  #refuse(page: Page): Page {
    this.#refused = true;
    return page;
  }

  #digest(path: string, credential: Credential): string | undefined {
    if (this.#challenge === undefined) return undefined;
    this.#nonceUses += 1;
    const cnonce = randomUUID().replaceAll('-', '');
    return answerDigest(this.#challenge, { path, credential, count: this.#nonceUses, cnonce });
  }

  async #request(path: string, authorization: string | undefined): Promise<Page | NoReply> {
    const reused = this.#connection !== undefined && !this.#connection.over;
    const first = await this.#exchange(path, authorization);
    // A device may close an idle connection just as we write: then nothing arrives, and the GET is asked anew, once.
    return first === 'closed' && reused ? asReply(await this.#exchange(path, authorization)) : asReply(first);
  }

  async #exchange(path: string, authorization: string | undefined): Promise<Page | NoReply | 'closed'> {
    const limits = this.#deps.limits();
    if (this.#connection?.over) await this.close();
    this.#connection ??= new Connection(this.#endpoint, limits, this.#deps.signal);
    const receiver = new HttpReceiver();
    const ending = await this.#connection.ask(this.#head(path, authorization), receiver, { keep: true, limits });
    const message = receiver.message();
    if (message?.reusable !== true) await this.close();
    if (ending.kind === 'none') return noReply(ending.reason, ending.detail, { dark: true });
    if (ending.kind === 'too-large') return noReply('truncated', `longer than ${limits.maxReplyBytes} bytes`);
    if (ending.kind === 'deadline') return noReply('timeout', 'no complete reply');
    if (receiver.empty) return 'closed';
    if (receiver.isCgminer()) return noReply('unreachable', 'the CGMiner API answers at this port', { dark: true });
    if (message === undefined) return noReply('unreadable', 'not HTTP');
    return asPage(message, ending.kind === 'closed', limits.maxReplyBytes);
  }

  #head(path: string, authorization: string | undefined): string {
    const { host, port } = this.#endpoint;
    const name = host.includes(':') ? `[${host}]` : host;
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${port === 80 ? name : `${name}:${port}`}`, 'Accept: */*'];
    if (authorization !== undefined) lines.push(`Authorization: ${authorization}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
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
    body,
    whole: message.whole,
    ...(location === undefined ? {} : { location }),
  };
};

/** The document of a page. A page that is none, or that the device does not give, is no reply. */
export const documentIn = ({ status, body, whole, location }: Page): Reply | NoReply => {
  if (status === 401 || status === 403) return noReply('refused', `HTTP ${status}`);
  if (status === 404 || status === 405 || status === 501) return noReply('unsupported', `HTTP ${status}`);
  if (status >= 300 && status < 400) {
    return noReply('unreadable', `redirected to ${JSON.stringify(location ?? '')}`, { elsewhere: true });
  }
  const reply = readReply(body, { whole });
  if (status >= 200 && status < 300) return reply;
  return reply.kind === 'no-reply' && reply.reason === 'unreachable' ? reply : noReply('unreadable', `HTTP ${status}`);
};
