import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Lead } from '../../agent/publish/lead.ts';
import { Patience } from '../../agent/publish/patience.ts';
import { Receivers } from '../../agent/publish/receivers.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { until } from './observer.ts';

const LOG = 'example.org/gw-1/1';

/** Receivers over a log of ten entries, on a clock that a test turns. */
const setUp = ({ collectors = ['a'], settleMs = 0, random = 0, firstWordMs = 0 } = {}) => {
  const outbox = new MemoryOutbox();
  outbox.appendMany(10);
  const clock = { wall: 1_795_339_200_000, mono: 0 };
  const events: string[] = [];
  const changes: string[] = [];
  const entries: string[] = [];
  const receivers = new Receivers({
    collectors,
    log: LOG,
    outbox,
    clock: { wallMs: () => clock.wall, monoMs: () => clock.mono },
    emit: (level, event) => events.push(`${level} ${event}`),
    takeEntry: (message) => entries.push(Buffer.from(message).toString()),
    random: () => random,
    timing: { settleMs, absentMs: 900_000, firstWordMs, mutedMs: 90_000 },
  });
  const ack = (collector: string, next: number, members: object = {}) => {
    const leaf = next === 0 ? {} : { leaf: outbox.leaf(next - 1) };
    const payload = JSON.stringify({ log: LOG, next, ...leaf, stored_at: 1, ...members });
    receivers.takeAck(collector, Buffer.from(payload));
  };
  const presence = (collector: string, state: string, { session = 's.1', retained = false, ageS = 0 } = {}) =>
    receivers.takePresence(
      collector,
      Buffer.from(JSON.stringify({ state, session, at: clock.wall / 1000 - ageS })),
      retained,
    );
  return { outbox, clock, events, changes, entries, receivers, ack, presence };
};

