import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, wantsMorePeople } from '../../agent/appraise/accept.ts';
import type { DeviceState } from '../../agent/appraise/device.ts';
import { type PlanGround, reportPlan } from '../../agent/appraise/plan-report.ts';
import { keepFacts } from '../../agent/baseline/kept.ts';
import { type Adopted, NOTHING_STANDING, standingOf } from '../../agent/baseline/standing.ts';
import { axeos } from '../../agent/drivers/axeos.ts';
import { withUnforeseen } from '../../agent/terms/unforeseen.ts';
import type { Facts } from '../../shared/facts.ts';
import type { ExpectedValue, Plan } from '../../shared/terms.ts';
import { type Shown, SpecimenLife } from './specimen-life.ts';
import { plan, reference, under, waiver } from './standing.ts';
import { HOUR, honest, MINUTE, pools, rebooting, showing, T0, Watch } from './watch.ts';

/** Plans and waivers (catalogue §3 and 5.9), seen through the engine. */

const version = (value: string): ExpectedValue[] => [
  { fact: 'firmware.version', class: 'exact', value },
  { fact: 'firmware.build', class: 'volatile' },
  { fact: 'firmware.components', class: 'volatile' },
];

const rollout = (value = '2026.06.1') =>
  plan(30, { ids: ['firmware.*'], expected_after: version(value), ticket: 'CHG-7' }, 10, 60);

const updated = showing({ 'firmware.version': '2026.06.1', 'firmware.build': 'Mon Jun 1 10:00:00 CST 2026' });

test('a planned change is info and names its plan; without the plan it is high', () => {
  const planned = Watch.commissioned();
  planned.context = under(() => planned.nowMs, { plans: [rollout()] });
  planned.live(20 * MINUTE, showing({}));
  planned.live(30 * MINUTE, updated);
  const [finding, ...others] = planned.statements;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [finding?.ruleId, finding?.state, finding?.severity, finding?.severityBase, finding?.plan],
    ['firmware.version-changed', 'open', 'info', 'medium', 30],
  );
  const unplanned = Watch.commissioned();
  unplanned.live(20 * MINUTE, showing({}));
  unplanned.live(30 * MINUTE, updated);
  assert.equal(unplanned.statements[0]?.severity, 'high');
});

test('what a plan covered stays covered after its window, as long as the device shows the same', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout()] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(2 * HOUR, updated);
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  watch.clear();
  watch.live(40 * MINUTE, showing({ 'firmware.version': '2026.09.9', 'firmware.build': 'x' }));
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]),
    [['firmware.version-changed', 'high', undefined]],
  );
});

test('a plan never hides another after-value: the finding keeps its weight, and change.deviation names the plan', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout('2026.05.0')] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(30 * MINUTE, updated);
  assert.deepEqual(
    watch.statements.map(({ ruleId, state, severity, part }) => [ruleId, state, severity, part]),
    [
      ['firmware.version-changed', 'open', 'high', undefined],
      ['change.deviation', 'open', 'high', 'plan-30 firmware.version-changed'],
    ],
  );
  watch.clear();
  watch.live(2 * HOUR, updated);
  assert.deepEqual(watch.said(), [], 'it lasts as long as what it is about, also after the window');
  watch.live(30 * MINUTE, showing({}));
  assert.deepEqual([...watch.said()].sort(), ['change.deviation resolved', 'firmware.version-changed resolved']);
});

test('a second plan after the first speaks of what comes next, also where nobody accepted what the first brought', () => {
  for (const [next, told] of [
    ['2026.07.1', [['firmware.version-changed', 'info', 31, undefined]]],
    [
      '2026.09.9',
      [
        ['firmware.version-changed', 'high', undefined, undefined],
        ['change.deviation', 'high', undefined, 'plan-31 firmware.version-changed'],
      ],
    ],
  ] as const) {
    const watch = Watch.commissioned();
    const second = plan(31, { ids: ['firmware.*'], expected_after: version('2026.07.1') }, 120, 240);
    watch.context = under(() => watch.nowMs, {
      plans: [rollout(), { ...second, adoptedAt: (T0 + 90 * MINUTE) / 1000 }],
    });
    watch.live(20 * MINUTE, showing({}));
    watch.live(2 * HOUR, updated);
    assert.deepEqual(watch.said(), ['firmware.version-changed open']);
    watch.clear();
    watch.live(40 * MINUTE, showing({ 'firmware.version': next, 'firmware.build': 'x' }));
    assert.deepEqual(
      watch.statements.map(({ ruleId, severity, plan: by, part }) => [ruleId, severity, by, part]),
      told,
    );
  }
});

const atMinute = (minutes: number): number => T0 + minutes * MINUTE;

/** It runs what was rolled out from each of these times until the next, when it goes back, and so on. */
const flashed = (...minutes: readonly number[]) =>
  rebooting(minutes.map(atMinute), (nowMs) =>
    minutes.filter((minute) => atMinute(minute) <= nowMs).length % 2 === 0
      ? {}
      : { 'firmware.version': '2026.06.1', 'firmware.build': 'Mon Jun 1 10:00:00 CST 2026' },
  );

const rebootsTold = ({ statements }: Watch) =>
  statements
    .filter(({ ruleId }) => ruleId === 'runtime.reboot-unexpected')
    .map(({ state, severity, plan: by }) => [state, severity, by]);

const ofVersion = plan(30, { ids: ['firmware.version-changed'], expected_after: version('2026.06.1') }, 10, 60);

