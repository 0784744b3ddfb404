import { canonicalBytes } from './jcs.ts';
import type { Role, Signer } from './keys.ts';
import { MAX_MANIFEST_BYTES, MAX_MESSAGE_BYTES, modelProblem } from './model.ts';

/** `typ` of a message binds its purpose (attestation.md §2); with the role of the key that may sign it. */
export const TYPS = {
  'miner-att+jwt': 'gateway',
  'miner-cp+jwt': 'gateway',
  'miner-pop+jwt': 'gateway',
  'miner-ref+jwt': 'approver',
  'miner-trust+jwt': 'authority',
  'miner-epoch+jwt': 'collector',
} as const satisfies { readonly [typ: string]: Role };

export type Typ = keyof typeof TYPS;

/** Most bytes of a message by its purpose. */
export const mostBytes = (typ: Typ): number => (typ === 'miner-trust+jwt' ? MAX_MANIFEST_BYTES : MAX_MESSAGE_BYTES);

/** The JOSE header of a message, encoded: canonical JSON of exactly alg, kid and typ. */
const encodeHeader = (kid: string, typ: Typ): string =>
  canonicalBytes({ alg: 'Ed25519', kid, typ }).toString('base64url');

/** What is signed: the encoded header, a dot, the encoded content. */
export const signingInput = (header: string, content: Buffer): Buffer =>
  Buffer.from(`${header}.${content.toString('base64url')}`, 'latin1');

/**
 * The message W of a statement: its canonical JSON with the detached JWS as last member. Content outside the data
 * model, or too long, is our own mistake and throws: what nobody may accept is never signed.
 */
export const signMessage = (content: object, typ: Typ, signer: Signer): Buffer => {
  const problem = 'jws' in content ? 'jws is reserved' : modelProblem(content);
  if (problem !== undefined) throw new Error(`cannot sign: ${problem}`);
  const canonical = canonicalBytes(content);
  const message = joinMessage(canonical, signDetached(canonical, typ, signer));
  const most = mostBytes(typ);
  if (message.length > most) throw new Error(`cannot sign: ${message.length} bytes, at most ${most}`);
  return message;
};

/** Bytes that the signature adds to the canonical content of a message. */
export const SIGNATURE_BYTES = `,"jws":"${encodeHeader('k'.repeat(43), 'miner-att+jwt')}..${'s'.repeat(86)}"`.length;

/** The detached JWS `H..sig` over canonical content. */
export const signDetached = (canonical: Buffer, typ: Typ, signer: Signer): string => {
  const header = encodeHeader(signer.kid, typ);
  return detached(header, signer.sign(signingInput(header, canonical)));
};

const detached = (header: string, signature: Uint8Array): string =>
  `${header}..${Buffer.from(signature).toString('base64url')}`;

/** The message W of canonical content and its detached JWS. */
export const joinMessage = (canonical: Buffer, jws: string): Buffer =>
  Buffer.concat([canonical.subarray(0, -1), Buffer.from(`,"jws":"${jws}"}`, 'latin1')]);

/** Header and signature of a detached JWS, as `jws` holds them. */
export const DETACHED = /^([A-Za-z0-9_-]{1,512})\.\.([A-Za-z0-9_-]{86})$/;

/**
 * The message of a copy that was parsed and written again, made once more from its members (attestation.md §8 step 3);
 * undefined where that is not possible. What comes back is a claim like any message: it has yet to be verified.
 */
export const recoverMessage = (copy: string): Buffer | undefined => {
  const parsed = parseObject(copy);
  if (parsed === undefined) return undefined;
  const { jws, ...content } = parsed;
  const [, header, signature] = typeof jws === 'string' ? (DETACHED.exec(jws) ?? []) : [];
  if (header === undefined || signature === undefined || modelProblem(content) !== undefined) return undefined;
  return joinMessage(canonicalBytes(content), detached(header, Buffer.from(signature, 'base64url')));
};

const parseObject = (json: string): { readonly [name: string]: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};
