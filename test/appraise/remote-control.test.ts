import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, requireAcceptable, wantsMorePeople } from '../../agent/appraise/accept.ts';
import { HOUR, MINUTE, showing, Watch } from './watch.ts';

test('remote-control.api-write-open: an open write is high at the second look, with the address it is open to; closed it ends', () => {
  const watch = Watch.known({ vantage: () => '10.20.14.2' });
  watch.live(20 * MINUTE, showing({ 'access.api_write': true }));
  assert.deepEqual(watch.said(), ['remote-control.api-write-open open']);
  assert.deepEqual(
    watch.statements.map(({ severity, after }) => [severity, after]),
    [['high', { writes: 'accepted', from: '10.20.14.2' }]],
  );
  watch.live(HOUR, showing({ 'access.api_write': false }));
  assert.ok(watch.said().includes('remote-control.api-write-open resolved'));
});

test('remote-control.api-write-open: who sets the device right is told that at low weight, accepts it alone, and an opening after that is high by both', () => {
  const watch = new Watch();
  watch.live(20 * MINUTE, showing({ 'access.api_write': true }));
  assert.deepEqual(watch.said(), ['remote-control.api-write-open open']);
  assert.throws(() => requireAcceptable(watch.state), /remote-control\.api-write-open \(high\) is open/);
  watch.clear();
  watch.live(HOUR, showing({ 'access.api_write': false }));
  assert.deepEqual([...watch.said()].sort(), ['config.access-changed open', 'remote-control.api-write-open resolved']);
  assert.deepEqual(
    watch.opened('config.access-changed').map(({ severity, before, after }) => [severity, before, after]),
    [['low', [{ key: 'api_write', value: true }], [{ key: 'api_write', value: false }]]],
  );
  assert.equal(wantsMorePeople(watch.state), false);
  const { state, transitions } = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 99 });
  assert.deepEqual(
    transitions.map(({ ruleId, state: life }) => [ruleId, life]),
    [['config.access-changed', 'approved']],
  );
  watch.state = state;
  watch.live(20 * MINUTE, showing({ 'access.api_write': false }));
  watch.clear();
  watch.live(20 * MINUTE, showing({ 'access.api_write': true }));
  assert.deepEqual(
    watch.statements
      .map(({ ruleId, severity, state: life }) => [ruleId, severity, life])
      .sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
    [
      ['config.access-changed', 'high', 'open'],
      ['remote-control.api-write-open', 'high', 'open'],
    ],
  );
});

test('remote-control.api-write-open: what was closed is found again when it opens before anybody accepted the closing', () => {
  const watch = new Watch();
  watch.live(20 * MINUTE, showing({ 'access.api_write': true }));
  watch.live(3 * HOUR, showing({ 'access.api_write': false }));
  watch.clear();
  watch.live(HOUR, showing({ 'access.api_write': true }));
  assert.deepEqual(
    watch.opened('remote-control.api-write-open').map(({ severity }) => severity),
    ['high'],
  );
});

test('remote-control.api-write-open: it is found at first sight, and of a gateway behind a router no address is named', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, showing({ 'access.api_write': true }));
  assert.deepEqual(
    watch.opened('remote-control.api-write-open').map(({ after }) => after),
    [{ writes: 'accepted' }],
  );
});

test('remote-control.api-write-open: an allow list is no evidence, nor is a probe that was denied or lost', () => {
  const watch = Watch.known();
  watch.live(30 * MINUTE, showing({ 'access.api_allow': 'A:0/0,W:*', 'access.api_write': false }));
  watch.live(30 * MINUTE, (nowMs) => ({
    ...showing({ 'access.api_allow': 'A:0/0,W:*' })(nowMs),
    gaps: { 'access.api_write': 'timeout' },
  }));
  assert.deepEqual(watch.opened('remote-control.api-write-open'), []);
});

test('remote-control.vendor-cloud-enabled: a cloud switch that goes on is medium, with what it was', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ 'access.cloud': false }));
  watch.clear();
  watch.live(20 * MINUTE, showing({ 'access.cloud': true }));
  assert.deepEqual(
    watch.opened('remote-control.vendor-cloud-enabled').map(({ severity, before, after }) => [severity, before, after]),
    [['medium', false, true]],
  );
});

test('remote-control.vendor-cloud-enabled: one that was on at first sight is found as well, until a person accepts it', () => {
  const learned = new Watch();
  learned.live(20 * MINUTE, showing({ 'access.cloud': true }));
  assert.deepEqual(learned.said(), ['remote-control.vendor-cloud-enabled open']);
  const { reference } = learned.state;
  assert.ok(reference !== undefined);
  learned.state = { ...learned.state, reference: { ...reference, entries: [{ seq: 1, approval: 'local' }] } };
  learned.state.marks.settledFull = undefined;
  learned.live(HOUR, showing({ 'access.cloud': true }));
  assert.equal(learned.said().at(-1), 'remote-control.vendor-cloud-enabled resolved');
});

test('remote-control.vendor-cloud-enabled: off, and not told, are none', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ 'access.cloud': false }));
  watch.live(20 * MINUTE, (nowMs) => ({ ...showing({})(nowMs), gaps: { 'access.cloud': 'refused' } }));
  assert.deepEqual(watch.said(), []);
});
