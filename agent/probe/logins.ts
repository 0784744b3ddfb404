import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import type { NoReply } from './capture.ts';
import type { Challenge } from './http-auth.ts';
import type { Credential } from './target.ts';

/** What a device gave for a log-in: headers that every further request carries. */
export interface Session {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Pause after the first refusal, doubled by each further one, ms. */
const FIRST_PAUSE_MS = 300_000;
const LONGEST_PAUSE_MS = 86_400_000;

/** A log-in that the device took before is left without an answer so often in a row, as slow or broken pages do, before it rests; … */
const MOST_UNANSWERED = 3;
/** … and then for so long at most, ms: it is the device that is ill. */
const LONGEST_ILL_MS = 3_600_000;

/** Log-ins that are to be shown within so long of each other are noted together, ms. */
const NOTED_TOGETHER_MS = 250;

/** The last Digest challenge of a device: its parameters as text, because there is one for each device, and its uses. */
interface KeptChallenge {
  readonly parameters: string;
  uses: number;
}

interface Pause {
  readonly untilMs: number;
  readonly pauseMs: number;
}

const NO_PAUSE: Pause = { untilMs: 0, pauseMs: 0 };

/** Hears what became of a log-in. */
type TellLogin = (door: RefusedDoor, became: 'refused' | 'taken') => void;

/** What a device refused of one password. */
interface Refusal {
  /** The password that was refused, as `mark` knows it again. */
  readonly of: string;
  /** What came of it last: `refused`, or why there was no answer. */
  why: NoReply['reason'];
  /** It was told that the log-in as a whole is refused. */
  told: boolean;
  /** Of the whole log-in; none where another page took it since. */
  rest: Pause | undefined;
  /** The pages that refused it. */
  readonly pages: Map<string, Pause>;
  /** Pages that never refused it and had to wait while it rested: they are asked before those that did. */
  readonly waiting: Set<string>;
}

/** A refusal as one process hands it to the next: its end by the wall clock. */
type Kept = readonly [
  door: string,
  untilWallMs: number,
  pauseMs: number,
  of: string,
  pages?: readonly KeptPage[],
  why?: NoReply['reason'],
];
type KeptPage = readonly [page: string, untilWallMs: number, pauseMs: number];

/** A log-in that was not taken yet and is shown. */
interface Try {
  /** Its password, as `mark` knows it again. */
  readonly of: string;
  /** Whether the process after this one would know of it. */
  isNoted: boolean;
}

/** One in the text that one process leaves to the next. */
type Tried = readonly [door: string, of: string];

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

/** The log-ins that were refused as a whole, and not taken since, in the text that one process hands to the next. */
export const refusedDoors = (text: string): readonly RefusedDoor[] =>
  // Written by `unsaved`.
  (JSON.parse(text) as readonly Kept[])
    .filter(([, , pauseMs, , , why = 'refused']) => pauseMs > 0 && why === 'refused')
    .map(([door]) => doorNamed(door));

/**
 * Log-ins across looks: a session is used again while it holds, so is the challenge of a device that asks by Digest, and a
 * log-in that a device refused, or left without an answer, rests for five minutes, then ten, up to a day, so that a wrong password locks no account,
 * however often the configuration is read again or the agent starts. Another password is tried at once. Where one page of
 * a device took the log-in and another refuses it, that is a matter of this page, which rests alone; a second refusal with
 * nothing taken in between is one of the log-in. One that was not taken yet is noted before it is shown: where the process ends before
 * it knows what the device says, the one after it takes that for no answer.
 */
export class Logins {
  readonly #clock: Pick<Clock, 'monoMs'>;
  readonly #markKey: Uint8Array;
  readonly #tell: TellLogin | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #challenges = new Map<string, KeptChallenge>();
  readonly #refusals = new Map<string, Refusal>();
  /** The log-in that was taken last at each door, and not refused since. */
  readonly #proven = new Map<string, Credential>();
  /** How often in a row it was left without an answer since. */
  readonly #unanswered = new Map<string, number>();
  #isUnsaved = false;
  readonly #noteTries: NoteTries | undefined;
  /** The log-ins that were shown, or are about to be, and were not seen to be taken or refused. */
  readonly #tried = new Map<string, Try>();
  /** Those of them about which the device said something since: they stay noted until that is kept. */
  readonly #answered = new Set<string>();
  #noting: Promise<boolean> | undefined;
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
    const kept = [...this.#refusals].map(([door, { rest = NO_PAUSE, of, pages, why }]): Kept => {
      const keptPages = [...pages].map(([page, { untilMs, pauseMs }]): KeptPage => [page, untilMs + aheadMs, pauseMs]);
      return [door, rest.untilMs + aheadMs, rest.pauseMs, of, keptPages, why];
    });
    return JSON.stringify(kept);
  }

  /** Takes over what an earlier process with the same key was refused, but for what is long past. */
  takeOver(text: string, wallMs: number): void {
    // Written by `unsaved`.
    for (const [door, untilWallMs, pauseMs, of, pages = [], why = 'refused'] of JSON.parse(text) as readonly Kept[]) {
      const rest = this.#still(untilWallMs, pauseMs, wallMs);
      const resting = pages.flatMap(([page, until, pause]): [string, Pause][] => {
        const still = this.#still(until, pause, wallMs);
        return still === undefined ? [] : [[page, still]];
      });
      if (rest !== undefined || resting.length > 0)
        this.#refusals.set(door, {
          of,
          why,
          told: rest !== undefined && why === 'refused',
          rest,
          pages: new Map(resting),
          waiting: new Set(),
        });
    }
  }

  /** Takes over what an earlier process with the same key showed and saw no answer to; gives the doors. */
  takeOverTries(text: string): readonly RefusedDoor[] {
    // Written by `#note`.
    const tried = JSON.parse(text) as readonly Tried[];
    for (const [door, of] of tried) {
      this.#tried.set(door, { of, isNoted: true });
      this.#answered.add(door);
      const before = this.#refusals.get(door);
      const isRefused = before?.of === of && before.why === 'refused';
      const refusal = this.#refusalOf(door, of, isRefused ? 'refused' : 'timeout');
      refusal.rest = this.#longer(refusal.rest, isRefused ? LONGEST_PAUSE_MS : LONGEST_ILL_MS);
    }
    return tried.map(([door]) => doorNamed(door));
  }

  /**
   * Notes a log-in that is about to be shown, unless the device took it before; false where that could not be made durable, and it may not
   * be shown. One that reaches no device stays noted, so that it costs nothing to try it again.
   */
  async mayShow(door: string, credential: Credential): Promise<boolean> {
    if (this.#noteTries === undefined || this.#isProven(door, credential)) return true;
    const of = this.#mark(credential);
    const before = this.#tried.get(door);
    this.#answered.delete(door);
    if (before?.of === of && before.isNoted) return true;
    this.#tried.set(door, { of, isNoted: false });
    this.#noting ??= delay(NOTED_TOGETHER_MS).then(() => {
      this.#noting = undefined;
      return this.#note([...this.#tried]);
    });
    return this.#noting;
  }

  /** Forgets the tries whose outcome is known, once the refusals are kept; all of them at the end of a process in good order. */
  forgetTries({ all }: { readonly all: boolean } = { all: false }): void {
    const known = all ? [...this.#tried.keys()] : [...this.#answered];
    if (known.length === 0) return;
    const isOver = new Set(known);
    if (!this.#note([...this.#tried].filter(([door]) => !isOver.has(door)))) return;
    for (const door of known) this.#tried.delete(door);
    this.#answered.clear();
  }

  #note(tries: readonly (readonly [door: string, one: Try])[]): boolean {
    const text = JSON.stringify(tries.map(([door, { of }]): Tried => [door, of]));
    if (this.#noteTries?.(text) !== true) return false;
    for (const [, one] of tries) one.isNoted = true;
    return true;
  }

  #answer(door: string): void {
    if (this.#tried.has(door)) this.#answered.add(door);
  }

  #still(untilWallMs: number, pauseMs: number, wallMs: number): Pause | undefined {
    const restMs = Math.min(untilWallMs - wallMs, pauseMs);
    if (pauseMs === 0 || restMs <= -LONGEST_PAUSE_MS) return undefined;
    return { untilMs: this.#clock.monoMs() + restMs, pauseMs };
  }

  session(door: string): Session | undefined {
    return this.#sessions.get(door);
  }

  opened(door: string, session: Session): void {
    this.#sessions.set(door, session);
  }

  ended(door: string): void {
    this.#sessions.delete(door);
  }

  /** Whether a log-in was refused, and none taken since at the same door. */
  get isRefused(): boolean {
    return this.#refusals.values().some(({ why }) => why === 'refused');
  }

  /** The challenge of an earlier look, to be answered before the device asks again, and how often that makes it. */
  answering(door: string): { readonly challenge: Challenge; readonly count: number } | undefined {
    const kept = this.#challenges.get(door);
    if (kept === undefined) return undefined;
    kept.uses += 1;
    return {
      challenge: { scheme: 'digest', parameters: new Map(JSON.parse(kept.parameters) as [string, string][]) },
      count: kept.uses,
    };
  }

  challenged(door: string, { parameters }: Challenge): void {
    this.#challenges.set(door, { parameters: JSON.stringify([...parameters]), uses: 0 });
  }

  unasked(door: string): void {
    this.#challenges.delete(door);
  }

  /** How long the log-in still rests, for one page or, without one, for all, ms; 0 where it may be tried. */
  restsMs(door: string, credential: Credential, page?: string): number {
    const refusal = this.#refusals.get(door);
    if (refusal === undefined || refusal.of !== this.#mark(credential)) return 0;
    const { rest = NO_PAUSE, pages, waiting } = refusal;
    const nowMs = this.#clock.monoMs();
    const own = page === undefined ? undefined : pages.get(page);
    if (own === undefined) {
      if (page !== undefined && nowMs < rest.untilMs) waiting.add(page);
      return Math.max(0, rest.untilMs - nowMs);
    }
    // As long again, or a page that refuses could use up each try before one that does not is asked.
    const isYielding = waiting.size > 0 && !this.#isProven(door, credential);
    return Math.max(0, rest.untilMs - nowMs, own.untilMs + (isYielding ? own.pauseMs : 0) - nowMs);
  }

  /** Whether the log-in was taken when it was shown last. */
  wasTaken(door: string, credential: Credential): boolean {
    return this.#isProven(door, credential) && !this.#unanswered.has(door);
  }

  /** Why the log-in rests, or rested last, at a door where it does. */
  whyResting(door: string): NoReply['reason'] {
    return this.#refusals.get(door)?.why ?? 'refused';
  }

  /** A page refused the log-in; without one, the device did. */
  refused(door: string, credential: Credential, page?: string): void {
    this.#answer(door);
    const refusal = this.#refusalOf(door, this.#mark(credential), 'refused');
    const isOfPage = page !== undefined && this.#isProven(door, credential);
    this.#proven.delete(door);
    if (!isOfPage) refusal.rest = this.#longer(refusal.rest);
    if (page !== undefined) this.#restPage(refusal, page);
    if (isOfPage || refusal.told) return;
    refusal.told = true;
    this.#tell?.(doorNamed(door), 'refused');
  }

  /**
   * The log-in was shown, for a page or for a session, and nothing came that takes or refuses it. One that was never taken rests as if it
   * were refused; of one that was, a few answers may be lost.
   */
  unanswered(door: string, credential: Credential, why: NoReply['reason'], page?: string): void {
    this.#answer(door);
    const isProven = this.#isProven(door, credential);
    const times = (this.#unanswered.get(door) ?? 0) + 1;
    if (isProven) this.#unanswered.set(door, times);
    if (isProven && times < MOST_UNANSWERED) return;
    const refusal = this.#refusalOf(door, this.#mark(credential), why);
    refusal.rest = this.#longer(refusal.rest, isProven ? LONGEST_ILL_MS : LONGEST_PAUSE_MS);
    if (page !== undefined && !isProven) this.#restPage(refusal, page);
  }

  #refusalOf(door: string, of: string, why: NoReply['reason']): Refusal {
    const before = this.#refusals.get(door);
    const refusal =
      before?.of === of
        ? before
        : {
            of,
            why,
            told: before?.told === true,
            rest: undefined,
            pages: new Map<string, Pause>(),
            waiting: new Set<string>(),
          };
    refusal.why = why;
    this.#refusals.set(door, refusal);
    this.#isUnsaved = true;
    return refusal;
  }

  #restPage({ pages, waiting }: Refusal, page: string): void {
    pages.set(page, this.#longer(pages.get(page)));
    waiting.delete(page);
  }

  #longer(before: Pause | undefined, longestMs = LONGEST_PAUSE_MS): Pause {
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(longestMs, before.pauseMs * 2);
    return { untilMs: this.#clock.monoMs() + pauseMs, pauseMs };
  }

  /** The device took the log-in, for this page. What other pages refused stays refused. */
  accepted(door: string, credential: Credential, page?: string): void {
    this.taken += 1;
    this.#answer(door);
    this.#unanswered.delete(door);
    if (!this.#isProven(door, credential)) this.#proven.set(door, credential);
    const refusal = this.#refusals.get(door);
    if (refusal === undefined) return;
    const { rest, pages, waiting } = refusal;
    const hadRefused = page !== undefined && pages.delete(page);
    if (rest === undefined && !hadRefused) return;
    refusal.rest = undefined;
    waiting.clear();
    if (refusal.told) this.#tell?.(doorNamed(door), 'taken');
    refusal.told = false;
    if (pages.size === 0 || page === undefined) this.#refusals.delete(door);
    this.#isUnsaved = true;
  }

  #isProven(door: string, credential: Credential): boolean {
    return this.#proven.get(door) === credential;
  }

  #mark({ password }: Credential): string {
    return createHmac('sha256', this.#markKey).update(password()).digest('base64url');
  }
}
