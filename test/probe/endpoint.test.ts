import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { Worker } from 'node:worker_threads';
import ssh2 from 'ssh2';
import { asset, defineDriver } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { Surface } from '../../agent/probe/capture.ts';
import { readEndpoint } from '../../agent/probe/endpoint.ts';
import type { Limits } from '../../agent/probe/limits.ts';
import { Line } from '../../agent/probe/line.ts';
import { askSshKey } from '../../agent/probe/ssh.ts';
import { askTlsKey } from '../../agent/probe/tls.ts';
import { FakeMiner, fresh, PATIENT, page, serving } from './fake-miner.ts';
import {
  hostKey,
  SSHD,
  SshStation,
  Station,
  selfSigned,
  TlsStation,
  WITHOUT_OPENSSL,
  WITHOUT_SSHD,
} from './stations.ts';

/** A port that says nothing. */
class Listener extends Station {
  constructor() {
    super((socket) => void socket.on('data', (bytes: Buffer) => void this.heard.push(bytes)));
  }
}

const BOUND = { timeout: 20_000 };

/** Deadlines that what never answers runs into. */
const SHORT: Limits = { ...PATIENT, exchangeMs: 400 };

const sshAt = (station: Station, limits = PATIENT) => askSshKey(station.endpoint, { limits });
const tlsAt = (station: Station, limits = PATIENT) => askTlsKey(station.endpoint, { limits });

const [ED25519, OTHER, ECDSA, RSA] = [hostKey('ed25519'), hostKey('ed25519'), hostKey('ecdsa'), hostKey('rsa')];

test(
  'an SSH server shows its software and its host key as OpenSSH prints it, and is asked for nothing else',
  BOUND,
  async () => {
    for (const key of [ED25519, ECDSA, RSA]) {
      await using station = await Station.at(new SshStation([key]));
      assert.deepEqual(await sshAt(station), [
        { name: 'ssh.host-key', value: key.text },
        { name: 'ssh.software', value: 'SSH-2.0-dropbear_2019.78' },
      ]);
      await station.allClosed();
      assert.deepEqual([station.connections, station.requests], [1, []]);
    }
  },
);

test('the station would notice a log-in', BOUND, async () => {
  await using station = await Station.at(new SshStation([ED25519]));
  const client = new ssh2.Client();
  const refused = new Promise<void>((resolve) => client.on('close', () => resolve()));
  client.on('error', () => {});
  client.connect({ ...station.endpoint, username: 'root', password: 'root' });
  await refused;
  assert.deepEqual(station.requests.slice(0, 2), ['SERVICE_REQUEST', 'USERAUTH_REQUEST']);
});

test('of several host keys it is always the same one', BOUND, async () => {
  await using station = await Station.at(new SshStation([RSA, ECDSA, ED25519]));
  for (const _ of [1, 2]) assert.equal((await sshAt(station))[0]?.value, ED25519.text);
});

test('a server that speaks only what is old shows its key, too', BOUND, async () => {
  const algorithms = {
    kex: ['diffie-hellman-group14-sha1'],
    serverHostKey: ['ssh-rsa'],
    cipher: ['aes128-cbc'],
    hmac: ['hmac-md5'],
  } as const;
  await using station = await Station.at(
    new SshStation([RSA], { algorithms: algorithms as unknown as NonNullable<ssh2.ServerConfig['algorithms']> }),
  );
  assert.equal((await sshAt(station))[0]?.value, RSA.text);
});

test('a number that the server chooses is not calculated with: no group exchange is offered', BOUND, async () => {
  await using station = await Station.at(new SshStation([ED25519]));
  await sshAt(station);
  const [offer = '', ...more] = station.offers;
  assert.deepEqual(more, []);
  assert.match(offer, /^curve25519-sha256,.*diffie-hellman-group14-sha1/);
  assert.doesNotMatch(offer, /group-exchange/);
});

