import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, adoptedWith, wantsMorePeople } from '../../agent/appraise/accept.ts';
import { type DeviceState, newDevice, readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { withFormer } from '../../agent/appraise/former.ts';
import { promote, settledBy, withSignedEntry } from '../../agent/appraise/promote.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { NOTHING_STANDING, standingOf } from '../../agent/baseline/standing.ts';
import type { FactName, Facts, FirmwareComponent } from '../../shared/facts.ts';
import type { ExpectedValue } from '../../shared/terms.ts';
import { plan, reference, under, waiver } from './standing.ts';
import { ADDRESS, HOUR, honest, MINUTE, showing, Watch } from './watch.ts';

/** Parts of the firmware are held against those first seen with the version that the device shows (catalogue 5.2). */

const PARTS = 'firmware.components';

const parts = (values: { readonly [name: string]: string }): readonly FirmwareComponent[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

const OLD = { compile_time: 'march', idf: 'v5.5', 'keys.summary': 'a1', 'asset./': 'page-1' };
const NEW = { compile_time: 'june', idf: 'v5.5', 'keys.summary': 'a2', 'asset./': 'page-2' };
const EVIL = { ...NEW, idf: 'v5.5-evil2' };

/** The device as it answers with this version and these parts. */
const running = (version: string, values: { readonly [name: string]: string }) =>
  showing({ 'firmware.version': version, [PARTS]: parts(values) } as Facts);

const before = running('2026.03.1', OLD);
const [updated, swapped] = [running('2026.06.1', NEW), running('2026.06.1', EVIL)];

/** A device that people accepted with the old version, under a plan for the new one: from the 10th minute to the 60th. */
const commissioned = (): Watch => {
  const watch = new Watch();
  watch.live(5 * MINUTE, before);
  const { reference: learned } = watch.state;
  if (learned === undefined) throw new Error('nothing was learned');
  watch.state = { ...watch.state, reference: { ...learned, entries: [{ seq: 1, approval: 'local' }] } };
  watch.clear();
  return watch;
};

const rollout = plan(
  30,
  {
    ids: ['firmware.version-changed', 'firmware.fingerprint-changed'],
    expected_after: [
      { fact: 'firmware.version', class: 'exact', value: '2026.06.1' },
      { fact: PARTS, class: 'volatile' },
    ],
  },
  10,
  60,
);

const planned = (): Watch => {
  const watch = commissioned();
  watch.context = under(() => watch.nowMs, { plans: [rollout] });
  watch.live(10 * MINUTE, before);
  return watch;
};

const told = (watch: Watch) => watch.statements.map(({ ruleId, state, severity }) => `${ruleId} ${state} ${severity}`);

const person = (watch: Watch) => ({ by: 'carol', nowMs: watch.nowMs, seq: 900 });

const HIGH = 'firmware.fingerprint-changed open high';

test('firmware.fingerprint-changed: what is swapped under the planned version after the roll-out is high, whatever the plan said', () => {
  const watch = planned();
  watch.live(5 * HOUR, updated);
  assert.deepEqual(told(watch), ['firmware.version-changed open info']);
  watch.clear();
  assert.equal(wantsMorePeople(watch.state), false, 'what was planned one person may accept');
  watch.live(5 * MINUTE, swapped);
  assert.throws(
    () => accept(watch.state, person(watch)),
    { code: 'baseline.finding-open' },
    'not before it is confirmed',
  );
  watch.live(HOUR, swapped);
  assert.equal(wantsMorePeople(watch.state), true);
  assert.deepEqual(told(watch).slice(0, 1), [HIGH]);
  const [finding] = watch.statements;
  assert.deepEqual(finding?.before, [{ key: 'idf', value: 'v5.5' }]);
  assert.deepEqual(finding?.after, [{ key: 'idf', value: 'v5.5-evil2' }]);
  assert.equal(finding?.plan, undefined);
  watch.clear();
  watch.live(HOUR, updated);
  assert.deepEqual(
    watch.said().slice(0, 1),
    ['firmware.fingerprint-changed resolved'],
    'what came first is seen again',
  );
});

test('firmware.fingerprint-changed: the plan covers what changes once more in its window, and nothing that comes after', () => {
  const watch = planned();
  watch.live(15 * MINUTE, updated);
  watch.clear();
  watch.live(2 * HOUR, running('2026.06.1', { ...NEW, compile_time: 'june, again' }));
  assert.deepEqual(told(watch), ['firmware.fingerprint-changed open info']);
  assert.equal(watch.statements[0]?.plan, 30);
  watch.clear();
  watch.live(2 * HOUR, running('2026.06.1', { ...EVIL, compile_time: 'june, again' }));
  assert.ok(told(watch).includes(HIGH));
});

test('a roll-out brings new parts and key sets, and pages that are read hours later, and is one finding', () => {
  const watch = planned();
  watch.live(4 * HOUR, running('2026.06.1', { ...NEW, 'asset./': 'page-1' }));
  watch.live(4 * HOUR, updated);
  watch.live(4 * HOUR, running('2026.06.1', { ...NEW, 'asset./app.js': 'first read now' }));
  assert.deepEqual(told(watch), ['firmware.version-changed open info']);
  watch.live(HOUR, running('2026.06.1', { ...NEW, 'asset./': 'page-3' }));
  assert.deepEqual(told(watch).slice(1), ['identity.endpoint-changed open medium'], 'a page moves once');
});

test('a page that was read since the version came, and was the former one still, does not move along later', () => {
  const watch = planned();
  const kept = running('2026.06.1', { ...NEW, 'asset./': 'page-1' });
  watch.live(HOUR, kept);
  watch.state.marks.endpoint = { atS: { web: Math.ceil(watch.nowMs / 1000) }, shown: '' };
  watch.live(HOUR, kept);
  watch.clear();
  watch.live(HOUR, updated);
  assert.deepEqual(told(watch), ['identity.endpoint-changed open medium']);
});

test('replies of both firmwares in the middle of an update are not what the new version is held against', () => {
  for (const mixed of [
    [running('2026.03.1', NEW)],
    [running('2026.06.1', OLD)],
    [running('2026.06.1', OLD), running('2026.06.1', { ...NEW, compile_time: OLD.compile_time })],
    [running('2026.06.1', OLD), running('2026.06.1', OLD)],
  ]) {
    const watch = planned();
    for (const answer of mixed) {
      watch.see('full', answer(watch.nowMs).facts);
      watch.nowMs += 10_000;
    }
    watch.live(3 * HOUR, updated);
    const opened = told(watch).filter((one) => one.includes(' open '));
    assert.deepEqual(opened, ['firmware.version-changed open info']);
    watch.live(HOUR, swapped);
    assert.ok(told(watch).includes(HIGH), 'and the swap is told all the same');
  }
});

test('firmware.fingerprint-changed: nor does a version hide a swap that nobody planned, that is waived, or that a document allows', () => {
  const versions: ExpectedValue = { fact: 'firmware.version', class: 'set', value: ['2026.03.1', '2026.06.1'] };
  const cases: readonly (readonly [Parameters<typeof under>[1], readonly string[]])[] = [
    [{}, ['firmware.version-changed open high']],
    [{ waivers: [waiver(40, ['firmware.version-changed'], 6000)] }, ['firmware.version-changed waived info']],
    [{ references: [reference(20, [versions])] }, []],
  ];
  for (const [standing, version] of cases) {
    const watch = commissioned();
    watch.context = under(() => watch.nowMs, standing);
    watch.live(20 * MINUTE, before);
    watch.clear();
    watch.live(3 * HOUR, updated);
    assert.deepEqual(told(watch), version);
    watch.clear();
    watch.live(HOUR, swapped);
    assert.deepEqual(told(watch), [HIGH]);
  }
});

const VERSION: readonly FactName[] = ['firmware.version', 'firmware.build'];

test('who approves a new version approves the parts that came with it: nothing is found of them afterwards', () => {
  const watch = commissioned();
  watch.live(3 * HOUR, updated);
  assert.deepEqual(told(watch), ['firmware.version-changed open high']);
  watch.clear();
  assert.deepEqual(adoptedWith(watch.state, VERSION), [...VERSION, PARTS]);
  const { state, item, transitions } = accept(watch.state, { ...person(watch), facts: VERSION });
  assert.deepEqual(item.facts, [...VERSION, PARTS], 'the entry of the log says so');
  assert.deepEqual(
    transitions.map(({ ruleId }) => ruleId),
    ['firmware.version-changed'],
  );
  assert.equal(state.firstSeen, undefined);
  assert.deepEqual(keptFacts(state.reference?.facts)[PARTS], parts(NEW));
  watch.state = state;
  watch.live(3 * HOUR, updated);
  assert.deepEqual(told(watch), []);
  watch.live(HOUR, swapped);
  assert.deepEqual(told(watch), [HIGH]);
});

test('what differs from the parts that came with a version is not adopted along with it, and is found as long as it shows', () => {
  const watch = commissioned();
  watch.live(3 * HOUR, updated);
  // Lighter than the version, so that this may be approved first.
  watch.live(HOUR, running('2026.06.1', { ...NEW, 'keys.summary': 'a3' }));
  watch.clear();
  assert.deepEqual(adoptedWith(watch.state, VERSION), VERSION);
  watch.state = accept(watch.state, { ...person(watch), facts: VERSION }).state;
  watch.live(3 * HOUR, running('2026.06.1', { ...NEW, 'keys.summary': 'a3' }));
  assert.deepEqual(told(watch), []);
  assert.deepEqual(
    watch.state.tracks.map(({ finding }) => [finding.ruleId, finding.before]),
    [['firmware.fingerprint-changed', [{ key: 'keys.summary', value: 'a2' }]]],
  );
  watch.live(HOUR, running('2026.06.1', { ...EVIL, 'keys.summary': 'a3' }));
  assert.deepEqual(told(watch), [HIGH]);
  const heavy = commissioned();
  heavy.live(3 * HOUR, updated);
  heavy.live(HOUR, swapped);
  assert.throws(() => accept(heavy.state, { ...person(heavy), facts: VERSION }), { code: 'baseline.finding-open' });
  const whole: readonly FactName[] = [PARTS, ...VERSION];
  const { state } = accept(heavy.state, { ...person(heavy), facts: whole });
  assert.deepEqual([state.tracks, state.firstSeen], [[], undefined], 'their own finding is approved');
});

test('a document that states the version approves no parts: those that came with it stay what the device is held to', () => {
  const watch = commissioned();
  watch.live(3 * HOUR, updated);
  const stated = reference(20, [{ fact: 'firmware.version', class: 'exact', value: '2026.06.1' }]);
  const standing = standingOf({ references: [stated], plans: [], waivers: [] });
  const says = { values: ['firmware.version'] } as const;
  const settled = settledBy(watch.state, standing, { nowMs: watch.nowMs, says });
  assert.deepEqual(
    settled.map(({ finding }) => finding.ruleId),
    ['firmware.version-changed'],
  );
  watch.state = promote(watch.state, settled, person(watch)).state;
  watch.context = under(() => watch.nowMs, { references: [stated] });
  watch.clear();
  watch.live(3 * HOUR, updated);
  assert.deepEqual(told(watch), []);
  watch.live(HOUR, swapped);
  assert.deepEqual(told(watch), [HIGH]);
  assert.deepEqual(
    settledBy(watch.state, standing, { nowMs: watch.nowMs, says }),
    [],
    'nor does it end what was found',
  );
  const signed = withSignedEntry(watch.state, 950, honest(watch.nowMs, swapped(watch.nowMs).facts));
  assert.equal(signed.firstSeen, undefined, 'who signs all that shows signs the parts');
});

test('what came with a version is remembered over a restart', () => {
  const watch = planned();
  watch.live(3 * HOUR, updated);
  watch.state = readDevice(writeDevice(watch.state));
  watch.clear();
  watch.live(2 * HOUR, updated);
  assert.deepEqual(told(watch), []);
  watch.live(HOUR, swapped);
  assert.deepEqual(told(watch).slice(0, 1), [HIGH]);
});

test('a version that tells its build no more is known by the rest, and asked no oftener than others', () => {
  const watch = planned();
  const untold = (answer: typeof updated) => (nowMs: number) => {
    const { 'firmware.build': _, ...facts } = answer(nowMs).facts;
    return { facts, gaps: { 'firmware.build': 'absent' } } as const;
  };
  watch.live(HOUR, untold(updated));
  const { looks } = watch;
  watch.live(2 * HOUR, untold(updated));
  assert.equal(watch.looks - looks, 120);
  watch.clear();
  watch.live(HOUR, untold(swapped));
  assert.deepEqual(told(watch).slice(0, 1), [HIGH]);
});

test('a device that is renamed, or whose clock is set back, is held to what came with its version all the same', () => {
  const watch = planned();
  watch.live(3 * HOUR, updated);
  const renamed = newDevice({ id: 'rig-new', position: 'host', address: ADDRESS, labels: {} });
  assert.deepEqual(withFormer(renamed, watch.state, NOTHING_STANDING).firstSeen, watch.state.firstSeen);
  watch.nowMs -= 24 * HOUR;
  watch.live(HOUR, updated);
  watch.clear();
  watch.live(HOUR, swapped);
  assert.deepEqual(told(watch), [HIGH]);
});

const remembered = ({ firstSeen }: DeviceState) => keptFacts(firstSeen?.facts)['firmware.version'];

test('only a device that shows another version than its reference remembers parts; a third version begins anew', () => {
  const watch = planned();
  assert.equal(watch.state.firstSeen, undefined);
  watch.live(HOUR, updated);
  assert.equal(remembered(watch.state), '2026.06.1');
  for (let looks = 0; looks < 2; looks += 1) {
    watch.see('full', before(watch.nowMs).facts);
    watch.nowMs += MINUTE;
  }
  assert.equal(remembered(watch.state), '2026.06.1', 'two looks are no return: the finding goes on');
  watch.live(HOUR, running('2026.07.1', { ...NEW, idf: 'v5.6' }));
  assert.equal(remembered(watch.state), '2026.07.1');
  assert.deepEqual(
    watch.statements.filter(({ ruleId }) => ruleId === 'firmware.fingerprint-changed'),
    [],
  );
  watch.live(HOUR, before);
  assert.equal(watch.state.firstSeen, undefined);
  watch.clear();
  watch.live(HOUR, running('2026.03.1', { ...OLD, idf: 'v5.5-evil2' }));
  assert.deepEqual(told(watch), [HIGH], 'and the reference holds again');
});

test('who was found with another part before an update is found with it after that, too', () => {
  const watch = commissioned();
  watch.live(HOUR, running('2026.03.1', { ...OLD, idf: 'v5.5-evil2' }));
  assert.deepEqual(told(watch), [HIGH]);
  watch.live(3 * HOUR, swapped);
  assert.deepEqual(told(watch).slice(1), ['firmware.version-changed open high']);
  assert.ok(watch.state.tracks.some(({ finding }) => finding.ruleId === 'firmware.fingerprint-changed'));
});

/** The same, booted from this slot. */
const from = (medium: string, version: string, values: { readonly [name: string]: string }) =>
  showing({ 'firmware.version': version, 'firmware.medium': medium, [PARTS]: parts(values) } as Facts);

/** Under these plans a device that ran the old version from the first slot runs the new one from the second, until long after them. */
const rolledOut = (...plans: readonly ReturnType<typeof plan>[]): Watch => {
  const watch = new Watch();
  watch.live(5 * MINUTE, from('ota_0', '2026.03.1', OLD));
  const { reference: learned } = watch.state;
  assert.ok(learned !== undefined);
  watch.state = { ...watch.state, reference: { ...learned, entries: [{ seq: 1, approval: 'local' }] } };
  watch.context = under(() => watch.nowMs, { plans });
  watch.live(10 * MINUTE, from('ota_0', '2026.03.1', OLD));
  watch.clear();
  watch.live(5 * HOUR, from('ota_1', '2026.06.1', NEW));
  watch.state = readDevice(writeDevice(watch.state));
  return watch;
};

const SLOT = 'firmware.boot-medium-changed';
const slotOf = ({ state }: Watch) => {
  const found = state.tracks.find(({ finding }) => finding.ruleId === SLOT)?.finding;
  return [found?.severity, found?.before, found?.after, found?.reasons?.join(), found?.plan];
};

test('firmware.boot-medium-changed: another slot than the one that came with a version is high, whatever the plan said', () => {
  for (const by of [30, undefined]) {
    const watch = rolledOut(...(by === undefined ? [] : [rollout]));
    const came = ['ota_0', 'ota_1', 'with-version'];
    assert.deepEqual(slotOf(watch), [by === undefined ? 'medium' : 'info', ...came, by]);
    watch.clear();
    for (const medium of ['factory', 'ota_0']) {
      watch.live(HOUR, from(medium, '2026.06.1', NEW));
      assert.deepEqual(slotOf(watch), ['high', 'ota_1', medium, 'same-version', undefined]);
      assert.equal(wantsMorePeople(watch.state, ['firmware.medium']), true);
      watch.live(HOUR, from('ota_1', '2026.06.1', NEW));
      assert.deepEqual(slotOf(watch), ['medium', ...came, undefined], 'what comes back after the plan is none of it');
    }
    const opened = told(watch).filter((one) => !one.startsWith(SLOT));
    assert.deepEqual(opened, [], 'and nothing else is told');
  }
});

test('firmware.boot-medium-changed: a plan that leaves the slot open covers the next one in its window, one for the version does not', () => {
  const ids = ['firmware.version-changed', SLOT];
  const { expected_after: expected = [] } = rollout.terms;
  const open = plan(
    30,
    { ids, expected_after: [...expected, { fact: 'firmware.medium', class: 'volatile' }] },
    10,
    600,
  );
  const version = plan(30, { ids: ids.slice(0, 1), expected_after: expected }, 10, 600);
  for (const [planned, slot] of [
    [open, ['info', 'ota_1', 'factory', 'same-version', 30]],
    [version, ['high', 'ota_1', 'factory', 'same-version', undefined]],
  ] as const) {
    const watch = rolledOut(planned);
    watch.live(HOUR, from('factory', '2026.06.1', NEW));
    assert.deepEqual(slotOf(watch), slot);
    assert.equal(wantsMorePeople(watch.state), planned === version);
  }
});

test('firmware.boot-medium-changed: of a slot that came with no version nothing is remembered, of a look without a version nothing is said', () => {
  const watch = rolledOut();
  const before = JSON.parse(writeDevice(watch.state)) as { firstSeen: { facts: string } };
  const { 'firmware.medium': _, ...older } = JSON.parse(before.firstSeen.facts) as Facts;
  watch.state = readDevice(
    JSON.stringify({ ...before, firstSeen: { ...before.firstSeen, facts: JSON.stringify(older) } }),
  );
  watch.live(HOUR, from('factory', '2026.06.1', NEW));
  assert.deepEqual(slotOf(watch), ['medium', 'ota_0', 'factory', 'with-version', undefined]);
  const silent = rolledOut(rollout);
  silent.clear();
  silent.live(HOUR, (nowMs) => ({
    facts: from('factory', '2026.06.1', NEW)(nowMs).facts,
    gaps: { 'firmware.version': 'unreadable' },
  }));
  assert.deepEqual(told(silent), []);
});

test('a slot in which a device was found before a version came is found with that, too', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, from('ota_0', '2026.03.1', OLD));
  watch.live(HOUR, from('factory', '2026.03.1', OLD));
  watch.live(3 * HOUR, from('factory', '2026.06.1', NEW));
  assert.deepEqual(slotOf(watch), ['high', 'ota_0', 'factory', 'same-version', undefined]);
  watch.live(HOUR, from('ota_1', '2026.07.1', { ...NEW, idf: 'v5.6' }));
  assert.deepEqual(slotOf(watch), ['medium', 'ota_0', 'ota_1', 'with-version', undefined]);
});

