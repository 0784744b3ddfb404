import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, isRefused } from '../platform/errors.ts';
import { storeFailure } from './failure.ts';

const FILE = 'approvals.json';

/** Documents that were ended here and are not taken up again, however often they are handed over. The oldest are forgotten. */
const MOST_ENDED = 4096;
/** A document may be dated ahead of the clock of the gateway by as much, s. */
const AHEAD_S = 120;

const kept = z.strictObject({
  ended: z.array(z.string()).readonly(),
  unknown_before: z.int().exactOptional(),
  people: z.int().min(0).max(2),
  approvers: z.array(z.strictObject({ kid: z.string(), name: z.string() })).readonly(),
  counted: z.array(z.string()).readonly(),
  admitted: z.array(z.string()).readonly(),
});

type Kept = z.infer<typeof kept>;

/** What is known of this gateway apart from the file. */
export interface Past {
  /** The store goes on where it ended, and knows what was ended; or no log was ever begun here, and nothing was. */
  readonly isWhole: boolean;
  /** The whole folder may be an older copy, this file with it. */
  readonly isDoubtful: boolean;
  /** A log was begun here before. */
  readonly wasBegun: boolean;
  /** Unix seconds. */
  readonly now: number;
}

/**
 * What has to be remembered of approvals when the store is lost or put back, in a file beside it: brokers hand over for ever
 * what they retain, and only this says that it was ended.
 */
export class Approvals {
  readonly #file: string;
  #kept: Kept;
  #written = '';
  /** The file is gone although the agent ran here: nothing says who counted. */
  readonly isForgotten: boolean;

  private constructor(file: string, known: Kept, isForgotten: boolean) {
    this.#file = file;
    this.#kept = known;
    this.isForgotten = isForgotten;
  }

  /**
   * Where the file is missing with the store, or may be an older one, all that was signed until now may have been ended. Throws
   * `approvals.unreadable`, as do the others that read: a file that is there and says nothing is not the same as none.
   */
  static read(stateDir: string, { isWhole, isDoubtful, wasBegun, now }: Past): Approvals {
    const file = join(stateDir, FILE);
    const known = readKept(file);
    const doubt = isDoubtful || (known === undefined && !isWhole) ? { unknown_before: now } : {};
    return new Approvals(file, { ...NOTHING_KEPT, ...known, ...doubt }, known === undefined && wasBegun);
  }

  /** Whether signatures by a key that the configuration names count by what the file says; the agent need not run. */
  static countingIn(stateDir: string): (kid: string) => boolean {
    return counting(readKept(join(stateDir, FILE)) ?? NOTHING_KEPT);
  }

  /** How many approvers ever counted here, two for more, by what the file says. */
  static peopleIn(stateDir: string): number {
    return (readKept(join(stateDir, FILE)) ?? NOTHING_KEPT).people;
  }

  hasEnded(note: string): boolean {
    return this.#kept.ended.includes(note);
  }

  /** What was noted of ended documents, the oldest first. */
  get ended(): readonly string[] {
    return this.#kept.ended;
  }

  noteEnded(notes: readonly string[]): void {
    const fresh = notes.filter((note) => !this.#kept.ended.includes(note));
    if (fresh.length > 0) this.#kept = { ...this.#kept, ended: [...this.#kept.ended, ...fresh].slice(-MOST_ENDED) };
  }

  /** Whether a document of this date may have been ended here without anything left to say so. */
  isUnknown(iat: number): boolean {
    const { unknown_before: before } = this.#kept;
    return before !== undefined && iat <= before + AHEAD_S;
  }

  /** How many approvers ever counted here at once, two for more: as many people approvals take from then on, whoever is named later. */
  get people(): number {
    return this.#kept.people;
  }

  /** Those who were named last. */
  get approvers(): Kept['approvers'] {
    return this.#kept.approvers;
  }

  /** Whether signatures by this key count where the configuration names it: it was among the first, or was admitted. */
  counts(kid: string): boolean {
    return counting(this.#kept)(kid);
  }

  /** Whether it was admitted and not named since. */
  isExpected(kid: string): boolean {
    return this.#kept.admitted.includes(kid);
  }

  /** Those who counted before signed that these keys count, too. */
  admit(kids: readonly string[]): void {
    const { counted, admitted } = this.#kept;
    const fresh = kids.filter((kid) => !counted.includes(kid) && !admitted.includes(kid));
    if (fresh.length > 0) this.#kept = { ...this.#kept, admitted: [...admitted, ...fresh] };
  }

  /** What admitted these keys was withdrawn. */
  dismiss(kids: readonly string[]): void {
    const isLeft = (kid: string): boolean => !kids.includes(kid);
    const { counted, admitted } = this.#kept;
    this.#kept = { ...this.#kept, counted: counted.filter(isLeft), admitted: admitted.filter(isLeft) };
  }

  /** Those whom the configuration names now. The first ever are taken as they are; of later ones those count who were admitted. */
  noteApprovers(approvers: Kept['approvers']): void {
    const { people, counted, admitted } = this.#kept;
    const named = approvers.map(({ kid }) => kid);
    const fresh = named.filter((kid) => !counted.includes(kid) && (people === 0 || admitted.includes(kid)));
    const all = [...counted, ...fresh];
    this.#kept = {
      ...this.#kept,
      approvers,
      counted: all,
      admitted: admitted.filter((kid) => !named.includes(kid)),
      people: Math.max(people, Math.min(named.filter((kid) => all.includes(kid)).length, 2)),
    };
  }

  /** Makes it durable. Throws `store.*` where it cannot be written. */
  save(): void {
    const text = `${JSON.stringify(this.#kept)}\n`;
    try {
      if (text === this.#written && this.#isThere()) return;
      // Never half a file: the former one stands until this one is whole.
      writeFileSync(`${this.#file}.new`, text, { mode: 0o600, flush: true });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      throw storeFailure(error, this.#file);
    }
    this.#written = text;
  }

  /** Removed or cut short while the agent runs it is written again: the next start would know nothing of who counted. */
  #isThere(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false })?.size === Buffer.byteLength(this.#written);
  }
}

const NOTHING_KEPT: Kept = { ended: [], people: 0, approvers: [], counted: [], admitted: [] };

const counting =
  ({ people, counted }: Kept) =>
  (kid: string): boolean =>
    people === 0 || counted.includes(kid);

/** Undefined where there is no such file. */
const readKept = (file: string): Kept | undefined => {
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return kept.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(file, 'is not what was written: damaged, or of a later version', error);
  }
};

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw isRefused(error) ? refused(file, code, error) : unreadable(file, `cannot be read (${code})`, error);
  }
};

const WHAT = 'which says whose signatures count and what was ended';

/** Without it every key that the configuration names would count, and what was ended could be handed over again. */
const unreadable = (file: string, what: string, cause: unknown): AgentError =>
  new AgentError({
    code: 'approvals.unreadable',
    message: `${file}, ${WHAT}, ${what}`,
    remedy:
      'put it back from a backup of this folder; without one stop the agent and remove the file: the approvers whom the configuration names then count as the first ones, and a finding that stays open says so',
    cause,
  });

/** Nothing is wrong with it: nobody should remove it, or the next approvers who are named would be the first. */
const refused = (file: string, code: string | undefined, cause: unknown): AgentError =>
  new AgentError({
    code: 'approvals.unreadable',
    message: `${file}, ${WHAT}, cannot be read by this user (${code})`,
    remedy:
      'run the command as the user of the agent: sudo -u <user> assayer …; where it was that user, give the file back: chown <user> <file>',
    cause,
  });
