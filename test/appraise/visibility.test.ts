import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentGap, storeLost } from '../../agent/appraise/rules/evidence-agent-gap.ts';
import { hasRebooted, type UptimeSample } from '../../agent/appraise/rules/runtime-reboot-unexpected.ts';
import { HOUR, honest, MINUTE, pools, rebooting, SECOND, showing, T0, Watch } from './watch.ts';

const silent = () => undefined;

test('visibility.device-dark: five polls without an answer are one finding and one unreachable attestation', () => {
  const watch = Watch.known();
  watch.live(4 * MINUTE, silent);
  assert.deepEqual(watch.said(), []);
  watch.live(30 * MINUTE, silent);
  assert.deepEqual(watch.said(), ['visibility.device-dark open']);
  assert.equal(watch.statements[0]?.severity, 'low');
  assert.equal(watch.statements[0]?.basis, 'gateway-observed');
  assert.deepEqual(watch.statements[0]?.reasons, ['timeout']);
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['unreachable'],
  );
  assert.deepEqual(
    watch.attestations[0]?.checks.failed.map(({ id }) => id),
    ['visibility.device-dark'],
  );
  assert.ok(
    watch.attestations[0]?.checks.notRun.some(({ id, reason }) => id === 'pool.url-changed' && reason === 'timeout'),
  );
});

test('visibility.device-dark: api-only where ARP is answered, or the device itself says no; not where the link is silent or unknown', () => {
  const reasons = (linkAlive: boolean | undefined, reason: 'timeout' | 'refused') => {
    const watch = Watch.known({ linkAlive: () => linkAlive });
    for (let poll = 0; poll < 5; poll += 1, watch.nowMs += MINUTE)
      watch.take({ kind: 'unreachable', atMs: watch.nowMs, reason });
    return watch.opened('visibility.device-dark')[0]?.reasons;
  };
  assert.deepEqual(reasons(true, 'timeout'), ['timeout', 'api-only']);
  assert.deepEqual(reasons(false, 'timeout'), ['timeout']);
  assert.deepEqual(reasons(undefined, 'timeout'), ['timeout']);
  assert.deepEqual(reasons(undefined, 'refused'), ['refused', 'api-only']);
});

test('identity.device-missing: a machine that is silent for a day is medium, once, and over when it is back', () => {
  const watch = Watch.known();
  watch.live(23 * HOUR, silent);
  assert.deepEqual(watch.opened('identity.device-missing'), []);
  watch.live(30 * HOUR, silent);
  assert.deepEqual(watch.said(), ['visibility.device-dark open', 'identity.device-missing open']);
  assert.deepEqual([watch.statements[1]?.severity, watch.statements[1]?.after], ['medium', undefined]);
  assert.deepEqual(
    watch.attestations.at(-1)?.checks.failed.map(({ id }) => id),
    ['identity.device-missing', 'visibility.device-dark'],
  );
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual([...watch.said().slice(2)].sort(), [
    'identity.device-missing resolved',
    'visibility.device-dark resolved',
  ]);
});

test('identity.device-missing: one that shows elsewhere, still answers to ARP, or never answered is none', () => {
  for (const context of [{ seenElsewhere: () => true }, { linkAlive: () => true }]) {
    const watch = Watch.known(context);
    watch.live(50 * HOUR, silent);
    assert.deepEqual(watch.opened('identity.device-missing'), []);
  }
  const never = new Watch();
  never.live(50 * HOUR, silent);
  assert.deepEqual(never.said(), ['visibility.device-dark open']);
});

test('visibility.device-dark: the return is attested with the end of the finding', () => {
  const watch = Watch.known();
  watch.live(10 * MINUTE, silent);
  watch.clear();
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['visibility.device-dark resolved']);
  assert.deepEqual(
    watch.attestations.map(({ trigger, checks }) => [trigger, checks.failed.length]),
    [['change', 0]],
  );
});

