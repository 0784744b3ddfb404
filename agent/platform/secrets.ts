import { readFileSync } from 'node:fs';
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

const readSecretFile = (file: string): string => {
  try {
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (secret !== '') return secret;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw secretError(`cannot read the password file ${file}: ${code}`, 'make it, mode 0600, readable by the agent');
  }
  throw secretError(`the password file ${file} is empty`, 'write the password into it, mode 0600');
};

const secretError = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'config.secret', message, remedy });
