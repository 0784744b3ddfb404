import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, settingsFor } from './agents.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { freePort, Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { Observer, until, upTo } from './observer.ts';

const LOG = 'attest/v1/gw-1/log';
const CONN = 'attest/v1/gw-1/conn';

/** An access list that lets the gateway do everything but write its log. */
const NO_LOG_ACL =
  'user observer\ntopic readwrite #\npattern readwrite attest/v1/%c/conn\npattern write attest/v1/%c/dev/+\n';
const ACL = `${NO_LOG_ACL}pattern write attest/v1/%c/log\n`;

const loneAgent = (url: string, bootseed: string, entries = 0): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'lone-agent.ts'), url, bootseed, String(entries)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

test('until its first connect an uplink says within which time that is made', async () => {
  await using agent = new Agent(settingsFor('mqtt://127.0.0.1:1', { spread_s: 600 }), { random: () => 0.999 }).start();
  const { state, broker, firstWithinS } = agent.uplink.status();
  assert.deepEqual({ state, broker, firstWithinS }, { state: 'waiting', broker: undefined, firstWithinS: 600 });
});

suite('uplink to Mosquitto', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('a backlog of 10 000 entries made while the broker was away arrives complete and in order', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous true', 'max_queued_messages 100000']);
    await broker.kill();
    // The pause between two connects lets the observer subscribe before the agent is back.
    const timing = { backoffBaseMs: 2_000, backoffCapMs: 2_000 };
    await using agent = new Agent(settingsFor(broker.url), { timing, random: () => 0.999 }).start();
    agent.outbox.appendMany(10_000);
    await until('a failed connect', () => agent.saw('uplink.network'));
    await broker.up();
    await using observer = await Observer.connect(broker.url);
    await until('10 000 entries', () => observer.on(LOG).length >= 10_000, 60_000);

    assert.deepEqual(observer.seqs(LOG), upTo(10_000));
    assert.ok(agent.outbox.largestRead <= 32, 'no more than a window is in memory');
    await until('the cursor', () => agent.outbox.cursor() === 10_000);
  });

  test('a broker that is killed in the middle gets everything from the lowest unacknowledged entry on', async () => {
    await using broker = await Mosquitto.start();
    const timing = { backoffBaseMs: 1_500, backoffCapMs: 1_500 };
    await using agent = new Agent(settingsFor(broker.url, { rate: 1_000 }), { timing, random: () => 0.999 });
    agent.outbox.appendMany(2_000);
    agent.start();
    await until('some entries', () => agent.outbox.cursor() > 200);
    await broker.kill();
    await until('the end of the connection', () => agent.uplink.status().state !== 'connected');
    const acknowledged = agent.outbox.cursor();
    assert.ok(acknowledged < 2_000);
    await broker.up();
    await using observer = await Observer.connect(broker.url);
    await until('all entries', () => agent.outbox.cursor() === 2_000, 30_000);
    await until('the last entry', () => observer.seqs(LOG).at(-1) === 1_999);
    assert.deepEqual(observer.seqs(LOG), upTo(2_000).slice(acknowledged));
  });

  test('presence says online with session and size, is retained, repeated, and stopped on a clean end', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const agent = new Agent(settingsFor(broker.url), { timing: { presenceMs: 100 } });
    agent.outbox.appendMany(3);
    agent.start();
    await until('a repeated presence', () => observer.on(CONN).length >= 2);
    await agent.uplink.stop();
    await until('stopped', () => observer.states(CONN).at(-1) === 'stopped');

    const { at, ...presence } = JSON.parse(observer.on(CONN)[0]?.text ?? '');
    assert.deepEqual(presence, {
      state: 'online',
      session: 'c2VlZA.1',
      log: 'example.org/gw-1/1',
      size: 3,
      agent: '0.1.0',
      proto: 1,
      unconfirmed: true,
      insecure: true,
    });
    assert.ok(Math.abs(at - Date.now() / 1000) < 60);
    await using late = await Observer.connect(broker.url, { clientId: 'late' });
    await until('the retained presence', () => late.on(CONN).length === 1);
    assert.deepEqual([late.on(CONN)[0]?.retain, ...late.states(CONN)], [true, 'stopped']);
    await delay(300);
    assert.ok(!observer.states(CONN).includes('lost'), 'a clean end withdraws the will');
  });

  test('the will "lost" of the same session appears after SIGKILL of the agent', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const child = loneAgent(broker.url, 'a2lsbA', 5);
    await until('its entries', () => observer.on(LOG).length === 5);
    child.kill('SIGKILL');
    await until('the will', () => observer.states(CONN).at(-1) === 'lost');
    assert.equal(JSON.parse(observer.on(CONN).at(-1)?.text ?? '').session, 'a2lsbA.1');
  });

  test('an entry written just before a stop arrives before the presence says stopped', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const agent = new Agent(settingsFor(broker.url)).start();
    await until('the pump', () => agent.saw('uplink.connected'));
    agent.outbox.appendMany(3);
    await agent.uplink.stop();
    await until('stopped', () => observer.states(CONN).at(-1) === 'stopped');
    assert.deepEqual(observer.seqs(LOG), [0, 1, 2]);
  });

  test('SIGTERM ends an agent cleanly: stopped, no will, exit code 0', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const child = loneAgent(broker.url, 'dGVybQ', 5);
    await until('its entries', () => observer.on(LOG).length === 5);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    await delay(1_300);
    assert.deepEqual([...new Set(observer.states(CONN))], ['online', 'stopped']);
  });

  test('log entries carry seq and kind as properties, an expiry, and the exact bytes', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using agent = new Agent(settingsFor(broker.url)).start();
    agent.outbox.append({ kind: 'attestation', device: 'm-1' });
    await until('the entry', () => observer.on(LOG).length === 1);
    const [heard] = observer.on(LOG);
    assert.equal(heard?.text, Buffer.from(agent.outbox.entries[0]?.message ?? []).toString());
    const properties = heard?.packet.properties;
    assert.deepEqual({ ...properties?.userProperties }, { seq: '0', kind: 'attestation' });
    assert.equal(properties?.contentType, 'application/vnd.miner-attestation+json');
    assert.equal(properties?.payloadFormatIndicator, true);
    assert.ok((properties?.messageExpiryInterval ?? 0) > 3_500);
    assert.equal(heard?.packet.qos, 1);
  });

  test('a wrong access list (0x87) stops the pump with an alarm; once mended everything arrives', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous true', 'acl_file #/acl'], { acl: NO_LOG_ACL });
    await using observer = await Observer.connect(broker.url, { username: 'observer' });
    await using agent = new Agent(settingsFor(broker.url));
    agent.outbox.appendMany(100);
    agent.start();
    await until('the alarm', () => agent.saw('uplink.not-authorised'));
    assert.equal(agent.uplink.status().held?.code, 'uplink.not-authorised');
    assert.equal(agent.outbox.cursor(), 0);
    assert.equal(agent.uplink.status().state, 'connected', 'presence stays while a person mends the list');

    broker.write('acl', ACL);
    broker.reload();
    await until('all entries', () => agent.outbox.cursor() === 100);
    await until('all of them at the observer', () => new Set(observer.seqs(LOG)).size >= 100);
    assert.deepEqual([...new Set(observer.seqs(LOG))], upTo(100));
    assert.equal(agent.uplink.status().held, undefined);
    const goesOn = agent.events.filter(({ event }) => event === 'uplink.goes-on');
    assert.deepEqual(
      goesOn.map(({ level, after }) => [level, after]),
      [['info', 'uplink.not-authorised']],
    );
  });

  test('over 3.1.1 a refused publish looks like success, and status says unconfirmed', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous true', 'acl_file #/acl'], { acl: NO_LOG_ACL });
    await using observer = await Observer.connect(broker.url, { username: 'observer' });
    await using agent = new Agent(settingsFor(broker.url, { protocol: '3.1.1' }));
    agent.outbox.appendMany(10);
    agent.start();
    await until('the acknowledgements', () => agent.outbox.cursor() === 10);
    await until('its presence', () => observer.on(CONN).length > 0);
    assert.equal(observer.on(LOG).length, 0);
    const { protocol, unconfirmed } = agent.uplink.status();
    assert.deepEqual({ protocol, unconfirmed }, { protocol: '3.1.1', unconfirmed: true });
  });

  for (const [when, timing] of [
    ['before it would have spoken', { lookMs: 2_000 }],
    ['while it listens', { rivalLookMs: 5_000 }],
  ] as const)
    test(`two agents with one identity: the first comes back ${when}, and the second stops, alarms and stays away`, async () => {
      await using broker = await Mosquitto.start();
      await using observer = await Observer.connect(broker.url);
      await using first = new Agent(settingsFor(broker.url), { bootseed: 'Zmlyc3Q' }).start();
      await until('the first', () => first.saw('uplink.connected'));
      await until('its presence', () => observer.states(CONN).includes('online'));
      // Long enough for the retained presence to arrive on a busy machine: else both see each other, and both stop.
      await using second = new Agent(settingsFor(broker.url), {
        bootseed: 'c2Vjb25k',
        timing: { lookMs: 500, ...timing },
      });
      second.outbox.appendMany(500);
      second.start();
      await until('the alarm', () => second.saw('uplink.rival'));
      assert.equal(second.events.find(({ event }) => event === 'uplink.rival')?.level, 'error');
      assert.ok((second.uplink.status().lastError?.message ?? '').includes('session Zmlyc3Q.'));
      const sessions = observer.on(CONN).map(({ text }) => JSON.parse(text).session);
      assert.ok(
        sessions.every((session) => session.startsWith('Zmlyc3Q.')),
        `nobody hears of the second: ${sessions}`,
      );

      first.outbox.appendMany(50);
      await until('the first goes on', () => first.outbox.cursor() === 50);
      await delay(300);
      assert.equal(second.uplink.status().state, 'waiting');
      assert.equal(first.saw('uplink.rival'), false);
    });

  test('presence left by an earlier start of the same store, or by one long gone, is no rival', async () => {
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const now = Math.floor(Date.now() / 1000);
    await observer.publish(CONN, JSON.stringify({ state: 'online', session: 'b2xk.7', at: now }), true);
    await using own = new Agent(settingsFor(broker.url), { earlierBoots: ['b2xk'] }).start();
    await until('a connection', () => own.saw('uplink.connected'));
    await own.uplink.stop();

    await observer.publish(CONN, JSON.stringify({ state: 'lost', session: 'Z29uZQ.7', at: now - 7_200 }), true);
    await using emptied = new Agent(settingsFor(broker.url)).start();
    emptied.outbox.appendMany(5);
    await until('its entries', () => emptied.outbox.cursor() === 5);
    assert.equal(own.saw('uplink.rival') || emptied.saw('uplink.rival'), false);
  });

  for (const protocol of ['5', '3.1.1'] as const) {
    test(`over ${protocol}, what a killed agent left that nobody here knows is no rival: a will at once, an online that is not repeated a little later`, async () => {
      await using broker = await Mosquitto.start();
      await using observer = await Observer.connect(broker.url);
      const at = Math.floor(Date.now() / 1000);
      await observer.publish(CONN, JSON.stringify({ state: 'lost', session: 'Z29uZQ.7', at }), true);
      await using dead = new Agent(settingsFor(broker.url, { protocol })).start();
      dead.outbox.appendMany(5);
      await until('its entries', () => dead.outbox.cursor() === 5);
      assert.equal(dead.saw('uplink.foreign'), false);
      await dead.uplink.stop();

      const online = JSON.stringify({ state: 'online', session: 'Z29uZQ.8', at });
      await observer.publish(CONN, online, true);
      const settings = settingsFor(broker.url, { protocol });
      await using left = new Agent(settings, { timing: { lookMs: 500, rivalLookMs: 1_500 } }).start();
      left.outbox.appendMany(5);
      await until('it listens', () => left.uplink.status().held?.code === 'uplink.foreign');
      assert.match(left.uplink.status().held?.remedy ?? '', /^nothing yet/);
      const said = observer.heard.length;
      await observer.publish('attest/v1/_fleet/rollcall/col-a', JSON.stringify({ at }), false);
      await delay(500);
      assert.equal(left.outbox.cursor(), 0, 'nothing is sent while it may be another agent');
      assert.deepEqual(
        observer.heard.slice(said).filter(({ topic }) => topic.startsWith('attest/v1/gw-1/')),
        [],
        'and nothing said',
      );
      await until('its entries', () => left.outbox.cursor() === 5);
      assert.equal(left.uplink.status().held, undefined);
      assert.equal(left.saw('uplink.rival'), false);
      await left.uplink.stop();

      await observer.publish(CONN, online, true);
      await using short = new Agent(settings, { timing: { lookMs: 500, rivalLookMs: 60_000 } }).start();
      await until('it listens, too', () => short.saw('uplink.foreign'));
      const before = observer.on(CONN).length;
      const sinceMs = performance.now();
      await short.uplink.stop();
      assert.ok(performance.now() - sinceMs < 2_000, 'it ends at once');
      await delay(100);
      assert.equal(observer.on(CONN).length, before, 'who was not there does not say that it left');
    });
  }

  test('wrong credentials are an alarm once, then warnings; right ones connect without a restart', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous false', 'password_file #/passwords'], {
      passwords: '',
    });
    const passwords = join(broker.folder, 'passwords');
    assert.equal(spawnSync('mosquitto_passwd', ['-b', passwords, 'gw-1', 'right']).status, 0);
    broker.reload();
    broker.write('secret', 'wrong\n');
    await using agent = new Agent(settingsFor(broker.url, { password_file: join(broker.folder, 'secret') })).start();
    const refusals = () => agent.events.filter(({ event }) => event === 'uplink.refused');
    await until('three refusals', () => refusals().length >= 3);
    assert.deepEqual(
      refusals()
        .slice(0, 3)
        .map(({ level }) => level),
      ['error', 'warn', 'warn'],
    );
    assert.equal(JSON.stringify(agent.events).includes('wrong'), false);
    broker.write('secret', 'right\n');
    await until('a connection', () => agent.saw('uplink.connected'));
  });

  test('a refused CONNACK, an absent broker and a dead one are followed by the next of the list, and by a return to the first', async () => {
    const absent = await freePort();
    await using second = await Mosquitto.start();
    const settings = settingsFor(`mqtt://127.0.0.1:${absent}`, { urls: [second.url] });
    await using agent = new Agent(settings, { timing: { primaryReturnMs: 300 } }).start();
    await until('the second', () => agent.uplink.status().broker === second.url && agent.saw('uplink.connected'));
    await until('a look at the first again', () => {
      const connects = agent.events.filter(({ event }) => event === 'uplink.connected').length;
      const failures = agent.events.filter(({ event }) => event === 'uplink.network').length;
      return connects >= 2 && failures >= 2;
    });
    assert.equal(
      agent.events.some(({ level }) => level === 'error'),
      false,
    );
  });

  test('limits in CONNACK: too small packets hold the pump, no QoS 1 refuses, no retained messages are said', async () => {
    await using small = await Mosquitto.start(['allow_anonymous true', 'max_packet_size 30000']);
    await using held = new Agent(settingsFor(small.url)).start();
    held.outbox.appendMany(3);
    await until('the alarm', () => held.saw('uplink.packet-limit'));
    assert.equal(held.uplink.status().held?.code, 'uplink.packet-limit');
    assert.equal(held.outbox.cursor(), 0);

    await using qos0 = await Mosquitto.start(['allow_anonymous true', 'max_qos 0']);
    await using refused = new Agent(settingsFor(qos0.url)).start();
    await until('a refusal', () => refused.saw('uplink.limit') || refused.saw('uplink.refused'));
    assert.equal(refused.saw('uplink.connected'), false);

    await using forgetful = await Mosquitto.start(['allow_anonymous true', 'retain_available false']);
    await using observer = await Observer.connect(forgetful.url);
    await using agent = new Agent(settingsFor(forgetful.url)).start();
    agent.outbox.appendMany(3);
    await until('entries', () => observer.on(LOG).length === 3);
    assert.equal(JSON.parse(observer.on(CONN)[0]?.text ?? '').retained, false);
  });

  test('the window follows the receive maximum of the broker', async () => {
    await using broker = await Mosquitto.start(['allow_anonymous true', 'max_inflight_messages 4']);
    await using agent = new Agent(settingsFor(broker.url)).start();
    agent.outbox.appendMany(200);
    await until('all entries', () => agent.outbox.cursor() === 200);
    assert.equal(agent.events.find(({ event }) => event === 'uplink.connected')?.window, 4);
    assert.ok(agent.outbox.largestRead <= 4);
  });

  test('an agent that outlives many brokers keeps nothing of them: no entry is skipped in ten restarts', async () => {
    await using broker = await Mosquitto.start();
    const outbox = new MemoryOutbox();
    await using agent = new Agent(settingsFor(broker.url, { rate: 2_000 }), { outbox }).start();
    for (let round = 1; round <= 10; round += 1) {
      outbox.appendMany(40);
      await until('some entries', () => outbox.cursor() > (round - 1) * 40);
      await broker.kill();
      await broker.up();
    }
    await until('all entries', () => outbox.cursor() === 400);
    assert.ok(agent.events.every(({ level }) => level !== 'error'));
  });
});
