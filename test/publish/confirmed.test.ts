import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MqttSettings } from '../../agent/publish/broker.ts';
import { appendLeaf, EMPTY_RANGE, extendRange, leafHash, rangeRoot, treeRoot } from '../../shared/tree.ts';
import { Agent, settingsFor } from './agents.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { Observer, until, upTo } from './observer.ts';

const OWN = 'attest/v1/gw-1';
const LOG = `${OWN}/log`;
const CONN = `${OWN}/conn`;
const CP = `${OWN}/cp`;
const ORIGIN = 'example.org/gw-1/1';

/** A collector whose every word a test says. */
class Hand {
  readonly observer: Observer;
  readonly outbox: MemoryOutbox;
  readonly id: string;

  constructor(observer: Observer, outbox: MemoryOutbox, id = 'col-a') {
    this.observer = observer;
    this.outbox = outbox;
    this.id = id;
  }

  ack(next: number, members: object = {}): Promise<unknown> {
    const leaf = next === 0 ? {} : { leaf: this.outbox.leaf(next - 1) };
    const ack = { log: ORIGIN, next, ...leaf, stored_at: 1, ...members };
    return this.observer.publish(`${OWN}/ack/${this.id}`, JSON.stringify(ack), false);
  }

  presence(state: string, session = 'c.1'): Promise<unknown> {
    const presence = { state, session, at: Math.floor(Date.now() / 1000) };
    return this.observer.publish(`attest/v1/_fleet/collector/${this.id}`, JSON.stringify(presence), true);
  }

  ask(op: string, args: object, members: object = {}): Promise<unknown> {
    const request = {
      id: `${op}-${Math.random()}`,
      op,
      args,
      expires_at: Math.floor(Date.now() / 1000) + 60,
      ...members,
    };
    return this.observer.publish(`${OWN}/cmd/${this.id}`, JSON.stringify(request), false);
  }

  answers(): readonly { readonly [member: string]: unknown }[] {
    return this.observer.on(`${OWN}/rsp/${this.id}`).map(({ text }) => JSON.parse(text));
  }
}

const required = (url: string, more: Partial<MqttSettings> = {}): MqttSettings =>
  settingsFor(url, { collectors: ['col-a'], ...more });

