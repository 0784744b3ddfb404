import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { Members } from '../../agent/appraise/members.ts';
import {
  collapse,
  type DeviceTransition,
  isPartOf,
  NO_STORMS,
  type ParentTransition,
  parentReviewed,
  parentStated,
  presentParents,
  type StormState,
} from '../../agent/appraise/storm.ts';
import { saveStorms, stormsIn } from '../../agent/record/storms.ts';
import { KeptStorms } from '../record/kept-storms.ts';
import { MINUTE, SECOND, T0 } from './watch.ts';

const finding = (changes: Partial<Finding> = {}): Finding => ({
  ruleId: 'pool.user-changed',
  part: 'slot 0',
  state: 'open',
  severity: 'critical',
  severityBase: 'critical',
  basis: 'self-reported',
  ruleVersion: 1,
  before: 'acme.rig1',
  after: 'mallory.rig1',
  firstObservedAt: T0 / 1000,
  confirmedAt: T0 / 1000,
  surfaces: ['4028 pools'],
  ...changes,
});

const of = (device: number | string, changes: Partial<Finding> = {}): DeviceTransition => ({
  kind: 'device',
  device: `rig-${device}`,
  finding: finding({ before: `acme.rig${device}`, after: `mallory.rig${device}`, ...changes }),
});

const many = (from: number, to: number, changes: Partial<Finding> = {}): readonly DeviceTransition[] =>
  Array.from({ length: to - from }, (_, index) => of(from + index, changes));

/** Everything about the storms that is kept. */
const contentOf = ({ storms }: StormState) =>
  Object.fromEntries(
    Object.entries(storms).map(([key, { id, members, latestMs, parent }]) => [
      key,
      { id, members: Object.fromEntries(members.entries()), latestMs, parent: { ...parent } },
    ]),
  );

/** Storms as the record stage drives them: a parent gets its name when it is stated. Every other time the agent is started anew. */
class Watcher {
  state: StormState = NO_STORMS;
  readonly kept = new KeptStorms();
  #saved: StormState = NO_STORMS;
  nowMs = T0;
  seq = 100;

