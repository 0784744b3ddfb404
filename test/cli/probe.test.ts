import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { askDeps } from '../../agent/cli/probe.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import { IDENTIFICATION } from '../../agent/probe/identify.ts';
import { hostKey, SshStation, Station } from '../probe/stations.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';
import { assayer, assertHarmless, folder, lines } from './assayer.ts';

const specimen = (name: string): Specimen => {
  const found = loadSpecimens().find((one) => one.name === name);
  assert.ok(found !== undefined, `no specimen ${name}`);
  return found;
};

const [MINER, WEB_ONLY, LOGIN] = ['127.40.0.1', '127.40.0.2', '127.40.0.3'] as const;
const FRAMES_ONLY = '127.40.0.9';

let fleet: Fleet;
let ports: string;

before(async () => {
  fleet = await startFleet({
    specimens: ['whatsminer/m50s-api2', 'axeos/gamma-2.12', 'antminer-stock/s21'].map(specimen),
    base: MINER,
    allowed: compileAllowList(DRIVERS, IDENTIFICATION).listed,
  });
  // Port 22 of a loopback address is that of the machine which runs the tests.
  ports = `cgminer=${fleet.ports.cgminer},http=${fleet.ports.http},https=1,ssh=1`;
});

after(async () => {
  const violations = fleet.violations();
  await fleet.stop();
  assert.deepEqual(violations, []);
});

test('probe prints what the device says, its pools in order, and what could not be read', async () => {
  const said = await assayer(['probe', MINER, '--ports', ports]);
  assert.deepEqual([said.code, said.err], [0, '']);
  const printed = lines(said.out);
  assert.match(printed[0] ?? '', /^127\.40\.0\.1: .*WhatsMiner/);
  assert.match(said.out, /^fact +value$/m);
  assert.match(said.out, /^identity\.model +M50S_VH30$/m);
  assert.match(said.out, /^telemetry\.hashrate_hs +126 TH\/s$/m);
  assert.match(said.out, /^pools 0 +stratum\+tcp:\/\/north\.pool\.example:3333 {2}acme\.w2117-00001 .*active$/m);
  assertHarmless(said);
});

test('probe --json is one object: facts by their dots, hash rate in GH/s, readings', async () => {
  const { code, out, err } = await assayer(['probe', MINER, '--ports', ports, '--json']);
  assert.deepEqual([code, err, lines(out).length], [0, '', 1]);
  const observation = JSON.parse(out);
  assert.equal(observation.address, MINER);
  assert.ok(Math.abs(observation.observed_at - Date.now() / 1000) < 60);
  assert.equal(observation.telemetry.hashrate_ghs, observation.telemetry.hashrate_hs / 1e9);
  assert.equal(observation.family, 'whatsminer');
  assert.equal(observation.pools[0].slot, 0);
  assert.deepEqual(observation.identified_by, ['version: answered']);
  for (const reading of Object.values(observation.readings))
    assert.match(String(reading), /^(absent|unknown: [a-z]+)$/);
});

test('probe shows what a device shows to anybody among its components; --no-endpoint leaves that alone', async () => {
  const key = hostKey('ed25519');
  await using ssh = await Station.at(new SshStation([key]), WEB_ONLY);
  const words = ['probe', WEB_ONLY, '--ports', `http=${fleet.ports.http},https=1,ssh=${ssh.port}`, '--json'];
  const componentsOf = async (...more: readonly string[]): Promise<readonly { name: string; value: string }[]> => {
    const { code, out, err } = await assayer([...words, ...more]);
    assert.deepEqual([code, err], [0, '']);
    return JSON.parse(out).firmware.components;
  };
  const plain = await componentsOf('--no-endpoint');
  assert.equal(ssh.connections, 0);
  const all = await componentsOf();
  const added = all.filter(({ name }) => !plain.some((part) => part.name === name));
  assert.deepEqual(
    added.map(({ name }) => name),
    ['asset./', 'ssh.host-key', 'ssh.software'],
  );
  assert.equal(added[1]?.value, key.text);
  assert.deepEqual(
    all.filter((part) => !added.includes(part)),
    plain,
  );
  assert.deepEqual([ssh.connections, ssh.requests], [1, []]);
});