test('the reboot of a planned update is info and names the plan, which need not name it', () => {
  for (const adopted of [ofVersion, rollout(), plan(30, { ids: ['firmware.family-changed'] }, 10, 60)]) {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [adopted] });
    watch.live(40 * MINUTE, flashed(20.5));
    assert.deepEqual(rebootsTold(watch), [
      ['open', 'info', 30],
      ['resolved', 'info', 30],
    ]);
  }
});

test('a device that is updated, put back and updated again under plans is info each time', () => {
  const watch = Watch.commissioned();
  const back = plan(31, { ids: ['firmware.rollback'], expected_after: version('2026.03.1') }, 10, 60);
  watch.context = under(() => watch.nowMs, { plans: [ofVersion, back] });
  watch.live(40 * MINUTE, flashed(20.5, 21.6, 22.9));
  assert.deepEqual(rebootsTold(watch), [
    ['open', 'info', 30],
    ['open', 'info', 31],
    ['resolved', 'info', 31],
  ]);
  assert.deepEqual(
    watch.state.tracks.map(({ finding }) => finding.severity),
    ['info'],
  );
});

test('a plan expects no reboot outside its window, of other devices, or where it changes no firmware', () => {
  const others: readonly (readonly [string, Adopted<Plan>])[] = [
    ['before the window', plan(30, { ids: ['firmware.*'], expected_after: version('2026.06.1') }, 40, 60)],
    ['another device', plan(30, { ids: ['firmware.*'], scope: { devices: ['rig-2'] } }, 10, 60)],
    ['no firmware', plan(30, { ids: ['config.performance-changed'] }, 10, 60)],
  ];
  for (const [name, adopted] of others) {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [adopted] });
    watch.live(40 * MINUTE, rebooting([atMinute(20.5)]));
    assert.deepEqual(
      rebootsTold(watch),
      [
        ['open', 'low', undefined],
        ['resolved', 'low', undefined],
      ],
      name,
    );
  }
});

test('a reboot after the window is not covered by the one in it, which does not count with it', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [ofVersion] });
  watch.live(50 * MINUTE, showing({}));
  watch.live(60 * MINUTE, flashed(62.5, 66.5, 200, 200));
  assert.deepEqual(rebootsTold(watch).slice(0, 2), [
    ['open', 'info', 30],
    ['open', 'low', undefined],
  ]);
  assert.deepEqual(rebootsTold(watch).at(-1), ['resolved', 'low', undefined]);
});

test('a device that goes on starting anew under a plan is found: low at the third time within an hour, medium at the fifth', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [ofVersion] });
  watch.live(50 * MINUTE, rebooting([20.5, 22.5, 24.5, 26.5, 28.5].map(atMinute)));
  assert.deepEqual(
    rebootsTold(watch).filter(([state]) => state === 'open'),
    [
      ['open', 'info', 30],
      ['open', 'low', undefined],
      ['open', 'medium', undefined],
    ],
  );
});

/** The plan of a draft that says the version and nothing else. */
const drafted = (ids: readonly string[], ...more: readonly ExpectedValue[]) => {
  const expected_after = withUnforeseen([...version('2026.06.1').slice(0, 1), ...more], ids).slice();
  return plan(30, { ids: [...ids], expected_after }, 10, 60);
};

test('a draft that names a version leaves open what the findings of the plan compare beside it, and no more', () => {
  const open = (...draft: Parameters<typeof withUnforeseen>) =>
    withUnforeseen(...draft).flatMap((item) => (item.class === 'volatile' ? [item.fact] : []));
  const only = version('2026.06.1').slice(0, 1);
  assert.deepEqual(open(only, ['firmware.version-changed']), ['firmware.build']);
  assert.deepEqual(open(only, ['firmware.*']), ['firmware.build', 'firmware.components', 'firmware.medium']);
  assert.deepEqual(open(only), ['firmware.build', 'firmware.components', 'firmware.medium'], 'whatever it will name');
  assert.deepEqual(open(only, ['firmware.boot-medium-changed']), ['firmware.build', 'firmware.medium']);
  const built: ExpectedValue = { fact: 'firmware.build', class: 'exact', value: 'b' };
  assert.deepEqual(open([...only, built], ['firmware.version-changed']), [], 'what is said is held to');
  assert.deepEqual(open([built], ['firmware.version-changed']), [], 'without a version nothing explains another build');
  assert.deepEqual(open(only, ['config.drift']), ['firmware.kernel'], 'which documents may state');
  assert.deepEqual(open(only, ['config.performance-changed']), []);
});

test('a roll-out to the planned version brings a build that nobody foresaw; a build that was said is held to, and named', () => {
  const seen = (planned: ReturnType<typeof plan>, answer = updated) => {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [planned] });
    watch.live(20 * MINUTE, showing({}));
    watch.live(30 * MINUTE, answer);
    return watch.statements.map(({ ruleId, severity, reasons }) => [ruleId, severity, reasons]);
  };
  const ids = ['firmware.version-changed'];
  assert.deepEqual(seen(drafted(ids)), [['firmware.version-changed', 'info', undefined]]);
  assert.deepEqual(seen(drafted(ids, { fact: 'firmware.build', class: 'exact', value: 'b' })), [
    ['firmware.version-changed', 'high', undefined],
    ['change.deviation', 'high', ['firmware.version-changed', 'firmware.build']],
  ]);
  const other = showing({ 'firmware.version': '2026.06.2', 'firmware.build': 'Mon Jun 1 10:00:00 CST 2026' });
  assert.deepEqual(seen(drafted(ids), other), [
    ['firmware.version-changed', 'high', undefined],
    ['change.deviation', 'high', ['firmware.version-changed', 'firmware.version']],
  ]);
});

