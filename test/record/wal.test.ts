import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { createKey } from '../../agent/platform/keys.ts';
import { Log } from '../../agent/record/log.ts';
import { Store } from '../../agent/record/store.ts';
import { lostEndOf } from '../../agent/record/wal.ts';
import { anyStatement, logOptions, openGateway, TestClock, tempDir } from './gateway.ts';
import { damageFrame, FRAME_BYTES, frameAt, framesIn, framesOf, overwritten, put, transactionsIn } from './torn.ts';

/** What an agent leaves in its folder that is killed after so many transactions, in a folder of its own. */
const killed = (t: TestContext, transactions: number) => {
  const { dir: running, log, store } = openGateway(t);
  for (let at = 0; at < transactions; at += 1)
    log.transaction((tx) => {
      for (let row = 0; row <= at % 3; row += 1) tx.append(anyStatement());
    });
  const dir = tempDir(t);
  for (const name of readdirSync(running)) copyFileSync(join(running, name), join(dir, name));
  const wal = join(dir, 'assayer.db-wal');
  return { dir, wal, bytes: readFileSync(wal), size: store.size() };
};

const sizeOf = (dir: string): number => {
  using store = Store.openReadOnly(dir);
  return store.size();
};

test('durable transactions behind a damaged frame are lost, whatever of the frame is damaged', (t) => {
  const { wal, bytes } = killed(t, 12);
  const frames = framesIn(bytes);
  const transactions = transactionsIn(frames);
  assert.ok(transactions.length > 12 && frames.length > 30, `${transactions.length}, ${frames.length}`);
  const [lastButOne = [0, 0]] = transactions.slice(-2);
  const damages = [
    { what: 'its header', at: 0, length: 24 },
    { what: 'its salts', at: 8, length: 8 },
    { what: 'its checksum', at: 16, length: 8 },
    { what: 'its page', at: 2000, length: 1 },
    { what: 'all of it', at: 0, length: FRAME_BYTES },
    { what: 'all of it, which is zero now', at: 0, length: FRAME_BYTES, by: 0 },
  ];
  for (const { what, at, ...how } of damages) {
    // The frame with which the last but one ends is the last of which that can be told, by the pages that the next one writes again.
    for (let frame = 0; frame < lastButOne[1]; frame += 1) {
      put(wal, overwritten(bytes, frameAt(frame) + at, how));
      const lost = lostEndOf(wal);
      assert.ok(lost !== undefined, `${what}, of frame ${frame} of ${frames.length}`);
      const read = transactions.filter(([, to]) => to <= frame).at(-1)?.[1] ?? 0;
      assert.deepEqual(lost, { read, written: frames.length });
    }
  }
});

test('a header that is damaged hides all frames, also where the first of them is damaged, too', (t) => {
  const { wal, bytes } = killed(t, 3);
  const written = framesIn(bytes).length;
  for (const [at, length] of [
    [0, 4],
    [8, 4],
    [16, 8],
    [24, 8],
    [0, 100],
  ] as const) {
    put(wal, overwritten(bytes, at, { length }));
    assert.deepEqual(lostEndOf(wal), { read: 0, written }, `${length} bytes from ${at} on`);
  }
});

test('a log that ends anywhere has lost nothing that can be told: so a loss of power leaves it', (t) => {
  const { wal, bytes } = killed(t, 3);
  const cuts = Array.from({ length: Math.ceil(bytes.length / 97) }, (_none, at) => at * 97);
  const edges = framesIn(bytes).flatMap((_frame, at) => [-1, 0, 1, 23, 24, 25].map((by) => frameAt(at) + by));
  for (const cut of [...cuts, ...edges, bytes.length]) {
    put(wal, bytes.subarray(0, cut));
    assert.equal(lostEndOf(wal), undefined, `cut at ${cut} of ${bytes.length}`);
  }
});

test('of the last transaction any frames may be missing, or torn: it was not synced', (t) => {
  const { wal, bytes } = killed(t, 6);
  const [from, to] = transactionsIn(framesIn(bytes)).at(-1) ?? [0, 0];
  const count = to - from;
  assert.ok(count >= 3 && count < 12, `${count} frames`);
  for (let missing = 1; missing < 2 ** count; missing += 1) {
    for (const by of [0, 0x5a]) {
      for (const [at, length] of [
        [0, FRAME_BYTES],
        [512, FRAME_BYTES - 512],
      ] as const) {
        let torn: Buffer = bytes;
        for (let frame = 0; frame < count; frame += 1)
          if ((missing >> frame) % 2 === 1) torn = overwritten(torn, frameAt(from + frame) + at, { length, by });
        put(wal, torn);
        assert.equal(lostEndOf(wal), undefined, `frames ${missing.toString(2)} of ${count}`);
      }
    }
  }
});

