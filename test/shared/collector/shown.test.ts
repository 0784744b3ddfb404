import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBytes, MemoryStore } from '../../../shared/index.ts';
import { acksOf, arrived, eventful, LOG, NOW, open, plain } from './bench.ts';

/** A gateway that was put back believes only what it has signed itself: the entry goes with the acknowledgement that it doubts. */

const log = eventful(12);
const all = log.messages.map((message) => arrived(message));
const conn = (of: string, members: object = {}) =>
  arrived(
    canonicalBytes({ state: 'online', session: 'x.1', log: of, size: 3, at: 1, ...members }),
    'attest/v1/gw-test/conn',
  );
const doubts = { contradicted_by: ['collector-b', 'collector-a'] };

test('who is named gives the last entry, byte for byte and once; for others, and without a word, there is none', async () => {
  const collector = await open({ store: new MemoryStore() });
  await collector.take(all.slice(0, 8), NOW);
  for (const members of [{}, { contradicted_by: ['collector-b'] }, { contradicted_by: [] }]) {
    const acks = acksOf(await collector.take([conn(LOG, members)], NOW + 1_000));
    assert.ok(acks.every(({ head }) => head === undefined));
  }
  const [shown, ...more] = acksOf(await collector.take([conn(LOG, doubts), conn(LOG, doubts)], NOW + 2_000));
  assert.deepEqual([shown?.next, shown?.head, more.length], [8, Buffer.from(log.messages[7] ?? []).toString(), 0]);
  const after = acksOf(await collector.tick(NOW + 70_000));
  assert.deepEqual(
    after.map(({ next, head }) => [next, head]),
    [[8, undefined]],
  );
});

test('it is the last one, also where more came together with the doubt, or after it', async () => {
  const collector = await open({ store: new MemoryStore() });
  await collector.take(all.slice(0, 4), NOW);
  const [ack] = acksOf(await collector.take([conn(LOG, doubts), ...all.slice(4, 9)], NOW + 1_000));
  assert.deepEqual([ack?.next, ack?.head], [9, undefined], 'one that is not the last is not shown');
  const [next] = acksOf(await collector.take([all[9] ?? conn(LOG), conn(LOG, doubts)], NOW + 2_000));
  assert.deepEqual([next?.next, next?.head], [10, Buffer.from(log.messages[9] ?? []).toString()]);
});

test('of a gateway that is at a former log, or at one that is not known here, it is that of the newest', async () => {
  const collector = await open({ store: new MemoryStore() });
  const second = 'example.org/gw-test/2';
  const later = plain(5, second);
  await collector.take([...all, ...later.messages.map((each) => arrived(each))], NOW);
  for (const [at, of] of [LOG, 'example.org/gw-test/0'].entries()) {
    const [ack, ...more] = acksOf(await collector.take([conn(of, doubts)], NOW + 1_000 * (at + 1)));
    assert.deepEqual([ack?.log, ack?.next, more.length], [second, 5, 0]);
    assert.equal(ack?.head, Buffer.from(later.messages[4] ?? []).toString());
  }
});

test('of nothing nothing is shown', async () => {
  const collector = await open({ store: new MemoryStore() });
  assert.deepEqual(acksOf(await collector.take([conn(LOG, doubts)], NOW)), []);
});

test('a gateway that came hears at once how far its newest log is here, also where what it has is a former one, or is not known here', async () => {
  const collector = await open({ store: new MemoryStore() });
  const second = 'example.org/gw-test/2';
  const later = plain(5, second);
  await collector.take([...all, ...later.messages.map((each) => arrived(each))], NOW);
  for (const [at, of] of [second, LOG, 'example.org/gw-test/0'].entries()) {
    const came = conn(of, { session: `came.${at}` });
    const [ack, ...more] = acksOf(await collector.take([came], NOW + 1_000 * (at + 1)));
    assert.deepEqual([ack?.log, ack?.next, more.length], [second, 5, 0], of);
    assert.deepEqual(
      acksOf(await collector.take([came], NOW + 1_000 * (at + 1) + 500)),
      [],
      'the same session is no news',
    );
  }
  const [none] = acksOf(await collector.take([conn('example.org/gw-test/3', { session: 'came.3' })], NOW + 9_000));
  assert.equal(none, undefined, 'of a later one than is known here nothing is to be said yet');
});
