import { setFlagsFromString } from 'node:v8';

/** What the program itself keeps alive, and each device more, MB: measured with `npm run bench`. */
const BASE_MB = 18;
const DEVICE_MB = 0.0027;
/** By how much the old generation may outgrow that before it is collected: enough that a poll seldom pays for it, MB. */
const ROOM_MB = 40;
const LEAST_PERCENT = 25;
const MOST_PERCENT = 100;

/**
 * Keeps the resident memory of a process that runs for months near to what is alive in it: a gateway has other work, too.
 * V8's own choice may be four times of that. The size of the new generation cannot be chosen so late: the binary brings
 * it along. `devices`: how many it keeps the state of.
 */
export const boundHeap = (devices: number): void => {
  const percent = Math.round((100 * ROOM_MB) / (BASE_MB + DEVICE_MB * devices));
  setFlagsFromString(`--heap-growing-percent=${Math.min(MOST_PERCENT, Math.max(LEAST_PERCENT, percent))}`);
  // A look that waits for its device outlives much of what others allocate: V8 takes that for a long life, and puts what
  // looks are made of among the old objects from the start, where all of it stays until those are collected.
  setFlagsFromString('--no-allocation-site-pretenuring');
};
