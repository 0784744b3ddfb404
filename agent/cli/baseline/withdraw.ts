import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { askAgent } from '../../platform/control.ts';
import { accountName } from '../ask.ts';
import { type Io, printJson } from '../io.ts';
import { emergencyOf } from '../terms/adopt.ts';

interface WithdrawOptions {
  readonly config: string;
  readonly by?: string;
  readonly breakGlass?: boolean;
  readonly note?: string;
  readonly json?: boolean;
}

/** `baseline withdraw`: a reference, or one acceptance, holds no longer; devices fall back on what else the log holds. */
export const withdrawVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('withdraw')
    .description('end a reference by its name, or a baseline entry by its number; the agent must run')
    .argument('<name>', 'name of the reference, or number of the entry, as `assayer baseline show` shows them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--by <name>', 'who withdraws it; without it the account of this process')
    .option('--break-glass', 'end alone what two people stand behind; it is reported as a finding')
    .option('--note <text>', 'why; needed with --break-glass, goes into the log')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, { config, by = accountName(), json, ...options }: WithdrawOptions) => {
      const emergency = emergencyOf(options, by);
      const stateDir = loadConfig(resolve(config)).config.state_dir;
      // The answer of an agent of the same version.
      const result = (await askAgent(stateDir, { do: 'withdraw', name, by, ...emergency })) as { readonly seq: number };
      if (json) printJson(io, result);
      else io.out.write(`entry ${result.seq} holds nothing any longer\n`);
    });
};
