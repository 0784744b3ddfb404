import {
  type Auth,
  type CgminerQuery,
  type Driver,
  type FramedQuery,
  type GrpcLogin,
  type GrpcQuery,
  type HandshakePort,
  type HttpQuery,
  type Login,
  PASSWORD,
  type PortName,
  type Query,
  questionOf,
  USER,
} from '../drivers/driver.ts';
import { writeMessage } from './protobuf.ts';
import { CALLS, isReadingQuery, LOGINS, READING } from './reading.ts';

/**
 * The closed list of what can be sent to a miner: the questions of all drivers and of identification, compiled once at
 * start. A transport asks it for the bytes to send, so a question that is not on it cannot reach a socket.
 */
export interface AllowList {
  /** The document that a listed question is sent as. Throws on any other: our own mistake. */
  readonly request: (query: CgminerQuery | FramedQuery) => string;
  /** Method, path and body of a listed web request. Throws on any other. */
  readonly web: (query: HttpQuery) => WebRequest;
  /** The same of a listed log-in, with the operator's user and password put in. Throws on any other. */
  readonly login: (login: Login, account: Account) => WebRequest;
  /** A listed call of gRPC. Throws on any other. */
  readonly call: (query: GrpcQuery) => Call;
  /** A listed log-in of gRPC, with the operator's user and password put in. Throws on any other. */
  readonly callLogin: (login: GrpcLogin, account: Account) => Call;
  /** Every request that can be sent, as text, sorted: for people and for tests. */
  readonly listed: readonly string[];
}

/** A user and a password as they are sent. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/** A call as it is sent: the path of its method, and its message. */
export interface Call {
  readonly path: string;
  readonly message: Uint8Array;
}

/** A web request as it is sent. `type`: of the body. */
export interface WebRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
}

/** No `|`, `+` or `,`: neither a parameter nor a joined command can be spelled. */
const COMMAND = /^[a-z][a-z0-9_.]*$/;

/** Without a query string: no `..`, nothing that needs escaping. */
const PATH = /^\/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\/|$))*$/;

/** Commands that change a miner, in any family. A driver that lists one by mistake stops the agent at start. */
const CHANGING_COMMAND =
  /^(?:switchpool|(?:add|remove)pool|(?:en|dis)able.*|pool(?:priority|quota)|failover.*|save|quit|restart.*|reboot.*|zero|debug|hotplug|lockstats|setconfig|(?:asc|pga|gpu)(?:set|restart|identify|(?:en|dis)able|intensity|mem|engine|fan|vddc)|set.*|update.*|upgrade.*|power_.*|pre_power.*|factory.*|ssh_.*|net_config|adjust.*|open_write_api|get_token|load_log|download_logs|dosleep|pause|resume|logon|logoff|(?:add|remove)group|groupquota|kill|curtail|(?:atm|autotuner|fan|frequency|hashboardopts|healthc\w+|led|log|poolopts|powertarget|profile|temp\w+|voltage)set|\w+switch|frequencystop|profile(?:new|rem|restore)|reset(?:miner|config)|uninstallluxos|netset|.*shell.*|get\.psu\.command|get\.log\.download)$/;

/** Paths that act on a plain GET, that write files or export secrets, or that make the miner ask other hosts, in any family. Of LuCI all but the documented reads. */
const CHANGING_PATH =
  /(?:reboot|reset|restart|blink\.cgi|set_|upgrade|passwd|upload|kill_|network_diag|create_|getandsettime|minerconfiguration|mineradvanced|networkconfiguration|monitor\.cgi|post_led|clear_refine|setworkmode|get_wifi_|wifi_connect|\.sh$|wifi\/scan|\/ota|shutdown|\/update|\/save|\/apply|logout|facrst|(?:new|del)pool|\/mcb\/(?:protect|defend)|cgminerconfig|configminer|\/index\.csp|\/f_settings|\/api\/(?:action|config\/pools)|\/(?:check(?:url|pooltest|gateway|dns)|testingpool|getlatestfirmware)|\/cgi-bin\/luci(?!\/admin\/status\/(?:overview|btminerapi)$))/i;

/** Compiles the questions of `drivers` and `others` into one list. */
export const compileAllowList = (drivers: readonly Driver[], others: readonly Query[] = []): AllowList => {
  const documents = new Map<Query, string>();
  const requests = new Map<Query, WebRequest>();
  const calls = new Map<GrpcQuery, Call>();
  const logins = new Set<Login | GrpcLogin>();
  const queries = drivers.flatMap((driver): Query[] => [...Object.values(driver.queries), ...(driver.assets ?? [])]);
  for (const query of [...others, ...queries].flatMap(withOtherwise)) {
    if (query.kind === 'http') {
      requests.set(query, webRequest(query));
      if (isLogin(query.auth)) logins.add(query.auth);
    } else if (query.kind === 'grpc') {
      calls.set(query, callOf(query));
      if (query.auth !== 'none') logins.add(query.auth);
    } else documents.set(query, documentOf(query));
  }
  return {
    request: (query) => documents.get(query) ?? unlisted(query),
    web: (query) => requests.get(query) ?? unlisted(query),
    login: (login, account) => (logins.has(login) ? loginRequest(login, account) : unlisted(login)),
    call: (query) => calls.get(query) ?? unlisted(query),
    callLogin: (login, account) => (logins.has(login) ? loginCall(login, account) : unlisted(login)),
    listed: sendable(drivers, others).map(({ request }) => request),
  };
};

