import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeldMessages, Room } from '../../../shared/held.ts';
import {
  type Changes,
  canonicalBytes,
  cosign,
  MemoryStore,
  parseTrustedKeys,
  type Report,
  signCheckpoint,
  signEpoch,
  signMessage,
  verifyMessage,
} from '../../../shared/index.ts';
import { start, stop, Writing } from '../writing.ts';
import {
  arrived,
  assertWhole,
  eventful,
  gatewayKey,
  heartbeat,
  keyOf,
  keys,
  LOG,
  NOW,
  noticesOf,
  open,
  plain,
  rootOf,
  TOPIC,
  verdictsOf,
} from './bench.ts';

const log = eventful(12);
const all = log.messages.map((message) => arrived(message));

/** Another message of the same key for the place of an entry. */
const rivalOf = (writing: Writing, seq: number): Buffer => {
  const rival = new Writing(writing.next.log);
  const { prev, iat, mono_ms } = JSON.parse((writing.messages[seq] ?? Buffer.alloc(0)).toString());
  rival.next = { ...rival.next, seq, prev, iat, mono_ms };
  return rival.write(
    seq === 0
      ? start({ prior: null, removed: ['rig-9'] })
      : { kind: 'session', session: { event: 'stop', reason: 'x' } },
  );
};

for (const [how, forget] of [
  ['in memory', false],
  ['in the store', true],
] as const) {
  test(`a fork at every place is found with both messages, the entry ${how}`, async () => {
    for (const [seq, message] of log.messages.entries()) {
      const store = new MemoryStore();
      const before = await open({ store });
      await before.take(all, NOW);
      const collector = forget ? await open({ store }) : before;
      const rival = rivalOf(log, seq);
      const report = await collector.take([arrived(rival)], NOW);
      assert.deepEqual(verdictsOf(report), [`${seq} refused E_FORK`]);
      const [fork] = noticesOf(report, 'fork');
      assert.deepEqual(
        [fork?.at, Buffer.from(fork?.first ?? []), Buffer.from(fork?.second ?? [])],
        [seq, message, rival],
      );
      assert.deepEqual(
        store.notices.filter(({ kind }) => kind === 'fork'),
        [fork],
      );
      assertWhole(store, log);
      assert.deepEqual(
        noticesOf(await collector.take([arrived(rival), all[seq] ?? arrived(rival)], NOW), 'fork'),
        [],
        'told once',
      );
    }
  });
}

test('a fork above a gap, and one of an entry that is not stored yet, are found with both messages', async () => {
  for (const seq of [5, 8]) {
    const collector = await open();
    const rival = rivalOf(log, seq);
    const report = await collector.take([...(seq === 5 ? all.slice(0, 6) : all.slice(8)), arrived(rival)], NOW);
    const [fork] = noticesOf(report, 'fork');
    assert.deepEqual([Buffer.from(fork?.first ?? []), Buffer.from(fork?.second ?? [])], [log.messages[seq], rival]);
  }
});

test('the one of two histories that came first stays, and the break shows where the other goes on', async () => {
  const writing = plain(8);
  const collector = await open();
  const messages = writing.messages.map((message) => arrived(message));
  const report = await collector.take(
    [...messages.slice(0, 4), arrived(rivalOf(writing, 4)), ...messages.slice(4)],
    NOW,
  );
  assert.deepEqual(verdictsOf(report).slice(4), [
    '4 chained',
    '4 refused E_FORK',
    '5 quarantined E_CHAIN',
    '6 chained',
    '7 chained',
  ]);
});

test('a hostile broker that repeats proofs of forks fills nothing', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  await collector.take(all, NOW);
  const rivals = Array.from({ length: 40 }, (_none, index) => {
    const rival = new Writing();
    rival.next = { ...rival.next, seq: 3, iat: rival.next.iat + index };
    return arrived(rival.write(stop));
  });
  for (let round = 0; round < 3; round += 1) await collector.take(rivals, NOW);
  assert.equal(store.notices.filter(({ kind }) => kind === 'fork').length, 16);
});

// ---- changed bytes

const authority = keyOf(1);
const witness = { ...keyOf(2), name: 'example.org/witness-a' };
const marker = keyOf(3);