suite('acknowledgements (mqtt.md §5)', () => {
  test('one that fits the log is accepted, and a lower one later, too: the collector was restored', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('a', 7);
    assert.deepEqual([outbox.confirmed('a'), receivers.floor(), receivers.anybody], [7, 7, true]);
    ack('a', 3);
    assert.equal(outbox.confirmed('a'), 3);
    assert.deepEqual(events, ['info uplink.collector-online', 'warn uplink.collector-restored']);
    ack('a', 10);
    assert.equal(receivers.confirmed(), 10);
  });

  test('one of another leaf is a fork: an alarm once, nothing moves, and entries do not wait for it until it agrees', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('a', 4);
    ack('a', 7, { leaf: outbox.leaf(2) });
    ack('a', 8, { leaf: outbox.leaf(2) });
    assert.deepEqual([outbox.confirmed('a'), receivers.anybody, receivers.held?.code], [4, false, 'uplink.fork']);
    assert.equal(events.filter((event) => event === 'error uplink.fork').length, 1);
    ack('a', 5);
    assert.deepEqual([outbox.confirmed('a'), receivers.anybody, receivers.held], [5, true, undefined]);
  });

  test('one of more entries than there are is an alarm and moves nothing', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('a', 11, { leaf: outbox.leaf(9) });
    assert.deepEqual([outbox.confirmed('a'), receivers.held?.code], [0, 'uplink.ack-ahead']);
    assert.deepEqual(events, ['error uplink.ack-ahead']);
  });

  test('one of a log that this gateway began later is an alarm and moves nothing: this store is older than that', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('a', 4);
    ack('a', 10, { log: 'example.org/gw-1/2' });
    assert.deepEqual([outbox.confirmed('a'), receivers.anybody, receivers.objecting], [4, false, true]);
    assert.equal(receivers.held?.code, 'uplink.ack-ahead');
    assert.match(receivers.held?.message ?? '', /10 entries of example\.org\/gw-1\/2, a later log/);
    assert.equal(events.filter((event) => event === 'error uplink.ack-ahead').length, 1);
  });

  test('one of a later log without an entry says nothing', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('a', 4);
    ack('a', 0, { log: 'example.org/gw-1/2' });
    assert.deepEqual([outbox.confirmed('a'), receivers.anybody, receivers.held], [4, true, undefined]);
    assert.ok(!events.some((event) => event.startsWith('error')));
  });

  test('a later log that begins more than a day from now is an alarm of its own', () => {
    const { ack, receivers, events, clock } = setUp();
    ack('a', 4);
    ack('a', 10, { log: `example.org/gw-1/${clock.wall / 1000 + 86_401}` });
    assert.deepEqual([receivers.anybody, receivers.held?.code], [false, 'uplink.ack-ahead-of-time']);
    ack('a', 10, { log: `example.org/gw-1/${clock.wall / 1000 + 86_400}` });
    assert.equal(receivers.held?.code, 'uplink.ack-ahead');
    ack('a', 4);
    assert.deepEqual([receivers.anybody, receivers.contradictedBy], [true, []]);
    assert.equal(events.filter((event) => event.startsWith('error')).length, 2);
  });

  test('the entry that comes with one is looked at where that does not fit, and who contradicts is known until then', () => {
    const { ack, receivers, entries } = setUp({ collectors: ['a', 'b'] });
    ack('a', 4, { head: 'fits' });
    receivers.takeAck('b', Buffer.from('{}'));
    assert.deepEqual([entries, receivers.contradictedBy], [[], []], 'what cannot be read contradicts nothing');
    ack('a', 11, { leaf: 'A'.repeat(43), head: 'ahead' });
    ack('b', 7, { leaf: 'A'.repeat(43), head: 'fork' });
    assert.deepEqual(
      [entries, receivers.contradictedBy],
      [
        ['ahead', 'fork'],
        ['a', 'b'],
      ],
    );
    ack('stranger', 11, { head: 'of nobody' });
    ack('a', 4, { head: 'fits' });
    assert.deepEqual([entries.length, receivers.contradictedBy], [2, ['b']]);
  });

  test('objections that alternate are told once a minute each, and so are places that go back', () => {
    const { ack, receivers, events, clock, outbox } = setUp();
    const bad = () => {
      ack('a', 11, { leaf: outbox.leaf(9) });
      ack('a', 7, { leaf: outbox.leaf(2) });
      receivers.takeAck('a', Buffer.from('{}'));
      ack('a', 4);
      ack('a', 3);
    };
    const told = () => events.filter((event) => /ack-|fork|restored/.test(event)).length;
    for (let time = 0; time < 500; time += 1) bad();
    assert.equal(told(), 4);
    clock.mono += 60_000;
    for (let time = 0; time < 500; time += 1) bad();
    assert.equal(told(), 8);
    receivers.stop();
  });

  test('a collector that objects does not join by what it had said before, until it agrees or was started anew', async () => {
    const { ack, receivers, presence, outbox } = setUp({ settleMs: 20, random: 1 });
    receivers.onChange(() => {});
    presence('a', 'online', { session: 's.1' });
    ack('a', 11, { leaf: outbox.leaf(9) });
    await delay(40);
    presence('a', 'online', { session: 's.1' });
    await delay(40);
    assert.deepEqual([receivers.anybody, receivers.objecting], [false, true]);
    presence('a', 'online', { session: 's.2' });
    await until('it joins', () => receivers.anybody);
    assert.equal(receivers.objecting, false);
    receivers.stop();
  });

  test('those of others, of another log, without a leaf or with nonsense move nothing', () => {
    const { ack, outbox, receivers, events } = setUp();
    ack('stranger', 10);
    ack('a', 10, { log: 'example.org/gw-1/0' });
    ack('a', 10, { log: 'example.org/gw-2/2' });
    for (const text of ['', '{', '[]', '{"next":10}', '\u0000', JSON.stringify({ log: LOG, next: -1, stored_at: 1 })]) {
      receivers.takeAck('a', Buffer.from(text));
    }
    receivers.takeAck('a', Buffer.from(JSON.stringify({ log: LOG, next: 10, stored_at: 1 })));
    assert.deepEqual([outbox.confirmed('a'), outbox.confirmed('stranger'), receivers.anybody], [0, 0, false]);
    assert.deepEqual(events, ['warn uplink.ack-unreadable', 'error uplink.fork']);
  });

  test('a collector that is away holds up no other; it has the floor again when it comes', () => {
    const { ack, receivers, presence } = setUp({ collectors: ['a', 'b'] });
    assert.equal(receivers.floor(), 0);
    ack('a', 9);
    assert.deepEqual([receivers.floor(), receivers.confirmed()], [9, 0]);
    ack('b', 2);
    assert.deepEqual([receivers.floor(), receivers.confirmed()], [2, 2]);
    presence('b', 'online');
    presence('b', 'lost');
    assert.deepEqual([receivers.floor(), receivers.confirmed()], [9, 2]);
  });
});

