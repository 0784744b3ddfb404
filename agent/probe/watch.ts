/** Something under way that has deadlines, and that ends with its signal. */
export interface Watched {
  readonly signal: AbortSignal | undefined;
  /** Ends what has taken too long. */
  readonly check: (nowMs: number) => void;
  readonly abort: () => void;
}

const TICK_MS = 20;

const watched = new Set<Watched>();
const signals = new WeakSet<AbortSignal>();
let ticking: NodeJS.Timeout | undefined;

/**
 * Looks at the clock for everything that is under way, and listens to each signal once. Timers and listeners for every
 * exchange would cost a tenth of it, and nearly none ever fires.
 */
export const watch = (one: Watched): void => {
  watched.add(one);
  // What is watched keeps the process alive by itself.
  ticking ??= setInterval(tick, TICK_MS).unref();
  const { signal } = one;
  if (signal === undefined || signals.has(signal)) return;
  signals.add(signal);
  signal.addEventListener('abort', () => {
    for (const other of watched) if (other.signal === signal) other.abort();
  });
};

export const unwatch = (one: Watched): void => {
  watched.delete(one);
};

const tick = (): void => {
  const nowMs = performance.now();
  for (const one of watched) one.check(nowMs);
  if (watched.size > 0) return;
  clearInterval(ticking);
  ticking = undefined;
};
