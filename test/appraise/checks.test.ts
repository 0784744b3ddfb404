import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '../../agent/appraise/index.ts';
import { MINUTE, pools, SECOND, showing, Watch } from './watch.ts';

test('checks: rules with inputs pass by basis, those without are not named', () => {
  const watch = Watch.known();
  watch.context = { refreshDueMs: watch.nowMs };
  watch.see('full');
  const { checks } = watch.attestations[0] ?? {};
  assert.deepEqual(checks?.failed, []);
  assert.deepEqual(checks?.notRun, []);
  assert.ok(checks?.passed['self-reported']?.includes('pool.user-changed'));
  assert.ok(checks?.passed['gateway-observed']?.includes('visibility.device-dark'));
  assert.ok(!checks?.passed['self-reported']?.includes('pool.outside-allowlist'));
  assert.deepEqual(checks?.passed['self-reported'], [...(checks?.passed['self-reported'] ?? [])].sort());
});

test('checks: what the reference holds and this look could not read is not run, with the reason', () => {
  const watch = Watch.known();
  watch.context = { refreshDueMs: watch.nowMs };
  watch.see('full', {}, { 'network.dns': 'timeout', 'access.ssh': 'truncated', 'firmware.kernel': 'timeout' });
  assert.deepEqual(watch.attestations[0]?.checks.notRun, [
    { id: 'config.access-changed', reason: 'truncated' },
    { id: 'config.network-changed', reason: 'timeout' },
    { id: 'visibility.coverage-reduced', reason: 'unconfirmed' },
  ]);
});

test('checks: a finding is failed while it is open, with what was seen and the reference', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({ user: 'mallory.x' })));
  assert.deepEqual(watch.attestations[0]?.checks.failed, [
    {
      id: 'pool.user-changed',
      part: 'slot 0',
      basis: 'self-reported',
      severity: 'critical',
      obs: 'mallory.x',
      ref: 'acme.rig0417',
    },
  ]);
});

test('checks: what is not confirmed yet has not passed', () => {
  const watch = Watch.known();
  const changes = { ...pools({ user: 'mallory.x' }), 'identity.hashboards': ['HB1002003001', 'HB8', 'HB9'] };
  watch.see('full', changes);
  watch.nowMs += 10 * SECOND;
  watch.see('full', changes);
  assert.deepEqual(watch.attestations[0]?.checks.notRun, [{ id: 'identity.hashboard-changed', reason: 'unconfirmed' }]);
});

test('checks: the attestation cites the baseline entries that hold what was compared', () => {
  const watch = Watch.known();
  const { entries } = watch.state.reference ?? { entries: [] };
  watch.context = { refreshDueMs: watch.nowMs };
  const { reference } = watch.see('full');
  assert.deepEqual(reference, { approval: 'none', seqs: entries.map(({ seq }) => seq) });
  assert.equal(new Watch().see('full').reference, undefined);
});

test('every id says what it means, and why it may be harmless', () => {
  assert.ok(RULES.length > 24);
  assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length, 'an id stands for one finding');
  for (const { id, title, meaning, benign } of RULES) {
    assert.match(id, /^[a-z-]+\.[a-z-]+$/);
    assert.ok(title.length > 0 && meaning.endsWith('.') && benign.length > 0, id);
  }
});

test('a check of the configuration that misses what the device does not have is not named; one whose answer came late is', () => {
  const absent = new Watch();
  const checks = absent.see('full', {}, { live_pools: 'absent', 'access.api_write': 'absent' }).checks;
  assert.deepEqual(checks?.notRun, []);
  const late = new Watch();
  const { checks: others } = late.see('full', {}, { 'access.api_write': 'timeout' });
  assert.deepEqual(others?.notRun, [{ id: 'remote-control.api-write-open', reason: 'timeout' }]);
});

test('a check for which nothing is configured is not named, whatever could not be read', () => {
  const gaps = { pools: 'timeout', 'firmware.version': 'timeout', 'identity.make': 'timeout' } as const;
  const named = (watch: Watch) => watch.see('full', {}, gaps).checks?.notRun.map(({ id }) => id);
  assert.ok(!named(new Watch())?.some((id) => id === 'pool.outside-allowlist' || id === 'firmware.known-vulnerable'));
  const listed = new Watch({ allow: [{ url: 'stratum+tcp://pool.example' }] });
  assert.ok(named(listed)?.includes('pool.outside-allowlist'));
});
