import { constants, type PerformanceEntry, type PerformanceNodeEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** By how much the old generation may outgrow what is alive before it is collected: enough that work seldom pays for it, MB. */
const ROOM_MB = 20;
const LEAST_PERCENT = 9;
const MOST_PERCENT = 100;

/**
 * Size of the pieces from which short buffers are cut, bytes. One cut that is kept keeps its piece: MQTT.js keeps four bytes of every
 * length that a message had, and with Node's own 64 KB these would hold hundreds of megabytes after some months.
 */
const POOL_BYTES = 1024;

/** How much the old generation may grow over what is alive: by the room, or by an eleventh where the room is less. */
export const growingPercent = (aliveMb: number): number =>
  Math.round(Math.min(MOST_PERCENT, Math.max(LEAST_PERCENT, (100 * ROOM_MB) / aliveMb)));

/**
 * Keeps the resident memory of a process that runs for months near to what is alive in it: a gateway has other work, too,
 * and what a backlog leaves behind is none of what a collector needs. V8's own choice may be four times of that, and what it
 * took it seldom gives back. What is alive is looked at after each collection of everything; before the first there is little
 * room. The size of the new generation cannot be chosen so late: the binary brings it along. To be called once.
 */
export const boundHeap = (): void => {
  Buffer.poolSize = POOL_BYTES;
  grow(LEAST_PERCENT);
  // A look that waits for its device outlives much of what others allocate: V8 takes that for a long life, and puts what
  // looks are made of among the old objects from the start, where all of it stays until those are collected.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // The new generation is small: threads that share its collection cost more than they do.
  setFlagsFromString('--no-parallel-scavenge');
  new PerformanceObserver((list) => {
    if (list.getEntries().some(isOfEverything)) grow(growingPercent(getHeapStatistics().used_heap_size / 1e6));
  }).observe({ entryTypes: ['gc'] });
};

const grow = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`);

const isOfEverything = (entry: PerformanceEntry): boolean =>
  (entry as PerformanceNodeEntry).detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
