import type { Driver } from '../drivers/driver.ts';
import { isSecretName } from '../drivers/secret-names.ts';
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

/** What stands where a secret stood: a text, whatever it was. */
const MASK = '***';

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

/** The longest pieces in which a URL can stand. */
const PIECE = /[^"\s]+/g;

/**
 * A password inside such a piece, as bytes show it: `user:password@` at its beginning or after `://`, with or without
 * JSON's escaped slashes. Digits up to a `/` are a port.
 */
const USERINFO = /(?:^|:(?:\\?\/){2})[^/@:#\\]*:(?!(?:\\?\/){2}|\d+\\?\/)(.+)@/;

/**
 * The capture as it may be kept: every value of a secret member replaced by `***`, whatever it was, so that nothing can
 * be guessed from its length or its digest; and nothing after the end of the document. It parses as before. Undefined
 * where the bytes cannot be read: what nobody can find its way in is never kept.
 */
export const maskCapture = (bytes: Uint8Array, names: SecretNames): Uint8Array | undefined => {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const secrets: Span[] = [];
  const passwords: Span[] = [];
  const visited = visitReply(bytes, {
    member: (name, start, end) => {
      if (names.has(name)) secrets.push({ start, end, mask: MASK });
    },
    text: (start, end) => {
      for (const { 0: piece, index } of raw.toString('latin1', start, end).matchAll(PIECE)) {
        const span = passwordIn(piece);
        if (span !== undefined)
          passwords.push({ start: start + index + span[0], end: start + index + span[1], mask: MASK });
      }
    },
  });
  if (visited === undefined) return undefined;
  const spans = visited.form === 'json' ? secrets.map((span) => ({ ...span, mask: `"${MASK}"` })) : secrets;
  return replace(raw.subarray(0, visited.end), [...spans, ...passwords]);
};

/** Where the password of a URL stands in a piece of a text as bytes show it. */
const passwordIn = (piece: string): readonly [start: number, end: number] | undefined => {
  // Places in a text without its escapes are not places in the bytes: where there are such, all of the piece goes.
  if (piece.includes('\\u')) return plainPasswordIn(unescaped(piece)) === undefined ? undefined : [0, piece.length];
  return plainPasswordIn(piece);
};

const plainPasswordIn = (piece: string): readonly [start: number, end: number] | undefined => {
  const end = piece.lastIndexOf('@');
  const password = end === -1 ? undefined : USERINFO.exec(piece.slice(0, end + 1))?.[1];
  return password === undefined ? undefined : [end - password.length, end];
};

/** Escapes of single bytes as the characters they stand for; other escapes are no part of a URL. */
const unescaped = (piece: string): string =>
  piece.replace(/\\u(?:00([0-9a-f]{2}))?/gi, (_, hex?: string) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  );

interface Span {
  readonly start: number;
  readonly end: number;
  readonly mask: string;
}

const replace = (raw: Buffer, spans: readonly Span[]): Uint8Array => {
  const parts: Buffer[] = [];
  let at = 0;
  // Outer spans first: what stands inside one is gone with it.
  for (const { start, end, mask } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) continue;
    parts.push(raw.subarray(at, start), Buffer.from(mask, 'latin1'));
    at = end;
  }
  parts.push(raw.subarray(at));
  return Buffer.concat(parts);
};
