/**
 * `npm run bench`: what a poll costs the agent, against the least that Node can do, and how fast a change is said.
 * `-- --devices 100,10000` selects fleet sizes (50000 takes minutes), `--json` prints one object, `--binary <file>`
 * measures memory and journey with that agent. Everything runs on the loopback and cleans up after itself. Compare ratios, which
 * come from one interleaved run, not times: those are of the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { bundleWorker } from './bench/bundle.ts';
import { measureCost, type PollCost, round2 } from './bench/cost.ts';
import { type Journey, measureJourney } from './bench/latency.ts';
import { type Memory, measureMemory } from './bench/memory.ts';
import { bundleAgent } from './bundle.ts';
import { RUNTIME_OPTIONS } from './runtime-options.ts';

const integer = (text: string): number => {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('a whole number below 100000');
  return Number(text);
};

const list = (text: string): readonly number[] => text.split(',').map(integer);

const options = new Command('bench')
  .option(
    '--devices <list>',
    'sizes of the fleets whose polls are measured, comma-separated',
    list,
    [100, 1000, 10_000, 50_000],
  )
  .option('--mixed-devices <list>', 'the same with a fleet of all families; 0 leaves it out', list, [10_000])
  .option('--rounds <n>', 'how often floor and agent take turns', integer, 7)
  .option('--concurrency <n>', 'most devices asked at the same time, by both', integer, 256)
  .option('--journey-devices <n>', 'size of the fleet of the journey; 0 leaves it out', integer, 1000)
  .option('--journey-interval <s>', 'time between its polls, s', integer, 10)
  .option('--changes <n>', 'how many miners are changed in each half of the journey', integer, 100)
  .option(
    '--memory-devices <list>',
    'sizes of the fleets while whose polling the memory of the whole agent is watched; 1 is the agent at rest, 0 leaves it out',
    list,
    [1, 10_000, 50_000],
  )
  .option('--memory-interval <s>', 'time between their polls, s', integer, 60)
  .option('--binary <file>', 'the agent of memory and journey; default: bundled from the sources')
  .option('--json', 'print one JSON object')
  .parse()
  .opts<{
    devices: readonly number[];
    mixedDevices: readonly number[];
    rounds: number;
    concurrency: number;
    journeyDevices: number;
    journeyInterval: number;
    changes: number;
    memoryDevices: readonly number[];
    memoryInterval: number;
    binary?: string;
    json?: true;
  }>();

/** A fleet size, and addresses that no other run of this minute uses. */
const BASES = { cost: '127.64.0.1', journey: '127.80.0.1', memory: '127.96.0.1' };

const note = (text: string): void => void process.stderr.write(`${text}\n`);

interface Measured {
  readonly costs: readonly PollCost[];
  readonly memory: readonly Memory[];
  readonly journey: Journey | undefined;
}

const measureAll = async (folder: string): Promise<Measured> => {
  const worker = await bundleWorker(folder);
  const costs: PollCost[] = [];
  const fleets = [
    ...options.devices.map((devices) => ({ devices, families: 'five' as const })),
    ...options.mixedDevices.map((devices) => ({ devices, families: 'all' as const })),
  ];
  for (const { devices, families } of fleets.filter(({ devices: size }) => size > 0)) {
    note(`polls of ${devices} devices of ${families} families …`);
    // Large fleets take longer per sweep, and average more in each.
    const rounds = devices > 20_000 ? Math.min(3, options.rounds) : options.rounds;
    const { concurrency } = options;
    costs.push(await measureCost({ devices, families, concurrency, rounds, worker, base: BASES.cost, folder }));
  }
  const agent: readonly [string, ...string[]] =
    options.binary === undefined
      ? [process.execPath, ...RUNTIME_OPTIONS, await bundleAgent(folder)]
      : [resolve(options.binary)];
  const memory: Memory[] = [];
  for (const devices of options.memoryDevices.filter((size) => size > 0)) {
    note(`memory while ${devices} devices are polled …`);
    const intervalS = options.memoryInterval;
    memory.push(await measureMemory({ devices, intervalS, agent, base: BASES.memory, folder }));
  }
  if (options.journeyDevices === 0) return { costs, memory, journey: undefined };
  note(`changes at ${2 * options.changes} of ${options.journeyDevices} devices …`);
  const journey = await measureJourney({
    devices: options.journeyDevices,
    intervalS: options.journeyInterval,
    changes: options.changes,
    agent,
    base: BASES.journey,
    folder,
  });
  return { costs, memory, journey };
};

