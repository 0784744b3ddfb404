import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayCosign, newHeartbeats } from '../../../shared/heartbeats.ts';
import {
  type Arrived,
  type Cosigned,
  canonicalBytes,
  cosign,
  formatVkey,
  MemoryStore,
  NOTE_TYPE,
  parseTrustedKeys,
  parseVkey,
  type Signer,
  signCheckpoint,
  signEpoch,
  signMessage,
  verifyCosigned,
} from '../../../shared/index.ts';
import { start, stop, Writing } from '../writing.ts';
import {
  acksOf,
  arrived,
  assertWhole,
  checkpointCodes,
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
  verdictsOf,
} from './bench.ts';

const log = eventful(30);
const all = log.messages.map((message) => arrived(message));
const FAR = NOW + 3_600_000;

const report = async (collector: Awaited<ReturnType<typeof open>>) => (await collector.logs())[0];

// ---- step 16

test('a checkpoint that agrees makes the entries below it included, however far behind it is', async () => {
  const long = plain(3_000);
  for (const [how, forget] of [
    ['in memory', false],
    ['after a restart', true],
  ] as const) {
    const store = new MemoryStore();
    let collector = await open({ store });
    await collector.take(
      long.messages.map((message) => arrived(message)),
      FAR,
    );
    for (const size of [1, 100, 1_999, 2_990, 2_999, 3_000]) {
      if (forget) collector = await open({ store });
      const heard = await collector.take([heartbeat(long, size)], FAR);
      assert.deepEqual(checkpointCodes(heard), [], how);
      assert.equal((await report(collector))?.included, size);
      assert.equal(await collector.standing(LOG, size - 1), 'included');
    }
    assert.equal(await collector.standing(LOG, 3_000), 'missing');
    assert.equal((await report(collector))?.root, rootOf(long, 3_000));
  }
});

test('a checkpoint that is ahead is compared when its entries are here', async () => {
  for (const [root, codes] of [
    [rootOf(log, 20), []],
    [rootOf(log, 19), ['E_FORK']],
  ] as const) {
    const collector = await open();
    const first = await collector.take([...all.slice(0, 10), heartbeat(log, 20, { root })], NOW);
    assert.deepEqual(checkpointCodes(first), ['W_GAP']);
    const second = await collector.take(all.slice(10), NOW);
    assert.deepEqual(checkpointCodes(second), codes);
    assert.equal((await report(collector))?.included, codes.length === 0 ? 20 : 0);
    assert.equal(noticesOf(second, 'fork').length, codes.length);
  }
});

test('entries that a checkpoint promises and that do not come are asked for', async () => {
  const collector = await open();
  await collector.take([...all.slice(0, 10), heartbeat(log, 20)], NOW);
  await collector.tick(NOW + 1_000);
  assert.deepEqual(
    acksOf(await collector.tick(NOW + 3_000)).map(({ next, gap }) => [next, gap]),
    [[10, [10, 20]]],
  );
});

test('while a backlog comes in, what a checkpoint promises is taken to be on its way; what later entries show to be missing is not', async () => {
  const collector = await open();
  const other = plain(1_000, 'example.org/gw-other/1');
  let at = 0;
  /** A second of a backlog of another log; the gaps that are asked for. */
  const second = async (nowMs: number) => {
    const some = other.messages.slice(at, at + 64).map((message) => arrived(message, 'attest/v1/gw-other/log'));
    at += 64;
    const reports = [await collector.take(some, nowMs), await collector.tick(nowMs)];
    return reports.flatMap(acksOf).flatMap(({ log: of, gap }) => (gap === undefined ? [] : [[of, gap]]));
  };
  await collector.take([...all.slice(0, 10), heartbeat(log, 20)], NOW);
  for (let s = 1; s <= 8; s += 1) assert.deepEqual(await second(NOW + s * 1_000), []);
  await collector.take(all.slice(14, 15), NOW + 9_000);
  const asked = [];
  for (let s = 9; s <= 12; s += 1) asked.push(...(await second(NOW + s * 1_000)));
  assert.deepEqual(asked, [[LOG, [10, 14]]]);
  const after = [];
  for (let s = 13; s <= 20; s += 1) after.push(...acksOf(await collector.tick(NOW + s * 1_000)));
  assert.deepEqual(
    after.filter(({ gap }) => gap !== undefined),
    [],
  );
});

