import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readDevice, writeDevice } from '../agent/appraise/device.ts';
import { afterStep } from '../agent/appraise/step.ts';
import { loadConfig } from '../agent/config/load.ts';
import { Daemon } from '../agent/daemon.ts';
import { systemClock } from '../agent/platform/clock.ts';
import type { Emit } from '../agent/platform/events.ts';
import { createKey } from '../agent/platform/keys.ts';
import { lastBegun } from '../agent/record/incarnation.ts';
import { Store } from '../agent/record/store.ts';
import { parseTrustedKeys } from '../shared/keys.ts';
import type { Statement } from '../shared/statement.ts';
import { MINUTE, pools, showing, Watch } from './appraise/watch.ts';
import { assayer, configured } from './cli/assayer.ts';
import { until } from './publish/observer.ts';
import { People } from './record/approvers.ts';
import { startFleet } from './simulator/fleet.ts';
import { loadSpecimens } from './specimens/specimen.ts';

/** Every look at this clock is a minute after the one before, so that rounds open as fast as they are looked for. */
const hastyClock = () => {
  let minutes = 0;
  return {
    ...systemClock(),
    wallMs: () => Date.now() + 60_000 * minutes++,
  };
};

test('a round that opens while the start fails changes nothing: the start says what to mend, and nobody is judged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const stateDir = join(folder, 'state');
  mkdirSync(join(stateDir, 'control.sock'), { recursive: true, mode: 0o700 });
  createKey(stateDir);
  const file = join(folder, 'assayer.yaml');
  writeFileSync(
    file,
    'gateway: gw-1\noperator: example.org\nstate_dir: state\ndevices:\n  - range: 127.70.4.0/29\n    ports: { cgminer: 1, http: 1 }\n',
  );
  const events: string[] = [];
  const starting = Daemon.start(loadConfig(file), { clock: hastyClock(), emit: (_, event) => events.push(event) });
  await assert.rejects(starting, { code: 'config.state-dir' });
  assert.deepEqual(
    events.filter((event) => event !== 'schedule.late'),
    [],
  );
});

test('log.begun-anew: a store that is gone while its mark is there is told with the name of the former log', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const file = configured(folder, {
    state_dir: folder,
    devices: [{ host: '127.70.5.1', ports: { cgminer: 1, http: 1 } }],
  });
  const told: { readonly [member: string]: unknown }[] = [];
  const startAndStop = async () => {
    const emit: Emit = (level, event, members) => void (event === 'log.begun-anew' && told.push({ level, ...members }));
    const daemon = await Daemon.start(loadConfig(file), { clock: systemClock(), emit });
    await daemon.stop('test');
    return lastBegun(folder)?.origin;
  };
  const former = await startAndStop();
  await startAndStop();
  assert.equal(told.length, 0, 'a first start and a restart are as they should be');
  for (const name of ['assayer.db', 'assayer.db-wal', 'assayer.db-shm']) rmSync(join(folder, name), { force: true });
  const log = await startAndStop();
  assert.notEqual(log, former);
  assert.deepEqual(
    told.map((one) => ({ ...one, remedy: '' })),
    [{ level: 'warn', log, former, remedy: '' }],
  );
  // Restarts leave it open: a person has to look.
  await startAndStop();
  using store = Store.openReadOnly(folder);
  const open = store.findings({ open: true }).map(({ finding }) => [finding.ruleId, finding.severity, finding.reasons]);
  assert.deepEqual(open, [['evidence.agent-gap', 'high', ['store-lost']]]);
});

test('store.findings-lost: a start on a store whose findings were removed has those of its devices again, and says so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const file = configured(folder, {
    state_dir: folder,
    devices: [{ host: '127.70.5.3', name: 'rig', ports: { cgminer: 1, http: 1 } }],
  });
  const told: string[] = [];
  const startAndStop = async () => {
    const emit: Emit = (level, event) => void (event === 'store.findings-lost' && told.push(level));
    const daemon = await Daemon.start(loadConfig(file), { clock: systemClock(), emit });
    await daemon.stop('test');
  };
  await startAndStop();
  const watch = Watch.known();
  watch.live(20 * MINUTE, showing(pools({ user: 'thief.x' })));
  {
    using store = Store.open(folder);
    store.saveDevice('rig', writeDevice(watch.state));
  }
  await startAndStop();
  assert.deepEqual(told, ['warn']);
  {
    using store = Store.openReadOnly(folder);
    const open = store.findings({ open: true }).filter(({ device }) => device === 'rig');
    assert.deepEqual(
      open.map(({ finding }) => finding.ruleId),
      ['pool.user-changed'],
    );
  }
  await startAndStop();
  assert.deepEqual(told, ['warn']);
});

