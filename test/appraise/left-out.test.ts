import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept } from '../../agent/appraise/accept.ts';
import { affirmsPools } from '../../agent/appraise/agreement.ts';
import {
  type Attested,
  type DeviceState,
  type Reference,
  readDevice,
  writeDevice,
} from '../../agent/appraise/device.ts';
import { replacedBy } from '../../agent/appraise/replaced.ts';
import { comparable } from '../../agent/appraise/stand-ins.ts';
import { approvalOf } from '../../agent/appraise/who-approves.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { diffReference } from '../../agent/baseline/reference.ts';
import { questionOf } from '../../agent/drivers/driver.ts';
import { whatsminer } from '../../agent/drivers/whatsminer.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { Observation } from '../../agent/normalise/observation.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import type { Facts, PoolSlot } from '../../shared/facts.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { plan, reference, under } from './standing.ts';
import {
  ADDRESS,
  type Gaps,
  HOUR,
  honest,
  MINUTE,
  observationOf,
  POOLS,
  pools,
  runningOn,
  showing,
  T0,
  Watch,
} from './watch.ts';

/** What a device leaves out that it told before, or that it never told. */

const ID = 'visibility.coverage-reduced';

const { user: _, ...NO_USER } = POOLS[0];
const THERE = { url: POOLS[0].url };

/** One pool, with this user or without one. */
const onePool = (user?: string): Facts => ({ pools: [user === undefined ? NO_USER : { ...NO_USER, user }] });

/** All three pools, without a user in the first. */
const hidden: Facts = { pools: [NO_USER, POOLS[1], POOLS[2]] };

const without =
  (gaps: Gaps, changes: Facts = {}) =>
  (nowMs: number) => ({ facts: honest(nowMs, changes), gaps });

const lookedAt = (watch: Watch, changes: Facts, gaps: Gaps = {}) =>
  comparable(watch.state, observationOf('full', watch.nowMs, { facts: honest(watch.nowMs, changes), gaps }));

const learned = (changes: Facts, forMs = 10 * MINUTE): Watch => {
  const watch = new Watch();
  watch.live(forMs, showing(changes));
  watch.clear();
  return watch;
};

const accepted = (changes: Facts): Watch => {
  const watch = learned(changes);
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 90 }).state;
  watch.live(2 * MINUTE, showing(changes));
  watch.clear();
  return watch;
};

const usersOf = ({ state }: Watch) => keptFacts(state.reference?.facts).pools?.map(({ user }) => user);

const notRun = (watch: Watch): ReadonlyMap<string, string> =>
  new Map(watch.attestations.at(-1)?.checks.notRun.map(({ id, reason }) => [id, reason]));

// ---- a user that first appears ---------------------------------------------------------------------------------------

test('pool.user-changed: a user that first appears is learned as a value of its own, and another one after it is critical', () => {
  const watch = learned(onePool());
  watch.live(5 * MINUTE, showing(onePool('owner.w1')));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(watch.attestations.at(-1)?.verdict.learn, ['pools']);
  assert.deepEqual(usersOf(watch), ['owner.w1']);
  watch.live(5 * MINUTE, showing(onePool('thief.1')));
  const [finding] = watch.opened('pool.user-changed');
  assert.deepEqual([finding?.severity, finding?.before, finding?.after], ['critical', 'owner.w1', 'thief.1']);
});

test('pool.user-changed: users that appear one after the other are learned; pools that changed otherwise, too, are not learned over', () => {
  const both = (...users: readonly (string | undefined)[]): Facts => ({
    pools: [POOLS[0], POOLS[1]].map(({ user: _, ...slot }, at) => {
      const user = users[at];
      return user === undefined ? slot : { ...slot, user };
    }),
  });
  const watch = learned(both());
  watch.live(5 * MINUTE, showing(both(undefined, 'owner.b')));
  watch.live(5 * MINUTE, showing(both('owner.a', 'owner.b')));
  assert.deepEqual(usersOf(watch), ['owner.a', 'owner.b']);
  assert.deepEqual(watch.said(), []);
  const moved = learned(onePool());
  moved.live(5 * MINUTE, showing({ pools: [{ ...NO_USER, url: 'stratum+tcp://evil.example:3333', user: 'thief.1' }] }));
  assert.deepEqual(moved.said(), ['pool.url-changed open']);
  assert.deepEqual(usersOf(moved), [undefined]);
});

