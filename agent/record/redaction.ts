import { createHmac, hash, randomBytes } from 'node:crypto';
import { canonicalBytes, canonicalJson } from '../../shared/jcs.ts';
import type { Disclosure } from './entry.ts';
import { shortText } from './fit.ts';

/** Pool users are published as digests only, because the operator lists `pools.user` under `redact`. Without one they are clear. */
export interface Redaction {
  /** 32 bytes of `redaction.key`. */
  readonly secret: Uint8Array;
  /** Salt of one disclosure, 16 bytes; the system's random source where it is not given. */
  readonly salt?: () => Uint8Array;
}

/** Rules whose values are pool users themselves; elsewhere users stand in members of that name. */
const USER_RULES: ReadonlySet<string> = new Set(['pool.user-changed', 'tenant.hash-destination-breach']);

/** Members that hold a pool user, wherever they stand in a value. */
const USER_MEMBERS: ReadonlySet<string> = new Set(['user', 'account', 'pools.user']);

/** `*_pid`: tells a collector that a value changed, without the value (attestation.md §9). */
export const pidOf = (redaction: Redaction, value: unknown): string =>
  createHmac('sha256', redaction.secret)
    .update('pools.user\0')
    .update(typeof value === 'string' ? value : canonicalJson(value))
    .digest()
    .subarray(0, 16)
    .toString('base64url');

/** The salted disclosure of one value (RFC 9901) and the digest that stands for it. */
export const disclose = (salt: Uint8Array, name: string, value: unknown): Disclosure => {
  const encodedSalt = Buffer.from(salt).toString('base64url');
  const text = canonicalBytes([encodedSalt, name, value]).toString('base64url');
  return { digest: hash('sha256', text, 'base64url'), text };
};

/** True where the values of this rule are redacted as a whole. */
export const speaksOfUsers = (ruleId: string): boolean => USER_RULES.has(ruleId);

/** A value with a pseudonym in place of each pool user inside. */
export const withoutUsers = (value: unknown, redaction: Redaction): unknown => {
  if (Array.isArray(value)) return value.map((item) => withoutUsers(item, redaction));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) =>
      USER_MEMBERS.has(name) && member !== undefined
        ? [`${name}_pid`, pidOf(redaction, member)]
        : [name, withoutUsers(member, redaction)],
    ),
  );
};

/** One pool with digest and pseudonym in place of its user. */
export const withoutUser = <Pool extends { readonly user?: string }>(
  pool: Pool,
  redaction: Redaction,
  disclosures: Disclosure[],
): object => {
  const { user, ...rest } = pool;
  if (user === undefined) return rest;
  const disclosure = disclose(redaction.salt?.() ?? randomBytes(16), 'user', user);
  disclosures.push(disclosure);
  return { ...rest, _sd: [disclosure.digest], user_pid: pidOf(redaction, user) };
};

/** Shorter users are found only where they are the whole text. */
const LEAST_WITHIN = 4;

/** Text with every pool user in it replaced: settings of a device may repeat what its pool list says. */
export const withoutUserText = (text: string, users: readonly string[], redaction: Redaction): string => {
  const replaced = users.reduce((rest, user) => {
    if (user.length < LEAST_WITHIN && rest !== user) return rest;
    return rest.replaceAll(user, () => `pid:${pidOf(redaction, user)}`);
  }, text);
  return shortText(replaced, 256);
};
