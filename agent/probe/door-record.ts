import type { NoReply } from './capture.ts';

/** Pause after the first refusal, doubled by each further one, ms. */
export const FIRST_PAUSE_MS = 300_000;
export const LONGEST_PAUSE_MS = 86_400_000;

/** Passwords that are remembered as refused at one door; a further one waits until the first of them may be shown again. */
export const MOST_REFUSED = 4;

/** So many log-ins that are not known to be right are shown at one door … */
const MOST_SHOWN = 4;
/** … within so long, ms, whoever configured them: a device that locks at five wrong ones in twenty minutes is not locked. */
const SHOWN_WITHIN_MS = 1_200_000;

/** A rest, by the monotonic clock. */
export interface Pause {
  readonly untilMs: number;
  readonly pauseMs: number;
}

/** Twice as long a rest as the one before, from now on. */
export const longer = (before: Pause | undefined, nowMs: number, longestMs = LONGEST_PAUSE_MS): Pause => {
  const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(longestMs, before.pauseMs * 2);
  return { untilMs: nowMs + pauseMs, pauseMs };
};

/** What a device refused of one password. */
export interface Refusal {
  /** Tells the password among others, and tells nothing else of it. */
  readonly of: string;
  /** What came of it last: `refused`, or why there was no answer. */
  why: NoReply['reason'];
  /** Of the whole log-in; none where another page took it since. */
  rest: Pause | undefined;
  /** The pages that refused it. */
  readonly pages: Map<string, Pause>;
  /** Pages that never refused it and had to wait while it rested: they are asked before those that did. */
  readonly waiting: Set<string>;
}

/** A log-in that was shown and is not known to be right. */
interface Shown {
  readonly of: string;
  readonly atMs: number;
}

/** What one account of one device said to the passwords that were shown to it: each rests by itself, and beyond a few the door as a whole. */
export class DoorRecord {
  /** It was told that the log-in is refused. */
  told = false;
  /** The password that was taken last, and not refused as a whole since. */
  #taken: string | undefined;
  /** Another one was refused as a whole since. */
  #refusedSince = false;
  #refusals: readonly Refusal[] = [];
  #shown: readonly Shown[] = [];

  /** `taken` is the password that the door took last. */
  constructor(taken?: string) {
    this.#taken = taken;
  }

  get taken(): string | undefined {
    return this.#taken;
  }

  /** The same, where none was refused as a whole since. */
  get takenSince(): string | undefined {
    return this.#refusedSince ? undefined : this.#taken;
  }

  /** Oldest first. */
  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  /** Oldest first. */
  get shown(): readonly Shown[] {
    return this.#shown;
  }

  get isEmpty(): boolean {
    return this.#refusals.length === 0 && this.#shown.length === 0;
  }

  refusalOf(of: string): Refusal | undefined {
    return this.#refusals.find((one) => one.of === of);
  }

  /** Remembers a refusal. Where there is no room the one that may be shown again first goes, and hands on how long it rested. */
  refuse(of: string, why: NoReply['reason']): Refusal {
    const before = this.refusalOf(of);
    if (before !== undefined) {
      before.why = why;
      return before;
    }
    const gone = this.#refusals.length < MOST_REFUSED ? undefined : this.#firstToEnd();
    const refusal = { of, why, rest: gone?.rest, pages: new Map<string, Pause>(), waiting: new Set<string>() };
    this.#refusals = [...this.#refusals.filter((one) => one !== gone), refusal];
    return refusal;
  }

  /** It was refused for every page. */
  refuseWhole(of: string): void {
    if (this.#taken === of) this.#taken = undefined;
    this.#refusedSince = this.#taken !== undefined;
  }

  /** Takes over what an earlier process kept of the password that was taken last. */
  takeOver(taken: string | undefined, takenSince: string | undefined): void {
    this.#taken = taken;
    this.#refusedSince = takenSince === undefined && taken !== undefined;
  }

  /** The device took the password, for this page; says whether anything that is kept changed. What it refused of others stays refused. */
  take(of: string, page: string | undefined): boolean {
    this.#shown = this.#shown.filter((one) => one.of !== of);
    const isNew = this.takenSince !== of && this.#refusals.length > 0;
    this.#taken = of;
    this.#refusedSince = false;
    const refusal = this.refusalOf(of);
    if (refusal === undefined) return isNew;
    const { rest, pages, waiting } = refusal;
    const hadRefused = page !== undefined && pages.delete(page);
    if (rest === undefined && !hadRefused) return isNew;
    refusal.rest = undefined;
    waiting.clear();
    if (pages.size === 0 || page === undefined) this.#refusals = this.#refusals.filter((one) => one !== refusal);
    return true;
  }

  /** A password is about to be shown, or turned out not to have been the right one. */
  show(of: string, atMs: number): void {
    // That the one taken last was shown in vain since is remembered for longer than it counts among others.
    const kept = this.#shown.filter((one) => isLate(one, atMs) || (one.of === this.#taken && one.of !== of));
    this.#shown = [...kept, { of, atMs }];
  }

  /** Whether a password that was taken last was shown in vain since, or has rested: it may be wrong by now. */
  isDoubted(of: string): boolean {
    return this.refusalOf(of)?.rest !== undefined || this.#shown.some((one) => one.of === of);
  }

  /** Whether so many more may be shown that may be wrong. */
  hasRoomFor(many: number, nowMs: number): boolean {
    return lately(this.#shown, nowMs).length + many <= MOST_SHOWN;
  }

  /** It did not reach the device. */
  unshow(of: string): void {
    const last = this.#shown.findLast((one) => one.of === of);
    this.#shown = this.#shown.filter((one) => one !== last);
  }

  /** Until when nothing is shown that may be wrong: too much of that was, lately. So many are spared for others. */
  crowdedUntilMs(nowMs: number, spared = 0): number {
    const crowd = lately(this.#shown, nowMs).at(spared - MOST_SHOWN);
    return crowd === undefined ? 0 : crowd.atMs + SHOWN_WITHIN_MS;
  }

  /** Until when a further password waits, where as many were refused as are remembered. */
  fullUntilMs(of: string): number {
    const isBeyond = this.#refusals.length >= MOST_REFUSED && this.refusalOf(of) === undefined;
    return isBeyond ? endOf(this.#firstToEnd()) : 0;
  }

  #firstToEnd(): Refusal | undefined {
    return this.#refusals.toSorted((a, b) => endOf(a) - endOf(b))[0];
  }
}

const isLate = ({ atMs }: Shown, nowMs: number): boolean => atMs > nowMs - SHOWN_WITHIN_MS;

const lately = (shown: readonly Shown[], nowMs: number): readonly Shown[] => shown.filter((one) => isLate(one, nowMs));

const endOf = (refusal: Refusal | undefined): number => refusal?.rest?.untilMs ?? 0;
