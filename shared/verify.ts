import { verify } from 'node:crypto';
import { z } from 'zod';
import { fromBase64url } from './base64url.ts';
import { documentSchema, type ReferenceDocument } from './document.ts';
import { isReducedSignature } from './ed25519.ts';
import { mostBytes, signingInput, TYPS, type Typ } from './envelope.ts';
import { canonicalJson, TooDeep } from './jcs.ts';
import type { TrustedKey, TrustedKeys } from './keys.ts';
import { modelProblem } from './model.ts';
import { EAT_PROFILE, type Statement, statementSchema } from './statement.ts';
import { leafHash } from './tree.ts';
import { VerificationError } from './verification.ts';

/**
 * Verification of one message by itself: steps 1 to 7 of attestation.md §8, one function each, in that order. Every
 * function throws a `VerificationError` with the code of the specification.
 */

/** A log statement that passed steps 1 to 7: well formed and signed by a key trusted for its log. Its place is not checked. */
export interface VerifiedMessage {
  /** W as received; keep these. */
  readonly bytes: Uint8Array;
  readonly leaf: Buffer;
  readonly kid: string;
  readonly statement: Statement;
}

/** What a message is verified against. */
export interface Trust {
  readonly keys: TrustedKeys;
  /** The manifest that these keys are from has expired: nothing is accepted by it. */
  readonly stale?: boolean;
}

/** Steps 1 to 7 for a log statement. Where `topic` names a gateway or a device it must agree. */
export const verifyMessage = (
  bytes: Uint8Array,
  trust: Trust & { readonly topic?: string | undefined },
): VerifiedMessage => {
  const { content, key } = verifySigned(bytes, 'miner-att+jwt', trust);
  const statement = readStatement(content);
  if (trust.topic !== undefined) checkTopic(trust.topic, statement);
  checkKeyScope(key, { log: statement.log, from: statement.seq, size: statement.seq + 1 });
  return { bytes, leaf: leafHash(bytes), kid: key.kid, statement };
};

/** A message that was verified before, read once more from its bytes. */
export const rereadMessage = (held: Pick<VerifiedMessage, 'bytes' | 'leaf' | 'kid'>): VerifiedMessage => {
  const content = cutContent(held.bytes, cutEnvelope(held.bytes));
  return { ...held, statement: statementSchema.parse(JSON.parse(content.toString('utf8'))) };
};

/** Steps 1 to 7 for a document of an approver; `signatures` are further detached ones over the same content, by other keys. */
export const verifyDocument = (
  bytes: Uint8Array,
  trust: Trust & { readonly signatures?: readonly string[] | undefined },
): ReferenceDocument => readSigned(documentSchema, verifyApproved(bytes, trust).content);

/** Steps 1 to 6 for a document of an approver, with its further signatures. The key of the document itself comes first. */
export const verifyApproved = (
  bytes: Uint8Array,
  trust: Trust & { readonly signatures?: readonly string[] | undefined },
): { readonly content: Buffer; readonly keys: readonly TrustedKey[] } => {
  const { content, key } = verifySigned(bytes, 'miner-ref+jwt', trust);
  const keys = [key];
  for (const signature of trust.signatures ?? []) {
    const { header, value } = readDetached(signature);
    const further = findKey(readHeader(header, 'miner-ref+jwt'), 'miner-ref+jwt', trust);
    checkSignature(signingInput(header, content), value, further);
    if (keys.includes(further)) throw new VerificationError('E_SIGNATURE', 6, 'the same key signed twice');
    keys.push(further);
  }
  return { content, keys };
};

/** Steps 1 to 6: after them, and not before, the content may be looked at. */
export const verifySigned = (
  bytes: Uint8Array,
  typ: Typ,
  trust: Trust,
): { readonly content: Buffer; readonly key: TrustedKey } => {
  checkBytes(bytes, mostBytes(typ));
  const envelope = cutEnvelope(bytes);
  const content = cutContent(bytes, envelope);
  const key = findKey(readHeader(envelope.header, typ), typ, trust);
  checkSignature(signingInput(envelope.header, content), envelope.signature, key);
  return { content, key };
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
};

