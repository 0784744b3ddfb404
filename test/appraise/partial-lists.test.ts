import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { approvedFactsOf } from '../../agent/appraise/origin.ts';
import { reportPlan } from '../../agent/appraise/plan-report.ts';
import { collapse, NO_STORMS } from '../../agent/appraise/storm.ts';
import type { Adopted, Standing } from '../../agent/baseline/standing.ts';
import { differencesInForce } from '../../agent/desk/differences.ts';
import type { Watching } from '../../agent/desk/watched.ts';
import type { Fleet } from '../../agent/schedule/fleet.ts';
import { FACTS, type Facts, type PoolSlot } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { ExpectedValue, ReferenceTerms } from '../../shared/terms.ts';
import { plan, reference, under } from './standing.ts';
import { MINUTE, POOLS, showing, Watch } from './watch.ts';

/** Lists of which whoever signed them left out columns: these are held to what lies below, where that is known. */

const OPTIONAL = ['user', 'priority', 'quota', 'share_ppm', 'tls', 'proxy'] as const;
type Optional = (typeof OPTIONAL)[number];

/** Every column is told. */
const TOLD: readonly PoolSlot[] = POOLS.map((slot) => ({
  ...slot,
  quota: 2,
  share_ppm: 300_000,
  tls: true,
  proxy: 'socks5://proxy.example:1080',
}));

/** What a thief, or anybody, may do to a list. */
const CHANGES: { readonly [name: string]: (pools: readonly PoolSlot[]) => readonly PoolSlot[] } = {
  url: (pools) => pools.map((slot) => (slot.slot === 0 ? { ...slot, url: 'stratum+tcp://thief.example:1' } : slot)),
  user: (pools) => pools.map((slot) => ({ ...slot, user: 'mallory.x' })),
  'no user': (pools) => pools.map(({ user: _, ...slot }) => slot),
  priority: (pools) => pools.map((slot) => ({ ...slot, priority: 2 - slot.priority })),
  quota: (pools) => pools.map((slot) => (slot.slot === 0 ? { ...slot, quota: 9 } : slot)),
  share_ppm: (pools) => pools.map((slot) => ({ ...slot, share_ppm: 333_333 })),
  'no share': (pools) => pools.map(({ share_ppm: _, ...slot }) => slot),
  tls: (pools) => pools.map((slot) => ({ ...slot, tls: false })),
  proxy: (pools) => pools.map((slot) => ({ ...slot, proxy: 'socks5://thief.example:1' })),
  'no proxy': (pools) => pools.map(({ proxy: _, ...slot }) => slot),
  added: (pools) => [...pools, { slot: 3, priority: 3, url: 'stratum+tcp://thief.example:1', user: 'mallory.x' }],
  removed: (pools) => pools.slice(0, 2),
  exchanged: (pools) =>
    pools.map((slot, at) => ({ ...slot, url: pools[2 - at]?.url ?? '', user: pools[2 - at]?.user ?? '' })),
  'all of it': (pools) =>
    pools.map(({ slot }) => ({ slot, priority: 2 - slot, url: `stratum+tcp://t${slot}.example:1`, user: 'm.x' })),
};

const without = (pools: readonly PoolSlot[], left: readonly Optional[], slots = [0, 1, 2]): readonly object[] =>
  pools.map((slot) =>
    Object.fromEntries(
      Object.entries(slot).filter(
        ([name]) => name !== 'active' && !(slots.includes(slot.slot) && left.includes(name as Optional)),
      ),
    ),
  );

const exact = (fact: string, value: unknown): ExpectedValue => ({ fact, class: 'exact', value }) as ExpectedValue;

const subsets = <Of>([first, ...others]: readonly Of[]): readonly (readonly Of[])[] =>
  first === undefined ? [[]] : subsets(others).flatMap((one) => [one, [first, ...one]]);

/** A device that was accepted with these pools, under documents from then on. */
const accepted = (facts: Facts, parts: Partial<Standing>): Watch => {
  const watch = new Watch();
  watch.live(3 * MINUTE, showing(facts));
  const { reference: learned } = watch.state;
  assert.ok(learned !== undefined);
  watch.state = { ...watch.state, reference: { ...learned, entries: [{ seq: 1, approval: 'local' }] } };
  watch.context = under(() => watch.nowMs, parts);
  watch.clear();
  return watch;
};

