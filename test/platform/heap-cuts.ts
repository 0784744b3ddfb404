/** For heap.test.ts: what a few bytes hold that are kept from among many short buffers. Prints MB of buffers. */
import { setImmediate as turn } from 'node:timers/promises';
import { boundHeap } from '../../agent/platform/heap.ts';

if (process.argv[2] === 'bounded') boundHeap();

const KEPT = 2_000;
const BETWEEN = 200;

const kept: Buffer[] = [];
while (kept.length < KEPT) {
  kept.push(Buffer.allocUnsafe(4));
  for (let count = 0; count < BETWEEN; count += 1)
    Buffer.from(`a message of a device, ${count} of many, that is sent and gone`);
  await turn();
}
process.stdout.write(JSON.stringify({ held: Math.round(process.memoryUsage().arrayBuffers / 1e6), kept: kept.length }));
