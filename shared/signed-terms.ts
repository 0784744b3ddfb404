import { hash } from 'node:crypto';
import { z } from 'zod';
import { DETACHED, joinMessage, signDetached, signMessage } from './envelope.ts';
import { canonicalBytes } from './jcs.ts';
import type { Signer, TrustedKey } from './keys.ts';
import { MAX_MESSAGE_BYTES, maxTextBytes, modelProblem } from './model.ts';
import { type Terms, termsProblem, termsSchema } from './terms.ts';
import { VerificationError } from './verification.ts';
import { cutContent, cutEnvelope, readDetached, readHeader, readSigned, type Trust, verifyApproved } from './verify.ts';

/**
 * Terms as approvers hand them to gateways, in a file or on a topic: one JSON object `{"doc","sigs"?}` with the same
 * members as the log entry that will hold them.
 */

/** A document and its signatures. Nothing in it is verified. */
export interface SignedTerms {
  /** The complete message W of its first signer, as text. */
  readonly doc: string;
  /** Further detached signatures over the same content. */
  readonly sigs: readonly string[];
}

/** Terms that are signed by keys which are trusted as approvers, and may be kept to. */
export interface VerifiedTerms {
  readonly terms: Terms;
  /** Who signed: the key of the document, then the further ones. No key twice. */
  readonly kids: readonly string[];
  /** Digest of `doc`, b64u, as log entries and `prev_sha256` name it. */
  readonly sha256: string;
}

/** Most signatures beside the one of the document: terms name at most 16 approvers. */
const MOST_FURTHER = 15;

/** Room in a log entry for what stands beside `doc` and `sigs`: the common members, ids, digest and the entry's signature. */
const BESIDE_BYTES = 2_048;

/** Most bytes of a file or message of signed terms; more is never read. */
export const MAX_SIGNED_TERMS_BYTES = 65_536;

export const signedTermsSchema = z.strictObject({
  doc: z.string().describe('the complete message of the first signer, as text'),
  sigs: z
    .array(z.string().regex(DETACHED))
    .min(1)
    .max(MOST_FURTHER)
    .exactOptional()
    .describe('further detached JWS `H..sig` over the same content, by other keys'),
});

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads `{"doc","sigs"?}`, or a bare message as the first signer made it. Throws `VerificationError` with `E_SIZE`,
 * `E_ENCODING`, `E_JSON` or `E_SCHEMA`. Nothing is verified yet: `verifyTerms`.
 */
export const parseSignedTerms = (bytes: Uint8Array): SignedTerms => {
  if (bytes.length > MAX_SIGNED_TERMS_BYTES) {
    throw new VerificationError('E_SIZE', 1, `${bytes.length} bytes, at most ${MAX_SIGNED_TERMS_BYTES}`);
  }
  const text = textOf(bytes).trimEnd();
  const value = jsonOf(text);
  if (typeof value === 'object' && value !== null && 'jws' in value) return fitting({ doc: text, sigs: [] });
  const parsed = signedTermsSchema.safeParse(value);
  if (!parsed.success) throw new VerificationError('E_SCHEMA', 7, z.prettifyError(parsed.error));
  return fitting({ doc: parsed.data.doc, sigs: parsed.data.sigs ?? [] });
};

const textOf = (bytes: Uint8Array): string => {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new VerificationError('E_ENCODING', 1, 'not UTF-8');
  }
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new VerificationError('E_JSON', 7, 'not JSON');
  }
};

/** The same, where a log entry can hold it. */
const fitting = (signed: SignedTerms): SignedTerms => {
  const most = maxTextBytes('doc');
  const length = Buffer.byteLength(signed.doc);
  if (length > most) throw new VerificationError('E_SIZE', 1, `the document has ${length} bytes, at most ${most}`);
  // Inside an entry the document is a string: each of its quotes takes two bytes there.
  const written = Buffer.byteLength(formatSignedTerms(signed));
  const room = MAX_MESSAGE_BYTES - BESIDE_BYTES;
  if (written <= room) return signed;
  throw new VerificationError(
    'E_SIZE',
    1,
    `document and signatures take ${written} bytes of a log entry, at most ${room}`,
  );
};

/** The bytes to hand to gateways. */
export const formatSignedTerms = ({ doc, sigs }: SignedTerms): string =>
  JSON.stringify(sigs.length === 0 ? { doc } : { doc, sigs });

