import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factText, mainPool } from '../../agent/cli/view.ts';
import { changeText } from '../../scripts/demo/words.ts';

const facts = (user: string) => ({ pools: [{ slot: 0, url: 'stratum+tcp://pool.example:3333', user, priority: 0 }] });

test('a pool account that only looks like another one is told from it in scan, probe and the demo', () => {
  assert.equal(mainPool(facts('acme.4')), 'stratum+tcp://pool.example:3333 acme.4');
  assert.equal(mainPool(facts('acme.4 ')), 'stratum+tcp://pool.example:3333 "acme.4 "');
  assert.equal(mainPool(facts('acm\u0435.4')), 'stratum+tcp://pool.example:3333 "acm\\u0435.4"');
  assert.equal(factText('network.hostname', { 'network.hostname': 'rig\u200b' }), '"rig\\u200b"');
  const line = { before: 'acme.4', after: 'acm\u0435.4' } as Parameters<typeof changeText>[0];
  assert.equal(changeText(line), 'acme.4 → "acm\\u0435.4"');
});
