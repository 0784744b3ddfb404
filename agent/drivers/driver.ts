import type { FactName, FactValues, Reading } from '../../shared/facts.ts';
import type { JsonValue, NoReply, Reply } from '../probe/capture.ts';

/** When a query is asked: at every pools round and full look (`pools`), or at full looks only (`config`). */
export type Cadence = 'pools' | 'config';

/** The interfaces of miners by name, with the TCP port each listens on unless the configuration says otherwise. */
export const PORTS = {
  cgminer: 4028,
  http: 80,
  auradine: 8080,
  volcminer: 8359,
  whatsminer: 4433,
  grpc: 50051,
  https: 443,
} as const;
export type PortName = keyof typeof PORTS;

/** A port at which nothing is asked: a handshake there shows a key. It has a name and a number like the others. */
export const HANDSHAKE_PORTS = { ssh: 22 } as const;
/** Ports whose handshake shows a key. */
export type HandshakePort = 'https' | keyof typeof HANDSHAKE_PORTS;

/** Every port that a device may have, by name. */
export const ALL_PORTS = { ...PORTS, ...HANDSHAKE_PORTS } as const;

interface Question {
  readonly port: PortName;
  readonly cadence: Cadence;
  /** Whether the answers of this look so far show that the device has no answer: then it is not asked, and `unsupported`. */
  readonly unless?: (replies: Replies) => boolean;
}

/** A question to the CGMiner API. `command` is a literal name, sent as `{"<key>":"<command>"}`, one per connection, never joined. */
export interface CgminerQuery extends Question {
  readonly kind: 'cgminer';
  readonly command: string;
  /** The command that `check` asks about: whether it would be let in. It is not carried out. */
  readonly about?: string;
  /** `command` unless the firmware wants `cmd`. */
  readonly key: 'command' | 'cmd';
  /** The same command under the other key, asked where the device does not know the question by this one (code 14 or 24). */
  readonly otherwise?: CgminerQuery;
}

/**
 * A request for a fixed path, with a fixed body where a firmware answers reads to POST only. At the port `https` it goes
 * through TLS. `auth` says how the device asks for a log-in; without a configured credential such a query is `refused`.
 */
export interface HttpQuery extends Question {
  readonly kind: 'http';
  readonly method: 'GET' | 'POST';
  /** With its query string, where the firmware selects what it says by one. */
  readonly path: string;
  /** Of a POST. A form, or a JSON document where it begins with a brace. */
  readonly body?: string;
  readonly auth: Auth;
  /** The answer is a page of HTML, and the document what the table under this heading says: one member for each row. */
  readonly table?: string;
}

/** A question to WhatsMiner API 3: `{"cmd":"<command>"}`, with its length in front, one per connection. */
export interface FramedQuery extends Question {
  readonly kind: 'framed';
  readonly command: string;
  readonly param?: string;
}

/**
 * A call of gRPC, one per connection, over HTTP/2 in clear. Its message is empty: nothing can be passed. `answer` names
 * what is taken of the reply; without the log-in of `auth` it is `refused`.
 */
export interface GrpcQuery extends Question {
  readonly kind: 'grpc';
  /** `<package>.<Service>/<Method>`. */
  readonly method: string;
  readonly answer: Message;
  readonly auth: 'none' | GrpcLogin;
}

/** Fields of a protobuf message by number. What is not named here is skipped. */
export interface Message {
  readonly [number: number]: Field;
}

/** The name of a field, what it holds, and whether it is a list. */
export type Field = readonly [name: string, holds: 'text' | 'number' | Message, many?: 'list'];

/** The closed verb set of the driver language. There is no verb that changes a miner. */
export type Query = CgminerQuery | HttpQuery | FramedQuery | GrpcQuery;

/**
 * How a device asks for a log-in: by a scheme of HTTP, by a key in a header of its own, or by a request that opens a
 * session. `basic-if-asked`: the log-in is the owner's choice, and the device is asked without one as long as it answers.
 */
export type Auth = Scheme | KeyHeader | Login;

type Scheme = 'none' | 'basic-if-asked' | 'digest' | 'basic' | 'bearer';

/** A key that the operator made on the device, in a header of that name. The password of the log-in is the key. */
export interface KeyHeader {
  readonly kind: 'key';
  readonly header: string;
}

/** What stands for the operator's log-in in the members of a `Login`. */
export const USER = '<user>';
export const PASSWORD = '<password>';

