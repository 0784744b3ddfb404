import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { AgentError } from '../../platform/errors.ts';
import { requireStrength } from '../../platform/sealed-key.ts';
import { readSecret } from '../../platform/secrets.ts';
import { askHidden } from '../ask.ts';
import type { Io } from '../io.ts';

/** Where a passphrase comes from. Never from the command line: others on this machine can read it there. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly passphraseEnv?: string;
}

/** The options that say where a passphrase comes from; without them it is asked for on the terminal. */
export const withPassphrase = (command: Command): Command =>
  command
    .option('--passphrase-file <file>', 'file that holds the passphrase; without it you are asked')
    .addOption(
      new Option('--passphrase-env <name>', 'environment variable that holds the passphrase').conflicts(
        'passphraseFile',
      ),
    );

/** The passphrase that opens a key file. */
export const knownPassphrase = async (options: PassphraseOptions, file: string, io: Io): Promise<string> =>
  givenPassphrase(options) ?? (await askHidden(`Passphrase of ${file}: `, io));

/** A passphrase for a key file to be written: asked for twice, since nobody sees what is typed. */
export const newPassphrase = async (options: PassphraseOptions, file: string, io: Io): Promise<string> => {
  const given = givenPassphrase(options);
  if (given !== undefined) return requireStrength(given);
  const passphrase = requireStrength(await askHidden(`New passphrase of ${file}: `, io));
  if (passphrase === (await askHidden('The same once more: ', io))) return passphrase;
  throw new AgentError({
    code: 'key.passphrase',
    message: 'the two passphrases are not the same',
    remedy: 'run it again; nothing was written',
  });
};

const givenPassphrase = ({ passphraseFile, passphraseEnv }: PassphraseOptions): string | undefined => {
  if (passphraseFile !== undefined) return readSecret({ password_file: resolve(passphraseFile) });
  return passphraseEnv === undefined ? undefined : readSecret({ password_env: passphraseEnv });
};
