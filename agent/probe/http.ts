import { randomUUID } from 'node:crypto';
import type { Auth, HttpQuery, Login } from '../drivers/driver.ts';
import { place } from '../drivers/readers.ts';
import type { AllowList, WebRequest } from './allow.ts';
import type { NoReply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import { Door, NO_CREDENTIAL } from './door.ts';
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

/** One web interface of one device during one look, with the log-in that it asks for. */
export class HttpSession implements AsyncDisposable {
  readonly #deps: HttpDeps;
  readonly #exchange: Exchange;
  /** Undefined without a log-in. */
  readonly #door: Door | undefined;
  /** What the device asked in this look. */
  #challenge: Challenge | undefined;
  /** Whether the device gave a page for the log-in in this look. */
  #wasTaken = false;

  constructor(endpoint: Endpoint, credential: Credential | undefined, deps: HttpDeps) {
    this.#deps = deps;
    this.#exchange = new Exchange(endpoint, deps);
    this.#door = credential === undefined ? undefined : new Door(endpoint, credential, deps.logins);
  }

  /** Asks for a page and gives it as it is, whatever its status. */
  async page(query: HttpQuery): Promise<Page | NoReply> {
    const { auth } = query;
    const request = this.#deps.allow.web(query);
    const door = this.#door;
    if (auth === 'none' || (auth === 'basic-if-asked' && door === undefined))
      return await this.#exchange.request(request);
    if (isLogin(auth) && auth.ifAsked && door?.hasSession !== true) {
      const page = await this.#exchange.request(request);
      if (!isOver(page, auth, query)) return page;
    }
    if (door === undefined) return NO_CREDENTIAL;
    return (
      door.resting(pageOf(request)) ??
      (await (isLogin(auth) ? this.#inSession(query, auth, door) : this.#shown(request, auth, door)))
    );
  }

  /** Closes the connection; resolves when it is gone. */
  close(): Promise<void> {
    return this.#exchange.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #inSession(query: HttpQuery, login: Login, door: Door): Promise<Page | NoReply> {
    const request = this.#deps.allow.web(query);
    return door.inSession<Page>(pageOf(request), {
      open: () => this.#open(login, door),
      ask: ({ headers }) => this.#exchange.request(request, headers),
      isOver: (page) => isOver(page, login, query),
    });
  }

  async #open(login: Login, { credential }: Door): Promise<Session | NoReply> {
    const { user } = credential;
    const request = this.#deps.allow.login(login, { user, password: credential.password() });
    const page = await this.#exchange.once(request);
    if (page.kind === 'no-reply') return page;
    const headers = page.status < 400 ? sessionIn(page, login) : undefined;
    return headers === undefined
      ? noReply('refused', `the device refused the log-in, HTTP ${page.status}`)
      : { headers };
  }

  /** With the log-in in each request; where the device has to say first what it wants to know, that is asked for once. */
  async #shown(request: WebRequest, scheme: Scheme, door: Door): Promise<Page | NoReply> {
    const isAnswerToNow = this.#challenge !== undefined;
    const headers = this.#asksFirst(scheme, door) ? undefined : this.#headers(request, scheme, door);
    const page =
      headers === undefined ? await this.#exchange.request(request) : await this.#show(request, headers, door);
    if (page.kind === 'no-reply') return page;
    if (!isRefusal(page, scheme)) {
      if (headers !== undefined) this.#noteAnswer(page, pageOf(request), door);
      return page;
    }
    const challenge = page.challenges.find((candidate) => candidate.scheme === challengeOf(scheme));
    const isStale = challenge?.parameters.get('stale')?.toLowerCase() === 'true';
    if (headers !== undefined && isStale) this.#deps.logins.challenges.endedTold(door.name);
    const mayBeNonce = scheme === 'digest' && (!isAnswerToNow || this.#mayHaveEnded(challenge, door));
    const mayAnswer = headers === undefined || isStale || mayBeNonce;
    if (challenge === undefined || !mayAnswer)
      return headers === undefined ? notSupported(page) : this.#turnedAway(page, request, door);
    this.#challenge = challenge;
    if (scheme === 'digest') this.#deps.logins.challenges.keep(door.name, challenge);
    const answer = this.#headers(request, scheme, door);
    if (answer === undefined) {
      this.#deps.logins.challenges.forget(door.name);
      return headers === undefined ? notSupported(page) : this.#turnedAway(page, request, door);
    }
    if (headers !== undefined && !door.repeats()) return this.#turnedAway(page, request, door);
    const answered = await this.#show(request, answer, door);
    if (answered.kind === 'no-reply') return answered;
    if (isRefusal(answered, scheme)) return this.#turnedAway(answered, request, door);
    if (headers !== undefined && !isStale) this.#deps.logins.challenges.endedUntold(door.name);
    this.#noteAnswer(answered, pageOf(request), door);
    return answered;
  }

  /**
   * Whether a refused answer may have been one to a nonce that ended, and not the wrong one. RFC 7616 wants that said (`stale`), and not all
   * devices do; one that does knows no nonce from before it started. A nonce of this look may have ended where the log-in was taken
   * since the look began, and the device now gives another one.
   */
  #mayHaveEnded(challenge: Challenge | undefined, { name, wasTaken }: Door): boolean {
    const isAnother = challenge !== undefined && this.#deps.logins.challenges.isAnother(name, challenge);
    return isAnother && this.#wasTaken && wasTaken;
  }

  /** A log-in that the device did not take when it was shown last is shown once, and so is one that may not be shown once more. */
  async #show(request: WebRequest, headers: Headers, door: Door): Promise<Page | NoReply> {
    const barred = await door.barred();
    if (barred !== undefined) return barred;
    const page = await (door.wasTaken && door.mayRepeat
      ? // A device that hung up on it may have seen it: what is sent again is shown again.
        this.#exchange.request(request, headers, () => door.repeats())
      : this.#exchange.once(request, headers));
    if (page.kind === 'page') return page;
    if (page.begun === true) this.#accepted(pageOf(request), door);
    else if (page.dark === true) door.unreached();
    else {
      door.unanswered(page, pageOf(request));
      this.#deps.logins.challenges.forget(door.name);
    }
    return page;
  }

  /**
   * What a page that is no refusal says of the log-in that was shown for it. A device that is locked takes none, whatever it is; an error of
   * one that did not take it before may be its word about a wrong one.
   */
  #noteAnswer({ status }: Page, page: string, door: Door): void {
    const isLocked = status === 423 || status === 429;
    const isFault = status >= 500 && status !== 501;
    if (status === 403) door.forbidden(page);
    else if (isLocked || (isFault && !door.wasTaken)) door.unanswered({ reason: 'unreadable' }, page);
    else this.#accepted(page, door);
  }

  #accepted(page: string, door: Door): void {
    this.#wasTaken = true;
    door.accepted(page);
  }

  #turnedAway(page: Page, request: WebRequest, door: Door): Page {
    door.refused(`HTTP ${page.status}`, pageOf(request));
    // The next try begins with the device's question, so that it shows the log-in once.
    this.#deps.logins.challenges.forget(door.name);
    return page;
  }

  /**
   * Whether the device is to give a new nonce for this page. An old one may have ended: only a log-in that was taken is answered with it.
   * Where nonces end without a word each page gets one of its own, so that what is refused is the password, and so it does where there is no
   * second answer to give.
   */
  #asksFirst(scheme: Scheme, { name, wasTaken, mayRepeat }: Door): boolean {
    if (scheme !== 'digest') return false;
    return this.#deps.logins.challenges.endsUntold(name) || !mayRepeat || (this.#challenge === undefined && !wasTaken);
  }

  /** Undefined where the device has to ask first. */
  #headers({ path }: WebRequest, scheme: Scheme, door: Door): Headers | undefined {
    const { credential } = door;
    if (typeof scheme === 'object') return [[scheme.header, oneLine(credential.password())]];
    switch (scheme) {
      case 'basic':
        return [['Authorization', basicHeader(credential)]];
      case 'bearer':
        return [['Authorization', bearerHeader(credential)]];
      case 'basic-if-asked':
        return this.#challenge === undefined ? undefined : [['Authorization', basicHeader(credential)]];
      case 'digest':
        return this.#digest(path, door);
    }
  }

  #digest(path: string, door: Door): Headers | undefined {
    const { name, credential } = door;
    const { challenges } = this.#deps.logins;
    const kept = challenges.answering(name);
    if (kept === undefined) return undefined;
    const cnonce = randomUUID().replaceAll('-', '');
    const answer = answerDigest(kept.challenge, { path, credential, count: kept.count, cnonce });
    return answer === undefined ? undefined : [['Authorization', answer]];
  }
}