/** CPU per device at the largest fleet against 10 000, where both were measured. */
const growth = (costs: readonly PollCost[]): number | undefined => {
  const [small, large] = [10_000, 50_000].map(
    (size) => costs.find(({ devices, families }) => devices === size && families === 5)?.agent_us,
  );
  return small === undefined || large === undefined ? undefined : round2(large / small);
};

const costTable = (costs: readonly PollCost[]): string => {
  const table = new Table({
    head: [
      'devices',
      'families',
      'floor µs',
      'agent µs',
      'ratio',
      'lowest–highest',
      'questions',
      'first look µs',
      'idle MB',
      'sweeping MB',
    ],
    style: { head: [], border: [] },
  });
  for (const cost of costs) {
    table.push([
      cost.devices,
      cost.families,
      cost.floor_us,
      cost.agent_us,
      cost.ratio,
      cost.ratio_range.join('–'),
      `${cost.floor_requests} / ${cost.agent_requests}`,
      cost.learn_us,
      cost.rss_idle_mb,
      cost.rss_sweeping_mb,
    ]);
  }
  return table.toString();
};

const journeyTable = ({ clean, hostile, ...journey }: Journey): string => {
  const table = new Table({
    head: ['fleet', 'changes', 'missed', 'beyond looks ms: p50', 'p99', 'max', 'from change s: p50', 'max'],
    style: { head: [], border: [] },
  });
  const named = { clean, [`${journey.hostile_share * 100} % hostile`]: hostile };
  for (const [name, { changes, missed, beyond_looks_ms: beyond, from_change_s: whole }] of Object.entries(named)) {
    table.push([name, changes, missed, beyond.p50, beyond.p99, beyond.max, whole.p50, whole.max]);
  }
  return [
    `${journey.devices} devices polled every ${journey.interval_s} s, confirmation after ${journey.confirm_s} s ± 50 %:`,
    table.toString(),
    `start to first poll ${journey.start_to_first_poll_ms} ms`,
  ].join('\n');
};

const memoryTable = (memory: readonly Memory[]): string => {
  const table = new Table({
    head: ['devices', 'every s', 'resident MB', 'highest', 'highest at the first look'],
    style: { head: [], border: [] },
  });
  for (const one of memory) {
    table.push([one.devices, one.interval_s, one.rss_mb, one.rss_highest_mb, one.rss_learning_mb]);
  }
  return table.toString();
};

const folder = mkdtempSync(join(tmpdir(), 'assayer-bench-'));
const leave = (): never => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
};
process.once('SIGINT', leave);
process.once('SIGTERM', leave);
try {
  const { costs, memory, journey } = await measureAll(folder);
  const all = [...costs, ...memory, ...(journey === undefined ? [] : [journey])];
  const connections = Math.max(...all.map(({ max_connections }) => max_connections));
  const violations = all.reduce((sum, one) => sum + one.violations, 0);
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, node: process.version };
  const grown = growth(costs);
  if (options.json) {
    const result = {
      machine,
      concurrency: options.concurrency,
      costs,
      growth_50000: grown ?? null,
      memory,
      journey: journey ?? null,
    };
    process.stdout.write(`${JSON.stringify({ ...result, max_connections: connections, violations })}\n`);
  } else {
    process.stdout.write(
      [
        `${machine.cpus} × ${machine.cpu}, Node ${machine.node}`,
        '',
        'CPU of one pools look at one device, agent against plain sockets asking the same, in turns:',
        costTable(costs),
        ...(grown === undefined ? [] : [`CPU per device at 50 000 against 10 000: ${grown}`]),
        ...(memory.length === 0
          ? []
          : ['', 'Resident memory of the whole agent, polls spread over the interval:', memoryTable(memory)]),
        ...(journey === undefined ? [] : ['', journeyTable(journey)]),
        '',
        `most connections to one miner at the same time: ${connections}; requests that should not have been: ${violations}`,
        '',
      ].join('\n'),
    );
  }
  const missed = journey === undefined ? 0 : journey.clean.missed + journey.hostile.missed;
  if (violations > 0 || connections > 1 || missed > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