const listed = (value: unknown, seq = 7, scope?: ReferenceTerms['scope']): Adopted<ReferenceTerms> =>
  reference(seq, [exact('pools', value)], scope);

/** All that is said of it can be signed, and put together with what other devices show. */
const assertStatable = ({ statements, attestations }: Watch, what: string): void => {
  for (const finding of statements) {
    assert.doesNotThrow(() => canonicalJson(finding), `${what}: ${finding.ruleId}`);
    collapse(NO_STORMS, [{ kind: 'device', device: 'rig', finding }], 0);
  }
  for (const { checks } of attestations) assert.doesNotThrow(() => canonicalJson(checks), what);
};

/** Which pool is in use is no matter here. */
const told = ({ statements }: Watch): readonly string[] =>
  statements
    .filter(({ ruleId }) => ruleId !== 'pool.failover-active')
    .map(({ ruleId, part, state }: Finding) => [ruleId, part, state].join(' '));

test('a list that tells no order is no word about it: what was accepted holds, and another user is that alone', () => {
  for (const slots of [[0, 1, 2], [1]]) {
    const list = without(POOLS, ['priority'], slots);
    const watch = accepted({ pools: POOLS }, { references: [listed(list)] });
    watch.live(10 * MINUTE, showing({ pools: POOLS }));
    assert.deepEqual(told(watch), []);
    watch.live(10 * MINUTE, showing({ pools: CHANGES.user?.(POOLS) ?? [] }));
    assert.deepEqual(
      told(watch),
      ['slot 0', 'slot 1', 'slot 2'].map((part) => `pool.user-changed ${part} open`),
    );
    const order = accepted({ pools: POOLS }, { references: [listed(list)] });
    order.live(10 * MINUTE, showing({ pools: CHANGES.priority?.(POOLS) ?? [] }));
    assert.deepEqual(
      told(order).filter((text) => text.startsWith('pool.priority')),
      ['pool.priority-changed order open'],
    );
    assertStatable(order, String(slots));
  }
});

test('the order that a list tells holds, though what was accepted has another', () => {
  const backwards = POOLS.map((slot) => ({ ...slot, priority: 2 - slot.priority }));
  const list = without(POOLS, []);
  const watch = accepted({ pools: backwards }, { references: [listed(list)] });
  watch.live(10 * MINUTE, showing({ pools: POOLS }));
  assert.deepEqual(told(watch), []);
  watch.live(10 * MINUTE, showing({ pools: backwards }));
  assert.ok(told(watch).includes('pool.priority-changed order open'), told(watch).join());
});

test('the order of slots of which neither a list nor what lies below tells any is not judged', () => {
  const more: readonly PoolSlot[] = [
    ...POOLS,
    { slot: 3, priority: 3, url: 'stratum+tcp://n.example:1', user: 'acme.n', active: false },
  ];
  const list = without(more, ['priority'], [0, 1, 2, 3]);
  for (const first of [
    [3, 0, 1, 2],
    [0, 1, 2, 3],
    [0, 3, 1, 2],
  ]) {
    const watch = accepted({ pools: POOLS }, { references: [listed(list)] });
    const turned = more.map((slot) => ({ ...slot, priority: first.indexOf(slot.slot) }));
    watch.live(10 * MINUTE, showing({ pools: turned }));
    assert.deepEqual(
      told(watch).filter((text) => !text.startsWith('pool.failover')),
      [],
      String(first),
    );
  }
  const watch = accepted({ pools: POOLS }, { references: [listed(list)] });
  const turned = more.map((slot) => ({ ...slot, priority: [3, 1, 0, 2].indexOf(slot.slot) }));
  watch.live(10 * MINUTE, showing({ pools: turned }));
  assert.ok(told(watch).includes('pool.priority-changed order open'), 'of those that are known it is');
});

