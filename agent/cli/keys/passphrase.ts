import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { changePassphrase } from '../../platform/sealed-key.ts';
import type { Io } from '../io.ts';
import { knownPassphrase, newPassphrase, type PassphraseOptions, withPassphrase } from './passphrases.ts';

interface ChangeOptions extends PassphraseOptions {
  readonly newPassphraseFile?: string;
  readonly newPassphraseEnv?: string;
}

/** `keys passphrase`: the same key under another passphrase. */
export const passphraseVerb = (keys: Command, io: Io): void => {
  withPassphrase(
    keys
      .command('passphrase')
      .description('change the passphrase of a key file; copies of the old file open with the old one for ever')
      .argument('<file>', 'key file that `assayer keys new` wrote'),
  )
    .option('--new-passphrase-file <file>', 'file that holds the new passphrase; without it you are asked twice')
    .addOption(
      new Option('--new-passphrase-env <name>', 'environment variable that holds the new passphrase').conflicts(
        'newPassphraseFile',
      ),
    )
    .action((file: string, options: ChangeOptions) => change(file, options, io));
};

const change = async (file: string, options: ChangeOptions, io: Io): Promise<void> => {
  const before = await knownPassphrase(options, file, io);
  const { newPassphraseFile, newPassphraseEnv } = options;
  const after = await newPassphrase(
    {
      ...(newPassphraseFile === undefined ? {} : { passphraseFile: newPassphraseFile }),
      ...(newPassphraseEnv === undefined ? {} : { passphraseEnv: newPassphraseEnv }),
    },
    file,
    io,
  );
  const { signer } = await changePassphrase(resolve(file), before, after);
  io.out.write(`${file} opens with the new passphrase now; its key is the same: ${signer.kid}\n`);
};