test('who approves a version approves the slot that came with it; another one stays what it is', () => {
  const watch = rolledOut();
  assert.deepEqual(adoptedWith(watch.state, VERSION)?.toSorted(), [PARTS, ...VERSION, 'firmware.medium'].toSorted());
  const { state } = accept(watch.state, { ...person(watch), facts: VERSION });
  assert.deepEqual([state.tracks, state.firstSeen], [[], undefined]);
  assert.equal(keptFacts(state.reference?.facts)['firmware.medium'], 'ota_1');
  watch.live(HOUR, from('factory', '2026.06.1', NEW));
  assert.throws(() => accept(watch.state, { ...person(watch), facts: VERSION }), { code: 'baseline.finding-open' });
});

test('who approves something else, or the parts alone, leaves the slot that came with the version remembered', () => {
  const other = { ...NEW, 'keys.summary': 'a3' };
  for (const [facts, kept] of [
    [['pools'], NEW],
    [[PARTS], other],
  ] as const) {
    const watch = rolledOut();
    watch.live(HOUR, from('ota_1', '2026.06.1', other));
    // What is graver does not stand in the way.
    const tracks = watch.state.tracks.map((track) => ({
      ...track,
      finding: { ...track.finding, state: 'waived' as const },
    }));
    watch.state = accept({ ...watch.state, tracks }, { ...person(watch), facts }).state;
    assert.deepEqual(keptFacts(watch.state.firstSeen?.facts)[PARTS], parts(kept));
    watch.live(HOUR, from('factory', '2026.06.1', other));
    assert.deepEqual(slotOf(watch), ['high', 'ota_1', 'factory', 'same-version', undefined]);
  }
});

