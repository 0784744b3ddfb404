import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortened } from '../../agent/cli/table.ts';

test('one device with a long text does not make the table wide for all', () => {
  assert.equal(shortened('S21'), 'S21');
  assert.equal(shortened('x'.repeat(60)), 'x'.repeat(60));
  assert.equal(shortened('x'.repeat(256)), `${'x'.repeat(59)}…`);
});
