import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareIdentity } from '../../agent/appraise/identity.ts';
import type { Facts } from '../../shared/facts.ts';
import { HOUR, honest, MINUTE, observationOf, showing, T0, Watch } from './watch.ts';

test('identity.new-device: a machine that appears after the first pass is info; in the first pass it is learned silently', () => {
  const late = new Watch({ inFirstPass: false }, 'range');
  late.live(3 * MINUTE, showing({}));
  assert.deepEqual(late.said(), ['identity.new-device open']);
  assert.equal(late.statements[0]?.severity, 'info');
  assert.deepEqual(
    late.attestations.map(({ trigger, verdict }) => [trigger, verdict.learn]),
    [['first', 'all']],
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