test('a backlog that is over is no excuse: what a checkpoint promised is asked for', async () => {
  const collector = await open();
  const other = plain(64, 'example.org/gw-other/1');
  await collector.take([...all.slice(0, 10), heartbeat(log, 20)], NOW);
  await collector.take(
    other.messages.map((message) => arrived(message, 'attest/v1/gw-other/log')),
    NOW + 1_000,
  );
  const asked: number[] = [];
  for (let s = 2; s <= 10; s += 1) {
    for (const { gap } of acksOf(await collector.tick(NOW + s * 1_000))) if (gap !== undefined) asked.push(s);
  }
  assert.deepEqual(asked, [5]);
});

const sequences: { readonly [title: string]: readonly [readonly (() => Arrived)[], readonly string[]] } = {
  'another root of a size that is here': [[() => heartbeat(log, 30, { root: rootOf(log, 29) })], ['E_FORK']],
  'two roots of one size': [
    [() => heartbeat(log, 40, { root: rootOf(log, 1) }), () => heartbeat(log, 40, { root: rootOf(log, 2) })],
    ['W_GAP', 'E_FORK'],
  ],
  'a newer one that is smaller': [[() => heartbeat(log, 30), () => heartbeat(log, 29)], ['E_ROLLBACK']],
  'a newer one of a later start that is smaller': [
    [() => heartbeat(log, 30), () => heartbeat(log, 29, { bootcount: 2, mono_ms: 1 })],
    ['E_ROLLBACK'],
  ],
  'a gateway that is idle': [[() => heartbeat(log, 30), () => heartbeat(log, 30)], []],
  'one of an earlier start': [
    [() => heartbeat(log, 20, { bootcount: 2 }), () => heartbeat(log, 25, { bootcount: 1 })],
    [],
  ],
};

for (const [title, [heartbeats, codes]] of Object.entries(sequences)) {
  test(`checkpoints: ${title}: ${codes.join(', ') || 'no alarm'}`, async () => {
    const collector = await open();
    await collector.take(all, NOW);
    const said = await collector.take(
      heartbeats.map((make) => make()),
      NOW,
    );
    assert.deepEqual(checkpointCodes(said), codes);
    const forks = noticesOf(said, 'fork');
    assert.equal(forks.length, codes.filter((code) => code.startsWith('E_')).length);
    for (const { second } of forks) assert.match(Buffer.from(second).toString(), /^example\.org\/gw-test\/1\n\d+\n/);
  });
}

test('TV-21: a heartbeat that is delivered again is stale: no alarm, and no sign of life', async () => {
  const collector = await open();
  await collector.take(all, NOW);
  const [older, newer] = [heartbeat(log, 20), heartbeat(log, 30)];
  await collector.take([older, newer], NOW);
  await collector.tick(NOW);
  for (let minute = 1; minute < 15; minute += 1) {
    const again = await collector.take([minute % 2 === 0 ? older : newer], NOW + minute * 60_000);
    assert.deepEqual(again.notices, []);
  }
  assert.deepEqual(
    noticesOf(await collector.tick(NOW + 15 * 60_000), 'silent').map(({ of }) => of),
    ['heartbeat'],
  );
});

test('TV-21: what was heard is stored: after a restart an old heartbeat is stale, and a smaller new one a rollback', async () => {
  const store = new MemoryStore();
  const [older, newer] = [heartbeat(log, 20), heartbeat(log, 30)];
  await (await open({ store })).take(all, NOW);
  await (await open({ store })).take([newer], NOW);
  const collector = await open({ store });
  assert.deepEqual((await collector.take([older, newer], NOW)).notices, []);
  assert.deepEqual(checkpointCodes(await collector.take([heartbeat(log, 20)], NOW)), ['E_ROLLBACK']);
});

const notes: { readonly [title: string]: () => object } = {
  'of another size': () => ({ note: signCheckpoint({ log: LOG, size: 29, root: rootOf(log, 30) }, gatewayKey) }),
  'of another root': () => ({ note: signCheckpoint({ log: LOG, size: 30, root: rootOf(log, 29) }, gatewayKey) }),
  'of another log': () => ({
    note: signCheckpoint({ log: 'example.org/gw-test/2', size: 30, root: rootOf(log, 30) }, gatewayKey),
  }),
  'by another key': () => ({ note: signCheckpoint({ log: LOG, size: 30, root: rootOf(log, 30) }, keyOf(4)) }),
  'that is none': () => ({ note: 'x' }),
  'with a third line': () => ({
    note: signCheckpoint({ log: LOG, size: 30, root: rootOf(log, 30) }, gatewayKey).replace('\n\n', '\nx\n\n'),
  }),
  'whose line has another key id': () => ({
    note: signCheckpoint({ log: LOG, size: 30, root: rootOf(log, 30) }, gatewayKey).replace(
      / [A-Za-z0-9+/]{5}([A-Za-z0-9+/=]+\n)$/,
      ' AAAAA$1',
    ),
  }),
};

