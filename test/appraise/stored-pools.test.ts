import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mskminer } from '../../agent/drivers/mskminer.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { type Edits, type Shown, SpecimenLife } from './specimen-life.ts';

/** An MSKMiner tells its stored pools to whoever has its log-in, and to others those that run. */

const life = () => new SpecimenLife(mskminer, 'mskminer/s19');

const WITHOUT: Shown = { closed: (query) => (query === 'info' ? noReply('refused', 'no credentials') : undefined) };
const LATE: Shown = { closed: (query) => (query === 'info' ? noReply('timeout', 'late') : undefined) };

const CLOSED = 'visibility.coverage-reduced';

/** In the stored list alone, whose members have small names. */
const STORED: Edits = [['"url": "stratum+tcp://pool.example:3333"', '"url": "stratum+tcp://thief.example:3333"']];

test('pool.url-changed: a pool that is stored for the next start of an MSKMiner is told, and what runs until then is no added one', () => {
  const device = life();
  const watch = device.settle();
  device.live(5, { edits: STORED });
  assert.deepEqual(watch.said(), ['pool.url-changed open']);
  const [finding] = watch.opened('pool.url-changed');
  assert.deepEqual([finding?.part, finding?.after], ['slot 0', 'stratum+tcp://thief.example:3333']);
  watch.clear();
  device.live(5);
  assert.deepEqual(watch.said(), ['pool.url-changed resolved']);
});

test('pool.slot-added: a pool that an MSKMiner runs and has not stored', () => {
  const device = life();
  const watch = device.settle();
  const edits: Edits = [['"URL":"stratum+tcp://pool.example:3333"', '"URL":"stratum+tcp://thief.example:3333"']];
  device.live(5, { edits });
  assert.deepEqual(watch.said(), ['pool.slot-added open']);
});

test('a log-in of an MSKMiner that is given later, lost, or late now and then changes nothing of its pools', () => {
  for (const [first, then] of [
    [WITHOUT, {}],
    [{}, WITHOUT],
    [{}, LATE],
  ] as const) {
    const device = life();
    const watch = device.settle(first);
    device.live(30, then);
    device.live(30, first);
    device.live(30, then);
    const said = watch.said().filter((statement) => !statement.startsWith(CLOSED));
    assert.deepEqual(said, []);
  }
});

test('without its log-in the pools of an MSKMiner are those that run', () => {
  const device = life();
  const watch = device.settle(WITHOUT);
  device.live(5, { ...WITHOUT, edits: [['acme.s19-07', 'thief.x']] });
  assert.deepEqual(watch.said(), ['pool.user-changed open', 'pool.user-changed open']);
});