test('a column that a list leaves out is held to what was accepted', () => {
  const found: { readonly [Column in Optional]: string } = {
    user: 'pool.user-changed slot 0 open',
    priority: 'pool.priority-changed order open',
    quota: 'pool.priority-changed order open',
    share_ppm: 'pool.priority-changed order open',
    tls: 'pool.transport-downgraded slot 0 open',
    proxy: 'pool.url-changed slot 0 proxy open',
  };
  for (const column of OPTIONAL) {
    const watch = accepted({ pools: TOLD }, { references: [listed(without(TOLD, [column]))] });
    watch.live(5 * MINUTE, showing({ pools: CHANGES[column]?.(TOLD) ?? [] }));
    assert.ok(told(watch).includes(found[column]), `${column}: ${told(watch).join()}`);
  }
});

test('a list that tells no users says nothing of the account for which a machine works that takes the place of another', () => {
  for (const [left, isTold] of [
    [['user'], false],
    [[], true],
  ] as const) {
    const watch = new Watch({}, 'range');
    watch.state = { ...watch.state, replaces: { device: 'before', pools: POOLS } };
    watch.context = under(() => watch.nowMs, { references: [listed(without(POOLS, left))] });
    watch.live(5 * MINUTE, showing({ pools: CHANGES.user?.(POOLS) ?? [] }));
    const [newcomer] = watch.opened('identity.new-device');
    assert.equal(newcomer?.reasons?.includes('other-account') === true, !isTold);
    assert.equal(watch.opened('pool.user-changed').length > 0, isTold);
  }
});

test('no list with columns left out, of all slots or of one, in a document or a plan, keeps a change from being told', () => {
  const others = OPTIONAL.map((column) => OPTIONAL.filter((other) => other !== column));
  for (const left of [OPTIONAL, ...others, ...OPTIONAL.map((column) => [column])])
    for (const slots of left.length === 1 ? [[0, 1, 2], [1]] : [[0, 1, 2]])
      for (const [name, change] of Object.entries(CHANGES)) {
        const list = without(TOLD, left, slots);
        const expected = plan(30, { ids: ['pool.*'], expected_after: [exact('pools', list)] });
        for (const parts of [{ references: [listed(list)] }, { plans: [expected] }]) {
          const what = `without ${left.join()} of ${slots.join()}: ${name}`;
          const watch = accepted({ pools: TOLD }, parts);
          watch.live(3 * MINUTE, showing({ pools: change(TOLD) }));
          assertStatable(watch, what);
        }
      }
});

test('no other list with members left out keeps a change from being told', () => {
  const lists = { fee_pools: ['user', 'quota'], live_pools: ['user', 'status', 'active', 'host', 'proxy'] } as const;
  const whole = (host: string) => ({ url: `stratum+tcp://${host}:1`, user: 'maker', quota: '2%', active: true, host });
  for (const [fact, members] of Object.entries(lists))
    for (const left of subsets<string>(members))
      for (const shown of [{ ...whole('fee.example'), user: 'other' }, whole('other.example'), { url: 'x://y:1' }]) {
        const value = [
          Object.fromEntries(Object.entries(whole('fee.example')).filter(([name]) => !left.includes(name))),
        ];
        const before = { [fact]: [whole('fee.example')] } as Facts;
        const expected = plan(30, { ids: ['config.*', 'pool.*'], expected_after: [exact(fact, value)] });
        for (const parts of [{ references: [reference(7, [exact(fact, value)])] }, { plans: [expected] }]) {
          const watch = accepted(before, parts);
          watch.live(3 * MINUTE, showing({ [fact]: [shown] } as Facts));
          assertStatable(watch, `${fact} without ${left.join()}`);
        }
      }
  assert.deepEqual(
    Object.entries(FACTS).flatMap(([fact, { type }]) => (type === 'object list' ? [fact] : [])),
    ['firmware.components', 'pools', 'live_pools', 'fee_pools', 'config.other'],
    'these are all',
  );
});

