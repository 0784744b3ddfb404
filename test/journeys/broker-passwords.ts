import { pbkdf2Sync, randomBytes } from 'node:crypto';

/** A password file of Mosquitto 2: PBKDF2 with SHA-512. */
export const brokerPasswords = (of: { readonly [user: string]: string }): string =>
  Object.entries(of)
    .map(([user, password]) => {
      const salt = randomBytes(12);
      const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
      return `${user}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
    })
    .join('');
