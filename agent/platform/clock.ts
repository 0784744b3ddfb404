import { uptime } from 'node:os';

/** The two clocks every stage gets as an argument. Tests pass their own. */
export interface Clock {
  /** Wall clock, Unix milliseconds. */
  readonly wallMs: () => number;
  /** Milliseconds since the agent started; never falls. */
  readonly monoMs: () => number;
  /** Milliseconds since the host started; counts on while it sleeps, when `monoMs` stands. Absent where the host does not tell. */
  readonly bootMs?: (() => number) | undefined;
}

/** The machine's clocks; `monoMs` counts from this call. */
export const systemClock = (): Clock => {
  const startMs = performance.now();
  return {
    wallMs: () => Date.now(),
    monoMs: () => Math.floor(performance.now() - startMs),
    ...(tellsUptime() ? { bootMs: () => uptime() * 1000 } : {}),
  };
};

/** A sandbox may keep it from us. */
const tellsUptime = (): boolean => {
  try {
    return Number.isFinite(uptime());
  } catch {
    return false;
  }
};

/** Both clocks, sampled together. */
export interface Sample {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** What both clocks say now. */
export const sampleOf = ({ wallMs, monoMs }: Pick<Clock, 'wallMs' | 'monoMs'>): Sample => ({
  wallMs: wallMs(),
  monoMs: monoMs(),
});

/** How long the host has slept by now, ms, beside what is always the same; 0 where it does not tell. It costs a call of the system. */
export const sleptMs = ({ monoMs, bootMs }: Pick<Clock, 'monoMs' | 'bootMs'>): number =>
  bootMs === undefined ? 0 : bootMs() - monoMs();

/**
 * How far the wall clock moved away from the monotonic one between two samples, ms; undefined within the tolerance of attestation.md §8
 * step 12. A host that slept is a step, too.
 */
export const stepBetween = (from: Sample, to: Sample): number | undefined => {
  const passedMs = to.monoMs - from.monoMs;
  const stepMs = to.wallMs - from.wallMs - passedMs;
  return Math.abs(stepMs) * 1000 > 2_000_000 + passedMs ? stepMs : undefined;
};
