import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { avalon } from '../../agent/drivers/avalon.ts';
import type { JsonObject, JsonValue, Reply } from '../../agent/probe/capture.ts';
import { present, unknown } from '../../shared/facts.ts';

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const STATUS = [{ STATUS: 'S', When: 1_763_901_103, Description: 'cgminer 4.11.1' }];

const summary = (row: JsonObject) => replied({ STATUS, SUMMARY: [row], id: 1 });

const stats = (module: string) => replied({ STATUS, STATS: [{ ID: 'AVANANO0', 'MM ID0': module }], id: 1 });

const rate = (replies: { [query: string]: Reply }) => {
  const reading = avalon.facts['telemetry.hashrate_hs']?.read(new Map(Object.entries(replies)));
  return reading?.kind === 'present' ? reading.value : reading;
};

const NANO = { Elapsed: 348_845, 'MHS av': 3_961_115, 'MHS 5s': 2_759_123, 'MHS 1m': 2_410_313, 'MHS 5m': 3_430_034 };

describe('the rate of an Avalon', () => {
  test('is what the modules measure where they were asked, also while they rest', () => {
    const asked = (speed: string) => rate({ summary: summary(NANO), stats: stats(`Ver[nano3-24071801] ${speed}`) });
    assert.equal(asked('GHSspd[4120.50]'), 4_120_500_000_000);
    assert.equal(asked('GHSspd[0.00]'), 0);
    assert.equal(asked('GHSmm[4300.1]'), 3_430_034_000_000);
  });

  test('is asked in every pools round, and there of a slow unit the average of 5 minutes', () => {
    assert.deepEqual(avalon.facts['telemetry.hashrate_hs']?.queries, ['summary']);
    assert.equal(rate({ summary: summary(NANO) }), 3_430_034_000_000);
  });

  test('is a short average while that of 5 minutes still shows the start, of a fast unit, and at rest', () => {
    assert.equal(rate({ summary: summary({ ...NANO, Elapsed: 60 }) }), 2_759_123_000_000);
    assert.equal(rate({ summary: summary({ ...NANO, 'MHS 5s': 0, 'MHS 5m': 0.06 }) }), 0);
    const fast = { Elapsed: 9000, 'MHS 30s': 84_010_500, 'MHS 5m': 83_700_000 };
    assert.equal(rate({ summary: summary(fast) }), 84_010_500_000_000);
    assert.equal(rate({ summary: summary({ Elapsed: 9000, 'MHS 5s': 2_000_000 }) }), 2_000_000_000_000);
  });
});

describe('the numbers that tell modules apart', () => {
  const DNA = '02010000a12b0009';
  const read = (fact: 'identity.chip_id' | 'identity.hashboards', ID: string, key: string) =>
    avalon.facts[fact]?.read(
      new Map([['stats', replied({ STATUS, STATS: [{ ID, [key]: `Ver[1246-85-22041301_5ec7bb0] DNA[${DNA}]` }] })]]),
    );

  test('are that of the chip in a unit, and of the boards behind a controller', () => {
    assert.deepEqual(read('identity.chip_id', 'AVA100', 'MM ID0'), present(DNA));
    assert.deepEqual(read('identity.hashboards', 'AV91', 'MM ID4'), present([DNA]));
  });

  test('are neither where the row and the number in the key contradict each other: one of them is damaged', () => {
    for (const [id, key] of [
      ['AVA100', 'MM ID4'],
      ['AVALON0', 'MM ID1:Summary'],
      ['AV91', 'MM ID0'],
    ] as const) {
      assert.deepEqual(read('identity.chip_id', id, key), unknown('unreadable'), `${id} ${key}`);
      assert.deepEqual(read('identity.hashboards', id, key), unknown('unreadable'), `${id} ${key}`);
    }
  });
});
