import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { AgentError } from '../platform/errors.ts';
import { holdsCertificate, readPem } from '../platform/pem.ts';
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

const pem = (name: 'ca' | 'cert' | 'key', file: string | undefined): { readonly [member: string]: Buffer } => {
  if (file === undefined) return {};
  const read = readPem(`${name} file`, file);
  if (read instanceof Uint8Array) {
    if (name !== 'ca' || holdsCertificate(read)) return { [name]: read };
    throw credentialsError(`ca file ${file} holds no certificate`, 'name the PEM file of the authority as mqtt.ca');
  }
  throw credentialsError(read.message, remedyOf(name, file, read.cause), read.cause);
};

const remedyOf = (name: string, file: string, cause: unknown): string => {
  if (cause === undefined) return `name a PEM file as mqtt.${name}`;
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? `put the file there, or name the one that is meant: mqtt.${name}, for a collector --${name}`
    : `make ${file} readable by the user of this program`;
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
