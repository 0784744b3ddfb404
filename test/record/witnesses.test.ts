import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { loadKey } from '../../agent/platform/keys.ts';
import { signedHeartbeat } from '../../agent/record/heartbeat.ts';
import { Log } from '../../agent/record/log.ts';
import { firstHeld, pruneBatch } from '../../agent/record/retention.ts';
import { keepHead, keptHead } from '../../agent/record/signed-head.ts';
import { Witnesses } from '../../agent/record/witnesses.ts';
import { signCheckpoint, verifyCheckpoint } from '../../shared/checkpoint.ts';
import { cosign } from '../../shared/cosignature.ts';
import { signMessage } from '../../shared/envelope.ts';
import { signEpoch } from '../../shared/epoch.ts';
import { jwkOf, parseTrustedKeys, type Signer, signerOf, trustKey } from '../../shared/keys.ts';
import { formatVkey, NOTE_TYPE } from '../../shared/note.ts';
import type { LogEnd } from '../../shared/statement.ts';
import { treeRoot } from '../../shared/tree.ts';
import { until } from '../publish/observer.ts';
import { anyStatement, logOptions, openGateway, restart, TestClock } from './gateway.ts';

/** A collector that cosigns, under a key of its own. */
const newWitness = (name: string) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = signerOf(privateKey);
  const jwk = jwkOf(privateKey);
  return { name, jwk, signer, sign: signer.sign, vkey: formatVkey(name, NOTE_TYPE.cosignature, jwk) };
};

type Witness = ReturnType<typeof newWitness>;

/** A gateway with a log of so many entries, and those whose word counts. */
const setUp = (t: TestContext, { entries = 20, quorum = 1 } = {}) => {
  const gateway = openGateway(t);
  const { log, store, dir, clock } = gateway;
  append(log, entries - 1);
  const { kid, jwk, signer: own } = loadKey(dir);
  const bare = { kty: jwk.kty, crv: jwk.crv, x: jwk.x };
  const key = trustKey({ kid, jwk: bare, role: 'gateway' });
  const signer = { ...own, jwk: bare };
  const [a, b] = [newWitness('example.org/col-a'), newWitness('example.org/col-b')];
  const rolledBack: string[] = [];
  const events: string[] = [];
  const open = (under = log) =>
    new Witnesses({
      store,
      log: under,
      key,
      vkeys: [a.vkey, b.vkey],
      quorum,
      clock,
      emit: (level, event) => void events.push(`${level} ${event}`),
      rolledBack: (signed, why) => rolledBack.push(`${signed.size} ${why}`),
    });
  const endAt = (size: number): LogEnd => ({
    log: log.origin,
    size,
    root: treeRoot(store.leavesFrom(0, size).map((leaf) => Buffer.from(leaf))).toString('base64url'),
  });
  const cosigned = (end: LogEnd, ...by: readonly Witness[]): Buffer => {
    const note = by.reduce((signed, witness) => cosign(signed, witness, 1_795_339_260), signCheckpoint(end, signer));
    return Buffer.from(JSON.stringify({ log: end.log, size: end.size, note }));
  };
  return { ...gateway, key, signer, a, b, rolledBack, events, open, endAt, cosigned };
};

const append = (log: Log, count: number): void => {
  for (let made = 0; made < count; made += 1) log.transaction((tx) => void tx.append(anyStatement()));
};

test('§7: the tree grows with the log, in the same transaction, and is the one its leaves give', (t) => {
  const { log, store, dir, clock, endAt } = setUp(t, { entries: 1 });
  for (let size = 1; size < 70; size += 1) {
    assert.deepEqual(log.end(), endAt(size));
    append(log, 1);
  }
  assert.throws(() =>
    log.transaction((tx) => {
      tx.append(anyStatement());
      throw new Error('refused');
    }),
  );
  assert.deepEqual(log.end(), endAt(70));
  const read = Log.read(logOptions(store, dir, clock));
  assert.deepEqual(read.end(), endAt(70), 'after a restart');
  store.saveMeta('tree', '{"size":0,"hashes":[]}');
  assert.deepEqual(Log.read(logOptions(store, dir, clock)).end(), endAt(70), 'of a store that kept none');
  store.saveMeta('tree', JSON.stringify({ size: 71, hashes: [] }));
  assert.throws(() => Log.read(logOptions(store, dir, clock)), { code: 'store.corrupt' });
});

