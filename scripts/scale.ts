/**
 * `npm run scale`: one `assayer collect` against many gateways without miners, at a Mosquitto of its own: as the fleet lives, while
 * everything changes, and after an outage of the collector. `-- --gateways 200 --entries 1000000` selects how many and how long a
 * backlog, `--postgres` stores in a PostgreSQL of its own, `--json` prints one object. Everything runs on the loopback and cleans up after
 * itself; a million entries need 8 GB of disk. Compare ratios, not times: those are of the machine. Exit 1 where anything was lost, 2
 * where it cannot be measured so.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import { WITHOUT_POSTGRES } from '../test/collect/postgres-server.ts';
import { WITHOUT_MOSQUITTO } from '../test/publish/mosquitto.ts';
import { measureScale, type Phase, type Scale, type ScaleOptions, type Voice } from './scale/run.ts';

const WRONG_USAGE = 2;

const between =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`a whole number, ${least} to ${most}`);
    return value;
  };

const options = new Command('scale')
  .option('--gateways <n>', 'how many gateways', between(1, 2_000), 200)
  .option('--devices <n>', 'miners of each gateway', between(1, 5_000), 500)
  .option('--entries <n>', 'entries that are written while the collector is away', between(1, 10_000_000), 100_000)
  .option(
    '--seconds <n>',
    'how long the fleet is watched as it lives, and again while everything changes; 0 leaves both out',
    between(0, 86_400),
    60,
  )
  .option('--times <n>', 'so many times the rates of such a fleet meanwhile', between(1, 1_000), 1)
  .option('--processes <n>', 'processes that play the gateways', between(1, 16), 2)
  .option(
    '--spread <seconds>',
    'gateways connect, and begin to send to a collector that came, within so long',
    between(0, 600),
    10,
  )
  .addOption(new Option('--postgres [url]', 'store in this database; without a URL in a PostgreSQL of its own'))
  .option('--binary <file>', 'the collector; default: bundled from the sources', (file: string) => resolve(file))
  .option('--profile <folder>', 'write CPU profiles of the collector there', (folder: string) => resolve(folder))
  .option('--json', 'print one JSON object')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USAGE))
  .parse()
  .opts<ScaleOptions & { readonly json?: true }>();

const refuse = (why: string): never => {
  process.stderr.write(`${why}\n`);
  process.exit(WRONG_USAGE);
};

if (process.platform !== 'linux') refuse('this measures with /proc: it needs Linux');
if (WITHOUT_MOSQUITTO !== false) refuse(WITHOUT_MOSQUITTO);
if (options.postgres === true && WITHOUT_POSTGRES !== false) refuse(WITHOUT_POSTGRES);
if (options.binary !== undefined && options.profile !== undefined)
  refuse('a binary takes no options of Node: --profile is for sources');

const isTerminal = process.stderr.isTTY === true;
const voice: Voice = {
  note: (text) => void process.stderr.write(`${isTerminal ? '\r\x1b[K' : ''}${text}\n`),
  progress: (text) => void (isTerminal && process.stderr.write(`\r\x1b[K${text}`)),
};

const round = (ratio: number | undefined): string => (ratio === undefined ? '' : String(ratio));

const costTable = (phases: readonly Phase[]): string => {
  const table = new Table({
    head: ['phase', 's', 'entries', 'entries/s', 'collector µs', 'of a CPU', 'to verifying alone', 'others µs'],
    style: { head: [], border: [] },
  });
  for (const each of phases) {
    table.push([
      each.phase,
      each.seconds,
      each.entries,
      each.entries_per_s,
      round(each.collector_us),
      round(each.collector_share),
      round(each.ratio),
      each.others_us,
    ]);
  }
  return table.toString();
};

const memoryTable = (phases: readonly Phase[]): string => {
  const table = new Table({
    head: ['phase', 'resident MB of', 'beginning', 'middle', 'end', 'median', 'highest'],
    style: { head: [], border: [] },
  });
  for (const { phase, memory_mb } of phases) {
    for (const [name, { beginning, middle, end, median, highest }] of Object.entries(memory_mb))
      table.push([phase, name, beginning, middle, end, median, highest]);
  }
  return table.toString();
};

const inWords = (
  scale: Scale,
  machine: { readonly cpu: string; readonly cpus: number; readonly node: string },
): string =>
  [
    `${machine.cpus} × ${machine.cpu}, Node ${machine.node}; ${scale.gateways} gateways with ${scale.devices} miners each, ${scale.store}`,
    `Mosquitto: ${scale.broker.join(', ')}`,
    '',
    costTable(scale.phases),
    `verifying alone: ${scale.verify_alone_us} µs an entry of ${scale.entry_bytes} bytes`,
    '',
    memoryTable(scale.phases),
    '',
    `verdicts since the outage: ${Object.entries(scale.verdicts)
      .map(([status, count]) => `${count} ${status}`)
      .join(', ')}; sent again: ${scale.resent}`,
    `written ${scale.written}, lost ${scale.lost}`,
    ...scale.alarms,
    '',
  ].join('\n');

const folder = mkdtempSync(join(tmpdir(), 'assayer-scale-'));
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
try {
  const scale = await measureScale(options, folder, voice, stopping.signal);
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, node: process.version };
  voice.progress('');
  process.stdout.write(options.json ? `${JSON.stringify({ machine, ...scale })}\n` : inWords(scale, machine));
  if (scale.lost > 0 || scale.alarms.length > 0) process.exitCode = 1;
} catch (problem) {
  if (!stopping.signal.aborted) throw problem;
  process.exitCode = 130;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
