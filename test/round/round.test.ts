import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { cgminer, defineDriver } from '../../agent/drivers/driver.ts';
import { poolList } from '../../agent/drivers/pools.ts';
import { at, firstOf, text } from '../../agent/drivers/readers.ts';
import type { Place } from '../../agent/schedule/places.ts';
import { FakeMiner } from '../probe/fake-miner.ts';
import { type Fleet as Miners, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

const miners = (base: string, ...names: readonly string[]): Promise<Miners> => {
  const all = loadSpecimens();
  const specimens = names.map((name) => {
    const found = all.find((specimen) => specimen.name === name);
    assert.ok(found !== undefined, `no specimen ${name}`);
    return found;
  });
  return startFleet({ specimens, base });
};

const inRange = (address: string, ports: Place['ports']): Place => ({
  address,
  ports,
  labels: { site: 'tx1' },
  origin: 'range',
  entry: '127.44.0.0/16',
});

/** Ports at which nobody listens. */
const CLOSED: Place['ports'] = { cgminer: 1, http: 1, https: 1, whatsminer: 1, volcminer: 1, auradine: 1, grpc: 1 };

/** Leads to a port of the same address, as a forwarded one does, until it is closed. */
const startRelay = async (t: TestContext, host: string, to: number) => {
  const server = createServer((socket) => {
    const onward = connect(to, host);
    for (const one of [socket, onward]) one.on('error', () => {});
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  t.after(close);
  return { port: (server.address() as AddressInfo).port, close };
};

const M50S = 'whatsminer/m50s-api2';
const GAMMA = 'axeos/gamma-2.12';

test('a first full look finds out what sits at an address, gives it its id, and attests it', async (t) => {
  await using fleet = await miners('127.44.0.1', M50S);
  const hall = new Hall(t, [inRange('127.44.0.1', fleet.ports)]);
  await hall.look(0);
  const [attestation, ...others] = hall.attestations();
  assert.ok(attestation !== undefined && others.length === 0);
  assert.match(attestation.subject.device, /^mac-02[0-9a-f]{10}$/);
  assert.deepEqual(attestation.subject.labels, { site: 'tx1' });
  assert.deepEqual([attestation.evidence.trigger, attestation.evidence.address], ['first', '127.44.0.1']);
  assert.ok(attestation.evidence.raw.length > 0);
  const seat = hall.seat(0);
  assert.deepEqual(
    [seat.device, seat.family, seat.occupied, seat.passed, seat.busy],
    [attestation.subject.device, 'whatsminer', true, true, false],
  );
});

test('a device is not given an id before it was asked again for what it is known by, where that broke off', async (t) => {
  const firstLook = async (base: string, cutAt?: number) => {
    await using fleet = await miners(base, 'avalon/a1246');
    let asked = 0;
    fleet.follow((device, request) => {
      if (!request.includes('"version"')) return;
      asked += 1;
      device.behave(asked === cutAt ? 'truncate' : 'honest');
    });
    const hall = new Hall(t, [inRange(base, fleet.ports)]);
    await hall.look(0);
    return { asked, id: hall.seat(0).device };
  };
  const whole = await firstLook('127.44.12.1');
  assert.match(whole.id ?? '', /^mac-/);
  const cut = await firstLook('127.44.13.1', whole.asked);
  assert.ok(cut.asked > whole.asked, 'it was asked again');
  assert.match(cut.id ?? '', /^mac-/);
});

test('what two full looks in a row could not connect to is known to be closed, and one such look is not enough', async (t) => {
  await using fleet = await miners('127.44.11.1', 'goldshell/ck5');
  const hall = new Hall(t, [inRange('127.44.11.1', fleet.ports)]);
  await hall.look(0);
  assert.equal(hall.seat(0).closed, undefined);
  await hall.look(0);
  assert.deepEqual(hall.seat(0).closed, ['cgminer cgminer']);
  hall.seat(0).dark = undefined;
  await hall.look(0);
  assert.equal(hall.seat(0).closed, undefined);
});

test('a look that is wanted early is not forgotten where the device is still being asked', async (t) => {
  await using fleet = await miners('127.44.10.1', M50S);
  const hall = new Hall(t, [inRange('127.44.10.1', fleet.ports)]);
  await hall.look(0);
  const wanted = () => hall.timetable.due(Number.MAX_SAFE_INTEGER).map(({ look, early }) => [look, early]);
  assert.deepEqual(wanted(), []);
  hall.seat(0).busy = true;
  assert.equal(await hall.look(0, 'full', true), false);
  assert.deepEqual(wanted(), [['full', true]]);
  assert.equal(await hall.look(0, 'full', false), false);
  assert.deepEqual(wanted(), [], 'the next round asks by itself');
});

test('a demanded look is attested once, also on a device with which nothing changed', async (t) => {
  await using fleet = await miners('127.44.11.1', M50S);
  const hall = new Hall(t, [inRange('127.44.11.1', fleet.ports)]);
  await hall.look(0);
  await hall.look(0);
  hall.seat(0).demanded = true;
  await hall.look(0, 'pools');
  await hall.look(0, 'full', true);
  await hall.look(0);
  assert.deepEqual(
    hall.attestations().map(({ evidence }) => evidence.trigger),
    ['first', 'demand'],
  );
});

test('a pools look asks the pools questions only, and changes nothing', async (t) => {
  await using fleet = await miners('127.44.1.1', M50S);
  const hall = new Hall(t, [inRange('127.44.1.1', fleet.ports)]);
  await hall.look(0);
  const before = new Map(fleet.requests());
  const entries = hall.said().length;
  await hall.look(0, 'pools');
  const asked = [...fleet.requests()].filter(([request, count]) => count > (before.get(request) ?? 0));
  assert.ok(asked.length > 0 && asked.length < before.size);
  assert.ok(asked.some(([request]) => request.includes('pools')));
  assert.equal(hall.said().length, entries);
});

test('a miner in a range that lets nothing be read is told of once, although it has no history', async (t) => {
  await using fleet = await miners('127.44.13.1', 'elphapex/dg1');
  const hall = new Hall(t, [inRange('127.44.13.1', fleet.ports), inRange('127.44.13.2', fleet.ports)]);
  for (const _ of [1, 2, 3]) for (const at of [0, 1]) await hall.look(at);
  assert.deepEqual(
    hall.events.map(({ event, address, family }) => [event, address, family]),
    [['device.silent', '127.44.13.1', 'elphapex']],
  );
  assert.match(String(hall.events[0]?.message), /no credentials are configured/);
  assert.deepEqual(hall.attestations(), []);
});

test('a finding names the surfaces that were read, and not those that gave no answer', async (t) => {
  await using fleet = await miners('127.44.12.1', 'antminer-stock/s19-4028');
  const hall = new Hall(t, [inRange('127.44.12.1', fleet.ports)]);
  await hall.look(0);
  fleet.device(0).changePoolUser(0, 'thief.x1');
  await hall.look(0);
  hall.passedMs += 60_000;
  await hall.look(0);
  const [theft] = hall.findings();
  assert.deepEqual([theft?.id, theft?.surfaces], ['pool.user-changed', ['pools']]);
});

test('an empty address is passed and leaves no trace, neither in the log nor in coverage', async (t) => {
  const hall = new Hall(t, [inRange('127.44.2.1', { cgminer: 4028, http: 80 })]);
  await hall.look(0);
  assert.deepEqual([hall.seat(0).device, hall.seat(0).passed, hall.said().length], [undefined, true, 1]);
  const { expected, polls } = hall.coverage();
  assert.deepEqual([expected, polls], [0, {}]);
});

test('a device that is still being asked is left alone, and its turn counts as due', async (t) => {
  await using fleet = await miners('127.44.3.1', M50S);
  const hall = new Hall(t, [inRange('127.44.3.1', fleet.ports)]);
  await hall.look(0);
  const looks = await Promise.all([hall.look(0, 'pools'), hall.look(0, 'pools'), hall.look(0, 'full', true)]);
  assert.deepEqual(looks, [true, false, false]);
  assert.equal(fleet.maxConnections(), 1);
  assert.deepEqual(hall.coverage().polls, { pools: { due: 2, ok: 1 } });
});

test('a position that never answered becomes dark at the fifth look, and then rests longer and longer', async (t) => {
  const place: Place = {
    address: '127.44.4.1',
    ports: { cgminer: 4028, http: 80 },
    labels: {},
    origin: 'host',
    entry: '127.44.4.1',
    id: 'rack-1',
  };
  const hall = new Hall(t, [place]);
  const rests: number[] = [];
  for (let look = 0; look < 12; look += 1) {
    hall.seat(0).restUntilMs = 0;
    await hall.look(0, 'pools');
    rests.push(hall.seat(0).restUntilMs);
  }
  assert.deepEqual(rests.slice(0, 5), [0, 0, 0, 0, 0]);
  assert.ok(
    rests.slice(5).every((rest) => rest > 60_000 && rest < 300_000 + 60_000),
    `${rests}`,
  );
  assert.deepEqual(
    hall.said().map(({ kind }) => kind),
    ['session', 'attestation', 'finding'],
  );
  assert.equal(hall.attestations()[0]?.evidence.trigger, 'unreachable');
  const { expected, observed, unreachable, polls } = hall.coverage();
  assert.deepEqual([expected, observed, unreachable, polls], [1, 0, 1, { pools: { due: 12, ok: 0 } }]);
});

test('what the store refused was not a first pass: the next look learns it as if it were the first', async (t) => {
  await using fleet = await miners('127.44.5.1', M50S);
  const hall = new Hall(t, [inRange('127.44.5.1', fleet.ports)]);
  hall.refusing = true;
  await hall.look(0);
  assert.deepEqual([hall.seat(0).passed, hall.said().length], [false, 1]);
  hall.refusing = false;
  await hall.look(0);
  assert.deepEqual(
    hall.attestations().map(({ evidence }) => evidence.trigger),
    ['first'],
  );
  await hall.look(0);
  assert.ok(hall.said().every(({ kind }) => kind !== 'finding'));
});

test('an aborted look is no evidence and frees its seat', async (t) => {
  await using fleet = await miners('127.44.6.1', M50S);
  const hall = new Hall(t, [inRange('127.44.6.1', fleet.ports)]);
  fleet.device(0).behave('silent');
  const looking = hall.look(0);
  hall.stopping.abort();
  await assert.rejects(looking, { name: 'AbortError' });
  assert.deepEqual([hall.seat(0).busy, hall.seat(0).passed, hall.said().length], [false, false, 1]);
});

test('an address at which another family speaks now is identified anew by a full look', async (t) => {
  await using fleet = await miners('127.44.7.1', M50S, GAMMA);
  const gamma = loadSpecimens().find(({ name }) => name === GAMMA);
  assert.ok(gamma !== undefined);
  const hall = new Hall(t, [inRange('127.44.7.1', fleet.ports)]);
  await hall.look(0);
  await fleet.device(0).swapTo(gamma);
  await hall.look(0, 'pools');
  assert.equal(hall.seat(0).family, 'whatsminer');
  await hall.look(0);
  assert.equal(hall.seat(0).family, 'axeos');
  await hall.look(0);
  assert.ok(hall.said().some((one) => one.kind === 'finding' && one.finding.id === 'firmware.family-changed'));
});

test('how the family of a device was found out is kept with it, until it is found out anew', async (t) => {
  await using fleet = await miners('127.44.17.1', M50S, GAMMA);
  const gamma = loadSpecimens().find(({ name }) => name === GAMMA);
  assert.ok(gamma !== undefined);
  const hall = new Hall(t, [inRange('127.44.17.1', fleet.ports)]);
  const kept = () => hall.kept(hall.seat(0).device ?? '')?.identified;
  await hall.look(0);
  const first = kept();
  assert.deepEqual([first?.family, first?.by], ['whatsminer', ['version: answered']]);
  await hall.look(0);
  await hall.look(0, 'pools');
  assert.deepEqual(kept(), first, 'a device that is known is not identified again');
  await fleet.device(0).swapTo(gamma);
  await hall.look(0);
  assert.equal(kept()?.family, 'axeos');
  assert.deepEqual(kept()?.by.at(-1), 'GET /api/system/info: answered');
});

test('two machines that exchange their addresses keep their ids, after each address was asked', async (t) => {
  await using fleet = await miners('127.44.8.1', M50S, GAMMA);
  const hall = new Hall(t, [inRange('127.44.8.1', fleet.ports), inRange('127.44.8.2', fleet.ports)]);
  await hall.look(0);
  await hall.look(1);
  const [one, two] = [hall.seat(0).device, hall.seat(1).device];
  await fleet.device(0).moveTo('127.44.8.9');
  await fleet.device(1).moveTo('127.44.8.1');
  await fleet.device(0).moveTo('127.44.8.2');
  for (const _ of [1, 2]) for (const seat of [0, 1]) await hall.look(seat);
  assert.deepEqual([hall.seat(0).device, hall.seat(1).device], [two, one]);
  assert.equal(hall.fleet.states().length, 2);
  assert.deepEqual(hall.fleet.machines.displaced(), []);
});

/** A family with two questions, of which a device may lose the answer to one. */
const toy = defineDriver({
  family: 'toy',
  title: 'Toy',
  source: 'this test',
  recognise: ({ cgminer: replies }) => (replies.has('version') ? 3 : 0),
  queries: { version: cgminer('version', { cadence: 'pools' }), config: cgminer('config') },
  facts: {
    'firmware.version': at('version', '/version', text),
    'config.mode': at('config', '/mode', text),
  },
});

test('a position that was dark from the start is learned when it answers, also where not all of it can be read', async (t) => {
  let isOn = false;
  await using miner = await FakeMiner.start((request, socket) => {
    if (!isOn) socket.resetAndDestroy();
    else socket.end(request.includes('version') ? '{"version":"1"}\0' : '{"mode":"nor');
  });
  const ports = { cgminer: miner.port, http: miner.port };
  const place: Place = { ...inRange('127.0.0.1', ports), origin: 'host', id: 'rack-1' };
  const hall = new Hall(t, [place], [toy]);
  for (let look = 0; look < 6; look += 1) await hall.look(0);
  isOn = true;
  for (let look = 0; look < 3; look += 1) await hall.look(0);
  assert.deepEqual(
    hall.attestations().map(({ evidence }) => [evidence.trigger, evidence.readings]),
    [
      ['unreachable', {}],
      ['first', { 'config.mode': 'unknown: truncated' }],
    ],
  );
});

/** A toy that loses its answer to `config` for so many times. */
const toyLosing = async (times: { left: number }): Promise<FakeMiner> =>
  FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end('{"version":"1"}\0');
    else if (times.left > 0) {
      times.left -= 1;
      socket.end('{"mode":"nor');
    } else socket.end('{"mode":"normal"}\0');
  });

test('a full look is repeated, up to three times, while something is unknown that was known before', async (t) => {
  const lost = { left: 0 };
  await using miner = await toyLosing(lost);
  const place = inRange('127.0.0.1', { cgminer: miner.port, http: miner.port });
  const hall = new Hall(t, [place], [toy]);
  await hall.look(0);
  const configsAsked = async (losing: number): Promise<number> => {
    const before = miner.requests.length;
    lost.left = losing;
    await hall.look(0);
    return miner.requests.slice(before).filter((request) => request.includes('config')).length;
  };
  assert.equal(await configsAsked(0), 1);
  assert.equal(await configsAsked(1), 2);
  assert.equal(await configsAsked(2), 3);
  assert.equal(await configsAsked(9), 3);
  assert.equal(miner.mostAtOnce, 1);
  assert.equal(hall.attestations().length, 1);
});

/** A toy that reads its name where `config` gives it, else where `version` does. */
const named = defineDriver({
  ...toy,
  facts: {
    ...toy.facts,
    'network.hostname': firstOf(at('config', '/name', text), at('version', '/name', text)),
  },
});

test('a surface that is closed for good is not asked three times at every look, and what stands in for it is not attested', async (t) => {
  const device = { closed: false, version: '1' };
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end(`{"version":"${device.version}","name":"RIG-7.LAN"}\0`);
    else if (device.closed) socket.end('{"STATUS":[{"STATUS":"E","Code":45,"Msg":"Access denied"}]}\0');
    else socket.end('{"mode":"normal","name":"rig-7"}\0');
  });
  const place = inRange('127.0.0.1', { cgminer: miner.port, http: miner.port });
  const hall = new Hall(t, [place], [named]);
  const configsAsked = async (): Promise<number> => {
    const before = miner.requests.length;
    await hall.look(0);
    return miner.requests.slice(before).filter((request) => request.includes('config')).length;
  };
  assert.equal(await configsAsked(), 1);
  device.closed = true;
  assert.deepEqual([await configsAsked(), await configsAsked(), await configsAsked()], [3, 1, 1]);
  device.version = '2';
  for (let look = 0; look < 3; look += 1) await hall.look(0);
  const [first, changed, ...more] = hall.attestations().map(({ evidence }) => evidence);
  assert.deepEqual(more, []);
  assert.deepEqual((first?.claims as { network: object }).network, { hostname: 'rig-7' });
  assert.equal((changed?.claims as { network?: object }).network, undefined);
  assert.deepEqual(changed?.readings, {
    'config.mode': 'unknown: refused',
    'network.hostname': 'unknown: refused',
  });
  device.closed = false;
  assert.equal(await configsAsked(), 1);
  assert.equal(hall.attestations().length, 2);
});

