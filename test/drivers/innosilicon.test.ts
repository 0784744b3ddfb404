import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { innosilicon } from '../../agent/drivers/innosilicon.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonObject, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const CLOSED: NoReply = { kind: 'no-reply', reason: 'unreachable', detail: 'no such port', dark: true };

const look = (replies: { readonly [query: string]: JsonValue }) =>
  normalise(
    innosilicon,
    {
      address: '192.0.2.1',
      observedAtMs: 0,
      replies: new Map(
        Object.keys(innosilicon.queries).map((query) => {
          const value = replies[query];
          return [query, value === undefined ? CLOSED : reply(value)];
        }),
      ),
    },
    'full',
  );

const STATUS = [{ STATUS: 'S', When: 1763901510, Code: 7, Msg: '3 Pool(s)', Description: 'sgminer 4.4.2' }];

describe('early units, which name the rows of a section one by one', () => {
  const pools = {
    STATUS,
    POOL0: {
      POOL: 0,
      URL: 'stratum+tcp://ltc.pool.example:3333',
      Status: 'Alive',
      Priority: 0,
      'Stratum Active': true,
    },
    POOL1: { POOL: 1, URL: 'stratum+tcp://b.pool.example:3333', Status: 'Dead', Priority: 1, 'Stratum Active': false },
  };
  const stats = {
    STATUS,
    STATS0: { STATS: 0, ID: 'A40', 'Num chips': 72, 'Num active chips': 71, Temp: 58 },
    STATS1: { STATS: 1, ID: 'POOL0' },
  };

  test('pools and boards are read, and no user is invented', () => {
    const { facts } = look({ pools, stats });
    assert.deepEqual(facts.pools, [
      { slot: 0, url: 'stratum+tcp://ltc.pool.example:3333', priority: 0, status: 'Alive', active: true },
      { slot: 1, url: 'stratum+tcp://b.pool.example:3333', priority: 1, status: 'Dead', active: false },
    ]);
    assert.equal(facts['telemetry.chips'], 71);
    assert.equal(facts['telemetry.temp_max_mc'], 58_000);
  });

  test('they are more likely this family than plain sgminer', () => {
    const version = { STATUS, VERSION: [{ SGMiner: '4.4.2', API: '3.3' }] };
    const clues = {
      cgminer: new Map<string, JsonValue>([
        ['version', version],
        ['stats', stats],
      ]),
      http: new Map(),
    };
    const judged = DRIVERS.map(({ family, recognise }) => [family, recognise(clues)] as const);
    assert.deepEqual(
      judged.filter(([, sureness]) => sureness > 1).map(([family]) => family),
      ['innosilicon'],
    );
  });
});

test('a stored pool whose user stands under another name is none without a user: the pools are unknown', () => {
  const url = 'stratum+tcp://btc.pool.example:3333';
  const poolsOf = (row: JsonObject) =>
    look({ stored: { success: true, pools: [row, { url: '', user: '', pass: '' }] } });
  assert.deepEqual(poolsOf({ url, user: 'acme.t3', pass: 'x' }).facts.pools, [
    { slot: 0, url, user: 'acme.t3', priority: 0 },
  ]);
  for (const name of ['username', 'UserName1', 'User', 'worker']) {
    const { facts, gaps } = poolsOf({ url, [name]: 'acme.t3', pass: 'x' });
    assert.deepEqual([facts.pools, gaps.get('pools')], [undefined, 'unreadable'], name);
  }
  // Nor does the list that runs take its place, or a pool without a user stand beside the ones of that list.
  const row = { POOL: 0, URL: url, User: 'acme.t3', Status: 'Alive', Priority: 0, 'Stratum Active': true };
  const both = look({
    stored: { success: true, pools: [{ url, username: 'acme.t3' }] },
    pools: { STATUS, POOLS: [row] },
  });
  assert.equal(both.facts.pools, undefined);
});

test('the rate of port 4028 is not read where the model, and so the unit, is not known', () => {
  const rated = (type: string) =>
    look({
      type: { success: true, type },
      summary: { STATUS, SUMMARY: [{ 'MHS 5s': 14_000_000 }] },
    }).facts['telemetry.hashrate_hs'];
  assert.equal(rated('T3'), 14e12);
  assert.equal(rated('A9'), 14_000_000);
  assert.equal(rated('A8+'), undefined);
});

test('the line of the uptime is read in its three spellings', () => {
  const uptime = (line: string) =>
    look({ overview: { success: true, hardware: { status: line }, version: {}, network: {} } }).facts[
      'telemetry.uptime_s'
    ];
  assert.equal(uptime('15:38:31 up 10 min, load average: 0.30, 0.23, 0.11'), 600);
  assert.equal(uptime('15:38:31 up  2:13, load average: 0.30, 0.23, 0.11'), 7980);
  assert.equal(uptime('15:38:31 up 1 day, 1:00, load average: 0.30, 0.23, 0.11'), 90_000);
  assert.equal(uptime('15:38:31 up, load average: 0.30'), undefined);
});

describe('the hash rate where port 4028 is closed', () => {
  const web_summary = {
    success: true,
    DEVS: [
      { ASC: 0, 'MHS 5s': 14_100_000.5 },
      { ASC: 1, 'MHS av': '14000000' },
    ],
  };

  test('is that of the rows of the web interface, in the unit of the model', () => {
    const rateOf = (type: string) =>
      look({ web_summary, type: { success: true, type } }).facts['telemetry.hashrate_hs'];
    assert.equal(rateOf('T3+'), 28_100_000_500_000);
    assert.equal(rateOf('A9++'), 28_100_001);
  });

  test('is unknown of a model whose unit is not', () => {
    assert.equal(look({ web_summary, type: { success: true, type: 'Z1' } }).facts['telemetry.hashrate_hs'], undefined);
  });
});

test('who does not know `summary` is none of these miners, whatever else it answers', () => {
  const speaks = (replies: { readonly [query: string]: Reply | NoReply }) =>
    innosilicon.stillSpeaks?.(new Map(Object.entries(replies)));
  const unknown = reply({ STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command' }] });
  const pools = reply({ STATUS: [{ STATUS: 'S', Code: 7 }], POOLS: [{ POOL: 0 }] });
  assert.equal(speaks({ overview: CLOSED, summary: unknown, pools }), false);
  assert.equal(speaks({ overview: CLOSED, summary: reply({ STATUS, SUMMARY: [{}] }), pools }), true);
  assert.equal(speaks({ overview: reply({ success: false, token: 'expired' }), summary: unknown }), true);
  // A lost answer says nothing.
  assert.equal(speaks({ overview: CLOSED, summary: CLOSED, pools }), true);
});