test('a device that tells no version is not free to show any build because a plan names a version', () => {
  const { 'firmware.version': _, ...mute } = honest(T0);
  const watch = new Watch();
  watch.live(5 * MINUTE, () => ({ facts: mute }));
  watch.clear();
  watch.context = under(() => watch.nowMs, { plans: [drafted(['firmware.version-changed'])] });
  watch.live(20 * MINUTE, () => ({ facts: mute }));
  watch.live(30 * MINUTE, () => ({ facts: { ...mute, 'firmware.build': 'Mon Jun 1 10:00:00 CST 2026' } }));
  assert.deepEqual(watch.said(), ['firmware.version-changed open', 'change.deviation open']);
  assert.deepEqual(watch.statements[1]?.reasons, ['firmware.version-changed', 'firmware.build']);
});

/** A device with two partitions, of which an update writes the one that does not run. */
const onSlot = (medium: string, version = '2026.03.1') =>
  showing({ 'firmware.version': version, 'firmware.medium': medium });

/** A commissioned device that ran from the first partition, under such plans. */
const twoSlots = (...plans: readonly ReturnType<typeof plan>[]): Watch => {
  const watch = new Watch();
  watch.live(5 * MINUTE, onSlot('ota_1'));
  const { reference: learned } = watch.state;
  assert.ok(learned !== undefined);
  watch.state = { ...watch.state, reference: { ...learned, entries: [{ seq: 1, approval: 'local' }] } };
  watch.clear();
  watch.context = under(() => watch.nowMs, { plans });
  return watch.live(15 * MINUTE, onSlot('ota_1'));
};

const told = (watch: Watch) =>
  watch.statements.map(({ ruleId, severity, plan: by }) => `${ruleId} ${severity} ${by ?? '-'}`).sort();

const NEXT = '2026.06.1';

test('a planned version brings the other partition of the device with it, whether or not the plan names that', () => {
  const ids = ['firmware.version-changed', 'firmware.fingerprint-changed'];
  const blanket = plan(30, { ids }, 10, 60);
  const byHand = plan(30, { ids: ['firmware.*'], expected_after: version(NEXT) }, 10, 60);
  for (const planned of [drafted(ids), drafted([...ids, 'firmware.boot-medium-changed']), byHand, blanket]) {
    const watch = twoSlots(planned).live(30 * MINUTE, onSlot('ota_0', NEXT));
    const covered = ['firmware.boot-medium-changed info 30', 'firmware.version-changed info 30'];
    assert.deepEqual(told(watch), covered);
    watch.live(2 * HOUR, onSlot('ota_0', NEXT));
    assert.deepEqual(told(watch), covered, 'also after the window');
  }
});

test('another version than the planned one does not bring the other partition', () => {
  const watch = twoSlots(drafted(['firmware.version-changed'])).live(30 * MINUTE, onSlot('ota_0', '2026.06.2'));
  assert.deepEqual(told(watch), [
    'change.deviation high -',
    'firmware.boot-medium-changed medium -',
    'firmware.version-changed high -',
  ]);
});

test('a partition that changes without the version is told, before a roll-out, after it and beside it', () => {
  const both = ['firmware.version-changed', 'firmware.boot-medium-changed'];
  const before = twoSlots(drafted(['firmware.version-changed'])).live(15 * MINUTE, onSlot('ota_0'));
  assert.deepEqual(told(before), ['firmware.boot-medium-changed high -']);
  before.clear();
  before.live(15 * MINUTE, onSlot('ota_0', NEXT));
  assert.deepEqual(told(before), ['firmware.version-changed info 30'], 'an update explains no earlier change');
  const named = twoSlots(drafted(both)).live(15 * MINUTE, onSlot('ota_0'));
  assert.deepEqual(told(named), ['change.deviation high -', 'firmware.boot-medium-changed high -']);
  const late = twoSlots(drafted(['firmware.version-changed'])).live(90 * MINUTE, onSlot('ota_1', NEXT));
  late.clear();
  late.live(30 * MINUTE, onSlot('ota_0', NEXT));
  assert.deepEqual(told(late), ['firmware.boot-medium-changed high -']);
  assert.deepEqual(late.statements[0]?.reasons, ['same-version']);
});

test('once the new version is approved, another partition under it is told, also while the plan is open', () => {
  for (const ids of [['firmware.version-changed'], ['firmware.version-changed', 'firmware.boot-medium-changed']]) {
    const watch = twoSlots(drafted(ids)).live(15 * MINUTE, onSlot('ota_0', NEXT));
    const { reference: former } = watch.state;
    assert.ok(former !== undefined);
    const facts = keepFacts(onSlot('ota_0', NEXT)(watch.nowMs).facts);
    watch.state = { ...watch.state, reference: { ...former, facts } };
    watch.live(5 * MINUTE, onSlot('ota_0', NEXT));
    watch.clear();
    watch.live(20 * MINUTE, onSlot('ota_1', NEXT));
    assert.ok(told(watch).includes('firmware.boot-medium-changed high -'), told(watch).join());
  }
});

/** Somebody accepts what the device shows. */
const accepted = (watch: Watch): Watch => {
  const { state, transitions } = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 50 });
  assert.ok(transitions.length > 0);
  watch.state = state;
  watch.clear();
  return watch;
};

