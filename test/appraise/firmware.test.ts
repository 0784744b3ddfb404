import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../../agent/appraise/version.ts';
import { MINUTE, showing, Watch } from './watch.ts';

const part = (name: string, value: string) => ({ name, value });
const TIME = part('compile_time', 'Thu Mar 12 10:00:00 CST 2026');
const KEYS = part('keys.summary', 'a1');
const PAGE = part('web.index', 'b2');

test('firmware.version-changed: a higher version is medium on a learned device, high unplanned on a commissioned one', () => {
  const learned = Watch.known();
  learned.live(20 * MINUTE, showing({ 'firmware.version': '2026.04.0' }));
  const [finding] = learned.opened('firmware.version-changed');
  assert.deepEqual([finding?.severity, finding?.severityBase], ['medium', 'medium']);
  assert.deepEqual(finding?.before, [{ key: 'version', value: '2026.03.1' }]);
  assert.deepEqual(finding?.after, [{ key: 'version', value: '2026.04.0' }]);
  const commissioned = Watch.commissioned();
  commissioned.live(20 * MINUTE, showing({ 'firmware.version': '2026.04.0' }));
  const [raised] = commissioned.opened('firmware.version-changed');
  assert.deepEqual([raised?.severity, raised?.severityBase], ['high', 'medium']);
});

test('firmware.version-changed: a build date in another format is not a change, nor explains it new parts', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, showing({ 'firmware.build': '2026-03-12 10:00:00' }));
  assert.deepEqual(watch.said(), []);
});

test('firmware.version-changed: a version without order is a change, not a rollback', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ 'firmware.version': 'custom-build' }));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  assert.deepEqual(watch.statements[0]?.reasons, ['unordered']);
});

test('firmware.rollback: a lower version is high and nothing else', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ 'firmware.version': '2026.02.9' }));
  assert.deepEqual(watch.said(), ['firmware.rollback open']);
  assert.equal(watch.statements[0]?.severity, 'high');
  assert.deepEqual(watch.statements[0]?.reasons, ['by-version']);
});

test('firmware.rollback: a higher version and an older build of the same version are told apart', () => {
  const up = Watch.known();
  up.live(20 * MINUTE, showing({ 'firmware.version': '2026.10.0' }));
  assert.deepEqual(up.said(), ['firmware.version-changed open']);
  const older = Watch.known();
  older.live(20 * MINUTE, showing({ 'firmware.build': 'Wed Feb 11 10:00:00 CST 2026' }));
  assert.deepEqual(older.said(), ['firmware.rollback open']);
  assert.deepEqual(older.statements[0]?.reasons, ['by-build']);
});

test('firmware.family-changed: another family is one finding, not twenty drifts', () => {
  const watch = Watch.known();
  watch.live(
    20 * MINUTE,
    showing({
      family: 'vnish',
      'firmware.name': 'other',
      'firmware.version': '1.2.6',
      'firmware.build': '2024-01-01',
      'firmware.components': [part('compile_time', 'x'), part('web.index', 'y')],
      'config.mode': 'turbo',
      'config.power_limit_w': 9000,
      'config.other': [{ key: 'led', value: 'off' }],
      'network.hostname': 'antminer',
      'access.ssh': true,
    }),
  );
  assert.deepEqual(watch.said(), ['firmware.family-changed open']);
  assert.deepEqual([watch.statements[0]?.before, watch.statements[0]?.after], ['antminer-stock', 'vnish']);
});

test('firmware.family-changed: one look that spoke another family is not confirmed', () => {
  const watch = Watch.known();
  watch.live(5 * 1000, showing({ family: 'vnish' }));
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['firmware.family-changed resolved']);
});

test('firmware.fingerprint-changed: another asset and host key under the same version are high, after ten minutes', () => {
  const watch = Watch.known();
  watch.live(9 * MINUTE, showing({ 'firmware.components': [TIME, KEYS, part('web.index', 'evil')] }));
  assert.deepEqual(watch.said(), []);
  watch.live(30 * MINUTE, showing({ 'firmware.components': [TIME, KEYS, part('web.index', 'evil')] }));
  assert.deepEqual(watch.said(), ['firmware.fingerprint-changed open']);
  assert.equal(watch.statements[0]?.severity, 'high');
  assert.deepEqual(watch.statements[0]?.after, [{ key: 'web.index', value: 'evil' }]);
});