/** A toy whose reply to `pools` can be anything. */
const pooled = defineDriver({
  ...toy,
  queries: { ...toy.queries, pools: cgminer('pools', { cadence: 'pools' }) },
  facts: {
    ...toy.facts,
    pools: at('pools', '/pools', poolList({ slot: 'slot', url: 'url', user: 'user' })),
  },
});

const POOLS = '{"pools":[{"slot":0,"url":"stratum+tcp://pool.example:3333","user":"acme.rig1"}]}';

test('§4: a device that keeps its attested pools to itself is not observed, and no look of it is a good one', async (t) => {
  const reply = { pools: POOLS };
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end('{"version":"1"}\0');
    else if (request.includes('pools')) socket.end(reply.pools);
    else socket.end('{"mode":"normal"}\0');
  });
  const place = inRange('127.0.0.1', { cgminer: miner.port, http: miner.port });
  const hall = new Hall(t, [place], [pooled]);
  await hall.look(0);
  const device = hall.seat(0).device;
  const looked = async () => {
    await hall.look(0, 'pools');
    await hall.look(0);
    const { observed, missed, missed_devices, polls } = hall.coverage();
    return { observed, missed, missed_devices, ok: [polls.pools?.ok, polls.config?.ok] };
  };
  const good = { observed: 1, missed: 0, missed_devices: undefined, ok: [1, 1] };
  hall.coverage();
  assert.deepEqual(await looked(), good);
  for (const cut of [
    POOLS.slice(0, 40),
    '{"STATUS":[{"STATUS":"E","Code":45,"Msg":"Access denied"}]}\0',
    '{"pools":[]}\0',
    '',
  ]) {
    reply.pools = cut;
    assert.deepEqual(await looked(), { observed: 0, missed: 1, missed_devices: [device], ok: [0, 0] }, cut);
  }
  assert.ok(hall.fleet.state(device ?? '')?.marks.poolsUnreadMs !== undefined);
  reply.pools = POOLS;
  assert.deepEqual(await looked(), good);
  assert.equal(hall.fleet.state(device ?? '')?.marks.poolsUnreadMs, undefined);
  assert.equal(hall.attestations().length, 1);
  // That the surface was closed for one look is the outcome of a value that nobody confirmed.
  assert.deepEqual(
    hall.said().flatMap((entry) => (entry.kind === 'finding' ? [[entry.finding.id, entry.finding.state]] : [])),
    [['visibility.coverage-reduced', 'resolved']],
  );
});

