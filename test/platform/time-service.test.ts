import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseChronyTracking,
  parseNtpMessage,
  TimeService,
  type TimeSources,
} from '../../agent/platform/time-service.ts';

const NONE: TimeSources = {
  chronyTracking: async () => undefined,
  timesyncdAt: async () => undefined,
  timesyncdMessage: async () => undefined,
};

const TRACKING =
  'C0A80001,192.168.0.1,3,1795339170.123456,-0.000012345,0.000001,0.00002,-12.3,0.001,0.02,0.002500000,0.000900000,64.2,Normal\n';

const stateOf = async (sources: Partial<TimeSources>, wallMs = 1_795_339_201_500) => {
  using service = new TimeService({ wallMs: () => wallMs, sources: { ...NONE, ...sources } });
  await service.refresh();
  return service.state();
};

test('a host without a time service is unsynced, also before it was asked', async () => {
  const unsynced = { state: 'unsynced', src: 'none' };
  assert.deepEqual(new TimeService({ wallMs: () => 0, sources: NONE }).state(), unsynced);
  assert.deepEqual(await stateOf({}), unsynced);
});

test('chrony gives state, source, bound of the error and age', async () => {
  const expected = { state: 'synced', src: 'ntp', err_ms: 3, sync_age_s: 31 };
  assert.deepEqual(await stateOf({ chronyTracking: async () => TRACKING }), expected);
});

test('chrony that is not synchronised, or serves its own clock, says nothing; nor does an answer of another shape', () => {
  assert.equal(parseChronyTracking(TRACKING.replace('Normal', 'Not synchronised')), undefined);
  assert.equal(parseChronyTracking(TRACKING.replace('C0A80001', '7F7F0101')), undefined);
  assert.equal(parseChronyTracking('506 Cannot talk to daemon'), undefined);
  assert.equal(parseChronyTracking(TRACKING.replace('0.000900000', 'x')), undefined);
});

test('a reference clock of chrony is named as what it is', () => {
  assert.equal(parseChronyTracking(TRACKING.replace('192.168.0.1', 'PPS'))?.state.src, 'gnss');
  assert.equal(parseChronyTracking(TRACKING.replace('192.168.0.1', 'PHC0'))?.state.src, 'ptp');
});

const NTP_MESSAGE =
  '{ Leap=0, Version=4, Mode=4, Stratum=2, Precision=-23, RootDelay=1.312ms, RootDispersion=26.107ms, Reference=C0A80001, Ignored=no, PacketCount=3, Jitter=2.4ms }';

test('systemd-timesyncd gives the age of its last correction and the bound of the server', async () => {
  const timesyncd = { timesyncdAt: async () => 1_795_339_101, timesyncdMessage: async () => NTP_MESSAGE };
  assert.deepEqual(await stateOf(timesyncd), { state: 'synced', src: 'ntp', err_ms: 27, sync_age_s: 100 });
  const silent = { ...timesyncd, timesyncdMessage: async () => undefined };
  assert.deepEqual(await stateOf(silent), { state: 'synced', src: 'ntp', sync_age_s: 100 });
});

test('spans of systemd are read with their units, and no others', () => {
  assert.equal(parseNtpMessage('{ RootDelay=2s 500ms, RootDispersion=1min }'), 61_250);
  assert.equal(parseNtpMessage('{ RootDelay=0, RootDispersion=250us }'), 1);
  assert.equal(parseNtpMessage('{ RootDelay=soon, RootDispersion=250us }'), undefined);
  assert.equal(parseNtpMessage(''), undefined);
});

test('a clock that was set long ago is in holdover, and says how long', async () => {
  const late = await stateOf({ timesyncdAt: async () => 1_795_339_201 - 5000 });
  assert.deepEqual(late, { state: 'holdover', src: 'ntp', sync_age_s: 5000 });
});

test('the services of this host answer within their deadlines, whatever they are', async () => {
  using service = new TimeService({ wallMs: Date.now });
  await service.start();
  assert.ok(['synced', 'holdover', 'unsynced'].includes(service.state().state));
});
