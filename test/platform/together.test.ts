import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { meeting, together } from '../../agent/platform/together.ts';

test('what waits for one kind of work is done in order, in the next turn, and what comes meanwhile in the one after', async () => {
  const done: string[] = [];
  const work = together((item: string) => {
    done.push(item);
    if (item === 'a') work('c');
  });
  work('a');
  work('b');
  await Promise.resolve();
  assert.deepEqual(done, []);
  await turn();
  assert.deepEqual(done, ['a', 'b']);
  await turn();
  assert.deepEqual(done, ['a', 'b', 'c']);
});

test('those who meet go on one right after the other, whatever else the turn has to do', async () => {
  const steps: string[] = [];
  const arrive = meeting();
  const walk = async (name: string): Promise<void> => {
    await arrive();
    steps.push(`${name} 1`);
    await Promise.resolve();
    steps.push(`${name} 2`);
  };
  const walks = [walk('a'), walk('b')];
  setImmediate(() => steps.push('other work'));
  await Promise.all(walks);
  await turn();
  assert.deepEqual(steps, ['a 1', 'b 1', 'a 2', 'b 2', 'other work']);
});
