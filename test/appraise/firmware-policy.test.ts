import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FirmwarePolicy } from '../../agent/appraise/firmware-policy.ts';
import { collapse, NO_STORMS, parentSeq, parentStated } from '../../agent/appraise/storm.ts';
import type { Facts } from '../../shared/facts.ts';
import { HOUR, honest, MINUTE, pools, SECOND, showing, T0, Watch } from './watch.ts';

const part = (name: string, value: string) => ({ name, value });
const on = (firmware: Partial<FirmwarePolicy>, changes: Facts = {}, forMs = 20 * MINUTE): Watch =>
  new Watch({ firmware: { advisories: [], ...firmware } }).live(forMs, showing(changes));

const STOCK = { family: 'antminer-*', model: 'antminer s21*', version: '2026.03.*' };

test('firmware.unlisted: a version that the catalogue does not have is medium, with the nearest entry', () => {
  const watch = on({
    approved: [
      { ...STOCK, version: '2026.02.1' },
      { family: 'vnish', version: '*' },
    ],
  });
  assert.deepEqual(watch.said(), ['firmware.unlisted open']);
  const [finding] = watch.statements;
  assert.equal(finding?.severity, 'medium');
  assert.deepEqual(finding?.after, {
    family: 'antminer-stock',
    model: 'Antminer S21',
    version: '2026.03.1',
    build: 'Thu Mar 12 10:00:00 CST 2026',
    nearest: { family: 'antminer-*', model: 'antminer s21*', version: '2026.02.1' },
  });
});

test('firmware.unlisted: a listed one, one without a catalogue and a look that tells no version are none', () => {
  assert.deepEqual(on({ approved: [STOCK] }).said(), []);
  assert.deepEqual(on({}).said(), []);
  const untold = new Watch({ firmware: { approved: [{ version: '1' }], advisories: [] } });
  untold.live(HOUR, (nowMs) => {
    const { 'firmware.version': _, 'firmware.build': __, ...facts } = honest(nowMs);
    return { facts };
  });
  assert.deepEqual(untold.said(), []);
  assert.deepEqual(on({ approved: [{ ...STOCK, build: 'Thu Mar 12 *' }] }).said(), []);
  assert.equal(on({ approved: [{ ...STOCK, build: 'Fri*' }] }).opened('firmware.unlisted').length, 1);
  assert.equal(on({ approved: [{ ...STOCK, model: 'antminer s19*' }] }).opened('firmware.unlisted').length, 1);
});

test('firmware.unlisted: an approval that has expired is none any more', () => {
  const expires = new Date(T0 + HOUR).toISOString();
  const watch = on({ approved: [{ ...STOCK, expires }] }, {}, 50 * MINUTE);
  assert.deepEqual(watch.said(), []);
  // The policy of the agent changes with the minute in which an entry expires.
  watch.live(10 * MINUTE, showing({}));
  watch.context = { ...watch.context, policy: 'b' };
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.statements[0]?.reasons, ['expired']);
});

test('firmware.unlisted: an unknown build is a finding once, not per device, however late the others come', () => {
  const [finding] = on({ approved: [] }).opened('firmware.unlisted');
  assert.ok(finding !== undefined);
  const seen = (device: string) => ({ kind: 'device', device, finding }) as const;
  let nowMs = T0;
  const first = collapse(NO_STORMS, [seen('rig-1')], nowMs);
  assert.deepEqual(
    first.statements.map((one) => [one.kind, 'devices' in one.finding ? one.finding.devices : undefined]),
    [['parent', ['rig-1']]],
  );
  const [key = ''] = Object.keys(first.state.storms);
  let state = parentStated(first.state, key, 7);
  for (const [device, passedMs] of [
    ['rig-2', HOUR],
    ['rig-3', 5 * SECOND],
  ] as const) {
    nowMs += passedMs;
    state = collapse(state, [seen(device)], nowMs).state;
  }
  const later = collapse(state, [], nowMs + HOUR);
  assert.deepEqual(
    later.statements.map((one) => [one.kind, one.finding.openedSeq, 'count' in one.finding ? one.finding.count : 0]),
    [['parent', 7, 3]],
  );
  assert.equal(parentSeq(later.state, key), 7);
  const ended = { ...finding, state: 'resolved' } as const;
  const gone = ['rig-1', 'rig-2', 'rig-3'].map((device) => ({ kind: 'device', device, finding: ended }) as const);
  const over = collapse(later.state, gone, nowMs + 2 * HOUR);
  assert.deepEqual(
    over.statements.map((one) => [one.kind, one.finding.state, one.finding.openedSeq]),
    [['parent', 'resolved', 7]],
  );
  assert.deepEqual(over.state, NO_STORMS);
});

