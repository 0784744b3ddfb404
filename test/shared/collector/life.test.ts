import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Arrived,
  type CollectorStore,
  canonicalBytes,
  leafHash,
  MemoryStore,
  parseTrustedKeys,
  toBase64url,
  treeRoot,
} from '../../../shared/index.ts';
import { start, stateOf, stop, Writing } from '../writing.ts';
import {
  acksOf,
  arrived,
  assertWhole,
  eventful,
  gatewayKey,
  heartbeat,
  keys,
  LOG,
  NOW,
  noticesOf,
  open,
  plain,
  verdictsOf,
} from './bench.ts';

const log = eventful(24);
const all = log.messages.map((message) => arrived(message));
const MINUTE = 60_000;

// ---- commit, then acknowledge

test('an acknowledgement names what is stored: number, leaf and own time', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const { publish } = await collector.take(all.slice(0, 3), NOW);
  assert.deepEqual(
    publish.map(({ topic, payload, retain, expiryS }) => [topic, payload.toString(), retain, expiryS]),
    [
      [
        'attest/v1/gw-test/ack/collector-a',
        canonicalBytes({ log: LOG, next: 3, leaf: log.leaf(2), stored_at: NOW / 1000 }).toString(),
        false,
        60,
      ],
    ],
  );
});

test('nothing is acknowledged before it is committed, however the commit fails', async () => {
  for (const kept of [false, true]) {
    const store = new MemoryStore();
    let failing = false;
    const order: string[] = [];
    const flaky: CollectorStore = {
      logs: () => store.logs(),
      log: (name) => store.log(name),
      entries: (name, seqs) => store.entries(name, seqs),
      trusted: () => store.trusted(),
      commit: async (changes) => {
        if (!failing || kept) store.commit(changes);
        order.push(`commit ${changes.logs[0]?.size}`);
        if (failing) throw new Error('the disk is full');
      },
    };
    const collector = await open({ store: flaky });
    const take = async (messages: readonly Arrived[], nowMs: number) => {
      for (const { next } of acksOf(await collector.take(messages, nowMs))) order.push(`ack ${next}`);
    };
    await take(all.slice(0, 4), NOW);
    failing = true;
    await assert.rejects(take(all.slice(4, 8), NOW + 1000), /the disk is full/);
    failing = false;
    await take(all.slice(4, 9), NOW + 2000);
    assert.deepEqual(order, ['commit 4', 'ack 4', 'commit 8', 'commit 9', 'ack 9']);
    await collector.take(all, NOW + 3000);
    assertWhole(store, log);
  }
});

test('a store that fails to commit and then does not answer is read again when it does', async () => {
  const store = new MemoryStore();
  let away = false;
  const answering = <Answer>(answer: () => Answer): Answer => {
    if (away) throw new Error('no connection');
    return answer();
  };
  const collector = await open({
    store: {
      logs: () => answering(() => store.logs()),
      log: (name) => answering(() => store.log(name)),
      entries: (name, seqs) => answering(() => store.entries(name, seqs)),
      trusted: () => answering(() => store.trusted()),
      commit: (changes) => {
        if (away) throw new Error('the disk is full');
        store.commit(changes);
      },
    },
  });
  await collector.take(all.slice(0, 4), NOW);
  away = true;
  await assert.rejects(collector.take(all.slice(4, 8), NOW + 1000), /the disk is full/);
  await assert.rejects(collector.take(all.slice(4, 8), NOW + 2000), /no connection/);
  await assert.rejects(collector.logs(), /no connection/);
  away = false;
  assert.deepEqual(
    (await collector.logs()).map(({ size }) => size),
    [4],
  );
  await collector.take(all.slice(4), NOW + 3000);
  assertWhole(store, log);
});