test('pool.user-changed: what people approved without a user is not approved with one: high, low where the list names it', () => {
  const told = (allow?: readonly { url: string; user?: string }[]) => {
    const watch = accepted(onePool());
    if (allow !== undefined) watch.context = { allow };
    watch.live(5 * MINUTE, showing(onePool('thief.1')));
    assert.deepEqual(usersOf(watch), [undefined]);
    return watch.opened('pool.user-changed').map(({ severity, before, after, reasons }) => ({
      severity,
      before,
      after,
      reasons,
    }));
  };
  const finding = { before: undefined, after: 'thief.1', reasons: ['first-told'] };
  assert.deepEqual(told(), [{ severity: 'high', ...finding }]);
  assert.equal(approvalOf({ ruleId: 'pool.user-changed', reasons: ['first-told'] }), 'A2');
  assert.equal(approvalOf({ ruleId: 'pool.user-changed', reasons: ['account'] }), 'AP');
  assert.deepEqual(told([THERE]), [{ severity: 'high', ...finding }]);
  assert.deepEqual(told([{ ...THERE, user: 'owner.*' }]), [{ severity: 'high', ...finding }]);
  assert.deepEqual(told([{ ...THERE, user: 'thief.*' }]), [{ severity: 'low', ...finding }]);
});

// ---- the key of a pool that first appears ----------------------------------------------------------------------------

const keyedPool = (path: string): Facts => ({
  pools: [{ ...POOLS[0], url: `stratum2+tcp://192.0.2.9:34254${path}` }],
});

const urlsOf = ({ state }: Watch) => keptFacts(state.reference?.facts).pools?.map(({ url }) => url);

test('pool.url-changed: the key of a pool that first appears is learned, and another one after it is another pool', () => {
  const watch = learned(keyedPool(''));
  watch.live(5 * MINUTE, showing(keyedPool('/9owner')));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(urlsOf(watch), ['stratum2+tcp://192.0.2.9:34254/9owner']);
  watch.live(5 * MINUTE, showing(keyedPool('/9thief')));
  const [finding] = watch.opened('pool.url-changed');
  assert.equal(finding?.severity, 'high');
  assert.deepEqual(urlsOf(watch), ['stratum2+tcp://192.0.2.9:34254/9owner']);
});

test('pool.url-changed: a key in a pool that people approved without one is told as such, low', () => {
  const watch = accepted(keyedPool(''));
  watch.live(5 * MINUTE, showing(keyedPool('/9owner')));
  assert.deepEqual(watch.said(), ['pool.url-changed open']);
  const [finding] = watch.opened('pool.url-changed');
  assert.deepEqual([finding?.severity, finding?.reasons], ['low', ['first-told']]);
  assert.deepEqual(urlsOf(watch), ['stratum2+tcp://192.0.2.9:34254']);
  const elsewhere = accepted(keyedPool(''));
  elsewhere.live(5 * MINUTE, showing({ pools: [{ ...POOLS[0], url: 'stratum2+tcp://192.0.2.99:34254/9thief' }] }));
  assert.deepEqual(
    elsewhere.opened('pool.url-changed').map(({ severity }) => severity),
    ['high'],
  );
});

test('pool.user-changed: the user that a person accepted is compared from then on', () => {
  const watch = accepted(onePool());
  watch.live(5 * MINUTE, showing(onePool('owner.w1')));
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 91 }).state;
  watch.clear();
  watch.live(20 * MINUTE, showing(onePool('owner.w1')));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(onePool('thief.1')));
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'critical');
});

test('pool.outside-allowlist: a user that first appears is judged by the list', () => {
  const watch = learned(onePool());
  watch.context = { allow: [{ ...THERE, user: 'owner.*' }] };
  watch.live(5 * MINUTE, showing(onePool()));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(onePool('thief.1')));
  assert.deepEqual(watch.said(), ['pool.outside-allowlist open']);
});

