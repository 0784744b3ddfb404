import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, adoptedWith, wantsMorePeople } from '../../agent/appraise/accept.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { Facts, FirmwareComponent } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { plan, reference, under } from './standing.ts';
import { type Answer, HOUR, honest, MINUTE, observationOf, pools, SECOND, showing, Watch } from './watch.ts';

/** A device that was converted to another family of firmware, with and without a plan (catalogue 5.2). */

const PLANNED = '2025.3.21.205017';
const OTHER = '1999.1.1.666666';

const parts = (page: string): readonly FirmwareComponent[] => [
  { name: 'keys.version', value: 'l1' },
  { name: 'version.Miner', value: page },
];

/** It answers as LuxOS of this version. */
const luxos = (version: string, page = 'p1', more: Facts = {}) => {
  const { 'firmware.build': _, ...facts } = honest(0);
  const changes: Facts = { family: 'luxos', 'firmware.version': version, 'firmware.components': parts(page), ...more };
  return (nowMs: number): Answer => ({
    facts: { ...facts, ...changes, 'telemetry.elapsed_s': honest(nowMs)['telemetry.elapsed_s'] as number },
    gaps: { 'firmware.build': 'absent' },
  });
};

const exact = (fact: string, value: unknown): ExpectedValue => ({ fact, class: 'exact', value }) as ExpectedValue;
const FAMILY = exact('family', 'luxos');
const IDS = ['firmware.family-changed', 'firmware.version-changed'];
const conversion = (...expected_after: readonly ExpectedValue[]) =>
  plan(30, { ids: IDS, expected_after: [FAMILY, ...expected_after] }, 10, 90);
const toVersion = conversion(exact('firmware.version', PLANNED));

const commissioned = (...plans: readonly ReturnType<typeof plan>[]): Watch => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans });
  watch.live(15 * MINUTE, showing({}));
  watch.clear();
  return watch;
};

const told = (watch: Watch) =>
  watch.statements
    .filter(({ state }) => state === 'open')
    .map(({ ruleId, severity, plan: by }) => `${ruleId} ${severity} ${by ?? '-'}`)
    .sort();

const person = (watch: Watch) => ({ by: 'carol', nowMs: watch.nowMs, seq: 900 });

const CONVERTED = 'firmware.family-changed info 30';
const STRANGE = ['change.deviation high -', 'firmware.family-changed high -'];
const SWAPPED = 'firmware.rollback high -';

test('firmware.family-changed: a plan that names the version covers that version of the other family, and no other', () => {
  const good = commissioned(toVersion).live(3 * HOUR, luxos(PLANNED));
  assert.deepEqual(good.said(), ['firmware.family-changed open']);
  assert.deepEqual(told(good), [CONVERTED]);
  assert.equal(wantsMorePeople(good.state), false);
  const { looks } = good;
  good.live(2 * HOUR, luxos(PLANNED));
  assert.equal(good.looks - looks, 120, 'once it is known it is asked no oftener than others');
  const evil = commissioned(toVersion).live(3 * HOUR, luxos(OTHER));
  assert.deepEqual(told(evil), STRANGE);
  const deviation = evil.statements.find(({ ruleId }) => ruleId === 'change.deviation');
  assert.deepEqual(deviation?.reasons, ['firmware.family-changed', 'firmware.version']);
  assert.equal(wantsMorePeople(evil.state), true);
});

test('firmware.family-changed: nor is it covered by the planned version at one look, or two, before another one', () => {
  for (const forMs of [SECOND, 12 * SECOND, 25 * SECOND]) {
    const watch = commissioned(toVersion).live(forMs, luxos(PLANNED));
    watch.live(5 * HOUR, luxos(OTHER));
    const open = watch.state.tracks.map(({ finding }) => [finding.ruleId, finding.severity, finding.plan]);
    assert.ok(
      open.some(([id, severity]) => id !== 'change.deviation' && severity === 'high'),
      JSON.stringify(open),
    );
    assert.equal(wantsMorePeople(watch.state), true, `${forMs}`);
  }
});

