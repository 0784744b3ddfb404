import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Driver } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { lookAt, lookDeps } from '../../agent/look.ts';
import { cluesOfRecording } from '../../agent/outside/replay.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import { surest } from '../../agent/probe/identify.ts';
import { startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { ACME, acmeDriver, acmeSpecimen } from './example.ts';

/** A driver file that finds itself in whatever answers at all. */
const GREEDY = acmeDriver(
  ACME.replace('family: acme', 'family: greedy').replace(
    /recognise:\n.*?facts:/s,
    `recognise:
  any:
    - { query: version, at: "" }
    - { query: summary, at: "" }
    - { query: pools, at: "" }
    - { query: info, at: "" }
    - { landing: body, contains: "<" }
facts:`,
  ),
);

const SPECIMENS = loadSpecimens();

const families = (drivers: readonly Driver[]): readonly string[] => drivers.map(({ family }) => family);

test('the greediest driver file takes no specimen of which a built-in driver is at least likely, and has plain cgminer', () => {
  const taken = SPECIMENS.flatMap((specimen) => {
    const clues = cluesOfRecording(specimen, [...DRIVERS, GREEDY]);
    const before = surest(DRIVERS, clues);
    const after = surest([...DRIVERS, GREEDY], clues);
    if (before.sureness >= 2) assert.deepEqual(families(after.drivers), families(before.drivers), specimen.name);
    return after.drivers.includes(GREEDY) && before.drivers.length > 0 ? [specimen.name.split('/')[0]] : [];
  });
  assert.deepEqual([...new Set(taken)], ['cgminer']);
});

const limits = { connectMs: 2000, exchangeMs: 4000, deviceMs: 20_000, maxReplyBytes: 1_048_576 };

const depsOf = (...outside: readonly Driver[]) =>
  lookDeps({
    drivers: [...DRIVERS, ...outside],
    limits,
    clock: systemClock(),
    wait: () => Promise.resolve(),
  });

test('over sockets a driver file gets its own device, and no other family', async () => {
  const names = ['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'antminer-stock/s21', 'epic/umc-s19', 'cgminer/cgminer'];
  const built = SPECIMENS.filter(({ name }) => names.includes(name));
  assert.equal(built.length, names.length);
  const deps = depsOf(acmeDriver());
  const specimens = [acmeSpecimen(), ...built];
  await using fleet = await startFleet({ specimens, base: '127.91.0.1', allowed: deps.allow.listed });
  for (const { address, family } of fleet.devices) {
    const sight = await lookAt({ address, ports: fleet.ports }, undefined, 'full', deps);
    const seen = sight.kind === 'seen' ? sight.driver.family : 'nothing';
    // Of the S21 only the port is open without a log-in.
    assert.equal(seen, family);
  }
  assert.deepEqual(fleet.violations(), []);
  assert.equal(fleet.maxConnections(), 1);
});

test('a device that was plain cgminer until its driver file came is found out at the next full look, and asked anew once', async () => {
  const generic = DRIVERS.find(({ family }) => family === 'cgminer');
  assert.ok(generic !== undefined);
  const deps = depsOf(acmeDriver());
  const plain = SPECIMENS.filter(({ name }) => name === 'cgminer/cgminer');
  await using fleet = await startFleet({
    specimens: [acmeSpecimen(), ...plain],
    base: '127.91.1.1',
    allowed: deps.allow.listed,
  });
  const looks = async (at: number, kind: 'pools' | 'full', known: Driver) => {
    const sight = await lookAt({ address: fleet.device(at).address, ports: fleet.ports }, known, kind, deps);
    assert.ok(sight.kind === 'seen', JSON.stringify(sight));
    return sight.driver.family;
  };
  assert.equal(await looks(0, 'pools', generic), 'cgminer');
  assert.equal(await looks(0, 'full', generic), 'acme');
  assert.equal(await looks(1, 'full', generic), 'cgminer');
  const asked = fleet.requests().get('GET /');
  assert.equal(await looks(1, 'full', generic), 'cgminer');
  assert.equal(fleet.requests().get('GET /'), asked, 'it is identified once more, and not at every look');
});

test('a device that listens where no built-in family is asked first is found by the question of its driver file', async () => {
  const text = ACME.replace(/queries:\n.*?recognise:\n.*?facts:\n.*/s, ELSEWHERE);
  const deps = depsOf(acmeDriver(text));
  const device = { ...acmeSpecimen().device, cgminer: { ending: 'nul' as const, only_cmd: [] } };
  const replies = { 'http@auradine:/api/pools': { file: 'pools.json', status: 200, headers: {}, auth: false } };
  const specimen = { ...acmeSpecimen(), device: { ...device, replies } };
  await using fleet = await startFleet({ specimens: [specimen], base: '127.91.3.1', allowed: deps.allow.listed });
  const target = { address: fleet.device(0).address, ports: fleet.ports };
  const sight = await lookAt(target, undefined, 'full', deps);
  assert.ok(sight.kind === 'seen', JSON.stringify(sight));
  assert.deepEqual(
    sight.observation.facts.pools?.map(({ url }) => url),
    ['stratum+tcp://north.pool.example:3333'],
  );
});

const ELSEWHERE = `queries:
  pools: { get: /api/pools, port: auradine, cadence: pools }
recognise:
  all: [{ query: pools, at: /POOLS/0/Priority }]
facts:
  pools: { query: pools, at: /POOLS, read: pools, members: { url: URL, user: User } }
`;

test('a known device of a driver file is identified anew when it speaks another family', async () => {
  const acme = acmeDriver();
  const deps = depsOf(acme);
  const other = SPECIMENS.filter(({ name }) => name === 'whatsminer/m50s-api2');
  await using fleet = await startFleet({
    specimens: [acmeSpecimen(), ...other],
    base: '127.91.2.1',
    allowed: deps.allow.listed,
  });
  const target = (at: number) => ({ address: fleet.device(at).address, ports: fleet.ports });
  const same = await lookAt(target(0), acme, 'full', deps);
  assert.ok(same.kind === 'seen' && same.driver === acme);
  assert.equal(fleet.requests().get('GET /'), undefined, 'a look that it can make sense of identifies nobody');
  const changed = await lookAt(target(1), acme, 'full', deps);
  assert.ok(changed.kind === 'seen');
  assert.equal(changed.driver.family, 'whatsminer');
});