const built = (build: string, libs = 'b2') =>
  showing({
    'firmware.version': NEXT,
    'firmware.build': build,
    'firmware.components': [
      { name: 'compile_time', value: build },
      { name: 'libs', value: libs },
    ],
  });

const MONDAY = 'Mon Jun 1 10:00:00 CST 2026';
const LATER = 'Mon Jun 1 10:00:09 CST 2026';

test('once the planned version is approved its plan covers no other build of it, and no other part', () => {
  const ids = ['firmware.version-changed', 'firmware.fingerprint-changed'];
  const updatedOnce = (): Watch => {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [drafted(ids)] });
    watch.live(15 * MINUTE, showing({}));
    watch.live(5 * MINUTE, built(MONDAY));
    assert.deepEqual(told(watch), ['firmware.version-changed info 30']);
    return accepted(watch).live(5 * MINUTE, built(MONDAY));
  };
  const rebuilt = updatedOnce().live(20 * MINUTE, built(LATER));
  assert.deepEqual(told(rebuilt), ['change.deviation high -', 'firmware.version-changed high -']);
  const patched = updatedOnce().live(30 * MINUTE, built(MONDAY, 'c3'));
  assert.deepEqual(told(patched), ['change.deviation high -', 'firmware.fingerprint-changed high -']);
  const again = updatedOnce().live(20 * MINUTE, built(MONDAY));
  assert.deepEqual(told(again), []);
});

test('a document that allows the planned version beforehand does not keep its plan from bringing the build', () => {
  const watch = Watch.commissioned();
  const both: ExpectedValue = { fact: 'firmware.version', class: 'set', value: ['2026.03.1', NEXT] };
  const plans = [drafted(['firmware.version-changed'])];
  watch.context = under(() => watch.nowMs, { plans, references: [reference(7, [both])] });
  watch.live(15 * MINUTE, showing({}));
  watch.live(10 * MINUTE, built(MONDAY));
  assert.deepEqual(told(watch), ['firmware.version-changed info 30']);
  const held: ExpectedValue = { fact: 'firmware.build', class: 'exact', value: MONDAY };
  watch.context = under(() => watch.nowMs, { plans, references: [reference(7, [both, held])] });
  watch.live(10 * MINUTE, built(MONDAY));
  watch.clear();
  watch.live(20 * MINUTE, built(LATER));
  assert.deepEqual(told(watch), ['change.deviation high -', 'firmware.version-changed high -']);
});

/** A miner with two partitions whose pools are told by the reply that names the partition, and not by those that name the version. */
const bitaxe = (medium: string, running: string): Shown => ({
  edits: [
    [/("isUsingFallbackStratum":\s*)1/g, '$1 0'],
    ['"ota_0"', `"${medium}"`],
    ['"v2.12.2"', `"${running}"`],
  ],
});

const bitaxeUnder = (ids: readonly string[]): SpecimenLife => {
  const life = new SpecimenLife(axeos, 'axeos/gamma-2.12');
  const { watch } = life;
  life.settle(bitaxe('ota_0', 'v2.12.2'));
  const named: ExpectedValue[] = [{ fact: 'firmware.version', class: 'exact', value: 'v2.13.0' }];
  const expected_after = withUnforeseen(named, ids).slice();
  watch.context = under(() => watch.nowMs, { plans: [plan(30, { ids: [...ids], expected_after }, 45, 160)] });
  life.live(10, bitaxe('ota_0', 'v2.12.2'));
  watch.clear();
  return life;
};

test('firmware.boot-medium-changed: a look that tells the partition alone does not say that the version is the same', () => {
  const life = bitaxeUnder(['firmware.version-changed']);
  life.live(15, bitaxe('ota_1', 'v2.13.0'));
  assert.deepEqual(told(life.watch), ['firmware.boot-medium-changed info 30', 'firmware.version-changed info 30']);
  life.live(15, bitaxe('ota_1', 'v2.13.0'));
  assert.equal(life.watch.statements.length, 2);
  const other = bitaxeUnder(['firmware.version-changed']);
  other.live(30, bitaxe('ota_1', 'v2.99.0'));
  assert.deepEqual(told(other.watch), [
    'change.deviation high -',
    'firmware.boot-medium-changed medium -',
    'firmware.version-changed medium -',
  ]);
  const same = bitaxeUnder(['firmware.version-changed']);
  same.live(30, bitaxe('ota_1', 'v2.12.2'));
  assert.deepEqual(told(same.watch), ['firmware.boot-medium-changed high -']);
});

test('firmware.boot-medium-changed: after a roll-out another partition than the one that came is high, also where looks between tell it alone', () => {
  const life = bitaxeUnder(['firmware.version-changed']);
  life.live(150, bitaxe('ota_1', 'v2.13.0'));
  assert.deepEqual(told(life.watch), ['firmware.boot-medium-changed info 30', 'firmware.version-changed info 30']);
  life.watch.clear();
  life.live(60, bitaxe('factory', 'v2.13.0'));
  assert.deepEqual(told(life.watch), ['firmware.boot-medium-changed high -']);
  const [slot] = life.watch.statements;
  assert.deepEqual([slot?.before, slot?.after, slot?.reasons], ['ota_1', 'factory', ['same-version']]);
  assert.equal(wantsMorePeople(life.watch.state), true);
});

