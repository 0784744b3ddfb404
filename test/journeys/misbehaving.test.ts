import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Behaviour } from '../simulator/behaviour.ts';
import type { SimulatedDevice } from '../simulator/device.ts';
import { Gateway } from './agent.ts';
import { assertPolite, FAMILIES, fleetOf, rangeOf } from './fleets.ts';

/** What gives no usable look, done once over the CGMiner API and once over HTTP. */
const HOSTILE: readonly Behaviour[] = [
  'silent',
  'drip',
  'flood',
  'early-close',
  'reset',
  'garbage',
  'truncate',
  'code45',
];

/** A hostile miner may take all of a round; one beside it that the machine holds up for a second is still read. */
const PROBE = { connect_timeout_ms: 1500, exchange_timeout_ms: 1500, device_timeout_ms: 1900 };

test('miners that stall, drip, flood, hang up or answer garbage go dark, those that refuse do not, and those beside them are asked on time', {
  timeout: 120_000,
}, async () => {
  await using clean = await fleetOf(FAMILIES, '127.61.0.1');
  const devices = 2 * HOSTILE.length;
  await using hostile = await fleetOf(['whatsminer/m50s-api2', 'axeos/gamma-2.15'], '127.61.1.1', {
    devices,
    first: 6,
  });
  await using gateway = await Gateway.start({ devices: [rangeOf(clean), rangeOf(hostile)], probe: PROBE });
  await gateway.knows(5 + devices);

  await gateway.periodEnds();
  for (const [index, device] of hostile.devices.entries()) device.behave(HOSTILE[index >> 1] ?? 'silent');
  // What fell due is the ruler: how long that took on a busy machine says nothing about the miners. A look that waits for
  // its place is not counted yet, so the share is a high one.
  const { due, ok } = (await gateway.periodEnds()).polls.config ?? { due: 0, ok: 0 };
  const rounds = due / (5 + devices);
  assert.ok(rounds > 1, `${due} looks fell due`);
  assert.ok(ok > 0.9 * 5 * rounds, `${ok} good looks at five miners in ${rounds} rounds beside hostile ones`);

  const ids = idsOf(gateway, hostile.devices);
  await gateway.says('all hostile miners are dark', () => ids.every((id) => isDark(gateway, id)), 60_000);
  const rows = (await gateway.assayer('status')).out.split('\n');
  for (const id of ids) {
    const cells = rows.find((row) => row.startsWith(`${id} `))?.split(/ {2,}/) ?? [];
    const [conformance = '', approval] = cells.slice(-3);
    // A miner that turned hostile within a look may have hidden its pools before it went dark.
    assert.match(conformance, /^unreachable(?:, pools not read since .+)?$/, id);
    assert.equal(approval, '–', 'none would be an approval lost');
  }
  for (const device of hostile.devices) device.behave('honest');
  await gateway.says('all of them are back', () => ids.every((id) => !isDark(gateway, id)), 60_000);

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  for (const id of ids) {
    const triggers = gateway.attestations(id).map(({ evidence }) => evidence.trigger);
    assert.deepEqual(triggers, ['first', 'unreachable', 'change'], id);
  }
  for (const id of idsOf(gateway, clean.devices)) assert.equal(gateway.attestations(id).length, 1, id);
  assert.deepEqual([...idsFound(gateway)].sort(), ['visibility.coverage-reduced', 'visibility.device-dark']);
  const refusing = ids.filter((_, index) => HOSTILE[index >> 1] === 'code45');
  const refused = gateway.findings('visibility.coverage-reduced').map(({ finding }) => finding.device);
  assert.deepEqual([...new Set(refused)].sort(), [...refusing].sort());
  for (const id of refusing) assert.deepEqual(gateway.findings('visibility.device-dark', id), [], id);
  assert.deepEqual(errors(gateway), []);
  assertPolite(clean);
  assertPolite(hostile);
  await gateway.verified();
});

test('a miner that hides other pools behind a reply that cannot be read is missed in coverage, and status says since when', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(['whatsminer/m50s-api2', 'axeos/gamma-2.15'], '127.59.0.1');
  const [hiding] = fleet.devices;
  assert.ok(hiding !== undefined);
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)] });
  await gateway.knows(2);
  const [id = ''] = idsOf(gateway, [hiding]);
  assert.doesNotMatch((await gateway.assayer('status')).out, /not read/);

  hiding.changePoolUser(0, 'thief.x');
  hiding.set('Priority', 'none');
  await gateway.periodEnds();
  const { observed, missed_devices, polls } = await gateway.periodEnds();
  assert.deepEqual([observed, missed_devices], [1, [id]]);
  const { due, ok } = polls.config ?? { due: 0, ok: 0 };
  assert.ok(ok > 0 && ok <= due / 2 + 1, `${ok} of ${due}`);
  assert.match((await gateway.assayer('status')).out, new RegExp(`^${id} .*, pools not read since 2`, 'm'));
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.deepEqual(idsFound(gateway), []);
  assert.equal(gateway.attestations(id).length, 1);
  await gateway.verified();
});

