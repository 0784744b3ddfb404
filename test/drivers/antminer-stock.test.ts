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
    { BMMiner: '2.12', CompileTime: 'Thu Jan 18 10:22:41 CST 2024', Type },
    { STATS: 0, ID: 'BTM_SOC0', ...data },
  ],
});

const summary = (row: JsonObject, description = OLD) => ({ ...said(description), SUMMARY: [row] });

const webStats = (type: string, row: JsonObject) => ({
  STATUS: { STATUS: 'S', when: 1_763_901_103, api_version: '1.0.0' },
  INFO: { type },
  STATS: [row],
});

const present = (value: unknown) => ({ kind: 'present', value });

describe('the unit of a rate', () => {
  const rate = (given: { readonly [query: string]: JsonValue }) => read('telemetry.hashrate_hs', given);

  test('that stands beside the number in SUMMARY counts before the label of `stats`', () => {
    for (const [model, text, hs] of [
      ['Antminer L9', '11.48GH/s', 11_480_000_000],
      ['Antminer KS5', '21632.89GH/s', 21_632_890_000_000],
      ['Antminer AL1', '16600.10 GH/s', 16_600_100_000_000],
      ['Antminer E9 Pro', '3680.5MH/s', 3_680_500_000],
      ['Antminer Z15 Pro', '841.25KSol/s', 841_250],
    ] as const) {
      const given = {
        version: version(model, YEAR_2022),
        stats: stats(model, { 'GHS 5s': 11.48 }, YEAR_2022),
        summary: summary({ 'GHS 5s': 11.48, 'RT HASHRATE': text, 'THEORY HASHRATE': '1 GH/s' }, YEAR_2022),
      };
      assert.deepEqual(rate(given), present(hs), model);
    }
  });

  test('is that of the web interface where port 4028 tells none', () => {
    const web_stats = webStats('Antminer L9', { rate_5s: 16_480.2, rate_unit: 'MH/s' });
    assert.deepEqual(rate({ stats: stats('Antminer L9', { 'GHS 5s': 16.48 }), web_stats }), present(16_480_200_000));
  });

  test('is the label of the model on old builds', () => {
    for (const [model, label, hs] of [
      ['Antminer S9', '13500.2', 13_500_200_000_000],
      ['Antminer L3++', '596.2', 596_200_000],
      ['Antminer L7', 9503.9, 9_503_900_000],
      ['Antminer A3', '815.4', 815_400_000_000],
      ['Antminer DR5', 35_000, 35_000_000_000_000],
      ['Antminer D5', 119_000, 119_000_000_000_000],
      ['Antminer V9', '4000', 4_000_000_000_000],
      ['Antminer R4', '8600.5', 8_600_500_000_000],
      ['Antminer B3', '780', 780],
      ['Antminer Z9-Mini', '10.3', 10_300],
      ['Antminer Z15', 0, 0],
    ] as const) {
      assert.deepEqual(rate({ stats: stats(model, { 'GHS 5s': label }) }), present(hs), model);
    }
  });

  test('is not guessed where the label means something else on newer builds', () => {
    for (const [model, label] of [
      ['Antminer L9', 16.9],
      ['Antminer L11', 20.1],
      ['Antminer L7', 9.5],
      ['Antminer E9 Pro', 3.68],
      ['Antminer Z15 Pro', 0.000877],
      ['Antminer KS3', 9400],
    ] as const) {
      const { kind } = rate({ stats: stats(model, { 'GHS 5s': label }) }) ?? {};
      assert.equal(kind, 'unknown', model);
    }
  });
});

describe('measurements', () => {
  test('power stands in `stats.cgi` as a number, in other builds as text with its unit', () => {
    assert.deepEqual(
      read('telemetry.power_w', { web_stats: webStats('Antminer S23 Hyd.', { watt: 5525 }) }),
      present(5525),
    );
    for (const data of [{ power: 3200 }, { Power: '3200W' }, { chain_power: '3200 W' }]) {
      assert.deepEqual(read('telemetry.power_w', { stats: stats('Antminer S21', data) }), present(3200));
    }
  });

  test('fans that stand still are none where water or oil cools the model, and stand still elsewhere', () => {
    const still = { fan1: 0, fan2: 0, fan_num: 2 };
    const fans = (given: { readonly [query: string]: JsonValue }) => read('telemetry.fans_rpm', given)?.kind;
    for (const model of ['Antminer S21 XP Hyd.', 'Antminer S21 Imm.']) {
      assert.notEqual(fans({ stats: stats(model, still) }), 'present');
      assert.notEqual(fans({ web_stats: webStats(model, { fan: [0, 0, 0, 0] }) }), 'present');
    }
    assert.deepEqual(read('telemetry.fans_rpm', { stats: stats('Antminer S21', still) }), present([0, 0]));
    assert.deepEqual(
      read('telemetry.fans_rpm', { stats: stats('Antminer S9-Hydro', { fan1: 2400 }) }),
      present([2400]),
    );
  });

  test('the frequency is the mean of the chains of `stats.cgi` where nothing else tells it', () => {
    const chain = [{ freq_avg: 525 }, { freq_avg: 530 }, { freq_avg: 0 }, { freq_avg: 526 }];
    assert.deepEqual(read('config.freq_mhz', { web_stats: webStats('Antminer S19', { chain }) }), present(527));
  });

  test('the voltage of an S7 is named in small letters', () => {
    assert.deepEqual(read('config.voltage_mv', { stats: stats('Antminer S7', { voltage: '0.706' }) }), present(706));
  });

  test('the program of 2022 has its sensors by inlet and outlet', () => {
    const data = { temp_in_pcb_1: '49', temp_out_pcb_1: '60', temp_in_chip_1: '66-65-74-83', temp_out_chip_2: '88' };
    assert.deepEqual(read('telemetry.temp_max_mc', { stats: stats('Antminer KS5', data) }), present(88_000));
  });
});

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
    assert.deepEqual(read('identity.model', s7), { ...present('Antminer S7'), standsIn: 'refused' });
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
