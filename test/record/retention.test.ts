import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { Log } from '../../agent/record/log.ts';
import { prunableBelow, pruneBatch, restsOn } from '../../agent/record/retention.ts';
import { buildAttestation, buildBaselineLearned, buildFinding } from '../../agent/record/statement.ts';
import type { Store } from '../../agent/record/store.ts';
import { leafHash } from '../../shared/tree.ts';
import { anyStatement, logOptions, openGateway, restart, TestClock, VERSION_6 } from './gateway.ts';

const DAY_S = 86_400;
const NOW = 1_795_339_200 + 500 * DAY_S;

const unreachable = (device: string) =>
  buildAttestation({
    subject: { device, labels: {} },
    address: '10.20.14.7',
    look: { kind: 'unreachable', atMs: 0 },
    trigger: 'unreachable',
    checks: { failed: [], notRun: [], passed: {} },
  });

const finding = (state: Finding['state'], device: string, openedSeq: number): Finding => ({
  ruleId: 'pool.url-changed',
  part: device,
  state,
  severity: 'high',
  severityBase: 'high',
  basis: 'self-reported',
  ruleVersion: 1,
  firstObservedAt: 1_795_339_200,
  surfaces: [],
  openedSeq,
});

/** A log whose first entries are 500 days old and whose last is of today. */
const oldLog = (t: TestContext) => {
  const gateway = openGateway(t);
  const { log } = gateway;
  log.transaction((tx) => {
    tx.append(unreachable('rig-1')); // 1: cited by the baseline in force
    for (const baseline of buildBaselineLearned([{ device: 'rig-1', seq: 1 }])) tx.append(baseline); // 2: in force
    tx.append(unreachable('rig-1')); // 3: evidence of an open finding
    const open = finding('open', 'rig-1', tx.next());
    tx.append(buildFinding({ finding: open, about: { device: 'rig-1', labels: {} }, openedSeq: 4, evidence: [3] })); // 4
    tx.saveFinding(open, 'rig-1');
    const closed = finding('resolved', 'rig-1', tx.next());
    tx.append(buildFinding({ finding: closed, about: { device: 'rig-1', labels: {} }, openedSeq: 5, evidence: [3] })); // 5
    tx.saveFinding({ ...closed, part: 'other' }, 'rig-1');
    tx.append(unreachable('rig-1')); // 6: no longer the newest
    tx.append(unreachable('rig-1')); // 7: the newest of its device
    for (let count = 0; count < 1200; count += 1) tx.append(anyStatement()); // 8 …
  });
  return gateway;
};

const held = (store: Store) => store.entriesFrom(0, 10_000).map(({ seq }) => seq);

const prune = (store: Store, below: number, days = 400, ranS = NOW) => {
  const keep = restsOn(store, [2]);
  const batches = [];
  for (let after: number | undefined = -1; after !== undefined; ) {
    const pruned = pruneBatch(store, { ranS, days, below, keep, after });
    batches.push(pruned.entries);
    after = pruned.after;
    assert.ok(batches.length < 10, 'a pass ends');
  }
  return batches;
};

test('§7: what is older than the retention goes in bounded batches, what the present state rests on stays', (t) => {
  const { store } = oldLog(t);
  const size = store.size();
  const leaves = store.leavesFrom(0, 10_000);
  const batches = prune(store, size);
  assert.ok(batches.every((entries) => entries <= 500));
  assert.ok(batches.length > 1);
  assert.deepEqual(held(store), [1, 2, 3, 4, 7, size - 1]);
  assert.equal(store.size(), size);
  assert.deepEqual(store.leavesFrom(0, 10_000), leaves, 'leaf hashes are kept for ever');
  assert.deepEqual(
    store.findings({ open: false }).map(({ finding: { state } }) => state),
    ['open'],
  );
});

test('§7: nothing at or above the cosigned size goes, and nothing that is young enough', (t) => {
  const { store } = oldLog(t);
  prune(store, 100);
  assert.deepEqual(held(store).slice(0, 7), [1, 2, 3, 4, 7, 100, 101]);
  prune(store, store.size(), 501);
  assert.equal(held(store)[5], 100);
});

