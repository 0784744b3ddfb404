import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Semaphore } from '../../agent/probe/limits.ts';

test('never more than the bound run at once, all run, in the order they came', async () => {
  const places = new Semaphore(3);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const work = Array.from({ length: 50 }, (_, index) =>
    places.run(async () => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return index;
    }),
  );
  assert.deepEqual(
    await Promise.all(work),
    Array.from({ length: 50 }, (_, index) => index),
  );
  assert.equal(most, 3);
  assert.deepEqual(
    started,
    Array.from({ length: 50 }, (_, index) => index),
  );
});

test('work that fails gives its place back', async () => {
  const places = new Semaphore(1);
  await assert.rejects(
    places.run(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await places.run(async () => 'next'), 'next');
});

test('a line that never empties lets go of those that had their turn', async () => {
  const places = new Semaphore(1);
  const begun: WeakRef<object>[] = [];
  const watched = Promise.withResolvers<void>();
  const next = (): void => {
    const work = { number: begun.length };
    begun.push(new WeakRef(work));
    places.start(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      // The next goes in line before this one leaves.
      if (work.number < 10_000) next();
      else watched.resolve();
    });
  };
  next();
  next();
  await watched.promise;
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  assert.ok(begun.filter((work) => work.deref() !== undefined).length < 2048);
});

test('a bound of none is our mistake', () => {
  assert.throws(() => new Semaphore(0), /not a bound/);
});