for (const protocol of ['5', '3.1.1'] as const) {
  suite(
    `delivery confirmed by a collector, over MQTT ${protocol}`,
    { skip: WITHOUT_MOSQUITTO, timeout: 120_000 },
    () => {
      test('without a collector eight entries are tried and the rest waits; when one comes it gets all, and its word moves the place', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using agent = new Agent(required(broker.url, { protocol }));
        agent.outbox.appendMany(600);
        agent.start();
        await until('the first entries', () => observer.on(LOG).length === 8);
        await delay(200);
        assert.deepEqual(observer.seqs(LOG), upTo(8));
        assert.equal(agent.uplink.status().held?.code, 'uplink.no-collector');
        const hand = new Hand(observer, agent.outbox);

        await hand.presence('online');
        await until('the lead', () => observer.on(LOG).length === 8 + 256);
        await delay(100);
        assert.deepEqual(observer.seqs(LOG), [...upTo(8), ...upTo(256)]);
        const { held, cursor, collectors, unconfirmed } = agent.uplink.status();
        assert.deepEqual([held?.code, cursor, unconfirmed], ['uplink.collector-behind', 256, false]);
        assert.deepEqual(
          collectors.map(({ state, confirmed, lag }) => [state, confirmed, lag]),
          [['online', 0, 600]],
        );

        await hand.ack(100);
        await until('as much again', () => observer.seqs(LOG).at(-1) === 355);
        await hand.ack(356);
        await until('all', () => observer.seqs(LOG).at(-1) === 599);
        await hand.ack(600);
        await until('all is confirmed', () => agent.uplink.status().collectors[0]?.lag === 0);
        assert.deepEqual(observer.seqs(LOG), [...upTo(8), ...upTo(600)]);
        assert.equal(agent.uplink.status().held, undefined);
        const told = agent.events.filter(({ event }) =>
          /^uplink\.(no-collector|collector-behind|goes-on)$/.test(event),
        );
        assert.deepEqual(
          told.map(({ level, event, after, from, to }) => [level, event, after, from, to]),
          [
            ['warn', 'uplink.no-collector', undefined, 0, undefined],
            ['info', 'uplink.goes-on', 'uplink.no-collector', 0, 100],
          ],
        );
      });

      test('a gap, and a lower acknowledgement, bring entries again in the same bytes; so does nothing at all for long enough', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using agent = new Agent(required(broker.url, { protocol }), { timing: { resendMs: 400 } });
        agent.outbox.appendMany(20);
        const hand = new Hand(observer, agent.outbox);
        await hand.presence('online');
        agent.start();
        await until('all', () => observer.on(LOG).length === 20);
        await hand.ack(12, { gap: [12, 20] });
        await until('what is missing', () => observer.on(LOG).length === 28);
        assert.deepEqual(observer.seqs(LOG).slice(20), [12, 13, 14, 15, 16, 17, 18, 19]);
        await hand.ack(20);
        await delay(600);
        assert.equal(observer.on(LOG).length, 28, 'what is confirmed is not sent again');

        await hand.ack(15);
        await until('what the backup lacks', () => observer.on(LOG).length === 33);
        assert.ok(agent.saw('uplink.collector-restored'));
        await until('once more, without a word', () => observer.on(LOG).length >= 38);
        assert.deepEqual([...new Set(observer.seqs(LOG).slice(28))], [15, 16, 17, 18, 19]);
        const texts = new Map<number, Set<string>>();
        for (const { text } of observer.on(LOG)) {
          const { seq } = JSON.parse(text);
          texts.set(seq, (texts.get(seq) ?? new Set()).add(text));
        }
        assert.ok([...texts.values()].every(({ size }) => size === 1));
        const behind = agent.events.find(({ event }) => event === 'uplink.collector-behind');
        assert.deepEqual([behind?.level, behind?.from], ['warn', 15]);
        await hand.ack(20);
        await until('that it goes on', () => agent.events.at(-1)?.event === 'uplink.goes-on');
        assert.equal(agent.events.at(-1)?.after, 'uplink.collector-behind');
      });

      test('requests: pages of entries, status, an early look, a checkpoint, and refusals with a code', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using agent = new Agent(settingsFor(broker.url, { protocol }), { timing: { pageMs: 1 } });
        for (let n = 0; n < 30; n += 1) agent.outbox.append({ kind: 'coverage', bytes: 9_000 });
        agent.start();
        await until('the pump', () => agent.saw('uplink.connected'));
        const auditor = new Hand(observer, agent.outbox, 'auditor');

        await auditor.ask('resync', { from: 3, to: 25 });
        await until('the last page', () => auditor.answers().at(-1)?.last === true);
        const pages = auditor.answers() as { page: number; data: { entries: string[] } }[];
        assert.deepEqual(
          pages.flatMap(({ data }) => data.entries),
          agent.outbox.entries.slice(3, 25).map(({ message }) => Buffer.from(message).toString()),
        );
        assert.deepEqual(
          pages.map(({ page }) => page),
          upTo(pages.length).map((page) => page + 1),
        );
        assert.ok(pages.length > 3 && observer.on(`${OWN}/rsp/auditor`).every(({ text }) => text.length <= 60_200));

        const answer = async (op: string, args: object, members: object = {}) => {
          const before = auditor.answers().length;
          await auditor.ask(op, args, members);
          await until(`an answer to ${op}`, () => auditor.answers().length > before);
          const { id: _id, ...rest } = auditor.answers()[before] ?? {};
          return rest;
        };
        assert.deepEqual(await answer('resync', { from: 30, to: 40 }), { ok: false, code: 'E_ARGS' });
        assert.deepEqual(await answer('resync', { from: -1, to: 4 }), { ok: false, code: 'E_ARGS' });
        assert.deepEqual(await answer('reboot', {}), { ok: false, code: 'E_OP' });
        assert.deepEqual(await answer('tiles', { from: 3, to: 31 }), { ok: false, code: 'E_ARGS' });
        assert.deepEqual(await answer('tiles', { from: 5, to: 5 }), { ok: false, code: 'E_ARGS' });
        agent.outbox.prune(0, 20);
        const leaves = agent.outbox.entries.map(({ message }) => leafHash(message));
        const { data } = (await answer('tiles', { from: 3, to: 21 })) as { data: { hashes: string[] } };
        const range = extendRange(
          leaves.slice(0, 3).reduce(appendLeaf, EMPTY_RANGE),
          21,
          data.hashes.map((each) => Buffer.from(each, 'base64url')),
        );
        assert.deepEqual(range && rangeRoot(range), treeRoot(leaves.slice(0, 21)));
        assert.deepEqual(
          [data.hashes.length, { ...data, hashes: [] }],
          [5, { log: ORIGIN, from: 3, to: 21, hashes: [] }],
        );
        assert.deepEqual(await answer('tiles', { from: 3, to: 21 }), { ok: false, code: 'E_BUSY' });
        assert.deepEqual(await answer('observe', { devices: ['m-1', 'x-1'] }), {
          page: 1,
          last: true,
          ok: true,
          data: { asked: ['m-1'], unknown: ['x-1'] },
        });
        assert.deepEqual(agent.observed, ['m-1']);
        assert.deepEqual(await answer('observe', { devices: ['m-2'] }), { ok: false, code: 'E_BUSY' });
        assert.deepEqual(await answer('observe', { devices: ['../etc'] }), { ok: false, code: 'E_ARGS' });
        assert.deepEqual(agent.observed, ['m-1']);
        const status = (await answer('status', {})) as { data: { size: number; log: string } };
        assert.deepEqual([status.data.log, status.data.size], [ORIGIN, 30]);
        const cps = observer.on(CP).length;
        assert.deepEqual(await answer('checkpoint', {}), { page: 1, last: true, ok: true, data: { size: 30 } });
        assert.equal(observer.on(CP).length, cps + 1);
        const before = auditor.answers().length;
        await auditor.ask('status', {}, { expires_at: 1 });
        await observer.publish(`${OWN}/cmd/auditor`, '{"id":"x","op":"status","args":[', false);
        await delay(150);
        assert.equal(auditor.answers().length, before, 'what is expired, or no request, is dropped');
      });

      test('presence and a checkpoint come at connect, and again for a rollcall and as the log grows', async () => {
        await using broker = await Mosquitto.start();
        await using observer = await Observer.connect(broker.url);
        await using agent = new Agent(required(broker.url, { protocol }), {
          timing: { heartbeatMs: 100, idleHeartbeatMs: 60_000 },
          // Of a log that is older it waits for the word of a collector.
          isNew: true,
        });
        agent.outbox.appendMany(3);
        agent.start();
        await until('the first checkpoint', () => observer.on(CP).length === 1);
        await until('an entry', () => observer.on(LOG).length > 0);
        const [online] = observer.on(CONN);
        const { confirmed, unconfirmed } = JSON.parse(online?.text ?? '');
        assert.deepEqual([confirmed, unconfirmed], [0, undefined]);
        const order = observer.heard.map(({ topic }) => topic);
        assert.ok(order.indexOf(CONN) < order.indexOf(CP) && order.indexOf(CP) < order.indexOf(LOG));
        await delay(300);
        assert.equal(observer.on(CP).length, 1, 'the log did not grow');
        agent.outbox.appendMany(1);
        await until('the next checkpoint', () => observer.on(CP).length === 2);
        assert.equal(JSON.parse(observer.on(CP)[1]?.text ?? '').size, 4);
        const said = observer.on(CONN).length;
        await observer.publish('attest/v1/_fleet/rollcall/col-a', '{"at":1}', false);
        await until('both again', () => observer.on(CP).length === 3 && observer.on(CONN).length === said + 1);
        await using late = await Observer.connect(broker.url, { clientId: 'late' });
        await until('the kept checkpoint', () => late.on(CP).length === 1);
        assert.equal(late.on(CP)[0]?.retain, true);
      });
    },
  );
}

