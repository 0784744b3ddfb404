import { isSecretName } from './secret-names.ts';

/**
 * Passwords and keys that stand inside a text of a device: in its URLs and beside them. A text is either as the device
 * means it, or as the bytes of a reply show it, with JSON's escapes of slashes and quotes.
 */

/** Where a secret stands in a text. */
export type Place = readonly [start: number, end: number];

/** What stands where a secret stood. */
export const MASK = '***';

/** Texts that could hold one: most hold neither mark. */
const SUSPECT = /[@=]/;

/** The longest pieces in which a URL can stand, in its correct spelling. */
const PIECE = /[^"\s]+/g;

/** Where another URL begins within such a piece. */
const NEXT_URL = /(?<=[,;|<>(){}[\]])(?=[a-z][a-z0-9+.-]*:(?:\\?\/){2})/i;

/** `user:password@` at the beginning or after `://`. Digits up to a `/` are a port. */
const USERINFO = /(?:^|:(?:\\?\/){2})[^/@:#\\]*:(?!(?:\\?\/){2}|\d+\\?\/)(.+)@/s;

/** The same behind a scheme only: in the name of an account, what stands between `:` and `@` tells whose it is. */
const USERINFO_OF_URL = /:(?:\\?\/){2}[^/@:#\\]*:(?!(?:\\?\/){2}|\d+\\?\/)(.+)@/s;

/** The beginning of a password that was written into a URL as it is, with blanks or quotes in it. */
const LOOSE = /:(?:\\?\/){2}[^/@:#\\\s"]*:(?!(?:\\?\/){2}|\d+(?!\w))/g;
const LONGEST_LOOSE = 256;

/** What could name a secret, and the value behind it, up to the next name or the end of its piece. */
const NAME = /([\w.-]{1,64})=/g;
const VALUE = /(?:(?![;,][\w.-]{1,64}=)[^&#|\s"'])+/y;

/** Where the secrets of a text stand, in order. An account is masked where it is part of a URL only. */
export const secretsIn = (text: string, { account = false } = {}): readonly Place[] => {
  if (!SUSPECT.test(text)) return [];
  const found: Place[] = [];
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    let at = index;
    for (const part of piece.split(NEXT_URL)) {
      const place = passwordIn(part, account ? USERINFO_OF_URL : USERINFO);
      if (place !== undefined) found.push([at + place[0], at + place[1]]);
      at += part.length;
    }
  }
  // What is spelled correctly ends where the piece does, whatever comes behind it.
  const starts = new Set(found.map(([start]) => start));
  const loose = loosePasswords(text).filter(([start]) => !starts.has(start));
  return apart([...found, ...loose, ...namedSecrets(text)]);
};

/** The places in order; of those that overlap, one that holds them all. */
const apart = (places: readonly Place[]): readonly Place[] => {
  const sorted: Place[] = [];
  for (const [start, end] of places.toSorted(([one], [other]) => one - other)) {
    const last = sorted.at(-1);
    if (last === undefined || start >= last[1]) sorted.push([start, end]);
    else sorted[sorted.length - 1] = [last[0], Math.max(last[1], end)];
  }
  return sorted;
};

/** The text with `***` for each secret in it. */
export const withoutSecrets = (text: string, options?: { readonly account?: boolean }): string => {
  const places = secretsIn(text, options);
  if (places.length === 0) return text;
  let masked = '';
  let at = 0;
  for (const [start, end] of places) {
    masked += `${text.slice(at, start)}${MASK}`;
    at = end;
  }
  return masked + text.slice(at);
};

const passwordIn = (part: string, userinfo: RegExp): Place | undefined => {
  const end = part.lastIndexOf('@');
  const password = end === -1 ? undefined : userinfo.exec(part.slice(0, end + 1))?.[1];
  return password === undefined ? undefined : [end - password.length, end];
};

const loosePasswords = (text: string): readonly Place[] =>
  [...text.matchAll(LOOSE)].flatMap((found): Place[] => {
    const start = found.index + found[0].length;
    const rest = text.slice(start, start + LONGEST_LOOSE).split(/:(?:\\?\/){2}/, 1)[0] as string;
    const length = rest.lastIndexOf('@');
    return length > 0 && /[\s"]/.test(rest.slice(0, length)) ? [[start, start + length]] : [];
  });

const namedSecrets = (text: string): readonly Place[] => {
  const places: Place[] = [];
  for (const { 0: spelled, 1: name = '', index } of text.matchAll(NAME)) {
    const start = index + spelled.length;
    if (start < (places.at(-1)?.[1] ?? 0) || !isSecretName(name)) continue;
    VALUE.lastIndex = start;
    const value = VALUE.exec(text)?.[0];
    if (value !== undefined) places.push([start, start + value.length]);
  }
  return places;
};