test('firmware.family-changed: nor by the planned version at one look, with none read for an hour before another one', () => {
  const watch = commissioned(toVersion);
  watch.live(SECOND, luxos(PLANNED));
  watch.live(HOUR, (nowMs) => ({ ...luxos(PLANNED)(nowMs), gaps: { 'firmware.version': 'timeout' } }));
  assert.deepEqual(told(watch), [CONVERTED]);
  watch.clear();
  watch.live(HOUR, luxos(OTHER));
  assert.deepEqual(told(watch), STRANGE);
  assert.deepEqual(
    watch.state.tracks.map(({ finding }) => [finding.ruleId, finding.severity]),
    [
      ['firmware.family-changed', 'high'],
      ['change.deviation', 'high'],
    ],
  );
  assert.equal(wantsMorePeople(watch.state), true);
});

test('firmware.family-changed: the planned version that comes after another one is as planned', () => {
  const watch = commissioned(toVersion).live(20 * MINUTE, luxos(OTHER));
  assert.equal(wantsMorePeople(watch.state), true);
  watch.live(2 * HOUR, luxos(PLANNED));
  assert.deepEqual(
    watch.state.tracks.map(({ finding }) => [finding.ruleId, finding.severity, finding.plan]),
    [
      ['firmware.family-changed', 'info', 30],
      ['firmware.version-changed', 'info', 30],
    ],
  );
  assert.equal(wantsMorePeople(watch.state), false);
  watch.state = accept(watch.state, person(watch)).state;
  watch.clear();
  watch.live(2 * HOUR, luxos(PLANNED));
  assert.deepEqual(watch.said(), []);
});

test('firmware.family-changed: a look that lost the version, or did not ask for it, is no other version than planned', () => {
  const watch = commissioned(toVersion);
  const pools = observationOf('pools', watch.nowMs, luxos(PLANNED)(watch.nowMs));
  watch.take({ kind: 'observed', observation: pools });
  watch.live(SECOND, luxos(PLANNED));
  watch.live(MINUTE, (nowMs) => ({ ...luxos(PLANNED)(nowMs), gaps: { 'firmware.version': 'timeout' } }));
  watch.live(2 * HOUR, luxos(PLANNED));
  assert.deepEqual(watch.said(), ['firmware.family-changed open']);
  assert.deepEqual(told(watch), [CONVERTED]);
});

test('firmware.version-changed: what is swapped under another family is told with its weight, whether or not that was planned', () => {
  for (const plans of [[conversion()], [toVersion], []]) {
    const watch = commissioned(...plans).live(30 * MINUTE, luxos(PLANNED));
    assert.deepEqual(told(watch), [plans.length > 0 ? CONVERTED : 'firmware.family-changed high -']);
    watch.state = readDevice(writeDevice(watch.state));
    watch.live(2 * HOUR, luxos(PLANNED));
    watch.clear();
    watch.live(HOUR, luxos(OTHER));
    assert.deepEqual(told(watch), [SWAPPED]);
    assert.deepEqual(watch.statements[0]?.before, [{ key: 'version', value: PLANNED }]);
    assert.deepEqual(watch.statements[0]?.after, [{ key: 'version', value: OTHER }]);
    assert.equal(wantsMorePeople(watch.state), true);
    watch.live(HOUR, luxos(PLANNED));
    assert.equal(watch.said().at(-1), 'firmware.rollback resolved');
    watch.clear();
    watch.live(HOUR, luxos(PLANNED, 'p-evil'));
    assert.deepEqual(told(watch), ['firmware.fingerprint-changed high -']);
  }
});

test('firmware.version-changed: a plan for another family covers no second version of it in its window', () => {
  for (const planned of [conversion(), toVersion]) {
    const watch = commissioned(planned).live(20 * MINUTE, luxos(PLANNED));
    watch.clear();
    watch.live(20 * MINUTE, luxos('2025.4.1'));
    assert.deepEqual(told(watch), ['change.deviation high -', 'firmware.version-changed high -']);
    assert.equal(wantsMorePeople(watch.state), true);
  }
});

