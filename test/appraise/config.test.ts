import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LookContext } from '../../agent/appraise/verdict.ts';
import { approvalOf } from '../../agent/appraise/who-approves.ts';
import type { Facts } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { reference, under } from './standing.ts';
import { honest, MINUTE, showing, T0, Watch } from './watch.ts';

const setting = (key: string, value: string) => ({ key, value });

test('config.drift: one finding lists every key that left the reference', () => {
  const watch = Watch.known();
  watch.live(
    20 * MINUTE,
    showing({ 'config.fan_min_pct': 15, 'config.other': [setting('led', 'off'), setting('log_level', '3')] }),
  );
  assert.deepEqual(watch.said(), ['config.drift open']);
  assert.deepEqual(watch.statements[0]?.before, [
    { key: 'fan_min_pct', value: 20 },
    { key: 'other.led', value: 'on' },
  ]);
  assert.deepEqual(watch.statements[0]?.after, [
    { key: 'fan_min_pct', value: 15 },
    { key: 'other.led', value: 'off' },
  ]);
  assert.equal(watch.statements[0]?.severity, 'low');
});

test('config.drift: the frequency may wander, and a new key is learned', () => {
  const watch = Watch.known();
  const more = [setting('led', 'on'), setting('log_level', '3'), setting('beep', 'no')];
  watch.live(40 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, { 'config.freq_mhz': 600 + (nowMs % 50), 'config.other': more }),
  }));
  assert.deepEqual(watch.said(), []);
  const louder = [setting('led', 'on'), setting('log_level', '3'), setting('beep', 'yes')];
  watch.live(20 * MINUTE, showing({ 'config.other': louder }));
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.beep', value: 'yes' }]);
});

test('config.drift: a key that cannot be read for a while neither ends the finding nor changes it', () => {
  const watch = Watch.known();
  const off = { 'config.fan_min_pct': 15, 'config.other': [setting('led', 'off'), setting('log_level', '3')] };
  watch.live(20 * MINUTE, showing(off));
  watch.live(60 * MINUTE, (nowMs) => ({ facts: honest(nowMs, off), gaps: { 'config.other': 'timeout' } }));
  watch.live(60 * MINUTE, (nowMs) => ({ facts: honest(nowMs, off), gaps: { 'config.fan_min_pct': 'refused' } }));
  watch.live(20 * MINUTE, showing(off));
  assert.deepEqual(watch.said(), ['config.drift open']);
  watch.live(60 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['config.drift open', 'config.drift resolved']);
});

const FEE = { url: 'stratum+tcp://fee.maker.example:3333', user: 'maker.1' };
const SECOND_FEE = { url: 'stratum+tcp://fee.maker.example:4444', user: 'maker.1' };

/** A device whose firmware declared these pools of its maker, and then shows something else. */
const withFees = (fees: readonly object[], changes: Facts, context: Partial<LookContext> = {}): Watch => {
  const watch = new Watch();
  watch.live(2 * MINUTE, showing({ fee_pools: fees } as Facts));
  watch.clear();
  watch.context = context;
  return watch.live(20 * MINUTE, showing(changes));
};

test('config.drift: a pool or an account of the maker that the reference lacks is medium', () => {
  for (const other of [
    { ...FEE, user: 'thief.1' },
    { ...FEE, url: 'stratum+tcp://thief.example:3333' },
  ]) {
    for (const after of [[other], [FEE, other], [other, FEE, SECOND_FEE]]) {
      const watch = withFees([FEE, SECOND_FEE], { fee_pools: after });
      assert.deepEqual(watch.said(), ['config.drift open']);
      const [finding] = watch.opened('config.drift');
      assert.equal(finding?.severity, 'medium');
      assert.deepEqual(finding?.before, [{ key: 'fee_pools', value: [FEE, SECOND_FEE] }]);
      assert.deepEqual(finding?.after, [{ key: 'fee_pools', value: after }]);
    }
  }
});

test('config.drift: a pool of the maker where there was none is medium, unless its firmware names neither pool nor account', () => {
  const watch = withFees([], { fee_pools: [FEE] });
  assert.deepEqual(watch.said(), ['config.drift open']);
  assert.equal(watch.opened('config.drift')[0]?.severity, 'medium');
  watch.live(48 * 60 * MINUTE, showing({ fee_pools: [FEE] }));
  assert.deepEqual(watch.said(), ['config.drift open']);
  for (const masked of [
    { url: '*', user: '*' },
    { url: 'devfee', user: 'DevFee' },
  ])
    assert.deepEqual(withFees([], { fee_pools: [masked] }).said(), []);
  assert.deepEqual(withFees([], { fee_pools: [{ url: '*', user: 'thief.1' }] }).said(), ['config.drift open']);
});

