import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../shared/facts.ts';
import { HOUR, MINUTE, POOLS, pools, SECOND, showing, Watch } from './watch.ts';

/** A device that shows something else at every other look, never twice the same. */
const everyOther = (watch: Watch, looks: number, shown: (turn: number) => Facts): Watch => {
  for (let look = 0; look < looks; look++) {
    watch.nowMs += 10 * SECOND;
    watch.see(look % 3 === 2 ? 'full' : 'pools', look % 2 === 0 ? shown(look / 2) : {});
  }
  return watch;
};

/** The same of a slot that is another one each time. */
const inSlot = (slot: number, change: object): Facts =>
  pools(...POOLS.map((_, index) => (index === slot ? change : {})));

const URL_OF = (host: string, port: number) => `stratum+tcp://${host}:${port}`;

test('pool.user-changed: a thief who is there at every other look is told at the third, whatever name he chooses', () => {
  const names: { readonly [how: string]: (turn: number) => string } = {
    worker: (turn) => `dieb.w${turn}`,
    account: (turn) => `dieb${turn}.x`,
  };
  for (const [how, name] of Object.entries(names)) {
    const watch = everyOther(Watch.known(), 8, (turn) => pools({ user: name(turn) }));
    const [finding] = watch.opened('pool.user-changed');
    assert.equal(finding?.severity, 'critical', how);
    assert.ok(finding?.confirmedAt !== undefined && finding.reasons?.includes('intermittent'), how);
    assert.ok(
      watch.attestations.at(-1)?.checks.failed.some(({ id }) => id === 'pool.user-changed'),
      how,
    );
  }
});

test('pool.url-changed, pool.outside-allowlist, pool.slot-added: so is another port, host, slot or added pool each time', () => {
  const allow = [{ url: 'stratum+tcp://*.pool.example:3333' }, { url: 'backup.example' }];
  const ways: { readonly [how: string]: readonly [string, (turn: number) => Facts] } = {
    port: ['pool.url-changed', (turn) => pools({ url: URL_OF('evil.example', 4000 + turn) })],
    host: ['pool.outside-allowlist', (turn) => pools({ url: URL_OF(`evil${turn}.example`, 3333) })],
    slot: ['pool.user-changed', (turn) => inSlot(turn % POOLS.length, { user: `dieb${turn}.x` })],
    added: [
      'pool.slot-added',
      (turn) => ({ pools: [...POOLS, { ...POOLS[0], slot: 3, priority: 3, user: `dieb${turn}.x`, active: false }] }),
    ],
  };
  for (const [how, [id, shown]] of Object.entries(ways)) {
    const watch = everyOther(Watch.known({ allow }), 8, shown);
    assert.ok(watch.opened(id)[0]?.reasons?.includes('intermittent'), how);
  }
});

test('pool.priority-changed: the pools change places at every other look, in another way each time', () => {
  const watch = everyOther(Watch.known(), 8, (turn) =>
    pools(...POOLS.map((_, index) => ({ priority: (index + 1 + (turn % 2)) % POOLS.length }))),
  );
  assert.equal(watch.opened('pool.priority-changed').length, 1);
});

test('a graver value at every other look does not hide behind a finding that is open', () => {
  const watch = Watch.known();
  const renamed = { user: 'acme.other' };
  watch.live(3 * MINUTE, showing(pools(renamed)));
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'medium');
  const tracks = watch.state.tracks.map((one) => ({
    ...one,
    finding: { ...one.finding, state: 'acknowledged' as const },
  }));
  watch.state = { ...watch.state, tracks };
  watch.clear();
  for (let look = 0; look < 8; look++) {
    watch.nowMs += 10 * SECOND;
    watch.see('full', pools(look % 2 === 0 ? { user: `dieb.w${look}` } : renamed));
  }
  const [finding] = watch.opened('pool.user-changed');
  assert.equal(finding?.severity, 'critical');
  assert.ok(finding.reasons?.includes('intermittent'));
});

/** What these slots show in place of their accounts. */
const inSlots = (...slots: readonly number[]): Facts =>
  pools(...POOLS.map((_, index) => (slots.includes(index) ? { user: 'other.w' } : {})));

test('one coming counts once, however many slots show it: what comes and goes is told at its third', () => {
  const ways: readonly (readonly (readonly number[])[])[] = [
    [[0], [0], [0]],
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ],
    [[1], [0, 1, 2], [0, 2]],
    [[0, 1], [2], [1]],
  ];
  for (const comings of ways) {
    const watch = Watch.known();
    for (const [before, slots] of comings.entries()) {
      assert.deepEqual(watch.opened('pool.user-changed'), [], `${before} of ${JSON.stringify(comings)}`);
      watch.nowMs += 22 * SECOND;
      watch.see('pools', inSlots(...slots));
      watch.nowMs += 10 * SECOND;
      watch.see('full');
    }
    const opened = watch.opened('pool.user-changed').filter(({ reasons }) => reasons?.includes('intermittent'));
    assert.equal(opened.length, comings.at(-1)?.length, JSON.stringify(comings));
  }
});

test('what came in two slots at once, and stays in one of them for another look, was there twice', () => {
  const watch = Watch.known();
  for (const facts of [inSlots(0, 1), inSlot(1, { user: 'another.w' }), {}, inSlots(2)]) {
    assert.deepEqual(watch.opened('pool.user-changed'), []);
    watch.nowMs += 10 * SECOND;
    watch.see('full', facts);
  }
  assert.equal(watch.opened('pool.user-changed')[0]?.part, 'slot 2');
});

test('two comings within a day are none, nor are three that are further apart', () => {
  const watch = Watch.known();
  for (const afterMs of [HOUR, HOUR, 23 * HOUR, 2 * HOUR]) {
    watch.nowMs += afterMs;
    watch.see('pools', pools({ user: `dieb.w${watch.nowMs}` }));
    watch.nowMs += 10 * SECOND;
    watch.see('full');
  }
  assert.deepEqual(watch.opened('pool.user-changed'), []);
});

test('a finding that began so says so until it ends, and ends when the reference was seen long enough', () => {
  const watch = everyOther(Watch.known(), 6, (turn) => pools({ user: `dieb.w${turn}` }));
  watch.live(2 * HOUR, showing({}));
  const last = watch.statements.at(-1);
  assert.equal(last?.state, 'resolved');
  assert.ok(last.confirmedAt !== undefined && last.reasons?.includes('intermittent'));
});