test('an agent that ends without a word after each look knows since when the pools are not read, and tells it all the same', async (t) => {
  const reply = { pools: POOLS };
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end('{"version":"1"}\0');
    else if (request.includes('pools')) socket.end(reply.pools);
    else socket.end('{"mode":"normal"}\0');
  });
  const hall = new Hall(t, [inRange('127.0.0.1', { cgminer: miner.port, http: miner.port })], [pooled]);
  await hall.look(0);
  const device = hall.seat(0).device ?? '';
  /** A look of an agent that knows what the store has. Gives what is kept of it. */
  const lookAnew = async () => {
    const known = hall.kept(device);
    assert.ok(known !== undefined);
    hall.fleet.keep(known);
    hall.passedMs += 130_000;
    await hall.look(0, 'pools');
    return hall.kept(device)?.marks;
  };
  reply.pools = POOLS.slice(0, 40);
  const sinceMs = (await lookAnew())?.poolsUnreadMs;
  assert.ok(sinceMs !== undefined);
  for (let looks = 2; looks <= 5; looks += 1) {
    assert.deepEqual(hall.findings(), []);
    const kept = await lookAnew();
    assert.deepEqual([kept?.poolsUnreadMs, kept?.leftOut?.pools?.looks], [sinceMs, looks]);
  }
  await lookAnew();
  await hall.look(0);
  assert.deepEqual(
    hall.findings().map(({ id, part, state }) => [id, part, state]),
    [['visibility.coverage-reduced', 'unread', 'open']],
  );
  reply.pools = POOLS;
  const kept = await lookAnew();
  assert.deepEqual([kept?.poolsUnreadMs, kept?.leftOut], [undefined, undefined]);
});

