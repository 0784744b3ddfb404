import assert from 'node:assert/strict';
import test from 'node:test';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import type { JsonObject, JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import { loadSpecimens, replyBytes } from '../specimens/specimen.ts';

const replied = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const read = (fact: keyof typeof whatsminer.facts, replies: { [query: string]: Reply | NoReply }) =>
  whatsminer.facts[fact]?.read(new Map(Object.entries(replies)));

const specimenReply = (name: string, command: string): JsonValue => {
  const specimen = loadSpecimens().find((one) => one.name === name);
  const bytes = specimen && replyBytes(specimen, `cgminer:${command}`);
  assert.ok(bytes, `${name} has no ${command}`);
  return JSON.parse(new TextDecoder().decode(bytes));
};

for (const name of ['whatsminer/m50s-api2', 'whatsminer/m7x-rel3']) {
  test(`the boards of ${name} add up to its summary, whatever unit they are in`, () => {
    const summary = read('telemetry.hashrate_hs', { summary: replied(specimenReply(name, 'summary')) });
    const boards = read('telemetry.hashrate_hs', {
      summary: noReply('timeout', 'test'),
      edevs: replied(specimenReply(name, 'edevs')),
    });
    assert.ok(summary?.kind === 'present' && boards?.kind === 'present');
    const ratio = (boards.value as number) / (summary.value as number);
    assert.ok(ratio > 0.98 && ratio < 1.02, `boards make ${ratio} of the summary`);
  });
}

test('the rate is asked in every pools round, so boards help out but are not waited for', () => {
  assert.deepEqual(whatsminer.facts['telemetry.hashrate_hs']?.queries, ['summary']);
});

test('pools counted from 1 and pools counted from 0 have the same slots', () => {
  const row = (POOL: number) => ({ POOL, URL: `stratum+tcp://p${POOL}.example:3333`, User: 'u', Priority: POOL });
  const slots = (...rows: readonly number[]) => {
    const pools = read('pools', { pools: replied({ STATUS: [{ STATUS: 'S' }], POOLS: rows.map(row) }) });
    return pools?.kind === 'present'
      ? (pools.value as unknown as readonly { slot: number }[]).map(({ slot }) => slot)
      : pools;
  };
  assert.deepEqual(slots(1, 2, 3), [0, 1, 2]);
  assert.deepEqual(slots(0, 1, 2), [0, 1, 2]);
  assert.deepEqual(slots(1, 3), [0, 2]);
});

const api3Rows: readonly JsonObject[] = [
  { id: 1, url: 'stratum+tcp://p1.example:3333', account: 'u.1', 'stratum-active': true, 'pool-priority': 0 },
  { id: 2, url: 'stratum+tcp://p2.example:3333', account: 'u.2', 'stratum-active': false, 'pool-priority': 1 },
];

test('the pools of API 3 have the slots of their ids, whatever the order of the rows', () => {
  const pools = (rows: readonly JsonObject[]) =>
    read('pools', { api3_pools: replied({ code: 0, msg: { pools: rows } }) });
  const inOrder = pools(api3Rows);
  assert.deepEqual(inOrder?.kind === 'present' && inOrder.value, [
    { slot: 0, url: 'stratum+tcp://p1.example:3333', user: 'u.1', priority: 0, active: true },
    { slot: 1, url: 'stratum+tcp://p2.example:3333', user: 'u.2', priority: 1, active: false },
  ]);
  assert.deepEqual(pools(api3Rows.toReversed()), inOrder);
  assert.deepEqual(pools(api3Rows.map(({ id: _, ...row }) => row)), inOrder);
});

const info = (msg: JsonObject) => replied({ code: 0, msg });
const closed = noReply('unreachable', 'test', { dark: true });

test('API 3 names faults by their codes, and none where it has none to name', () => {
  const faults = (list: JsonValue) => read('telemetry.faults', { api3_info: info({ 'error-code': list }) });
  const two = [{ '218': '2024-06-15 10:30:00' }, { '541': 'Slot 1 error reading chip id.', reason: 'hashboard' }];
  assert.deepEqual(faults(two), { kind: 'present', value: ['218', '541'] });
  assert.deepEqual(faults([]), { kind: 'absent' });
  assert.deepEqual(read('telemetry.faults', { api3_info: info({ miner: {} }) }), { kind: 'absent' });
  for (const neither of ['218', { '218': 'now' }, [218], [{ reason: 'hashboard' }]]) {
    assert.deepEqual(faults(neither), { kind: 'unknown', reason: 'unreadable' }, JSON.stringify(neither));
  }
});

test('port 4028 names faults by their codes in its summary, and all that it counts or none', () => {
  const faults = (row: JsonObject, api3: { [query: string]: Reply } = {}) =>
    read('telemetry.faults', { summary: replied({ SUMMARY: [row] }), ...api3 });
  const codes = { kind: 'present', value: ['541', '2010'] };
  assert.deepEqual(faults({ 'Error Code Count': 2, 'Error Code 1': 2010, 'Error Code 0': '541' }), codes);
  assert.deepEqual(
    read('telemetry.faults', { summary: replied({ Msg: { 'Error Code 0': 541, 'Error Code 1': 2010 } }) }),
    codes,
  );
  assert.deepEqual(faults({ 'Error Code Count': 0 }), { kind: 'absent' });
  assert.deepEqual(faults({ Elapsed: 7 }), { kind: 'absent' });
  const lost = { kind: 'unknown', reason: 'unreadable' };
  assert.deepEqual(faults({ 'Error Code Count': 2, 'Error Code 0': 541 }), lost);
  assert.deepEqual(faults({ 'Error Code Count': 1, 'Error Code 0': {} }), lost);
  assert.deepEqual(faults({ 'Error Code Count': 1 }), lost);
  assert.deepEqual(faults({ 'Error Code Count': 'x', 'Error Code 0': 541 }), lost);
  const api3_info = replied({ code: 0, msg: { 'error-code': [{ '206': '2026-01-02' }] } });
  assert.deepEqual(faults({ 'Error Code Count': 0 }, { api3_info }), { kind: 'present', value: ['206'] });
});

test('API 3 alone tells its settings in place of those of port 4028, which are read where that is open, and not where they were lost', () => {
  const api3_info = info({ miner: { 'fast-boot': 'disable', 'hash-percent': '0', UpfreqSpeed: '5' } });
  const settings = (summary: Reply | NoReply) =>
    read('config.other', { summary, status: closed, get_miner_info: closed, api3_info });
  assert.deepEqual(settings(closed), {
    kind: 'present',
    value: [
      { key: 'api3.fast_boot', value: 'disable' },
      { key: 'api3.hash_percent', value: '0' },
      { key: 'api3.upfreq_speed', value: '5' },
    ],
    standsIn: 'unreachable',
  });
  assert.deepEqual(settings(noReply('timeout', 'test')), { kind: 'unknown', reason: 'timeout' });
  const open = read('config.other', {
    summary: replied({ STATUS: [{ STATUS: 'S' }], SUMMARY: [{ 'Btminer Fast Boot': 'disable' }] }),
    api3_info,
  });
  assert.deepEqual(open, { kind: 'present', value: [{ key: 'btminer_fast_boot', value: 'disable' }] });
});

test('a lost get_version leaves the firmware version unknown, never the wording of another reply', () => {
  const summary = replied(specimenReply('whatsminer/m20x-cgminer-2020', 'devs'));
  const version = read('firmware.version', { get_version: noReply('timeout', 'test'), summary });
  assert.deepEqual(version, { kind: 'unknown', reason: 'timeout' });
});

test('no question allocates a token or joins commands', () => {
  const commands = Object.values(whatsminer.queries).map((query) => (query.kind === 'cgminer' ? query.command : ''));
  assert.ok(commands.includes('summary'));
  assert.ok(commands.every((command) => !/token|\+|set_|update|power_o/.test(command)));
});

test('an API 3 reply is nobody of this family', () => {
  const reply = { code: 0, when: 1, desc: 'get.device.info', msg: { system: { api: '3.0.2', platform: 'H616' } } };
  assert.equal(whatsminer.recognise({ cgminer: new Map([['version', reply]]), http: new Map() }), 0);
});

test('the largest number of 32 bits is no power limit, in either reply', () => {
  const limit = (summary: number, set: string) =>
    read('config.power_limit_w', {
      summary: replied({ STATUS: [{ STATUS: 'S' }], SUMMARY: [{ 'Power Limit': summary }] }),
      status: replied({ STATUS: 'S', Msg: { power_limit_set: set } }),
    });
  assert.deepEqual(limit(2_147_483_647, '2147483647'), { kind: 'absent' });
  assert.deepEqual(limit(0, '3400'), { kind: 'present', value: 3400 });
  assert.deepEqual(limit(3600, '2147483647'), { kind: 'present', value: 3600 });
});

test('standing fans are none on a liquid cooled unit, and standing fans on any other', () => {
  const fans = (cooling: JsonValue) => {
    const standing = { 'Fan Speed In': 0, 'Fan Speed Out': 0 };
    return read('telemetry.fans_rpm', {
      summary: replied({ STATUS: [{ STATUS: 'S' }], SUMMARY: [{ ...standing, 'Liquid Cooling': cooling }] }),
      devs: replied({ STATUS: [{ STATUS: 'S' }], DEVS: [{ ASC: 0, ...standing }] }),
    });
  };
  assert.deepEqual(fans(true), { kind: 'absent' });
  assert.deepEqual(fans(false), { kind: 'present', value: [0, 0] });
});

const ROWS = { Model: 'WhatsMiner M21X', 'Firmware Version': '20190605.21.1', 'Kernel Version': '#21 SMP' };

test('the model of LuCI tells it where no API does, and not where the answer of one was lost', () => {
  const none = replied({ STATUS: [{ STATUS: 'E', Code: 14 }] });
  const details = replied({ STATUS: [{ STATUS: 'S' }], DEVDETAILS: [{ Model: '' }] });
  const luci = replied(ROWS);
  assert.deepEqual(read('identity.model', { get_version: none, devdetails: details, luci }), {
    kind: 'present',
    value: 'M21X',
  });
  const late = noReply('timeout', 'test');
  assert.deepEqual(read('identity.model', { get_version: late, devdetails: details, luci }), {
    kind: 'unknown',
    reason: 'timeout',
  });
});

test('a row of LuCI that every page has is unknown where it is not there, never absent', () => {
  const { Model: _, 'Kernel Version': __, ...others } = ROWS;
  for (const fact of ['firmware.kernel', 'identity.model'] as const) {
    assert.deepEqual(read(fact, { luci: replied(others) }), { kind: 'unknown', reason: 'unreadable' }, fact);
  }
});

test('what LuCI tells is unknown, not absent, where it was not asked because the replies before it were lost', () => {
  const luci = noReply('unsupported', 'not asked');
  const lost = { summary: noReply('timeout', 'test'), pools: replied({ STATUS: [{ STATUS: 'S' }], POOLS: [] }), luci };
  for (const fact of ['firmware.kernel', 'identity.model'] as const) {
    assert.deepEqual(read(fact, lost), { kind: 'unknown', reason: 'unreadable' }, fact);
  }
  const summary = readReply(replyOf('whatsminer/m50s-api2', 'cgminer:summary'), { whole: true });
  const unserved = { summary, luci: noReply('unsupported', 'HTTP 404') };
  assert.deepEqual(read('firmware.kernel', unserved), { kind: 'unknown', reason: 'unsupported' });
});

test('LuCI is not asked, and gets no log-in, before the device showed itself as a WhatsMiner in the same look', () => {
  const { luci } = whatsminer.queries;
  const unasked = (replies: { [query: string]: Reply | NoReply }) => luci?.unless?.(new Map(Object.entries(replies)));
  assert.equal(unasked({}), true);
  assert.equal(unasked({ summary: noReply('unreachable', 'test'), pools: noReply('timeout', 'test') }), true);
  const stranger = { STATUS: [{ STATUS: 'S', Description: 'cgminer 4.9.2' }], SUMMARY: [{ Elapsed: 7 }] };
  assert.equal(unasked({ summary: replied(stranger) }), true);
  for (const name of ['m21x-luci', 'm30s-cmd', 'm50s-api2', 'm7x-rel3']) {
    const bytes = replyOf(`whatsminer/${name}`, 'cgminer:summary');
    assert.equal(unasked({ summary: readReply(bytes, { whole: true }) }), false, name);
  }
  const info = replyOf('whatsminer/m6x-api3', 'framed:get.device.info');
  assert.equal(unasked({ api3_info: readReply(info, { whole: true }) }), false);
});

const replyOf = (name: string, question: string): Uint8Array => {
  const specimen = loadSpecimens().find((one) => one.name === name);
  const bytes = specimen && replyBytes(specimen, question);
  assert.ok(bytes, `${name} has no ${question}`);
  return bytes;
};

test('who does not know `summary` is no WhatsMiner, unless it speaks API 3', () => {
  const speaks = (replies: { [query: string]: Reply | NoReply }) =>
    whatsminer.stillSpeaks?.(new Map(Object.entries(replies)));
  const unknown = replied({ STATUS: [{ STATUS: 'E', Code: 14, Msg: 'Invalid command' }] });
  const pools = replied({ STATUS: [{ STATUS: 'S', Code: 7 }], POOLS: [{ POOL: 1 }] });
  assert.equal(speaks({ summary: unknown, pools }), false);
  assert.equal(speaks({ summary: unknown, api3_info: replied({ code: 0, msg: {} }) }), true);
  assert.equal(speaks({ summary: replied(specimenReply('whatsminer/m7x-rel3', 'summary')), pools }), true);
  // A lost answer says nothing.
  for (const reason of ['timeout', 'unreachable', 'refused', 'truncated'] as const)
    assert.equal(speaks({ summary: noReply(reason, 'test'), pools }), true, reason);
});
