/** For heap.test.ts: how large a heap becomes in which much is made and dropped. Prints MB, alive and at most. */
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { boundHeap } from '../../agent/platform/heap.ts';

if (process.argv[2] === 'bounded') boundHeap();

const ALIVE = 800_000;
const WAITING = 50_000;
const MADE = 3_000_000;
const AT_ONCE = 1_000;

const sizeMb = (): number => Math.round(getHeapStatistics().used_heap_size / 1e6);
const piece = (number: number) => ({ number, near: [number, number + 1, number + 2] });

const kept: object[] = [];
while (kept.length < ALIVE) {
  for (let count = 0; count < AT_ONCE; count += 1) kept.push(piece(count));
  await turn();
}
const waiting: object[] = Array.from({ length: WAITING }, (_none, index) => piece(index));
const alive = sizeMb();
let most = 0;
for (let made = 0; made < MADE; made += AT_ONCE) {
  for (let count = 0; count < AT_ONCE; count += 1) waiting[(made + count) % WAITING] = [piece(count), piece(made)];
  most = Math.max(most, sizeMb());
  await turn();
}
process.stdout.write(JSON.stringify({ alive, most, kept: kept.length + waiting.length }));
