import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { prunableBelow, pruneBatch, restsOn } from '../../agent/record/retention.ts';
import { buildAttestation, buildBaselineLearned, buildFinding } from '../../agent/record/statement.ts';
import type { Store } from '../../agent/record/store.ts';
import { leafHash } from '../../shared/tree.ts';
import { anyStatement, openGateway, restart, TestClock } from './gateway.ts';

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

const prune = (store: Store, below: number, days = 400) => {
  const keep = restsOn(store, [2]);
  const batches = [];
  for (let after: number | undefined = -1; after !== undefined; ) {
    const pruned = pruneBatch(store, { now: NOW, days, below, keep, after });
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
