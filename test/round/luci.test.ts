import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { accept } from '../../agent/appraise/accept.ts';
import { page } from '../probe/fake-miner.ts';
import { HttpsStation, Station } from '../probe/stations.ts';
import { startFleet } from '../simulator/fleet.ts';
import { selfSigned } from '../simulator/tls-server.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

const BOUND = { timeout: 30_000 };

const PAGE = readFileSync(new URL('../specimens/whatsminer/m21x-luci/overview.html', import.meta.url), 'utf8');
const KERNEL = '#21 SMP PREEMPT Fri May 31 21:21:21 CST 2019';

/** A WhatsMiner whose LuCI is a test's to change. */
const furnished = async (t: TestContext, address: string) => {
  const specimen = loadSpecimens().find(({ name }) => name === 'whatsminer/m21x-luci');
  assert.ok(specimen !== undefined);
  const fleet = await startFleet({ specimens: [specimen], base: address, exact: true });
  const luci = await Station.at(new HttpsStation(selfSigned('miner')), address);
  luci.answer = (request, socket) => {
    const headers = ['Set-Cookie: sysauth=5e5510'];
    socket.write(request.startsWith('POST ') ? page('', { status: '302 Found', headers }) : page(PAGE));
  };
  t.after(async () => {
    await luci[Symbol.asyncDispose]();
    await fleet.stop();
  });
  const ports = { ...fleet.ports, https: luci.port, ssh: 1 };
  const hall = new Hall(t, [{ address, ports, labels: {}, origin: 'range', entry: address }]);
  hall.credential = { user: 'keeper', password: () => 'specimen-21' };
  return { fleet, luci, hall };
};

const kernels = (hall: Hall): readonly (string | undefined)[] =>
  hall.attestations().map(({ evidence }) => {
    const { claims } = evidence as { claims?: { firmware?: { kernel?: string } } };
    return claims?.firmware?.kernel;
  });

test('LuCI is asked at full looks only, through one session, and its kernel line is attested', BOUND, async (t) => {
  const { hall, luci, fleet } = await furnished(t, '127.44.80.1');
  await hall.look(0);
  assert.deepEqual(kernels(hall), [KERNEL]);
  assert.deepEqual([luci.connections, luci.requests.length], [2, 2]);
  for (const _ of [1, 2, 3]) await hall.look(0, 'pools');
  assert.equal(luci.connections, 2);
  await hall.look(0);
  assert.deepEqual([luci.connections, luci.requests.length], [3, 3]);
  assert.deepEqual([fleet.violations(), hall.findings()], [[], []]);
});

test(
  'once the TLS key is in the reference, another key gets neither password nor session until a person accepts it',
  BOUND,
  async (t) => {
    const { hall, luci } = await furnished(t, '127.44.81.1');
    hall.passedMs += 2000;
    hall.turns = { tls: Date.now() + hall.passedMs };
    for (const _ of [1, 2, 3]) await hall.look(0);
    const { spoken, connections } = luci;
    assert.ok(spoken > 0);
    luci.identity = selfSigned('miner');
    hall.passedMs += 2000;
    hall.turns = { tls: Date.now() + hall.passedMs };
    for (const _ of [1, 2, 3]) await hall.look(0);
    assert.ok(luci.connections > connections, 'the handshake is made');
    assert.equal(luci.spoken, spoken, 'nothing is said after it');
    assert.ok(hall.findings().some(({ id }) => id === 'identity.endpoint-changed'));

    const { device = '' } = hall.seat(0);
    const state = hall.fleet.state(device);
    assert.ok(state !== undefined);
    hall.fleet.keep(accept(state, { by: 'alice', nowMs: Date.now() + hall.passedMs, seq: hall.said().length }).state);
    await hall.look(0);
    assert.ok(luci.spoken > spoken);
    assert.equal(kernels(hall).at(-1), KERNEL);
  },
);
