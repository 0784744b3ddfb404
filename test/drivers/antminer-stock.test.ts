import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { cgminer } from '../../agent/drivers/cgminer.ts';
import type { JsonObject, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

/** The look without the web password that gave these replies on port 4028. */
const looked = (given: { readonly [query: string]: JsonValue }): ReadonlyMap<string, Reply | NoReply> =>
  new Map(
    Object.entries(antminerStock.queries).map(([name, { kind }]) => {
      const silent = kind === 'http' ? noReply('refused', 'no credentials') : noReply('refused', 'code 45');
      const value = given[name];
      return [name, value === undefined ? silent : replied(value)];
    }),
  );

const read = (fact: keyof typeof antminerStock.facts, given: { readonly [query: string]: JsonValue }) =>
  antminerStock.facts[fact]?.read(looked(given));

const said = (Description: string) => ({ STATUS: [{ STATUS: 'S', When: 1_763_901_103, Description }], id: 1 });

const OLD = 'cgminer 4.9.0';
const YEAR_2022 = 'jansson 2.12';

const version = (Type: string, description = OLD) => ({
  ...said(description),
  VERSION: [{ BMMiner: '2.12', API: '3.1', Miner: '0.0-2.0.0', CompileTime: 'Wed Aug 28 11:12:11 CST 2024', Type }],
});

const stats = (Type: string, data: JsonObject, description = OLD) => ({
  ...said(description),
  STATS: [
    { BMMiner: '2.12', Type },
    { STATS: 0, ID: 'BTM_SOC0', ...data },
  ],
});

const present = (value: unknown) => ({ kind: 'present', value });

const BARE = { ...said('cgminer 4.8.0'), VERSION: [{ CGMiner: '4.8.0', API: '3.1' }] };
const S5_ROW = {
  STATS: 0,
  ID: 'BMM0',
  Elapsed: 100,
  'GHS 5s': '1150.1',
  temp1: 50,
  chain_acn1: 30,
  chain_acs1: 'oooo',
};
const S5_STATS = { ...said('cgminer 4.8.0'), STATS: [S5_ROW, { STATS: 1, ID: 'POOL0' }] };
const REALM = { status: 401, realm: 'antMiner Configuration', body: '' };

describe('a version without a model', () => {
  const clues = (replies: { readonly [command: string]: JsonValue }) => ({
    cgminer: new Map(Object.entries(replies)),
    http: new Map<string, JsonValue>(),
  });

  test('does not hide the model in the header of `stats` (S7)', () => {
    const s7 = { version: BARE, stats: stats('Antminer S7', { 'GHS 5s': '4730.1' }, 'cgminer 4.8.0') };
    assert.equal(antminerStock.recognise(clues(s7)), 3);
    assert.deepEqual(read('identity.model', s7), present('Antminer S7'));
    assert.equal(antminerStock.stillSpeaks?.(looked(s7)), true);
  });

  test('is possibly ours behind the realm of Bitmain, and likely with a row of its first driver (S5)', () => {
    assert.equal(antminerStock.recognise({ ...clues({ version: BARE }), web: REALM }), 1);
    assert.equal(antminerStock.recognise(clues({ version: BARE, stats: S5_STATS })), 2);
    assert.equal(antminerStock.recognise(clues({ version: BARE })), 0);
    assert.equal(cgminer.recognise({ ...clues({ version: BARE }), web: REALM }), 0);
    assert.equal(antminerStock.stillSpeaks?.(looked({ version: BARE, stats: S5_STATS })), true);
  });

  test('does not make the row of a pool the data (S5)', () => {
    const s5 = { version: BARE, stats: S5_STATS };
    assert.deepEqual(read('telemetry.temp_max_mc', s5), present(50_000));
    assert.deepEqual(read('telemetry.chips', s5), present(4));
  });

  test('of another program is not ours, realm or not', () => {
    const other = { ...said('lfminer 1.0'), VERSION: [{ LFMiner: '1.0', API: '3.1' }] };
    assert.equal(antminerStock.recognise({ ...clues({ version: other }), web: REALM }), 0);
    assert.equal(antminerStock.stillSpeaks?.(looked({ version: other })), false);
  });
});

describe('a later look still takes it for the same family', () => {
  const speaks = (given: { readonly [query: string]: JsonValue }) => antminerStock.stillSpeaks?.(looked(given));
  const pools = (description: string) => ({ ...said(description), POOLS: [] });

  test('whatever the program of a Bitmain version is described as, except as another firmware', () => {
    for (const description of [YEAR_2022, 'cminer 1.0.0', 'cgminer 1.0.0', 'a program of 2030', '']) {
      const s23 = version('Antminer S23 Hyd.', description);
      assert.equal(speaks({ version: s23, pools: pools(description) }), true, description);
    }
    assert.equal(speaks({ version: version('Antminer L3+'), pools: pools('cgminer 4.9.0 rwglr') }), false);
  });

  test('by the descriptions known, where the version was lost', () => {
    for (const description of [YEAR_2022, 'cminer 1.0.0', 'bmminer 2.0.0']) {
      assert.equal(speaks({ pools: pools(description) }), true, description);
    }
    assert.equal(speaks({ pools: pools('sgminer 5.5.0') }), false);
  });
});
