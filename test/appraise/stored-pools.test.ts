import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparable } from '../../agent/appraise/stand-ins.ts';
import { mskminer } from '../../agent/drivers/mskminer.ts';
import { sealminer } from '../../agent/drivers/sealminer.ts';
import { vnish } from '../../agent/drivers/vnish.ts';
import { noReply } from '../../agent/probe/reply.ts';
import { type Edits, type Shown, SpecimenLife } from './specimen-life.ts';
import { observationOf } from './watch.ts';

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

/** A stored slot that somebody changed, and the document without its list. */
const LACKING = [
  { driver: mskminer, name: 'mskminer/s19', changed: STORED, list: ['"miner_conf"', '"conf_of_miner"'] },
  {
    driver: vnish,
    name: 'vnish/s19jpro-1.2.6',
    changed: [
      ['"url":"pool-b.example:3333","user":"acme.r7-19","pass"', '"url":"thief.example:3333","user":"x","pass"'],
    ],
    list: [/"pools":(?=\[[^\]]*"pass")/g, '"earlier":'],
  },
  {
    driver: sealminer,
    name: 'sealminer/a2',
    changed: [['"user":"acme.s21","pass"', '"user":"thief.x","pass"']],
    list: ['"pools":', '"earlier":'],
  },
] as const satisfies readonly { changed: Edits; list: Edits[number]; [further: string]: unknown }[];

for (const { driver, name, changed, list } of LACKING) {
  test(`a document of ${driver.title} without the list that it has shown ends nothing, and what runs is not what is stored`, () => {
    const device = new SpecimenLife(driver, name);
    const watch = device.settle();
    device.live(5, { edits: changed });
    assert.ok(watch.said().some((statement) => /^pool\..* open$/.test(statement)));
    watch.clear();
    device.live(5, { edits: [...changed, list] });
    device.live(5, { edits: [list] });
    assert.deepEqual(watch.said(), []);
  });
}

test('pools whose place is empty are not read, never absent, and a stranger among those that run is told', () => {
  const { state, nowMs } = life().settle();
  const running = ['stratum+tcp://pool.example:3333', 'stratum+tcp://thief.example:3333'];
  const rows = running.map((url, slot) => ({ slot, url, user: 'acme.s19-07', priority: slot }));
  const observation = observationOf('full', nowMs, { facts: { family: 'mskminer', pools: rows } });
  const seen = comparable(state, { ...observation, standIns: new Map([['pools', 'absent']]) });
  assert.deepEqual([seen.facts.pools, seen.gaps.get('pools')], [undefined, 'unreadable']);
  assert.deepEqual(seen.toldPools, rows.slice(1));
});

test('without its log-in the pools of an MSKMiner are those that run', () => {
  const device = life();
  const watch = device.settle(WITHOUT);
  device.live(5, { ...WITHOUT, edits: [['acme.s19-07', 'thief.x']] });
  assert.deepEqual(watch.said(), ['pool.user-changed open', 'pool.user-changed open']);
});