test('a part of a list of which a document of before tells no value keeps no change from being told', () => {
  for (const [fact, before, shown] of [
    ['firmware.components', { name: 'web', value: 'a' }, { name: 'web', value: 'b' }],
    ['config.other', { key: 'led', value: 'on' }, { key: 'led', value: 'off' }],
  ] as const) {
    const { value: _, ...named } = before;
    const watch = accepted({ [fact]: [before] }, { references: [reference(7, [exact(fact, [named])])] });
    watch.live(3 * MINUTE, showing({ [fact]: [shown] }));
    assertStatable(watch, fact);
  }
});

/** Whether a theft of the account is told, and what is said to hold of the pools. */
const underBoth = (references: readonly Adopted<ReferenceTerms>[], shown: readonly PoolSlot[]) => {
  const watch = accepted({ pools: POOLS }, { references });
  watch.live(5 * MINUTE, showing({ pools: shown }));
  const { standing } = watch.contextNow();
  const held = approvedFactsOf(watch.state, [...references], standing, watch.nowMs);
  const [differing] = differencesInForce(
    { state: () => watch.state, states: () => [watch.state] } as unknown as Pick<Fleet, 'state' | 'states'>,
    ['rig'],
    { standing, nowMs: watch.nowMs } as Watching,
  );
  return {
    found: told(watch).filter((text) => text.startsWith('pool.')),
    holding: held.flatMap(({ fact, seq }) => (fact.startsWith('pools') ? [`${fact} ${seq}`] : [])),
    differs: differing?.differences.map(({ fact }) => fact) ?? [],
  };
};

const PARTNER = POOLS.map((slot) => ({ ...slot, user: 'partner.x' }));
const STOLEN = ['slot 0', 'slot 1', 'slot 2'].map((part) => `pool.user-changed ${part} open`);
const SCOPES: readonly ReferenceTerms['scope'][] = [{}, { labels: { site: 'tx1' } }, { devices: ['rig'] }];

test('what a list tells of a column holds over a document for that column which is less close, or as close and older', () => {
  const users: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] };
  for (const [near, listScope] of SCOPES.entries())
    for (const [wide, columnScope] of SCOPES.entries())
      for (const [list, column] of [
        [7, 8],
        [8, 7],
      ] as const) {
        const references = [listed(without(POOLS, []), list, listScope), reference(column, [users], columnScope)].sort(
          (one, other) => one.seq - other.seq,
        );
        const isListOver = near === wide ? list > column : near > wide;
        const { found, holding, differs } = underBoth(references, PARTNER);
        const what = JSON.stringify([listScope, columnScope, list]);
        assert.deepEqual(found, isListOver ? STOLEN : [], what);
        assert.deepEqual(differs, isListOver ? ['pools'] : [], what);
        assert.deepEqual(holding, isListOver ? [`pools ${list}`] : [`pools ${list}`, `pools.user ${column}`], what);
        assert.deepEqual(underBoth(references, POOLS).found, [], what);
      }
});

test('a less close document for a column holds it where the list leaves it out, and in its slots alone', () => {
  const users: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] };
  const close = { devices: ['rig'] };
  for (const [slots, found] of [
    [[0, 1, 2], []],
    [[1], [STOLEN[0], STOLEN[2]]],
  ] as const) {
    const list = listed(without(POOLS, ['user'], [...slots]), 7, close);
    const references: readonly Adopted<ReferenceTerms>[] = [list, reference(8, [users])];
    const { holding, ...both } = underBoth(references, PARTNER);
    assert.deepEqual(both, { found, differs: found.length === 0 ? [] : ['pools'] });
    assert.deepEqual(holding, ['pools 7', 'pools.user 8']);
    const thief = POOLS.map((slot) => ({ ...slot, user: 'mallory.x' }));
    assert.deepEqual(underBoth(references, thief).found, STOLEN);
  }
  const open = [reference(7, [{ fact: 'pools', class: 'volatile' }], close), reference(8, [users])];
  assert.deepEqual(
    underBoth(
      open,
      POOLS.map((slot) => ({ ...slot, user: 'mallory.x' })),
    ).found,
    STOLEN,
  );
});

test('of one document its column holds over its list', () => {
  const users: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] };
  const both = [reference(7, [exact('pools', without(POOLS, [])), users], { devices: ['rig'] })];
  assert.deepEqual(underBoth(both, PARTNER).found, []);
});

