import { parentPort, workerData } from 'node:worker_threads';
import { type FuzzOptions, fuzz } from './run.ts';

/** The thread in which mutations run, so that one that never ends can be ended, and named, from outside. */

const { options, shared } = workerData as { options: FuzzOptions; shared: SharedArrayBuffer };
const turn = new Int32Array(shared, 0, 2);
const name = new Uint8Array(shared, 8);
const encoder = new TextEncoder();

const report = fuzz(options, {
  before: (mutation) => {
    turn[1] = encoder.encodeInto(mutation, name).written;
    Atomics.add(turn, 0, 1);
  },
  done: (soFar, total) => parentPort?.postMessage({ soFar, total }),
});
parentPort?.postMessage({ report });