test('a device of which nothing is missing is not kept anew at each look', async (t) => {
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end('{"version":"1"}\0');
    else if (request.includes('pools')) socket.end(POOLS);
    else socket.end('{"mode":"normal"}\0');
  });
  const hall = new Hall(t, [inRange('127.0.0.1', { cgminer: miner.port, http: miner.port })], [pooled]);
  await hall.look(0);
  const device = hall.seat(0).device ?? '';
  await hall.look(0);
  const before = hall.kept(device);
  for (let looks = 0; looks < 3; looks += 1) {
    hall.passedMs += 60_000;
    await hall.look(0, 'pools');
  }
  assert.deepEqual(hall.kept(device), before);
});

/** The list of the thief in front, and more behind it than is read of one reply. */
const STOLEN = '{"pools":[{"slot":0,"url":"stratum+tcp://thief.example:3333","user":"thief.1"}]';

for (const [name, reply] of [
  ['cut off', POOLS.slice(0, 40)],
  ['too long', `${STOLEN},"pad":"${'x'.repeat(1_100_000)}"}\0`],
  ['too many values', `${STOLEN},"pad":[${'1,'.repeat(9000)}1]}\0`],
] as const)
  test(`visibility.coverage-reduced: pools whose reply is ${name} at every look are told after ten minutes`, async (t) => {
    const answers = { pools: POOLS };
    await using miner = await FakeMiner.start((request, socket) => {
      if (request.includes('version')) socket.end('{"version":"1"}\0');
      else if (request.includes('pools')) socket.end(answers.pools);
      else socket.end('{"mode":"normal"}\0');
    });
    const place = inRange('127.0.0.1', { cgminer: miner.port, http: miner.port });
    const hall = new Hall(t, [place], [pooled]);
    await hall.look(0);
    answers.pools = reply;
    const findings = () => hall.findings().map(({ id, part, state, reasons }) => [id, part, state, reasons]);
    for (let minute = 0; minute < 9; minute += 1, hall.passedMs += 60_000)
      await hall.look(0, minute % 4 === 0 ? 'full' : 'pools');
    assert.deepEqual(findings(), []);
    for (let minute = 0; minute < 3; minute += 1, hall.passedMs += 60_000) await hall.look(0);
    assert.deepEqual(findings(), [['visibility.coverage-reduced', 'unread', 'open', ['truncated']]]);
    assert.equal(hall.attestations().at(-1)?.appraisal.conformance, 'deviation');
    assert.equal(hall.attestations().at(-1)?.evidence.readings.pools, 'unknown: truncated');
  });

