import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportPlan } from '../../agent/appraise/plan-report.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import type { PoolSlot } from '../../shared/facts.ts';
import type { ExpectedValue, Plan } from '../../shared/terms.ts';
import { plan, under } from './standing.ts';
import { MINUTE, POOLS, showing, Watch } from './watch.ts';

/** Plans for other pools (catalogue §3): they cover the pools that they name, wherever these stand, and no others. */

type Pool = readonly [url: string, user?: string, proxy?: string];

const [NORTH, SOUTH] = POOLS.map(({ url, user }): Pool => [url, user]) as [Pool, Pool, Pool];
const SPARE: Pool = ['stratum+tcp://spare2.example:3333', 'acme.av1'];
const B1: Pool = ['stratum+tcp://b1.example:3333', 'acme.b'];
const B2: Pool = ['stratum+tcp://b2.example:3333', 'acme.b'];
const THIEF: Pool = ['stratum+tcp://thief.example:3333', 'mallory.x'];

/** The first is the one that is mined on. */
const slots = (pools: readonly Pool[], turns: readonly number[] = [...pools.keys()]): readonly PoolSlot[] =>
  pools.map(([url, user, proxy], slot) => ({
    slot,
    url,
    priority: turns[slot] ?? slot,
    active: turns[slot] === 0,
    ...(user === undefined ? {} : { user }),
    ...(proxy === undefined ? {} : { proxy }),
  }));

const listed = (...pools: readonly Pool[]): ExpectedValue => ({
  fact: 'pools',
  class: 'exact',
  value: pools.map(([url, user], slot) => ({ slot, url, priority: slot, ...(user === undefined ? {} : { user }) })),
});

const columns = (...pools: readonly Pool[]): ExpectedValue[] => [
  { fact: 'pools.url', class: 'exact', value: pools.length === 1 ? pools[0]?.[0] : pools.map(([url]) => url) },
  { fact: 'pools.user', class: 'exact', value: pools.length === 1 ? pools[0]?.[1] : pools.map(([, user]) => user) },
];

const MIGRATION = ['pool.url-changed', 'pool.user-changed', 'pool.slot-added', 'pool.outside-allowlist'];

/** What is said of a device that had `before`, under the plan, when it shows `after`, and what the report of the plan says. */
const moved = (
  {
    before = [NORTH, SOUTH],
    turns,
    terms,
  }: { readonly before?: readonly Pool[]; readonly turns?: readonly number[]; readonly terms: Partial<Plan> },
  after: readonly Pool[],
  turned: readonly number[] | undefined = turns,
) => {
  const watch = new Watch();
  watch.live(5 * MINUTE, showing({ pools: slots(before, turns) }));
  const { reference } = watch.state;
  assert.ok(reference !== undefined);
  watch.state = { ...watch.state, reference: { ...reference, entries: [{ seq: 1, approval: 'local' }] } };
  watch.clear();
  const planned = plan(30, terms);
  watch.context = under(() => watch.nowMs, { plans: [planned] });
  watch.live(10 * MINUTE, showing({ pools: slots(before, turns) }));
  watch.live(20 * MINUTE, showing({ pools: slots(after, turned) }));
  const covered = watch.statements.filter(({ plan: by }) => by === 30);
  const others = watch.statements.filter(({ plan: by }) => by === undefined);
  const report = reportPlan(planned, [watch.state], {
    matched: new Set(covered.length > 0 ? ['rig'] : []),
    deviated: new Set(),
    isReported: false,
    standing: NOTHING_STANDING,
    nowMs: watch.nowMs,
  });
  return {
    covered: covered.map(({ ruleId, part }) => `${ruleId} ${part}`),
    others: others.map(({ ruleId, part, severity }) => `${ruleId} ${part} ${severity}`),
    matched: report.matched,
    wrong: report.wrong,
    incomplete: report.incomplete,
  };
};

const added = (...expected_after: ExpectedValue[]) => ({ terms: { ids: ['pool.slot-added'], expected_after } });
const migration = (...expected_after: ExpectedValue[]) => ({ terms: { ids: MIGRATION, expected_after } });

test('a plan for one more pool does not cover the pool of a thief that is put in front, or behind', () => {
  for (const expected of [columns(SPARE), [listed(NORTH, SPARE)], columns(NORTH, SPARE)])
    for (const after of [
      [THIEF, NORTH],
      [NORTH, THIEF],
    ]) {
      const told = moved({ before: [NORTH], ...added(...expected) }, after);
      assert.deepEqual(told.covered, []);
      assert.deepEqual(
        told.others.map((text) => text.replace(/slot \d/, 'slot')),
        ['pool.slot-added slot high', 'change.deviation plan-30 pool.slot-added slot high'],
      );
      assert.deepEqual([told.matched, told.wrong], [[], ['rig']]);
    }
});

