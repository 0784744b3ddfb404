import type { Command } from 'commander';
import { groupExamples } from './examples.ts';
import type { Io } from './io.ts';
import { admitKeyVerb } from './keys/admit.ts';
import { listKeysVerb } from './keys/list.ts';
import { newKeyVerb } from './keys/new.ts';
import { passphraseVerb } from './keys/passphrase.ts';
import { showKeyVerb } from './keys/show.ts';

/** `keys`: the keys of people, on machines of theirs; `list` at the gateway. */
export const keysVerb = (program: Command, io: Io): void => {
  const keys = program
    .command('keys')
    .description(
      'keys of approvers: make one, show whose it is, admit one to those who approve, change its passphrase',
    );
  newKeyVerb(keys, io);
  showKeyVerb(keys, io);
  admitKeyVerb(keys, io);
  listKeysVerb(keys, io);
  passphraseVerb(keys, io);
  groupExamples(
    keys,
    [
      'keys new     each approver, on a machine of their own',
      'keys show    whoever gets the public half compares the key id',
      'keys admit   those who approve already sign that another one does, too',
      'keys list    at the gateway: whose signatures count, and who waits',
    ],
    {
      new: ['assayer keys new --role approver --out alice.key --name alice'],
      show: ['assayer keys show alice.jwk.json'],
      admit: ['assayer keys admit carol.jwk.json --key alice.key'],
      list: ['assayer keys list -c assayer.yaml'],
      passphrase: ['assayer keys passphrase alice.key'],
    },
  );
};
