import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { signingCollector } from '../../agent/collect/witness.ts';
import { PostgresServer } from '../../test/collect/postgres-server.ts';
import { Mosquitto } from '../../test/publish/mosquitto.ts';
import { bundleAgent } from '../bundle.ts';
import { RUNTIME_OPTIONS } from '../runtime-options.ts';
import type { GatewaysReport, Rates, Sizes } from './orders.ts';
import { ask, CollectorProcess, GatewaysProcess, verifyAlone } from './processes.ts';
import { type Cost, type Memory, type Watched, Watching } from './watched.ts';

export interface ScaleOptions {
  readonly gateways: number;
  /** Miners of each gateway. */
  readonly devices: number;
  /** Entries that are written while the collector is away. */
  readonly entries: number;
  /** How long the fleet is watched as it lives, and again while everything changes; 0 leaves both out. */
  readonly seconds: number;
  /** By how much more than mqtt.md §10 has for these gateways is written meanwhile. */
  readonly times: number;
  readonly processes: number;
  readonly spread: number;
  /** `true`: a server of its own; a text: the URL of a database. */
  readonly postgres?: string | true;
  readonly binary?: string;
  /** Folder for CPU profiles of the collector, one for each of its runs. */
  readonly profile?: string;
}

/** The broker, as it is configured here: mqtt.md §9 without TLS and access list, which are not what is measured. */
const BROKER = [
  'allow_anonymous true',
  'persistence true',
  'persistence_location #/',
  'autosave_interval 30',
  'max_queued_messages 100000',
  'max_inflight_messages 100',
  'max_packet_size 262144',
  'queue_qos0_messages false',
  'log_type none',
  'log_type error',
  'log_type warning',
];

const COLLECTOR = 'collector-a';
/** mqtt.md §10, a second, for 2 000 gateways with 500 miners each. */
const SIZED = { gateways: 2_000, devices: 500, refresh: 12, changes: 1, coverage: 2, rollout: 210 };
/** Entries that a change of pools is: an attestation, and a finding for each of three slots. */
const CHANGE_ENTRIES = 4;
const LOOK_MS = 250;
/** Without progress for so long something is wrong. */
const STUCK_MS = 120_000;

/** What one phase cost the collector, and whoever was there as well. */
export interface Phase {
  readonly phase: 'first' | 'live' | 'rollout' | 'outage' | 'catch-up';
  readonly seconds: number;
  /** Entries that were stored, in the outage written. */
  readonly entries: number;
  readonly entries_per_s: number;
  /** CPU time of the collector: for an entry, and as part of one CPU. */
  readonly collector_us?: number;
  readonly collector_share?: number;
  /** CPU time for an entry against verifying it alone. */
  readonly ratio?: number;
  /** The same of broker and gateways together, which make the entries that they send. */
  readonly others_us: number;
  readonly memory_mb: { readonly [name: string]: Memory };
}

export interface Scale {
  readonly broker: readonly string[];
  readonly store: 'sqlite' | 'postgresql';
  readonly gateways: number;
  readonly devices: number;
  readonly phases: readonly Phase[];
  readonly verify_alone_us: number;
  readonly entry_bytes: number;
  /** Entries that were written, and those of them that the store of the collector lacks. */
  readonly written: number;
  readonly lost: number;
  readonly verdicts: { readonly [status: string]: number };
  /** Entries that gateways sent again because they were not confirmed in time. */
  readonly resent: number;
  /** What should not be said when nothing is wrong. */
  readonly alarms: readonly string[];
}

/** Says what is done; `progress` replaces what it said before. */
export interface Voice {
  readonly note: (text: string) => void;
  readonly progress: (text: string) => void;
}

type Unratioed = Omit<Phase, 'ratio'>;

