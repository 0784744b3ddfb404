import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Authority, type Pair } from '../publish/certificates.ts';
import { freePort, Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { plain } from '../shared/collector/bench.ts';
import { CollectorProcess } from './collector-process.ts';
import { SimulatedGateway } from './simulated-gateway.ts';

describe('the certificates of assayer collect (mqtt.md §7)', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-collect-tls-'));
  let authority: Authority;
  let server: Pair;

  before(() => {
    authority = new Authority(folder);
    server = authority.issue('broker', 'IP:127.0.0.1');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const serving = (more: readonly string[] = [], pair = server): Promise<Mosquitto> =>
    Mosquitto.start(
      [
        `cafile ${authority.ca}`,
        `certfile ${pair.cert}`,
        `keyfile ${pair.key}`,
        'tls_version tlsv1.3',
        'require_certificate true',
        'use_identity_as_username true',
        ...more,
      ],
      {},
      ['per_listener_settings true'],
    );
  const secure = ({ port }: Mosquitto): string => `mqtts://127.0.0.1:${port}`;
  const options = ({ cert, key }: Pair) => ['--ca', authority.ca, '--cert', cert, '--key', key];
  const linesOf = (collector: CollectorProcess, event: string) =>
    collector.err
      .split('\n')
      .filter((line) => line.includes(`"${event}"`))
      .map((line) => JSON.parse(line));

  test('renewed files are used without a restart, those that cannot be used change nothing, and the ends of both are told', async () => {
    const port = await freePort();
    await using broker = await serving([`listener ${port} 127.0.0.1`, 'allow_anonymous true']);
    await using gateway = await SimulatedGateway.connect(`mqtt://127.0.0.1:${port}`, plain(20));
    await using collector = new CollectorProcess();
    const files = { cert: join(collector.folder, 'me.pem'), key: join(collector.folder, 'me.key') };
    const put = (pair: Pair): void => {
      copyFileSync(pair.cert, files.cert);
      copyFileSync(pair.key, files.key);
    };
    const first = authority.issue('first', 'DNS:x', { commonName: 'collector-a' });
    put(first);
    collector.start(secure(broker), options(files));
    await until('all are confirmed', () => gateway.isDone);
    const ends = linesOf(collector, 'uplink.certificate-ends');
    const endOf = ({ cert }: Pair) => new Date(new X509Certificate(readFileSync(cert)).validTo).toISOString();
    assert.deepEqual(
      ends.map(({ level, whose, ends_at }) => [level, whose, ends_at]),
      [
        ['error', 'client', endOf(first)],
        ['error', 'broker', endOf(server)],
      ],
    );

    put(authority.issue('ended', 'DNS:x', { commonName: 'collector-a', days: -1 }));
    collector.signal('SIGHUP');
    await until('the refusal', () => collector.events().includes('uplink.renewal-refused'));
    assert.match(linesOf(collector, 'uplink.renewal-refused')[0].message, /the new client certificate ended on/);
    assert.equal(linesOf(collector, 'collect.connected').length, 1);

    put(authority.issue('second', 'DNS:x', { commonName: 'collector-a' }));
    collector.signal('SIGHUP');
    await until('a second connection', () => linesOf(collector, 'collect.connected').length === 2);
    assert.equal(linesOf(collector, 'uplink.renewed').length, 1);
    assert.deepEqual(await collector.stop(), { code: 0, signal: null });
  });

  test('a broker under another name is refused, whatever the environment says, with what to do', async () => {
    await using broker = await serving([], authority.issue('elsewhere', 'DNS:broker.example'));
    await using collector = new CollectorProcess();
    const mine = authority.issue('mine', 'DNS:x', { commonName: 'collector-a' });
    collector.start(secure(broker), options(mine), { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    await until('the refusal', () => collector.events().includes('uplink.tls'));
    const [line] = linesOf(collector, 'uplink.tls');
    assert.equal(line.level, 'error');
    assert.match(
      `${line.message}; ${line.remedy}`,
      /is for another name: .*; use in <broker-url> a name that is in the certificate/,
    );
    assert.equal(collector.events().includes('collect.connected'), false);
    assert.equal(broker.log.includes('collector-a'), false, 'no CONNECT was sent');
  });
});