test('host:port asks that port only, whichever protocol it speaks', async () => {
  const cgminer = await assayer(['probe', `${MINER}:${fleet.ports.cgminer}`, '--json']);
  const web = await assayer(['probe', `${WEB_ONLY}:${fleet.ports.http}`, '--json']);
  assert.deepEqual(
    [cgminer, web].map(({ code, out }) => [code, JSON.parse(out).family]),
    [
      [0, 'whatsminer'],
      [0, 'axeos'],
    ],
  );
});

test('host:4433 reads of a WhatsMiner all that API 3 tells', async (t) => {
  const api3 = await startFleet({ specimens: [specimen('whatsminer/m6x-api3')], base: FRAMES_ONLY });
  t.after(() => api3.stop());
  // What is no frame it does not wait for.
  const door = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      if (/^(?:\{"|GET )/.test(bytes.toString('latin1'))) return void socket.end();
      const behind = connect(api3.ports.whatsminer, FRAMES_ONLY);
      behind.on('error', () => socket.destroy());
      behind.write(bytes);
      socket.pipe(behind).pipe(socket);
    });
  });
  await once(door.listen(0, FRAMES_ONLY), 'listening');
  t.after(() => door.close());
  const { port } = door.address() as AddressInfo; // a TCP server has one
  const { code, out } = await assayer(['probe', `${FRAMES_ONLY}:${port}`, '--json', '--no-endpoint']);
  const { family, identity, pools } = JSON.parse(out);
  assert.deepEqual([code, family], [0, 'whatsminer']);
  assert.ok(identity.model.length > 0 && identity.mac.length > 0);
  assert.ok(pools.length > 0);
});

test('a log-in opens what was refused without one', async (t) => {
  const { auth } = specimen('antminer-stock/s21').device;
  assert.ok(auth !== undefined);
  const file = join(folder(t), 'password');
  writeFileSync(file, `${auth.password}\n`);
  const words = ['probe', LOGIN, '--ports', ports, '--json'];
  const without = JSON.parse((await assayer(words)).out);
  const from = JSON.parse((await assayer([...words, '--user', auth.user, '--password-file', file])).out);
  const env = { MINER_PASSWORD: auth.password };
  const variable = await assayer([...words, '--user', auth.user, '--password-env', 'MINER_PASSWORD'], { env });
  assert.equal(without.readings['identity.mac'], 'unknown: refused');
  assert.match(from.identity.mac, /^02:/);
  assert.equal(JSON.parse(variable.out).identity.mac, from.identity.mac);
  assert.ok(!JSON.stringify(from).includes(auth.password));
});

test('a log-in is shown to the named families alone; without names that is said', async (t) => {
  const { auth } = specimen('antminer-stock/s21').device;
  assert.ok(auth !== undefined);
  const file = join(folder(t), 'password');
  writeFileSync(file, `${auth.password}\n`);
  const words = ['probe', LOGIN, '--ports', ports, '--json', '--user', auth.user, '--password-file', file];
  const toAll = await assayer(words);
  assert.match(toAll.err, /^the password is shown, perhaps in clear, to whatever .*\n {2}remedy: .*--families .*\n$/);
  const others = await assayer([...words, '--families', 'goldshell,whatsminer']);
  assert.deepEqual([others.code, others.err], [0, '']);
  assert.equal(JSON.parse(others.out).readings['identity.mac'], 'unknown: refused');
  const meant = await assayer([...words, '--families', 'goldshell, antminer-stock']);
  assert.match(JSON.parse(meant.out).identity.mac, /^02:/);
  const typo = await assayer([...words, '--families', 'goldshel']);
  assert.match(typo.err, /did you mean goldshell\?.*\[usage\.family\]/);
});