test('a long batch is committed in parts, and one acknowledgement follows the last', async () => {
  const store = new MemoryStore();
  const sizes: number[] = [];
  const counting: CollectorStore = {
    logs: () => store.logs(),
    log: (name) => store.log(name),
    entries: (name, seqs) => store.entries(name, seqs),
    trusted: () => store.trusted(),
    commit: (changes) => {
      sizes.push(changes.logs[0]?.size ?? 0);
      store.commit(changes);
    },
  };
  const long = plain(700);
  const collector = await open({ store: counting });
  const report = await collector.take(
    long.messages.map((each) => arrived(each)),
    NOW + 600_000,
  );
  assert.deepEqual([sizes, acksOf(report).map(({ next }) => next)], [[256, 512, 700], [700]]);
});

test('acknowledgements: at most five a second, again for what comes twice, every minute when idle, after a connect', async () => {
  const collector = await open();
  const next = async (messages: readonly Arrived[], afterMs: number) =>
    acksOf(await collector.take(messages, NOW + afterMs)).map((ack) => ack.next);
  const tick = async (afterMs: number) => acksOf(await collector.tick(NOW + afterMs)).map((ack) => ack.next);
  assert.deepEqual(await next(all.slice(0, 2), 0), [2]);
  assert.deepEqual(await next(all.slice(2, 4), 100), []);
  assert.deepEqual(await tick(200), [4]);
  assert.deepEqual(await next(all.slice(3, 4), 500), [4]);
  assert.deepEqual([await tick(60_000), await tick(60_499), await tick(60_500)], [[], [], [4]]);
  const { publish } = await collector.connected(NOW + 61_000);
  assert.deepEqual(
    publish.map(({ topic, payload }) => [topic, JSON.parse(payload.toString()).next ?? JSON.parse(payload.toString())]),
    [
      ['attest/v1/_fleet/rollcall/collector-a', { at: NOW / 1000 + 61 }],
      ['attest/v1/gw-test/ack/collector-a', 4],
    ],
  );
});

test('a collector restored from an older copy acknowledges less, and has everything once when it came again', async () => {
  const [older, newer] = [new MemoryStore(), new MemoryStore()];
  for (const [store, count] of [
    [older, 10],
    [newer, 20],
  ] as const) {
    await (await open({ store })).take(all.slice(0, count), NOW);
  }
  const restored = await open({ store: older });
  assert.deepEqual(
    acksOf(await restored.connected(NOW)).map(({ next, leaf }) => [next, leaf]),
    [[10, log.leaf(9)]],
  );
  await restored.take(all.slice(10), NOW + 1000);
  assertWhole(older, log);
});

test('logs that are not in use are read again from the store, in one batch or in many', async () => {
  const logs = Array.from({ length: 40 }, (_none, index) => plain(6, `example.org/gw-${index}/1`));
  const rounds = Array.from({ length: 6 }, (_none, seq) =>
    logs.map(({ messages, next }) =>
      arrived(messages[seq] ?? Buffer.alloc(0), `attest/v1/${next.log.split('/')[1]}/log`),
    ),
  );
  for (const batches of [rounds, [rounds.flat()]]) {
    const store = new MemoryStore();
    const collector = await open({ store, mostLogs: 1 });
    const commit = store.commit.bind(store);
    store.commit = (changes) => {
      for (const { log: name, revision } of changes.logs) assert.equal(store.log(name)?.revision ?? 0, revision);
      commit(changes);
    };
    for (const [round, batch] of batches.entries()) await collector.take(batch, NOW + round * 1000);
    for (const each of logs) assertWhole(store, each);
  }
});

test('of several that share a fleet each serves its own gateways', async () => {
  const store = new MemoryStore();
  const serves = (parity: number) => (gateway: string) => Number(gateway.split('-')[1]) % 2 === parity;
  const workers = [await open({ store, serves: serves(0) }), await open({ store, serves: serves(1) })];
  const logs = Array.from({ length: 4 }, (_none, index) => plain(3, `example.org/gw-${index}/1`));
  const messages = logs.flatMap((each) =>
    each.messages.map((message) => arrived(message, `attest/v1/${each.next.log.split('/')[1]}/log`)),
  );
  const acks = [];
  for (const worker of workers)
    acks.push((await worker.take(messages, NOW)).publish.map(({ topic }) => topic.split('/')[2]));
  assert.deepEqual(acks, [
    ['gw-0', 'gw-2'],
    ['gw-1', 'gw-3'],
  ]);
  for (const each of logs) assertWhole(store, each);
});

