import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { AgentError } from '../../agent/platform/errors.ts';
import { Allowance } from '../../agent/publish/allowance.ts';
import { brokersOf, checkBroker, type MqttSettings } from '../../agent/publish/broker.ts';
import { describeEnding, type Ending, REASON } from '../../agent/publish/ending.ts';
import { foreignOnline, Sessions } from '../../agent/publish/presence.ts';
import { remedyOf } from '../../agent/publish/remedy.ts';
import { Rivals } from '../../agent/publish/rivals.ts';
import { Route } from '../../agent/publish/route.ts';
import { TIMING } from '../../agent/publish/timing.ts';
import type { Progress } from '../../agent/publish/tls.ts';
import { topicsOf } from '../../agent/publish/topics.ts';
import { endingOf } from '../../agent/publish/trouble.ts';
import { isId } from '../../shared/ids.ts';
import { settingsFor } from './agents.ts';

suite('topics (mqtt.md §2)', () => {
  test('names are formed of prefix, gateway, device and severity', () => {
    const topics = topicsOf('acme/attest', 'tx1-gw3');
    assert.equal(topics.log, 'acme/attest/v1/tx1-gw3/log');
    assert.equal(topics.conn, 'acme/attest/v1/tx1-gw3/conn');
    assert.equal(topics.dev('mac-021a2b3c4d5e'), 'acme/attest/v1/tx1-gw3/dev/mac-021a2b3c4d5e');
    assert.equal(topics.finding('high'), 'acme/attest/v1/tx1-gw3/finding/high');
  });

  test('an id has no character that brokers treat in their own way', () => {
    for (const id of ['a', 'tx1-gw3', '0', 'a'.repeat(63)]) assert.equal(isId(id), true, id);
    for (const id of ['', '-a', 'A', 'a/b', 'a+', 'a#', '$a', 'a_b', 'é', 'a'.repeat(64), 'a\n']) {
      assert.equal(isId(id), false, JSON.stringify(id));
    }
    assert.throws(() => topicsOf('a/b/c', 'gw'));
    assert.throws(() => topicsOf('attest', 'gw/+'));
    assert.throws(() => topicsOf('attest', 'gw').dev('#'));
  });
});

suite('which brokers are allowed (mqtt.md §7)', () => {
  const refuses = (url: string, more: Partial<MqttSettings>, message: RegExp): void =>
    assert.throws(
      () => checkBroker(settingsFor(url, more)),
      (error) =>
        error instanceof AgentError &&
        error.code === 'mqtt.broker' &&
        message.test(error.message) &&
        error.remedy !== '',
    );

  test('clear text is for the loopback, or for whoever insists', () => {
    for (const url of ['mqtt://127.0.0.1:1883', 'mqtt://127.8.9.1', 'mqtt://[::1]:1883', 'mqtt://localhost'])
      checkBroker(settingsFor(url));
    for (const url of [
      'mqtt://10.0.0.1',
      'mqtt://broker.example.org',
      'mqtt://[fd00::1]',
      'mqtt://localhost.example.org',
    ]) {
      refuses(url, {}, /clear text/);
      checkBroker(settingsFor(url, { insecure: true }));
    }
    refuses('mqtt://127.0.0.1', { urls: ['mqtt://10.0.0.1'] }, /10\.0\.0\.1.*clear text/);
  });

  test('TLS names its authority, and a certificate has its key', () => {
    refuses('mqtts://broker.example.org', {}, /no certificate authority/);
    refuses('mqtts://broker.example.org', { ca: 'ca.pem', cert: 'gw.pem' }, /cert and key/);
    refuses('mqtt://127.0.0.1', { cert: 'gw.pem', key: 'gw.key' }, /would not be used/);
    checkBroker(settingsFor('mqtts://broker.example.org', { ca: 'ca.pem', cert: 'gw.pem', key: 'gw.key' }));
  });

  test('a URL is a host and a port; credentials in it are refused and not repeated', () => {
    refuses('https://broker.example.org', {}, /not a broker URL/);
    refuses('broker.example.org', {}, /not a broker URL/);
    refuses('mqtt://127.0.0.1/path', {}, /more than a host/);
    assert.throws(
      () => checkBroker(settingsFor('mqtt://user:hunter2@127.0.0.1')),
      (error) => error instanceof AgentError && !`${error.message} ${error.remedy}`.includes('hunter2'),
    );
    refuses('mqtt://127.0.0.1', { prefix: 'a/b/c' }, /topic prefix/);
  });

  test('ports have the defaults of the protocol', () => {
    const settings = settingsFor('mqtts://Broker.Example.org', {
      ca: 'ca.pem',
      urls: ['mqtt://127.0.0.1', 'mqtt://[::1]:1'],
    });
    assert.deepEqual(
      brokersOf(settings).map(({ host, port, tls }) => [host, port, tls]),
      [
        ['Broker.Example.org', 8883, true],
        ['127.0.0.1', 1883, false],
        ['::1', 1, false],
      ],
    );
  });
});