test('§4: a device whose attestation says that its pools could not be read is in agreement with it, and status says since when', async (t) => {
  const reply = { pools: POOLS, version: '1' };
  await using miner = await FakeMiner.start((request, socket) => {
    if (request.includes('version')) socket.end(`{"version":"${reply.version}"}\0`);
    else if (request.includes('pools')) socket.end(reply.pools);
    else socket.end('{"mode":"normal"}\0');
  });
  const place = inRange('127.0.0.1', { cgminer: miner.port, http: miner.port });
  const hall = new Hall(t, [place], [pooled]);
  await hall.look(0);
  Object.assign(reply, { pools: POOLS.slice(0, 40), version: '2' });
  for (let look = 0; look < 3; look += 1) await hall.look(0);
  assert.equal(hall.attestations().at(-1)?.evidence.readings.pools, 'unknown: truncated');
  hall.coverage();
  await hall.look(0, 'pools');
  const { observed, missed, polls } = hall.coverage();
  assert.deepEqual([observed, missed, polls.pools?.ok], [1, 0, 1]);
  const unreadMs = () => hall.fleet.state(hall.seat(0).device ?? '')?.marks.poolsUnreadMs;
  assert.ok(unreadMs() !== undefined, 'a person is told all the same');
  reply.pools = POOLS;
  await hall.look(0, 'pools');
  assert.equal(unreadMs(), undefined);
});

