import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { suite, test } from 'node:test';
import { Aedes } from 'aedes';
import { Agent, settingsFor } from './agents.ts';
import { Observer, until, upTo } from './observer.ts';
import { levelOf, oldConnack, ScriptedBroker, TYPE } from './scripted-broker.ts';

const LOG = 'attest/v1/gw-1/log';
const CONN = 'attest/v1/gw-1/conn';

/** The embedded broker of the demo: speaks 3.1.1 only. */
const startAedes = async (options = {}) => {
  const broker = await Aedes.createBroker(options);
  const server = createServer(broker.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await new Promise<void>((resolve) => broker.close(resolve));
      server.close();
    },
  };
};

suite('MQTT 3.1.1', { timeout: 60_000 }, () => {
  test('a broker that refuses version 5 is asked with 3.1.1 at once, and from then on first', async () => {
    await using broker = await startAedes();
    await using observer = await Observer.connect(broker.url, { protocolVersion: 4 });
    await using agent = new Agent(settingsFor(broker.url));
    agent.outbox.appendMany(1_000);
    agent.start();
    await until('all entries', () => observer.on(LOG).length === 1_000);
    assert.deepEqual(observer.seqs(LOG), upTo(1_000));
    assert.equal(agent.uplink.status().protocol, '3.1.1');
    assert.equal(observer.states(CONN)[0], 'online');
    assert.equal(
      agent.events.some(({ level }) => level === 'error'),
      false,
    );
    await agent.uplink.stop();
    await until('stopped', () => observer.states(CONN).at(-1) === 'stopped');
  });

  test('a required collector confirms over the embedded broker, too', async () => {
    await using broker = await startAedes();
    await using observer = await Observer.connect(broker.url, { protocolVersion: 4 });
    await using agent = new Agent(settingsFor(broker.url, { collectors: ['col-a'] }));
    agent.outbox.appendMany(300);
    agent.start();
    await until('the first entries', () => observer.on(LOG).length === 8);
    const ack = (next: number) =>
      observer.publish(
        'attest/v1/gw-1/ack/col-a',
        JSON.stringify({ log: 'example.org/gw-1/1', next, leaf: agent.outbox.leaf(next - 1), stored_at: 1 }),
        false,
      );
    await ack(8);
    await until('the lead', () => observer.seqs(LOG).at(-1) === 263);
    await ack(264);
    await until('the rest', () => observer.seqs(LOG).at(-1) === 299);
    await ack(300);
    await until('its word', () => agent.uplink.status().collectors[0]?.lag === 0);
    assert.deepEqual([...new Set(observer.seqs(LOG))], upTo(300));
    assert.equal(agent.uplink.status().protocol, '3.1.1');
  });

  test('what was learned is remembered: the second connect begins with 3.1.1', async () => {
    const levels: number[] = [];
    await using broker = await ScriptedBroker.start((packet, socket) => {
      if (packet.type !== TYPE.connect) return undefined;
      levels.push(levelOf(packet));
      if (levelOf(packet) === 5) return [oldConnack(1)];
      setTimeout(() => socket.destroy(), 10);
      return [oldConnack(0)];
    });
    await using agent = new Agent(settingsFor(broker.url)).start();
    await until('four connects', () => levels.length >= 4);
    assert.deepEqual(levels.slice(0, 4), [5, 4, 4, 4]);
    assert.equal(agent.saw('uplink.closed'), true);
  });

  test('a broker that closes on version 5 without a word is asked with 3.1.1 next', async () => {
    await using broker = await ScriptedBroker.start((packet, socket) => {
      if (packet.type !== TYPE.connect) return undefined;
      if (levelOf(packet) === 4) return [oldConnack(0)];
      socket.end();
      return [];
    });
    await using agent = new Agent(settingsFor(broker.url)).start();
    agent.outbox.appendMany(5);
    await until('its entries', () => agent.outbox.cursor() === 5);
    assert.equal(agent.uplink.status().protocol, '3.1.1');
  });

  test('a version that the operator fixed is not replaced by another', async () => {
    const levels = new Set<number>();
    await using broker = await ScriptedBroker.start((packet) => {
      if (packet.type === TYPE.connect) levels.add(levelOf(packet));
      return [oldConnack(1)];
    });
    await using agent = new Agent(settingsFor(broker.url, { protocol: '5' })).start();
    await until('some refusals', () => agent.events.filter(({ event }) => event === 'uplink.refused').length >= 4);
    assert.deepEqual([...levels], [5]);
  });

  test('a refused CONNACK does not end the loop: the fourth attempt is served', async () => {
    let attempts = 0;
    await using broker = await ScriptedBroker.start((packet) => {
      if (packet.type !== TYPE.connect) return undefined;
      attempts += 1;
      return [oldConnack(attempts <= 3 ? 3 : 0)];
    });
    await using agent = new Agent(settingsFor(broker.url, { protocol: '3.1.1' })).start();
    agent.outbox.appendMany(5);
    await until('its entries', () => agent.outbox.cursor() === 5);
    assert.equal(attempts, 4);
  });

  test('a refused subscription is an alarm and not a connection', async () => {
    const authorizeSubscribe = (
      _client: unknown,
      _subscription: unknown,
      callback: (error: null, grant: null) => void,
    ) => callback(null, null);
    await using broker = await startAedes({ authorizeSubscribe });
    await using agent = new Agent(settingsFor(broker.url, { protocol: '3.1.1' })).start();
    await until('the refusal', () => agent.saw('uplink.refused'));
    assert.equal(agent.saw('uplink.connected'), false);
  });
});