  take(
    transitions: readonly DeviceTransition[],
    afterMs = 0,
    gone: readonly string[] = [],
  ): readonly (DeviceTransition | ParentTransition)[] {
    this.nowMs += afterMs;
    const { state, statements } = collapse(this.state, transitions, this.nowMs, new Set(gone));
    let stated = state;
    for (const one of statements) if (one.kind === 'parent') stated = parentStated(stated, one.key, this.seq++);
    saveStorms(this.kept, this.#saved, stated);
    const kept = stormsIn(this.kept);
    assert.deepEqual(contentOf(kept), contentOf(stated));
    this.#saved = this.seq % 2 === 0 ? kept : stated;
    this.state = this.#saved;
    return statements;
  }

  parents(transitions: readonly DeviceTransition[], afterMs = 0): readonly ParentTransition['finding'][] {
    return this.take(transitions, afterMs).flatMap((one) => (one.kind === 'parent' ? [one.finding] : []));
  }
}

test('four devices that show the same are four statements', () => {
  assert.equal(new Watcher().take(many(0, 4)).length, 4);
});

test('five in one batch are one parent and nothing else, users compared by account', () => {
  const statements = new Watcher().take(many(0, 5));
  assert.equal(statements.length, 1);
  const [parent] = statements;
  assert.ok(parent?.kind === 'parent');
  assert.deepEqual([parent.finding.before, parent.finding.after], ['acme', 'mallory']);
  assert.deepEqual(parent.finding.devices, ['rig-0', 'rig-1', 'rig-2', 'rig-3', 'rig-4']);
  assert.deepEqual([parent.finding.count, parent.finding.part, parent.finding.state], [5, undefined, 'open']);
});

test('five that work for two e-mail log-ins of one name are no storm', () => {
  const after = (device: number) => `ops@acme.${device % 2 === 0 ? 'attacker.net' : 'other.example'}/rig${device}`;
  const statements = new Watcher().take(Array.from({ length: 5 }, (_, device) => of(device, { after: after(device) })));
  assert.deepEqual([...new Set(statements.map(({ kind }) => kind))], ['device']);
});

test('five behind the name of a coin that work for different users are no storm', () => {
  for (const front of ['LTC', '']) {
    const statements = new Watcher().take(
      Array.from({ length: 5 }, (_, device) => of(device, { after: `${front}.thief${device}` })),
    );
    assert.deepEqual([...new Set(statements.map(({ kind }) => kind))], ['device']);
    const [parent] = new Watcher().parents(
      Array.from({ length: 5 }, (_, device) => of(device, { after: `${front}.thief` })),
    );
    assert.equal(parent?.after, `${front}.thief`);
  }
});

test('the fifth within ten minutes makes the parent; those before keep their own statements', () => {
  const watcher = new Watcher();
  for (let device = 0; device < 4; device++) assert.equal(watcher.take(many(device, device + 1), MINUTE).length, 1);
  const parents = watcher.parents(many(4, 5), MINUTE);
  assert.deepEqual(
    parents.map(({ count }) => count),
    [5],
  );
});

test('five within eleven minutes, or with other accounts, are no storm', () => {
  const slow = new Watcher();
  for (let device = 0; device < 12; device++)
    assert.equal(slow.take(many(device, device + 1), 3 * MINUTE)[0]?.kind, 'device');
  const apart = new Watcher();
  const others = Array.from({ length: 12 }, (_, device) => of(device, { after: `m${device}.x` }));
  assert.equal(apart.take(others).length, 12);
});

test('a parent is stated anew at most once a minute, with its count and up to 256 devices', () => {
  const watcher = new Watcher();
  assert.equal(watcher.parents(many(0, 100)).length, 1);
  for (let second = 1; second < 60; second++)
    assert.deepEqual(watcher.take(many(second * 100, second * 100 + 10), SECOND), []);
  const [again] = watcher.parents([], SECOND);
  assert.equal(again?.count, 100 + 59 * 10);
  assert.equal(again?.devices.length, 256);
  assert.equal(again?.openedSeq, 100);
  assert.deepEqual(watcher.take([], MINUTE), []);
});

test('issue 2: a parent that was stated by a clock that ran ahead is stated anew, and what comes later is a matter of its own', () => {
  const watcher = new Watcher();
  watcher.nowMs += 400 * 24 * 60 * MINUTE;
  assert.equal(watcher.parents(many(0, 5)).length, 1);
  const [again] = watcher.parents(many(0, 1, { state: 'resolved' }), -400 * 24 * 60 * MINUTE);
  assert.deepEqual([again?.count, again?.openedSeq], [4, 100]);
  const [other] = watcher.parents(many(6, 11), SECOND);
  assert.deepEqual([other?.count, other?.openedSeq], [5, undefined]);
});

test('between two statements the present devices of a parent are known, all of them', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 300));
  const end = many(0, 1, { state: 'resolved', resolvedAt: T0 / 1000 + 1 });
  assert.deepEqual(watcher.parents([...end, ...many(300, 301)], SECOND), []);
  const [[seq, { finding: parent } = {}] = []] = presentParents(watcher.state);
  assert.deepEqual([seq, parent?.count, parent?.ruleId], [100, 300, 'pool.user-changed']);
  assert.deepEqual(
    parent?.devices,
    many(1, 301).map(({ device }) => device),
  );
  const four = new Watcher();
  four.take(many(0, 4));
  assert.equal(presentParents(four.state).size, 0);
});

/** What the device showed last before, what it shows, and when that was believed, so many seconds after the begin. */
const seenAt = (second: number): Partial<Finding> => ({
  beforeAt: T0 / 1000 + second - 20,
  firstObservedAt: T0 / 1000 + second,
  confirmedAt: T0 / 1000 + second + 10,
});

/** Seconds after the begin. */
const timesOf = ({ beforeAt, firstObservedAt, confirmedAt, afterAt }: Partial<Finding> = {}) =>
  [beforeAt, firstObservedAt, confirmedAt, afterAt].map((at) => (at === undefined ? undefined : at - T0 / 1000));