suite('presence of collectors (mqtt.md §4)', () => {
  test('online counts, lost of the same session ends it, lost of another is stale', async () => {
    const { receivers, presence } = setUp();
    receivers.onChange(() => {});
    presence('a', 'online', { session: 's.2' });
    presence('a', 'lost', { session: 's.1' });
    await until('it is there', () => receivers.anybody);
    presence('a', 'lost', { session: 's.2' });
    assert.equal(receivers.anybody, false);
    presence('b', 'online');
    assert.equal(receivers.anybody, false, 'it is not required');
  });

  test('an online that a broker kept for more than a quarter of an hour is not believed; silence for so long is absence', async () => {
    const { receivers, presence, clock, ack } = setUp();
    receivers.onChange(() => {});
    presence('a', 'online', { retained: true, ageS: 1_000 });
    assert.equal(receivers.anybody, false);
    presence('a', 'online', { retained: true, ageS: 600 });
    await until('it is there', () => receivers.anybody);
    clock.mono += 800_000;
    ack('a', 1);
    clock.mono += 800_000;
    receivers.tick();
    assert.equal(receivers.anybody, true);
    clock.mono += 200_000;
    receivers.tick();
    assert.equal(receivers.anybody, false);
  });

  test('who comes while entries are being sent is given some after a random time, and not at all if it goes before', async () => {
    const { receivers, presence, changes } = setUp({ settleMs: 60, random: 0.9 });
    receivers.onChange((change) => changes.push(change));
    presence('a', 'online');
    presence('a', 'stopped');
    await delay(90);
    assert.deepEqual([receivers.anybody, changes], [false, []]);
    presence('a', 'online');
    assert.equal(receivers.anybody, false);
    await until('it joins', () => receivers.anybody);
    assert.deepEqual(changes, ['joined']);
    receivers.stop();
  });

  test('nothing is sent to one since the start before its first word, or some seconds; what contradicts the log then comes in time', async () => {
    const waiting = () => {
      const all = setUp({ firstWordMs: 60_000 });
      all.receivers.onChange((change) => all.changes.push(change));
      all.presence('a', 'online');
      assert.deepEqual([all.receivers.anybody, all.receivers.held], [false, undefined]);
      return all;
    };
    const good = waiting();
    good.ack('a', 4);
    assert.deepEqual([good.receivers.anybody, good.changes], [true, ['joined']], 'at once');
    const putBack = waiting();
    putBack.ack('a', 7, { leaf: 'A'.repeat(43) });
    assert.deepEqual([putBack.receivers.anybody, putBack.receivers.held?.code], [false, 'uplink.fork']);
    assert.deepEqual(putBack.changes, []);
    const silent = setUp({ firstWordMs: 50 });
    silent.presence('a', 'online');
    await delay(100);
    assert.equal(silent.receivers.anybody, false, 'who hears nothing of us yet is not waited for');
    silent.receivers.onChange(() => {})();
    await delay(100);
    assert.deepEqual([silent.receivers.anybody, silent.receivers.expecting], [false, true], 'the connection ended');
    silent.receivers.onChange(() => {});
    await until('it is given entries all the same', () => silent.receivers.anybody);
    const gone = setUp({ firstWordMs: 50 });
    gone.receivers.onChange(() => {});
    gone.presence('a', 'online');
    gone.presence('a', 'stopped');
    await delay(100);
    assert.deepEqual([gone.receivers.anybody, gone.receivers.expecting], [false, false]);
    assert.equal(gone.receivers.held?.code, 'uplink.no-collector');
    for (const { receivers } of [good, putBack, silent]) receivers.stop();
  });

  test('one that says nothing of this log for longer than a minute, and then does, is given what it lacks at once', () => {
    const { receivers, changes, clock, ack } = setUp();
    ack('a', 4);
    receivers.onChange((change) => changes.push(change));
    for (let minute = 0; minute < 3; minute += 1) {
      clock.mono += 60_000;
      ack('a', 4);
    }
    assert.deepEqual(changes, [], 'idle ones are no reason');
    clock.mono += 100_000;
    ack('a', 4);
    assert.deepEqual(changes, ['joined']);
    clock.mono += 100_000;
    ack('a', 6);
    assert.deepEqual(changes, ['joined', 'stored'], 'one that goes on lacks nothing of it');
  });

  test('status says how far each is, how much waits and for how long', () => {
    const { receivers, ack } = setUp({ collectors: ['a', 'b'] });
    ack('a', 10);
    const [a, b] = receivers.status();
    assert.deepEqual(a, { collector: 'a', state: 'online', confirmed: 10, lag: 0, lagS: 0 });
    assert.deepEqual([b?.state, b?.confirmed, b?.lag], ['away', 0, 10]);
  });
});