/** The one request that opens a read session. It changes no setting; its session is kept and used again. */
export interface Login {
  readonly kind: 'login';
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** How the members are sent: as a form, as JSON, or in the query string. */
  readonly as: 'form' | 'json' | 'query';
  readonly members: { readonly [name: string]: string };
  /** What the device gives: cookies, or a token at a JSON Pointer that goes into a header, behind `prefix`. */
  readonly gives:
    | { readonly kind: 'cookie' }
    | { readonly kind: 'token'; readonly pointer: string; readonly header: string; readonly prefix?: string };
  /** Whether a document says that the session is over, where the device does not say it by its status. */
  readonly over?: (document: JsonValue) => boolean;
  /** Some firmware answers to anybody: no session is opened before the device says that it wants one. */
  readonly ifAsked?: true;
}

/** The one call that opens a read session. Its token goes into the metadata of each further call, as it is. */
export interface GrpcLogin {
  readonly kind: 'grpc-login';
  /** `<package>.<Service>/<Method>`. */
  readonly method: string;
  /** What its message holds, by number of the field. */
  readonly fields: { readonly [number: number]: typeof USER | typeof PASSWORD };
  /** The metadata that carries the token, in the answer as in the calls. */
  readonly metadata: string;
  /** The field of the answer that holds it, where the metadata does not. */
  readonly field: number;
}

type Options<Q extends Question> = { readonly cadence: Cadence } & Partial<Pick<Q, 'port' | 'unless'>>;

const FULL = { cadence: 'config' } as const;

/** `either` asks by `command` first. */
export const cgminer = (
  command: string,
  { key = 'command', ...options }: Options<CgminerQuery> & { key?: 'command' | 'cmd' | 'either' } = FULL,
): CgminerQuery =>
  key === 'either'
    ? { ...cgminer(command, options), otherwise: cgminer(command, { ...options, key: 'cmd' }) }
    : { kind: 'cgminer', port: 'cgminer', command, key, ...options };

/** Whether this gateway would be let in with a command (API-README, `check`). */
export const cgminerCheck = (about: string, options: Options<CgminerQuery> = FULL): CgminerQuery => ({
  ...cgminer('check', options),
  about,
});

export const httpGet = (
  path: string,
  options: Options<HttpQuery> & Partial<Pick<HttpQuery, 'auth' | 'table'>> = FULL,
): HttpQuery => ({
  kind: 'http',
  port: 'http',
  method: 'GET',
  path,
  auth: 'none',
  ...options,
});

/** For reads that a firmware answers to POST only. Each is listed a second time beside the transport. */
export const httpPost = (
  path: string,
  body: string,
  options: Options<HttpQuery> & { auth?: Auth } = FULL,
): HttpQuery => ({
  ...httpGet(path, options),
  method: 'POST',
  body,
});

/** A static page of the web interface, for `assets`. */
export const asset = (path: string): HttpQuery => httpGet(path);

export const framed = (
  command: string,
  { param, ...options }: Options<FramedQuery> & { param?: string } = FULL,
): FramedQuery => ({
  kind: 'framed',
  port: 'whatsminer',
  command,
  ...(param === undefined ? {} : { param }),
  ...options,
});

export const grpc = (
  method: string,
  answer: Message,
  { auth, ...options }: Options<GrpcQuery> & { auth: GrpcQuery['auth'] },
): GrpcQuery => ({ kind: 'grpc', port: 'grpc', method, answer, auth, ...options });

/** Where each kind of question goes unless it says otherwise. */
const USUAL: { readonly [Kind in Query['kind']]: PortName } = {
  cgminer: 'cgminer',
  http: 'http',
  framed: 'whatsminer',
  grpc: 'grpc',
};

/** A question as text, for specimens, documents and people: `cgminer:version`, `http:/path`, `http@cgminer:/summary`. */
export const questionOf = (query: Query): string => {
  const port = query.port === USUAL[query.kind] ? '' : `@${query.port}`;
  return `${query.kind}${port}:${wordsOf(query)}`;
};

const wordsOf = (query: Query): string => {
  switch (query.kind) {
    case 'cgminer':
      return query.about === undefined ? query.command : `${query.command} ${query.about}`;
    case 'http':
      return query.method === 'GET' ? query.path : `POST ${query.path} ${query.body ?? ''}`.trimEnd();
    case 'framed':
      return query.param === undefined ? query.command : `${query.command} ${query.param}`;
    case 'grpc':
      return query.method;
  }
};