test('config.drift: a maker that takes another part of the work is medium; one that tells none is no finding', () => {
  const taking = (quota: string) => ({ fee_pools: [{ ...FEE, quota }] });
  const watch = withFees(taking('2.7').fee_pools, taking('95'));
  assert.equal(watch.opened('config.drift')[0]?.severity, 'medium');
  assert.deepEqual(withFees(taking('2.7').fee_pools, { fee_pools: [FEE] }).said(), []);
});

test('config.drift: pools of the maker in another order, fewer of them, or none that is read is no finding', () => {
  for (const changes of [{ fee_pools: [SECOND_FEE, FEE] }, { fee_pools: [SECOND_FEE] }, {}])
    assert.deepEqual(withFees([FEE, SECOND_FEE], changes).said(), []);
});

test('config.drift: other pools of the maker that come with another version are low, beside what is said of that', () => {
  const watch = withFees([FEE], { fee_pools: [SECOND_FEE], 'firmware.version': '2026.04.1' });
  assert.deepEqual([...watch.said()].sort(), ['config.drift open', 'firmware.version-changed open']);
  assert.equal(watch.opened('config.drift')[0]?.severity, 'low');
});

test('config.drift: a document may hold the pools of the maker to several values, or leave them free', () => {
  const said = (value: ExpectedValue, fees: NonNullable<Facts['fee_pools']>) => {
    const context = under(() => T0, { references: [reference(1, [value])] });
    return withFees([FEE], { fee_pools: fees }, context).said();
  };
  const thief = [{ ...FEE, user: 'thief.1' }];
  const known: ExpectedValue = { fact: 'fee_pools', class: 'set', value: [[FEE], [SECOND_FEE]] };
  assert.deepEqual(said(known, [SECOND_FEE]), []);
  assert.deepEqual(said(known, thief), ['config.drift open']);
  assert.deepEqual(said({ fact: 'fee_pools', class: 'volatile' }, thief), []);
});

test('config.drift: other pools of the maker are told after a change of a setting, and end when they are back', () => {
  const led = { 'config.other': [setting('led', 'off'), setting('log_level', '3')] };
  const watch = withFees([FEE], { fee_pools: [FEE], ...led });
  assert.equal(watch.opened('config.drift')[0]?.severity, 'low');
  watch.live(20 * MINUTE, showing({ fee_pools: [SECOND_FEE], ...led }));
  assert.equal(watch.statements.at(-1)?.severity, 'medium');
  watch.live(60 * MINUTE, showing({ fee_pools: [FEE] }));
  assert.equal(watch.said().at(-1), 'config.drift resolved');
});

test('config.performance-changed: another mode is medium, a quarter more power is high, a twentieth medium', () => {
  const severityOf = (changes: Facts) => {
    const watch = Watch.known();
    watch.live(20 * MINUTE, showing(changes));
    assert.deepEqual(watch.said(), ['config.performance-changed open']);
    return watch.statements[0]?.severity;
  };
  assert.equal(severityOf({ 'config.mode': 'low-power' }), 'medium');
  assert.equal(severityOf({ 'config.power_limit_w': 4375 }), 'high');
  assert.equal(severityOf({ 'config.power_limit_w': 2800 }), 'high');
  assert.equal(severityOf({ 'config.power_limit_w': 3675 }), 'medium');
});

test('config.performance-changed: power drawn may vary', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, (nowMs) => ({ facts: honest(nowMs, { 'telemetry.power_w': (nowMs / 1000) % 4000 }) }));
  assert.deepEqual(watch.said(), []);
});

test('config.network-changed: a host name that a shell would run is high at the first look', () => {
  const watch = Watch.known();
  watch.see('full', { 'network.hostname': 'a$(x)' });
  assert.deepEqual(watch.said(), ['config.network-changed open']);
  assert.equal(watch.statements[0]?.severity, 'high');
  assert.deepEqual(watch.statements[0]?.reasons, ['injection-shape']);
});

test('config.network-changed: a new DNS server is high, a known one dropped is medium', () => {
  const stranger = Watch.known();
  stranger.live(20 * MINUTE, showing({ 'network.dns': ['8.8.8.8'] }));
  assert.equal(stranger.opened('config.network-changed')[0]?.severity, 'high');
  const fewer = new Watch();
  fewer.live(MINUTE, showing({ 'network.dns': ['10.20.0.53', '10.20.0.54'] }));
  fewer.live(20 * MINUTE, showing({ 'network.dns': ['10.20.0.54'] }));
  assert.equal(fewer.opened('config.network-changed')[0]?.severity, 'medium');
});

