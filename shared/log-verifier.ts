import {
  advance,
  checkBoot,
  checkClock,
  checkEpoch,
  checkPrevious,
  checkRetired,
  compareKnown,
  describeGap,
  type EpochTable,
} from './chain.ts';
import { applyContent, type ContentContext, checkContent, incarnationOf } from './content.ts';
import { type EntryNote, EntryWindow } from './entry-window.ts';
import type { TrustedKeys } from './keys.ts';
import type { LogState } from './log-state.ts';
import type { LogEnd, Statement } from './statement.ts';
import { EMPTY_RANGE, rangeRoot } from './tree.ts';
import { isError, type Remark, VerificationError } from './verification.ts';
import { gatewayOf, type VerifiedMessage, verifyMessage } from './verify.ts';

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

/** How a verifier works; only the keys are required. */
export interface LogVerifierOptions {
  readonly keys: TrustedKeys;
  readonly epochs?: EpochTable;
  /** `zero`: what comes before entry 0 of a log is held as above a gap; `any`: the chain begins where the stream does. */
  readonly start?: 'zero' | 'any';
  /** Entries of a log that are remembered for citations and duplicates, 44 bytes each. */
  readonly window?: number;
  /** Looks up an entry older than the window, where the caller keeps them. */
  readonly recall?: (log: string, seq: number) => EntryNote | undefined;
}

/** The circumstances of one message. */
export interface Arrival {
  readonly topic?: string | undefined;
  /** Local wall clock, Unix milliseconds; without it nothing is from the future, and gaps are announced by count only. */
  readonly nowMs?: number | undefined;
}

const HOLD_MS = 60_000;
const HOLD_ENTRIES = 1_000;
const WINDOW_ENTRIES = 65_536;

/** A log as it is followed: its state and the messages above a gap. */
interface Followed {
  readonly state: LogState;
  readonly held: Map<number, VerifiedMessage>;
  heldSinceMs: number | undefined;
  gapAnnounced: boolean;
}

/**
 * Verifies the messages of any number of logs as they arrive (attestation.md §8, steps 1 to 15). Pure: no clock, no
 * store. Messages of one log may come late, twice or out of order; verdicts of messages that waited come with the one
 * that they waited for. A message answered `unchained` that was not held (1 000 a log are) must be given again.
 */
export class LogVerifier {
  readonly #options: LogVerifierOptions;
  readonly #logs = new Map<string, Followed>();

  constructor(options: LogVerifierOptions) {
    this.#options = options;
  }

