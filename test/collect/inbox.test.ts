import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox } from '../../agent/collect/inbox.ts';

const message = (bytes = 10) => ({ topic: 'attest/v1/gw-1/log', payload: Buffer.alloc(bytes) });
const isSettled = (promise: Promise<void>) =>
  Promise.race([promise.then(() => true), new Promise((done) => setImmediate(done, false))]);

test('whoever brings more than fits waits until half of it is done', async () => {
  const inbox = new Inbox();
  for (let n = 0; n < 4_095; n += 1) assert.equal(inbox.put(message()), undefined);
  const room = inbox.put(message());
  assert.ok(room);
  inbox.done(2_000);
  assert.equal(await isSettled(room), false);
  inbox.done(48);
  assert.equal(await isSettled(room), true);
  assert.equal(inbox.size, 2_048);
});

test('few large messages fill it, too', async () => {
  const inbox = new Inbox();
  const large = 1_048_576;
  for (let n = 0; n < 15; n += 1) assert.equal(inbox.put(message(large)), undefined);
  const room = inbox.put(message(large));
  assert.ok(room);
  inbox.done(8);
  assert.equal(await isSettled(room), true);
});

test('while the store refuses nobody waits: what does not fit is dropped and counted, what is there stays', async () => {
  const inbox = new Inbox();
  let room: Promise<void> | undefined;
  for (let n = 0; n < 4_096; n += 1) room = inbox.put(message());
  assert.ok(room);
  inbox.refuse();
  assert.equal(await isSettled(room), true);
  for (let n = 0; n < 10; n += 1) assert.equal(inbox.put(message()), undefined);
  assert.deepEqual([inbox.size, inbox.accept(), inbox.accept()], [4_096, 10, 0]);
  inbox.done(4_096);
  assert.equal(inbox.put(message()), undefined);
  assert.equal(inbox.size, 1);
});

test('messages stay until they are done, in their order', () => {
  const inbox = new Inbox();
  for (const size of [1, 2, 3]) inbox.put(message(size));
  const lengths = () => inbox.first(2, 100).map(({ payload }) => payload.length);
  assert.deepEqual(
    [lengths(), lengths()],
    [
      [1, 2],
      [1, 2],
    ],
  );
  inbox.done(2);
  assert.deepEqual(lengths(), [3]);
});

test('together the oldest messages are no larger than asked for, but one there is', () => {
  const inbox = new Inbox();
  for (const size of [50, 40, 20, 1]) inbox.put(message(size));
  const lengths = (bytes: number) => inbox.first(10, bytes).map(({ payload }) => payload.length);
  assert.deepEqual(
    [lengths(1), lengths(89), lengths(90), lengths(110), lengths(111), lengths(1_000)],
    [[50], [50], [50, 40], [50, 40, 20], [50, 40, 20, 1], [50, 40, 20, 1]],
  );
  inbox.done(4);
  assert.deepEqual(lengths(1), []);
});

test('what waits keeps nothing of what it was read with: neighbours in one piece may be for other workers', () => {
  const inbox = new Inbox();
  const read = Buffer.from(`${'x'.repeat(60_000)}mine${'y'.repeat(5_000)}`);
  inbox.put({ topic: 'attest/v1/gw-1/log', payload: read.subarray(60_000, 60_004) });
  read.fill(0);
  const [kept] = inbox.first(1, 100);
  assert.equal(Buffer.from(kept?.payload ?? []).toString(), 'mine');
  assert.equal(kept?.payload.buffer.byteLength, 4);
});

test('it wakes who waits for a message, or lets go in time', async () => {
  const inbox = new Inbox();
  await inbox.filled(5);
  const waiting = inbox.filled(60_000);
  inbox.put(message());
  await waiting;
  await inbox.filled(60_000);
});

test('gateways take turns, each in its own order; what is no gateway’s comes first', () => {
  const inbox = new Inbox();
  const put = (gateway: string, count: number) => {
    for (let n = 0; n < count; n += 1) inbox.put({ topic: `${gateway} ${n}`, payload: Buffer.alloc(1) }, gateway);
  };
  put('flood', 1_000);
  put('gw-1', 3);
  put('gw-2', 20);
  inbox.put({ topic: 'marker', payload: Buffer.alloc(1) });
  const seen: string[] = [];
  for (const size of [60, 1, 30, 200]) {
    const batch = inbox.first(size, 1_000);
    // What comes meanwhile changes nothing of what was handed out.
    put('gw-3', 1);
    assert.deepEqual(inbox.first(size, 1_000), batch);
    inbox.done(batch.length);
    seen.push(...batch.map(({ topic }) => topic));
  }
  const range = (gateway: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_none, index) => `${gateway} ${from + index}`);
  assert.deepEqual(seen.slice(0, 62), [
    'marker',
    ...range('flood', 0, 16),
    ...range('gw-1', 0, 3),
    ...range('gw-2', 0, 16),
    ...range('flood', 16, 32),
    ...range('gw-2', 16, 20),
    ...range('flood', 32, 37),
    'gw-3 0',
  ]);
  const flood = seen.filter((topic) => topic.startsWith('flood'));
  assert.deepEqual(flood, range('flood', 0, flood.length));
  assert.equal(inbox.size, 1_000 + 3 + 20 + 1 + 4 - seen.length);
});
