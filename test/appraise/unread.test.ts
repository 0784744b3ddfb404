import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../agent/appraise/accept.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { isSettled } from '../../agent/appraise/settled.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { axeos } from '../../agent/drivers/axeos.ts';
import { conformanceOf } from '../../shared/appraisal.ts';
import { type Edits, SpecimenLife } from './specimen-life.ts';
import {
  type Answer,
  type Gaps,
  HOUR,
  honest,
  MINUTE,
  numbers,
  observationOf,
  SECOND,
  showing,
  Watch,
} from './watch.ts';

/** Replies that are late or cut off while the device answers everything else. */

const ID = 'visibility.coverage-reduced';

const losing =
  (gaps: Gaps) =>
  (nowMs: number): Answer => ({ facts: honest(nowMs), gaps });

const unread = (watch: Watch) =>
  watch.opened(ID).map(({ part, severity, reasons, after }) => ({ part, severity, reasons, after }));

/** The conformance of the last attestation. */
const conformance = (watch: Watch): string | undefined => {
  const { checks } = watch.attestations.at(-1) ?? {};
  return checks === undefined ? undefined : conformanceOf({ observed: true, approval: 'local', ...checks });
};

for (const reason of ['truncated', 'timeout'] as const)
  test(`${ID}: pools that are ${reason} at every look are told after ten minutes, and no more once they are read`, () => {
    const watch = Watch.commissioned();
    watch.live(9 * MINUTE, losing({ pools: reason }));
    assert.deepEqual(watch.said(), []);
    watch.live(2 * MINUTE, losing({ pools: reason }));
    assert.deepEqual(unread(watch), [
      { part: 'unread', severity: 'medium', reasons: [reason], after: { unread: ['pools'] } },
    ]);
    assert.equal(conformance(watch), 'deviation');
    watch.live(3 * HOUR, losing({ pools: reason }));
    assert.deepEqual(watch.said(), [`${ID} open`]);
    watch.live(5 * MINUTE, showing({}));
    assert.deepEqual(watch.said(), [`${ID} open`, `${ID} resolved`]);
    assert.equal(conformance(watch), 'match');
  });

test(`${ID}: pools that are lost now in one way and now in another are lost all the same`, () => {
  const watch = Watch.commissioned();
  const ways = ['truncated', 'timeout', 'unreadable'] as const;
  let looks = 0;
  watch.live(20 * MINUTE, (nowMs) => losing({ pools: ways[looks++ % 3] ?? 'timeout' })(nowMs));
  assert.equal(watch.opened(ID).length, 1);
});

test(`${ID}: what only full looks ask is counted in these, and is low where it is neither machine nor firmware nor pools`, () => {
  const watch = Watch.commissioned();
  watch.live(40 * MINUTE, losing({ 'network.dns': 'timeout' }));
  assert.deepEqual(watch.said(), []);
  watch.live(40 * MINUTE, losing({ 'network.dns': 'timeout' }));
  assert.deepEqual(unread(watch), [
    { part: 'unread', severity: 'low', reasons: ['timeout'], after: { unread: ['network.dns'] } },
  ]);
});

test(`${ID}: congestion of some minutes, and a reply of twenty that is cut off, are none`, () => {
  const watch = Watch.commissioned();
  for (let turn = 0; turn < 4; turn += 1) {
    watch.live(9 * MINUTE, losing({ pools: 'timeout', 'identity.mac': 'timeout', 'network.dns': 'timeout' }));
    watch.live(6 * MINUTE, showing({}));
  }
  const random = numbers(11);
  watch.live(20 * 24 * HOUR, (nowMs) => {
    const lost = (['pools', 'identity.mac', 'firmware.version', 'network.dns'] as const).filter(() => random() < 0.05);
    return losing(Object.fromEntries(lost.map((name) => [name, random() < 0.5 ? 'truncated' : 'timeout'])))(nowMs);
  });
  assert.deepEqual(watch.said(), []);
});

test(`${ID}: replies that were lost before a silence and after it are not lost in a row`, () => {
  const watch = Watch.commissioned();
  watch.live(4 * MINUTE, losing({ pools: 'timeout' }));
  watch.live(20 * MINUTE, () => undefined);
  watch.live(5 * MINUTE, losing({ pools: 'timeout' }));
  assert.deepEqual(watch.opened(ID), []);
});

