import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Shown } from '../../desk/preview.ts';
import { askAgent } from '../../platform/control.ts';
import { EXIT, type Io, printJson, setExit } from '../io.ts';
import { differencesText } from './preview.ts';

interface DiffOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `baseline diff`: what devices show that is not what is in force for them; exit 1 where there is any. Nothing is accepted. */
export const diffVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('diff')
    .description(
      'show where devices differ from what is in force for them: signed documents over what was accepted or learned; exit 1 where they do; the agent must run',
    )
    .argument('[device...]', 'ids of devices; without any all of them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'one JSON object per device')
    .action(async (devices: readonly string[], { config, json }: DiffOptions) => {
      const stateDir = loadConfig(resolve(config)).config.state_dir;
      // The answer of an agent of the same version.
      const shown = (await askAgent(stateDir, { do: 'differences', devices })) as readonly Shown[];
      const differing = shown.filter(({ differences }) => differences.length > 0);
      if (json) for (const one of differing) printJson(io, one);
      else if (differing.length === 0) io.out.write('no difference\n');
      else io.out.write(differencesText(differing, io));
      setExit(differing.length === 0 ? EXIT.ok : EXIT.failed);
    });
};