test('a wall clock that is wrong by any amount, once or at every start, makes nothing older', (t) => {
  const { dir, store, log, clock } = oldLog(t);
  const size = store.size();
  const before = held(store);
  for (const wrongMs of [405, 30_000, -20_000].map((days) => days * DAY_S * 1000)) {
    clock.wall += wrongMs;
    log.transaction((tx) => void tx.append(anyStatement()));
    prune(store, size, 400, log.ranS());
    clock.wall -= wrongMs;
    log.transaction((tx) => void tx.append(anyStatement()));
    prune(store, size, 400, log.ranS());
  }
  store[Symbol.dispose]();
  const { store: again, log: next } = restart(t, dir, new TestClock(clock.wall + 4000 * DAY_S * 1000));
  prune(again, size, 400, next.ranS());
  assert.deepEqual(held(again).slice(0, size), before);
  assert.equal(again.findings({ open: false }).length, 2);
});

test('time that the agent runs makes entries older, over restarts, whatever their clocks said, and the store stays bounded', (t) => {
  let { dir, store, log, clock } = openGateway(t);
  const counts: number[] = [];
  for (let month = 0; month < 20; month += 1) {
    for (let day = 0; day < 30; day += 1) {
      clock.pass(DAY_S * 1000);
      log.transaction((tx) => void tx.append(anyStatement()));
    }
    prune(store, store.size(), 100, log.ranS());
    counts.push(held(store).length);
    store[Symbol.dispose]();
    // Every other boot begins in 1970, as on hardware that keeps no time.
    clock = new TestClock(month % 2 === 0 ? 0 : clock.wall);
    ({ store, log } = restart(t, dir, clock));
  }
  assert.equal(Math.max(...counts), Math.max(...counts.slice(0, 5)));
  assert.ok(Math.min(...counts.slice(4)) >= 100, `a hundred days are held: ${counts}`);
  const days = store.entriesFrom(3, 1000).filter(({ kind }) => kind === 'coverage').length;
  assert.ok(days >= 100 && days <= 101, `held are ${days}`);
});

test('a log that another one replaces while the agent runs does not count its time twice', (t) => {
  const { dir, store, clock } = openGateway(t);
  clock.pass(300 * DAY_S * 1000);
  const again = () => Log.open(logOptions(store, dir, clock));
  const ranS = again().ranS();
  assert.equal(again().ranS(), ranS);
  const replaces = { signed: undefined, why: 'put back' };
  const next = Log.open(logOptions(store, dir, clock, { replaces }));
  assert.deepEqual([next.ranS(), store.size(), store.lastRan()], [ranS, 2, { ranS }]);
});

test('entries of version 6 go by their own instants, from the newest or the present, whichever is earlier', (t) => {
  const old = (aheadMs: number) => {
    const { dir, store, log, clock } = openGateway(t);
    for (let day = 0; day < 100; day += 1) {
      clock.pass(DAY_S * 1000);
      log.transaction((tx) => void tx.append(anyStatement()));
    }
    store[Symbol.dispose]();
    const db = new DatabaseSync(join(dir, 'assayer.db'));
    db.exec(VERSION_6);
    db.close();
    const next = restart(t, dir, new TestClock(clock.wall + aheadMs));
    prune(next.store, next.store.size(), 40, next.log.ranS());
    return held(next.store).filter((seq) => seq > 2).length;
  };
  assert.deepEqual([old(0), old(4000 * DAY_S * 1000)], [42, 42]);
  assert.equal(old(-50 * DAY_S * 1000), 92);
});

test('a pruned log is continued', (t) => {
  const { dir, store } = oldLog(t);
  prune(store, store.size());
  store[Symbol.dispose]();
  const { store: again } = restart(t, dir, new TestClock(NOW * 1000));
  const last = again.entry(again.size() - 1);
  assert.equal(last?.kind, 'session');
  assert.deepEqual(leafHash(last?.message ?? Buffer.of()), Buffer.from(last?.leaf ?? []));
});

test('§7: where collectors are required only what they have stored and a quorum cosigned may go', () => {
  const below = (uplink: Parameters<typeof prunableBelow>[0]['uplink']) => prunableBelow({ size: 100, uplink });
  assert.equal(below(undefined), 100);
  assert.equal(below({ taken: 90, stored: [], cosigned: 0 }), 90);
  assert.equal(below({ taken: 90, stored: [80, 70], cosigned: 60 }), 60);
  assert.equal(below({ taken: 90, stored: [80, 50], cosigned: 60 }), 50);
  assert.equal(below({ taken: 90, stored: [80], cosigned: 0 }), 0, 'an acknowledgement alone is no evidence');
});
