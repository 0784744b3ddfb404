import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import fs, {
  chmodSync,
  chownSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { miners } from '../../agent/cli/doctor/miners.ts';
import { stateFolder } from '../../agent/cli/doctor/state.ts';
import type { Live } from '../../agent/cli/live.ts';
import { loadConfig } from '../../agent/config/load.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { Store } from '../../agent/record/store.ts';
import { Gateway, NO_ENDPOINT } from '../journeys/agent.ts';
import { Authority } from '../publish/certificates.ts';
import { until } from '../publish/observer.ts';
import { connack, levelOf, ScriptedBroker, TYPE } from '../publish/scripted-broker.ts';
import { openGateway } from '../record/gateway.ts';
import { remount, smallDisk, WITHOUT_MOUNT } from '../record/small-disk.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { assayer, assertHarmless, configured, folder, lines, MAIN } from './assayer.ts';

let fleet: Fleet;

before(async () => {
  fleet = await startFleet({
    specimens: loadSpecimens().filter(({ name }) => name === 'cgminer/cgminer'),
    devices: 2,
    base: '127.43.0.1',
  });
});

after(() => fleet.stop());

const range = () => [{ range: '127.43.0.1-127.43.0.20', ports: fleet.ports }];

/** A gateway that has a key and no store yet. */
const prepared = (t: TestContext, settings: object = {}): string => {
  const cwd = folder(t);
  createKey(cwd);
  configured(cwd, { devices: range(), ...settings });
  return cwd;
};

interface Found {
  readonly check: string;
  readonly level: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What doctor says, `check level` by line, and everything about one check. */
const examined = async (cwd: string) => {
  const { code, out, err } = await assayer(['doctor', '--json'], { cwd });
  assert.equal(err, '');
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: readonly Found[] };
  const isConfigured = checks.some(({ check, level }) => check === 'configuration' && level === 'ok');
  assert.equal(code, ok ? 0 : isConfigured ? 1 : 2);
  for (const { level, remedy } of checks) assert.equal(remedy === undefined, level === 'ok');
  return { code, checks, of: (name: string) => checks.filter(({ check }) => check === name) };
};

const levels = (found: readonly Found[]): readonly string[] => found.map(({ level }) => level);

test('a healthy gateway: a line for each check, and 0', async (t) => {
  await using broker = await ScriptedBroker.start();
  const cwd = prepared(t, { mqtt: { url: broker.url } });
  const said = await assayer(['doctor'], { cwd });
  assert.deepEqual([said.code, said.err], [0, '']);
  const printed = lines(said.out);
  assert.match(printed[0] ?? '', /^ok {4}configuration {2}.*assayer\.yaml is good$/);
  const shown = printed.filter((line) => !line.startsWith(' ')).map((line) => line.slice(6, 19).trim());
  assert.deepEqual(
    [...new Set(shown)],
    [
      'configuration',
      'agent',
      'state folder',
      'signing key',
      'store',
      'approvals',
      'clock',
      'broker',
      'notify',
      'miners',
    ],
  );
  assert.match(said.out, /^ok {4}miners {9}2 of 16 addresses tried answer$/m);
  assert.match(
    said.out,
    /^warn {2}broker {9}mqtt:\/\/127\.0\.0\.1:\d+ \(127\.0\.0\.1\) accepts this gateway over MQTT 5, without TLS\n {21}remedy: /m,
  );
  assertHarmless(said);
  // First as itself, to see whether somebody speaks as this gateway; then as the gateway. Without a will, or anything to say.
  const hellos = broker.of(TYPE.connect).map(({ body }) => body.toString('latin1'));
  assert.deepEqual(
    hellos.map((hello) => /tx1-gw3(-doctor)?$/.exec(hello)?.[0]),
    ['tx1-gw3-doctor', 'tx1-gw3'],
  );
  assert.deepEqual([broker.of(TYPE.subscribe).length, broker.of(TYPE.publish).length], [2, 0]);
});

test('a wrong configuration is the only thing that is told about it', async (t) => {
  const cwd = prepared(t, { schedul: {} });
  const { code, checks } = await examined(cwd);
  assert.deepEqual([code, checks.length, checks[0]?.level], [2, 1, 'fail']);
  assert.match(
    checks[0]?.message ?? '',
    /assayer\.yaml:\d+: schedul: unknown setting "schedul" \(did you mean "schedule"\?/,
  );
});

test('where there is no configuration file doctor ends with 2, as every verb', async (t) => {
  const said = await assayer(['doctor'], { cwd: folder(t) });
  assert.equal(said.code, 2);
  assert.match(said.out, /^FAIL {2}configuration {2}cannot read .*\n {21}remedy: name an existing file with -c/);
});

test('a key that is missing, open to others or not the one of the public half', async (t) => {
  const cwd = prepared(t);
  chmodSync(join(cwd, 'gateway.key'), 0o644);
  const open = (await examined(cwd)).of('signing key');
  assert.match(`${open[0]?.message} ${open[0]?.remedy}`, /can be read by others \(mode 0644\) chmod 600/);
  chmodSync(join(cwd, 'gateway.key'), 0o600);

  const other = folder(t);
  createKey(other);
  copyFileSync(join(other, 'gateway.jwk.json'), join(cwd, 'gateway.jwk.json'));
  const foreign = (await examined(cwd)).of('signing key');
  assert.deepEqual(levels(foreign), ['ok', 'warn']);
  assert.match(foreign[1]?.message ?? '', /public half of another key/);

  rmSync(join(cwd, 'gateway.key'));
  const none = (await examined(cwd)).of('signing key');
  assert.deepEqual([levels(none), none[0]?.remedy], [['fail'], 'run: assayer init']);
});

test('a store that the user of the agent may not write, although it can be read', (t) => {
  const cwd = prepared(t);
  Store.open(cwd)[Symbol.dispose]();
  chmodSync(join(cwd, 'assayer.db'), 0o400);
  // Root may write anything, so somebody else looks.
  const isRoot = process.getuid?.() === 0;
  const other = isRoot ? { uid: 65534, gid: 65534 } : {};
  if (isRoot)
    for (const file of [cwd, ...readdirSync(cwd).map((name) => join(cwd, name))]) chownSync(file, 65534, 65534);
  const said = spawnSync(process.execPath, [MAIN, 'doctor', '--json'], { cwd, encoding: 'utf8', ...other });
  const { checks } = JSON.parse(said.stdout) as { checks: readonly Found[] };
  const [first] = checks.filter(({ check }) => check === 'store');
  assert.deepEqual([said.status, first?.level], [1, 'fail'], said.stderr);
  assert.match(`${first?.message} ${first?.remedy}`, /assayer\.db may not be written by this user .*chmod 600/);
});

test('a state folder that is not there, or open to others', async (t) => {
  const cwd = prepared(t);
  chmodSync(cwd, 0o755);
  const readable = (await examined(cwd)).of('state folder');
  assert.deepEqual(levels(readable), ['warn', 'ok']);
  chmodSync(cwd, 0o777);
  const writable = (await examined(cwd)).of('state folder');
  assert.deepEqual([levels(writable), writable[0]?.remedy], [['fail', 'ok'], `chmod 700 ${cwd}`]);
  configured(cwd, { devices: range(), state_dir: join(cwd, 'none') });
  const gone = (await examined(cwd)).of('state folder');
  assert.match(`${gone[0]?.level} ${gone[0]?.remedy}`, /fail make it with the key: assayer init -c /);
});

test('a state folder that is mounted read-only is not said to belong to somebody else', {
  skip: WITHOUT_MOUNT,
}, async (t) => {
  const dir = smallDisk(t, '4m');
  const { dir: from, store } = openGateway(t);
  store[Symbol.dispose]();
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(dir, name));
  const cwd = folder(t);
  configured(cwd, { devices: range(), state_dir: dir });
  remount(dir, 'ro');
  const found = await examined(cwd);
  const [first] = found.of('state folder');
  assert.deepEqual([first?.level, first?.message], ['fail', `${dir} is on a file system that is mounted read-only`]);
  assert.match(first?.remedy ?? '', /mount -o remount,rw/);
  const [file] = found.of('store');
  assert.equal(file?.level, 'fail');
  assert.match(file?.remedy ?? '', /mount -o remount,rw/);
});

test('a state folder whose file system refuses every write, although it is mounted writable, is not called writable', async (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  const visit = { ...loadConfig(configured(dir, { devices: range() })), agent: {} as Live, nowMs: 0 };
  const { openSync } = fs;
  // As ext4 does after an error that made it stop: access(2) goes on saying that it can be written.
  t.mock.method(fs, 'openSync', (...[path, flags, mode]: Parameters<typeof openSync>) => {
    if (typeof flags === 'number' && (flags & fs.constants.O_WRONLY) !== 0)
      throw Object.assign(new Error('EROFS: read-only file system, open'), { code: 'EROFS' });
    return openSync(path, flags, mode);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const [first] = await stateFolder.run(visit);
  assert.deepEqual(
    [first?.level, first?.message],
    ['fail', `${dir} takes no file: its file system refuses every write, although it is mounted writable`],
  );
  assert.match(first?.remedy ?? '', /^dmesg says .*findmnt -T .*umount .*fsck .*mount /);
});

test('whether a state folder takes a file is tried, and nothing of that is left', {
  skip: WITHOUT_MOUNT,
}, async (t) => {
  const dir = smallDisk(t, '4m,nr_inodes=3');
  createKey(dir);
  const cwd = folder(t);
  configured(cwd, { devices: range(), state_dir: dir });
  const [full] = (await examined(cwd)).of('state folder');
  assert.deepEqual([full?.level, full?.message], ['fail', `${dir} takes no file: there is no room for another one`]);
  remount(dir, 'nr_inodes=100');
  const traces = () => [readdirSync(dir), statSync(dir, { bigint: true }).mtimeNs];
  const before = traces();
  const [well] = (await examined(cwd)).of('state folder');
  assert.deepEqual([well?.level, well?.message], ['ok', `${dir} is private and writable`]);
  assert.deepEqual(traces(), before);
});

test('devices that nobody looks at are the fault of a busy host only where the store takes what is seen', async (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  const { config, ...loaded } = loadConfig(configured(dir, { devices: range() }));
  const remedyWhile = async (isFailing: boolean): Promise<string> => {
    const agent = { unlooked: { 'rig-1': 1_795_339_201 }, store_failing: isFailing } as unknown as Live;
    const results = await miners.run({ ...loaded, config, agent, nowMs: 0 });
    return results.map(({ remedy }) => remedy ?? '').join();
  };
  assert.match(await remedyWhile(false), /host of the gateway too busy/);
  assert.match(await remedyWhile(true), /names them; no look counts while the store refuses it$/);
});

test('a log that verifies, one of another gateway, one that was tampered with', async (t) => {
  const { dir, store } = openGateway(t);
  store[Symbol.dispose]();
  configured(dir, { devices: range() });
  const good = (await examined(dir)).of('store');
  assert.deepEqual(levels(good), ['ok']);
  assert.match(good[0]?.message ?? '', /^1 entries of example\.org\/tx1-gw3\/\d+; the last 1 verify$/);

  configured(dir, { devices: range(), gateway: 'tx1-gw4' });
  const renamed = (await examined(dir)).of('store');
  assert.match(`${renamed[0]?.level} ${renamed[0]?.message}`, /fail the log in .* is example\.org\/tx1-gw3\//);

  configured(dir, { devices: range() });
  const db = new DatabaseSync(join(dir, 'assayer.db'));
  db.exec(
    "UPDATE entries SET message = CAST(replace(CAST(message AS TEXT), 'Debian', 'Devuan') AS BLOB) WHERE seq = 0",
  );
  db.close();
  const tampered = (await examined(dir)).of('store');
  assert.deepEqual(levels(tampered), ['fail']);
  assert.match(tampered[0]?.message ?? '', /entry 0 in it is not what was written/);
});

test('an id under a tenant that no device has is named: check-config says that a range has to have it, doctor that none does', async (t) => {
  const { dir, store } = openGateway(t);
  store.transaction(() => store.saveDevice('sn-417', JSON.stringify({ id: 'sn-417' })));
  store[Symbol.dispose]();
  const examine = async (devices: readonly object[], ...ids: readonly string[]) => {
    const named = ids.map((device) => ({ device }));
    configured(dir, {
      devices: [{ host: '127.43.0.1', name: 'rig-1' }, ...devices],
      tenants: { acme: { devices: named } },
    });
    const checked = await assayer(['check-config', '--json'], { cwd: dir });
    const { warnings } = JSON.parse(checked.out) as { readonly warnings: readonly Found[] };
    return { warnings: warnings.map(({ message }) => message), found: (await examined(dir)).of('tenants') };
  };
  const { warnings, found } = await examine(range(), 'rig-1', 'sn-417', 'sn-471');
  assert.match(warnings.join('\n'), /^no host entry has the id sn-417, sn-471, which tenants have devices by/);
  assert.deepEqual(levels(found), ['warn']);
  assert.match(
    `${found[0]?.message} ${found[0]?.remedy}`,
    /has the id "sn-471", by which acme has one: .* did you mean "sn-417"\? assayer status/,
  );
  assert.deepEqual(await examine(range(), 'rig-1'), { warnings: [], found: [] });
  assert.deepEqual(await examine([], 'rig-1'), { warnings: [], found: [] });
});

test('a store that is held by a process that does not answer', async (t) => {
  const { dir } = openGateway(t);
  configured(dir, { devices: range() });
  const held = (await examined(dir)).of('store');
  assert.deepEqual(levels(held), ['fail', 'ok']);
  assert.match(`${held[0]?.message}; ${held[0]?.remedy}`, /holds the store; find it with: fuser .*assayer\.lock/);
});

test('a password that everyone may read', async (t) => {
  const cwd = prepared(t);
  writeFileSync(join(cwd, 'password'), 'secret', { mode: 0o644 });
  configured(cwd, { devices: range(), credentials: { stock: { password_file: 'password' } } });
  const { code, of } = await examined(cwd);
  assert.deepEqual([code, levels(of('secrets'))], [0, ['warn']]);
  assert.match(of('secrets')[0]?.remedy ?? '', /^chmod 600 .*password$/);
});

test('a broker that refuses, that knows the old version only, that is not there, whose name is none', async (t) => {
  await using refusing = await ScriptedBroker.start(({ type }) =>
    type === TYPE.connect ? [connack(0x87)] : undefined,
  );
  await using old = await ScriptedBroker.start((packet, socket) => {
    if (packet.type !== TYPE.connect || levelOf(packet) === 4) return undefined;
    socket.destroy();
    return [];
  });
  const gone = await ScriptedBroker.start();
  const goneUrl = gone.url;
  await gone[Symbol.asyncDispose]();
  const urls = [refusing.url, old.url, goneUrl, 'mqtt://nowhere.invalid:1883'];
  const cwd = prepared(t, { mqtt: { url: urls[0], urls: urls.slice(1), insecure: true } });
  const { code, of } = await examined(cwd);
  assert.equal(code, 1);
  const [refused, accepted, absent, nameless] = of('broker');
  assert.match(`${refused?.level} ${refused?.message}`, /^fail .*refused with reason 0x87 \(notAuthorised\)$/);
  assert.match(refused?.remedy ?? '', /password_file/);
  assert.match(
    `${accepted?.level} ${accepted?.message}`,
    /^warn .* accepts this gateway over MQTT 3\.1\.1, without TLS$/,
  );
  assert.match(`${absent?.level} ${absent?.message}`, /^fail .*ECONNREFUSED/);
  assert.match(`${nameless?.level} ${nameless?.message}`, /^fail .*nowhere\.invalid does not resolve/);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test('a certificate that ends soon, and one of an authority that is not trusted', {
  skip: hasOpenssl ? false : 'openssl is missing',
}, async (t) => {
  await using broker = await ScriptedBroker.start();
  const [ours, theirs] = [folder(t), folder(t)].map((dir) => new Authority(dir)) as [Authority, Authority];
  const { cert, key } = ours.issue('broker', 'IP:127.0.0.1');
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    socket.on('error', () => {});
    socket
      .pipe(connect(broker.port, '127.0.0.1'))
      .on('error', () => {})
      .pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `mqtts://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const cwd = prepared(t, { mqtt: { url, ca: ours.ca } });
  const trusted = (await examined(cwd)).of('broker');
  assert.deepEqual(levels(trusted), ['warn', 'ok']);
  assert.match(trusted[0]?.message ?? '', /^the certificate of mqtts:.* ends on \d{4}-\d\d-\d\d$/);
  assert.match(trusted[1]?.message ?? '', /accepts this gateway over MQTT 5$/);

  configured(cwd, { devices: range(), mqtt: { url, ca: theirs.ca, ...ours.issue('tx1-gw3', 'DNS:tx1-gw3') } });
  const [own, untrusted] = (await examined(cwd)).of('broker');
  assert.match(`${own?.level} ${own?.message}`, /^warn the client certificate ends on /);
  assert.match(`${untrusted?.level} ${untrusted?.message}`, /^fail mqtts:.*(self-signed|certificate|UNABLE)/i);
  assert.match(untrusted?.remedy ?? '', /^name as ca the PEM file of the authority/);

  renameSync(theirs.ca, `${theirs.ca}.gone`);
  const [unreadable] = (await examined(cwd)).of('broker');
  assert.match(`${unreadable?.level} ${unreadable?.message}`, /^fail cannot read ca file .*ENOENT/);
});

test('positions that do not answer are named; where nobody answers the way is wrong', async (t) => {
  const here = { host: '127.43.0.1', ports: fleet.ports };
  const away = { host: '127.43.0.99', ports: fleet.ports };
  const some = (await examined(prepared(t, { devices: [here, away] }))).of('miners');
  assert.deepEqual(levels(some), ['ok', 'warn']);
  assert.match(
    `${some[1]?.message}; ${some[1]?.remedy}`,
    /^127\.43\.0\.99 .*ECONNREFUSED; assayer probe 127\.43\.0\.99$/,
  );
  const none = (await examined(prepared(t, { devices: [away] }))).of('miners');
  assert.deepEqual(levels(none), ['fail']);
});

/** The most sockets that were open at once from here to each port while `work` ran. */
const mostOpenTo = async (work: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> => {
  const open = new Map<string, number>();
  const most = new Map<string, number>();
  const opened = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }; // what Node says on this channel
    let address: string | undefined;
    socket.once('connectionAttempt', (ip: string) => {
      address = ip;
      open.set(ip, (open.get(ip) ?? 0) + 1);
      most.set(ip, Math.max(most.get(ip) ?? 0, open.get(ip) ?? 0));
    });
    socket.once('close', () => void (address !== undefined && open.set(address, (open.get(address) ?? 0) - 1)));
  };
  subscribe('net.client.socket', opened);
  try {
    await work();
  } finally {
    unsubscribe('net.client.socket', opened);
  }
  return most;
};

test('a machine that is listed under several names gets one connection at a time', async (t) => {
  const listed = ['one', 'two', 'three'].flatMap((name, at) => [
    { host: '127.43.0.1', name, ports: { ...fleet.ports, ssh: 2200 + at } },
    { host: '127.43.0.77', name: `away-${name}`, ports: { ...fleet.ports, ssh: 2200 + at } },
  ]);
  const loaded = loadConfig(configured(folder(t), { devices: listed }));
  const agent = new AgentError({ code: 'test', message: 'no agent runs', remedy: 'none' });
  let said = '';
  const most = await mostOpenTo(async () => {
    said = (await miners.run({ ...loaded, agent, nowMs: 0 }))[0]?.message ?? '';
  });
  assert.equal(said, '3 of 6 addresses answer');
  assert.deepEqual([...most].sort(), [
    ['127.43.0.1', 1],
    ['127.43.0.77', 1],
  ]);
});

test('where a schedule keeps the agent from looking, doctor and status say so, also where everything answered once', async () => {
  await using gateway = await Gateway.start({ devices: range() });
  const attested = (): number => {
    using store = Store.openReadOnly(gateway.stateDir);
    return store.newestCount();
  };
  await until('both devices are attested', () => attested() === 2);
  const ask = async (verb: string) =>
    JSON.parse((await assayer([verb, '--json', '-c', gateway.file], { cwd: gateway.folder })).out);
  const warnings = async (): Promise<readonly string[]> =>
    ((await ask('doctor')).checks as readonly Found[]).flatMap(({ check, level, message }) =>
      level === 'warn' && check !== 'clock' ? [`${check} ${message}`] : [],
    );
  // Longer than a period of coverage and a quarter: looks that are made as they should be are never late.
  await delay(13_000);
  const before = await warnings();
  assert.deepEqual(
    before.filter((text) => /^(configuration|miners) /.test(text)),
    [],
  );
  const yearly = '0 0 1 1 *';
  gateway.configure({ schedule: { pools: yearly, config: yearly, web: 'off', tls: 'off', ssh: 'off', ports: 'off' } });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  await delay(14_000);
  const [pools, config, miners] = (await warnings()).filter((text) => /^(configuration|miners) /.test(text));
  assert.match(pools ?? '', /^configuration schedule\.pools lets up to 366 d pass without a look/);
  assert.match(config ?? '', /^configuration schedule\.config /);
  assert.match(
    miners ?? '',
    /^miners 2 of 2 devices were not looked at for longer than coverage_s \(10 s\), the first of them since 2/,
  );
  const { devices } = (await ask('status')) as { devices: readonly { not_looked_since?: number }[] };
  assert.equal(devices.filter(({ not_looked_since: since = 0 }) => since > 0).length, 2);
});

test('a host that never answered a running agent is named by doctor and status; an address of a range need not have a machine', async () => {
  const silent = Array.from({ length: 4 }, (_, at) => ({
    host: `127.43.0.1${at}`,
    name: `rig-${at}`,
    ports: fleet.ports,
  }));
  const here = { host: '127.43.0.1', name: 'rig-here', ports: fleet.ports };
  // Silent for five looks they would be attested as unreachable: so seldom that no busy machine gets there.
  const schedule = { pools: '* * * * *', config: '* * * * *', ...NO_ENDPOINT };
  await using gateway = await Gateway.start({ devices: [here, ...silent, ...range()], schedule });
  const ask = (...words: readonly string[]) => assayer([...words, '-c', gateway.file], { cwd: gateway.folder });
  const attested = (): number => {
    using store = Store.openReadOnly(gateway.stateDir);
    return store.newestCount();
  };
  await until('the two that answer are attested', () => attested() === 2);
  const { code, out } = await ask('doctor');
  assert.equal(code, 0);
  assert.match(
    out,
    /^warn {2}miners {9}2 of 6 devices answer the running agent; never seen: rig-0, rig-1, rig-2 and 1 more\n {21}remedy: assayer probe 127\.43\.0\.10: /m,
  );
  assert.match((await ask('status')).out, /^devices: 2 of 6; never seen: rig-0, rig-1, rig-2 and 1 more$/m);
  assert.deepEqual(JSON.parse((await ask('status', '--json')).out).never_seen, ['rig-0', 'rig-1', 'rig-2', 'rig-3']);
});

test('a running agent is asked, and neither its broker nor its miners are disturbed', async () => {
  await using broker = await ScriptedBroker.start();
  await using gateway = await Gateway.start({ devices: range(), mqtt: { url: broker.url, spread_s: 0 } });
  const ask = () => assayer(['doctor', '--json', '-c', gateway.file], { cwd: gateway.folder });
  const attested = (): number => {
    using store = Store.openReadOnly(gateway.stateDir);
    return store.newestCount();
  };
  const isConnected = (): boolean => gateway.events.some(({ event }) => event === 'uplink.connected');
  await until('both devices are attested and the uplink stands', () => attested() === 2 && isConnected());
  const before = broker.sockets.length;
  const { code, out } = await ask();
  assert.equal(code, 0, out);
  const { checks } = JSON.parse(out) as { checks: readonly Found[] };
  const said = (name: string) =>
    checks.filter(({ check }) => check === name).map(({ level, message }) => `${level} ${message}`);
  assert.match(said('agent')[0] ?? '', /^ok running, \d+ entries$/);
  assert.match(said('store')[0] ?? '', /^ok \d+ entries of example\.org\/gw-1\/\d+; the last \d+ verify$/);
  assert.match(said('broker')[0] ?? '', /^ok the agent is connected to mqtt:/);
  assert.deepEqual(said('miners'), ['ok 2 of 2 devices answer the running agent']);
  assert.equal(broker.sockets.length, before);
  assert.equal(fleet.maxConnections(), 1);
});
