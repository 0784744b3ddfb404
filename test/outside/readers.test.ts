import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { READER_NAMES, type ReaderName, type ReaderParameters, readerNamed } from '../../agent/outside/readers.ts';
import type { JsonValue } from '../../agent/probe/capture.ts';
import { ABSENT, present, type Reading, unknown } from '../../shared/facts.ts';
import { acmeDriver } from './example.ts';

const UNREADABLE = unknown('unreadable');

interface Case {
  readonly with?: ReaderParameters;
  readonly reads: readonly (readonly [value: JsonValue, reading: Reading<unknown>])[];
}

const POOL = { POOL: 1, URL: 'stratum+tcp://a.example:3333', User: 'acme.7', Status: 'Alive', Priority: 0 };
const READ = { slot: 1, url: POOL.URL, user: 'acme.7', priority: 0, status: 'Alive' } as const;

/** What the names mean: files that operators wrote rely on it, so that none of this may ever change. */
const MEANT: { readonly [Name in ReaderName]: Case } = {
  text: {
    reads: [
      [' A1 ', present('A1')],
      ['', ABSENT],
      [null, ABSENT],
      [7, UNREADABLE],
    ],
  },
  scalar_text: {
    reads: [
      [7.5, present('7.5')],
      [false, present('false')],
      [[], UNREADABLE],
    ],
  },
  serial: {
    reads: [
      ['SN-1', present('SN-1')],
      ['000000', ABSENT],
      ['unknown', ABSENT],
    ],
  },
  mac: {
    reads: [
      ['02-AC-3E-00-00-07', present('02:ac:3e:00:00:07')],
      ['00:00:00:00:00:00', ABSENT],
      ['x', UNREADABLE],
    ],
  },
  words: {
    with: { words: { '0': 'sleep' } },
    reads: [
      [0, present('sleep')],
      ['0', present('sleep')],
      ['other', present('other')],
      ['constructor', present('constructor')],
    ],
  },
  integer: {
    reads: [
      ['-42', present(-42)],
      [4.5, UNREADABLE],
      [1e300, UNREADABLE],
    ],
  },
  count: {
    reads: [
      ['1,207', present(1207)],
      [-1, UNREADABLE],
    ],
  },
  scaled: {
    with: { factor: 1e9 },
    reads: [
      [95.25, present(95_250_000_000)],
      ['1e300', UNREADABLE],
      [null, ABSENT],
    ],
  },
  celsius: {
    reads: [
      [71.5, present(71_500)],
      ['70.25 °C', present(70_250)],
    ],
  },
  watts: {
    reads: [
      ['3260 W', present(3260)],
      [3259.6, present(3260)],
    ],
  },
  rate_text: {
    reads: [
      ['21632.89GH/s', present(21_632_890_000_000)],
      ['21632.89', UNREADABLE],
    ],
  },
  rate_letter: { reads: [['12.44T', present(12_440_000_000_000)]] },
  cgminer_rate: {
    reads: [
      [{ 'GHS 5s': 95250, 'GHS av': 1 }, present(95_250_000_000_000)],
      [{ 'MHS av': '2.5' }, present(2_500_000)],
      [{}, ABSENT],
    ],
  },
  cgminer_rates: {
    reads: [
      [[{ 'GHS 5s': 1 }, { 'GHS 5s': 2 }], present(3_000_000_000)],
      [7, UNREADABLE],
    ],
  },
  last_share_age: {
    with: { member: 'Last Share Time' },
    reads: [
      [{ STATUS: [{ When: 1_700_000_060 }], POOLS: [{ 'Last Share Time': 1_700_000_000 }] }, present(60)],
      [{ POOLS: [{ 'Last Share Time': '0:01:05' }] }, present(65)],
    ],
  },
  flag: {
    reads: [
      ['on', present(true)],
      [0, present(false)],
      ['maybe', UNREADABLE],
    ],
  },
  text_list: {
    reads: [
      ['1.1.1.1, 9.9.9.9', present(['1.1.1.1', '9.9.9.9'])],
      [['a', ' '], present(['a'])],
    ],
  },
  list: {
    with: { each: 'count' },
    reads: [
      [[5520, '5640'], present([5520, 5640])],
      [[1, 'x'], UNREADABLE],
      [[], ABSENT],
    ],
  },
  list_of_rows: {
    with: { member: 'sn', each: 'serial' },
    reads: [
      [[{ sn: 'B1' }, { sn: '000' }, { sn: 'B3' }], present(['B1', 'B3'])],
      [[{ sn: 1 }], UNREADABLE],
      [{ a: { sn: 'B1' } }, present(['B1'])],
    ],
  },
  sum_of_rows: {
    with: { member: 'rate', each: 'scaled', factor: 1000 },
    reads: [
      [[{ rate: 1 }, { rate: '2.5' }, { rate: 'x' }], present(3500)],
      [[{}], ABSENT],
    ],
  },
  highest_of_rows: {
    with: { member: 't', each: 'celsius' },
    reads: [
      [[{ t: 70 }, { t: 71.5 }], present(71_500)],
      [['x'], UNREADABLE],
    ],
  },
  pools: {
    with: { members: 'cgminer' },
    reads: [
      [[POOL], present([READ])],
      [[POOL, 7], { kind: 'unknown', reason: 'unreadable', toldPools: [READ] }],
      [[], UNREADABLE],
    ],
  },
  live_pools: {
    with: { members: { url: 'host', port: 'port', user: 'login' } },
    reads: [
      [[{ host: 'a.example', port: 3333, login: 'acme.7' }], present([{ url: 'a.example:3333', user: 'acme.7' }])],
    ],
  },
  settings: {
    with: { except: ['mode'] },
    reads: [
      [{ led: true, mode: 1, password: 'hunter2', deep: {} }, present([{ key: 'led', value: 'true' }])],
      [[], UNREADABLE],
    ],
  },
};

describe('readers of driver files', () => {
  for (const name of READER_NAMES) {
    test(`${name} reads what its name has always meant`, () => {
      const { with: parameters = {}, reads } = MEANT[name];
      const read = readerNamed(name).make(parameters);
      assert.ok(reads.length > 0);
      for (const [value, reading] of reads) assert.deepEqual(read(value), reading, JSON.stringify(value));
    });
  }

  test('none of them, nor recognition, throws at whatever a device says', () => {
    const { recognise, stillSpeaks } = acmeDriver();
    const readers = READER_NAMES.map((name) => readerNamed(name).make(MEANT[name].with ?? {}));
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        // What fast-check calls JSON is what a reply parses to.
        const value = json as JsonValue;
        for (const read of readers) assert.ok(['present', 'absent', 'unknown'].includes(read(value).kind));
        const named = new Map([['version', value]]);
        const clues = {
          cgminer: named,
          http: new Map([['/api/info', value]]),
          web: { status: 200, body: JSON.stringify(value) },
        };
        assert.ok([0, 2].includes(recognise(clues)));
        const reply = { kind: 'reply' as const, bytes: new Uint8Array(), value, repairs: [] };
        assert.equal(typeof stillSpeaks?.(new Map([['version', reply]])), 'boolean');
      }),
      { numRuns: 500 },
    );
  });
});