const IMAGES = { version: '2026.03.1', images: { control_board: ['aaaa', 'bbbb'] } };

test('firmware.image-hash-mismatch: another digest than the catalogue has for this version is critical at the first look', () => {
  const watch = Watch.known({ firmware: { approved: [IMAGES], advisories: [] } });
  watch.see('full', { 'firmware.components': [part('image.control_board', 'cccc')] });
  const [finding] = watch.opened('firmware.image-hash-mismatch');
  assert.equal(finding?.severity, 'critical');
  assert.equal(finding?.part, 'control_board');
  assert.deepEqual([finding?.before, finding?.after], [['aaaa', 'bbbb'], 'cccc']);
});

test('firmware.image-hash-mismatch: an equal digest, one of another version, and a device that tells none: none', () => {
  const shows = (digest: string, approved: FirmwarePolicy['approved']) =>
    on({ approved }, { 'firmware.components': [part('image.control_board', digest)] }).opened(
      'firmware.image-hash-mismatch',
    );
  assert.deepEqual(shows('bbbb', [IMAGES]), []);
  assert.deepEqual(shows('cccc', [{ ...IMAGES, version: '2026.02.*' }]), []);
  const silent = on({ approved: [IMAGES] });
  silent.context = { ...silent.context, refreshDueMs: silent.nowMs };
  silent.see('full');
  assert.ok(!silent.attestations.at(-1)?.checks.passed['self-reported']?.includes('firmware.image-hash-mismatch'));
});

test('firmware.boot-medium-changed: another slot with the same version is high, with another version medium', () => {
  const moved = (changes: Facts): Watch => {
    const watch = new Watch();
    watch.live(2 * MINUTE, showing({ 'firmware.medium': 'ota_0' }));
    watch.clear();
    return watch.live(20 * MINUTE, showing({ 'firmware.medium': 'ota_1', ...changes }));
  };
  const same = moved({});
  assert.deepEqual(same.said(), ['firmware.boot-medium-changed open']);
  const [finding] = same.statements;
  assert.deepEqual([finding?.severity, finding?.before, finding?.after], ['high', 'ota_0', 'ota_1']);
  const updated = moved({ 'firmware.version': '2026.04.0' });
  assert.equal(updated.opened('firmware.boot-medium-changed')[0]?.severity, 'medium');
});

test('firmware.boot-medium-changed: a version that did not arrive decides nothing, a medium told for the first time neither', () => {
  const late = new Watch();
  late.live(2 * MINUTE, showing({ 'firmware.medium': 'ota_0' }));
  late.live(HOUR, (nowMs) => ({
    facts: honest(nowMs, { 'firmware.medium': 'ota_1' }),
    gaps: { 'firmware.version': 'timeout' },
  }));
  assert.deepEqual(late.opened('firmware.boot-medium-changed'), []);
  const first = Watch.known();
  first.live(HOUR, showing({ 'firmware.medium': 'nand' }));
  assert.deepEqual(first.said(), []);
});

const ADVISORY = { id: 'CVE-2026-1', family: 'antminer-stock', fixed_in: '2026.04.0' };

test('firmware.known-vulnerable: what the device lets others do decides how much it weighs', () => {
  const found = (changes: Facts) =>
    on({ advisories: [ADVISORY] }, changes)
      .opened('firmware.known-vulnerable')
      .map(({ part: id, severity }) => [id, severity]);
  assert.deepEqual(found({}), [['CVE-2026-1', 'low']]);
  assert.deepEqual(found({ 'access.api_write': false, 'access.api_allow': 'W:0/0' }), [['CVE-2026-1', 'low']]);
  assert.deepEqual(found({ 'access.api_write': true }), [['CVE-2026-1', 'medium']]);
  assert.deepEqual(found({ 'access.api_write': true, 'access.api_allow': 'A:0/0,W:*' }), [['CVE-2026-1', 'medium']]);
  assert.deepEqual(found({ 'access.api_write': true, 'access.api_allow': 'W:0/0' }), [['CVE-2026-1', 'high']]);
});