/** Step 1: not too long, UTF-8, starts with a brace. */
const checkBytes = (bytes: Uint8Array, most: number): void => {
  if (bytes.length > most) throw new VerificationError('E_SIZE', 1, `${bytes.length} bytes, at most ${most}`);
  if (bytes[0] !== 0x7b) throw new VerificationError('E_ENCODING', 1, 'does not start with {');
  if (!isUtf8(bytes)) throw new VerificationError('E_ENCODING', 1, 'not UTF-8');
};

/** The signature at the end of a message: where it starts, the encoded header and the 64 bytes. */
export interface Envelope {
  readonly start: number;
  readonly header: string;
  readonly signature: Buffer;
}

const ENVELOPE = /,"jws":"([A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{86})"\}$/;
const MAX_ENVELOPE_BYTES = ',"jws":"'.length + 512 + '..'.length + 86 + '"}'.length;

/** Step 2: the end of the bytes is the detached signature. */
export const cutEnvelope = (bytes: Uint8Array): Envelope => {
  const tail = Buffer.from(bytes.subarray(-MAX_ENVELOPE_BYTES)).toString('latin1');
  const match = ENVELOPE.exec(tail);
  if (match?.[1] === undefined) throw new VerificationError('E_ENVELOPE', 2, 'does not end with a detached signature');
  const { header, value } = readDetached(match[1]);
  return { start: bytes.length - match[0].length, header, signature: value };
};

/** Header and signature of a detached JWS. */
export const readDetached = (jws: string): { readonly header: string; readonly value: Buffer } => {
  const [header = '', encoded = ''] = jws.split('..');
  const value = fromBase64url(encoded);
  if (value?.length !== 64 || fromBase64url(header) === undefined) {
    throw new VerificationError('E_ENVELOPE', 2, 'header or signature is not strict base64url');
  }
  return { header, value };
};

/** Step 3: the signed content, cut out of the received bytes. */
export const cutContent = (bytes: Uint8Array, envelope: Envelope): Buffer => {
  const content = Buffer.from(bytes.subarray(0, envelope.start + 1));
  content[envelope.start] = 0x7d;
  return content;
};

const headerSchema = z.strictObject({ alg: z.string(), kid: z.string(), typ: z.string() });

/** Step 4: the header is canonical, names the only algorithm and the expected purpose. Returns its `kid`, not yet trusted. */
export const readHeader = (encoded: string, typ: Typ): string => {
  const bytes = fromBase64url(encoded) ?? Buffer.alloc(0);
  const header = headerSchema.safeParse(parseJson(bytes));
  const { alg, kid, typ: purpose } = header.data ?? {};
  // These names in this order are the canonical form of the header.
  if (!header.success || !bytes.equals(Buffer.from(JSON.stringify({ alg, kid, typ: purpose })))) {
    throw new VerificationError('E_HEADER', 4, 'the header is not exactly alg, kid and typ in canonical form');
  }
  if (alg !== 'Ed25519') throw new VerificationError('E_ALG', 4, `alg ${JSON.stringify(alg)}`);
  if (purpose !== typ) {
    throw new VerificationError('E_TYP', 4, `typ ${JSON.stringify(purpose)} where ${typ} is expected`);
  }
  return header.data.kid;
};

/** The parsed text, undefined where it is not JSON. */
const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** Step 5: the key is trusted, in a role that may sign this purpose. */
const findKey = (kid: string, typ: Typ, { keys, stale }: Trust): TrustedKey => {
  if (stale) throw new VerificationError('E_TRUST_STALE', 5, 'the trust manifest has expired');
  const key = keys.get(kid);
  if (key === undefined) throw new VerificationError('E_KEY_UNKNOWN', 5, `key ${JSON.stringify(kid)} is not trusted`);
  if (key.role !== TYPS[typ]) throw new VerificationError('E_KEY_SCOPE', 5, `${key.role} key signed ${typ}`);
  return key;
};

/** Step 6: the signature holds, strictly. */
export const checkSignature = (input: Buffer, signature: Buffer, { key, kid }: TrustedKey): void => {
  // OpenSSL compares the encoding of R with the one it computes; the encoding of the key was checked when it was read.
  if (!isReducedSignature(signature) || !verify(null, input, key, signature)) {
    throw new VerificationError('E_SIGNATURE', 6, `no signature of key ${kid}`);
  }
};

/** Step 7: the content is a statement of this profile, canonical and within all limits. */
export const readStatement = (content: Buffer): Statement => {
  const value = readCanonical(content);
  checkProfile(value);
  const statement = checkSchema(statementSchema, value);
  if (lacksPrior(statement)) {
    throw new VerificationError('E_SCHEMA', 7, 'session: prior is missing at seq 0');
  }
  return statement;
};