test('pool.outside-allowlist: a running row that names a user is not judged by the slot that does not', () => {
  const watch = new Watch({ allow: [{ ...THERE, user: 'owner.*' }] });
  const running = (user: string): Facts => ({ ...onePool(), live_pools: [{ ...THERE, user, active: true }] });
  watch.live(5 * MINUTE, showing(running('owner.w1')));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(running('thief.1')));
  assert.deepEqual(watch.said(), ['pool.outside-allowlist open']);
});

// ---- a user that is left out -----------------------------------------------------------------------------------------

test('a user that is left out is unknown: its rules did not run, the others did, and after ten minutes it is a finding', () => {
  const watch = accepted({});
  watch.context = {
    allow: [
      { url: 'stratum+tcp://*.example:3333', user: 'acme.*' },
      { url: '*.pool.example', user: 'acme.*' },
    ],
  };
  watch.live(2 * MINUTE, showing({}));
  watch.clear();
  watch.live(9 * MINUTE, showing(hidden));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(notRun(watch).get('pool.user-changed'), 'unreadable');
  assert.deepEqual(notRun(watch).get('pool.outside-allowlist'), 'unreadable');
  assert.equal(notRun(watch).get('pool.url-changed'), undefined);
  assert.equal(lookedAt(watch, hidden).gaps.get('pools.user'), 'unreadable');
  watch.live(40 * MINUTE, showing(hidden));
  assert.deepEqual(watch.said(), [`${ID} open`]);
  const [finding] = watch.statements;
  assert.deepEqual(
    [finding?.severity, finding?.part, finding?.after],
    ['medium', 'left-out', { left_out: ['pools.user'] }],
  );
  assert.deepEqual(
    usersOf(watch),
    POOLS.map(({ user }) => user),
  );
  watch.live(40 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), [`${ID} open`, `${ID} resolved`]);
});

test('a user that is left out for less than ten minutes, at any time of the day, is no finding', () => {
  const watch = accepted({});
  for (let turn = 0; turn < 24; turn += 1) {
    watch.live(9 * MINUTE, showing(hidden));
    watch.live(20 * MINUTE, showing({}));
  }
  assert.deepEqual(watch.said(), []);
});

test('an account that changes while the user is left out now and then is found all the same, and hiding it does not end that', () => {
  const watch = accepted({});
  let look = 0;
  watch.live(5 * MINUTE, (nowMs) => {
    look += 1;
    return { facts: honest(nowMs, look % 2 === 0 ? hidden : pools({ user: 'thief.1' })) };
  });
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'critical');
  watch.live(2 * HOUR, showing(hidden));
  assert.deepEqual(
    watch.said().filter((said) => said.startsWith('pool.')),
    ['pool.user-changed open'],
  );
});

test('a pool that changes with its user left out is found as another pool, and an account elsewhere in the list, too', () => {
  const moved = accepted({});
  moved.live(
    5 * MINUTE,
    showing({ pools: [{ ...NO_USER, url: 'stratum+tcp://evil.example:3333' }, POOLS[1], POOLS[2]] }),
  );
  assert.deepEqual(moved.said(), ['pool.url-changed open']);
  const other = accepted({});
  other.live(5 * MINUTE, showing({ pools: [NO_USER, { ...POOLS[1], user: 'thief.1' }, POOLS[2]] }));
  assert.deepEqual(other.said(), ['pool.user-changed open']);
});

test('a pool on no list is found though its user is left out, and what was found for its user stays while it is', () => {
  const allow = [{ ...THERE, user: 'acme.*' }];
  const watch = learned(onePool('acme.w1'));
  watch.context = { allow };
  watch.live(5 * MINUTE, showing({ pools: [{ ...NO_USER, url: 'stratum+tcp://evil.example:3333' }] }));
  assert.equal(watch.opened('pool.outside-allowlist').length, 1);
  const theft = learned(onePool('acme.w1'));
  theft.context = { allow };
  theft.live(5 * MINUTE, showing(onePool('thief.1')));
  theft.live(2 * HOUR, showing(onePool()));
  assert.ok(!theft.said().some((said) => said.endsWith('resolved')), theft.said().join());
});

