import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import type { NoReply } from './capture.ts';
import { Challenges } from './challenges.ts';
import { DoorRecord, LONGEST_PAUSE_MS, longer, MOST_REFUSED, type Pause, type Refusal } from './door-record.ts';
import type { Credential } from './target.ts';

/** What a device gave for a log-in: headers that every further request carries. */
export interface Session {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A log-in that the device took before is left without an answer so often in a row, as slow or broken pages do, before it rests; … */
const MOST_UNANSWERED = 3;
/** … and then for so long at most, ms: it is the device that is ill. */
const LONGEST_ILL_MS = 3_600_000;

/** Log-ins that are to be shown within so long of each other are noted together, ms. */
const NOTED_TOGETHER_MS = 250;

const NO_PAUSE: Pause = { untilMs: 0, pauseMs: 0 };

/** The log-in that a door took last, and the pages that took it. */
interface Proven {
  credential: Credential;
  readonly pages: Set<string>;
  /** Those of them that answered 403 since it was taken last: where another page takes it, that was their own matter. */
  readonly forbidding: Set<string>;
}

/** A session, and the log-in that opened it. */
interface KeptSession extends Session {
  credential: Credential;
}

/** Hears what became of a log-in. */
type TellLogin = (door: RefusedDoor, became: 'refused' | 'taken') => void;

/** A refusal as one process hands it to the next: times by the wall clock. Former builds wrote the first six members at most, and one refusal a door. */
type Kept = readonly [
  door: string,
  untilWallMs: number,
  pauseMs: number,
  of: string,
  pages?: readonly KeptPage[],
  why?: NoReply['reason'],
  /** With the newest refusal of a door: what was shown there lately. */
  shown?: readonly (readonly [of: string, atWallMs: number])[],
  /** The password that was taken, where none was refused since. */
  takenSince?: string | null,
  taken?: string | null,
];
type KeptPage = readonly [page: string, untilWallMs: number, pauseMs: number];

/** A log-in that was not taken yet and is shown. */
interface Try {
  /** Its password, as `mark` knows it again. */
  readonly of: string;
  /** Whether the process after this one would know of it. */
  isNoted: boolean;
  /** The device said something about it since: it stays noted until that is kept. */
  isAnswered: boolean;
}

/** One in the text that one process leaves to the next. */
type Tried = readonly [door: string, of: string];

type DoorTry = readonly [door: string, one: Try];

/** Makes the log-ins that are about to be shown durable; false where that failed. */
type NoteTries = (text: string) => boolean;

/** A log-in that a device refuses: where it was shown, and for which user. */
export interface RefusedDoor {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Name under which the store keeps the log-ins that devices refused. */
export const REFUSED_LOGINS = 'refused-logins';

/** Name under which the store keeps the log-ins that are shown, and not known yet to be taken or refused. */
export const TRIED_LOGINS = 'tried-logins';

/** What to do about one. */
export const LOGIN_REMEDY =
  'put the user name and the password of the device under its entry of credentials, assayer check-config, and reload; assayer probe <address> --user <name> --password-file <file> tries them';

/** The door that `Door` names so. */
const doorNamed = (name: string): RefusedDoor => {
  const [host = '', port = '', ...user] = name.split(' ');
  return { host, port: Number(port), user: user.join(' ') };
};

const keptOf = (door: string, { refusals, shown, takenSince, taken }: DoorRecord, aheadMs: number): readonly Kept[] =>
  refusals.map(({ of, why, rest = NO_PAUSE, pages }, at) => {
    const keptPages = [...pages].map(([page, { untilMs, pauseMs }]): KeptPage => [page, untilMs + aheadMs, pauseMs]);
    const keptShown = shown.map((one) => [one.of, one.atMs + aheadMs] as const);
    const isNewest = at === refusals.length - 1;
    const lately = isNewest ? keptShown : [];
    const last = [takenSince ?? null, taken ?? null] as const;
    return [door, rest.untilMs + aheadMs, rest.pauseMs, of, keptPages, why, lately, ...last];
  });

/** The log-ins that were refused as a whole, and not taken since, in the text that one process hands to the next. */
export const refusedDoors = (text: string): readonly RefusedDoor[] =>
  // Written by `unsaved`.
  (JSON.parse(text) as readonly Kept[])
    .filter(
      ([, , pauseMs, , , why = 'refused', , takenSince]) =>
        pauseMs > 0 && why === 'refused' && typeof takenSince !== 'string',
    )
    .map(([door]) => doorNamed(door));

/**
 * Log-ins across looks: a session is used again while it holds, so is the challenge of a device that asks by Digest, and a
 * log-in that a device refused, or left without an answer, rests for five minutes, then ten, up to a day, so that a wrong password locks no account,
 * however often the configuration is read again or the agent starts. Another password is tried at once, unless four that are not known to be
 * right were shown to the same account within twenty minutes, or as many rest there; a password that is taken ends no rest of another.
 * Where one page of a device took the log-in and another, which never did, refuses it, that is a matter of this page, which rests alone. Where
 * a page refuses what it took before, or a second one refuses with nothing taken in between, it is one of the log-in; of a 403 `forbidden`
 * says whose matter it is. One that was not taken yet is noted before it is shown: where the process ends before it knows what the device
 * says, the one after it takes that for no answer.
 */
export class Logins {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #markKey: Uint8Array;
  readonly #tell: TellLogin | undefined;
  readonly #sessions = new Map<string, KeptSession>();
  readonly #records = new Map<string, DoorRecord>();
  /** The log-in that was taken last at each door, and not refused since. */
  readonly #proven = new Map<string, Proven>();
  /** How often in a row it was left without an answer since. */
  readonly #unanswered = new Map<string, number>();
  #isUnsaved = false;
  readonly #noteTries: NoteTries | undefined;
  /** The log-ins that were shown, or are about to be, and were not seen to be taken or refused. */
  readonly #tried = new Map<string, readonly Try[]>();
  #noting: Promise<boolean> | undefined;
  readonly challenges = new Challenges();
  /** How many log-ins were taken. */
  taken = 0;