test('the planned version that comes after another one, from another partition, is as planned, and one person may accept it', () => {
  for (const medium of ['ota_1', 'ota_0']) {
    const life = bitaxeUnder(['firmware.version-changed']);
    life.live(30, bitaxe('ota_1', 'v2.99.0'));
    assert.equal(wantsMorePeople(life.watch.state), true);
    life.live(30, bitaxe(medium, 'v2.13.0'));
    const { state } = life.watch;
    assert.ok(state.tracks.length > 0);
    assert.deepEqual(
      state.tracks.filter(({ finding }) => finding.plan !== 30),
      [],
    );
    assert.equal(wantsMorePeople(state), false);
  }
});

test('under one plan the planned version, and then another one in its window, is a deviation from it', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout()] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(15 * MINUTE, updated);
  watch.clear();
  watch.live(15 * MINUTE, showing({ 'firmware.version': '2026.09.9', 'firmware.build': 'x' }));
  assert.deepEqual(watch.said(), ['firmware.version-changed open', 'change.deviation open']);
});

test('a plan does not hide a version between the old one and the planned one', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout('2026.09.9')] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(30 * MINUTE, updated);
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity, part }) => [ruleId, severity, part]),
    [
      ['firmware.version-changed', 'high', undefined],
      ['change.deviation', 'high', 'plan-30 firmware.version-changed'],
    ],
  );
});

test('the planned change that comes after the window is found with its weight, and told as late', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout()] });
  watch.live(90 * MINUTE, showing({}));
  watch.live(30 * MINUTE, updated);
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity }) => [ruleId, severity]),
    [
      ['firmware.version-changed', 'high'],
      ['change.window-overrun', 'low'],
    ],
  );
});

test('a repair under a plan covers the boards that changed while the device was dark, and nothing else', () => {
  const boards = { 'identity.hashboards': ['HB1002003001', 'HB1002003002', 'HB1002009999'] };
  const repair = plan(
    30,
    {
      ids: ['identity.hashboard-changed', 'visibility.changed-while-dark'],
      expected_after: [{ fact: 'identity.hashboards', class: 'volatile' }],
    },
    10,
    240,
  );
  const repaired = (changes: Facts) => {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [repair] });
    watch.live(20 * MINUTE, showing({}));
    watch.live(30 * MINUTE, () => undefined);
    watch.clear();
    watch.live(60 * MINUTE, showing({ ...boards, ...changes }));
    return new Map(watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, [severity, by]]));
  };
  const good = repaired({});
  assert.deepEqual(good.get('visibility.changed-while-dark'), ['info', 30]);
  assert.deepEqual(good.get('identity.hashboard-changed'), ['info', 30]);
  assert.equal(good.has('change.deviation'), false);
  const stolen = repaired(pools({ user: 'thief.x' }));
  assert.deepEqual(stolen.get('visibility.changed-while-dark'), ['critical', undefined]);
  assert.deepEqual(stolen.get('pool.user-changed'), ['critical', undefined]);
});

test('a plan without an after-state covers what it may, and never the pool user', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [plan(30, { ids: ['pool.*', 'config.*'] }, 10, 120)] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(30 * MINUTE, showing({ ...pools({ user: 'mallory.rig0417' }), 'config.power_limit_w': 3400 }));
  assert.deepEqual(watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]).sort(), [
    ['config.performance-changed', 'info', 30],
    ['pool.user-changed', 'critical', undefined],
  ]);
});

test('a waived finding is info and waived in the log; when the waiver ends it counts again', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { waivers: [waiver(40, ['config.performance-changed'], 60)] });
  watch.live(20 * MINUTE, showing({ 'config.power_limit_w': 4500 }));
  const [waived] = watch.statements;
  assert.deepEqual(
    [waived?.state, waived?.severity, waived?.severityBase, waived?.waiver],
    ['waived', 'info', 'high', 40],
  );
  watch.clear();
  watch.live(60 * MINUTE, showing({ 'config.power_limit_w': 4500 }));
  assert.deepEqual(
    watch.statements.map(({ state, severity, waiver: by }) => [state, severity, by]),
    [['open', 'high', undefined]],
  );
  assert.ok(watch.nowMs > T0 + 60 * MINUTE);
});

