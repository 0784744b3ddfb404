import { z } from 'zod';
import { signMessage } from './envelope.ts';
import type { Signer } from './keys.ts';
import { bytes16Schema } from './statement.ts';
import { readSigned, type Trust, verifySigned } from './verify.ts';

/** Epoch markers (`miner-epoch+jwt`, attestation.md §5): a collector says what time it is; an entry that names one is younger. */

export const epochSchema = z.strictObject({
  iss: z.string().max(255),
  id: bytes16Schema,
  n: z.int().min(0),
  iat: z.int().describe('Unix seconds'),
});

export type EpochMarker = z.infer<typeof epochSchema>;

export const signEpoch = (marker: EpochMarker, signer: Signer): Buffer =>
  signMessage(marker, 'miner-epoch+jwt', signer);

const AHEAD_S = 120;

/** Steps 1 to 7 for a marker. Undefined where it is too far ahead: one fast clock must not spoil every log. */
export const verifyEpoch = (bytes: Uint8Array, trust: Trust, nowMs: number): EpochMarker | undefined => {
  const marker = readSigned(epochSchema, verifySigned(bytes, 'miner-epoch+jwt', trust).content);
  return marker.iat * 1000 > nowMs + AHEAD_S * 1000 ? undefined : marker;
};