test('a start notes in the public key whose it is, and goes on where it cannot', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { kid } = createKey(folder);
  const file = configured(folder, {
    state_dir: folder,
    devices: [{ host: '127.70.5.2', ports: { cgminer: 1, http: 1 } }],
  });
  const told: string[] = [];
  const startAndStop = async () => {
    const emit: Emit = (_level, event) => void (event === 'key.public-unwritten' && told.push(event));
    const daemon = await Daemon.start(loadConfig(file), { clock: systemClock(), emit });
    await daemon.stop('test');
  };
  await startAndStop();
  const publicKey = join(folder, 'gateway.jwk.json');
  const { operator, gateway } = loadConfig(file).config;
  const { logs } = parseTrustedKeys(JSON.parse(readFileSync(publicKey, 'utf8'))).get(kid) ?? {};
  assert.deepEqual(logs, [`${operator}/${gateway}`]);
  rmSync(publicKey);
  mkdirSync(publicKey);
  assert.deepEqual(told, []);
  await startAndStop();
  assert.deepEqual(told, ['key.public-unwritten']);
});

test('store.corrupt: a start on a damaged store says what to do, and not what is in it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  createKey(stateDir);
  const file = configured(folder, { state_dir: stateDir });
  {
    using store = Store.open(stateDir);
    store.saveDevice('rig-1', '{"id":"rig-1","address":"10.0.0.7","lab');
  }
  const { code, err } = await assayer(['run', '-c', file]);
  assert.equal(code, 3);
  assert.match(err, /^assayer: the store .* is damaged .*\n {2}remedy: .* \[store\.corrupt\]\n$/);
  assert.doesNotMatch(err, /10\.0\.0\.7/);
});

test('approvals.json: what is remembered beside the store outlives it; where both are gone nothing before is known', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const people = new People('alice', 'bob');
  for (const name of ['alice', 'bob'])
    writeFileSync(join(folder, `${name}.jwk.json`), JSON.stringify(people.jwk(name)));
  const configure = (...names: readonly string[]): string =>
    configured(folder, {
      state_dir: folder,
      devices: [{ host: '127.70.5.3', ports: { cgminer: 1, http: 1 } }],
      approvers: Object.fromEntries(names.map((name) => [name, join(folder, `${name}.jwk.json`)])),
    });
  const file = configure('alice', 'bob');
  const told: string[] = [];
  const emit: Emit = (_level, event) => void (event === 'approvers.fewer' && told.push(event));
  const begin = () => Daemon.start(loadConfig(file), { clock: systemClock(), emit });
  const remembered = (): unknown => JSON.parse(readFileSync(join(folder, 'approvals.json'), 'utf8'));
  const lose = (...names: readonly string[]): void => {
    for (const name of names) rmSync(join(folder, name), { force: true });
  };
  const named = [...people.names].map(([kid, name]) => ({ kid, name }));
  const counted = named.map(({ kid }) => kid);
  const both = { ended: [], people: 2, approvers: named, counted, admitted: [] };
  const STORE = ['assayer.db', 'assayer.db-wal', 'assayer.db-shm'];

  const first = await begin();
  assert.deepEqual([remembered(), told], [both, []]);
  configure('alice');
  await first.reload();
  await first.stop('test');
  assert.deepEqual(told, ['approvers.fewer'], 'by a configuration that is read again');
  lose(...STORE);
  await (await begin()).stop('test');
  assert.deepEqual(
    [remembered(), told.length],
    [{ ...both, approvers: both.approvers.slice(0, 1) }, 2],
    'and at a start',
  );
  const whole = readFileSync(join(folder, 'approvals.json'));
  writeFileSync(join(folder, 'approvals.json'), whole.subarray(0, 20));
  await assert.rejects(begin(), { code: 'approvals.unreadable' });
  assert.equal(
    readFileSync(join(folder, 'approvals.json')).length,
    20,
    'nobody is taken for the first approvers over it',
  );
  writeFileSync(join(folder, 'approvals.json'), whole);
  await (await begin()).stop('test');
  lose('approvals.json');
  await (await begin()).stop('test');
  assert.deepEqual(
    remembered(),
    { ...both, people: 1, approvers: both.approvers.slice(0, 1), counted: counted.slice(0, 1) },
    'the store goes on, and knows what was ended',
  );
  lose('approvals.json', ...STORE);
  const before = Math.floor(Date.now() / 1000);
  await (await begin()).stop('test');
  const { unknown_before: unknownBefore } = remembered() as { readonly unknown_before: number };
  assert.ok(unknownBefore >= before);
});

