import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { broker as check } from '../../agent/cli/doctor/broker.ts';
import { liveStatus } from '../../agent/cli/live.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { keepBoot } from '../../agent/record/boots.ts';
import { Gateway } from '../journeys/agent.ts';
import { brokerPasswords } from '../journeys/broker-passwords.ts';
import { Agent, settingsFor } from '../publish/agents.ts';
import { Authority, type Pair } from '../publish/certificates.ts';
import { freePort, Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { openGateway } from '../record/gateway.ts';
import { assayer, assertHarmless, configured, folder } from './assayer.ts';

interface Found {
  readonly check: string;
  readonly level: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What doctor says about the broker: `level message; remedy`, a line each. In this process: starting it takes longer than all it does. */
const said = async (cwd: string): Promise<readonly string[]> => {
  const loaded = loadConfig(join(cwd, 'assayer.yaml'));
  const agent = await liveStatus(loaded.config.state_dir);
  return linesOf(await check.run({ ...loaded, agent, nowMs: Date.now() }));
};

const linesOf = (found: readonly Omit<Found, 'check'>[]): readonly string[] =>
  found.map(({ level, message, remedy }) => {
    assert.ok(!message.includes('\n') && message.length < 300, `one sentence: ${message}`);
    assert.equal(remedy === undefined, level === 'ok');
    return `${level} ${message}; ${remedy ?? ''}`;
  });

suite(
  'doctor says in one sentence why there is no connection, and what to do',
  { skip: WITHOUT_MOSQUITTO, timeout: 240_000 },
  () => {
    const place = mkdtempSync(join(tmpdir(), 'assayer-doctor-'));
    const brokers: Mosquitto[] = [];
    let ours: Authority;
    let theirs: Authority;
    let server: Pair;
    let good: Pair;

    const authority = (name: string): Authority => {
      mkdirSync(join(place, name));
      return new Authority(join(place, name));
    };
    const started = async (lines: readonly string[], files = {}, first: readonly string[] = []): Promise<Mosquitto> => {
      const broker = await Mosquitto.start(lines, files, first);
      brokers.push(broker);
      return broker;
    };
    const withTls = ({ cert, key }: Pair) => [`cafile ${ours.ca}`, `certfile ${cert}`, `keyfile ${key}`];
    const OPEN = ['allow_anonymous true'];
    const MUTUAL = ['require_certificate true', 'use_identity_as_username true', 'allow_anonymous false'];
    const secure = ({ port }: Mosquitto, host = '127.0.0.1'): string => `mqtts://${host}:${port}`;

    /** A gateway with a key and these settings. */
    const gateway = (t: TestContext, mqtt: object): string => {
      const cwd = folder(t);
      createKey(cwd);
      configured(cwd, { mqtt: { insecure: true, ...mqtt } });
      return cwd;
    };
    const mine = ({ cert, key }: Pair) => ({ ca: ours.ca, cert, key });

    before(() => {
      ours = authority('ours');
      theirs = authority('theirs');
      server = ours.issue('broker', 'IP:127.0.0.1');
      good = ours.issue('client', 'DNS:x', { commonName: 'tx1-gw3' });
    });

    after(async () => {
      await Promise.all(brokers.map((broker) => broker[Symbol.asyncDispose]()));
      rmSync(place, { recursive: true, force: true });
    });

    test('a name that does not resolve', async (t) => {
      const [line = ''] = await said(gateway(t, { url: 'mqtt://nowhere.invalid:1883' }));
      assert.match(
        line,
        /^fail mqtt:\/\/nowhere\.invalid:1883: nowhere\.invalid does not resolve.*\((ENOTFOUND|EAI_AGAIN)\); correct the host/,
      );
    });

    test('a port where nothing listens', async (t) => {
      const port = await freePort();
      const [line = ''] = await said(gateway(t, { url: `mqtts://127.0.0.1:${port}`, ca: ours.ca }));
      assert.match(
        line,
        new RegExp(`^fail .*nothing listens at port ${port} of 127\\.0\\.0\\.1 \\(ECONNREFUSED\\); start the broker`),
      );
    });

    test('a port whose packets are dropped, with TLS and without', async (t) => {
      await using dropping = await DroppingPort.open();
      const lines = await Promise.all(
        ['mqtt', 'mqtts'].map((scheme) =>
          said(gateway(t, { url: `${scheme}://127.0.0.1:${dropping.port}`, ca: ours.ca })),
        ),
      );
      for (const [line = ''] of lines) assert.match(line, /^fail .*no TCP connection in time; .*firewall/);
    });

    test('something that takes the connection and says nothing', async (t) => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      t.after(() => {
        for (const socket of sockets) socket.destroy();
        silent.close();
      });
      const { port } = silent.address() as AddressInfo;
      const [plain, tls] = await Promise.all(
        ['mqtt', 'mqtts'].map((scheme) => said(gateway(t, { url: `${scheme}://127.0.0.1:${port}`, ca: ours.ca }))),
      );
      assert.match(plain?.[0] ?? '', /^fail .*no CONNACK in time; .*port/);
      assert.match(tls?.[0] ?? '', /^fail .*no TLS handshake in time; .*port/);
    });

    test('TLS to a port without, and the other way round', async (t) => {
      const plain = await started(OPEN);
      const [tlsToPlain = ''] = await said(gateway(t, { url: secure(plain), ca: ours.ca }));
      assert.match(tlsToPlain, /^fail .*what listens there speaks MQTT without TLS; use the port of its TLS/);
      const [open, mutual] = [
        await started([...withTls(server), ...OPEN]),
        await started([...withTls(server), ...MUTUAL]),
      ];
      for (const broker of [open, mutual]) {
        const [plainToTls = ''] = await said(gateway(t, { url: `mqtt://127.0.0.1:${broker.port}` }));
        assert.match(plainToTls, /^fail .*what listens there speaks TLS; use mqtts:\/\/ with ca/);
      }
    });

    test('something that is no broker', async (t) => {
      const web = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      }).listen(0, '127.0.0.1');
      await once(web, 'listening');
      t.after(() => web.close());
      const { port } = web.address() as AddressInfo;
      const [plain = ''] = await said(gateway(t, { url: `mqtt://127.0.0.1:${port}` }));
      assert.match(plain, /^fail .*; .*port.*MQTT broker/);
      const [tls = ''] = await said(gateway(t, { url: `mqtts://127.0.0.1:${port}`, ca: ours.ca }));
      assert.match(
        tls,
        /^fail .*what answers there does not speak TLS \(ERR_SSL_\w+\); use the port of the broker that has TLS/,
      );
    });

    test('a certificate of the broker from another authority, which may even have the same name', async (t) => {
      const broker = await started([...withTls(server), ...OPEN]);
      const [line = ''] = await said(gateway(t, { url: secure(broker), ca: theirs.ca }));
      assert.match(line, /^fail .*from no authority that is named as ca \([A-Z_]+\); name as ca the PEM file/);
    });

    test('a certificate of the broker that has ended, or has not begun: the clock may be wrong', async (t) => {
      const ended = await started([...withTls(ours.issue('ended', 'IP:127.0.0.1', { days: -1 })), ...OPEN]);
      const [past = ''] = await said(gateway(t, { url: secure(ended), ca: ours.ca }));
      assert.match(
        past,
        /^fail .*has ended: the broker’s ends on \w{3} .*GMT \(CERT_HAS_EXPIRED\); renew it at the broker; .*clock/,
      );
      const early = await started([...withTls(ours.issueFor('early', 'IP:127.0.0.1', [2048, 2049])), ...OPEN]);
      const [future = ''] = await said(gateway(t, { url: secure(early), ca: ours.ca }));
      assert.match(
        future,
        /^fail .*not valid yet: it begins on Jan .*2048 GMT \(CERT_NOT_YET_VALID\); set the clock of this host/,
      );
    });

    test('a certificate of the broker for another name', async (t) => {
      const broker = await started([...withTls(ours.issue('elsewhere', 'DNS:broker.example')), ...OPEN]);
      const [line = ''] = await said(gateway(t, { url: secure(broker, 'localhost'), ca: ours.ca }));
      assert.match(
        line,
        /^fail .*is for another name: .*localhost.*broker\.example.*\(ERR_TLS_CERT_ALTNAME_INVALID\); use in url a name/,
      );
    });

    test('a broker without TLS 1.3', async (t) => {
      const { cert, key } = server;
      const old = createTlsServer(
        { cert: readFileSync(cert), key: readFileSync(key), maxVersion: 'TLSv1.2' },
        (socket) => socket.destroy(),
      );
      old.on('tlsClientError', () => {});
      old.listen(0, '127.0.0.1');
      await once(old, 'listening');
      t.after(() => old.close());
      const [line = ''] = await said(
        gateway(t, { url: `mqtts://127.0.0.1:${(old.address() as AddressInfo).port}`, ca: ours.ca }),
      );
      assert.match(
        line,
        /^fail .*no version of TLS that is allowed here \(ERR_SSL_\w+\); enable TLS 1\.3 at the broker, or set tls_min/,
      );
    });

    test('a client certificate that is missing, of a stranger, ended, not begun, of somebody else', async (t) => {
      const broker = await started([...withTls(server), ...MUTUAL]);
      const url = secure(broker);
      const none = await said(gateway(t, { url, ca: ours.ca }));
      assert.match(
        none.at(-1) ?? '',
        /^fail .*asks for a client certificate, and got none \(ERR_SSL_\w+\); name a certificate/,
      );
      const strange = await said(
        gateway(t, { url, ...mine(theirs.issue('stranger', 'DNS:x', { commonName: 'tx1-gw3' })) }),
      );
      assert.match(
        strange.at(-1) ?? '',
        /^fail .*does not know the authority of our client certificate .*; use a certificate from an authority in the cafile/,
      );
      const ended = await said(
        gateway(t, { url, ...mine(ours.issue('past', 'DNS:x', { commonName: 'tx1-gw3', days: -1 })) }),
      );
      assert.match(ended[0] ?? '', /^fail the client certificate ended on \d{4}-\d\d-\d\d; renew it/);
      assert.match(
        ended.at(-1) ?? '',
        /^fail .*says that our client certificate has ended .*; renew the client certificate/,
      );
      const early = await said(gateway(t, { url, ...mine(ours.issueFor('tx1-gw3', 'DNS:x', [2048, 2049])) }));
      assert.match(
        early[0] ?? '',
        /^fail the client certificate is not valid before Jan .*2048 GMT; set the clock of this host/,
      );
      assert.match(early.at(-1) ?? '', /^fail .*refuses our client certificate: bad certificate .*clocks/);
      const other = await said(gateway(t, { url, ...mine(ours.issue('gw-9', 'DNS:x')) }));
      assert.ok(
        other.some((line) =>
          /^warn the client certificate is of "gw-9", and this gateway is "tx1-gw3"; issue one/.test(line),
        ),
      );
      const right = await said(gateway(t, { url, ...mine(good) }));
      assert.deepEqual(
        right.map((line) => line.split(' ', 1)[0]),
        ['warn', 'warn', 'ok'],
        right.join('\n'),
      );
    });

    test('a wrong password, none at all, and a client id that is not let in', async (t) => {
      const strict = await started(['allow_anonymous false', 'password_file #/passwords'], {
        passwords: brokerPasswords({ 'tx1-gw3': 'right' }),
      });
      writeFileSync(join(place, 'wrong'), 'hunter2');
      const wrong = await said(gateway(t, { url: strict.url, password_file: join(place, 'wrong') }));
      assert.match(wrong[0] ?? '', /^fail .*refused with reason 0x8[67] \(\w+\); check username, password_file/);
      const cwd = gateway(t, { url: strict.url, password_file: join(place, 'wrong') });
      const printed = await assayer(['doctor'], { cwd });
      assert.match(
        printed.out,
        /^FAIL {2}broker {9}mqtt:.*refused with reason 0x8[67].*\n {21}remedy: check username/m,
      );
      assert.doesNotMatch(printed.out + printed.err, /hunter2/);
      assertHarmless(printed);
      const none = await said(gateway(t, { url: strict.url }));
      assert.match(
        none[0] ?? '',
        /^fail .*refused with reason 0x8[67].*; this gateway shows neither user name nor certificate/,
      );
      const picky = await started(['allow_anonymous true', 'clientid_prefixes col-']);
      const id = await said(gateway(t, { url: picky.url }));
      assert.match(id[0] ?? '', /^fail .*refused with reason 0x8[57].*; .*client id/);
      // The gateway’s own id is let in, that of the check is not: the broker is good.
      const exact = await started(['allow_anonymous true', 'clientid_prefixes tx1-gw3']);
      assert.match((await said(gateway(t, { url: exact.url })))[0] ?? '', /^warn .*accepts this gateway over MQTT 5/);
    });

    test('an access list that forgets the log: told by sending an entry that was sent before, and by nothing else', async (t) => {
      const rules = (more: string): string =>
        `user overseer\ntopic readwrite #\npattern readwrite attest/v1/%c/conn\npattern read attest/v1/_fleet/#\n${more}`;
      const broker = await started(['allow_anonymous true', 'acl_file #/acl'], { acl: rules('') });
      await using overseer = await Observer.connect(broker.url, { username: 'overseer' });
      const { dir, store } = openGateway(t);
      store[Symbol.dispose]();
      configured(dir, { mqtt: { url: broker.url, collectors: ['collector-a'] } });
      const forgotten = await said(dir);
      assert.match(
        forgotten[1] ?? '',
        /^fail .*refuses entries on attest\/v1\/tx1-gw3\/log: reason 0x87 \(notAuthorised\); allow it in the access list/,
      );
      assert.match(
        forgotten[2] ?? '',
        /^warn .*says nothing of the required collector collector-a: .*; start it: assayer collect/,
      );
      assert.deepEqual(overseer.heard, []);

      broker.write('acl', rules('pattern write attest/v1/%c/log\n'));
      broker.reload();
      const presence = { state: 'online', session: 'x.1', at: Math.floor(Date.now() / 1000) };
      await overseer.publish('attest/v1/_fleet/collector/collector-a', JSON.stringify(presence), true);
      const mended = await said(dir);
      assert.deepEqual(
        mended.map((line) => line.split(' ', 1)[0]),
        ['warn'],
        mended.join('\n'),
      );
      const topics = overseer.heard.map(({ topic }) => topic);
      assert.deepEqual(topics, ['attest/v1/_fleet/collector/collector-a', 'attest/v1/tx1-gw3/log']);
      assert.equal(
        JSON.parse(overseer.on('attest/v1/tx1-gw3/log')[0]?.text ?? '').seq,
        0,
        'the entry that the log has',
      );
    });

    test('a running agent is asked: which collector is away, and what its broker does not let it publish', async () => {
      const rules = [
        'user overseer',
        'topic readwrite #',
        'pattern readwrite attest/v1/%c/conn',
        'pattern read attest/v1/#',
      ];
      const broker = await started(['allow_anonymous true', 'acl_file #/acl'], {
        acl: [...rules, 'pattern write attest/v1/%c/log', ''].join('\n'),
      });
      await using overseer = await Observer.connect(broker.url, { username: 'overseer' });
      const at = Math.floor(Date.now() / 1000);
      const presence = JSON.stringify({ state: 'online', session: 'x.1', at });
      await overseer.publish('attest/v1/_fleet/collector/col-a', presence, true);
      const collectors = ['col-a', 'col-b'];
      await using running = await Gateway.start({
        devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 2 } }],
        mqtt: { url: broker.url, collectors, spread_s: 0 },
      });
      await running.event('uplink.collector-online');
      const { out } = await running.assayer('doctor', '--json');
      const found = (JSON.parse(out).checks as readonly Found[]).filter(({ check }) => check === 'broker');
      assert.deepEqual(
        found.map(({ level }) => level),
        ['fail', 'ok', 'warn'],
      );
      assert.match(found[0]?.message ?? '', /does not let the agent publish to attest\/v1\/gw-1\/cp$/);
      assert.match(found[2]?.message ?? '', /^the required collector col-b is away, \d+ entries wait for it$/);
      const status = await running.assayer('status');
      assert.match(status.out, /^uplink: connected, .*the broker does not take attest\/v1\/gw-1\/cp$/m);
    });

    test('another agent under the same identity is seen, and not disturbed', async (t) => {
      const broker = await started(OPEN);
      const conn = 'attest/v1/tx1-gw3/conn';
      await using other = await Observer.connect(broker.url, { clientId: 'tx1-gw3', reconnectPeriod: 0 }, [conn]);
      const at = Math.floor(Date.now() / 1000);
      await other.publish(conn, JSON.stringify({ state: 'online', session: 'Zm9yZWlnbg.7', at }), true);
      const [line = ''] = await said(gateway(t, { url: broker.url }));
      assert.match(
        line,
        /^fail .*somebody is online as tx1-gw3 \(session Zm9yZWlnbg\.7\): another agent, or .*; if there is another one, stop it/,
      );
      await other.publish(conn, JSON.stringify({ state: 'stopped', session: 'Zm9yZWlnbg.7', at }), true);
      assert.equal(other.on(conn).length, 2, 'it still has its connection');
      assert.match((await said(gateway(t, { url: broker.url })))[0] ?? '', /^warn .*accepts this gateway/);
    });

    test('an agent of this folder that was killed is told from another one', async (t) => {
      const broker = await started(OPEN);
      const conn = 'attest/v1/tx1-gw3/conn';
      await using overseer = await Observer.connect(broker.url);
      const at = Math.floor(Date.now() / 1000);
      const cwd = gateway(t, { url: broker.url });
      keepBoot(cwd, 'a2lsbGVk');
      await overseer.publish(conn, JSON.stringify({ state: 'online', session: 'a2lsbGVk.1', at }), true);
      const [line = ''] = await said(cwd);
      assert.match(
        line,
        /^warn .*is online \(session a2lsbGVk\.1\), and no agent of it runs here: it was killed.*; start the/,
      );
    });

    test('an agent that cannot be asked is not disturbed by another connection', async (t) => {
      const broker = await started(OPEN);
      const cwd = gateway(t, { url: broker.url });
      const loaded = loadConfig(join(cwd, 'assayer.yaml'));
      const denied = new AgentError({ code: 'agent.no-access', message: 'the agent may not be asked', remedy: 'sudo' });
      const found = await check.run({ ...loaded, agent: denied, nowMs: Date.now() });
      assert.deepEqual(
        linesOf(found).filter((line) => line.startsWith('warn the broker is not tried: the agent may not be asked'))
          .length,
        1,
      );
      assert.equal(found.length, 1);
      assert.doesNotMatch(broker.log, /New client connected/);
    });

    test('where the broker takes client ids from certificates such an agent loses its connection, comes back, and is never called lost', async (t) => {
      const port = await freePort();
      const beside = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
      const lines = [...withTls(server), ...MUTUAL, 'use_username_as_clientid true', ...beside];
      const broker = await started(lines, {}, ['per_listener_settings true']);
      await using overseer = await Observer.connect(`mqtt://127.0.0.1:${port}`);
      const settings = settingsFor(secure(broker), mine(good));
      await using other = new Agent(settings, {
        gateway: 'tx1-gw3',
        timing: { backoffBaseMs: 1_500, backoffCapMs: 1_500 },
        random: () => 1,
      }).start();
      const connects = () => other.events.filter(({ event }) => event === 'uplink.connected').length;
      await until('it is connected', () => connects() === 1);
      const found = await said(gateway(t, { url: secure(broker), ...mine(good) }));
      assert.match(found.at(-1) ?? '', /^fail .*somebody is online as tx1-gw3 \(session c2VlZA\.1\).* for a moment/);
      await until('it is connected again', () => connects() === 2);
      assert.ok(other.saw('uplink.closed'), 'this broker closes without a reason');
      await until('it says so', () => overseer.on('attest/v1/tx1-gw3/conn').length === 2);
      assert.deepEqual(overseer.states('attest/v1/tx1-gw3/conn'), ['online', 'online']);
    });
  },
);

/** A port that takes no further connection: packets to it are dropped, as by a firewall. A stopped process, its queue full. */
class DroppingPort {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #sockets: readonly Socket[];

  private constructor(port: number, child: ChildProcess, sockets: readonly Socket[]) {
    this.port = port;
    this.#child = child;
    this.#sockets = sockets;
  }

  static async open(): Promise<DroppingPort> {
    const program = `require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(child.stdout, 'data');
    const port = Number(String(line));
    child.kill('SIGSTOP');
    const sockets: Socket[] = [];
    for (let isFull = false; !isFull; ) {
      assert.ok(sockets.length < 20, 'the queue is never full');
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      isFull = await Promise.race([
        once(socket, 'connect').then(() => false),
        new Promise<true>((resolve) => setTimeout(() => resolve(true), 500)),
      ]);
    }
    return new DroppingPort(port, child, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