/** Why a question could not stand on any such list; undefined where it could. */
export const refusalOf = (query: Query): string | undefined => {
  try {
    compileAllowList([], [query]);
    return undefined;
  } catch (error) {
    // Thrown as a mistake of ours, which it is for a built-in driver.
    return (error as Error).message;
  }
};

const unlisted = (what: Query | Login | GrpcLogin): never => {
  throw new Error(`not on the allow-list: ${JSON.stringify(what)}`);
};

/** One request that can be sent, for people: its words, what it serves, and who is asked so. */
export interface Sendable {
  /** The document, or method, path and body; ` @<port>` behind it where it goes to another port than is usual. */
  readonly request: string;
  readonly port: PortName | HandshakePort;
  readonly uses: readonly ('identification' | 'every poll' | 'full look' | 'log-in' | 'endpoint look')[];
  /** Ids of drivers; empty for what only identification asks, and for handshakes. */
  readonly families: readonly string[];
}

/**
 * What is sent where nothing is asked, to a device of any family. It has no places that anybody could fill in: `tls.ts` and
 * `ssh.ts` send it, in the words of their libraries.
 */
export const HANDSHAKES: readonly Sendable[] = [
  {
    request: 'SSH key exchange, without a user or a request to log in; nothing after it',
    port: 'ssh',
    uses: ['endpoint look'],
    families: [],
  },
  {
    request: 'TLS handshake, without a client certificate; nothing after it',
    port: 'https',
    uses: ['endpoint look'],
    families: [],
  },
];

/** Every request that the questions of `drivers` and `others` can become, each once, sorted. */
export const sendable = (drivers: readonly Driver[], others: readonly Query[] = []): readonly Sendable[] => {
  const asked = [
    ...others.flatMap((query) => partsOf(query, 'identification')),
    ...drivers.flatMap(({ family, queries, assets = [] }) => [
      ...Object.values<Query>(queries).flatMap((query) =>
        partsOf(query, query.cadence === 'pools' ? 'every poll' : 'full look', family),
      ),
      ...assets.flatMap((query) => partsOf(query, 'endpoint look', family)),
    ]),
  ];
  return [...Map.groupBy(asked, ({ request }) => request)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([request, parts]) => ({
      request,
      port: (parts[0] as (typeof parts)[number]).port,
      uses: [...new Set(parts.map(({ use }) => use))],
      families: [...new Set(parts.flatMap(({ family }) => family ?? []))].sort(),
    }));
};

/** The requests that one question can lead to: itself, the same under the other key, and the log-in that it needs. */
const partsOf = (query: Query, use: Sendable['uses'][number], family?: string) => {
  const { port } = query;
  const questions = withOtherwise(query).map((one) => ({ request: requestText(one), port, use, family }));
  const login = loginOf(query);
  if (login === undefined) return questions;
  return [...questions, { request: atPort(login, query), port, use: 'log-in' as const, family }];
};

const withOtherwise = (query: Query): readonly Query[] =>
  query.kind === 'cgminer' && query.otherwise !== undefined ? [query, query.otherwise] : [query];

/** The log-in that a question needs, with its placeholders. */
const loginOf = (query: Query): string | undefined => {
  if (query.kind === 'http') return isLogin(query.auth) ? loginText(query.auth) : undefined;
  return query.kind === 'grpc' && query.auth !== 'none' ? callLoginText(query.auth) : undefined;
};

const isLogin = (auth: Auth): auth is Login => typeof auth === 'object' && auth.kind === 'login';

/** A request as people and tests read it; the port stands behind it where it is not the usual one of its kind. */
export const requestText = (query: Query): string => {
  if (query.kind === 'grpc') return atPort(callText(query), query);
  return atPort(query.kind === 'http' ? webText(webRequest(query)) : documentOf(query), query);
};

const atPort = (text: string, query: Query): string => {
  const port = /@\w+(?=:)/.exec(questionOf(query))?.[0];
  return port === undefined ? text : `${text} ${port}`;
};

const webText = ({ method, path, body }: WebRequest): string => `${method} ${path} ${body ?? ''}`.trimEnd();

const documentOf = (query: CgminerQuery | FramedQuery): string =>
  query.kind === 'framed' ? framedDocument(query) : commandDocument(query);