test('the times of a parent are those of the devices that it speaks for: who joins after the others healed is not there since they were', () => {
  const watcher = new Watcher();
  const [first] = watcher.parents(many(0, 14, seenAt(0)));
  assert.deepEqual(timesOf(first), [-20, 0, 10, undefined]);
  watcher.take(many(14, 18, seenAt(90)), 100 * SECOND);
  const healed = many(0, 14, { ...seenAt(0), state: 'resolved', resolvedAt: T0 / 1000 + 120 });
  assert.deepEqual(watcher.take(healed, 20 * SECOND), []);
  const [, { finding: present, statedAt } = {}] = [...presentParents(watcher.state)][0] ?? [];
  assert.deepEqual([present?.count, timesOf(present), statedAt], [4, [70, 90, 100, undefined], T0 / 1000]);
  const [again] = watcher.take([], MINUTE);
  assert.ok(again?.kind === 'parent');
  assert.deepEqual([again.finding.openedSeq, again.finding.count, again.formerAt], [100, 4, T0 / 1000]);
  assert.deepEqual(timesOf(again.finding), [70, 90, 100, undefined]);
  // It ends for these, with what it said of them.
  const [over] = watcher.parents(many(14, 18, { ...seenAt(90), state: 'resolved' }), MINUTE);
  assert.deepEqual([over?.count, timesOf(over)], [4, [70, 90, 100, undefined]]);
});

test('a parent says since when the last of its devices shows it, and of one that showed another value before since when this one', () => {
  const watcher = new Watcher();
  watcher.parents(many(0, 5, seenAt(0)));
  const [grown] = watcher.parents(many(5, 6, seenAt(90)), 100 * SECOND);
  assert.deepEqual([grown?.count, timesOf(grown)], [6, [-20, 0, 10, 90]]);
  const again = { ...seenAt(-7200), afterAt: T0 / 1000 + 190 };
  const [grownAgain] = watcher.parents(many(6, 7, again), 100 * SECOND);
  assert.deepEqual(timesOf(grownAgain), [-20, 0, 10, 190]);
  // A store of an earlier version knows no times of members.
  const [[key, storm] = []] = Object.entries(watcher.state.storms);
  assert.ok(key !== undefined && storm !== undefined);
  const members = Members.of(
    [...storm.members.entries()].map(([name, { times: _, ...rest }]) => [name, rest] as const),
  );
  watcher.state = { storms: { [key]: { ...storm, members } } };
  assert.deepEqual(timesOf(watcher.parents(many(7, 8, seenAt(290)), 100 * SECOND)[0]), [-20, 0, 10, 290]);
});

test('a parent does not say what one of its devices showed last in place of the reference, nor when', () => {
  const watcher = new Watcher();
  const [parent] = watcher.parents(many(0, 5, { ...seenAt(0), lastSeen: 'acme.x9' }));
  assert.deepEqual([parent?.lastSeen, timesOf(parent)], [undefined, [undefined, 0, 10, undefined]]);
});

test('one that joins or leaves a storm of many is one member written, not all of them', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 500));
  const before = watcher.kept.written;
  watcher.take(many(500, 501), SECOND);
  watcher.take(many(7, 8, { state: 'resolved' }), SECOND);
  assert.equal(watcher.kept.written - before, 2);
});

test('ten thousand devices in ten minutes are at most eleven statements', () => {
  const watcher = new Watcher();
  let statements = 0;
  for (let batch = 0; batch < 40; batch++)
    statements += watcher.take(many(batch * 250, batch * 250 + 250), 15 * SECOND).length;
  assert.ok(statements <= 11, `${statements}`);
});

