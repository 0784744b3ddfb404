import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../shared/index.ts';
import { NotCanonicalizable, TooDeep } from '../../shared/jcs.ts';

test('numbers and escapes are those of RFC 8785 §3.2.2', () => {
  assert.equal(
    canonicalJson({
      numbers: ['333333333.33333329', '1E30', '4.50', '2e-3', '0.000000000000000000000000001', '-0'].map(Number),
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }),
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
});

test('names are sorted by UTF-16 code units (RFC 8785 §3.2.3)', () => {
  const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
  const sorted = JSON.parse(canonicalJson(Object.fromEntries(names.map((name) => [name, name]))));
  assert.deepEqual(canonicalJson({ b: 1, '10': 2, '9': 3 }), '{"10":2,"9":3,"b":1}');
  assert.deepEqual(Object.values(sorted), ['1', '\r', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']);
});

test('what has no canonical form is refused', () => {
  for (const value of ['\ud800', { a: '\udc00x' }, { '\ud800': 1 }, [undefined], { a: undefined }, Number.NaN, 1n]) {
    assert.throws(() => canonicalJson(value), NotCanonicalizable);
  }
  assert.equal(canonicalJson(['\\ud800']), '["\\\\ud800"]');
});

test('nesting beyond reason is refused, not a crash', () => {
  assert.throws(() => canonicalJson(JSON.parse(`${'['.repeat(15_000)}${']'.repeat(15_000)}`)), TooDeep);
});

const shuffled = (value: unknown, turn: number): unknown => {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, turn));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, shuffled(member, turn)] as const);
  const at = turn % Math.max(1, members.length);
  return Object.fromEntries([...members.slice(at), ...members.slice(0, at)].toReversed());
};

const json = fc.jsonValue({ depthSize: 'medium', noUnicodeString: false }).filter((value) => {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
});

test('the canonical text does not depend on the order of members, and reads back as the same value', () => {
  fc.assert(
    fc.property(json, fc.nat(7), (value, turn) => {
      const canonical = canonicalJson(value);
      assert.equal(canonicalJson(shuffled(value, turn)), canonical);
      assert.equal(canonicalJson(JSON.parse(canonical)), canonical);
      assert.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 300 },
  );
});