/** Everything that a server sent in one key exchange. */
const recorded = async (): Promise<Buffer> => {
  await using station = await Station.at(new SshStation([ED25519]));
  const sent: Buffer[] = [];
  const relay = createServer((socket) => {
    const onward = connect(station.port, '127.0.0.1');
    onward.on('data', (bytes: Buffer) => void sent.push(bytes));
    socket.on('error', () => {});
    onward.on('error', () => {});
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address();
  assert.ok(typeof address === 'object' && address !== null);
  const shown = await askSshKey({ host: '127.0.0.1', port: address.port }, { limits: PATIENT });
  assert.equal(shown[0]?.value, ED25519.text);
  await new Promise((resolve) => relay.close(resolve));
  return Buffer.concat(sent);
};

test(
  'a host key that the device cannot prove to hold is none, and no damage to what a server sends is more than silence',
  BOUND,
  async () => {
    const bytes = await recorded();
    assert.ok(bytes.length > 500, `${bytes.length} bytes were recorded`);
    const said = { name: 'ssh.software', value: 'SSH-2.0-dropbear_2019.78' };
    const replayed = async (reply: Buffer) => {
      await using station = await Station.open((socket) => void socket.end(reply));
      return await sshAt(station, SHORT);
    };
    assert.deepEqual(await replayed(bytes), [said]);
    const damaged = Array.from({ length: 240 }, (_, at) => {
      const copy = Buffer.from(bytes);
      const place = 26 + ((at * 37) % (bytes.length - 26));
      copy[place] = (copy[place] ?? 0) ^ (1 << (at % 8));
      return at % 3 === 0 ? copy.subarray(0, place) : copy;
    });
    for (const reply of damaged) assert.deepEqual(await replayed(reply), [said]);
  },
);

test('what does not name itself an SSH server is sent nothing and shows nothing', BOUND, async () => {
  const silent = () => {};
  const cases: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['silence', silent],
    ['a closed connection', (socket) => void socket.end()],
    ['garbage', (socket) => void socket.end(Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 71) % 256)))],
    ['another version', (socket) => void socket.write('SSH-1.5-old\r\n')],
    ['a line without end', (socket) => void socket.write(`SSH-2.0-${'x'.repeat(9000)}`)],
    ['control characters', (socket) => void socket.write('SSH-2.0-a\u0007b\r\n')],
  ];
  for (const [name, behave] of cases) {
    await using station = await Station.open(behave);
    assert.deepEqual(await sshAt(station, SHORT), [], name);
    await station.allClosed();
    assert.equal(station.heard.length, 0, name);
  }
});

test('neither a device that drips nor one that pours makes a handshake long or large', BOUND, async () => {
  const drip = (socket: Socket) => {
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  };
  let poured = 0;
  const pour = (first: string) => (socket: Socket) => {
    const block = Buffer.alloc(65_536, 0x41);
    const more = () => {
      while (poured < 50_000_000 && !socket.destroyed) {
        poured += block.length;
        if (!socket.write(block)) return void socket.once('drain', more);
      }
    };
    socket.write(first);
    more();
  };
  const limits = { ...SHORT, maxReplyBytes: 65_536 };
  for (const ask of [sshAt, tlsAt]) {
    await using dripping = await Station.open(drip);
    const since = performance.now();
    assert.deepEqual(await ask(dripping, limits), []);
    assert.ok(performance.now() - since < 3000);
    await using pouring = await Station.open(pour('SSH-2.0-x\r\n'));
    assert.deepEqual(
      (await ask(pouring, limits)).filter(({ name }) => name !== 'ssh.software'),
      [],
    );
    await pouring.allClosed();
  }
  assert.ok(poured < 50_000_000, `${poured} bytes were taken`);
});

test('a TLS server shows its key: one that is renewed stays the same, and nothing is said inside', {
  ...BOUND,
  skip: WITHOUT_OPENSSL,
}, async () => {
  const first = selfSigned();
  const renewed = selfSigned(first.key);
  const another = selfSigned();
  assert.notEqual(first.cert, renewed.cert);
  await using station = await Station.at(new TlsStation(first));
  const shown = async () => (await tlsAt(station)).map(({ name, value }) => [name, value]);
  assert.deepEqual(await shown(), [['tls.key', first.spki]]);
  station.certificate = renewed;
  assert.deepEqual(await shown(), [['tls.key', first.spki]]);
  station.certificate = another;
  assert.deepEqual(await shown(), [['tls.key', another.spki]]);
  await station.allClosed();
  assert.deepEqual([station.connections, station.said], [3, '']);
});