test('the pool of a thief beside the planned one is told, and the planned one is as planned', () => {
  const told = moved({ before: [NORTH], ...added(...columns(SPARE)) }, [THIEF, NORTH, SPARE]);
  assert.deepEqual(told.covered, ['pool.slot-added slot 2']);
  assert.deepEqual(told.others, [
    'pool.slot-added slot 0 high',
    'change.deviation plan-30 pool.slot-added slot 0 high',
  ]);
  assert.deepEqual([told.matched, told.wrong], [[], ['rig']]);
});

test('the planned URL for the account of a thief, and the planned account at the pool of a thief, are not as planned', () => {
  for (const expected of [columns(SPARE), [listed(NORTH, SPARE)]])
    for (const pool of [
      [SPARE[0], THIEF[1]],
      [THIEF[0], SPARE[1]],
    ] as Pool[])
      assert.deepEqual(moved({ before: [NORTH], ...added(...expected) }, [NORTH, pool]).covered, []);
});

test('a migration does not cover a pool that is put in front of, between or behind the planned ones', () => {
  for (const expected of [columns(B1, B2), [listed(B1, B2)]])
    for (const after of [
      [THIEF, B1, B2],
      [B1, THIEF, B2],
      [B1, B2, THIEF],
      [THIEF, B2],
    ]) {
      const { covered, others, matched, wrong } = moved(migration(...expected), after);
      const at = after.indexOf(THIEF);
      assert.ok(covered.every((text) => !text.endsWith(`slot ${at}`)));
      assert.ok(others.some((text) => text.startsWith('pool.') && text.includes(`slot ${at} `)));
      assert.deepEqual([matched, wrong], [[], ['rig']]);
    }
});

test('what is carried out as planned is covered: a pool behind, between or before, a list, a migration, another order', () => {
  const template: ExpectedValue[] = [
    {
      fact: 'pools.url',
      class: 'template',
      value: ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://spare*.example:3333'],
    },
    { fact: 'pools.user', class: 'template', value: 'acme.*' },
  ];
  const either: ExpectedValue[] = [
    { fact: 'pools.url', class: 'set', value: [NORTH[0], SOUTH[0], SPARE[0]] },
    { fact: 'pools.user', class: 'set', value: [NORTH[1], SPARE[1]] },
  ];
  const cases: [Parameters<typeof moved>[0], Pool[]][] = [
    [added(...columns(SPARE)), [NORTH, SOUTH, SPARE]],
    [added(...columns(SPARE)), [NORTH, SPARE, SOUTH]],
    [added(...columns(NORTH, SOUTH, SPARE)), [NORTH, SOUTH, SPARE]],
    [added(...template), [NORTH, SOUTH, SPARE]],
    [added(...either), [NORTH, SOUTH, SPARE]],
    [added(listed(NORTH, SOUTH, SPARE)), [NORTH, SOUTH, SPARE]],
    [added(listed(SPARE, NORTH, SOUTH)), [SPARE, NORTH, SOUTH]],
    [migration(...columns(B1, B2)), [B1, B2]],
    [migration(listed(B1, B2)), [B1, B2]],
    [migration(listed(B1, B2, SPARE)), [B1, B2, SPARE]],
    [migration(...columns(B1, B2, SPARE)), [B1, B2, SPARE]],
    [
      { terms: { ids: ['pool.priority-changed', 'pool.failover-active'], expected_after: [listed(SOUTH, NORTH)] } },
      [SOUTH, NORTH],
    ],
    [{ terms: { ids: ['pool.slot-removed'], expected_after: [listed(NORTH)] } }, [NORTH]],
  ];
  for (const [told, after] of cases) {
    const { covered, others, matched } = moved(told, after);
    assert.ok(covered.length > 0);
    assert.deepEqual([others, matched], [[], ['rig']], JSON.stringify([told, after]));
  }
});

test('a planned list that tells no order is carried out in the order that was approved, and in no other', () => {
  const users = (user: string): Pool[] => [NORTH, SOUTH, SPARE].map(([url]) => [url, user]);
  const untold = (...pools: readonly Pool[]): ExpectedValue => ({
    ...listed(...pools),
    class: 'exact',
    value: pools.map(([url, user], slot) => ({ slot, url, user })),
  });
  const three = { before: [NORTH, SOUTH, SPARE], turns: [1, 0, 2] };
  const terms = { ids: ['pool.user-changed'], expected_after: [untold(...users('acme.other'))] };
  const asPlanned = moved({ ...three, terms }, users('acme.other'));
  assert.deepEqual([asPlanned.others, asPlanned.matched], [[], ['rig']]);
  const migrated = moved({ ...three, ...migration(untold(B1, B2, SPARE)) }, [B1, B2, SPARE]);
  assert.deepEqual([migrated.others, migrated.matched], [[], ['rig']]);
  const otherwise = moved({ ...three, terms }, users('acme.other'), [2, 1, 0]);
  assert.deepEqual(otherwise.others, ['pool.priority-changed order medium', 'pool.failover-active undefined low']);
  assert.deepEqual([otherwise.matched, otherwise.incomplete], [[], ['rig']]);
});

