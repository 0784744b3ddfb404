import { hash } from 'node:crypto';
import type { Credential } from './target.ts';

/** One challenge of a `WWW-Authenticate` header: the scheme in lower case, the parameters by lower-case name. Untrusted. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const UNQUOTED = /[^\s,"]+/y;
const GAP = /[\s,]*/y;
const EQUALS = /\s*=\s*/y;

/** Reads the challenges of a header (RFC 9110 §11.6.1), as far as they can be read. */
export const parseChallenges = (header: string): readonly Challenge[] => {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (match(GAP); at < header.length; match(GAP)) {
    const name = match(TOKEN)?.[0];
    if (name === undefined) break;
    if (match(EQUALS) === null) {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
      continue;
    }
    const value = match(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? match(UNQUOTED)?.[0];
    if (value === undefined) break;
    challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
};

const HASHES: { readonly [algorithm: string]: string } = { MD5: 'md5', 'SHA-256': 'sha256' };

/** What a Digest answer is made of besides the challenge. */
export interface DigestRequest {
  readonly path: string;
  readonly credential: Credential;
  /** How often this nonce was used, this time included. */
  readonly count: number;
  readonly cnonce: string;
}

/**
 * The `Authorization` header that answers a Digest challenge for a GET: RFC 7616 with MD5 or SHA-256 and `qop` auth, or
 * RFC 2069 where the device names no `qop`. Undefined where it asks for anything else.
 *
 * Written here because the known packages quote `nc`, `qop` and `algorithm`, which RFC 7616 §3.4 forbids and small web
 * servers take at their word, or lose a password with a colon.
 */
export const answerDigest = ({ parameters }: Challenge, request: DigestRequest): string | undefined => {
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const hashName = HASHES[(parameters.get('algorithm') ?? 'MD5').toUpperCase()];
  const offered = parameters
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  if (realm === undefined || nonce === undefined || hashName === undefined) return undefined;
  if (offered !== undefined && !offered.includes('auth')) return undefined;

  const { path, credential, cnonce } = request;
  const digest = (text: string): string => hash(hashName, text);
  const count = request.count.toString(16).padStart(8, '0');
  // The realm came in as Latin-1, one character for a byte; it is hashed as the bytes that were sent.
  const secret = digest(`${credential.user}:${bytesAsText(realm)}:${credential.password()}`);
  const protection = offered === undefined ? [nonce] : [nonce, count, cnonce, 'auth'];
  const response = digest([secret, ...protection, digest(`GET:${path}`)].join(':'));

  const members = [
    `username="${quoted(textAsBytes(credential.user))}"`,
    `realm="${quoted(realm)}"`,
    `nonce="${quoted(nonce)}"`,
    `uri="${path}"`,
    `response="${response}"`,
  ];
  const algorithm = parameters.get('algorithm');
  const opaque = parameters.get('opaque');
  if (algorithm !== undefined) members.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) members.push(`opaque="${quoted(opaque)}"`);
  if (offered !== undefined) members.push('qop=auth', `nc=${count}`, `cnonce="${cnonce}"`);
  return `Digest ${members.join(', ')}`;
};

/** The `Authorization` header of Basic (RFC 7617), in UTF-8. */
export const basicHeader = ({ user, password }: Credential): string =>
  `Basic ${Buffer.from(`${user}:${password()}`, 'utf8').toString('base64')}`;

/** The `Authorization` header of Bearer (RFC 6750); the password is the token. */
export const bearerHeader = ({ password }: Credential): string => `Bearer ${password()}`;

const quoted = (text: string): string => text.replace(/["\\]/g, '\\$&');

const textAsBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const bytesAsText = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
