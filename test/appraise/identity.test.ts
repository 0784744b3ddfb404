import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accept } from '../../agent/appraise/accept.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { compareIdentity, sharedKey } from '../../agent/appraise/identity.ts';
import { promote } from '../../agent/appraise/promote.ts';
import { replacedBy } from '../../agent/appraise/replaced.ts';
import type { AllowList } from '../../agent/appraise/rule.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { Facts } from '../../shared/facts.ts';
import { plan, reference, under } from './standing.ts';
import { ADDRESS, HOUR, honest, MINUTE, observationOf, POOLS, pools, SECOND, showing, T0, Watch } from './watch.ts';

test('identity.new-device: a machine that appears after the first pass is info; in the first pass it is learned silently', () => {
  const late = new Watch({ inFirstPass: false }, 'range');
  late.live(3 * MINUTE, showing({}));
  assert.deepEqual(late.said(), ['identity.new-device open']);
  assert.equal(late.statements[0]?.severity, 'info');
  assert.deepEqual(
    late.attestations.map(({ trigger, verdict }) => [trigger, verdict.learn]),
    [
      ['first', 'all'],
      ['change', undefined],
    ],
  );
  const first = new Watch({}, 'range');
  first.live(3 * MINUTE, showing({}));
  assert.deepEqual(first.said(), []);
});

test('identity.new-device: among commissioned devices it is medium and stays until somebody accepts it', () => {
  const watch = new Watch({ inFirstPass: false, amongCommissioned: true }, 'range');
  watch.live(30 * HOUR, showing({}));
  assert.deepEqual(watch.said(), ['identity.new-device open']);
  assert.equal(watch.statements[0]?.severity, 'medium');
  assert.equal(watch.statements[0]?.severityBase, 'info');
});

test('identity.new-device: elsewhere it is new for a day', () => {
  const watch = new Watch({ inFirstPass: false }, 'range');
  watch.live(25 * HOUR, showing({}));
  assert.deepEqual(watch.said(), ['identity.new-device open', 'identity.new-device resolved']);
});

/** What a machine worked for whose address this one has now. */
const BEFORE = { device: 'mac-020000000007', pools: POOLS };

/** A machine that stands where another one stood, in a range that was searched long ago. */
const replacing = (context: ConstructorParameters<typeof Watch>[0] = {}): Watch => {
  const watch = new Watch({ inFirstPass: false, ...context }, 'range');
  watch.state = { ...watch.state, replaces: BEFORE };
  return watch;
};

const THIEF = pools({ user: 'thief.1' });

test('identity.new-device: in the place of another machine an e-mail log-in under another domain is another account', () => {
  const known = pools(...POOLS.map(() => ({ user: 'ops@acme.example/rig1' }))).pools ?? [];
  const watch = new Watch({ inFirstPass: false }, 'range');
  watch.state = { ...watch.state, replaces: { ...BEFORE, pools: known } };
  const user = 'ops@acme.attacker.net/rig1';
  watch.live(3 * MINUTE, showing(pools(...POOLS.map(() => ({ user })))));
  const [finding] = watch.statements;
  assert.deepEqual(
    [finding?.ruleId, finding?.severity, finding?.reasons],
    ['identity.new-device', 'high', ['other-account']],
  );
});

test('identity.new-device: in the place of another machine it is high when it works for another account, and its pools are not learned', () => {
  const watch = replacing();
  watch.live(3 * MINUTE, showing(THIEF));
  const [finding, ...others] = watch.statements;
  assert.deepEqual(
    [finding?.ruleId, finding?.severity, finding?.reasons, others.length],
    ['identity.new-device', 'high', ['other-account'], 0],
  );
  const rig = { url: 'stratum+tcp://eu.pool.example:3333', user: 'acme.rig0417' };
  const before = finding?.before as { readonly device: string; readonly pools: readonly object[] };
  const after = finding?.after as { readonly serial: string; readonly pools: readonly object[] };
  assert.deepEqual([before.device, before.pools[0]], ['mac-020000000007', rig]);
  assert.deepEqual([after.serial, after.pools[0]], ['JYZZ12345678', { ...rig, user: 'thief.1' }]);
  assert.equal(finding?.firstObservedAt, T0 / 1000, 'it is told at the second look');
  assert.equal(finding?.beforeAt, undefined, 'when the other one was seen last is its own matter');
  const { facts } = watch.state.reference ?? {};
  assert.equal(keptFacts(facts).pools, undefined);
  assert.equal(keptFacts(facts)['identity.serial'], 'JYZZ12345678');
  const [entry] = watch.state.reference?.entries ?? [];
  assert.equal(entry?.facts?.includes('identity.serial'), true);
  assert.equal(entry?.facts?.includes('pools'), false);
});

