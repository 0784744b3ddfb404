import type { VerifiedCheckpoint } from './checkpoint.ts';
import type { Cosigned } from './cosignature.ts';
import type { LogState } from './log-state.ts';
import { type CompactRange, EMPTY_RANGE, rangeRoot } from './tree.ts';
import { type Remark, VerificationError } from './verification.ts';

/** Steps 16 and 17 of attestation.md §8: what checkpoints and cosignatures say about the entries of a log. */

/** A checkpoint as it is compared and proved with: its size, its root (b64u) and its signed note. */
export interface Head {
  readonly size: number;
  readonly root: string;
  readonly note: string;
}

/** A checkpoint whose root is our own. */
export interface Agreed {
  readonly size: number;
  readonly root: string;
  /** Latest time that an entry below claims; absent where later entries had been read already. */
  readonly latestIat?: number | undefined;
  /** Unix seconds of cosignatures, by the name of the witness. */
  readonly times: { readonly [witness: string]: number };
}

/** What is known of the checkpoints of one log; small and storable. */
export interface HeartbeatState {
  /** The newest valid heartbeat, by start counter and monotonic clock, never by its wall clock. */
  heard: (Head & { readonly bootcount: number; readonly monoMs: number }) | undefined;
  /** Our tree at the newest checkpoint that agreed with it; where entries after it are lost, as far as it was known then. */
  range: CompactRange;
  /** Checkpoints of more entries than we have, smallest first. */
  ahead: readonly Head[];
  /** The newest checkpoints that agreed, smallest first. */
  agreed: readonly Agreed[];
  /** What we cosigned last. */
  cosigned: Pick<Head, 'size' | 'root'> | undefined;
  /** Entries below `size` are witnessed: a quorum had seen them at `atS`, their upper bound of time. */
  witnessed: { readonly size: number; readonly atS: number } | undefined;
  /** Digests of what proved a fork. */
  proofs: readonly string[];
}

export const newHeartbeats = (): HeartbeatState => ({
  heard: undefined,
  range: EMPTY_RANGE,
  ahead: [],
  agreed: [],
  cosigned: undefined,
  witnessed: undefined,
  proofs: [],
});

const MOST_AHEAD = 8;
const MOST_AGREED = 16;

const remark = (code: Remark['code'], step: 16 | 17, detail: string): Remark => ({ code, step, detail });

/** What a heartbeat, or the entry that reached an earlier one, brought. */
export interface Heard {
  readonly remarks: readonly Remark[];
  /** The checkpoint that now agrees with our tree, to be cosigned by a witness. */
  readonly agreed?: Head;
  /** The signed notes that exclude each other; without `first` it is our entries that exclude the second. */
  readonly fork?: { readonly first?: string; readonly second: string };
}

/** True if the heartbeat was made after all that were heard, by the count of starts and the clock since the start. */
export const isNewer = ({ heard }: HeartbeatState, { content }: VerifiedCheckpoint): boolean =>
  heard === undefined ||
  content.bootcount > heard.bootcount ||
  (content.bootcount === heard.bootcount && content.mono_ms > heard.monoMs);

/** True if the key of the heartbeat had handed over before the entries that it speaks of. */
export const isRetired = ({ retiredKeys }: LogState, { content, kid }: VerifiedCheckpoint): boolean => {
  const retiredAt = retiredKeys.get(kid);
  return retiredAt !== undefined && content.size > retiredAt;
};

/** Step 16: compares a heartbeat with the ones before. Undefined where it is newer and does not contradict them. */
const compareHeard = (state: HeartbeatState, checkpoint: VerifiedCheckpoint): Heard | undefined => {
  const { heard } = state;
  if (heard === undefined) return undefined;
  const { size, root, note } = checkpoint.content;
  const fork = { first: heard.note, second: note };
  if (size === heard.size && root !== heard.root) {
    // Two trees of one size prove a fork whichever came first.
    return { remarks: [remark('E_FORK', 16, `two checkpoints of size ${size}`)], fork };
  }
  if (!isNewer(state, checkpoint)) return { remarks: [remark('I_STALE', 16, 'not newer than the last heartbeat')] };
  if (size < heard.size) {
    return { remarks: [remark('E_ROLLBACK', 16, `size ${size} after ${heard.size}`)], fork };
  }
  return undefined;
};

