import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings } from '../../config/load.ts';
import type { Shown } from '../../desk/preview.ts';
import { askAgent } from '../../platform/control.ts';
import { EXIT, type Io, printJson, setExit } from '../io.ts';
import { behindText, differencesText, earlierText, untoldText } from './preview.ts';

interface DiffOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `baseline diff`: what devices show that is not what is in force for them; exit 1 where there is any; and what they do not tell. Nothing is accepted. */
export const diffVerb = (baseline: Command, io: Io): void => {
  baseline
    .command('diff')
    .description(
      'show where devices differ from what is in force for them: signed documents over what was accepted or learned; and what they do not tell; exit 1 where they differ; the agent must run',
    )
    .argument('[device...]', 'ids of devices; without any all of them')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'one JSON object per device that differs, or does not tell all')
    .action(async (devices: readonly string[], { config, json }: DiffOptions) => {
      const stateDir = loadSettings(resolve(config)).config.state_dir;
      // The answer of an agent of the same version.
      const shown = (await askAgent(stateDir, { do: 'differences', devices })) as readonly Shown[];
      const differing = shown.filter(({ differences }) => differences.length > 0);
      const silent = shown.filter(({ untold }) => untold.length > 0);
      const hidden = shown.filter(({ behind }) => behind !== undefined);
      if (json) for (const one of new Set([...differing, ...silent, ...hidden])) printJson(io, one);
      else
        io.out.write(
          (differing.length === 0
            ? `no difference${silent.length + hidden.length === 0 ? '' : ' in what is told'}\n`
            : differencesText(differing, io)) +
            earlierText('Told when it was attested, and not now:', silent) +
            untoldText('Not told now, so nobody knows whether it differs:', silent) +
            behindText(shown),
        );
      setExit(differing.length === 0 ? EXIT.ok : EXIT.failed);
    });
};