test('identity.new-device: another account stays a finding after a day, says what it became, and ends when a person accepts it', () => {
  const watch = replacing();
  watch.live(30 * HOUR, showing(THIEF));
  assert.deepEqual(watch.said(), ['identity.new-device open']);
  watch.live(HOUR, (nowMs) => ({ facts: honest(nowMs), gaps: { pools: 'timeout' } }));
  assert.deepEqual(watch.said(), ['identity.new-device open'], 'what cannot be read ends nothing');
  const looks = watch.looks;
  watch.live(HOUR, showing(pools({ user: 'thief.2' })));
  assert.deepEqual(watch.said(), ['identity.new-device open', 'identity.new-device open']);
  assert.ok(watch.looks - looks < 80);
  const accepted = accept(watch.state, { by: 'anna', nowMs: watch.nowMs, seq: 900 });
  assert.deepEqual(
    accepted.transitions.map(({ ruleId, state }) => [ruleId, state]),
    [['identity.new-device', 'approved']],
  );
  watch.state = accepted.state;
  watch.clear();
  watch.live(2 * HOUR, showing(pools({ user: 'thief.2' })));
  assert.deepEqual(watch.said(), []);
  watch.live(20 * MINUTE, showing({}));
  assert.equal(watch.opened('pool.user-changed').length, 1);
});

test('identity.new-device: in the place of another machine it is learned when it works for the same account at the same pool', () => {
  for (const same of [{}, pools({ user: 'acme.rig0900' }), pools({ url: 'stratum+tcp://asia.pool.example:3333' })]) {
    const watch = replacing();
    watch.live(3 * MINUTE, showing(same));
    assert.deepEqual([watch.said(), watch.statements[0]?.severity], [['identity.new-device open'], 'info']);
    assert.notEqual(keptFacts(watch.state.reference?.facts).pools, undefined);
    watch.clear();
    watch.live(20 * MINUTE, showing(THIEF));
    assert.equal(
      watch.opened('pool.user-changed')[0]?.severity,
      'critical',
      'from then on it has a reference of its own',
    );
  }
});

test('identity.new-device: where approvers are named a list that was edited since takes nothing away; one that was not does', () => {
  const ours: AllowList = [{ url: '*', user: 'acme.*' }];
  const wider: AllowList = [{ url: '*', user: 'thief.*' }, ...ours];
  let edits = 0;
  const listed = (allow: AllowList | undefined, people = 2) => ({
    ...(allow === undefined ? {} : { allow }),
    people,
    policy: `edit ${edits++}`,
  });
  /** What the next machine shows of it that comes to the place of this one, under that list. */
  const after = ({ state }: Watch, allow: AllowList, people?: number): readonly string[] => {
    const next = new Watch({ inFirstPass: false, ...listed(allow, people) }, 'range');
    const replaces = replacedBy(readDevice(writeDevice(state)));
    if (replaces !== undefined) next.state = { ...next.state, id: 'next', replaces };
    next.live(3 * MINUTE, showing(THIEF));
    return next.opened('identity.new-device').flatMap(({ reasons = [] }) => reasons);
  };
  const healthy = (allow: AllowList | undefined) => new Watch(listed(allow)).live(5 * MINUTE, showing({}));
  const strange = ['other-account'];
  assert.deepEqual(after(healthy(wider), wider.toReversed()), [], 'machines of several accounts are exchanged');
  assert.deepEqual(after(healthy(ours), wider), strange);
  assert.deepEqual(after(healthy(undefined), wider), strange, 'the first list');
  assert.deepEqual(after(healthy(ours), wider, 0), [], 'where nobody is named');
  const robbed = healthy(ours).live(5 * MINUTE, showing(THIEF));
  robbed.context = listed(wider);
  robbed.live(25 * HOUR, showing(THIEF));
  robbed.see('full', { ...THIEF, 'config.mode': 'eco' });
  robbed.live(HOUR, showing({ ...THIEF, 'config.mode': 'eco' }));
  assert.deepEqual(after(robbed, wider), strange, 'it was attested under the new list, and robbed');
  const known = healthy(ours);
  known.context = listed(wider);
  known.live(HOUR, showing({ 'config.mode': 'eco' }));
  assert.deepEqual(after(known, wider), [], 'it was attested under the new list, and nothing was wrong');
  const chained = new Watch({ inFirstPass: false, ...listed(undefined) }, 'range');
  const first = replacedBy(healthy(undefined).state);
  if (first !== undefined) chained.state = { ...chained.state, id: 'chained', replaces: first };
  chained.live(5 * MINUTE, showing(THIEF));
  chained.context = listed(wider);
  chained.live(HOUR, showing({ ...THIEF, 'config.mode': 'eco' }));
  assert.deepEqual(after(chained, wider), strange, 'one after the other');
  assert.equal(chained.state.tracks[0]?.finding.reasons?.[0], 'other-account', 'and a stranger stays one');
});

