import { readFileSync, type Stats, statSync } from 'node:fs';
import { AgentError } from './errors.ts';

/** Where the configuration says a password is. Exactly one of the two. */
export interface SecretSource {
  readonly password_file?: string | undefined;
  readonly password_env?: string | undefined;
}

/** Nothing is given, and the maker's own log-in may be tried. */
export const isVendorDefault = (source: SecretSource & { readonly vendor_default?: boolean | undefined }): boolean =>
  source.vendor_default === true && source.password_file === undefined && source.password_env === undefined;

/** The password behind a source. Throws `config.secret`; the secret itself is in no message. */
export const readSecret = (source: SecretSource): string => {
  if ((source.password_file === undefined) === (source.password_env === undefined)) {
    throw secretError(
      'exactly one of password_file and password_env is needed',
      'name the file that holds the password',
    );
  }
  if (source.password_file !== undefined) return readSecretFile(source.password_file);
  const value = process.env[source.password_env ?? ''];
  if (value === undefined || value === '') {
    throw secretError(
      `the environment variable ${source.password_env} is empty or not set`,
      'set it where the agent is started',
    );
  }
  return value;
};

/** Largest file that is read as a password, bytes. */
const LARGEST = 65_536;

const readSecretFile = (file: string): string => {
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    requirePassword(file, statSync(file));
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (secret !== '') return secret;
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw secretError(`cannot read the password file ${file}: ${code}`, 'make it, mode 0600, readable by the agent');
  }
  throw secretError(`the password file ${file} is empty`, 'write the password into it, mode 0600');
};

const requirePassword = (file: string, stats: Stats): void => {
  if (stats.isFile() && stats.size <= LARGEST) return;
  const what = stats.isFile() ? `too large to hold a password: ${stats.size} bytes` : 'no regular file';
  throw secretError(`the password file ${file} is ${what}`, 'name the file that holds the password and nothing else');
};

const secretError = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'config.secret', message, remedy });