test('a heartbeat that holds entries beyond its own size is E_CHECKPOINT, and nothing counts as lost by it', async () => {
  const collector = await open();
  await collector.take(all.slice(0, 20), NOW);
  const { jws: _jws, ...content } = JSON.parse(Buffer.from(heartbeat(log, 20).payload).toString());
  const payload = signMessage({ ...content, first: 25 }, 'miner-cp+jwt', gatewayKey);
  const said = await collector.take([{ topic: 'attest/v1/gw-test/cp', payload }], NOW);
  assert.deepEqual(verdictsOf(said), ['refused E_CHECKPOINT']);
  await collector.take(all.slice(20), NOW);
  assert.equal((await report(collector))?.size, all.length);
});

for (const [title, change] of Object.entries(notes)) {
  test(`a heartbeat with a note ${title} is E_CHECKPOINT`, async () => {
    const collector = await open();
    await collector.take(all, NOW);
    const { jws: _jws, ...content } = JSON.parse(Buffer.from(heartbeat(log, 30).payload).toString());
    const payload = signMessage({ ...content, ...change() }, 'miner-cp+jwt', gatewayKey);
    const said = await collector.take([{ topic: 'attest/v1/gw-test/cp', payload }], NOW);
    assert.deepEqual(verdictsOf(said), ['refused E_CHECKPOINT']);
    assert.equal((await report(collector))?.included, 0);
  });
}

test('TV-23: after a key handed over, entries and checkpoints by the old one are E_KEY_SCOPE, earlier checkpoints are not', async () => {
  const next = keyOf(5);
  const trusted = parseTrustedKeys({ keys: [gatewayKey, next].map(({ kid, jwk }) => ({ kid, jwk, role: 'gateway' })) });
  const writing = plain(3);
  const claims = canonicalBytes({ kid_new: next.kid, kid_old: gatewayKey.kid, log: LOG, seq: 3 });
  const header = canonicalBytes({ alg: 'Ed25519', kid: next.kid, typ: 'miner-pop+jwt' }).toString('base64url');
  const input = `${header}.${claims.toString('base64url')}`;
  const pop = `${input}.${Buffer.from(next.sign(Buffer.from(input))).toString('base64url')}`;
  writing.write({ kind: 'key', key: { action: 'rotate', next_jwk: next.jwk, pop } });
  writing.signer = next;
  writing.write(stop);
  const store = new MemoryStore();
  const before = await open({ store, trust: { kind: 'keys', keys: trusted } });
  await before.take([...writing.messages.map((message) => arrived(message))], NOW);
  assertWhole(store, writing);
  // The handing over is part of what is stored.
  const collector = await open({ store, trust: { kind: 'keys', keys: trusted } });
  const checks: readonly (readonly [Arrived, readonly string[]])[] = [
    [heartbeat(writing, 3), []],
    [heartbeat(writing, 4), ['refused E_KEY_SCOPE']],
    [heartbeat(writing, 5, { signer: next }), []],
  ];
  for (const [each, codes] of checks) assert.deepEqual(verdictsOf(await collector.take([each], NOW)), codes);
  writing.signer = gatewayKey;
  assert.deepEqual(verdictsOf(await collector.take([arrived(writing.write(stop))], NOW)), ['5 refused E_KEY_SCOPE']);
  assert.equal((await report(collector))?.size, 5);
});

test('TV-23: a revoked key is good up to the size that was witnessed, for entries and checkpoints', async () => {
  const { kid, jwk } = gatewayKey;
  const revoked = { reason: 'stolen', iat: 1, last_good: { size: 20, root: rootOf(log, 20) } };
  const collector = await open({
    trust: { kind: 'keys', keys: parseTrustedKeys({ keys: [{ kid, jwk, role: 'gateway', revoked }] }) },
  });
  const said = await collector.take([...all.slice(0, 21), heartbeat(log, 20), heartbeat(log, 21)], NOW);
  assert.deepEqual(verdictsOf(said).slice(19), ['19 chained', 'refused E_KEY_REVOKED', 'refused E_KEY_REVOKED']);
  assert.equal((await report(collector))?.included, 20);
});

