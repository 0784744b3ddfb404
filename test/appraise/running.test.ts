import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptFacts } from '../../agent/baseline/kept.ts';
import type { Facts } from '../../shared/facts.ts';
import { type Answer, HOUR, honest, MINUTE, pools, SECOND, T0, Watch } from './watch.ts';

/** A machine whose counters stand at this time, whatever else it shows. */
const frozenAt =
  (atMs: number, changes: (nowMs: number) => Facts = () => ({})) =>
  (nowMs: number): Answer => ({
    facts: honest(Math.min(nowMs, atMs), changes(nowMs)),
  });

test('runtime.stale-data: counters that stand for three polls are medium, over three polls after they move again', () => {
  const watch = Watch.known();
  const stopMs = watch.nowMs;
  watch.live(10 * MINUTE, frozenAt(stopMs));
  assert.deepEqual(watch.said(), ['runtime.stale-data open']);
  const [finding] = watch.statements;
  const seconds = (finding?.confirmedAt ?? 0) - stopMs / SECOND;
  assert.ok(seconds > 120 && seconds <= 5 * 60, `${seconds} s`);
  assert.deepEqual([finding?.severity, finding?.after], ['medium', { elapsed_s: 86_400 + (stopMs - T0) / SECOND }]);
  watch.live(10 * MINUTE, (nowMs) => ({ facts: honest(nowMs) }));
  assert.deepEqual(watch.said(), ['runtime.stale-data open', 'runtime.stale-data resolved']);
});

test('runtime.stale-data: nothing of such a look is attested as current, and no look affirms what was attested before', () => {
  const watch = Watch.known();
  watch.live(2 * HOUR, frozenAt(watch.nowMs));
  assert.deepEqual(
    watch.attestations.map(({ trigger, verdict }) => [trigger, verdict.stale]),
    [['change', true]],
  );
  const missing = watch.state.attested?.missing ?? [];
  assert.ok(missing.includes('pools') && missing.includes('firmware.version'));
  assert.ok(keptFacts(watch.state.attested?.facts).pools !== undefined, 'what was known before is still known');
  assert.equal(watch.see('pools').stale, undefined, 'it moves again');
});

test('runtime.stale-data: a change that shows all the same is found', () => {
  const watch = Watch.known();
  const theftMs = watch.nowMs + 20 * MINUTE;
  watch.live(
    HOUR,
    frozenAt(watch.nowMs, (nowMs) => (nowMs < theftMs ? {} : pools({ user: 'mallory.rig0417' }))),
  );
  assert.equal(watch.opened('pool.user-changed').length, 1);
  assert.equal(keptFacts(watch.state.attested?.facts).pools?.[0]?.user, 'mallory.rig0417');
});

test('runtime.stale-data: one that stands still without hashing, counts minutes, or has no counter is none', () => {
  const idle = Watch.known();
  idle.live(
    HOUR,
    frozenAt(idle.nowMs, () => ({ 'telemetry.hashrate_hs': 0 })),
  );
  assert.deepEqual(idle.opened('runtime.stale-data'), []);
  const minutes = new Watch();
  minutes.live(2 * HOUR, (nowMs) => ({
    facts: honest(nowMs, { 'telemetry.elapsed_s': 86_400 + Math.floor((nowMs - T0) / MINUTE) * 60 }),
  }));
  assert.deepEqual(minutes.said(), []);
  const { 'telemetry.elapsed_s': _, ...without } = honest(T0);
  const mute = new Watch();
  mute.live(2 * HOUR, () => ({ facts: without }));
  assert.deepEqual(mute.said(), []);
});

