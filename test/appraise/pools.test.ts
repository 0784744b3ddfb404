import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isListed, isPrivateHost } from '../../agent/appraise/allow.ts';
import { showsExpected } from '../../agent/appraise/planned.ts';
import { sameOwner } from '../../agent/appraise/pool-url.ts';
import { diffReference } from '../../agent/baseline/reference.ts';
import { plan, reference, under } from './standing.ts';
import { type Gaps, honest, MINUTE, POOLS, pools, SECOND, showing, T0, Watch } from './watch.ts';

test('pool.url-changed: another host in slot 0 is one finding within 120 s, with both URLs', () => {
  const watch = Watch.known();
  const changedMs = watch.nowMs;
  watch.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://203.0.113.9:3333' })));
  assert.deepEqual(watch.said(), ['pool.url-changed open']);
  const [finding] = watch.opened('pool.url-changed');
  assert.equal(finding?.part, 'slot 0');
  assert.equal(finding?.before, 'stratum+tcp://eu.pool.example:3333');
  assert.equal(finding?.after, 'stratum+tcp://203.0.113.9:3333');
  assert.equal(finding?.severity, 'high');
  assert.ok(((finding?.confirmedAt ?? 0) * SECOND - changedMs) / SECOND <= 120);
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['change'],
  );
  assert.equal(watch.attestations[0]?.checks.failed[0]?.obs, 'stratum+tcp://203.0.113.9:3333');
});

test('pool.url-changed: a host that hides before an @ of the known one is another pool, and on no list', () => {
  const allow = [{ url: '*.pool.example' }, { url: 'backup.example' }];
  for (const url of [
    'stratum+tcp://evil.example:***@eu.pool.example:3333',
    'stratum+tcp://evil@eu.pool.example:3333',
  ]) {
    const watch = Watch.known();
    watch.context = { allow };
    watch.live(3 * MINUTE, showing(pools({ url })));
    assert.deepEqual([...watch.said()].sort(), ['pool.outside-allowlist open', 'pool.url-changed open'], url);
    assert.equal(watch.opened('pool.url-changed')[0]?.severity, 'high', url);
    assert.ok(isListed([{ url }], url, undefined, NOWHERE), 'where the line has it');
  }
});

const NOWHERE = { labels: {}, address: '10.0.0.1', facts: {} };

/** Each ends like an allowed host, and none is one: older resolvers connect to the address that stands before the blank. */
const HOSTILE = [
  '203.0.113.66 .pool.example:3333',
  '203.0.113.66\t.pool.example:3333',
  '203.0.113.66\u0000.pool.example:3333',
  '203.0.113.66%00.pool.example:3333',
  '203.0.113.66\u00a0.pool.example:3333',
  '0xcb007142 .pool.example:3333',
  '3405803842 .pool.example:3333',
  'evil.example,.pool.example:3333',
  'evil.example;.pool.example:3333',
  'evil.example|.pool.example:3333',
  'evil.example\\.pool.example:3333',
  'evil.example[.pool.example:3333',
  '[evil.example].pool.example:3333',
  'evil.example<x.pool.example:3333',
  'evil.example\u3002.pool.example:3333',
  'evil.example:3x.pool.example:3333',
  'evil.example:.pool.example',
  '..pool.example:3333',
  'a..pool.example:3333',
  `${'a.'.repeat(130)}pool.example:3333`,
  // Names under another domain, where a slash, a question mark and a hash stand for themselves.
  'eu.pool.example#.evil.example:3333',
  'eu.pool.example/.evil.example',
  'eu.pool.example?.evil.example:3333',
  'eu.pool.example/[x].evil.example:3333',
  'eu.pool.example:3333/[x].evil.example:25',
  `${'a'.repeat(64)}.pool.example:3333`,
];

test('pools.allow: what is neither an address nor a name is on no line, whatever it ends with', () => {
  const lists = [[{ url: '*.pool.example' }], [{ url: 'stratum+tcp://*.pool.example:3333' }], [{ url: '*' }]];
  for (const host of HOSTILE)
    for (const allow of lists)
      for (const url of [host, `stratum+tcp://${host}`])
        assert.ok(!isListed(allow, url, undefined, NOWHERE), JSON.stringify([url, allow]));
});