suite('delivery confirmed by collectors', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('entries that waited for anybody go on, and it is told, when one of two comes', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url, { collectors: ['col-a', 'col-b'] }));
    agent.outbox.appendMany(20);
    agent.start();
    await until('that they wait', () => agent.saw('uplink.no-collector'));
    const hand = new Hand(observer, agent.outbox, 'col-b');
    await hand.presence('online');
    await until('all', () => observer.seqs(LOG).at(-1) === 19);
    await hand.ack(20);
    await until('that they go on', () => agent.saw('uplink.goes-on'));
    assert.deepEqual(
      agent.uplink.status().collectors.map(({ state, lag }) => [state, lag]),
      [
        ['away', 20],
        ['online', 0],
      ],
    );
  });

  test('a fork is an alarm: nothing advances, and another collector goes on', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url, { collectors: ['col-a', 'col-b'] }));
    const [a, b] = [new Hand(observer, agent.outbox), new Hand(observer, agent.outbox, 'col-b')];
    agent.outbox.appendMany(300);
    await a.presence('online');
    await b.presence('online');
    agent.start();
    await until('the lead', () => observer.seqs(LOG).at(-1) === 255);
    await b.ack(256);
    await a.ack(100, { leaf: agent.outbox.leaf(98) });
    await until('the alarm', () => agent.saw('uplink.fork'));
    await until('the rest for the other', () => observer.seqs(LOG).at(-1) === 299);
    await b.ack(300);
    await until('its word', () => agent.outbox.confirmed('col-b') === 300);
    assert.equal(agent.outbox.confirmed('col-a'), 0);
    const [status] = agent.uplink.status().collectors;
    assert.deepEqual([status?.state, status?.problem?.code], ['away', 'uplink.fork']);
  });

  test('one of two that is away holds up nothing; when it comes it gets everything from its own place on', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url, { collectors: ['col-a', 'col-b'] }));
    const [a, b] = [new Hand(observer, agent.outbox), new Hand(observer, agent.outbox, 'col-b')];
    agent.outbox.appendMany(400);
    await a.presence('online');
    agent.start();
    await until('the lead', () => observer.seqs(LOG).at(-1) === 255);
    await a.ack(256);
    await until('the rest', () => observer.seqs(LOG).at(-1) === 399);
    await a.ack(400);
    await until('its word', () => agent.outbox.confirmed('col-a') === 400);
    assert.equal(agent.uplink.status().held, undefined);
    assert.equal(agent.uplink.status().collectors[1]?.lag, 400);

    await b.ack(150);
    await until('what it lacks', () => observer.on(LOG).length === 400 + 250);
    assert.deepEqual(observer.seqs(LOG).slice(400), upTo(400).slice(150));
    await b.ack(400);
    agent.outbox.appendMany(1);
    await until('the next', () => observer.seqs(LOG).at(-1) === 400);
    await b.presence('online');
    await b.presence('lost');
    await until('it goes', () => agent.uplink.status().collectors[1]?.state === 'away');
  });

  test('the wait for a word begins with the entry that is sent, however long the collector was there before', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url), { timing: { resendMs: 1_000 } });
    agent.outbox.appendMany(5);
    agent.outbox.confirm('col-a', 5);
    agent.start();
    await until('the pump', () => agent.saw('uplink.connected'));
    await new Hand(observer, agent.outbox).presence('online');
    await delay(1_400);
    agent.outbox.appendMany(1);
    await delay(600);
    assert.deepEqual(observer.seqs(LOG), [5]);
    await until('it comes again', () => observer.seqs(LOG).length === 2);
    assert.deepEqual(observer.seqs(LOG), [5, 5]);
  });

  test('entries that retention removed are passed over with a warning, and take no room in the lead', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const outbox = new MemoryOutbox();
    outbox.appendMany(900);
    outbox.prune(2, 500);
    await using agent = new Agent(required(broker.url), { outbox });
    const hand = new Hand(observer, outbox);
    await hand.presence('online');
    agent.start();
    await until('the lead', () => observer.on(LOG).length === 256);
    assert.deepEqual(observer.seqs(LOG), [0, 1, ...upTo(754).slice(500)]);
    const warning = agent.events.find(({ event }) => event === 'uplink.pruned');
    assert.deepEqual([warning?.from, warning?.to], [2, 500]);
    await hand.ack(754);
    await until('the rest', () => observer.seqs(LOG).at(-1) === 899);
  });

  test('an acknowledgement that a broker kept is not heeded', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url));
    agent.outbox.appendMany(5);
    const ack = { log: ORIGIN, next: 5, leaf: agent.outbox.leaf(4), stored_at: 1 };
    await observer.publish(`${OWN}/ack/col-a`, JSON.stringify(ack), true);
    agent.start();
    await until('the entries', () => observer.on(LOG).length === 5);
    assert.equal(agent.outbox.confirmed('col-a'), 0);
  });

  test('while nobody is there the first entries are tried again and again: a lost presence stops nothing for good', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url), { timing: { probeMs: 200 } });
    agent.outbox.appendMany(40);
    agent.start();
    await until('three probes', () => observer.on(LOG).length >= 24);
    assert.deepEqual([...new Set(observer.seqs(LOG))], upTo(8));
    await new Hand(observer, agent.outbox).ack(8);
    await until('all', () => observer.seqs(LOG).includes(39));
  });

  test('while what every collector says contradicts the log nothing is sent, not even tried, until one agrees', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url), { timing: { probeMs: 100 } });
    const hand = new Hand(observer, agent.outbox);
    agent.start();
    await until('it is connected', () => agent.saw('uplink.connected'));
    await hand.ack(50, { leaf: agent.outbox.leaf(0) ?? 'A'.repeat(43) });
    await until('the alarm', () => agent.saw('uplink.ack-ahead'));
    agent.outbox.appendMany(20);
    await delay(600);
    assert.deepEqual(observer.seqs(LOG), []);
    assert.equal(agent.uplink.status().held?.code, 'uplink.ack-ahead');
    await hand.ack(0);
    await until('all', () => observer.seqs(LOG).includes(19));
  });

  test('presence says at once who contradicts the log, at most every ten seconds, and the entry that comes is looked at', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url));
    agent.outbox.appendMany(20);
    const hand = new Hand(observer, agent.outbox);
    agent.start();
    await until('it is connected', () => agent.saw('uplink.connected'));
    await hand.ack(20);
    const asking = () => observer.on(CONN).filter(({ text }) => JSON.parse(text).contradicted_by !== undefined);
    const forged = { leaf: agent.outbox.leaf(0) ?? '' };
    for (let time = 0; time < 5; time += 1) await hand.ack(50, forged);
    await until('it asks', () => asking().length === 1);
    assert.deepEqual(JSON.parse(asking()[0]?.text ?? '').contradicted_by, ['col-a']);
    await hand.ack(50, { ...forged, head: 'an entry' });
    await until('the entry is looked at', () => agent.signed.includes('entry an entry'));
    await hand.ack(20, { head: 'an entry that fits' });
    await until('it goes on', () => agent.uplink.status().held === undefined);
    agent.outbox.appendMany(5);
    await until('what is new goes', () => observer.seqs(LOG).includes(24));
    assert.equal(asking().length, 1);
    assert.ok(!agent.signed.includes('entry an entry that fits'));
  });

  test('what contradicts the log soon after the last question is asked about when the next one is due, without another acknowledgement', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url), { timing: { proofMs: 1_500 } });
    agent.outbox.appendMany(20);
    const hand = new Hand(observer, agent.outbox);
    agent.start();
    await until('it is connected', () => agent.saw('uplink.connected'));
    const asking = () => observer.on(CONN).filter(({ text }) => JSON.parse(text).contradicted_by !== undefined);
    const forged = { leaf: agent.outbox.leaf(0) ?? '' };
    await hand.ack(20);
    await hand.ack(50, forged);
    await until('it asks', () => asking().length === 1);
    await hand.ack(20);
    await until('it goes on', () => agent.uplink.status().held === undefined);
    await hand.ack(50, forged);
    await delay(500);
    assert.equal(asking().length, 1, 'not yet');
    await until('it asks again', () => asking().length === 2, 5_000);
    await hand.ack(20);
    await until('it goes on again', () => agent.uplink.status().held === undefined);
    await hand.ack(50, forged);
    await hand.ack(20);
    await delay(2_000);
    assert.equal(asking().length, 2, 'an answer that came meanwhile leaves nothing to ask');
  });

  test('a broker that is killed and wiped gets everything above what the collector confirmed', async () => {
    await using broker = await Mosquitto.start();
    await using agent = new Agent(required(broker.url));
    agent.outbox.appendMany(50);
    {
      await using observer = await Observer.connect(broker.url);
      const hand = new Hand(observer, agent.outbox);
      await hand.presence('online');
      agent.start();
      await until('all', () => observer.on(LOG).length === 50);
      await hand.ack(30);
      await until('its word', () => agent.outbox.confirmed('col-a') === 30);
    }
    await broker.kill();
    await until('the end of the connection', () => agent.uplink.status().state !== 'connected');
    await broker.up();
    await using observer = await Observer.connect(broker.url);
    // What it sends before anybody listens there is lost, and told as a gap.
    const connects = () => agent.events.filter(({ event }) => event === 'uplink.connected').length;
    await until('it is there again', () => connects() === 2);
    const hand = new Hand(observer, agent.outbox);
    await hand.ack(30, { gap: [30, 50] });
    await until('the end', () => new Set(observer.seqs(LOG)).size === 20);
    assert.deepEqual(
      [...new Set(observer.seqs(LOG))].sort((one, other) => one - other),
      upTo(50).slice(30),
    );
  });

  test('what witnesses say comes to those who verify it, whoever says it', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(required(broker.url)).start();
    await until('the pump', () => agent.saw('uplink.connected'));
    await observer.publish(`${OWN}/cosig/col-z`, 'c', true);
    await observer.publish('attest/v1/_fleet/epoch/col-z', 'e', true);
    await observer.publish('attest/v1/gw-2/cosig/col-z', 'other', true);
    await until('both', () => agent.signed.length === 2);
    assert.deepEqual(agent.signed.toSorted(), ['cosig c', 'epoch e']);
  });
});

