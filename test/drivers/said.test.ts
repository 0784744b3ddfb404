import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { saidIn } from '../../agent/drivers/said.ts';
import { surest } from '../../agent/probe/identify.ts';

test('a reply is made a text once, however many families look for their words in it', (t) => {
  const replies = new Map([
    ['version', { VERSION: [{ Strange: '1' }] }],
    ['stats', { STATS: [{ Strange: '2' }] }],
  ]);
  const { mock } = t.mock.method(JSON, 'stringify');
  for (let time = 0; time < 3; time += 1) surest(DRIVERS, { cgminer: replies, http: new Map() });
  for (const reply of replies.values())
    assert.equal(mock.calls.filter((call) => call.arguments[0] === reply).length, 1);
});

test('words are looked for in names and values, wherever they stand, and in what is no object', () => {
  assert.equal(saidIn({ VERSION: [{ BMMiner: '2.0' }] }), '{"VERSION":[{"BMMiner":"2.0"}]}');
  assert.deepEqual([saidIn(undefined), saidIn(null), saidIn('vnish'), saidIn(7)], ['null', 'null', 'vnish', '7']);
});

test('of a text of a million characters no more is looked through than a real reply has', () => {
  assert.ok(saidIn({ log: 'x'.repeat(1_000_000) }).length <= 131_072);
});
