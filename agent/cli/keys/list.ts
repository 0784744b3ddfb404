import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings } from '../../config/load.ts';
import { Approvals } from '../../record/approvals.ts';
import { type Io, printable, printJson } from '../io.ts';
import { table } from '../table.ts';

interface ListOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `keys list`: the approvers of a gateway, and whose signatures count there; the agent need not run. */
export const listKeysVerb = (keys: Command, io: Io): void => {
  keys
    .command('list')
    .description('show the approvers whom the configuration of a gateway names, and who waits to be admitted')
    .option('-c, --config <file>', 'configuration file', 'assayer.yaml')
    .option('--json', 'one JSON object per line')
    .action(({ config: file, json }: ListOptions) => {
      const { config, approvers } = loadSettings(resolve(file));
      const counts = Approvals.countingIn(config.state_dir);
      const named = [...approvers.names].map(([kid, name]) => ({ name, kid, counts: counts(kid) }));
      if (json) for (const each of named) printJson(io, each);
      else if (named.length === 0) io.out.write('the configuration names no approvers\n');
      else io.out.write(table(io, ['approver', 'key id', 'what it signs'], named.map(rowOf)));
    });
};

const rowOf = ({ name, kid, counts }: { name: string; kid: string; counts: boolean }): readonly string[] =>
  [name, kid, counts ? 'counts' : 'waits: not admitted by those before'].map(printable);