test('runtime.stale-data: looks that do not show a counter state nothing anew, and begin nothing', () => {
  const watch = Watch.known();
  const stopMs = watch.nowMs;
  const counter = honest(stopMs)['telemetry.elapsed_s'];
  // A reply that breaks off takes the counter, and what else it holds, along.
  const cut = (nowMs: number): Answer => {
    const {
      'telemetry.elapsed_s': _,
      'network.hostname': __,
      'config.mode': ___,
      pools: ____,
      ...left
    } = honest(stopMs);
    const whole = Math.floor(nowMs / MINUTE) % 2 === 0;
    return whole
      ? { facts: honest(stopMs) }
      : { facts: left, gaps: { pools: 'truncated', 'config.mode': 'truncated' } };
  };
  watch.live(10 * MINUTE, frozenAt(stopMs));
  assert.equal(watch.opened('runtime.stale-data').length, 1);
  const attested = watch.attestations.length;
  watch.live(3 * HOUR, cut);
  assert.deepEqual(
    watch.statements.map(({ ruleId, state, after }) => [ruleId, state, after]),
    [['runtime.stale-data', 'open', { elapsed_s: counter }]],
  );
  assert.equal(watch.attestations.length, attested);
  assert.ok(watch.looks < 300, `${watch.looks} looks`);
});

test('runtime.stale-data: a device that hangs and answers at another address is dark no longer, and known to be there', () => {
  const watch = new Watch({}, 'range');
  watch.live(5 * MINUTE, (nowMs) => ({ facts: honest(nowMs) }));
  const stopMs = watch.nowMs;
  watch.live(HOUR, frozenAt(stopMs));
  watch.live(30 * MINUTE, () => undefined);
  assert.deepEqual(watch.said(), ['runtime.stale-data open', 'visibility.device-dark open']);
  watch.live(3 * HOUR, (nowMs) => ({ ...frozenAt(stopMs)(nowMs), address: '10.20.14.99' }));
  assert.deepEqual(watch.said().slice(2), [
    'identity.address-moved open',
    'visibility.device-dark resolved',
    'identity.address-moved resolved',
  ]);
  assert.deepEqual([watch.state.address, watch.state.attested?.reachable], ['10.20.14.99', true]);
  assert.ok(watch.looks < 400, `${watch.looks} looks`);
});

test('runtime.stale-data: a board that counts on while its mining program reports one time is none', () => {
  const watch = new Watch();
  watch.live(2 * HOUR, (nowMs) => ({
    facts: honest(nowMs, { 'telemetry.elapsed_s': 77, 'telemetry.uptime_s': Math.floor((nowMs - T0) / SECOND) + 500 }),
  }));
  assert.deepEqual(watch.said(), []);
});

const STOPPED: Facts = { 'telemetry.hashrate_hs': 0, 'telemetry.temp_max_mc': 31_000 };

/** Runs for a while, then shows these. */
const then =
  (fromMs: number, changes: Facts) =>
  (nowMs: number): Answer => ({ facts: honest(nowMs, nowMs < fromMs ? {} : changes) });

test('runtime.stopped-unexpectedly: a device that answers, runs on and stopped hashing is medium, seen by a full look soon', () => {
  const watch = Watch.known();
  const stopMs = watch.nowMs + 2 * MINUTE;
  watch.live(20 * MINUTE, then(stopMs, STOPPED));
  assert.deepEqual(watch.said(), ['runtime.stopped-unexpectedly open']);
  const [finding] = watch.statements;
  assert.deepEqual([finding?.severity, finding?.after], ['medium', { hashing: 'stopped', mode: 'normal' }]);
  assert.ok((finding?.confirmedAt ?? 0) - stopMs / SECOND <= 150);
  watch.live(10 * MINUTE, (nowMs) => ({ facts: honest(nowMs) }));
  assert.equal(watch.said().at(-1), 'runtime.stopped-unexpectedly resolved');
});

test('runtime.stopped-unexpectedly: with an overheat error it is none, then or later, and no device is asked over and over', () => {
  const watch = Watch.known();
  const looks = watch.looks;
  watch.live(HOUR, then(watch.nowMs + 2 * MINUTE, { ...STOPPED, 'telemetry.faults': ['overheat'] }));
  assert.deepEqual(watch.opened('runtime.stopped-unexpectedly'), []);
  assert.ok(watch.looks - looks <= 70, `${watch.looks - looks} looks`);
  const hot = Watch.known();
  const heat: Facts = { ...STOPPED, 'telemetry.temp_max_mc': 91_000, 'config.temp_limit_mc': 90_000 };
  hot.live(HOUR, then(hot.nowMs + 2 * MINUTE, heat));
  assert.deepEqual(hot.opened('runtime.stopped-unexpectedly'), []);
});

