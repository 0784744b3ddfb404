import { getDomain } from 'tldts';
import { bracketed, canonicalHost } from '../normalise/pool-url.ts';

/** The parts of a pool URL that decide where work goes. Lower case where the case says nothing; a missing part stays missing. */
export interface Endpoint {
  readonly scheme?: string;
  /** What stands before the last `@`. Firmwares differ in what they make of it: some connect to what stands there. */
  readonly account?: string;
  readonly host: string;
  readonly port?: string;
  readonly path: string;
}

/** Reads a pool URL, or a pattern for one. Never fails: what is not a URL is a host that matches nothing else. */
export const parseEndpoint = (url: string): Endpoint => {
  const found = url.trim().match(/^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#]*)(.*)$/is);
  const [, scheme, authority = '', tail = ''] = found ?? [];
  const at = authority.lastIndexOf('@');
  const own = authority.slice(at + 1);
  const [place, path] = leadsElsewhere(own, tail) ? [own + tail, ''] : [own, tail];
  const [, host = place, port] = bracketed(place).match(/^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/) ?? [];
  return {
    ...(scheme === undefined ? {} : { scheme: scheme.toLowerCase() }),
    ...(at === -1 ? {} : { account: authority.slice(0, at) }),
    host: canonicalHost(host.replace(/\.$/, '')),
    ...(port === undefined ? {} : { port: String(Number(port)) }),
    path: path === '/' ? '' : path.replace(/\/$/, ''),
  };
};

const LONGEST_NAME = 253;
const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const BRACKETED = /^\[[0-9a-f:.]+(?:%[a-z0-9_.-]+)?\]$/;

/**
 * Whether what stands behind the host makes another host of it for miners to which a slash, `?` and `#` mean nothing: cgminer takes
 * all up to the first colon, or up to the first behind a `]`.
 */
const leadsElsewhere = (own: string, tail: string): boolean =>
  /^(?:\[[^\]]*\])?[^:]*$/.test(own) ? !NAMES_NOTHING.test(tail) : /[:[\]]/.test(tail);

/** No dot, colon, bracket or `@`, and nothing but printable ASCII. */
const NAMES_NOTHING = /^[!-\-/-9;-?A-Z\\^-~]*$/;

/**
 * Whether a host is an address, or a name of labels that DNS knows. Of anything else resolvers make what they like: older ones
 * connect to the address in `203.0.113.66 .pool.example` (CVE-2016-10739).
 */
export const isPlainHost = (host: string): boolean =>
  (host.length <= LONGEST_NAME && NAME.test(host)) || BRACKETED.test(host);

/** The reason of a finding about a URL whose host is neither an address nor a name. */
export const marksOfHost = (url: string): readonly string[] =>
  isPlainHost(parseEndpoint(url).host) ? [] : ['malformed-host'];

/** Whether two URLs name one endpoint, however they are spelled. */
export const sameUrl = (a: string, b: string): boolean => {
  if (a === b) return true;
  const [one, other] = [parseEndpoint(a), parseEndpoint(b)];
  return (
    one.scheme === other.scheme &&
    one.account === other.account &&
    one.host === other.host &&
    one.port === other.port &&
    one.path === other.path
  );
};

/** The name that was registered, e.g. `pool.example` of `eu.pool.example`; undefined for addresses, bare names and what is neither. */
export const domainOf = (host: string): string | undefined =>
  isPlainHost(host) ? (getDomain(host, { allowPrivateDomains: true }) ?? undefined) : undefined;

/** Same scheme, same account, and both hosts under one registered name. */
export const sameOwner = (a: string, b: string): boolean => {
  const owner = ownerText(a);
  return owner !== undefined && owner === ownerText(b);
};

/** The same endpoint, whatever stands behind its port: a path, the key of a pool, a remark. */
export const withoutPath = (url: string): string => {
  const { path } = parseEndpoint(url);
  return path === '' ? url : url.slice(0, url.lastIndexOf(path));
};

/** A comparable spelling. */
export const endpointText = (url: string): string => {
  const { scheme, account, host, port, path } = parseEndpoint(url);
  return `${scheme === undefined ? '' : `${scheme}://`}${account === undefined ? '' : `${account}@`}${host}${port === undefined ? '' : `:${port}`}${path}`;
};

/** What URLs of one owner have in common, to be compared; undefined where the host has no registered name. */
export const ownerText = (url: string): string | undefined => {
  const { scheme, account, host } = parseEndpoint(url);
  const domain = domainOf(host);
  return domain === undefined ? undefined : JSON.stringify([scheme, account, domain]);
};