  /** Takes the next message. The first verdict is about it, the others about messages that were held. */
  accept(bytes: Uint8Array, arrival: Arrival = {}): readonly Verdict[] {
    try {
      const message = verifyMessage(bytes, { keys: this.#options.keys, topic: arrival.topic });
      return this.#place(message, arrival.nowMs);
    } catch (problem) {
      if (problem instanceof VerificationError) return [{ status: 'refused', remarks: [problem], bytes }];
      throw problem;
    }
  }

  /** Announces the gaps that are older than a minute, of all logs. To be called now and then. */
  tick(nowMs: number): readonly Verdict[] {
    return [...this.#logs.values()]
      .filter(({ heldSinceMs }) => heldSinceMs !== undefined && nowMs - heldSinceMs >= HOLD_MS)
      .flatMap(announceGaps);
  }

  /** Announces the gaps that remain at the end of a stream. */
  finish(): readonly Verdict[] {
    return [...this.#logs.values()].flatMap(announceGaps);
  }

  /** Size and root of every log as far as it is chained; without root where the chain did not begin at entry 0. */
  ends(): readonly (Pick<LogEnd, 'log' | 'size'> & Partial<LogEnd>)[] {
    return [...this.#logs.values()].map(({ state }) => endOf(state));
  }

  /** Steps 8 and 9. */
  #place(message: VerifiedMessage, nowMs: number | undefined): readonly Verdict[] {
    const { statement } = message;
    const followed = this.#follow(statement);
    const { state, held } = followed;
    if (statement.seq < state.next) return [this.#again(message)];
    const waiting = held.get(statement.seq);
    if (waiting !== undefined) return [knownVerdict(message, waiting)];
    if (statement.seq > state.next) return hold(followed, message, nowMs);
    return this.#chain(followed, message, nowMs);
  }

  #follow(statement: Statement): Followed {
    const known = this.#logs.get(statement.log);
    if (known !== undefined) return known;
    const start = this.#options.start === 'zero' ? 0 : statement.seq;
    const followed: Followed = {
      state: newState(statement.log, start, this.#options.window ?? WINDOW_ENTRIES),
      held: new Map(),
      heldSinceMs: undefined,
      gapAnnounced: false,
    };
    this.#logs.set(statement.log, followed);
    return followed;
  }

  /** Step 8 for an entry below the end of the chain. */
  #again(message: VerifiedMessage): Verdict {
    const { log, seq } = message.statement;
    const known = this.#entry(log, seq);
    if (typeof known === 'object') return knownVerdict(message, known);
    return verdict('unchained', message, [
      { code: 'I_UNCHECKED', step: 8, detail: `entry ${seq} is older than what is remembered` },
    ]);
  }

  #entry(log: string, seq: number): EntryNote | 'unseen' | undefined {
    const state = this.#logs.get(log)?.state;
    const known = state?.entries.get(seq) ?? this.#options.recall?.(log, seq);
    if (known !== undefined) return known;
    return state === undefined || seq < state.next ? 'unseen' : undefined;
  }

  /** Steps 10 to 15 for the next entry, and for those that waited for it. */
  #chain(followed: Followed, first: VerifiedMessage, nowMs: number | undefined): readonly Verdict[] {
    const verdicts: Verdict[] = [];
    for (let message: VerifiedMessage | undefined = first; message !== undefined; ) {
      verdicts.push(this.#chainOne(followed.state, message, nowMs));
      message = followed.held.get(followed.state.next);
      followed.held.delete(followed.state.next);
    }
    if (followed.held.size === 0) followed.heldSinceMs = undefined;
    else if (verdicts.length > 1) followed.heldSinceMs = nowMs;
    if (followed.held.size === 0 || verdicts.length > 1) followed.gapAnnounced = false;
    return verdicts;
  }

  #chainOne(state: LogState, message: VerifiedMessage, nowMs: number | undefined): Verdict {
    const retired = checkRetired(state, message);
    if (retired.length > 0) return verdict('refused', message, retired);
    const epochs: EpochTable = this.#options.epochs ?? new Map();
    const context: ContentContext = { keys: this.#options.keys, entry: (log, seq) => this.#entry(log, seq) };
    const remarks = [
      ...checkPrevious(state, message, this.#formerEnd(message.statement)),
      ...checkBoot(state, message),
      ...checkClock(state, message, nowMs),
      ...checkEpoch(state, message, epochs),
      ...checkContent(state, message, context),
    ];
    const quarantined = remarks.some(isError);
    applyContent(state, message, { ...context, quarantined });
    advance(state, message, epochs);
    return verdict(quarantined ? 'quarantined' : 'chained', message, remarks);
  }

  /** The known end of the newest former incarnation of the log, for entry 0. */
  #formerEnd({ log, seq }: Statement): ReturnType<typeof endOf> | undefined {
    if (seq > 0) return undefined;
    const former = [...this.#logs.values()]
      .map(({ state }) => state)
      .filter((state) => gatewayOf(state.log) === gatewayOf(log) && incarnationOf(state.log) < incarnationOf(log))
      .toSorted((one, other) => incarnationOf(other.log) - incarnationOf(one.log))[0];
    return former === undefined ? undefined : endOf(former);
  }
}

const newState = (log: string, start: number, window: number): LogState => ({
  log,
  start,
  next: start,
  before: undefined,
  range: start === 0 ? EMPTY_RANGE : undefined,
  entries: new EntryWindow(window, start),
  devices: new Map(),
  documents: new Map(),
  retiredKeys: new Set(),
  epochIat: undefined,
});

const endOf = ({ log, next, range }: LogState): Pick<LogEnd, 'log' | 'size'> & Partial<LogEnd> => ({
  log,
  size: next,
  ...(range === undefined ? {} : { root: rangeRoot(range).toString('base64url') }),
});

const verdict = (status: Status, message: VerifiedMessage, remarks: readonly Remark[]): Verdict => ({
  status,
  remarks,
  bytes: message.bytes,
  statement: message.statement,
  leaf: message.leaf,
});

const knownVerdict = (message: VerifiedMessage, known: { readonly leaf: Buffer }): Verdict => {
  const remark = compareKnown(message, known);
  return verdict(isError(remark) ? 'refused' : 'duplicate', message, [remark]);
};

/** Step 9: a message above a gap waits; from the thousandth, or once the gap was announced, it is handed out at once. */
const hold = (followed: Followed, message: VerifiedMessage, nowMs: number | undefined): readonly Verdict[] => {
  const { state, held } = followed;
  if (held.size >= HOLD_ENTRIES) return [verdict('unchained', message, []), ...announceGaps(followed)];
  held.set(message.statement.seq, message);
  followed.heldSinceMs ??= nowMs;
  return [followed.gapAnnounced ? unchainedVerdict(state, held, message) : verdict('held', message, [])];
};

/** An authentic message whose predecessor is missing, with the missing range where it begins above one. */
const unchainedVerdict = (
  state: LogState,
  held: ReadonlyMap<number, VerifiedMessage>,
  message: VerifiedMessage,
): Verdict => {
  const { seq } = message.statement;
  if (held.has(seq - 1)) return verdict('unchained', message, []);
  const below = [...held.keys()].filter((each) => each < seq);
  const from = Math.max(state.next, ...below.map((each) => each + 1));
  return verdict('unchained', message, from < seq ? [describeGap(from, seq - 1)] : []);
};

const announceGaps = (followed: Followed): readonly Verdict[] => {
  if (followed.gapAnnounced) return [];
  followed.gapAnnounced = true;
  followed.heldSinceMs = undefined;
  return [...followed.held.values()]
    .toSorted((one, other) => one.statement.seq - other.statement.seq)
    .map((message) => unchainedVerdict(followed.state, followed.held, message));
};
