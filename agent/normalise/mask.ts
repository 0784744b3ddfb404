import { halfOfPair } from '../drivers/document-secrets.ts';
import type { Driver } from '../drivers/driver.ts';
import {
  gradeOf,
  holdsSecret,
  isLoginName,
  isSecretName,
  mayNameSecret,
  passwordInLogin,
} from '../drivers/secret-names.ts';
import { secretsIn } from '../drivers/text-secrets.ts';
import { MASK, type Place } from '../drivers/user-info.ts';
import { visitReply } from '../probe/json.ts';

/** Members that hold a value which `redact` can name, by the fact. */
const REDACTED: { readonly [fact: string]: readonly string[] } = {
  'pools.user': [
    'user',
    'username',
    'account',
    'worker',
    'stratumuser',
    'fallbackstratumuser',
    'payoutaddress',
    'current pool user',
  ],
};

/** Which members of a driver's replies are masked before a capture is kept, hashed or shown. */
export interface SecretNames {
  readonly has: (name: string) => boolean;
}

/** The common names, the driver's own, and those of the facts that the operator wants redacted. */
export const secretNames = (driver: Pick<Driver, 'secrets'>, redact: readonly string[] = []): SecretNames => {
  const redacted = redact.flatMap((fact) => REDACTED[fact] ?? []);
  const names = new Set([...(driver.secrets ?? []), ...redacted].map((name) => name.toLowerCase()));
  return { has: (name) => isSecretName(name) || names.has(name.toLowerCase()) };
};

/**
 * The capture as it may be kept: every value of a secret member replaced by `***`, whatever it was, so that nothing can
 * be guessed from its length or its digest; and nothing after the end of the document. It parses as before. Undefined
 * where the bytes cannot be read: what nobody can find its way in is never kept.
 */
export const maskCapture = (bytes: Uint8Array, names: SecretNames): Uint8Array | undefined => {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secrets: Span[] = [];
  const passwords: Span[] = [];
  const named = new Map<number, string>();
  const values: (Omit<Span, 'mask'> & { readonly object: number })[] = [];
  const isSecret = (name: string, start: number, end: number): boolean =>
    names.has(name) || (mayNameSecret(name) && holdsSecret(name, raw.toString('latin1', start, end)));
  const visited = visitReply(bytes, {
    member: (name, start, end, object) => {
      const spelled = (): string => raw.toString('latin1', start, end);
      const half = halfOfPair(name);
      if (half === 'name') {
        const told = nameIn(spelled());
        if (names.has(told) || (gradeOf(told) !== undefined && !named.has(object))) named.set(object, told);
      }
      if (half === 'value') values.push({ object, start, end });
      if (isSecret(name, start, end)) secrets.push({ start, end, mask: MASK });
      else if (isLoginName(name))
        for (const [from, to] of placesInLogin(spelled()))
          passwords.push({ start: start + from, end: start + to, mask: MASK });
    },
    text: (start, end) => {
      for (const [from, to] of placesIn(raw.toString('latin1', start, end)))
        passwords.push({ start: start + from, end: start + to, mask: MASK });
    },
  });
  if (visited === undefined) return undefined;
  for (const { object, start, end } of values) {
    const name = named.get(object);
    if (name !== undefined && isSecret(name, start, end)) secrets.push({ start, end, mask: MASK });
  }
  const spans = visited.form === 'json' ? secrets.map((span) => ({ ...span, mask: `"${MASK}"` })) : secrets;
  return replace(raw.subarray(0, visited.end), [...spans, ...passwords]);
};

/**
 * Where secrets stand in a text as bytes show it. Places in a text without its escapes are not places in the bytes: one
 * with such that holds a secret goes whole.
 */
const placesIn = (text: string): readonly Place[] => {
  if (!text.includes('\\u')) return secretsIn(text);
  return secretsIn(unescaped(text)).length === 0 && secretsIn(text).length === 0 ? [] : [[0, text.length]];
};

/** The name that is the value of a member, as the value is spelled. An object is none. */
const nameIn = (spelled: string): string => unescaped(/^"?([^"{[]*)"?$/.exec(spelled)?.[1] ?? '');

/** The password of an account that stands before it, as a value is spelled, with its quotes. */
const placesInLogin = (spelled: string): readonly Place[] => {
  const [, quote = '', login = ''] = /^("?)([^"[{].*?)\1$/s.exec(spelled) ?? [];
  if (login.includes('\\u') && passwordInLogin(unescaped(login)) !== undefined) return [[1, spelled.length - 1]];
  const from = passwordInLogin(login);
  return from === undefined ? [] : [[quote.length + from, quote.length + login.length]];
};

const unescaped = (text: string): string =>
  text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

interface Span {
  readonly start: number;
  readonly end: number;
  readonly mask: string;
}

const replace = (raw: Buffer, spans: readonly Span[]): Uint8Array => {
  const parts: Buffer[] = [];
  let at = 0;
  // Outer spans first: what stands inside one is gone with it, and what goes on behind it too.
  for (const { start, end, mask } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) {
      at = Math.max(at, end);
      continue;
    }
    parts.push(raw.subarray(at, start), Buffer.from(mask, 'latin1'));
    at = end;
  }
  parts.push(raw.subarray(at));
  return Buffer.concat(parts);
};
