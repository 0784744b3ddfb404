import { withoutSecrets } from '../drivers/text-secrets.ts';

/** Scheme, authority without user, port, rest and flag of a pool URL, as loosely as firmwares write them. */
const POOL_URL =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?:(?<user>[^/?#]*)@)?(?<host>\[[^\]]*\]|[^:/#?\s]*)(?::(?<port>\d{1,5}))?(?<path>[/?][^#]*)?(?<flag>#.*)?$/i;

/** An IPv6 address that nobody put in brackets, so that no port can stand behind it; with the zone of a link, where it has one. */
const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[a-z0-9_.-]+)?$/i;

/**
 * The canonical form of a pool URL (catalogue §1): scheme and host in lower case, the port a driver documents as
 * default made explicit, trailing `/` and the trailing dot of the host removed, IPv6 in brackets and as RFC 5952 writes it,
 * a `#flag` kept.
 * No scheme is invented. The canonical form of a canonical form is itself. Passwords are
 * masked first: they may hold any mark. What cannot be taken apart stays as it is.
 */
export const canonicalPoolUrl = (spelled: string, defaultPort?: number): string => {
  if (spelled.length > LONGEST_KNOWN) return canonicalForm(spelled, defaultPort);
  const known = KNOWN.getOrInsertComputed(defaultPort, () => new Map<string, string>());
  let canonical = known.get(spelled);
  if (canonical === undefined) {
    canonical = canonicalForm(spelled, defaultPort);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(spelled, canonical);
  }
  return canonical;
};

/** Canonical forms by spelling, for each default port: a fleet uses a handful, and every look reads them. */
const KNOWN = new Map<number | undefined, Map<string, string>>();
/** Devices that invent URLs must not fill the memory. */
const MOST_KNOWN = 1000;
const LONGEST_KNOWN = 256;

const canonicalForm = (spelled: string, defaultPort: number | undefined): string => {
  const trimmed = withoutSecrets(spelled.trim());
  const { scheme = '', rest } = splitScheme(trimmed);
  const found = POOL_URL.exec(scheme + bracketed(rest))?.groups;
  const host = canonicalHost(withoutTail(found?.host ?? '', '.'));
  if (found === undefined || host === '') return trimmed;
  const port = found.port === undefined ? defaultPort : Number(found.port);
  return [
    found.scheme === undefined ? '' : `${found.scheme.toLowerCase()}://`,
    found.user === undefined ? '' : `${found.user}@`,
    host,
    port === undefined ? '' : `:${port}`,
    withoutTail(found.path ?? '', '/'),
    found.flag ?? '',
  ].join('');
};

/** An address of IPv6 in brackets; anything else as it is. */
export const bracketed = (place: string): string => (BARE_IPV6.test(place) ? `[${place}]` : place);

/** A host in small letters; an address of IPv6, in brackets, in its one spelling (RFC 5952). */
export const canonicalHost = (spelled: string): string => {
  const host = asciiLower(spelled);
  const [, address, zone = ''] = /^\[([0-9a-f:.]+)(%[^\]]*)?\]$/.exec(host) ?? [];
  const known = address === undefined ? null : URL.parse(`http://[${address}]`);
  return known === null ? host : known.hostname.replace(']', () => `${zone}]`);
};

/** In small letters, as far as hosts know any: that of a Kelvin sign would be a k. */
const asciiLower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const splitScheme = (url: string): { scheme?: string; rest: string } => {
  const at = url.indexOf('://');
  return at === -1 ? { rest: url } : { scheme: url.slice(0, at + 3), rest: url.slice(at + 3) };
};

/** Without the marks and the white space at its end. A pattern would look at a long run of them once for each of them. */
const withoutTail = (text: string, mark: string): string => {
  let end = text.length;
  while (end > 0 && (text[end - 1] === mark || text[end - 1]?.trim() === '')) end -= 1;
  return text.slice(0, end);
};