test('identity.new-device: the account at another pool is medium; a line of the list that names users allows both', () => {
  const elsewhere = pools({ url: 'stratum+tcp://203.0.113.9:3333' });
  const watch = replacing();
  watch.live(3 * MINUTE, showing(elsewhere));
  assert.deepEqual([watch.statements[0]?.severity, watch.statements[0]?.reasons], ['medium', ['other-pool']]);
  const both = replacing();
  both.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://203.0.113.9:3333', user: 'thief.1' })));
  assert.deepEqual(
    [both.statements[0]?.severity, both.statements[0]?.reasons],
    ['high', ['other-account', 'other-pool']],
  );
  const severityUnder = (allow: AllowList, shown: Facts) => {
    const listed = replacing({ allow });
    listed.live(3 * MINUTE, showing(shown));
    return listed.opened('identity.new-device')[0]?.severity;
  };
  const anybody = [{ url: 'stratum+tcp://*.pool.example:3333' }, { url: 'stratum+tcp://backup.example:3333' }];
  assert.equal(severityUnder([...anybody, { url: '203.0.113.9:3333' }], elsewhere), 'info');
  assert.equal(severityUnder(anybody, THIEF), 'high', 'a line without a user allows the pool, not whoever works there');
  assert.equal(severityUnder([...anybody, { url: 'eu.pool.example:3333', user: 'thief.*' }], THIEF), 'info');
});

/** A known machine that took the place of another one which answered until then. */
const taking = (context: ConstructorParameters<typeof Watch>[0] = {}, shown: Facts = THIEF): Watch => {
  const watch = new Watch({ ...context }, 'range');
  watch.live(20 * MINUTE, showing(shown));
  watch.clear();
  watch.state = { ...watch.state, replaces: { ...BEFORE, sinceMs: watch.nowMs } };
  return watch;
};

test('identity.new-device: a known machine in the place of one that shows nowhere since is high when it works for another account, and approved or over by itself', () => {
  const watch = taking();
  watch.live(HOUR, showing(THIEF));
  assert.deepEqual(watch.said(), [], 'while that one is looked for');
  watch.context = { driven: 'nowhere' };
  watch.live(2 * HOUR, showing(THIEF));
  const [finding, ...others] = watch.statements;
  assert.deepEqual(
    [finding?.ruleId, finding?.severity, finding?.reasons, others.length],
    ['identity.new-device', 'high', ['other-account'], 0],
  );
  assert.equal((finding?.before as { device: string }).device, BEFORE.device);
  const accepted = accept(watch.state, { by: 'anna', nowMs: watch.nowMs, seq: 900 });
  assert.deepEqual(
    [accepted.transitions.map(({ state }) => state), accepted.state.replaces],
    [['approved'], undefined],
  );
  const { state } = watch;
  watch.context = { driven: undefined };
  watch.live(HOUR, showing(THIEF));
  assert.equal(watch.said().length, 1, 'it stays while nobody knows');
  watch.context = { driven: 'elsewhere' };
  watch.live(10 * MINUTE, showing(THIEF));
  assert.deepEqual(watch.said(), ['identity.new-device open', 'identity.new-device resolved']);
  assert.equal(watch.state.replaces, undefined);
  const [track] = state.tracks;
  assert.ok(track !== undefined);
  assert.equal(promote(state, [track], { by: 'anna', nowMs: watch.nowMs }).state.replaces, undefined);
});