/**
 * The terms, where every signature is by another key that is trusted as approver, and nothing is wrong with them. With
 * `gateway`, `<operator-domain>/<gateway>`, keys and scope have to be meant for it. Throws `VerificationError` with the code of
 * the step: `E_KEY_UNKNOWN`, `E_KEY_SCOPE`, `E_KEY_REVOKED`, `E_SIGNATURE`, `E_SCHEMA` …
 */
export const verifyTerms = (
  signed: SignedTerms,
  { gateway, ...trust }: Trust & { readonly gateway?: string | undefined },
): VerifiedTerms => {
  const { doc, sigs } = fitting(signed);
  const { content, keys } = verifyApproved(Buffer.from(doc), { ...trust, signatures: sigs });
  for (const key of keys) checkApprover(key, gateway);
  const terms = termsOf(content);
  const logs = terms.scope?.logs;
  if (gateway !== undefined && logs !== undefined && !logs.includes(gateway)) {
    throw new VerificationError('E_KEY_SCOPE', 7, `scope.logs is for ${logs.join(', ')}, not for ${gateway}`);
  }
  return { terms, kids: keys.map(({ kid }) => kid), sha256: termsDigest(signed) };
};

/** Digest of `doc`, b64u. */
export const termsDigest = ({ doc }: SignedTerms): string => hash('sha256', doc, 'base64url');

/** Terms are taken up now: a key that was revoked signs nothing more, whenever it says that it did. */
const checkApprover = ({ kid, logs, revoked }: TrustedKey, gateway: string | undefined): void => {
  if (revoked !== undefined) throw new VerificationError('E_KEY_REVOKED', 7, `key ${kid} is revoked`);
  if (gateway !== undefined && logs !== undefined && !logs.includes(gateway)) {
    throw new VerificationError('E_KEY_SCOPE', 7, `key ${kid} is not trusted for ${gateway}`);
  }
};

const termsOf = (content: Buffer): Terms => {
  const terms = readSigned(termsSchema, content);
  const problem = termsProblem(terms);
  if (problem !== undefined) throw new VerificationError('E_SCHEMA', 7, problem);
  return terms;
};

/** What the document says, and by which keys it claims to be signed; no signature is verified. Throws as `verifyTerms`. */
export const readClaimedTerms = (signed: SignedTerms): Omit<VerifiedTerms, 'sha256'> => ({
  terms: termsOf(contentOf(signed)),
  kids: claimedKids(signed),
});

const contentOf = ({ doc }: SignedTerms): Buffer => {
  const bytes = Buffer.from(doc);
  return cutContent(bytes, cutEnvelope(bytes));
};

const claimedKids = ({ doc, sigs }: SignedTerms): readonly string[] =>
  [cutEnvelope(Buffer.from(doc)).header, ...sigs.map((signature) => readDetached(signature).header)].map((header) =>
    readHeader(header, 'miner-ref+jwt'),
  );

/** What stands in for key and signature where only the length counts. */
const UNSIGNED = { kid: 'k'.repeat(43), sign: () => new Uint8Array(64) };

/** Whether these terms could be signed and taken. Throws `E_SCHEMA` or `E_SIZE`, with what is wrong. */
export const checkTerms = (terms: Terms): void => {
  const problem = modelProblem(terms) ?? termsProblem(terms);
  if (problem !== undefined) throw new VerificationError('E_SCHEMA', 7, problem);
  const content = canonicalBytes(terms);
  fitting({ doc: joinMessage(content, signDetached(content, 'miner-ref+jwt', UNSIGNED)).toString(), sigs: [] });
};

/** Terms with their first signature. Throws as `checkTerms`. */
export const signTerms = (terms: Terms, signer: Signer): SignedTerms => {
  checkTerms(terms);
  return { doc: signMessage(terms, 'miner-ref+jwt', signer).toString(), sigs: [] };
};

/** The same document with one more signature, over the same content. Throws `E_SIGNATURE` where this key signed it already. */
export const addSignature = (signed: SignedTerms, signer: Signer): SignedTerms => {
  if (claimedKids(signed).includes(signer.kid)) {
    throw new VerificationError('E_SIGNATURE', 6, 'the same key signed twice');
  }
  return fitting({ ...signed, sigs: [...signed.sigs, signDetached(contentOf(signed), 'miner-ref+jwt', signer)] });
};
