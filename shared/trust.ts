import { hash } from 'node:crypto';
import { z } from 'zod';
import { InvalidKey, keyRecordSchema, type TrustedKeys, trustKey } from './keys.ts';
import { NOTE_TYPE, type NoteKey, parseVkey } from './note.ts';
import { sha256Schema } from './statement.ts';
import { VerificationError } from './verification.ts';
import { readSigned, verifySigned } from './verify.ts';

/** The trust manifest (`miner-trust+jwt`, attestation.md §5): which keys an authority vouches for, and whose cosignatures count. */

export const manifestSchema = z.strictObject({
  version: z.int().min(1),
  prev_sha256: sha256Schema.exactOptional().describe('of the manifest message before'),
  iat: z.int(),
  exp: z.int().describe('Unix seconds'),
  keys: z.array(
    z.strictObject({ ...keyRecordSchema.shape, status: z.enum(['active', 'retired', 'revoked']).exactOptional() }),
  ),
  witnesses: z.array(z.string()).describe('C2SP vkeys'),
  quorum: z.int().min(1).describe('cosignatures that make an entry witnessed'),
  policy: z.unknown().exactOptional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** A manifest in force. */
export interface VerifiedManifest {
  /** The message; keep it, all versions are evidence. */
  readonly bytes: Uint8Array;
  /** b64u digest of the message. */
  readonly sha256: string;
  readonly version: number;
  readonly expiresAtMs: number;
  readonly keys: TrustedKeys;
  readonly witnesses: readonly NoteKey[];
  readonly quorum: number;
}

/**
 * Steps 1 to 7 for a manifest. `authority` are the keys that were pinned out of band; `before` is the manifest in force:
 * a version never falls, and the next one names its digest.
 */
export const verifyManifest = (
  bytes: Uint8Array,
  by: { readonly authority: TrustedKeys; readonly before?: VerifiedManifest | undefined },
): VerifiedManifest => {
  const { content } = verifySigned(bytes, 'miner-trust+jwt', { keys: by.authority });
  const manifest = readSigned(manifestSchema, content);
  const sha256 = hash('sha256', bytes, 'base64url');
  if (by.before !== undefined) checkFollows(manifest, sha256, by.before);
  return {
    bytes,
    sha256,
    version: manifest.version,
    expiresAtMs: manifest.exp * 1000,
    keys: readKeys(manifest),
    witnesses: readWitnesses(manifest),
    quorum: manifest.quorum,
  };
};

const checkFollows = (manifest: Manifest, sha256: string, before: VerifiedManifest): void => {
  if (sha256 === before.sha256) return;
  if (manifest.version <= before.version) {
    throw new VerificationError('E_TRUST_STALE', 5, `version ${manifest.version} after version ${before.version}`);
  }
  if (manifest.version === before.version + 1 && manifest.prev_sha256 !== before.sha256) {
    throw new VerificationError('E_TRUST_STALE', 5, `version ${manifest.version} does not follow the one in force`);
  }
};

const readKeys = ({ keys }: Manifest): TrustedKeys => {
  try {
    return new Map(keys.map(({ status: _status, ...record }) => [record.kid, trustKey(record)]));
  } catch (problem) {
    if (problem instanceof InvalidKey) throw new VerificationError('E_SCHEMA', 7, problem.message);
    throw problem;
  }
};

const readWitnesses = ({ witnesses, quorum }: Manifest): readonly NoteKey[] => {
  const keys = witnesses.map(parseVkey).filter((key) => key?.type === NOTE_TYPE.cosignature);
  const names = new Set(keys.map((key) => key?.name));
  if (keys.length !== witnesses.length || names.size !== keys.length) {
    throw new VerificationError('E_SCHEMA', 7, 'witnesses are not vkeys of cosigners with names of their own');
  }
  if (witnesses.length > 0 && quorum > witnesses.length) {
    throw new VerificationError('E_SCHEMA', 7, `a quorum of ${quorum} among ${witnesses.length} witnesses`);
  }
  return keys.filter((key) => key !== undefined);
};