test('a message with one changed byte is never accepted, wherever the byte is', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  await collector.take(all.slice(0, 6), NOW);
  const state = store.log(LOG)?.state;
  const place = fc.record({ seq: fc.nat(11), at: fc.nat(2_000), flip: fc.integer({ min: 1, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(place, async ({ seq, at, flip }) => {
      const changed = Buffer.from(log.messages[seq] ?? []);
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ flip;
      const report = await collector.take([arrived(changed)], NOW);
      assert.match(verdictsOf(report).join(), /^refused E_/);
      assert.equal(store.log(LOG)?.state, state);
    }),
    { numRuns: 1_000 },
  );
});

test('a changed byte of a heartbeat, marker or manifest changes nothing', async () => {
  const trusted = parseTrustedKeys({
    keys: [gatewayKey, { ...marker, role: 'collector' }].map((each) => ({ role: 'gateway', ...pick(each) })),
  });
  const store = new MemoryStore();
  const collector = await open({ store, trust: { kind: 'keys', keys: trusted } });
  await collector.take(all, NOW);
  const before = JSON.stringify([store.log(LOG)?.state, store.trusted()]);
  const good = [
    heartbeat(log, 12),
    {
      topic: 'attest/v1/_fleet/epoch/collector-b',
      payload: signEpoch({ iss: 'b', id: 'AAECAwQFBgcICQoLDA0ODw', n: 1, iat: NOW / 1000 }, marker),
    },
  ];
  await fc.assert(
    fc.asyncProperty(fc.nat(1), fc.nat(3_000), fc.integer({ min: 1, max: 255 }), async (which, at, flip) => {
      const { topic, payload } = good[which] ?? arrived(Buffer.alloc(0));
      const changed = Buffer.from(payload);
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ flip;
      const report = await collector.take([{ topic, payload: changed }], NOW);
      assert.match(verdictsOf(report).join(), /^refused E_/);
      assert.equal(JSON.stringify([store.log(LOG)?.state, store.trusted()]), before);
    }),
    { numRuns: 400 },
  );
  await collector.take(good, NOW);
  assert.notEqual(JSON.stringify([store.log(LOG)?.state, store.trusted()]), before);
});

/** What a file of keys says about one. */
const pick = ({ kid, jwk, ...rest }: { kid: string; jwk: object; role?: string }) => ({
  kid,
  jwk,
  ...(rest.role === undefined ? {} : { role: rest.role }),
});

// ---- bounds

test('what is held is bounded by number, by bytes and over all logs, and keeps the nearest', () => {
  const long = plain(1);
  for (let seq = 1; seq <= 1_200; seq += 1) {
    long.write({ kind: 'session', session: { event: 'storage', reason: 'x'.repeat((seq * 37) % 1_000) } });
  }
  const messages = long.messages.map((bytes) => verifyMessage(bytes, { keys }));
  const order = fc.shuffledSubarray([...messages.keys()].slice(1), { minLength: 1_100 });
  fc.assert(
    fc.property(order, fc.integer({ min: 20_000, max: 2_000_000 }), (seqs, most) => {
      const room = new Room(most);
      const [held, other] = [new HeldMessages(LOG, room), new HeldMessages(LOG, room)];
      const came = new Set<number>();
      for (const seq of seqs) {
        const message = messages[seq];
        assert.ok(message !== undefined);
        for (const { statement } of held.put(message)) {
          came.delete(statement.seq);
          assert.ok(statement.seq > Math.max(0, ...held.seqs()), 'the farthest goes');
        }
        if (held.has(seq)) came.add(seq);
        assert.ok(held.size <= 1_000 && room.used <= most);
      }
      assert.deepEqual(
        held.seqs(),
        [...came].sort((one, two) => one - two),
      );
      if (seqs[0] !== undefined) other.put(messages[seqs[0]] as (typeof messages)[number]);
      assert.ok(room.used <= most);
      held.clear();
      other.clear();
      assert.equal(room.used, 0);
    }),
    { numRuns: 5 },
  );
});

test('a broker that keeps back the first entry and floods with the others wins nothing but time', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, mostHeldBytes: 20_000 });
  const long = plain(400);
  const later = NOW + 400_000;
  const messages = long.messages.map((each) => arrived(each));
  for (let round = 0; round < 2; round += 1) await collector.take(messages.slice(1).reverse(), later);
  const report = await collector.take(messages.slice(0, 1), later);
  const next = (store.logs()[0]?.size ?? 0) as number;
  assert.ok(next > 10 && next < 100, `${next} entries fit`);
  assert.ok(verdictsOf(report).every((each) => each.endsWith(' chained')));
  await collector.take(messages.slice(next), later);
  assertWhole(store, long);
});

