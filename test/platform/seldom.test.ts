import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seldom } from '../../agent/platform/seldom.ts';

test('each thing is told once a minute, with how often it came since', () => {
  let nowMs = 0;
  const seldom = new Seldom({ monoMs: () => nowMs });
  assert.deepEqual(
    [seldom.take('a'), seldom.take('a'), seldom.take('b'), seldom.take('a')],
    [0, undefined, 0, undefined],
  );
  nowMs = 59_999;
  assert.equal(seldom.take('a'), undefined);
  nowMs = 60_000;
  assert.deepEqual([seldom.take('a'), seldom.take('a'), seldom.take('b')], [3, undefined, 0]);
});