test('firmware.fingerprint-changed: one more key in a reply is low, with the reason keyset', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, showing({ 'firmware.components': [TIME, part('keys.summary', 'a9'), PAGE] }));
  assert.deepEqual(watch.said(), ['firmware.fingerprint-changed open']);
  assert.equal(watch.statements[0]?.severity, 'low');
  assert.deepEqual(watch.statements[0]?.reasons, ['keyset']);
});

test('firmware.fingerprint-changed: one damaged name in one reply is no finding, for the next look does not show it', () => {
  const watch = Watch.known();
  const damaged = { 'firmware.components': [TIME, part('keys.summary', 'a9'), PAGE] };
  watch.live(MINUTE, showing(damaged));
  watch.live(40 * MINUTE, showing({}));
  assert.deepEqual(
    watch.statements.filter(({ state }) => state === 'open'),
    [],
  );
});

test('firmware.fingerprint-changed: parts that could not be read, or are read anew, are none; new ones are learned', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({ 'firmware.components': [TIME] }));
  watch.live(40 * MINUTE, showing({ 'firmware.components': [TIME, KEYS, PAGE, part('version.api', 'c3')] }));
  assert.deepEqual(watch.said(), []);
  watch.live(40 * MINUTE, showing({ 'firmware.components': [TIME, KEYS, PAGE, part('version.api', 'other')] }));
  assert.deepEqual(watch.said(), ['firmware.fingerprint-changed open']);
});

test('firmware.fingerprint-changed: a new version explains new parts', () => {
  const watch = Watch.known();
  watch.live(
    40 * MINUTE,
    showing({
      'firmware.version': '2026.04.0',
      'firmware.components': [part('compile_time', 'new'), KEYS, PAGE],
    }),
  );
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
});

test('versions are ordered by dotted numbers, and dates in whatever spelling', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['1.2', '1.3', 'up'],
    ['1.3', '1.2', 'down'],
    ['1.9', '1.10', 'up'],
    ['v2.4.5', '2.4.5', 'same'],
    ['2.4', '2.4.0', 'unordered'],
    ['v2.12.2-rc1', 'v2.12.2.0-rc1', 'unordered'],
    ['2.9.0-rc1', '2.9.0-rc1-tuned', 'unordered'],
    ['2.9.0-rc1', '2.9.0-rc1.5', 'unordered'],
    ['2.9.0-beta', '2.9.0-beta+more', 'unordered'],
    ['2.9.0-dev', '2.9.0-development', 'unordered'],
    ['2.9.0-rc', '2.9.0-rc0', 'unordered'],
    ['2.9.0-rc1', '2.9.0-rc.1', 'same'],
    ['2.9.0-rc1', '2.9.0', 'up'],
    ['2.9.0', '2.9.0-rc1', 'down'],
    ['2.9.0-rc1', '2.9.0-rc2', 'up'],
    ['v2.4.5', 'v2.4.5-3-gb5d1e36-dirty', 'unordered'],
    ['FluxOS-2023-12.27-aa', 'FluxOS-2024-01.02-bb', 'up'],
    ['23091801_8c8c4d7', '24102401_25462b2', 'up'],
    ['20230822.12.REL', '20221013.12.REL', 'down'],
    ['20230822.12.Rel3', '20230822.12.Rel4', 'unordered'],
    ['1.2.6', '20230822', 'unordered'],
    ['custom-a', 'custom-b', 'unordered'],
    ['alpha 1.2', 'beta 1.3', 'unordered'],
    ['Thu Mar 12 2026', '2026-03-12', 'same'],
    ['Thu Mar 12 10:00:00 CST 2026', '12 Mar 2026 10:00:00', 'same'],
    ['Tue Apr 18 19:44:02 CST 2023', 'Wed Apr 19 01:00:00 CST 2023', 'up'],
    ['Tue Apr 18 19:44:02 CST 2023', 'Tue Apr 18 19:44:01 CST 2023', 'down'],
    ['Mar 12 2026', '1.2.3', 'unordered'],
    ['1.20230822123456789', '1.20230822123456788', 'down'],
    ['', '', 'same'],
    ['', '1', 'unordered'],
  ];
  for (const [before, after, order] of cases)
    assert.equal(compareVersions(before, after), order, `${before} → ${after}`);
});
