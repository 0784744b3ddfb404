import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparedFacts, comparedText } from '../../agent/baseline/compared.ts';
import { keepFacts, keepText, keptFacts, keptText, NO_FACTS } from '../../agent/baseline/kept.ts';
import type { Facts } from '../../shared/facts.ts';

/** Facts as devices of a few families and models show them, and as one would that sends what it likes. */
const anyFacts: fc.Arbitrary<Facts> = fc.record(
  {
    family: fc.constantFrom('antminer-stock', 'whatsminer', 'ÿ\u{1f525}'),
    'identity.model': fc.oneof(fc.constantFrom('S21', 'M50S'), fc.string({ unit: 'binary', maxLength: 20 })),
    'identity.serial': fc.string({ unit: 'binary', maxLength: 40 }),
    'firmware.components': fc.array(fc.record({ name: fc.string(), value: fc.string({ maxLength: 2000 }) }), {
      maxLength: 20,
    }),
  },
  { requiredKeys: ['family'] },
);

test('facts that are kept come back as they were, and two are equal where the facts are', () => {
  fc.assert(
    fc.property(anyFacts, anyFacts, (one, other) => {
      assert.deepEqual(keptFacts(keepFacts(one)), comparedFacts(one));
      assert.equal(keptText(keepFacts(other)), comparedText(other));
      assert.equal(keepFacts(one) === keepFacts(other), comparedText(one) === comparedText(other));
      assert.equal(keepFacts(one), keepText(comparedText(one)));
    }),
  );
});

test('no facts are kept as none, and an empty list of facts is not the same', () => {
  assert.equal(keepText(''), NO_FACTS);
  assert.equal(keptText(NO_FACTS), '');
  assert.deepEqual(keptFacts(NO_FACTS), {});
  assert.deepEqual(keptFacts(undefined), {});
  assert.notEqual(keepFacts({}), NO_FACTS);
  assert.deepEqual(keptFacts(keepFacts({})), {});
});

test('a device like one that is known already takes a fraction of what its facts take', () => {
  const device = (number: number): Facts => ({
    family: 'antminer-stock',
    'identity.model': 'Antminer of this test',
    'identity.serial': `SN${number}`,
    'firmware.components': Array.from({ length: 12 }, (_, at) => ({ name: `part.${at}`, value: `build ${at * 7919}` })),
  });
  keepFacts(device(1));
  assert.ok(keepFacts(device(2)).length * 8 < comparedText(device(2)).length);
});

test('a fleet of more models than there are templates, and facts longer than one, are kept all the same', () => {
  const devices = Array.from(
    { length: 1200 },
    (_, number): Facts => ({
      family: 'cgminer',
      'identity.model': `model ${number}`,
      'firmware.kernel': `${number} `.repeat(number * 5),
    }),
  );
  const kept = devices.map(keepFacts);
  assert.deepEqual(kept.map(keptFacts), devices);
  assert.deepEqual(devices.map(keepFacts), kept);
});
