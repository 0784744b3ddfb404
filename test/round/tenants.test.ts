import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cgminer, defineDriver } from '../../agent/drivers/driver.ts';
import { poolList } from '../../agent/drivers/pools.ts';
import { at, text } from '../../agent/drivers/readers.ts';
import { FakeMiner } from '../probe/fake-miner.ts';
import { Hall } from './hall.ts';

const toy = defineDriver({
  family: 'toy',
  title: 'Toy',
  source: 'this test',
  recognise: ({ cgminer: replies }) => (replies.has('version') ? 3 : 0),
  queries: { version: cgminer('version', { cadence: 'pools' }), pools: cgminer('pools', { cadence: 'pools' }) },
  facts: {
    'firmware.version': at('version', '/version', text),
    pools: at('pools', '/pools', poolList({ slot: 'slot', url: 'url', user: 'user' })),
  },
});

const poolsOf = (user: string): string =>
  `{"pools":[{"slot":0,"url":"stratum+tcp://pool.example:3333","user":"${user}"}]}\0`;

const HOUR_MS = 3_600_000;

/** Devices of acme that become globex' in an hour, `rig-1` and so on, with these users. */
const moving = async (t: TestContext, ...users: readonly string[]): Promise<Hall> => {
  const places = await Promise.all(
    users.map(async (user, at) => {
      const miner = await FakeMiner.start((request, socket) =>
        socket.end(request.includes('version') ? '{"version":"1"}\0' : poolsOf(user)),
      );
      t.after(() => miner[Symbol.asyncDispose]());
      return {
        address: '127.0.0.1',
        ports: { cgminer: miner.port, http: miner.port },
        labels: { site: 'tx1', tenant: 'acme' },
        origin: 'host',
        id: `rig-${at + 1}`,
        entry: `rig-${at + 1}`,
      } as const;
    }),
  );
  const from = new Date(Date.now() + HOUR_MS).toISOString();
  const devices = places.map(({ id }) => ({ device: id, from }));
  return new Hall(t, places, [toy], {
    acme: { allow: [{ url: 'pool.example', user: 'acme.*' }], devices: [] },
    globex: { allow: [{ url: 'pool.example', user: 'globex.*' }], devices },
  });
};

test('a device that moves to another tenant is attested under its labels, and a breach ends under those of the old one', async (t) => {
  const hall = await moving(t, 'globex.rig1');
  await hall.look(0);
  await hall.look(0);
  hall.passedMs = HOUR_MS + 1000;
  await hall.look(0);
  await hall.look(0);
  const said = hall.said().flatMap((statement) => {
    if (statement.kind === 'attestation') return [['attestation', statement.subject.labels?.tenant]];
    if (statement.kind !== 'finding') return [];
    const { id, part, state, labels } = statement.finding;
    return [[id, part, state, labels?.tenant]];
  });
  assert.deepEqual(
    said.filter(([id]) => id === 'tenant.hash-destination-breach'),
    [
      ['tenant.hash-destination-breach', 'acme slot 0', 'open', 'acme'],
      ['tenant.hash-destination-breach', 'acme slot 0', 'resolved', 'acme'],
    ],
  );
  assert.deepEqual(
    said.filter(([id]) => id === 'attestation').map(([, tenant]) => tenant),
    ['acme', 'acme', 'globex'],
    'at first sight, with the confirmed breach, and after the move',
  );
  assert.equal(hall.kept('rig-1')?.labels.tenant, 'globex');
  hall.coverage();
  const covered = hall.said().flatMap((statement) => (statement.kind === 'coverage' ? [statement.coverage] : []));
  const ofTenants = covered
    .filter(({ scope }) => scope !== 'gateway')
    .map(({ scope, expected, polls }) => [scope, expected, polls.config?.due]);
  assert.deepEqual(ofTenants, [['tenant:globex', 1, 2]], 'the polls since the move');
});

test('where the store refuses the end of a breach, the device stays with its tenant until it takes it', async (t) => {
  const hall = await moving(t, 'globex.rig1');
  await hall.look(0);
  await hall.look(0);
  hall.passedMs = HOUR_MS + 1000;
  hall.refusing = true;
  await hall.look(0, 'pools');
  assert.equal(hall.fleet.state('rig-1')?.labels.tenant, 'acme');
  hall.refusing = false;
  await hall.look(0);
  assert.equal(hall.fleet.state('rig-1')?.labels.tenant, 'globex');
  assert.equal(hall.findings().filter(({ state }) => state === 'resolved').length, 2);
});

test('the account of the old tenant is a breach after the move, for the new one', async (t) => {
  const hall = await moving(t, 'acme.rig1');
  await hall.look(0);
  await hall.look(0);
  assert.deepEqual(hall.findings(), []);
  hall.passedMs = HOUR_MS + 1000;
  for (let look = 0; look < 3; look += 1) await hall.look(0);
  assert.deepEqual(
    hall.findings().flatMap(({ id, part, labels }) => (id.startsWith('tenant') ? [[part, labels?.tenant]] : [])),
    [['globex slot 0', 'globex']],
  );
});

/** How findings about a list of devices, or those of lists, were stated, in their order. */
const statedAs = (hall: Hall) =>
  hall
    .findings()
    .map(({ id, device, devices, state, after, reasons }) => [
      id,
      device ?? devices,
      state,
      ...(id === 'change.break-glass' ? [after, reasons] : []),
    ]);

test('where approvers are named, breaches that end on the date of an assignment are told before they do, once for all devices', async (t) => {
  const hall = await moving(t, 'globex.rig1', 'acme.rig2', 'globex.rig3');
  hall.people = 2;
  for (const at of [0, 1, 2, 0, 1, 2]) await hall.look(at);
  const before = statedAs(hall).length;
  hall.passedMs = HOUR_MS + 1000;
  for (const at of [1, 0, 1, 2]) await hall.look(at);
  const [told, ...ends] = statedAs(hall).slice(before);
  assert.deepEqual(told, [
    'change.break-glass',
    ['rig-1', 'rig-3'],
    'open',
    { from: 'acme', to: 'globex', ended: 'pool.outside-allowlist, tenant.hash-destination-breach' },
    ['assignment-ended'],
  ]);
  const ended = ends.filter(([, , state]) => state === 'resolved').map(([id, device]) => `${device} ${id}`);
  assert.deepEqual(
    ended.sort(),
    ['rig-1', 'rig-3'].flatMap((device) => [
      `${device} pool.outside-allowlist`,
      `${device} tenant.hash-destination-breach`,
    ]),
  );
  assert.deepEqual(
    ends.filter(([id]) => id === 'change.break-glass'),
    [],
  );
});

test('a device of which nothing is open that takes two people changes its tenant unsaid', async (t) => {
  const hall = await moving(t, 'acme.rig1');
  hall.people = 2;
  await hall.look(0);
  await hall.look(0);
  hall.passedMs = HOUR_MS + 1000;
  await hall.look(0);
  assert.equal(hall.fleet.state('rig-1')?.labels.tenant, 'globex');
  assert.deepEqual(hall.findings(), []);
});
