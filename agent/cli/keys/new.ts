import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AgentError } from '../../platform/errors.ts';
import { writeNew } from '../../platform/keys.ts';
import { createPersonalKey, PERSONAL_ROLES, type PersonalRole } from '../../platform/sealed-key.ts';
import { type Io, printJson } from '../io.ts';
import { newPassphrase, type PassphraseOptions, withPassphrase } from './passphrases.ts';

interface NewOptions extends PassphraseOptions {
  readonly role: PersonalRole;
  readonly out: string;
  readonly name?: string;
  readonly json?: boolean;
}

/** `keys new`: a key of a person, in a file that a passphrase opens, and its public half in a file to hand round. */
export const newKeyVerb = (keys: Command, io: Io): void => {
  withPassphrase(
    keys
      .command('new')
      .description('make a key for a person, on a machine of theirs: never on a gateway')
      .addOption(
        new Option('--role <role>', 'what it signs: approver references, plans and waivers; authority manifests')
          .choices(PERSONAL_ROLES)
          .default('approver'),
      )
      .requiredOption('--out <file>', 'file to write, such as alice.key; the public half goes to alice.jwk.json')
      .option('--name <name>', 'whose key it is, for people who read what it signed', nameOf)
      .option('--json', 'print the public key as JSON'),
  ).action((options: NewOptions) => makeKey(options, io));
};

const nameOf = (text: string): string => {
  if (text.length < 1 || text.length > 128) throw new InvalidArgumentError('1 to 128 characters');
  return text;
};

const makeKey = async (options: NewOptions, io: Io): Promise<void> => {
  const file = resolve(options.out);
  const publicFile = publicFileOf(file);
  requirePlace(file);
  for (const each of [file, publicFile]) if (existsSync(each)) throw exists(each);
  const passphrase = await newPassphrase(options, options.out, io);
  const { role, name } = options;
  const { jwk } = await createPersonalKey(file, { role, ...(name === undefined ? {} : { name }) }, passphrase);
  writeNew(publicFile, `${JSON.stringify(jwk)}\n`, 0o644, '--out');
  if (options.json) return printJson(io, jwk);
  io.out.write(
    [
      `Key:        ${file} (mode 0600; the passphrase opens it, and nothing else: keep a copy of both apart)`,
      `Public key: ${publicFile} (give this to gateways and collectors that shall trust it)`,
      `Key id:     ${jwk.kid}`,
      '',
      'Read the key id to whoever takes the public key, over another way than the one the file takes.',
      '',
    ].join('\n'),
  );
};

/** `alice.jwk.json` beside `alice.key`. */
const publicFileOf = (file: string): string => `${file.replace(/\.(key|age|pem)$/, '')}.jwk.json`;

const exists = (file: string): AgentError =>
  new AgentError({
    code: 'key.exists',
    message: `${file} exists and is never overwritten`,
    remedy: 'keep it, or choose another --out',
  });

/** What lies in the state folder of a gateway, or of a collector that signs. */
const OF_MACHINES = ['gateway.key', 'assayer.db'] as const;

/** A key that approves must not lie where the gateway could use it, or who breaks into the gateway. */
const requirePlace = (file: string): void => {
  const folder = foldersAbove(realFolder(file)).find((each) =>
    OF_MACHINES.some((name) => existsSync(join(each, name))),
  );
  if (folder === undefined) return;
  throw new AgentError({
    code: 'key.place',
    message: `${folder} is the state folder of a gateway: a key that approves what it sees must not lie there`,
    remedy: 'make the key on a machine of the approver, and give gateways the public half only',
  });
};

const realFolder = (file: string): string => {
  const folder = dirname(file);
  try {
    return realpathSync(folder);
  } catch (cause) {
    throw new AgentError({
      code: 'key.unwritable',
      message: `cannot write ${file}: ${(cause as NodeJS.ErrnoException).code}`,
      remedy: `make the folder first: mkdir -p ${folder}`,
      cause,
    });
  }
};

const foldersAbove = (folder: string): readonly string[] => {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersAbove(above)];
};