test('a document that states the version approves the slot that came with it, before and after that came', () => {
  const stated = reference(20, [{ fact: 'firmware.version', class: 'set', value: ['2026.03.1', '2026.06.1'] }]);
  const after = rolledOut();
  const standing = standingOf({ references: [stated], plans: [], waivers: [] });
  const says = { values: ['firmware.version'] } as const;
  const settled = settledBy(after.state, standing, { nowMs: after.nowMs, says });
  assert.deepEqual(settled.map(({ finding }) => finding.ruleId).toSorted(), [SLOT, 'firmware.version-changed']);
  after.state = promote(after.state, settled, person(after)).state;
  const beforehand = new Watch();
  beforehand.live(5 * MINUTE, from('ota_0', '2026.03.1', OLD));
  for (const watch of [after, beforehand]) {
    watch.context = under(() => watch.nowMs, { references: [stated] });
    if (watch === beforehand) watch.live(20 * MINUTE, from('ota_0', '2026.03.1', OLD));
    watch.clear();
    watch.live(2 * HOUR, from('ota_1', '2026.06.1', NEW));
    assert.deepEqual(told(watch), []);
    watch.live(HOUR, from('factory', '2026.06.1', NEW));
    assert.deepEqual(slotOf(watch), ['high', 'ota_1', 'factory', 'same-version', undefined]);
    watch.live(HOUR, from('ota_1', '2026.06.1', NEW));
    assert.deepEqual(slotOf(watch), [undefined, undefined, undefined, undefined, undefined]);
  }
});