/** One run in a folder that somebody else removes. Everything it started has ended when it settles. */
export const measureScale = async (
  options: ScaleOptions,
  folder: string,
  voice: Voice,
  signal: AbortSignal,
): Promise<Scale> => {
  await using server = options.postgres === true ? await PostgresServer.start() : undefined;
  await using broker = await Mosquitto.start(BROKER);
  const program = await programOf(options, folder);
  const place = await placeOf(options, server, folder);
  await using collector = new CollectorProcess(
    program,
    [broker.url, '--id', COLLECTOR, '--trust', join(folder, 'keys.json'), '--cosign', join(folder, 'cosign'), ...place],
    options.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', options.profile],
  );
  await using fleet = await Fleet.begin(options, broker, folder, voice);
  const run = new Run(fleet, collector, broker, voice, signal);
  const phases: Unratioed[] = [await run.catchUp('first')];
  if (options.seconds > 0) {
    phases.push(await run.live('live', options.seconds, ratesOf(options, 'live')));
    phases.push(await run.live('rollout', options.seconds, ratesOf(options, 'rollout')));
    await run.settled();
  }
  const before = await fleet.sizes();
  await collector.stop();
  phases.push(await run.outage(options.entries));
  phases.push(await run.catchUp('catch-up'));
  const { resent, errors } = await fleet.report();
  const sizes = await fleet.sizes();
  const verdicts = await collector.stop();
  await fleet[Symbol.asyncDispose]();
  const lost = await missing(program, place, sizes);
  const alarms = [...(await alarmsOf(program, place)), ...collector.said, ...Object.keys(errors)];
  const alone = await alongEachOther(fleet.folders(before), voice, signal);
  const { cpuUs, entries, bytes, otherwise } = alone;
  const us = cpuUs / entries;
  if (otherwise > 0) alarms.push(`${otherwise} entries do not verify alone`);
  return {
    broker: BROKER,
    store: options.postgres === undefined ? 'sqlite' : 'postgresql',
    gateways: options.gateways,
    devices: options.devices,
    phases: phases.map((phase) => ratioed(phase, us)),
    verify_alone_us: Math.round(us),
    entry_bytes: Math.round(bytes / entries),
    written: sum(Object.values(sizes)),
    lost,
    verdicts,
    resent,
    alarms,
  };
};

const ratioed = (phase: Unratioed, us: number): Phase =>
  phase.collector_us === undefined ? phase : { ...phase, ratio: Math.round((100 * phase.collector_us) / us) / 100 };

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const programOf = async ({ binary }: ScaleOptions, folder: string): Promise<readonly [string, ...string[]]> =>
  binary === undefined ? [process.execPath, ...RUNTIME_OPTIONS, await bundleAgent(folder)] : [binary];

const placeOf = async (
  { postgres }: ScaleOptions,
  server: PostgresServer | undefined,
  folder: string,
): Promise<readonly string[]> => {
  const url = server === undefined ? postgres : await server.database();
  return typeof url === 'string' ? ['--postgres', url] : ['--state', join(folder, 'collector')];
};

const ratesOf = ({ gateways, devices, times }: ScaleOptions, phase: 'live' | 'rollout'): Rates => {
  const ofGateways = (times * gateways) / SIZED.gateways;
  const ofDevices = (ofGateways * devices) / SIZED.devices;
  const changes = phase === 'live' ? SIZED.changes : SIZED.rollout;
  return {
    refresh: SIZED.refresh * ofDevices,
    changes: (changes * ofDevices) / CHANGE_ENTRIES,
    coverage: SIZED.coverage * ofGateways,
  };
};

/** Entries that were written and are not in the store of the collector. */
const missing = async (
  program: readonly [string, ...string[]],
  place: readonly string[],
  sizes: Sizes,
): Promise<number> => {
  const lines = await ask(program, ['logs', ...place]);
  const stored = new Map((lines as readonly { log: string; size: number }[]).map(({ log, size }) => [log, size]));
  return sum(Object.entries(sizes).map(([log, size]) => size - (stored.get(log) ?? 0)));
};

const alarmsOf = async (program: readonly [string, ...string[]], place: readonly string[]): Promise<string[]> => {
  const lines = await ask(program, ['alarms', ...place]);
  return lines.map((line) => JSON.stringify(line).slice(0, 300));
};

