import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { growingPercent } from '../../agent/platform/heap.ts';
import { RUNTIME_OPTIONS } from '../../scripts/runtime-options.ts';

test('what may wait to be collected is 28 MB, at least a seventh of what is alive, and never more than all of that', () => {
  for (const [aliveMb, percent] of [
    [1, 100],
    [28, 100],
    [56, 50],
    [100, 28],
    [200, 14],
    [2_000, 14],
  ] as const)
    assert.equal(growingPercent(aliveMb), percent, `${aliveMb} MB alive`);
});

/** Keeps so much alive, then makes far more than that of which each piece lives for a while, as a message that waits does. */
const churn = async (how: 'bounded' | 'as-is'): Promise<{ readonly alive: number; readonly most: number }> => {
  const file = join(import.meta.dirname, 'heap-churn.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [...RUNTIME_OPTIONS, file, how]);
  return JSON.parse(stdout);
};

test('however much is made and dropped, the heap stays near to what is alive', async () => {
  const bounded = await churn('bounded');
  // The room, what is new, and what V8 lets be made while a collection is under way, before it stops everything for it.
  assert.ok(bounded.most < bounded.alive + 180, JSON.stringify(bounded));
  const asIs = await churn('as-is');
  assert.ok(asIs.most > asIs.alive + 250, `the same without a bound shows nothing: ${JSON.stringify(asIs)}`);
});