test('identity.new-device: one that nobody accepted yet is new and no more, once the one whose place it took is found', () => {
  const watch = new Watch({ inFirstPass: false, amongCommissioned: true }, 'range');
  watch.live(20 * MINUTE, showing(THIEF));
  watch.state = { ...watch.state, replaces: { ...BEFORE, sinceMs: watch.nowMs } };
  for (const driven of ['nowhere', 'elsewhere'] as const) {
    watch.context = { ...watch.context, driven };
    watch.live(HOUR, showing(THIEF));
  }
  const told = watch.statements.map(({ ruleId, severity, reasons, after }) => {
    const { serial, pools: shown } = after as { readonly serial?: string; readonly pools?: unknown };
    return [ruleId, severity, reasons, serial, shown !== undefined];
  });
  assert.deepEqual(told, [
    ['identity.new-device', 'medium', undefined, 'JYZZ12345678', false],
    ['identity.new-device', 'high', ['other-account'], 'JYZZ12345678', true],
    ['identity.new-device', 'medium', undefined, 'JYZZ12345678', false],
  ]);
});

test('identity.new-device: a known machine in the place of another one is no matter where that one is found, or where it works for the same', () => {
  for (const [driven, shown] of [
    ['elsewhere', THIEF],
    ['nowhere', {}],
    ['nowhere', pools({ user: 'acme.rig0900' })],
  ] as const) {
    const watch = taking({}, shown);
    watch.context = { driven };
    watch.live(HOUR, showing(shown));
    assert.deepEqual([watch.said(), watch.state.replaces], [[], undefined]);
  }
});

test('identity.new-device: pools that nobody could read of a machine are not learned in the place of another one that is looked for', () => {
  const unread = (nowMs: number) => ({ facts: honest(nowMs), gaps: { pools: 'timeout' } as const });
  const watch = new Watch({}, 'range');
  watch.live(20 * MINUTE, unread);
  watch.clear();
  watch.state = { ...watch.state, replaces: { ...BEFORE, sinceMs: watch.nowMs } };
  watch.live(HOUR, showing(THIEF));
  assert.deepEqual([watch.said(), keptFacts(watch.state.reference?.facts).pools], [[], undefined]);
  watch.context = { driven: 'nowhere' };
  watch.live(HOUR, unread);
  assert.deepEqual(watch.said(), [], 'what cannot be read begins nothing');
  watch.live(HOUR, showing(THIEF));
  assert.deepEqual([watch.said(), watch.statements[0]?.severity], [['identity.new-device open'], 'high']);
  assert.equal(keptFacts(watch.state.reference?.facts).pools, undefined);
  watch.context = { driven: 'elsewhere' };
  watch.live(HOUR, showing(THIEF));
  assert.notEqual(keptFacts(watch.state.reference?.facts).pools, undefined);
});

test('identity.address-moved: the addresses that a machine left are kept with it for a week, the last eight of them', () => {
  const watch = new Watch({}, 'range');
  const at = (address: string) => watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs), address }));
  at(ADDRESS);
  for (let last = 1; last <= 10; last += 1) at(`10.20.15.${last}`);
  assert.deepEqual(
    watch.state.left?.map(({ address }) => address),
    [2, 3, 4, 5, 6, 7, 8, 9].map((last) => `10.20.15.${last}`),
  );
  watch.live(8 * 24 * HOUR, (nowMs) => ({ facts: honest(nowMs), address: '10.20.15.10' }));
  at('10.20.15.1');
  assert.deepEqual(
    watch.state.left?.map(({ address }) => address),
    ['10.20.15.10'],
  );
});

test('identity.new-device: pools that are read later are held against those before all the same, and learned when they are these', () => {
  const watch = replacing();
  const unread = (nowMs: number) => ({ facts: honest(nowMs), gaps: { pools: 'timeout' } as const });
  watch.live(HOUR, unread);
  watch.live(20 * MINUTE, showing(THIEF));
  assert.deepEqual(
    watch.statements.map(({ ruleId, severity }) => [ruleId, severity]),
    [
      ['identity.new-device', 'info'],
      ['identity.new-device', 'high'],
    ],
  );
  watch.live(HOUR, showing({}));
  assert.notEqual(keptFacts(watch.state.reference?.facts).pools, undefined);
  const late = replacing();
  late.live(25 * HOUR, unread);
  late.clear();
  late.live(20 * MINUTE, showing(THIEF));
  assert.deepEqual([late.said(), late.statements[0]?.severity], [['identity.new-device open'], 'high']);
});

test('identity.new-device: what takes the place of a known machine is no part of a first pass', () => {
  const watch = replacing({ inFirstPass: true });
  watch.live(3 * MINUTE, showing(THIEF));
  assert.deepEqual([watch.said(), watch.statements[0]?.severity], [['identity.new-device open'], 'high']);
});

