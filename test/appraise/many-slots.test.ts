import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE, POOLS, showing, Watch } from './watch.ts';

const ALLOW = [{ url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' }, { url: 'backup.example' }];

/** So many allowed slots behind the known ones, and then these. */
const longList = (
  more: number,
  ...last: readonly { url: string; user: string; active?: boolean; priority?: number }[]
) => {
  const known = [...POOLS, ...Array.from({ length: more }, () => POOLS[1])];
  return [...known, ...last].map((pool, slot) => ({
    ...pool,
    slot,
    priority: 'priority' in pool ? (pool.priority ?? slot) : slot,
  }));
};

const THIEF = { url: 'stratum+tcp://evil.example:3333', user: 'dieb.x' };

test('pools: a seventeenth slot is judged as any other, and no attestation says that it passed', () => {
  const watch = Watch.known({ allow: ALLOW });
  watch.live(3 * MINUTE, showing({ pools: longList(13, { ...THIEF, active: true, priority: -1 }) }));
  const of = (id: string) => watch.opened(id).filter(({ part }) => part === 'slot 16');
  assert.equal(of('pool.outside-allowlist').length, 1);
  assert.deepEqual(
    of('pool.slot-added').map(({ severity, after }) => ({ severity, after })),
    [{ severity: 'critical', after: { ...THIEF, priority: -1, active: true } }],
  );
  const last = watch.attestations.at(-1)?.checks;
  assert.ok(last?.failed.some(({ id, part }) => id === 'pool.outside-allowlist' && part === 'slot 16'));
  assert.ok(!last?.passed['self-reported']?.includes('pool.outside-allowlist'));
});

test('pools: behind sixteen learned slots a changed one is found, and so are an added and a removed one', () => {
  const learned = longList(20, { ...THIEF, user: 'acme.last' });
  const changes = {
    'pool.user-changed': longList(20, THIEF),
    'pool.slot-added': [...learned, { ...THIEF, slot: 24, priority: 24 }],
    'pool.slot-removed': learned.slice(0, -1),
  };
  for (const [id, pools] of Object.entries(changes)) {
    const watch = new Watch();
    watch.live(5 * MINUTE, showing({ pools: learned }));
    watch.clear();
    watch.live(20 * MINUTE, showing({ pools }));
    assert.deepEqual(watch.said(), [`${id} open`]);
  }
});

test('pools: a device that shows two thousand strange ones is told of in a bounded number of findings, and passes no check', () => {
  const strange = Array.from({ length: 2000 }, (_, index) => ({
    ...THIEF,
    user: `dieb.${index}`,
    active: index === 1999,
  }));
  const watch = Watch.known({ allow: ALLOW });
  const pools = longList(0, ...strange);
  const startNs = process.hrtime.bigint();
  watch.live(3 * MINUTE, showing({ pools }));
  const tookMs = Number(process.hrtime.bigint() - startNs) / 1e6;
  const parts = watch.opened('pool.outside-allowlist').map(({ part }) => part);
  assert.equal(parts.length, 32);
  assert.ok(parts.includes('slot 2002'), 'the one that is mined on');
  assert.ok(watch.statements.length <= 100, `${watch.statements.length}`);
  const passed = watch.attestations.flatMap(({ checks }) => checks.passed['self-reported'] ?? []);
  assert.ok(!passed.includes('pool.outside-allowlist') && !passed.includes('pool.slot-added'));
  assert.ok(tookMs / watch.looks < 1000, `${tookMs} ms for ${watch.looks} looks`);
});

test('pools: of a flood that somebody acknowledged nothing new is left unsaid', () => {
  const strange = Array.from({ length: 40 }, (_, index) => ({ ...THIEF, user: `dieb.${index}` }));
  const watch = Watch.known({ allow: ALLOW });
  watch.live(3 * MINUTE, showing({ pools: longList(0, ...strange) }));
  watch.state = {
    ...watch.state,
    tracks: watch.state.tracks.map((one) => ({ ...one, finding: { ...one.finding, state: 'acknowledged' as const } })),
  };
  watch.clear();
  watch.live(16 * MINUTE, showing({ pools: longList(0, ...strange, { ...THIEF, user: 'dieb.new' }) }));
  assert.equal(watch.opened('pool.outside-allowlist').length, 9);
  assert.ok(!watch.said().some((said) => said.endsWith('resolved')));
});

test('pools: what a version passed that did not look at every slot was not raised by an edit of the list', () => {
  const wide = [...ALLOW, { url: THIEF.url }];
  const watch = new Watch({ allow: wide });
  watch.live(5 * MINUTE, showing({ pools: longList(13, THIEF) }));
  const { attested } = watch.state;
  assert.ok(attested?.listed !== undefined);
  const narrowed = (listed: string) => {
    const later = new Watch({ allow: ALLOW });
    later.nowMs = watch.nowMs;
    later.state = { ...watch.state, marks: { ...watch.state.marks }, attested: { ...attested, listed } };
    later.live(3 * MINUTE, showing({ pools: longList(13, THIEF) }));
    return later.opened('pool.outside-allowlist').map(({ edit }) => edit);
  };
  assert.deepEqual(narrowed(attested.listed), ['raised']);
  assert.deepEqual(narrowed('pool.outside-allowlist'), [undefined]);
});