test('a gateway that fills the room for messages above gaps pushes out none of another, whoever came first; what it lost comes again', async () => {
  for (const isFirst of [true, false]) {
    const store = new MemoryStore();
    const collector = await open({ store, trust: { kind: 'keys', keys }, mostHeldBytes: 20_000 });
    const [flood, flooded] = [plain(200, 'example.org/gw-flood/1'), plain(200, 'example.org/gw-flood/2')];
    const own = plain(12);
    const floods = [flood, flooded].flatMap(({ messages }) =>
      messages.slice(1).map((each) => arrived(each, 'attest/v1/gw-flood/log')),
    );
    const waiting = own.messages.slice(1).map((each) => arrived(each));
    const reports = [await collector.take(isFirst ? floods : waiting, NOW)];
    reports.push(await collector.take(isFirst ? waiting : floods, NOW));
    for (const { verdicts } of reports)
      for (const { status, statement } of verdicts)
        assert.ok(status === 'held' || statement?.log !== own.next.log, `${statement?.log} is ${status}`);
    // What is pushed out is told.
    assert.ok(reports[1]?.verdicts.some(({ status }) => status === 'unchained'));
    const report = await collector.take(
      own.messages.slice(0, 1).map((each) => arrived(each)),
      NOW,
    );
    assert.equal(report.verdicts.filter(({ status }) => status === 'chained').length, 12);
    assertWhole(store, own);
    // Nothing is lost: what is not acknowledged comes again.
    await collector.take(
      flood.messages.map((each) => arrived(each, 'attest/v1/gw-flood/log')),
      NOW,
    );
    assertWhole(store, flood);
  }
});

test('refused messages are all reported, and 16 an hour of one topic are kept', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const rubbish = Array.from({ length: 100 }, (_none, index) => arrived(Buffer.from(`{"n":${index}}`)));
  assert.equal((await collector.take(rubbish, NOW)).verdicts.length, 100);
  assert.equal(store.refused.length, 16);
  assert.equal(Buffer.from(store.refused[0]?.bytes ?? []).toString(), '{"n":0}');
  await collector.take(rubbish.slice(0, 3), NOW + 3_600_000);
  assert.equal(store.refused.length, 19);
  const topics = Array.from({ length: 400 }, (_none, index) => arrived(Buffer.from('{}'), `attest/v1/gw-${index}/log`));
  await collector.take(topics, NOW + 7_200_000);
  assert.equal(store.refused.length, 19 + 256);
  const huge = arrived(Buffer.alloc(5_000_000, 0x7b), 'attest/v1/gw-huge/log');
  await collector.take([huge], NOW + 10_800_000);
  assert.equal(store.refused.at(-1)?.bytes.length, 32_768);
});

test('a gateway whose key is not trusted makes no state, whatever it sends', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const stranger = plain(0, 'example.org/gw-stranger/1');
  stranger.messages.length = 0;
  stranger.next = { ...stranger.next, seq: 0, prev: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' };
  stranger.signer = keyOf(9);
  const messages = [stranger.write(start()), stranger.write(stop)];
  const conn = { state: 'online', session: 'x.1', log: stranger.next.log, size: 9, at: 1 };
  const report = await collector.take(
    [
      ...messages.map((each) => arrived(each, 'attest/v1/gw-stranger/log')),
      heartbeat(stranger, 2, { signer: keyOf(9) }),
      arrived(canonicalBytes(conn), 'attest/v1/gw-stranger/conn'),
    ],
    NOW,
  );
  assert.deepEqual(verdictsOf(report), Array(3).fill('refused E_KEY_UNKNOWN'));
  assert.deepEqual([store.logs(), report.publish, report.notices], [[], [], []]);
  assert.deepEqual(await collector.logs(), []);
});

test('a message on the topic of another gateway is refused', async () => {
  const collector = await open();
  const wrong = [
    arrived(log.messages[0] ?? Buffer.alloc(0), 'attest/v1/gw-other/log'),
    { ...heartbeat(log, 1), topic: 'attest/v1/gw-other/cp' },
  ];
  assert.deepEqual(verdictsOf(await collector.take(wrong, NOW)), Array(2).fill('refused E_TOPIC'));
});

