import { randomUUID } from 'node:crypto';
import type { Auth, HttpQuery, Login } from '../drivers/driver.ts';
import { place } from '../drivers/readers.ts';
import type { AllowList, WebRequest } from './allow.ts';
import type { NoReply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import { documentIn, Exchange, type ExchangeDeps, type Headers, type Page } from './exchange.ts';
import { answerDigest, basicHeader, bearerHeader, type Challenge } from './http-auth.ts';
import type { Logins, Session } from './logins.ts';
import { noReply } from './reply.ts';
import type { Credential } from './target.ts';

/** What the talk with a web interface needs. */
export interface HttpDeps extends ExchangeDeps {
  readonly allow: AllowList;
  readonly logins: Logins;
}

/** How a log-in is shown with each request. */
type Scheme = Exclude<Auth, 'none' | Login>;

/**
 * One web interface of one device during one look, with the log-in that it asks for. A log-in that the device refused is
 * not offered again for a while, so that a wrong password cannot lock an account.
 */
export class HttpSession implements AsyncDisposable {
  readonly #deps: HttpDeps;
  readonly #credential: Credential | undefined;
  readonly #exchange: Exchange;
  /** Names device and account among all log-ins. */
  readonly #door: string;
  /** What the device asked in this look. */
  #challenge: Challenge | undefined;

  constructor(endpoint: Endpoint, credential: Credential | undefined, deps: HttpDeps) {
    this.#deps = deps;
    this.#credential = credential;
    this.#exchange = new Exchange(endpoint, deps);
    this.#door = `${endpoint.host} ${endpoint.port} ${credential?.user ?? ''}`;
  }

  /** Asks for a page and gives it as it is, whatever its status. */
  async page(query: HttpQuery): Promise<Page | NoReply> {
    const { auth } = query;
    const request = this.#deps.allow.web(query);
    const credential = this.#credential;
    if (auth === 'none' || (auth === 'basic-if-asked' && credential === undefined))
      return await this.#exchange.request(request);
    if (isLogin(auth) && auth.ifAsked && this.#deps.logins.session(this.#door) === undefined) {
      const page = await this.#exchange.request(request);
      if (page.kind === 'no-reply' || !isOver(page, auth)) return page;
    }
    if (credential === undefined) return noReply('refused', 'no credentials are configured for this device');
    const restsMs = this.#deps.logins.restsMs(this.#door, credential);
    if (restsMs > 0)
      return noReply('refused', `the device refused the log-in, which rests for ${minutes(restsMs)} min`);
    return await (isLogin(auth) ? this.#inSession(request, auth, credential) : this.#shown(request, auth, credential));
  }

  /** Closes the connection; resolves when it is gone. */
  close(): Promise<void> {
    return this.#exchange.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Within a session that was opened before, or one that is opened now. A session that is over is opened anew, once. */
  async #inSession(request: WebRequest, login: Login, credential: Credential): Promise<Page | NoReply> {
    const { logins } = this.#deps;
    const kept = logins.session(this.#door);
    if (kept !== undefined) {
      const page = await this.#exchange.request(request, kept.headers);
      if (page.kind === 'no-reply' || !isOver(page, login)) return page;
      logins.ended(this.#door);
    }
    const opened = await this.#open(login, credential);
    if ('kind' in opened) return opened;
    const page = await this.#exchange.request(request, opened.headers);
    if (page.kind === 'no-reply') return page;
    if (isOver(page, login)) {
      logins.ended(this.#door);
      return this.#refused('the session that the device gave opens nothing', credential);
    }
    // Some devices give a cookie whatever the password: only a page that it opens shows that the log-in was accepted.
    logins.accepted(this.#door);
    return page;
  }

  async #open(login: Login, credential: Credential): Promise<Session | NoReply> {
    const { allow, logins } = this.#deps;
    const { user } = credential;
    const page = await this.#exchange.request(allow.login(login, { user, password: credential.password() }));
    if (page.kind === 'no-reply') return page;
    const headers = page.status < 400 ? sessionIn(page, login) : undefined;
    if (headers === undefined) return this.#refused(`the device refused the log-in, HTTP ${page.status}`, credential);
    logins.opened(this.#door, { headers });
    return { headers };
  }

  /** With the log-in in each request; where the device has to say first what it wants to know, that is asked for once. */
  async #shown(request: WebRequest, scheme: Scheme, credential: Credential): Promise<Page | NoReply> {
    const { logins } = this.#deps;
    // The nonce of an earlier look may have ended: what is refused then is the nonce, not the password.
    const isAnswerToNow = this.#challenge !== undefined;
    const headers = this.#headers(request, scheme, credential);
    const page = await this.#exchange.request(request, headers);
    if (page.kind === 'no-reply') return page;
    if (!isRefusal(page, scheme)) {
      if (headers !== undefined) logins.accepted(this.#door);
      return page;
    }
    const challenge = page.challenges.find((candidate) => candidate.scheme === challengeOf(scheme));
    const isStale = challenge?.parameters.get('stale')?.toLowerCase() === 'true';
    const mayAnswer = headers === undefined || isStale || (scheme === 'digest' && !isAnswerToNow);
    if (challenge === undefined || !mayAnswer) return this.#turnedAway(page, credential);
    this.#challenge = challenge;
    if (scheme === 'digest') logins.challenged(this.#door, challenge);
    const answer = this.#headers(request, scheme, credential);
    if (answer === undefined) return this.#turnedAway(page, credential);
    const answered = await this.#exchange.request(request, answer);
    if (answered.kind === 'no-reply') return answered;
    if (isRefusal(answered, scheme)) return this.#turnedAway(answered, credential);
    logins.accepted(this.#door);
    return answered;
  }

  #refused(detail: string, credential: Credential): NoReply {
    this.#deps.logins.refused(this.#door, credential);
    return noReply('refused', detail);
  }

  #turnedAway(page: Page, credential: Credential): Page {
    this.#deps.logins.refused(this.#door, credential);
    // The next try begins with the device's question, so that it shows the log-in once.
    this.#deps.logins.unasked(this.#door);
    return page;
  }

  /** Undefined where the device has to ask first. */
  #headers({ path }: WebRequest, scheme: Scheme, credential: Credential): Headers | undefined {
    if (typeof scheme === 'object') return [[scheme.header, oneLine(credential.password())]];
    switch (scheme) {
      case 'basic':
        return [['Authorization', basicHeader(credential)]];
      case 'bearer':
        return [['Authorization', bearerHeader(credential)]];
      case 'basic-if-asked':
        return this.#challenge === undefined ? undefined : [['Authorization', basicHeader(credential)]];
      case 'digest':
        return this.#digest(path, credential);
    }
  }

  #digest(path: string, credential: Credential): Headers | undefined {
    const kept = this.#deps.logins.answering(this.#door);
    if (kept === undefined) return undefined;
    const cnonce = randomUUID().replaceAll('-', '');
    const answer = answerDigest(kept.challenge, { path, credential, count: kept.count, cnonce });
    return answer === undefined ? undefined : [['Authorization', answer]];
  }
}

const isLogin = (auth: Auth): auth is Login => typeof auth === 'object' && auth.kind === 'login';

const minutes = (ms: number): number => Math.ceil(ms / 60_000);

/** The challenge that a scheme answers. A log-in in clear is never sent to a device whose driver knows Digest, whatever it asks for now. */
const challengeOf = (scheme: Scheme): string | undefined =>
  scheme === 'digest' ? 'digest' : scheme === 'basic-if-asked' ? 'basic' : undefined;

/** What could end a line of a header is dropped. */
const oneLine = (value: string): string => value.replace(/\p{Cc}/gu, '');

/** A key is refused by 403 as well; to the schemes of HTTP that means that this page is for nobody, or for somebody else. */
const isRefusal = ({ status }: Page, scheme: Scheme): boolean =>
  status === 401 || (status === 403 && typeof scheme === 'object');

const isOver = (page: Page, login: Login): boolean => {
  if (page.status === 401 || page.status === 403) return true;
  // A browser without a session is sent to the page where one logs in; behind a cookie, wherever it is sent.
  const isSentOn = page.status >= 300 && page.status < 400;
  if (isSentOn && (login.gives.kind === 'cookie' || /login/i.test(page.location ?? ''))) return true;
  if (login.over === undefined) return false;
  const document = documentIn(page);
  return document.kind === 'reply' && login.over(document.value);
};

/** The headers of the session that the answer to a log-in opens; undefined where it opens none. */
const sessionIn = (page: Page, { gives }: Login): Headers | undefined => {
  if (gives.kind === 'cookie') {
    const cookies = page.cookies.map((cookie) => oneLine(cookie.split(';', 1)[0] ?? '').trim());
    return cookies.length === 0 ? undefined : [['Cookie', cookies.join('; ')]];
  }
  const document = documentIn(page);
  const found = document.kind === 'reply' ? place(gives.pointer)(document.value) : undefined;
  if (found?.kind !== 'present' || typeof found.value !== 'string' || found.value === '') return undefined;
  return [[gives.header, oneLine(`${gives.prefix ?? ''}${found.value}`)]];
};
