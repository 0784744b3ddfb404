import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ParentTransition } from '../appraise/storm.ts';
import { loadConfig } from '../config/load.ts';
import { buildFinding } from '../record/statement.ts';
import { Store, type StoredFinding } from '../record/store.ts';
import { EXIT, type Io, printable, printJson, setExit } from './io.ts';
import { shortened, table } from './table.ts';

/** `findings`: what is open, newest first; exit 1 while something above `info` is. */
export const findingsVerb = (program: Command, io: Io): void => {
  program
    .command('findings')
    .description('show open findings, newest first')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--all', 'also those that have ended')
    .option('--json', 'one JSON object per line')
    .action((options: { config: string; all?: boolean; json?: boolean }) => {
      using store = Store.openReadOnly(loadConfig(resolve(options.config)).config.state_dir);
      const found = store.findings({ open: options.all !== true, limit: Number.MAX_SAFE_INTEGER });
      if (options.json) for (const one of found) printJson(io, jsonOf(one));
      else
        io.out.write(
          table(io, ['since (UTC)', 'severity', 'state', 'device', 'finding', 'before', 'after'], found.map(rowOf)),
        );
      const counts = found.some(({ finding }) => STANDING.has(finding.state) && finding.severity !== 'info');
      setExit(counts ? EXIT.failed : EXIT.ok);
    });
};

const STANDING: ReadonlySet<string> = new Set(['open', 'acknowledged', 'waived']);

/** As a `finding` statement has it, except the citations, which are in the log. */
const jsonOf = ({ device, finding }: StoredFinding): object => {
  const about = device === undefined ? parentOf(finding) : { device, labels: {} };
  const { evidence: _, ...members } = buildFinding({
    finding,
    about,
    openedSeq: finding.openedSeq ?? 0,
    evidence: [],
  }).content.finding;
  return members;
};

/** The parent of a storm is kept with its devices; a finding of the gateway itself has none. */
const parentOf = (
  finding: StoredFinding['finding'],
): { readonly devices: readonly string[]; readonly count: number } => {
  const { devices = [], count = 0 } = finding as Partial<ParentTransition['finding']>;
  return { devices, count };
};

const rowOf = ({ device, finding }: StoredFinding): readonly string[] =>
  [
    new Date(finding.firstObservedAt * 1000).toISOString().slice(0, 19).replace('T', ' '),
    finding.severity,
    `${finding.state}${finding.flapping === undefined ? '' : `, flapping ×${finding.flapping}`}`,
    device ?? 'several',
    `${finding.ruleId}${finding.part === undefined ? '' : ` ${finding.part}`}`,
    textOf(finding.before),
    textOf(finding.after),
  ].map(printable);

const textOf = (value: unknown): string =>
  value === undefined ? '' : shortened(typeof value === 'string' ? value : JSON.stringify(value));
