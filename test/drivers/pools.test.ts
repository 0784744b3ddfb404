import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { antminerStock } from '../../agent/drivers/antminer-stock.ts';
import { cgminer } from '../../agent/drivers/cgminer.ts';
import {
  CGMINER_POOL,
  connectedPools,
  livePools,
  poolList,
  poolsFromZero,
  withConnected,
  withRuntime,
} from '../../agent/drivers/pools.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import { CONFLICT, type JsonObject, type JsonValue, type NoReply, type Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { type PoolSlot, present, type Reading, standingIn, unknown } from '../../shared/facts.ts';

const row = (slot: number, url: string, more: { readonly [name: string]: JsonValue } = {}): JsonValue => ({
  POOL: slot,
  URL: url,
  User: 'acme.1',
  Priority: slot,
  Quota: 1,
  Status: 'Alive',
  'Stratum Active': slot === 0,
  'Stratum URL': '',
  ...more,
});

const slots = poolList(CGMINER_POOL);
const A = 'stratum+tcp://a.example:3333';
const B = 'stratum+tcp://b.example:3333';

/** Why a list is unknown; what its other rows tell is a matter of its own. */
const gapOf = (reading: Reading<unknown>): Reading<unknown> =>
  reading.kind === 'unknown' ? unknown(reading.reason) : reading;

/** A list of which these rows can be read, and another one cannot. */
const unreadBeside = (...rows: readonly JsonValue[]): Reading<readonly PoolSlot[]> => {
  const reading = slots([...rows]);
  assert.ok(reading.kind === 'present');
  return { kind: 'unknown', reason: 'unreadable', toldPools: reading.value };
};

describe('a pool list', () => {
  test('drops blank slots and keeps the numbers of the others', () => {
    const reading = slots([row(0, '', { 'Stratum Active': false }), row(1, A)]);
    assert.ok(reading.kind === 'present');
    assert.deepEqual(
      reading.value.map(({ slot, url }) => [slot, url]),
      [[1, A]],
    );
  });

  test('takes no slot for blank that is mined: it leads to the host it is connected to, or nobody knows where', () => {
    const mined = row(2, ' ', { User: 'thief.1', 'Stratum Active': true, 'Stratum URL': 'thief.example:3333' });
    for (const reading of [slots([row(1, A), mined]), livePools(CGMINER_POOL)([row(1, A), mined])]) {
      assert.ok(reading.kind === 'present');
      const last = reading.value[1];
      assert.deepEqual([last?.url, last?.user, last?.active], ['thief.example:3333', 'thief.1', true]);
    }
    for (const Active of [true, 'maybe']) {
      const nowhere = row(2, '', { 'Stratum Active': Active });
      assert.deepEqual(slots([row(1, A), nowhere]), unreadBeside(row(1, A)));
    }
  });

  test('is unknown where two rows have one number, or one lost its own', () => {
    assert.deepEqual(gapOf(slots([row(0, A), row(0, B)])), unknown('unreadable'));
    assert.deepEqual(gapOf(slots([row(1, A), row(0, B), row(1, B)])), unknown('unreadable'));
    const { POOL: _, ...lost } = row(2, B) as JsonObject;
    assert.deepEqual(gapOf(slots([row(0, A), row(1, B), lost])), unknown('unreadable'));
    assert.deepEqual(gapOf(slots([lost, row(0, A)])), unknown('unreadable'));
    assert.deepEqual(livePools(CGMINER_POOL)([row(0, A), row(0, B)]), unknown('unreadable'));
  });

  test('has its slots in the order of their numbers, whatever the order of the rows', () => {
    const rows = [row(0, A), row(1, B), row(10, A, { User: 'acme.2' })];
    assert.deepEqual(slots(rows.toReversed()), slots(rows));
    const live = livePools(CGMINER_POOL);
    assert.deepEqual(live(rows.toReversed()), live(rows));
  });

  test('puts the port behind the host, whatever the password in front of it holds', () => {
    const apart = poolList({ url: 'url', port: 'port' });
    for (const account of ['acct:12345/hunter2', 'me@mail.example:hun/ter2', 'stratum+tcp://acct:hunter2']) {
      const reading = apart([{ url: `${account}@pool.example`, port: 3333 }]);
      assert.equal(reading.kind === 'present' && reading.value[0]?.url, `${account}@pool.example:3333`);
    }
  });

  test('keeps the user byte for byte and leaves an empty one out', () => {
    const reading = slots([row(0, A, { User: ' acme.1 ' }), row(1, B, { User: '' })]);
    assert.ok(reading.kind === 'present');
    assert.equal(reading.value[0]?.user, ' acme.1 ');
    assert.ok(!('user' in (reading.value[1] as PoolSlot)));
  });

  test('is unknown as a whole where one row cannot be read: half a list would look like a removed pool, and what the others tell is told', () => {
    for (const bad of [
      null,
      'text',
      {},
      row(1, B, { URL: CONFLICT }),
      row(1, B, { User: 7 }),
      row(1, B, { Priority: 'x' }),
    ]) {
      assert.deepEqual(slots([row(0, A), bad]), unreadBeside(row(0, A)), String(JSON.stringify(bad)));
      assert.deepEqual(livePools(CGMINER_POOL)([row(0, A), bad]), unknown('unreadable'));
    }
    for (const list of [[], {}, 'none', null]) assert.deepEqual(slots(list), unknown('unreadable'));
  });

  test('is not spoilt by what only describes the moment', () => {
    const reading = slots([row(0, A, { 'Stratum Active': 'perhaps', Status: ['?'] })]);
    assert.deepEqual(reading, present([{ slot: 0, url: A, priority: 0, user: 'acme.1', quota: 1 }]));
  });

  test('of its own surface tells the host connected now', () => {
    assert.deepEqual(
      livePools(CGMINER_POOL)([row(0, A, { 'Stratum URL': 'elsewhere.example' })]),
      present([{ url: A, user: 'acme.1', status: 'Alive', active: true, host: 'elsewhere.example' }]),
    );
  });

  test('puts host and port together where they come apart', () => {
    const read = poolList({ url: 'host', port: 'port', user: 'user' });
    const spelled = (host: string, port: JsonValue): unknown => {
      const reading = read([{ host, port, user: 'u' }]);
      return reading.kind === 'present' ? reading.value[0]?.url : reading;
    };
    assert.equal(spelled('a.example', 3333), 'a.example:3333');
    assert.equal(spelled('stratum+tcp://a.example', '3333'), 'stratum+tcp://a.example:3333');
    assert.equal(spelled('stratum+tcp://a.example/', 3333), 'stratum+tcp://a.example:3333');
    assert.equal(spelled('a.example:4444', 3333), 'a.example:4444');
    assert.equal(spelled('a.example', 0), 'a.example');
    assert.equal(spelled('2001:db8::7', 3333), '[2001:db8::7]:3333');
    assert.equal(spelled('[2001:db8::7]', 3333), '[2001:db8::7]:3333');
    assert.deepEqual(spelled('a.example', 'none'), unknown('unreadable'));
  });
});

