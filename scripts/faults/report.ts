import Table from 'cli-table3';
import type { Comparison } from './compare.ts';
import { FAULTS, type Kind } from './kinds.ts';
import type { OwnEnd } from './service.ts';

/** What came of a run. */
export interface Report {
  readonly seed: number;
  readonly seconds: number;
  /** With a network, mounts and processes of its own. */
  readonly isolated: boolean;
  /** How often each fault was made. */
  readonly faults: { readonly [kind in Kind]?: number };
  /** Those that cannot be made here. */
  readonly skipped: readonly { readonly kind: Kind; readonly reason: string }[];
  readonly ours: Comparison & {
    /** Stored, but in no log that the agent wrote. */
    readonly foreign: number;
    readonly duplicates: number;
    readonly refused: number;
    /** Stored, but their content is not to be used, by code. */
    readonly quarantined: { readonly [code: string]: number };
    readonly longest_catch_up_s: number;
    readonly last_catch_up_s: number;
  };
  /** The plain client under the same faults: `written` is what the broker acknowledged to it. */
  readonly plain: Comparison & { readonly duplicates: number };
  /** How often an older copy of the whole folder of the agent was put back in the end, and another log took over. */
  readonly restored: number;
  /** Processes that ended although nobody had asked them to. */
  readonly ends: readonly OwnEnd[];
  /** Why the run failed; empty where it did not. */
  readonly problems: readonly string[];
}

const titleOf = (kind: Kind): string => FAULTS.find((fault) => fault.kind === kind)?.title ?? kind;

/** The report for people. */
export const inWords = (report: Report): string => {
  const { ours, plain } = report;
  const style = { head: [], border: [] };
  const faults = new Table({ head: ['fault', 'times'], style });
  for (const { kind, title } of FAULTS) {
    const skipped = report.skipped.find((each) => each.kind === kind);
    faults.push([title, skipped === undefined ? String(report.faults[kind] ?? 0) : 'skipped']);
  }
  const result = new Table({ head: ['', 'assayer', 'plain client that trusts PUBACK'], style });
  result.push(
    ['entries written / acknowledged by the broker', ours.written, plain.written],
    ['stored, byte for byte', ours.stored, plain.stored],
    ['lost', ours.lost, plain.lost],
    ['differing', ours.differing, plain.differing],
    ['duplicates dropped', ours.duplicates, plain.duplicates],
  );
  const quarantined = Object.entries(ours.quarantined).map(([code, count]) => `${count} ${code}`);
  const total = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  return [
    `${total} faults in ${report.seconds} s, seed ${report.seed}`,
    faults.toString(),
    ...report.skipped.map(({ kind, reason }) => `skipped: ${titleOf(kind)}: ${reason}`),
    '',
    result.toString(),
    `longest catch-up after a fault ${ours.longest_catch_up_s} s, after the last one ${ours.last_catch_up_s} s`,
    `an older state_dir was put back ${report.restored} times; each time another log took over`,
    ...(quarantined.length === 0 ? [] : [`quarantined while clocks were wrong: ${quarantined.join(', ')}`]),
    ...report.ends.map(
      ({ name, how, last, excuse }) =>
        `${name} ended by itself, ${how}${excuse === undefined ? '' : ` (${excuse})`}: ${last}`,
    ),
    '',
    report.problems.length === 0
      ? 'nothing was lost'
      : report.problems.map((problem) => `FAILED: ${problem}`).join('\n'),
    '',
  ].join('\n');
};