test('config.network-changed: a renumbered lease is none', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, (nowMs) => ({ facts: honest(nowMs, { 'network.address': '10.20.14.93' }) }));
  assert.deepEqual(watch.said(), []);
});

test('config.access-changed: SSH that was closed is open: high', () => {
  const watch = Watch.commissioned();
  watch.live(20 * MINUTE, showing({ 'access.ssh': true }));
  assert.deepEqual(watch.said(), ['config.access-changed open']);
  assert.equal(watch.statements[0]?.severity, 'high');
  assert.deepEqual(watch.statements[0]?.after, [{ key: 'ssh', value: true }]);
});

test('config.access-changed: SSH closed, or a log-in asked for, is low and one person accepts it; with anything else it is high', () => {
  const told = (before: Facts, after: Facts) => {
    const watch = new Watch();
    watch.live(5 * MINUTE, showing(before));
    watch.clear();
    watch.live(20 * MINUTE, showing({ ...before, ...after }));
    assert.deepEqual(watch.said(), ['config.access-changed open']);
    const [finding] = watch.statements;
    assert.ok(finding !== undefined);
    return [finding.severity, finding.reasons, approvalOf(finding)];
  };
  const CLOSED = ['low', ['closed'], 'A1'];
  const SWITCHED = ['high', ['switched'], 'AP'];
  const open = { 'access.ssh': true, 'access.telnet': true, 'access.api_switch': true, 'access.web_auth': false };
  const shut = { 'access.ssh': false, 'access.telnet': false, 'access.api_switch': false, 'access.web_auth': true };
  for (const name of Object.keys(shut) as (keyof typeof shut)[]) {
    assert.deepEqual(told(open, { [name]: shut[name] }), CLOSED, name);
    assert.deepEqual(told(shut, { [name]: open[name] }), SWITCHED, name);
  }
  assert.deepEqual(told(open, shut), CLOSED);
  assert.deepEqual(told({ ...open, 'access.ssh': false }, { ...shut, 'access.ssh': true }), SWITCHED);
  assert.deepEqual(
    told({ 'access.ssh': true, 'access.update_source': 'a' }, { 'access.ssh': false, 'access.update_source': 'b' }),
    SWITCHED,
  );
});

test('config.access-changed: a list of the API that names nobody new is a closing; one with a smaller net may be that of who shuts others out', () => {
  const severityOf = (before: string, after: string) => {
    const watch = new Watch();
    watch.live(5 * MINUTE, showing({ 'access.api_allow': before }));
    watch.clear();
    watch.live(20 * MINUTE, showing({ 'access.api_allow': after }));
    return watch.opened('config.access-changed')[0]?.severity;
  };
  for (const [before, after, severity] of [
    ['W:0/0', 'R:0/0', 'low'],
    ['W:0/0', '0/0', 'low'],
    ['W:0/0,W:10.0.0.5', 'R:0/0, W:127.0.0.1', 'low'],
    ['W:10.0.0.5,R:0/0', 'R:0/0', 'low'],
    // The first entry that names a caller decides.
    ['A:0/0,W:*', 'W:*,A:0/0', 'high'],
    ['A:0/0,W:*', 'W:*', 'high'],
    ['R:0/0,W:10.6.6.6', 'W:10.6.6.6,R:0/0', 'high'],
    ['R:0/0,W:10.6.6.6', 'R:0/0', 'low'],
    ['A:0/0,W:10.0.0.5', 'A:0/0', 'low'],
    ['W:0/0', 'W:10.66.0.6', 'high'],
    ['R:0/0,W:127.0.0.1', 'W:0/0', 'high'],
    ['A:0/0,W:127.0.0.1', 'B:0/0', 'high'],
    ['W:0/0', 'W:*', 'high'],
  ] as const)
    assert.equal(severityOf(before, after), severity, `${before} -> ${after}`);
});

test('config.access-changed: a closing that cannot be read any more takes nothing off what was opened meanwhile', () => {
  const watch = new Watch();
  watch.live(5 * MINUTE, showing({ 'access.telnet': true }));
  watch.clear();
  watch.live(20 * MINUTE, showing({ 'access.telnet': false }));
  watch.live(20 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, { 'access.ssh': true }),
    gaps: { 'access.telnet': 'timeout' },
  }));
  const [closed, opened] = watch.opened('config.access-changed');
  assert.deepEqual([closed?.severity, opened?.severity], ['low', 'high']);
  assert.ok(opened !== undefined);
  assert.equal(approvalOf(opened), 'AP');
});

test('config.access-changed: a switch that cannot be read any more is none', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, (nowMs) => ({
    facts: honest(nowMs),
    gaps: { 'access.ssh': 'refused', 'access.web_auth': 'timeout' },
  }));
  assert.deepEqual(watch.said(), []);
});
