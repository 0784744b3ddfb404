import type { Emit } from '../platform/events.ts';
import type { FleetSeat } from './fleet.ts';
import { type Round, type RoundSchedule, scheduleRounds } from './rounds.ts';
import type { DueLook, Timetable } from './timetable.ts';

const TICK_MS = 40;

/** What starts looks when they fall due. `run` never rejects: what a look may fail with is reported there. */
export interface PacerDeps {
  readonly timetable: Timetable<FleetSeat>;
  readonly schedule: { readonly pools: string; readonly config: string };
  readonly run: (due: DueLook<FleetSeat>) => Promise<void>;
  /** A pools round opened. */
  readonly opened: () => void;
  readonly overdue: (seat: FleetSeat, fullIntervalMs: number) => boolean;
  readonly wallMs: () => number;
  readonly emit: Emit;
}

/** Opens rounds by the operator's schedules and starts every look when it is due. */
export class Pacer {
  readonly #deps: PacerDeps;
  readonly #underWay = new Set<Promise<void>>();
  #schedules: { readonly pools: RoundSchedule; readonly config: RoundSchedule } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #poolsIntervalMs = 60_000;

  constructor(deps: PacerDeps) {
    this.#deps = deps;
  }

  /** Opens the first rounds at once, then follows the schedules. */
  async start(): Promise<void> {
    const { timetable, schedule, wallMs, emit, opened, overdue } = this.#deps;
    const pools = await scheduleRounds('pools', schedule.pools, {
      emit,
      wallMs,
      open: (round: Round) => {
        this.#poolsIntervalMs = round.intervalMs;
        timetable.openPools(round);
        opened();
      },
    });
    const config = await scheduleRounds('config', schedule.config, {
      emit,
      wallMs,
      open: (round) => timetable.openFull(round),
    });
    this.#schedules = { pools, config };
    this.#poolsIntervalMs = pools.intervalMs();
    const round = { openedAtMs: wallMs(), intervalMs: this.#poolsIntervalMs };
    timetable.openStart(round, (seat) => overdue(seat, config.intervalMs()));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Time between two pools rounds, ms. */
  poolsIntervalMs(): number {
    return this.#poolsIntervalMs;
  }

  /** No look starts any more; resolves when those under way are over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#schedules?.pools.stop(), this.#schedules?.config.stop()]);
    await Promise.all(this.#underWay);
  }

  #tick(): void {
    for (const due of this.#deps.timetable.due(this.#deps.wallMs())) {
      const look = this.#deps.run(due);
      this.#underWay.add(look);
      void look.finally(() => this.#underWay.delete(look));
    }
  }
}