test('identity.duplicate: of two that show one machine each is looked at again at once, and both say so', async (t) => {
  await using one = await miners('127.44.90.1', M50S);
  await using copy = await miners('127.44.91.1', M50S);
  const at = (address: string, ports: Place['ports'], id: string): Place => ({
    ...inRange(address, ports),
    origin: 'host',
    entry: address,
    id,
  });
  const hall = new Hall(t, [at('127.44.90.1', one.ports, 'rack-1'), at('127.44.91.1', copy.ports, 'rack-2')]);
  await hall.look(0);
  hall.passedMs += 5 * 60_000;
  await hall.look(1);
  await hall.look(1);
  assert.deepEqual(hall.findings(), [], 'the first was not seen since');
  const asked = hall.timetable.due(Number.MAX_SAFE_INTEGER).map(({ seat, early }) => [seat.device, early]);
  assert.deepEqual(asked.sort(), [
    ['rack-1', true],
    ['rack-2', true],
  ]);
  for (const seat of [0, 1, 0, 1]) await hall.look(seat);
  assert.deepEqual(
    hall.findings().map(({ id, device, severity }) => [id, device, severity]),
    [
      ['identity.duplicate', 'rack-1', 'high'],
      ['identity.duplicate', 'rack-2', 'high'],
    ],
  );
});

