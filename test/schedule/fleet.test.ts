import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DeviceState, newDevice, type Track } from '../../agent/appraise/device.ts';
import { withFormer } from '../../agent/appraise/former.ts';
import { gatewayFinding } from '../../agent/appraise/gateway-finding.ts';
import { isHeld } from '../../agent/appraise/replaced.ts';
import { identityEndpointChanged } from '../../agent/appraise/rules/identity-endpoint-changed.ts';
import { keepFacts } from '../../agent/baseline/kept.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { Fleet } from '../../agent/schedule/fleet.ts';
import type { Place } from '../../agent/schedule/places.ts';
import type { FleetSeat } from '../../agent/schedule/seat.ts';
import type { Facts } from '../../shared/facts.ts';

const placeAt = (address: string): Place => ({
  address,
  ports: { cgminer: 4028, http: 80 },
  labels: {},
  origin: 'range',
  entry: '10.0.0.0/29',
});

const RACK: Place = { ...placeAt('10.0.1.1'), origin: 'host', entry: '10.0.1.1', id: 'rack-1' };

/** A device as the store has it, attested with these facts. */
const attestedAs = (device: Pick<DeviceState, 'id' | 'position' | 'address'>, facts: Facts): DeviceState => ({
  ...newDevice({ ...device, labels: {} }),
  attested: { atMs: 0, reachable: true, facts: keepFacts(facts) },
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
    attested: { atMs: 0, reachable: true, facts: keepFacts(facts) },
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
  assert.deepEqual(fleet.machines.displaced(), []);
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

test('what was seen by a clock that was set back since is no sight of a machine after it was found elsewhere', () => {
  for (const aheadMs of [1, 1500, 90_000, 3_600_000]) {
    const { fleet, first, third, one } = twoLearned();
    one.marks.fullMs = 5000 + aheadMs;
    for (let nowMs = 5000; nowMs < 5000 + 2 * aheadMs + 60_000; nowMs += 10_000)
      assert.equal(fleet.ownerOf(third, machine(1), nowMs).kind, 'elsewhere', `${aheadMs} ms ahead, at ${nowMs}`);
    one.marks.failures = 1;
    assert.equal(owner(fleet, third, machine(1), 10_000_000).id, one.id);
    assert.equal(first.device, undefined);
  }
});

test('a machine that is seen at two addresses while the clock is set back is two devices as soon as the first was asked by the new one', () => {
  const { fleet, third, one } = twoLearned();
  assert.equal(fleet.ownerOf(third, machine(1), 3_600_000 + 5000).kind, 'elsewhere');
  one.marks.fullMs = 6000;
  const found = [7000, 9000].map((nowMs) => {
    const { kind } = fleet.ownerOf(third, machine(1), nowMs);
    one.marks.fullMs = nowMs + 1000;
    return kind;
  });
  assert.deepEqual(found, ['elsewhere', 'device']);
  assert.equal(third.device, 'mac-020000000001-2');
});

test('another machine at an address of a range is another device, and the former one is displaced', () => {
  const { fleet, first, one } = twoLearned();
  assert.equal(owner(fleet, first, machine(3)).id, 'mac-020000000003');
  assert.deepEqual(
    fleet.machines.displaced().map(({ id }) => id),
    [one.id],
  );
});

/** A machine that tells its MAC and its boards, and no serial. */
const boarded = (mac: number, ...boards: readonly string[]): Facts => ({
  'identity.mac': `02:00:00:00:00:0${mac}`,
  'identity.hashboards': boards,
});

test('a machine whose boards were exchanged, lost or shown twice is the one it was, as long as its MAC is the same', () => {
  const fleet = new Fleet([placeAt('10.0.0.1')], [], new Set());
  const [seat] = fleet.seats() as readonly [FleetSeat];
  const known = learn(fleet, seat, boarded(1, 'B1', 'B2', 'B3'));
  const others = [
    ['B1', 'B8', 'B3'],
    ['B1', 'B3'],
    ['B1', '', 'B3'],
    ['B1', 'B1', 'B3'],
    ['B7', 'B8', 'B9'],
  ];
  for (const boards of others) assert.equal(owner(fleet, seat, boarded(1, ...boards)).id, known.id, boards.join());
  assert.equal(owner(fleet, seat, boarded(2, 'B1', 'B8', 'B3')).id, known.id, 'the control board, too');
  assert.equal(fleet.states().length, 1);
});

test('what shows the serial of another machine with the MAC of this one is this one while the other answers, and the other when it does not', () => {
  const { fleet, first, second, one, two } = twoLearned();
  const forged: Facts = { ...machine(2), 'identity.mac': '02:00:00:00:00:01' };
  assert.equal(fleet.ownerOf(first, forged, 5000).kind, 'elsewhere');
  assert.equal(owner(fleet, second, machine(2), 5100).id, two.id);
  two.marks.fullMs = 5100;
  assert.equal(owner(fleet, first, forged, 6000).id, one.id);
  two.marks.failures = 1;
  assert.equal(owner(fleet, first, forged, 7000).id, two.id);
});

test('what shows one present machine after the other is the one that sits there, at the third look within an hour, though it shows itself in between', () => {
  const { fleet, first, second, third, one } = twoLearned();
  const three = learn(fleet, third, machine(3));
  const shown = [2, 3, 2, 3, 2].map((number, at) => fleet.ownerOf(first, machine(number), 5000 + at));
  assert.deepEqual(
    shown.map((found) => (found.kind === 'device' ? found.state.id : found.seat)),
    [second, third, one.id, one.id, one.id],
  );
  assert.equal(first.claim, undefined);
  assert.equal(owner(fleet, first, machine(1), 6000).id, one.id);
  assert.equal(owner(fleet, first, machine(3), 7000).id, one.id);
  assert.equal(fleet.ownerOf(first, machine(3), 7000 + 3_600_000).kind, 'elsewhere');
  three.marks.failures = 1;
  assert.equal(owner(fleet, first, machine(3), 8000).id, three.id, 'it moved');
});

test('issue 2: what a clock that ran ahead saw counts as long ago once it is right', () => {
  const { fleet, first, one, two } = twoLearned();
  const aheadMs = 400 * 86_400_000;
  learn(fleet, fleet.seats()[2] as FleetSeat, machine(3));
  for (const number of [2, 3, 2, 3]) fleet.ownerOf(first, machine(number), aheadMs);
  assert.equal(fleet.ownerOf(first, machine(3), aheadMs + 1).kind, 'device');
  assert.equal(fleet.ownerOf(first, machine(3), 5000).kind, 'elsewhere');
  const finding = gatewayFinding(identityEndpointChanged, aheadMs, {});
  fleet.keep({ ...two, tracks: [{ finding, clear: 0, changesMs: [] }] });
  assert.equal(fleet.endpointChanges(one.id, aheadMs), 1);
  assert.equal(fleet.endpointChanges(one.id, 5000), 0);
});

test('a copy that comes and goes before it was attested is one device, however often it comes', () => {
  const { fleet, first, second, third, one, two } = twoLearned();
  fleet.keep({ ...one, attested: { atMs: 0, reachable: true, facts: keepFacts(machine(3)) } });
  for (let coming = 1; coming <= 5; coming += 1) {
    const nowMs = 10_000 * coming;
    assert.equal(fleet.ownerOf(first, machine(2), nowMs).kind, 'elsewhere');
    two.marks.fullMs = nowMs + 1;
    assert.equal(owner(fleet, first, machine(2), nowMs + 2).id, 'mac-020000000002-2');
    assert.equal(owner(fleet, first, machine(3), nowMs + 3).id, one.id);
  }
  assert.equal(second.device, two.id);
  assert.equal(third.device, undefined);
  assert.equal(fleet.states().length, 3);
});

/** The state of a device that works for this account. */
const workingFor = (user: string, state: DeviceState): DeviceState => ({
  ...state,
  reference: {
    entries: [{ seq: 1, approval: 'none' }],
    facts: keepFacts({ pools: [{ slot: 0, url: 'stratum+tcp://pool.example:3333', user, priority: 0 }] }),
  },
});

test('a new device at the address of another one, or with its serials or MAC, is held against the pools of that one', () => {
  const { fleet, first, third, one } = twoLearned();
  fleet.keep(workingFor('acme.1', one));
  const replaced = (seat: FleetSeat, facts: Facts, nowMs = 9000) => {
    const { replaces } = owner(fleet, seat, facts, nowMs);
    return [replaces?.device, replaces?.pools.map(({ user }) => user)];
  };
  assert.deepEqual(replaced(third, { ...machine(7), 'identity.mac': '02:00:00:00:00:01' }), [one.id, ['acme.1']]);
  assert.deepEqual(replaced(first, machine(3)), [one.id, ['acme.1']]);
  learn(fleet, first, machine(3));
  assert.deepEqual(replaced(first, machine(4)), [one.id, ['acme.1']], 'that one has no pools of its own yet');
  const four = learn(fleet, first, machine(4));
  fleet.keep(workingFor('beta.4', four));
  assert.deepEqual(replaced(first, machine(5)), [four.id, ['beta.4']]);
  const fresh = new Fleet([placeAt('10.0.0.1')], [], new Set());
  const [seat] = fresh.seats() as readonly [FleetSeat];
  assert.equal(owner(fresh, seat, machine(1)).replaces, undefined);
});

test('a new device at the address of one that left the configuration is held against it, unless that one is known elsewhere', () => {
  const { fleet, one } = twoLearned();
  fleet.keep(workingFor('acme.1', one));
  const left = workingFor('acme.1', one);
  const replacedIn = (later: Fleet, facts: Facts) => {
    const [seat] = later.seats() as readonly [FleetSeat];
    return owner(later, seat, facts).replaces?.device;
  };
  const again = (known: readonly DeviceState[]) =>
    new Fleet([placeAt('10.0.0.1')], known, new Set(), undefined, [left]);
  assert.equal(replacedIn(again([]), machine(7)), one.id);
  assert.equal(replacedIn(again([]), machine(1)), undefined, 'its own history says all');
  const back = again([]);
  assert.equal(back.machines.formerOf(owner(back, back.seats()[0] as FleetSeat, machine(1)), machine(1)), left);
  const elsewhere = new Fleet(
    [placeAt('10.0.0.9'), placeAt('10.0.0.1')],
    [{ ...left, address: '10.0.0.9' }],
    new Set(),
    undefined,
    [left],
  );
  const seat = elsewhere.seats()[1] as FleetSeat;
  assert.equal(owner(elsewhere, seat, machine(7)).replaces, undefined);
  const position = new Fleet([{ ...placeAt('10.0.0.1'), origin: 'host', id: 'rack-9' }], [], new Set(), undefined, [
    left,
  ]);
  const [rack] = position.states() as readonly [DeviceState];
  assert.equal(position.machines.formerOf(rack, machine(7)), undefined);
  assert.equal(position.machines.withReplaced(rack).replaces?.device, one.id);
});

/** Two known machines, of which the second can take the place of the first. */
const twoWorking = () => {
  const known = twoLearned();
  const [one, two] = [workingFor('acme.1', known.one), workingFor('beta.2', known.two)];
  for (const state of [one, two]) known.fleet.keep(state);
  return { ...known, one, two };
};

/** The device, dark. */
const dark = (state: DeviceState): DeviceState => ({
  ...state,
  tracks: [{ finding: { ruleId: 'visibility.device-dark' } } as unknown as Track],
});

const SEARCH_MS = 1_000_000;

test('a known machine that takes the place of one that answered is held against it once that one was looked for and is nowhere', () => {
  const { fleet, first, second, third, one, two } = twoWorking();
  two.marks.failures = 1;
  const taker = owner(fleet, first, machine(2), 5000);
  assert.deepEqual([taker.id, taker.replaces?.device, taker.replaces?.sinceMs], [two.id, one.id, 5000]);
  assert.deepEqual(
    taker.replaces?.pools.map(({ user }) => user),
    ['acme.1'],
  );
  const shows = (nowMs: number) => fleet.machines.drivenBy(taker, nowMs, SEARCH_MS);
  assert.equal(shows(5000 + SEARCH_MS), undefined, 'it was not polled often enough');
  one.marks.failures = 5;
  fleet.keep(dark(one));
  assert.equal(shows(4999 + SEARCH_MS), undefined, 'not every place was searched since');
  assert.equal(shows(5000 + SEARCH_MS), 'nowhere');
  const again = new Fleet(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(placeAt), fleet.states(), new Set());
  assert.equal(
    again.machines.drivenBy(taker, 5000 + SEARCH_MS, SEARCH_MS),
    'nowhere',
    'another process goes on with it',
  );
  const found = owner(fleet, third, machine(1), 9000);
  found.marks.failures = 0;
  assert.equal(shows(5000 + SEARCH_MS), 'elsewhere');
  assert.equal(found.replaces, undefined, 'nobody was at that address');
  assert.equal(second.device, undefined);
});

test('who takes the place of a machine that is dark, or shows elsewhere already, is held against nobody', () => {
  const gone = twoWorking();
  gone.two.marks.failures = 1;
  gone.fleet.keep(dark(gone.one));
  assert.equal(owner(gone.fleet, gone.first, machine(2), 5000).replaces, undefined);
  const moved = twoWorking();
  moved.one.marks.failures = 1;
  owner(moved.fleet, moved.third, machine(1), 4000).marks.failures = 0;
  moved.two.marks.failures = 1;
  assert.equal(owner(moved.fleet, moved.first, machine(2), 5000).replaces, undefined);
});

test('one known machine after the other in one place is held against the one that was driven off first', () => {
  const { fleet, first, third, one, two } = twoWorking();
  const three = workingFor('thief.3', learn(fleet, third, machine(3)));
  fleet.keep(three);
  two.marks.failures = 1;
  three.marks.failures = 1;
  assert.equal(owner(fleet, first, machine(2), 5000).replaces?.device, one.id);
  assert.equal(owner(fleet, first, machine(3), 6000).replaces?.device, one.id);
  assert.equal(owner(fleet, first, machine(4), 7000).replaces?.device, one.id, 'a new one, too');
});

test('a machine that left the configuration and comes back in the place of another one is held against that one, as any that is known', () => {
  const { fleet, first, one, two } = twoWorking();
  const smaller = new Fleet([placeAt('10.0.0.1')], [workingFor('acme.1', one)], new Set(), undefined, [two]);
  const [seat] = smaller.seats() as readonly [FleetSeat];
  const taker = owner(smaller, seat, machine(2), 5000);
  assert.deepEqual([taker.id, taker.replaces?.device, taker.replaces?.sinceMs], [two.id, one.id, 5000]);
  const carried = withFormer(taker, smaller.machines.formerOf(taker, machine(2)), NOTHING_STANDING);
  assert.deepEqual([isHeld(carried), carried.replaces?.device], [true, one.id]);
  assert.equal(first.device, one.id);
  assert.equal(fleet.states().length, 2);
});

test('a new machine at an address that another one left within a week is held against that one, also by another process', () => {
  const { fleet, first, third, one } = twoWorking();
  one.marks.failures = 1;
  const away = owner(fleet, third, machine(1), 5000);
  const moved: DeviceState = {
    ...away,
    address: third.place.address,
    left: [{ address: first.place.address, atMs: 5000 }],
  };
  fleet.keep(moved);
  assert.equal(owner(fleet, first, machine(7), 9000).replaces?.device, one.id);
  const heldAt = (nowMs: number) => {
    const again = new Fleet(
      [first, third].map(({ place }) => place),
      [moved],
      new Set(),
    );
    return owner(again, again.seats()[0] as FleetSeat, machine(7), nowMs).replaces?.device;
  };
  assert.equal(heldAt(9000), one.id);
  assert.equal(heldAt(5000 + 7 * 86_400_000), undefined);
});

test('a position that was away goes on with what was known of it, whatever machine is there', () => {
  const left = attestedAs({ id: 'rack-1', position: 'host', address: RACK.address }, machine(1));
  const fleet = new Fleet([RACK], [], new Set(), undefined, [left]);
  const [rack] = fleet.states() as readonly [DeviceState];
  assert.equal(fleet.machines.formerOf(rack, machine(2)), left);
});

test('an edit is another label, or a position where another device stood; nothing else is, and it is told once', () => {
  const known = [
    attestedAs({ id: 'rack-1', position: 'host', address: '10.0.1.1' }, machine(1)),
    attestedAs({ id: 'rack-2', position: 'host', address: '10.0.1.2' }, machine(2)),
  ];
  const rack = (id: string, address: string, labels: Place['labels'] = {}): Place => ({ ...RACK, id, address, labels });
  const editsOf = (...places: readonly Place[]) =>
    new Fleet(places, known, new Set())
      .takeEdits()
      .map(({ device, befores }) => [device, ...befores.map(({ id }) => id)]);
  assert.deepEqual(editsOf(rack('rack-1', '10.0.1.1'), rack('rack-2', '10.0.1.2'), rack('rack-3', '10.0.1.3')), []);
  assert.deepEqual(editsOf(rack('rack-1', '10.0.1.1', { role: 'bench' })), [['rack-1', 'rack-1']]);
  assert.deepEqual(editsOf(rack('rack-one', '10.0.1.1')), [['rack-one', 'rack-1']]);
  assert.deepEqual(editsOf(rack('rack-2', '10.0.1.1')), [['rack-2', 'rack-2', 'rack-1']]);
  assert.deepEqual(editsOf(rack('rack-1', '10.0.1.2'), rack('rack-2', '10.0.1.1')), [
    ['rack-1', 'rack-1', 'rack-2'],
    ['rack-2', 'rack-2', 'rack-1'],
  ]);
  assert.deepEqual(
    editsOf({ ...rack('rack-4', '10.0.1.1'), ports: { cgminer: 4029 } }, rack('rack-1', '10.0.1.1')),
    [],
  );
  const fleet = new Fleet([rack('rack-1', '10.0.1.1', { role: 'bench' })], known, new Set());
  assert.equal(fleet.takeEdits().length, 1);
  assert.deepEqual(fleet.takeEdits(), []);
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
    attested: { atMs: 0, reachable: true, facts: keepFacts(machine(1)) },
  };
  const fleet = new Fleet([placeAt('10.0.0.1')], [gone], new Set());
  assert.deepEqual(fleet.removed, ['rack-1']);
  const [seat] = fleet.seats() as readonly [FleetSeat];
  const found = owner(fleet, seat, machine(1));
  assert.equal(fleet.machines.formerId(found, machine(1)), 'rack-1');
  assert.equal(fleet.machines.formerId(found, machine(2)), undefined);
});

test('a machine that went from a range to a position has its former id in its first attestation', () => {
  const fleet = new Fleet([placeAt('10.0.0.1'), RACK], [], new Set());
  const [range, rack] = fleet.seats() as readonly [FleetSeat, FleetSeat];
  const before = learn(fleet, range, machine(1));
  assert.equal(fleet.machines.formerId(owner(fleet, rack, machine(1)), machine(1)), before.id);
  learn(fleet, rack, machine(1));
  assert.equal(owner(fleet, range, machine(1), 9000).id, before.id, 'it is known in the range, too');
});

test('a renamed position without anything to compare is known by its address', () => {
  const blank: Facts = { 'identity.model': 'cgminer' };
  const gone = attestedAs({ id: 'old-name', position: 'host', address: RACK.address }, blank);
  const fleet = new Fleet([RACK], [gone], new Set());
  const [seat] = fleet.seats() as readonly [FleetSeat];
  assert.equal(fleet.machines.formerId(owner(fleet, seat, blank), blank), 'old-name');
});

test('a position that is renamed twice, and silent under the middle name, is held against what was learned under the first', () => {
  const blank: Facts = { 'identity.model': 'cgminer' };
  const first = workingFor('acme.1', attestedAs({ id: 'first', position: 'host', address: RACK.address }, blank));
  const middle = newDevice({ id: 'middle', position: 'host', address: RACK.address, labels: {} });
  const fleet = new Fleet([RACK], [middle], new Set(), undefined, [first]);
  const [seat] = fleet.seats() as readonly [FleetSeat];
  assert.equal(fleet.machines.formerId(owner(fleet, seat, blank), blank), 'first');
});

test('a position that is renamed and spelled otherwise in one edit is known by the address that was reached', () => {
  const blank: Facts = { 'identity.model': 'cgminer' };
  const known = (address: string, reached?: string): DeviceState => ({
    ...workingFor('acme.1', attestedAs({ id: 'old-name', position: 'host', address }, blank)),
    ...(reached === undefined ? {} : { reached }),
  });
  const formerAt = (gone: DeviceState, address: string, reached?: string, departed: readonly DeviceState[] = []) => {
    const fleet = new Fleet([{ ...RACK, address }], [gone], new Set(), undefined, departed);
    const [seat] = fleet.seats() as readonly [FleetSeat];
    const device = owner(fleet, seat, blank);
    return fleet.machines.formerId(reached === undefined ? device : { ...device, reached }, blank);
  };
  assert.equal(formerAt(known('10.0.1.1'), 'rack.example', '10.0.1.1'), 'old-name');
  assert.equal(formerAt(known('rack.example', '10.0.1.1'), '10.0.1.1'), 'old-name');
  assert.equal(formerAt(known('rack.example', '10.0.1.1'), 'other.example', '10.0.1.1'), 'old-name');
  assert.equal(
    formerAt(known('rack.example', '10.0.1.1'), 'rack.example'),
    'old-name',
    'what was reached is not known',
  );
  assert.equal(formerAt(known('rack.example', '10.0.1.1'), 'other.example', '10.0.1.2'), undefined);
  const planted = { ...known('other.example', '10.0.1.66'), id: 'planted' };
  const spelled = formerAt(known('10.0.1.1'), 'other.example', '10.0.1.1', [planted]);
  assert.equal(spelled, 'old-name', 'what was reached says more than how it is spelled');
});

test('another machine where a device stood is held against it, however the address is spelled', () => {
  const left = workingFor('acme.1', attestedAs({ id: 'rack-1', position: 'host', address: '10.0.1.1' }, machine(1)));
  const fleet = new Fleet([{ ...RACK, id: 'rack-9', address: 'rack.example' }], [], new Set(), undefined, [left]);
  const [rack] = fleet.states() as readonly [DeviceState];
  assert.equal(fleet.machines.withReplaced(rack).replaces, undefined);
  assert.equal(fleet.machines.withReplaced({ ...rack, reached: '10.0.1.1' }).replaces?.device, 'rack-1');
});

test('an operator may give the id of a machine of a range to a position: it is removed and begins anew', () => {
  const named = { ...RACK, id: 'mac-020000000001' };
  const known = attestedAs({ id: 'mac-020000000001', position: 'range', address: '10.0.0.1' }, machine(1));
  const fleet = new Fleet([placeAt('10.0.0.1'), named], [known], new Set());
  assert.deepEqual(fleet.removed, ['mac-020000000001']);
  assert.equal(fleet.state('mac-020000000001')?.position, 'host');
  const [range, rack] = fleet.seats() as readonly [FleetSeat, FleetSeat];
  assert.equal(fleet.machines.formerId(owner(fleet, rack, machine(1)), machine(1)), undefined);
  assert.equal(owner(fleet, range, machine(2)).id, 'mac-020000000002');
});

test('addresses and serials that firmware gives where it knows none form no id and find no machine', () => {
  const fleet = new Fleet(['10.0.0.1', '10.0.0.2'].map(placeAt), [], new Set());
  const [first, second] = fleet.seats() as readonly [FleetSeat, FleetSeat];
  const blank = { 'identity.mac': '00:00:00:00:00:00', 'identity.serial': 'Unknown' };
  assert.equal(learn(fleet, first, blank).id, 'ip-10-0-0-1');
  assert.equal(owner(fleet, second, blank).id, 'ip-10-0-0-2');
  const third = new Fleet([placeAt('10.0.0.3')], [], new Set());
  const [seat] = third.seats() as readonly [FleetSeat];
  assert.equal(owner(third, seat, { ...blank, 'identity.serial': 'SN.77/A 1' }).id, 'sn-sn-77-a-1');
});

test('with too little to compare the address decides, unless the machine is known and gone elsewhere', () => {
  const mac = (last: number): Facts => ({ 'identity.mac': `02:00:00:00:00:0${last}` });
  const fleet = new Fleet(['10.0.0.1', '10.0.0.2'].map(placeAt), [], new Set());
  const [first, second] = fleet.seats() as readonly [FleetSeat, FleetSeat];
  const one = learn(fleet, first, mac(1));
  const two = learn(fleet, second, mac(2));
  assert.equal(owner(fleet, first, mac(9)).id, one.id);
  assert.equal(owner(fleet, first, {}).id, one.id);

  assert.equal(fleet.ownerOf(first, mac(2), 5000).kind, 'elsewhere');
  assert.equal(owner(fleet, second, mac(1), 5100).id, one.id);
  assert.equal(owner(fleet, first, mac(2), 6000).id, two.id);
});

test('a machine at the address of another one that shares a part with it is known by what it shares with none', () => {
  const shared = (number: number): Facts => ({
    'identity.mac': `02:00:00:00:00:0${number}`,
    'identity.hashboards': [`HB-2024-000${number}1`, `HB-2024-000${number}2`],
    // Some makers give all of their supplies one number.
    'identity.psu': 'PSU2024091500417',
  });
  const fleet = new Fleet(['10.0.0.1', '10.0.0.2'].map(placeAt), [], new Set());
  const [first, second] = fleet.seats() as readonly [FleetSeat, FleetSeat];
  const one = learn(fleet, first, shared(1));
  const two = learn(fleet, second, shared(2));
  one.marks.failures = 5;
  two.marks.failures = 5;
  assert.equal(owner(fleet, second, shared(1)).id, one.id);
  assert.deepEqual(
    fleet.machines.displaced().map(({ id }) => id),
    [two.id],
  );
  const { 'identity.hashboards': _, ...cut } = shared(2);
  assert.equal(owner(fleet, first, cut).id, two.id, 'also where its boards could not be read');
});

test('a device that was displaced takes its address again when its machine comes back', () => {
  const { fleet, first, one } = twoLearned();
  const other = learn(fleet, first, machine(3));
  assert.equal(owner(fleet, first, machine(1), 9000).id, one.id);
  assert.deepEqual(
    fleet.machines.displaced().map(({ id }) => id),
    [other.id],
  );
});

test('after a restart everyone sits where it was seen last, and the displaced stay displaced', () => {
  const at = (id: string, address: string, number: number, fullMs: number): DeviceState => ({
    ...attestedAs({ id, position: 'range', address }, machine(number)),
    marks: { failures: 0, refusals: 0, fullLost: false, still: 0, sessionPolls: 0, fullMs },
  });
  const known = [
    at('a-new', '10.0.0.1', 3, 2000),
    at('b-gone', '10.0.0.1', 1, 1000),
    at('c-other', '10.0.0.2', 2, 500),
  ];
  const fleet = new Fleet(['10.0.0.1', '10.0.0.2'].map(placeAt), known, new Set(['10.0.0.0/29']));
  assert.deepEqual(
    fleet.seats().map(({ device }) => device),
    ['a-new', 'c-other'],
  );
  assert.deepEqual(
    fleet.machines.displaced().map(({ id }) => id),
    ['b-gone'],
  );
  assert.deepEqual(fleet.removed, []);
  const [first] = fleet.seats() as readonly [FleetSeat];
  assert.equal(fleet.inFirstPass(first), false);
  assert.equal(owner(fleet, first, machine(1)).id, 'b-gone');
});

test('an entry is passed when every address of it was, and what its machines show until then is learned', () => {
  const fleet = new Fleet([placeAt('10.0.0.1'), placeAt('10.0.0.2'), RACK], [], new Set());
  const [first, second, rack] = fleet.seats() as readonly [FleetSeat, FleetSeat, FleetSeat];
  assert.deepEqual(fleet.passedEntries(), []);
  first.passed = true;
  assert.equal(fleet.inFirstPass(first), false);
  assert.equal(fleet.inFirstPass(second), true);
  rack.passed = true;
  assert.deepEqual(fleet.passedEntries(), ['10.0.1.1']);
  second.passed = true;
  assert.deepEqual(fleet.passedEntries(), ['10.0.0.0/29', '10.0.1.1']);
});

test('a miner of which nobody can tell what it is holds up no entry, and is itself in its first pass, over a restart too', () => {
  const places = [placeAt('10.0.0.1'), placeAt('10.0.0.2'), RACK];
  const fleet = new Fleet(places, [], new Set());
  const [first, second, rack] = fleet.seats() as readonly [FleetSeat, FleetSeat, FleetSeat];
  first.passed = true;
  second.untold = 'said';
  rack.untold = 'once';
  assert.deepEqual(fleet.passedEntries(), ['10.0.0.0/29']);
  assert.deepEqual(fleet.untoldAddresses(), ['10.0.0.2']);
  const again = new Fleet(
    places,
    [],
    new Set(fleet.passedEntries()),
    undefined,
    undefined,
    new Set(fleet.untoldAddresses()),
  );
  assert.deepEqual(
    again.seats().map((seat) => again.inFirstPass(seat)),
    [false, true, true],
  );
  assert.deepEqual(again.untoldAddresses(), ['10.0.0.2']);
});

test('whatever machines answer where, a machine that is seen at one address only keeps its one id', () => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
  const permutation = fc.shuffledSubarray(
    [1, 2, 3, 4, 0, 0].map((number, at) => number || -at),
    { minLength: 4, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(permutation, { minLength: 1, maxLength: 6 }), (rounds) => {
      const fleet = new Fleet(addresses.map(placeAt), [], new Set());
      const ids = new Map<number, string>();
      let nowMs = 0;
      for (const round of [[1, 2, 3, 4], ...rounds]) {
        // Three passes: who is asked for elsewhere is known after the next one.
        for (const pass of [1, 2, 3]) {
          for (const [at, seat] of fleet.seats().entries()) {
            nowMs += 100;
            const number = round[at] ?? 0;
            if (number <= 0) {
              const silent = seat.device === undefined ? undefined : fleet.state(seat.device);
              if (silent !== undefined) silent.marks.failures += 1;
              continue;
            }
            const found = fleet.ownerOf(seat, machine(number), nowMs);
            if (found.kind === 'elsewhere') {
              assert.ok(pass < 3, `machine ${number} finds no end`);
              continue;
            }
            found.state.marks.failures = 0;
            found.state.marks.fullMs = nowMs;
            fleet.keep({
              ...found.state,
              attested: { atMs: 0, reachable: true, facts: keepFacts(machine(number)) },
            });
            assert.equal(ids.get(number) ?? found.state.id, found.state.id);
            ids.set(number, found.state.id);
          }
        }
      }
      assert.equal(fleet.states().length, 4);
    }),
    { numRuns: 200 },
  );
});

