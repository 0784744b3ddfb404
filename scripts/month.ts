/**
 * `npm run month`: the real agent lives through a month of a site in minutes. Clock and sockets are simulated; what the devices
 * show, what happens to them and which attacks are made stands in a scenario (docs/month.md). Then the log is held against
 * what happened. `-- --scenario <file> --devices N --days N --seed S` choose, `--json` prints one object. Exit 1 where an attack
 * was not found, or a finding of medium or above had no cause; 2 for a wrong scenario.
 */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { AgentError } from '../agent/platform/errors.ts';
import { onStop } from './demo/signals.ts';
import { inWords } from './month/report.ts';
import { runMonth } from './month/run.ts';
import { loadScenario } from './month/scenario.ts';

const USAGE = 2;
const INTERRUPTED = 130;

const whole = (text: string): number => {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('a whole number below 100000');
  return Number(text);
};

const options = new Command('month')
  .description('a month of a site in minutes: attacks must be found, ordinary life must not alarm')
  .option('--scenario <file>', 'what happens', join(import.meta.dirname, 'month', 'scenarios', 'month.yaml'))
  .option('--devices <n>', 'how many devices; numbers of the scenario are scaled', whole)
  .option('--days <n>', 'how many days; what would begin later is left out', whole)
  .option('--seed <n>', 'which devices and times; the same seed gives the same ones', whole)
  .option('--json', 'print one JSON object')
  .parse()
  .opts<{ scenario: string; devices?: number; days?: number; seed?: number; json?: true }>();

const signal = onStop(() => process.exit(INTERRUPTED));
const realStartNs = process.hrtime.bigint();

/** Tenths of the month that were told of where nothing can be drawn anew. */
let told = 0;

/** One line on a terminal, drawn anew; elsewhere a line for each tenth. */
const progress = (share: number): void => {
  const { isTTY } = process.stderr;
  const spentS = Number(process.hrtime.bigint() - realStartNs) / 1e9;
  const leftS = Math.round((spentS / share) * (1 - share));
  const line = `${Math.floor(share * 100)} %, about ${leftS} s left`;
  if (isTTY) process.stderr.write(share >= 1 ? '\r\x1b[K' : `\r\x1b[K${line}`);
  else if (Math.floor(share * 10) > told) {
    told = Math.floor(share * 10);
    process.stderr.write(`${line}\n`);
  }
};

try {
  const { scenario, specimens } = loadScenario(options.scenario);
  const { devices = scenario.devices, days = scenario.days, seed = scenario.seed } = options;
  const report = await runMonth({ scenario: { ...scenario, devices, days, seed }, specimens }, scenario.devices, {
    signal,
    progress,
  });
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : inWords(report));
  if (report.problems.length > 0) process.exitCode = 1;
} catch (error) {
  if (signal.aborted) process.exitCode = INTERRUPTED;
  else if (error instanceof AgentError) {
    process.stderr.write(`${error.message}\n  remedy: ${error.remedy} [${error.code}]\n`);
    process.exitCode = USAGE;
  } else throw error;
}
process.exit();