/** What a refusal is remembered by: the path, and what of it a body asks for. */
const pageOf = ({ path, body }: WebRequest): string => (body === undefined ? path : `${path} ${body}`);

const isLogin = (auth: Auth): auth is Login => typeof auth === 'object' && auth.kind === 'login';

/** The challenge that a scheme answers. A log-in in clear is never sent to a device whose driver knows Digest, whatever it asks for now. */
const challengeOf = (scheme: Scheme): string | undefined =>
  scheme === 'digest' ? 'digest' : scheme === 'basic-if-asked' ? 'basic' : undefined;

/** A log-in that was never shown is none that the device refused. */
const notSupported = ({ status, challenges }: Page): NoReply => {
  const asked = challenges.length === 0 ? 'it names none' : challenges.map(kindOf).join('; ');
  return noReply('refused', `HTTP ${status}: the device asks for a log-in of a kind that is not supported (${asked})`);
};

/** The scheme, and what of its parameters decides whether it can be answered. */
const kindOf = ({ scheme, parameters }: Challenge): string => {
  const decisive = ['qop', 'algorithm'].flatMap((name) => {
    const value = parameters.get(name);
    return value === undefined ? [] : [`${name}=${JSON.stringify(value.slice(0, LONGEST_NAME))}`];
  });
  return [scheme.slice(0, LONGEST_NAME), ...decisive].join(' ');
};

/** Of the words of a device in a detail, characters. */
const LONGEST_NAME = 32;

/** What could end a line of a header is dropped. */
const oneLine = (value: string): string => value.replace(/\p{Cc}/gu, '');

/** A key is refused by 403 as well; to the schemes of HTTP that may mean that this page is for nobody, or for somebody else. */
const isRefusal = ({ status }: Page, scheme: Scheme): boolean =>
  status === 401 || (status === 403 && typeof scheme === 'object');

const isOver = (page: Page | NoReply, login: Login, query: HttpQuery): boolean => {
  if (page.kind === 'no-reply') return false;
  if (page.status === 401 || page.status === 403) return true;
  // A browser without a session is sent to the page where one logs in; behind a cookie, wherever it is sent.
  const isSentOn = page.status >= 300 && page.status < 400;
  if (isSentOn && (login.gives.kind === 'cookie' || /login/i.test(page.location ?? ''))) return true;
  if (login.over === undefined && query.table === undefined) return false;
  const document = documentIn(page, query);
  // In place of the page with the table comes one that asks for the log-in.
  if (document.kind === 'no-reply') return query.table !== undefined && document.reason === 'refused';
  return login.over?.(document.value) === true;
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