test(`${ID}: who falls silent now and then, and loses its pools whenever it answers, is told after ten minutes of answers`, () => {
  const watch = Watch.commissioned();
  const turn = (): void => {
    watch.live(4 * MINUTE, losing({ pools: 'timeout' }));
    watch.live(7 * MINUTE, () => undefined);
  };
  turn();
  turn();
  assert.deepEqual(watch.opened(ID), []);
  watch.state = readDevice(writeDevice(watch.state));
  watch.live(4 * MINUTE, losing({ pools: 'timeout' }));
  assert.deepEqual(unread(watch), [
    { part: 'unread', severity: 'medium', reasons: ['timeout'], after: { unread: ['pools'] } },
  ]);
});

test(`${ID}: what was lost before a silence and is told after it is begun anew`, () => {
  const watch = Watch.commissioned();
  watch.live(8 * MINUTE, losing({ pools: 'timeout' }));
  watch.live(7 * MINUTE, () => undefined);
  watch.live(2 * MINUTE, showing({}));
  watch.live(8 * MINUTE, losing({ pools: 'timeout' }));
  assert.deepEqual(watch.opened(ID), []);
});

test(`${ID}: a reply that is lost once more neither ends nor turns what is left out`, () => {
  const watch = Watch.commissioned();
  watch.live(HOUR, losing({ 'identity.mac': 'absent' }));
  watch.live(15 * MINUTE, losing({ 'identity.mac': 'truncated' }));
  watch.live(HOUR, losing({ 'identity.mac': 'absent' }));
  assert.deepEqual(
    watch.statements.map(({ part, state }) => [part, state]),
    [['left-out', 'open']],
  );
});

test(`${ID}: unread pools are accepted with the device, and a restart does not tell them again`, () => {
  const watch = Watch.commissioned();
  watch.live(20 * MINUTE, losing({ pools: 'truncated' }));
  watch.state = readDevice(writeDevice(watch.state));
  watch.live(HOUR, losing({ pools: 'truncated' }));
  assert.deepEqual(watch.said(), [`${ID} open`]);
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 90 }).state;
  watch.clear();
  watch.live(2 * HOUR, losing({ pools: 'truncated' }));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing({}));
  watch.live(20 * MINUTE, losing({ pools: 'truncated' }));
  assert.equal(watch.opened(ID).length, 1);
});

test('what a full look lost keeps no look at the pools from being settled', () => {
  const watch = Watch.commissioned();
  watch.see('full', {}, { 'network.dns': 'timeout' });
  for (let looks = 0; looks < 2; looks += 1) {
    watch.nowMs += 10 * SECOND;
    watch.see('pools');
  }
  assert.ok(watch.state.marks.leftOut?.['network.dns']);
  watch.nowMs += 10 * SECOND;
  const look = observationOf('pools', watch.nowMs, { facts: honest(watch.nowMs) });
  const before = watch.state.marks.settledPools;
  assert.ok(before !== undefined);
  const { state, nowMs } = watch;
  const isSame = isSettled(state, look, {
    nowMs,
    confirmS: 10,
    pollIntervalMs: MINUTE,
    inFirstPass: true,
    amongCommissioned: false,
    surfaces: () => [],
    standing: NOTHING_STANDING,
    policy: 'a',
    random: () => 0,
  });
  assert.ok(isSame);
});

test('a bracket that came into a reply ends no finding and changes no pool: what stands behind it is not read', () => {
  const device = new SpecimenLife(axeos, 'axeos/nerdqaxe-v1');
  const watch = device.settle();
  const theft: Edits = [['"fallbackStratumURL":\t"south.pool.example"', '"fallbackStratumURL":\t"thief.example"']];
  device.live(5, { edits: theft });
  assert.deepEqual(watch.said(), ['pool.url-changed open']);
  for (const behind of ['"stratumPort"', '"fallbackStratumURL"', '"version"', '"fanspeed"']) {
    const damaged: Edits = [[`,\n\t${behind}`, `},\n\t${behind}`]];
    device.live(3, { edits: [...theft, ...damaged] });
    device.live(3, { edits: damaged });
  }
  device.live(5, { edits: theft });
  const said = watch.said().filter((statement) => !statement.startsWith('visibility.'));
  assert.deepEqual(said, ['pool.url-changed open']);
});