test('a pool of the planned list that is put before those that stand before it there is not as planned', () => {
  const { covered, others } = moved(added(listed(NORTH, SOUTH, SPARE)), [SPARE, NORTH, SOUTH]);
  assert.deepEqual(covered, []);
  assert.equal(others[0], 'pool.slot-added slot 0 high');
});

test('another slot is gone than the planned one', () => {
  const three = { before: [NORTH, SOUTH, SPARE] };
  const terms = { ids: ['pool.slot-removed'], expected_after: [listed(NORTH, SPARE)] };
  assert.deepEqual(moved({ ...three, terms }, [NORTH, SPARE]).covered, ['pool.slot-removed slot 1']);
  assert.deepEqual(moved({ ...three, terms }, [NORTH, SOUTH]).covered, []);
});

test('the planned pool behind a proxy of which the plan says nothing is not as planned; behind a planned one it is', () => {
  const [url, user] = SPARE as readonly [string, string];
  const behind: Pool = [url, user, 'socks5://proxy.example:1080'];
  const proxied: ExpectedValue = { fact: 'pools.proxy', class: 'set', value: ['', 'socks5://proxy.example:1080'] };
  for (const expected of [columns(SPARE), [listed(NORTH, SPARE)]]) {
    const told = moved({ before: [NORTH], ...added(...expected) }, [NORTH, behind]);
    assert.deepEqual([told.covered, told.matched, told.wrong], [[], [], ['rig']]);
  }
  for (const expected of [columns(B1, B2), [listed(B1, B2)]]) {
    const told = moved(migration(...expected), [[B1[0], B1[1] ?? '', 'socks5://thief.example:1080'], B2]);
    assert.ok(
      told.others.some((text) => text.startsWith('pool.url-changed slot 0 proxy high')),
      told.others.join(),
    );
    assert.deepEqual([told.matched, told.wrong], [[], ['rig']]);
  }
  const planned = moved({ before: [NORTH], ...added(...columns(SPARE), proxied) }, [NORTH, behind]);
  assert.deepEqual([planned.others, planned.matched], [[], ['rig']]);
});

test('a list of pools by their places holds at these: the two slots exchanged are not as planned', () => {
  for (const expected of [columns(B1, B2), [listed(B1, B2)]]) {
    const told = moved(migration(...expected), [B2, B1]);
    assert.ok(
      told.covered.every((text) => !text.startsWith('pool.url-changed')),
      told.covered.join(),
    );
    assert.ok(told.others.includes('pool.url-changed slot 0 high'), told.others.join());
    assert.deepEqual([told.matched, told.wrong], [[], ['rig']]);
  }
  const users = columns([B1[0], 'acme.b1'], [B1[0], 'acme.b2']);
  const exchanged = moved(migration(...users), [
    [B1[0], 'acme.b2'],
    [B1[0], 'acme.b1'],
  ]);
  assert.deepEqual([exchanged.matched, exchanged.wrong], [[], ['rig']]);
  const order = { ids: ['pool.priority-changed'], expected_after: columns(SOUTH, NORTH) };
  assert.deepEqual(moved({ terms: order }, [SOUTH, NORTH]).matched, ['rig']);
  assert.deepEqual(moved({ terms: order }, [NORTH, SOUTH]).matched, [], 'untouched');
});

test('a pool that is added by its place is added there', () => {
  const last = added(...columns(NORTH, SOUTH, SPARE));
  assert.deepEqual(moved(last, [NORTH, SOUTH, SPARE]).covered, ['pool.slot-added slot 2']);
  assert.deepEqual(moved(last, [SPARE, NORTH, SOUTH]).covered, []);
});

test('a migration of which one slot was carried out is not as planned, and told apart from what was left as it was', () => {
  for (const expected of [columns(B1, B2), columns(B1, NORTH), [listed(B1, B2)], columns(B1)]) {
    const told = moved(migration(...expected), [B1, SOUTH]);
    assert.ok(told.covered.includes('pool.url-changed slot 0'), JSON.stringify([expected, told]));
    assert.deepEqual([told.matched, told.wrong, told.incomplete], [[], [], ['rig']], JSON.stringify(expected));
  }
});

test('a device to which the planned pool was not added is not as planned', () => {
  for (const expected of [columns(SPARE), columns(NORTH, SOUTH, SPARE), [listed(NORTH, SOUTH, SPARE)]])
    assert.deepEqual(moved(added(...expected), [NORTH, SOUTH]).matched, []);
});
