import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { cgminer } from '../../agent/drivers/cgminer.ts';
import { type Edits, SpecimenLife } from './specimen-life.ts';

/** One damaged name in one row makes the whole list of pools unknown. What the other rows tell counts all the same. */

const life = () => new SpecimenLife(cgminer, 'cgminer/cgminer');

/** In the second row alone. */
const DAMAGED: Edits[number] = ['"User":"bc1-specimen"', '"Us er":"bc1-specimen"'];
const OTHER_USER: Edits[number] = ['"User":"acme.stick"', '"User":"mallory.x"'];
const OTHER_POOL: Edits[number] = [
  '"URL":"stratum+tcp://pool.example:3333"',
  '"URL":"stratum+tcp://thief.example:3333"',
];
const ADDED: Edits[number] = [
  '"POOLS":[',
  '"POOLS":[{"POOL":2,"URL":"stratum+tcp://thief.example:3333","Priority":2,"Quota":1,"User":"mallory"},',
];

const COVERAGE = 'visibility.coverage-reduced';

for (const [what, theft, after] of [
  ['an added one', ADDED, { url: 'stratum+tcp://thief.example:3333', user: 'mallory' }],
  [
    'another pool',
    OTHER_POOL,
    { url: 'stratum+tcp://thief.example:3333', user: 'acme.stick', priority: 0, active: true },
  ],
  [
    'another account',
    OTHER_USER,
    { url: 'stratum+tcp://pool.example:3333', user: 'mallory.x', priority: 0, active: true },
  ],
] as const)
  test(`pool.slot-added: ${what} in a row that is read whole is told, though another row of the list is damaged`, () => {
    const device = life();
    const watch = device.settle();
    device.live(5, { edits: [theft, DAMAGED] });
    assert.deepEqual(watch.said(), ['pool.slot-added open']);
    const [finding] = watch.opened('pool.slot-added');
    assert.deepEqual([finding?.part, finding?.after], ['slot 2', after]);
    // What is unknown is not attested, and not learned.
    assert.ok(watch.state.attested?.missing?.includes('pools'));
    assert.equal(keptFacts(watch.state.reference?.facts).pools?.length, 2);
    watch.clear();
    device.live(10);
    assert.deepEqual(watch.said(), ['pool.slot-added resolved']);
  });

test('of a list with a damaged row nothing is removed, and that it cannot be read is told after ten minutes', () => {
  const device = life();
  const watch = device.settle();
  device.live(9, { edits: [DAMAGED] });
  assert.deepEqual(watch.said(), []);
  device.live(4, { edits: [DAMAGED] });
  assert.deepEqual(watch.said(), [`${COVERAGE} open`]);
  watch.clear();
  device.live(10);
  assert.deepEqual(watch.said(), [`${COVERAGE} resolved`]);
});

test('who damages a row for nine minutes at a time, and tells the known pools in between, hides nothing that the other rows tell', () => {
  const device = life();
  const watch = device.settle();
  for (let turn = 0; turn < 3; turn += 1) {
    device.live(9, { edits: [OTHER_USER, DAMAGED] });
    device.live(9);
  }
  assert.equal(watch.opened('pool.slot-added').length, 3);
  assert.deepEqual(watch.opened(COVERAGE), []);
});

test('a device that is first seen with a damaged row is learned without pools', () => {
  const device = life();
  device.live(10, { edits: [DAMAGED] });
  assert.equal(keptFacts(device.watch.state.reference?.facts).pools, undefined);
});
