import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namedRate } from '../../agent/drivers/cgminer-api.ts';

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
