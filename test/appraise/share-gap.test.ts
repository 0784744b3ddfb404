import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../shared/facts.ts';
import { HOUR, honest, MINUTE, T0, Watch } from './watch.ts';

/** A device that has had a share every four seconds, up to a time. */
const untilMs =
  (endMs: number, changes: (nowMs: number) => Facts = () => ({})) =>
  (nowMs: number) => ({
    facts: honest(nowMs, {
      'telemetry.accepted': 21_600 + Math.floor((Math.min(nowMs, endMs) - T0) / 4000),
      'telemetry.share_difficulty': 65_536,
      ...changes(nowMs),
    }),
  });

const mined = (): Watch => {
  const watch = new Watch().live(HOUR, untilMs(Number.POSITIVE_INFINITY));
  watch.clear();
  return watch;
};

test('pool.share-gap: a count that stands still at the usual hash rate is found, and ends with the next shares', () => {
  const watch = mined();
  const stopMs = watch.nowMs;
  watch.live(40 * MINUTE, untilMs(stopMs));
  assert.deepEqual(watch.said(), ['pool.share-gap open']);
  const [finding] = watch.statements;
  assert.equal(finding?.severity, 'medium');
  assert.deepEqual(finding?.after, { accepted: 22_500, expected_interval_s: 4 });
  assert.ok((finding?.confirmedAt ?? 0) * 1000 - stopMs <= 31 * MINUTE);
  assert.ok(watch.attestations.at(-1)?.checks.failed.some(({ id }) => id === 'pool.share-gap'));
  watch.live(20 * MINUTE, untilMs(Number.POSITIVE_INFINITY));
  assert.deepEqual(watch.said(), ['pool.share-gap open', 'pool.share-gap resolved']);
});

test('pool.share-gap: at 64 times the difficulty the time scales, and less than eight of it are none', () => {
  const watch = new Watch();
  const slow = (endMs: number, difficulty: number) => (nowMs: number) => ({
    facts: honest(nowMs, {
      'telemetry.accepted': 1_440 + Math.floor((Math.min(nowMs, endMs) - T0) / 60_000),
      'telemetry.share_difficulty': difficulty,
    }),
  });
  watch.live(HOUR, slow(Number.POSITIVE_INFINITY, 1000));
  watch.clear();
  const stopMs = watch.nowMs;
  watch.live(8 * 60 * MINUTE, slow(stopMs, 64_000));
  assert.deepEqual(watch.said(), []);
  watch.live(60 * MINUTE, slow(stopMs, 64_000));
  assert.deepEqual(watch.said(), ['pool.share-gap open']);
});

test('pool.share-gap: a device that stopped hashing, or that began anew, is none', () => {
  const idle = mined();
  idle.live(
    2 * HOUR,
    untilMs(idle.nowMs, () => ({ 'telemetry.hashrate_hs': 0 })),
  );
  assert.deepEqual(idle.said(), ['runtime.stopped-unexpectedly open']);
  const slow = mined();
  slow.live(
    2 * HOUR,
    untilMs(slow.nowMs, () => ({ 'telemetry.hashrate_hs': 90_000_000_000_000 })),
  );
  assert.deepEqual(slow.said(), []);
  const anew = mined();
  const startMs = anew.nowMs;
  const counters = (nowMs: number): Facts => ({
    'telemetry.elapsed_s': Math.floor((nowMs - startMs) / 1000),
    'telemetry.accepted': Math.floor((nowMs - startMs) / 4000),
  });
  anew.live(2 * HOUR, untilMs(0, counters));
  assert.ok(!anew.said().some((said) => said.startsWith('pool.share-gap')));
});

test('pool.share-gap: a first look believes the device how old its last share is', () => {
  const watch = new Watch();
  const frozen = (nowMs: number) => ({
    facts: honest(nowMs, { 'telemetry.accepted': 21_600, 'telemetry.last_share_age_s': (nowMs - T0) / 1000 + 3600 }),
  });
  watch.live(3 * MINUTE, frozen);
  watch.live(20 * MINUTE, frozen);
  assert.deepEqual(watch.opened('pool.share-gap').length, 1);
});

test('pool.share-gap: a clock of the gateway that was set an hour on is none', () => {
  const watch = mined();
  const steadyMs = watch.nowMs;
  watch.nowMs += HOUR;
  // The device had no share in the seconds between, and counted no more than those.
  watch.live(6 * MINUTE, (nowMs) => untilMs(steadyMs + MINUTE)(nowMs - HOUR));
  assert.ok(!watch.said().some((said) => said.startsWith('pool.share-gap')));
  watch.live(HOUR, (nowMs) => untilMs(steadyMs + MINUTE)(nowMs - HOUR));
  assert.ok(watch.said().includes('pool.share-gap open'), 'where the device counts on, it is found');
});