test('a miner that answers for another family is found out, one that never hangs up is read all the same', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(
    ['cgminer/cgminer', 'whatsminer/m50s-api2', 'axeos/gamma-2.15', 'cgminer/cgminer', 'axeos/gamma-2.15'],
    '127.62.0.1',
  );
  const [stranger, , , lingering, keptAlive] = fleet.devices;
  assert.ok(stranger !== undefined && lingering !== undefined && keptAlive !== undefined);
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet)] });
  await gateway.knows(5);
  const [id = ''] = idsOf(gateway, [stranger]);

  stranger.behave('other-family');
  lingering.behave('half-open');
  keptAlive.behave('half-open');
  await gateway.says('the other family is found', () => gateway.findings('firmware.family-changed', id).length === 1);
  stranger.behave('honest');
  await gateway.says('it has ended', () => gateway.findings('firmware.family-changed', id).length === 2);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

  const [opened, ended] = gateway.findings('firmware.family-changed', id).map(({ finding }) => finding);
  assert.deepEqual([opened?.state, opened?.before, opened?.after], ['open', 'cgminer', 'whatsminer']);
  assert.equal(ended?.state, 'resolved');
  for (const quiet of idsOf(gateway, [lingering, keptAlive]))
    assert.equal(gateway.attestations(quiet).length, 1, quiet);
  // Its pools are other pools indeed; what is only another firmware's way to say things is no drift.
  const others = idsFound(gateway).filter((found) => !found.startsWith('pool.'));
  assert.deepEqual(others, ['firmware.family-changed']);
  assert.deepEqual(errors(gateway), []);
  assertPolite(fleet);
  await gateway.verified();
});

test('a machine of a range keeps its id at another address, and two that exchanged theirs keep their own', {
  timeout: 60_000,
}, async () => {
  await using fleet = await fleetOf(
    ['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'whatsminer/m50s-api2', 'axeos/gamma-2.15'],
    '127.63.0.1',
  );
  const [mover, one, other] = fleet.devices;
  assert.ok(mover !== undefined && one !== undefined && other !== undefined);
  await using gateway = await Gateway.start({ devices: [rangeOf(fleet, 4)] });
  await gateway.knows(4);
  const ids = idsOf(gateway, fleet.devices);
  const addresses = [mover.address, one.address, other.address];

  await mover.moveTo('127.63.0.7');
  await one.moveTo('127.63.0.200');
  await other.moveTo(addresses[1] ?? '');
  await one.moveTo(addresses[2] ?? '');
  await gateway.says('three have moved', () => new Set(ended(gateway)).size === 3, 30_000);
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });

  assert.deepEqual([...new Set(gateway.attestations().map(({ subject }) => subject.device))].sort(), [...ids].sort());
  for (const [index, device] of [mover, one, other].entries()) {
    const id = ids[index] ?? '';
    const [opened] = gateway.findings('identity.address-moved', id).map(({ finding }) => finding);
    assert.deepEqual([opened?.severity, opened?.before, opened?.after], ['info', addresses[index], device.address]);
    assert.equal(gateway.attestations(id).at(-1)?.evidence.address, device.address);
  }
  assert.deepEqual(idsFound(gateway), ['identity.address-moved']);
  assert.deepEqual(errors(gateway), []);
  assertPolite(fleet);
  await gateway.verified();
});

const idsOf = (gateway: Gateway, devices: readonly SimulatedDevice[]): readonly string[] =>
  devices.map(({ address }) => {
    const id = gateway.attestations().find(({ evidence }) => evidence.address === address)?.subject.device;
    assert.ok(id !== undefined, `nothing is attested at ${address}`);
    return id;
  });

const isDark = (gateway: Gateway, id: string): boolean =>
  gateway.attestations(id).at(-1)?.appraisal.conformance === 'unreachable';

const idsFound = (gateway: Gateway): readonly string[] => [
  ...new Set(gateway.log.flatMap((one) => (one.kind === 'finding' ? [one.finding.id] : []))),
];

const ended = (gateway: Gateway): readonly (string | undefined)[] =>
  gateway
    .findings('identity.address-moved')
    .filter(({ finding }) => finding.state === 'resolved')
    .map(({ finding }) => finding.device);

const errors = (gateway: Gateway) => gateway.events.filter(({ level }) => level === 'error');
