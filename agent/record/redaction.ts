import { createHmac, hash, randomBytes } from 'node:crypto';
import { canonicalBytes, canonicalJson } from '../../shared/jcs.ts';
import type { DeviceState } from '../appraise/device.ts';
import { keptFacts } from '../baseline/kept.ts';
import type { Disclosure } from './entry.ts';
import { shortText } from './fit.ts';

/** Pool users are published as digests only, because the operator lists `pools.user` under `redact`. Without one they are clear. */
export interface Redaction {
  /** 32 bytes of `redaction.key`. */
  readonly secret: Uint8Array;
  /** Salt of one disclosure, 16 bytes; the system's random source where it is not given. */
  readonly salt?: () => Uint8Array;
}

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

/** One statement's way with pool users: every one that it could mention, the longest first. */
export interface Redactor extends Redaction {
  readonly users: readonly string[];
}

/** Made of all that may hold a user of the devices a statement is about: facts, and values of findings as `named` gives them. */
export const redactorOf = (redaction: Redaction, sources: Iterable<unknown>): Redactor => {
  const users = new Set<string>();
  for (const source of sources) collectUsers(source, '', users);
  users.delete('');
  return { ...redaction, users: [...users].sort((a, b) => b.length - a.length) };
};

/** What is known of a device that may hold its users: what was approved, what was attested, what findings say. */
export const usersIn = ({ reference, attested, replaces, tracks, closed }: DeviceState): readonly unknown[] => [
  replaces?.pools,
  keptFacts(reference?.facts),
  keptFacts(attested?.facts),
  ...[...tracks, ...closed].flatMap(({ finding: { ruleId, before, after, lastSeen } }) =>
    [before, after, lastSeen].map((value) => named(ruleId, value)),
  ),
];

/** Rules whose values are text of one kind. */
const MEMBER_OF: { readonly [ruleId: string]: string } = {
  'pool.user-changed': 'user',
  'tenant.hash-destination-breach': 'user',
  'pool.url-changed': 'url',
};

/** What a text that is a value of this rule is: the name of the member that it would be elsewhere. */
export const memberOf = (ruleId: string): string => MEMBER_OF[ruleId] ?? '';

/** A value of a finding under that name. */
export const named = (ruleId: string, value: unknown): { readonly [name: string]: unknown } => ({
  [memberOf(ruleId)]: value,
});

const collectUsers = (value: unknown, name: string, users: Set<string>): void => {
  if (typeof value === 'string') {
    if (USER_MEMBERS.has(name)) users.add(value);
    else for (const { user } of userInfos(value, name)) users.add(user);
  } else if (typeof value === 'object' && value !== null) {
    const isList = Array.isArray(value);
    for (const [member, inner] of Object.entries(value)) collectUsers(inner, isList ? name : member, users);
  }
};

/** The user before the host of a URL, without a password; a pool URL need not have a scheme. */
const USER_INFO = /(?<=:\/\/)[^/?#\s]+(?=@)/g;
const USER_INFO_FIRST = /^[^/?#\s]+(?=@)/;

const userInfos = (text: string, name: string): readonly { readonly user: string; readonly at: number }[] => {
  if (!text.includes('@')) return [];
  const bare = name === 'url' && !text.includes('://') ? USER_INFO_FIRST.exec(text) : null;
  const found = bare === null ? text.matchAll(USER_INFO) : [bare];
  return [...found].map(({ 0: info, index }) => ({ user: info.split(':', 1)[0] ?? '', at: index }));
};

/** True where the values of this rule are redacted as a whole. */
export const speaksOfUsers = (ruleId: string): boolean => memberOf(ruleId) === 'user';

/** A value with a pseudonym in place of each pool user inside. */
export const withoutUsers = (value: unknown, redactor: Redactor, name = ''): unknown => {
  if (typeof value === 'string') return withoutUserText(value, redactor, name);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutUsers(item, redactor, name));
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) =>
      USER_MEMBERS.has(member) && inner !== undefined
        ? [`${member}_pid`, pidOf(redactor, inner)]
        : [member, withoutUsers(inner, redactor, member)],
    ),
  );
};

/** One pool with digest and pseudonym in place of its user. */
export const withoutUser = <Pool extends { readonly user?: string }>(
  pool: Pool,
  redactor: Redactor,
  disclosures: Disclosure[],
): object => {
  const { user, ...rest } = pool;
  const others = withoutUsers(rest, redactor) as object;
  if (user === undefined) return others;
  const disclosure = disclose(redactor.salt?.() ?? randomBytes(16), 'user', user);
  disclosures.push(disclosure);
  return { ...others, _sd: [disclosure.digest], user_pid: pidOf(redactor, user) };
};

/** Shorter users are found only where they are the whole text, or the user of a URL. */
const LEAST_WITHIN = 4;

/** Text with every pool user in it replaced: what a device says elsewhere may repeat what its pool list says. */
const withoutUserText = (text: string, redactor: Redactor, name: string): string => {
  const mark = (user: string): string => `pid:${pidOf(redactor, user)}`;
  let rest = text;
  for (const { user, at } of userInfos(text, name).toReversed())
    if (user !== '') rest = rest.slice(0, at) + mark(user) + rest.slice(at + user.length);
  for (const user of redactor.users)
    if (user.length >= LEAST_WITHIN || rest === user) rest = rest.replaceAll(user, () => mark(user));
  return rest === text ? text : shortText(rest, 256);
};
