import { z } from 'zod';
import { isNoteOf, parseCheckpointText } from './checkpoint.ts';
import type { Signer, TrustedKey } from './keys.ts';
import {
  formatNote,
  isSignedBy,
  NOTE_TYPE,
  type Note,
  type NoteKey,
  noteKeyOf,
  parseNote,
  signaturesBy,
} from './note.ts';
import { type Jwk, type LogEnd, logSchema } from './statement.ts';
import { parseUnsigned } from './unsigned.ts';
import { gatewayOf } from './verify.ts';

/** Cosignatures (C2SP `cosignature/v1`, attestation.md §7): a witness says when it had seen a checkpoint and found it consistent. */

/** What travels on `cosig/<col>`: the checkpoint note with a line of the gateway and at least one of a witness. */
export const cosignedSchema = z.strictObject({ log: logSchema, size: z.int().min(0), note: z.string().max(8_192) });

/** Who cosigns: the name of its vkey, and its key. */
export interface Witness extends Pick<Signer, 'sign'> {
  readonly name: string;
  readonly jwk: Jwk;
}

/** A checkpoint with those of its cosignatures that known witnesses made. */
export interface Cosigned {
  readonly end: LogEnd;
  readonly note: string;
  /** Unix seconds at which each witness signed, by its name. */
  readonly times: ReadonlyMap<string, number>;
}

const signedBytes = (timeS: number, text: string): Buffer => Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`);

/** Adds the witness's line to a checkpoint note. Only for one that was verified and is not behind the last one cosigned. */
export const cosign = (note: string, witness: Witness, timeS: number): string => {
  const parsed = parseNote(note);
  if (parsed === undefined) throw new Error('cannot cosign what is no note');
  const { name, keyId } = noteKeyOf(witness.name, NOTE_TYPE.cosignature, witness.jwk);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timeS));
  const value = Buffer.concat([time, witness.sign(signedBytes(timeS, parsed.text))]);
  return formatNote({ text: parsed.text, signatures: [...parsed.signatures, { name, keyId, value }] });
};

/**
 * Verifies a cosigned checkpoint: signed by one of the gateway's keys, and by which of the witnesses when. Lines of
 * unknown cosigners are ignored. Undefined where it is not a checkpoint of that gateway.
 */
export const verifyCosigned = (
  payload: Uint8Array,
  by: { readonly keys: Iterable<TrustedKey>; readonly witnesses: readonly NoteKey[] },
): Cosigned | undefined => {
  const message = cosignedSchema.safeParse(parseUnsigned(payload)).data;
  const note = message === undefined ? undefined : parseNote(message.note);
  const end = note && parseCheckpointText(note.text);
  if (note === undefined || end === undefined || end.log !== message?.log || end.size !== message.size)
    return undefined;
  const gateway = gatewayOf(end.log);
  const isGateways = [...by.keys].some(
    (key) => key.role === 'gateway' && (key.logs?.includes(gateway) ?? true) && isNoteOf(note, end.log, key),
  );
  if (!isGateways) return undefined;
  const times = new Map<string, number>();
  for (const witness of by.witnesses) {
    const timeS = timeOf(note, witness);
    if (timeS !== undefined) times.set(witness.name, timeS);
  }
  return { end, note: message.note, times };
};

/** When this witness cosigned the note; the earliest, if more than once. */
const timeOf = (note: Note, witness: NoteKey): number | undefined => {
  const times = signaturesBy(note, witness).flatMap(({ value }) => {
    if (value.length !== 72) return [];
    const timeS = Number(value.readBigUInt64BE(0));
    const isGood = Number.isSafeInteger(timeS) && isSignedBy(witness, signedBytes(timeS, note.text), value.subarray(8));
    return isGood ? [timeS] : [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
};
