import { z } from 'zod';
import { signMessage } from './envelope.ts';
import type { Signer, TrustedKey } from './keys.ts';
import { formatNote, isSignedBy, NOTE_TYPE, type Note, noteKeyOf, parseNote, signaturesBy } from './note.ts';
import { type CommonMembers, commonMembers, type Jwk, type LogEnd, logEndSchema, sha256Schema } from './statement.ts';
import { VerificationError } from './verification.ts';
import { checkKeyScope, checkTopicGateway, readSigned, type Trust, verifySigned } from './verify.ts';

/** Checkpoints (attestation.md §7): the head of a log as a C2SP note, and the heartbeat that carries it. */

const { seq: _seq, prev: _prev, ...common } = commonMembers;

/** The content of a checkpoint heartbeat, `miner-cp+jwt` (§5). */
export const checkpointSchema = z.strictObject({
  ...common,
  kind: z.literal('checkpoint'),
  first: z.int().min(0).describe('lowest seq still held'),
  size: z.int().min(0),
  root: sha256Schema,
  note: z.string(),
});

export type CheckpointContent = z.infer<typeof checkpointSchema>;

/** A heartbeat that passed steps 1 to 7 and whose note is signed and agrees. Whether its tree is ours is not checked. */
export interface VerifiedCheckpoint {
  readonly bytes: Uint8Array;
  readonly kid: string;
  readonly content: CheckpointContent;
}

/** The three signed lines: log, size, root. */
export const checkpointText = ({ log, size, root }: LogEnd): string =>
  `${log}\n${size}\n${Buffer.from(root, 'base64url').toString('base64')}\n`;

const TEXT = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

/** Reads the three lines; undefined where they are something else. */
export const parseCheckpointText = (text: string): LogEnd | undefined => {
  const [, log, size, root = ''] = TEXT.exec(text) ?? [];
  const end = logEndSchema.safeParse({
    log,
    size: Number(size),
    root: root.slice(0, -1).replaceAll('+', '-').replaceAll('/', '_'),
  });
  return end.data;
};

/** The note of a checkpoint, signed by the gateway under the name of its log. */
export const signCheckpoint = (end: LogEnd, signer: Pick<Signer, 'sign'> & { readonly jwk: Jwk }): string => {
  const text = checkpointText(end);
  const { name, keyId } = noteKeyOf(end.log, NOTE_TYPE.signature, signer.jwk);
  return formatNote({ text, signatures: [{ name, keyId, value: Buffer.from(signer.sign(Buffer.from(text))) }] });
};

/** The heartbeat message of a checkpoint. */
export const signHeartbeat = (
  end: LogEnd & { readonly first: number },
  members: Omit<CommonMembers, 'seq' | 'prev' | 'log'>,
  signer: Signer & { readonly jwk: Jwk },
): Buffer =>
  signMessage({ ...members, kind: 'checkpoint', ...end, note: signCheckpoint(end, signer) }, 'miner-cp+jwt', signer);

/** Step 16 as far as one message goes: steps 1 to 7, then the note agrees with the members and is signed. */
export const verifyCheckpoint = (
  bytes: Uint8Array,
  trust: Trust & { readonly topic?: string | undefined },
): VerifiedCheckpoint => {
  const { content, key } = verifySigned(bytes, 'miner-cp+jwt', trust);
  const checkpoint = readSigned(checkpointSchema, content);
  if (trust.topic !== undefined) checkTopicGateway(trust.topic, checkpoint.log);
  checkKeyScope(key, { log: checkpoint.log, from: checkpoint.size, size: checkpoint.size });
  checkNote(checkpoint, key);
  return { bytes, kid: key.kid, content: checkpoint };
};

const checkNote = ({ log, first, size, root, note }: CheckpointContent, key: TrustedKey): void => {
  // What a log no longer holds it had: entries that never were must not count as lost.
  if (first > size) throw new VerificationError('E_CHECKPOINT', 16, `holds entries from ${first} of ${size}`);
  const parsed = parseNote(note);
  const end = parsed && parseCheckpointText(parsed.text);
  if (parsed === undefined || end === undefined) {
    throw new VerificationError('E_CHECKPOINT', 16, 'the note is no signed checkpoint');
  }
  if (end.log !== log || end.size !== size || end.root !== root) {
    throw new VerificationError('E_CHECKPOINT', 16, 'the note speaks of another tree than the message');
  }
  if (!isNoteOf(parsed, log, key))
    throw new VerificationError('E_CHECKPOINT', 16, 'the note is not signed by the gateway');
};

/** True if a gateway key signed the note under the name of the log. */
export const isNoteOf = (note: Note, log: string, { jwk, key: ready }: TrustedKey): boolean => {
  const key = noteKeyOf(log, NOTE_TYPE.signature, jwk, ready);
  return signaturesBy(note, key).some(({ value }) => isSignedBy(key, Buffer.from(note.text), value));
};