test('the parent ends with the last of its devices', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 6));
  assert.deepEqual(watcher.take(many(0, 5, { state: 'resolved' }), SECOND), []);
  const [end] = watcher.parents(many(5, 6, { state: 'resolved' }), MINUTE);
  assert.deepEqual([end?.state, end?.openedSeq, end?.count], ['resolved', 100, 6]);
  assert.equal(end?.resolvedAt, watcher.nowMs / 1000);
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('a device that left the configuration is a member no more: the parent ends with the last of the others', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 6));
  assert.deepEqual(watcher.take([], SECOND, ['rig-5']), []);
  const [end] = watcher.parents(many(0, 5, { state: 'resolved' }), MINUTE);
  assert.deepEqual([end?.state, end?.openedSeq, end?.count], ['resolved', 100, 6]);
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('where every device left the parent ends at its next turn', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  assert.deepEqual(
    watcher.take([], SECOND, ['rig-0', 'rig-1', 'rig-2', 'rig-3', 'rig-4'])[0]?.finding.state,
    'resolved',
  );
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('what began with a statement of its own ends with one', () => {
  const watcher = new Watcher();
  for (let device = 0; device < 4; device++) watcher.take(many(device, device + 1), SECOND);
  watcher.take(many(4, 9), SECOND);
  const named = many(0, 4, { state: 'resolved', openedSeq: 7 });
  assert.equal(watcher.take(named, SECOND).filter(({ kind }) => kind === 'device').length, 4);
  assert.equal(
    watcher.take(many(4, 9, { state: 'resolved' }), MINUTE).filter(({ kind }) => kind === 'device').length,
    0,
  );
});

test('a child whose value changed later still ends without a statement', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  const end = watcher.take([of(0, { state: 'resolved', after: 'trudy.x' })], SECOND);
  assert.deepEqual(end, []);
});

test('a child that came again after a quiet time is a member until it ends', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  watcher.take([of(50), of(0, { parent: 100 })], 11 * MINUTE);
  watcher.take(many(0, 5, { state: 'resolved' }), MINUTE);
  watcher.take([of(50, { state: 'resolved', openedSeq: 8 })], MINUTE);
  assert.deepEqual(watcher.state, NO_STORMS);
});

const planned = { severity: 'info', plan: 9 } as const;

test('a child that is stated with another value leaves the parent, whose end is not its own', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5, planned));
  const other = { after: 'trudy.x', severity: 'high', parent: 100 } as const;
  const [own, ...none] = watcher.take([of(0, other)], 20 * SECOND);
  assert.deepEqual([own?.kind, own?.finding.severity, none], ['device', 'high', []], 'the parent waits for its minute');
  const [[, { finding: parent } = {}] = []] = presentParents(watcher.state);
  assert.deepEqual([parent?.devices, parent?.severity], [['rig-1', 'rig-2', 'rig-3', 'rig-4'], 'info']);
  const isMeant = isPartOf(watcher.state, 100);
  assert.equal(isMeant('rig-0', { ...of(0, other).finding, openedSeq: 7 }), false);
  assert.equal(isMeant('rig-1', { ...of(1, planned).finding, parent: 100 }), true);

  const approved = many(1, 5, { ...planned, parent: 100, state: 'approved', by: 'carol' });
  const [end, ...others] = watcher.parents(approved, SECOND);
  assert.deepEqual([end?.state, end?.count, end?.devices], ['approved', 4, ['rig-1', 'rig-2', 'rig-3', 'rig-4']]);
  assert.deepEqual(others, []);
  const [ownEnd] = watcher.take([of(0, { ...other, openedSeq: 7, state: 'resolved' })], SECOND);
  assert.equal(ownEnd?.kind, 'device');
});

test('a parent whose devices all show another value is over, and what they show now has a parent of its own', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  const others = Array.from({ length: 5 }, (_, device) => of(device, { after: 'trudy.x', parent: 100 }));
  const told = watcher
    .parents(others, MINUTE)
    .map(({ after, state, count, openedSeq }) => [after, state, count, openedSeq]);
  assert.deepEqual(told, [
    ['trudy', 'open', 5, undefined],
    ['mallory', 'resolved', 5, 100],
  ]);
});

test('who shows another value by now is none of the five that make a parent', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 4));
  watcher.take([of(0, { after: 'trudy.x', openedSeq: 7 })], MINUTE);
  assert.deepEqual(watcher.parents(many(4, 5), MINUTE), []);
  assert.deepEqual(
    watcher.parents(many(5, 6), MINUTE).map(({ devices }) => devices),
    [['rig-1', 'rig-2', 'rig-3', 'rig-4', 'rig-5']],
  );
});

/** A storm of five that grew to so many within the minute, of which the parent says nothing yet. */
const grown = (count: number): Watcher => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  assert.deepEqual(watcher.take(many(5, count), 5 * SECOND), []);
  return watcher;
};

const approved = { state: 'approved', by: 'carol' } as const;

