/** Something under way that has deadlines, and that ends with its signal. */
export interface Watched {
  /** Where it stands among the others; belongs to this file. */
  place: number;
  readonly signal: AbortSignal | undefined;
  /** Ends what has taken too long. */
  readonly check: (nowMs: number) => void;
  readonly abort: () => void;
}

const TICK_MS = 20;

/**
 * A `Set` would do, but one that is filled and emptied all the time leaves a chain of its former tables to the garbage
 * collector, which keeps what stood in each of them for long: V8 then copies a tenth of everything that is allocated.
 */
const watched: Watched[] = [];
const signals = new WeakSet<AbortSignal>();
let ticking: NodeJS.Timeout | undefined;

/**
 * Looks at the clock for everything that is under way, and listens to each signal once. Timers and listeners for every
 * exchange would cost a tenth of it, and nearly none ever fires.
 */
export const watch = (one: Watched): void => {
  one.place = watched.length;
  watched.push(one);
  // What is watched keeps the process alive by itself.
  ticking ??= setInterval(tick, TICK_MS).unref();
  const { signal } = one;
  if (signal === undefined || signals.has(signal)) return;
  signals.add(signal);
  signal.addEventListener('abort', () => {
    for (const other of watched.slice()) if (other.signal === signal) other.abort();
  });
};

/** Watches this one no more. */
export const unwatch = (one: Watched): void => {
  const last = watched.pop();
  if (last === undefined || last === one) return;
  last.place = one.place;
  watched[one.place] = last;
};

const tick = (): void => {
  const nowMs = performance.now();
  for (const one of watched.slice()) one.check(nowMs);
  if (watched.length > 0) return;
  clearInterval(ticking);
  ticking = undefined;
};
