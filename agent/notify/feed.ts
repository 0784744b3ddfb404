import type { FindingStatement } from '../../shared/statement.ts';

/** A finding as its signed entry has it: what is redacted there is redacted here. */
export type StatedFinding = FindingStatement['finding'];

/** One transition of a finding in the log. */
export interface Transition {
  readonly seq: number;
  /** When the entry was written, Unix seconds. */
  readonly iat: number;
  readonly finding: StatedFinding;
}

/** What a target was not told because it waited too long. Instants are Unix seconds. */
export interface Skipped {
  readonly count: number;
  readonly bySeverity: { readonly [severity in StatedFinding['severity']]?: number };
  readonly fromAt: number;
  readonly toAt: number;
  /** `opened_seq` of findings that the target was told of, and that ended among these. */
  readonly ended: readonly number[];
}

/** How far a target is in the log. */
export interface Place {
  /** The lowest entry that was not dealt with. */
  readonly next: number;
  /** Not told, and the target does not know that yet. */
  readonly skipped?: Skipped;
}

/** What changes with a place: findings that the target knows of now, and those whose end it knows, by `opened_seq`. */
export interface Told {
  readonly begun?: readonly number[];
  readonly ended?: readonly number[];
}

/** The log as targets read it. The record stage implements it. */
export interface Feed {
  /** Origin of the log. */
  readonly log: string;
  /** Number of committed entries. */
  size(): number;
  /** Transitions among the entries from `from` to below `below`, in order. */
  transitions(from: number, below: number): readonly Transition[];
  /** Where the target was; undefined for one that was never told anything. */
  place(target: string): Place | undefined;
  /** Makes it durable. Throws an `AgentError` where the store refuses. */
  keep(target: string, place: Place, told?: Told): void;
  /** The target was told of this finding, and not of its end. */
  knows(target: string, openedSeq: number): boolean;
  /**
   * The targets that the configuration names now. Gives those that it names no more since the last time: their places are kept, and
   * who comes back goes on there; of very many the first that went are forgotten. Where the store refuses nothing is noted, and
   * they are given the next time.
   */
  named(targets: readonly string[]): readonly string[];
  /** Calls back after each commit; returns the way to stop that. */
  onAppend(callback: () => void): () => void;
}
