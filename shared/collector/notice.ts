import type { LogEnd } from '../statement.ts';
import { isError, type Remark } from '../verification.ts';

/** Something happened to a log, beyond the verdict on one message. */
export type Notice =
  /**
   * Entries are missing for a minute, from inclusive to exclusive; `waiting` later ones are here. Where none is, a signed checkpoint spoke of
   * them, and for five minutes nothing of the log came.
   */
  | { readonly kind: 'gap'; readonly log: string; readonly from: number; readonly to: number; readonly waiting: number }
  /** The missing entries came. */
  | { readonly kind: 'filled'; readonly log: string; readonly next: number }
  /**
   * These entries will not come: the gateway does not hold them any more, and the chain begins anew at `to`; or `replacedBy`, the log
   * that took the place of this one, begins after them. Told again with the same `from` where more of them are lost before an entry came.
   */
  | {
      readonly kind: 'lost';
      readonly log: string;
      readonly from: number;
      readonly to: number;
      readonly replacedBy?: string;
    }
  /**
   * Two signed things that exclude each other, a proof against the gateway key that convinces anyone: two messages of
   * one `seq`, two checkpoints of one size, or a checkpoint that the entries do not give (without `first`).
   */
  | {
      readonly kind: 'fork';
      readonly log: string;
      readonly at: number;
      readonly first?: Uint8Array | undefined;
      readonly second: Uint8Array;
      readonly remark: Remark;
    }
  /** A checkpoint was heard. Errors among the remarks are alarms: `E_FORK`, `E_ROLLBACK`, `E_KEY_SCOPE`. */
  | { readonly kind: 'checkpoint'; readonly log: string; readonly size: number; readonly remarks: readonly Remark[] }
  /** Entries below `size` are now witnessed, seen at `atS` (Unix seconds) at the latest. */
  | {
      readonly kind: 'witnessed';
      readonly log: string;
      readonly size: number;
      readonly atS: number;
      readonly remarks: readonly Remark[];
    }
  /** The agent started again. */
  | { readonly kind: 'restart'; readonly log: string; readonly seq: number; readonly bootcount: number }
  /**
   * A gateway begins a log, in place of `former` where one is known, of which `held` entries are here. `prior` is the end of the
   * replaced log that the gateway signed; null where it knows of none. What is open in the former log will not be closed in it.
   */
  | {
      readonly kind: 'incarnation';
      readonly log: string;
      readonly former?: string | undefined;
      readonly held?: number | undefined;
      readonly prior: LogEnd | null;
    }
  /**
   * A log that stands in the way of one that goes on, and is founded on nothing any more: its key is not trusted, or its time has not come. From
   * now on it is evidence only.
   */
  | { readonly kind: 'aside'; readonly log: string; readonly why: string }
  /** A person took that back. Stores tell it, a collector never does. */
  | { readonly kind: 'reinstated'; readonly log: string; readonly why: string }
  /** Nothing was heard where something should have been: no heartbeat for 15 minutes, or no coverage for three periods, the longest of the last four. */
  | { readonly kind: 'silent'; readonly gateway: string; readonly of: Expected; readonly sinceMs: number }
  | { readonly kind: 'heard'; readonly gateway: string; readonly of: Expected }
  /** Presence changed; `lost` and `stopped` are what the broker or the gateway say, unsigned. */
  | { readonly kind: 'presence'; readonly gateway: string; readonly state: 'online' | 'stopped' | 'lost' }
  /** A trust manifest came into force. */
  | { readonly kind: 'manifest'; readonly version: number };

export type Expected = 'heartbeat' | 'coverage';

/** The errors of a notice. Where there is one it is an alarm (attestation.md §8: every `E_*` raises one). */
export const errorsOf = (notice: Notice): readonly Remark[] => {
  if (notice.kind === 'fork') return [notice.remark];
  return 'remarks' in notice ? notice.remarks.filter(isError) : [];
};
