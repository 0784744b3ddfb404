import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

/** One step of the simulated time, ms: a timer that wants to come more often comes once in each. */
export const STEP_MS = 1000;

/** How often it is looked whether something outside has come about, ms of the real time. */
const OUTSIDE_MS = 2;

type Work = (...args: unknown[]) => void;

interface Kept {
  readonly work: Work;
  readonly args: readonly unknown[];
  readonly everyMs: number | undefined;
  atMs: number;
}

const real = { setTimeout: globalThis.setTimeout, setImmediate: globalThis.setImmediate };

/**
 * The time of this process: it stands still until it is moved, and all its timers with it. `install` puts it in the place of
 * the clocks and timers that the agent finds; the code that asks for them is the agent's own.
 */
export class SimulatedClock {
  #nowMs: number;
  readonly #startMs: number;
  readonly #timers = new Set<SimulatedTimer>();

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  /** Unix milliseconds. */
  readonly wallMs = (): number => this.#nowMs;

  /** Milliseconds since the start. */
  readonly monoMs = (): number => this.#nowMs - this.#startMs;

  /** Takes the place of `Date`, `performance.now`, `setTimeout`, `setInterval` and their promises, for good. */
  install(): void {
    globalThis.Date = dateOf(this.wallMs);
    performance.now = this.monoMs;
    const timer =
      (everyMs: boolean) =>
      (work: Work, delayMs: number | undefined, ...args: unknown[]) =>
        this.#start(work, delayMs, args, everyMs);
    const clear = (one: unknown): void => {
      if (one instanceof SimulatedTimer) one.close();
    };
    Object.assign(globalThis, {
      setTimeout: timer(false),
      setInterval: timer(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Object.assign(timersPromises, { setTimeout: this.#delay });
    syncBuiltinESMExports();
  }

  #start(work: Work, delayMs: number | undefined, args: readonly unknown[], again: boolean): SimulatedTimer {
    const waitMs = Math.max(1, Number(delayMs) || 1);
    return new SimulatedTimer(this.#timers, {
      work,
      args,
      atMs: this.#nowMs + waitMs,
      everyMs: again ? waitMs : undefined,
    });
  }

  readonly #delay = <T>(delayMs?: number, value?: T, options: { readonly signal?: AbortSignal } = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const abandon = (): void => {
        timer.close();
        reject(signal?.reason);
      };
      const timer = this.#start(
        () => {
          signal?.removeEventListener('abort', abandon);
          resolve(value as T);
        },
        delayMs,
        [],
        false,
      );
      if (signal?.aborted) abandon();
      else signal?.addEventListener('abort', abandon, { once: true });
    });

  /** One step on. Resolves when all that could be done at this time without waiting for anything outside was done. */
  async step(): Promise<void> {
    this.#nowMs += STEP_MS;
    this.#fire();
    // Whatever promises lead to is done before the next turn of the event loop.
    await new Promise((resolve) => real.setImmediate(resolve));
  }

  /** Time passes, and nothing of this process notices: a host that sleeps, or a process that is held. */
  skip(ms: number): void {
    this.#nowMs += ms;
  }

  /** Waits for something outside, while time stands still: a child process, a socket of the system. */
  async outside<T>(outcome: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    outcome.then(settle, settle);
    while (!settled) await new Promise((resolve) => real.setTimeout(resolve, OUTSIDE_MS));
    return await outcome;
  }

  /** Waits for something that the timers of this process lead to. */
  async until<T>(outcome: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    outcome.then(settle, settle);
    while (!settled) await this.step();
    return await outcome;
  }

  #fire(): void {
    const due = [...this.#timers].filter(({ kept }) => kept.atMs <= this.#nowMs);
    due.sort((one, other) => one.kept.atMs - other.kept.atMs);
    for (const timer of due) timer.fire(this.#nowMs);
  }
}

/** What `setTimeout` and `setInterval` give. It keeps no process alive. */
class SimulatedTimer {
  readonly kept: Kept;
  readonly #timers: Set<SimulatedTimer>;

  constructor(timers: Set<SimulatedTimer>, kept: Kept) {
    this.#timers = timers;
    this.kept = kept;
    timers.add(this);
  }

  /** Does its work, unless it was cleared by another that came before it in this step. */
  fire(nowMs: number): void {
    if (!this.#timers.has(this)) return;
    const { work, args, everyMs } = this.kept;
    if (everyMs === undefined) this.#timers.delete(this);
    else this.kept.atMs = Math.max(this.kept.atMs + everyMs, nowMs + 1);
    work(...args);
  }

  close(): this {
    this.#timers.delete(this);
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const dateOf = (wallMs: () => number): DateConstructor => {
  const TrueDate = Date;
  class SimulatedDate extends TrueDate {
    constructor(...args: readonly unknown[]) {
      // The constructor of Date has forms that no one signature tells.
      super(...((args.length === 0 ? [wallMs()] : args) as [number]));
    }

    static override now(): number {
      return wallMs();
    }
  }
  return SimulatedDate as DateConstructor;
};
