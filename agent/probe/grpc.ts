import type { GrpcLogin, GrpcQuery, Message } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import { type Answer, type Metadata, makeCall } from './grpc-call.ts';
import type { Limits } from './limits.ts';
import type { Logins } from './logins.ts';
import { readMessage } from './protobuf.ts';
import { noReply, readReply } from './reply.ts';
import type { Credential } from './target.ts';

/** What a question over gRPC needs from outside. The limits are asked for anew for each call. */
export interface GrpcDeps {
  readonly limits: () => Limits;
  readonly allow: AllowList;
  readonly logins: Logins;
  readonly signal?: AbortSignal | undefined;
}

/** Codes of gRPC (`statuscodes.md`). */
const OK = 0;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

/**
 * Asks one question over gRPC, with the session of the operator's log-in where it needs one. A session is used again
 * across looks and opened anew, once, when it is over; a log-in that the device refused rests.
 */
export const askGrpc = async (
  endpoint: Endpoint,
  query: GrpcQuery,
  credential: Credential | undefined,
  deps: GrpcDeps,
): Promise<Reply | NoReply> => {
  const { auth } = query;
  const outcome =
    auth === 'none'
      ? await call(endpoint, query, [], deps)
      : credential === undefined
        ? noReply('refused', 'no credentials are configured for this device')
        : await new Visit(endpoint, query, { login: auth, credential }, deps).answer();
  return outcome.kind === 'answer' ? documentOf(outcome, query.answer) : outcome;
};

const call = (endpoint: Endpoint, query: GrpcQuery, metadata: Metadata, deps: GrpcDeps): Promise<Answer | NoReply> =>
  makeCall(endpoint, deps.allow.call(query), metadata, { limits: deps.limits(), signal: deps.signal });

/** One question that needs a log-in. */
class Visit {
  readonly #endpoint: Endpoint;
  readonly #query: GrpcQuery;
  readonly #login: GrpcLogin;
  readonly #credential: Credential;
  readonly #deps: GrpcDeps;
  /** Names device and account among all log-ins. */
  readonly #door: string;

  constructor(
    endpoint: Endpoint,
    query: GrpcQuery,
    { login, credential }: { readonly login: GrpcLogin; readonly credential: Credential },
    deps: GrpcDeps,
  ) {
    this.#endpoint = endpoint;
    this.#query = query;
    this.#login = login;
    this.#credential = credential;
    this.#deps = deps;
    this.#door = `${endpoint.host} ${endpoint.port} ${credential.user}`;
  }

  async answer(): Promise<Answer | NoReply> {
    const { logins } = this.#deps;
    const restsMs = logins.restsMs(this.#door, this.#credential);
    if (restsMs > 0)
      return noReply('refused', `the device refused the log-in, which rests for ${Math.ceil(restsMs / 60_000)} min`);
    const kept = logins.session(this.#door);
    if (kept !== undefined) {
      const answer = await call(this.#endpoint, this.#query, kept.headers, this.#deps);
      if (!isOver(answer)) return answer;
      logins.ended(this.#door);
    }
    const metadata = await this.#open();
    if ('kind' in metadata) return metadata;
    const answer = await call(this.#endpoint, this.#query, metadata, this.#deps);
    if (isOver(answer)) {
      logins.ended(this.#door);
      return this.#refused('the session that the device gave opens nothing');
    }
    if (answer.kind === 'answer') logins.accepted(this.#door);
    return answer;
  }

  async #open(): Promise<Metadata | NoReply> {
    const { allow, logins, limits, signal } = this.#deps;
    const { user } = this.#credential;
    const request = allow.callLogin(this.#login, { user, password: this.#credential.password() });
    const answer = await makeCall(this.#endpoint, request, [], { limits: limits(), signal });
    if (answer.kind === 'no-reply') return answer.reason === 'refused' ? this.#refused(answer.detail) : answer;
    const token = answer.status === OK ? tokenIn(answer, this.#login) : undefined;
    if (token === undefined) return this.#refused(`the device refused the log-in, gRPC status ${answer.status}`);
    const headers = [[this.#login.metadata, token]] as const;
    logins.opened(this.#door, { headers });
    return headers;
  }

  #refused(detail: string): NoReply {
    this.#deps.logins.refused(this.#door, this.#credential);
    return noReply('refused', detail);
  }
}

const isOver = (answer: Answer | NoReply): boolean =>
  answer.kind === 'answer' ? answer.status === UNAUTHENTICATED : answer.reason === 'refused';

/** What metadata can carry, and no more of it than a token needs. */
const TOKEN = /^[!-~]{1,1024}$/;

const tokenIn = ({ metadata, message }: Answer, login: GrpcLogin): string | undefined => {
  const told = metadata[login.metadata];
  const token =
    typeof told === 'string' ? told : readMessage(message ?? NOTHING, { [login.field]: ['token', 'text'] })?.token;
  return typeof token === 'string' && TOKEN.test(token) ? token : undefined;
};

const NOTHING = new Uint8Array();

/** The document of an answer, as JSON. */
const documentOf = ({ status, message }: Answer, fields: Message): Reply | NoReply => {
  if (status === UNAUTHENTICATED || status === PERMISSION_DENIED) return noReply('refused', `gRPC status ${status}`);
  if (status === UNIMPLEMENTED) return noReply('unsupported', 'no such method');
  if (status !== OK) return noReply('unreadable', `gRPC status ${status}`);
  return message === undefined ? noReply('unreadable', 'not one plain message') : readAnswer(message, fields);
};

/** A message as the JSON document that stands for it from here on: for readers, masks and recordings. */
export const readAnswer = (message: Uint8Array, fields: Message): Reply | NoReply => {
  const document = readMessage(message, fields);
  if (document === undefined) return noReply('unreadable', 'not the message that answers this call');
  return readReply(Buffer.from(JSON.stringify(document)), { whole: true });
};
