import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namedRate, shareDifficulty } from '../../agent/drivers/cgminer-api.ts';

describe('a named rate', () => {
  test('is read in the finest unit that is not 0', () => {
    assert.deepEqual(namedRate({ 'MHS 5s': 0, 'KHS 5s': 0.6751 }), { kind: 'present', value: 675 });
    assert.deepEqual(namedRate({ 'MHS 5s': 26.2, 'KHS 5s': 26_200 }), { kind: 'present', value: 26_200_000 });
    assert.deepEqual(namedRate({ 'MHS 5s': 26.2, 'KHS 5s': 0 }), { kind: 'present', value: 26_200_000 });
    assert.deepEqual(namedRate({ 'GHS 5s': 13_500.5 }), { kind: 'present', value: 13_500_500_000_000 });
  });

  test('is 0 where the shortest average is, whatever the others say', () => {
    assert.deepEqual(namedRate({ 'MHS 5s': 0, 'KHS 5s': 0, 'MHS av': 4 }), { kind: 'present', value: 0 });
  });
});

test('the difficulty of a share is that of the pool in use, with or without a letter, and absent before there is one', () => {
  const read = (...rows: readonly object[]) => shareDifficulty(rows as never);
  assert.deepEqual(
    read(
      { 'Stratum Active': false, 'Stratum Difficulty': 9 },
      { 'Stratum Active': true, 'Stratum Difficulty': 131_072.5 },
    ),
    { kind: 'present', value: 131_073 },
  );
  assert.deepEqual(read({ 'Stratum Active': true, Diff: '65.5K' }, { 'Stratum Active': false, Diff: '' }), {
    kind: 'present',
    value: 65_500,
  });
  assert.deepEqual(read({ Diff: '4.29M' }), { kind: 'present', value: 4_290_000 });
  assert.deepEqual(read({ 'Stratum Active': true, 'Stratum Difficulty': 0, Diff: '' }), { kind: 'absent' });
  assert.deepEqual(read({ 'Stratum Active': true }), { kind: 'absent' });
  assert.equal(shareDifficulty('no rows').kind, 'unknown');
});
