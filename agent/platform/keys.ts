import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidKey, jwkOf, parseTrustedKeys, type Signer, signerOf } from '../../shared/keys.ts';
import type { Jwk } from '../../shared/statement.ts';
import { AgentError } from './errors.ts';

/** The public half of a gateway key, as `gateway.jwk.json` holds it. `kid` is its RFC 7638 thumbprint. */
export interface PublicJwk extends Jwk {
  readonly kid: string;
  readonly alg: 'Ed25519';
  readonly use: 'sig';
}

/** The key that signs the log of this gateway. The private half stays inside `signer`; nothing prints it. */
export interface GatewayKey {
  readonly kid: string;
  readonly jwk: PublicJwk;
  readonly signer: Signer;
  /** `key_protection` of the `session` `start` entry. */
  readonly protection: 'file';
}

const KEY_FILE = 'gateway.key';
/** In the state folder: the public half. */
export const JWK_FILE = 'gateway.jwk.json';
const REDACTION_FILE = 'redaction.key';

/** Makes the gateway key, mode 0600, and its public JWK beside it. Only `init` calls this. Throws `key.exists`, `key.unwritable`. */
export const createKey = (stateDir: string): GatewayKey => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = gatewayKey(privateKey);
  writeNew(join(stateDir, KEY_FILE), privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  writeFileSync(join(stateDir, JWK_FILE), `${JSON.stringify(key.jwk)}\n`, { mode: 0o644, flush: true });
  return key;
};

/** Reads the gateway key. Throws `key.absent`, `key.mode`, `key.unreadable`, `key.malformed`, `key.algorithm`. */
export const loadKey = (stateDir: string): GatewayKey => {
  const file = join(stateDir, KEY_FILE);
  const other = 'choose an empty state_dir and run: assayer init';
  return gatewayKey(parsePrivateKey(file, readPrivate(file, 'assayer init'), other));
};

/**
 * Notes in `gateway.jwk.json` whose key it is, `<operator>/<gateway>`, so that whoever trusts the file trusts it for this
 * gateway and no other. Names that the key had before stay, since logs under them stand. Throws what the file system throws.
 */
export const bindPublicKey = (stateDir: string, { kid, jwk }: GatewayKey, gateway: string): void => {
  const file = join(stateDir, JWK_FILE);
  const before = boundTo(file, kid);
  if (before.includes(gateway)) return;
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...jwk, logs: [...before, gateway] })}\n`, {
    mode: 0o644,
    flush: true,
  });
  renameSync(`${file}.new`, file);
};

/** The gateways that the file names; none where it is absent, damaged or of another key: it is written anew then. */
const boundTo = (file: string, kid: string): readonly string[] => {
  try {
    return parseTrustedKeys(JSON.parse(readFileSync(file, 'utf8'))).get(kid)?.logs ?? [];
  } catch (error) {
    const isExpected =
      error instanceof InvalidKey || error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isExpected) return [];
    throw error;
  }
};

/** The key with which a collector cosigns, PKCS#8 PEM, mode 0600; made at first need. Throws what `loadKey` throws. */
export const collectorKey = (file: string): Signer & { readonly jwk: Jwk } => {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeNew(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  }
  const other = 'name a file that does not exist yet, and have the new key put into the manifest';
  const privateKey = parsePrivateKey(file, readPrivate(file, 'assayer collect'), other);
  return { ...signerOf(privateKey), jwk: jwkOf(privateKey) };
};

/** The secret behind `*_pid` members, 32 bytes, made at first need. Without it a redacted value could be guessed from its digest. */
export const loadRedactionKey = (stateDir: string): Buffer => {
  const file = join(stateDir, REDACTION_FILE);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) writeNew(file, randomBytes(32), 0o600);
  const secret = readPrivate(file, 'assayer run');
  if (secret.length === 32) return secret;
  throw new AgentError({
    code: 'key.malformed',
    message: `${file} holds ${secret.length} bytes instead of 32`,
    remedy: `restore it from a backup, or remove it: redacted values then look changed once`,
  });
};

const gatewayKey = (privateKey: KeyObject): GatewayKey => {
  const signer = signerOf(privateKey);
  const { kid } = signer;
  return { kid, jwk: { ...jwkOf(privateKey), kid, alg: 'Ed25519', use: 'sig' }, signer, protection: 'file' };
};

/** An Ed25519 key; `other` says what to do where the right one is gone. Throws `key.malformed`, `key.algorithm`. */
export const parsePrivateKey = (file: string, pem: Buffer, other: string): KeyObject => {
  const key = privateKeyOf(file, pem, other);
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new AgentError({
    code: 'key.algorithm',
    message: `${file} holds a key of type ${key.asymmetricKeyType}; what is signed here is signed with Ed25519`,
    remedy: `put the Ed25519 key back, or ${other}`,
  });
};

const privateKeyOf = (file: string, pem: Buffer, other: string): KeyObject => {
  try {
    return createPrivateKey(pem);
  } catch {
    // The parser's own error is dropped: nothing that read the key may end in a log line.
    throw new AgentError({
      code: 'key.malformed',
      message: `${file} is not a PKCS#8 PEM private key`,
      remedy: `restore it from a backup, or ${other}`,
    });
  }
};

/** A file that nobody but its owner may read. Throws `key.absent` (`maker` makes it), `key.mode`, `key.unreadable`. */
export const readPrivate = (file: string, maker: string): Buffer => {
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) {
      throw new AgentError({
        code: 'key.mode',
        message: `${file} can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
        remedy: `chmod 600 ${file}; if others could log in here, replace the key`,
      });
    }
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgentError({
      code: code === 'ENOENT' ? 'key.absent' : 'key.unreadable',
      message: code === 'ENOENT' ? `there is no ${file}` : `cannot read ${file}: ${code}`,
      remedy: code === 'ENOENT' ? `run: ${maker}` : `make it readable by who runs this: chown <user> ${file}`,
      cause,
    });
  }
};

/** Writes a file that is not there yet. Throws `key.exists`, `key.unwritable`; `place` is what to choose another one of. */
export const writeNew = (file: string, content: string | Buffer, mode: number, place = 'state_dir'): void => {
  try {
    writeFileSync(file, content, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AgentError({
      code: code === 'EEXIST' ? 'key.exists' : 'key.unwritable',
      message: code === 'EEXIST' ? `${file} exists and is never overwritten` : `cannot write ${file}: ${code}`,
      remedy: code === 'EEXIST' ? `keep it, or choose another ${place}` : `choose a ${place} that you may write to`,
      cause,
    });
  }
};
