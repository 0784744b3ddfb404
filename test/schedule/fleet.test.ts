import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeviceState, newDevice } from '../../agent/appraise/device.ts';
import { Fleet, type FleetSeat } from '../../agent/schedule/fleet.ts';
import type { Place } from '../../agent/schedule/places.ts';
import type { Facts } from '../../shared/facts.ts';

const placeAt = (address: string): Place => ({
  address,
  ports: { cgminer: 4028, http: 80 },
  labels: {},
  origin: 'range',
  entry: '10.0.0.0/29',
});

const machine = (number: number): Facts => ({
  'identity.serial': `SN-2024-00000${number}`,
  'identity.mac': `02:00:00:00:00:0${number}`,
});

/** A range of four addresses, with machine 1 learned at the first, 2 at the second. */
const twoLearned = () => {
  const places = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(placeAt);
  const fleet = new Fleet(places, [], new Set());
  const [first, second, third] = fleet.seats() as readonly [FleetSeat, FleetSeat, FleetSeat];
  const one = learn(fleet, first, machine(1));
  const two = learn(fleet, second, machine(2));
  return { fleet, first, second, third, one, two };
};

/** A first full look, attested. */
const learn = (fleet: Fleet, seat: FleetSeat, facts: Facts): DeviceState => {
  const state = owner(fleet, seat, facts);
  const attested: DeviceState = {
    ...state,
    address: seat.place.address,
    attested: { atMs: 0, reachable: true, facts: JSON.stringify(facts) },
  };
  fleet.keep(attested);
  return attested;
};

const owner = (fleet: Fleet, seat: FleetSeat, facts: Facts, nowMs = 1000): DeviceState => {
  const found = fleet.ownerOf(seat, facts, nowMs);
  assert.ok(found.kind === 'device', 'the device is known');
  return found.state;
};

test('an id is formed of the MAC at the first full look and stays when the MAC changes', () => {
  const { fleet, first, one } = twoLearned();
  assert.equal(one.id, 'mac-020000000001');
  assert.equal(owner(fleet, first, { ...machine(1), 'identity.mac': '02:99:99:99:99:99' }).id, one.id);
});

test('a machine at a free address takes its id along once its former address was asked', () => {
  const { fleet, first, third, one } = twoLearned();
  const asked = fleet.ownerOf(third, machine(1), 5000);
  assert.deepEqual([asked.kind, asked.kind === 'elsewhere' && asked.seat], ['elsewhere', first]);
  one.marks.failures = 1;
  assert.equal(owner(fleet, third, machine(1), 6000).id, one.id);
  assert.equal(first.device, undefined);
  assert.equal(third.device, one.id);
});

test('two machines that exchanged their addresses keep their ids', () => {
  const { fleet, first, second, one, two } = twoLearned();
  assert.equal(fleet.ownerOf(first, machine(2), 5000).kind, 'elsewhere');
  assert.equal(owner(fleet, second, machine(1), 5100).id, one.id);
  assert.equal(owner(fleet, first, machine(2), 6000).id, two.id);
  assert.deepEqual([first.device, second.device], [two.id, one.id]);
  assert.deepEqual(fleet.displaced(), []);
  assert.equal(fleet.states().length, 2);
});

test('a machine seen at two addresses at the same time is two devices', () => {
  const { fleet, first, third, one } = twoLearned();
  assert.equal(fleet.ownerOf(third, machine(1), 5000).kind, 'elsewhere');
  assert.equal(fleet.ownerOf(third, machine(1), 5500).kind, 'elsewhere', 'the first address was not asked since');
  assert.equal(owner(fleet, first, machine(1), 6000).id, one.id);
  one.marks.fullMs = 6000;
  assert.equal(owner(fleet, third, machine(1), 7000).id, 'mac-020000000001-2');
  assert.equal(first.device, one.id);
});

test('another machine at an address of a range is another device, and the former one is displaced', () => {
  const { fleet, first, one } = twoLearned();
  assert.equal(owner(fleet, first, machine(3)).id, 'mac-020000000003');
  assert.deepEqual(
    fleet.displaced().map(({ id }) => id),
    [one.id],
  );
});

test('a position keeps its id whatever machine answers there', () => {
  const place: Place = { ...placeAt('10.0.0.1'), origin: 'host', id: 'rack-1' };
  const fleet = new Fleet([place], [], new Set());
  const [seat] = fleet.seats() as readonly [FleetSeat];
  learn(fleet, seat, machine(1));
  assert.equal(owner(fleet, seat, machine(2)).id, 'rack-1');
});

test('a device whose place left the configuration is removed, and known as the former of the machine', () => {
  const gone: DeviceState = {
    ...newDevice({ id: 'rack-1', position: 'host', address: '10.0.0.1', labels: {} }),
    attested: { atMs: 0, reachable: true, facts: JSON.stringify(machine(1)) },
  };
  const fleet = new Fleet([placeAt('10.0.0.1')], [gone], new Set());
  assert.deepEqual(fleet.removed, ['rack-1']);
  assert.equal(fleet.formerId(machine(1)), 'rack-1');
  assert.equal(fleet.formerId(machine(2)), undefined);
});