test('§5: a heartbeat passes step 16 of a verifier, and says from where on the log is held', (t) => {
  const { log, store, jwk, signer, clock, endAt } = setUp(t);
  clock.pass(61_000);
  const { size, message } = signedHeartbeat(log, store, signer);
  const topic = 'attest/v1/tx1-gw3/cp';
  const { content } = verifyCheckpoint(message, { keys: parseTrustedKeys(jwk), topic });
  assert.deepEqual([content.size, content.root, content.first, size], [20, endAt(20).root, 0, 20]);
  assert.deepEqual([content.bootcount, content.mono_ms, content.iat], [1, 61_000, 1_795_339_261]);
  const ranS = log.ranS() + 500 * 86_400;
  pruneBatch(store, { ranS, days: 400, below: 9, keep: new Set([2]), after: -1 });
  assert.equal(firstHeld(store), 9);
  const pruned = verifyCheckpoint(signedHeartbeat(log, store, signer).message, { keys: parseTrustedKeys(jwk) });
  assert.equal(pruned.content.first, 9);
});

test('§7: a cosigned size is what a quorum of witnesses has seen, and outlives a restart', (t) => {
  const { open, cosigned, endAt, a, b, rolledBack, log } = setUp(t, { quorum: 2 });
  const witnesses = open();
  assert.equal(witnesses.cosignedSize(), 0);
  witnesses.takeCosigned(cosigned(endAt(15), a));
  assert.equal(witnesses.cosignedSize(), 0, 'one of two');
  witnesses.takeCosigned(cosigned(endAt(12), b));
  assert.equal(witnesses.cosignedSize(), 12, 'a larger checkpoint speaks of the smaller one, too');
  witnesses.takeCosigned(cosigned(endAt(20), a, b));
  assert.equal(witnesses.cosignedSize(), 20);
  witnesses.takeCosigned(cosigned(endAt(5), a, b));
  assert.equal(witnesses.cosignedSize(), 20, 'an old one takes nothing back');
  witnesses.save();
  assert.equal(open().cosignedSize(), 20);
  append(log, 30);
  const again = open();
  again.takeCosigned(cosigned(endAt(44), a, b));
  assert.equal(again.cosignedSize(), 44);
  assert.deepEqual(rolledBack, []);
});

test('§7: what is not signed by the gateway and a witness counts for nothing', (t) => {
  const { open, cosigned, endAt, a, rolledBack, log } = setUp(t);
  const witnesses = open();
  const stranger = newWitness('example.org/col-a');
  const foreign = cosign(signCheckpoint(endAt(20), { sign: stranger.sign, jwk: stranger.jwk }), a, 1);
  const good = cosigned(endAt(20), a).toString();
  const payloads = [
    cosigned(endAt(20)),
    cosigned(endAt(20), stranger),
    Buffer.from(JSON.stringify({ log: log.origin, size: 20, note: foreign })),
    Buffer.from(good.replace('"size":20', '"size":19')),
    Buffer.from(good.slice(0, -20)),
    Buffer.from('{}'),
    Buffer.alloc(0),
    cosigned({ ...endAt(20), log: 'example.org/tx1-gw3/1' }, a),
  ];
  for (const payload of payloads) witnesses.takeCosigned(payload);
  assert.deepEqual([witnesses.cosignedSize(), rolledBack], [0, []]);
  witnesses.takeCosigned(Buffer.from(good));
  assert.equal(witnesses.cosignedSize(), 20, 'the one that all of these were made of does count');
});

test('§7: a checkpoint of a longer log, or of another tree, shows that the store is not the log', (t) => {
  const { open, cosigned, endAt, a, rolledBack } = setUp(t);
  const witnesses = open();
  witnesses.takeCosigned(cosigned({ ...endAt(20), size: 25 }, a));
  witnesses.takeCosigned(cosigned({ ...endAt(9), size: 10 }, a));
  assert.equal(rolledBack.length, 2);
  assert.match(rolledBack[0] ?? '', /^25 the store holds 20 entries of 25/);
  assert.match(rolledBack[1] ?? '', /^10 another tree of 10 entries/);
  assert.equal(witnesses.cosignedSize(), 0);
});

