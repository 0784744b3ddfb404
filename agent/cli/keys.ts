import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { newKeyVerb } from './keys/new.ts';
import { passphraseVerb } from './keys/passphrase.ts';
import { showKeyVerb } from './keys/show.ts';

/** `keys`: the keys of people, on machines of theirs. */
export const keysVerb = (program: Command, io: Io): void => {
  const keys = program
    .command('keys')
    .description('keys of approvers: make one, show whose it is, change its passphrase');
  newKeyVerb(keys, io);
  showKeyVerb(keys, io);
  passphraseVerb(keys, io);
  groupExamples(
    keys,
    [
      'keys new     each approver, on a machine of their own',
      'keys show    whoever gets the public half compares the key id',
    ],
    {
      new: ['assayer keys new --role approver --out alice.key --name alice'],
      show: ['assayer keys show alice.jwk.json'],
      passphrase: ['assayer keys passphrase alice.key'],
    },
  );
};