test('pools.allow: addresses, and names in every usual spelling, are on the lines that name them', () => {
  for (const [line, url] of [
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://EU.Pool.Example.:03333/'],
    ['*.pool.example', 'a_b-1.eu.pool.example:3333'],
    ['*.pool.example', 'xn--mnchen-3ya.pool.example'],
    ['203.0.113.9', 'stratum+tcp://203.0.113.9:3333'],
    ['[2001:db8::1]', 'stratum+ssl://[2001:DB8::1]:443'],
    ['stratum+ssl://[2001:DB8:0:0::01]:443', 'stratum+ssl://[2001:db8::1]:443'],
    ['stratum+ssl://[2001:db8::1]:443', 'stratum+ssl://[2001:db8:0:0:0:0:0:1]:443'],
    ['*', '[fe80::1%eth0]:3333'],
    ['[FE80:0::1%eth0]:3333', '[fe80::1%eth0]:3333'],
    ['2001:db8::1', 'stratum+tcp://[2001:db8::1]:3333'],
    ['2001:DB8:0::1', 'stratum+tcp://2001:db8::1'],
    ['stratum+tcp://2001:db8::1', 'stratum+tcp://[2001:db8::1]:3333'],
    ['*.pool.example', 'stratum+tcp://eu.pool.example#xnsub'],
    ['*.pool.example:3333', 'eu.pool.example:3333/wallet.rig1/ops@mail.example'],
    ['*.pool.example', 'stratum2+tcp://eu.pool.example/9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72'],
    ['*', 'pool'],
    // What a firmware shows in place of its fee pool.
    ['*', '*'],
  ] as const)
    assert.ok(isListed([{ url: line }], url, undefined, NOWHERE), url);
  for (const [line, url] of [
    ['*.pool.example', 'm\u00fcnchen.pool.example'],
    ['203.0.113.9', '0313.0.113.9'],
    ['2001:db8::1', 'stratum+tcp://[2001:db8::1:1]:3333'],
    ['[2001:db8::1]:3333', 'stratum+tcp://[2001:db8::1:3333]'],
    ['[fe80::1%eth0]', 'stratum+tcp://[fe80::1%eth1]:3333'],
    ['203.0.113.9', '203.0.113.9 '.repeat(2).trim()],
    ['pool-k.example', 'pool-\u212a.example'],
    ['*.pool-k.example', 'eu.pool-\u212a.example'],
  ] as const)
    assert.ok(!isListed([{ url: line }], url, undefined, NOWHERE), url);
});

test('pool.outside-allowlist: an address that ends like an allowed host is found at first sight, and in a known device as another owner', () => {
  const allow = [{ url: '*.pool.example' }, { url: 'backup.example' }];
  for (const host of HOSTILE) {
    const url = `stratum+tcp://${host}`;
    const fresh = new Watch({ allow });
    fresh.live(3 * MINUTE, showing(pools({ url })));
    assert.deepEqual(fresh.said(), ['pool.outside-allowlist open'], url);
    assert.deepEqual(fresh.statements[0]?.reasons, ['not-listed', 'malformed-host'], url);
  }
  const url = 'stratum+tcp://203.0.113.66 .pool.example:3333';
  const watch = Watch.known({ allow });
  watch.live(3 * MINUTE, showing(pools({ url })));
  assert.deepEqual([...watch.said()].sort(), ['pool.outside-allowlist open', 'pool.url-changed open']);
  const [changed] = watch.opened('pool.url-changed');
  assert.deepEqual([changed?.severity, changed?.reasons], ['high', ['not-listed', 'malformed-host']]);
  const added = Watch.known({ allow });
  added.live(3 * MINUTE, showing({ pools: [...POOLS, { ...FOURTH, url }] }));
  const [slot] = added.opened('pool.slot-added');
  assert.deepEqual([slot?.severity, slot?.reasons], ['critical', ['not-listed', 'malformed-host']]);
});

test('pool.url-changed: no name of nobody shares an owner, and only an address is a private one', () => {
  for (const host of [
    'evil.example\\.pool.example',
    'a..pool.example',
    '[evil.example].pool.example',
    '10.pool.example x',
  ])
    assert.ok(!sameOwner('stratum+tcp://eu.pool.example:3333', `stratum+tcp://${host}:3333`), host);
  assert.ok(sameOwner('stratum+tcp://eu.pool.example:3333', 'stratum+tcp://a_b.pool.example:3333'));
  for (const host of ['10.evil.example', '192.168.evil.example', '127.0.0.1 .pool.example'])
    assert.ok(!isPrivateHost(`stratum+tcp://${host}:3333`), host);
  for (const host of ['10.0.0.9', '192.168.0.9', '[fd00::1]'])
    assert.ok(isPrivateHost(`stratum+tcp://${host}:3333`), host);
});

