import { type Families, FleetProcess, Worker } from './processes.ts';
import type { Questions, SweepCost } from './setup.ts';

/** What a pools look at a fleet of this size costs, the floor and the pipeline in turns in one run. */
export interface PollCost {
  readonly devices: number;
  /** How many families the fleet has. */
  readonly families: number;
  /** CPU per device-poll, µs: middle of the rounds. */
  readonly floor_us: number;
  readonly agent_us: number;
  /** Middle of the ratios of each round, and the lowest and highest. */
  readonly ratio: number;
  readonly ratio_range: readonly [number, number];
  /** Questions per device-poll. More than the floor means that full looks fell into the rounds. */
  readonly floor_requests: number;
  readonly agent_requests: number;
  /** CPU of identification and the first full look per device, µs, recorded and signed. */
  readonly learn_us: number;
  readonly rss_idle_mb: number;
  readonly rss_sweeping_mb: number;
  readonly max_connections: number;
  readonly violations: number;
}

export interface CostOptions {
  readonly devices: number;
  readonly families: Families;
  readonly concurrency: number;
  readonly rounds: number;
  /** File of the worker. */
  readonly worker: string;
  readonly base: string;
  readonly folder: string;
}

/** A measurement covers at least this many polls, so that small fleets are not all noise. */
const LEAST_POLLS = 1000;
/** Polls before the first that counts, at most four times a measurement: code is compiled by then. */
const WARM_UP_POLLS = 40_000;

export const measureCost = async (options: CostOptions): Promise<PollCost> => {
  const { devices: count, rounds, concurrency, worker, folder } = options;
  await using fleet = await FleetProcess.start(count, options.base, options.families);
  const { devices, ports, logIns } = fleet;
  await using floor = new Worker(worker, 'floor');
  await using agent = new Worker(worker, 'pipeline');
  for (const each of [floor, agent]) {
    await each.ask({ do: 'setup', setup: { devices, ports, logIns, concurrency, folder } });
  }
  const learned = await agent.ask<SweepCost & { found: number }>({ do: 'learn' });
  if (learned.found !== count) throw new Error(`${learned.found} of ${count} devices were found`);

  await agent.ask({ do: 'settle' });
  await floor.ask({ do: 'questions', questions: await questionsOf(fleet, agent) });

  const sweeps = Math.max(1, Math.ceil(LEAST_POLLS / count));
  const warmUp = Math.min(4 * sweeps, Math.ceil(WARM_UP_POLLS / count));
  for (let sweep = 0; sweep < warmUp; sweep += 1) {
    await floor.ask({ do: 'sweep' });
    await agent.ask({ do: 'sweep' });
  }
  await agent.ask({ do: 'rest' });
  await agent.ask({ do: 'sweep' });

  const requests = { floor: 0, agent: 0 };
  const costs: { readonly floor: number; readonly agent: number }[] = [];
  let rss = 0;
  const sweepAll = async (of: Worker): Promise<number> => {
    let cpuUs = 0;
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      const cost = await of.ask<SweepCost>({ do: 'sweep' });
      cpuUs += cost.cpuUs;
      if (of === agent) rss = Math.max(rss, cost.rss);
    }
    return cpuUs / (sweeps * count);
  };
  for (let round = 0; round < rounds; round += 1) {
    const [before, floorUs] = [await requestsOf(fleet), await sweepAll(floor)];
    const [between, agentUs] = [await requestsOf(fleet), await sweepAll(agent)];
    requests.floor += between - before;
    requests.agent += (await requestsOf(fleet)) - between;
    costs.push({ floor: floorUs, agent: agentUs });
  }
  const idle = await agent.ask<{ rss: number }>({ do: 'rest' });
  const report = await fleet.report();
  const ratios = costs.map((cost) => cost.agent / cost.floor);
  const polls = rounds * sweeps * count;
  return {
    devices: count,
    families: new Set(devices.map(({ family }) => family)).size,
    floor_us: round1(middle(costs.map((cost) => cost.floor))),
    agent_us: round1(middle(costs.map((cost) => cost.agent))),
    ratio: round2(middle(ratios)),
    ratio_range: [round2(Math.min(...ratios)), round2(Math.max(...ratios))],
    floor_requests: round2(requests.floor / polls),
    agent_requests: round2(requests.agent / polls),
    learn_us: round1(learned.cpuUs / count),
    rss_idle_mb: megabytes(idle.rss),
    rss_sweeping_mb: megabytes(rss),
    max_connections: report.max_connections,
    violations: report.violations.length,
  };
};

/** What a pools look of the agent asks a device of each specimen. */
const questionsOf = async (fleet: FleetProcess, agent: Worker): Promise<Questions> => {
  const examples = new Map(fleet.devices.map((device) => [device.specimen, device]));
  const specimens = new Map([...examples.values()].map(({ id, specimen }) => [id, specimen]));
  const questions: { [specimen: string]: string[] } = {};
  // Sessions are open and nothing new is learned after the first.
  await agent.ask({ do: 'sweep' });
  await fleet.follow([...examples.values()], ({ asked, request }) => {
    const specimen = specimens.get(asked) ?? '';
    questions[specimen] ??= [];
    const words = questions[specimen];
    // A page that asks for a log-in is asked for twice; so does the floor.
    if (words.at(-1) !== request) words.push(request);
  });
  await agent.ask({ do: 'sweep' });
  await fleet.follow([], () => undefined);
  return questions;
};

const requestsOf = async (fleet: FleetProcess): Promise<number> =>
  Object.values((await fleet.report()).requests).reduce((sum, count) => sum + count, 0);

/** The middle value; of two middle ones the lower. */
const middle = (values: readonly number[]): number => quantile(values, 0.5);

/** The value that `share` of all do not exceed. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

export const round1 = (value: number): number => Math.round(value * 10) / 10;
export const round2 = (value: number): number => Math.round(value * 100) / 100;
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
