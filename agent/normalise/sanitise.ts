import { hash } from 'node:crypto';
import { mayHoldSecret, withoutSecrets } from '../drivers/text-secrets.ts';

/** Longest text taken from a device, code points (attestation.md §2). */
const MOST_CODE_POINTS = 256;

/** C0, C1 and DEL controls, bidi controls, and the mark that decoding left where bytes were no UTF-8. */
const UNWANTED = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/u;
const UNWANTED_ALL = new RegExp(UNWANTED, 'gu');

/**
 * What ends a text of which something was cut off or replaced: a digest of all of it, so that a change of what does not
 * show is a change, too. A text that ends so by itself gets one as well, or it could pass for another that was cut.
 */
const DIGEST = '~sha256:';
const DIGEST_LENGTH = 16;
const DIGESTED = new RegExp(`${DIGEST}[\\w-]{${DIGEST_LENGTH}}$`);
const MOST_BEFORE_DIGEST = MOST_CODE_POINTS - DIGEST.length - DIGEST_LENGTH;

/** Most texts: letters, digits and marks of ASCII that can be part of nothing above. */
const PLAIN = /^[ -}]*$/;

const isPlain = (text: string): boolean => text.length <= MOST_CODE_POINTS && PLAIN.test(text) && !mayHoldSecret(text);

const isCleanText = (text: string): boolean =>
  isShort(text) && text.isWellFormed() && !UNWANTED.test(text) && !DIGESTED.test(text);

/** A code point takes one or two units. */
const isShort = (text: string): boolean =>
  text.length <= MOST_CODE_POINTS || (text.length <= 2 * MOST_CODE_POINTS && [...text].length <= MOST_CODE_POINTS);

/**
 * A text of a device as it may be stored, shown and signed: without the secrets in it, nor what would harm a reader, and
 * not too long. Its exact bytes are bound by the digest of the capture.
 */
export const sanitiseText = (spelled: string, options?: { readonly account?: boolean }): string =>
  cleanText(withoutSecrets(spelled, options));

const cleanText = (text: string): string => {
  if (isCleanText(text)) return text;
  const clean = text.toWellFormed().replace(UNWANTED_ALL, '\ufffd');
  // Two units for each character are enough of the beginning; as UTF-16, lone surrogates differ from each other.
  const kept = [...clean.slice(0, 2 * MOST_CODE_POINTS)].slice(0, MOST_BEFORE_DIGEST).join('');
  const digest = hash('sha256', Buffer.from(text, 'utf16le'), 'base64url').slice(0, DIGEST_LENGTH);
  return `${kept}${DIGEST}${digest}`;
};

/** A value of a fact with every text in it sanitised, and whether any was cut or cleaned. The same value if none needed it. */
export const sanitise = <T>(value: T): { readonly value: T; readonly touched: boolean } => {
  // Nearly every value is clean, and looking costs a tenth of copying.
  if (isClean(value)) return { value, touched: false };
  let touched = false;
  const clean = (part: unknown, name?: string): unknown => {
    if (typeof part === 'string') {
      const masked = withoutSecrets(part, textOptions(name));
      const text = cleanText(masked);
      if (text !== masked) touched = true;
      return text;
    }
    if (Array.isArray(part)) return part.map((element) => clean(element));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, clean(member, name)]));
  };
  // Cleaning changes texts only: the shape stays that of T.
  return { value: clean(value) as T, touched };
};

const isClean = (part: unknown, name?: string): boolean => {
  if (typeof part === 'string')
    return isPlain(part) || (isCleanText(part) && withoutSecrets(part, textOptions(name)) === part);
  if (typeof part !== 'object' || part === null) return true;
  if (Array.isArray(part)) return part.every((element) => isClean(element));
  for (const name in part) if (!isClean((part as { [name: string]: unknown })[name], name)) return false;
  return true;
};

/** The account of a pool, which `user:worker@mail` may name, is what looks are about: it is never masked by mistake. */
const ACCOUNT = { account: true };

const textOptions = (name: string | undefined): { readonly account: boolean } | undefined =>
  name === 'user' ? ACCOUNT : undefined;
