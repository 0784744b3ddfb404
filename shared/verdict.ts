import { compareKnown } from './chain.ts';
import type { Statement } from './statement.ts';
import { isError, type Remark } from './verification.ts';
import type { VerifiedMessage } from './verify.ts';

/**
 * What became of a message.
 * `chained` in its place, all checks passed or only flagged · `quarantined` in its place, its content not to be used ·
 * `held` authentic, waiting for entries before it · `unchained` authentic, entries before it are missing ·
 * `duplicate` known already · `refused` kept out.
 */
export type Status = 'chained' | 'quarantined' | 'held' | 'unchained' | 'duplicate' | 'refused';

/** The result for one message. Keep `bytes` of every message but a duplicate, of a refused one as proof. */
export interface Verdict {
  readonly status: Status;
  readonly remarks: readonly Remark[];
  readonly bytes: Uint8Array;
  /** The statement, where steps 1 to 7 passed. */
  readonly statement?: Statement;
  readonly leaf?: Buffer;
}

/** The result for a message that passed steps 1 to 7. */
export const verdict = (status: Status, message: VerifiedMessage, remarks: readonly Remark[]): Verdict => ({
  status,
  remarks,
  bytes: message.bytes,
  statement: message.statement,
  leaf: message.leaf,
});

/** Step 8: the same message again, or a fork. */
export const knownVerdict = (message: VerifiedMessage, known: { readonly leaf: Buffer }): Verdict => {
  const remark = compareKnown(message, known);
  return verdict(isError(remark) ? 'refused' : 'duplicate', message, [remark]);
};
