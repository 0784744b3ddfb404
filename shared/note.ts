import { hash, type KeyObject, verify } from 'node:crypto';
import { fromBase64url, toBase64url } from './base64url.ts';
import { isReducedSignature } from './ed25519.ts';
import { publicKeyOf } from './keys.ts';
import type { Jwk } from './statement.ts';

/** Signed notes of C2SP: a text, an empty line, and signature lines that name their key. */

/** Key and signature types of C2SP: an Ed25519 signature of the text, a timestamped cosignature. */
export const NOTE_TYPE = { signature: 0x01, cosignature: 0x04 } as const;
export type NoteType = (typeof NOTE_TYPE)[keyof typeof NOTE_TYPE];

export interface NoteSignature {
  readonly name: string;
  /** The first four bytes of the digest over name, type and key. */
  readonly keyId: Buffer;
  readonly value: Buffer;
}

export interface Note {
  /** With its last newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key that signs notes, as a verifier knows it. */
export interface NoteKey {
  readonly name: string;
  readonly type: NoteType;
  readonly keyId: Buffer;
  readonly key: KeyObject;
}

/** The key of a JWK under a name; `key` where it was made ready before. */
export const noteKeyOf = (name: string, type: NoteType, jwk: Jwk, key = publicKeyOf(jwk)): NoteKey => ({
  name,
  type,
  keyId: hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), rawKey(jwk)]), 'buffer').subarray(
    0,
    4,
  ),
  key,
});

const rawKey = (jwk: Jwk): Buffer => fromBase64url(jwk.x) ?? Buffer.alloc(0);

/** The text of a key, `<name>+<hex key id>+<base64 of type and key>`. */
export const formatVkey = (name: string, type: NoteType, jwk: Jwk): string => {
  const { keyId } = noteKeyOf(name, type, jwk);
  return `${name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(type), rawKey(jwk)]).toString('base64')}`;
};

const VKEY = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/;

/** Reads a C2SP vkey; undefined where it is none, its id is wrong or its key is not usable. */
export const parseVkey = (vkey: string): NoteKey | undefined => {
  const [, name = '', keyId, encoded = ''] = VKEY.exec(vkey) ?? [];
  const bytes = fromBase64(encoded);
  const type = bytes?.[0];
  if (bytes?.length !== 33 || (type !== NOTE_TYPE.signature && type !== NOTE_TYPE.cosignature)) return undefined;
  try {
    const key = noteKeyOf(name, type, { kty: 'OKP', crv: 'Ed25519', x: toBase64url(bytes.subarray(1)) });
    return key.keyId.toString('hex') === keyId ? key : undefined;
  } catch {
    return undefined;
  }
};

/** The bytes of strict padded base64. */
const fromBase64 = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};

const MOST_SIGNATURES = 64;
const MOST_NOTE = 8_192;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a note has none but the newline
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
const LINE = /^— [^ +]+ [A-Za-z0-9+/]+={0,2}$/;

/** Reads a signed note; undefined where it is none. Nothing is verified yet: whoever sent it may have chosen every byte. */
export const parseNote = (note: string): Note | undefined => {
  if (note.length > MOST_NOTE || CONTROL.test(note) || !note.endsWith('\n')) return undefined;
  const end = note.lastIndexOf('\n\n');
  if (end <= 0) return undefined;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return undefined;
  const signatures = lines.map(readLine).filter((each) => each !== undefined);
  return signatures.length === lines.length ? { text: note.slice(0, end + 1), signatures } : undefined;
};

const readLine = (line: string): NoteSignature | undefined => {
  if (!LINE.test(line)) return undefined;
  const [, name = '', encoded = ''] = line.split(' ');
  const bytes = fromBase64(encoded);
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { name, keyId: bytes.subarray(0, 4), value: bytes.subarray(4) };
};

/** The text of a signed note. */
export const formatNote = ({ text, signatures }: Note): string =>
  `${text}\n${signatures.map(({ name, keyId, value }) => `— ${name} ${Buffer.concat([keyId, value]).toString('base64')}\n`).join('')}`;

/** The signature lines of a note that claim to be by this key: same name, same key id. */
export const signaturesBy = ({ signatures }: Note, { name, keyId }: NoteKey): readonly NoteSignature[] =>
  signatures.filter((each) => each.name === name && each.keyId.equals(keyId));

/** True if the key signed these bytes, strictly. */
export const isSignedBy = ({ key }: NoteKey, bytes: Buffer, signature: Uint8Array): boolean =>
  isReducedSignature(signature) && verify(null, bytes, key, signature);
