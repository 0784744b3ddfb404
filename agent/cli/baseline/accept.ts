import { resolve } from 'node:path';
import type { Command } from 'commander';
import { closest } from 'fastest-levenshtein';
import { FACTS, type FactName } from '../../../shared/facts.ts';
import { loadConfig } from '../../config/load.ts';
import type { AcceptancePreview, AcceptanceResult } from '../../desk/acceptance.ts';
import { askAgent } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { accountName, confirmed } from '../ask.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import { collect } from '../probe.ts';
import { table } from '../table.ts';
import { type DecisionOptions, emergencyOf } from '../terms/decision.ts';

interface AcceptOptions extends DecisionOptions {
  readonly all?: boolean;
  readonly fact?: readonly string[];
}

/** `baseline accept`: a person at the gateway accepts what is seen, after the difference was shown. */
export const acceptVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('accept')
    .description('accept what is seen now as the reference of one device, or of all; the agent must run')
    .argument('[device...]', 'ids of devices, as `assayer status` shows them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--all', 'every device')
    .option('--by <name>', 'who accepts; without it the account of this process')
    .option('--note <text>', 'why; goes into the log')
    .option('--fact <name>', 'accept only this fact of the devices; repeatable', collect)
    .option('--break-glass', 'accept alone what takes two approvers, or a plan beforehand; it is reported as a finding')
    .option('-y, --yes', 'do not ask after the difference was shown')
    .option('--json', 'print the difference and the result as JSON')
    .action((devices: readonly string[], options: AcceptOptions) => accept(devices, options, io));
};

const accept = async (devices: readonly string[], options: AcceptOptions, io: Io): Promise<void> => {
  if ((devices.length === 0) !== (options.all === true)) {
    throw new AgentError({
      code: 'usage.devices',
      message: 'name devices, or --all, not both',
      remedy: 'assayer baseline accept <device>… or assayer baseline accept --all',
    });
  }
  const stateDir = loadConfig(resolve(options.config)).config.state_dir;
  const facts = options.fact?.map(factNamed);
  const question = (count: string): string => `Accept what is seen on ${count}?`;
  await acceptShown({ stateDir, devices, ...(facts === undefined ? {} : { facts }), question }, options, io);
};

/** What is to be accepted, once a person saw it. */
interface Acceptance {
  readonly stateDir: string;
  /** Without any, all that can be accepted. */
  readonly devices: readonly string[];
  /** Only these; without it the whole devices. */
  readonly facts?: readonly FactName[];
  readonly question: (count: string) => string;
}

/** Shows the difference, asks, and has the agent accept what was shown. */
export const acceptShown = async (
  { stateDir, devices, facts, question }: Acceptance,
  options: Omit<DecisionOptions, 'config'>,
  io: Io,
): Promise<void> => {
  const by = options.by ?? accountName();
  const alone = emergencyOf(options, by).break_glass !== undefined;
  // The answer of an agent of the same version.
  const all = (await askAgent(stateDir, {
    do: 'preview-accept',
    devices,
    seen_only: true,
  })) as readonly AcceptancePreview[];
  const waiting = [...new Set(devices)].filter((name) => !all.some(({ device }) => device === name)).map(waitingFor);
  const previews = all.map((preview) => ({
    ...preview,
    differences: preview.differences.filter(({ fact }) => facts?.includes(fact) !== false),
  }));
  if (!options.json) io.out.write(previewText(previews, io) + refusedText(waiting));
  if (!(await confirmed(question(countOf(previews)), { yes: options.yes, done: 'accepted' }, io))) return;
  // The answer of an agent of the same version.
  const result = (await askAgent(stateDir, {
    do: 'accept',
    devices: previews.map(({ device }) => device),
    seen: previews.map(({ seq }) => seq),
    by,
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(facts === undefined ? {} : { facts }),
    ...(alone ? { break_glass: true } : {}),
  })) as AcceptanceResult;
  setExit(result.refused.length + waiting.length === 0 ? EXIT.ok : EXIT.failed);
  if (options.json) printJson(io, { previews, waiting, result });
  else io.out.write(resultText(result, previews.length + waiting.length));
};

const factNamed = (name: string): FactName => {
  if (Object.hasOwn(FACTS, name)) return name as FactName;
  throw new AgentError({
    code: 'usage.fact',
    message: `there is no fact ${JSON.stringify(name)}`,
    remedy: `did you mean ${closest(name, Object.keys(FACTS))}? assayer baseline show <device> lists them`,
  });
};

const countOf = ({ length }: readonly unknown[]): string => `${length} device${length === 1 ? '' : 's'}`;

/** The differences as a table. */
export const previewText = (previews: readonly AcceptancePreview[], io: Io): string => {
  const rows = previews.flatMap(({ device, differences }) =>
    differences.map(({ fact, before, after }) => [device, fact, textOf(before), textOf(after)].map(printable)),
  );
  const same = previews.filter(({ differences }) => differences.length === 0).length;
  return [
    rows.length === 0 ? '' : table(io, ['device', 'fact', 'reference', 'seen'], rows),
    same === 0
      ? ''
      : `${same} device${same === 1 ? '' : 's'} without a difference: the learned values become accepted\n`,
  ].join('');
};

const resultText = ({ accepted, refused }: AcceptanceResult, named: number): string => {
  const some = accepted.length > 0 && accepted.length < named ? ` of ${named}` : '';
  return `${refusedText(refused)}accepted ${accepted.length}${some} device${some === '' && accepted.length === 1 ? '' : 's'}\n`;
};

const waitingFor = (device: string): AcceptanceResult['refused'][number] => ({
  device,
  message: `${device} is not seen now`,
  remedy: 'accept it when it answers again',
});

const refusedText = (refused: AcceptanceResult['refused']): string =>
  refused
    .map(({ device, message, remedy }) => `${device}: not accepted: ${printable(message)} (${printable(remedy)})\n`)
    .join('');

const textOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
