import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgminer, defineDriver, httpGet } from '../../agent/drivers/driver.ts';
import { compileAllowList } from '../../agent/probe/allow.ts';
import type { Capture } from '../../agent/probe/capture.ts';
import { darkIn, probeDevice } from '../../agent/probe/probe.ts';
import type { Target } from '../../agent/probe/target.ts';
import { BETWEEN, type Behaviour, dripping, FakeMiner, fresh, PATIENT, page } from './fake-miner.ts';

const pools = { cadence: 'pools' } as const;

/** A family that is asked over both interfaces, in mixed order. */
const mixed = defineDriver({
  family: 'mixed',
  title: 'Mixed',
  source: 'this test',
  recognise: () => 0,
  queries: {
    pools: cgminer('pools', pools),
    conf: httpGet('/conf', pools),
    version: cgminer('version'),
    system: httpGet('/system'),
    stats: cgminer('stats'),
  },
  facts: {},
});

const allow = compileAllowList([mixed]);
const BOUND = { timeout: 10_000 };

const deps = (more: { signal?: AbortSignal; limits?: typeof PATIENT } = {}) => ({
  limits: PATIENT,
  allow,
  ...fresh(),
  ...more,
});

/** A miner that speaks both protocols on one port, as one device. */
const both =
  (speakCgminer: Behaviour, speakHttp: Behaviour): Behaviour =>
  (request, socket) =>
    request.startsWith('{') ? speakCgminer(request, socket) : speakHttp(request, socket);

const good: Behaviour = both(
  (request, socket) =>
    socket.end(`${JSON.stringify({ STATUS: [{ STATUS: 'S' }], asked: JSON.parse(request).command })}\0`),
  (request, socket) => socket.write(page(JSON.stringify({ asked: request.split(' ')[1] }))),
);

const look = (miner: FakeMiner, kind: 'pools' | 'full', more: Parameters<typeof deps>[0] = {}): Promise<Capture> =>
  probeDevice({ address: '127.0.0.1', ports: { cgminer: miner.port, http: miner.port } }, mixed, kind, deps(more));

const outcomes = ({ replies }: Capture): { [name: string]: string } =>
  Object.fromEntries([...replies].map(([name, reply]) => [name, reply.kind === 'reply' ? 'reply' : reply.reason]));

test('a full look asks every question, a pools look only those of that cadence', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  assert.deepEqual(outcomes(await look(miner, 'pools')), { pools: 'reply', conf: 'reply' });
  const full = await look(miner, 'full');
  assert.deepEqual(Object.keys(outcomes(full)).sort(), ['conf', 'pools', 'stats', 'system', 'version']);
  assert.equal(full.address, '127.0.0.1');
  assert.ok(full.observedAtMs > 1_700_000_000_000);
});

test('a look says which IP address a name, or another spelling, led to', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  const reachedBy = async (address: string): Promise<string | undefined> => {
    const target = { address, ports: { cgminer: miner.port, http: miner.port } };
    return (await probeDevice(target, mixed, 'full', deps())).reached;
  };
  assert.equal(await reachedBy('127.0.0.1'), undefined);
  assert.equal(await reachedBy('127.1'), '127.0.0.1', 'no address in its usual form: it is looked up');
  assert.equal(await reachedBy('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(await reachedBy('127.0.0.2'), undefined, 'nobody is there');
  assert.equal(await reachedBy('::ffff:127.0.0.2'), undefined, 'nobody is there');
});

test('a device never sees two connections, and only bytes of the allow-list', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  for (let round = 0; round < 20; round += 1) await look(miner, 'full');
  await miner.allClosed();
  assert.equal(miner.mostAtOnce, 1);
  assert.deepEqual(miner.strangers(allow), []);
  assert.equal(miner.requests.length, 100);
});

test('a port that takes no connection is asked once in a look', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  const gone = await FakeMiner.start(() => {});
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  const target = { address: '127.0.0.1', ports: { cgminer: port, http: miner.port } };
  const capture = await probeDevice(target, mixed, 'full', deps());
  assert.deepEqual(outcomes(capture), {
    pools: 'unreachable',
    version: 'unreachable',
    stats: 'unreachable',
    conf: 'reply',
    system: 'reply',
  });
  const stats = capture.replies.get('stats');
  assert.equal(stats?.kind === 'no-reply' && stats.detail, 'not asked again: ECONNREFUSED');
});

test('a port that is null is not asked', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: null } };
  const capture = await probeDevice(target, mixed, 'pools', deps());
  assert.deepEqual(outcomes(capture), { pools: 'reply', conf: 'unreachable' });
});

test('a silent interface is asked twice, and the other one still answers', BOUND, async () => {
  await using miner = await FakeMiner.start(
    both(
      () => {},
      (request, socket) => good(request, socket),
    ),
  );
  const capture = await look(miner, 'full', { limits: BETWEEN });
  assert.deepEqual(outcomes(capture), {
    pools: 'timeout',
    version: 'timeout',
    stats: 'timeout',
    conf: 'reply',
    system: 'reply',
  });
  assert.equal(miner.requests.filter((request) => request.startsWith('{')).length, 2);
});