test('a TLS server that speaks only what is old shows its key; one that chooses the number to calculate with does not', {
  ...BOUND,
  skip: WITHOUT_OPENSSL,
}, async () => {
  const certificate = selfSigned();
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' } as const;
  await using old10 = await Station.at(new TlsStation(certificate, old));
  assert.deepEqual(await tlsAt(old10), [{ name: 'tls.key', value: certificate.spki }]);

  const ciphers = 'DHE-RSA-AES128-GCM-SHA256';
  await using chooser = await Station.at(
    new TlsStation(certificate, { maxVersion: 'TLSv1.2', ciphers, dhparam: 'auto' }),
  );
  assert.deepEqual(await tlsAt(chooser), []);
  const other = tlsConnect({ ...chooser.endpoint, ciphers, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
  await once(other, 'secureConnect');
  assert.equal(other.getCipher().name, ciphers, 'it can be spoken with');
  other.destroy();
});

test('what is no TLS server, or none that can be spoken with, shows nothing', BOUND, async () => {
  const replies: readonly string[] = [
    '',
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    '\u0015\u0003\u0001\u0000\u0002\u0002\u0028',
    '\u0016\u0003\u0003\u00ff\u00ff\u0002',
    '\u0016\u0003\u0003\u0000\u0004\u0002\u0000\u0000\u0000',
  ];
  for (const reply of replies) {
    await using station = await Station.open((socket) => void socket.end(reply, 'latin1'));
    assert.deepEqual(await tlsAt(station, SHORT), [], JSON.stringify(reply));
    await station.allClosed();
  }
  await using silent = await Station.open(() => {});
  assert.deepEqual(await tlsAt(silent, SHORT), []);
});

test('a closed port shows nothing', BOUND, async () => {
  const station = await Station.open(() => {});
  const { endpoint } = station;
  await station[Symbol.asyncDispose]();
  assert.deepEqual(await askSshKey(endpoint, { limits: PATIENT }), []);
  assert.deepEqual(await askTlsKey(endpoint, { limits: PATIENT }), []);
});

const served = defineDriver({
  family: 'served',
  title: 'Served',
  source: 'this test',
  recognise: () => 0,
  queries: {},
  assets: [asset('/'), asset('/app.js')],
  facts: {},
});
const allow = compileAllowList([served]);

/** The surfaces that show something of the firmware. */
const SHOWING: readonly Surface[] = ['web', 'tls', 'ssh'];

const read = (
  ports: { http?: number; https?: number; ssh?: number },
  { surfaces = SHOWING, limits = PATIENT }: { surfaces?: readonly Surface[]; limits?: Limits } = {},
) => readEndpoint({ address: '127.0.0.1', ports }, served, surfaces, { limits, allow, ...fresh() });

const digest = (text: string): string => hash('sha256', text, 'base64url');

test(
  'static pages are components by their path; one that is missing, refused, elsewhere or cut off is not',
  BOUND,
  async () => {
    const app = 'const a = 1;';
    const others: readonly string[] = [
      page('gone', { status: '404 Not Found' }),
      page('who are you?', { status: '401 Unauthorized' }),
      page('', { status: '302 Found', headers: ['Location: https://127.0.0.1/'] }),
      page(''),
      'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\npart of it',
      'HTTP/1.1 200 OK\r\n\r\nuntil the end, which may be too soon',
    ];
    for (const landing of others) {
      await using miner = await FakeMiner.start((request, socket) => {
        serving({ '/': landing, '/app.js': page(app) })(request, socket);
        if (landing.includes('900') || !landing.includes('Content-Length'))
          if (request.startsWith('GET / ')) socket.end();
      });
      const shown = await read({ http: miner.port }, { surfaces: ['web'] });
      assert.deepEqual([...shown], [['web', [{ name: 'asset./app.js', value: digest(app) }]]], landing);
      await miner.allClosed();
      assert.deepEqual([miner.strangers(allow), miner.mostAtOnce], [[], 1]);
    }
  },
);

test('a page that is another at once, or larger than any reply may be, has no digest', BOUND, async () => {
  let asked = 0;
  let sent = 0;
  await using miner = await FakeMiner.start((request, socket) => {
    asked += 1;
    if (request.startsWith('GET / ')) return void socket.write(page(`<input name="token" value="${asked}">`));
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n');
    const block = Buffer.alloc(65_536, 0x20);
    const pour = () => {
      while (sent < 50_000_000 && !socket.destroyed) {
        sent += block.length;
        if (!socket.write(block)) return void socket.once('drain', pour);
      }
    };
    pour();
  });
  assert.deepEqual([...(await read({ http: miner.port }, { surfaces: ['web'] }))], [['web', []]]);
  await miner.allClosed();
  assert.ok(sent < 50_000_000);
});

test('all surfaces are looked at in turn, those that are not wanted are not touched', BOUND, async () => {
  await using miner = await FakeMiner.start(serving({ '/': page('<p>a</p>') }));
  await using ssh = await Station.at(new SshStation([OTHER]));
  await using tls = await Station.open((socket) => void socket.end());
  const ports = { http: miner.port, https: tls.port, ssh: ssh.port };
  const all = await read(ports);
  assert.deepEqual(
    [...all].map(([surface, shown]) => [surface, shown.map(({ name }) => name)]),
    [
      ['web', ['asset./']],
      ['tls', []],
      ['ssh', ['ssh.host-key', 'ssh.software']],
    ],
  );
  assert.deepEqual([...(await read(ports, { surfaces: ['web'] })).keys()], ['web']);
  await ssh.allClosed();
  assert.deepEqual([tls.connections, ssh.connections], [1, 1]);
});

test('a device that answers nowhere costs no more than the deadline of a look', BOUND, async () => {
  await using silent = await Station.open(() => {});
  const since = performance.now();
  const limits = { ...PATIENT, deviceMs: 700 };
  const shown = await read({ http: silent.port, https: silent.port, ssh: silent.port }, { limits });
  assert.deepEqual([...shown.values()].flat(), []);
  assert.ok(performance.now() - since < 3000);
  assert.equal(silent.mostAtOnce, 1);
});

test('an aborted look at an endpoint ends with its reason', BOUND, async () => {
  await using silent = await Station.open(() => {});
  const stopping = new AbortController();
  const reading = readEndpoint({ address: '127.0.0.1', ports: { ssh: silent.port } }, served, ['ssh'], {
    limits: PATIENT,
    allow,
    ...fresh(),
    signal: stopping.signal,
  });
  while (silent.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stopping.abort(new Error('the agent stops'));
  await assert.rejects(reading, /the agent stops/);
});

/** OpenSSH's own server, at its most talkative, ended by its process id. */
class Sshd implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'assayer-sshd-'));
  log = '';
  #child: ChildProcess | undefined;

  async up(port: number, keys: readonly string[]): Promise<void> {
    writeFileSync(join(this.folder, 'config'), '');
    const files = keys.map((pem, at) => {
      const file = join(this.folder, `key-${at}`);
      writeFileSync(file, pem, { mode: 0o600 });
      return ['-h', file];
    });
    const words = ['-D', '-e', '-f', join(this.folder, 'config'), '-p', String(port), '-o', 'PidFile=none'];
    const settings = ['ListenAddress=127.0.0.1', 'LogLevel=DEBUG3', 'UsePAM=no'].flatMap((setting) => ['-o', setting]);
    // As root it wants an empty folder for its part without rights, which the service would make.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const child = spawn(SSHD ?? '', [...words, ...settings, ...files.flat()], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (text) => {
      this.log += text;
    });
    while (!/Server listening/.test(this.log)) {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined && this.#child.exitCode === null) {
      this.#child.kill();
      await once(this.#child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test('the SSH server of OpenSSH shows its key and sees no attempt to log in', {
  ...BOUND,
  skip: WITHOUT_SSHD,
}, async () => {
  const port = await freePort();
  await using sshd = new Sshd();
  await sshd.up(port, [RSA.pem, ED25519.pem]);
  const [key, software] = await askSshKey({ host: '127.0.0.1', port }, { limits: PATIENT });
  assert.deepEqual(key, { name: 'ssh.host-key', value: ED25519.text });
  assert.match(software?.value ?? '', /^SSH-2\.0-OpenSSH_/);
  while (!/Connection closed by 127\.0\.0\.1|Connection reset/.test(sshd.log))
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(sshd.log, /SSH2_MSG_NEWKEYS received/);
  assert.doesNotMatch(sshd.log, /userauth|service-accept|SERVICE_REQUEST|invalid user/i);
});

