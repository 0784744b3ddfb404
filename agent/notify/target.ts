import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Config } from '../config/schema.ts';
import { AgentError } from '../platform/errors.ts';
import { isLoopback } from '../platform/loopback.ts';
import { holdsCertificate, readPem } from '../platform/pem.ts';
import { readNamedSecret } from '../platform/secrets.ts';
import { parseSigningSecret, type SigningKeys } from './signature.ts';

/** One entry under `notify`. */
export type Target = Config['notify'][number];

/** One that is a webhook. */
export type WebhookSettings = Extract<Target, { webhook: unknown }>['webhook'];

/** What is wrong with a target, and where in its entry. */
interface TargetProblem {
  readonly path: readonly PropertyKey[];
  readonly problem: AgentError;
}

/** What would keep this target from being told anything: a wrong URL, a secret that is not there, a program that cannot run. */
export const checkTarget = (target: Target): readonly TargetProblem[] => {
  if ('command' in target) return attempt(['command'], () => checkProgram(target.command));
  const { webhook } = target;
  const headers = Object.entries(webhook.headers ?? {});
  return [
    ...attempt(['webhook', 'url'], () => parseUrl(webhook)),
    ...attempt(['webhook'], () => signingKeys(webhook)),
    ...attempt(['webhook'], () => authorization(webhook)),
    ...attempt(['webhook', 'ca'], () => authorities(webhook)),
    ...headers.flatMap(([name, value]) => attempt(['webhook', 'headers', name], () => checkHeader(name, value))),
  ];
};

const attempt = (path: readonly PropertyKey[], body: () => unknown): readonly TargetProblem[] => {
  try {
    body();
    return [];
  } catch (problem) {
    if (problem instanceof AgentError) return [{ path, problem }];
    throw problem;
  }
};

/** The address of a webhook. Throws `notify.target`. Path and query may be a secret, and are in no message. */
export const parseUrl = ({ url: text, insecure }: WebhookSettings): URL => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw targetError(
      'the url of the webhook is no URL of HTTP',
      'write for example https://pager.example/hooks/assayer',
    );
  if (url.username !== '' || url.password !== '')
    throw targetError('the url of a webhook may not hold credentials', 'use authorization_file');
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1')))
    throw targetError(
      `${url.origin} would be sent everything in clear text`,
      'use https://, or set insecure: true if that network is trusted',
    );
  return url;
};

/** The keys to sign with. Read whenever something is sent: a new secret needs no restart. Throws `config.secret`. */
export const signingKeys = ({ secret_file, secret_env }: WebhookSettings): SigningKeys =>
  parseSigningSecret(readNamedSecret({ word: 'secret', file: secret_file, env: secret_env }));

/** The value of the Authorization header, where one is set. Throws `config.secret`. */
export const authorization = ({ authorization_file, authorization_env }: WebhookSettings): string | undefined => {
  if (authorization_file === undefined && authorization_env === undefined) return undefined;
  const value = readNamedSecret({ word: 'authorization', file: authorization_file, env: authorization_env });
  checkHeader('x-authorization', value);
  return value;
};

/** The authorities that are trusted; undefined for the public ones. Throws `notify.target`. */
export const authorities = ({ ca }: WebhookSettings): Buffer | undefined => {
  if (ca === undefined) return undefined;
  const read = readPem('ca file', ca);
  if (!(read instanceof Uint8Array)) throw targetError(read.message, 'name a PEM file that the agent may read');
  if (holdsCertificate(read)) return read;
  throw targetError(`ca file ${ca} holds no certificate`, 'name the PEM file of the authority');
};

/** What we set ourselves, what frames the request, and what is a secret and belongs into a file. */
const RESERVED = /^(webhook-.*|content-.*|host|connection|transfer-encoding|upgrade|expect|te|trailer)$/i;
const SECRET = /^(authorization|proxy-authorization|cookie)$/i;

const checkHeader = (name: string, value: string): void => {
  if (SECRET.test(name)) throw targetError(`the header ${name} is a secret`, 'put it into a file: authorization_file');
  if (RESERVED.test(name)) throw targetError(`the header ${name} cannot be set`, 'remove it');
  if (/^[A-Za-z0-9-]+$/.test(name) && /^[\x20-\x7e]*$/.test(value)) return;
  throw targetError(
    `the header ${JSON.stringify(name)} cannot be sent as it is`,
    'one line of ASCII, its name of letters, digits and dashes',
  );
};

/** The program of a command. Throws `notify.target`. */
const checkProgram = (command: readonly string[]): void => {
  const [program = ''] = command;
  if (!isAbsolute(program))
    throw targetError(`${JSON.stringify(program)} is no absolute path`, 'name the program by its absolute path');
  if (command.some((word) => word.includes('\0'))) throw targetError('a word of the command holds a NUL', 'remove it');
  try {
    accessSync(program, constants.X_OK);
    if (statSync(program).isFile()) return;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw targetError(
      `${program} cannot be run: ${code}`,
      `make it executable for the user of the agent: chmod 755 ${program}`,
    );
  }
  throw targetError(`${program} is no file`, 'name the program by its absolute path');
};

/** How a target is spoken of: nothing of it that may be a secret. */
export const describeTarget = (target: Target): string =>
  'command' in target ? `command ${target.command[0]}` : `webhook ${URL.parse(target.webhook.url)?.origin ?? ''}`;

const targetError = (message: string, remedy: string): AgentError =>
  new AgentError({ code: 'notify.target', message, remedy });