test('what ends between two statements of its parent is named by one before it leaves, with all the others', () => {
  const watcher = grown(60);
  const [before, ...none] = watcher.parents(many(50, 60, approved), 8 * SECOND);
  assert.deepEqual([before?.state, before?.by, before?.count, none], ['open', undefined, 60, []]);
  assert.deepEqual(
    before?.devices,
    many(0, 60).map(({ device }) => device),
  );
  assert.deepEqual(watcher.take(many(40, 50, approved), SECOND), [], 'these were told');
  assert.deepEqual(
    watcher.parents([], MINUTE).map(({ state, count }) => [state, count]),
    [['open', 40]],
  );
});

test('a parent that ends with devices that it did not tell yet tells them first, and ends for each of them', () => {
  const watcher = grown(60);
  const told = watcher.parents(many(0, 60, approved), 8 * SECOND);
  assert.deepEqual(
    told.map(({ state, by, count, devices, openedSeq }) => [state, by, count, devices.length, openedSeq]),
    [
      ['open', undefined, 60, 60, 100],
      ['approved', 'carol', 60, 60, 100],
    ],
  );
  assert.deepEqual(watcher.state, NO_STORMS);
  const more = grown(400).parents(many(0, 400, approved), 8 * SECOND);
  assert.deepEqual(
    more.map(({ state, count, devices }) => [state, count, devices.length]),
    [
      ['open', 400, 256],
      ['approved', 400, 256],
    ],
  );
});

test('a device that joins and leaves the configuration, or shows another value, before its parent told it is told', () => {
  const lost = grown(6).take([], SECOND, ['rig-5']);
  assert.deepEqual(
    lost.map(({ kind, finding: { state } }) => [kind, state]),
    [['parent', 'open']],
  );
  const [own, parent] = grown(6).take([of(5, { after: 'trudy.x', parent: 100 })], SECOND);
  assert.ok(own?.kind === 'device' && parent?.kind === 'parent');
  assert.deepEqual([parent.finding.state, parent.finding.count, parent.finding.devices.at(-1)], ['open', 6, 'rig-5']);
});

test('a parent that had told less weight tells that of the device that leaves, as long as it was there', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  watcher.take(many(0, 5, planned), MINUTE);
  watcher.take([of(5)], SECOND);
  const [before] = watcher.parents([of(5, approved)], SECOND);
  assert.deepEqual([before?.severity, before?.plan, before?.count], ['critical', undefined, 6]);
  const [after] = watcher.parents([], MINUTE);
  assert.deepEqual([after?.severity, after?.plan, after?.count], ['info', 9, 5]);
});

test('devices that come and go for twenty seconds each, one a second, are told in some thirty statements in ten minutes', () => {
  const watcher = grown(6);
  let statements = 0;
  for (let second = 0; second < 600; second++) {
    const left = second < 20 ? [] : [of(100 + second - 20, { state: 'resolved' })];
    statements += watcher.take([of(100 + second), ...left], SECOND).length;
  }
  assert.ok(statements >= 20 && statements <= 31, `${statements}`);
});

test('dark devices and new devices are alike by their id alone', () => {
  const watcher = new Watcher();
  const dark = Array.from({ length: 2000 }, (_, device) =>
    of(device, { ruleId: 'visibility.device-dark', after: { address: `10.0.0.${device}` } }),
  );
  const statements = watcher.take(dark);
  assert.equal(statements.length, 1);
  assert.ok(statements[0]?.kind === 'parent');
  assert.deepEqual([statements[0].finding.count, statements[0].finding.after], [2000, undefined]);
});

test('after ten quiet minutes the same on another device is a matter of its own', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  const later = watcher.take(many(50, 51), 11 * MINUTE);
  assert.deepEqual(
    later.map(({ kind }) => kind),
    ['device'],
  );
  assert.equal(watcher.parents(many(0, 5, { state: 'approved' }), MINUTE)[0]?.state, 'approved');
});