test('of a log of which nothing is here yet nothing is acknowledged once its beginning is lost', async () => {
  const collector = await open();
  const said = await collector.take([heartbeat(log, 30, { first: 12 })], NOW);
  assert.deepEqual(acksOf(said), [], 'the leaf before is not known');
  assert.deepEqual(noticesOf(said, 'lost'), [], 'nobody may fill a store with logs that are only spoken of');
  const begun = await collector.take([...all.slice(12, 14)], NOW + 1000);
  assert.deepEqual(
    noticesOf(begun, 'lost').map(({ from, to }) => [from, to]),
    [[0, 12]],
  );
  assert.deepEqual(noticesOf(await collector.take([...all.slice(14)], NOW + 2000), 'lost'), []);
});

test('what the gateway no longer holds is lost, told with its range, and the chain begins where the log does', async () => {
  const store = new MemoryStore();
  const collector = await open({ store });
  await collector.take(all.slice(0, 5), NOW);
  const said = await collector.take([...all.slice(12, 14), heartbeat(log, 30, { first: 12 })], NOW);
  assert.deepEqual(
    noticesOf(said, 'lost').map(({ from, to }) => [from, to]),
    [[5, 12]],
  );
  assert.deepEqual(verdictsOf(said), [
    '12 held',
    '13 held',
    '12 chained I_START I_UNCHECKED',
    '13 chained I_UNCHECKED',
  ]);
  assert.deepEqual(
    acksOf(await collector.take(all.slice(14), NOW + 1000)).map(({ next }) => next),
    [30],
  );
  assert.equal((await report(collector))?.size, 30);
  assert.equal((await report(collector))?.root, undefined);
  assert.equal(await collector.standing(LOG, 7), 'missing');
  const again = await open({ store });
  assert.deepEqual(
    acksOf(await again.connected(NOW + 2000)).map(({ next }) => next),
    [30],
  );
});

// ---- step 17

const authority = { ...keyOf(1), role: 'authority' };
const witnesses = [6, 7, 8].map((byte) => ({ ...keyOf(byte), name: `example.org/witness-${byte}` }));
const pinned = parseTrustedKeys({ keys: [{ kid: authority.kid, jwk: authority.jwk, role: 'authority' }] });
const vkeyOf = ({ name, jwk }: (typeof witnesses)[number]): string => formatVkey(name, NOTE_TYPE.cosignature, jwk);

const manifest = (members: object = {}, signer = authority): Arrived => ({
  topic: 'attest/v1/_fleet/trust',
  payload: signMessage(
    {
      version: 1,
      iat: 1795339200,
      exp: NOW / 1000 + 86_400,
      keys: [
        { kid: gatewayKey.kid, jwk: gatewayKey.jwk, role: 'gateway', logs: ['example.org/gw-test'], status: 'active' },
      ],
      witnesses: witnesses.slice(0, 2).map(vkeyOf),
      quorum: 2,
      ...members,
    },
    'miner-trust+jwt',
    signer,
  ),
});

const cosignature = (
  size: number,
  by: (typeof witnesses)[number],
  timeS = NOW / 1000,
  root = rootOf(log, size),
): Arrived => {
  const note = cosign(signCheckpoint({ log: LOG, size, root }, gatewayKey), by, timeS);
  return {
    topic: `attest/v1/gw-test/cosig/${by.name.split('/')[1]}`,
    payload: canonicalBytes({ log: LOG, size, note }),
  };
};

const [one, two, stranger] = witnesses as [(typeof witnesses)[0], (typeof witnesses)[0], (typeof witnesses)[0]];
const trusting = { kind: 'authority', authority: pinned } as const;