test('slots that never told a user, and one that becomes blank, are no finding and keep nothing from running', () => {
  const rows: readonly PoolSlot[] = [POOLS[0], { slot: 1, url: 'stratum+tcp://solo.example:3333', priority: 1 }];
  for (const shown of [rows, [NO_USER]]) {
    const watch = learned({ pools: shown });
    watch.live(2 * HOUR, showing({ pools: shown }));
    assert.deepEqual(watch.said(), []);
    assert.equal(lookedAt(watch, { pools: shown }).gaps.size, 0);
  }
});

test('pool.user-changed: a user that only a document names, and the device never told, is not said to be right', () => {
  const watch = learned(onePool());
  const user = { fact: 'pools.user', class: 'template', value: 'owner.*' } as const;
  watch.context = under(() => watch.nowMs, { references: [reference(40, [user])] });
  watch.live(5 * MINUTE, showing(onePool()));
  assert.equal(notRun(watch).get('pool.user-changed'), 'unreadable');
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(onePool('owner.w1')));
  assert.equal(notRun(watch).get('pool.user-changed'), undefined);
  watch.live(5 * MINUTE, showing(onePool('thief.1')));
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
});

test('coverage: a look without the users that the current attestation claims is no evidence of them', () => {
  const watch = accepted({});
  const { attested } = watch.state;
  assert.ok(affirmsPools(attested, lookedAt(watch, {})));
  assert.ok(!affirmsPools(attested, lookedAt(watch, hidden)));
  // The attestation that says so claims none.
  watch.live(5 * MINUTE, showing(hidden));
  assert.ok(affirmsPools(watch.state.attested, lookedAt(watch, hidden)));
  const solo = learned(onePool());
  assert.ok(affirmsPools(solo.state.attested, lookedAt(solo, onePool())));
});

// ---- a device that stands where another one stood --------------------------------------------------------------------

const replacing = (shown: Facts): Watch => {
  const watch = new Watch({ inFirstPass: false });
  watch.state = { ...watch.state, replaces: { device: 'rig-before', pools: [{ ...NO_USER, user: 'owner.w1' }] } };
  watch.live(5 * MINUTE, showing(shown));
  return watch;
};

test('identity.new-device: a machine that hides its user at first sight is held against the one before it when it shows', () => {
  const watch = replacing(onePool());
  assert.deepEqual(watch.opened('identity.new-device')[0]?.severity, 'info');
  assert.deepEqual(replacedBy(watch.state)?.device, 'rig-before');
  watch.clear();
  watch.live(20 * MINUTE, showing(onePool('thief.1')));
  const told = watch.statements.at(-1);
  assert.deepEqual([told?.ruleId, told?.severity, told?.reasons], ['identity.new-device', 'high', ['other-account']]);
  assert.deepEqual(usersOf(watch), [undefined]);
  watch.live(HOUR, showing(onePool()));
  assert.deepEqual(watch.statements.at(-1)?.severity, 'high');
});

test('identity.new-device: the account of the device before is learned when it shows, and a person may approve any', () => {
  const watch = replacing(onePool());
  watch.clear();
  watch.live(20 * MINUTE, showing(onePool('owner.w7')));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(usersOf(watch), ['owner.w7']);
  assert.equal(replacedBy(watch.state)?.device, 'rig');
  const approved = replacing(onePool());
  approved.state = accept(approved.state, { by: 'ann', nowMs: approved.nowMs, seq: 92 }).state;
  approved.clear();
  approved.live(HOUR, showing(onePool()));
  assert.deepEqual(approved.said(), []);
  assert.equal(replacedBy(approved.state)?.device, 'rig');
});

// ---- other facts that are left out -----------------------------------------------------------------------------------

const leftOut = (watch: Watch) =>
  watch.opened(ID).map(({ severity, after }) => [severity, (after as { left_out: readonly string[] }).left_out]);

test('visibility.coverage-reduced: what an open surface leaves out for ten minutes is told once, by name, and over when it is told', () => {
  const watch = accepted({});
  const gone = without({ 'firmware.version': 'absent', 'identity.mac': 'absent', 'identity.hashboards': 'unreadable' });
  watch.live(9 * MINUTE, gone);
  assert.deepEqual(watch.said(), []);
  watch.live(2 * HOUR, gone);
  assert.deepEqual(leftOut(watch), [['medium', ['firmware.version', 'identity.hashboards', 'identity.mac']]]);
  assert.equal(notRun(watch).get('firmware.version-changed'), 'absent');
  const { looks } = watch;
  watch.live(HOUR, gone);
  assert.ok(watch.looks - looks <= 70, 'once told it asks for no more looks');
  watch.live(40 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), [`${ID} open`, `${ID} resolved`]);
});

