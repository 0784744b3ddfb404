import assert from 'node:assert/strict';
import test from 'node:test';
import { axeos } from '../../agent/drivers/axeos.ts';
import type { JsonObject, NoReply, Reply } from '../../agent/probe/capture.ts';
import { noReply } from '../../agent/probe/reply.ts';

const replied = (value: JsonObject): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });

const read = (fact: keyof typeof axeos.facts, replies: { [query: string]: Reply | NoReply }) =>
  axeos.facts[fact]?.read(new Map(Object.entries(replies)));

const INFO = { ASICModel: 'BM1370', stratumURL: 'north.pool.example', stratumPort: 3333, stratumUser: 'acme.a' };

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
    asic: noReply('unreadable', 'redirected'),
    v2_system: noReply('unreadable', 'redirected'),
    v2_settings: noReply('unreadable', 'HTML instead of JSON'),
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

test('writes count as closed only while a one-time code is asked for', () => {
  const settings = (otp: boolean) => ({ info: replied(INFO), v2_settings: replied({ otp }) });
  assert.deepEqual(read('access.api_write', settings(true)), { kind: 'present', value: false });
  assert.deepEqual(read('access.api_write', settings(false)), { kind: 'present', value: true });
});
