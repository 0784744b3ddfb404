/** Pool users: an account or wallet, and behind it the worker. */

/**
 * An account that is an e-mail address. The last label that can end a domain belongs to it, as long as no slash stands before: of
 * `ops@acme.example.kitchen` nobody knows where the worker begins, and another account is graver than another worker. Some pools
 * want `%40` for the sign.
 */
const MAIL = /^[^@/]+(?:@|%40)[^/]*\.(?:xn--[a-z0-9-]+|[a-z\u0080-\u{10ffff}]{2,})(?=[._/]|$)/isu;

/** The e-mail address that a user, or a template for users, begins with; undefined where there is none. */
export const mailOf = (user: string): string | undefined => MAIL.exec(user)?.[0];

/** Coins that these machines mine. Pools for several of them take one in front of the account: `LTC.acme.rig1`. */
const COINS = new Set(
  (
    'ALEO ALPH BCH BEL BSV BTC BTG CKB DASH DCR DGB DOGE ETC ETHW FB FCH HNS HTR INI KAS KDA LBC LTC NEXA NMC PPC QUAI RVN ' +
    'RXD SC SYS VRSC XEC XMR XVG ZEC ZEN'
  ).split(' '),
);

/**
 * The account or wallet: an e-mail address, else what stands before the first dot, a coin in front of it included. Of an address of which
 * nobody knows where it ends it is all up to a slash.
 */
export const accountOf = (user: string): string => {
  const mail = mailOf(user);
  if (mail !== undefined) return mail;
  const [first = '', second, worker] = user.split('.', 3);
  if (/^[^/]+(?:@|%40)/.test(first)) return user.replace(/\/.*$/s, '');
  return worker !== undefined && COINS.has(first.toUpperCase()) ? `${first}.${second}` : first;
};

/** Whether this is an account at all. Nothing, or a coin alone, is none: whose the work is then stands in what is taken for the worker, if anywhere. */
export const isAccount = (account: string): boolean => account !== '' && !COINS.has(account.toUpperCase());

/** For whom it works: the account, or, where none is told, the whole user, in which one may stand. */
export const payeeOf = (user: string): string => {
  const account = accountOf(user);
  return isAccount(account) ? account : user;
};

/** The worker; undefined where the user names none. */
export const workerOf = (user: string): string | undefined => {
  const account = accountOf(user);
  return account === user ? undefined : user.slice(account.length + 1);
};
