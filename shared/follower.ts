import {
  advance,
  checkBoot,
  checkClock,
  checkEpoch,
  checkPrevious,
  checkRetired,
  checkSuccessor,
  describeGap,
  type EpochTable,
} from './chain.ts';
import { applyContent, type ContentContext, checkContent } from './content.ts';
import type { EntryNote } from './entry-window.ts';
import { HeldMessages, type Room } from './held.ts';
import type { TrustedKeys } from './keys.ts';
import type { LogState } from './log-state.ts';
import type { LogEnd } from './statement.ts';
import { knownVerdict, type Verdict, verdict } from './verdict.ts';
import { isError } from './verification.ts';
import type { VerifiedMessage } from './verify.ts';

const HOLD_MS = 60_000;

/** What the placing of one message may ask beside the state of its log. */
export interface Circumstances {
  readonly keys: TrustedKeys;
  readonly epochs: EpochTable;
  /** Local wall clock, Unix milliseconds; without it nothing is from the future, and gaps are announced by count only. */
  readonly nowMs?: number | undefined;
  /** An entry that the window of the log does not have: of another log, or older. */
  readonly recall: ContentContext['entry'];
  /** The known end of the former incarnation, for entry 0. */
  readonly former?: Partial<LogEnd> | undefined;
  /** What entry 0 of the incarnation after this one says about the end of this one. */
  readonly successor?: LogEnd | null | undefined;
}

/** What has to be looked up before a message can be placed: entries that it cites or repeats. */
export interface Wanted {
  readonly log: string;
  readonly seq: number;
}

/**
 * One log as it is followed: the verification of messages at their place, steps 8 to 15 of attestation.md §8. No clock,
 * no store; `assayer verify`, the demo and every collector go through it.
 */
export class LogFollower {
  readonly state: LogState;
  readonly #held: HeldMessages;
  #heldSinceMs: number | undefined;
  #gapAnnounced = false;

  constructor(state: LogState, room: Room) {
    this.state = state;
    this.#held = new HeldMessages(state.log, room);
  }