test('an approver whose key the gateway has, or whose file says no role, is refused by every start and reload, and the log stays as it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const people = new People('alice', 'bob');
  const write = (name: string, jwk: object): void => writeFileSync(join(folder, name), JSON.stringify(jwk));
  write('alice.jwk.json', people.jwk('alice'));
  write('bob.jwk.json', people.jwk('bob'));
  const configure = (other: string): string =>
    configured(folder, {
      state_dir: folder,
      devices: [{ host: '127.70.5.6', ports: { cgminer: 1, http: 1 } }],
      approvers: { alice: join(folder, 'alice.jwk.json'), other: join(folder, other) },
    });
  const told: string[] = [];
  const emit: Emit = (_level, event, members) =>
    void (event === 'config.rejected' && told.push(String(members?.message)));
  const daemon = await Daemon.start(loadConfig(configure('bob.jwk.json')), { clock: systemClock(), emit });
  const { kty, crv, x, role: _ } = people.jwk('bob');
  const gate = JSON.parse(readFileSync(join(folder, 'gateway.jwk.json'), 'utf8'));
  const wrong = {
    'bare.jwk.json': { kty, crv, x },
    'gate.jwk.json': { kty: gate.kty, crv: gate.crv, x: gate.x, role: 'approver', name: 'gate' },
  };
  for (const [name, jwk] of Object.entries(wrong)) {
    write(name, jwk);
    configure(name);
    await daemon.reload();
  }
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /assayer\.yaml:\d+: approvers\.other: .*bare\.jwk\.json: its key is a gateway's/);
  assert.match(
    told[1] ?? '',
    /assayer\.yaml:\d+: approvers\.other: .*gate\.jwk\.json: its key is that of this gateway/,
  );
  assert.deepEqual([...daemon.loaded.approvers.names.values()], ['alice', 'other'], 'the former ones stay');
  await daemon.stop('test');
  const size = (): number => {
    using store = Store.openReadOnly(folder);
    return store.size();
  };
  const before = size();
  for (const name of Object.keys(wrong)) {
    const file = configure(name);
    for (const verb of ['run', 'check-config']) {
      const { code, err } = await assayer([verb, '-c', file]);
      assert.equal(code, 2, `${verb} ${name}`);
      assert.match(err, new RegExp(`approvers\\.other: .*${name.replaceAll('.', '\\.')}: its key `));
    }
  }
  assert.equal(size(), before);
});

test('coverage is stated however often the configuration is read again, when its period changes, and at the end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const configure = (periodS: number): string =>
    configured(folder, {
      state_dir: folder,
      coverage_s: periodS,
      devices: [{ host: '127.70.5.4', ports: { cgminer: 1, http: 1 } }],
    });
  t.mock.timers.enable({ apis: ['setInterval'] });
  let aheadMs = 0;
  const { wallMs, monoMs } = systemClock();
  const clock = { wallMs: () => wallMs() + aheadMs, monoMs: () => monoMs() + aheadMs };
  const pass = (ms: number): void => {
    aheadMs += ms;
    t.mock.timers.tick(ms);
  };
  const daemon = await Daemon.start(loadConfig(configure(60)), { clock, emit: () => {} });
  const covered = (): number => {
    using store = Store.openReadOnly(folder);
    return store.find({ kind: 'coverage', newest: 100 }).length;
  };
  for (let reload = 0; reload < 4; reload += 1) {
    pass(25_000);
    await daemon.reload();
  }
  assert.equal(covered(), 1, 'after 100 s');
  configure(30);
  await daemon.reload();
  assert.equal(covered(), 2, 'the period that another one takes the place of');
  pass(30_000);
  assert.equal(covered(), 3);
  pass(29_000);
  await daemon.stop('test');
  assert.equal(covered(), 4, 'of what was looked at since');
  await (await Daemon.start(loadConfig(configure(30)), { clock, emit: () => {} })).stop('test');
  assert.equal(covered(), 4, 'there was no time to look at everything');
});

const HOURS_30 = 30 * 3_600_000;

