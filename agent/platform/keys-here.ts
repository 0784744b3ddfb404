import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidKey, jwkOf, parseTrustedKeys, thumbprint } from '../../shared/keys.ts';
import { JWK_FILE } from './keys.ts';

/** Keys that lie on this gateway: whoever breaks into it signs with them, so none of them is a person's. */

/** What lies here, in words, by key id. */
export type KeysHere = ReadonlyMap<string, string>;

/**
 * Every Ed25519 key whose private half lies open in the state folder, or below it, and the gateway's own by its public half, which
 * more users may read. What cannot be read, or only a passphrase opens, is passed over: the agent itself can read what it signs with.
 */
export const keysHere = (stateDir: string): KeysHere =>
  new Map([
    ...filesBelow(stateDir).flatMap((file) => {
      const key = privateKeyIn(file);
      return key?.asymmetricKeyType === 'ed25519' ? [[thumbprint(jwkOf(key)), `lies in ${file}`] as const] : [];
    }),
    ...[...ownPublicKey(stateDir)].map((kid) => [kid, 'is that of this gateway itself'] as const),
  ]);

/** A state folder that names half a disk is not searched to its end. */
const MOST_FILES = 4096;

const filesBelow = (stateDir: string): readonly string[] => {
  const folders = [stateDir];
  const files: string[] = [];
  for (const folder of folders)
    for (const entry of entriesOf(folder)) {
      if (folders.length + files.length > MOST_FILES) return files;
      (entry.isDirectory() ? folders : files).push(join(folder, entry.name));
    }
  return files;
};

const entriesOf = (folder: string): readonly Dirent[] => readOr(() => readdirSync(folder, { withFileTypes: true }), []);

/** A file of a key is small, the store is not. */
const LARGEST_BYTES = 16_384;

const privateKeyIn = (file: string): KeyObject | undefined => {
  const stats = readOr(() => statSync(file), undefined);
  if (stats?.isFile() !== true || stats.size > LARGEST_BYTES) return undefined;
  const text = readOr(() => readFileSync(file, 'utf8'), '');
  try {
    if (text.includes('PRIVATE KEY-----')) return createPrivateKey(text);
    return /"d"\s*:/.test(text) ? createPrivateKey({ format: 'jwk', key: JSON.parse(text) }) : undefined;
  } catch {
    // No key, or one that a passphrase opens. What the parser says of it is not passed on.
    return undefined;
  }
};

const ownPublicKey = (stateDir: string): Iterable<string> => {
  const text = readOr(() => readFileSync(join(stateDir, JWK_FILE), 'utf8'), '');
  try {
    return parseTrustedKeys(JSON.parse(text)).keys();
  } catch (error) {
    if (error instanceof InvalidKey || error instanceof SyntaxError) return [];
    throw error;
  }
};

/** What a read gives, or this where the file system refuses. */
const readOr = <Result>(read: () => Result, none: Result): Result => {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return none;
  }
};