test('the end of a parent says why its devices ended, whenever they did', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 6, { reasons: ['account'] }));
  watcher.take([of(0, { state: 'resolved', reasons: ['account', 'assignment-ended'] })], MINUTE);
  watcher.take([], SECOND, ['rig-1']);
  const [end] = watcher.parents(
    many(2, 6, { state: 'resolved', reasons: ['account', 'configuration-edited'] }),
    MINUTE,
  );
  assert.equal(end?.state, 'resolved');
  assert.deepEqual(end?.reasons, ['account', 'assignment-ended', 'left-configuration', 'configuration-edited']);

  watcher.take(many(0, 5, { reasons: ['account'] }));
  const [plain] = watcher.parents(many(0, 5, { state: 'resolved', reasons: ['account'] }), MINUTE);
  assert.deepEqual(plain?.reasons, ['account'], 'what was put right gives no other reason');
});

test('a parent that goes on does not say why some of its devices ended', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 8, { reasons: ['account'] }));
  const left = { state: 'resolved', reasons: ['account', 'left-configuration'] } as const;
  const { statements, state } = collapse(watcher.state, [of(0, left)], watcher.nowMs + MINUTE, new Set(['rig-0']));
  watcher.state = state;
  assert.deepEqual(
    statements.map((one) => one.kind === 'parent' && [one.finding.state, one.finding.count, one.finding.reasons]),
    [['open', 7, ['account']]],
  );
  assert.deepEqual([...presentParents(watcher.state).values()][0]?.finding.reasons, ['account']);
  watcher.take([], MINUTE);
  const [again] = watcher.parents([of(8, { reasons: ['account'] })], MINUTE);
  assert.deepEqual([again?.count, again?.reasons], [8, ['account']]);
  const [end] = watcher.parents(many(1, 9, { state: 'resolved', reasons: ['account'] }), MINUTE);
  assert.deepEqual([end?.state, end?.reasons], ['resolved', ['account', 'left-configuration']]);
});

/** How many devices a parent ends for, and the first and last that it names. */
const endOf = (parent: ParentTransition['finding'] | undefined) => [
  parent?.state,
  parent?.count,
  parent?.devices.length,
  parent?.devices[0],
  parent?.devices.at(-1),
];

test('the end of a parent of very many names the devices that it ends for, though others were named before', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 300));
  const elsewhere = { after: 'trudy.x', parent: 100 } as const;
  watcher.take(many(0, 299, elsewhere), SECOND);
  const [end] = watcher.parents([of(299, { state: 'resolved' })], SECOND).filter(({ openedSeq }) => openedSeq === 100);
  assert.deepEqual(endOf(end), ['resolved', 1, 1, 'rig-299', 'rig-299']);
});

test('so it does where these ended before the ones that it had named showed something else', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 1000));
  watcher.take(many(400, 1000, { state: 'resolved' }), SECOND);
  watcher.take(many(0, 300, { after: 'trudy.x', parent: 100 }), SECOND);
  const last = watcher.parents(many(300, 400, { state: 'resolved' }), SECOND);
  const [end] = last.filter(({ openedSeq }) => openedSeq === 100);
  assert.deepEqual(endOf(end).slice(0, 3), ['resolved', 700, 256]);
  assert.equal(new Set(end?.devices).size, 256);
  assert.ok(end?.devices.every((device) => Number(device.slice(4)) >= 300));
});

/** `mallory` takes note of the parent that is stated as entry `seq`, and with it of each of its devices. */
const acknowledge = (watcher: Watcher, seq: number, from: number, to: number) => {
  const noted = { state: 'acknowledged', by: 'mallory' } as const;
  watcher.state = parentReviewed(watcher.state, seq, (parent) => ({ ...parent, ...noted }));
  return watcher.parents(many(from, to, noted)).map(({ state, by, count }) => [state, by, count]);
};

test('the end of a parent names the person who ended it, not the one who took note of it', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  assert.deepEqual(acknowledge(watcher, 100, 0, 5), [['acknowledged', 'mallory', 5]]);
  const [resolved] = watcher.parents(many(0, 5, { state: 'resolved' }), MINUTE);
  assert.deepEqual([resolved?.state, resolved?.by], ['resolved', undefined]);

  watcher.take(many(0, 5));
  acknowledge(watcher, 102, 0, 5);
  const [approved] = watcher.parents(many(0, 5, { state: 'approved', by: 'carol' }), MINUTE);
  assert.deepEqual([approved?.state, approved?.by], ['approved', 'carol']);
});