test('frames of before a checkpoint are no loss, nor is an agent that goes on after it was killed', (t) => {
  const { dir, wal } = killed(t, 40);
  const { length } = readFileSync(wal);
  const lives = [dir];
  for (let life = 0; life < 3; life += 1) {
    const from = lives.at(-1) ?? dir;
    const store = Store.open(from);
    t.after(() => store[Symbol.dispose]());
    assert.equal(store.lost, undefined);
    const log = Log.open(logOptions(store, from, new TestClock()));
    log.transaction((tx) => void tx.append(anyStatement()));
    const next = tempDir(t);
    for (const name of readdirSync(from)) copyFileSync(join(from, name), join(next, name));
    const left = join(next, 'assayer.db-wal');
    assert.equal(readFileSync(left).length, length, 'what was written before stands behind');
    assert.equal(lostEndOf(left), undefined);
    lives.push(next);
  }
});

test('a transaction that was torn is not taken for a second one when the next is torn, too', (t) => {
  const { dir, wal, bytes } = killed(t, 6);
  const [from] = transactionsIn(framesIn(bytes)).at(-1) ?? [0];
  put(wal, overwritten(bytes, frameAt(from)));
  const store = Store.open(dir);
  t.after(() => store[Symbol.dispose]());
  Log.open(logOptions(store, dir, new TestClock()));
  const after = readFileSync(wal);
  const [last = 0] = transactionsIn(framesIn(after)).at(-1) ?? [];
  const file = join(tempDir(t), 'wal');
  put(file, overwritten(after, frameAt(last)));
  assert.equal(lostEndOf(file), undefined);
});

test('a store that lost its end says so until another log has begun, and the damaged file stays', (t) => {
  const { dir, wal, size } = killed(t, 12);
  damageFrame(wal, framesOf(wal) - 20);
  const damaged = readFileSync(wal);
  assert.match(Store.lostFrom(dir) ?? '', /^assayer\.db-wal is damaged behind frame \d+: /);
  const said = Store.lostFrom(dir);
  for (let failed = 0; failed < 2; failed += 1) {
    // A start that comes to no end: closing the store, SQLite writes what it read into it and removes the log.
    using store = Store.open(dir);
    assert.equal(store.lost, said);
    assert.ok(store.size() < size);
  }
  assert.equal(existsSync(wal), false);
  assert.equal(Store.lostFrom(dir), said);
  {
    using store = Store.open(dir);
    assert.equal(store.lost, said);
    const kept = store.settleLost();
    assert.match(kept, /assayer\.db-wal\.damaged-\d+$/);
    assert.ok(readFileSync(kept).equals(damaged));
  }
  assert.equal(Store.lostFrom(dir), undefined);
  using store = Store.open(dir);
  assert.equal(store.lost, undefined);
});

test('what is left of a damaged end is not found again after the next kill', (t) => {
  const { dir, wal } = killed(t, 12);
  damageFrame(wal, framesOf(wal) - 20);
  const store = Store.open(dir);
  t.after(() => store[Symbol.dispose]());
  const log = Log.open(logOptions(store, dir, new TestClock()));
  store.settleLost();
  log.transaction((tx) => void tx.append(anyStatement()));
  assert.equal(lostEndOf(wal), undefined);
  assert.ok(readFileSync(wal).length > frameAt(framesOf(wal)), 'it stands behind');
});

test('store.corrupt: where SQLite had moved to the file what its log has lost, neither is written', (t) => {
  const dir = tempDir(t);
  createKey(dir);
  Store.open(dir)[Symbol.dispose]();
  const file = join(dir, 'assayer.db');
  const running = new DatabaseSync(file);
  t.after(() => running.close());
  running.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL');
  for (const checkpoint of ['TRUNCATE', 'PASSIVE']) {
    for (let at = 0; at < 300; at += 1)
      running.exec('INSERT INTO meta (name, value) VALUES (hex(randomblob(8)), hex(randomblob(400)))');
    running.exec(`PRAGMA wal_checkpoint(${checkpoint})`);
  }
  const left = join(dir, 'left');
  mkdirSync(left, { mode: 0o700 });
  for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, join(left, `assayer.db${end}`));
  const wal = join(left, 'assayer.db-wal');
  damageFrame(wal, Math.floor(framesOf(wal) / 10));
  const before = ['assayer.db', 'assayer.db-wal'].map((name) => readFileSync(join(left, name)));
  for (let start = 0; start < 2; start += 1)
    assert.throws(() => Store.open(left), {
      code: 'store.corrupt',
      message: /is damaged \(assayer\.db-wal is damaged behind frame \d+: .*; .*\)$/,
    });
  const after = ['assayer.db', 'assayer.db-wal'].map((name) => readFileSync(join(left, name)));
  assert.ok(before.every((bytes, at) => bytes.equals(after[at] as Buffer)));
  assert.equal(existsSync(`${wal}.damaged`), false);
});

test('a store whose log is whole is looked at by nobody who asks what is lost', (t) => {
  const { dir, size } = killed(t, 3);
  assert.equal(Store.lostFrom(dir), undefined);
  assert.equal(sizeOf(dir), size);
  assert.equal(Store.lostFrom(tempDir(t)), undefined, 'nor one that is not there');
});