test('a column of another scope that goes on holding gives way to a list, and a list of one to a column', () => {
  const users: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] };
  const elsewhere = { devices: ['rig'], labels: { site: 'elsewhere' } };
  const kept = (references: readonly Adopted<ReferenceTerms>[]) => {
    const watch = accepted({ pools: POOLS }, { references });
    watch.state = { ...watch.state, edited: { kept: ['ref-7'], apart: [] } };
    watch.live(5 * MINUTE, showing({ pools: PARTNER }));
    return told(watch).filter((text) => text.startsWith('pool.'));
  };
  assert.deepEqual(kept([reference(7, [users], elsewhere), listed(without(POOLS, []), 8)]), STOLEN);
  assert.deepEqual(kept([listed(without(POOLS, []), 7, elsewhere), reference(8, [users])]), []);
});

test('what no document tells of a connection is no difference to what is in force', () => {
  const moved = [{ slot: 0, url: 'stratum+tcp://new.example:1' }, ...without(TOLD, OPTIONAL).slice(1)];
  for (const list of [without(TOLD, ['tls', 'priority']), moved]) {
    const watch = accepted({ pools: TOLD }, { references: [listed(list)] });
    watch.live(5 * MINUTE, showing({ pools: CHANGES.user?.(TOLD) ?? [] }));
    const { standing } = watch.contextNow();
    const fleet = { state: () => watch.state, states: () => [watch.state] } as unknown as Pick<
      Fleet,
      'state' | 'states'
    >;
    const [shown] = differencesInForce(fleet, ['rig'], { standing, nowMs: watch.nowMs } as Watching);
    const [difference] = shown?.differences ?? [];
    const [before, after] = [difference?.before, difference?.after] as [PoolSlot[], PoolSlot[]];
    const members = (['user', 'priority', 'tls', 'quota', 'share_ppm'] as const).filter((member) =>
      after.some((slot, at) => slot[member] !== before[at]?.[member]),
    );
    assert.deepEqual(members, ['user']);
    assert.equal(before[0]?.tls, true);
  }
});

test('another account is found wherever a list that tells no users, or tells others, stands among what is allowed', () => {
  const bare = (pools: readonly PoolSlot[]) =>
    without(pools, ['user', 'priority', 'quota', 'share_ppm', 'tls', 'proxy']);
  const moved = POOLS.map((slot) => ({ ...slot, url: slot.url.replace('.example', '.example.org') }));
  const stolen = (pools: readonly PoolSlot[]) => pools.map((slot) => ({ ...slot, user: 'mallory.x' }));
  const anyOf = (...lists: readonly unknown[]): ExpectedValue => ({ fact: 'pools', class: 'set', value: [...lists] });
  const urls: ExpectedValue = {
    fact: 'pools.url',
    class: 'set',
    value: [...POOLS, ...moved].map(({ url }) => url),
  };
  const lists = [bare(moved), bare(POOLS)];
  for (const [what, references] of Object.entries<readonly Adopted<ReferenceTerms>[]>({
    'the other list first': [reference(7, [anyOf(...lists)])],
    'its own list first': [reference(7, [anyOf(...lists.toReversed())])],
    'with its users in one of them': [reference(7, [anyOf(bare(moved), without(POOLS, ['priority']))])],
    'URLs beside': [reference(7, [anyOf(...lists), urls])],
    'URLs beside, its own list first': [reference(7, [anyOf(...lists.toReversed()), urls])],
    'URLs for the device, another list for the site': [
      reference(7, [exact('pools', bare(moved))]),
      reference(8, [urls], { devices: ['rig'] }),
    ],
  })) {
    const watch = accepted({ pools: POOLS }, { references });
    watch.live(10 * MINUTE, showing({ pools: POOLS }));
    assert.deepEqual(told(watch), [], what);
    watch.live(10 * MINUTE, showing({ pools: stolen(POOLS) }));
    assert.deepEqual(
      told(watch),
      [0, 1, 2].map((slot) => `pool.user-changed slot ${slot} open`),
      what,
    );
  }
  // Nor does another pool bring another account with it.
  const led = accepted({ pools: POOLS }, { references: [reference(7, [anyOf(...lists)])] });
  led.live(10 * MINUTE, showing({ pools: moved }));
  assert.deepEqual(told(led), []);
  led.live(10 * MINUTE, showing({ pools: stolen(moved) }));
  assert.deepEqual(
    told(led),
    [0, 1, 2].map((slot) => `pool.user-changed slot ${slot} open`),
  );
});

