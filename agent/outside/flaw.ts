import { closest } from 'fastest-levenshtein';

/** What is wrong with a driver file: its path in the file, why, and the remedy. */
export interface Flaw {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

/** How a flaw is told while a file is compiled. */
export type Report = (path: readonly PropertyKey[], message: string, remedy: string) => void;

/** Tells that a file has no query of that name, and which ones it has. */
export const reportNoQuery = (name: string, queries: readonly string[], report: Report): void =>
  report(
    ['query'],
    `there is no query "${name}"`,
    queries.length === 0
      ? 'name it under queries'
      : `did you mean "${closest(name, queries)}"? there are: ${queries.join(', ')}`,
  );
