/**
 * `npm run fuzz`: damages the replies of every specimen and capture in every way the field knows, reads them as the agent
 * does, and checks that no fact becomes another one. `-- --count N --seed S` selects how much and which, `--json` prints
 * one object, `--only '<subject> <query> <kind>:<n>'` repeats one mutation. What is promised is written in
 * `fuzz/judge.ts`. Exit 1 where a promise is broken.
 */
import { Command, InvalidArgumentError } from 'commander';
import { fuzzGuarded } from './fuzz/guarded.ts';
import type { FuzzReport } from './fuzz/run.ts';

const integer = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
};

const options = new Command('fuzz')
  .option('--count <n>', 'how many mutations', integer, 20_000)
  .option('--seed <n>', 'which; the same seed gives the same ones', integer, 1)
  .option('--only <name>', 'a subject, a query of it, or one mutation: <subject> <query> <kind>:<n>')
  .option('--no-captures', 'specimens only')
  .option('--json', 'print one JSON object')
  .parse()
  .opts<{ count: number; seed: number; only?: string; captures: boolean; json?: true }>();

const progress = (done: number, total: number): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total}`);
};

const counts = (of: { readonly [name: string]: number }): string =>
  Object.entries(of)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const inWords = (report: FuzzReport): string =>
  [
    `${report.mutations} mutations in ${report.seconds} s, seed ${report.seed}; the heap grew by ${report.heap_growth_mb} MB`,
    `damage: ${counts(report.by_kind)}`,
    `drivers: ${counts(report.by_driver)}`,
    `outcomes: ${counts(report.outcomes)}`,
    `no answer to damage: ${report.unanswered.join(', ') || 'none'}`,
    ...report.failures.map(
      ({ problem, driver, subject, query, mutation, fact, note, detail, command }) =>
        `\n${problem}: ${driver}, ${subject}, ${query}, ${mutation}${fact === undefined ? '' : `, ${fact}`}\n  ${note}\n  ${detail}\n  ${command}`,
    ),
    `${report.failed} failed`,
    '',
  ].join('\n');

const report = await fuzzGuarded(options, progress);
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : inWords(report));
// A run that damaged nothing has shown nothing.
if (report.failed > 0 || report.mutations === 0) process.exitCode = 1;