test('a device that joins a parent somebody took note of opens it once more; what those before it do does not', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  acknowledge(watcher, 100, 0, 5);
  assert.deepEqual(watcher.take([of(5), of(6)], SECOND), [], 'a minute apart');
  const again = watcher.parents([], MINUTE).map(({ state, by, count, openedSeq }) => [state, by, count, openedSeq]);
  assert.deepEqual(again, [['open', undefined, 7, 100]]);

  assert.deepEqual(acknowledge(watcher, 100, 0, 7), [['acknowledged', 'mallory', 7]]);
  const restated = many(0, 1, { state: 'acknowledged', by: 'mallory', severity: 'high' });
  assert.deepEqual(
    watcher.parents(restated, MINUTE).map(({ state, by }) => [state, by]),
    [['acknowledged', 'mallory']],
  );
  assert.deepEqual(
    watcher.parents([of(6, { state: 'resolved' })], MINUTE).map(({ state, count }) => [state, count]),
    [['acknowledged', 6]],
  );
});

test('a device under the same plan opens a parent that was taken note of, without its weight', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5, planned));
  const noted = { ...planned, state: 'acknowledged', by: 'mallory' } as const;
  watcher.state = parentReviewed(watcher.state, 100, (parent) => ({ ...parent, state: 'acknowledged', by: 'mallory' }));
  assert.deepEqual(watcher.parents(many(0, 5, noted)).map(asTold), [['acknowledged', 'info', 9, 100, 5]]);
  assert.deepEqual(watcher.parents([of(5, planned)], MINUTE).map(asTold), [['open', 'info', 9, 100, 6]]);
});

/** A finding of the storm under a waiver, or none, or a plan. */
const waived = (waiver = 7) => ({ state: 'waived', severity: 'info', waiver }) as const;
const asTold = ({ state, severity, waiver, plan, openedSeq, count }: ParentTransition['finding']) => [
  state,
  severity,
  waiver ?? plan,
  openedSeq,
  count,
];

test('a parent is waived once each of its devices is, under its own name, and until then those that are have statements', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 6));
  for (const device of [0, 1, 2, 3, 4]) {
    const said = watcher.take(many(device, device + 1, waived()), SECOND);
    assert.deepEqual(
      said.map(({ kind, finding: { state } }) => [kind, state]),
      [['device', 'waived']],
    );
  }
  const named = many(0, 5, { ...waived(), openedSeq: 7 });
  assert.deepEqual(watcher.parents(named, MINUTE).map(asTold), [['open', 'critical', undefined, 100, 6]]);
  assert.deepEqual(watcher.take(many(5, 6, waived()), SECOND), [], 'the parent says it');
  assert.deepEqual(watcher.parents([], MINUTE).map(asTold), [['waived', 'info', 7, 100, 6]]);
  watcher.take(many(0, 5, { ...waived(), state: 'resolved', openedSeq: 7 }), MINUTE);
  const [end] = watcher.parents(many(5, 6, { ...waived(), state: 'resolved' }), MINUTE);
  assert.deepEqual([end?.state, end?.openedSeq], ['resolved', 100]);
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('a waived parent that grows stays waived where the waiver covers the new device, and is open where it does not', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  watcher.take(many(0, 5, waived()), MINUTE);
  const covered = watcher.take([of(5, waived())], MINUTE);
  assert.deepEqual(
    covered.map((one) => one.kind === 'parent' && asTold(one.finding)),
    [['waived', 'info', 7, 100, 6]],
  );
  assert.deepEqual(
    watcher.take([of(6, waived(8))], MINUTE).map(({ kind }) => kind),
    ['device'],
    'another waiver is another matter',
  );
  assert.deepEqual(watcher.parents([of(7)], MINUTE).map(asTold), [['open', 'critical', undefined, 100, 7]]);
  // The one that nobody waived is over; then so is what was open.
  const [left] = watcher.parents([of(7, { state: 'resolved' })], MINUTE);
  assert.deepEqual(left && asTold(left), ['waived', 'info', 7, 100, 6]);
  const [over] = watcher.parents([of(0, { severity: 'high' })], MINUTE);
  assert.deepEqual(over && asTold(over), ['open', 'high', undefined, 100, 6], 'and so is a waiver that ends');
});