test('visibility.device-dark: a device that never answered at its position goes dark, and is learned when it comes', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, silent);
  assert.deepEqual(watch.said(), ['visibility.device-dark open']);
  watch.live(10 * MINUTE, showing({}));
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['unreachable', 'first'],
  );
  assert.equal(watch.attestations[1]?.verdict.learn, 'all');
});

test('visibility.device-dark: an answer without a single fact is no answer', () => {
  const watch = Watch.known();
  watch.live(10 * MINUTE, () => ({ facts: { family: 'antminer-stock' }, gaps: { pools: 'timeout' } }));
  assert.deepEqual(watch.said(), ['visibility.device-dark open']);
});

test('visibility.device-dark: a device that is dark every few minutes is flapping, and still attested as it is', () => {
  const watch = Watch.known();
  for (let turn = 0; turn < 12; turn++) watch.live(8 * MINUTE, silent).live(7 * MINUTE, showing({}));
  const mine = watch.statements.filter(({ ruleId }) => ruleId === 'visibility.device-dark');
  assert.ok(mine.length <= 7, `${mine.length} statements in three hours`);
  assert.ok(mine.some(({ flapping = 0 }) => flapping > 3));
  assert.equal(watch.attestations.at(-1)?.trigger, 'change');
  watch.live(10 * MINUTE, silent);
  assert.equal(watch.attestations.at(-1)?.trigger, 'unreachable');
  watch.live(3 * HOUR, showing({}));
  assert.equal(watch.said().at(-1), 'visibility.device-dark resolved');
  assert.deepEqual(watch.state.tracks, []);
});

test('visibility.changed-while-dark: dark for twenty minutes and other pools: critical, once, with what changed', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, silent);
  watch.clear();
  watch.live(10 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  const [finding] = watch.opened('visibility.changed-while-dark');
  assert.equal(finding?.severity, 'critical');
  assert.deepEqual(finding?.after, [{ key: 'pool.user-changed slot 0', value: { user: 'mallory.rig0417' } }]);
  assert.deepEqual([...watch.said()].sort(), [
    'pool.user-changed open',
    'visibility.changed-while-dark open',
    'visibility.device-dark resolved',
  ]);
});