test('what a plan covers is waived as long as a waiver is in force, and open under the plan when that is closed', () => {
  const watch = Watch.commissioned();
  const plans = [rollout()];
  watch.context = under(() => watch.nowMs, { plans, waivers: [waiver(40, ['firmware.version-changed'], 600)] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(20 * MINUTE, updated);
  watch.context = under(() => watch.nowMs, { plans });
  watch.live(20 * MINUTE, updated);
  assert.deepEqual(
    watch.statements.map(({ state, severity, plan: by, waiver: waived }) => [state, severity, by, waived]),
    [
      ['waived', 'info', 30, 40],
      ['open', 'info', 30, undefined],
    ],
  );
});

test('who acknowledged a finding did not waive it', () => {
  const watch = Watch.commissioned();
  const over = showing({ 'config.power_limit_w': 4500 });
  watch.live(20 * MINUTE, over);
  const tracks = watch.state.tracks.map((track) => ({
    ...track,
    finding: { ...track.finding, state: 'acknowledged' as const, by: 'ada' },
  }));
  watch.state = { ...watch.state, tracks };
  watch.context = under(() => watch.nowMs, { waivers: [waiver(40, ['config.performance-changed'], 60)] });
  watch.clear();
  watch.live(20 * MINUTE, over);
  assert.deepEqual(
    watch.statements.map(({ state, waiver: by, by: who }) => [state, by, who]),
    [['waived', 40, undefined]],
  );
});

test('a waiver does not hide a finding of another kind', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { waivers: [waiver(40, ['config.*'], 600)] });
  watch.live(20 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(
    watch.statements.map(({ ruleId, state, severity }) => [ruleId, state, severity]),
    [['pool.user-changed', 'open', 'critical']],
  );
});

test('a plan that comes after the change covers nothing, and what stood before is no deviation from it', () => {
  const watch = Watch.commissioned();
  watch.live(20 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
  watch.clear();
  const thieves: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['mallory.*', 'acme.*'] };
  const after = plan(30, { ids: ['pool.*'], expected_after: [thieves] }, -120, 120);
  watch.context = under(() => watch.nowMs, { plans: [{ ...after, adoptedAt: watch.nowMs / 1000 }] });
  watch.live(20 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(watch.said(), []);
  const repair = plan(31, {
    ids: ['pool.*'],
    expected_after: [{ fact: 'pools.user', class: 'exact', value: 'acme.rig0417' }],
  });
  watch.context = under(() => watch.nowMs, { plans: [{ ...repair, adoptedAt: watch.nowMs / 1000 }] });
  watch.live(20 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  assert.deepEqual(watch.said(), []);
});

test('a plan that leaves a fact open in substance covers no more than one without an after-state', () => {
  const open: readonly ExpectedValue[] = [
    { fact: 'pools.user', class: 'volatile' },
    { fact: 'pools.user', class: 'template', value: '*.{serial}' },
  ];
  for (const item of open) {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans: [plan(30, { ids: ['pool.*'], expected_after: [item] })] });
    watch.live(20 * MINUTE, showing({}));
    watch.live(20 * MINUTE, showing(pools({ user: 'mallory.JYZZ12345678' })));
    assert.deepEqual(
      watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]),
      [['pool.user-changed', 'critical', undefined]],
      JSON.stringify(item),
    );
  }
});

test('a plan that expects a field of the device covers no other text while the look does not tell that fact', () => {
  for (const reason of ['absent', 'timeout'] as const) {
    const watch = Watch.commissioned();
    const worker: ExpectedValue = { fact: 'pools.user', class: 'template', value: 'acme.{mac}' };
    watch.context = under(() => watch.nowMs, { plans: [plan(30, { ids: ['pool.*'], expected_after: [worker] })] });
    const named = (user: string) => (nowMs: number) => ({
      ...showing(pools({ user }, { user }, { user }))(nowMs),
      gaps: { 'identity.mac': reason },
    });
    watch.live(20 * MINUTE, named('acme.021a2b3c4d5e'));
    assert.deepEqual([...new Set(watch.opened('pool.user-changed').map(({ plan: by }) => by))], [30]);
    watch.clear();
    watch.live(20 * MINUTE, named('acme.mallory'));
    const covered = watch.opened('pool.user-changed').map(({ plan: by }) => by);
    assert.deepEqual(covered, [undefined, undefined, undefined], `${reason}: ${JSON.stringify(watch.said())}`);
  }
});

test('what a plan expects until a time it expects no more after it: the change then is another one than planned', () => {
  const changed = (untilMinutes: number): readonly unknown[] => {
    const watch = Watch.commissioned();
    const ending: ExpectedValue = {
      fact: 'config.power_limit_w',
      class: 'exact',
      value: 3400,
      until_at: T0 / 1000 + untilMinutes * 60,
    };
    const planned = plan(30, { ids: ['config.performance-changed'], expected_after: [ending] });
    watch.context = under(() => watch.nowMs, { plans: [planned] });
    watch.live(40 * MINUTE, showing({}));
    watch.live(20 * MINUTE, showing({ 'config.power_limit_w': 3400 }));
    return watch.statements.map(({ ruleId, plan: by }) => [ruleId, by]);
  };
  assert.deepEqual(changed(110), [['config.performance-changed', 30]]);
  assert.deepEqual(changed(20), [
    ['config.performance-changed', undefined],
    ['change.deviation', undefined],
  ]);
});

test('what a plan expects for a while is found when it shows a quarter of an hour after the later of that and the window', () => {
  const account = (untilMinutes?: number): readonly ExpectedValue[] => [
    {
      fact: 'pools.user',
      class: 'exact',
      value: 'guest.rig0417',
      ...(untilMinutes === undefined ? {} : { until_at: T0 / 1000 + untilMinutes * 60 }),
    },
  ];
  const shown = showing(pools({ user: 'guest.rig0417' }, { user: 'guest.rig0417' }, { user: 'guest.rig0417' }));
  const under60 = (values: readonly ExpectedValue[], minutes: number): Watch => {
    const watch = Watch.commissioned();
    const planned = plan(30, { ids: ['pool.user-changed'], expected_after: [...values] }, 10, 60);
    watch.context = under(() => watch.nowMs, { plans: [planned] });
    watch.live(20 * MINUTE, showing({}));
    watch.live((minutes - 20) * MINUTE, shown);
    return watch;
  };
  const weights = (watch: Watch): readonly unknown[] => [
    ...new Set(watch.state.tracks.map(({ finding }) => `${finding.ruleId} ${finding.severity}`)),
  ];
  const reported = (watch: Watch, values: readonly ExpectedValue[]): string =>
    fateOf(plan(30, { ids: ['pool.user-changed'], expected_after: [...values] }, 10, 60), watch.state, {
      matched: new Set(['rig']),
      standing: NOTHING_STANDING,
      nowMs: watch.nowMs,
      isReported: true,
    });
  assert.equal(reported(under60(account(30), 70), account(30)), 'matched');
  assert.equal(reported(under60(account(30), 90), account(30)), 'incomplete', 'it was not put back');
  const covered = ['pool.user-changed info'];
  const found = ['pool.user-changed critical', 'change.window-overrun low'];
  assert.deepEqual(weights(under60(account(30), 70)), covered);
  assert.deepEqual(weights(under60(account(30), 90)), found);
  assert.deepEqual(weights(under60(account(40 * 60), 30 * 60)), covered, 'long after the window, and before its end');
  assert.deepEqual(weights(under60(account(40 * 60), 41 * 60)), found);
  assert.deepEqual(weights(under60(account(), 90)), covered, 'for good');
  assert.deepEqual(
    weights(under60([...account(30), ...account()], 90)),
    covered,
    'another value beside it holds for good',
  );
});