/** As many verifiers at the same time as there are CPUs: on a busy machine the same work takes more CPU time. */
const alongEachOther = async (
  logs: Parameters<typeof verifyAlone>[0],
  { note }: Voice,
  signal: AbortSignal,
): ReturnType<typeof verifyAlone> => {
  note('verifying alone …');
  const share = Math.ceil(logs.length / cpus().length);
  const shares = cpus().map((_cpu, index) => logs.slice(index * share, (index + 1) * share));
  const all = await Promise.all(shares.filter(({ length }) => length > 0).map((some) => verifyAlone(some, signal)));
  return {
    entries: sum(all.map(({ entries }) => entries)),
    cpuUs: sum(all.map(({ cpuUs }) => cpuUs)),
    bytes: sum(all.map(({ bytes }) => bytes)),
    otherwise: sum(all.map(({ otherwise }) => otherwise)),
  };
};

/** All gateways, in the processes that play them. */
class Fleet implements AsyncDisposable {
  readonly #processes: readonly GatewaysProcess[];
  readonly #folder: string;
  readonly #ids: readonly string[];

  private constructor(processes: readonly GatewaysProcess[], folder: string, ids: readonly string[]) {
    this.#processes = processes;
    this.#folder = folder;
    this.#ids = ids;
  }

  /** Every gateway has looked at its miners once and is connected, or about to be. The keys are in `keys.json`. */
  static async begin(options: ScaleOptions, broker: Mosquitto, folder: string, { note }: Voice): Promise<Fleet> {
    note(`${options.gateways} gateways look at ${options.devices} miners each …`);
    const { vkey } = signingCollector(join(folder, 'cosign'), COLLECTOR);
    const state = join(folder, 'gateways');
    mkdirSync(state);
    const ids = Array.from({ length: options.gateways }, (_none, index) => `gw-${String(index + 1).padStart(4, '0')}`);
    const processes = Array.from({ length: options.processes }, () => new GatewaysProcess());
    const fleet = new Fleet(processes, state, ids);
    try {
      await Promise.all(
        processes.map((one, index) =>
          one.begin({
            url: broker.url,
            folder: state,
            gateways: ids.filter((_id, at) => at % options.processes === index),
            devices: options.devices,
            collector: COLLECTOR,
            vkey,
            spreadS: options.spread,
          }),
        ),
      );
    } catch (problem) {
      await fleet[Symbol.asyncDispose]();
      throw problem;
    }
    const keys = ids.map((id) => {
      const { kid, kty, crv, x } = readKey(state, id);
      return { kid, jwk: { kty, crv, x }, role: 'gateway', logs: [`scale.example/${id}`] };
    });
    writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys }));
    return fleet;
  }

  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  get count(): number {
    return this.#ids.length;
  }

  async report(): Promise<GatewaysReport> {
    return added(await Promise.all(this.#processes.map((one) => one.report())));
  }

  async sizes(): Promise<Sizes> {
    return Object.assign({}, ...(await Promise.all(this.#processes.map((one) => one.sizes()))));
  }

  async live({ refresh, changes, coverage }: Rates): Promise<void> {
    const shares = this.#processes.length;
    const rates = { refresh: refresh / shares, changes: changes / shares, coverage: coverage / shares };
    await Promise.all(this.#processes.map((one) => one.tell({ do: 'live', rates })));
  }

  async write(entries: number): Promise<void> {
    const each = Math.ceil(entries / this.#processes.length);
    await Promise.all(this.#processes.map((one) => one.tell({ do: 'write', entries: each })));
  }

  /** Where each log is, for who verifies it; what was there `before` is not measured. */
  folders(before: Sizes): Parameters<typeof verifyAlone>[0] {
    return this.#ids.map((id) => {
      const [, from = 0] = Object.entries(before).find(([log]) => log.split('/')[1] === id) ?? [];
      return { folder: join(this.#folder, id), key: readKey(this.#folder, id), from };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((one) => one[Symbol.asyncDispose]()));
  }
}

const readKey = (state: string, id: string) => JSON.parse(readFileSync(join(state, id, 'gateway.jwk.json'), 'utf8'));

const added = (reports: readonly GatewaysReport[]): GatewaysReport => ({
  size: sum(reports.map(({ size }) => size)),
  confirmed: sum(reports.map(({ confirmed }) => confirmed)),
  connected: sum(reports.map(({ connected }) => connected)),
  resent: sum(reports.map(({ resent }) => resent)),
  errors: Object.assign({}, ...reports.map(({ errors }) => errors)),
});

/** The phases, each watched from its beginning to its end. */
class Run {
  readonly #fleet: Fleet;
  readonly #collector: CollectorProcess;
  readonly #broker: Mosquitto;
  readonly #voice: Voice;
  readonly #signal: AbortSignal;

  constructor(fleet: Fleet, collector: CollectorProcess, broker: Mosquitto, voice: Voice, signal: AbortSignal) {
    this.#fleet = fleet;
    this.#collector = collector;
    this.#broker = broker;
    this.#voice = voice;
    this.#signal = signal;
  }

  /** The collector comes and takes all that waits. */
  async catchUp(phase: 'first' | 'catch-up'): Promise<Unratioed> {
    const { confirmed: before, size } = await this.#fleet.report();
    this.#voice.note(`${phase}: ${size - before} entries wait for the collector …`);
    await this.#collector.start(this.#signal);
    using watching = new Watching(this.#watched());
    await this.settled();
    const { confirmed } = await this.#fleet.report();
    return phaseOf(phase, confirmed - before, watching.end());
  }

  /** The fleet lives. */
  async live(phase: 'live' | 'rollout', seconds: number, rates: Rates): Promise<Unratioed> {
    this.#voice.note(`${phase}: ${seconds} s …`);
    const { confirmed: before } = await this.#fleet.report();
    using watching = new Watching(this.#watched());
    await this.#fleet.live(rates);
    await delay(seconds * 1000, undefined, { signal: this.#signal });
    await this.#fleet.live({ refresh: 0, changes: 0, coverage: 0 });
    const cost = watching.end();
    this.#collector.requireRunning();
    const { confirmed } = await this.#fleet.report();
    return phaseOf(phase, confirmed - before, cost);
  }

  /** Nobody takes what the gateways write. */
  async outage(entries: number): Promise<Unratioed> {
    this.#voice.note(`outage: ${entries} entries are written …`);
    const { collector: _gone, ...there } = this.#watched();
    const { size: before } = await this.#fleet.report();
    using watching = new Watching(there);
    const written = this.#fleet.write(entries);
    const stopped = delay(24 * 3_600_000, undefined, { signal: this.#signal, ref: false });
    await Promise.race([written, stopped]);
    const { size } = await this.#fleet.report();
    return phaseOf('outage', size - before, watching.end());
  }

  /** Until everything that was written is stored, and the gateways know. */
  async settled(): Promise<void> {
    let last = -1;
    let movedMs = performance.now();
    for (;;) {
      this.#collector.requireRunning();
      const { size, confirmed, connected } = await this.#fleet.report();
      this.#voice.progress(`${confirmed} of ${size} entries stored, ${connected} gateways connected`);
      if (confirmed === size) return;
      if (confirmed !== last) movedMs = performance.now();
      last = confirmed;
      if (performance.now() - movedMs > STUCK_MS)
        throw new Error(`nothing was stored for ${STUCK_MS / 1000} s: ${this.#collector.said.join('\n')}`);
      await delay(LOOK_MS, undefined, { signal: this.#signal });
    }
  }

  #watched(): Watched {
    return { collector: [this.#collector.pid], broker: [this.#broker.pid], gateways: this.#fleet.pids };
  }
}

const phaseOf = (phase: Phase['phase'], entries: number, { seconds, cpuMs, memory }: Cost): Unratioed => {
  const { collector, ...others } = cpuMs;
  const usEach = (ms: number): number => Math.round((ms * 1000) / Math.max(1, entries));
  return {
    phase,
    seconds: Math.round(seconds * 10) / 10,
    entries,
    entries_per_s: Math.round(entries / seconds),
    ...(collector === undefined
      ? {}
      : { collector_us: usEach(collector), collector_share: Math.round(collector / seconds / 10) / 100 }),
    others_us: usEach(sum(Object.values(others))),
    memory_mb: memory,
  };
};
