import type { Command } from 'commander';
import type { FactName } from '../../../shared/facts.ts';
import { COMPARISONS } from '../../appraise/index.ts';
import { AgentError } from '../../platform/errors.ts';
import type { StoredFinding } from '../../record/tables/findings.ts';
import { acceptShown } from '../baseline/accept.ts';
import type { Io } from '../io.ts';
import { devicesOf, findingNumbered, STANDING } from './stored.ts';

interface ApproveOptions {
  readonly config: string;
  readonly by?: string;
  readonly note?: string;
  readonly breakGlass?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `findings approve`: what the finding shows becomes the reference, of those facts only. */
export const approveFindingVerb = (findings: Command, io: Io): void => {
  findings
    .command('approve')
    .description(
      'accept what a finding shows as the reference of its devices, as `baseline accept` does; the agent must run',
    )
    .argument('<number>', 'number of the finding, as `assayer findings` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who approves; without it the account of this process')
    .option('--note <text>', 'why; goes into the log')
    .option(
      '--break-glass',
      'approve alone what takes two approvers, or a plan beforehand; it is reported as a finding',
    )
    .option('-y, --yes', 'do not ask after the difference was shown')
    .option('--json', 'print the difference and the result as JSON')
    .action((number: string, options: ApproveOptions) => approve(number, options, io));
};

const approve = async (number: string, options: ApproveOptions, io: Io): Promise<void> => {
  const found = findingNumbered(options.config, number);
  const facts = factsOf(found);
  const devices = devicesOf(found);
  if (!STANDING.has(found.finding.state) || devices.length === 0) throw notApprovable(found);
  const { stateDir } = found;
  const question = (count: string): string => `Approve this on ${devices.length === 1 ? devices[0] : count}?`;
  await acceptShown({ stateDir, devices, ...(facts === undefined ? {} : { facts }), question }, options, io);
};

/** What its rule compares; the whole device where the finding is about the device as such. */
const factsOf = ({ finding: { ruleId } }: StoredFinding): readonly FactName[] | undefined => {
  const rule = COMPARISONS.find(({ id }) => id === ruleId);
  return rule === undefined || rule.against === 'policy' ? undefined : [...rule.reads, ...(rule.compares ?? [])];
};

const notApprovable = ({ finding: { ruleId, state } }: StoredFinding): AgentError =>
  new AgentError({
    code: 'finding.not-approvable',
    message: `${ruleId} (${state}) shows nothing that could become a reference`,
    remedy: 'assayer findings show says what can be done about it',
  });