// ---- incarnations and starts

const successor = (members: object, incarnation = 2): Writing => {
  const writing = new Writing(`example.org/gw-test/${incarnation}`);
  writing.write(
    start({ prior: { log: LOG, size: 24, root: toBase64url(treeRoot(log.messages.map(leafHash))), ...members } }),
  );
  return writing;
};

for (const [how, apart] of [
  ['in one batch', false],
  ['by another process', true],
] as const) {
  test(`a new incarnation that names the known end is told, ${how}; one that names another end is W_NEW_LOG`, async () => {
    for (const [members, codes] of [
      [{}, ''],
      [{ size: 23 }, ' W_NEW_LOG'],
    ] as const) {
      const store = new MemoryStore();
      const next = successor(members);
      const first = await open({ store });
      const report = apart
        ? await first
            .take(all, NOW)
            .then(async () => (await open({ store })).take([arrived(next.messages[0] ?? Buffer.alloc(0))], NOW))
        : await first.take([...all, arrived(next.messages[0] ?? Buffer.alloc(0))], NOW);
      assert.equal(verdictsOf(report).at(-1), `0 chained${codes}`);
      const [notice] = noticesOf(report, 'incarnation').slice(-1);
      const { prior, ...rest } = notice ?? assert.fail();
      assert.deepEqual(rest, { kind: 'incarnation', log: next.next.log, former: LOG, held: 24 });
      assert.equal(prior?.size, codes === '' ? 24 : 23);
      assert.deepEqual(noticesOf(report, 'lost'), []);
    }
  });
}

for (const [how, held, heard, prior, lost] of [
  ['a part is here', 20, 0, {}, [20, 24]],
  ['nothing is here', 0, 0, {}, [0, 24]],
  ['a checkpoint was heard, and the gateway knows of no former log', 20, 22, null, [20, 22]],
] as const) {
  test(`entries that were signed to exist before a log was replaced are lost, told once: ${how}`, async () => {
    const store = new MemoryStore();
    const first = await open({ store });
    await first.take([...all.slice(0, held), ...(heard === 0 ? [] : [heartbeat(log, heard)])], NOW);
    const next = prior === null ? new Writing('example.org/gw-test/2') : successor({});
    if (prior === null) next.write(start({ prior: null }));
    const begins = next.messages.map((each) => arrived(each));
    const report = await (await open({ store })).take([...begins, ...begins], NOW);
    const [from, to] = lost;
    assert.deepEqual(noticesOf(report, 'lost'), [{ kind: 'lost', log: LOG, from, to, replacedBy: next.next.log }]);
  });
}

test('a log that grows after another one replaced it is flagged, and never mixed with that', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const next = successor({});
  next.write(stop);
  await collector.take([...all, ...next.messages.map((each) => arrived(each))], NOW);
  const grown = eventful(24);
  const late = await collector.take([...all.slice(20), arrived(grown.write(stop))], NOW);
  assert.equal(verdictsOf(late).at(-1), '24 chained W_NEW_LOG');
  assert.deepEqual(acksOf(late), [], 'no gateway listens for that log');
  assertWhole(store, next);
  assert.deepEqual(
    (await collector.logs()).map(({ log: name, size }) => [name, size]),
    [
      [LOG, 25],
      ['example.org/gw-test/2', 2],
    ],
  );
});

test('a citation of a former incarnation is looked up in the store', async () => {
  const store = new MemoryStore();
  await (await open({ store })).take(all, NOW);
  const next = successor({});
  const cite = (seq: number) =>
    next.write({
      kind: 'baseline',
      baseline: { action: 'learned', approval: 'none', devices: [{ device: 'rig-0', seq, log: LOG }] },
    });
  for (const seq of [1, 2, 99]) cite(seq);
  const report = await (await open({ store })).take(
    next.messages.map((each) => arrived(each)),
    NOW,
  );
  assert.deepEqual(verdictsOf(report), [
    '0 chained',
    '1 chained',
    '2 quarantined E_BASELINE',
    '3 quarantined E_BASELINE',
  ]);
});

