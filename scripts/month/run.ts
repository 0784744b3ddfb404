import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { RoundSchedule } from '../../agent/schedule/rounds.ts';
import { Random } from '../fuzz/random.ts';
import { type Absence, type Agenda, agendaOf, type Deed, type Happening } from './agenda.ts';
import { SimulatedClock, STEP_MS } from './clock.ts';
import { Gateway } from './gateway.ts';
import { Judge, timeText } from './judge.ts';
import { entriesIn, idsIn } from './log-reader.ts';
import { SimulatedNetwork } from './network.ts';
import { type Report, reportOf } from './report.ts';
import type { Loaded } from './scenario.ts';
import { Site } from './site.ts';

const DAY_MS = 86_400_000;
const RESOLUTION = 2 ** 30;

/** Whoever watches a run. */
export interface Watcher {
  readonly signal: AbortSignal;
  /** Called now and then with how much is done, from 0 to 1. */
  readonly progress: (share: number) => void;
}

/**
 * Lives through a scenario in this process, whose time and whose network to devices are simulated from now on. `ofDevices`: how
 * many devices the scenario was written for. Rejects with the reason of the signal where it is aborted.
 */
export const runMonth = async (loaded: Loaded, ofDevices: number, watcher: Watcher): Promise<Report> => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-month-'));
  try {
    return await liveThrough(loaded, ofDevices, folder, watcher);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const liveThrough = async (
  loaded: Loaded,
  ofDevices: number,
  folder: string,
  { signal, progress }: Watcher,
): Promise<Report> => {
  const { scenario } = loaded;
  const begunNs = process.hrtime.bigint();
  const startMs = Date.parse(scenario.start);
  const endMs = startMs + scenario.days * DAY_MS;
  const clock = new SimulatedClock(startMs);
  clock.install();
  const chance = randomOf(scenario.seed, 'agent');
  Math.random = chance;
  const network = new SimulatedNetwork(
    { cut: scenario.truncated, randomOf: (device, quarter) => randomOf(scenario.seed, 'network', device, quarter) },
    compileAllowList(DRIVERS, IDENTIFICATION).listed,
    clock.wallMs,
  );
  network.install();
  const site = await Site.open(loaded, { network, nowMs: clock.wallMs });
  const pollMs = intervalOf(scenario.poll, clock);
  const fullMs = intervalOf(scenario.full, clock);
  const apartMs = 6 * pollMs + 2 * fullMs;
  const agenda = agendaOf(scenario, site, { startMs, endMs, apartMs }, ofDevices);
  const gateway = new Gateway(folder, scenario, site, clock);

  await gateway.start();
  const acceptMs = startMs + (scenario.accept.day - 1) * DAY_MS + scenario.accept.at;
  const accepted = { accepted: 0, refused: 0 };
  const desk: readonly Deed[] = [
    {
      atMs: acceptMs,
      perform: async () => void Object.assign(accepted, await gateway.accept('all', scenario.accept.by)),
    },
    ...agenda.happenings.flatMap((happening) => paperworkOf(happening, gateway, network)),
  ];
  const life = new Life(clock, gateway, agenda, desk);
  while (clock.wallMs() < endMs && !signal.aborted) {
    await life.step();
    if (clock.wallMs() % 600_000 === 0) progress((clock.wallMs() - startMs) / (endMs - startMs));
  }
  await gateway.stop();
  signal.throwIfAborted();

  const judge = new Judge({ agenda, network, pollMs, apartMs, days: scenario.days, devices: scenario.devices });
  for (const statement of entriesIn(gateway.stateDir)) judge.take(statement);
  const { user, system } = process.cpuUsage();
  return reportOf(judge.verdict(), {
    scenario: scenario.title,
    seed: scenario.seed,
    devices: scenario.devices,
    days: scenario.days,
    poll_s: pollMs / 1000,
    full_look_s: fullMs / 1000,
    acceptance: accepted,
    left_out: agenda.leftOut,
    took_s: Number(process.hrtime.bigint() - begunNs) / 1e9,
    cpu_s: (user + system) / 1e6,
    traffic: network.traffic,
    problems: [
      ...gateway.told
        .filter(({ level }) => level === 'error')
        .map(({ event, atMs, about }) => `the agent said ${event} at ${timeText(atMs)}: ${about}`),
      ...network.violations().map(({ device, reason, request }) => `${device} was asked ${request}: ${reason}`),
    ],
  });
};

/** So long before it opens a plan is laid down. */
const BEFOREHAND_MS = 1_200_000;

/** The plan before it, and the approval of what came of it. */
const paperworkOf = (happening: Happening, gateway: Gateway, network: SimulatedNetwork): readonly Deed[] => {
  const { event, turn, atMs, machines } = happening;
  if (!('plan' in event) || event.plan === undefined) return [];
  const { plan } = event;
  const devices = (): readonly string[] => {
    const ids = idsIn(gateway.stateDir, (address, seenMs) => network.deviceAt(address, seenMs));
    return machines.flatMap(({ device }) => ids.get(device) ?? []);
  };
  const name = turn === 0 ? plan.id : `${plan.id}-${turn + 1}`;
  const adopt = () => gateway.adopt({ plan, atMs, name, devices: devices() });
  const approve = async () => {
    happening.approved = await gateway.accept(devices(), plan.by);
  };
  const openMs = atMs - plan.opens_before;
  const adoption = { atMs: openMs - BEFOREHAND_MS, perform: adopt };
  if (plan.approved_after === undefined) return [adoption];
  return [adoption, { atMs: openMs + plan.lasts + plan.approved_after, perform: approve }];
};

/** A number from 0 to below 1, the same ones for a seed and names. */
const randomOf = (seed: number, ...names: readonly string[]): (() => number) => {
  const random = new Random(seed, ...names);
  return () => random.below(RESOLUTION) / RESOLUTION;
};

const intervalOf = (cron: string, clock: SimulatedClock): number => {
  using schedule = new RoundSchedule('month', cron, { clock, emit: () => {} });
  return schedule.intervalMs();
};

/** Time goes on, and what is due is done. */
class Life {
  readonly #clock: SimulatedClock;
  readonly #gateway: Gateway;
  readonly #deeds: Due;
  /** What people do at the gateway: it waits while the agent does not run. */
  readonly #desk: Due;
  readonly #absences: readonly Absence[];
  #nextAbsence = 0;

  constructor(clock: SimulatedClock, gateway: Gateway, { deeds, absences }: Agenda, desk: readonly Deed[]) {
    this.#clock = clock;
    this.#gateway = gateway;
    this.#deeds = new Due(deeds);
    this.#desk = new Due(desk);
    this.#absences = absences;
  }

  async step(): Promise<void> {
    const absence = this.#absences[this.#nextAbsence];
    const nowMs = this.#clock.wallMs();
    if (absence !== undefined && absence.atMs <= nowMs) {
      await this.#away(absence);
      return;
    }
    await this.#clock.step();
    await this.#deeds.performUntil(this.#clock.wallMs());
    await this.#desk.performUntil(this.#clock.wallMs());
  }

  /** The devices live on while nobody looks. */
  async #away({ stall, untilMs }: Absence): Promise<void> {
    this.#nextAbsence += 1;
    if (stall.how === 'stopped') await this.#gateway.stop();
    while (this.#clock.wallMs() < untilMs) {
      this.#clock.skip(STEP_MS);
      await this.#deeds.performUntil(this.#clock.wallMs());
    }
    if (stall.how === 'stopped') await this.#gateway.start();
  }
}

/** Deeds in the order of their times. */
class Due {
  readonly #deeds: readonly Deed[];
  #next = 0;

  constructor(deeds: readonly Deed[]) {
    this.#deeds = deeds.toSorted((one, other) => one.atMs - other.atMs);
  }

  async performUntil(nowMs: number): Promise<void> {
    for (;;) {
      const deed = this.#deeds[this.#next];
      if (deed === undefined || deed.atMs > nowMs) return;
      this.#next += 1;
      await deed.perform();
    }
  }
}
