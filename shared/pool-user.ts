/** Pool users: an account or wallet, and behind it the worker. */

/**
 * An account that is an e-mail address. The last label that can end a domain belongs to it, as long as no slash stands before: of
 * `ops@acme.example.kitchen` nobody knows where the worker begins, and another account is graver than another worker.
 */
const MAIL = /^[^@/]+@[^/]*\.(?:xn--[a-z0-9-]+|[a-z\u0080-\u{10ffff}]{2,})(?=[._/]|$)/isu;

/** The e-mail address that a user, or a template for users, begins with; undefined where there is none. */
export const mailOf = (user: string): string | undefined => MAIL.exec(user)?.[0];

/** The account or wallet: an e-mail address, else what stands before the first dot. */
export const accountOf = (user: string): string => mailOf(user) ?? user.split('.', 1)[0] ?? '';

/** The worker; undefined where the user names none. */
export const workerOf = (user: string): string | undefined => {
  const account = accountOf(user);
  return account === user ? undefined : user.slice(account.length + 1);
};
