import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { lookAt, lookDeps } from '../../agent/look.ts';
import { systemClock } from '../../agent/platform/clock.ts';
import type { Facts } from '../../shared/facts.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';
import type { SimulatedDevice } from './device.ts';
import { type Fleet, startFleet } from './fleet.ts';

const limits = { connectMs: 2000, exchangeMs: 4000, deviceMs: 20_000, maxReplyBytes: 1_048_576 };
/** Pauses that a family wants are not waited for. */
const deps = lookDeps({ drivers: DRIVERS, limits, clock: systemClock(), wait: () => Promise.resolve() });

/** What the agent makes of a device. */
const factsOf = async ({ ports }: Fleet, device: SimulatedDevice): Promise<Facts> => {
  const { auth } = device.script.device;
  const credential = auth === undefined ? {} : { credential: { user: auth.user, password: () => auth.password } };
  const sight = await lookAt({ address: device.address, ports, ...credential }, undefined, 'full', deps);
  assert.equal(sight.kind, 'seen', `${device.script.specimen.name}: ${JSON.stringify(sight)}`);
  return sight.kind === 'seen' ? sight.observation.facts : {};
};

const withPools = (): readonly Specimen[] => {
  const specimens = loadSpecimens().filter(
    ({ device }) => 'expect' in device && device.expect.some(({ facts }) => facts.pools !== undefined),
  );
  assert.ok(new Set(specimens.map(({ device }) => ('family' in device ? device.family : ''))).size >= 5);
  return specimens;
};

const without = (facts: Facts, names: RegExp) =>
  Object.fromEntries(Object.entries(facts).filter(([name]) => !names.test(name)));

test('the agent reads every specimen through the simulator and sends nothing that is not on its list', async () => {
  const specimens = withPools();
  await using fleet = await startFleet({
    specimens,
    devices: 2 * specimens.length,
    base: '127.27.0.1',
    allowed: deps.allow.listed,
  });
  const macs = new Set<string>();
  let named = 0;
  for (const device of fleet.devices) {
    const facts = await factsOf(fleet, device);
    assert.equal(facts.family, device.family);
    const mac = facts['identity.mac'];
    if (mac === undefined) continue;
    named += 1;
    macs.add(mac);
  }
  assert.ok(named > 0);
  assert.equal(macs.size, named);
  assert.deepEqual(fleet.violations(), []);
  assert.equal(fleet.maxConnections(), 1);
});

test('a changed pool user is the only thing that changed, on every family', async () => {
  await using fleet = await startFleet({ specimens: withPools(), base: '127.27.1.1', nowMs: () => 1_800_000_000_000 });
  for (const device of fleet.devices) {
    const name = device.script.specimen.name;
    const before = await factsOf(fleet, device);
    device.changePoolUser(0, 'thief.w1');
    const after = await factsOf(fleet, device);
    assert.deepEqual(without(after, /^(live_)?pools$/), without(before, /^(live_)?pools$/), name);
    const moved = after.pools?.filter((pool, at) => JSON.stringify(pool) !== JSON.stringify(before.pools?.[at]));
    assert.deepEqual(
      moved?.map(({ user }) => user),
      ['thief.w1'],
      name,
    );
  }
});

test('a changed pool address, another slot and one slot less are seen on every family that can have them', async () => {
  await using fleet = await startFleet({ specimens: withPools(), base: '127.27.2.1' });
  for (const device of fleet.devices) {
    const name = device.script.specimen.name;
    const first = (await factsOf(fleet, device)).pools ?? [];
    device.changePoolUrl(0, 'stratum+tcp://evil.example:5555');
    const changed = (await factsOf(fleet, device)).pools ?? [];
    assert.equal(changed.filter(({ url }) => url.endsWith('evil.example:5555')).length, 1, name);
    device.removePool(0);
    assert.equal((await factsOf(fleet, device)).pools?.length ?? 0, first.length - 1, name);
    device.addPool({ url: 'stratum+tcp://third.example:3333', user: 'third.w1' });
    const pools = (await factsOf(fleet, device)).pools ?? [];
    assert.equal(pools.length, first.length, name);
    assert.equal(pools.filter(({ user }) => user === 'third.w1').length, 1, name);
  }
});

test('another firmware version is seen on every family', async () => {
  await using fleet = await startFleet({ specimens: withPools(), base: '127.27.3.1' });
  let seen = 0;
  for (const device of fleet.devices) {
    const before = await factsOf(fleet, device);
    // Modules of several models, each with a version of its own inside a text, are set one by one.
    if (before['firmware.version'] === undefined || before['firmware.version'].includes(', ')) continue;
    seen += 1;
    device.setFirmware({ version: '99.1.2' });
    const after = await factsOf(fleet, device);
    assert.match(after['firmware.version'] ?? '', /99\.1\.2/, device.script.specimen.name);
    assert.deepEqual(without(after, /^(firmware|telemetry)\./), without(before, /^(firmware|telemetry)\./));
  }
  assert.ok(seen >= 5);
});
