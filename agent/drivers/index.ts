import type { Driver } from './driver.ts';

/** Every family the agent can read, written out: a single binary cannot scan a folder. */
export const DRIVERS: readonly Driver[] = [];
