import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import { Semaphore } from '../probe/limits.ts';
import { RoundSchedule } from './rounds.ts';
import type { FleetSeat } from './seat.ts';
import type { DueLook, Timetable } from './timetable.ts';

const TICK_MS = 40;
/** Seats of the first round are this far apart on average, ms. */
const APART_AT_START_MS = 10;

/** What starts looks when they fall due. `run` never rejects: what a look may fail with is reported there. */
export interface PacerDeps {
  readonly timetable: Timetable<FleetSeat>;
  readonly schedule: { readonly pools: string; readonly config: string };
  readonly run: (due: DueLook<FleetSeat>) => Promise<void>;
  /** Whether a look that fell due can be made; it then is, sooner or later. */
  readonly admit: (due: DueLook<FleetSeat>) => boolean;
  /** How many looks may be under way at the same time. */
  readonly most: number;
  /** A pools round opened. */
  readonly opened: () => void;
  readonly overdue: (seat: FleetSeat, fullIntervalMs: number) => boolean;
  /** Rounds open by the wall clock; within a round the monotonic one counts. */
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Opens rounds by the operator's schedules and starts every look when it is due. */
export class Pacer {
  readonly #deps: PacerDeps;
  readonly #looks: Semaphore;
  /** Of seats that take turns. */
  readonly #lines = new Set<Semaphore>();
  readonly #pools: RoundSchedule;
  readonly #config: RoundSchedule;
  #timer: NodeJS.Timeout | undefined;
  #poolsIntervalMs: number;

  constructor(deps: PacerDeps) {
    const { schedule, clock, emit, most } = deps;
    this.#deps = deps;
    this.#looks = new Semaphore(most);
    this.#pools = new RoundSchedule('pools', schedule.pools, { clock, emit });
    this.#config = new RoundSchedule('config', schedule.config, { clock, emit });
    this.#poolsIntervalMs = this.#pools.intervalMs();
  }

  /** Opens the first rounds at once, then follows the schedules. */
  start(): void {
    const { timetable, clock, overdue } = this.#deps;
    const fullIntervalMs = this.#config.intervalMs();
    // A few devices are seen at once, many over the usual interval.
    const intervalMs = Math.min(this.#poolsIntervalMs, timetable.size() * APART_AT_START_MS);
    const round = { openedAtMs: clock.monoMs(), intervalMs };
    timetable.openStart(round, (seat) => overdue(seat, fullIntervalMs));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Time between two pools rounds, ms. */
  poolsIntervalMs(): number {
    return this.#poolsIntervalMs;
  }

  /** Within this time every seat was looked at, an empty one, too: a config round, and what jitter adds, ms. */
  searchMs(): number {
    return this.#config.intervalMs() * 1.2;
  }

  /** No look starts any more; resolves when those that fell due are over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#pools[Symbol.dispose]();
    this.#config[Symbol.dispose]();
    await Promise.all([...this.#lines].map((line) => line.idle()));
    await this.#looks.idle();
  }

  #tick(): void {
    const { timetable, clock, opened, admit } = this.#deps;
    const openedAtMs = clock.monoMs();
    const poolsMs = this.#pools.opens();
    const fullMs = this.#config.opens();
    if (poolsMs !== undefined) {
      this.#poolsIntervalMs = poolsMs;
      timetable.openPools({ openedAtMs, intervalMs: poolsMs });
      opened();
    }
    if (fullMs !== undefined) timetable.openFull({ openedAtMs, intervalMs: fullMs });
    for (const due of timetable.due(openedAtMs)) if (admit(due)) this.#start(due);
  }

  /** What waits for its turn at a machine takes no place meanwhile, or a long line would hold up all others. */
  #start(due: DueLook<FleetSeat>): void {
    const { line } = due.seat;
    const look = () => this.#deps.run(due);
    if (line === undefined) {
      this.#looks.start(look);
      return;
    }
    this.#lines.add(line);
    line.start(() => this.#looks.run(look));
  }
}