test('pool.url-changed: a host under the same registered name and scheme is medium, another scheme is not', () => {
  const near = Watch.known();
  near.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://asia.pool.example:3333' })));
  assert.equal(near.opened('pool.url-changed')[0]?.severity, 'medium');
  const scheme = Watch.known();
  scheme.live(3 * MINUTE, showing(pools({ url: 'stratum+ssl://asia.pool.example:3333' })));
  assert.equal(scheme.opened('pool.url-changed')[0]?.severity, 'high');
});

test('pool.url-changed: host in upper case, last slash, two timeouts and one empty list are no finding', () => {
  const watch = Watch.known();
  watch.live(2 * MINUTE, showing(pools({ url: 'Stratum+TCP://EU.Pool.Example.:3333/' })));
  watch.live(2 * MINUTE, () => undefined);
  watch.live(MINUTE, showing({ pools: [] }));
  watch.live(20 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), []);
});

test('pool.user-changed: another account is critical within 120 s', () => {
  const watch = Watch.known();
  const changedMs = watch.nowMs;
  watch.live(3 * MINUTE, showing(pools({ user: 'mallory.rig0417' })));
  const [finding] = watch.opened('pool.user-changed');
  assert.equal(finding?.severity, 'critical');
  assert.deepEqual([finding?.before, finding?.after], ['acme.rig0417', 'mallory.rig0417']);
  assert.ok((finding?.confirmedAt ?? 0) * SECOND - changedMs <= 120 * SECOND);
  assert.deepEqual(watch.said(), ['pool.user-changed open']);
});

test('pool.user-changed: a wallet without worker is its own account', () => {
  const watch = new Watch();
  const wallet = { user: 'bc1qexampleexampleexample' };
  watch.live(2 * MINUTE, showing(pools(wallet, wallet, wallet)));
  watch.clear();
  watch.live(3 * MINUTE, showing(pools({ user: 'bc1qotherotherotherother' }, wallet, wallet)));
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'critical');
});

test('pool.user-changed: an e-mail log-in under another domain is another account, under another worker it is none', () => {
  const severityOf = (before: string, after: string) => {
    const watch = new Watch();
    watch.live(2 * MINUTE, showing(pools({ user: before }, { user: before }, { user: before })));
    watch.clear();
    watch.live(3 * MINUTE, showing(pools({ user: after }, { user: before }, { user: before })));
    const [finding] = watch.opened('pool.user-changed');
    return [finding?.severity, finding?.reasons?.[0]];
  };
  assert.deepEqual(severityOf('ops@acme.example/rig1', 'ops@acme.attacker.net/rig1'), ['critical', 'account']);
  assert.deepEqual(severityOf('ops@acme.example.rig1', 'ops@acme.example.attacker.net'), ['critical', 'account']);
  assert.deepEqual(severityOf('ops@acme.example/rig1', 'ops@acme.example/rig2'), ['medium', 'worker']);
  assert.deepEqual(severityOf('ops@acme.example_rig1', 'ops@acme.example_rig2'), ['medium', 'worker']);
});

test('pool.user-changed: what stands in front of the worker is no account where it is a coin alone, or nothing', () => {
  const weighed = (before: string, after: string) => {
    const watch = new Watch();
    watch.live(2 * MINUTE, showing(pools({ user: before }, { user: before }, { user: before })));
    watch.clear();
    watch.live(3 * MINUTE, showing(pools({ user: after }, { user: before }, { user: before })));
    const [finding] = watch.opened('pool.user-changed');
    return [finding?.severity, finding?.reasons?.join(' ')];
  };
  assert.deepEqual(weighed('LTC.acme', 'LTC.thief'), ['critical', 'worker template no-account']);
  assert.deepEqual(weighed('.rig1', '.thief'), ['critical', 'worker template no-account']);
  assert.deepEqual(weighed('LTC.14x9', 'LTC.14x7'), ['low', 'worker no-account']);
  assert.deepEqual(weighed('LTC.acme.rig1', 'LTC.acme.rig2'), ['medium', 'worker template']);
  assert.deepEqual(weighed('RVN.acme.rig1', 'RVN.thief.rig1'), ['critical', 'account']);
  assert.deepEqual(weighed('acme.rig1', 'acme.rig2'), ['medium', 'worker template']);
});