test('identity.new-device: pools that a document holds are a matter of the rules of pools', () => {
  const shownUnder = (fact: string, text: string) => {
    const watch = replacing();
    watch.context = {
      ...watch.context,
      ...under(() => watch.nowMs, { references: [reference(900, [{ fact, class: 'template', value: text }])] }),
    };
    watch.live(3 * MINUTE, showing(THIEF));
    return watch.opened('identity.new-device')[0]?.severity;
  };
  assert.equal(shownUnder('pools.user', '*'), 'info');
  assert.equal(shownUnder('pools.url', '*'), 'high');
});

test('identity.new-device: a plan for an intake covers another account only where it says which', () => {
  const weightUnder = (expected: readonly { readonly fact: string; readonly value: string | string[] }[]) => {
    const watch = replacing();
    const expected_after = expected.map((one) => ({ ...one, class: 'template' as const }));
    const terms = { ids: ['identity.new-device'], ...(expected.length === 0 ? {} : { expected_after }) };
    watch.context = { ...watch.context, ...under(() => watch.nowMs, { plans: [plan(900, terms, -10)] }) };
    watch.live(3 * MINUTE, showing(THIEF));
    return watch.opened('identity.new-device')[0]?.severity;
  };
  assert.equal(weightUnder([]), 'high');
  assert.equal(weightUnder([{ fact: 'network.hostname', value: 'miner-*' }]), 'high');
  assert.equal(weightUnder([{ fact: 'pools.user', value: '*' }]), 'high', 'anybody is not a word of who');
  assert.equal(weightUnder([{ fact: 'pools.user', value: ['thief.*', 'acme.*'] }]), 'info');
});

const OTHER_MACHINE: Facts = {
  'identity.serial': 'JYZZ99999999',
  'identity.mac': '02:99:99:99:99:99',
  'identity.control_board': 'CB00999999999999',
};

test('identity.hardware-swapped: board, serial and MAC new, hashboards and supply kept', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing(OTHER_MACHINE));
  assert.deepEqual(watch.said(), ['identity.hardware-swapped open']);
  assert.equal(watch.statements[0]?.severity, 'high');
  assert.deepEqual(watch.statements[0]?.after, [
    { key: 'control_board', value: 'CB00999999999999' },
    { key: 'mac', value: '02:99:99:99:99:99' },
    { key: 'serial', value: 'JYZZ99999999' },
  ]);
});

test('identity.hardware-swapped: a component has the name of the fact it came from', () => {
  const chip: Facts = { 'identity.chip_id': '80b4a1c200f1e3d4', 'identity.serial': 'Unknown' };
  const watch = new Watch();
  watch.live(2 * MINUTE, showing(chip));
  const other = { 'identity.hashboards': ['X1', 'X2', 'X3'], 'identity.chip_id': '80b4a1c2ffffe3d4' };
  watch.live(20 * MINUTE, showing({ ...chip, ...other }));
  const [swapped] = watch.opened('identity.hardware-swapped');
  assert.deepEqual(
    (swapped?.after as readonly { key: string }[]).map(({ key }) => key),
    ['chip_id', 'hashboards'],
  );
});

test('identity.hardware-swapped: a chip is not held against a board', () => {
  const chip: Facts = { 'identity.chip_id': '80b4a1c200f1e3d4', 'identity.serial': 'JYZZ12345678' };
  const board: Facts = { 'identity.control_board': 'CB00240915331207', 'identity.serial': 'JYZZ12345678' };
  assert.deepEqual(compareIdentity(chip, board), { ratio: 1, available: 5, equal: ['serial'], differing: [] });
});

test('identity.hardware-swapped: a randomised MAC alone is none', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, (nowMs) => ({ facts: honest(nowMs, { 'identity.mac': '02:77:77:77:77:77' }) }));
  assert.deepEqual(watch.said(), []);
});

test('identity.hardware-swapped: everything else is another machine at the position', () => {
  const watch = Watch.known();
  watch.live(
    30 * MINUTE,
    showing({ ...OTHER_MACHINE, 'identity.hashboards': ['X1', 'X2', 'X3'], 'identity.psu': 'PSU9999999999999' }),
  );
  assert.deepEqual(watch.opened('identity.hardware-swapped')[0]?.reasons, ['machine-replaced']);
});

test('identity.hardware-swapped: with little to compare it is weak and at most medium', () => {
  const bare: Facts = {
    'identity.serial': 'Unknown',
    'identity.control_board': 'AMLOGIC',
    'identity.hashboards': ['', '', ''],
    'identity.psu': 'APW12',
  };
  const watch = new Watch();
  watch.live(2 * MINUTE, showing(bare));
  watch.live(20 * MINUTE, showing({ ...bare, 'identity.mac': '02:99:99:99:99:99' }));
  assert.deepEqual(watch.said(), ['identity.hardware-swapped open']);
  assert.deepEqual([watch.statements[0]?.severity, watch.statements[0]?.reasons], ['medium', ['weak']]);
});