test('a citation far beyond what is remembered is looked up in the store', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const long = eventful(10);
  for (let seq = 10; seq < 1_400; seq += 1) long.write(stop);
  long.write({
    kind: 'baseline',
    baseline: { action: 'accepted', approval: 'local', by: 'ada', devices: [{ device: 'rig-0', seq: 1 }] },
  });
  long.write({
    kind: 'baseline',
    baseline: { action: 'accepted', approval: 'local', by: 'ada', devices: [{ device: 'rig-0', seq: 2 }] },
  });
  const report = await collector.take(
    long.messages.map((each) => arrived(each)),
    NOW + 2_000_000,
  );
  assert.deepEqual(verdictsOf(report).slice(-2), ['1400 chained', '1401 quarantined E_BASELINE']);
});

test('a restart of the agent is told; a start counter that falls is quarantined in its place', async () => {
  const writing = plain(2);
  const again = { bootcount: 2, bootseed: 'AQECAwQFBgcICQoLDA0ODw' };
  writing.next = { ...writing.next, ...again, mono_ms: 0 };
  writing.write(start({}));
  writing.write(stop, { bootcount: 1 });
  const report = await (await open()).take(
    writing.messages.map((each) => arrived(each)),
    NOW,
  );
  assert.deepEqual(
    noticesOf(report, 'restart').map(({ seq, bootcount }) => [seq, bootcount]),
    [[2, 2]],
  );
  assert.equal(verdictsOf(report).at(-1), '3 quarantined E_BOOT');
  assert.deepEqual(
    acksOf(report).map(({ next }) => next),
    [4],
  );
});

// ---- silence, by our own clock

test('a gateway is silent after 15 minutes without a heartbeat, whatever its clock says, and that is told once', async () => {
  for (const yearsAhead of [-10, 0, 10]) {
    const collector = await open();
    const iat = log.next.iat + yearsAhead * 31_536_000;
    await collector.take(all, NOW);
    const told: string[] = [];
    for (let minute = 0; minute <= 40; minute += 1) {
      const beats = minute <= 5 || minute === 30 ? [heartbeat(log, 24, { iat })] : [];
      const reports = [await collector.take(beats, NOW + minute * MINUTE), await collector.tick(NOW + minute * MINUTE)];
      for (const { notices } of reports)
        for (const { kind } of notices) if (kind === 'silent' || kind === 'heard') told.push(`${kind} ${minute}`);
    }
    assert.deepEqual(told, ['silent 20', 'heard 30']);
  }
});

test('a gateway that a key is trusted for is expected before it was ever heard', async () => {
  const { kid, jwk } = gatewayKey;
  const named = parseTrustedKeys({ keys: [{ kid, jwk, role: 'gateway', logs: ['example.org/gw-test'] }] });
  const collector = await open({ trust: { kind: 'keys', keys: named } });
  await collector.tick(NOW);
  const { notices } = await collector.tick(NOW + 15 * MINUTE);
  assert.deepEqual(notices, [{ kind: 'silent', gateway: 'example.org/gw-test', of: 'heartbeat', sinceMs: NOW }]);
});

test('the time in which a collector did not run is nobody’s silence', async () => {
  const store = new MemoryStore();
  await (await open({ store })).take(all, NOW);
  const later = await open({ store });
  assert.deepEqual((await later.tick(NOW + 600 * MINUTE)).notices, []);
  assert.equal((await later.tick(NOW + 615 * MINUTE)).notices.length, 1);
});

test('silence that could not be stored is told later', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  await collector.take(all.slice(0, 1), NOW);
  await collector.tick(NOW);
  const commit = store.commit.bind(store);
  store.commit = () => {
    throw new Error('disk full');
  };
  await assert.rejects(collector.tick(NOW + 20 * MINUTE), /disk full/);
  store.commit = commit;
  assert.equal(noticesOf(await collector.tick(NOW + 21 * MINUTE), 'silent').length, 1);
});