  /**
   * Takes a message that passed steps 1 to 7. The first verdict is about it, others about messages that had to make
   * room. Afterwards `released` gives what waited for it, to be placed in turn.
   */
  place(message: VerifiedMessage, by: Circumstances): readonly Verdict[] {
    const { state } = this;
    const { seq } = message.statement;
    if (seq < state.next) return [this.#again(message, by)];
    const waiting = this.#held.get(seq);
    if (waiting !== undefined) return [knownVerdict(message, waiting)];
    if (seq > state.next) return this.#hold(message, by.nowMs);
    return [this.#chain(message, by)];
  }

  /** Takes out the message that the end of the chain has reached, if it waits. */
  released(nowMs: number | undefined): VerifiedMessage | undefined {
    const message = this.#held.take(this.state.next);
    if (message === undefined) return undefined;
    // What still waits begins to wait anew: the gap before it is another one.
    this.#gapAnnounced = false;
    this.#heldSinceMs = this.#held.size === 0 ? undefined : nowMs;
    return message;
  }

  /** The end of the chain has reached a message that waits. */
  get isReached(): boolean {
    return this.#held.has(this.state.next);
  }

  /** The entries that placing this message would look up and `recall` does not know yet. */
  wanted(message: VerifiedMessage, by: Circumstances): readonly Wanted[] {
    const wanted: Wanted[] = [];
    const entry: ContentContext['entry'] = (log, seq) => {
      const found = this.#entry(log, seq, by);
      if (found === 'unseen') wanted.push({ log, seq });
      return found;
    };
    const { log, seq, kind } = message.statement;
    if (seq < this.state.next) entry(log, seq);
    // Only these cite entries; the checks are run for what they ask, their answers come when the entry is placed.
    else if (seq === this.state.next && (kind === 'baseline' || kind === 'finding'))
      checkContent(this.state, message, { keys: by.keys, entry });
    return wanted;
  }

  /** True if a gap is due to be announced: it is older than a minute. */
  isGapDue(nowMs: number): boolean {
    return !this.#gapAnnounced && this.#heldSinceMs !== undefined && nowMs - this.#heldSinceMs >= HOLD_MS;
  }

  /** The first range that is missing below a held message, from inclusive to exclusive. */
  gap(): readonly [from: number, to: number] | undefined {
    const first = this.#held.lowest();
    return first === undefined ? undefined : [this.state.next, first];
  }

  /** Step 9: announces the gaps that were not announced yet, with a verdict for every message above them. */
  announceGaps(): readonly Verdict[] {
    if (this.#gapAnnounced) return [];
    this.#gapAnnounced = true;
    this.#heldSinceMs = undefined;
    return this.#held.seqs().flatMap((seq) => {
      const message = this.#held.get(seq);
      return message === undefined ? [] : [this.#unchained(message)];
    });
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#held.size;
  }

  /** The bytes of a message that waits. */
  waitingEntry(seq: number): Uint8Array | undefined {
    return this.#held.get(seq)?.bytes;
  }

  /** Lets go of messages below a number. */
  dropBelow(seq: number): void {
    for (const each of this.#held.seqs()) if (each < seq) this.#held.take(each);
  }

  /** Lets go of everything that waits; it will have to come again. */
  forget(): void {
    this.#held.clear();
  }

  /** Step 8 for an entry below the end of the chain. */
  #again(message: VerifiedMessage, by: Circumstances): Verdict {
    const { log, seq } = message.statement;
    const known = this.#entry(log, seq, by);
    if (typeof known === 'object') return knownVerdict(message, known);
    return verdict('unchained', message, [
      { code: 'I_UNCHECKED', step: 8, detail: `entry ${seq} is older than what is remembered` },
    ]);
  }

  #entry(log: string, seq: number, by: Circumstances): EntryNote | 'unseen' | undefined {
    if (log !== this.state.log) return by.recall(log, seq);
    if (seq >= this.state.next) return undefined;
    return this.state.entries.get(seq) ?? by.recall(log, seq) ?? 'unseen';
  }

  /** Step 9: a message above a gap waits; from the thousandth, or once the gap was announced, it is handed out at once. */
  #hold(message: VerifiedMessage, nowMs: number | undefined): readonly Verdict[] {
    const { log, seq } = message.statement;
    const displaced = this.#held.put(message);
    if (this.#held.size > 0) this.#heldSinceMs ??= nowMs;
    const own = this.#held.has(seq) && !this.#gapAnnounced ? verdict('held', message, []) : this.#unchained(message);
    const others = displaced.filter(({ statement }) => statement.log !== log || statement.seq !== seq);
    return [
      own,
      ...others.map((each) => verdict('unchained', each, [])),
      ...(displaced.some(({ statement }) => statement.log === log) ? this.announceGaps() : []),
    ];
  }

  /** An authentic message whose predecessor is missing, with the missing range where it begins above one. */
  #unchained(message: VerifiedMessage): Verdict {
    const { seq } = message.statement;
    if (!this.#held.has(seq) || this.#held.has(seq - 1)) return verdict('unchained', message, []);
    const below = this.#held.seqs().filter((each) => each < seq);
    const from = Math.max(this.state.next, ...below.map((each) => each + 1));
    return verdict('unchained', message, from < seq ? [describeGap(from, seq - 1)] : []);
  }

  /** Steps 10 to 15 for the next entry. */
  #chain(message: VerifiedMessage, by: Circumstances): Verdict {
    const { state } = this;
    const retired = checkRetired(state, message);
    if (retired.length > 0) return verdict('refused', message, retired);
    const context: ContentContext = { keys: by.keys, entry: (log, seq) => this.#entry(log, seq, by) };
    const remarks = [
      ...checkPrevious(state, message, by.former), // 10
      ...checkSuccessor(message, by.successor),
      ...checkBoot(state, message), // 11
      ...checkClock(state, message, by.nowMs), // 12
      ...checkEpoch(state, message, by.epochs), // 13
      ...checkContent(state, message, context), // 14
    ];
    const quarantined = remarks.some(isError);
    applyContent(state, message, { ...context, quarantined });
    advance(state, message, by.epochs); // 15
    return verdict(quarantined ? 'quarantined' : 'chained', message, remarks);
  }
}
