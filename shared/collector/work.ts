import type { Verdict } from '../verdict.ts';
import type { LogMachine } from './machine.ts';
import type { Outgoing } from './messages.ts';
import type { Notice } from './notice.ts';
import type { RefusedMessage } from './store.ts';

/** A verdict with the topic that its message, or the one that it waited or made room for, came on. */
export type Placed = Verdict & { readonly topic: string };

/** What came of a call. All of it is stored already; `publish` is to be published, and may be lost. */
export interface Report {
  readonly verdicts: readonly Placed[];
  readonly notices: readonly Notice[];
  readonly publish: readonly Outgoing[];
}

/** One call of a collector while it runs: what it found, and what of that is not stored yet. */
export class Work implements Report {
  readonly nowMs: number;
  readonly verdicts: Placed[] = [];
  readonly notices: Notice[] = [];
  readonly publish: Outgoing[] = [];
  readonly touched = new Set<LogMachine>();
  /** Entries that waited above a gap and were placed. */
  released = 0;
  uncommitted: readonly Notice[] = [];
  refused: readonly RefusedMessage[] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** To be stored, then reported. */
  note(notices: readonly Notice[]): void {
    if (notices.length > 0) this.uncommitted = [...this.uncommitted, ...notices];
  }

  /** All that was noted is stored. */
  committed(): void {
    this.notices.push(...this.uncommitted);
    this.uncommitted = [];
    this.refused = [];
  }
}
