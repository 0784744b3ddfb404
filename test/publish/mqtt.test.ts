import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ending } from '../../agent/publish/ending.ts';
import { Connection, type ConnectOptions, connect } from '../../agent/publish/mqtt.ts';
import type { PublishOptions } from '../../agent/publish/packet.ts';
import { FAST } from './agents.ts';
import { freePort } from './mosquitto.ts';
import { until } from './observer.ts';
import { connack, oldConnack, puback, ScriptedBroker, TYPE, type WirePacket } from './scripted-broker.ts';

const PLAIN: PublishOptions = { retain: false, contentType: 'application/json', expiryS: 60, user: { seq: '7' } };
const BYTES = Buffer.from('{"seq":7}');

const optionsFor = (url: string, more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  broker: { url, host: '127.0.0.1', port: Number(new URL(url).port), tls: false },
  protocol: '5',
  clientId: 'gw-1',
  credentials: {},
  tlsMin: '1.3',
  will: { topic: 'attest/v1/gw-1/conn', payload: Buffer.from('{}'), retain: true },
  timing: { ...FAST, answerMs: 5_000, connectMs: 5_000, stopMs: 5_000 },
  signal: new AbortController().signal,
  ...more,
});

const connected = async (url: string, more: Partial<ConnectOptions> = {}): Promise<Connection> => {
  const result = await connect(optionsFor(url, more));
  assert.ok(result instanceof Connection, `connected, not ${JSON.stringify(result)}`);
  return result;
};

const LEFT: Ending = { kind: 'left' };