describe('stored slots and the runtime list', () => {
  const stored: readonly PoolSlot[] = [
    { slot: 0, url: 'a.example:3333', user: 'acme.1', priority: 0 },
    { slot: 1, url: B, user: 'acme.1', priority: 1 },
  ];
  const running = (slot: number, url: string, more: Partial<PoolSlot> = {}): PoolSlot => ({
    slot,
    url,
    user: 'acme.1',
    priority: slot,
    status: 'Alive',
    active: false,
    ...more,
  });

  test('are matched although one spells the scheme and the other does not', () => {
    const [first] = withRuntime(stored, [running(0, A, { active: true }), running(1, B)]);
    assert.deepEqual(first, { ...stored[0], status: 'Alive', active: true });
  });

  test('show a pool that was switched through the API by its priority', () => {
    const joined = withRuntime(stored, [running(0, A, { priority: 1 }), running(1, B, { priority: 0, active: true })]);
    assert.deepEqual(
      joined.map(({ priority }) => priority),
      [1, 0],
    );
  });

  test('show a pool that was added through the API as a slot', () => {
    const added = running(2, 'stratum+tcp://thief.example:3333', { user: 'thief', priority: 0, active: true });
    assert.deepEqual(withRuntime(stored, [running(0, A), running(1, B), added])[2], added);
  });

  test('do not lend the status of one pool to another, and show the other one as a slot behind them', () => {
    const other = running(0, 'stratum+tcp://other.example:1', { active: true });
    assert.deepEqual(withRuntime(stored, [other]), [...stored, { ...other, slot: 2 }]);
  });

  test('show several others in the order of their numbers, whatever the order of the list', () => {
    const others = [0, 1].map((slot) => running(slot, `stratum+tcp://other${slot}.example:1`));
    const joined = withRuntime(stored, others);
    assert.deepEqual(
      joined.slice(2).map(({ url }) => url),
      others.map(({ url }) => url),
    );
    assert.deepEqual(withRuntime(stored, others.toReversed()), joined);
  });

  test('show another account at the same pool, in the place of a stored slot, as a slot of its own', () => {
    const stolen = running(0, A, { user: 'thief.x', active: true });
    const [first, second, third] = withRuntime(stored, [stolen, running(1, B)]);
    assert.deepEqual(first, stored[0]);
    assert.deepEqual(second, { ...stored[1], status: 'Alive', active: false });
    assert.deepEqual(third, { ...stolen, slot: 2 });
  });

  test('are the same pool whatever worker the firmware appends, and another in another case of the account', () => {
    const plain: readonly PoolSlot[] = [{ slot: 0, url: A, user: 'acme', priority: 0 }];
    const [only, ...none] = withRuntime(plain, [running(0, A, { user: 'acme.14x7', active: true })]);
    assert.deepEqual([only, none], [{ ...plain[0], status: 'Alive', active: true }, []]);
    assert.equal(withRuntime(plain, [running(0, A, { user: 'ACME.14x7' })]).length, 2);
    const mail: readonly PoolSlot[] = [{ slot: 0, url: A, user: 'ops@acme.example', priority: 0 }];
    assert.equal(withRuntime(mail, [running(0, A, { user: 'ops@acme.example.14x7' })]).length, 1);
    assert.equal(withRuntime(mail, [running(0, A, { user: 'ops@acme.attacker.net' })]).length, 2);
  });

  test('give each row to one slot, the one of its own worker before any other of the account', () => {
    const twice: readonly PoolSlot[] = [
      { slot: 0, url: A, user: 'acme.1', priority: 0 },
      { slot: 1, url: A, user: 'acme.2', priority: 1 },
    ];
    const joined = withRuntime(twice, [running(5, A, { user: 'acme.2', active: true }), running(6, A)]);
    assert.deepEqual(
      joined.map(({ user, active }) => [user, active]),
      [
        ['acme.1', false],
        ['acme.2', true],
      ],
    );
  });

  test('stay as they are beside the connections of the moment, of which one that is none of them is a slot behind', () => {
    assert.deepEqual(withConnected(stored, [{ url: B, user: 'acme.1-0x02', active: true }]), stored);
    const other = { url: A, user: 'thief.1', active: true };
    assert.deepEqual(withConnected(stored, [{ ...other, host: 'a.example' }]), [
      ...stored,
      { slot: 2, priority: 2, ...other },
    ]);
  });
});