test('§7: a checkpoint of a log that this key began later shows that the store was put back to before it', (t) => {
  const { open, cosigned, endAt, a, rolledBack, log } = setUp(t);
  const witnesses = open();
  const [gateway, incarnation] = [log.origin.replace(/\/\d+$/, ''), Number(log.origin.split('/').at(-1))];
  const of = (origin: string, size = 3): LogEnd => ({ ...endAt(3), size, log: origin });
  const stranger = newWitness('example.org/col-a');
  const forged = cosign(
    signCheckpoint(of(`${gateway}/${incarnation + 1}`), { sign: stranger.sign, jwk: stranger.jwk }),
    a,
    1,
  );
  const later = `${gateway}/${incarnation + 1}`;
  witnesses.takeCosigned(Buffer.from(JSON.stringify({ log: later, size: 3, note: forged })));
  witnesses.takeCosigned(cosigned(of(`${gateway}/${incarnation - 1}`), a));
  witnesses.takeCosigned(cosigned(of(`example.org/other/${incarnation + 1}`), a));
  assert.deepEqual(rolledBack, [], 'neither a forged one, nor a former log, nor another gateway');
  witnesses.takeCosigned(cosigned(of(later), a));
  assert.deepEqual(rolledBack, [`3 the store holds ${log.origin}, which ${later} had replaced`]);
  assert.equal(witnesses.cosignedSize(), 0);
});

test('§7: an entry under our own key that the log does not hold shows what a checkpoint shows, as soon as it was sent', (t) => {
  const { open, rolledBack, log, store, signer, clock, dir } = setUp(t);
  const witnesses = open();
  const [gateway, incarnation] = [log.origin.replace(/\/\d+$/, ''), Number(log.origin.split('/').at(-1))];
  const held = store.entriesFrom(0, 100).map(({ message }) => Buffer.from(message));
  const like = (at: number, changes: object, by: Signer = signer): Buffer => {
    const { jws: _jws, ...content } = JSON.parse((held[at] ?? Buffer.alloc(0)).toString());
    return signMessage({ ...content, ...changes }, 'miner-att+jwt', by);
  };
  const stranger = newWitness('x').signer;
  const harmless = [
    ...held,
    like(19, { seq: 25 }, stranger),
    like(19, { seq: 25 }, { kid: signer.kid, sign: stranger.sign }),
    Buffer.from(like(19, { seq: 25 }).subarray(0, -4)),
    like(19, { log: `${gateway}/${incarnation - 1}`, seq: 99 }),
    like(19, { log: 'example.org/other/9', seq: 99 }),
    Buffer.from('{}'),
    Buffer.alloc(0),
  ];
  for (const message of harmless) witnesses.takeEntry(message);
  assert.deepEqual(rolledBack, [], 'neither what is held, nor what another key signed, nor of another log');
  witnesses.takeEntry(like(19, { seq: 20 }));
  witnesses.takeEntry(like(19, { mono_ms: 7 }));
  witnesses.takeEntry(like(19, { log: `${gateway}/${incarnation + 1}`, seq: 4 }));
  assert.deepEqual(rolledBack, [
    '21 the store holds 20 entries of 21 that were signed',
    '20 another entry 19 was signed',
    `5 the store holds ${log.origin}, which ${gateway}/${incarnation + 1} had replaced`,
  ]);
  const shown = { log: `${gateway}/${incarnation + 900}`, size: 5 };
  const replaced = Log.read({ ...logOptions(store, dir, clock), replaces: { signed: shown, why: 'it was put back' } });
  assert.equal(replaced.origin, `${gateway}/${incarnation + 901}`, 'above what was shown, though no root is known');
});

test('a log that begins more than a day from now is told once a minute and not believed, whoever signed it', (t) => {
  const { open, rolledBack, log, clock, cosigned, endAt, a, events } = setUp(t);
  const witnesses = open();
  const gateway = log.origin.replace(/\/\d+$/, '');
  const show = (incarnation: number) =>
    witnesses.takeCosigned(cosigned({ ...endAt(3), log: `${gateway}/${incarnation}` }, a));
  const nowS = clock.wall / 1000;
  for (const each of [nowS + 86_401, 4_102_444_800, Number.MAX_SAFE_INTEGER]) show(each);
  assert.deepEqual([rolledBack, events], [[], ['error log.ahead-of-time']]);
  clock.pass(60_000);
  show(4_102_444_800);
  assert.equal(events.length, 2);
  show(nowS + 86_400);
  assert.equal(rolledBack.length, 1, 'one that is within a day is');
});

test('§3: a log that replaces one takes its origin above every log that is known, whatever the clock says', (t) => {
  const { log, store, dir, clock, endAt } = setUp(t);
  const [gateway, incarnation] = [log.origin.replace(/\/\d+$/, ''), Number(log.origin.split('/').at(-1))];
  const end = { ...endAt(3), log: `${gateway}/${incarnation + 5_000}` };
  const options = { ...logOptions(store, dir, clock), replaces: { signed: end, why: 'it was put back' } };
  assert.equal(Log.read(options).origin, `${gateway}/${incarnation + 5_001}`);
  assert.equal(
    Log.read({ ...options, former: `${gateway}/${incarnation + 6_000}` }).origin,
    `${gateway}/${incarnation + 6_001}`,
  );
});