test('firmware.known-vulnerable: a device that takes changes across a router weighs most', () => {
  const severityFrom = (vantage: string | undefined) =>
    new Watch({ firmware: { advisories: [ADVISORY] }, vantage: () => vantage })
      .live(20 * MINUTE, showing({ 'access.api_write': true }))
      .opened('firmware.known-vulnerable')[0]?.severity;
  assert.equal(severityFrom('10.20.14.2'), 'medium');
  assert.equal(severityFrom(undefined), 'high');
});

test('firmware.known-vulnerable: exposure toggles the severity of one finding, up and down', () => {
  const watch = on({ advisories: [ADVISORY] });
  watch.live(40 * MINUTE, showing({ 'access.api_write': true }));
  watch.live(40 * MINUTE, showing({ 'access.api_write': false }));
  const severities = watch.opened('firmware.known-vulnerable').map(({ severity }) => severity);
  assert.deepEqual(severities, ['low', 'medium', 'low']);
});

test('firmware.known-vulnerable: the version with the correction, another family and one without order are none', () => {
  const found = (advisory: FirmwarePolicy['advisories'][number], changes: Facts = {}) =>
    on({ advisories: [advisory] }, changes).opened('firmware.known-vulnerable').length;
  assert.equal(found({ ...ADVISORY, fixed_in: '2026.03.1' }), 0);
  assert.equal(found({ ...ADVISORY, family: 'vnish' }), 0);
  assert.equal(found(ADVISORY, { 'firmware.version': 'custom' }), 0);
  assert.equal(found({ id: 'X', family: '*', version: '2026.03.*' }), 1);
});

const surfaces = (program: string, miner: string) => ({
  'firmware.components': [
    part('4028.program', program),
    part('4028.type', 'Antminer S9'),
    part('system.miner', miner),
    part('system.model', 'Antminer S9'),
  ],
});

test('firmware.inconsistent: the web says stock and the RPC a third-party program, for ten minutes', () => {
  const watch = on({}, surfaces('2.0.0 rwglr', '2.0.0'), 9 * MINUTE);
  assert.deepEqual(watch.said(), []);
  watch.live(20 * MINUTE, showing(surfaces('2.0.0 rwglr', '2.0.0')));
  assert.deepEqual(watch.said(), ['firmware.inconsistent open']);
  const [finding] = watch.statements;
  assert.deepEqual([finding?.severity, finding?.part, finding?.basis], ['medium', 'program', 'multi-surface']);
  assert.deepEqual(finding?.after, [
    { key: '4028.program', value: '2.0.0 rwglr' },
    { key: 'system.miner', value: '2.0.0' },
  ]);
  watch.live(HOUR, showing({ 'firmware.components': [part('4028.program', '2.0.0 rwglr')] }));
  assert.deepEqual(watch.said(), ['firmware.inconsistent open'], 'one surface alone says nothing');
});

test('firmware.inconsistent: what is undecided at first sight keeps nothing from being attested and learned', () => {
  const watch = new Watch();
  const odd = surfaces('2.0.0 rwglr', '2.0.0');
  watch.live(2 * MINUTE, showing(odd));
  const [first] = watch.attestations;
  assert.deepEqual([first?.trigger, first?.atMs, first?.verdict.learn], ['first', T0, 'all']);
  assert.deepEqual(first?.checks.failed, []);
  assert.deepEqual(first?.checks.notRun, [{ id: 'firmware.inconsistent', reason: 'unconfirmed' }]);
  watch.live(3 * MINUTE, showing({ ...odd, ...pools({ user: 'thief.rig0417' }) }));
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
  watch.live(20 * MINUTE, showing({ ...odd, ...pools({ user: 'thief.rig0417' }) }));
  assert.deepEqual(watch.said(), ['pool.user-changed open', 'firmware.inconsistent open']);
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['first', 'change', 'change'],
  );
});

test('firmware.inconsistent: surfaces that agree, dates in two spellings and a device that just started are none', () => {
  assert.deepEqual(on({}, surfaces('2.0.0', '2.0.0'), HOUR).said(), []);
  const dates = [part('4028.build', 'Tue Mar  4 09:12:44 CST 2025'), part('web.build', '2025-03-04 09:12:44')];
  assert.deepEqual(on({}, { 'firmware.components': dates }, HOUR).said(), []);
  const started = new Watch();
  started.live(14 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, { ...surfaces('a', 'b'), 'telemetry.elapsed_s': (nowMs - T0) / 1000 }),
  }));
  assert.deepEqual(started.said(), []);
});
