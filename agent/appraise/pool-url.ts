import { getDomain } from 'tldts';

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
  const [, scheme, authority = '', path = ''] = found ?? [];
  const at = authority.lastIndexOf('@');
  const place = authority.slice(at + 1);
  const [, host = place, port] = place.match(/^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/) ?? [];
  return {
    ...(scheme === undefined ? {} : { scheme: scheme.toLowerCase() }),
    ...(at === -1 ? {} : { account: authority.slice(0, at) }),
    host: host.toLowerCase().replace(/\.$/, ''),
    ...(port === undefined ? {} : { port: String(Number(port)) }),
    path: path === '/' ? '' : path.replace(/\/$/, ''),
  };
};

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

/** The name that was registered, e.g. `pool.example` of `eu.pool.example`; undefined for addresses and bare names. */
export const domainOf = (host: string): string | undefined =>
  getDomain(host, { allowPrivateDomains: true }) ?? undefined;

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
