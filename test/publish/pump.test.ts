import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, settingsFor } from './agents.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { until, upTo } from './observer.ts';
import { connack, puback, ScriptedBroker, TYPE, topicOf, type WirePacket } from './scripted-broker.ts';

const LOG = 'attest/v1/gw-1/log';
const CONN = 'attest/v1/gw-1/conn';
const isEntry = (packet: WirePacket): boolean => packet.type === TYPE.publish && topicOf(packet) === LOG;
const seqOf = ({ body }: WirePacket): number => Number(/\{"seq":(\d+)/.exec(body.toString('latin1'))?.[1]);
const textOf = ({ body }: WirePacket): string =>
  body.toString('latin1').slice(body.toString('latin1').indexOf('{"seq"'));

suite('pump (mqtt.md §5)', { timeout: 60_000 }, () => {
  test('acknowledgements in any order move the cursor only over entries without a hole', async () => {
    const held: { packet: WirePacket; socket: Socket }[] = [];
    await using broker = await ScriptedBroker.start((packet, socket) => {
      if (!isEntry(packet)) return undefined;
      held.push({ packet, socket });
      return [];
    });
    await using agent = new Agent(settingsFor(broker.url), { timing: { answerMs: 20_000 } });
    agent.outbox.appendMany(5);
    agent.start();
    await until('five entries', () => held.length === 5);
    const acknowledge = (index: number) => held[index]?.socket.write(puback(held[index].packet));
    for (const index of [1, 3, 0]) acknowledge(index);
    // They arrive in this order: once the third has moved the cursor, the others have had their chance to.
    await until('what is without a hole', () => agent.outbox.cursor() === 2);
    assert.deepEqual(agent.outbox.cursors, [2]);
    for (const index of [4, 2]) acknowledge(index);
    await until('all entries', () => agent.outbox.cursor() === 5);
    assert.deepEqual(agent.outbox.cursors, [2, 5]);
  });

  test('an entry that is not answered is sent again on a new connection, from the lowest unacknowledged, in the same bytes', async () => {
    await using broker = await ScriptedBroker.start((packet, _socket, connection) =>
      isEntry(packet) && connection === 0 && seqOf(packet) >= 3 ? [] : undefined,
    );
    await using agent = new Agent(settingsFor(broker.url), { timing: { answerMs: 1_000 } });
    agent.outbox.appendMany(8);
    agent.start();
    await until('all entries', () => agent.outbox.cursor() === 8);
    const sent = broker.published(LOG);
    assert.deepEqual(sent.map(seqOf), [...upTo(8), 3, 4, 5, 6, 7]);
    assert.deepEqual(sent.slice(3, 8).map(textOf), sent.slice(8).map(textOf));
    assert.equal(agent.saw('uplink.timeout'), true);
  });

  test('a refusal other than 0x87 ends the connection, and the entry is sent again on the next', async () => {
    await using broker = await ScriptedBroker.start((packet, _socket, connection) =>
      isEntry(packet) && connection === 0 && seqOf(packet) === 2 ? [puback(packet, 0x97)] : undefined,
    );
    await using agent = new Agent(settingsFor(broker.url));
    agent.outbox.appendMany(5);
    agent.start();
    await until('all entries', () => agent.outbox.cursor() === 5);
    assert.match(
      String(agent.events.find(({ event }) => event === 'uplink.refused')?.message),
      /0x97 \(quotaExceeded\)/,
    );
  });

  test('an entry above the limit of the broker parks the pump; nothing behind it overtakes', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [connack(0, [0x27, 0, 0, 0x9c, 0x40])] : undefined,
    );
    await using agent = new Agent(settingsFor(broker.url));
    agent.outbox.append({ kind: 'coverage' });
    agent.outbox.append({ kind: 'coverage', bytes: 45_000 });
    agent.outbox.append({ kind: 'coverage' });
    agent.start();
    await until('the alarm', () => agent.saw('uplink.entry-too-large'));
    agent.outbox.appendMany(3);
    await delay(100);
    assert.equal(agent.outbox.cursor(), 1);
    assert.equal(agent.uplink.status().held?.code, 'uplink.entry-too-large');
    assert.equal(broker.published(LOG).filter((packet) => seqOf(packet) === 1).length, 0);
  });

  test('appended entries are sent as they come, and those of one turn only once', async () => {
    await using broker = await ScriptedBroker.start();
    await using agent = new Agent(settingsFor(broker.url)).start();
    await until('a connection', () => agent.saw('uplink.connected'));
    for (let n = 0; n < 20; n += 1) {
      agent.outbox.appendMany(3);
      await delay(2);
    }
    await until('all entries', () => agent.outbox.cursor() === 60);
    assert.deepEqual(broker.published(LOG).map(seqOf), upTo(60));
  });

  test('a client id that the broker assigned is refused', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [connack(0, [0x12, 0, 2, 97, 98])] : undefined,
    );
    await using agent = new Agent(settingsFor(broker.url)).start();
    await until('the alarm', () => agent.saw('uplink.limit'));
    assert.match(agent.uplink.status().lastError?.message ?? '', /another client id, "ab"/);
    assert.equal(broker.of(TYPE.subscribe).length, 0);
  });

  test('CONNECT asks for what §4 says: clean start off, session 300 s, receive maximum 32, packets to 65 536, a retained will', async () => {
    await using broker = await ScriptedBroker.start();
    await using agent = new Agent(settingsFor(broker.url), { timing: { willDelayS: 20, keepAliveS: 30 } }).start();
    await until('CONNECT', () => agent.saw('uplink.connected'));
    const [connect] = broker.of(TYPE.connect);
    const bytes = connect?.body.toString('hex') ?? '';
    // MQTT, 5, flags (will, QoS 1, retained, clean start 0), keep-alive 30, then the properties
    assert.match(bytes, /^00044d515454052c001e0d/);
    for (const property of ['110000012c', '210020', '2700010000', '1800000014'])
      assert.ok(bytes.includes(property), property);
    assert.ok(connect?.body.includes('"state":"lost"'));
    assert.ok(connect?.body.includes('"session":"c2VlZA.1"'));
  });

  test('the pump holds back a rate above the cap', async () => {
    await using broker = await ScriptedBroker.start();
    await using agent = new Agent(settingsFor(broker.url, { rate: 100 }));
    agent.outbox.appendMany(1_000);
    agent.start();
    await until('the first entries', () => broker.published(LOG).length >= 10);
    await delay(200);
    assert.ok(broker.published(LOG).length < 500);
    await until('more', () => broker.published(LOG).length > 30);
  });

  test('what retention removed before there was a broker is passed over with a warning', async () => {
    await using broker = await ScriptedBroker.start();
    const outbox = new MemoryOutbox();
    outbox.appendMany(10);
    outbox.prune(2, 5);
    await using agent = new Agent(settingsFor(broker.url), { outbox }).start();
    await until('all entries', () => outbox.cursor() === 10);
    assert.deepEqual(broker.published(LOG).map(seqOf), [0, 1, 5, 6, 7, 8, 9]);
    const warning = agent.events.find(({ event }) => event === 'uplink.pruned');
    assert.deepEqual([warning?.from, warning?.to], [2, 5]);
  });

  test('a store that cannot be read ends the connection with an alarm, and the pump goes on once it can', async () => {
    await using broker = await ScriptedBroker.start();
    const outbox = new MemoryOutbox();
    await using agent = new Agent(settingsFor(broker.url), { outbox }).start();
    await until('a connection', () => agent.saw('uplink.connected'));
    outbox.unreadable = true;
    outbox.appendMany(5);
    await until('the alarm', () => agent.saw('uplink.store'));
    outbox.unreadable = false;
    await until('all entries', () => outbox.cursor() === 5);
  });

  test('a stop before online was said says stopped and nothing after it', async () => {
    await using broker = await ScriptedBroker.start();
    const agent = new Agent(settingsFor(broker.url), { timing: { lookMs: 10_000 } }).start();
    await until('a subscription', () => broker.of(TYPE.subscribe).length === 1);
    await agent.uplink.stop();
    const states = broker.published(CONN).map(({ body }) => /"state":"(\w+)"/.exec(body.toString('latin1'))?.[1]);
    assert.deepEqual(states, ['stopped']);
    assert.equal(agent.saw('uplink.connected'), false);
  });

  test('what a session had waiting is heard even when it comes in one piece with CONNACK', async () => {
    const request = { id: '1', op: 'nothing', args: {}, expires_at: Math.floor(Date.now() / 1000) + 60 };
    const waiting = message('attest/v1/gw-1/cmd/col-a', JSON.stringify(request));
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [Buffer.concat([connack(0, [], true), waiting])] : undefined,
    );
    await using _agent = new Agent(settingsFor(broker.url)).start();
    await until('the answer', () => broker.published('attest/v1/gw-1/rsp/col-a').length === 1);
    assert.match(broker.published('attest/v1/gw-1/rsp/col-a')[0]?.body.toString('latin1') ?? '', /"code":"E_OP"/);
  });
});

/** PUBLISH of MQTT 5 with QoS 0 and no properties; no longer than a length of two bytes says. */
const message = (topic: string, payload: string): Buffer => {
  const name = Buffer.alloc(2);
  name.writeUInt16BE(topic.length);
  const body = Buffer.concat([name, Buffer.from(topic), Buffer.from([0]), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from([0x30, (body.length & 0x7f) | 0x80, body.length >> 7]), body]);
};