const commandDocument = ({ key, command, about }: CgminerQuery): string => {
  if (!COMMAND.test(command) || CHANGING_COMMAND.test(command)) throw new Error(`may not be sent: command ${command}`);
  if (key !== 'command' && key !== 'cmd') throw new Error(`may not be sent: key ${key}`);
  if (about === undefined) return `{"${key}":"${command}"}`;
  // `check` tells of any command whether it would be let in, and carries out none.
  if (command !== 'check' || !COMMAND.test(about)) throw new Error(`may not be sent: ${command} about ${about}`);
  return `{"${key}":"check","parameter":"${about}"}`;
};

/** Only what begins with `get.`, and not what passes a raw command on (`get.psu.command`). */
const framedDocument = ({ command, param }: FramedQuery): string => {
  if (!/^get\.[a-z._]+$/.test(command) || CHANGING_COMMAND.test(command))
    throw new Error(`may not be sent: command ${command}`);
  if (param === undefined) return `{"cmd":"${command}"}`;
  // The salt is what writes are made with; alone it is asked for by nobody who only reads.
  if (!/^[a-z][a-z+-]*$/.test(param) || param.split('+').includes('salt'))
    throw new Error(`may not be sent: parameter ${param}`);
  return `{"cmd":"${command}","param":"${param}"}`;
};

const webRequest = (query: HttpQuery): WebRequest => {
  const { method, path, body } = query;
  const request: WebRequest = { method, path, ...(body === undefined ? {} : { body, type: typeOf(body) }) };
  const acting = method === 'GET' ? CHANGING_PATH.exec(path)?.[0] : undefined;
  if (acting !== undefined) throw new Error(`may not be sent: ${webText(request)} says "${acting}", which could act`);
  if (!isReading(request)) throw new Error(`may not be sent: ${webText(request)}`);
  if (method === 'POST' && query.auth === 'digest') throw new Error(`Digest is answered for GET only: ${path}`);
  if (isLogin(query.auth)) loginText(query.auth);
  return request;
};

const isReading = (request: WebRequest): boolean => {
  const { method, path, body } = request;
  if (method === 'GET' && body === undefined && PATH.test(path)) return true;
  if (method === 'POST' && path === '/graphql') return isReadingQuery(body ?? '');
  return READING.has(webText(request));
};

const typeOf = (body: string): string =>
  body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded';

/** A log-in with its placeholders. Throws where it is not one of the listed. */
const loginText = (login: Login): string => {
  const text = webText(withMembers(login, login.members, (value) => value));
  if (!LOGINS.has(text)) throw new Error(`may not be sent: ${text}`);
  return text;
};

const loginRequest = (login: Login, { user, password }: Account): WebRequest => {
  const filled = Object.entries(login.members).map(([name, value]) => [
    name,
    value === USER ? user : value === PASSWORD ? password : value,
  ]);
  return withMembers(login, Object.fromEntries(filled), encodeURIComponent);
};

const withMembers = (
  { method, path, as }: Login,
  members: { readonly [name: string]: string },
  encode: (value: string) => string,
): WebRequest => {
  if (as === 'json') {
    const body = JSON.stringify(members);
    return { method, path, body, type: typeOf(body) };
  }
  const pairs = Object.entries(members)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');
  return as === 'query' ? { method, path: `${path}?${pairs}` } : { method, path, body: pairs, type: typeOf(pairs) };
};

// ---- gRPC ------------------------------------------------------------------------------------------------------------

/** `<package>.<Service>/Get…`: no other beginning reads for certain. */
const READING_METHOD = /^[a-z]\w*(?:\.[a-z]\w*)*\.[A-Z]\w*\/Get[A-Z]\w*$/;

const callText = ({ method }: Pick<GrpcQuery, 'method'>): string => {
  const text = `grpc ${method}`;
  if (!READING_METHOD.test(method) || !CALLS.has(text)) throw new Error(`may not be sent: ${text}`);
  return text;
};

const callOf = (query: GrpcQuery): Call => {
  callText(query);
  if (query.auth !== 'none') callLoginText(query.auth);
  return { path: `/${query.method}`, message: new Uint8Array() };
};

/** A log-in with its placeholders. Throws where it is not one of the listed. */
const callLoginText = ({ method, fields }: GrpcLogin): string => {
  const members = Object.entries(fields).map(([number, value]) => `${number}=${value}`);
  const text = ['grpc', method, ...members].join(' ');
  if (!LOGINS.has(text)) throw new Error(`may not be sent: ${text}`);
  return text;
};

const loginCall = ({ method, fields }: GrpcLogin, { user, password }: Account): Call => {
  const filled = Object.entries(fields).map(
    ([number, value]) => [Number(number), value === USER ? user : password] as const,
  );
  return { path: `/${method}`, message: writeMessage(filled) };
};
