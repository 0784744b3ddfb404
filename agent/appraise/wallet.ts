import { hash } from 'node:crypto';
import { bech32, bech32m, createBase58check } from '@scure/base';

/**
 * Wallet addresses carry a checksum: one that fails pays nobody. Judged are texts that can hardly be anything else than an
 * address of a coin that miners are paid in; every other account is not judged.
 */

/** Base58 with four bytes of a double SHA-256: Bitcoin (1, 3), Litecoin, Dogecoin, Dash, DigiByte, transparent Zcash. */
const BASE58 = /^(?:1[0-9a-z]{25,33}|[3LMDAX79S][0-9a-z]{31,33}|t[13][0-9a-z]{33})$/i;

/** Names before the last `1` of a bech32 address; of the first ones SegWit decides which checksum it is. */
const SEGWIT = /^(?:bc|ltc|dgb|btg)1[0-9a-z]{20,}$/i;
const NERVOS = /^ckb1[0-9a-z]{20,}$/i;

/** `bitcoincash:`, or nothing, and `kaspa:` before a text with the checksum of CashAddr. */
const CASHADDR = /^(?:(?:bitcoincash|ecash|kaspa):[0-9a-z]{20,}|[qp][023456789ac-hj-np-z]{41})$/i;

/** Whether the account of a pool user has the shape of a wallet address and a checksum that fails. */
export const isBrokenAddress = (user: string): boolean => {
  // Workers stand behind a dot; some pools take a slash, a plus or an underscore.
  const account = /^[0-9a-z:]*/i.exec(user)?.[0] ?? '';
  if (SEGWIT.test(account)) return !isSegwit(account);
  if (NERVOS.test(account)) return !reads(() => bech32m.decode(account as `${string}1${string}`, false));
  if (CASHADDR.test(account)) return !isCashAddress(account);
  return BASE58.test(account) && isMixed(account) && !reads(() => base58check.decode(account));
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
const isCashAddress = (account: string): boolean => {
  // Letters of both kinds at once are not allowed.
  if (account !== account.toLowerCase() && account !== account.toUpperCase()) return false;
  const text = account.toLowerCase();
  const [name, body] = text.includes(':') ? (text.split(':') as [string, string]) : ['bitcoincash', text];
  const words = [...name].map((letter) => letter.charCodeAt(0) & 31);
  const payload = [...body].map((letter) => CHARSET.indexOf(letter));
  if (payload.includes(-1)) return false;
  let sum = 1n;
  for (const word of [...words, 0, ...payload]) {
    const top = sum >> 35n;
    sum = ((sum & 0x07ffffffffn) << 5n) ^ BigInt(word);
    for (const [bit, generator] of GENERATORS.entries()) if (((top >> BigInt(bit)) & 1n) === 1n) sum ^= generator;
  }
  return sum === 1n;
};
