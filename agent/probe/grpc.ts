import type { GrpcLogin, GrpcQuery, Message } from '../drivers/driver.ts';
import type { AllowList } from './allow.ts';
import type { NoReply, Reply } from './capture.ts';
import type { Endpoint } from './connection.ts';
import { Door, NO_CREDENTIAL } from './door.ts';
import { type Answer, type Metadata, makeCall } from './grpc-call.ts';
import type { Limits } from './limits.ts';
import type { Logins, Session } from './logins.ts';
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

/** Asks one question over gRPC, with the session of the operator's log-in where it needs one. */
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
        ? NO_CREDENTIAL
        : await callInSession(endpoint, query, { login: auth, credential }, deps);
  return outcome.kind === 'answer' ? documentOf(outcome, query.answer) : outcome;
};

const call = (endpoint: Endpoint, query: GrpcQuery, metadata: Metadata, deps: GrpcDeps): Promise<Answer | NoReply> =>
  makeCall(endpoint, deps.allow.call(query), metadata, { limits: deps.limits(), signal: deps.signal });

interface Account {
  readonly login: GrpcLogin;
  readonly credential: Credential;
}

const callInSession = async (
  endpoint: Endpoint,
  query: GrpcQuery,
  account: Account,
  deps: GrpcDeps,
): Promise<Answer | NoReply> => {
  const door = new Door(endpoint, account.credential, deps.logins);
  return (
    door.resting(query.method) ??
    (await door.inSession<Answer>(query.method, {
      open: () => openSession(endpoint, account, deps),
      ask: ({ headers }) => call(endpoint, query, headers, deps),
      isOver,
    }))
  );
};

const openSession = async (
  endpoint: Endpoint,
  { login, credential }: Account,
  { allow, limits, signal }: GrpcDeps,
): Promise<Session | NoReply> => {
  const request = allow.callLogin(login, { user: credential.user, password: credential.password() });
  const answer = await makeCall(endpoint, request, [], { limits: limits(), signal });
  if (answer.kind === 'no-reply') return answer;
  const token = answer.status === OK ? tokenIn(answer, login) : undefined;
  if (token === undefined) return noReply('refused', `the device refused the log-in, gRPC status ${answer.status}`);
  return { headers: [[login.metadata, token]] };
};

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