test('entries are witnessed when a quorum cosigned a checkpoint that agrees; the earliest time is their upper bound', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, trust: trusting });
  const said = await collector.take(
    [manifest(), ...all, heartbeat(log, 30), cosignature(30, one, NOW / 1000 + 9)],
    NOW,
  );
  assert.deepEqual(
    [noticesOf(said, 'manifest').map(({ version }) => version), await collector.standing(LOG, 29)],
    [[1], 'included'],
  );
  const again = await open({ store, trust: trusting });
  const last = await again.take([cosignature(30, two, NOW / 1000 + 4)], NOW);
  assert.deepEqual(
    noticesOf(last, 'witnessed').map(({ size, atS, remarks }) => [size, atS, remarks]),
    [[30, NOW / 1000 + 4, []]],
  );
  assert.equal(await again.standing(LOG, 29), 'witnessed');
});

test('without a manifest nothing is witnessed, whoever cosigns', async () => {
  const collector = await open({ witness: one });
  await collector.take([...all, heartbeat(log, 30), ...witnesses.map((each) => cosignature(30, each))], NOW);
  assert.equal(await collector.standing(LOG, 29), 'included');
  assert.equal((await report(collector))?.witnessed, 0);
});

test('TV-22: one witness twice, unknown witnesses and cosignatures of other trees make no quorum', async () => {
  const collector = await open({ trust: trusting });
  await collector.take([manifest(), ...all, heartbeat(log, 20), heartbeat(log, 30)], NOW);
  const none = [
    cosignature(30, one),
    cosignature(30, one, 1),
    cosignature(30, stranger),
    cosignature(20, two),
    cosignature(29, two),
  ];
  await collector.take(none, NOW);
  assert.equal((await report(collector))?.witnessed, 0);
  const other = await collector.take([cosignature(30, two, 1, rootOf(log, 29))], NOW);
  assert.deepEqual([checkpointCodes(other), noticesOf(other, 'fork').length], [['E_FORK'], 1]);
  await collector.take([cosignature(30, two)], NOW);
  assert.equal((await report(collector))?.witnessed, 30);
});

test('a cosignature that is here before the entries counts when they are', async () => {
  const collector = await open({ trust: trusting });
  await collector.take(
    [manifest(), ...all.slice(0, 5), cosignature(30, one), cosignature(30, two), heartbeat(log, 30)],
    NOW,
  );
  assert.equal((await report(collector))?.witnessed, 0);
  const said = await collector.take(all, NOW);
  assert.deepEqual(
    noticesOf(said, 'witnessed').map(({ size }) => size),
    [30],
  );
});

test('an entry that claims a time after its cosignature is E_TIME_WINDOW', async () => {
  const collector = await open({ trust: trusting });
  const earlyS = log.next.iat - 1 - 121;
  await collector.take([manifest(), ...all, heartbeat(log, 30), cosignature(30, one, earlyS)], NOW);
  const said = await collector.take([cosignature(30, two, earlyS)], NOW);
  assert.deepEqual(
    noticesOf(said, 'witnessed').flatMap(({ remarks }) => remarks.map(({ code }) => code)),
    ['E_TIME_WINDOW'],
  );
});

test('a collector that is a witness cosigns what agrees, once, after it stored that it does', async () => {
  const store = new MemoryStore();
  const seen: string[] = [];
  const collector = await open({ store, trust: trusting, witness: one });
  await collector.take([manifest()], NOW);
  const said = [
    await collector.take([...all.slice(0, 20), heartbeat(log, 20)], NOW),
    await collector.take([heartbeat(log, 30)], NOW),
    await collector.take([...all, heartbeat(log, 30)], NOW),
    await (await open({ store, trust: trusting, witness: one })).take([heartbeat(log, 30)], NOW),
  ];
  const cosigned = said.map(({ publish }) =>
    publish.filter(({ topic }) => topic === 'attest/v1/gw-test/cosig/collector-a'),
  );
  assert.deepEqual(
    cosigned.map((each) => each.length),
    [1, 0, 1, 0],
  );
  assert.match(store.log(LOG)?.state ?? '', /"cosigned":\{"size":30/);
  for (const { payload, retain } of cosigned.flat()) {
    const known = verifyCosigned(payload, {
      keys: keys.values(),
      witnesses: [parseVkey(vkeyOf(one))].filter((key) => key !== undefined),
    }) as Cosigned;
    assert.deepEqual([retain, [...known.times]], [true, [[one.name, NOW / 1000]]]);
    seen.push(known.end.root);
  }
  assert.deepEqual(seen, [rootOf(log, 20), rootOf(log, 30)]);
});

test('nothing that is not larger than what was cosigned is cosigned', () => {
  const state = { ...newHeartbeats(), cosigned: { size: 20, root: rootOf(log, 20) } };
  const may = (size: number) => mayCosign(state, { size, root: rootOf(log, size), note: '' });
  assert.deepEqual([may(19), may(20), may(21)], [false, false, true]);
});

test('a tree that does not agree is never cosigned', async () => {
  const collector = await open({ witness: one });
  const { publish } = await collector.take(
    [...all, heartbeat(log, 30, { root: rootOf(log, 29) }), heartbeat(log, 31)],
    NOW,
  );
  assert.deepEqual(
    publish.filter(({ topic }) => topic.includes('cosig')),
    [],
  );
});

test('what cannot be stored is not cosigned', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, witness: one });
  await collector.take(all, NOW);
  const commit = store.commit.bind(store);
  store.commit = () => {
    throw new Error('disk full');
  };
  await assert.rejects(collector.take([heartbeat(log, 30)], NOW), /disk full/);
  store.commit = commit;
  const { publish } = await collector.take([heartbeat(log, 30)], NOW);
  assert.equal(publish.filter(({ topic }) => topic.includes('cosig')).length, 1);
});

