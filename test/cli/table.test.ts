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

const on = (columns: number) => ({
  out: { write: () => true, columns },
  err: { write: () => true },
  input: process.stdin,
});

test('on a narrow terminal the columns that fit are a table, and the others stand below each row', () => {
  const heading = ['no.', 'device', 'before', 'after', ''];
  const rows = [
    ['1', 'rig-1', 'a'.repeat(12), 'b'.repeat(12), 'set aside'],
    ['', '', '', 'c', ''],
    ['2', 'rig-22', '', '', ''],
  ];
  const wide = table(on(0), heading, rows);
  assert.equal(wide.split('\n')[1], `1    rig-1   ${'a'.repeat(12)}  ${'b'.repeat(12)}  set aside`);
  assert.equal(table(on(60), heading, rows), wide);
  assert.equal(
    table(on(40), heading, rows),
    [
      'no.  device  before        after',
      `1    rig-1   ${'a'.repeat(12)}  ${'b'.repeat(12)}`,
      '    set aside',
      '                           c',
      '2    rig-22',
      '',
    ].join('\n'),
  );
  assert.equal(
    table(on(20), heading, rows),
    [
      'no.  device',
      '1    rig-1',
      `    before: ${'a'.repeat(12)}`,
      `    after: ${'b'.repeat(12)}`,
      '    set aside',
      '',
      '    after: c',
      '2    rig-22',
      '',
    ].join('\n'),
  );
  assert.equal(table(on(2), ['address'], [['10.0.0.1']]), 'address\n10.0.0.1\n', 'one column is always there');
  assert.equal(table(on(4), ['address'], []), 'address\n');
});