test('identity.duplicate: twins are those that answer at another address and share what tells most surely', () => {
  const { fleet, first, third, one, two } = twoLearned();
  assert.deepEqual([fleet.twinsOf(one), fleet.twinsOf(two)], [[], []]);
  assert.equal(fleet.ownerOf(third, machine(1), 5000).kind, 'elsewhere');
  one.marks.fullMs = 6000;
  const copy = learn(fleet, third, machine(1));
  const serial = { key: 'serial', value: 'SN-2024-000001' };
  assert.deepEqual(fleet.twinsOf(copy), [{ device: one.id, address: '10.0.0.1', ...serial, fullMs: 6000 }]);
  assert.deepEqual(fleet.twinsOf(one), [{ device: copy.id, address: '10.0.0.3', ...serial, fullMs: 0 }]);
  one.marks.failures = 1;
  assert.deepEqual(fleet.twinsOf(copy), [], 'a machine that moved does not answer where it was');
  one.marks.failures = 0;
  fleet.keep({
    ...copy,
    attested: { atMs: 0, reachable: true, facts: keepFacts({ ...machine(1), 'identity.serial': 'SN-2024-000009' }) },
  });
  assert.deepEqual(fleet.twinsOf(one), [], 'the same MAC beside another serial');
  assert.equal(first.device, one.id);
});