test('identity.hardware-swapped: components that did not arrive are no evidence', () => {
  const watch = Watch.known();
  const lost = { 'identity.serial': 'timeout', 'identity.hashboards': 'timeout', 'identity.psu': 'timeout' } as const;
  watch.live(20 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, { 'identity.mac': '02:77:77:77:77:77', 'identity.control_board': 'AMLOGIC' }),
    gaps: lost,
  }));
  assert.deepEqual(watch.said(), []);
});

test('identity.hashboard-changed: another serial among the boards is medium after ten minutes', () => {
  const watch = Watch.known();
  const boards = { 'identity.hashboards': ['HB1002003001', 'HB1002003002', 'HB7777777777'] };
  watch.live(9 * MINUTE, showing(boards));
  assert.deepEqual(watch.said(), []);
  watch.live(30 * MINUTE, showing(boards));
  assert.deepEqual(watch.said(), ['identity.hashboard-changed open']);
  assert.equal(watch.statements[0]?.severity, 'medium');
});

test('identity.hashboard-changed: boards in another order and serials that are blank after boot are none', () => {
  const watch = Watch.known();
  watch.live(30 * MINUTE, showing({ 'identity.hashboards': ['HB1002003003', 'HB1002003001', 'HB1002003002'] }));
  watch.live(30 * MINUTE, showing({ 'identity.hashboards': ['', '', ''] }));
  watch.live(30 * MINUTE, showing({ 'identity.hashboards': ['HB1002003001', '', 'Unknown'] }));
  assert.deepEqual(watch.said(), []);
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    [],
  );
});

test('identity.hashboard-changed: one exchanged board of a machine without serial and supply is that, and no swapped machine', () => {
  const bare: Facts = {
    'identity.serial': 'Unknown',
    'identity.control_board': 'AMLOGIC',
    'identity.psu': 'APW12',
  };
  const exchanged = (...boards: readonly string[]) => {
    const watch = new Watch();
    watch.live(2 * MINUTE, showing(bare));
    watch.live(40 * MINUTE, showing({ ...bare, 'identity.hashboards': [...boards] }));
    return watch.said();
  };
  assert.deepEqual(exchanged('HB1002003001', 'HB7777777777', 'HB1002003003'), ['identity.hashboard-changed open']);
  assert.deepEqual(exchanged('HB1002003001', 'HB7777777777', 'HB8888888888'), [
    'identity.hardware-swapped open',
    'identity.hashboard-changed open',
  ]);
});

test('identity.psu-changed: another supply is low after ten minutes; one that is blank after boot, or unknown, is none', () => {
  const blank = Watch.known();
  blank.live(30 * MINUTE, showing({ 'identity.psu': '' }));
  blank.live(30 * MINUTE, showing({ 'identity.psu': 'Unknown' }));
  assert.deepEqual(blank.said(), []);
  const watch = Watch.known();
  const other = { 'identity.psu': 'PSU2026010100001' };
  watch.live(9 * MINUTE, showing(other));
  assert.deepEqual(watch.said(), []);
  watch.live(30 * MINUTE, showing(other));
  assert.deepEqual(watch.said(), ['identity.psu-changed open']);
  assert.deepEqual(
    watch.statements.map(({ severity, before, after }) => [severity, before, after]),
    [['low', 'PSU2024091500417', 'PSU2026010100001']],
  );
});

const LISTED = {
  lists: { 'import-2026': { maker: ['acme*'], soc: ['cb0024*'], origin: ['XX'] }, makers: { maker: ['BITMAIN'] } },
  record: ['site', 'lot'],
};

test('identity.provenance-flagged: a controller on a list, and a label that is missing, are stated as they are', () => {
  const watch = new Watch({ provenance: LISTED });
  watch.live(HOUR, showing({}));
  assert.deepEqual(
    watch
      .opened('identity.provenance-flagged')
      .map(({ severity, basis, part, after, reasons }) => [severity, basis, part, after, reasons]),
    [
      [
        'info',
        'human',
        'import-2026 soc',
        { list: 'import-2026', field: 'soc', value: 'CB00240915331207' },
        ['listed'],
      ],
      ['info', 'human', 'makers maker', { list: 'makers', field: 'maker', value: 'bitmain' }, ['listed']],
      ['info', 'human', 'record', { missing: ['lot'] }, ['incomplete']],
    ],
  );
});

