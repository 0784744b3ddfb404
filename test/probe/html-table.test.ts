import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readTable } from '../../agent/probe/html-table.ts';
import { cpuMs } from '../cpu.ts';

const specimen = (file: string): string =>
  readFileSync(new URL(`../specimens/whatsminer/m21x-luci/${file}`, import.meta.url), 'latin1');

const PAGE = specimen('overview.html');

const ROWS = {
  Model: 'WhatsMiner M21X',
  Hostname: 'wm-21',
  'Hardware Info': 'M21X.H3-CB21.P21',
  'Firmware Version': '20190605.21.1',
  'Kernel Version': '#21 SMP PREEMPT Fri May 31 21:21:21 CST 2019',
  'Local Time': '-',
  Uptime: '-',
};

/** The rows, or why there are none. */
const read = (page: string | Buffer): unknown => {
  const reply = readTable(typeof page === 'string' ? Buffer.from(page, 'latin1') : page, 'System');
  return reply.kind === 'reply' ? reply.value : reply.reason;
};

const withRow = (row: string): string => PAGE.replace(/<tr><td width="33%">Kernel Version<.*<\/tr>/, () => row);

test('the rows under the heading are read, those in a script or a comment are not', () => {
  assert.deepEqual(read(PAGE), ROWS);
  assert.deepEqual(read(PAGE.replaceAll('\n', '\r\n')), ROWS);
});

test('a page that is cut off anywhere gives no row', () => {
  const end = PAGE.trimEnd().length;
  for (let length = 0; length < end; length += 1) {
    const reading = read(PAGE.slice(0, length));
    assert.ok(reading === 'truncated' || reading === 'unreadable', `${length}: ${JSON.stringify(reading)}`);
  }
});

test('one flipped bit anywhere changes no more than the row it is in', () => {
  for (let at = 0; at < PAGE.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = String.fromCharCode(PAGE.charCodeAt(at) ^ (1 << bit));
      const reading = read(PAGE.slice(0, at) + flipped + PAGE.slice(at + 1));
      if (typeof reading === 'string') continue;
      const rows = Object.entries(reading as object);
      assert.equal(rows.length, Object.keys(ROWS).length, `bit ${bit} at ${at}`);
      const others = rows.filter(([name, value]) => ROWS[name as keyof typeof ROWS] !== value);
      assert.ok(others.length <= 1, `bit ${bit} at ${at}: ${JSON.stringify(others)}`);
    }
  }
});

test('a page that asks for the log-in is refused, whatever else it says', () => {
  assert.equal(read(specimen('login.html')), 'refused');
  assert.equal(read(PAGE.replace('<h2', '<input name="x" type=password><h2')), 'refused');
});

test('a page in another charset is unreadable, and so is one with bytes that are no UTF-8', () => {
  assert.equal(read(Buffer.from(PAGE, 'utf16le')), 'unreadable');
  assert.equal(read(PAGE.replace('wm-21 - Overview', '\xc3\xce - Overview')), 'unreadable');
  assert.equal(read(withRow('<tr><td width="33%">\xc4\xda\xba\xcb</td><td>#1</td></tr>')), 'unreadable');
  const chinese = withRow('<tr><td width="33%">内核版本</td><td>#1</td></tr>');
  assert.equal(read(Buffer.from(chinese)), 'unreadable');
});

test('a value with controls, bidi marks, entities or markup makes the page unreadable', () => {
  for (const bad of ['a\u0007b', 'a\u202eb', 'a\u200bb', 'a\nb', 'a&lt;b', 'a<b>b</b>', 'a>b', 'a\ufffdb']) {
    const page = withRow(`<tr><td width="33%">Kernel Version</td><td>${bad}</td></tr>`);
    assert.equal(read(Buffer.from(page)), 'unreadable', JSON.stringify(bad));
  }
});

test('a table of another shape, a second one or a row that stands twice is unreadable', () => {
  const kernel = /<tr><td width="33%">Kernel Version.*<\/tr>/.exec(PAGE)?.[0] ?? '';
  const table = /<fieldset[\s\S]*?<\/fieldset>/.exec(PAGE)?.[0] ?? '';
  assert.ok(kernel !== '' && table !== '');
  for (const page of [
    withRow(`${kernel}${kernel}`),
    withRow(`${kernel}${kernel.replace('#21', '#22')}`),
    withRow('<tr><td>Kernel Version</td><td>#1</td><td>#2</td></tr>'),
    withRow('<tr><td><b>Kernel Version</b></td><td>#1</td></tr>'),
    withRow('<tr><td>Kernel Version</td><td>#1</td>'),
    PAGE.replace(table, `${table}${table}`),
    PAGE.replaceAll('<legend>System</legend>', '<legend>Systems</legend>'),
    PAGE.replace('<!doctype html>', '').replace('<!DOCTYPE html>', ''),
    PAGE.replace('-->', '->'),
    '<!DOCTYPE html><html><body>It works!</body></html>',
    '{"Kernel Version":"#1"}',
    '',
  ]) {
    assert.notEqual(page, PAGE);
    assert.ok(typeof read(page) === 'string', page.slice(0, 200));
  }
});

test('a name that an object has from its nature is a row like others', () => {
  const rows = read(withRow('<tr><td>constructor</td><td>x</td></tr>')) as object;
  assert.equal(Object.hasOwn(rows, 'constructor'), true);
});

test('a page of megabytes made to be read slowly takes no time', { timeout: 20_000 }, () => {
  const many = 100_000;
  const body = (filling: string): string => PAGE.replace('<h2', () => `${filling}<h2`);
  const heads = [
    body('<!-- x -->'.repeat(many)),
    body('<script'.repeat(many)),
    body('<script></script><style></style>'.repeat(many)),
    body('<legend>System</legend>'.repeat(many)),
    body('<input '.repeat(many)),
    body(`<input ${' '.repeat(8 * many)}`),
    withRow('<tr><td>x</td><td>y</td></tr>'.repeat(many)),
    withRow(' '.repeat(8 * many)),
    withRow(`<tr><td${' a="b"'.repeat(many)}>x</td>`),
    PAGE + ' '.repeat(8 * many),
    `${' '.repeat(8 * many)}${PAGE}`,
    `${PAGE}${'</html> '.repeat(many)}x`,
  ];
  for (const [index, page] of heads.entries()) {
    const startMs = cpuMs();
    read(page);
    assert.ok(cpuMs() - startMs < 1000, `page ${index}`);
  }
});
