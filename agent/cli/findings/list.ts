import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings } from '../../config/load.ts';
import { briefValue } from '../../normalise/shown.ts';
import { AgentError } from '../../platform/errors.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import { utcText } from '../../terms/instant.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import { openStore } from '../look.ts';
import { shortened, table } from '../table.ts';
import { countOf, devicesOf, findingsIn, jsonOf, STANDING } from './stored.ts';

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
      using store = openStore(loadSettings(resolve(config)).config.state_dir, io);
      const found = findingsIn(store, { open: all !== true }).filter(
        (one) => device === undefined || devicesOf(one).includes(device),
      );
      if (json) for (const one of found) printJson(io, jsonOf(one));
      else io.out.write(table(io, HEADING, rowsOf(found)));
      const counts = found.some(({ finding }) => STANDING.has(finding.state) && finding.severity !== 'info');
      setExit(counts ? EXIT.failed : EXIT.ok);
    });
};

const HEADING = ['no.', 'since (UTC)', 'severity', 'state', 'device', 'finding', 'before', 'after'];

const rowsOf = (found: readonly StoredFinding[]): readonly (readonly string[])[] => {
  const speaking = speakingOf(found);
  return found.map((one) => rowOf(one, speaking));
};

const rowOf = (found: StoredFinding, speaking: ReadonlyMap<string, readonly number[]>): readonly string[] => {
  const { finding } = found;
  return [
    String(finding.openedSeq ?? finding.parent ?? ''),
    sinceOf(finding),
    finding.severity,
    `${finding.state}${finding.flapping === undefined ? '' : `, flapping ×${finding.flapping}`}`,
    whereOf(found, STANDING.has(finding.state) ? speaking : NONE),
    `${finding.ruleId}${finding.part === undefined ? '' : ` ${finding.part}`}`,
    beforeOf(finding),
    textOf(finding.after),
  ].map(printable);
};

const NONE: ReadonlyMap<string, readonly number[]> = new Map();

/** And of what is older than what it shows now, or than the last of its devices, since when that is. */
const sinceOf = ({ firstObservedAt, afterAt }: StoredFinding['finding']): string => {
  const since = utcText(firstObservedAt);
  if (afterAt === undefined) return since;
  const [day, time] = utcText(afterAt).split(' ');
  return `${since}, latest ${since.startsWith(`${day} `) ? time : `${day} ${time}`}`;
};

/** One for many says of how many; the finding of a device that such a one lists, too, names that, though the device alone is left. */
const whereOf = (found: StoredFinding, speaking: ReadonlyMap<string, readonly number[]>): string => {
  const devices = devicesOf(found);
  const [first] = devices;
  if (first === undefined) return 'this gateway';
  if (found.device === undefined) return devices.length === 1 ? first : `several (${countOf(found)})`;
  const numbers = speaking.get(nameOf(found.finding, first));
  return numbers === undefined ? first : `${first}, in ${numbers.join(' or ')}`;
};

/** One for many has no part: a device may stand in two of them. */
const nameOf = ({ ruleId }: StoredFinding['finding'], device: string): string => `${ruleId} ${device}`;

/** The numbers of those that speak for many, by what they speak of. */
const speakingOf = (found: readonly StoredFinding[]): ReadonlyMap<string, readonly number[]> => {
  const speaking = new Map<string, number[]>();
  for (const one of found) {
    const { device, finding } = one;
    const { openedSeq } = finding;
    if (device !== undefined || openedSeq === undefined || !STANDING.has(finding.state)) continue;
    for (const each of devicesOf(one)) speaking.getOrInsertComputed(nameOf(finding, each), () => []).push(openedSeq);
  }
  return speaking;
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
