import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../agent/drivers/driver.ts';
import { readMessage, writeMessage } from '../../agent/probe/protobuf.ts';
import { textsIn } from '../simulator/protobuf.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const FIELDS: Message = {
  1: ['a', 'number'],
  2: ['b', 'text'],
  3: ['c', { 1: ['a', 'number'] }],
  4: ['d', 'text', 'list'],
  5: ['e', { 2: ['b', 'text'] }, 'list'],
};

// The examples of "Encoding" on protobuf.dev: 150 as a varint, `testing` as a text, a message in a message.
test('the examples of the specification read as it says', () => {
  assert.deepEqual(readMessage(bytes('08 96 01'), FIELDS), { a: 150 });
  assert.deepEqual(readMessage(bytes('12 07 74 65 73 74 69 6e 67'), FIELDS), { b: 'testing' });
  assert.deepEqual(readMessage(bytes('1a 03 08 96 01'), FIELDS), { c: { a: 150 } });
  assert.deepEqual(readMessage(new Uint8Array(), FIELDS), {});
});

test('lists keep their order, whatever stands between; an empty text is a text', () => {
  assert.deepEqual(readMessage(bytes('22 01 78  08 01  22 00  2a 03 12 01 79  2a 00'), FIELDS), {
    d: ['x', ''],
    a: 1,
    e: [{ b: 'y' }, {}],
  });
});

test('fields that nobody asked for are skipped, of every kind', () => {
  const skipped = '30 ff ff ff ff ff ff ff ff ff 01  39 01 02 03 04 05 06 07 08  42 02 ff fe  4d 01 02 03 04';
  assert.deepEqual(readMessage(bytes(`${skipped} 08 01 ${skipped}`), FIELDS), { a: 1 });
  assert.deepEqual(readMessage(bytes('fa ff ff ff 0f 00'), FIELDS), {}, 'the highest number of a field');
});

test('what is no such message is none', () => {
  const bad = {
    'ends in a tag': '88',
    'ends in a number': '08 96',
    'ends in a text': '12 07 74',
    'ends in a length': '12',
    'ends in a message': '1a 03 08 96',
    'a number that never ends': '08 ff ff ff ff ff ff ff ff ff ff ff 01',
    'a number that JSON has not': '08 ff ff ff ff ff ff ff 7f',
    'a negative number': '08 ff ff ff ff ff ff ff ff ff 01',
    'a text where a number stands': '0a 01 78',
    'a number where a text stands': '10 01',
    'a number where a message stands': '18 01',
    'a text that is no UTF-8': '12 02 c3 28',
    'a length beyond all': '12 ff ff ff ff ff ff ff 0f',
    'the same twice': '12 01 78 12 01 78',
    'two values': '08 01 08 02',
    'field 0': '00 01',
    'a number of a field that is too high': '80 80 80 80 80 01 00',
    'the beginning of a group': '33 34',
    'a kind that does not exist': '36',
  };
  for (const [what, hex] of Object.entries(bad)) assert.equal(readMessage(bytes(hex), FIELDS), undefined, what);
});

test('a message cut anywhere is none, or the fields before the cut', () => {
  const whole = bytes('08 96 01 12 07 74 65 73 74 69 6e 67 1a 03 08 96 01 22 01 78');
  for (let length = 0; length < whole.length; length += 1) {
    const read = readMessage(whole.subarray(0, length), FIELDS);
    if (read !== undefined) assert.deepEqual({ ...readMessage(whole, FIELDS), ...read }, readMessage(whole, FIELDS));
  }
});

test('no bytes make the reader throw, hang or go deeper than its fields', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (some) => {
      const read = readMessage(some, FIELDS);
      assert.ok(read === undefined || Object.keys(read).every((name) => 'abcde'.includes(name)));
    }),
    { numRuns: 2000 },
  );
  const deep = bytes('1a 80 80 80 01'.repeat(10_000));
  assert.equal(readMessage(deep, FIELDS), undefined);
});

test('texts are written as they are, whatever is in them', () => {
  const text = fc.string({ maxLength: 40 });
  fc.assert(
    fc.property(text, text, (user, password) => {
      const written = writeMessage([
        [1, user],
        [2, password],
      ]);
      const read = textsIn(Buffer.from(written));
      assert.deepEqual([read?.get(1), read?.get(2)], [user.toWellFormed(), password.toWellFormed()]);
    }),
  );
  assert.deepEqual(Buffer.from(writeMessage([[1, 'x'.repeat(300)]])).subarray(0, 3), bytes('0a ac 02'));
});