test('firmware.version-changed: the next plan covers the next version of the family, and what comes with that is held', () => {
  const next = plan(
    31,
    { ids: ['firmware.version-changed'], expected_after: [exact('firmware.version', '2025.6.1')] },
    120,
    240,
  );
  const watch = commissioned(toVersion, next).live(2 * HOUR, luxos(PLANNED));
  watch.clear();
  watch.live(4 * HOUR, luxos('2025.6.1', 'p2'));
  assert.deepEqual(told(watch), ['firmware.version-changed info 31']);
  assert.equal(wantsMorePeople(watch.state), false);
  watch.clear();
  watch.live(HOUR, luxos('2025.6.1', 'p-evil'));
  assert.deepEqual(told(watch), ['firmware.fingerprint-changed high -']);
});

test('firmware.unlisted, firmware.known-vulnerable, firmware.image-hash-mismatch: lists speak of whatever family a device shows', () => {
  const watch = commissioned(toVersion);
  watch.context = {
    ...watch.context,
    firmware: {
      approved: [{ family: 'antminer-stock' }, { family: 'luxos', version: PLANNED, images: { rootfs: ['good'] } }],
      advisories: [{ id: 'CVE-2026-1', family: 'luxos', fixed_in: '2026.1.1' }],
    },
  };
  watch.live(15 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
  const image: Facts = { 'firmware.components': [{ name: 'image.rootfs', value: 'evil' }] };
  watch.live(30 * MINUTE, luxos(PLANNED, 'p1', image));
  assert.deepEqual(told(watch), [
    'firmware.family-changed info 30',
    'firmware.image-hash-mismatch critical -',
    'firmware.known-vulnerable low -',
  ]);
  watch.live(HOUR, luxos(OTHER));
  assert.ok(told(watch).includes('firmware.unlisted medium -'), told(watch).join());
});

test('firmware.family-changed: what a document says of the former firmware is no finding about the other one', () => {
  const watch = Watch.commissioned();
  const stated = reference(20, [
    exact('firmware.version', '2026.03.1'),
    exact('firmware.components', honest(0)['firmware.components']),
  ]);
  watch.context = under(() => watch.nowMs, { references: [stated], plans: [toVersion] });
  watch.live(15 * MINUTE, showing({}));
  watch.clear();
  watch.live(2 * HOUR, luxos(PLANNED));
  assert.deepEqual(told(watch), [CONVERTED]);
  watch.clear();
  watch.live(HOUR, luxos(OTHER));
  assert.deepEqual(told(watch), [SWAPPED]);
});

test('who approves another family approves the version and the parts that came with it, and no other', () => {
  const watch = commissioned(toVersion).live(2 * HOUR, luxos(PLANNED));
  watch.clear();
  assert.deepEqual(adoptedWith(watch.state, ['family']), ['family', 'firmware.version', 'firmware.components']);
  const { state } = accept(watch.state, { ...person(watch), facts: ['family'] });
  assert.deepEqual([state.tracks, state.firstSeen], [[], undefined]);
  assert.equal(keptFacts(state.reference?.facts)['firmware.version'], PLANNED);
  const swapped = commissioned(toVersion).live(2 * HOUR, luxos(PLANNED));
  swapped.live(HOUR, luxos(OTHER));
  assert.deepEqual(adoptedWith(swapped.state, ['family']), ['family']);
  assert.throws(() => accept(swapped.state, { ...person(swapped), facts: ['family'] }), {
    code: 'baseline.finding-open',
  });
  const texts = ['firmware.version', 'firmware.build'] as const;
  swapped.state = accept(swapped.state, { ...person(swapped), facts: texts }).state;
  swapped.clear();
  swapped.live(2 * HOUR, luxos(OTHER));
  assert.deepEqual(told(swapped), [], 'two people approved the other version');
  swapped.live(HOUR, luxos('2025.4.1'));
  assert.deepEqual(told(swapped), ['firmware.version-changed high -']);
});

test('who approves a version or parts of another family approves that family with what came with it', () => {
  const swapped = commissioned(toVersion)
    .live(2 * HOUR, luxos(PLANNED))
    .live(HOUR, luxos(PLANNED, 'p2'));
  const shown = ['firmware.components', 'firmware.version', 'firmware.build'] as const;
  assert.deepEqual(adoptedWith(swapped.state, shown), [...shown, 'family']);
  assert.equal(wantsMorePeople(swapped.state, shown), true);
  assert.throws(() => accept(swapped.state, { ...person(swapped), facts: ['firmware.components'] }), {
    code: 'baseline.finding-open',
  });
  swapped.state = accept(swapped.state, { ...person(swapped), facts: shown }).state;
  assert.deepEqual([swapped.state.tracks, swapped.state.firstSeen], [[], undefined]);
  swapped.clear();
  swapped.live(2 * HOUR, luxos(PLANNED, 'p2'));
  assert.deepEqual(swapped.said(), []);
  swapped.live(HOUR, luxos(PLANNED));
  assert.deepEqual(told(swapped), ['firmware.fingerprint-changed high -']);
  const other = commissioned(toVersion)
    .live(2 * HOUR, luxos(PLANNED))
    .live(HOUR, luxos(OTHER));
  const texts = ['firmware.version', 'firmware.build'] as const;
  assert.deepEqual(adoptedWith(other.state, texts), [...texts, 'family', 'firmware.components']);
  const { state } = accept(other.state, { ...person(other), facts: texts });
  const { family, 'firmware.version': version } = keptFacts(state.reference?.facts);
  assert.deepEqual([state.tracks, family, version], [[], 'luxos', OTHER]);
});

test('a device that is back at its former family remembers nothing of the other one', () => {
  const watch = commissioned().live(HOUR, luxos(PLANNED));
  assert.equal(watch.state.firstSeen?.came?.['firmware.version'], PLANNED);
  watch.live(2 * HOUR, showing({}));
  assert.equal(watch.state.firstSeen, undefined);
  assert.deepEqual(watch.state.tracks, []);
});

test('firmware.family-changed: a family that tells the quotas that the other one leaves out moved no pools, there and back', () => {
  const converted = luxos(PLANNED, 'p1', pools({ quota: 1 }, { quota: 1 }, { quota: 1 }));
  for (const plans of [[toVersion], []]) {
    const watch = commissioned(...plans).live(2 * HOUR, converted);
    assert.deepEqual(watch.said(), ['firmware.family-changed open']);
    watch.state = accept(watch.state, person(watch)).state;
    watch.clear();
    watch.live(2 * HOUR, converted);
    assert.deepEqual(watch.said(), []);
    watch.live(2 * HOUR, showing({}));
    assert.deepEqual(told(watch), ['firmware.family-changed high -']);
  }
});

test('firmware.version-changed: a version that was told late is the one that came, and another one brings parts of its own', () => {
  const watch = commissioned(conversion());
  watch.live(30 * MINUTE, (nowMs) => ({
    ...luxos(PLANNED, PLANNED)(nowMs),
    gaps: { 'firmware.version': 'timeout', 'firmware.build': 'absent' },
  }));
  watch.live(HOUR, luxos(PLANNED, PLANNED));
  assert.deepEqual(told(watch), [CONVERTED]);
  watch.clear();
  watch.live(2 * HOUR, luxos('2025.5.5', '2025.5.5'));
  assert.deepEqual(told(watch), ['firmware.version-changed high -']);
  watch.live(HOUR, luxos('2025.5.5', 'p-evil'));
  assert.deepEqual(told(watch), ['firmware.fingerprint-changed high -', 'firmware.version-changed high -']);
});
