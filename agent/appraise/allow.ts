import { hash } from 'node:crypto';
import { distance } from 'fastest-levenshtein';
import { canonicalJson } from '../../shared/jcs.ts';
import { matchesUser } from './pool-template.ts';
import { endpointText, isPlainHost, parseEndpoint, withoutPath } from './pool-url.ts';
import type { AllowList } from './rule.ts';
import { fieldsOf, type Templated } from './template.ts';
import { unordered } from './unordered.ts';

/** Matching against the operator's list of pools. Patterns are anchored at both ends. */

/** `*.pool.example` stands for one or more labels before `.pool.example`, never for the bare name. A star stands for nothing that is no host. */
const hostMatches = (pattern: string, host: string): boolean =>
  pattern === host ||
  (isPlainHost(host) && (pattern === '*' || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)))));

const urlMatches = (pattern: string, url: string): boolean => {
  const [want, have] = [parseEndpoint(pattern), parseEndpoint(url)];
  return (
    (want.scheme === undefined || want.scheme === have.scheme) &&
    // cgminer connects to what stands before the `@` where that looks like a host: only a line that says so allows it.
    want.account === have.account &&
    hostMatches(want.host, have.host) &&
    (want.port === undefined || want.port === have.port) &&
    (want.path === '' || want.path === have.path)
  );
};

/** Whether a line of the list allows this pool to the device. A user that is not known is judged by the URL alone. */
export const isListed = (allow: AllowList, url: string, user: string | undefined, device: Templated): boolean =>
  allow.some(
    (line) =>
      urlMatches(line.url, url) &&
      (line.user === undefined || user === undefined || matchesUser(line.user, user, device)),
  );

/** Whether a line of the list names this proxy, for whoever it is: it sees the work of all of them. */
export const isListedProxy = (allow: AllowList, proxy: string): boolean =>
  allow.some((line) => urlMatches(line.url, proxy));

/** Whether a line of the list allows this host, for whoever it is. */
export const isListedHost = (allow: AllowList, host: string): boolean =>
  allow.some((line) => hostMatches(parseEndpoint(line.url).host, host));

/** Whether a line for this pool names workers by a template, and the user is what it makes of the device. */
export const followsTemplate = (allow: AllowList, url: string, user: string, device: Templated): boolean =>
  allow.some(
    (line) =>
      line.user !== undefined &&
      fieldsOf(line.user).length > 0 &&
      urlMatches(line.url, url) &&
      matchesUser(line.user, user, device),
  );

/**
 * The same for a pool that runs. A list of what runs may name it without its key, which stands in the path of a Stratum V2
 * URL: then a line counts without its path.
 */
export const isListedRunning: typeof isListed = (allow, url, ...about) => {
  const known = parseEndpoint(url).path === '' ? allow.map((line) => ({ ...line, url: withoutPath(line.url) })) : allow;
  return isListed(known, url, ...about);
};

/** The line that is spelled most like this pool, for people who look for the typing error. */
export const nearestLine = (allow: AllowList, url: string, user: string | undefined): AllowList[number] | undefined => {
  const pool = `${endpointText(url)} ${user ?? ''}`;
  let nearest: { readonly line: AllowList[number]; readonly steps: number } | undefined;
  for (const line of meantLines(allow)) {
    const steps = distance(pool, `${line.url} ${line.user ?? ''}`);
    if (nearest === undefined || steps < nearest.steps) nearest = { line, steps };
  }
  return nearest?.line;
};

/** What the list says, however it is written: each line once, in one spelling, in an order of their own. */
export const meantLines = (allow: AllowList): AllowList => {
  const known = meant.get(allow);
  if (known !== undefined) return known;
  const list = unordered(allow.map(({ url, user }) => shownLine({ url: endpointText(url), user })));
  meant.set(allow, list);
  return list;
};

const meant = new WeakMap<AllowList, AllowList>();

/** The list as text that is another one when something else is allowed; one text for all devices under it. */
export const digestOfList = (allow: AllowList): string => {
  const known = digests.get(allow);
  if (known !== undefined) return known;
  const digest = hash('sha256', meantLines(allow).map(canonicalJson).join('\n'), 'base64url');
  digests.set(allow, digest);
  return digest;
};

const digests = new WeakMap<AllowList, string>();

/** A line as a value of a finding. */
export const shownLine = ({ url, user }: AllowList[number]): { readonly url: string; readonly user?: string } => ({
  url,
  ...(user === undefined ? {} : { user }),
});

/** Addresses that no pool on the internet has (RFC 1918, RFC 4193, link-local, loopback). */
export const isPrivateHost = (url: string): boolean =>
  /^(?:(?=[\d.]+$)(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|127\.)|\[(?:f[cd]|fe80|::1\]))/.test(
    parseEndpoint(url).host,
  );
