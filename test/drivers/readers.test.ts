import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Replies, Source } from '../../agent/drivers/driver.ts';
import {
  alike,
  anyOf,
  at,
  count,
  firstOf,
  flag,
  integer,
  joined,
  listOf,
  mac,
  type Reader,
  rateFactor,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
  whenPresent,
  worded,
} from '../../agent/drivers/readers.ts';
import { CONFLICT, type JsonValue, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { ABSENT, present, type Reading, standingIn, unknown } from '../../shared/facts.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });
const lost = (reason: NoReply['reason']): NoReply => ({ kind: 'no-reply', reason, detail: '' });

const replies = (given: { readonly [query: string]: JsonValue | NoReply }): Replies =>
  new Map(Object.entries(given).map(([query, value]) => [query, isNoReply(value) ? value : reply(value)] as const));

const isNoReply = (value: JsonValue | NoReply): value is NoReply =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'no-reply';

const readFrom = <T>(source: Source<T>, value: JsonValue): Reading<T> => source.read(replies({ q: value }));

const unreadable = unknown('unreadable');

describe('a place in a reply', () => {
  test('is a JSON Pointer, with ~1 for / and ~0 for ~ (RFC 6901)', () => {
    const value = { list: [{ 'a/b': 'one' }, { 'm~n': 'two' }], '': 'empty name' };
    assert.deepEqual(readFrom(at('q', '/list/0/a~1b', text), value), present('one'));
    assert.deepEqual(readFrom(at('q', '/list/1/m~0n', text), value), present('two'));
    assert.deepEqual(readFrom(at('q', '/', text), value), present('empty name'));
    assert.deepEqual(
      readFrom(
        at('q', '', (whole) => present(whole)),
        value,
      ),
      present(value),
    );
  });

  test('may have several spellings, of which the first that exists is read', () => {
    const rate = at('q', ['/GHS 5s', '/GHS5s'], scaled(1));
    assert.deepEqual(readFrom(rate, { GHS5s: 2 }), present(2));
    assert.deepEqual(readFrom(rate, { GHS5s: 2, 'GHS 5s': 1 }), present(1));
    assert.deepEqual(readFrom(rate, { other: 1 }), ABSENT);
  });

  test('is absent when the last member is missing, unreadable when the way to it is', () => {
    const type = at('q', '/VERSION/0/Type', text);
    assert.deepEqual(readFrom(type, { VERSION: [{}] }), ABSENT);
    for (const value of [{}, [], { VERSION: [] }, { VERSION: 'text' }, { VERSION: CONFLICT }, { VERSION: null }]) {
      assert.deepEqual(readFrom(type, value), unreadable, JSON.stringify(value));
    }
  });

  test('is unreadable in a list where a member is looked for, and a section in an empty document', () => {
    assert.deepEqual(readFrom(at('q', '/pools', text), [{ pools: 'x' }]), unreadable);
    assert.deepEqual(readFrom(at('q', '/POOLS', text), {}), unreadable);
    assert.deepEqual(readFrom(at('q', '/pools', text), {}), ABSENT);
  });

  test('that the compiler cannot know to be a pointer is refused when the driver is made', () => {
    assert.throws(() => at('q', 'VERSION', text));
  });
});

describe('a status in a reply', () => {
  const anything = at('q', '', () => present('read'));
  const error = (letter: string, code: JsonValue): JsonValue => ({ STATUS: [{ STATUS: letter, Code: code }], id: 1 });

  test('of code 45 is refused, of code 14 or 24 an unknown question, of code 10 a device without devices', () => {
    assert.deepEqual(readFrom(anything, error('E', 45)), unknown('refused'));
    assert.deepEqual(readFrom(anything, error('E', '45')), unknown('refused'));
    assert.deepEqual(readFrom(anything, error('E', 14)), unknown('unsupported'));
    assert.deepEqual(readFrom(anything, error('E', 24)), unknown('unsupported'));
    assert.deepEqual(readFrom(anything, error('E', 10)), ABSENT);
    assert.deepEqual(readFrom(anything, error('F', 23)), unreadable);
  });

  test('of no pools does not make the pools absent: one surface alone is not believed', () => {
    assert.deepEqual(readFrom(anything, error('E', 8)), unreadable);
  });

  test('is found in a list, in an object and beside its own letter', () => {
    assert.deepEqual(readFrom(anything, { STATUS: { STATUS: 'E', Code: 45 } }), unknown('refused'));
    assert.deepEqual(readFrom(anything, { STATUS: 'E', Code: 45, Msg: 'x' }), unknown('refused'));
  });

  test('that says two things is not believed', () => {
    assert.deepEqual(readFrom(anything, { STATUS: [{ STATUS: CONFLICT, Code: 11 }] }), unreadable);
    assert.deepEqual(readFrom(anything, { STATUS: [{ STATUS: 'E', Code: CONFLICT }] }), unreadable);
    assert.deepEqual(readFrom(anything, { STATUS: CONFLICT }), unreadable);
  });

  test('of success, information or warning lets the reply be read', () => {
    for (const letter of ['S', 'I', 'W']) assert.deepEqual(readFrom(anything, error(letter, 45)), present('read'));
  });
});

describe('several sources of one fact', () => {
  const both = firstOf(at('web', '/model', text), at('api', '/type', text));

  test('give the first that has it', () => {
    assert.deepEqual(both.read(replies({ web: { model: 'A' }, api: { type: 'B' } })), present('A'));
    assert.deepEqual(both.read(replies({ web: {}, api: { type: 'B' } })), present('B'));
    const other = both.read(replies({ web: lost('refused'), api: { type: 'B' } }));
    assert.deepEqual(other, standingIn(present('B'), 'refused'));
    assert.deepEqual(both.queries, ['web', 'api']);
  });

  test('say why the preferred one is closed where another stands in for it', () => {
    const standsIn = (web: JsonValue | NoReply, api: JsonValue | NoReply) => {
      const reading = both.read(replies({ web, api }));
      return reading.kind === 'present' ? reading.standsIn : undefined;
    };
    assert.equal(standsIn(lost('refused'), { type: 'B' }), 'refused');
    assert.equal(standsIn(lost('unreachable'), { type: 'B' }), 'unreachable');
    assert.equal(standsIn({ ...lost('unreadable'), elsewhere: true }, { type: 'B' }), 'elsewhere');
    assert.equal(standsIn({ ...lost('unreadable'), withheld: true }, { type: 'B' }), 'elsewhere');
    assert.equal(standsIn({ model: 'A' }, { type: 'B' }), undefined);
    assert.equal(standsIn({}, { type: 'B' }), undefined);
    assert.equal(standsIn({ model: 'A' }, lost('refused')), undefined);
    assert.equal(standsIn(lost('refused'), {}), undefined);
    assert.equal(standsIn(lost('unsupported'), { type: 'B' }), undefined);
    // Access denied is said inside a reply that arrived.
    assert.equal(standsIn({ STATUS: [{ STATUS: 'E', Code: 45 }] }, { type: 'B' }), 'refused');
  });

  test('do not change surface because an answer was lost: that would look like a change', () => {
    for (const reason of ['timeout', 'truncated', 'unreadable'] as const) {
      assert.deepEqual(both.read(replies({ web: lost(reason), api: { type: 'B' } })), unknown(reason));
    }
    assert.deepEqual(both.read(replies({ web: { model: 7 }, api: { type: 'B' } })), unreadable);
  });

  test('are absent only where no closed surface could have it', () => {
    assert.deepEqual(both.read(replies({ web: {}, api: {} })), ABSENT);
    assert.deepEqual(both.read(replies({ web: lost('refused'), api: {} })), unknown('refused'));
    assert.deepEqual(both.read(replies({ web: {}, api: lost('unreachable') })), unknown('unreachable'));
  });

  test('of a measured value give whichever answers', () => {
    const measured = anyOf(at('web', '/rpm', count), at('api', '/rpm', count));
    assert.deepEqual(measured.read(replies({ web: lost('timeout'), api: { rpm: 9 } })), present(9));
    assert.deepEqual(measured.read(replies({ web: lost('timeout'), api: {} })), unknown('timeout'));
  });

  test('that spell it alike do not stand in for each other, and none tells what another lost', () => {
    const same = alike(at('web', '/model', text), at('api', '/type', text));
    const standsIn = (reading: Reading<string>) => reading.kind === 'present' && 'standsIn' in reading;
    const closed = same.read(replies({ web: lost('refused'), api: { type: 'B' } }));
    assert.deepEqual([closed, standsIn(closed)], [present('B'), false]);
    assert.deepEqual(same.read(replies({ web: {}, api: { type: 'B' } })), present('B'));
    assert.deepEqual(same.read(replies({ web: { model: CONFLICT }, api: { type: 'B' } })), unreadable);
    assert.deepEqual(same.read(replies({ web: lost('timeout'), api: { type: 'B' } })), unknown('timeout'));
    assert.deepEqual(same.read(replies({ web: lost('refused'), api: {} })), unknown('refused'));
  });

  test('are told apart when one fact is made of them', () => {
    const pair = joined(['web', 'api'], ({ web, api }) => present([web.kind, api.kind]));
    assert.deepEqual(pair.read(replies({ web: {}, api: lost('timeout') })), present(['present', 'unknown']));
    assert.deepEqual(pair.read(replies({ web: {} })), present(['present', 'unknown']));
  });

  test('whose connection failed are unreachable, however it failed', () => {
    const silent: NoReply = { kind: 'no-reply', reason: 'timeout', detail: '', dark: true };
    assert.deepEqual(at('q', '/a', text).read(replies({ q: silent })), unknown('unreachable'));
  });
});

const table = <T>(reader: Reader<T>, rows: readonly (readonly [JsonValue, Reading<T>])[]): void => {
  for (const [value, expected] of rows) assert.deepEqual(reader(value), expected, String(JSON.stringify(value)));
};

describe('a reader', () => {
  test('of text drops the white space around it, and takes nothing for empty', () => {
    table(text, [
      [' v.2 ', present('v.2')],
      ['', ABSENT],
      ['  ', ABSENT],
      [null, ABSENT],
      [3, unreadable],
      [CONFLICT, unreadable],
      [['a'], unreadable],
    ]);
    table(scalarText, [
      [3, present('3')],
      [false, present('false')],
      [CONFLICT, unreadable],
    ]);
  });

  test('of a serial number knows the words for none', () => {
    for (const none of ['Unknown', 'N/A', 'null', '0000000', '---', 'FFFF'])
      assert.deepEqual(serial(none), ABSENT, none);
    assert.deepEqual(serial('SPECIMEN01'), present('SPECIMEN01'));
  });

  test('of numbers takes their spellings as text, and nothing that only begins like one', () => {
    table(integer, [
      [42, present(42)],
      [' 42 ', present(42)],
      ['-3', present(-3)],
      ['7,903', present(7903)],
      ['7,90', unreadable],
      ['42 rpm', unreadable],
      ['0x10', unreadable],
      ['NaN', unreadable],
      [1.5, unreadable],
      [2 ** 60, unreadable],
      [null, ABSENT],
      ['', ABSENT],
      [true, unreadable],
      [CONFLICT, unreadable],
    ]);
    table(count, [[-1, unreadable]]);
    table(scaled(1e9), [
      ['13511.20', present(13_511_200_000_000)],
      [1e300, unreadable],
    ]);
    table(temperatureMc, [
      ['71.5 °C', present(71_500)],
      [46, present(46_000)],
      ['warm', unreadable],
    ]);
  });

  test('of a flag knows the spellings of the field and guesses no other', () => {
    table(flag, [
      [true, present(true)],
      ['Y', present(true)],
      ['disabled', present(false)],
      [0, present(false)],
      [2, unreadable],
      ['maybe', unreadable],
      ['', ABSENT],
    ]);
  });

  test('of a MAC address gives one spelling, and no address that boards share', () => {
    table(mac, [
      ['02:1A:2B:3C:4D:5E', present('02:1a:2b:3c:4d:5e')],
      ['021a2b3c4d5e', present('02:1a:2b:3c:4d:5e')],
      ['02-1A-2B-3C-4D-5E\n', present('02:1a:2b:3c:4d:5e')],
      ['00:00:00:00:00:00', ABSENT],
      ['00:0a:35:00:00:00', ABSENT],
      ['02:55:97:22:3M:72', unreadable],
      ['', ABSENT],
    ]);
  });

  test('of lists drops what is blank and spoils nothing silently', () => {
    table(textList, [
      ['10.0.0.1, 10.0.0.2', present(['10.0.0.1', '10.0.0.2'])],
      [['a', ''], present(['a'])],
      ['', ABSENT],
      [['a', 1], unreadable],
    ]);
    table(listOf(count), [
      [[1, '2', null], present([1, 2])],
      [[1, 'x'], unreadable],
      [[], ABSENT],
      ['1', unreadable],
    ]);
  });

  test('of words keeps a word that it does not know', () => {
    table(worded({ '0': 'normal' }), [
      ['0', present('normal')],
      [0, present('normal')],
      ['9', present('9')],
    ]);
  });

  test('of a unit gives its factor, or none', () => {
    assert.deepEqual(['GH/s', 'GH', 'TH/s', 'mh', 'H/s', 'KSol/s', 'GHS', 'boards'].map(rateFactor), [
      1e9,
      1e9,
      1e12,
      1e6,
      1,
      1e3,
      1e9,
      undefined,
    ]);
  });

  test('never throws, whatever the device sends', () => {
    const readers: readonly Reader<unknown>[] = [
      text,
      scalarText,
      serial,
      integer,
      count,
      scaled(1e9),
      temperatureMc,
      flag,
      mac,
      textList,
      listOf(text),
      worded({}),
    ];
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.constant(CONFLICT)), (value) => {
        for (const reader of readers) {
          // What fast-check makes is JSON; its own type only has another name.
          const { kind } = reader(value as JsonValue);
          assert.ok(kind === 'present' || kind === 'absent' || kind === 'unknown');
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('a reading that is not present passes through with its reason', () => {
  assert.deepEqual(
    whenPresent(unknown('timeout'), () => present(1)),
    unknown('timeout'),
  );
  assert.deepEqual(
    whenPresent(present(1), (value) => present(value + 1)),
    present(2),
  );
});
