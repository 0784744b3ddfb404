import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { stringify } from 'yaml';
import { command } from '../../agent/cli/program.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { Daemon } from '../../agent/daemon.ts';
import type { AcceptanceResult } from '../../agent/desk/acceptance.ts';
import { askAgent } from '../../agent/platform/control.ts';
import type { Emit } from '../../agent/platform/events.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { addressAfter } from '../../test/simulator/fleet.ts';
import type { SimulatedClock } from './clock.ts';
import type { PlanTerms, Scenario } from './scenario.ts';
import type { Group, Site } from './site.ts';

/** A log line of the agent that a person would have to look at. */
export interface Told {
  readonly level: 'warn' | 'error';
  readonly event: string;
  readonly atMs: number;
  readonly about: string;
}

/** At how many devices an approval was taken, and at how many not. */
export interface Accepted {
  readonly accepted: number;
  readonly refused: number;
}

/** A plan of the scenario, for devices that the agent knows. */
export interface LaidDown {
  readonly plan: PlanTerms;
  /** When what it is for begins. */
  readonly atMs: number;
  readonly name: string;
  readonly devices: readonly string[];
}

/** The gateway: the agent itself, with its configuration, its key and its store in a folder. */
export class Gateway {
  readonly stateDir: string;
  readonly told: Told[] = [];
  readonly #file: string;
  readonly #clock: SimulatedClock;
  #daemon: Daemon | undefined;

  constructor(folder: string, scenario: Scenario, site: Site, clock: SimulatedClock) {
    this.#clock = clock;
    this.stateDir = join(folder, 'state');
    this.#file = join(folder, 'assayer.yaml');
    mkdirSync(this.stateDir, { mode: 0o700 });
    createKey(this.stateDir);
    writeFileSync(this.#file, stringify(configuration(folder, scenario, site)));
  }

  get runs(): boolean {
    return this.#daemon !== undefined;
  }

  async start(): Promise<void> {
    const { wallMs, monoMs } = this.#clock;
    const clock = { wallMs, monoMs };
    // A clock that was set half a minute ago: its service is not what is looked at here.
    const timeSources = {
      chronyTracking: async () => undefined,
      timesyncdAt: async () => Math.floor(wallMs() / 1000) - 30,
      timesyncdMessage: async () => undefined,
    };
    const ambience = { clock, emit: this.#emit, timeSources };
    this.#daemon = await this.#clock.outside(Daemon.start(loadConfig(this.#file), ambience));
  }

  /** Ends in good order, as after SIGTERM. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon !== undefined) await this.#clock.until(daemon.stop('SIGTERM'));
  }

  /** What a person types at the gateway; gives what is printed. Rejects with what the verb rejects with. Its exit code is not ours. */
  async type(...words: readonly string[]): Promise<string> {
    let out = '';
    const into = (take: (text: string) => void): Writable =>
      new Writable({
        write: (chunk, _encoding, done) => {
          take(String(chunk));
          done();
        },
      });
    const printed = into((text) => {
      out += text;
    });
    // Beside a result as JSON stands there what a person is shown.
    const told = into(() => {});
    const io = { out: printed, err: told, input: process.stdin };
    await this.#clock.outside(command([...words, '-c', this.#file], io));
    process.exitCode = undefined;
    return out;
  }

  /** Accepts what these devices show, by their ids; some may be refused, as those that are dark. */
  async accept(devices: readonly string[] | 'all', by: string): Promise<Accepted> {
    const which = devices === 'all' ? ['--all'] : devices;
    const out = await this.type('baseline', 'accept', ...which, '--yes', '--json', '--by', by);
    const { result } = JSON.parse(out) as { readonly result: AcceptanceResult };
    // What the verb prints with --json.
    return { accepted: result.accepted.length, refused: result.refused.length };
  }

  /** Lays down a plan, as somebody does who may; `devices` are ids. */
  async adopt({ plan, atMs, name, devices }: LaidDown): Promise<void> {
    const { type, by, ticket, ids, expected_after, opens_before, lasts, dispatch } = plan;
    const openMs = atMs - opens_before;
    const terms = {
      kind: 'plan',
      plan_id: name,
      type,
      iat: Math.floor(this.#clock.wallMs() / 1000),
      author: by,
      scope: { devices },
      ids,
      not_before_at: openMs / 1000,
      not_after_at: (openMs + lasts) / 1000,
      ...(ticket === undefined ? {} : { ticket }),
      ...(expected_after === undefined ? {} : { expected_after }),
      ...(dispatch === undefined ? {} : { dispatch }),
    };
    await this.#clock.outside(askAgent(this.stateDir, { do: 'adopt', document: { terms, by } }));
  }

  readonly #emit: Emit = (level, event, members = {}) => {
    if (level === 'warn' || level === 'error')
      this.told.push({ level, event, atMs: this.#clock.wallMs(), about: JSON.stringify(members) });
  };
}

/** The file that an operator of this site would write, with the files it names in `folder`. */
const configuration = (folder: string, scenario: Scenario, site: Site): object => {
  const logins = site.groups.flatMap(({ specimen }, index) => {
    const { auth } = specimen.device;
    if (auth === undefined) return [];
    writeFileSync(join(folder, nameOf(index)), auth.password, { mode: 0o600 });
    return [[nameOf(index), { user: auth.user, password_file: nameOf(index) }] as const];
  });
  const withLogin = new Set(logins.map(([name]) => name));
  return {
    gateway: 'month',
    operator: 'site.example',
    state_dir: 'state',
    schedule: { pools: scenario.poll, config: scenario.full, tls: 'off', ssh: 'off' },
    ...(scenario.allow === undefined ? {} : { pools: { allow: scenario.allow } }),
    credentials: Object.fromEntries(logins),
    devices: site.groups.flatMap((group, index) =>
      entriesOf(group).map((entry) => ({
        ...entry,
        ...(withLogin.has(nameOf(index)) ? { credentials: nameOf(index) } : {}),
      })),
    ),
  };
};

const nameOf = (index: number): string => `group-${index + 1}`;

const entriesOf = ({ as, base, size, free }: Group): readonly object[] =>
  as === 'range'
    ? [{ range: `${base}-${addressAfter(base, size + free.length - 1)}` }]
    : Array.from({ length: size }, (_, at) => ({ host: addressAfter(base, at) }));