/** PUBLISH of MQTT 5 with QoS 0 and no properties, at most 127 bytes. */
const incoming = (topic: string, payload: string): Buffer => {
  const body = Buffer.concat([
    Buffer.from([0, topic.length]),
    Buffer.from(topic),
    Buffer.from([0]),
    Buffer.from(payload),
  ]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
};

suite('a connection through the MQTT library (mqtt.md §11)', { timeout: 30_000 }, () => {
  test('a publish after the end is answered as closed and never reaches a later connection', async () => {
    await using broker = await ScriptedBroker.start();
    const first = await connected(broker.url);
    broker.sockets[0]?.destroy();
    assert.deepEqual(await first.closed, { kind: 'closed', connected: true });
    assert.deepEqual(await first.publish('a/b', BYTES, PLAIN), { kind: 'closed' });

    const second = await connected(broker.url);
    assert.deepEqual(await second.publish('a/c', BYTES, PLAIN), { kind: 'acknowledged' });
    assert.equal(broker.published('a/b').length, 0);
    assert.equal(broker.published('a/c').length, 1);
    second.drop(LEFT);
  });

  test('a publish that is never answered settles by its own timer and ends the connection', async () => {
    await using broker = await ScriptedBroker.start(({ type }) => (type === TYPE.publish ? [] : undefined));
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 300 } });
    assert.deepEqual(await connection.publish('a/b', BYTES, PLAIN), { kind: 'closed' });
    assert.deepEqual(await connection.closed, { kind: 'timeout', waitedFor: 'PUBACK' });
  });

  test('an answer is waited for as long as the broker delivers to one who hears it all, and no longer', async () => {
    let delivering: NodeJS.Timeout | undefined;
    await using broker = await ScriptedBroker.start(({ type }, socket) => {
      if (type !== TYPE.publish) return undefined;
      delivering ??= setInterval(() => socket.write(incoming('a/c', '')), 50);
      return [];
    });
    const heard: string[] = [];
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 300 }, isCollector: true });
    connection.onMessage(({ topic }) => {
      heard.push(topic);
      return undefined;
    });
    const pending = connection.publish('a/b', BYTES, PLAIN);
    await delay(1_000);
    assert.ok(connection.open && heard.length > 5);
    clearInterval(delivering);
    assert.deepEqual(await pending, { kind: 'closed' });
    assert.deepEqual(await connection.closed, { kind: 'timeout', waitedFor: 'PUBACK' });
  });

  test('what is worth nothing when it is late goes with QoS 0, past a window that is full', async () => {
    await using broker = await ScriptedBroker.start(({ type }) => (type === TYPE.publish ? [] : undefined));
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 20_000 } });
    assert.equal(connection.hasRoom, true);
    for (let n = 0; n < 40; n += 1) void connection.publish('a/b', BYTES, PLAIN);
    assert.equal(connection.hasRoom, false);
    connection.tell('a/c', BYTES, PLAIN);
    await until('it comes', () => broker.published('a/c').length === 1);
    assert.equal(broker.published('a/b').length, 32);
    assert.equal(((broker.published('a/c')[0]?.flags ?? 0) >> 1) & 3, 0);
    connection.drop(LEFT);
    connection.tell('a/c', BYTES, PLAIN);
  });

  test('everything pending settles when the broker closes', async () => {
    await using broker = await ScriptedBroker.start(({ type }) => (type === TYPE.publish ? [] : undefined));
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 20_000 } });
    const pending = Array.from({ length: 40 }, () => connection.publish('a/b', BYTES, PLAIN));
    await until('a full window', () => broker.published('a/b').length === 32);
    broker.sockets[0]?.destroy();
    assert.deepEqual(new Set((await Promise.all(pending)).map(({ kind }) => kind)), new Set(['closed']));
    assert.equal(broker.published('a/b').length, 32);
  });

  test('the receive maximum of the broker is respected, and messages keep their order', async () => {
    const held: { packet: WirePacket; answer: () => void }[] = [];
    await using broker = await ScriptedBroker.start((packet, socket) => {
      if (packet.type === TYPE.connect) return [connack(0, [0x21, 0, 3])];
      if (packet.type !== TYPE.publish) return undefined;
      held.push({ packet, answer: () => socket.write(puback(packet)) });
      return [];
    });
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 20_000 } });
    assert.equal(connection.window, 3);
    const results = Array.from({ length: 10 }, (_, n) => connection.publish('a/b', Buffer.from(`m${n}`), PLAIN));
    for (let answered = 0; answered < 10; answered += 1) {
      const expected = Math.min(10, answered + 3);
      await until('the next message', () => held.length === expected);
      await delay(5);
      assert.equal(held.length, expected, 'no more than three are unacknowledged');
      held[answered]?.answer();
    }
    assert.deepEqual(new Set((await Promise.all(results)).map(({ kind }) => kind)), new Set(['acknowledged']));
    assert.deepEqual(
      held.map(({ packet }) => packet.body.toString('latin1').slice(-2)),
      Array.from({ length: 10 }, (_, n) => `m${n}`),
    );
    connection.drop(LEFT);
  });

  test('a packet of exactly the size the broker takes is sent, one byte more is not', async () => {
    await using probe = await ScriptedBroker.start();
    const measure = await connected(probe.url);
    await measure.publish('a/b', Buffer.alloc(300, 'x'), PLAIN);
    measure.drop(LEFT);
    const [sent] = probe.published('a/b');
    assert.ok(sent !== undefined);

    const limit = [0x27, 0, 0, sent.length >> 8, sent.length & 0xff];
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [connack(0, limit)] : undefined,
    );
    const connection = await connected(broker.url);
    assert.deepEqual(await connection.publish('a/b', Buffer.alloc(300, 'x'), PLAIN), { kind: 'acknowledged' });
    assert.deepEqual(await connection.publish('a/b', Buffer.alloc(301, 'x'), PLAIN), {
      kind: 'oversize',
      bytes: sent.length + 1,
      limit: sent.length,
    });
    assert.equal(broker.published('a/b').length, 1);
    connection.drop(LEFT);
  });

  test('"no subscriber" (0x10) is an acknowledgement like any other, and 0x87 is a refusal', async () => {
    const reasons = [0x10, 0x87];
    await using broker = await ScriptedBroker.start((packet) =>
      packet.type === TYPE.publish ? [puback(packet, reasons.shift())] : undefined,
    );
    const connection = await connected(broker.url);
    assert.deepEqual(await connection.publish('a/b', BYTES, PLAIN), { kind: 'acknowledged' });
    assert.deepEqual(await connection.publish('a/b', BYTES, PLAIN), { kind: 'refused', reason: 0x87 });
    connection.drop(LEFT);
  });

  test('properties are sent over MQTT 5 only', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [oldConnack(0)] : undefined,
    );
    const connection = await connected(broker.url, { protocol: '3.1.1' });
    assert.deepEqual(await connection.publish('a/b', BYTES, PLAIN), { kind: 'acknowledged' });
    const [sent] = broker.published('a/b');
    assert.equal(sent?.body.length, 2 + 3 + 2 + BYTES.length, 'topic, packet id and payload, nothing else');
    connection.drop(LEFT);
  });

  test('retained messages are not asked of a broker that keeps none', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [connack(0, [0x25, 0])] : undefined,
    );
    const connection = await connected(broker.url);
    await connection.publish('a/b', BYTES, { ...PLAIN, retain: true });
    assert.equal((broker.published('a/b')[0]?.flags ?? 0) & 1, 0);
    connection.drop(LEFT);
  });

  test('leaving waits for answers and says DISCONNECT; dropping says nothing, so that the will stands', async () => {
    await using broker = await ScriptedBroker.start();
    const leaving = await connected(broker.url);
    const last = leaving.publish('a/b', BYTES, PLAIN);
    await leaving.leave(LEFT);
    assert.deepEqual(await last, { kind: 'acknowledged' });
    assert.deepEqual(await leaving.closed, LEFT);
    await until('DISCONNECT', () => broker.of(TYPE.disconnect).length === 1);

    const dropped = await connected(broker.url);
    dropped.drop(LEFT);
    await dropped.closed;
    await delay(50);
    assert.equal(broker.of(TYPE.disconnect).length, 1);
  });

  test('leaving ends in time although the broker answers nothing', async () => {
    await using broker = await ScriptedBroker.start(({ type }) => (type === TYPE.connect ? undefined : []));
    const connection = await connected(broker.url, { timing: { ...FAST, answerMs: 20_000, stopMs: 100 } });
    void connection.publish('a/b', BYTES, PLAIN);
    await connection.leave(LEFT);
    assert.deepEqual(await connection.closed, LEFT);
  });

  test('a refused, silent, closing, absent or babbling broker is a value, never an exception', async () => {
    await using refusing = await ScriptedBroker.start(() => [connack(0x88)]);
    assert.deepEqual(await connect(optionsFor(refusing.url)), { kind: 'refused', reason: 0x88 });

    const reference = [0x1c, 0, 3, 97, 58, 49];
    await using moved = await ScriptedBroker.start(() => [connack(0x9d, reference)]);
    assert.deepEqual(await connect(optionsFor(moved.url)), { kind: 'refused', reason: 0x9d, serverReference: 'a:1' });

    await using silent = await ScriptedBroker.start(() => []);
    const impatient = optionsFor(silent.url, { timing: { ...FAST, connectMs: 500 } });
    assert.deepEqual(await connect(impatient), { kind: 'timeout', waitedFor: 'CONNACK' });

    await using closing = await ScriptedBroker.start((_packet, socket) => {
      socket.end();
      return [];
    });
    assert.deepEqual(await connect(optionsFor(closing.url)), { kind: 'closed', connected: false });

    const absent = await connect(optionsFor(`mqtt://127.0.0.1:${await freePort()}`));
    assert.equal(absent.kind, 'network');

    await using babbling = await ScriptedBroker.start(() => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]);
    const babble = await connect(optionsFor(babbling.url));
    assert.equal(babble.kind, 'protocol');
  });

  test('garbage on a living connection ends it, and the process lives', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.publish ? [Buffer.from([0xf1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 2, 3])] : undefined,
    );
    const connection = await connected(broker.url);
    assert.deepEqual(await connection.publish('a/b', BYTES, PLAIN), { kind: 'closed' });
    assert.equal((await connection.closed).kind, 'protocol');
  });

  test('a broker of 3.1.1 that refuses version 5 in its own format is understood', async () => {
    await using broker = await ScriptedBroker.start(() => [oldConnack(1)]);
    assert.deepEqual(await connect(optionsFor(broker.url)), { kind: 'refused', reason: 0x84 });
  });

  test('a reason in DISCONNECT of the broker explains the end', async () => {
    await using broker = await ScriptedBroker.start(({ type }, socket) => {
      if (type !== TYPE.publish) return undefined;
      setTimeout(() => socket.destroy(), 20);
      return [Buffer.from([0xe0, 1, 0x8e])];
    });
    const connection = await connected(broker.url);
    await connection.publish('a/b', BYTES, PLAIN);
    assert.deepEqual(await connection.closed, { kind: 'refused', reason: 0x8e });
  });

  test('a link that is dead without a word is found by keep-alive', async () => {
    await using broker = await ScriptedBroker.start(({ type }) => (type === TYPE.pingreq ? [] : undefined));
    const connection = await connected(broker.url, { timing: { ...FAST, keepAliveS: 1 } });
    assert.deepEqual(await connection.closed, { kind: 'timeout', waitedFor: 'PINGRESP' });
    assert.equal(broker.of(TYPE.pingreq).length, 1);
  });

  test('a stop during the attempt ends it at once', async () => {
    await using broker = await ScriptedBroker.start(() => []);
    const stop = new AbortController();
    const attempt = connect(optionsFor(broker.url, { signal: stop.signal, timing: { ...FAST, connectMs: 20_000 } }));
    await until('CONNECT', () => broker.of(TYPE.connect).length === 1);
    stop.abort();
    assert.deepEqual(await attempt, LEFT);
  });

  test('a refused subscription gives its reason', async () => {
    await using broker = await ScriptedBroker.start(({ type, body }) =>
      type === TYPE.subscribe ? [Buffer.from([0x90, 4, body[0] ?? 0, body[1] ?? 0, 0, 0x87])] : undefined,
    );
    const connection = await connected(broker.url);
    assert.equal(await connection.subscribe(['a/b']), 0x87);
    connection.drop(LEFT);
  });

  test('nothing is read on before somebody listens, nor while the listener asks for time; every message comes once, in order', async () => {
    const early = [1, 2].map((n) => incoming('a/b', `m${n}`));
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [Buffer.concat([connack(0, [], true), ...early])] : undefined,
    );
    const connection = await connected(broker.url);
    await delay(50);
    const heard: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.onMessage(({ payload }) => {
      heard.push(Buffer.from(payload).toString());
      return heard.length === 2 ? promise : undefined;
    });
    await until('the first two', () => heard.length === 2);
    broker.sockets[0]?.write(incoming('a/b', 'm3'));
    await delay(50);
    assert.deepEqual(heard, ['m1', 'm2']);
    resolve();
    await until('the third', () => heard.length === 3);
    assert.deepEqual(heard, ['m1', 'm2', 'm3']);
    connection.drop(LEFT);
  });

  test('who leaves without having listened is not held up by what came meanwhile', async () => {
    await using broker = await ScriptedBroker.start(({ type }) =>
      type === TYPE.connect ? [Buffer.concat([connack(0, [], true), incoming('a/b', 'm1')])] : undefined,
    );
    const connection = await connected(broker.url);
    const sinceMs = performance.now();
    const leaving = connection.leave(LEFT);
    await until('DISCONNECT', () => broker.of(TYPE.disconnect).length === 1);
    broker.sockets[0]?.end();
    await leaving;
    assert.ok(performance.now() - sinceMs < 2_000, 'stopMs is 5 s');
  });

  test('TCP_NODELAY is set on the socket before anything is sent', async () => {
    await using broker = await ScriptedBroker.start();
    const calls: { socket: Socket; on: boolean }[] = [];
    const original = Socket.prototype.setNoDelay;
    Socket.prototype.setNoDelay = function setNoDelay(this: Socket, on = true) {
      calls.push({ socket: this, on });
      return original.call(this, on);
    };
    try {
      const connection = await connected(broker.url);
      const mine = calls.filter(({ socket }) => socket.remotePort === broker.port);
      assert.deepEqual(
        mine.map(({ on }) => on),
        [true],
      );
      connection.drop(LEFT);
    } finally {
      Socket.prototype.setNoDelay = original;
    }
  });

  test('neither DEBUG nor a proxy in the environment has an effect', async () => {
    await using broker = await ScriptedBroker.start();
    const child = spawn(process.execPath, [`${import.meta.dirname}/environment-probe.ts`, String(broker.port)], {
      env: { ...process.env, DEBUG: '*', MQTTJS_SOCKS_PROXY: 'socks5://127.0.0.1:9' },
    });
    const [printed, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.equal(complained, '');
    assert.deepEqual(JSON.parse(printed), { kind: 'connected', proxy: null, debug: null });
  });
});