describe('the pools of stock firmware', () => {
  const source = antminerStock.facts.pools;
  const reply = (value: JsonValue): Reply => ({ kind: 'reply', bytes: new Uint8Array(), value, repairs: [] });
  const none = (reason: NoReply['reason']): NoReply => ({ kind: 'no-reply', reason, detail: '' });
  const conf = reply({ pools: [{ url: 'a.example:3333', user: 'acme.1', pass: 'x' }] });
  const runtime = reply({ STATUS: [{ STATUS: 'S' }], POOLS: [row(0, A)] });
  const page = (status: number, text: string): Reply | NoReply =>
    documentIn({ kind: 'page', status, challenges: [], cookies: [], body: Buffer.from(text), whole: true });
  const read = (stored: Reply | NoReply, running: Reply | NoReply) =>
    source?.read(
      new Map([
        ['conf', stored],
        ['pools', running],
      ]),
    );

  test('are those of the stored configuration, with the state of the runtime list', () => {
    assert.deepEqual(
      read(conf, runtime),
      present([{ slot: 0, url: 'a.example:3333', priority: 0, user: 'acme.1', status: 'Alive', active: true }]),
    );
  });

  test('are those of one surface where the other is closed', () => {
    assert.deepEqual(
      read(none('refused'), runtime),
      standingIn(present([{ slot: 0, url: A, priority: 0, user: 'acme.1', status: 'Alive', active: true }]), 'refused'),
    );
    assert.deepEqual(
      read(conf, none('unreachable')),
      present([{ slot: 0, url: 'a.example:3333', priority: 0, user: 'acme.1' }]),
    );
  });

  test('stand in where the stored configuration is closed and the runtime list is not', () => {
    const standsIn = (stored: Reply | NoReply, running: Reply | NoReply) => {
      const reading = read(stored, running);
      return reading?.kind === 'present' ? reading.standsIn : undefined;
    };
    assert.equal(standsIn(none('refused'), runtime), 'refused');
    assert.equal(standsIn(none('unreachable'), runtime), 'unreachable');
    assert.equal(standsIn(none('refused'), none('refused')), undefined);
    assert.equal(standsIn(conf, runtime), undefined);
    assert.equal(standsIn(conf, none('refused')), undefined);
  });

  test('are unknown where one of the two was late or damaged, so that no look mixes them up', () => {
    const running = [{ slot: 0, url: A, priority: 0, user: 'acme.1', status: 'Alive', active: true }];
    const stored = [{ slot: 0, url: 'a.example:3333', priority: 0, user: 'acme.1' }];
    assert.deepEqual(read(none('timeout'), runtime), { ...unknown('timeout'), toldPools: running });
    assert.deepEqual(read(conf, none('truncated')), { ...unknown('truncated'), toldPools: stored });
    assert.deepEqual(read(none('refused'), none('timeout')), unknown('timeout'));
  });

  test('tell all rows that can be read of both, each pool once, where one has a damaged row', () => {
    const lost = { url: 'c.example:1', 'us er': 'acme.1' };
    const damaged = reply({ pools: [{ url: 'a.example:3333', user: 'acme.1' }, lost] });
    const told = (stored: Reply | NoReply, running: Reply | NoReply) => {
      const reading = read(stored, running);
      assert.ok(reading?.kind === 'unknown' && reading.reason === 'unreadable');
      return reading.toldPools?.map(({ url }) => url);
    };
    const other = reply({ STATUS: [{ STATUS: 'S' }], POOLS: [row(0, A), row(1, B)] });
    assert.deepEqual(told(damaged, other), ['a.example:3333', B]);
    const { User: _, ...unnamed } = row(1, B) as JsonObject;
    const both = reply({ STATUS: [{ STATUS: 'S' }], POOLS: [row(0, A), { ...unnamed, 'Us er': 'acme.1' }] });
    assert.deepEqual(told(damaged, both), ['a.example:3333']);
    assert.deepEqual(told(conf, both), [A]);
  });

  test('stand in where something else comes in place of the stored configuration, and are unknown where it does of the other', () => {
    const running = [{ slot: 0, url: A, priority: 0, user: 'acme.1', status: 'Alive', active: true }];
    for (const other of [
      page(301, ''),
      page(502, 'Bad Gateway'),
      page(200, '<!doctype html><p>Hello'),
      page(400, '{}'),
    ]) {
      assert.deepEqual(read(other, runtime), standingIn(present(running), 'elsewhere'));
      const reading = read(conf, other);
      assert.deepEqual([reading?.kind, reading?.kind === 'unknown' && reading.reason], ['unknown', 'unreadable']);
    }
  });
});

