import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { growingPercent } from '../../agent/platform/heap.ts';
import { RUNTIME_OPTIONS } from '../../scripts/runtime-options.ts';

test('what may wait to be collected is 20 MB, at least an eleventh of what is alive, and never more than all of that', () => {
  for (const [aliveMb, percent] of [
    [1, 100],
    [20, 100],
    [40, 50],
    [100, 20],
    [222, 9],
    [2_000, 9],
  ] as const)
    assert.equal(growingPercent(aliveMb), percent, `${aliveMb} MB alive`);
});

const runWith = async (file: string, how: 'bounded' | 'as-is'): Promise<string> =>
  (await promisify(execFile)(process.execPath, [...RUNTIME_OPTIONS, join(import.meta.dirname, file), how])).stdout;

/** Keeps so much alive, then makes far more than that of which each piece lives for a while, as a message that waits does. */
const churn = async (how: 'bounded' | 'as-is'): Promise<{ readonly alive: number; readonly most: number }> => {
  return JSON.parse(await runWith('heap-churn.ts', how));
};

test('however much is made and dropped, the heap stays near to what is alive', async () => {
  const bounded = await churn('bounded');
  // The room, what is new, and what V8 lets be made while a collection is under way, before it stops everything for it.
  assert.ok(bounded.most < bounded.alive + 180, JSON.stringify(bounded));
  const asIs = await churn('as-is');
  assert.ok(asIs.most > asIs.alive + 250, `the same without a bound shows nothing: ${JSON.stringify(asIs)}`);
});

test('four bytes that a library keeps of every length of a message hold nothing of what was made beside them', async () => {
  const held = async (how: 'bounded' | 'as-is'): Promise<number> => JSON.parse(await runWith('heap-cuts.ts', how)).held;
  const bounded = await held('bounded');
  assert.ok(bounded < 4, `${bounded} MB of buffers`);
  const asIs = await held('as-is');
  assert.ok(asIs > 20, `the same without a bound shows nothing: ${asIs} MB`);
});