suite('reconnect (mqtt.md §6)', () => {
  const network: Ending = { kind: 'network', message: 'ECONNREFUSED' };
  const refused = (reason: number, serverReference?: string): Ending => ({
    kind: 'refused',
    reason,
    ...(serverReference === undefined ? {} : { serverReference }),
  });
  const most = (more: Partial<MqttSettings> = {}): Route =>
    new Route(settingsFor('mqtt://127.0.0.1:1', more), TIMING, () => 1);
  const pauses = (route: Route, ending: Ending, count: number): readonly number[] =>
    Array.from({ length: count }, () => route.after(ending, 0).pauseMs);

  test('the ceiling doubles from 1 s to 60 s, and the pause is anywhere below it', () => {
    assert.deepEqual(pauses(most(), network, 8), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const least = new Route(settingsFor('mqtt://127.0.0.1:1'), TIMING, () => 0);
    assert.deepEqual(pauses(least, network, 3), [0, 0, 0]);
  });

  test('only a connection that lasted a minute resets it', () => {
    const route = most();
    pauses(route, network, 5);
    assert.equal(route.after({ kind: 'closed', connected: true }, 59_999).pauseMs, 32_000);
    assert.equal(route.after({ kind: 'closed', connected: true }, 60_000).pauseMs, 1_000);
  });

  test('a "no" waits up to 15 min, a busy broker up to 5 min, another agent 15 min', () => {
    const last = (ending: Ending): number | undefined => pauses(most({ protocol: '5' }), ending, 12).at(-1);
    for (const reason of [0x84, 0x85, 0x86, 0x87]) assert.equal(last(refused(reason)), 900_000);
    for (const reason of [0x88, 0x89, 0x8b, 0x97, 0x9f]) assert.equal(last(refused(reason)), 300_000);
    assert.equal(last({ kind: 'tls', message: '' }), 900_000);
    assert.equal(last(refused(0x8e)), 60_000);
    assert.equal(most().after({ kind: 'rival', session: 'x.1' }, 0).pauseMs, 900_000);
    assert.equal(most().after({ kind: 'foreign', session: 'x.1' }, 0).pauseMs, 30_000);
  });

  test('brokers are tried in turn; a stable one is tried again first', () => {
    const route = most({ urls: ['mqtt://127.0.0.2:2', 'mqtt://127.0.0.3:3'] });
    const ports: number[] = [];
    for (let tries = 0; tries < 4; tries += 1) {
      ports.push(route.next().broker.port);
      route.after(network, 0);
    }
    assert.deepEqual(ports, [1, 2, 3, 1]);
    const before = route.next().broker.port;
    route.after({ kind: 'closed', connected: true }, 60_000);
    assert.equal(route.next().broker.port, before);
    route.after({ kind: 'left' }, 3_600_000);
    assert.equal(route.next().broker.port, 1);
  });

  test('another server is followed only if it is in the list', () => {
    const route = most({ urls: ['mqtt://127.0.0.2:2', 'mqtt://127.0.0.3:3'] });
    route.after(refused(0x9d, '127.0.0.3:3'), 0);
    assert.equal(route.next().broker.port, 3);
    route.after(refused(0x9c, 'evil.example:1883'), 0);
    assert.equal(route.next().broker.port, 1, 'the next of the list');
  });

  test('a broker that keeps no retained messages is asked once more without a retained will', () => {
    const route = most();
    assert.deepEqual(route.after(refused(0x9a), 0), { pauseMs: 0, otherwise: true });
    assert.equal(route.next().retainedWill, false);
    assert.equal(route.after(refused(0x9a), 0).otherwise, false);
  });

  test('a broker that closes without a word is asked once with 3.1.1, then the next of the list', () => {
    const hops = (protocol: 'auto' | '5'): readonly string[] => {
      const route = most({ urls: ['mqtt://127.0.0.2:2'], protocol });
      return Array.from({ length: 4 }, () => {
        const hop = route.next();
        route.after({ kind: 'closed', connected: false }, 0);
        return `${hop.broker.port} ${hop.protocol}`;
      });
    };
    assert.deepEqual(hops('auto'), ['1 5', '1 3.1.1', '2 5', '2 3.1.1']);
    assert.deepEqual(hops('5'), ['1 5', '2 5', '1 5', '2 5']);
  });

  test('no two answers of a broker make the agent connect again and again without a pause', () => {
    const route = most();
    const immediate = [0x84, 0x84, 0x9a, 0x84, 0x9a, 0x84].map(
      (reason) => route.after(refused(reason), 0).pauseMs === 0,
    );
    assert.ok(immediate.filter(Boolean).length <= 4, JSON.stringify(immediate));
    assert.equal(immediate[1], false, 'both versions refused');
  });
});

suite('who speaks under this identity (mqtt.md §4)', () => {
  const sessions = new Sessions('c2VlZA', (bootseed) => bootseed === 'b2xk');
  sessions.next();
  sessions.next();
  const foreign = (presence: object): string | undefined =>
    foreignOnline(Buffer.from(JSON.stringify({ state: 'online', at: 1_000, ...presence })), sessions, 1_100, 1_200)
      ?.session;

  test('sessions of this start that were used, and those of earlier starts, are our own', () => {
    for (const session of ['c2VlZA.1', 'c2VlZA.2', 'b2xk.99']) assert.equal(foreign({ session }), undefined, session);
    for (const session of ['c2VlZA.3', 'c2VlZA.0', 'c2VlZA.x', 'Zm9yZWlnbg.1', 'nodot'])
      assert.equal(foreign({ session }), session);
  });

  test('one that ended, one long silent and what is no presence are nobody', () => {
    for (const state of ['stopped', 'lost']) assert.equal(foreign({ session: 'Zm9yZWlnbg.1', state }), undefined);
    assert.equal(foreign({ session: 'Zm9yZWlnbg.1', at: -101 }), undefined);
    for (const text of ['', '{', 'null', '[]', '{"session":1}', '\u0000']) {
      assert.equal(foreignOnline(Buffer.from(text), sessions, 1_100, 1_200), undefined, text);
    }
    assert.equal(foreign({ session: 'x'.repeat(200) })?.length, 128);
    assert.equal(foreign({ session: 'x'.repeat(10_000) }), undefined, 'no agent of ours has such a session');
  });

  test('somebody who says twice that he is online is a rival; what is said once, and not again while it is listened, is nobody', () => {
    let nowMs = 1_000_000;
    const clock = { wallMs: () => nowMs, monoMs: () => nowMs };
    const rivals = () => new Rivals({ sessions, clock, timing: TIMING });
    const online = (session: string, at: number) => Buffer.from(JSON.stringify({ state: 'online', session, at }));

    const alive = rivals();
    assert.deepEqual(alive.hear(online('Zm9y.1', 990)), { session: 'Zm9y.1', proven: false });
    assert.deepEqual(alive.hear(online('Zm9y.1', 990)), { session: 'Zm9y.1', proven: false }, 'delivered twice');
    assert.deepEqual(alive.hear(online('Zm9y.1', 1_020)), { session: 'Zm9y.1', proven: true }, 'it repeated itself');
    nowMs += TIMING.rivalMs;
    assert.deepEqual(alive.hear(online('Zm9y.1', 1_020)), { session: 'Zm9y.1', proven: false }, 'it may be gone since');
    alive.dismiss();
    assert.equal(alive.hear(online('Zm9y.1', 1_020)), undefined);
    assert.deepEqual(alive.hear(online('Zm9y.2', 1_900)), { session: 'Zm9y.2', proven: true }, 'it came back');

    const left = rivals();
    left.dismiss();
    assert.deepEqual(left.hear(online('Zm9y.1', 1_900)), { session: 'Zm9y.1', proven: false });
    left.dismiss();
    assert.equal(left.hear(online('Zm9y.1', 1_900)), undefined);
    assert.equal(left.hear(Buffer.from('{"state":"lost","session":"Zm9y.1","at":1900}')), undefined);
  });
});

test('every state of the pump and of a connection (mqtt.md §4, §5) has an event that the documents name', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'events.md'), 'utf8');
  const named = new Set([...page.matchAll(/^\| `([a-z.-]+)`/gm)].map(([, name]) => name));
  const states = {
    'it sends': 'uplink.connected',
    'nobody is there, the first entries are tried': 'uplink.no-collector',
    'a collector came': 'uplink.collector-online',
    'it went, or is silent': 'uplink.collector-away',
    'what was sent is not acknowledged': 'uplink.collector-behind',
    'entries are sent again, for a gap or without progress': 'uplink.sends-again',
    'a collector lacks what it had': 'uplink.collector-restored',
    'a collector has another log': 'uplink.fork',
    'a collector has more than there is': 'uplink.ack-ahead',
    'an acknowledgement cannot be read': 'uplink.ack-unreadable',
    'the broker refuses entries': 'uplink.not-authorised',
    'an entry is larger than the broker takes': 'uplink.entry-too-large',
    'no entry of usual size would pass': 'uplink.packet-limit',
    'entries are gone that somebody lacks': 'uplink.pruned',
    'entries go on': 'uplink.goes-on',
    'two agents have one identity': 'uplink.rival',
    'they may have': 'uplink.foreign',
    'the broker says no': 'uplink.refused',
    'the broker is silent': 'uplink.timeout',
    'the broker closes': 'uplink.closed',
    'there is no way to the broker': 'uplink.network',
    'certificates do not fit': 'uplink.tls',
  };
  for (const [state, event] of Object.entries(states)) assert.ok(named.has(event), `${state}: ${event}`);
});