/** A gateway of one device at which nothing answers, which is looked at every second. */
const silentGateway = (t: TestContext, device: object): { readonly folder: string; readonly file: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const file = configured(folder, {
    state_dir: folder,
    schedule: { pools: '* * * * * *', config: '* * * * * *', web: 'off', tls: 'off', ssh: 'off', ports: 'off' },
    coverage_s: 10,
    devices: [device],
  });
  return { folder, file };
};

/** An agent whose host tells of `jumps`: the wall clock, and the time since the host started, jump while the monotonic clock stands. */
const jumping = async (t: TestContext, jumps: { readonly wallMs: number; readonly bootMs: number }) => {
  const { folder, file } = silentGateway(t, { host: '127.70.5.6', ports: { cgminer: 1, http: 1 } });
  const { monoMs } = systemClock();
  let jumped = false;
  const clock = {
    monoMs,
    wallMs: () => Date.now() + (jumped ? jumps.wallMs : 0),
    bootMs: () => 1_000_000 + monoMs() + (jumped ? jumps.bootMs : 0),
  };
  const daemon = await Daemon.start(loadConfig(file), { clock, emit: () => {} });
  const said = (): readonly Statement[] => {
    using store = Store.openReadOnly(folder);
    return store.entriesFrom(0, 1000).map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  };
  const findings = (id: string) =>
    said().flatMap((one) => (one.kind === 'finding' && one.finding.id === id ? [one.finding] : []));
  const periods = () => said().flatMap((one) => (one.kind === 'coverage' ? [one.coverage] : []));
  await until('a period', () => periods().length > 0, 20_000);
  await delay(3000);
  jumped = true;
  await until('the step', () => findings('evidence.clock-untrusted').length > 0);
  await until('periods before and after it', () => periods().length > 2, 20_000);
  await daemon.stop('test');
  return { gaps: findings('evidence.agent-gap'), periods: periods() };
};

const HOURS_8 = 8 * 3_600_000;

test('evidence.agent-gap: a host that slept says how long nobody looked, and no coverage has that time in it', async (t) => {
  const { gaps, periods } = await jumping(t, { wallMs: HOURS_8, bootMs: HOURS_8 });
  assert.deepEqual(
    gaps.map(({ state, reasons }) => [state, reasons]),
    [['resolved', ['stood-still']]],
  );
  const { gap_s } = gaps[0]?.after as { readonly gap_s: number };
  assert.ok(Math.abs(gap_s - HOURS_8 / 1000) < 3, `${gap_s}`);
  for (const { from_at, to_at } of periods) assert.ok(to_at - from_at < 60, `${from_at} to ${to_at}`);
});

test('evidence.agent-gap: a clock that is set is none, whatever it then says of the time between', async (t) => {
  const { gaps, periods } = await jumping(t, { wallMs: HOURS_8, bootMs: 0 });
  assert.deepEqual(gaps, []);
  for (const { from_at, to_at } of periods) assert.ok(to_at - from_at < 60, `${from_at} to ${to_at}`);
});

test('evidence.clock-untrusted: what was open in a log that is replaced is not ended in the one after it', async (t) => {
  const { folder, file } = silentGateway(t, { host: '127.70.5.8', ports: { cgminer: 1, http: 1 } });
  let aheadMs = 0;
  const clock = { ...systemClock(), wallMs: () => Date.now() + aheadMs };
  const kept = async () => Math.floor(clock.wallMs() / 1000);
  const timeSources = {
    chronyTracking: async () => undefined,
    timesyncdAt: kept,
    timesyncdMessage: async () => undefined,
  };
  const start = (replaces?: { readonly why: string }) =>
    Daemon.start(loadConfig(file), { clock, emit: () => {}, timeSources }, replaces);
  const findings = (): readonly (readonly [string, string])[] => {
    using store = Store.openReadOnly(folder);
    return store
      .entriesFrom(0, 1000)
      .map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement)
      .flatMap((one) => (one.kind === 'finding' ? [[one.finding.id, one.finding.state] as const] : []));
  };
  const clocks = () => findings().filter(([id]) => id === 'evidence.clock-untrusted');
  const first = await start();
  aheadMs = 60_000;
  await until('the step', () => clocks().length > 0);
  await first.stop('test');
  await (await start({ why: 'a test says so' })).stop('test');
  assert.ok(findings().some(([id]) => id === 'evidence.agent-gap'));
  const last = await start();
  await delay(2500);
  await last.stop('test');
  assert.deepEqual(clocks(), [], 'it says nothing of what it never said was open');
});

