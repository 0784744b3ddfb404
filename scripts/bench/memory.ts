import { setTimeout as after } from 'node:timers/promises';
import { type AgentOptions, AgentProcess, learned } from './agent.ts';
import { Broker } from './broker.ts';
import { FleetProcess } from './processes.ts';

/** Resident memory of the whole agent process, with its uplink, while it polls a fleet of this size. */
export interface Memory {
  readonly devices: number;
  /** Time between two polls of a device, s. */
  readonly interval_s: number;
  /** Middle and highest of all samples, MB. */
  readonly rss_mb: number;
  readonly rss_highest_mb: number;
  /** Highest during the first look at everything, MB. */
  readonly rss_learning_mb: number;
  readonly max_connections: number;
  readonly violations: number;
}

const SAMPLE_MS = 1000;
/** How many rounds of polls are watched. */
const ROUNDS = 2;

/** `devices` of 1 is the agent at rest. */
export const measureMemory = async (
  options: AgentOptions & { readonly devices: number; readonly base: string },
): Promise<Memory> => {
  const { devices: count, intervalS } = options;
  await using fleet = await FleetProcess.start(count, options.base);
  await using broker = await Broker.start();
  const allLearned = learned(broker, count);
  await using agent = new AgentProcess(options, fleet, broker.url);
  const learning = new Samples(agent);
  await Promise.race([allLearned, agent.ended()]);
  const highestLearning = learning.end().at(-1) ?? Number.NaN;
  const polling = new Samples(agent);
  await Promise.race([after(ROUNDS * intervalS * 1000), agent.ended()]);
  const samples = polling.end();
  const report = await fleet.report();
  return {
    devices: count,
    interval_s: intervalS,
    rss_mb: samples[Math.floor(samples.length / 2)] ?? Number.NaN,
    rss_highest_mb: samples.at(-1) ?? Number.NaN,
    rss_learning_mb: highestLearning,
    max_connections: report.max_connections,
    violations: report.violations.length,
  };
};

/** The memory of a process, looked at once a second. */
class Samples {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(agent: AgentProcess) {
    this.#timer = setInterval(() => this.#samples.push(agent.residentMb()), SAMPLE_MS);
  }

  /** What was seen, rising. */
  end(): readonly number[] {
    clearInterval(this.#timer);
    return this.#samples.toSorted((one, other) => one - other);
  }
}
