import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epic } from '../../agent/drivers/epic.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';

const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const SUMMARY = {
  Software: 'PowerPlay-BMS v1.38.3',
  Stratum: { 'Config Id': 1, 'Current Pool': 'b.example:2', 'Current User': 'u.w-01', IsPoolConnected: true },
  StratumConfigs: [
    { pool: 'stratum+tcp://a.example:1', login: 'u.w', password: 'x' },
    { pool: 'stratum+tcp://b.example:2', login: 'u.w', password: 'x' },
  ],
};
const SPLIT = {
  enabled: true,
  hashrate_splits: [
    { ratio: 70, stratum_configs: [{ pool: 'stratum+tcp://c.example:3', login: 'c', password: 'x' }] },
    {
      ratio: 30,
      stratum_configs: [
        { pool: 'stratum+tcp://d.example:4', login: 'd', password: 'x' },
        { pool: 'stratum+tcp://e.example:5', login: 'd', password: 'x' },
      ],
    },
  ],
};

const STATUS = [{ pool: 'c.example:3', login: 'c-0x02', is_stratum_connected: true }];

const poolsOf = (summary: JsonValue, split: JsonValue | NoReply, status: Reply | NoReply = reply(STATUS)) => {
  const answer = typeof split === 'object' && split !== null && 'kind' in split ? (split as NoReply) : reply(split);
  const replies = new Map<string, Reply | NoReply>([
    ['summary', reply(summary)],
    ['split_config', answer],
    ['split_status', status],
  ]);
  const { facts, gaps } = normalise(epic, { address: '192.0.2.1', observedAtMs: 0, replies }, 'pools');
  return facts.pools ?? gaps.get('pools');
};

test('the pools of every split count, with their share of the hash rate and their place within the split', () => {
  assert.deepEqual(poolsOf(SUMMARY, SPLIT), [
    { slot: 0, url: 'stratum+tcp://c.example:3', user: 'c', priority: 0, quota: 70 },
    { slot: 1, url: 'stratum+tcp://d.example:4', user: 'd', priority: 0, quota: 30 },
    { slot: 2, url: 'stratum+tcp://e.example:5', user: 'd', priority: 1, quota: 30 },
  ]);
});

test('a blank place keeps its number, also where it is all that a split has', () => {
  const [first, second] = SPLIT.hashrate_splits;
  const blank = { pool: '', login: '', password: '' };
  const places = (...splits: JsonValue[]) => {
    const pools = poolsOf(SUMMARY, { enabled: true, hashrate_splits: splits }, reply([]));
    return Array.isArray(pools) ? pools.map(({ slot, url }) => [slot, url]) : pools;
  };
  const behind = [1, 2].map((slot) => [slot, second?.stratum_configs[slot - 1]?.pool]);
  assert.deepEqual(places({ ratio: 70, stratum_configs: [blank] }, second ?? null), behind);
  const [, last] = second?.stratum_configs ?? [];
  assert.deepEqual(places(first ?? null, { ratio: 30, stratum_configs: [blank, last ?? null] }), [
    [0, 'stratum+tcp://c.example:3'],
    [2, 'stratum+tcp://e.example:5'],
  ]);
  assert.equal(places({ ratio: 100, stratum_configs: [blank] }), 'unreadable');
});

test('without a split, or where a version knows none, the list of pools counts, and the one in use is marked', () => {
  const stored = [
    { slot: 0, url: 'stratum+tcp://a.example:1', user: 'u.w', priority: 0, active: false },
    { slot: 1, url: 'stratum+tcp://b.example:2', user: 'u.w', priority: 1, active: true },
  ];
  assert.deepEqual(poolsOf(SUMMARY, { ...SPLIT, enabled: false }), stored);
  assert.deepEqual(poolsOf(SUMMARY, noReply('unsupported', 'HTTP 404')), stored);
});

test('where the split is refused, the list of pools stands in for it', () => {
  const replies = new Map<string, Reply | NoReply>([
    ['summary', reply(SUMMARY)],
    ['split_config', noReply('refused', 'HTTP 401')],
    ['split_status', noReply('refused', 'HTTP 401')],
  ]);
  const { standIns } = normalise(epic, { address: '192.0.2.1', observedAtMs: 0, replies }, 'pools');
  assert.equal(standIns.get('pools'), 'refused');
});

test('a split that cannot be read, or is late, leaves the pools unknown', () => {
  assert.equal(poolsOf(SUMMARY, { enabled: true }), 'unreadable');
  assert.equal(poolsOf(SUMMARY, { enabled: true, hashrate_splits: [{ ratio: 100 }] }), 'unreadable');
  assert.equal(poolsOf(SUMMARY, { enabled: true, hashrate_splits: [] }), 'unreadable');
  assert.equal(poolsOf(SUMMARY, noReply('timeout', 'no complete reply')), 'timeout');
  assert.equal(poolsOf({ Software: 'epic-miner v2.0.6' }, noReply('unsupported', 'HTTP 404')), 'unreadable');
});

test('what the rig is connected to that is none of its pools is a slot behind them, and unknown where that was lost', () => {
  const off = { ...SPLIT, enabled: false };
  const thief = { ...SUMMARY.Stratum, 'Current Pool': 'thief.example:1', 'Current User': 'thief.w-01' };
  const urls = (pools: ReturnType<typeof poolsOf>): readonly string[] =>
    Array.isArray(pools) ? pools.map(({ url, user, active }) => `${url} ${user} ${active}`) : [String(pools)];
  assert.deepEqual(urls(poolsOf({ ...SUMMARY, Stratum: thief }, off)).slice(2), ['thief.example:1 thief.w-01 true']);
  const account = { ...SUMMARY.Stratum, 'Current User': 'thief.w-01' };
  assert.deepEqual(urls(poolsOf({ ...SUMMARY, Stratum: account }, off)).slice(2), ['b.example:2 thief.w-01 true']);
  const split = [...STATUS, { pool: 'd.example:4', login: 'thief', is_stratum_connected: true }];
  assert.deepEqual(urls(poolsOf(SUMMARY, SPLIT, reply(split))).slice(3), ['d.example:4 thief true']);
  assert.equal(poolsOf(SUMMARY, SPLIT, noReply('timeout', 'no complete reply')), 'timeout');
});

test('a fan mode and a network that are not one of the known shapes are unknown', () => {
  const replies = new Map<string, Reply | NoReply>([
    ['summary', reply({ ...SUMMARY, Fans: { 'Fan Mode': { Auto: {}, Manual: 1 } } })],
    ['split_config', noReply('unsupported', 'HTTP 404')],
    ['network', reply({ dhcp: null })],
  ]);
  const { facts, gaps } = normalise(epic, { address: '192.0.2.1', observedAtMs: 0, replies }, 'full');
  assert.equal(gaps.get('config.fan_mode'), 'unreadable');
  assert.equal(facts['network.dhcp'], true);
  assert.equal(gaps.get('network.address'), 'absent');
});
