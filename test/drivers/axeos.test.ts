import assert from 'node:assert/strict';
import test from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import type { JsonObject, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';
import type { PoolSlot } from '../../shared/facts.ts';

const replied = (value: JsonObject): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const read = (fact: keyof typeof axeos.facts, replies: { [query: string]: Reply | NoReply }) =>
  axeos.facts[fact]?.read(new Map(Object.entries(replies)));

const INFO = { ASICModel: 'BM1370', stratumURL: 'north.pool.example', stratumPort: 3333, stratumUser: 'acme.a' };

const ELSEWHERE = noReply('unreadable', 'redirected to "/"', { elsewhere: true });
const MISSING = noReply('unsupported', 'HTTP 404');

/** The questions of a full look at a device that gives these answers and serves nothing else. */
const askedOf = (documents: { readonly [query: string]: Reply | NoReply }, others: NoReply): readonly string[] => {
  const replies = new Map<string, Reply | NoReply>();
  const asked: string[] = [];
  for (const [name, query] of Object.entries(axeos.queries)) {
    assert.ok(query.kind === 'http');
    if (query.unless?.(replies) === true) continue;
    asked.push(name);
    replies.set(name, documents[name] ?? others);
  }
  return asked;
};

test('one question at each pools round, and only GETs of fixed paths', () => {
  const queries = Object.values(axeos.queries);
  assert.equal(queries.filter(({ cadence }) => cadence === 'pools').length, 1);
  assert.ok(queries.every((query) => query.kind === 'http' && !query.path.includes('scan')));
});

test('2.1 tells fan speed from fan percentage by the case of one letter', () => {
  const fans = read('telemetry.fans_rpm', { info: replied({ ...INFO, fanSpeed: 4210, fanspeed: 60 }) });
  assert.deepEqual(fans, { kind: 'present', value: [4210] });
});

test('an info without any pool member is unreadable, never a miner without pools', () => {
  const pools = read('pools', { info: replied({ ASICModel: 'BM1370', version: 'v2.8.0' }) });
  assert.deepEqual(pools, { kind: 'unknown', reason: 'unreadable' });
});

test('a landing page in place of a document means that the firmware does not serve it', () => {
  const model = read('identity.model', {
    info: replied({ ...INFO, boardVersion: '601' }),
    asic: ELSEWHERE,
    v2_system: MISSING,
    v2_settings: noReply('unreadable', 'HTML instead of JSON', { elsewhere: true }),
  });
  assert.deepEqual(model, { kind: 'present', value: '601' });
});

test('a document that was late leaves the model unknown, so that board and model do not take turns', () => {
  const model = read('identity.model', {
    info: replied({ ...INFO, boardVersion: '601' }),
    asic: noReply('timeout', 'test'),
    v2_system: noReply('unsupported', 'HTTP 404'),
    v2_settings: noReply('unsupported', 'HTTP 404'),
  });
  assert.deepEqual(model, { kind: 'unknown', reason: 'timeout' });
});

test('a document that came damaged, or an error of the server, leaves the model unknown as well', () => {
  for (const detail of ['not JSON', 'HTTP 500']) {
    const asic = noReply('unreadable', detail);
    const model = read('identity.model', {
      info: replied({ ...INFO, boardVersion: '601' }),
      asic,
      v2_system: MISSING,
      v2_settings: MISSING,
    });
    assert.deepEqual(model, { kind: 'unknown', reason: 'unreadable' }, detail);
  }
});

test('a full look asks a Bitaxe for two documents, whatever it does about the others', () => {
  for (const others of [ELSEWHERE, MISSING]) {
    assert.deepEqual(askedOf({ info: replied(INFO), asic: replied({ deviceModel: 'Gamma' }) }, others), [
      'info',
      'asic',
    ]);
    assert.deepEqual(askedOf({ info: replied(INFO) }, others), ['info', 'asic']);
  }
});

test('a full look asks a Nerd board for API v2 once, and further only where it has one', () => {
  const info = replied({ ...INFO, deviceModel: 'NerdQAxe+' });
  for (const others of [ELSEWHERE, MISSING]) assert.deepEqual(askedOf({ info }, others), ['info', 'v2_system']);
  const served = replied({ deviceModel: 'NerdQAxe+' });
  const all = ['info', 'v2_system', 'v2_settings', 'v2_dashboard'];
  assert.deepEqual(askedOf({ info, v2_system: served, v2_settings: served, v2_dashboard: served }, MISSING), all);
  assert.deepEqual(askedOf({ info, v2_system: noReply('timeout', 'test') }, MISSING), all);
});

test('an info that is missing or was lost leaves every question open', () => {
  const v2_system = replied({ deviceModel: 'NerdQAxe+' });
  for (const info of [MISSING, noReply('timeout', 'test')]) {
    assert.deepEqual(askedOf({ info, v2_system }, MISSING), Object.keys(axeos.queries));
  }
});

test('settings of API v2 stand in for an info that is gone, never for one that was late', () => {
  const v2_settings = replied({ pools: [{ url: 'north.pool.example', port: 3333, user: 'acme.a', tls: false }, {}] });
  const gone = read('pools', { info: noReply('unsupported', 'HTTP 404'), v2_settings });
  assert.deepEqual(gone, {
    kind: 'present',
    value: [{ slot: 0, url: 'north.pool.example:3333', user: 'acme.a', priority: 0, tls: false }],
  });
  const late = read('pools', { info: noReply('timeout', 'test'), v2_settings });
  assert.deepEqual(late, { kind: 'unknown', reason: 'timeout' });
});

test('TLS with a certificate of its own is TLS', () => {
  const pools = read('pools', { info: replied({ ...INFO, stratumTLS: 2 }) });
  assert.deepEqual(pools, {
    kind: 'present',
    value: [
      { slot: 0, url: 'stratum+ssl://north.pool.example:3333', user: 'acme.a', priority: 0, tls: true, active: true },
    ],
  });
});

test('stored pools that wait have the order of their ids, in whatever order the list has them', () => {
  const stored = [5, 3, 9, 0].map((id) => ({ id, stratumURL: `p${id}.pool.example`, stratumPort: 3333 }));
  const ranks = (pools: readonly JsonObject[]) => {
    const reading = read('pools', { info: replied({ ...INFO, pools, primaryPoolIndex: 3, secondaryPoolIndex: 9 }) });
    assert.ok(reading?.kind === 'present');
    return (reading.value as readonly PoolSlot[]).map(({ slot, priority }) => [slot, priority]);
  };
  assert.deepEqual(ranks(stored), [
    [0, 2],
    [3, 0],
    [5, 4],
    [9, 1],
  ]);
  assert.deepEqual(ranks(stored.toReversed()), ranks(stored));
});

test('writes count as closed only while a one-time code is asked for', () => {
  const settings = (otp: boolean) => ({ info: replied(INFO), v2_settings: replied({ otp }) });
  assert.deepEqual(read('access.api_write', settings(true)), { kind: 'present', value: false });
  assert.deepEqual(read('access.api_write', settings(false)), { kind: 'present', value: true });
});

test('faults are named while there are any: overheat mode, and the texts of the two faults', () => {
  assert.deepEqual(read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 0 }) }), { kind: 'absent' });
  assert.deepEqual(
    read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 1, power_fault: 'TPS546 input low' }) }),
    { kind: 'present', value: ['overheat', 'TPS546 input low'] },
  );
  assert.deepEqual(read('telemetry.faults', { info: replied({ ...INFO, overheat_mode: 'x' }) }), {
    kind: 'unknown',
    reason: 'unreadable',
  });
});
