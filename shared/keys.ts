import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import { fromBase64url } from './base64url.ts';
import { isPublicKey } from './ed25519.ts';
import { canonicalJson } from './jcs.ts';
import { type Jwk, jwkSchema, sha256Schema } from './statement.ts';

/** What signs messages: the thumbprint of its public key and the operation. The private key stays inside. */
export interface Signer {
  readonly kid: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

/** A signer over a private Ed25519 key. */
export const signerOf = (privateKey: KeyObject): Signer => ({
  kid: thumbprint(jwkOf(privateKey)),
  sign: (bytes) => sign(null, bytes, privateKey),
});

/** The public half of an Ed25519 key as JWK. */
export const jwkOf = (key: KeyObject): Jwk => {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return jwkSchema.parse({ kty: jwk.kty, crv: jwk.crv, x: jwk.x });
};

/** RFC 7638: SHA-256 of the JWK's required members as canonical JSON, b64u. */
export const thumbprint = ({ kty, crv, x }: Jwk): string => hash('sha256', canonicalJson({ kty, crv, x }), 'base64url');

/** The key is no usable Ed25519 public key, or the file of keys is not one. */
export class InvalidKey extends Error {}

/** The key object of a JWK; refuses what is not a canonical point of the curve or is of low order. */
export const publicKeyOf = (jwk: Jwk): KeyObject => {
  const bytes = fromBase64url(jwk.x);
  if (bytes === undefined || !isPublicKey(bytes)) throw new InvalidKey('x is not the encoding of a usable Ed25519 key');
  return createPublicKey({ format: 'jwk', key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x } });
};

const role = z.enum(['gateway', 'approver', 'collector', 'authority']);
export type Role = z.infer<typeof role>;

const name = z.string().min(1).max(128).describe('whose key it is, for people');

/** A key and what it is trusted for, in files and manifests. */
export const keyRecordSchema = z.strictObject({
  kid: sha256Schema,
  jwk: jwkSchema,
  role,
  name: name.exactOptional(),
  logs: z.array(z.string()).exactOptional().describe('`<operator-domain>/<gateway>`; absent: any log'),
  from_size: z.int().min(0).exactOptional().describe('first seq the key may sign'),
  revoked: z
    .strictObject({
      reason: z.string(),
      iat: z.int(),
      last_good: z.strictObject({ size: z.int().min(0), root: sha256Schema }),
    })
    .exactOptional(),
});

// A key file of other tools may name use and algorithm as well; a private key must not be handed round.
const bareJwk = z.strictObject({
  ...jwkSchema.shape,
  kid: sha256Schema.exactOptional(),
  role: role.exactOptional().describe('absent: gateway'),
  name: name.exactOptional(),
  logs: z.array(z.string()).exactOptional().describe('`<operator-domain>/<gateway>`; absent: any log'),
  use: z.literal('sig').exactOptional(),
  alg: z.enum(['Ed25519', 'EdDSA']).exactOptional(),
});

const listOfJwks = z.array(bareJwk).min(1);
const keyRecords = z.strictObject({ keys: z.array(keyRecordSchema).min(1) });

/** The file of keys that are trusted by hand: one JWK, a list of them, or records with role and logs. */
export const trustedKeysSchema = z.union([bareJwk, listOfJwks, keyRecords]);

/** The form that a file is meant to have, so that its mistakes are told by its own members. */
const formOf = (json: object): typeof bareJwk | typeof listOfJwks | typeof keyRecords => {
  if (Array.isArray(json)) return listOfJwks;
  return 'keys' in json ? keyRecords : bareJwk;
};

/** A trusted key and what it is trusted for. A bare JWK without a role is a gateway key, without `logs` for any log. */
export interface TrustedKey extends z.infer<typeof keyRecordSchema> {
  /** The same key, ready to verify with. */
  readonly key: KeyObject;
}

export type TrustedKeys = ReadonlyMap<string, TrustedKey>;

/** Reads a parsed file of trusted keys. Throws `InvalidKey`, with what is wrong, for anything unusable. */
export const parseTrustedKeys = (json: unknown): TrustedKeys => {
  if (typeof json !== 'object' || json === null) throw new InvalidKey('not a file of keys');
  if ('d' in json) throw new InvalidKey('this is a private key; give the public one');
  const parsed = formOf(json).safeParse(json);
  if (!parsed.success) throw new InvalidKey(`not a file of keys: ${reasonsOf(parsed.error)}`);
  return new Map(recordsOf(parsed.data).map((each) => [each.kid, trustKey(each)]));
};

const reasonsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [path.join('.'), message].filter((text) => text !== '').join(': ')).join('; ');

const recordsOf = (file: z.infer<typeof trustedKeysSchema>): readonly z.infer<typeof keyRecordSchema>[] => {
  if (!Array.isArray(file) && 'keys' in file) return file.keys;
  return [file].flat().map(({ kty, crv, x, kid, use: _use, alg: _alg, role = 'gateway', ...about }) => {
    const jwk = { kty, crv, x };
    return { kid: kid ?? thumbprint(jwk), jwk, role, ...about };
  });
};

/** A record with its key ready to verify with. Throws `InvalidKey` where it is not usable. */
export const trustKey = (each: z.infer<typeof keyRecordSchema>): TrustedKey => {
  if (thumbprint(each.jwk) !== each.kid) throw new InvalidKey(`kid ${each.kid} is not the thumbprint of its key`);
  return { ...each, key: publicKeyOf(each.jwk) };
};
