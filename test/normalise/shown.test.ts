import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { briefValue, quoted, shownValue } from '../../agent/normalise/shown.ts';

test('a usual value is shown as it is; one that looks like another is quoted, with what is not ASCII escaped', () => {
  for (const usual of [
    'acme.4',
    'stratum+tcp://pool.example:3333',
    'Antminer S21 (180 T)',
    '{"a":"b"}',
    'a\\u0435',
    '',
  ])
    assert.equal(shownValue(usual), usual);
  assert.equal(shownValue('acme.4 '), '"acme.4 "');
  assert.equal(shownValue(' acme.4'), '" acme.4"');
  assert.equal(shownValue('acm\u0435.4'), '"acm\\u0435.4"');
  assert.equal(shownValue('acme.4\u200b'), '"acme.4\\u200b"');
  assert.equal(shownValue('\u{1f600}'), '"\\ud83d\\ude00"');
  assert.equal(shownValue('a\u001b[31m\u007f'), '"a\\u001b[31m\\u007f"');
  assert.equal(shownValue('"acme.4 "'), '"\\"acme.4 \\""');
  assert.equal(shownValue({ url: 'a', user: 'acm\u0435 ' }), '{"url":"a","user":"acm\\u0435 "}');
  assert.deepEqual([shownValue(7), shownValue(true), quoted('acme.4')], ['7', 'true', '"acme.4"']);
});

test('no two texts are shown alike, and nothing but ASCII is shown', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(' ', '"', '\\', 'u0435', '\u0435', 'e', '\ud800', '\n')).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, text, (one, other) => {
      assert.match(shownValue(one), /^[ -~]*$/);
      assert.equal(shownValue(one) === shownValue(other), one === other);
    }),
    { numRuns: 500 },
  );
});

test('in a line a pool begins with its URL and user, and what helps who looks closer is left out', () => {
  const nearest = { url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' };
  assert.equal(
    briefValue({
      assigned_from: '2026-10-01',
      nearest,
      tenant: 'acme',
      url: 'tcp://evil.example',
      user: 'thief \u0435',
    }),
    '{"url":"tcp://evil.example","user":"thief \\u0435","tenant":"acme"}',
  );
  assert.equal(
    briefValue({ device: 'rig-1', pools: [{ priority: 1, quota: 2, url: 'a', user: 'b' }] }),
    '{"device":"rig-1","pools":[{"url":"a","user":"b","priority":1,"quota":2}]}',
  );
  assert.equal(briefValue('acme.4 '), '"acme.4 "');
  assert.equal(briefValue([null, 1, true]), '[null,1,true]');
});
