import type { CgminerQuery, Driver, HttpQuery, Query } from '../drivers/driver.ts';

/**
 * The closed list of what can be sent to a miner: the questions of all drivers and of identification, compiled once at
 * start. A transport asks it for the bytes to send, so a question that is not on it cannot reach a socket.
 */
export interface AllowList {
  /** The request of a listed CGMiner question. Throws on any other: our own mistake. */
  readonly request: (query: CgminerQuery) => string;
  /** The path of a listed GET. Throws on any other. */
  readonly path: (query: HttpQuery) => string;
  /** Every request that can be sent, as text, sorted: for people and for tests. */
  readonly listed: readonly string[];
}

/** No `|`, `+` or `,`: neither a parameter nor a joined command can be spelled. */
const COMMAND = /^[a-z][a-z0-9_.]*$/;

/** No query string, no `..`, nothing that needs escaping. */
const PATH = /^\/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\/|$))*$/;

/** Commands that change a miner, in any family. A driver that lists one by mistake stops the agent at start. */
const CHANGING_COMMAND =
  /^(?:switchpool|(?:add|remove)pool|(?:en|dis)able.*|pool(?:priority|quota)|failover.*|save|quit|restart.*|reboot.*|zero|debug|hotplug|lockstats|setconfig|(?:asc|pga|gpu)(?:set|restart|identify|(?:en|dis)able|intensity|mem|engine|fan|vddc)|set.*|update.*|upgrade.*|power_.*|pre_power.*|factory.*|ssh_.*|net_config|adjust.*|open_write_api|get_token|load_log|download_logs|pause|resume|logon|logoff|session|privileged|.*shell.*|get\.psu\.command|get\.log\.download)$/;

/** Paths that act on a plain GET, or that write files or export secrets, in any family. */
const CHANGING_PATH =
  /(?:reboot|reset|restart|blink\.cgi|set_|upgrade|passwd|upload|kill_|network_diag|create_|getandsettime|minerconfiguration|mineradvanced|networkconfiguration|monitor\.cgi|\.sh$|wifi\/scan|\/ota|shutdown|\/update|\/save|\/apply)/i;

/** Compiles the questions of `drivers` and `others` into one list. */
export const compileAllowList = (drivers: readonly Driver[], others: readonly Query[] = []): AllowList => {
  const requests = new Map<Query, string>();
  const queries = drivers.flatMap((driver): Query[] => Object.values(driver.queries));
  for (const query of [...others, ...queries].flatMap(withOtherwise)) {
    requests.set(query, query.kind === 'cgminer' ? commandRequest(query) : getPath(query));
  }
  const listed = (query: Query): string => {
    const request = requests.get(query);
    if (request === undefined) throw new Error(`not on the allow-list: ${JSON.stringify(query)}`);
    return request;
  };
  return {
    request: listed,
    path: listed,
    listed: [...new Set([...requests].map(([query, text]) => (query.kind === 'http' ? `GET ${text}` : text)))].sort(),
  };
};

const withOtherwise = (query: Query): readonly Query[] =>
  query.kind === 'cgminer' && query.otherwise !== undefined ? [query, query.otherwise] : [query];

const commandRequest = ({ key, command }: CgminerQuery): string => {
  if (!COMMAND.test(command) || CHANGING_COMMAND.test(command)) throw new Error(`may not be sent: command ${command}`);
  if (key !== 'command' && key !== 'cmd') throw new Error(`may not be sent: key ${key}`);
  return `{"${key}":"${command}"}`;
};

const getPath = ({ path }: HttpQuery): string => {
  if (!PATH.test(path) || CHANGING_PATH.test(path)) throw new Error(`may not be sent: GET ${path}`);
  return path;
};