test('a plan that speaks of other facts hides no pool that is on no list', () => {
  const allow = [{ url: 'stratum+tcp://*.pool.example', user: 'acme.*' }];
  const watch = Watch.commissioned({ allow });
  const wide = plan(
    30,
    { ids: ['firmware.*', 'pool.outside-allowlist'], expected_after: version('2026.03.1') },
    0,
    120,
  );
  watch.context = { allow, ...under(() => watch.nowMs, { plans: [wide] }) };
  watch.live(20 * MINUTE, showing(pools({ url: 'stratum+tcp://evil.example:3333' })));
  const outside = watch.opened('pool.outside-allowlist');
  assert.ok(outside.length > 0 && outside.every(({ severity, plan: by }) => severity === 'high' && by === undefined));
});

test('what is compared no longer, or configured no longer, ends by itself', () => {
  const allow = [{ url: 'stratum+tcp://elsewhere.example' }];
  const watch = Watch.commissioned({ allow });
  watch.live(20 * MINUTE, showing({ 'network.gateway': '10.20.14.99' }));
  const open = () => new Set(watch.state.tracks.map(({ finding }) => finding.ruleId));
  assert.deepEqual(open(), new Set(['pool.outside-allowlist', 'config.network-changed']));
  watch.clear();
  const free = (['network.hostname', 'network.dhcp', 'network.gateway', 'network.dns'] as const).map((fact) => ({
    fact,
    class: 'volatile' as const,
  }));
  watch.context = under(() => watch.nowMs, { references: [reference(7, free)] });
  watch.live(60 * MINUTE, showing({ 'network.gateway': '10.20.14.99' }));
  assert.ok(watch.said().every((said) => said.endsWith(' resolved')));
  assert.deepEqual(
    new Set(watch.statements.map(({ ruleId }) => ruleId)),
    new Set(['pool.outside-allowlist', 'config.network-changed']),
  );
  assert.deepEqual(open(), new Set());
  assert.ok(!JSON.stringify(watch.attestations.at(-1)?.checks.passed).includes('config.network-changed'));
});

const DAY = 24 * HOUR;
const outForRepair = (ids: readonly string[], days: number) =>
  plan(30, { ids: [...ids], expected_after: [{ fact: 'identity.hashboards', class: 'volatile' }] }, 10, days * 24 * 60);

test('a machine that is out for repair under a plan is dark and missing as info, and with its weight without the plan', () => {
  const gone = (...plans: ReturnType<typeof plan>[]): readonly unknown[] => {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { plans });
    watch.live(20 * MINUTE, showing({}));
    watch.live(30 * HOUR, () => undefined);
    return watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]);
  };
  const both = ['visibility.device-dark', 'identity.device-missing'];
  assert.deepEqual(gone(outForRepair(both, 3)), [
    ['visibility.device-dark', 'info', 30],
    ['identity.device-missing', 'info', 30],
  ]);
  const uncovered = [
    ['visibility.device-dark', 'low', undefined],
    ['identity.device-missing', 'medium', undefined],
  ];
  assert.deepEqual(gone(), uncovered);
  assert.deepEqual(gone(outForRepair(['config.*'], 3)), uncovered, 'it names others');
  const { expected_after: _, ...without } = outForRepair(both, 3).terms;
  assert.deepEqual(gone({ ...outForRepair(both, 3), terms: without }), uncovered, 'it does not say what comes of it');
  assert.deepEqual(gone(outForRepair(both, 1)).slice(1), [
    ['identity.device-missing', 'medium', undefined],
    ['change.window-overrun', 'low', undefined],
  ]);
});

test('a plan that is closed while the device is dark covers its silence no longer', () => {
  const watch = Watch.commissioned();
  const both = ['visibility.device-dark', 'identity.device-missing'];
  watch.context = under(() => watch.nowMs, { plans: [outForRepair(both, 3)] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(30 * HOUR, () => undefined);
  watch.clear();
  // As the batch does it when a person closes the plan.
  const tracks = watch.state.tracks.map(({ finding: { plan: _, ...finding }, ...track }) => ({ ...track, finding }));
  watch.state = { ...watch.state, tracks };
  watch.context = {};
  watch.live(HOUR, () => undefined);
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity, plan: by }) => [ruleId, severity, by]),
    [
      ['visibility.device-dark', 'low', undefined],
      ['identity.device-missing', 'medium', undefined],
    ],
  );
  assert.equal(watch.attestations.length, 1);
});

