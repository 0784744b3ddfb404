import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, attestedClaims } from '../../agent/appraise/accept.ts';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { Facts } from '../../shared/facts.ts';
import type { Plan } from '../../shared/terms.ts';
import { plan, under } from './standing.ts';
import { type Answer, HOUR, honest, MINUTE, SECOND, showing, Watch } from './watch.ts';

/** Pools that show where the device was known to have none, or where people approved it without any (catalogue 5.1). */

/** Every place of its list is blank, and stands there to be read. */
const blank = (nowMs: number): Answer => {
  const { pools: _, ...facts } = honest(nowMs);
  return { facts, gaps: { pools: 'unreadable' }, noPools: true };
};

/** Its pools cannot be read. */
const closed = (nowMs: number): Answer => {
  const { pools: _, ...facts } = honest(nowMs);
  return { facts, gaps: { pools: 'refused' } };
};

const STOLEN: Facts = {
  pools: [{ slot: 0, url: 'stratum+tcp://evil.example:3333', user: 'thief.x', priority: 0, active: true }],
};

const accepted = (watch: Watch): Watch => {
  watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 900 }).state;
  watch.live(20 * MINUTE, blank);
  watch.clear();
  return watch;
};

const known = (watch: Watch) => keptFacts(watch.state.reference?.facts).pools;

test('pool.slot-added: pools that show where people accepted a device without any are a finding, and are not learned', () => {
  for (const answer of [blank, closed]) {
    const watch = new Watch();
    watch.live(25 * SECOND, answer);
    accepted(watch);
    watch.state = readDevice(writeDevice(watch.state));
    watch.live(2 * HOUR, showing(STOLEN));
    assert.deepEqual(
      watch.opened('pool.slot-added').map(({ severity, part, before, reasons }) => [severity, part, before, reasons]),
      [['high', 'slot 0', undefined, ['first-told']]],
    );
    assert.deepEqual(
      watch.attestations.at(-1)?.checks.failed.map(({ id }) => id),
      ['pool.slot-added'],
    );
    assert.equal(known(watch), undefined);
    watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 901 }).state;
    assert.deepEqual([watch.state.tracks, known(watch)?.[0]?.url], [[], 'stratum+tcp://evil.example:3333']);
    watch.clear();
    watch.live(HOUR, showing({}));
    assert.ok(watch.said().includes('pool.user-changed open'));
  }
});

test('pool.slot-added: pools of a device that nobody accepted are learned in its first minutes, and a finding once it was known to have none', () => {
  const early = new Watch();
  early.live(5 * MINUTE, blank).live(HOUR, showing({}));
  assert.deepEqual(early.said(), []);
  assert.equal(known(early)?.length, 3);
  const late = new Watch();
  late.live(20 * MINUTE, blank);
  late.live(HOUR, showing(STOLEN));
  assert.deepEqual(late.said(), ['pool.slot-added open']);
  assert.deepEqual(late.opened('pool.slot-added')[0]?.reasons, ['first-told']);
  assert.equal(known(late), undefined);
  late.live(2 * HOUR, blank);
  assert.deepEqual(late.said(), ['pool.slot-added open', 'pool.slot-added resolved'], 'what is blank again is over');
  const unread = new Watch();
  unread.live(20 * MINUTE, closed).live(HOUR, showing({}));
  assert.deepEqual(unread.opened('pool.slot-added'), [], 'what could not be read is no list without pools');
});

test('pool.slot-added: a plan that names the pools covers the first ones', () => {
  const watch = accepted(new Watch().live(25 * SECOND, blank));
  const expected_after: Plan['expected_after'] = [
    { fact: 'pools.url', class: 'exact', value: 'stratum+tcp://evil.example:3333' },
    { fact: 'pools.user', class: 'exact', value: 'thief.x' },
  ];
  watch.context = under(() => watch.nowMs, { plans: [plan(30, { ids: ['pool.slot-added'], expected_after }, 0, 300)] });
  watch.live(HOUR, showing(STOLEN));
  assert.deepEqual(
    watch.opened('pool.slot-added').map(({ severity, plan: by }) => [severity, by]),
    [['info', 30]],
  );
});

test('what is learned after an acceptance is attested at once: a person stands behind the rest only', () => {
  const watch = new Watch();
  const { 'config.power_limit_w': _, ...facts } = honest(0);
  watch.live(25 * SECOND, (nowMs) => ({
    facts: { ...facts, 'telemetry.elapsed_s': nowMs / SECOND },
    gaps: { 'config.power_limit_w': 'timeout' },
  }));
  watch.state = accept(watch.state, { by: 'carol', nowMs: watch.nowMs, seq: 900 }).state;
  watch.clear();
  watch.live(HOUR, showing({}));
  assert.equal(attestedClaims(watch.state)['config.power_limit_w'], 3500);
  const approvals = watch.attestations.map(({ verdict }) => verdict.reference?.approval);
  assert.deepEqual(approvals, ['local', 'none']);
  watch.live(2 * HOUR, showing({}));
  assert.equal(watch.attestations.length, 2);
});