test('coverage that stays away for three of its periods is silence of its own', async () => {
  const collector = await open();
  await collector.take(all, NOW);
  const at = async (minute: number) => {
    await collector.take([heartbeat(log, 24)], NOW + minute * MINUTE);
    return noticesOf(await collector.tick(NOW + minute * MINUTE), 'silent').map(({ of }) => of);
  };
  assert.deepEqual(
    [await at(14), await at(28), await at(42), await at(44), await at(45), await at(50)],
    [[], [], [], [], ['coverage'], []],
  );
});

test('a period that was cut short says nothing of how long the next one lasts', async () => {
  const writing = new Writing(LOG);
  writing.write(start());
  const covered = (from_at: number, to_at: number) =>
    writing.write({
      kind: 'coverage',
      coverage: {
        from_at,
        to_at,
        scope: 'gateway',
        expected: 0,
        observed: 0,
        unreachable: 0,
        missed: 0,
        polls: {},
        state_sha256: stateOf([]),
      },
    });
  const at = NOW / 1000;
  covered(at - 2000, at - 1100);
  covered(at - 1100, at - 1080);
  covered(at - 10, at);
  const collector = await open();
  const messages = writing.messages.map((message) => arrived(message));
  assert.deepEqual(
    verdictsOf(await collector.take(messages, NOW)),
    ['0 chained', '1 chained', '2 chained', '3 chained'],
    'neither the gap nor the lengths are remarked',
  );
  const silentAt = async (minute: number) => {
    await collector.take([heartbeat(writing, 4)], NOW + minute * MINUTE);
    return noticesOf(await collector.tick(NOW + minute * MINUTE), 'silent').map(({ of }) => of);
  };
  assert.deepEqual(
    [await silentAt(14), await silentAt(28), await silentAt(44), await silentAt(45)],
    [[], [], [], ['coverage']],
  );
});

// ---- presence

const conn = (state: string, session: string, members: object = {}): Arrived =>
  arrived(
    canonicalBytes({ state, session, log: LOG, size: 24, agent: '0', proto: 1, at: 1, ...members }),
    'attest/v1/gw-test/conn',
  );

test('presence is reported and not stored; a will of an older session is stale; online needs heartbeats', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  await collector.take([...all, heartbeat(log, 24)], NOW);
  const states = async (...messages: readonly Arrived[]) =>
    noticesOf(await collector.take(messages, NOW), 'presence').map(({ state }) => state);
  assert.deepEqual(await states(conn('online', 'a.1')), ['online']);
  assert.deepEqual(await states(conn('online', 'a.2'), conn('lost', 'a.1')), []);
  assert.deepEqual(await states(conn('lost', 'a.2')), ['lost']);
  assert.deepEqual(await states(conn('online', 'a.3')), ['online']);
  assert.equal((await collector.logs())[0]?.presence, 'online');
  await collector.tick(NOW + 15 * MINUTE);
  assert.equal((await collector.logs())[0]?.presence, undefined);
  assert.deepEqual(
    store.notices.filter(({ kind }) => kind === 'presence'),
    [],
  );
});

test('presence that speaks for another gateway, of an unknown log or in no form is passed over', async () => {
  const collector = await open();
  await collector.take(all, NOW);
  const others = [
    { ...conn('online', 'a.1'), topic: 'attest/v1/gw-other/conn' },
    conn('online', 'a.1', { log: 'example.org/gw-test/9' }),
    conn('maybe', 'a.1'),
    conn('online', 'a.1', { size: -1 }),
    arrived(Buffer.from('{'), 'attest/v1/gw-test/conn'),
    arrived(Buffer.alloc(0), 'attest/v1/gw-test/conn'),
  ];
  const report = await collector.take(others, NOW);
  assert.deepEqual([report.notices, report.verdicts], [[], []]);
});

test('entries that presence speaks of and that do not come are asked for', async () => {
  const collector = await open();
  await collector.take([...all.slice(0, 20), conn('online', 'a.1')], NOW);
  await collector.tick(NOW + 1_000);
  assert.deepEqual(
    acksOf(await collector.tick(NOW + 3_000)).map(({ next, gap }) => [next, gap]),
    [[20, [20, 24]]],
  );
});

