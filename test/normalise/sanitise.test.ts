import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sanitise, sanitiseText } from '../../agent/normalise/sanitise.ts';

test('controls, bidi controls and lone surrogates become U+FFFD (attestation.md §2)', () => {
  assert.equal(sanitiseText('a\u0000b\u001fc\u007fd\u0085e'), 'a\ufffdb\ufffdc\ufffdd\ufffde');
  assert.equal(sanitiseText('a\u202eb\u2066c\u200fd\u061ce'), 'a\ufffdb\ufffdc\ufffdd\ufffde');
  assert.equal(sanitiseText('a\ud800b\udc00'), 'a\ufffdb\ufffd');
  assert.equal(sanitiseText('Käse 矿池 👷'), 'Käse 矿池 👷');
});

test('a text ends after 256 code points, and no pair is cut in two', () => {
  assert.equal(sanitiseText('x'.repeat(300)), 'x'.repeat(256));
  assert.equal(sanitiseText('👷'.repeat(256)), '👷'.repeat(256));
  assert.equal(sanitiseText('👷'.repeat(300)), '👷'.repeat(256));
});

test('every text of a value is cleaned, the rest is left alone', () => {
  const pools = [
    { slot: 0, url: 'a\u0007', active: true },
    { slot: 1, url: 'b' },
  ];
  assert.deepEqual(sanitise(pools), {
    value: [
      { slot: 0, url: 'a\ufffd', active: true },
      { slot: 1, url: 'b' },
    ],
    touched: true,
  });
  const clean = [{ slot: 1, url: 'b' }];
  assert.equal(sanitise(clean).value, clean);
  assert.equal(sanitise(clean).touched, false);
});

test('a mark left by decoding counts as touched', () => {
  assert.deepEqual(sanitise('\ufffd'), { value: '\ufffd', touched: true });
});

test('property: what was sanitised is well formed, short, and stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
      const clean = sanitiseText(text);
      assert.ok(clean.isWellFormed() && [...clean].length <= 256);
      assert.doesNotMatch(clean, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      assert.equal(sanitiseText(clean), clean);
    }),
    { numRuns: 300 },
  );
});
