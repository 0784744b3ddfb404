import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Authority } from '../publish/certificates.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { brokerPasswords } from './broker-passwords.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

const LOG = 'attest/v1/gw-1/log';

/** A session that outlives the broker, so that the observer misses nothing that the broker takes. */
const LASTING = ['persistence true', 'persistence_location #/', 'autosave_on_changes true', 'autosave_interval 1'];
const SESSION = { clean: false, properties: { sessionExpiryInterval: 3600 } };

suite('what a broker may do to the real agent', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('a broker that closes, is away, comes, is killed and returns gets every entry, in order and byte for byte', async () => {
    await using fleet = await fleetOf(FAMILIES, '127.66.0.1');
    await using broker = await Mosquitto.start(['allow_anonymous true', ...LASTING]);
    await using observer = await Observer.connect(broker.url, SESSION);
    await until('the session of the observer is on disk', () => isSaved(broker));
    await broker.kill();
    const closing = createServer((socket) => socket.once('data', () => socket.end())).listen(broker.port, '127.0.0.1');
    await once(closing, 'listening');

    await using gateway = await Gateway.start({
      devices: [rangeOf(fleet)],
      mqtt: { url: broker.url, spread_s: 0 },
    });
    await gateway.event('uplink.closed');
    closing.close();
    await until('a refused connect', () =>
      gateway.eventsOf('uplink.network').some(({ message }) => /ECONNREFUSED/.test(String(message))),
    );
    assert.match(
      await status(gateway),
      /uplink: (waiting|connecting), .* 0 of \d+ entries .* last error: .*ECONNREFUSED/,
    );

    await broker.up();
    await gateway.knows(5);
    await until('the first entries', () => observer.seqs(LOG).length >= 7);
    await broker.kill();
    fleet.device(1).changePoolUser(0, 'thief.x');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
    assert.match(await status(gateway), /uplink: (waiting|connecting), .* waiting,/);

    await broker.up();
    await until('the theft at the observer', () => heardTheft(observer), 40_000);
    assert.match(await status(gateway), /uplink: connected, .* MQTT 5, /);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await arrived(gateway, observer);
    assertPolite(fleet);
  });

  test('a broker with a certificate of another authority, then one that knows another password: status says why, nothing is lost', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.66.1.1');
    await using gateway = Gateway.create({ devices: [rangeOf(fleet)] });
    const [ours, theirs] = ['ours', 'theirs'].map((name) => {
      const folder = join(gateway.folder, name);
      mkdirSync(folder);
      return { authority: new Authority(folder), folder };
    });
    assert.ok(ours !== undefined && theirs !== undefined);
    const good = ours.authority.issue('broker', 'IP:127.0.0.1');
    const foreign = theirs.authority.issue('broker', 'IP:127.0.0.1');

    await using broker = await Mosquitto.start(
      [
        'allow_anonymous false',
        'password_file #/passwords',
        `cafile ${ours.authority.ca}`,
        'certfile #/server.pem',
        'keyfile #/server.key',
        ...LASTING,
      ],
      { passwords: brokerPasswords({ observer: 'o', 'gw-1': 'not this one' }), ...pair(foreign) },
    );
    gateway.configure({
      mqtt: {
        url: `mqtts://127.0.0.1:${broker.port}`,
        ca: ours.authority.ca,
        password_file: gateway.write('password', 'correct horse\n'),
        spread_s: 0,
      },
    });
    await gateway.up();
    const distrust = await gateway.event('uplink.tls');
    assert.equal(distrust.level, 'error');
    assert.match(await status(gateway), /last error: .*(SELF_SIGNED|UNABLE_TO_VERIFY|certificate)/);

    await broker.kill();
    for (const [name, text] of Object.entries(pair(good))) broker.write(name, text);
    await broker.up();
    const refused = await gateway.event('uplink.refused', { withinMs: 30_000 });
    assert.equal(refused.level, 'error');
    assert.match(await status(gateway), /last error: the broker refused with reason 0x8[67]/);

    await broker.kill();
    broker.write('passwords', brokerPasswords({ observer: 'o', 'gw-1': 'correct horse' }));
    await broker.up();
    await using observer = await Observer.connect(`mqtts://127.0.0.1:${broker.port}`, {
      ...SESSION,
      username: 'observer',
      password: 'o',
      rejectUnauthorized: false,
    });
    await until('entries', () => observer.seqs(LOG).length >= 3, 60_000);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await arrived(gateway, observer);
    for (const said of [gateway.stderr, ...observer.heard.map(({ text }) => text)])
      assert.ok(!said.includes('correct horse'));
    assertPolite(fleet);
  });

  test('a broker whose access list forgets the log: entries wait, status says why, and arrive when it is mended', async () => {
    const rules =
      'user observer\ntopic readwrite #\npattern readwrite attest/v1/%c/conn\npattern write attest/v1/%c/dev/+\n';
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.66.2.1');
    await using broker = await Mosquitto.start(['allow_anonymous true', 'acl_file #/acl', ...LASTING], { acl: rules });
    await using observer = await Observer.connect(broker.url, { ...SESSION, username: 'observer' });
    await using gateway = await Gateway.start({
      devices: [rangeOf(fleet)],
      mqtt: { url: broker.url, spread_s: 0 },
    });
    const held = await gateway.event('uplink.not-authorised');
    assert.equal(held.level, 'error');
    await gateway.knows(1);
    await until('the session of the observer is on disk', () => isSaved(broker));
    assert.match(await status(gateway), /uplink: connected, .* 0 of \d+ entries .* waits: .*access list/);
    assert.deepEqual(observer.on(LOG), []);

    await broker.kill();
    broker.write('acl', `${rules}pattern write attest/v1/%c/log\n`);
    await broker.up();
    await until('entries', () => observer.seqs(LOG).length >= 3, 60_000);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await arrived(gateway, observer);
    assertPolite(fleet);
  });
});

const status = async (gateway: Gateway): Promise<string> => {
  const { code, out, err } = await gateway.assayer('status');
  assert.equal(code, 0, err);
  return out;
};

/** Client and subscription are records of their own, each with the name. */
const isSaved = ({ folder }: Mosquitto): boolean => {
  const file = join(folder, 'mosquitto.db');
  return existsSync(file) && readFileSync(file, 'latin1').split('observer').length > 2;
};

const heardTheft = (observer: Observer): boolean =>
  observer.on(LOG).some(({ text }) => text.includes('"kind":"finding"') && text.includes('pool.user-changed'));

/** Every entry of the log came, in order, each with the bytes that the store holds; presence ends with `stopped`. */
const arrived = async (gateway: Gateway, observer: Observer): Promise<void> => {
  const messages = await gateway.verified();
  await until('the last entry', () => observer.seqs(LOG).at(-1) === messages.length - 1);
  const first = observer.on(LOG).filter(({ text }, at, all) => all.findIndex((other) => other.text === text) === at);
  assert.deepEqual(
    first.map(({ text }) => text),
    messages,
  );
  await until('stopped', () => observer.states('attest/v1/gw-1/conn').at(-1) === 'stopped');
};

/** Certificate and key under the names that the broker's configuration has. */
const pair = ({ cert, key }: { readonly cert: string; readonly key: string }) => ({
  'server.pem': readFileSync(cert, 'utf8'),
  'server.key': readFileSync(key, 'utf8'),
});