/** The first entry of a log says which one it replaces, or that there was none. */
export const lacksPrior = (statement: Statement): boolean =>
  statement.seq === 0 && isStart(statement) && statement.session.prior === undefined;

type SessionStart = Statement & { kind: 'session'; session: { event: 'start' } };

/** True for the statement that a run of the agent begins with. */
export const isStart = (statement: Statement): statement is SessionStart =>
  statement.kind === 'session' && statement.session.event === 'start';

/** Step 7 for content of another purpose than a log statement. */
export const readSigned = <T>(schema: z.ZodType<T>, content: Buffer): T => checkSchema(schema, readCanonical(content));

const readCanonical = (content: Buffer): unknown => {
  const value = parseJson(content);
  if (value === undefined) throw new VerificationError('E_JSON', 7, 'not JSON');
  let canonical: string;
  try {
    canonical = canonicalJson(value);
  } catch (problem) {
    if (problem instanceof TooDeep) throw new VerificationError('E_SCHEMA', 7, problem.message);
    throw new VerificationError('E_NONCANONICAL', 7, String(problem));
  }
  if (!content.equals(Buffer.from(canonical))) {
    throw new VerificationError('E_NONCANONICAL', 7, 'not its own canonical form');
  }
  return value;
};

const profileSchema = z.looseObject({ eat_profile: z.literal(EAT_PROFILE) });

const checkProfile = (value: unknown): void => {
  if (!profileSchema.safeParse(value).success)
    throw new VerificationError('E_PROFILE', 7, `not profile ${EAT_PROFILE}`);
};

const checkSchema = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const problem = modelProblem(value);
  if (problem !== undefined) throw new VerificationError('E_SCHEMA', 7, problem);
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new VerificationError('E_SCHEMA', 7, z.prettifyError(parsed.error));
  return parsed.data;
};

/** Step 7: gateway and device that the topic names, `<prefix>/v1/<gateway>/[tenant/<t>/]dev/<device>`, are those of the statement. */
const checkTopic = (topic: string, statement: Statement): void => {
  checkTopicGateway(topic, statement.log);
  const [, ...below] = levelsOf(topic);
  const [area, device] = below[0] === 'tenant' ? below.slice(2) : below;
  if (area === 'dev' && !(statement.kind === 'attestation' && statement.subject.device === device)) {
    throw new VerificationError('E_TOPIC', 7, `topic of device ${device} carries something else`);
  }
};

/** The gateway that the topic names is the one of the log. */
export const checkTopicGateway = (topic: string, log: string): void => {
  const [gateway] = levelsOf(topic);
  if (gateway !== undefined && gateway !== gatewayOf(log).split('/')[1]) {
    throw new VerificationError('E_TOPIC', 7, `topic of gateway ${gateway} carries log ${log}`);
  }
};

/** The levels below `<prefix>/v1`; none where it is another kind of topic. */
const levelsOf = (topic: string): readonly string[] => {
  const levels = topic.split('/');
  // The prefix has one or two levels.
  const version = levels.indexOf('v1', 1);
  return version === -1 || version > 2 ? [] : levels.slice(version + 1);
};

/** `<operator-domain>/<gateway>` of a log: the part that stays when a new incarnation begins. */
export const gatewayOf = (log: string): string => log.slice(0, log.lastIndexOf('/'));

/** Step 7: the key may sign for this log from `from` on, as far as `size`, and was not revoked before it. */
export const checkKeyScope = (
  key: TrustedKey,
  { log, from, size }: { readonly log: string; readonly from: number; readonly size: number },
): void => {
  if (key.logs !== undefined && !key.logs.includes(gatewayOf(log))) {
    throw new VerificationError('E_KEY_SCOPE', 7, `key ${key.kid} is not trusted for log ${log}`);
  }
  if (key.from_size !== undefined && from < key.from_size) {
    throw new VerificationError('E_KEY_SCOPE', 7, `key ${key.kid} is trusted from seq ${key.from_size}`);
  }
  if (key.revoked !== undefined && size > key.revoked.last_good.size) {
    throw new VerificationError('E_KEY_REVOKED', 7, `key ${key.kid} is revoked from seq ${key.revoked.last_good.size}`);
  }
};