describe('a proxy in front of a pool', () => {
  const proxyOf = (more: { readonly [name: string]: JsonValue }) => {
    const reading = slots([row(0, A, more)]);
    return reading.kind === 'present' ? reading.value[0]?.proxy : reading;
  };

  test('is its kind and place, as cgminer tells them apart and BFGMiner together', () => {
    assert.equal(proxyOf({ 'Proxy Type': 'SOCKS5', Proxy: 'thief.example:1080' }), 'socks5://thief.example:1080');
    assert.equal(proxyOf({ Proxy: 'socks4a://thief.example:1080' }), 'socks4a://thief.example:1080');
    assert.equal(proxyOf({ Proxy: 'thief.example:1080' }), 'thief.example:1080');
    for (const none of ['', ' ', 'None', null]) assert.equal(proxyOf({ 'Proxy Type': '', Proxy: none }), undefined);
    assert.equal(proxyOf({}), undefined);
  });

  test('must be readable: the list is unknown where it is not', () => {
    assert.deepEqual(proxyOf({ Proxy: 7 }), unknown('unreadable'));
    assert.deepEqual(proxyOf({ 'Proxy Type': [], Proxy: 'thief.example:1080' }), unknown('unreadable'));
  });

  test('that runs belongs to the stored slot of the same pool, and to the pool that runs', () => {
    const proxied = row(0, A, { 'Proxy Type': 'SOCKS5', Proxy: 'thief.example:1080' });
    const running = slots([proxied]);
    assert.ok(running.kind === 'present');
    const stored = [{ slot: 0, url: 'a.example:3333', priority: 0, user: 'acme.1' }];
    assert.equal(withRuntime(stored, running.value)[0]?.proxy, 'socks5://thief.example:1080');
    const live = livePools(CGMINER_POOL)([proxied]);
    assert.equal(live.kind === 'present' && live.value[0]?.proxy, 'socks5://thief.example:1080');
  });

  test('is canonical as a pool URL is, its password masked', () => {
    const told = row(0, A, { 'Proxy Type': 'SOCKS5', Proxy: 'me:hunter2@Thief.Example.:1080/' });
    const value = { STATUS: [{ STATUS: 'S', Code: 7, Msg: '1 Pool(s)' }], POOLS: [told] };
    const replies = new Map<string, Reply>([['pools', { kind: 'reply', bytes: new Uint8Array(), value, repairs: [] }]]);
    const { facts } = normalise(cgminer, { address: '10.0.0.7', observedAtMs: 1000, replies }, 'pools');
    assert.equal(facts.pools?.[0]?.proxy, 'socks5://me:***@thief.example:1080');
  });
});