test('identity.device-missing: what was dark before the agent was down for more than a day is not missing at its next start', async (t) => {
  const { folder, file } = silentGateway(t, { host: '127.70.5.7', name: 'rig', ports: { cgminer: 1, http: 1 } });
  const lives = async (agoMs: number, isOver: () => boolean) => {
    const clock = { monoMs: systemClock().monoMs, wallMs: () => Date.now() - agoMs };
    const daemon = await Daemon.start(loadConfig(file), { clock, emit: () => {} });
    await until('it has looked', isOver, 30_000);
    await daemon.stop('test');
  };
  // The schedule reads the clock of the machine: the life in which something is looked at is the one of now.
  await lives(HOURS_30, () => true);
  const watch = Watch.known();
  watch.live(10 * MINUTE, () => undefined);
  const dark = afterStep(watch.state, Date.now() - HOURS_30 - watch.nowMs, Date.now() - HOURS_30);
  assert.ok(dark.marks.failingSinceMs !== undefined);
  const periods = (): number => {
    using store = Store.openReadOnly(folder);
    return store.entriesFrom(0, 1000).filter(({ kind }) => kind === 'coverage').length;
  };
  {
    using store = Store.open(folder);
    store.saveDevice('rig', writeDevice(dark));
  }
  const before = periods();
  await lives(0, () => periods() > before);
  using store = Store.openReadOnly(folder);
  assert.deepEqual(
    store.findings({ open: true }).flatMap(({ finding, device }) => (device === 'rig' ? [finding.ruleId] : [])),
    ['visibility.device-dark'],
  );
  const [state] = [...store.devices(readDevice)];
  assert.ok((state?.marks.failures ?? 0) > dark.marks.failures, 'it was looked at');
});

/** An agent whose start warns of this once, and all that it tells of it. */
const warnedOnceOf = async (code: string, file: string) => {
  const told: { readonly [member: string]: unknown }[] = [];
  const emit: Emit = (level, event, members) => void (event === code && told.push({ level, ...members }));
  const daemon = await Daemon.start(loadConfig(file), { clock: systemClock(), emit });
  assert.deepEqual(
    told.map(({ level }) => level),
    ['warn'],
  );
  return { daemon, told };
};

test('config.ranges-overlap: a start and a reload say of a range of which an earlier one holds addresses, and says otherwise what they are', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const ports = { cgminer: 1, http: 1 };
  const ranges = (tenant: string) => [
    { range: '127.70.10.1-127.70.10.4', ports, labels: { tenant: 'acme' } },
    { range: '127.70.10.4-127.70.10.6', ports, labels: { tenant } },
  ];
  const file = configured(folder, { state_dir: folder, devices: ranges('other') });
  const { daemon, told } = await warnedOnceOf('config.ranges-overlap', file);
  try {
    assert.match(
      String(told[0]?.message),
      /^devices\[0\] .* stands before devices\[1\] .* holds for 1 address of it: the labels /,
    );
    assert.match(String(told[0]?.remedy), /^let no two ranges have the same address/);
    await daemon.reload();
    assert.equal(told.length, 2);
    configured(folder, { state_dir: folder, devices: ranges('acme') });
    await daemon.reload();
    assert.equal(told.length, 2, 'what they say alike is no matter');
  } finally {
    await daemon.stop('test');
  }
});

test('config.listed-twice: a machine that is listed as two positions is asked once at a time, and a start and a reload say so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-daemon-'));
  t.after(() => rmSync(folder, { recursive: true }));
  createKey(folder);
  const host = '127.70.9.1';
  const specimens = loadSpecimens().filter(({ name }) => name === 'whatsminer/m50s-api2');
  await using miner = await startFleet({ specimens, base: host });
  const devices = [
    { host, name: 'one', ports: miner.ports },
    { host, name: 'two', ports: { ...miner.ports, ssh: 2222 } },
  ];
  const schedule = { web: 'off', tls: 'off', ssh: 'off', ports: 'off' };
  const file = configured(folder, { state_dir: folder, devices, schedule });
  const { daemon, told } = await warnedOnceOf('config.listed-twice', file);
  try {
    assert.match(
      String(told[0]?.message),
      /^127\.70\.9\.1 is one, two with the same ports, cgminer \d+ and http \d+: /,
    );
    const attested = (): number => {
      using store = Store.openReadOnly(folder);
      return [...store.devices(readDevice)].filter((state) => state.attested !== undefined).length;
    };
    await until('both are attested', () => attested() === 2);
    assert.equal(miner.maxConnections(), 1);
    await daemon.reload();
    assert.equal(told.length, 2);
  } finally {
    await daemon.stop('test');
  }
});
