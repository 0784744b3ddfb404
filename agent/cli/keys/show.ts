import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidKey, type Jwk, parseTrustedKeys } from '../../../shared/index.ts';
import type { Role } from '../../../shared/keys.ts';
import { AgentError } from '../../platform/errors.ts';
import { openPersonalKey } from '../../platform/sealed-key.ts';
import { type Io, printable, printJson } from '../io.ts';
import { knownPassphrase, type PassphraseOptions, withPassphrase } from './passphrases.ts';

interface ShowOptions extends PassphraseOptions {
  readonly json?: boolean;
}

/** What anybody may know of a key. */
export interface ShownKey {
  readonly kid: string;
  readonly role?: Role | undefined;
  readonly name?: string | undefined;
  readonly logs?: readonly string[] | undefined;
  readonly jwk: Jwk;
}

/** `keys show`: whose key this is. Of a key file its passphrase is needed, since nothing of it stands outside. */
export const showKeyVerb = (keys: Command, io: Io): void => {
  withPassphrase(
    keys
      .command('show')
      .description('show id, role, name and public half of a key file, or of the keys in a public file')
      .argument('<file>', 'alice.key, alice.jwk.json, gateway.jwk.json, or a file of trusted keys')
      .option('--json', 'print them as a JSON list'),
  ).action((file: string, options: ShowOptions) => show(resolve(file), options, io));
};

const show = async (file: string, options: ShowOptions, io: Io): Promise<void> => {
  const keys = publicKeysOf(file) ?? [await privateKeyOf(file, options, io)];
  if (options.json) printJson(io, keys);
  else io.out.write(keys.map(textOf).join('\n'));
};

/** The keys of a public file; none where it is something else. */
export const publicKeysIn = (file: string): readonly ShownKey[] => publicKeysOf(file) ?? [];

/** The keys of a public file; undefined where it is none. */
const publicKeysOf = (file: string): readonly ShownKey[] | undefined => {
  const json = jsonOf(readText(file));
  if (json === undefined) return undefined;
  try {
    return [...parseTrustedKeys(json).values()].map(({ kid, role, name, logs, jwk }) => ({
      kid,
      role,
      name,
      logs,
      jwk,
    }));
  } catch (cause) {
    if (!(cause instanceof InvalidKey)) throw cause;
    throw new AgentError({
      code: 'key.malformed',
      message: `${file}: ${cause.message}`,
      remedy: 'name a key file, or the .jwk.json beside it',
      cause,
    });
  }
};

const privateKeyOf = async (file: string, options: ShowOptions, io: Io): Promise<ShownKey> => {
  const { note, signer, jwk } = await openPersonalKey(file, await knownPassphrase(options, file, io));
  return { kid: signer.kid, ...note, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x } };
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgentError({
      code: code === 'ENOENT' ? 'key.absent' : 'key.unreadable',
      message: code === 'ENOENT' ? `there is no ${file}` : `cannot read ${file}: ${code}`,
      remedy: 'name a file that exists and that you may read',
      cause,
    });
  }
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const textOf = ({ kid, role, name, logs, jwk }: ShownKey): string =>
  [
    `Key id: ${kid}`,
    `Role:   ${role ?? 'not said; whoever trusts it says so'}`,
    ...(name === undefined ? [] : [`Name:   ${printable(name)}`]),
    ...(logs === undefined ? [] : [`Logs:   ${logs.map(printable).join(', ')}`]),
    `Public: ${JSON.stringify(jwk)}`,
    '',
  ].join('\n');