test('pool.user-changed: a worker named after its leased address follows a new lease, at most low', () => {
  const watch = new Watch();
  const named = (octet: number) => ({ user: `acme.rig-14x${octet}` });
  watch.live(5 * MINUTE, (nowMs) => ({ facts: honest(nowMs, pools(named(7), named(7), named(7))) }));
  watch.clear();
  watch.live(10 * MINUTE, (nowMs) => ({
    facts: honest(nowMs, pools(named(93), named(93), named(93))),
    address: '10.20.14.93',
  }));
  const severities = watch.statements
    .filter(({ ruleId }) => ruleId === 'pool.user-changed')
    .map(({ severity }) => severity);
  assert.deepEqual([...new Set(severities)], ['low']);
});

test('pool.user-changed: a worker that follows no template is medium', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({ user: 'acme.someoneelse' })));
  assert.equal(watch.opened('pool.user-changed')[0]?.severity, 'medium');
});

test('pool.user-changed and pool.url-changed: both are found when one slot changes both', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing(pools({ url: 'stratum+tcp://203.0.113.9:3333', user: 'mallory.x' })));
  assert.deepEqual([...watch.said()].sort(), ['pool.url-changed open', 'pool.user-changed open']);
  assert.equal(watch.attestations.length, 1);
});

const FOURTH = { slot: 3, url: 'stratum+tcp://fee.example:3333', user: 'fee.x', priority: 3, active: false };

test('pool.slot-added: a fourth slot is a finding with its contents', () => {
  const watch = Watch.known();
  watch.live(3 * MINUTE, showing({ pools: [...POOLS, FOURTH] }));
  const [finding] = watch.opened('pool.slot-added');
  assert.equal(finding?.severity, 'high');
  assert.deepEqual(finding?.after, { url: 'stratum+tcp://fee.example:3333', user: 'fee.x' });
  assert.deepEqual(watch.said(), ['pool.slot-added open']);
});

test('pool.slot-added: a slot put before the others is an addition, not three changes', () => {
  const watch = Watch.known();
  const moved = POOLS.map((pool, index) => ({ ...pool, slot: index + 1, priority: index + 1 }));
  watch.live(3 * MINUTE, showing({ pools: [{ ...FOURTH, slot: 0, priority: 0 }, ...moved] }));
  assert.deepEqual(watch.said(), ['pool.slot-added open']);
  assert.equal(watch.opened('pool.slot-added')[0]?.part, 'slot 0');
});

test('pool.slot-added: an account that no line of the list allows is critical', () => {
  const watch = Watch.known({ allow: [{ url: 'stratum+tcp://*.pool.example:3333' }, { url: 'backup.example' }] });
  watch.live(3 * MINUTE, showing({ pools: [...POOLS, FOURTH] }));
  assert.equal(watch.opened('pool.slot-added')[0]?.severity, 'critical');
});

test('pool.slot-added: a reply truncated after slot 1 is unknown, and no finding about its pools', () => {
  const watch = Watch.known();
  watch.live(20 * MINUTE, (nowMs) => ({ facts: honest(nowMs), gaps: { pools: 'truncated' } }));
  assert.deepEqual(watch.said(), ['visibility.coverage-reduced open']);
});

test('pool.slot-removed: a slot that is gone for ten minutes is one finding; for two polls none is confirmed', () => {
  const gone = { pools: POOLS.slice(0, 2) };
  const watch = Watch.known();
  watch.live(9 * MINUTE, showing(gone));
  assert.deepEqual(watch.said(), []);
  watch.live(5 * MINUTE, showing(gone));
  assert.deepEqual(watch.said(), ['pool.slot-removed open']);
  assert.equal(watch.opened('pool.slot-removed')[0]?.severity, 'medium');

  const brief = Watch.known();
  brief.live(2 * MINUTE, showing(gone));
  brief.live(20 * MINUTE, showing({}));
  assert.deepEqual(brief.said(), ['pool.slot-removed resolved']);
  assert.equal(brief.statements[0]?.confirmedAt, undefined);
});

test('pool.priority-changed: slots 0 and 1 swapped are this finding only', () => {
  const watch = Watch.known();
  const [first, second, third] = POOLS;
  watch.live(
    3 * MINUTE,
    showing({
      pools: [
        { ...second, slot: 0, priority: 0, active: true },
        { ...first, slot: 1, priority: 1, active: true },
        third,
      ],
    }),
  );
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
});

