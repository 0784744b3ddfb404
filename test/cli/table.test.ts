import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDrawable } from '../../agent/cli/io.ts';
import { shortened, table } from '../../agent/cli/table.ts';

test('one device with a long text does not make the table wide for all', () => {
  assert.equal(shortened('S21'), 'S21');
  assert.equal(shortened('x'.repeat(60)), 'x'.repeat(60));
  assert.equal(shortened('x'.repeat(256)), `${'x'.repeat(59)}…`);
});

test('a terminal that says it is dumb gets no escape sequences', (t) => {
  const before = process.env.TERM;
  t.after(() => {
    if (before === undefined) delete process.env.TERM;
    else process.env.TERM = before;
  });
  const out = { write: () => {}, isTTY: true };
  const headed = (): string => table({ out, err: out, input: process.stdin }, ['gateway'], [['gw-1']]);
  process.env.TERM = 'xterm';
  assert.ok(isDrawable(out) && headed().includes('\x1b['));
  process.env.TERM = 'dumb';
  assert.ok(!isDrawable(out) && !headed().includes('\x1b'));
  assert.equal(headed(), 'gateway\ngw-1\n');
  process.env.TERM = 'xterm';
  assert.ok(!isDrawable({ isTTY: false }) && !isDrawable({}));
});