test('the lead is 256 entries or 1 MiB, and never less than one entry', () => {
  const entry = (seq: number, bytes: number) => ({ seq, kind: 'coverage', message: Buffer.alloc(bytes) });
  const many = new Lead(256);
  for (let seq = 0; many.hasRoom(entry(seq, 10)); seq += 1) many.sent(entry(seq, 10), 0);
  assert.equal(many.count, 256);
  many.confirmed(6, 0);
  assert.equal(many.count, 250);
  many.confirmed(1_000, 0);
  assert.equal(many.count, 0);

  const large = new Lead(256);
  assert.equal(large.hasRoom(entry(0, 2_000_000)), true);
  large.sent(entry(0, 2_000_000), 0);
  assert.equal(large.hasRoom(entry(1, 1)), false);
  large.confirmed(1, 0);
  for (let seq = 1; large.hasRoom(entry(seq, 32_768)); seq += 1) large.sent(entry(seq, 32_768), 0);
  assert.equal(large.count, 32);
});

test('the lead grows with what is confirmed in time, and halves once for what was late together', () => {
  const entry = (seq: number) => ({ seq, kind: 'coverage', message: Buffer.alloc(10) });
  const lead = new Lead(16);
  let next = 0;
  /** Sends what may go, and gives how much is on its way. */
  const fill = (nowMs: number): number => {
    for (; lead.hasRoom(entry(next)); next += 1) lead.sent(entry(next), nowMs);
    return lead.count;
  };
  assert.equal(fill(0), 16);
  lead.confirmed(next, 500);
  assert.equal(fill(1_000), 32);
  lead.confirmed(next - 8, 1_500);
  assert.equal(fill(2_000), 56);
  for (let nowMs = 3_000; nowMs < 10_000; nowMs += 1_000) {
    lead.confirmed(next, nowMs);
    fill(nowMs);
  }
  assert.equal(lead.count, 256);

  lead.confirmed(next - 100, 30_000);
  assert.equal(lead.count, 100);
  assert.equal(fill(30_000), 128);
  lead.confirmed(next - 28, 31_000);
  assert.equal(fill(31_000), 128, 'the rest of what was late is no further reason');
  lead.confirmed(next, 36_000);
  assert.equal(fill(36_000), 128, 'neither prompt nor late');
  for (let nowMs = 60_000; nowMs < 1_000_000; nowMs += 50_000) {
    lead.confirmed(next, nowMs);
    fill(nowMs);
  }
  assert.equal(lead.count, 8);
});

test('entries are sent again after 30 s without progress, then after 60, 120 … 900 s; a gap is heeded at once, then no more often', () => {
  const patience = new Patience({ resendMs: 30_000, resendCapMs: 900_000 });
  let nowMs = 0;
  patience.sent(nowMs);
  assert.equal(patience.heedsGap(nowMs), true);
  const waits = Array.from({ length: 7 }, () => {
    const sinceMs = nowMs;
    while (!patience.isDue(nowMs)) nowMs += 1_000;
    patience.sentAgain(nowMs);
    patience.sent(nowMs);
    assert.equal(patience.heedsGap(nowMs), false);
    return (nowMs - sinceMs) / 1000;
  });
  assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900]);
  patience.begin(nowMs);
  assert.equal(patience.heedsGap(nowMs), true);
  assert.equal(patience.isDue(nowMs + 30_000), true);
  patience.rest();
  patience.sent(nowMs + 500_000);
  assert.equal(patience.isDue(nowMs + 510_000), false);
});