const freePort = async (): Promise<number> => {
  const free = await Station.open(() => {});
  const { port } = free;
  await free[Symbol.asyncDispose]();
  return port;
};

test(
  'remote-control.management-port-open: ports are tried one after the other, and nothing is sent',
  BOUND,
  async () => {
    await using one = await Station.at(new SshStation([OTHER]), '127.44.95.1');
    const at = (...managementPorts: readonly number[]) =>
      readEndpoint({ address: '127.44.95.1', ports: { ssh: one.port, http: null } }, served, ['ports'], {
        limits: PATIENT,
        allow,
        managementPorts,
        ...fresh(),
      });
    const open = (reading: Awaited<ReturnType<typeof at>>) => reading.get('ports')?.map(({ name }) => name);
    const first = open(await at());
    assert.ok(first?.includes(`port.${one.port}`), 'a port of the configuration is tried');
    await using telnet = await Station.at(new Listener(), '127.44.95.1', 8889);
    assert.ok(!first?.includes('port.8889'));
    assert.ok(open(await at(8889))?.includes('port.8889'));
    await one.allClosed();
    await telnet.allClosed();
    assert.deepEqual([one.requests, telnet.heard, telnet.connections, telnet.mostAtOnce], [[], [], 1, 1]);
  },
);

test(
  'remote-control.management-port-open: half of the ports is no reading of them, and is no wait for the others',
  BOUND,
  async () => {
    const address = '127.44.95.2';
    await using first = await Station.at(new Listener(), address);
    await using last = await Station.at(new Listener(), address, 65_000);
    const look = async (msPerGlance: number) => {
      let nowMs = 0;
      const monoMs = () => {
        nowMs += msPerGlance;
        return nowMs;
      };
      const deps = { limits: { ...PATIENT, deviceMs: 9000 }, allow, managementPorts: [1, last.port], ...fresh() };
      const target = { address, ports: { ssh: first.port, http: null } };
      const shown = await readEndpoint(target, served, ['ports'], { ...deps, clock: { ...deps.clock, monoMs } });
      return shown.get('ports')?.map(({ name }) => name);
    };
    const whole = await look(0);
    assert.ok(whole?.includes(`port.${first.port}`) && whole.includes('port.65000'));
    const before = last.connections;
    assert.deepEqual(await look(2000), []);
    await last.allClosed();
    assert.deepEqual([before, last.connections], [1, 1], 'the last port was not tried any more');
  },
);

