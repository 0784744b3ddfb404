import { hash } from 'node:crypto';
import { bech32, bech32m, createBase58check } from '@scure/base';
import { accountOf, mailOf } from '../../shared/pool-user.ts';

/**
 * Wallet addresses carry a checksum: one that fails pays nobody. Judged are texts that can hardly be anything else than an
 * address of a coin that miners are paid in; every other account is not judged.
 */

/**
 * Base58 with four bytes of a double SHA-256: Bitcoin (1, 3; on its test network m, n, 2), Litecoin, Dogecoin, Dash, DigiByte,
 * transparent Zcash.
 */
const BASE58 = /^(?:1[0-9A-Za-z]{25,33}|[3LMDAX79Smn][0-9A-Za-z]{31,33}|(?:2|t[13])[0-9A-Za-z]{33,34})$/;

/** Names before the last `1` of a bech32 address; of the first ones SegWit decides which checksum it is. */
const SEGWIT = /^(?:bc|tb|ltc|tltc|dgb|btg)1[0-9a-z]{20,}$/i;
const NERVOS = /^ckb1[0-9a-z]{20,}$/i;

/** A name, or nothing, before a text with the checksum of CashAddr. What it pays to has 20 bytes, on Kaspa 32 or 33. */
const CASHADDR =
  /^(?:(?:bitcoincash|bchtest|ecash|kaspa|kaspatest):[0-9a-z]{20,}|[qp][02-9ac-hj-np-z]{41}|[qp][02-9ac-hj-np-z]{60}|q[02-9ac-hj-np-z]{62})$/i;

/** Whose such an address may be where the name is left out, by its length: any of these that it is right for will do. */
const NAMES = {
  short: ['bitcoincash', 'ecash', 'bchtest'],
  long: ['kaspa', 'kaspatest', 'karlsen', 'pyrin', 'sedra', 'bugna', 'nautilus', 'hoosat', 'spectre'],
};
const LONGEST_SHORT = 42;

/** Whether the account of a pool user has the shape of a wallet address and a checksum that fails. */
export const isBrokenAddress = (user: string): boolean => isBroken(walletOf(user));

/** The fewest letters of an address that people get: the accounts which pools give names to have fewer. */
const LEAST_CERTAIN = 33;

/**
 * The address that a user, or a template for users, pays, where that can be nothing else and its checksum fails: nobody would be
 * paid. Undefined where a star or a field makes a part of it.
 */
export const brokenAddressIn = (template: string): string | undefined => {
  const wallet = walletOf(template);
  const after = template[template.indexOf(wallet) + wallet.length];
  const isWhole = after !== '*' && after !== '{';
  return isWhole && wallet.length >= LEAST_CERTAIN && isBroken(wallet) ? wallet : undefined;
};

/** What may be an address in a user. Workers stand behind a dot; some pools take a slash, a plus or an underscore. */
const walletOf = (user: string): string => {
  if (mailOf(user) !== undefined) return '';
  // A coin may stand before it: `LTC.<address>.rig1`.
  const account = accountOf(user).replace(/^.*\./, '');
  return /^[0-9a-z:]*/i.exec(account)?.[0] ?? '';
};

const isBroken = (wallet: string): boolean => {
  if (SEGWIT.test(wallet)) return !isSegwit(wallet);
  if (NERVOS.test(wallet)) return !reads(() => bech32m.decode(wallet as `${string}1${string}`, false));
  if (CASHADDR.test(wallet)) return !isCashAddress(wallet);
  return BASE58.test(wallet) && isMixed(wallet) && !reads(() => base58check.decode(wallet));
};

/** An account name is rarely of small letters, capitals and digits at once. */
const isMixed = (text: string): boolean => /[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9]/.test(text);

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');
const base58check = createBase58check(sha256);

/** Whether the library takes the text; it throws at what it does not. */
const reads = (decode: () => unknown): boolean => {
  try {
    decode();
    return true;
  } catch {
    return false;
  }
};

/** BIP 173 and 350: version 0 has the first checksum, all later ones the second; a program has 2 to 40 bytes. */
const isSegwit = (account: string): boolean => {
  const text = account as `${string}1${string}`;
  for (const [code, fits] of [
    [bech32, (version: number) => version === 0],
    [bech32m, (version: number) => version > 0 && version <= 16],
  ] as const) {
    const words = code.decodeUnsafe(text)?.words;
    const [version, ...program] = words ?? [];
    if (version === undefined || !fits(version)) continue;
    const bytes = code.fromWordsUnsafe(program)?.length ?? 0;
    return version === 0 ? bytes === 20 || bytes === 32 : bytes >= 2 && bytes <= 40;
  }
  return false;
};

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n];

/** The checksum of Bitcoin Cash (40 bits) over the name and the text behind it; Kaspa took it over. */
const isCashAddress = (wallet: string): boolean => {
  // Letters of both kinds at once are not allowed.
  if (wallet !== wallet.toLowerCase() && wallet !== wallet.toUpperCase()) return false;
  const text = wallet.toLowerCase();
  const [body = '', name] = text.split(':').reverse();
  const names = name !== undefined ? [name] : body.length > LONGEST_SHORT ? NAMES.long : NAMES.short;
  const payload = [...body].map((letter) => CHARSET.indexOf(letter));
  return !payload.includes(-1) && names.some((one) => cashSum(one, payload) === 1n);
};

const cashSum = (name: string, payload: readonly number[]): bigint => {
  const words = [...name].map((letter) => letter.charCodeAt(0) & 31);
  let sum = 1n;
  for (const word of [...words, 0, ...payload]) {
    const top = sum >> 35n;
    sum = ((sum & 0x07ffffffffn) << 5n) ^ BigInt(word);
    for (const [bit, generator] of GENERATORS.entries()) if (((top >> BigInt(bit)) & 1n) === 1n) sum ^= generator;
  }
  return sum;
};