test('what differs from a plan stays open while the device is dark, and where a look does not show it', () => {
  const watch = Watch.commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout('2026.05.0')] });
  watch.live(20 * MINUTE, showing({}));
  watch.live(30 * MINUTE, updated);
  watch.clear();
  watch.live(DAY, () => undefined);
  const cut = { 'firmware.version': 'timeout', 'firmware.build': 'timeout', 'firmware.components': 'timeout' } as const;
  watch.live(2 * HOUR, (nowMs) => ({ ...updated(nowMs), gaps: cut }));
  assert.deepEqual(
    watch.said().filter((said) => said.startsWith('change.')),
    [],
  );
});

// ---- facts that change by themselves

const FREQ = 'config.freq_mhz';
const freq = (value: number): ExpectedValue => ({ fact: FREQ, class: 'exact', value });
const freqBand = (min: number, max: number): ExpectedValue => ({ fact: FREQ, class: 'band', value: { min, max } });

/** What becomes of a device at 500 MHz under a plan with these values, where a document says this and it then shows these. */
const fateUnder = (
  expected_after: ExpectedValue[],
  values: readonly ExpectedValue[],
  shown: Facts,
  terms: Partial<Plan> = {},
): string => {
  const watch = Watch.commissioned();
  const planned = plan(30, { ids: ['config.drift'], expected_after, ...terms }, 0, 60);
  const references = values.length === 0 ? [] : [reference(7, values)];
  watch.context = under(() => watch.nowMs, { plans: [planned], references });
  watch.live(10 * MINUTE, showing({ [FREQ]: 500 }));
  watch.live(HOUR, showing({ [FREQ]: 500, ...shown }));
  const covered = watch.statements.some(({ plan: by }) => by === 30);
  const standing = standingOf({ references, plans: [planned], waivers: [] });
  const matched = new Set(covered ? ['rig'] : []);
  return fateOf(planned, watch.state, { matched, standing, nowMs: watch.nowMs });
};

const fateOf = (
  planned: ReturnType<typeof plan>,
  state: DeviceState,
  ground: Pick<PlanGround, 'matched' | 'standing' | 'nowMs'> & Partial<PlanGround>,
): string =>
  Object.entries(reportPlan(planned, [state], { deviated: new Set(), isReported: false, ...ground }))
    .flatMap(([fate, devices]) => (devices.length > 0 ? [fate] : []))
    .join();

test('of a change that people approved beside a plan which leaves it open nothing tells whether it was the planned one', () => {
  const watch = Watch.commissioned();
  const values: readonly ExpectedValue[] = [{ fact: 'identity.hashboards', class: 'volatile' }];
  const planned = plan(930, { ids: ['identity.hashboard-changed'], expected_after: [...values] }, 0, 60);
  const ground = () => ({ matched: new Set<string>(), standing: NOTHING_STANDING, nowMs: watch.nowMs });
  watch.live(10 * MINUTE, showing({}));
  watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 900 }).state;
  assert.equal(fateOf(planned, watch.state, ground()), 'unchanged', 'it was approved before the plan');
  watch.live(10 * MINUTE, showing({}));
  watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 950 }).state;
  assert.equal(fateOf(planned, watch.state, ground()), 'unjudged');
});

test('a plan for a frequency is not judged where no document holds that: neither as done nor as left undone', () => {
  for (const type of ['change', 'curtailment'] as const)
    for (const shown of [{ [FREQ]: 400 }, {}])
      assert.equal(fateUnder([freq(400)], [], shown, { type }), 'unjudged', `${type} ${JSON.stringify(shown)}`);
  assert.equal(fateUnder([{ fact: FREQ, class: 'volatile' }], [], {}), 'unjudged');
  assert.equal(fateUnder([{ fact: 'telemetry.power_w', class: 'band', value: { max: 900 } }], [], {}), 'unjudged');
  const held: ExpectedValue = { fact: 'telemetry.power_w', class: 'band', value: { max: 4000 } };
  assert.equal(fateUnder([{ ...held, value: { max: 900 } }], [held], {}), 'unjudged', 'no rule compares it');
});

test('where a document holds the frequency the plan for another one is judged, unless that was allowed before', () => {
  for (const held of [freq(500), freqBand(480, 520)]) {
    assert.equal(fateUnder([freq(400)], [held], { [FREQ]: 400 }), 'matched');
    assert.equal(fateUnder([freq(400)], [held], {}), 'unchanged');
    assert.equal(fateUnder([{ fact: FREQ, class: 'volatile' }], [held], {}), 'unchanged');
    assert.equal(fateUnder([freq(400)], [held], { [FREQ]: 450 }), 'wrong');
  }
  const wide = freqBand(300, 600);
  for (const expected of [freq(400), freqBand(350, 420), freqBand(200, 700)])
    assert.equal(fateUnder([expected], [wide], { [FREQ]: 400 }), 'unjudged');
  assert.equal(fateUnder([freqBand(200, 250)], [wide], {}), 'unchanged');
});

test('a plan for a frequency and for what is compared is judged by the latter', () => {
  const mode: ExpectedValue = { fact: 'config.power_limit_w', class: 'exact', value: 2600 };
  const ids = ['config.drift', 'config.performance-changed'];
  assert.equal(fateUnder([freq(400), mode], [], { 'config.power_limit_w': 2600 }, { ids }), 'matched');
  assert.equal(fateUnder([freq(400), mode], [], { [FREQ]: 400 }, { ids }), 'unchanged');
});