test('what a broker delivers again and again is not stored again', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, trust: trusting });
  const messages = [
    manifest(),
    ...all,
    heartbeat(log, 20),
    heartbeat(log, 30),
    cosignature(30, one),
    cosignature(30, two),
    heartbeat(log, 29),
    cosignature(20, two, 1, rootOf(log, 29)),
    heartbeat(log, 30, { root: rootOf(log, 29) }),
    conn,
  ];
  await collector.take(messages, NOW);
  let commits = 0;
  const commit = store.commit.bind(store);
  store.commit = (changes) => {
    commits += 1;
    commit(changes);
  };
  for (let again = 0; again < 3; again += 1) await collector.take(messages, NOW + again * 1000);
  assert.equal(commits, 0);
});

const conn = arrived(
  canonicalBytes({ state: 'lost', session: 'a.1', log: LOG, size: 30, at: 1 }),
  'attest/v1/gw-test/conn',
);

// ---- the manifest

test('before the first manifest nobody is trusted; with it, whom it names', async () => {
  const store = new MemoryStore();
  const collector = await open({ store, trust: trusting });
  assert.deepEqual(verdictsOf(await collector.take(all.slice(0, 1), NOW)), ['0 refused E_KEY_UNKNOWN'.slice(2)]);
  await collector.take([manifest()], NOW);
  assert.deepEqual(verdictsOf(await collector.take(all.slice(0, 1), NOW)), ['0 chained']);
  const again = await open({ store, trust: trusting });
  assert.deepEqual(verdictsOf(await again.take(all.slice(1, 2), NOW)), ['1 chained']);
  const expired = await again.take(all.slice(2, 3), NOW + 86_400_000);
  assert.deepEqual(verdictsOf(expired), ['refused E_TRUST_STALE']);
});

test('a manifest of another authority, an older one and one that does not follow are refused', async () => {
  const collector = await open({ trust: trusting });
  const first = manifest();
  await collector.take([first], NOW);
  const codes = async (each: Arrived) => verdictsOf(await collector.take([each], NOW)).join();
  assert.equal(await codes(manifest({ version: 2 }, { ...keyOf(9), role: 'authority' })), 'refused E_KEY_UNKNOWN');
  assert.equal(await codes(manifest({ quorum: 1 })), 'refused E_TRUST_STALE');
  assert.equal(await codes(manifest({ version: 2 })), 'refused E_TRUST_STALE');
  assert.equal(await codes(manifest({ version: 9, quorum: 3 })), 'refused E_SCHEMA');
  assert.equal(await codes(manifest({ version: 9, witnesses: ['x'] })), 'refused E_SCHEMA');
  assert.equal(await codes(first), '');
  const { hash } = await import('node:crypto');
  const second = manifest({ version: 2, quorum: 1, prev_sha256: hash('sha256', first.payload, 'base64url') });
  assert.deepEqual(
    noticesOf(await collector.take([second], NOW), 'manifest').map(({ version }) => version),
    [2],
  );
});