/** Step 16 for a verified heartbeat; throws where its key handed over. `range` is our tree at its size, where it is smaller than what we have. */
export const hearCheckpoint = (
  state: HeartbeatState,
  log: LogState,
  checkpoint: VerifiedCheckpoint,
  range: CompactRange | undefined,
): Heard => {
  const { content, kid } = checkpoint;
  if (isRetired(log, checkpoint)) {
    throw new VerificationError('E_KEY_SCOPE', 16, `key ${kid} handed over before this checkpoint`);
  }
  const contradiction = compareHeard(state, checkpoint);
  if (contradiction !== undefined) return contradiction;
  const head: Head = { size: content.size, root: content.root, note: content.note };
  state.heard = { ...head, bootcount: content.bootcount, monoMs: content.mono_ms };
  if (head.size > log.next) {
    // The first ones are reached first; the newest is told again soon.
    if (state.ahead.length < MOST_AHEAD && state.ahead.at(-1)?.size !== head.size) state.ahead = [...state.ahead, head];
    return { remarks: [remark('W_GAP', 16, `the gateway has ${head.size} entries, ${log.next} are here`)] };
  }
  if (log.range === undefined)
    return { remarks: [remark('I_UNCHECKED', 16, 'entries are lost, and the tree over them is not known')] };
  const isLatest = head.size === log.next;
  const own = isLatest ? log.range : head.size === state.range.size ? state.range : range;
  if (own?.size !== head.size) throw new Error(`our tree at size ${head.size} is needed`);
  return agree(state, head, own, isLatest ? log.latestIat : undefined);
};

/** Step 16 for checkpoints that came before their entries: to be called after each entry. */
export const reachCheckpoint = (state: HeartbeatState, log: LogState): Heard | undefined => {
  const [head] = state.ahead;
  if (head === undefined || head.size > log.next) return undefined;
  state.ahead = state.ahead.slice(1);
  if (head.size < log.next || log.range === undefined) return undefined;
  return agree(state, head, log.range, log.latestIat);
};

const agree = (state: HeartbeatState, head: Head, own: CompactRange, latestIat: number | undefined): Heard => {
  if (rangeRoot(own).toString('base64url') !== head.root) {
    const remarks = [remark('E_FORK', 16, `the gateway signed another tree of size ${head.size}`)];
    return { remarks, fork: { second: head.note } };
  }
  if (state.agreed.at(-1)?.size === head.size) return { remarks: [] };
  state.range = own;
  state.agreed = [...state.agreed, { size: head.size, root: head.root, latestIat, times: {} }].slice(-MOST_AGREED);
  return { remarks: [], agreed: head };
};

/** True if this checkpoint may be cosigned: not behind what was cosigned. The caller stores the state before it replies. */
export const mayCosign = ({ cosigned }: HeartbeatState, { size }: Head): boolean =>
  cosigned === undefined || size > cosigned.size;

const LATE_S = 120;

/** Step 17 for the verified cosignatures of a checkpoint. Undefined where no checkpoint of that size agreed, yet. */
export const countCosignatures = (
  state: HeartbeatState,
  { end, times }: Cosigned,
  quorum: number,
): readonly Remark[] | undefined => {
  const known = state.agreed.find(({ size }) => size === end.size);
  if (known === undefined) return undefined;
  if (known.root !== end.root) return [remark('E_FORK', 17, `another tree of size ${end.size} was cosigned`)];
  const merged: { [witness: string]: number } = { ...known.times };
  for (const [witness, timeS] of times) merged[witness] = Math.min(timeS, merged[witness] ?? timeS);
  // Delivered again it changes nothing, and there is nothing to store.
  if (Object.entries(merged).every(([witness, timeS]) => known.times[witness] === timeS)) return [];
  state.agreed = state.agreed.map((each) => (each === known ? { ...known, times: merged } : each));
  if (Object.keys(merged).length < quorum || end.size <= (state.witnessed?.size ?? 0)) return [];
  const atS = Math.min(...Object.values(merged));
  state.witnessed = { size: end.size, atS };
  return known.latestIat !== undefined && known.latestIat > atS + LATE_S
    ? [remark('E_TIME_WINDOW', 17, `an entry below ${end.size} claims ${known.latestIat}, but was cosigned at ${atS}`)]
    : [];
};

/** What an entry that was accepted is worth, the last three each more than the one before. */
export type Standing = 'missing' | 'chained' | 'included' | 'witnessed';

export const standingOf = (log: LogState, state: HeartbeatState, seq: number): Standing => {
  if (seq < log.start || seq >= log.next) return 'missing';
  if (seq < (state.witnessed?.size ?? 0)) return 'witnessed';
  return seq < (state.agreed.at(-1)?.size ?? 0) ? 'included' : 'chained';
};