const MOVES = ['pool.url-changed', 'pool.user-changed', 'pool.slot-added'];

/** What becomes of a device under a plan for these pools without their users, and which findings it does not cover. */
const planned = (
  references: readonly Adopted<ReferenceTerms>[],
  users: readonly string[],
  urls: readonly string[] = [],
) => {
  const watch = accepted({ pools: POOLS }, { references });
  const slots = users.map((user, slot) => ({
    slot,
    url: urls[slot] ?? `stratum+tcp://n${slot}.example:1`,
    user,
    priority: slot,
    active: slot === 0,
  }));
  const move = plan(30, {
    ids: MOVES,
    expected_after: [exact('pools', without(slots, ['user', 'priority'], [...slots.keys()]))],
  });
  watch.context = under(() => watch.nowMs, { references, plans: [move] });
  watch.live(5 * MINUTE, showing({ pools: slots }));
  const { standing } = watch.contextNow();
  const ground = { matched: new Set(['rig']), deviated: new Set<string>(), isReported: false };
  const report = reportPlan(move, [watch.state], { ...ground, standing, nowMs: watch.nowMs });
  return {
    fate: Object.entries(report).flatMap(([fate, devices]) => (devices.length > 0 ? [fate] : [])),
    found: watch.statements.flatMap(({ ruleId, part, plan: by }) =>
      by === undefined && !ruleId.startsWith('change.') ? [`${ruleId} ${part}`] : [],
    ),
  };
};

test('what the list of a plan leaves out is held to all that is in force: what it covers, and what its report says', () => {
  const users: ExpectedValue = { fact: 'pools.user', class: 'template', value: ['acme.*', 'partner.*'] };
  const [acme = '', partner, thief] = [POOLS[0].user, 'partner.x', 'mallory.x'];
  const slot = (at: number): string => `${at > 2 ? 'pool.slot-added' : 'pool.user-changed'} slot ${at}`;
  const own = listed(without(POOLS, []), 9, { devices: ['rig'] });
  for (const scope of SCOPES) {
    const site = reference(7, [users], scope);
    for (const [shown, found] of [
      [[partner, partner, partner], []],
      [[partner, acme, partner], []],
      [[partner, partner, partner, partner], []],
      [[acme, acme, thief], [slot(2)]],
      [[partner, partner, partner, thief], [slot(3)]],
      [[thief, acme, acme, acme], [slot(0)]],
    ] as const) {
      const what = `${JSON.stringify(scope)} ${shown}`;
      assert.deepEqual(planned([site], shown), { fate: [found.length === 0 ? 'matched' : 'wrong'], found }, what);
    }
    assert.deepEqual(
      planned([site, own], [acme, acme, acme, thief]),
      { fate: ['wrong'], found: [slot(3)] },
      'a nearer list says nothing of a slot that it does not have',
    );
    assert.deepEqual(planned([site, own], [acme, acme, acme, partner]), { fate: ['matched'], found: [] });
  }
  assert.deepEqual(planned([own], [partner, acme, acme]).found, [slot(0)]);
  assert.deepEqual(planned([own], [acme, acme, acme]), { fate: ['matched'], found: [] });
  assert.deepEqual(
    planned([], [acme, acme, acme, partner]),
    { fate: ['matched'], found: [] },
    'of a user that nothing tells nothing is judged',
  );
  // One that stood elsewhere works for whom it did, whatever others may.
  const moved = ['stratum+tcp://d.example:1', ...POOLS.slice(1).map(({ url }) => url), POOLS[0].url];
  for (const references of [[], [reference(7, [users]), own]]) {
    assert.notDeepEqual(planned(references, [acme, acme, acme, thief], moved).found, []);
    assert.deepEqual(planned(references, [acme, acme, acme, acme], moved), { fate: ['matched'], found: [] });
  }
});
