import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Receivers } from '../../agent/publish/receivers.ts';
import { Requests } from '../../agent/publish/requests.ts';
import { TIMING } from '../../agent/publish/timing.ts';
import { topicsOf } from '../../agent/publish/topics.ts';
import { MemoryOutbox } from './memory-outbox.ts';

const LOG = 'example.org/gw-1/1';
const SIZE = 20;
const NOW_MS = 1_795_339_200_000;
const clock = { wallMs: () => NOW_MS, monoMs: () => NOW_MS };

/** A well-formed message, damaged: members left out, replaced or added, or the text cut and flipped. */
const damaged = (good: object): fc.Arbitrary<Uint8Array> => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 2 ** 53, 1e300, '', '__proto__', null, [0, 5], {}));
  const members = fc.dictionary(fc.constantFrom(...Object.keys(good), '__proto__', 'x'), value, { maxKeys: 3 });
  const changed = members.map((changes) => Buffer.from(JSON.stringify({ ...good, ...changes })));
  const cut = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(JSON.stringify(good));
    bytes[at % bytes.length] = byte;
    return bytes.subarray(0, 1 + (at % bytes.length));
  });
  return fc.oneof(changed, cut, fc.uint8Array({ maxLength: 64 }));
};

const outboxOf = (): MemoryOutbox => {
  const outbox = new MemoryOutbox();
  outbox.appendMany(SIZE);
  return outbox;
};

suite('whatever comes in on the topics of collectors', () => {
  test('no acknowledgement moves the place of a collector to where its leaf is not the one of the log', () => {
    const good = { log: LOG, next: 7, leaf: outboxOf().leaf(6), gap: [7, 9], stored_at: 1 };
    let moved = 0;
    fc.assert(
      fc.property(fc.array(damaged(good), { minLength: 1, maxLength: 6 }), (payloads) => {
        const outbox = outboxOf();
        const receivers = new Receivers({
          collectors: ['a'],
          log: LOG,
          outbox,
          clock,
          emit: () => {},
          takeEntry: () => {},
          random: () => 0,
          timing: TIMING,
        });
        for (const payload of payloads) {
          receivers.takeAck('a', payload);
          receivers.takePresence('a', payload, false);
          const next = outbox.confirmed('a');
          assert.ok(next === 0 || next === 7, `moved to ${next}`);
          if (next === 7) moved += 1;
        }
        assert.ok(receivers.status().every(({ lag }) => lag === SIZE || lag === SIZE - 7));
        receivers.stop();
      }),
      { numRuns: 1_000 },
    );
    assert.ok(moved > 0, 'some were left whole enough');
  });

  test('a request is answered to its requester with pages or a code, or dropped; nothing else ever happens', async () => {
    const topics = topicsOf('attest', 'gw-1');
    const args = fc.constantFrom(
      { from: 0, to: 5 },
      { devices: ['m-1'] },
      {},
      { from: 3, to: 2 },
      { devices: ['a/b', '+'] },
    );
    const requests = fc
      .tuple(
        fc.constantFrom('resync', 'tiles', 'observe', 'status', 'checkpoint', 'reboot', 'constructor', '__proto__'),
        args,
      )
      .chain(([op, given]) => damaged({ id: 'r', op, args: given, expires_at: NOW_MS / 1000 + 60 }));
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(requests, fc.boolean(), async (payload, retained) => {
        const published: { topic: string; payload: Uint8Array }[] = [];
        const observed: string[] = [];
        const taker = new Requests({
          connection: {
            publish: async (topic, bytes) => {
              published.push({ topic, payload: bytes });
              return { kind: 'acknowledged' };
            },
          },
          topics,
          log: 'example.org/gw-1/1',
          outbox: outboxOf(),
          clock,
          emit: () => {},
          timing: { ...TIMING, pageMs: 0 },
          report: () => ({
            agent: '0.1.0',
            log: 'example.org/gw-1/1',
            size: SIZE,
            sent: SIZE,
            rate: 200,
            collectors: [],
          }),
          observe: (devices) => {
            observed.push(...devices);
            return { asked: devices, unknown: [] };
          },
          publishCheckpoint: async () => SIZE,
        });
        await taker.take('col-a', { topic: 'any', payload, retained });
        if (retained) assert.deepEqual(published, []);
        for (const answer of published) {
          assert.equal(answer.topic, 'attest/v1/gw-1/rsp/col-a');
          const { ok, code } = JSON.parse(Buffer.from(answer.payload).toString());
          codes.add(ok === true ? 'ok' : code);
        }
        assert.ok(observed.every((device) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(device)));
      }),
      { numRuns: 1_500 },
    );
    assert.deepEqual([...codes].sort(), ['E_ARGS', 'E_OP', 'ok']);
  });
});