test('a look without time left does not say of a port what it does about a connection', BOUND, async () => {
  await using station = await Station.at(new Listener());
  const knocked = async (deviceMs: number) => {
    const limits = { ...PATIENT, deviceMs };
    await using line = new Line({ address: '127.0.0.1', ports: {} }, { limits, allow, ...fresh() });
    return await line.knock(station.port);
  };
  assert.equal(await knocked(0), undefined);
  assert.equal(station.connections, 0);
  assert.equal(await knocked(9000), 'open');
  assert.equal(station.connections, 1);
});

/** A port whose queue of connections is full, so that Linux drops further ones: no answer, as behind a firewall. */
class Overrun implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #fillers: Socket[] = [];
  port = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(host: string): Promise<Overrun> {
    // It listens and accepts nothing: its thread sleeps.
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      const server = require('node:net').createServer();
      server.listen({ host: workerData, port: 0, backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15_000), 50);
      });`;
    const full = new Overrun(new Worker(program, { eval: true, workerData: host }));
    [full.port] = (await once(full.#worker, 'message')) as [number];
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (let tries = 0; tries < 8; tries += 1) {
      const socket = connect(full.port, host);
      socket.on('error', () => {});
      full.#fillers.push(socket);
      const isIn = await Promise.race([once(socket, 'connect'), new Promise((resolve) => setTimeout(resolve, 300))]);
      if (isIn === undefined) break;
    }
    return full;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    await this.#worker.terminate();
  }
}

test('a port that gives no answer is neither open nor refused, and is tried once', BOUND, async () => {
  await using full = await Overrun.start('127.0.0.1');
  const closed = await freePort();
  const limits = { ...PATIENT, connectMs: 400 };
  await using line = new Line({ address: '127.0.0.1', ports: {} }, { limits, allow, ...fresh() });
  assert.deepEqual([await line.knock(full.port), await line.knock(closed)], ['no answer', 'refused']);
  const deps = { limits, allow, managementPorts: [full.port, closed], ...fresh() };
  const ports = { http: null, ssh: null };
  const shown = (await readEndpoint({ address: '127.0.0.1', ports }, served, ['ports'], deps)).get('ports') ?? [];
  const said = (port: number) => shown.find(({ name }) => name === `port.${port}`)?.value;
  assert.deepEqual([said(full.port), said(closed)], ['no answer', undefined]);
});