  /**
   * `markKey` is secret: with it a mark tells whether two passwords are the same, without it nothing. `tell` hears of a log-in that is
   * refused for the first time, and of one that is taken again: once for each, however often it is tried in between. Without
   * `noteTries` nothing is noted.
   */
  constructor(
    clock: Pick<Clock, 'monoMs'>,
    markKey: Uint8Array = randomBytes(32),
    tell?: TellLogin,
    noteTries?: NoteTries,
  ) {
    this.#clock = clock;
    this.#markKey = markKey;
    this.#tell = tell;
    this.#noteTries = noteTries;
  }

  /** The refusals as text for the process after this one, where they changed since this was asked last. */
  unsaved(wallMs: number): string | undefined {
    if (!this.#isUnsaved) return undefined;
    this.#isUnsaved = false;
    const aheadMs = wallMs - this.#clock.monoMs();
    return JSON.stringify([...this.#records].flatMap(([door, record]) => keptOf(door, record, aheadMs)));
  }

  /** Takes over what an earlier process with the same key was refused, but for what is long past. */
  takeOver(text: string, wallMs: number): void {
    // Written by `unsaved`.
    for (const [door, untilWallMs, pauseMs, of, pages = [], why = 'refused', shown = [], ...last] of JSON.parse(
      text,
    ) as readonly Kept[]) {
      const [takenSince, taken = takenSince] = last;
      const rest = this.#still(untilWallMs, pauseMs, wallMs);
      const resting = pages.flatMap(([page, until, pause]): [string, Pause][] => {
        const still = this.#still(until, pause, wallMs);
        return still === undefined ? [] : [[page, still]];
      });
      if (rest === undefined && resting.length === 0) continue;
      const record = this.#record(door);
      const refusal = record.refuse(of, why);
      refusal.rest = rest;
      for (const [page, still] of resting) refusal.pages.set(page, still);
      record.takeOver(taken ?? undefined, takenSince ?? undefined);
      for (const [other, atWallMs] of shown) record.show(other, this.#clock.monoMs() + Math.min(0, atWallMs - wallMs));
      if (rest !== undefined && why === 'refused' && record.takenSince === undefined) record.told = true;
    }
  }

  /** Takes over what an earlier process with the same key showed and saw no answer to; gives the doors. */
  takeOverTries(text: string): readonly RefusedDoor[] {
    // Written by `#note`.
    const tried = JSON.parse(text) as readonly Tried[];
    for (const [door, of] of tried) {
      this.#tried.set(door, [...(this.#tried.get(door) ?? []), { of, isNoted: true, isAnswered: true }]);
      const before = this.#records.get(door)?.refusalOf(of);
      const isRefused = before?.why === 'refused';
      const refusal = this.#refuse(door, of, isRefused ? 'refused' : 'timeout');
      this.#record(door).show(of, this.#clock.monoMs());
      refusal.rest = this.#longer(refusal.rest, isRefused ? LONGEST_PAUSE_MS : LONGEST_ILL_MS);
    }
    return tried.map(([door]) => doorNamed(door));
  }

  /**
   * Notes a log-in that is about to be shown, unless the device took it before; false where that could not be made durable, and it may not
   * be shown. One that reaches no device stays noted, so that it costs nothing to try it again.
   */
  async mayShow(door: string, credential: Credential): Promise<boolean> {
    if (this.#isProven(door, credential)) return true;
    const of = this.#mark(credential);
    this.#record(door).show(of, this.#clock.monoMs());
    if (this.#noteTries === undefined || (await this.#isNoted(door, of))) return true;
    this.unshown(door, credential);
    return false;
  }

  /**
   * Whether a log-in may be shown of which nothing else is remembered here: not where so many were lately that are not known to be right. It
   * counts among these until it is `unshown`.
   */
  mayShowBeside(door: string, credential: Credential): boolean {
    const record = this.#record(door);
    const nowMs = this.#clock.monoMs();
    if (nowMs < record.crowdedUntilMs(nowMs)) return false;
    record.show(this.#mark(credential), nowMs);
    return true;
  }

  /** A log-in that was about to be shown did not reach the device: it was counted before, unless the device took it before. */
  unreached(door: string, credential: Credential): void {
    if (!this.#isProven(door, credential)) this.unshown(door, credential);
  }

  /** One that was about to be shown was not, or is not remembered here and was taken. */
  unshown(door: string, credential: Credential): void {
    const record = this.#records.get(door);
    record?.unshow(this.#mark(credential));
    if (record?.isEmpty === true) this.#records.delete(door);
  }

  async #isNoted(door: string, of: string): Promise<boolean> {
    const tries = this.#tried.get(door) ?? [];
    const before = tries.find((one) => one.of === of);
    if (before === undefined)
      this.#tried.set(door, [...tries, { of, isNoted: false, isAnswered: false }].slice(-MOST_REFUSED));
    else before.isAnswered = false;
    if (before?.isNoted === true) return true;
    this.#noting ??= delay(NOTED_TOGETHER_MS).then(() => {
      this.#noting = undefined;
      return this.#note(this.#tries());
    });
    return this.#noting;
  }

  #tries(): readonly DoorTry[] {
    return [...this.#tried].flatMap(([door, tries]) => tries.map((one) => [door, one] as const));
  }

  /** Forgets the tries whose outcome is known, once the refusals are kept; all of them at the end of a process in good order. */
  forgetTries({ all }: { readonly all: boolean } = { all: false }): void {
    const tries = this.#tries();
    const open = all ? [] : tries.filter(([, { isAnswered }]) => !isAnswered);
    if (open.length === tries.length || !this.#note(open)) return;
    this.#tried.clear();
    for (const [door, one] of open) this.#tried.set(door, [...(this.#tried.get(door) ?? []), one]);
  }

  #note(tries: readonly DoorTry[]): boolean {
    const text = JSON.stringify(tries.map(([door, { of }]): Tried => [door, of]));
    if (this.#noteTries?.(text) !== true) return false;
    for (const [, one] of tries) one.isNoted = true;
    return true;
  }

  #answer(door: string, credential: Credential): void {
    const tries = this.#tried.get(door);
    if (tries === undefined) return;
    const of = this.#mark(credential);
    for (const one of tries) if (one.of === of) one.isAnswered = true;
  }

  #still(untilWallMs: number, pauseMs: number, wallMs: number): Pause | undefined {
    const restMs = Math.min(untilWallMs - wallMs, pauseMs);
    if (pauseMs === 0 || restMs <= -LONGEST_PAUSE_MS) return undefined;
    return { untilMs: this.#clock.monoMs() + restMs, pauseMs };
  }

  /** What this log-in was given, and no other one of the same account. */
  session(door: string, credential: Credential): Session | undefined {
    const kept = this.#sessions.get(door);
    return this.#isOf(kept, credential) ? kept : undefined;
  }

  opened(door: string, credential: Credential, { headers }: Session): void {
    this.#sessions.set(door, { headers, credential });
  }

  ended(door: string): void {
    this.#sessions.delete(door);
  }

  /** Whether a log-in was refused, and none taken since at the same door. */
  get isRefused(): boolean {
    return this.#records
      .values()
      .some(({ refusals, takenSince }) => takenSince === undefined && refusals.some(({ why }) => why === 'refused'));
  }

  /** How long the log-in still rests, for one page or, without one, for all, ms; 0 where it may be tried. */
  restsMs(door: string, credential: Credential, page?: string): number {
    const record = this.#records.get(door);
    if (record === undefined) return 0;
    const of = this.#mark(credential);
    const nowMs = this.#clock.monoMs();
    const isProven = this.#isProven(door, credential);
    const isKnown = isProven || record.taken === of;
    const refusal = record.refusalOf(of);
    const own = page === undefined ? undefined : refusal?.pages.get(page);
    const mayBeWrong = !isKnown || record.isDoubted(of);
    // Pages that are for somebody else would use up all that may be wrong before one is asked that takes it.
    const mayForbid = this.wasTaken(door, credential) && page !== undefined && !this.#isTakenBy(door, page);
    const isSparing = mayForbid && (mayBeWrong || own !== undefined);
    const untilMs = Math.max(
      refusal?.rest?.untilMs ?? 0,
      mayBeWrong || isSparing ? record.crowdedUntilMs(nowMs, isSparing ? 1 : 0) : 0,
      isKnown ? 0 : record.fullUntilMs(of),
    );
    if (own === undefined) {
      if (page !== undefined && nowMs < untilMs) refusal?.waiting.add(page);
      return Math.max(0, untilMs - nowMs);
    }
    // As long again, or a page that refuses could use up each try before one that does not is asked.
    const isYielding = (refusal?.waiting.size ?? 0) > 0 && !isProven;
    return Math.max(0, untilMs - nowMs, own.untilMs + (isYielding ? own.pauseMs : 0) - nowMs);
  }

  /** Whether the log-in was taken when it was shown last. */
  wasTaken(door: string, credential: Credential): boolean {
    return this.#isProven(door, credential) && !this.#unanswered.has(door);
  }

  /** Why the log-in rests, or rested last; undefined where it never did and waits for others. */
  whyResting(door: string, credential: Credential): NoReply['reason'] | undefined {
    return this.#records.get(door)?.refusalOf(this.#mark(credential))?.why;
  }

  /** Whether a log-in that is shown now may be shown once more, where the first time may have been in vain for something else than its password. */
  mayRepeat(door: string, credential: Credential): boolean {
    // One that was not taken before counts since before it was shown.
    const further = this.#isProven(door, credential) ? 2 : 1;
    return this.#records.get(door)?.hasRoomFor(further, this.#clock.monoMs()) ?? true;
  }

  /** A log-in was shown in vain, and is to be shown once more; false where it may not be, and it was the last time. */
  repeats(door: string, credential: Credential): boolean {
    if (!this.mayRepeat(door, credential)) return false;
    this.#shownInVain(door, credential);
    return true;
  }

  /** A log-in that was taken before was shown, and is not known to be taken: for its password, or for something else. */
  #shownInVain(door: string, credential: Credential): void {
    if (this.#isProven(door, credential)) this.#record(door).show(this.#mark(credential), this.#clock.monoMs());
  }

  /** A page refused the log-in; without one, the device did. */
  refused(door: string, credential: Credential, page?: string): void {
    this.#answer(door, credential);
    this.#shownInVain(door, credential);
    const wasTaken = this.#isProven(door, credential);
    const isOfPage = page !== undefined && wasTaken && !this.#isTakenBy(door, page);
    if (wasTaken) this.#proven.delete(door);
    const refusal = this.#refuse(door, this.#mark(credential), 'refused');
    const record = this.#record(door);
    if (!isOfPage) {
      refusal.rest = this.#longer(refusal.rest);
      record.refuseWhole(refusal.of);
    }
    if (page !== undefined) this.#restPage(refusal, page);
    if (!isOfPage) this.#tellRefused(door, record);
  }

  #tellRefused(door: string, record: DoorRecord): void {
    if (record.told) return;
    record.told = true;
    this.#tell?.(doorNamed(door), 'refused');
  }

  /**
   * A page answered 403: that the log-in is wrong, or that the page is for somebody else. A log-in that was never taken it refuses. Of one
   * that was it is an answer that was lost, where this page took it before; a page that never did rests alone, and says nothing against it.
   */
  forbidden(door: string, credential: Credential, page: string): void {
    const proven = this.#proven.get(door);
    if (proven === undefined || !this.#isProven(door, credential)) this.refused(door, credential, page);
    else if (proven.pages.has(page)) {
      proven.forbidding.add(page);
      this.unanswered(door, credential, 'refused', page);
    } else this.#restAlone(door, credential, page);
  }

  #restAlone(door: string, credential: Credential, page: string): void {
    this.#answer(door, credential);
    this.#shownInVain(door, credential);
    const of = this.#mark(credential);
    const rest = this.#record(door).refusalOf(of)?.rest;
    const refusal = this.#refuse(door, of, 'refused');
    // Not that of another one whose place it takes.
    refusal.rest = rest;
    this.#restPage(refusal, page);
  }

  /**
   * The log-in was shown, for a page or for a session, and nothing came that takes or refuses it. One that was never taken rests as if it
   * were refused; of one that was, a few answers may be lost.
   */
  unanswered(door: string, credential: Credential, why: NoReply['reason'], page?: string): void {
    this.#answer(door, credential);
    this.#shownInVain(door, credential);
    const isProven = this.#isProven(door, credential);
    const times = (this.#unanswered.get(door) ?? 0) + 1;
    if (isProven) this.#unanswered.set(door, times);
    if (isProven && times < MOST_UNANSWERED) return;
    const refusal = this.#refuse(door, this.#mark(credential), why);
    refusal.rest = this.#longer(refusal.rest, isProven ? LONGEST_ILL_MS : LONGEST_PAUSE_MS);
    if (page !== undefined && !isProven) this.#restPage(refusal, page);
    if (!isProven || why !== 'refused') return;
    const record = this.#record(door);
    record.refuseWhole(refusal.of);
    this.#tellRefused(door, record);
  }

  #record(door: string): DoorRecord {
    return this.#records.getOrInsertComputed(door, () => {
      const proven = this.#proven.get(door);
      return new DoorRecord(proven === undefined ? undefined : this.#mark(proven.credential));
    });
  }

  #refuse(door: string, of: string, why: NoReply['reason']): Refusal {
    this.#isUnsaved = true;
    return this.#record(door).refuse(of, why);
  }

  #restPage({ pages, waiting }: Refusal, page: string): void {
    pages.set(page, this.#longer(pages.get(page)));
    waiting.delete(page);
  }

  #longer(before: Pause | undefined, longestMs = LONGEST_PAUSE_MS): Pause {
    return longer(before, this.#clock.monoMs(), longestMs);
  }

  /** The device took the log-in, for this page. What other pages refused stays refused, and so does another password. */
  accepted(door: string, credential: Credential, page?: string): void {
    this.taken += 1;
    this.#answer(door, credential);
    this.#unanswered.delete(door);
    this.#prove(door, credential, page);
    const record = this.#records.get(door);
    if (record === undefined) return;
    if (record.take(this.#mark(credential), page)) this.#isUnsaved = true;
    if (record.told) this.#tell?.(doorNamed(door), 'taken');
    record.told = false;
    if (record.isEmpty) this.#records.delete(door);
  }

  #prove(door: string, credential: Credential, page: string | undefined): void {
    const before = this.#isProven(door, credential) ? this.#proven.get(door) : undefined;
    const pages = before === undefined ? new Set<string>() : before.pages.difference(before.forbidding);
    if (page !== undefined) pages.add(page);
    this.#proven.set(door, { credential, pages, forbidding: new Set() });
  }

  #isProven(door: string, credential: Credential): boolean {
    return this.#isOf(this.#proven.get(door), credential);
  }

  #isTakenBy(door: string, page: string): boolean {
    return this.#proven.get(door)?.pages.has(page) === true;
  }

  /** Whether what is kept is of this log-in. Another object may stand for it, as after the configuration was read again: then that is kept from now on. */
  #isOf(kept: { credential: Credential } | undefined, credential: Credential): boolean {
    if (kept === undefined) return false;
    if (kept.credential === credential) return true;
    if (this.#mark(kept.credential) !== this.#mark(credential)) return false;
    kept.credential = credential;
    return true;
  }

  #mark({ password }: Credential): string {
    return createHmac('sha256', this.#markKey).update(password()).digest('base64url');
  }
}