test('visibility.coverage-reduced: an emptied list of pools is told after ten minutes', () => {
  for (const answer of [without({ pools: 'unreadable' }), showing({ pools: [] })]) {
    const watch = accepted({});
    watch.live(50 * MINUTE, answer);
    assert.deepEqual(leftOut(watch), [['medium', ['pools']]]);
    assert.equal(watch.attestations.at(-1)?.checks.failed[0]?.id, ID);
  }
});

test('visibility.coverage-reduced: a serial that became a placeholder is left out; blank serials of boards are none', () => {
  const watch = accepted({});
  watch.live(50 * MINUTE, showing({ 'identity.serial': 'Unknown', 'identity.hashboards': ['', '', ''] }));
  assert.deepEqual(leftOut(watch), [['medium', ['identity.serial']]]);
});

test('visibility.coverage-reduced: a setting, or the serial of a part, that is told no more is low', () => {
  const watch = accepted({});
  watch.live(50 * MINUTE, without({ 'identity.psu': 'absent', 'config.mode': 'absent' }));
  assert.deepEqual(leftOut(watch), [['low', ['config.mode', 'identity.psu']]]);
});

test('visibility.coverage-reduced: boards and supply of a machine that stands still tell nothing', () => {
  const watch = accepted({});
  const still = without(
    { 'identity.psu': 'absent', 'identity.hashboards': 'unreadable' },
    { 'telemetry.hashrate_hs': 0 },
  );
  watch.live(3 * HOUR, still);
  assert.deepEqual(leftOut(watch), []);
});

test('visibility.coverage-reduced: replies that were lost leave nothing out, and lists that are empty now and then are none', () => {
  const lost = accepted({});
  lost.live(3 * HOUR, without({ pools: 'truncated', 'firmware.version': 'timeout' }));
  assert.deepEqual([...new Set(lost.opened(ID).map(({ part }) => part))], ['unread']);
  const empty = accepted({});
  let look = 0;
  empty.live(12 * HOUR, (nowMs) => {
    look += 1;
    return { facts: honest(nowMs), gaps: look % 3 === 0 ? {} : { pools: 'unreadable' } };
  });
  assert.deepEqual(leftOut(empty), []);
});

test('visibility.coverage-reduced: what another firmware does not tell is a matter of that firmware, but for the pools', () => {
  const watch = accepted({});
  watch.live(3 * HOUR, without({ 'firmware.build': 'absent' }, { 'firmware.version': '2026.04.1' }));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 93 }).state;
  watch.clear();
  watch.live(3 * HOUR, without({ 'firmware.build': 'absent' }, { 'firmware.version': '2026.04.1' }));
  assert.deepEqual(watch.said(), []);
});

const NEXT: Facts = { 'firmware.version': '2026.04.1' };
const OTHERS: Facts = { family: 'luxos', 'firmware.version': '2025.3.21' };

test('visibility.coverage-reduced: pools, or their users, that a device tells no more are told while its firmware is in question, planned or not', () => {
  const changes = { ids: ['firmware.version-changed', 'firmware.family-changed'] };
  const standings = [{}, { plans: [plan(30, changes, 0, 24 * 60)] }];
  for (const firmware of [NEXT, OTHERS])
    for (const standing of standings)
      for (const [gaps, more, part, name] of [
        [{ pools: 'unreadable' }, {}, 'left-out', 'pools'],
        [{ pools: 'refused' }, {}, 'left-out', 'pools'],
        [{ pools: 'truncated' }, {}, 'unread', 'pools'],
        [{}, hidden, 'left-out', 'pools.user'],
      ] as const) {
        const watch = accepted({});
        watch.context = under(() => watch.nowMs, standing);
        watch.live(HOUR, without({ 'firmware.build': 'absent' }, firmware));
        assert.equal(watch.said().length, 1, watch.said().join());
        watch.clear();
        const gone = { 'firmware.build': 'absent', ...gaps } as const;
        watch.live(9 * MINUTE, without(gone, { ...firmware, ...more }));
        assert.deepEqual(watch.said(), []);
        watch.live(50 * MINUTE, without(gone, { ...firmware, ...more }));
        assert.deepEqual(
          watch.statements.map(({ ruleId, state, severity, part: of, before }) => [
            ruleId,
            state,
            severity,
            of,
            before,
          ]),
          [[ID, 'open', 'medium', part, { readable: [name] }]],
        );
        watch.live(40 * MINUTE, without({ 'firmware.build': 'absent' }, firmware));
        assert.equal(watch.said().at(-1), `${ID} resolved`);
      }
});

