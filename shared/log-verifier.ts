import type { EpochTable } from './chain.ts';
import { incarnationOf } from './content.ts';
import type { EntryNote } from './entry-window.ts';
import { type Circumstances, LogFollower } from './follower.ts';
import { Room } from './held.ts';
import type { TrustedKeys } from './keys.ts';
import { endOf, newState } from './log-state.ts';
import type { LogEnd, Statement } from './statement.ts';
import type { Verdict } from './verdict.ts';
import { VerificationError } from './verification.ts';
import { gatewayOf, type VerifiedMessage, verifyMessage } from './verify.ts';

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

const WINDOW_ENTRIES = 65_536;

/**
 * Verifies the messages of any number of logs as they arrive (attestation.md §8, steps 1 to 15). Pure: no clock, no
 * store. Messages of one log may come late, twice or out of order; verdicts of messages that waited come with the one
 * that they waited for. A message answered `unchained` that was not held (1 000 a log are) must be given again.
 */
export class LogVerifier {
  readonly #options: LogVerifierOptions;
  readonly #logs = new Map<string, LogFollower>();
  // Whoever reads a file in one go has it all at hand: only the bounds of each log count.
  readonly #room = new Room(Number.POSITIVE_INFINITY);

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
      .filter((follower) => follower.isGapDue(nowMs))
      .flatMap((follower) => follower.announceGaps());
  }

  /** Announces the gaps that remain at the end of a stream. */
  finish(): readonly Verdict[] {
    return [...this.#logs.values()].flatMap((follower) => follower.announceGaps());
  }

  /** Size and root of every log as far as it is chained; without root where the chain did not begin at entry 0. */
  ends(): readonly (Pick<LogEnd, 'log' | 'size'> & Partial<LogEnd>)[] {
    return [...this.#logs.values()].map(({ state }) => endOf(state));
  }

  #place(first: VerifiedMessage, nowMs: number | undefined): readonly Verdict[] {
    const follower = this.#follow(first.statement);
    const by: Circumstances = {
      keys: this.#options.keys,
      epochs: this.#options.epochs ?? new Map(),
      nowMs,
      recall: (log, seq) => this.#recall(log, seq),
      former: this.#formerEnd(first.statement),
    };
    const verdicts: Verdict[] = [];
    for (let message: VerifiedMessage | undefined = first; message !== undefined; message = follower.released(nowMs)) {
      verdicts.push(...follower.place(message, by));
    }
    return verdicts;
  }

  #follow({ log, seq }: Statement): LogFollower {
    const known = this.#logs.get(log);
    if (known !== undefined) return known;
    const start = this.#options.start === 'zero' ? 0 : seq;
    const follower = new LogFollower(newState(log, start, this.#options.window ?? WINDOW_ENTRIES), this.#room);
    this.#logs.set(log, follower);
    return follower;
  }

  #recall(log: string, seq: number): EntryNote | 'unseen' | undefined {
    const state = this.#logs.get(log)?.state;
    const known = state?.entries.get(seq) ?? this.#options.recall?.(log, seq);
    if (known !== undefined) return known;
    return state === undefined || seq < state.next ? 'unseen' : undefined;
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