test('pool.priority-changed: a group that gets another part of the work is a change', () => {
  const watch = new Watch();
  watch.live(10 * MINUTE, showing(pools({}, {}, { share_ppm: 20_000 })));
  watch.clear();
  watch.live(3 * MINUTE, showing(pools({}, {}, { share_ppm: 980_000 })));
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
});

test('pool.priority-changed: other quotas are a change, the same list is none', () => {
  const watch = new Watch();
  watch.live(3 * MINUTE, showing(pools({ quota: 1 }, { quota: 1 }, { quota: 1 })));
  assert.deepEqual(watch.said(), []);
  watch.live(3 * MINUTE, showing(pools({ quota: 1 }, { quota: 9 }, { quota: 1 })));
  assert.deepEqual(watch.said(), ['pool.priority-changed open']);
});

test('pool.priority-changed: a quota that is not told is the usual one, whichever of the two came first', () => {
  const usual = pools({ quota: 1 }, { quota: 1 }, { quota: 1 });
  const hundred = pools({ quota: 1 }, { quota: 100 }, { quota: 1 });
  for (const [before, same] of [
    [{}, usual],
    [usual, {}],
  ] as const) {
    const watch = new Watch();
    watch.live(10 * MINUTE, showing(before));
    watch.live(10 * MINUTE, showing(same));
    assert.deepEqual(watch.said(), []);
    assert.deepEqual(diffReference(honest(0, before), honest(0, same)), []);
    watch.live(10 * MINUTE, showing(hundred));
    assert.deepEqual(watch.said(), ['pool.priority-changed open']);
    assert.equal(diffReference(honest(0, before), honest(0, hundred)).length, 1);
  }
  const gone = new Watch();
  gone.live(10 * MINUTE, showing(hundred));
  gone.live(10 * MINUTE, showing({}));
  assert.deepEqual(gone.said(), ['pool.priority-changed open']);
});

test('pool.priority-changed: so it is against a document, and for a plan that lists the pools', () => {
  const told = pools({ quota: 1 }, { quota: 1 }, { quota: 1 });
  const quota = reference(20, [{ fact: 'pools.quota', class: 'exact', value: 1 }]);
  for (const answer of [{}, told]) {
    const watch = Watch.commissioned();
    watch.context = under(() => watch.nowMs, { references: [quota] });
    watch.live(20 * MINUTE, showing(answer));
    assert.deepEqual(watch.said(), []);
  }
  const listed = {
    seq: 30,
    terms: plan(30, {
      ids: ['pool.priority-changed'],
      expected_after: [{ fact: 'pools', class: 'exact', value: told.pools }],
    }).terms,
  };
  const circumstances = { nowMs: T0, fits: () => false, fill: (template: string) => template };
  assert.equal(
    showsExpected(listed, { observed: honest(0), approved: honest(0), beyond: () => [], circumstances }),
    true,
  );
});

