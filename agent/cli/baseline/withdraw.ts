import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings } from '../../config/load.ts';
import { askAgent } from '../../platform/control.ts';
import { accountName } from '../ask.ts';
import { type Io, printJson } from '../io.ts';
import { type DecisionOptions, emergencyOf, isWanted } from '../terms/decision.ts';
import { entryLines, withdrawalLines } from '../terms/ending.ts';
import { orderInForce } from '../terms/orders.ts';

/** `baseline withdraw`: a reference, or one acceptance, holds no longer; devices fall back on what else the log holds. */
export const withdrawVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('withdraw')
    .description('end a reference, or a baseline entry, after what follows was shown; the agent must run')
    .argument('<name>', 'name of the reference, or number of the entry, as `assayer baseline show` shows them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who withdraws it; without it the account of this process')
    .option('--break-glass', 'end alone what two people stand behind; it is reported as a finding')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option('-y, --yes', 'do not ask after it was shown what ends')
    .option('--json', 'print what ends as text on stderr, and the result as JSON')
    .action((name: string, options: DecisionOptions) => withdraw(name, options, io));
};

const withdraw = async (name: string, options: DecisionOptions, io: Io): Promise<void> => {
  const { by = accountName() } = options;
  const emergency = emergencyOf(options, by);
  const stateDir = loadSettings(resolve(options.config)).config.state_dir;
  const shown = await linesOf(name, stateDir, io);
  // Of what is no name and no entry the agent says so.
  const asked = { question: 'Withdraw this?', done: 'withdrawn' };
  if (shown !== undefined && !(await isWanted(shown, asked, options, io))) return;
  // The answer of an agent of the same version.
  const result = (await askAgent(stateDir, { do: 'withdraw', name, by, ...emergency })) as { readonly seq: number };
  if (options.json) printJson(io, result);
  else io.out.write(`entry ${result.seq} holds nothing any longer\n`);
};

/** A reference by its name or the entry that adopted it, else a baseline entry by its number; the agent reads it in the same order. */
const linesOf = async (name: string, stateDir: string, io: Io): Promise<readonly string[] | undefined> => {
  const number = /^\d{1,15}$/.test(name) ? Number(name) : undefined;
  const named = await orderInForce(stateDir, ({ terms }) => terms.kind === 'reference' && terms.ref_id === name);
  const order =
    named ?? (await orderInForce(stateDir, ({ seq, terms }) => terms.kind === 'reference' && seq === number));
  if (order !== undefined) return withdrawalLines(order, stateDir, Math.floor(Date.now() / 1000), io);
  return number === undefined ? undefined : entryLines(number, stateDir, io);
};