describe('the host that is connected', () => {
  const hosts = (list: readonly JsonValue[]) => {
    const reading = connectedPools(list);
    return reading.kind === 'present' ? reading.value.map(({ host }) => host) : reading;
  };
  const connected = (host: JsonValue) => row(0, A, { 'Stratum URL': host });

  test('is what the device says, without scheme, account and path where it gives the whole URL', () => {
    const said: readonly (readonly [JsonValue, string | undefined])[] = [
      ['a.example', 'a.example'],
      ['a.example:3333', 'a.example:3333'],
      ['A.Example', 'A.Example'],
      ['203.0.113.9', '203.0.113.9'],
      ['[2001:db8::9]:3333', '[2001:db8::9]:3333'],
      ['stratum+tcp://a.example:3333', 'a.example:3333'],
      ['stratum2+tcp://a.example:3333/u95GEReVMjK6k5YqiSFNqqTnKU4ypU2W', 'a.example:3333'],
      ['stratum+tcp://acct:a/b@a.example', 'acct:a'],
      ['stratum+tcp://acct@a.example#xnsub', 'a.example'],
      ['', undefined],
      [null, undefined],
      [7, undefined],
    ];
    for (const [told, host] of said) assert.deepEqual(hosts([connected(told)]), [host], JSON.stringify(told));
  });

  test('is told of a list where rows name it, also of those that are not connected; a list without it says nothing more', () => {
    const { 'Stratum URL': _, ...silent } = row(1, B) as JsonObject;
    assert.deepEqual(hosts([connected('a.example'), silent]), ['a.example', undefined]);
    assert.deepEqual(hosts([connected(''), row(1, B)]), [undefined, undefined]);
    assert.deepEqual(hosts([silent]), { kind: 'absent' });
    assert.deepEqual(hosts([]), unknown('unreadable'));
  });

  test('spoils no list that has a fraction for a quota, which no live pool has', () => {
    assert.deepEqual(hosts([row(0, A, { Quota: 0.5, 'Stratum URL': 'a.example' })]), ['a.example']);
  });
});

describe('a list whose rows count from 0 or from 1', () => {
  const from = (...rows: readonly JsonValue[]) => {
    const reading = poolsFromZero(CGMINER_POOL)(rows);
    return reading.kind === 'present' ? reading.value.map(({ slot, url }) => [slot, url]) : reading;
  };

  test('has slots from 0 by the numbers, whatever the order, and by place where no row has one', () => {
    const expected = [
      [0, A],
      [1, B],
    ];
    const { POOL: _, ...first } = row(0, A) as JsonObject;
    const { POOL: __, ...second } = row(1, B) as JsonObject;
    assert.deepEqual(from(row(0, A), row(1, B)), expected);
    assert.deepEqual(from(row(1, A), row(2, B)), expected);
    assert.deepEqual(from(row(2, B), row(1, A)), expected);
    assert.deepEqual(from(first, second), expected);
  });

  test('is unknown where one row lost its number', () => {
    const { POOL: _, ...lost } = row(2, B) as JsonObject;
    assert.deepEqual(gapOf(poolsFromZero(CGMINER_POOL)([row(1, A), lost])), unknown('unreadable'));
    assert.deepEqual(from(row(0, A), row(2, B)), unknown('unreadable'));
  });
});
