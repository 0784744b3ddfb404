import { generateKeyPairSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { jwkOf, type Role, type Signer, signerOf } from '../../shared/keys.ts';
import { AgentError } from './errors.ts';
import { type PublicJwk, parsePrivateKey, readPrivate, writeNew } from './keys.ts';

/**
 * Keys of people, in files that a passphrase opens: the age format with one scrypt recipient, in its text form, around a PKCS#8
 * PEM. `age -d` opens them as well. Such a key never lies on a gateway.
 */

/** Whom a key of a person stands for. Keys of gateways and collectors sign without anybody there, and are no such files. */
export const PERSONAL_ROLES = ['approver', 'authority'] as const satisfies readonly Role[];

/** One of these. */
export type PersonalRole = (typeof PERSONAL_ROLES)[number];

/** What a key file says of its key, above the PEM. Nothing, where another program made it. */
export interface KeyNote {
  readonly role?: PersonalRole | undefined;
  readonly name?: string | undefined;
}

/** A key that was opened. The private half stays inside `signer`. */
export interface PersonalKey {
  readonly note: KeyNote;
  readonly signer: Signer;
  /** What others are handed, with role and name. */
  readonly jwk: PublicJwk & KeyNote;
}

/** The plaintext of a key file: a line for us, which readers of PEM pass over, then the PEM. */
interface Opened {
  readonly note: KeyNote;
  readonly pem: string;
}

const NOTE = 'assayer key: ';
const noteSchema = z.strictObject({
  role: z.enum(PERSONAL_ROLES).exactOptional(),
  name: z.string().min(1).max(128).exactOptional(),
});

/** Fewer characters are guessed, whatever the work for each guess. */
const LEAST_CHARACTERS = 10;

/** Makes a key and its file, mode 0600. Throws `key.exists`, `key.unwritable`, `key.passphrase`. */
export const createPersonalKey = async (
  file: string,
  note: KeyNote & { readonly role: PersonalRole },
  passphrase: string,
): Promise<PersonalKey> => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  writeNew(file, await sealed({ note, pem }, passphrase), 0o600, '--out');
  return personalKey(file, { note, pem });
};

/** Opens a key file. Throws `key.absent`, `key.mode`, `key.unreadable`, `key.malformed`, `key.passphrase`, `key.algorithm`. */
export const openPersonalKey = async (file: string, passphrase: string): Promise<PersonalKey> =>
  personalKey(file, await unsealed(file, passphrase));

/** Writes the key file anew under another passphrase; a crash leaves the old one or the new one. Throws as both do. */
export const changePassphrase = async (file: string, before: string, after: string): Promise<PersonalKey> => {
  const opened = await unsealed(file, before);
  const text = await sealed(opened, after);
  const next = `${file}.new`;
  // A change that was cut off before left it; the key file itself is whole.
  rmSync(next, { force: true });
  writeNew(next, text, 0o600, 'folder');
  renameSync(next, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
  return personalKey(file, opened);
};

const personalKey = (file: string, { note, pem }: Opened): PersonalKey => {
  const privateKey = parsePrivateKey(file, Buffer.from(pem), ANOTHER);
  const signer = signerOf(privateKey);
  return { note, signer, jwk: { ...jwkOf(privateKey), kid: signer.kid, alg: 'Ed25519', use: 'sig', ...note } };
};

const ANOTHER = 'make a new one with `assayer keys new` and have it trusted in place of the old one';

/** A passphrase that a key may be protected by. Throws `key.passphrase`. */
export const requireStrength = (passphrase: string): string => {
  if ([...passphrase].length >= LEAST_CHARACTERS) return passphrase;
  throw new AgentError({
    code: 'key.passphrase',
    message: `the passphrase has fewer than ${LEAST_CHARACTERS} characters`,
    remedy: 'choose a longer one, such as five random words',
  });
};

/** The age library, loaded where a key file is opened or made: the agent itself has no use for it. */
const age = () => import('age-encryption');

const sealed = async ({ note, pem }: Opened, passphrase: string): Promise<string> => {
  const { armor, Encrypter } = await age();
  const encrypter = new Encrypter();
  encrypter.setPassphrase(requireStrength(passphrase));
  return armor.encode(await encrypter.encrypt(`${NOTE}${JSON.stringify(note)}\n${pem}`));
};

const unsealed = async (file: string, passphrase: string): Promise<Opened> => {
  const text = readPrivate(file, 'assayer keys new').toString('latin1');
  const { armor, Decrypter } = await age();
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return readOpened(file, await decrypted(file, () => decrypter.decrypt(armor.decode(text), 'text')));
};

/** What the library says is told apart only as far as a person can act on it; nothing it says is passed on. */
const decrypted = async (file: string, decrypt: () => Promise<string>): Promise<string> => {
  try {
    return await decrypt();
  } catch (cause) {
    if ((cause as Error).message.includes('no identity matched')) {
      throw new AgentError({
        code: 'key.passphrase',
        message: `this passphrase does not open ${file}`,
        remedy: 'try again; if you are sure of it, the file is damaged: put it back from a backup',
      });
    }
    throw notAKeyFile(file);
  }
};

const readOpened = (file: string, plain: string): Opened => {
  const start = plain.indexOf('-----BEGIN ');
  const line = plain.slice(0, Math.max(0, start)).trim();
  if (!line.startsWith(NOTE)) return { note: {}, pem: plain };
  const note = noteSchema.safeParse(parsed(line.slice(NOTE.length)));
  if (!note.success) throw notAKeyFile(file);
  return { note: note.data, pem: plain.slice(start) };
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

const notAKeyFile = (file: string): AgentError =>
  new AgentError({
    code: 'key.malformed',
    message: `${file} is no key file that a passphrase opens, or it is damaged`,
    remedy: `put it back from a backup, or ${ANOTHER}`,
  });