const LIST = [
  { url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' },
  { url: 'backup.example', user: 'acme.*' },
];

test('pool.outside-allowlist: is found at first sight, against no baseline, with the nearest line', () => {
  const watch = new Watch({ allow: LIST });
  watch.live(3 * MINUTE, showing(pools({ user: 'acne.rig0417' })));
  const [finding] = watch.opened('pool.outside-allowlist');
  assert.equal(finding?.severity, 'high');
  assert.deepEqual(finding?.after, {
    url: 'stratum+tcp://eu.pool.example:3333',
    user: 'acne.rig0417',
    nearest: LIST[0],
  });
  assert.deepEqual(
    watch.attestations.map(({ trigger }) => trigger),
    ['first', 'change'],
  );
});

test('pool.outside-allowlist: does not run without a list and does not match a listed pool', () => {
  const without = new Watch();
  without.live(5 * MINUTE, showing(pools({ url: 'stratum+tcp://203.0.113.9:3333' })));
  assert.deepEqual(without.said(), []);
  const listed = new Watch({ allow: LIST });
  listed.live(5 * MINUTE, showing({}));
  assert.deepEqual(listed.said(), []);
});

test('pool.outside-allowlist: patterns are anchored at both ends', () => {
  const unlisted = (url: string, user: string, allow: { url: string; user?: string }) => {
    const watch = new Watch({ allow: [allow] });
    watch.live(2 * MINUTE, showing({ pools: [{ slot: 0, url, user, priority: 0 }] }));
    return watch.opened('pool.outside-allowlist').length;
  };
  const line = { url: 'pool.example.com', user: 'acct1' };
  assert.equal(unlisted('stratum+tcp://pool.example.com:3333', 'acct1', line), 0);
  assert.equal(unlisted('stratum+tcp://evilpool.example.com.attacker.net:3333', 'acct1', line), 1);
  assert.equal(unlisted('stratum+tcp://evilpool.example.com:3333', 'acct1', line), 1);
  assert.equal(unlisted('stratum+tcp://pool.example.com:3333', 'x.acct1', line), 1);
  assert.equal(unlisted('stratum+tcp://pool.example.com@attacker.net:3333', 'acct1', line), 1);
  const wild = { url: 'stratum+tcp://*.pool.example:3333', user: 'acme.*' };
  assert.equal(unlisted('stratum+tcp://a.b.pool.example:3333', 'acme.rig', wild), 0);
  assert.equal(unlisted('stratum+tcp://pool.example:3333', 'acme.rig', wild), 1);
  assert.equal(unlisted('stratum+tcp://a.pool.example:4444', 'acme.rig', wild), 1);
  assert.equal(unlisted('stratum+tcp://a.pool.example:3333', 'acme', wild), 1);
  assert.equal(unlisted('stratum+tcp://10.0.0.9:3333', 'acme.rig', wild), 1);
});

test('pool.outside-allowlist: the pool that runs counts too, and a private address is named as such', () => {
  const watch = new Watch({ allow: LIST });
  const live_pools = [{ url: 'stratum+tcp://192.168.7.7:3333', user: 'acme.rig0417' }];
  watch.live(2 * MINUTE, showing({ live_pools }));
  const [finding] = watch.opened('pool.outside-allowlist');
  assert.equal(finding?.part, 'live 0');
  assert.deepEqual(finding?.reasons, ['not-listed', 'private-host']);
});

test('pool.outside-allowlist: a pool that runs is a listed one, also where it is told without the key in its path', () => {
  const allow = [{ url: 'stratum2+tcp://v2.pool.example:3336/9auqWEzQ', user: 'acme.*' }];
  const configured = { slot: 0, url: 'stratum2+tcp://v2.pool.example:3336/9auqWEzQ', user: 'acme.rig', priority: 0 };
  const opened = (url: string, gaps: Gaps = {}): number => {
    const watch = new Watch({ allow });
    const facts = { pools: [configured], live_pools: [{ url, user: 'acme.rig' }] };
    watch.live(3 * MINUTE, (nowMs) => ({ facts: honest(nowMs, facts), gaps }));
    return watch.opened('pool.outside-allowlist').length;
  };
  assert.equal(opened('stratum2+tcp://v2.pool.example:3336'), 0);
  // What is configured could not be read: a list that was cut off, three times within a day.
  assert.equal(opened('stratum2+tcp://v2.pool.example:3336', { pools: 'truncated' }), 0);
  assert.equal(opened('stratum2+tcp://v2.pool.example:3336/anotherKey'), 1);
  assert.equal(opened('stratum2+tcp://v2.pool.example:3337'), 1);
});

test('pool.failover-active: primary down for ten minutes is low, then cleared, and no other finding', () => {
  const watch = Watch.known();
  watch.live(10 * MINUTE, showing(pools({ active: false }, { active: true })));
  assert.deepEqual(watch.said(), ['pool.failover-active open']);
  assert.equal(watch.statements[0]?.severity, 'low');
  watch.live(10 * MINUTE, showing({}));
  assert.deepEqual(watch.said(), ['pool.failover-active open', 'pool.failover-active resolved']);
});

test('pool.failover-active: after more than thirty minutes it is medium', () => {
  const watch = Watch.known();
  watch.live(40 * MINUTE, showing(pools({ active: false }, { active: true })));
  assert.deepEqual(
    watch.opened('pool.failover-active').map(({ severity }) => severity),
    ['low', 'medium'],
  );
});

test('pool.failover-active: one poll on the second pool, and a device that shares its work, are none', () => {
  const blip = Watch.known();
  blip.live(30 * SECOND, showing(pools({ active: true }, { active: true })));
  blip.live(10 * MINUTE, showing({}));
  assert.deepEqual(blip.said(), []);
  const shared = new Watch();
  const balanced = { 'config.strategy': 'balance' };
  shared.live(2 * MINUTE, showing(balanced));
  shared.live(20 * MINUTE, showing({ ...balanced, ...pools({ active: false }, { active: true }) }));
  assert.deepEqual(shared.said(), []);
});
