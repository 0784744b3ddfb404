/** Every interval of telling. Tests pass shorter ones. */
export interface NotifyTiming {
  /** After the first failure; twice as long after each further one, up to the ceiling. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** Entries that come close together are looked at together. */
  readonly gatherMs: number;
  /** What is under way at a stop may take this. */
  readonly stopMs: number;
}

/** The intervals of a running agent. */
export const NOTIFY_TIMING: NotifyTiming = {
  backoffBaseMs: 5_000,
  backoffCapMs: 900_000,
  gatherMs: 100,
  stopMs: 3_000,
};