test('visibility.changed-while-dark: unchanged, or dark for ten minutes only, is none', () => {
  const unchanged = Watch.known();
  unchanged.live(20 * MINUTE, silent);
  unchanged.live(10 * MINUTE, showing({}));
  assert.deepEqual(unchanged.opened('visibility.changed-while-dark'), []);
  const short = Watch.known();
  short.live(10 * MINUTE, silent);
  short.live(10 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(short.opened('visibility.changed-while-dark'), []);
  assert.equal(short.opened('pool.user-changed').length, 1);
});

test('visibility.changed-while-dark: what was open before the dark is not a change', () => {
  const watch = Watch.known();
  watch.live(5 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  watch.live(20 * MINUTE, silent);
  watch.live(10 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(watch.opened('visibility.changed-while-dark'), []);
});

test('visibility.changed-while-dark: what changes once the device was seen whole again did not change in the dark, and the device is asked as often as any other', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, silent);
  watch.live(10 * MINUTE, showing({ 'firmware.version': '2027.01.1' }));
  assert.equal(watch.opened('visibility.changed-while-dark').length, 1);
  const { looks } = watch;
  watch.live(60 * MINUTE, showing({ 'firmware.version': '2027.01.1' }));
  assert.ok(watch.looks - looks <= 60 + 4, `${watch.looks - looks} looks in an hour`);
  watch.clear();
  watch.live(20 * MINUTE, showing({ 'firmware.version': '2027.01.1', ...pools({ user: 'mallory.rig0417' }) }));
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
  const open = watch.state.tracks.find(({ finding }) => finding.ruleId === 'visibility.changed-while-dark');
  assert.deepEqual(open?.finding.after, [
    { key: 'firmware.version-changed', value: [{ key: 'version', value: '2027.01.1' }] },
  ]);
  watch.clear();
  watch.live(60 * MINUTE, showing({}));
  assert.ok(watch.said().includes('visibility.changed-while-dark resolved'));
  assert.equal(watch.state.returned, undefined);
});

test('runtime.reboot-unexpected: one reboot is low, looked at in full within a minute, and over by itself', () => {
  const watch = Watch.known();
  const bootMs = watch.nowMs + 90 * SECOND;
  watch.live(30 * MINUTE, rebooting([bootMs]));
  assert.deepEqual(watch.said(), ['runtime.reboot-unexpected open', 'runtime.reboot-unexpected resolved']);
  assert.equal(watch.statements[0]?.severity, 'low');
  assert.ok((watch.attestations[0]?.atMs ?? Number.POSITIVE_INFINITY) - bootMs <= 2 * MINUTE);
});

test('runtime.reboot-unexpected: the third within an hour is medium', () => {
  const watch = Watch.known();
  const [first, second, third] = [2, 6, 10].map((minutes) => watch.nowMs + minutes * MINUTE);
  watch.live(15 * MINUTE, rebooting([first ?? 0, second ?? 0, third ?? 0]));
  assert.deepEqual(
    watch.opened('runtime.reboot-unexpected').map(({ severity }) => severity),
    ['low', 'medium'],
  );
});

test('runtime.reboot-unexpected: a counter that wraps, is set, or goes on is no reboot', () => {
  const sample = (atS: number, s: number): UptimeSample => ({ atMs: atS * SECOND, s, counter: 'uptime' });
  const MS_32 = 2 ** 32 / 1000;
  assert.equal(hasRebooted(sample(0, 86_400), sample(60, 12)), true);
  assert.equal(hasRebooted(sample(0, MS_32 - 20), sample(60, 40)), false);
  assert.equal(hasRebooted(sample(0, 65_530), sample(60, 54)), false);
  assert.equal(hasRebooted(sample(0, 86_400), sample(60, 82_800)), false);
  assert.equal(hasRebooted(sample(0, 86_400), sample(60, 86_460)), false);
  assert.equal(hasRebooted(sample(0, 40), sample(1, 38)), false);
  assert.equal(hasRebooted(sample(0, 86_400), { ...sample(60, 12), counter: 'elapsed' }), false);
  assert.equal(hasRebooted(undefined, sample(60, 12)), false);
});

const GATEWAY = { nowMs: T0, pollIntervalMs: MINUTE };

test('evidence.agent-gap: an agent that did not run for ten minutes says so, once and over', () => {
  const finding = agentGap({ ...GATEWAY, ranUntilMs: T0 - 10 * MINUTE });
  assert.equal(finding?.ruleId, 'evidence.agent-gap');
  assert.equal(finding?.state, 'resolved');
  assert.deepEqual(finding?.after, { gap_s: 600 });
  assert.deepEqual([finding?.beforeAt, finding?.reasons], [(T0 - 10 * MINUTE) / 1000, ['agent-down']]);
});

test('evidence.agent-gap: a store that is gone is high, and open until a person closes it', () => {
  const { state, severity, severityBase, reasons } = storeLost(T0);
  assert.deepEqual([state, severity, severityBase, reasons], ['open', 'high', 'high', ['store-lost']]);
});

test('evidence.agent-gap: a quick restart and the first start of all are none', () => {
  assert.equal(agentGap({ ...GATEWAY, ranUntilMs: T0 - 2 * MINUTE }), undefined);
  assert.equal(agentGap(GATEWAY), undefined);
});

test('baseline.learned: first sight is learned once, without a finding, and what is read later is learned by name', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, (nowMs) => ({ facts: honest(nowMs), gaps: { 'access.ssh': 'timeout' } }));
  watch.live(2 * HOUR, showing({}));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(
    watch.attestations.map(({ trigger, verdict }) => [trigger, verdict.learn]),
    [
      ['first', 'all'],
      ['change', ['access.ssh']],
    ],
  );
  assert.equal(watch.state.reference?.unrecorded, undefined);
  watch.live(20 * MINUTE, showing({ 'access.ssh': true }));
  assert.equal(watch.opened('config.access-changed').length, 1);
});
