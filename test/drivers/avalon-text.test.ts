import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readItems, readModuleVersion } from '../../agent/drivers/avalon-text.ts';
import { CONFLICT } from '../../agent/probe/capture.ts';

test('a value keeps the blanks, commas and colons between its brackets', () => {
  const items = readItems('Ver[1246-85] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] PS[0 1212 1318]');
  assert.deepEqual(Object.entries(items), [
    ['Ver', '1246-85'],
    ['SYSTEMSTATU', 'Work: In Work, Hash Board: 3 '],
    ['PS', '0 1212 1318'],
  ]);
});

test('items need no blank between them, and empty values are values', () => {
  const items = readItems("'STATS':{Elapsed[126]BOOTBY[0x01] SSID[] Nonce Mask[25]}");
  assert.deepEqual(Object.entries(items), [
    ['Elapsed', '126'],
    ['BOOTBY', '0x01'],
    ['SSID', ''],
    ['Nonce Mask', '25'],
  ]);
});

test('all that stands between two items is the key of the second: what is damaged is no other key', () => {
  const items = readItems("DNA[0201] HD NA[0202] HD\u0001NA[0203] DNA [0204] [0205] 'X':{DNA[0201]");
  assert.deepEqual(Object.entries(items), [
    ['DNA', '0201'],
    ['HD NA', '0202'],
    ['HD\u0001NA', '0203'],
    ['DNA ', '0204'],
  ]);
});

test('two values under one key are neither, and a bracket that never closes ends the text', () => {
  assert.deepEqual(readItems('Fan1[100] Fan1[100] DNA[0201'), { Fan1: '100' });
  assert.deepEqual(readItems('Fan1[100] Fan1[200] DNA[0201'), { Fan1: CONFLICT });
});

test('items come back from the text they were written into', () => {
  const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
  const value = fc.string({ maxLength: 40 }).filter((text) => !/[[\]]/.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(word, value), { maxLength: 12, selector: ([key]) => key }), (pairs) => {
      assert.deepEqual(Object.entries(readItems(pairs.map(([key, text]) => `${key}[${text}]`).join(' '))), pairs);
    }),
    { numRuns: 200 },
  );
});

test('the model is told from the version in every form of `Ver`', () => {
  assert.deepEqual(readModuleVersion('1246-83-21072802_4ec6bb0_211fc46'), {
    model: '1246-83',
    version: '21072802_4ec6bb0_211fc46',
  });
  assert.deepEqual(readModuleVersion('Nano3s-25021401_56abae7'), { model: 'Nano3s', version: '25021401_56abae7' });
  assert.deepEqual(readModuleVersion('9211809-b4b3d00'), { model: '921', version: '1809-b4b3d00' });
  assert.deepEqual(readModuleVersion('something else'), { version: 'something else' });
});
