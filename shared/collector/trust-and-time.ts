import { z } from 'zod';
import type { EpochTable } from '../chain.ts';
import type { EpochMarker } from '../epoch.ts';
import { type TrustedKeys, thumbprint, trustKey } from '../keys.ts';
import type { NoteKey } from '../note.ts';
import type { Jwk } from '../statement.ts';
import { type VerifiedManifest, verifyManifest } from '../trust.ts';
import { VerificationError } from '../verification.ts';
import type { Trust } from '../verify.ts';

/** Epoch markers of one issuer that are remembered: a week at one in five minutes. */
const MOST_MARKERS = 2_016;

const savedSchema = z.strictObject({
  v: z.literal(1),
  manifest: z.string().exactOptional(),
  epochs: z.array(z.tuple([z.string(), z.string(), z.int()])),
});

/**
 * Whom a collector trusts: keys given by hand, or the keys of an authority that was pinned, whose signed manifest then
 * says all else. Only with a manifest is anything ever `witnessed`.
 */
export type TrustSource =
  | { readonly kind: 'keys'; readonly keys: TrustedKeys }
  | { readonly kind: 'authority'; readonly authority: TrustedKeys };

/** What concerns all logs of a collector: the manifest in force, and the epoch markers that listed collectors issued. */
export class TrustAndTime {
  readonly #own: TrustedKeys;
  readonly #epochs = new Map<string, { readonly iss: string; readonly iat: number }>();
  #manifest: VerifiedManifest | undefined;
  #keys: TrustedKeys;
  #dirty = false;

  /**
   * From what was stored. A manifest that the authority pinned now did not sign is as good as none. `own` is the key of this
   * collector, where it has one: what it issued itself comes back to it, and nobody else has to vouch for that.
   */
  constructor(source: TrustSource, stored: string | undefined, own?: Jwk) {
    this.#own = own === undefined ? new Map() : ownKey(own);
    this.#keys = this.#withOwn(source.kind === 'keys' ? source.keys : new Map());
    if (stored === undefined) return;
    const { manifest, epochs } = savedSchema.parse(JSON.parse(stored));
    for (const [id, iss, iat] of epochs) this.#epochs.set(id, { iss, iat });
    if (manifest !== undefined && source.kind === 'authority') {
      this.#enact(readManifest(Buffer.from(manifest), source.authority));
    }
  }

  /** What a message is verified against now. Before the first manifest of an authority nobody else is trusted. */
  trust(nowMs: number): Trust {
    if (this.#manifest === undefined) return { keys: this.#keys };
    return { keys: this.#keys, stale: nowMs >= this.#manifest.expiresAtMs };
  }

  get witnesses(): readonly NoteKey[] {
    return this.#manifest?.witnesses ?? [];
  }

  /** Cosignatures that make an entry witnessed; without a manifest none ever do. */
  get quorum(): number {
    return this.#manifest === undefined || this.#manifest.witnesses.length === 0
      ? Number.POSITIVE_INFINITY
      : this.#manifest.quorum;
  }

  get epochs(): EpochTable {
    return this.#epochs;
  }

  /** Takes a manifest that the authority signed and that follows the one in force. True if it is another one. */
  takeManifest(bytes: Uint8Array, authority: TrustedKeys): VerifiedManifest | undefined {
    const manifest = verifyManifest(bytes, { authority, before: this.#manifest });
    if (manifest.sha256 === this.#manifest?.sha256) return undefined;
    this.#enact(manifest);
    this.#dirty = true;
    return manifest;
  }

  #enact(manifest: VerifiedManifest | undefined): void {
    this.#manifest = manifest;
    this.#keys = this.#withOwn(manifest?.keys ?? new Map());
  }

  /** What a manifest or a file says of this collector's own key, that it is revoked for one, holds. */
  #withOwn(keys: TrustedKeys): TrustedKeys {
    return this.#own.size === 0 ? keys : new Map([...this.#own, ...keys]);
  }

  /** Remembers a verified marker. Of each issuer the newest stay, whatever old ones a broker delivers again. */
  takeMarker({ id, iss, iat }: EpochMarker): void {
    if (this.#epochs.has(id)) return;
    const own = [...this.#epochs].filter(([, marker]) => marker.iss === iss);
    if (own.length >= MOST_MARKERS) {
      const [oldest, marker] = own.reduce((one, other) => (other[1].iat < one[1].iat ? other : one));
      if (marker.iat >= iat) return;
      this.#epochs.delete(oldest);
    }
    this.#epochs.set(id, { iss, iat });
    this.#dirty = true;
  }

  /** Text to be stored, if anything changed since `committed`. */
  changes(): string | undefined {
    if (!this.#dirty) return undefined;
    const manifest = this.#manifest && Buffer.from(this.#manifest.bytes).toString('utf8');
    const epochs = [...this.#epochs].map(([id, { iss, iat }]) => [id, iss, iat]);
    return JSON.stringify({ v: 1, manifest, epochs });
  }

  committed(): void {
    this.#dirty = false;
  }
}

const ownKey = (jwk: Jwk): TrustedKeys => {
  const kid = thumbprint(jwk);
  return new Map([[kid, trustKey({ kid, jwk, role: 'collector' })]]);
};

const readManifest = (bytes: Buffer, authority: TrustedKeys): VerifiedManifest | undefined => {
  try {
    return verifyManifest(bytes, { authority });
  } catch (problem) {
    if (problem instanceof VerificationError) return undefined;
    throw problem;
  }
};
