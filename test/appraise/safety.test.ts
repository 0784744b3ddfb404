import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LookContext } from '../../agent/appraise/verdict.ts';
import type { Facts } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { reference, under } from './standing.ts';
import { HOUR, MINUTE, showing, Watch } from './watch.ts';

const other = (key: string, value: string): Facts => ({ 'config.other': [{ key, value }] });

const changed = (
  before: Facts,
  after: Facts,
  labels: { [name: string]: string } = {},
  context: Partial<LookContext> = {},
) => {
  const watch = new Watch(context);
  watch.state = { ...watch.state, labels };
  watch.live(2 * MINUTE, showing(before));
  watch.clear();
  return watch.live(20 * MINUTE, showing(after));
};

const MIN_FANS = [other('cooling.fan_min_count', '4'), other('cooling.fan_min_count', '0')] as const;

test('config.safety-weakened: four fans wanted and now none, on a device cooled by air: critical', () => {
  const watch = changed(...MIN_FANS);
  assert.deepEqual(watch.said(), ['config.safety-weakened open']);
  const [finding] = watch.statements;
  assert.equal(finding?.severity, 'critical');
  assert.deepEqual(finding?.reasons, ['fan-control']);
  assert.deepEqual(finding?.before, [{ key: 'other.cooling.fan_min_count', value: '4' }]);
  assert.deepEqual(finding?.after, [{ key: 'other.cooling.fan_min_count', value: '0' }]);
});

test('config.safety-weakened: the same on a device with the label immersion or hydro is info', () => {
  for (const cooling of ['immersion', 'hydro'])
    assert.equal(changed(...MIN_FANS, { cooling }).statements[0]?.severity, 'info');
  assert.equal(changed(...MIN_FANS, { cooling: 'air' }).statements[0]?.severity, 'critical');
});

test('config.safety-weakened: every dangerous direction is found, and the label excuses fans only', () => {
  const cases: readonly (readonly [Facts, Facts, string])[] = [
    [{ 'config.fan_mode': 'auto' }, { 'config.fan_mode': 'manual' }, 'fan-control'],
    [{ 'config.fan_mode': 'manual' }, { 'config.fan_mode': 'off' }, 'fan-control'],
    [{ 'config.fan_min_pct': 20 }, { 'config.fan_min_pct': 0 }, 'fan-control'],
    [other('ImmersionMode', 'false'), other('ImmersionMode', 'true'), 'fan-control'],
    [{ 'config.temp_limit_mc': 85_000 }, { 'config.temp_limit_mc': 95_000 }, 'temperature-limit'],
    [{ 'config.temp_limit_mc': 85_000 }, { 'config.temp_limit_mc': 0 }, 'temperature-limit'],
    [other('temp.hot', '85'), other('temp.hot', '100'), 'temperature-limit'],
    [other('temp_offset', '0'), other('temp_offset', '-5'), 'temperature-offset'],
    [{ 'config.watchdog': true }, { 'config.watchdog': false }, 'watchdog'],
  ];
  for (const [before, after, guard] of cases) {
    const watch = changed(before, after);
    assert.deepEqual(watch.said(), ['config.safety-weakened open'], JSON.stringify(after));
    assert.deepEqual([watch.statements[0]?.severity, watch.statements[0]?.reasons], ['critical', [guard]]);
    const wet = changed(before, after, { cooling: 'immersion' });
    assert.equal(wet.statements[0]?.severity, guard === 'fan-control' ? 'info' : 'critical');
  }
});

test('config.safety-weakened: the safe direction is drift, and so is a speed that is no zero', () => {
  const cases: readonly (readonly [Facts, Facts])[] = [
    [{ 'config.fan_mode': 'manual' }, { 'config.fan_mode': 'auto' }],
    [{ 'config.fan_min_pct': 20 }, { 'config.fan_min_pct': 15 }],
    [{ 'config.temp_limit_mc': 85_000 }, { 'config.temp_limit_mc': 80_000 }],
    [{ 'config.watchdog': false }, { 'config.watchdog': true }],
    [other('fans.min', '0'), other('fans.min', '3')],
  ];
  for (const [before, after] of cases)
    assert.deepEqual(changed(before, after).said(), ['config.drift open'], JSON.stringify(after));
});

test('config.safety-weakened: what is dangerous and what is not are two findings', () => {
  const watch = changed(
    { 'config.fan_min_pct': 20, ...other('led', 'on') },
    { 'config.fan_min_pct': 0, ...other('led', 'off') },
  );
  assert.deepEqual([...watch.said()].sort(), ['config.drift open', 'config.safety-weakened open']);
  assert.deepEqual(watch.opened('config.drift')[0]?.after, [{ key: 'other.led', value: 'off' }]);
});

test('config.access-changed: groups of the API, the pool page and a mark of the password are access, not drift', () => {
  for (const key of ['api-groups', 'web_pools', 'password_changed']) {
    const watch = changed(other(key, 'a'), other(key, 'b'));
    assert.deepEqual(watch.said(), ['config.access-changed open'], key);
    assert.equal(watch.statements[0]?.severity, 'high');
    watch.live(2 * HOUR, showing({ 'config.other': [{ key: 'led', value: 'on' }] }));
    assert.deepEqual(watch.opened('config.access-changed').length, 1, 'not read is not back');
    assert.ok(!watch.said().includes('config.access-changed resolved'));
  }
});

test('config.performance-changed: a ceiling above the nameplate is high, one below it medium', () => {
  const nameplates = [{ model: 'antminer s21*', power_w: 3600 }];
  const severityOf = (power: number) => {
    const watch = changed({}, { 'config.power_limit_w': power }, {}, { nameplates });
    assert.deepEqual(watch.said(), ['config.performance-changed open']);
    return [watch.statements[0]?.severity, watch.statements[0]?.reasons];
  };
  assert.deepEqual(severityOf(3650), ['high', ['above-nameplate']]);
  assert.deepEqual(severityOf(3590), ['medium', undefined]);
  assert.deepEqual(severityOf(4400), ['high', ['power-step', 'above-nameplate']]);
});

test('config.network-changed: an NTP server that was not there is high', () => {
  const watch = changed({ 'network.ntp': ['10.20.0.1'] }, { 'network.ntp': ['203.0.113.9'] });
  assert.deepEqual(watch.said(), ['config.network-changed open']);
  assert.deepEqual([watch.statements[0]?.severity, watch.statements[0]?.reasons], ['high', ['unlisted-server']]);
});

test('config.safety-weakened: a limit that is raised within the band of a document is found, a lowered one is none', () => {
  const band: ExpectedValue = { fact: 'config.temp_limit_mc', class: 'band', value: { min: 70_000, max: 95_000 } };
  const seen = (after: number): Watch => {
    const watch = Watch.known();
    watch.live(20 * MINUTE, showing({ 'config.temp_limit_mc': 80_000 }));
    watch.context = under(() => watch.nowMs, { references: [reference(7, [band])] });
    watch.live(20 * MINUTE, showing({ 'config.temp_limit_mc': 80_000 }));
    assert.deepEqual(watch.said(), []);
    return watch.live(HOUR, showing({ 'config.temp_limit_mc': after }));
  };
  const raised = seen(90_000);
  assert.deepEqual(raised.said(), ['config.safety-weakened open']);
  assert.deepEqual(raised.statements[0]?.before, [{ key: 'temp_limit_mc', value: 80_000 }]);
  assert.deepEqual(seen(75_000).said(), []);
});
