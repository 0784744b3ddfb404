import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, questionsTo, rangeOf } from './fleets.ts';

const LOG = 'attest/v1/gw-1/log';
const CONN = 'attest/v1/gw-1/conn';

test('signals that come while the agent starts are heeded once it runs', { timeout: 60_000 }, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.70.2.1');
  await using gateway = Gateway.create({ devices: [rangeOf(fleet)] });
  const begins = () => until('the store is open', () => existsSync(join(gateway.stateDir, 'assayer.lock')));
  gateway.spawn();
  await begins();
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  rmSync(join(gateway.stateDir, 'assayer.lock'));
  gateway.spawn();
  await begins();
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  const sessions = gateway.log.flatMap((one) => (one.kind === 'session' ? [one.session.event] : []));
  assert.deepEqual(sessions, ['start', 'reload', 'stop', 'start', 'stop']);
  await gateway.verified();
});

test('SIGTERM while the configuration is read again ends the agent all the same, and SIGHUP while it ends does nothing', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.70.5.1');
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)] });
  await gateway.knows(2);
  for (const device of fleet.devices) device.behave('silent');
  const asked = questionsTo(fleet);
  await until('a look that hangs', () => questionsTo(fleet) > asked);
  gateway.signal('SIGHUP');
  gateway.signal('SIGTERM');
  gateway.signal('SIGHUP');
  await until('the end', () => gateway.ended !== undefined, 12_000);
  assert.deepEqual(gateway.ended, { code: 0, signal: null });
  await gateway.verified();
  const sessions = gateway.log.flatMap((one) => (one.kind === 'session' ? [one.session.event] : []));
  assert.equal(sessions.at(-1), 'stop');
});

test('an agent that cannot start ends by itself, says what to mend, and leaves nothing that runs', {
  timeout: 60_000,
}, async () => {
  await using gateway = Gateway.create({ devices: [{ host: '127.70.3.1' }] });
  const refused = async (code: string): Promise<void> => {
    gateway.stderr = '';
    gateway.spawn();
    await until('the end', () => gateway.ended !== undefined);
    assert.deepEqual(gateway.ended, { code: 2, signal: null }, gateway.stderr);
    await until('the remedy', () => gateway.stderr.includes(`[${code}]`));
  };
  gateway.configure({ mqtt: { url: 'mqtts://127.0.0.1:9', ca: 'absent.pem' } });
  await refused('mqtt.credentials');
  gateway.configure({ mqtt: { url: 'mqtt://127.0.0.1:9', spread_s: 0 } });
  mkdirSync(join(gateway.stateDir, 'control.sock'));
  await refused('config.state-dir');
  assert.deepEqual(gateway.events, [], 'neither a look nor the uplink began');
  rmdirSync(join(gateway.stateDir, 'control.sock'));
  await gateway.up();
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
});

test('SIGTERM ends an agent whose broker took the connection and never says a word', { timeout: 60_000 }, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.70.1.1');
  const held: Socket[] = [];
  const mute = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as AddressInfo;
  await using gateway = await Gateway.start({
    devices: [rangeOf(fleet)],
    mqtt: { url: `mqtt://127.0.0.1:${port}`, spread_s: 0 },
  });
  await gateway.knows(1);
  await until('the connection', () => held.length === 1);
  assert.match((await gateway.assayer('status')).out, /uplink: connecting, /);
  assert.deepEqual(await gateway.stop('SIGTERM'), { code: 0, signal: null });
  for (const socket of held) socket.destroy();
  mute.close();
  assertPolite(fleet);
  await gateway.verified();
});

suite('an agent that is told to stop', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('SIGTERM in the middle of a round ends it within seconds with exit 0, presence stopped, and a log that the next start continues', async () => {
    await using fleet = await fleetOf(FAMILIES, '127.70.0.1', { devices: 100 });
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = await Gateway.start({
      devices: [rangeOf(fleet)],
      mqtt: { url: broker.url, spread_s: 0 },
      probe: { exchange_timeout_ms: 20_000, device_timeout_ms: 60_000 },
    });
    await gateway.says('the first round is half over', () => gateway.attestations().length >= 30);
    for (const device of fleet.devices) device.behave('silent');
    await until('online', () => observer.states(CONN).includes('online'));
    await until('looks hang', () => fleet.devices.filter(({ connections }) => connections.size > 0).length >= 10);
    assert.deepEqual(await gateway.stop('SIGTERM'), { code: 0, signal: null });
    await until('presence says stopped', () => observer.states(CONN).at(-1) === 'stopped');
    const first = await gateway.verified();
    assert.deepEqual(JSON.parse(first.at(-1) ?? '').session, { event: 'stop', reason: 'SIGTERM' });

    for (const device of fleet.devices) device.behave('honest');
    await gateway.up();
    await gateway.knows(100, 30_000);
    assert.deepEqual(await gateway.stop('SIGINT'), { code: 0, signal: null });
    const second = await gateway.verified();
    assert.deepEqual(second.slice(0, first.length), first);
    const starts = gateway.log.flatMap((one) =>
      one.kind === 'session' && one.session.event === 'start' ? [{ seq: one.seq, bootcount: one.bootcount }] : [],
    );
    assert.deepEqual(starts, [
      { seq: 0, bootcount: 1 },
      { seq: first.length, bootcount: 2 },
    ]);
    const triggers = gateway.attestations().map(({ evidence }) => evidence.trigger);
    assert.deepEqual([...new Set(triggers)], ['first'], 'what was seen before is not first seen again');
    assert.equal(triggers.length, 100);
    await until('all of it at the broker', () => observer.seqs(LOG).length >= second.length);
    assert.deepEqual(
      observer.on(LOG).map(({ text }) => text),
      second,
    );
    await until('presence says stopped again', () => observer.states(CONN).length >= 4);
    assert.deepEqual(observer.states(CONN), ['online', 'stopped', 'online', 'stopped']);
    assertPolite(fleet);
  });
});