test('visibility.coverage-reduced: a firmware that does not tell its pools while it starts, again and again for ten minutes, is no finding', () => {
  const watch = accepted({});
  watch.live(5 * MINUTE, without({}, NEXT));
  watch.live(3 * MINUTE, without({ pools: 'unreadable' }, NEXT));
  watch.live(2 * MINUTE, () => undefined);
  watch.live(4 * MINUTE, showing({ ...NEXT, pools: [] }));
  watch.live(2 * HOUR, showing(NEXT));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
});

test('visibility.coverage-reduced: what was left out, or closed, before another firmware came neither ends nor is told again while that is open', () => {
  const watch = accepted({});
  const gone = { 'identity.mac': 'absent' } as const;
  watch.live(HOUR, without(gone));
  assert.equal(leftOut(watch).length, 1);
  watch.clear();
  watch.live(3 * HOUR, without({ ...gone, 'config.mode': 'absent' }, NEXT));
  assert.deepEqual(watch.said(), ['firmware.version-changed open']);
  watch.live(40 * MINUTE, without({ 'config.mode': 'absent' }, NEXT));
  assert.deepEqual(watch.said().slice(1), [`${ID} resolved`]);
  const closed = accepted({});
  closed.context = {
    answered: { open: ['4028 pools'], closed: ['web'], of: () => ['web'] },
  };
  closed.state.marks.usuallyClosed = [];
  closed.live(HOUR, without({ 'network.dns': 'refused' }));
  assert.deepEqual(closed.said(), [`${ID} open`]);
  closed.live(2 * HOUR, without({ 'network.dns': 'refused', pools: 'truncated' }, NEXT));
  assert.deepEqual(closed.said().slice(1), ['firmware.version-changed open', `${ID} open`]);
});

test('visibility.coverage-reduced: accepted with the device it is over, and does not come again while it stays left out', () => {
  const watch = accepted({});
  const gone = without({ 'identity.mac': 'absent' }, hidden);
  watch.live(HOUR, gone);
  assert.deepEqual(leftOut(watch), [['medium', ['identity.mac', 'pools.user']]]);
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 94 }).state;
  watch.clear();
  watch.live(2 * HOUR, gone);
  assert.deepEqual(watch.said(), []);
  assert.equal(notRun(watch).get('pool.user-changed'), 'unreadable');
  // Told in between, it is left out anew.
  watch.live(5 * MINUTE, showing({}));
  assert.deepEqual(watch.state.unreadable, []);
  watch.live(HOUR, gone);
  assert.equal(leftOut(watch).length, 1);
});

test('visibility.changed-while-dark: a user that was hidden before the dark is no news, another account is, and a hidden one settles nothing', () => {
  const dark = (before: Facts, after: Facts): Watch => {
    const watch = accepted({});
    watch.live(5 * MINUTE, showing(before));
    watch.live(20 * MINUTE, () => undefined);
    watch.clear();
    watch.live(10 * MINUTE, showing(after));
    return watch;
  };
  assert.deepEqual(dark(hidden, {}).opened('visibility.changed-while-dark'), []);
  const theft = dark(hidden, pools({ user: 'thief.1' }));
  assert.equal(theft.opened('visibility.changed-while-dark')[0]?.severity, 'critical');
  const late = dark({}, hidden);
  assert.deepEqual(late.opened('visibility.changed-while-dark'), []);
  late.live(10 * MINUTE, showing(pools({ user: 'thief.1' })));
  assert.equal(late.opened('visibility.changed-while-dark')[0]?.severity, 'critical');
});

