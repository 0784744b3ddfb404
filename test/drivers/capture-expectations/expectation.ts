import type { FactName, Facts } from '../../../shared/facts.ts';

/**
 * A file of a capture folder: which question it answers, or why this agent does not ask it. `insteadOf` names a file whose
 * question it answers as well: read in its place it gives the same facts, and the `further` ones. `joined` are the questions of a joined command,
 * which this agent never sends: each reply stands in the member of its name. The digest pins what was read.
 */
export type CapturedFile =
  | { readonly query: string; readonly sha256: string }
  | { readonly insteadOf: string; readonly sha256: string; readonly further?: Facts }
  | { readonly joined: readonly string[]; readonly sha256: string }
  | { readonly unasked: string; readonly sha256: string };

/**
 * What the files of one capture folder say, compared with them by eye. Facts are short values, never reply text. `gaps` are the
 * facts of which the files themselves show that they are absent or cannot be read.
 */
export interface CaptureExpectation {
  readonly files: { readonly [name: string]: CapturedFile };
  readonly facts: Facts;
  readonly gaps?: { readonly [Name in FactName]?: string };
}

/** The captures of one driver, by folder below the captures. */
export interface FamilyExpectations {
  readonly family: string;
  /** Folders in which every capture belongs to this family: one without an expectation fails the test. */
  readonly whole: readonly string[];
  readonly captures: { readonly [folder: string]: CaptureExpectation };
}