/** The name under which identification files the reply to a question: the command with what it is about, or the path. */
export const clueName = (query: Query): string => (query.kind === 'http' ? query.path : wordsOf(query));

/** The replies a fact may look at, by query name. */
export type Replies<Name extends string = string> = ReadonlyMap<Name, Reply | NoReply>;

/**
 * Where a fact stands: the queries it needs, and a pure function from their replies to a reading. Made by the
 * functions of `readers.ts` (`at`, `firstOf`, `joined` …). `queries` decides in which looks the fact is asked.
 */
export interface Source<T, Name extends string = string> {
  readonly queries: readonly Name[];
  readonly read: (replies: Replies) => Reading<T>;
  /** Where one place may stand in for another: each of them by itself. */
  readonly places?: readonly Source<T, Name>[];
}

/** What identification saw at an address, gathered without credentials. Untrusted. */
export interface Clues {
  /** Parsed reply of 4028 `version`, else of the next identifying command that answered (`get_version`, `summary` …), by command name. */
  readonly cgminer: ReadonlyMap<string, JsonValue>;
  /** GET /: status, `WWW-Authenticate` realm, redirect target, start of the body. Absent when port 80 did not answer. */
  readonly web?: {
    readonly status: number;
    readonly realm?: string;
    readonly location?: string;
    readonly body: string;
  };
  /** Parsed replies of identifying web requests, by path. */
  readonly http: ReadonlyMap<string, JsonValue>;
  /** Parsed replies of WhatsMiner API 3, by command. */
  readonly framed?: ReadonlyMap<string, JsonValue>;
  /** Answers to calls of gRPC, by method. */
  readonly grpc?: ReadonlyMap<string, JsonValue>;
}

/** One firmware family: what can be asked, how it is recognised, where each fact stands. A value, not a class. */
export interface Driver<Name extends string = string> {
  /** Id of the family: lower case, digits, dashes. */
  readonly family: string;
  /** For people and the documentation. */
  readonly title: string;
  /** Where the knowledge comes from. */
  readonly source: string;
  /** How sure the clues make this driver: 0 no, 1 possible, 2 likely, 3 certain. The highest wins; a tie is `ambiguous`. */
  readonly recognise: (clues: Clues) => 0 | 1 | 2 | 3;
  /** Whether replies of a later look still speak this family; `false` makes the agent identify the device anew. */
  readonly stillSpeaks?: (replies: Replies) => boolean;
  /** Units may be told by a web page alone, while all else that they say is what any miner program says. */
  readonly toldByPage?: true;
  readonly queries: { readonly [Key in Name]: Query };
  /**
   * Pages that are the same for everybody as long as the firmware is, and are given without a log-in: their digests are
   * components of the firmware. Never one with a time, a counter or a token in it.
   */
  readonly assets?: readonly HttpQuery[];
  /** How long a device of this family wants to be left alone between two connections to its CGMiner API, ms. */
  readonly pauseMs?: number;
  /**
   * Names of queries that settle whether it is this family, where the first clues only make it likely. One behind Digest is
   * asked last, and only where every family that it could be has the same one.
   */
  readonly proofs?: readonly Name[];
  /** The log-in that the maker documents. It is tried only where the operator turned that on. */
  readonly vendorLogin?: { readonly user: string; readonly password: string };
  readonly facts: { readonly [Fact in FactName]?: Source<FactValues[Fact], Name> };
  /** Names of members whose values are secret wherever they stand in a reply, e.g. `pass`. Added to the common list. */
  readonly secrets?: readonly string[];
  /** Default port of a pool URL that names none, where the firmware documents one. */
  readonly defaultPoolPort?: number;
  /** Oddities, for the generated documentation: one sentence each, with the hardware they were seen on. */
  readonly quirks?: readonly string[];
  /** What an operator should close or change on such a device, for the documentation: one sentence each. */
  readonly close?: readonly string[];
  /** Facts whose place no reply of a device showed yet. */
  readonly unverified?: readonly FactName[];
  /** Made of a driver file of the operator: it never takes a device that a built-in driver finds at least likely. */
  readonly outside?: true;
}

/** Checks query names and reader types at compile time; returns its argument. */
export const defineDriver = <const Name extends string>(driver: Driver<Name>): Driver => driver as unknown as Driver;

// Sources name queries by the driver's own literal names; once defined, a driver is used by code that knows them only as text.