test('topics that are not for a collector are passed over, with whatever they carry', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  const topics = [
    'attest/v1/gw-test',
    'attest/v1/gw-test/log/x',
    'attest/v1/gw-test/dev/rig-1',
    'attest/v1/GW/log',
    'other/v1/gw-test/log',
    'attest/v1/_fleet/epoch',
    'attest/v1/gw-test/ack/collector-a',
    '',
    'attest/v1//log',
  ];
  const report = await collector.take(
    topics.map((topic) => arrived(log.messages[0] ?? Buffer.alloc(0), topic)),
    NOW,
  );
  assert.deepEqual([report.verdicts, store.logs()], [[], []]);
  assert.deepEqual(collector.topics.filters.includes(TOPIC.replace('gw-test', '+')), true);
});

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map((json) => Buffer.from(json)),
  fc.constantFrom(...log.messages),
  fc.constant(signMessage({ kind: 'x' }, 'miner-cp+jwt', gatewayKey)),
  fc.constant(
    canonicalBytes({
      log: LOG,
      size: 3,
      note: cosign(signCheckpoint({ log: LOG, size: 3, root: rootOf(log, 3) }, gatewayKey), witness, 1),
    }),
  ),
);
const channels = ['log', 'cp', 'conn', 'cosig/collector-b', 'rsp/collector-a'].map(
  (each) => `attest/v1/gw-test/${each}`,
);

test('nothing that comes on any topic makes a call fail', async () => {
  const topic = fc.constantFrom(...channels, 'attest/v1/_fleet/epoch/collector-b', 'attest/v1/_fleet/trust');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ topic, payload: payloads }), { maxLength: 20 }), async (messages) => {
      for (const trust of [
        { kind: 'keys' as const, keys },
        {
          kind: 'authority' as const,
          authority: parseTrustedKeys({ keys: [{ ...pick(authority), role: 'authority' }] }),
        },
      ]) {
        const collector = await open({ trust });
        const reports: readonly Report[] = [await collector.take(messages, NOW), await collector.tick(NOW + 60_000)];
        assert.equal(reports.length, 2);
      }
    }),
    { numRuns: 200 },
  );
});

test('gaps of many logs that close at once are worked off in parts, and nothing is forgotten', async () => {
  const entries = 301;
  const logs = Array.from({ length: 8 }, (_none, index) => plain(entries, `example.org/gw-${index}/1`));
  const topicOf = (index: number) => `attest/v1/gw-${index}/log`;
  const store = new MemoryStore();
  const collector = await open({ store });
  for (const [index, { messages }] of logs.entries()) {
    const above = messages.slice(1).map((each) => arrived(each, topicOf(index)));
    assert.ok(verdictsOf(await collector.take(above, NOW)).every((each) => each.endsWith(' held')));
  }
  const closing = logs.map(({ messages: [first = Buffer.alloc(0)] }, index) => arrived(first, topicOf(index)));
  const placed = [await collector.take(closing, NOW)].map(({ verdicts }) => verdicts.length);
  while (placed.at(-1) !== 0) placed.push((await collector.tick(NOW + placed.length * 1_000)).verdicts.length);
  assert.deepEqual(placed, [8 + 1_024, 1_024, 8 * (entries - 1) - 2 * 1_024, 0]);
  for (const { log, size } of await collector.logs()) assert.equal(size, entries, log);
  const [last] = logs;
  assert.deepEqual(
    store.entries('example.org/gw-0/1', [0, 150, 300]).map(({ seq, bytes }) => [seq, Buffer.from(bytes)]),
    [0, 150, 300].map((seq) => [seq, last?.messages[seq]]),
  );
});

class RefusingStore extends MemoryStore {
  isRefusing = false;

  override commit(changes: Changes): void {
    if (this.isRefusing) throw new Error('full');
    super.commit(changes);
  }
}

test('what is still to be worked off when the store refuses comes again', async () => {
  const store = new RefusingStore();
  const collector = await open({ store });
  const logs = Array.from({ length: 5 }, (_none, index) => plain(301, `example.org/gw-${index}/1`));
  const of = (index: number, from: number, to?: number) =>
    (logs[index]?.messages ?? []).slice(from, to).map((each) => arrived(each, `attest/v1/gw-${index}/log`));
  for (const index of logs.keys()) await collector.take(of(index, 1), NOW);
  await collector.take(
    [...logs.keys()].flatMap((index) => of(index, 0, 1)),
    NOW,
  );
  store.isRefusing = true;
  await assert.rejects(collector.tick(NOW + 1_000), /full/);
  store.isRefusing = false;
  await collector.tick(NOW + 2_000);
  for (const index of logs.keys()) {
    const [{ size = 0 } = {}] = (await collector.logs()).filter(({ log }) => log === `example.org/gw-${index}/1`);
    await collector.take(of(index, size), NOW + 3_000);
  }
  assert.deepEqual(
    (await collector.logs()).map(({ size }) => size),
    [301, 301, 301, 301, 301],
  );
});
