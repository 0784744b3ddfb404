/**
 * Where the password of `account:password@host` stands in a text of a device. Nobody keeps to RFC 3986 here: accounts are
 * e-mail addresses, passwords hold any mark and blank, and a scheme may be missing. So a text has two readings: the strict
 * one, in which the authority of a URL ends at the first of `/?#`, and the loose one, in which it ends at the last `@`. Where
 * both make sense, what is a password by either is one; but the host of the strict one stays, or a pool could be hidden by
 * writing the owner's behind it.
 */

/** Where a secret stands in a text. */
export type Place = readonly [start: number, end: number];

/** What stands where a secret stood. */
export const MASK = '***';

/** Where the quote that begins a value is closed: not where a quote stands in the value itself. */
export const closing = (text: string, quote: string, start: number): number => {
  let at = text.indexOf(quote, start);
  while (at > start && text[at - 1] === '\\') at = text.indexOf(quote, at + quote.length);
  return at === -1 ? text.length : at;
};

/** Blanks as in bytes and in texts alike: a byte of UTF-8 is none, whatever it is as a character. */
const BLANK_OR_QUOTE = /[\0- "]/;

/** The longest pieces without one, in which a URL stands that is spelled as it should be. */
const PIECE = /[^\0- "]+/g;

/** Where another URL begins within such a piece. */
const NEXT_URL = /(?<=[,;|<>(){}[\]])(?=[a-z][a-z0-9+.-]*:(?:\\?\/){2})/i;

/** What stands between a scheme and the authority; slashes as they are, or as JSON may escape them. */
const BEHIND_SCHEME = /:(?:\\?\/){2}/g;
const SCHEME_BEHIND = /^:(?:\\?\/){2}/;
/** The same slashes where the scheme is left out: `//user:…`, also behind a `=`. */
const NO_SCHEME = /(?:^|[^\w:/\\])(?:\\?\/){2}(?=[^/\\])/;
const LONGEST_SCHEME = 32;
const POOL_SCHEME = /stratum[a-z0-9+.-]*$/i;

/** What ends an authority, by the strict reading. */
const DELIMITER = /\\?[/?#]/g;

/** The authority of the strict reading. A port may be masked already. */
const AUTHORITY = /^(?:(.*)@)?(\[[0-9a-f:.]*(?:%\w+)?\]|[^:@[\]]*)(:(?:\d{0,5}|\*{3}))?$/is;

/** An IPv6 address that nobody put in brackets. */
const BARE_IPV6 = /^(?:[^:]*@)?(?=.*::|(?:[^:]*:){7}[^:]*$)[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}$/i;

const ADDRESS = /^(?:\[.*\]|\d{1,3}(?:\.\d{1,3}){3})$/s;
/** A name that could be registered: `acct.rig7` could not. */
const DOMAIN = /^(?:localhost|[^@]*[^.@]\.(?:[a-z]{2,}|xn--[a-z0-9-]+)\.?)$/i;

/** What follows an `@`, where it begins like a host with or without a port. */
const HOST = /^(\[[0-9a-f:.%]+\]|[\w.\-\x80-\uffff]+)(:\d{1,5})?(?![\w:@])/i;

/** A place by its port or as an address, which nothing else is; a name with dots, as e-mail addresses have, too; any word. */
type Look = 'place' | 'name' | 'word' | 'none';

const lookOfHost = (text: string): Look => {
  const [, host, port] = HOST.exec(text) ?? [];
  if (host === undefined) return 'none';
  if (port !== undefined || ADDRESS.test(host)) return 'place';
  return host === 'localhost' || /[^.]\.[^.]/.test(host) ? 'name' : 'word';
};

const isClear = (look: Look): boolean => look === 'place' || look === 'name';

/** Whether a text begins with what is no word, but a host. */
export const isHost = (text: string): boolean => isClear(lookOfHost(text));

/** Behind a scheme, or where a text begins that has none. */
interface Start {
  readonly at: number;
  /** Paths with an `@` in them are unheard of here. */
  readonly isPool: boolean;
}

/**
 * Where the passwords of accounts stand in a text. With `account` the text is that of an account, and only a URL in it has
 * a password: in `a:b@c` what stands there tells whose it is.
 */
export const passwordsOfAccounts = (text: string, { account = false } = {}): readonly Place[] => {
  const found: Place[] = [];
  const settled = new Set<number>();
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    let at = index;
    for (const part of piece.split(NEXT_URL)) {
      const places = placesInPart(part, account);
      const [first] = places;
      // What is spelled correctly ends where the piece does, whatever comes behind it.
      if (first !== undefined && isHost(part.slice(part.lastIndexOf('@') + 1))) settled.add(at + first[0]);
      found.push(...places.map(([start, end]): Place => [at + start, at + end]));
      at += part.length;
    }
  }
  const loose = account ? looseInUrls(text) : [...looseInUrls(text), ...looseAlone(text)];
  return [...found, ...loose.filter(([start]) => !settled.has(start))];
};

const placesInPart = (part: string, account: boolean): readonly Place[] => {
  const end = part.lastIndexOf('@');
  if (end === -1) return [];
  const look = lookOfHost(part.slice(end + 1));
  let doubled: readonly Place[] = [];
  for (const start of startsIn(part, end, account)) {
    const colon = part.indexOf(':', start.at);
    const places = colon === -1 || colon >= end ? [] : placesBehind(part, start, { colon, end, look });
    if (places.length === 0) continue;
    // A scheme behind a scheme is one; an account only where nothing else is found.
    if (!SCHEME_BEHIND.test(part.slice(colon, colon + 5))) return places;
    if (doubled.length === 0) doubled = places;
  }
  return doubled;
};

const startsIn = (part: string, end: number, account: boolean): readonly Start[] => {
  const starts = [...startsOfUrls(part.slice(0, end))];
  const colon = part.indexOf(':');
  const { 0: front, index = 0 } = NO_SCHEME.exec(part.slice(0, end)) ?? {};
  if (front !== undefined && !account) starts.push({ at: index + front.length, isPool: false });
  const isBare = !account && !SCHEME_BEHIND.test(part.slice(colon, colon + 5)) && !/^mailto:/i.test(part);
  return isBare ? [{ at: 0, isPool: true }, ...starts] : starts;
};

const startsOfUrls = (text: string): readonly Start[] =>
  [...text.matchAll(BEHIND_SCHEME)].map(({ 0: mark, index }) => ({
    at: index + mark.length,
    isPool: POOL_SCHEME.test(text.slice(Math.max(0, index - LONGEST_SCHEME), index)),
  }));

interface Found {
  readonly colon: number;
  /** The last `@`, and what the host behind it looks like. */
  readonly end: number;
  readonly look: Look;
}

const placesBehind = (part: string, { at, isPool }: Start, { colon, end, look }: Found): readonly Place[] => {
  const loose: Place = [colon + 1, end];
  DELIMITER.lastIndex = at;
  const delimiter = DELIMITER.exec(part);
  if (delimiter === null || delimiter.index > end) return filled([loose]);
  // A path with a colon in it, or an account with a slash.
  if (colon > delimiter.index) return look === 'place' ? filled([loose]) : [];
  const authority = part.slice(at, delimiter.index);
  if (BARE_IPV6.test(authority)) return [];
  const strict = AUTHORITY.exec(authority);
  if (strict === null) return filled([loose]);
  const [, user, host = '', port] = strict;
  const hostAt = at + (user === undefined ? 0 : user.length + 1);
  const userEnd = Math.max(at, hostAt - 1);
  const isAddress = ADDRESS.test(host);
  const isWordBehind = look === 'word' && isPool && user === undefined && !DOMAIN.test(host);
  if (isAddress || !(isClear(look) || isWordBehind)) return colon < userEnd ? filled([[colon + 1, userEnd]]) : [];
  if (!DOMAIN.test(host)) return filled([loose]);
  const hostEnd = hostAt + host.length + (port === undefined ? 0 : 1);
  const pathAt = delimiter.index + delimiter[0].length;
  return filled([
    [colon + 1, userEnd],
    [hostEnd, delimiter.index],
    [pathAt, end],
  ]);
};

const filled = (places: readonly Place[]): readonly Place[] => places.filter(([start, end]) => start < end);

// ---- with blanks and quotes in them ------------------------------------------------------------------------------------

const LONGEST_LOOSE = 256;
const URL_BEHIND = /(?<=[\0- ",;|<>(){}[\]])[a-z][a-z0-9+.-]*:(?:\\?\/){2}/gi;
const LOOSE_ACCOUNT = /^[^:/?#\\\0- "]*:(?!\/\/)/;
/** A port, behind which something else begins. */
const PORT = /^\d{1,5}[.,;)]?\\?[\0- "]/;

const looseInUrls = (text: string): readonly Place[] =>
  startsOfUrls(text).flatMap((start): readonly Place[] => {
    const region = regionOf(text.slice(start.at, start.at + LONGEST_LOOSE));
    return looseIn(region, start.isPool).map(([from, to]): Place => [start.at + from, start.at + to]);
  });

/** `account:` and what is no port: the URL is not over before its `@`. */
const UNENDED = /^([^:/?#\\\0- "]*):(?!\d{0,5}(?:[^\w]|$))/;

/** What belongs to one URL, at most: where the next begins, unless that is part of a password. */
const regionOf = (text: string): string => {
  const [next, second] = [...text.matchAll(URL_BEHIND)].map(({ index }) => index);
  const first = text.slice(0, next);
  const [account, name] = UNENDED.exec(first) ?? [];
  if (account === undefined || name === undefined || DOMAIN.test(name)) return first;
  const [, ...behind] = first.slice(account.length).split('@');
  const isEnded = behind.length > 0 && lookOfHost(behind.at(-1) as string) !== 'none';
  return isEnded ? first : text.slice(0, second);
};

/** Without a scheme only where the text is nothing else: of prose nobody knows where an account would begin. */
const looseAlone = (text: string): readonly Place[] => {
  if (text.length > LONGEST_LOOSE || /:(?:\\?\/){2}|[\n\r]/.test(text)) return [];
  const behind = text.slice(text.lastIndexOf('@') + 1).trimEnd();
  const isWhole = isHost(behind) && !BLANK_OR_QUOTE.test(behind);
  return isWhole && !/^[^:]*:[\0- "]/.test(text) ? looseIn(text, true) : [];
};

const looseIn = (region: string, isPool: boolean): readonly Place[] => {
  const account = LOOSE_ACCOUNT.exec(region)?.[0];
  const end = region.lastIndexOf('@');
  if (account === undefined || end <= account.length) return [];
  const password = region.slice(account.length, end);
  if (!BLANK_OR_QUOTE.test(password)) return [];
  const isPort = PORT.test(password) && !isPassword(account.slice(0, -1), lookOfHost(region.slice(end + 1)), isPool);
  return isPort ? [] : [[account.length, end]];
};

/** Whether digits behind an account begin a password nevertheless: prose does not go on with `@host:port`. */
const isPassword = (account: string, look: Look, isPool: boolean): boolean => {
  if (ADDRESS.test(account)) return false;
  return look === 'place' || (look === 'name' && !DOMAIN.test(account) && (isPool || !/^[\w-]+$/.test(account)));
};
