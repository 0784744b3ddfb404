import { setFlagsFromString } from 'node:v8';

/** By how much the memory of V8 may grow beyond what was alive at its last collection, %. Its own choice is up to 300. */
const GROWING_PERCENT = 30;

/**
 * Keeps the resident memory of a process that runs for months near to what is alive in it: a gateway has other work, too.
 * Costs a collection more often. The size of the new generation cannot be chosen so late: the binary brings it along.
 */
export const boundHeap = (): void => setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
