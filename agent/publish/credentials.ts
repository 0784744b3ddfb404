import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AgentError } from '../platform/errors.ts';
import { readSecret } from '../platform/secrets.ts';
import type { MqttSettings } from './broker.ts';

/** What the agent shows a broker, and whom it believes. Never logged. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Reads the files that the settings name. Throws `mqtt.credentials` or `config.secret` for one that cannot be used. */
export const readCredentials = (settings: MqttSettings, gateway: string): Credentials => {
  const hasPassword = settings.password_file !== undefined || settings.password_env !== undefined;
  const username = settings.username ?? (hasPassword ? gateway : undefined);
  const files = { ...pem('ca', settings.ca), ...pem('cert', settings.cert), ...pem('key', settings.key) };
  checkPair(files);
  return {
    ...(username === undefined ? {} : { username }),
    ...(hasPassword ? { password: readSecret(settings) } : {}),
    ...files,
  };
};

/** The name in a certificate, PEM; '' where it has none. */
export const commonName = (cert: Buffer): string =>
  /^CN=(.*)$/m.exec(new X509Certificate(cert).subject ?? '')?.[1] ?? '';

/** Far above any bundle of authorities, bytes. */
const LARGEST_PEM = 8_388_608;

const pem = (name: 'ca' | 'cert' | 'key', file: string | undefined): { readonly [member: string]: Buffer } => {
  if (file === undefined) return {};
  try {
    // Before it is opened: reading a pipe or a device would wait, or never end.
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > LARGEST_PEM)
      throw credentialsError(
        `${name} file ${file} is no regular file, or is too large`,
        `name a PEM file as mqtt.${name}`,
      );
    return { [name]: readFileSync(file) };
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw credentialsError(`cannot read ${name} file ${file}: ${code}`, `make ${file} readable by the agent`, cause);
  }
};

/** A key that does not belong to its certificate, or a file that is no PEM, is found here and not in the handshake. */
const checkPair = (files: { readonly [member: string]: Buffer }): void => {
  try {
    createSecureContext(files);
  } catch (cause) {
    throw credentialsError(
      `the files ${Object.keys(files).join(', ')} of mqtt cannot be used: ${(cause as Error).message}`,
      'check them with: openssl x509 -in <cert> -noout -text; openssl pkey -in <key> -check -noout',
      cause,
    );
  }
};

const credentialsError = (message: string, remedy: string, cause?: unknown): AgentError =>
  new AgentError({ code: 'mqtt.credentials', message, remedy, cause });
