import type { FindingStatement } from '../../shared/statement.ts';
import { AgentError } from '../platform/errors.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';

type Severity = FindingStatement['finding']['severity'];

/** How far a target is, as the notify stage counts it. */
interface Place {
  readonly next: number;
  readonly skipped?: {
    readonly count: number;
    readonly bySeverity: { readonly [severity in Severity]?: number };
    readonly fromAt: number;
    readonly toAt: number;
    readonly ended: readonly number[];
  };
}

/** Name under which the store keeps the targets that are named no more and whose places it has, the latest last. */
const GONE = 'notify-gone';
const MOST_GONE = 64;

/** The log as those read it who tell people of findings; what each of them was told is kept beside it. */
export class LogFeed {
  readonly #log: Log;
  readonly #store: Store;

  constructor(log: Log, store: Store) {
    this.#log = log;
    this.#store = store;
  }

  get log(): string {
    return this.#log.origin;
  }

  size(): number {
    return this.#log.size();
  }

  /** Transitions of findings among these entries, in order. */
  transitions(from: number, below: number) {
    return this.#store.find({ kind: 'finding', from, below, limit: below - from }).map(({ seq, iat, message }) => {
      // Our own statement, signed when it was appended.
      const { finding } = JSON.parse(Buffer.from(message).toString()) as FindingStatement;
      return { seq, iat, finding };
    });
  }

  place(target: string): Place | undefined {
    const kept = this.#store.notifyPlace(target);
    if (kept === undefined) return undefined;
    // A place beyond the end is one in another log.
    const next = Math.min(kept.next, this.#log.size());
    // Written by `keep`.
    return kept.skipped === undefined ? { next } : { next, skipped: JSON.parse(kept.skipped) as Place['skipped'] & {} };
  }

  /** Makes a place durable, with what the target knows of now. Throws what the store throws. */
  keep(
    target: string,
    { next, skipped }: Place,
    { begun = [], ended = [] }: { readonly begun?: readonly number[]; readonly ended?: readonly number[] } = {},
  ): void {
    this.#store.transaction(() => {
      this.#store.saveNotifyPlace(target, {
        next,
        ...(skipped === undefined ? {} : { skipped: JSON.stringify(skipped) }),
      });
      for (const openedSeq of begun) this.#store.saveTold(target, openedSeq);
      for (const openedSeq of ended) this.#store.forgetTold(target, openedSeq);
    });
  }

  knows(target: string, openedSeq: number): boolean {
    return this.#store.wasTold(target, openedSeq);
  }

  /** Notes which targets are named; gives those that are not any more. Where the store takes no writes now it happens at the next start. */
  named(targets: readonly string[]): readonly string[] {
    try {
      // Written below.
      const before = this.#store.meta(GONE, (text) => JSON.parse(text) as readonly string[]) ?? [];
      const gone = this.#store.notifyTargets().filter((target) => !targets.includes(target));
      const left = gone.filter((target) => !before.includes(target));
      const kept = [...before.filter((target) => gone.includes(target)), ...left].slice(-MOST_GONE);
      this.#store.transaction(() => {
        this.#store.saveMeta(GONE, JSON.stringify(kept));
        this.#store.keepTargets([...targets, ...kept]);
      });
      return left;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return [];
    }
  }

  onAppend(callback: () => void): () => void {
    return this.#log.onAppend(callback);
  }
}
