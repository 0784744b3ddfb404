import { createPrivateKey, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { armor, Encrypter } from 'age-encryption';
import { jwkOf, type Signer, signerOf } from '../../shared/index.ts';

/** Key files of people, as `keys new` writes them but for the work of guessing: made here in no time. */

export const PASSPHRASE = 'five random words of mine';

/** The seeds of RFC 8032 §7.1, tests 2 and 3. */
const SEEDS = {
  alice: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  bob: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
} as const;

export interface KeyOnDisk {
  readonly file: string;
  readonly publicFile: string;
  readonly privateKey: KeyObject;
  readonly signer: Signer;
}

/** `<name>.key` and `<name>.jwk.json` in a folder, and the passphrase in `passphrase`. */
export const keyOnDisk = async (
  dir: string,
  name: keyof typeof SEEDS,
  note: object = { role: 'approver', name },
): Promise<KeyOnDisk> => {
  const der = Buffer.from(`302e020100300506032b657004220420${SEEDS[name]}`, 'hex');
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const [file, publicFile] = [join(dir, `${name}.key`), join(dir, `${name}.jwk.json`)];
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  writeFileSync(file, await quicklySealed(`assayer key: ${JSON.stringify(note)}\n${pem}`), { mode: 0o600 });
  writeFileSync(publicFile, JSON.stringify({ ...jwkOf(privateKey), role: 'approver', name }));
  writeFileSync(join(dir, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  return { file, publicFile, privateKey, signer: signerOf(privateKey) };
};

/** A text in the age format that `PASSPHRASE` opens. */
export const quicklySealed = async (text: string): Promise<string> => {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(6);
  return armor.encode(await encrypter.encrypt(text));
};
