import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createServer } from 'node:tls';
import { Renewal } from '../../agent/publish/renewal.ts';
import { Agent, settingsFor } from './agents.ts';
import { Authority } from './certificates.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { until } from './observer.ts';

suite('TLS to Mosquitto (mqtt.md §7)', { skip: WITHOUT_MOSQUITTO, timeout: 60_000 }, () => {
  const folders: string[] = [];
  const authority = (): Authority => {
    const folder = mkdtempSync(join(tmpdir(), 'assayer-tls-'));
    folders.push(folder);
    return new Authority(folder);
  };
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  const ours = WITHOUT_MOSQUITTO === false ? authority() : undefined;
  const issue = (name: string, san: string) => {
    if (ours === undefined) throw new Error('no authority');
    return { ca: ours.ca, ...ours.issue(name, san) };
  };
  const serving = (
    server: { readonly ca: string; readonly cert: string; readonly key: string },
    more: readonly string[] = [],
  ) =>
    Mosquitto.start([
      'allow_anonymous true',
      `cafile ${server.ca}`,
      `certfile ${server.cert}`,
      `keyfile ${server.key}`,
      ...more,
    ]);
  const secure = ({ port }: Mosquitto, host = '127.0.0.1'): string => `mqtts://${host}:${port}`;

  const MUTUAL = ['require_certificate true', 'use_identity_as_username true', 'use_username_as_clientid true'];
  const messageOf = (agent: Agent, event: string): string =>
    String(agent.events.find((line) => line.event === event)?.message ?? '');

  test('both sides show a certificate, TLS 1.3, and entries flow', async () => {
    const server = issue('broker', 'IP:127.0.0.1');
    const client = issue('gw-1', 'DNS:gw-1');
    await using broker = await serving(server, [...MUTUAL, 'tls_version tlsv1.3']);
    await using agent = new Agent(
      settingsFor(secure(broker), { ca: client.ca, cert: client.cert, key: client.key }),
    ).start();
    agent.outbox.appendMany(100);
    await until('all entries', () => agent.outbox.cursor() === 100);
    assert.equal(agent.uplink.status().insecure, false);
  });

  test('a broker under another authority is refused, alarmed once, and tried again', async () => {
    const stranger = authority();
    await using broker = await serving({ ca: stranger.ca, ...stranger.issue('broker', 'IP:127.0.0.1') });
    await using agent = new Agent(settingsFor(secure(broker), { ca: issue('unused', 'DNS:unused').ca })).start();
    const refusals = () => agent.events.filter(({ event }) => event === 'uplink.tls');
    await until('two refusals', () => refusals().length >= 2);
    assert.deepEqual(
      refusals()
        .slice(0, 2)
        .map(({ level }) => level),
      ['error', 'warn'],
    );
    assert.match(messageOf(agent, 'uplink.tls'), /SELF_SIGNED|UNABLE_TO/);
    assert.equal(broker.log.includes('gw-1'), false, 'no CONNECT was sent');
  });

  test('a certificate for another host name is refused, and NODE_TLS_REJECT_UNAUTHORIZED changes nothing', async () => {
    const server = issue('elsewhere', 'DNS:broker.example');
    await using broker = await serving(server);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca })).start();
      await until('a refusal', () => agent.saw('uplink.tls'));
      assert.match(messageOf(agent, 'uplink.tls'), /ERR_TLS_CERT_ALTNAME_INVALID/);
      assert.equal(agent.saw('uplink.connected'), false);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  test('a host name is checked against the certificate like an address', async () => {
    const server = issue('localhost', 'DNS:localhost');
    await using broker = await serving(server);
    await using agent = new Agent(settingsFor(secure(broker, 'localhost'), { ca: server.ca })).start();
    await until('a connection', () => agent.saw('uplink.connected'));
  });

  test('a broker that asks for a client certificate and gets none is an alarm about TLS', async () => {
    const server = issue('strict', 'IP:127.0.0.1');
    await using broker = await serving(server, MUTUAL);
    await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca })).start();
    await until('a refusal', () => agent.saw('uplink.tls'));
    assert.equal(agent.saw('uplink.connected'), false);
  });

  test('TLS 1.2 is refused unless it is configured', async () => {
    const { ca, cert, key } = issue('old', 'IP:127.0.0.1');
    const reached: string[] = [];
    const server = createServer(
      { cert: readFileSync(cert), key: readFileSync(key), maxVersion: 'TLSv1.2' },
      (socket) => {
        reached.push(`${socket.getProtocol()} ${socket.getCipher().name}`);
        socket.destroy();
      },
    );
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `mqtts://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await using strict = new Agent(settingsFor(url, { ca })).start();
      await until('a refusal', () => strict.saw('uplink.tls'));
      assert.deepEqual(reached, []);
      await using lenient = new Agent(settingsFor(url, { ca, tls_min: '1.2' })).start();
      await until('a handshake', () => reached.length > 0);
      assert.match(reached[0] ?? '', /^TLSv1\.2 ECDHE-ECDSA-.*(GCM|CHACHA20)/);
      assert.equal(lenient.saw('uplink.tls'), false);
    } finally {
      server.close();
    }
  });

  test('a renewed client certificate is used at the next connect', async () => {
    const server = issue('renewing', 'IP:127.0.0.1');
    const wrong = authority().issue('gw-1', 'DNS:gw-1');
    await using broker = await serving(server, MUTUAL);
    const files = { cert: join(broker.folder, 'gw.pem'), key: join(broker.folder, 'gw.key') };
    copyFileSync(wrong.cert, files.cert);
    copyFileSync(wrong.key, files.key);
    await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca, ...files })).start();
    await until('a refusal', () => agent.saw('uplink.tls'));
    const right = issue('gw-1', 'DNS:gw-1');
    copyFileSync(right.cert, files.cert);
    copyFileSync(right.key, files.key);
    await until('a connection', () => agent.saw('uplink.connected'));
  });

  test('renewed files replace the ones in use without a restart; files that cannot be used change nothing', async () => {
    const server = issue('watching', 'IP:127.0.0.1');
    await using broker = await serving(server, MUTUAL);
    const files = { cert: join(broker.folder, 'gw.pem'), key: join(broker.folder, 'gw.key') };
    const put = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
      copyFileSync(cert, files.cert);
      copyFileSync(key, files.key);
    };
    put(issue('gw-1', 'DNS:gw-1'));
    await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca, ...files })).start();
    const connects = () => agent.events.filter(({ event }) => event === 'uplink.connected').length;
    await until('a connection', () => connects() === 1);
    agent.uplink.renew();
    assert.equal(agent.saw('uplink.renewed'), false, 'the same files are not renewed ones');

    copyFileSync(issue('other', 'DNS:other').key, files.key);
    agent.uplink.renew();
    agent.uplink.renew();
    const refusals = agent.events.filter(({ event }) => event === 'uplink.renewal-refused');
    assert.deepEqual(
      refusals.map(({ level }) => level),
      ['error'],
      'told once',
    );
    assert.equal(agent.uplink.status().state, 'connected', 'the former pair still serves');

    put(issue('other', 'DNS:other'));
    agent.uplink.renew();
    const refused = agent.events.filter(({ event }) => event === 'uplink.renewal-refused');
    assert.match(String(refused.at(-1)?.message), /is of "other", the one in use of "gw-1"/);
    assert.equal(connects(), 1, 'nor does it become another client');

    put(issue('gw-1', 'DNS:gw-1'));
    agent.uplink.renew();
    await until('a second connection', () => connects() === 2);
    agent.outbox.appendMany(10);
    await until('entries over it', () => agent.outbox.cursor() === 10);
    assert.equal(agent.saw('uplink.tls'), false);
  });

  test('files that are broken while there is no connection keep the former ones in use', async () => {
    const server = issue('returning', 'IP:127.0.0.1');
    await using broker = await serving(server, MUTUAL);
    const files = { cert: join(broker.folder, 'gw.pem'), key: join(broker.folder, 'gw.key') };
    const pair = issue('gw-1', 'DNS:gw-1');
    copyFileSync(pair.cert, files.cert);
    copyFileSync(pair.key, files.key);
    await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca, ...files })).start();
    const connects = () => agent.events.filter(({ event }) => event === 'uplink.connected').length;
    await until('a connection', () => connects() === 1);
    await broker.kill();
    writeFileSync(files.cert, 'half a cert');
    rmSync(files.key);
    await broker.up();
    await until('a second connection', () => connects() === 2);
    assert.ok(agent.saw('uplink.renewal-refused'));
  });

  test('the end of the broker’s certificate is told when it is shown, with whose it is', async () => {
    const server = issue('ending', 'IP:127.0.0.1');
    await using broker = await serving(server);
    await using agent = new Agent(settingsFor(secure(broker), { ca: server.ca })).start();
    await until('a warning', () => agent.saw('uplink.certificate-ends'));
    const [told, ...more] = agent.events.filter(({ event }) => event === 'uplink.certificate-ends');
    const ends = new X509Certificate(readFileSync(server.cert)).validTo;
    assert.deepEqual([told?.level, told?.whose, told?.ends_at], ['error', 'broker', new Date(ends).toISOString()]);
    assert.deepEqual(more, [], 'once');
  });

  test('the end of a client certificate is told 30, 7 and 1 days before, once each', () => {
    const client = issue('gw-1', 'DNS:gw-1');
    const endsMs = Date.parse(new X509Certificate(readFileSync(client.cert)).validTo);
    const told: string[] = [];
    let leftDays = 31;
    const renewal = new Renewal({
      settings: settingsFor('mqtts://127.0.0.1:8883', { ca: client.ca, cert: client.cert, key: client.key }),
      gateway: 'gw-1',
      clock: { wallMs: () => endsMs - leftDays * 86_400_000 },
      emit: (level, event) => told.push(`${leftDays} ${level} ${event}`),
    });
    for (leftDays of [31, 30, 29, 8, 7, 6, 1, 0.5, -1]) renewal.check();
    assert.deepEqual(told, [
      '30 warn uplink.certificate-ends',
      '7 error uplink.certificate-ends',
      '1 error uplink.certificate-ends',
    ]);
  });

  test('a key that does not belong to its certificate stops the start with a remedy', () => {
    const one = issue('one', 'DNS:one');
    const other = issue('other', 'DNS:other');
    const mixed = settingsFor('mqtts://127.0.0.1:8883', { ca: one.ca, cert: one.cert, key: other.key });
    assert.throws(() => new Agent(mixed), { code: 'mqtt.credentials', remedy: /openssl/ });
    const problems: readonly (readonly [file: string, message: RegExp, remedy: RegExp])[] = [
      [
        '/nowhere/ca.pem',
        /ENOENT/,
        /put the file there, or name the one that is meant: mqtt\.ca, for a collector --ca/,
      ],
      [`${one.ca}/ca.pem`, /ENOTDIR/, /put the file there/],
      [`/${'x'.repeat(300)}`, /ENAMETOOLONG/, /make .* readable by the user of this program/],
      ['/dev', /no regular file/, /name a PEM file as mqtt\.ca/],
    ];
    for (const [ca, message, remedy] of problems) {
      const settings = settingsFor('mqtts://127.0.0.1:8883', { ca });
      assert.throws(() => new Agent(settings), { code: 'mqtt.credentials', message, remedy });
    }
  });
});
