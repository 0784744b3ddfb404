import type { Command } from 'commander';
import type { AdoptionResult } from '../../desk/change-control.ts';
import { askAgent } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { secondsOf } from '../../terms/instant.ts';
import { accountName } from '../ask.ts';
import { type Io, printJson } from '../io.ts';
import { emergencyOf } from '../terms/adopt.ts';
import { devicesOf, findingNumbered } from './stored.ts';

interface WaiveOptions {
  readonly config: string;
  readonly reason: string;
  readonly risk: string;
  readonly until: string;
  readonly by?: string;
  readonly breakGlass?: boolean;
  readonly note?: string;
  readonly json?: boolean;
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
    .requiredOption('--until <when>', 'its end, 2036-12-01T14:00:00Z or +30d, at most 90 days from now')
    .option('--by <name>', 'who waives it; without it the account of this process')
    .option('--break-glass', 'waive alone what takes two approvers; it is reported as a finding')
    .option('--note <text>', 'why alone; needed with --break-glass')
    .option('--json', 'print the result as JSON')
    .action((number: string, options: WaiveOptions) => waive(number, options, io));
};

const waive = async (number: string, options: WaiveOptions, io: Io): Promise<void> => {
  const by = options.by ?? accountName();
  const emergency = emergencyOf(options, by);
  const nowS = Math.floor(Date.now() / 1000);
  const found = findingNumbered(options.config, number);
  const devices = devicesOf(found);
  const until = secondsOf(options.until, nowS);
  if (until === undefined) throw notTime(options.until);
  const terms = {
    kind: 'waiver',
    waiver_id: `finding-${number}`,
    iat: nowS,
    scope: devices.length === 0 ? {} : { devices: [...devices] },
    ids: [found.finding.ruleId],
    reason: options.reason,
    risk: options.risk,
    expires_at: until,
    author: by,
  };
  // The answer of an agent of the same version.
  const result = (await askAgent(found.stateDir, {
    do: 'adopt',
    document: { terms, by },
    ...emergency,
  })) as AdoptionResult;
  if (options.json) printJson(io, result);
  else
    io.out.write(`finding ${number} is waived by ${result.id}; it shows as such from the next look at the device on\n`);
};

const notTime = (text: string): AgentError =>
  new AgentError({
    code: 'usage.time',
    message: `${JSON.stringify(text)} is no instant`,
    remedy: 'write 2036-12-01T14:00:00Z, or a time from now: +30d, +4h',
  });