test('probe says of the questions that gave nothing what came instead', async (t) => {
  const file = join(folder(t), 'password');
  writeFileSync(file, 'wrong\n');
  const words = ['probe', LOGIN, '--ports', ports, '--no-endpoint'];
  const without = await assayer(words);
  assert.match(
    without.out,
    /^http:\/cgi-bin\/\S+ and \d more +refused: no credentials are configured for this device$/m,
  );
  const wrong = await assayer([...words, '--password-file', file]);
  assert.match(wrong.out, /^http:\/cgi-bin\/\S+ +refused: HTTP 401$/m);
  assert.match(
    wrong.out,
    /^http:\/cgi-bin\/\S+ and \d more +refused: the device refused the log-in, which rests for 5 min$/m,
  );
});

test('a device that cannot be reached is 3, with a remedy', async () => {
  const { code, out, err } = await assayer(['probe', '127.40.0.99', '--ports', ports]);
  assert.deepEqual([code, out], [3, '']);
  assert.match(
    err,
    /^assayer: 127\.40\.0\.99: unreachable, .*\n {2}remedy: check address, ports .*\[probe\.unreachable\]\n$/,
  );
});

test('a device that answers as no miner does is told apart from one that is off', async (t) => {
  const server = createServer((_request, response) => response.end('<title>printer \u001b[31m</title>'));
  await new Promise<void>((resolve) => server.listen(0, '127.40.0.50', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const said = await assayer(['probe', `127.40.0.50:${port}`]);
  assert.equal(said.code, 3);
  assert.match(said.err, /unreadable, .*\n {2}remedy: it answers, but not as a miner .*\[probe\.unreadable\]/);
  assertHarmless(said);
});

test('an IPv6 address is read bare, and in brackets with a port', async (t) => {
  const axeos = specimen('axeos/gamma-2.12');
  const server = createServer((request, response) => {
    const file = axeos.device.replies[`http:${request.url}`]?.file;
    response.statusCode = file === undefined ? 404 : 200;
    response.end(axeos.files.get(file ?? ''));
  });
  const listening = await new Promise<boolean>((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(0, '::1', () => resolve(true));
  });
  if (!listening) return t.skip('this host has no IPv6 loopback');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const bare = await assayer(['probe', '::1', '--ports', `cgminer=${port},http=${port}`, '--json']);
  const brackets = await assayer(['probe', `[::1]:${port}`, '--json']);
  assert.deepEqual(
    [bare, brackets].map(({ code, out }) => [code, JSON.parse(out).address, JSON.parse(out).family]),
    [
      [0, '::1', 'axeos'],
      [0, '::1', 'axeos'],
    ],
  );
});

test('--timeout gives each answer of a slow device more time, and never less', () => {
  const exchangeMs = (timeout: number) => askDeps({ ports: {}, user: 'root', timeout }).limits.exchangeMs;
  assert.deepEqual([5, 30, 120, 600].map(exchangeMs), [8000, 8000, 32_000, 160_000]);
});

test('what is no host, no port, no list of ports or no time is told before anything is asked', async () => {
  for (const [words, told] of [
    [['10.0.0.7:'], /"10\.0\.0\.7:" is not a host or host:port/],
    [['10.0.0.7:70000'], /is not a host or host:port/],
    [['10.0.0.300'], /is not a host or host:port/],
    [['10.0.0.0/24'], /is not a host or host:port/],
    [['http://10.0.0.7/'], /is not a host or host:port/],
    [['[fd00::7'], /is not a host or host:port/],
    [['miner\u001b[31m'], /is not a host or host:port/],
    [[''], /is not a host or host:port/],
    [[MINER, '--ports', 'telnet=23'], /write cgminer=<port>, or http=<port>, or auradine=/],
    [[MINER, '--ports', 'http=0'], /"0" is not a port/],
    [[MINER, '--timeout', 'soon'], /1 to 600 seconds/],
    [[MINER, '--password-file', '/does/not/exist'], /cannot read the password file/],
  ] as const) {
    const said = await assayer(['probe', ...words]);
    assert.deepEqual([said.code, said.out], [2, ''], words.join(' '));
    assert.match(said.err, told);
    assertHarmless(said);
  }
});