test('identity.provenance-flagged: labels are looked up as well; what is on no list, and without lists, is none', () => {
  const watch = new Watch({ provenance: LISTED });
  watch.state = { ...watch.state, labels: { site: 'tx1', lot: '7', origin: 'xx' } };
  watch.live(HOUR, showing({ 'identity.control_board': 'AMLOGIC', 'identity.make': 'acme corp' }));
  assert.deepEqual(
    watch.opened('identity.provenance-flagged').map(({ part }) => part),
    ['import-2026 maker', 'import-2026 origin'],
  );
  const others = new Watch({ provenance: { lists: { a: { soc: ['zynq'] } }, record: ['site'] } });
  others.live(HOUR, showing({}));
  assert.deepEqual(others.said(), []);
  const none = new Watch();
  none.live(HOUR, showing({}));
  assert.deepEqual(none.said(), []);
});

test('identity.provenance-flagged: a look that did not read the controller does not end it; another list does', () => {
  const watch = new Watch({ provenance: LISTED });
  watch.live(20 * MINUTE, showing({}));
  watch.clear();
  watch.live(HOUR, (nowMs) => ({ facts: honest(nowMs), gaps: { 'identity.control_board': 'timeout' } }));
  assert.deepEqual(watch.said(), []);
  watch.context = { provenance: { lists: {}, record: [] }, policy: 'b' };
  watch.live(HOUR, showing({}));
  assert.deepEqual(watch.said(), Array(3).fill('identity.provenance-flagged resolved'));
});

/** Another device that shows the serial of this one, last seen so long ago. */
const twin = (watch: Watch, agoMs: number) => ({
  device: 'other',
  address: '10.20.14.8',
  key: 'serial' as const,
  value: 'JYZZ12345678',
  fullMs: watch.nowMs - agoMs,
});

test('identity.duplicate: one serial at two addresses within two minutes is high at the second look, and ends with the other one', () => {
  const watch = Watch.known();
  for (let look = 0; look < 3; look += 1, watch.nowMs += 10_000) {
    watch.context = { twins: [twin(watch, 20_000)] };
    watch.see('full');
  }
  assert.deepEqual(watch.said(), ['identity.duplicate open']);
  assert.deepEqual(
    [watch.statements[0]?.severity, watch.statements[0]?.after],
    ['high', { key: 'serial', value: 'JYZZ12345678', addresses: ['10.20.14.7', '10.20.14.8'] }],
  );
  watch.context = { twins: [] };
  watch.live(20 * MINUTE, showing({}));
  assert.equal(watch.said().at(-1), 'identity.duplicate resolved');
});

test('identity.duplicate: a lease that moved in the middle of a round is none: the other address was not seen since', () => {
  const watch = Watch.known();
  for (let look = 0; look < 4; look += 1, watch.nowMs += 10_000) {
    watch.context = { twins: look < 2 ? [twin(watch, 9 * MINUTE)] : [] };
    watch.see('full');
  }
  assert.deepEqual(watch.said(), []);
});

test('identity.duplicate: another one that was seen at a time to come was not seen at the same time', () => {
  for (const aheadMs of [SECOND, MINUTE, HOUR]) {
    const watch = Watch.known();
    for (let look = 0; look < 3; look += 1, watch.nowMs += 10_000) {
      watch.context = { twins: [twin(watch, -aheadMs)] };
      watch.see('full');
    }
    assert.deepEqual(watch.said(), [], `${aheadMs} ms ahead`);
  }
});

test('identity.address-moved: the same machine at another address is info and ends by itself', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs), address: '10.20.14.93' }));
  assert.deepEqual(watch.said(), ['identity.address-moved open', 'identity.address-moved resolved']);
  assert.deepEqual(
    [watch.statements[0]?.before, watch.statements[0]?.after, watch.statements[0]?.severity],
    ['10.20.14.7', '10.20.14.93', 'info'],
  );
  assert.equal(watch.state.address, '10.20.14.93');
});