test('identity.duplicate: what more than a handful of devices show is a value of the factory', () => {
  const places = Array.from({ length: 20 }, (_, at): Place => {
    const address = `10.0.2.${at + 1}`;
    return { ...placeAt(address), origin: 'host', entry: address, id: `rack-${at}` };
  });
  const fleet = new Fleet(places, [], new Set());
  const states = fleet.seats().map((seat) => learn(fleet, seat, machine(5)));
  for (const state of states) assert.deepEqual(fleet.twinsOf(state), []);
});

test('identity.device-missing: a machine that shows as another device is not missing', () => {
  const { fleet, third, one } = twoLearned();
  assert.equal(fleet.machines.isElsewhere(one), false);
  const rack = new Fleet([RACK, placeAt('10.0.0.1')], [], new Set());
  const [position, seat] = rack.seats() as readonly [FleetSeat, FleetSeat];
  const known = learn(rack, position, machine(1));
  learn(rack, seat, machine(1));
  assert.equal(rack.machines.isElsewhere(known), true);
  assert.equal(third.device, undefined);
});

test('the primary pool is down where more than a quarter of a site mines on fail-over pools', () => {
  const places = Array.from({ length: 8 }, (_, at) => ({
    ...placeAt(`10.0.0.${at + 1}`),
    labels: { site: at < 4 ? 'tx1' : 'tx2' },
  }));
  const fleet = new Fleet(places, [], new Set());
  const states = fleet.seats().map((seat, at) => learn(fleet, seat, machine(at)));
  const falls = (at: number, isDown: boolean): void => {
    const track = { finding: { ruleId: 'pool.failover-active' }, clear: 0, changesMs: [] } as unknown as Track;
    fleet.keep({ ...(states[at] as DeviceState), tracks: isDown ? [track] : [] });
  };
  const downAt = (nowMs: number) => [0, 4].map((at) => fleet.primaryIsDown(states[at] as DeviceState, nowMs));
  assert.deepEqual(downAt(0), [false, false]);
  falls(0, true);
  assert.deepEqual(downAt(10_000), [false, false], 'one of four is a quarter, not more');
  falls(1, true);
  assert.deepEqual(downAt(12_000), [false, false], 'counted a moment ago');
  assert.deepEqual(downAt(20_000), [true, false]);
  falls(0, false);
  falls(1, false);
  assert.deepEqual(downAt(21_000), [false, false]);
});

test('identity.endpoint-changed: other devices count for half an hour, once they are confirmed', () => {
  const { fleet, one, two } = twoLearned();
  const track = (state: 'open' | 'provisional') =>
    ({
      finding: { ruleId: 'identity.endpoint-changed', state, firstObservedAt: 1000 },
      clear: 0,
      changesMs: [],
    }) as unknown as DeviceState['tracks'][number];
  fleet.keep({ ...one, tracks: [track('provisional')] });
  assert.equal(fleet.endpointChanges(two.id, 1_000_000), 0);
  fleet.keep({ ...one, tracks: [track('open')] });
  assert.deepEqual(
    [one.id, two.id].map((id) => fleet.endpointChanges(id, 1_000_000)),
    [0, 1],
  );
  assert.equal(fleet.endpointChanges(two.id, 1_000_000 + 31 * 60_000), 0);
  fleet.keep(one);
  assert.equal(fleet.endpointChanges(two.id, 1_000_000), 0);
});