test('a user that is hidden while somebody accepts the device is not forgotten, and no difference', () => {
  const watch = accepted({});
  watch.live(HOUR, showing(hidden));
  assert.deepEqual(diffReference(keptFacts(watch.state.reference?.facts), honest(watch.nowMs, hidden)), []);
  watch.state = accept(watch.state, { by: 'ann', nowMs: watch.nowMs, seq: 95 }).state;
  assert.deepEqual(
    usersOf(watch),
    POOLS.map(({ user }) => user),
  );
  watch.clear();
  watch.live(HOUR, showing({}));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(pools({ user: 'thief.1' })));
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'critical');
  const moved = { pools: [{ ...NO_USER, url: 'stratum+tcp://solo.example:3333' }] };
  assert.equal(diffReference(keptFacts(watch.state.reference?.facts), honest(watch.nowMs, moved))[0]?.fact, 'pools');
});

test('visibility.coverage-reduced: a restart of the agent neither ends it nor tells it again', () => {
  const watch = accepted({});
  const gone = without({ 'identity.mac': 'absent' });
  watch.live(HOUR, gone);
  for (const forget of [false, true]) {
    const read: DeviceState = readDevice(writeDevice(watch.state));
    watch.state = forget ? { ...read, marks: { ...read.marks, leftOut: undefined } } : read;
    watch.live(2 * HOUR, gone);
  }
  assert.deepEqual(watch.said(), [`${ID} open`]);
});

// ---- a model in place of a serial ------------------------------------------------------------------------------------

const m50s = loadSpecimens().find(({ name }) => name === 'whatsminer/m50s-api2') as Specimen;

/** A WhatsMiner whose replies were changed so. */
const supplied = (nowMs: number, change: (text: string) => string): Observation => {
  const replies = Object.entries(whatsminer.queries).map(([name, query]) => {
    const bytes = replyBytes(m50s, questionOf(query));
    if (bytes === undefined) return [name, noReply('unsupported', 'no such question')] as const;
    const text = change(new TextDecoder().decode(bytes));
    return [name, readReply(new TextEncoder().encode(text), { whole: true })] as const;
  });
  return runningOn(normalise(whatsminer, { address: ADDRESS, observedAtMs: nowMs, replies: new Map(replies) }, 'full'));
};

const asSent = (text: string): string => text;
const withoutSerial = (text: string): string => text.replace(/"(?:serial_no|powersn)":"[^"]*",?/g, '');
const otherModel = (text: string): string => withoutSerial(text).replaceAll('P221B', 'P999');

const supply = (watch: Watch, forMs: number, change: (text: string) => string): Watch => {
  for (const endMs = watch.nowMs + forMs; watch.nowMs < endMs; watch.nowMs += 5 * MINUTE)
    watch.take({ kind: 'observed', observation: supplied(watch.nowMs, change) });
  return watch;
};

test('identity.psu-changed: a supply that tells its serial no more is no other supply, though its model stands in', () => {
  const { facts, standIns } = supplied(T0, withoutSerial);
  assert.deepEqual([facts['identity.psu'], standIns.get('identity.psu')], ['P221B', 'absent']);
  const watch = supply(supply(new Watch(), 10 * MINUTE, asSent), HOUR, withoutSerial);
  assert.deepEqual(
    watch.said().filter((said) => said.startsWith('identity.')),
    [],
  );
  assert.deepEqual(leftOut(watch), [['low', ['identity.psu']]]);
});

test('identity.psu-changed: where no supply ever told a serial its model is compared', () => {
  const watch = supply(new Watch(), HOUR, withoutSerial);
  assert.deepEqual(watch.said(), []);
  supply(watch, HOUR, otherModel);
  assert.ok(watch.said().includes('identity.psu-changed open'), watch.said().join());
  // As a store of an earlier version has it: the model, and nothing that says whose place it took.
  const before = supply(new Watch(), 10 * MINUTE, withoutSerial);
  const { standIns: _, ...reference } = before.state.reference as Reference;
  const { standIns: __, ...attested } = before.state.attested as Attested;
  before.state = { ...before.state, reference, attested };
  assert.deepEqual(supply(before, 2 * HOUR, withoutSerial).said(), []);
});
