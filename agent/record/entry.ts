import type { Content } from '../../shared/statement.ts';

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

/** A salted disclosure of one redacted value (RFC 9901): stays in the store, revealed one by one. */
export interface Disclosure {
  /** `b64u` digest that stands in `_sd`. */
  readonly digest: string;
  /** `b64u` of `[salt, name, value]`. */
  readonly text: string;
}

/** A cited reply: what goes into the store beside the entry. */
export interface CitedReply {
  readonly query: string;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/** What a builder made: the content of a statement, the replies it cites, and the disclosures of what is redacted in it. */
export interface Built<Of extends Content = Content> {
  readonly content: Of;
  readonly replies: readonly CitedReply[];
  readonly disclosures: readonly Disclosure[];
}