test('runtime.stopped-unexpectedly: after a reboot, a restart of the program, or without a pool that answers it is none', () => {
  const rebooted = Watch.known();
  const bootMs = rebooted.nowMs + 2 * MINUTE;
  rebooted.live(2 * HOUR, (nowMs) => ({
    facts: honest(
      nowMs,
      nowMs < bootMs ? {} : { ...STOPPED, 'telemetry.elapsed_s': Math.floor((nowMs - bootMs) / SECOND) },
    ),
  }));
  assert.deepEqual(rebooted.opened('runtime.stopped-unexpectedly'), []);
  const program = new Watch();
  const startMs = T0 + 10 * MINUTE;
  program.live(2 * HOUR, (nowMs) => ({
    facts: honest(nowMs, {
      'telemetry.uptime_s': Math.floor((nowMs - T0) / SECOND) + 86_400,
      ...(nowMs < startMs ? {} : { ...STOPPED, 'telemetry.elapsed_s': Math.floor((nowMs - startMs) / SECOND) }),
    }),
  }));
  assert.deepEqual(program.said(), []);
  const dead = Watch.known();
  const outage = pools({ status: 'Dead' }, { status: 'Dead' }, { status: 'Dead' });
  dead.live(HOUR, then(dead.nowMs + 2 * MINUTE, { ...outage, ...STOPPED }));
  assert.deepEqual(dead.opened('runtime.stopped-unexpectedly'), []);
});

test('runtime.stopped-unexpectedly: half the rate, and one that never ran are none; a stop from another profile is one', () => {
  const half = Watch.known();
  half.live(HOUR, then(half.nowMs + MINUTE, { 'telemetry.hashrate_hs': 90_000_000_000_000 }));
  assert.deepEqual(half.said(), []);
  const profile = Watch.known();
  profile.live(3 * HOUR, then(profile.nowMs + MINUTE, { 'telemetry.hashrate_hs': 90_000_000_000_000 }));
  profile.live(20 * MINUTE, then(profile.nowMs + MINUTE, STOPPED));
  assert.deepEqual(profile.said(), ['runtime.stopped-unexpectedly open']);
  const never = new Watch();
  never.live(HOUR, () => ({ facts: honest(T0, STOPPED) }));
  assert.deepEqual(never.said(), []);
});

const session =
  (fromMs: number, toMs: number) =>
  (nowMs: number): Answer => ({ facts: honest(nowMs, { 'access.write_session': nowMs >= fromMs && nowMs < toMs }) });

test('remote-control.write-session-held: a session of more than two polls is medium, asked for every poll, and ends', () => {
  const watch = Watch.known();
  const fromMs = watch.nowMs + MINUTE;
  watch.live(HOUR, session(fromMs, fromMs + 20 * MINUTE));
  assert.deepEqual(watch.said(), [
    'remote-control.write-session-held open',
    'remote-control.write-session-held resolved',
  ]);
  assert.deepEqual([watch.statements[0]?.severity, watch.statements[0]?.after], ['medium', { session: 'open' }]);
  const first = watch.statements[0];
  assert.equal((first?.confirmedAt ?? 0) - (first?.firstObservedAt ?? 0), 0);
});

test('remote-control.write-session-held: one that is present for one poll, or for two, is none', () => {
  for (const polls of [1, 2]) {
    const watch = Watch.known();
    // The full look of every quarter of an hour sees it, and asks again a poll later.
    const fromMs = T0 + 15 * MINUTE;
    watch.live(HOUR, session(fromMs, fromMs + (polls - 0.5) * MINUTE));
    assert.deepEqual(watch.said(), []);
  }
});