test('a look ends with the deadline of the device, and every question that was due has an entry', BOUND, async () => {
  await using miner = await FakeMiner.start(dripping('[', 100));
  const capture = await look(miner, 'full', { limits: { ...PATIENT, exchangeMs: 5000, deviceMs: 1000 } });
  assert.deepEqual([...new Set(Object.values(outcomes(capture)))], ['timeout']);
  assert.equal(capture.replies.size, 5);
  assert.equal(miner.requests.length, 1);
});

test('one bad reply does not keep the others from being asked', BOUND, async () => {
  await using miner = await FakeMiner.start((request, socket) =>
    request.includes('version') ? socket.end('garbage') : good(request, socket),
  );
  const { version, ...others } = outcomes(await look(miner, 'full'));
  assert.equal(version, 'unreadable');
  assert.deepEqual([...new Set(Object.values(others))], ['reply']);
});

test('an aborted look rejects and leaves no connection behind', BOUND, async () => {
  await using miner = await FakeMiner.start(() => {});
  const controller = new AbortController();
  const pending = look(miner, 'full', { signal: controller.signal });
  while (miner.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('shutting down'));
  await assert.rejects(pending, /shutting down/);
  await miner.allClosed();
  await assert.rejects(look(miner, 'full', { signal: controller.signal }), /shutting down/);
  assert.equal(miner.connections, 1);
});

/** A port that refuses connections. */
const refusing = async (): Promise<number> => {
  await using miner = await FakeMiner.start(good);
  return miner.port;
};

const CGMINER_CLOSED = ['cgminer cgminer'] as const;

test(
  'a pools look leaves an interface that is known to be closed while another answers; a full look tries it',
  BOUND,
  async () => {
    await using miner = await FakeMiner.start(good);
    const target = { address: '127.0.0.1', ports: { cgminer: miner.port, http: miner.port }, closed: CGMINER_CLOSED };
    const pools = await probeDevice(target, mixed, 'pools', deps());
    assert.deepEqual(outcomes(pools), { conf: 'reply', pools: 'unreachable' });
    assert.equal(miner.requests.length, 1);
    const full = await probeDevice(target, mixed, 'full', deps());
    assert.deepEqual(new Set(Object.values(outcomes(full))), new Set(['reply']));
  },
);

test('an interface that is known to be closed is tried where nothing else answers', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  const ports = { cgminer: miner.port, http: await refusing() };
  const pools = await probeDevice({ address: '127.0.0.1', ports, closed: CGMINER_CLOSED }, mixed, 'pools', deps());
  assert.deepEqual(outcomes(pools), { conf: 'unreachable', pools: 'reply' });
});

test('what a full look could not connect to is told by interface', BOUND, async () => {
  await using miner = await FakeMiner.start(good);
  const capture = await probeDevice(
    { address: '127.0.0.1', ports: { cgminer: await refusing(), http: miner.port } },
    mixed,
    'full',
    deps(),
  );
  assert.deepEqual(darkIn(mixed, capture), CGMINER_CLOSED);
});

/** A family that wants the password in clear. */
const inClear = defineDriver({
  family: 'in-clear',
  title: 'In clear',
  source: 'this test',
  recognise: () => 0,
  vendorLogin: { user: 'maker', password: 'documented' },
  queries: { conf: httpGet('/conf', { ...pools, auth: 'basic' }) },
  facts: {},
});

/** The `Authorization` headers that a device of this family gets to see. */
const shownTo = async (driver: typeof inClear, login: Pick<Target, 'credential' | 'vendorDefault' | 'families'>) => {
  const seen: string[] = [];
  await using miner = await FakeMiner.start((request, socket) => {
    seen.push(...(/^authorization: (.*)$/im.exec(request)?.slice(1) ?? []));
    socket.write(page('{}'));
  });
  const target = { address: '127.0.0.1', ports: { http: miner.port }, ...login };
  const { replies } = await probeDevice(target, driver, 'full', { ...deps(), allow: compileAllowList([driver]) });
  const [conf] = replies.values();
  return { seen, outcome: conf?.kind === 'reply' ? 'reply' : conf?.reason };
};

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a log-in for other families is not shown to a device that speaks like one of this', BOUND, async () => {
  const of = (families?: readonly string[]) => ({ credential: { user: 'root', password: () => 'secret' }, families });
  assert.deepEqual(await shownTo(inClear, of(['antminer-stock'])), { seen: [], outcome: 'refused' });
  for (const families of [undefined, ['antminer-stock', 'in-clear']])
    assert.deepEqual(await shownTo(inClear, of(families)), { seen: [basic('root:secret')], outcome: 'reply' });
});

test('the log-in that a maker documents is tried only where that is turned on, and none was given', BOUND, async () => {
  assert.deepEqual(await shownTo(inClear, {}), { seen: [], outcome: 'refused' });
  assert.deepEqual(await shownTo(inClear, { vendorDefault: true }), {
    seen: [basic('maker:documented')],
    outcome: 'reply',
  });
  assert.deepEqual(await shownTo(inClear, { vendorDefault: true, families: ['other'] }), {
    seen: [],
    outcome: 'refused',
  });
  const given = { vendorDefault: true, credential: { user: 'root', password: () => 'secret' } };
  assert.deepEqual(await shownTo(inClear, given), { seen: [basic('root:secret')], outcome: 'reply' });
});
