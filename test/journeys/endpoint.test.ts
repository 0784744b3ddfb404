import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevice, writeDevice } from '../../agent/appraise/device.ts';
import { Store } from '../../agent/record/store.ts';
import { hostKey, SshStation, Station } from '../probe/stations.ts';
import { Gateway } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

/** Readings that showed nothing new are not stored: the store may know of none since the turn before this one. */
const forgetReadings = (gateway: Gateway): void => {
  using store = Store.open(gateway.stateDir);
  for (const state of [...store.devices(readDevice)]) {
    const { endpoint } = state.marks;
    assert.ok(endpoint !== undefined, state.id);
    const atS = Object.fromEntries(Object.keys(endpoint.atS).map((surface) => [surface, 1]));
    store.saveDevice(state.id, writeDevice({ ...state, marks: { ...state.marks, endpoint: { ...endpoint, atS } } }));
  }
};

const SELDOM = '0 0 1 1 *';

test('the SSH host key of a device is attested soon, is not asked for again by a restart before its turn, and never where it is off', {
  timeout: 90_000,
}, async () => {
  await using fleet = await fleetOf(['axeos/gamma-2.15', 'goldshell/ck5'], '127.96.0.1');
  const [first, second] = fleet.devices;
  assert.ok(first !== undefined && second !== undefined);
  const key = hostKey('ed25519');
  await using ssh = await Station.at(new SshStation([key]), first.address);
  const schedule = { pools: '*/2 * * * * *', config: '*/2 * * * * *' };
  const devices = fleet.devices.map(({ address }, at) => ({
    host: address,
    name: `rig-${at}`,
    ports: { ...fleet.ports, ssh: ssh.port, https: 1 },
  }));
  const components = (rig: string) =>
    (
      gateway.attestations(rig).at(-1)?.evidence.claims as
        | { firmware?: { components?: { name: string; value: string }[] } }
        | undefined
    )?.firmware?.components ?? [];
  const shown = (): string | undefined => components('rig-0').find(({ name }) => name === 'ssh.host-key')?.value;
  const showsPages = (rig: string): boolean => components(rig).some(({ name }) => name.startsWith('asset.'));
  await using gateway = await Gateway.start({ devices, schedule: { ...schedule, web: 'off', tls: 'off', ssh: 'off' } });
  await gateway.knows(2);
  await gateway.periodEnds();
  assert.deepEqual([ssh.connections, shown()], [0, undefined]);

  const on = { ...schedule, web: SELDOM, tls: SELDOM, ssh: SELDOM };
  gateway.configure({ schedule: on });
  gateway.signal('SIGHUP');
  await gateway.event('config.reloaded');
  await gateway.says('the host key', () => shown() === key.text);
  await gateway.says('the pages of both', () => ['rig-0', 'rig-1'].every(showsPages));
  assert.equal(ssh.connections, 1);
  const pages = fleet.requests().get('GET /');

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  forgetReadings(gateway);
  await gateway.up();
  await gateway.periodEnds();
  assert.deepEqual([ssh.connections, fleet.requests().get('GET /')], [1, pages]);
  assert.equal(shown(), key.text);
  assert.deepEqual([ssh.requests, gateway.findings('firmware.fingerprint-changed')], [[], []]);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assertPolite(fleet);
  await gateway.verified();
});
