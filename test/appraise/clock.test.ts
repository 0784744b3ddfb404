import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { type ClockWatch, watchClock } from '../../agent/appraise/rules/evidence-clock-untrusted.ts';
import { HOUR, MINUTE, SECOND, T0 } from './watch.ts';

/** Watches the clock of a gateway once a second. `wallMs` of the time that has really passed. */
const watched = (
  forMs: number,
  {
    wallMs = (monoMs) => T0 + monoMs,
    synced = () => true,
    from = {},
  }: {
    readonly wallMs?: (monoMs: number) => number;
    readonly synced?: (monoMs: number) => boolean;
    readonly from?: ClockWatch;
  },
): { readonly said: readonly Finding[]; readonly watch: ClockWatch } => {
  const said: Finding[] = [];
  let watch = from;
  for (let monoMs = 0; monoMs < forMs; monoMs += SECOND) {
    const state = synced(monoMs) ? 'synced' : 'unsynced';
    const moved = watchClock(watch, { wallMs: wallMs(monoMs), monoMs, state });
    watch = moved.watch;
    if (moved.statement === undefined) continue;
    said.push(moved.statement);
    if (watch.open !== undefined) watch = { ...watch, open: { ...watch.open, openedSeq: 7 } };
  }
  return { said, watch };
};

const told = (said: readonly Finding[]) => said.map(({ state, reasons, after }) => [state, reasons?.join(), after]);

test('evidence.clock-untrusted: a clock that is set an hour ahead is medium at once, and over ten minutes later', () => {
  const stepped = (monoMs: number) => T0 + monoMs + (monoMs < 5 * MINUTE ? 0 : HOUR);
  const { said } = watched(30 * MINUTE, { wallMs: stepped });
  assert.deepEqual(told(said), [
    ['open', 'stepped', { step_ms: HOUR }],
    ['resolved', 'stepped', { step_ms: HOUR }],
  ]);
  assert.deepEqual(
    said.map(({ severity, openedSeq }) => [severity, openedSeq]),
    [
      ['medium', undefined],
      ['medium', 7],
    ],
  );
  assert.equal((said[1]?.resolvedAt ?? 0) - (said[0]?.confirmedAt ?? 0), 600);
});

test('evidence.clock-untrusted: back as well as ahead, each time; a slow drift and two seconds are none', () => {
  const back = watched(10 * MINUTE, { wallMs: (monoMs) => T0 + monoMs - (monoMs < MINUTE ? 0 : 3000) });
  assert.deepEqual(told(back.said), [['open', 'stepped', { step_ms: -3000 }]]);
  const again = watched(10 * MINUTE, {
    wallMs: (monoMs) => T0 + monoMs + Math.floor(monoMs / (4 * MINUTE)) * 5000,
  });
  assert.deepEqual(told(again.said), Array(2).fill(['open', 'stepped', { step_ms: 5000 }]));
  assert.deepEqual(watched(HOUR, { wallMs: (monoMs) => T0 + monoMs * 1.0005 }).said, []);
  assert.deepEqual(watched(HOUR, { wallMs: (monoMs) => T0 + monoMs + (monoMs < MINUTE ? 0 : 1900) }).said, []);
});

test('evidence.clock-untrusted: a clock that nobody keeps is found after ten minutes, and ends when somebody does', () => {
  const { said } = watched(HOUR, { synced: (monoMs) => monoMs >= 30 * MINUTE });
  assert.deepEqual(told(said), [
    ['open', 'unsynced', { state: 'unsynced' }],
    ['resolved', 'unsynced', { state: 'unsynced' }],
  ]);
  assert.deepEqual(watched(HOUR, { synced: (monoMs) => monoMs >= 5 * MINUTE }).said, [], 'a start');
});

test('evidence.clock-untrusted: after a restart what was open goes on, and is not stated again', () => {
  const { watch } = watched(20 * MINUTE, { synced: () => false });
  const from: ClockWatch = watch.open === undefined ? {} : { open: watch.open };
  assert.ok(from.open !== undefined);
  assert.deepEqual(watched(HOUR, { from, synced: () => false }).said, []);
  assert.deepEqual(
    watched(MINUTE, { from }).said.map(({ state, openedSeq }) => [state, openedSeq]),
    [['resolved', 7]],
  );
});