test('a stored manifest is forgotten where another authority is pinned now', async () => {
  const store = new MemoryStore();
  await (await open({ store, trust: trusting })).take([manifest(), ...all.slice(0, 1)], NOW);
  const { kid, jwk } = keyOf(9);
  const other = parseTrustedKeys({ keys: [{ kid, jwk, role: 'authority' }] });
  const collector = await open({ store, trust: { kind: 'authority', authority: other } });
  assert.deepEqual(verdictsOf(await collector.take(all.slice(1, 2), NOW)), ['refused E_KEY_UNKNOWN']);
});

test('with keys by hand a manifest is passed over', async () => {
  const collector = await open();
  const said = await collector.take([manifest()], NOW);
  assert.deepEqual([said.verdicts, said.notices], [[], []]);
});

// ---- epoch markers

test('TV-18: markers of listed collectors bound time from below, also after a restart; one that is ahead is ignored', async () => {
  const issuer = keyOf(3);
  const trusted = parseTrustedKeys({
    keys: [
      { kid: gatewayKey.kid, jwk: gatewayKey.jwk, role: 'gateway' },
      { kid: issuer.kid, jwk: issuer.jwk, role: 'collector' },
    ],
  });
  const marker = (id: string, iat: number): Arrived => ({
    topic: 'attest/v1/_fleet/epoch/collector-b',
    payload: signEpoch({ iss: 'collector-b', id, n: 1, iat }, issuer),
  });
  const [known, ahead] = ['AAECAwQFBgcICQoLDA0ODw', 'AQECAwQFBgcICQoLDA0ODw'];
  const store = new MemoryStore();
  const trust = { kind: 'keys', keys: trusted } as const;
  await (await open({ store, trust })).take([marker(known, NOW / 1000 + 30), marker(ahead, NOW / 1000 + 121)], NOW);
  const writing = new Writing();
  writing.write(start());
  const epoch = (id: string) => ({ epoch: { id, iss: 'collector-b', age_s: 1 } });
  writing.write(stop, epoch(ahead));
  writing.write(stop, epoch(known));
  const said = await (await open({ store, trust })).take(
    writing.messages.map((each) => arrived(each)),
    NOW,
  );
  assert.deepEqual(verdictsOf(said), ['0 chained', '1 chained W_EPOCH', '2 quarantined E_TIME_WINDOW']);
});

test('a collector that cosigns takes the markers that it issued itself, which no file of keys names, and no others', async () => {
  const own = { ...keyOf(3), name: 'collector-a' };
  const id = 'AAECAwQFBgcICQoLDA0ODw';
  const marker = (signer: Signer): Arrived => ({
    topic: 'attest/v1/_fleet/epoch/collector-a',
    payload: signEpoch({ iss: 'collector-a', id, n: 1, iat: NOW / 1000 }, signer),
  });
  const writing = new Writing();
  writing.write(start());
  writing.write(stop, { epoch: { id, iss: 'collector-a', age_s: 1 } });
  const entries = writing.messages.map((each) => arrived(each));
  const store = new MemoryStore();
  const said = await (await open({ store, witness: own })).take([marker(own), ...entries, marker(keyOf(4))], NOW);
  assert.deepEqual(verdictsOf(said), ['0 chained', '1 chained', 'refused E_KEY_UNKNOWN']);
  const waiting = await open({ trust: trusting, witness: own });
  assert.deepEqual((await waiting.take([marker(own)], NOW)).verdicts, []);
  assert.deepEqual(verdictsOf(await (await open()).take([marker(own)], NOW)), ['refused E_KEY_UNKNOWN']);
});

test('of the markers of an issuer the newest stay, and old ones that come again push none of them out', async () => {
  const issuer = keyOf(3);
  const { kid, jwk } = issuer;
  const store = new MemoryStore();
  const collector = await open({
    store,
    trust: { kind: 'keys', keys: parseTrustedKeys({ keys: [{ kid, jwk, role: 'collector' }] }) },
  });
  const markers = Array.from({ length: 2_030 }, (_none, n) => {
    const id = Buffer.alloc(16);
    id.writeUInt32BE(n);
    const payload = signEpoch(
      { iss: 'collector-b', id: id.toString('base64url'), n, iat: NOW / 1000 - 3_000 + n },
      issuer,
    );
    return { topic: 'attest/v1/_fleet/epoch/collector-b', payload };
  });
  await collector.take(markers, NOW);
  const kept = store.trusted();
  assert.equal(JSON.parse(kept ?? '').epochs.length, 2_016);
  await collector.take(markers.slice(0, 14), NOW);
  assert.equal(store.trusted(), kept);
});