test('a long tree is compared in pieces, and the event loop goes on', async (t) => {
  const { open, cosigned, endAt, a, b, log, store } = setUp(t);
  log.transaction((tx) => {
    for (let made = 0; made < 9_000; made += 1) tx.append(anyStatement());
  });
  const witnesses = open();
  witnesses.takeCosigned(cosigned(endAt(9_000), a));
  assert.equal(witnesses.cosignedSize(), 0);
  await until('it is compared', () => witnesses.cosignedSize() === 9_000);
  const stopped = open();
  stopped.takeCosigned(cosigned(endAt(9_000), b));
  stopped.stop();
  store[Symbol.dispose]();
  // Whatever it would do with the closed store would end this process.
  await delay(20);
  assert.equal(stopped.cosignedSize(), 0);
});

test('§5: the newest epoch marker of a witness goes into every statement, none ahead of our clock or of somebody else', (t) => {
  const { open, a, store, dir, clock } = setUp(t);
  const witnesses = open();
  const nowS = clock.wall / 1000;
  const marker = (changes: object, by = a) =>
    signEpoch({ iss: by.name, id: 'AAECAwQFBgcICQoLDA0ODw', n: 1, iat: nowS - 30, ...changes }, by.signer);
  for (const bad of [
    marker({ iat: nowS + 121 }),
    marker({}, newWitness('example.org/col-a')),
    marker({ iss: 'example.org/col-b' }),
    Buffer.from('{}'),
  ]) {
    witnesses.takeMarker(bad);
  }
  assert.equal(witnesses.epoch(), undefined);
  witnesses.takeMarker(marker({}));
  witnesses.takeMarker(marker({ iat: nowS - 400, id: 'AAAAAAAAAAAAAAAAAAAAAA', n: 0 }));
  assert.deepEqual(witnesses.epoch(), { id: 'AAECAwQFBgcICQoLDA0ODw', iss: 'example.org/col-a', age_s: 30 });
  witnesses.save();
  clock.pass(10_000);
  assert.equal(open().epoch()?.age_s, 40);
  store[Symbol.dispose]();
  const { log, store: next } = restart(t, dir, new TestClock(clock.wall), { epoch: () => witnesses.epoch() });
  append(log, 1);
  const [entry] = next.entriesFrom(log.size() - 1, 1);
  assert.deepEqual(JSON.parse(Buffer.from(entry?.message ?? []).toString()).epoch, witnesses.epoch());
});

test('§7: the head kept beside the store is believed only under the key of the gateway', (t) => {
  const { dir, key, signer, log } = setUp(t);
  assert.equal(keptHead(dir, key), undefined);
  keepHead(dir, log.end(), signer);
  assert.deepEqual(keptHead(dir, key), log.end());
  const file = join(dir, 'checkpoint.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, 40));
  assert.equal(keptHead(dir, key), undefined);
  const stranger = newWitness('x');
  keepHead(dir, log.end(), { sign: stranger.sign, jwk: stranger.jwk });
  assert.equal(keptHead(dir, key), undefined);
});

test('nothing that may come on these topics ends the agent, or counts unless it is whole', (t) => {
  const { open, cosigned, endAt, a, clock } = setUp(t);
  const witnesses = open();
  const cosignature = cosigned(endAt(20), a);
  const marker = signEpoch({ iss: a.name, id: 'AAECAwQFBgcICQoLDA0ODw', n: 1, iat: clock.wall / 1000 }, a.signer);
  const harmed = (good: Buffer) =>
    fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean()).map(([at, mask, cut]) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      return cut ? bytes.subarray(0, at) : bytes;
    });
  fc.assert(
    fc.property(fc.oneof(harmed(cosignature), harmed(marker), fc.uint8Array({ maxLength: 40 })), (payload) => {
      witnesses.takeCosigned(payload);
      witnesses.takeMarker(payload);
      assert.deepEqual([witnesses.cosignedSize(), witnesses.epoch()], [0, undefined]);
    }),
    { numRuns: 1_000 },
  );
  witnesses.takeCosigned(cosignature);
  witnesses.takeMarker(marker);
  assert.deepEqual([witnesses.cosignedSize(), witnesses.epoch()?.age_s], [20, 0]);
});
