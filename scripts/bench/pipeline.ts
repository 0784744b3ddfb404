import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { NO_STORMS } from '../../agent/appraise/storm.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { buildPlant, type Plant } from '../../agent/plant.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { jsonEvents } from '../../agent/platform/events.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { Logins } from '../../agent/probe/logins.ts';
import { Attested } from '../../agent/record/coverage.ts';
import { Log } from '../../agent/record/log.ts';
import { Recorder } from '../../agent/record/recorder.ts';
import { Store } from '../../agent/record/store.ts';
import { Fleet } from '../../agent/schedule/fleet.ts';
import { placesOf } from '../../agent/schedule/places.ts';
import { fleetConfig } from './fleet-config.ts';
import type { Setup } from './setup.ts';

/** After this a due look has been started, ms; the pacer hands out every 40. */
const STARTED_MS = 60;
/** How often the end of a sweep is looked for, ms. */
const LOOK_MS = 20;

/** The agent without its uplink and without the wait between rounds: every look falls due when it is told. */
export class Pipeline implements Disposable {
  readonly #plant: Plant;
  readonly #recorder: Recorder;
  readonly #store: Store;
  readonly #ticking: NodeJS.Timeout;

  constructor(setup: Setup) {
    const loaded = loadConfig(writeConfig(mkdtempSync(join(setup.folder, 'pipeline-')), setup));
    const { config } = loaded;
    const clock = systemClock();
    const emit = jsonEvents(process.stderr, 'warn', clock.wallMs);
    const fleet = new Fleet(placesOf(config), [], new Set());
    this.#store = Store.open(config.state_dir);
    const attested = new Attested();
    const log = Log.open({
      store: this.#store,
      signer: createKey(config.state_dir).signer,
      clock,
      clockState: () => ({ state: 'unsynced', src: 'none' }),
      operator: config.operator,
      gateway: config.gateway,
      start: {
        agent: { name: 'assayer', version: '0' },
        configSha256: '0'.repeat(43),
        host: { os: 'bench', kernel: 'bench', arch: process.arch },
        keyProtection: 'file',
      },
    });
    this.#recorder = new Recorder({
      log,
      attested,
      wallMs: clock.wallMs,
      monoMs: clock.monoMs,
      roundMs: () => 60_000,
      emit,
      keep: (state) => fleet.keep(state),
      state: (device) => fleet.state(device),
      states: () => fleet.states(),
      expected: () => fleet.expected(),
      storms: NO_STORMS,
    });
    const signal = new AbortController().signal;
    this.#plant = buildPlant(loaded, fleet, {
      isLockedOut: () => false,
      clock,
      emit,
      recorder: this.#recorder,
      logins: new Logins(clock),
      begun: Promise.resolve(true),
      signal,
      people: () => 0,
      standing: () => NOTHING_STANDING,
      ranUntilMs: 0,
    });
    this.#ticking = setInterval(() => this.#recorder.tick(), 1000);
  }

  async start(): Promise<void> {
    await this.#plant.pacer.start();
  }

  /** The first full look at every address; resolves when everything that was found is recorded. */
  async learn(): Promise<number> {
    this.#plant.timetable.openStart(due(), () => true);
    await this.#quiet();
    this.#recorder.writeLearned();
    return this.#plant.fleet.states().length;
  }

  /** A second full look at every device, after which the agent is as it is for months. */
  async settle(): Promise<void> {
    // Rarer than the pools rounds, so that these go on to be rounds of their own.
    this.#plant.timetable.openFull({ openedAtMs: 0, intervalMs: 1000 });
    this.#plant.timetable.openPools(due());
    await this.#quiet();
  }

  /** One pools look at every device. */
  async sweep(): Promise<void> {
    this.#plant.timetable.openPools(due());
    await this.#quiet();
  }

  /** Until the looks that were due are over. */
  async #quiet(): Promise<void> {
    await after(STARTED_MS);
    while (this.#plant.fleet.seats().some(({ busy }) => busy)) await after(LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking);
    this.#recorder.stop();
    this.#store[Symbol.dispose]();
  }
}

/** A round whose every look is due at once. */
const due = () => ({ openedAtMs: 0, intervalMs: 1 });

/** A configuration whose schedules never fire while the bench runs. */
const writeConfig = (folder: string, setup: Setup): string => {
  const file = join(folder, 'assayer.yaml');
  const text = [
    'gateway: bench',
    'operator: bench.example',
    `state_dir: ${folder}`,
    ...fleetConfig(setup, folder),
    'schedule: { pools: "0 0 29 2 *", config: "0 0 29 2 *", web: off, tls: off, ssh: off }',
    `probe: { concurrency: ${setup.concurrency} }`,
    // New devices are looked at once more before anything is measured.
    'confirm_s: 1',
  ];
  writeFileSync(file, `${text.join('\n')}\n`);
  return file;
};
