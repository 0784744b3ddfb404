import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { FactName } from '../../../shared/facts.ts';
import { loadSettings } from '../../config/load.ts';
import type { AcceptanceResult, Refused } from '../../desk/acceptance.ts';
import type { AcceptancePreview } from '../../desk/preview.ts';
import { askAgent, type ControlRequest } from '../../platform/control.ts';
import { AgentError } from '../../platform/errors.ts';
import { accountName, confirmed } from '../ask.ts';
import { EXIT, type Io, printable, printJson, setExit } from '../io.ts';
import { collect } from '../probe.ts';
import { counted } from '../table.ts';
import { type DecisionOptions, emergencyOf } from '../terms/decision.ts';
import { factNamed } from './fact.ts';
import { previewText } from './preview.ts';

interface AcceptOptions extends DecisionOptions {
  readonly all?: boolean;
  readonly fact?: readonly string[];
}

/** `baseline accept`: a person at the gateway accepts what is seen, after the difference was shown. */
export const acceptVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('accept')
    .description(
      'accept what is seen now as the reference of devices, after it was shown with what that closes; the agent must run',
    )
    .argument('[device...]', 'ids of devices, as `assayer status` shows them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--all', 'every device')
    .option('--by <name>', 'who accepts; without it the account of this process')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option('--fact <name>', 'accept only this fact of the devices; repeatable', collect)
    .option('--break-glass', 'accept alone what takes two approvers, or a plan beforehand; it is reported as a finding')
    .option('-y, --yes', 'do not ask after it was shown what is accepted, and what that closes')
    .option('--json', 'print what is shown as text on stderr, and all of it with the result as JSON')
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
  const stateDir = loadSettings(resolve(options.config)).config.state_dir;
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

/** Shows what would be accepted and what that ends, asks, and has the agent accept what was shown. */
export const acceptShown = async (
  { stateDir, devices, facts, question }: Acceptance,
  options: Omit<DecisionOptions, 'config'>,
  io: Io,
): Promise<void> => {
  const by = options.by ?? accountName();
  const alone = emergencyOf(options, by).break_glass !== undefined;
  const wanted: Wanted = { ...(facts === undefined ? {} : { facts }), ...(alone ? { break_glass: true } : {}) };
  // The answer of an agent of the same version.
  const previews = (await askAgent(stateDir, {
    do: 'preview-accept',
    devices,
    seen_only: true,
    ...wanted,
  })) as readonly AcceptancePreview[];
  const waiting = [...new Set(devices)]
    .filter((name) => !previews.some(({ device }) => device === name))
    .map(waitingFor);
  const refused = previews.flatMap((preview) => preview.refused ?? []);
  // Where the result is printed as JSON, it is shown on stderr: nobody agrees to what was not shown.
  (options.json ? io.err : io.out).write(previewText(previews, io) + refusedText([...waiting, ...refused]));
  const acceptable = previews.filter((preview) => preview.refused === undefined);
  const asked = question(counted(acceptable.length, 'device'));
  // Where nothing can be accepted there is nothing to ask.
  if (acceptable.length > 0 && !(await confirmed(asked, { yes: options.yes, done: 'accepted' }, io))) return;
  const { note } = options;
  const result = acceptable.length === 0 ? NOTHING : await accepted(stateDir, acceptable, { by, note, wanted });
  const all = { ...result, refused: [...refused, ...result.refused] };
  setExit(all.refused.length + waiting.length === 0 ? EXIT.ok : EXIT.failed);
  if (options.json) printJson(io, { previews, waiting, result: all });
  else io.out.write(refusedText(result.refused) + resultText(result, previews.length + waiting.length));
};

type Wanted = Pick<Extract<ControlRequest, { do: 'accept' }>, 'facts' | 'break_glass'>;

const NOTHING: AcceptanceResult = { accepted: [], closed: 0, refused: [] };

const accepted = async (
  stateDir: string,
  shown: readonly AcceptancePreview[],
  { by, note, wanted }: { readonly by: string; readonly note: string | undefined; readonly wanted: Wanted },
): Promise<AcceptanceResult> =>
  // The answer of an agent of the same version.
  (await askAgent(stateDir, {
    do: 'accept',
    devices: shown.map(({ device }) => device),
    seen: shown.map(({ seq }) => seq),
    by,
    ...(note === undefined ? {} : { note }),
    ...wanted,
  })) as AcceptanceResult;

const resultText = ({ accepted, closed }: AcceptanceResult, named: number): string => {
  const some = accepted.length < named ? ` of ${named}` : '';
  const devices = some === '' && accepted.length === 1 ? 'device' : 'devices';
  return `accepted ${accepted.length}${some} ${devices}, closed ${counted(closed, 'finding')}\n`;
};

const waitingFor = (device: string): Refused => ({
  device,
  message: `${device} is not seen now`,
  remedy: 'accept it when it answers again',
});

const refusedText = (refused: readonly Refused[]): string =>
  refused
    .map(({ device, message, remedy }) => `${device}: not accepted: ${printable(message)} (${printable(remedy)})\n`)
    .join('');
