import type { LookKind } from '../normalise/observation.ts';
import type { Round } from './rounds.ts';

/** Something that is looked at in rounds: a device, or an address where none was found yet. */
export interface Seat {
  /** A device gets every pools round; an empty address is searched in config rounds only. */
  readonly occupied: boolean;
  /** Failed looks push this into the future; nothing is due before it. */
  readonly restUntilMs: number;
}

/** One look that is due now. */
export interface DueLook<S extends Seat> {
  readonly seat: S;
  readonly look: LookKind;
  /** The look was asked for by an earlier one (confirmation, after a reboot), not by a round. */
  readonly early: boolean;
}

/** A round: its seats in the order in which they fall due, when each does, and how many were handed out. */
interface Sweep<S> {
  readonly seats: readonly S[];
  readonly atMs: Float64Array;
  next: number;
}

const JITTER = 0.1;
/** Two intervals measured at two firings of the same schedule differ by milliseconds. */
const SAME_INTERVAL = 1.05;
/** The last seats of a round fall due this long before the next opens, so that a late tick drops none. */
const MARGIN_MS = 200;

/**
 * Who is due. A round spreads its seats evenly over its interval, each with its own phase and ± 10 % jitter. A full look
 * that falls due is made at the device's next turn in a pools round, so that no device is asked twice; when config
 * rounds are at least as frequent as pools rounds they make their own looks. Every instant is on one clock, which never
 * falls.
 */
export class Timetable<S extends Seat> {
  readonly #seats: () => readonly S[];
  readonly #phaseOf: (seat: S) => number;
  readonly #random: () => number;
  #pools: Sweep<S> = NO_ROUND;
  #full: Sweep<S> = NO_ROUND;
  #poolsIntervalMs = Number.POSITIVE_INFINITY;
  #fullIntervalMs = Number.POSITIVE_INFINITY;
  readonly #fullDue = new Set<S>();
  readonly #early = new Map<S, number>();

  constructor(deps: { seats: () => readonly S[]; phaseOf: (seat: S) => number; random: () => number }) {
    this.#seats = deps.seats;
    this.#phaseOf = deps.phaseOf;
    this.#random = deps.random;
  }

  /** How many seats there are. */
  size(): number {
    return this.#seats().length;
  }

  /** The rounds of a start: empty addresses are searched, a known device gets a full look if its last one is `overdue`. */
  openStart(round: Round, overdue: (seat: S) => boolean): void {
    this.openPools(round);
    this.#full = this.#sweep(
      round,
      this.#seats().filter((seat) => !seat.occupied),
      this.#full,
    );
    for (const seat of this.#seats()) if (seat.occupied && overdue(seat)) this.#fullDue.add(seat);
  }

  openPools(round: Round): void {
    this.#poolsIntervalMs = round.intervalMs;
    this.#pools = this.#sweep(
      round,
      this.#seats().filter((seat) => seat.occupied),
      this.#pools,
    );
  }

  openFull(round: Round): void {
    this.#fullIntervalMs = round.intervalMs;
    this.#full = this.#sweep(round, this.#seats(), this.#full);
  }

  /** Wants a full look at `atMs`, or sooner if one is due anyway. */
  askEarly(seat: S, atMs: number): void {
    this.#early.set(seat, Math.min(atMs, this.#early.get(seat) ?? atMs));
  }

  /** A full look was made, whoever asked for it. */
  fullLookDone(seat: S): void {
    this.#fullDue.delete(seat);
    this.#early.delete(seat);
  }

  /** Hands out, once, every look that has fallen due. */
  due(nowMs: number): readonly DueLook<S>[] {
    const looks = new Map<S, DueLook<S>>();
    for (const [seat, atMs] of this.#early) {
      if (atMs > nowMs || seat.restUntilMs > nowMs) continue;
      this.#early.delete(seat);
      looks.set(seat, { seat, look: 'full', early: true });
    }
    const fullAsOften = this.#fullIntervalMs <= this.#poolsIntervalMs * SAME_INTERVAL;
    for (const seat of take(this.#full, nowMs)) {
      const waits = seat.occupied && !fullAsOften;
      if (waits) this.#fullDue.add(seat);
      else looks.set(seat, { seat, look: 'full', early: false });
    }
    for (const seat of take(this.#pools, nowMs)) {
      if (fullAsOften || !seat.occupied) continue;
      const full = looks.has(seat) || this.#fullDue.has(seat);
      looks.set(seat, { seat, look: full ? 'full' : 'pools', early: false });
    }
    return [...looks.values()].filter(({ seat }) => seat.restUntilMs <= nowMs);
  }

  /** The turns of a round. What fell due in the one `before` and was not handed out yet is made up for first. */
  #sweep(round: Round, seats: readonly S[], before: Sweep<S>): Sweep<S> {
    const late = take(before, round.openedAtMs);
    const all = [...late, ...seats];
    // Numbers in place of an object for each turn: a large fleet opens a round a minute.
    const dueMs = Float64Array.from(all, (seat, at) => {
      if (at < late.length) return round.openedAtMs;
      const share = this.#phaseOf(seat) * (1 - JITTER) + this.#random() * JITTER;
      return round.openedAtMs + share * Math.max(0, round.intervalMs - MARGIN_MS);
    });
    const order = Uint32Array.from(all, (_, at) => at).sort((a, b) => (dueMs[a] as number) - (dueMs[b] as number));
    return { seats: Array.from(order, (at) => all[at] as S), atMs: dueMs.sort(), next: 0 };
  }
}

const NO_ROUND: Sweep<never> = { seats: [], atMs: new Float64Array(), next: 0 };

const take = <S>(sweep: Sweep<S>, nowMs: number): readonly S[] => {
  const from = sweep.next;
  while ((sweep.atMs[sweep.next] ?? Number.POSITIVE_INFINITY) <= nowMs) sweep.next += 1;
  return sweep.seats.slice(from, sweep.next);
};
