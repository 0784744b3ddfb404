import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtersFor, listed, sharded } from '../../agent/collect/share.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { collectorTopics } from '../../shared/index.ts';

const gateways = Array.from({ length: 1_000 }, (_none, index) => `tx1-gw${index}`);

test('every gateway belongs to exactly one part, and the parts are about equal', () => {
  for (const n of [1, 2, 3, 7]) {
    const parts = Array.from({ length: n }, (_none, index) => sharded(`${index + 1}/${n}`));
    for (const gateway of gateways) assert.equal(parts.filter(({ serves }) => serves(gateway)).length, 1);
    for (const { serves } of parts) {
      const share = gateways.filter(serves).length / gateways.length;
      assert.ok(Math.abs(share - 1 / n) < 0.06, `${share} of 1/${n}`);
    }
  }
});

test('the part of a gateway never changes from release to release', () => {
  assert.deepEqual(
    ['tx1-gw0', 'tx1-gw1', 'gw-a', 'gw-b'].map((gateway) => [1, 2, 3].find((i) => sharded(`${i}/3`).serves(gateway))),
    PARTS,
  );
});

/** SHA-256 of the id, its first four bytes as a number, modulo 3, plus 1. */
const PARTS = [3, 1, 2, 2];

test('what is no part or no list is told', () => {
  for (const part of ['0/3', '4/3', '1/0', '1', '1/3/3', 'a/b', '-1/3', '1.5/3']) {
    assert.throws(
      () => sharded(part),
      (error: AgentError) => error instanceof AgentError && error.code === 'usage.shard',
      part,
    );
  }
  for (const list of ['', 'gw-1,', 'gw_1', '+', 'gw-1,#']) {
    assert.throws(
      () => listed(list),
      (error: AgentError) => error instanceof AgentError && error.code === 'usage.gateways',
      list,
    );
  }
});

test('of named gateways only their topics are subscribed, of a part of a fleet all', () => {
  const { filters } = collectorTopics('attest', 'collector-a');
  assert.deepEqual(filtersFor(filters, listed('gw-1, gw-2')).slice(0, 3), [
    'attest/v1/gw-1/log',
    'attest/v1/gw-2/log',
    'attest/v1/gw-1/cp',
  ]);
  assert.ok(filtersFor(filters, listed('gw-1')).includes('attest/v1/_fleet/trust'));
  assert.equal(filtersFor(filters, sharded('1/2')), filters);
  assert.equal(filtersFor(filters, listed(gateways.join())), filters);
});
