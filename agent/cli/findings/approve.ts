import type { Command } from 'commander';
import { approvalText, typed } from '../../appraise/advice.ts';
import { endingOf } from '../../appraise/who-approves.ts';
import { AgentError } from '../../platform/errors.ts';
import { acceptShown } from '../baseline/accept.ts';
import type { Io } from '../io.ts';
import { askedOf, devicesOf, findingNumbered, type Numbered, STANDING } from './stored.ts';

interface ApproveOptions {
  readonly config: string;
  readonly by?: string;
  readonly note?: string;
  readonly breakGlass?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `findings approve`: what the finding shows becomes the reference, of those facts only; of one about the device as such all of it. */
export const approveFindingVerb = (findings: Command, io: Io): void => {
  findings
    .command('approve')
    .description(
      'accept what a finding shows as the reference of its devices, as `baseline accept` does; the agent must run',
    )
    .argument('<number>', 'number of the finding, as `assayer findings` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who approves; without it the account of this process')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option(
      '--break-glass',
      'approve alone what takes two approvers, or a plan beforehand; it is reported as a finding',
    )
    .option('-y, --yes', 'do not ask after it was shown what is accepted, and what that closes')
    .option('--json', 'print what is shown as text on stderr, and all of it with the result as JSON')
    .action((number: string, options: ApproveOptions) => approve(number, options, io));
};

const approve = async (number: string, options: ApproveOptions, io: Io): Promise<void> => {
  const found = findingNumbered(options.config, number, io);
  const devices = devicesOf(found);
  const ending = endingOf(found.finding);
  const isApprovable = ending.kind === 'facts' || ending.kind === 'device';
  if (!STANDING.has(found.finding.state) || devices.length === 0 || !isApprovable) throw notApprovable(found, options);
  const { stateDir } = found;
  const what = ending.kind === 'facts' ? 'this' : 'all that is seen';
  const question = (count: string): string => `Approve ${what} on ${devices.length === 1 ? devices[0] : count}?`;
  const facts = ending.kind === 'facts' ? { facts: ending.facts } : {};
  await acceptShown({ stateDir, devices, ...facts, question }, options, io);
};

const notApprovable = (found: Numbered, { config }: ApproveOptions): AgentError => {
  const { ruleId, state } = found.finding;
  const isOver = !STANDING.has(state);
  const asked = askedOf(found, config);
  return new AgentError({
    code: 'finding.not-approvable',
    message: isOver ? `${ruleId} is ${state}` : `${ruleId} shows nothing that could become a reference`,
    remedy: isOver ? `what is open: ${typed('findings', asked)}` : approvalText(found.finding, asked),
  });
};
