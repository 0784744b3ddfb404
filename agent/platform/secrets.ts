import { readFileSync, type Stats, statSync } from 'node:fs';
import { AgentError } from './errors.ts';

/** Where the configuration says a password is. Exactly one of the two. */
export interface SecretSource {
  readonly password_file?: string | undefined;
  readonly password_env?: string | undefined;
}

/** Where any secret is, and what the settings that say so begin with: `password` of `password_file`. */
export interface NamedSource {
  readonly word: string;
  readonly file: string | undefined;
  readonly env: string | undefined;
}

/** Nothing is given, and the maker's own log-in may be tried. */
export const isVendorDefault = (source: SecretSource & { readonly vendor_default?: boolean | undefined }): boolean =>
  source.vendor_default === true && source.password_file === undefined && source.password_env === undefined;

/** The password behind a source. Throws `config.secret`; the secret itself is in no message. */
export const readSecret = ({ password_file, password_env }: SecretSource): string =>
  readNamedSecret({ word: 'password', file: password_file, env: password_env });

/** The secret behind a source. Throws `config.secret`; the secret itself is in no message. */
export const readNamedSecret = ({ word, file, env }: NamedSource): string => {
  if ((file === undefined) === (env === undefined)) {
    throw secretError(`exactly one of ${word}_file and ${word}_env is needed`, `name the file that holds the ${word}`);
  }
  if (file !== undefined) return readSecretFile(word, file);
  const value = process.env[env ?? ''];
  if (value === undefined || value === '') {
    throw secretError(`the environment variable ${env} is empty or not set`, 'set it where the agent is started');
  }
  return value;
};

/** Largest file that is read as a password, bytes. */
const LARGEST = 65_536;

const readSecretFile = (word: string, file: string): string => {
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    requireSecret(word, file, statSync(file));
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (secret !== '') return secret;
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw secretError(`cannot read the ${word} file ${file}: ${code}`, 'make it, mode 0600, readable by the agent');
  }
  throw secretError(`the ${word} file ${file} is empty`, `write the ${word} into it, mode 0600`);
};

const requireSecret = (word: string, file: string, stats: Stats): void => {
  if (stats.isFile() && stats.size <= LARGEST) return;
  const what = stats.isFile() ? `too large to hold a ${word}: ${stats.size} bytes` : 'no regular file';
  throw secretError(`the ${word} file ${file} is ${what}`, `name the file that holds the ${word} and nothing else`);
};

/** A secret that cannot be had: `config.secret`. */
export const secretError = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'config.secret', message, remedy });
