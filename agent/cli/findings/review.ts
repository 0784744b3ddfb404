import type { Command } from 'commander';
import { approvalText, nextStep } from '../../appraise/advice.ts';
import type { ReviewResult } from '../../desk/review.ts';
import { askAgent } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { isoOf } from '../../terms/instant.ts';
import { accountName } from '../ask.ts';
import { type Io, printable, printJson } from '../io.ts';
import { askedOf, findingNumbered, type Numbered, namedDevices } from './stored.ts';

interface ReviewOptions {
  readonly config: string;
  readonly by?: string;
  readonly note?: string;
  readonly json?: boolean;
}

/** `findings ack`: somebody has seen it and deals with it; it counts on, and speaks up again when it changes. */
export const acknowledgeVerb = (findings: Command, io: Io): void => {
  reviewCommand(findings, 'ack', 'say that you have seen a finding and deal with it; the agent must run')
    .option('--note <text>', 'what is done about it; goes into the log')
    .action((number: string, options: ReviewOptions) => review(number, 'acknowledge', options, io));
};

/** `findings close`: the incident is over, with a reason; what the device still shows is not closed. */
export const closeFindingVerb = (findings: Command, io: Io): void => {
  reviewCommand(findings, 'close', 'close a finding as an incident that is over, with a reason; the agent must run')
    .requiredOption('--note <text>', 'the reason; goes into the log')
    .action((number: string, options: ReviewOptions) => review(number, 'close', options, io));
};

const reviewCommand = (findings: Command, name: string, about: string): Command =>
  findings
    .command(name)
    .description(about)
    .argument('<number>', 'number of the finding, as `assayer findings` shows it')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who does it; without it the account of this process')
    .option('--json', 'print the result as JSON');

const review = async (
  number: string,
  action: 'acknowledge' | 'close',
  { config, by = accountName(), note, json }: ReviewOptions,
  io: Io,
): Promise<void> => {
  const found = findingNumbered(config, number, io);
  // The answer of an agent of the same version.
  const result = (await askAgent(found.stateDir, {
    do: 'review',
    opened_seq: found.finding.openedSeq ?? 0,
    action,
    by,
    ...(note === undefined ? {} : { note }),
  }).catch((error: unknown) => refuse(error, found, config))) as ReviewResult;
  if (json) printJson(io, result);
  else
    io.out.write(
      `${printable(result.already ? alreadyText(number, by, result) : reviewedText(number, action, result))}\n`,
    );
};

/** Of many devices it says which: some may have joined since they were shown. */
const reviewedText = (number: string, action: 'acknowledge' | 'close', { id, devices }: ReviewResult): string => {
  const isMany = devices.length > 1;
  const of = isMany ? ` of ${devices.length} devices` : '';
  return `finding ${number} (${id})${of} is ${action === 'close' ? 'closed' : 'acknowledged'}${isMany ? `: ${namedDevices(devices)}` : ''}`;
};

const alreadyText = (number: string, by: string, { id, acknowledged_at: since }: ReviewResult): string =>
  `finding ${number} (${id}) is acknowledged already, by ${by}${since === undefined ? '' : ` since ${isoOf(since)}`}`;

/** What is still seen ends in its own way: the agent, which does not know where the configuration stands, only says that it is. */
const refuse = (error: unknown, found: Numbered, config: string): never => {
  if (!(error instanceof AgentError) || error.code !== 'finding.still-seen') throw error;
  const { code, message } = error;
  const asked = askedOf(found, config);
  const remedy = `${nextStep(found.finding, asked)}. Who can approve it: ${approvalText(found.finding, asked)}`;
  throw new AgentError({ code, message, remedy, cause: error });
};
