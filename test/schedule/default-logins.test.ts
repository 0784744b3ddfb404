import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDevice } from '../../agent/appraise/device.ts';
import { dueSurfaces, noteEndpoint } from '../../agent/appraise/endpoint.ts';
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
