/** One entry of the log as it is stored and published. `message` is W, the exact signed bytes; `leaf` its RFC 6962 leaf hash. */
export interface Entry {
  readonly seq: number;
  readonly kind: string;
  /** The device an attestation or finding is about. */
  readonly device?: string;
  /** Unix seconds, as stated inside. */
  readonly iat: number;
  readonly message: Uint8Array;
  readonly leaf: Uint8Array;
}

/** A reply as it is kept for an auditor: secrets and redacted facts masked first. `query` is the name in the driver. */
export interface KeptReply {
  readonly query: string;
  readonly bytes: Uint8Array;
  readonly repairs: readonly string[];
}

/** A statement before the log adds its common members: `kind`, its object, and `_sd_alg` where facts are redacted. */
export interface Content {
  readonly kind: 'session' | 'baseline' | 'change' | 'attestation' | 'finding' | 'coverage' | 'key';
  readonly [member: string]: unknown;
}

/** A salted disclosure of one redacted value (RFC 9901): stays in the store, revealed one by one. */
export interface Disclosure {
  /** `b64u` digest that stands in `_sd`. */
  readonly digest: string;
  /** `b64u` of `[salt, name, value]`. */
  readonly text: string;
}

/** What a builder made: the content and the disclosures that belong to it. */
export interface Built {
  readonly content: Content;
  readonly disclosures: readonly Disclosure[];
}
