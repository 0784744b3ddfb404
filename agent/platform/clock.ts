/** The two clocks every stage gets as an argument. Tests pass their own. */
export interface Clock {
  /** Wall clock, Unix milliseconds. */
  readonly wallMs: () => number;
  /** Milliseconds since the agent started; never falls. */
  readonly monoMs: () => number;
}

/** The machine's clocks; `monoMs` counts from this call. */
export const systemClock = (): Clock => {
  const startMs = performance.now();
  return {
    wallMs: () => Date.now(),
    monoMs: () => Math.floor(performance.now() - startMs),
  };
};
