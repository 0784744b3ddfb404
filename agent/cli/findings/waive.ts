import type { Command } from 'commander';
import { termsProblem, type Waiver } from '../../../shared/index.ts';
import { approvalText } from '../../appraise/advice.ts';
import { isCoverable, notCoverable } from '../../appraise/who-approves.ts';
import type { AdoptionResult } from '../../desk/change-control.ts';
import { askAgent } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { reviewOf } from '../../terms/summary.ts';
import { accountName } from '../ask.ts';
import { type Io, printJson } from '../io.ts';
import { instant } from '../terms/create.ts';
import { type DecisionOptions, emergencyOf, isWanted } from '../terms/decision.ts';
import { askedOf, devicesOf, findingNumbered, type Numbered } from './stored.ts';

interface WaiveOptions extends DecisionOptions {
  readonly reason: string;
  readonly risk: string;
  /** Unix seconds. */
  readonly until: number;
}

/** `findings waive`: tolerated for a while, with a reason: it stays in the log and counts again at the end. */
export const waiveFindingVerb = (findings: Command, io: Io): void => {
  findings
    .command('waive')
    .description('tolerate a finding of these devices for a while, with a reason and an end; the agent must run')
    .argument('<number>', 'number of the finding, as `assayer findings` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .requiredOption('--reason <text>', 'why it is tolerated; goes into the log')
    .requiredOption('--risk <text>', 'what may happen meanwhile; goes into the log')
    .requiredOption('--until <instant>', 'its end, at most 90 days away: 2026-12-01T14:00:00Z or +30d', instant)
    .option('--by <name>', 'who waives it; without it the account of this process')
    .option('--break-glass', 'waive alone what takes two approvers; it is reported as a finding')
    .option('--note <text>', 'why alone; needed with --break-glass')
    .option('-y, --yes', 'do not ask after the summary was shown')
    .option('--json', 'print the summary as text on stderr, and the result as JSON')
    .action((number: string, options: WaiveOptions) => waive(number, options, io));
};

const waive = async (number: string, options: WaiveOptions, io: Io): Promise<void> => {
  const by = options.by ?? accountName();
  const emergency = emergencyOf(options, by);
  const nowS = Math.floor(Date.now() / 1000);
  const found = findingNumbered(options.config, number, io);
  if (!isCoverable(found.finding.ruleId)) throw notCovered(found, options.config);
  const devices = devicesOf(found).slice(0, MOST_DEVICES);
  const terms: Waiver = {
    kind: 'waiver',
    waiver_id: `finding-${number}`,
    iat: nowS,
    scope: { logs: [found.gateway], ...(devices.length === 0 ? {} : { devices: [...devices] }) },
    ids: [found.finding.ruleId],
    reason: options.reason,
    risk: options.risk,
    expires_at: options.until,
    author: by,
  };
  const problem = termsProblem(terms);
  if (problem !== undefined) throw notWaivable(problem);
  const asked = { question: `Waive finding ${number}?`, done: 'waived' };
  if (!(await isWanted(reviewOf(terms, nowS, quietNow(found)), asked, options, io))) return;
  // The answer of an agent of the same version.
  const result = (await askAgent(found.stateDir, {
    do: 'adopt',
    document: { terms, by },
    ...emergency,
  })) as AdoptionResult;
  if (options.json) printJson(io, { ...result, findings: found.alike });
  else io.out.write(`${waivedText(found, result)}\n`);
};

/** A waiver names devices and a rule, no number: it quiets every finding of that rule there. */
const quietNow = ({ alike }: Numbered): readonly string[] =>
  alike.length === 0
    ? []
    : [`  ${'now'.padEnd(9)}  ${alike.length} finding${alike.length === 1 ? '' : 's'}: ${alike.join(', ')}`];

/** A document names no more; who of a larger storm is left is waived by another one. */
const MOST_DEVICES = 512;

const waivedText = (found: Numbered, { id }: AdoptionResult): string => {
  const { device, finding, alike } = found;
  const from = 'from the next look at';
  if (device !== undefined && alike.length > 1)
    return `findings ${alike.join(', ')} are waived by ${id}; they show as such ${from} the device on`;
  if (device !== undefined)
    return `finding ${finding.openedSeq} is waived by ${id}; it shows as such ${from} the device on`;
  const length = Math.min(devicesOf(found).length, MOST_DEVICES);
  return `${length} devices of finding ${finding.openedSeq} are waived by ${id}, ${from} each on; the finding itself is once nothing else is behind it`;
};

const notCovered = (found: Numbered, config: string): AgentError =>
  new AgentError({
    code: 'finding.not-coverable',
    message: notCoverable(found.finding.ruleId),
    remedy: approvalText(found.finding, askedOf(found, config)),
  });

const notWaivable = (problem: string): AgentError =>
  new AgentError({
    code: 'usage.time',
    message: problem,
    remedy: 'give --until an instant from now on and at most 90 days away: 2026-12-01T14:00:00Z, +30d, +12h',
  });