test('a parent that began waived is open once the waiver ends, and says no more of the waiver', () => {
  const watcher = new Watcher();
  assert.deepEqual(watcher.parents(many(0, 5, waived())).map(asTold), [['waived', 'info', 7, undefined, 5]]);
  const [open] = watcher.parents(many(0, 5), 2 * MINUTE);
  assert.deepEqual(open && asTold(open), ['open', 'critical', undefined, 100, 5]);
  watcher.take(many(0, 5, { state: 'resolved' }), MINUTE);
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('what a plan covers later takes the weight off the parent and leaves its state', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 5));
  assert.deepEqual(watcher.parents(many(0, 5, planned), MINUTE).map(asTold), [['open', 'info', 9, 100, 5]]);
});

test('four that were waived before a fifth shows the same are none of its storm', () => {
  const watcher = new Watcher();
  watcher.take(many(0, 4));
  watcher.take(many(0, 4, { ...waived(), openedSeq: 7 }), SECOND);
  assert.deepEqual(
    watcher.take([of(4)], SECOND).map(({ kind }) => kind),
    ['device'],
  );
});

test('unconfirmed values that went away collapse too, into a parent that is over', () => {
  const watcher = new Watcher();
  const { confirmedAt: _, ...unconfirmed } = finding({ state: 'resolved' });
  const blips = Array.from(
    { length: 30 },
    (_, device): DeviceTransition => ({
      kind: 'device',
      device: `rig-${device}`,
      finding: unconfirmed,
    }),
  );
  const statements = watcher.take(blips);
  assert.deepEqual(
    statements.map(({ kind, finding: { state } }) => [kind, state]),
    [['parent', 'resolved']],
  );
  watcher.take([], 11 * MINUTE);
  assert.deepEqual(watcher.state, NO_STORMS);
});

test('nothing new changes nothing', () => {
  const { state } = collapse(NO_STORMS, many(0, 7), T0);
  const stated = Object.keys(state.storms).reduce((all, key) => parentStated(all, key, 1), state);
  assert.equal(collapse(stated, [], T0 + SECOND).state, stated);
});

test('identity.address-moved: the leases of 200 devices that are numbered anew are one info parent', () => {
  const watcher = new Watcher();
  const moved = Array.from({ length: 200 }, (_, at) =>
    of(at, {
      ruleId: 'identity.address-moved',
      severity: 'info',
      severityBase: 'info',
      before: `10.20.14.${at}`,
      after: `10.20.15.${at}`,
    }),
  );
  const statements = watcher.take(moved);
  assert.deepEqual(
    statements.map((one) => [one.kind, one.kind === 'parent' && one.finding.count, one.finding.severity]),
    [['parent', 200, 'info']],
  );
});

test('pool.failover-active: when more than a quarter of a site falls over, one parent names the cause', () => {
  const watcher = new Watcher();
  const failover = {
    ruleId: 'pool.failover-active',
    severity: 'low',
    before: { url: 'a' },
    after: { url: 'b' },
  } as const;
  assert.deepEqual(watcher.parents(many(0, 5, failover))[0]?.reasons, undefined);
  const [parent] = watcher.parents(many(5, 9, { ...failover, reasons: ['primary-down'] }), MINUTE);
  assert.deepEqual([parent?.count, parent?.reasons], [9, ['primary-down']]);
});

test('new devices that work for another account than those before them make a parent of their own', () => {
  const watcher = new Watcher();
  const isNew = { ruleId: 'identity.new-device', severity: 'info' } as const;
  const [batch] = watcher.parents(many(0, 40, isNew));
  assert.deepEqual([batch?.count, batch?.severity], [40, 'info']);
  const strange = { ...isNew, severity: 'high', reasons: ['other-account'] } as const;
  assert.equal(watcher.take([of('x', strange)], 2 * MINUTE).filter(({ kind }) => kind === 'device').length, 1);
  const [, ...more] = watcher.parents(many(50, 56, strange), 2 * MINUTE);
  assert.deepEqual(more, []);
  assert.deepEqual(
    watcher.parents(many(60, 61, strange), 2 * MINUTE).map(({ severity, reasons }) => [severity, reasons]),
    [['high', ['other-account']]],
  );
});