test('identity.duplicate: two positions of one address that show one machine are named', async (t) => {
  await using one = await miners('127.44.96.1', M50S);
  const at = (id: string, ssh: number): Place => ({
    ...inRange('127.44.96.1', { ...one.ports, ssh }),
    origin: 'host',
    entry: '127.44.96.1',
    id,
  });
  const hall = new Hall(t, [at('rack-1', 22), at('rack-2', 2222)]);
  for (const seat of [0, 1, 0, 1, 0, 1]) await hall.look(seat);
  const found = hall.findings();
  assert.deepEqual(found.map(({ id, device, severity }) => [id, device, severity]).sort(), [
    ['identity.duplicate', 'rack-1', 'high'],
    ['identity.duplicate', 'rack-2', 'high'],
  ]);
  for (const { after } of found) {
    const { addresses, devices } = after as { readonly addresses: unknown; readonly devices: unknown };
    assert.deepEqual([addresses, devices], [['127.44.96.1'], ['rack-1', 'rack-2']]);
  }
});

test('identity.duplicate: a machine that is led to another port of its address is none, while its former one is silent', async (t) => {
  await using first = await miners('127.44.97.1', M50S);
  const at = (id: string, ports: Place['ports']): Place => ({
    ...inRange('127.44.97.1', ports),
    origin: 'host',
    entry: '127.44.97.1',
    id,
  });
  // The second position leads to the same machine once nobody answers at the first.
  const relay = await startRelay(t, '127.44.97.1', first.ports.cgminer ?? 0);
  const hall = new Hall(t, [
    at('door-1', { ...CLOSED, cgminer: relay.port }),
    at('door-2', { ...CLOSED, cgminer: first.ports.cgminer ?? 0 }),
  ]);
  await hall.look(0);
  await hall.look(0);
  await relay.close();
  hall.passedMs += 5 * 60_000;
  for (const seat of [1, 0, 1, 0, 1]) await hall.look(seat);
  assert.deepEqual(
    hall.findings().filter(({ id }) => id === 'identity.duplicate'),
    [],
  );
});

test('identity.duplicate: that the other one was seen by a clock which ran ahead does not say that it was seen together with this one', async (t) => {
  await using one = await miners('127.44.94.1', M50S);
  await using copy = await miners('127.44.95.1', M50S);
  const at = (address: string, ports: Place['ports'], id: string): Place => ({
    ...inRange(address, ports),
    origin: 'host',
    entry: address,
    id,
  });
  const hall = new Hall(t, [at('127.44.94.1', one.ports, 'rack-1'), at('127.44.95.1', copy.ports, 'rack-2')]);
  await hall.look(0);
  hall.passedMs += 5 * 60_000;
  hall.aheadMs -= 3_600_000;
  for (const _ of [1, 2, 3]) await hall.look(1);
  assert.deepEqual(hall.findings(), [], 'the first was not seen since');
  for (const seat of [0, 1, 0, 1]) await hall.look(seat);
  assert.deepEqual(
    hall.findings().map(({ id, device }) => [id, device]),
    [
      ['identity.duplicate', 'rack-1'],
      ['identity.duplicate', 'rack-2'],
    ],
  );
});

