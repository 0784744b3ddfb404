import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { briefValue } from '../../normalise/shown.ts';
import { AgentError } from '../../platform/errors.ts';
import { Store } from '../../record/store.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import { utcText } from '../../terms/instant.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import { shortened, table } from '../table.ts';
import { devicesOf, findingsIn, jsonOf, STANDING } from './stored.ts';

interface ListOptions {
  readonly config: string;
  readonly all?: boolean;
  readonly device?: string;
  readonly json?: boolean;
}

/** `findings list`, and `findings` alone: what is open, newest first; exit 1 while something above `info` is. */
export const listFindingsVerb = (findings: Command, io: Io): void => {
  findings
    .command('list', { isDefault: true })
    .description('show open findings, newest first; exit 1 while one above info is among them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--all', 'also those that have ended')
    .option('--device <id>', 'only those of this device')
    .option('--json', 'one JSON object per line')
    // What stands behind options of the group is meant for another verb.
    .allowExcessArguments()
    .action(({ config, all, device, json }: ListOptions, { args }: Command) => {
      if (args.length > 0) throw misplaced(args, findings, config);
      using store = Store.openReadOnly(loadConfig(resolve(config)).config.state_dir);
      const found = findingsIn(store, { open: all !== true }).filter(
        (one) => device === undefined || devicesOf(one).includes(device),
      );
      if (json) for (const one of found) printJson(io, jsonOf(one));
      else io.out.write(table(io, HEADING, found.map(rowOf)));
      const counts = found.some(({ finding }) => STANDING.has(finding.state) && finding.severity !== 'info');
      setExit(counts ? EXIT.failed : EXIT.ok);
    });
};

const HEADING = ['no.', 'since (UTC)', 'severity', 'state', 'device', 'finding', 'before', 'after'];

const rowOf = ({ device, finding }: StoredFinding): readonly string[] =>
  [
    String(finding.openedSeq ?? finding.parent ?? ''),
    sinceOf(finding),
    finding.severity,
    `${finding.state}${finding.flapping === undefined ? '' : `, flapping ×${finding.flapping}`}`,
    whereOf({ ...(device === undefined ? {} : { device }), finding }),
    `${finding.ruleId}${finding.part === undefined ? '' : ` ${finding.part}`}`,
    beforeOf(finding),
    textOf(finding.after),
  ].map(printable);

/** And of what is older than what it shows now, or than the last of its devices, since when that is. */
const sinceOf = ({ firstObservedAt, afterAt }: StoredFinding['finding']): string => {
  const since = utcText(firstObservedAt);
  if (afterAt === undefined) return since;
  const [day, time] = utcText(afterAt).split(' ');
  return `${since}, latest ${since.startsWith(`${day} `) ? time : `${day} ${time}`}`;
};

const whereOf = (found: StoredFinding): string => {
  const [first, ...others] = devicesOf(found);
  if (first === undefined) return 'this gateway';
  return others.length === 0 ? first : 'several';
};

const misplaced = (args: readonly string[], findings: Command, config: string): AgentError => {
  const line = [...args, ...(config === 'assayer.yaml' ? [] : ['-c', config])].join(' ');
  return new AgentError({
    code: 'usage.arguments',
    message: `findings list takes no ${args.join(' ')}`,
    remedy: findings.commands.some((command) => command.name() === args[0])
      ? `options stand behind the verb: assayer findings ${line}`
      : 'assayer findings show <number> shows one, assayer findings --help the other verbs',
  });
};

/** What was last seen; where nobody saw that, what is expected. */
const beforeOf = ({ before, lastSeen, beforeAt }: StoredFinding['finding']): string =>
  before === undefined || lastSeen !== undefined || beforeAt !== undefined
    ? textOf(lastSeen ?? before)
    : `expected ${textOf(before)}`;

const textOf = (value: unknown): string => (value === undefined ? '' : shortened(briefValue(value)));
