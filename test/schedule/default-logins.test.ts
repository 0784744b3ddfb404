import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceState, newDevice, readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { dueSurfaces, noteEndpoint } from '../../agent/appraise/endpoint.ts';
import { withoutFuture } from '../../agent/appraise/past.ts';
import { afterStep } from '../../agent/appraise/step.ts';
import { NO_FACTS } from '../../agent/baseline/kept.ts';
import { configSchema } from '../../agent/config/schema.ts';
import { DefaultLogins } from '../../agent/schedule/default-logins.ts';

const DAY = 86_400_000;
const T0 = Date.UTC(2026, 10, 22);

/** How often a device is tried within so many days, with a full look every six hours. */
const triesIn = (days: number, logins: (wallMs: () => number) => DefaultLogins, phase: number): number => {
  let nowMs = T0;
  const turns = logins(() => nowMs);
  const state = {
    ...newDevice({ id: 'rig', position: 'host', address: '10.0.0.1', labels: {} }),
    firstSeenMs: T0 - 400 * DAY,
    attested: { atMs: T0, reachable: true, facts: NO_FACTS },
  };
  let tries = 0;
  for (; nowMs < T0 + days * DAY; nowMs += DAY / 4) {
    const due = dueSurfaces(state, {
      lastMs: (surface) => (surface === 'login' ? turns.lastMs(phase) : undefined),
      nowMs,
      ranUntilMs: 0,
    });
    if (due.length === 0) continue;
    tries += 1;
    const lastMs = (surface: string) => (surface === 'login' ? turns.lastMs(phase) : undefined);
    noteEndpoint(state, new Map([['login', []]]), { lastMs, nowMs });
  }
  return tries;
};

const allowed = (wallMs: () => number) => new DefaultLogins({ allowed: true, isLockedOut: false, wallMs });

test('remote-control.default-credentials: nobody is tried unless the operator allows it', () => {
  const off = (wallMs: () => number) => new DefaultLogins({ allowed: false, isLockedOut: false, wallMs });
  assert.equal(triesIn(90, off, 0.5), 0);
  const config = configSchema.parse({
    gateway: 'gw',
    operator: 'example.org',
    state_dir: '/s',
    devices: [{ host: 'a' }],
  });
  assert.equal(config.probe.default_logins, false);
});

test('remote-control.default-credentials: each device is tried once in thirty days, spread over them', () => {
  for (const phase of [0, 0.3, 0.99]) {
    const tries = triesIn(120, allowed, phase);
    assert.ok(tries === 4 || tries === 5, `${tries} in 120 days, the first of which may be at once`);
  }
});

test('remote-control.default-credentials: after a lock-out nobody is tried any more, also not by the next process', () => {
  const locked = (wallMs: () => number) => {
    const logins = allowed(wallMs);
    assert.equal(logins.lockOut(), true);
    assert.equal(logins.lockOut(), false, 'it is told once');
    return logins;
  };
  assert.equal(triesIn(120, locked, 0.5), 0);
  const next = (wallMs: () => number) => new DefaultLogins({ allowed: true, isLockedOut: true, wallMs });
  assert.equal(triesIn(120, next, 0.5), 0);
});

/** Instants of tries in true time, where the wall clock is set on some days, by what `remembers`. */
const triesUnder = (
  steps: ReadonlyMap<number, number>,
  remembers: (state: DeviceState, byMs: number, nowMs: number) => DeviceState,
): readonly number[] => {
  let nowMs = T0;
  const turns = allowed(() => nowMs);
  const lastMs = (surface: string) => (surface === 'login' ? turns.lastMs(0.5) : undefined);
  let state: DeviceState = {
    ...newDevice({ id: 'rig', position: 'host', address: '10.0.0.1', labels: {} }),
    firstSeenMs: T0 - 400 * DAY,
    attested: { atMs: T0, reachable: true, facts: NO_FACTS },
  };
  const tries: number[] = [];
  for (let trueMs = 0; trueMs < 120 * DAY; trueMs += DAY / 4, nowMs += DAY / 4) {
    const byMs = (steps.get(trueMs / DAY) ?? 0) * DAY;
    if (byMs !== 0) {
      nowMs += byMs;
      state = remembers(state, byMs, nowMs);
    }
    if (dueSurfaces(state, { lastMs, nowMs, ranUntilMs: 0 }).length > 0) {
      tries.push(trueMs);
      noteEndpoint(state, new Map([['login', []]]), { lastMs, nowMs });
    }
    state = withoutFuture(state, nowMs);
  }
  return tries;
};

/** Days at which the clock is set, and by how many. */
const CLOCKS: readonly (readonly (readonly [day: number, by: number])[])[] = [
  [[10, -1]],
  [[10, -40]],
  [
    [10, -31],
    [10.5, 31],
  ],
  [
    [10, 31],
    [10.5, -31],
  ],
  [
    [40, -20_000],
    [40.5, 20_000],
  ],
];

const restarted = (state: DeviceState): DeviceState => readDevice(writeDevice(state));

test('the log-in of a maker is tried no sooner again for a clock that is set, while the agent runs or while it does not', () => {
  for (const steps of CLOCKS) {
    const lives = {
      runs: triesUnder(new Map(steps), (state, byMs, nowMs) => afterStep(state, byMs, nowMs)),
      ...(steps.every(([, by]) => by < 0) ? { stood: triesUnder(new Map(steps), restarted) } : {}),
    };
    for (const [name, tries] of Object.entries(lives)) {
      assert.ok(tries.length >= 2, `${name} ${steps}: ${tries.length} tries`);
      for (const [at, triedMs] of tries.entries())
        assert.ok(
          at === 0 || triedMs - (tries[at - 1] ?? 0) > 7 * DAY,
          `${name} ${steps}: ${tries.map((ms) => ms / DAY)}`,
        );
    }
  }
});