suite('rate cap', () => {
  test('after a burst of a tenth of a second the average holds', () => {
    const allowance = new Allowance(200, 0);
    let sent = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 1) {
      while (allowance.take(nowMs) === 0) sent += 1;
    }
    assert.ok(sent >= 2_000 && sent <= 2_021, String(sent));
  });

  test('it says after how long there is one more', () => {
    const allowance = new Allowance(10, 0);
    assert.equal(allowance.take(0), 0);
    assert.equal(allowance.take(0), 100);
    assert.equal(allowance.take(100), 0);
  });

  test('a clock that is set back takes nothing away', () => {
    const allowance = new Allowance(10, 7_200_000);
    assert.equal(allowance.take(7_200_000), 0);
    assert.equal(allowance.take(0), 100);
    assert.equal(allowance.take(100), 0);
  });
});

suite('why there is no connection, and what to do', () => {
  const broker = { host: 'b.example', port: 8883, tls: true };
  const explained = (
    code: string,
    waitsFor: Progress['waitsFor'],
    tls = true,
    message = 'in the words of the library',
  ) => {
    const ending = endingOf(Object.assign(new Error(message), { code }), { ...broker, tls }, { waitsFor });
    return `${ending.kind}: ${describeEnding(ending)}; ${remedyOf(ending)}`;
  };

  test('codes of sockets, of Node and of OpenSSL, in its names of 3.0 and of 3.5', () => {
    const cases: readonly (readonly [RegExp, ...Parameters<typeof explained>])[] = [
      [
        /^network: b\.example does not resolve: the name service does not answer \(EAI_AGAIN\); correct the host/,
        'EAI_AGAIN',
        'TCP connection',
      ],
      [
        /^network: there is no way to b\.example \(EHOSTUNREACH\); check the host in url, and route/,
        'EHOSTUNREACH',
        'TCP connection',
      ],
      [/^network: b\.example does not answer \(ETIMEDOUT\)/, 'ETIMEDOUT', 'TCP connection'],
      [/^network: port 8883 of b\.example broke off \(ECONNRESET\)/, 'ECONNRESET', 'TCP connection'],
      [/^network: .* broke off the TLS handshake \(ECONNRESET\); check that the port/, 'ECONNRESET', 'TLS handshake'],
      [/^network: .* as one that refuses our certificate may \(EPIPE\)/, 'EPIPE', 'CONNACK'],
      [/^network: .* as one for TLS does \(ECONNRESET\)/, 'ECONNRESET', 'CONNACK', false],
      [/^network: no connection to port 8883 of b\.example \(EMFILE\)/, 'EMFILE', 'TCP connection'],
      [
        /^tls: .*refuses our client certificate: bad certificate .*issue the client certificate anew/,
        'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
        'CONNACK',
      ],
      [/^tls: .*refuses our client certificate: bad certificate/, 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'CONNACK'],
      [/^tls: .*our client certificate was withdrawn/, 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'CONNACK'],
      [
        /^tls: .*our client certificate has ended .*renew the client certificate/,
        'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
        'CONNACK',
      ],
      [/^tls: .*no version of TLS .*; enable TLS 1\.3/, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'TLS handshake'],
      [
        /^tls: .*no cipher or certificate .*; look at the log/,
        'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        'TLS handshake',
      ],
      [/^tls: .*has ended \(CERT_HAS_EXPIRED\)/, 'CERT_HAS_EXPIRED', 'TLS handshake'],
      [
        /^tls: the first line \(ERR_SSL_OTHER\); check ca, cert, key and tls_min$/,
        'ERR_SSL_OTHER',
        'TLS handshake',
        true,
        'the first line\nthe second',
      ],
    ];
    for (const [expected, ...how] of cases) assert.match(explained(...how), expected);
  });

  test('every other ending has a remedy, too', () => {
    const endings: readonly Ending[] = [
      { kind: 'timeout', waitedFor: 'TCP connection' },
      { kind: 'timeout', waitedFor: 'PUBACK' },
      { kind: 'closed', connected: true },
      { kind: 'closed', connected: false },
      { kind: 'protocol', message: 'x' },
      { kind: 'limit', message: 'x' },
      { kind: 'store', message: 'x' },
      { kind: 'rival', session: 'x.1' },
      { kind: 'foreign', session: 'x.1' },
      { kind: 'left' },
      ...Object.values(REASON).map((reason) => ({ kind: 'refused', reason }) as const),
    ];
    for (const ending of endings) {
      assert.match(remedyOf(ending), /^[^\n]{10,}$/, JSON.stringify(ending));
      assert.match(describeEnding(ending), /^[^\n]+$/);
    }
  });
});
