import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolSlot } from '../../shared/facts.ts';
import { MINUTE, POOLS, pools, showing, Watch } from './watch.ts';

/** The pools with other priorities, the first of which is mined on. */
const ranked = (slots: readonly PoolSlot[], ...priorities: readonly number[]) => ({
  pools: slots.map((slot, index) => ({
    ...slot,
    priority: priorities[index] ?? index,
    active: priorities[index] === 0,
  })),
});

const THIEF = { slot: 3, url: 'stratum+tcp://backup2.example:3333', user: 'dieb.x', priority: 3, active: false };
const ADDED = [...POOLS, THIEF];

const acknowledged = (watch: Watch): Watch => {
  const tracks = watch.state.tracks.map((one) => ({
    ...one,
    finding: { ...one.finding, state: 'acknowledged' as const, by: 'ann' },
  }));
  watch.state = { ...watch.state, tracks };
  watch.clear();
  return watch;
};

test('pool.slot-added: one that somebody acknowledged is open again when it is put to the front and mined on', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing({ pools: ADDED }));
  acknowledged(watch).live(3 * MINUTE, showing(ranked(ADDED, 1, 2, 3, 0)));
  const [finding] = watch.opened('pool.slot-added');
  assert.deepEqual(finding?.after, { url: THIEF.url, user: THIEF.user, priority: 0, active: true });
  assert.equal(finding?.by, undefined);
  assert.deepEqual(watch.said(), ['pool.slot-added open']);
  const { passed } = watch.attestations.at(-1)?.checks ?? {};
  assert.ok(!passed?.['self-reported']?.includes('pool.failover-active'), 'the first pool is not in use');
});

test('pool.slot-added: a finding of a store that knew no order says nothing anew while the slot stays at the end', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing({ pools: ADDED }));
  assert.deepEqual(watch.opened('pool.slot-added')[0]?.after, { url: THIEF.url, user: THIEF.user });
  acknowledged(watch);
  const [track] = watch.state.tracks;
  assert.ok(track);
  watch.state = { ...watch.state, tracks: [{ ...track, finding: { ...track.finding, ruleVersion: 1 } }] };
  watch.live(30 * MINUTE, showing({ pools: ADDED }));
  assert.deepEqual(watch.said(), []);
});

test('pool.priority-changed: pools of the reference that change places are told beside an added and a changed one', () => {
  const renamed = pools({}, {}, { user: 'acme.zz' }).pools ?? [];
  for (const [others, id] of [
    [ADDED, 'pool.slot-added'],
    [renamed, 'pool.user-changed'],
  ] as const) {
    const watch = Watch.known();
    watch.live(3 * MINUTE, showing({ pools: others }));
    assert.deepEqual(watch.said(), [`${id} open`]);
    acknowledged(watch).live(3 * MINUTE, showing(ranked(others, 2, 1, 0, 3)));
    assert.equal(watch.opened('pool.priority-changed').length, 1, id);
    assert.equal(watch.opened('pool.failover-active').length, 1, id);
  }
});

test('pool.priority-changed: the slot that changed is put before the others', () => {
  const renamed = pools({}, {}, { user: 'acme.zz' }).pools ?? [];
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing({ pools: renamed }));
  acknowledged(watch).live(3 * MINUTE, showing(ranked(renamed, 1, 2, 0)));
  assert.equal(watch.opened('pool.priority-changed').length, 1);
  assert.deepEqual(watch.opened('pool.failover-active')[0]?.after, { url: POOLS[2].url, user: 'acme.zz' });
});

test('pool.priority-changed: an added, removed or changed slot alone is no other order, nor are two slots of one pool', () => {
  const twice = [...POOLS, { ...POOLS[2], slot: 3, priority: 3 }];
  for (const [before, after] of [
    [POOLS, ranked(ADDED, 1, 2, 3, 0)],
    [POOLS, ranked([POOLS[0], POOLS[2]], 0, 1)],
    [POOLS, pools({}, { url: 'stratum+tcp://203.0.113.9:3333' })],
    [twice, ranked(twice, 0, 1, 3, 2)],
  ] as const) {
    const watch = new Watch();
    watch.live(5 * MINUTE, showing({ pools: before }));
    watch.live(20 * MINUTE, showing(after));
    assert.deepEqual(watch.opened('pool.priority-changed'), []);
  }
});

test('pool.failover-active: neither ends nor passes while what is mined on is none of the reference', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(ranked(POOLS, 1, 0, 2)));
  watch.clear();
  watch.live(20 * MINUTE, showing(ranked(ADDED, 1, 2, 3, 0)));
  assert.ok(!watch.said().includes('pool.failover-active resolved'));
  assert.ok(watch.attestations.at(-1)?.checks.failed.some(({ id }) => id === 'pool.failover-active'));
  watch.clear();
  watch.live(5 * MINUTE, showing({}));
  assert.ok(watch.said().includes('pool.failover-active resolved'));
});