suite('requests over MQTT 5', { skip: WITHOUT_MOSQUITTO, timeout: 60_000 }, () => {
  test('an answer brings back the correlation data, and goes nowhere but to the requester (§8)', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url), {
      timing: { requestMs: { status: 0, observe: 0, checkpoint: 0, tiles: 0 } },
    });
    agent.start();
    await until('the pump', () => agent.saw('uplink.connected'));
    const ask = (id: string, properties: object) =>
      observer.publish(
        `${OWN}/cmd/auditor`,
        JSON.stringify({ id, op: 'status', args: {}, expires_at: Math.floor(Date.now() / 1000) + 60 }),
        false,
        properties,
      );
    await ask('1', { responseTopic: `${OWN}/rsp/auditor`, correlationData: Buffer.from('c-1') });
    await until('the answer', () => observer.on(`${OWN}/rsp/auditor`).length === 1);
    const { packet, retain } = observer.on(`${OWN}/rsp/auditor`)[0] ?? {};
    assert.equal(packet?.properties?.correlationData?.toString(), 'c-1');
    assert.equal(retain, false);
    await ask('2', { responseTopic: 'attest/v1/gw-2/cmd/auditor' });
    await until('the refusal', () => observer.on(`${OWN}/rsp/auditor`).length === 2);
    assert.deepEqual(JSON.parse(observer.on(`${OWN}/rsp/auditor`)[1]?.text ?? ''), {
      id: '2',
      ok: false,
      code: 'E_REPLY_TOPIC',
    });
    assert.equal(observer.on('attest/v1/gw-2/cmd/auditor').length, 0);
    await ask('2', {});
    await ask('3', {});
    await until('the next answer', () => observer.on(`${OWN}/rsp/auditor`).length === 3);
    assert.equal(
      JSON.parse(observer.on(`${OWN}/rsp/auditor`)[2]?.text ?? '').id,
      '3',
      'one that came before is dropped',
    );
    const logged = agent.events.filter(({ event }) => event === 'uplink.request');
    assert.deepEqual(
      logged.map(({ collector, op, outcome }) => [collector, op, outcome]),
      [
        ['auditor', 'status', 'ok'],
        ['auditor', 'status', 'E_REPLY_TOPIC'],
        ['auditor', 'status', 'ok'],
      ],
    );
  });

  test('whoever asks nonsense again and again makes one line a minute, not one for each', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url));
    agent.start();
    await until('the pump', () => agent.saw('uplink.connected'));
    const hand = new Hand(observer, agent.outbox, 'mallory');
    for (let time = 0; time < 8; time += 1) await hand.ask(`reboot-${time}`, {});
    await until('the answers', () => hand.answers().length === 8);
    const told = agent.events.filter(({ event }) => event === 'uplink.request');
    assert.deepEqual(
      told.map(({ level, outcome }) => `${level} ${outcome}`),
      ['info E_OP', ...Array.from({ length: 7 }, () => 'debug E_OP')],
    );
  });
});