/** The miner without the serials of machine and supply, known by its MAC and three boards. */
const boardedMiner = async (t: TestContext, address: string) => {
  const fleet = await miners(address, M50S);
  t.after(() => fleet.stop());
  const device = fleet.device(0);
  for (const name of ['minersn', 'powersn', 'serial_no']) device.set(name, '');
  const hall = new Hall(t, [inRange(address, fleet.ports)]);
  for (const _ of [1, 2]) await hall.look(0);
  return { device, hall, id: hall.seat(0).device };
};

test('an exchanged board does not make another machine of one in a range, whose stolen pool would then be learned as its own', async (t) => {
  const { device, hall, id } = await boardedMiner(t, '127.44.92.1');
  device.replace('BHM5SEX1311705K20418', 'BHM5SEX1311705K29918');
  device.changePoolUser(0, 'thief.1');
  for (const _ of [1, 2, 3]) await hall.look(0);
  assert.deepEqual(
    hall.findings().map((finding) => [finding.id, finding.device, finding.severity]),
    [['pool.user-changed', id, 'critical']],
  );
  assert.equal(hall.fleet.states().length, 1);
});

test('with all boards exchanged it is a swapped machine at its address, as long as the MAC is the same', async (t) => {
  const { device, hall, id } = await boardedMiner(t, '127.44.93.1');
  for (const last of ['17', '18', '33']) device.replace(`BHM5SEX1311705K204${last}`, `BHM5SEX1311705K299${last}`);
  device.changePoolUser(0, 'thief.1');
  for (const _ of [1, 2, 3]) await hall.look(0);
  assert.deepEqual(
    hall.findings().map((finding) => [finding.id, finding.device, finding.severity]),
    [
      ['pool.user-changed', id, 'critical'],
      ['identity.hardware-swapped', id, 'high'],
    ],
  );
});

test('a machine that calls itself another one at the address of a known one, and works for another account, is high at the second look and its pools are not learned', async (t) => {
  const { device, hall, id } = await boardedMiner(t, '127.44.94.1');
  device.replaceMachine();
  device.changePoolUser(0, 'thief.1');
  for (const _ of [1, 2]) await hall.look(0);
  const [finding, ...others] = hall.findings();
  const other = hall.seat(0).device ?? '';
  assert.notEqual(other, id);
  assert.deepEqual(
    [finding?.id, finding?.device, finding?.severity, finding?.reasons, others],
    ['identity.new-device', other, 'high', ['other-account'], []],
  );
  assert.equal((finding?.before as { device: string }).device, id);
  const learned = keptFacts(hall.kept(other)?.reference?.facts);
  assert.deepEqual([learned['identity.mac'] === undefined, learned.pools], [false, undefined]);
  assert.equal(hall.kept(other)?.replaces?.device, id, 'another process goes on with it');
});

test('at the address and with the MAC of one machine, the serials of another that answers: swapped, and shown twice', async (t) => {
  await using one = await miners('127.44.95.1', M50S);
  await using two = await startFleet({
    specimens: loadSpecimens().filter(({ name }) => name === M50S),
    base: '127.44.96.1',
    first: 7,
  });
  const hall = new Hall(t, [inRange('127.44.95.1', one.ports), inRange('127.44.96.1', two.ports)]);
  for (const seat of [0, 1, 0, 1]) await hall.look(seat);
  const ids = [0, 1].map((seat) => hall.seat(seat).device ?? '') as [string, string];
  const shown = keptFacts(hall.kept(ids[1])?.attested?.facts);
  const device = one.device(0);
  device.set('minersn', shown['identity.serial'] ?? '');
  for (const name of ['powersn', 'serial_no']) device.set(name, shown['identity.psu'] ?? '');
  device.changePoolUser(0, 'thief.1');
  for (const [at, last] of ['17', '18', '33'].entries())
    device.replace(`BHM5SEX1311705K204${last}`, shown['identity.hashboards']?.[at] ?? '');
  for (const seat of [0, 1, 0, 1, 0, 1, 0, 1]) await hall.look(seat);
  assert.deepEqual(
    [0, 1].map((seat) => hall.seat(seat).device),
    ids,
  );
  assert.deepEqual(
    hall
      .findings()
      .map(({ id, device: about }) => `${about === ids[0] ? 'first' : 'second'} ${id}`)
      .sort(),
    [
      'first identity.duplicate',
      'first identity.hardware-swapped',
      'first pool.user-changed',
      'second identity.duplicate',
    ],
  );
});