test('identity.address-moved: to another rack or feeder, as labels say, it is low', () => {
  const moved = (formerLabels: { readonly [name: string]: string }) => {
    const watch = Watch.known({ formerLabels });
    watch.state = { ...watch.state, labels: { rack: 'r2', feeder: 'f1' } };
    watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs), address: '10.20.14.93' }));
    const [finding] = watch.opened('identity.address-moved');
    return [finding?.severity, finding?.reasons];
  };
  assert.deepEqual(moved({ rack: 'r1', feeder: 'f1' }), ['low', ['other-rack']]);
  assert.deepEqual(moved({ rack: 'r2', feeder: 'f1' }), ['info', undefined]);
  assert.deepEqual(moved({}), ['info', undefined]);
});

test('identity.address-moved: ends as well where every look is a full one', () => {
  const watch = Watch.known();
  for (let look = 0; look < 6; look += 1) {
    watch.nowMs += MINUTE;
    const answer = { facts: honest(watch.nowMs), address: '10.20.14.93' };
    watch.take({ kind: 'observed', observation: observationOf('full', watch.nowMs, answer) });
  }
  assert.deepEqual(watch.said(), ['identity.address-moved open', 'identity.address-moved resolved']);
});

test('identity.address-moved: the same address is none', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
});

test('identity is compared by weight: 15 of 16 is the same machine, 6 of 16 a swapped one', () => {
  const machine = honest(T0);
  assert.equal(compareIdentity(machine, { ...machine, 'identity.mac': '02:77:77:77:77:77' }).ratio, 15 / 16);
  assert.equal(compareIdentity(machine, { ...machine, ...OTHER_MACHINE }).ratio, 6 / 16);
  assert.deepEqual(compareIdentity(machine, {}), { ratio: 0, available: 0, equal: [], differing: [] });
});

test('identity: boards count by the share that is the same, and one that is lost or shown twice is not another one', () => {
  const boards = (...serials: readonly string[]): Facts => ({
    'identity.mac': '02:1a:2b:3c:4d:5e',
    'identity.hashboards': serials,
  });
  const machine = boards('B1', 'B2', 'B3');
  const likeness = (other: Facts) => {
    const { ratio, available, differing } = compareIdentity(machine, other);
    return [ratio.toFixed(3), available, differing];
  };
  const whole = ['1.000', 5, []];
  assert.deepEqual(likeness(boards('B3', 'B1')), whole, 'lost');
  assert.deepEqual(likeness(boards('B3', '', 'B1')), whole, 'blank');
  assert.deepEqual(likeness(boards('B3', 'B1', 'B1')), whole, 'shown twice');
  assert.deepEqual(likeness(boards('B1', 'B8', 'B3')), ['0.733', 5, ['hashboards']]);
  assert.deepEqual(likeness(boards('B1', 'B8', 'B9')), ['0.467', 5, ['hashboards']]);
  assert.deepEqual(likeness(boards('B7', 'B8', 'B9')), ['0.200', 5, ['hashboards']]);
  assert.deepEqual(likeness(boards('', '')), ['1.000', 1, []]);
  assert.deepEqual(sharedKey(machine, boards('B3', '', 'B1')), { key: 'hashboards', value: 'B1 B3' });
  assert.equal(sharedKey(machine, boards('B1', 'B8', 'B3')), undefined);
});

test('identity: types of boards and supplies, factory MACs and unknown serials identify nothing', () => {
  const types: Facts = {
    'identity.serial': 'Unknown',
    'identity.mac': '00:0a:35:00:00:00',
    'identity.control_board': 'CVITEK-CV1835',
    'identity.psu': 'APW121215a',
    'identity.hashboards': ['0000', '0000'],
  };
  assert.equal(compareIdentity(types, types).available, 0);
  const board: Facts = { 'identity.control_board': 'ALLWINNER_H616 V10' };
  assert.equal(compareIdentity(board, board).available, 0);
});

test('identity: comparing is symmetric, and a machine is itself in whatever order its boards stand', () => {
  const text = fc.constantFrom('', 'Unknown', 'SN1', 'SN2', 'CB00240915331207', 'CB00240915331208');
  const record: fc.Arbitrary<Facts> = fc.record(
    {
      'identity.serial': text,
      'identity.mac': fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02', '00:00:00:00:00:00'),
      'identity.control_board': text,
      'identity.hashboards': fc.array(text, { maxLength: 3 }),
      'identity.psu': text,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(record, record, (a, b) => {
      assert.deepEqual(compareIdentity(a, b), compareIdentity(b, a));
      const boards = a['identity.hashboards'];
      const turned = boards === undefined ? a : { ...a, 'identity.hashboards': [...boards].reverse() };
      const { ratio, available } = compareIdentity(a, turned);
      assert.equal(ratio, available === 0 ? 0 : 1);
    }),
    { numRuns: 200 },
  );
});