// ---- clocks

test('an entry whose gateway claims a wrong time is quarantined, keeps its place, and delays nobody', async () => {
  const writing = new Writing();
  writing.next.iat = NOW / 1000 + 9_999;
  writing.write(start());
  writing.write(stop);
  const report = await (await open({ trust: { kind: 'keys', keys } })).take(
    writing.messages.map((each) => arrived(each)),
    NOW,
  );
  assert.deepEqual(verdictsOf(report), ['0 quarantined E_FUTURE', '1 quarantined E_FUTURE']);
  assert.deepEqual(
    acksOf(report).map(({ next, stored_at }) => [next, stored_at]),
    [[2, NOW / 1000]],
  );
});

// ---- signed for, and not here

test('entries that a checkpoint speaks of are a gap once none came for five minutes; filled when they come', async () => {
  const collector = await open();
  const gapsAt = async (nowMs: number) =>
    noticesOf(await collector.tick(nowMs), 'gap').map(({ from, to, waiting }) => [from, to, waiting]);
  await collector.take([...all.slice(0, 3), heartbeat(log, 8)], NOW);
  assert.deepEqual([await gapsAt(NOW), await gapsAt(NOW + 4 * MINUTE)], [[], []]);
  await collector.take(all.slice(3, 5), NOW + 4 * MINUTE);
  assert.deepEqual([await gapsAt(NOW + 5 * MINUTE), await gapsAt(NOW + 9 * MINUTE)], [[], []], 'something came');
  assert.deepEqual(await gapsAt(NOW + 10 * MINUTE), [[5, 8, 0]]);
  assert.deepEqual(await gapsAt(NOW + 20 * MINUTE), [], 'once');
  const filled = noticesOf(await collector.take(all.slice(5, 8), NOW + 21 * MINUTE), 'filled');
  assert.deepEqual(
    filled.map(({ next }) => next),
    [8],
  );
  await collector.take([heartbeat(log, 12)], NOW + 30 * MINUTE);
  await collector.tick(NOW + 30 * MINUTE);
  assert.deepEqual(await gapsAt(NOW + 35 * MINUTE), [[8, 12, 0]], 'another one');
});

test('what a gap below a waiting entry tells of is not told twice, nor what a log lacks that was replaced', async () => {
  const collector = await open();
  await collector.take([...all.slice(0, 3), ...all.slice(5, 6), heartbeat(log, 8)], NOW);
  const told: (readonly number[])[] = [];
  for (let minute = 0; minute <= 12; minute += 1)
    for (const { from, to } of noticesOf(await collector.tick(NOW + minute * MINUTE), 'gap')) told.push([from, to]);
  assert.deepEqual(told, [[3, 5]]);

  const replaced = await open();
  const next = plain(2, 'example.org/gw-test/2');
  await replaced.take([...all.slice(0, 3), heartbeat(log, 8), ...next.messages.map((each) => arrived(each))], NOW);
  for (let minute = 0; minute <= 12; minute += 1)
    assert.deepEqual(noticesOf(await replaced.tick(NOW + minute * MINUTE), 'gap'), []);
});

test('a gateway that connects is told how far its log is here, once for each session, before it sends', async () => {
  const collector = await open();
  const conn = (session: string, state = 'online') =>
    arrived(canonicalBytes({ state, session, log: LOG, size: 9, at: 1 }), 'attest/v1/gw-test/conn');
  await collector.take(all.slice(0, 5), NOW);
  const nextsOf = async (session: string, nowMs: number, state = 'online') =>
    acksOf(await collector.take([conn(session, state)], nowMs)).map(({ next, leaf }) => [next, leaf]);
  assert.deepEqual(await nextsOf('a.1', NOW + 1_000), [[5, log.leaf(4)]]);
  assert.deepEqual(await nextsOf('a.1', NOW + 2_000), [], 'repeated presence asks for nothing');
  assert.deepEqual(await nextsOf('a.1', NOW + 2_500, 'lost'), []);
  assert.deepEqual(await nextsOf('b.1', NOW + 3_000), [[5, log.leaf(4)]]);
});
