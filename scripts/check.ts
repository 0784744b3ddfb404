/** `npm run check`: the contract. Every step runs; the exit code says whether all of them passed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);

const STEPS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'format and lint', command: [bin('biome'), 'check', '.'] },
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  { name: 'unused code', command: [bin('knip')] },
  { name: 'generated documents', command: [process.execPath, 'scripts/docs.ts', '--check'] },
  { name: 'tests', command: [process.execPath, 'scripts/test.ts'] },
];

new Command('check')
  .description(
    `runs all of it, for many minutes: ${STEPS.map(({ name }) => name).join(', ')}; exit 1 if anything failed`,
  )
  .allowExcessArguments(false)
  .parse();

const failed = STEPS.filter(({ name, command: [program = '', ...words] }) => {
  process.stdout.write(`\n== ${name}\n`);
  return spawnSync(program, words, { cwd: root, stdio: 'inherit' }).status !== 0;
});

if (failed.length > 0) {
  process.stdout.write(`\nfailed: ${failed.map(({ name }) => name).join(', ')}\n`);
  process.exitCode = 1;
}
