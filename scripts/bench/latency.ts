import { setTimeout as after } from 'node:timers/promises';
import type { Behaviour } from '../../test/simulator/behaviour.ts';
import type { Asked } from '../../test/simulator/orders.ts';
import { type AgentOptions, AgentProcess, CONFIRM_S, learned } from './agent.ts';
import { Broker, type Published } from './broker.ts';
import { quantile, round1 } from './cost.ts';
import { FleetProcess } from './processes.ts';
import type { BenchDevice } from './setup.ts';

/** From a change at a miner to its finding at the broker. */
export interface Latency {
  readonly changes: number;
  readonly missed: number;
  /** From the last question of the look that confirmed the change to the finding at the broker, ms. */
  readonly beyond_looks_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the change itself, so with the wait for the next poll and for confirmation, s. */
  readonly from_change_s: { readonly p50: number; readonly max: number };
}

export interface Journey {
  readonly devices: number;
  readonly interval_s: number;
  readonly confirm_s: number;
  readonly start_to_first_poll_ms: number;
  readonly clean: Latency;
  /** The same with `hostile_share` of the other devices silent, dripping or sending noise. */
  readonly hostile: Latency;
  readonly hostile_share: number;
  readonly max_connections: number;
  readonly violations: number;
}

export interface JourneyOptions extends AgentOptions {
  readonly devices: number;
  readonly changes: number;
  readonly base: string;
}

/** What was learned is looked at once more in full, which keeps the agent busy for about so long per device. Then it is as it is for months. */
const SECOND_LOOK_MS = 5;

const HOSTILE_SHARE = 0.05;
const HOSTILE: readonly Behaviour[] = ['silent', 'drip', 'garbage'];

/** The whole agent at work, with its uplink: when it starts, and how fast it says that a miner changed. */
export const measureJourney = async (options: JourneyOptions): Promise<Journey> => {
  const { devices: count, intervalS, changes } = options;
  await using fleet = await FleetProcess.start(count, options.base);
  await using broker = await Broker.start();
  const allLearned = learned(broker, count);
  await using agent = new AgentProcess(options, fleet, broker.url);

  await Promise.race([allLearned, agent.ended()]);
  const { first_request_ms: firstPollMs = Number.NaN } = await fleet.report();
  await after(2 * CONFIRM_S * 1000 + count * SECOND_LOOK_MS);

  const step = Math.floor(count / (2 * changes));
  const at = (index: number): BenchDevice => fleet.devices[index] as BenchDevice;
  const victims = Array.from({ length: 2 * changes }, (_, nth) => at(nth * step));
  const clean = await measureChanges(fleet, broker, victims.slice(0, changes), intervalS);
  const others = fleet.devices.filter((device) => !victims.includes(device));
  const hostiles = others.filter((_, nth) => nth % Math.round(others.length / (HOSTILE_SHARE * count)) === 0);
  for (const [nth, { id }] of hostiles.entries()) {
    await fleet.order({ do: 'behave', device: id, as: HOSTILE[nth % HOSTILE.length] as Behaviour });
  }
  await after(intervalS * 1000);
  const hostile = await measureChanges(fleet, broker, victims.slice(changes), intervalS);
  const report = await fleet.report();
  return {
    devices: count,
    interval_s: intervalS,
    confirm_s: CONFIRM_S,
    start_to_first_poll_ms: round1(firstPollMs - agent.startedMs),
    clean,
    hostile,
    hostile_share: HOSTILE_SHARE,
    max_connections: report.max_connections,
    violations: report.violations.length,
  };
};

/** Gives each victim a pool account of its own, spread over one interval, and waits for the findings. */
const measureChanges = async (
  fleet: FleetProcess,
  broker: Broker,
  victims: readonly BenchDevice[],
  intervalS: number,
): Promise<Latency> => {
  const changedMs = new Map<string, number>();
  const askedMs = new Map<string, number>();
  const beyond: number[] = [];
  const whole: number[] = [];
  const found = Promise.withResolvers<void>();
  const victimOf = new Map(victims.map(({ id }) => [`thief-${id}.x`, id]));
  await fleet.follow(victims, ({ asked, at_ms }: Asked) => void askedMs.set(asked, at_ms));
  broker.follow((published: Published) => {
    const victim = isOpened(published) ? victimOf.get(userIn(published.after)) : undefined;
    if (victim === undefined) return;
    beyond.push(published.atMs - (askedMs.get(victim) ?? Number.NaN));
    whole.push((published.atMs - (changedMs.get(victim) ?? Number.NaN)) / 1000);
    victimOf.delete(`thief-${victim}.x`);
    if (victimOf.size === 0) found.resolve();
  });
  for (const { id } of victims) {
    const { at_ms } = await fleet.order({ do: 'changePoolUser', device: id, slot: 0, user: `thief-${id}.x` });
    changedMs.set(id, at_ms);
    await after((intervalS * 1000) / victims.length);
  }
  await Promise.race([found.promise, after((2 * intervalS + 2 * CONFIRM_S + 10) * 1000)]);
  return {
    changes: victims.length,
    missed: victimOf.size,
    beyond_looks_ms: {
      p50: round1(quantile(beyond, 0.5)),
      p99: round1(quantile(beyond, 0.99)),
      max: round1(Math.max(...beyond)),
    },
    from_change_s: { p50: round1(quantile(whole, 0.5)), max: round1(Math.max(...whole)) },
  };
};

const isOpened = ({ finding, state }: Published): boolean => finding === 'pool.user-changed' && state === 'open';

const userIn = (value: unknown): string =>
  typeof value === 'string' ? value : String((value as { user?: unknown } | undefined)?.user ?? '');
