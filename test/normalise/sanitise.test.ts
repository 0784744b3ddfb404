import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { sanitise, sanitiseText } from '../../agent/normalise/sanitise.ts';

/** What ends a text that is not shown as it was: a digest of all of it. */
const digest = (text: string): string =>
  `~sha256:${createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url').slice(0, 16)}`;

test('controls, bidi controls and lone surrogates become U+FFFD (attestation.md §2), and a digest tells which they were', () => {
  for (const [text, shown] of [
    ['a\u0000b\u001fc\u007fd\u0085e', 'a\ufffdb\ufffdc\ufffdd\ufffde'],
    ['a\u202eb\u2066c\u200fd\u061ce', 'a\ufffdb\ufffdc\ufffdd\ufffde'],
    ['a\ud800b\udc00', 'a\ufffdb\ufffd'],
    ['\ufffd', '\ufffd'],
  ] as const)
    assert.equal(sanitiseText(text), shown + digest(text));
  assert.equal(sanitiseText('Käse 矿池 👷'), 'Käse 矿池 👷');
});

test('a text ends after 256 code points, the digest of all of it included, and no pair is cut in two', () => {
  assert.equal(sanitiseText('x'.repeat(256)), 'x'.repeat(256));
  assert.equal(sanitiseText('x'.repeat(257)), 'x'.repeat(232) + digest('x'.repeat(257)));
  assert.equal(sanitiseText('👷'.repeat(256)), '👷'.repeat(256));
  assert.equal(sanitiseText('👷'.repeat(300)), '👷'.repeat(232) + digest('👷'.repeat(300)));
});

test('nothing hides behind the length of a text, behind a character that is not shown, or behind a digest', () => {
  const long = `acme.${'x'.repeat(275)}`;
  for (const [before, after] of [
    [`${long}a`, `${long}b`],
    ['acme\u202e.1', 'acme\u202d.1'],
    ['acme\udcfe', 'acme\udcff'],
    ['acme\u0007', 'acme\ufffd'],
    [long, sanitiseText(long)],
    ['acme\u0007', sanitiseText('acme\u0007')],
  ] as const) {
    assert.notEqual(before, after);
    assert.notEqual(sanitiseText(before), sanitiseText(after));
  }
});

test('no secret is in a text, nor in its digest, and the rest of it can still be compared', () => {
  const tail = `/${'x'.repeat(300)}`;
  for (const end of ['', tail, '\u0007']) {
    const shown = sanitiseText(`mqtt://ops:hunter2@10.0.0.9:1883${end}`);
    assert.ok(shown.startsWith('mqtt://ops:***@10.0.0.9:1883'));
    assert.equal(sanitiseText(`mqtt://ops:other@10.0.0.9:1883${end}`), shown);
    assert.notEqual(sanitiseText(`mqtt://ops:hunter2@10.0.0.8:1883${end}`), shown);
  }
});

test('the account of a pool is masked only where it is part of a URL', () => {
  const user = (text: string) => (sanitise([{ slot: 0, user: text }]).value[0] as { readonly user: string }).user;
  assert.equal(user('bob:worker@mail.example'), 'bob:worker@mail.example');
  assert.equal(user('x://bob:hunter2@mail.example'), 'x://bob:***@mail.example');
  assert.deepEqual(sanitise([{ key: 'Proxy', value: 'bob:hunter2@10.0.0.1' }]), {
    value: [{ key: 'Proxy', value: 'bob:***@10.0.0.1' }],
    touched: false,
  });
});

test('every text of a value is cleaned, the rest is left alone', () => {
  const pools = [
    { slot: 0, url: 'a\u0007', active: true },
    { slot: 1, url: 'b' },
  ];
  assert.deepEqual(sanitise(pools), {
    value: [
      { slot: 0, url: `a\ufffd${digest('a\u0007')}`, active: true },
      { slot: 1, url: 'b' },
    ],
    touched: true,
  });
  const clean = [{ slot: 1, url: 'b' }];
  assert.equal(sanitise(clean).value, clean);
  assert.equal(sanitise(clean).touched, false);
});

test('a mark left by decoding counts as touched', () => {
  assert.deepEqual(sanitise('\ufffd'), { value: `\ufffd${digest('\ufffd')}`, touched: true });
});

test('property: what was sanitised is well formed and short, and differs where the texts did', () => {
  const text = fc.string({ unit: 'binary', maxLength: 600 }).filter((one) => !/[@=]/.test(one));
  fc.assert(
    fc.property(text, text, (one, other) => {
      const clean = sanitiseText(one);
      assert.ok(clean.isWellFormed() && [...clean].length <= 256);
      assert.doesNotMatch(clean, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      assert.equal(clean === sanitiseText(other), one === other);
      assert.notEqual(sanitiseText(`${one}\u0007`), sanitiseText(`${one}\u0008`));
    }),
    { numRuns: 300 },
  );
});
