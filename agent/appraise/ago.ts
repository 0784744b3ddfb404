/**
 * Instants that are kept were told by a wall clock, and a clock that ran ahead is set back some day. What it noted then lies ahead of now, and
 * would hold up for as long whatever waits for time to pass.
 */

/** Clocks are slewed by less; so much verifiers allow them, too (attestation.md §8 step 12). */
const AHEAD_MS = 120_000;

/** Whether an instant was told by a clock that was set back since. */
export const isAhead = (thenMs: number, nowMs: number): boolean => thenMs - nowMs > AHEAD_MS;

/** How long ago that was, ms: long ago where it lies ahead. */
export const agoMs = (thenMs: number, nowMs: number): number =>
  isAhead(thenMs, nowMs) ? Number.POSITIVE_INFINITY : nowMs - thenMs;
