import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { LONGEST_WAIT_MS } from '../../agent/appraise/waiting.ts';
import { keptFacts } from '../../agent/baseline/kept.ts';
import { cgminer, defineDriver } from '../../agent/drivers/driver.ts';
import { poolList } from '../../agent/drivers/pools.ts';
import { at, text } from '../../agent/drivers/readers.ts';
import type { Place } from '../../agent/schedule/places.ts';
import { FakeMiner } from '../probe/fake-miner.ts';
import { type Fleet as Miners, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens, type Specimen } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

/** A seat that answers is judged or counted as failed. */

const specimen = (name: string): Specimen => {
  const found = loadSpecimens().find((one) => one.name === name);
  assert.ok(found !== undefined, `no specimen ${name}`);
  return found;
};

const miners = (base: string, name: string, devices = 1): Promise<Miners> =>
  startFleet({ specimens: [specimen(name)], base, devices });

/** A miner that nothing beside the replies that it is asked for gives away. */
const without = (base: string, name: string, ...questions: readonly string[]): Promise<Miners> => {
  const whole = specimen(name);
  const replies = Object.fromEntries(Object.entries(whole.device.replies).filter(([one]) => !questions.includes(one)));
  return startFleet({ specimens: [{ ...whole, device: { ...whole.device, replies } }], base });
};

const inRange = (address: string, ports: Place['ports']): Place => ({
  address,
  ports,
  labels: {},
  origin: 'range',
  entry: '127.45.0.0/16',
});

const EPIC = 'epic/umc-s19';
const AXE = 'axeos/gamma-2.12';
const M50S = 'whatsminer/m50s-api2';
const MINUTE = 60_000;

/** What is said while `live` goes on, as text. */
const saidIn = async (hall: Hall, live: () => Promise<void>): Promise<readonly string[]> => {
  const before = hall.findings().length;
  await live();
  return hall
    .findings()
    .slice(before)
    .map(({ id, device, state, severity }) => `${device} ${id} ${state} ${severity}`);
};

/** Looks in full at these seats, one after the other. */
const lookAtAll = async (hall: Hall, ...seats: readonly number[]): Promise<void> => {
  for (const seat of seats) await hall.look(seat);
};

test('firmware that no family knows any longer is judged by what it still says in the words it was known by', async (t) => {
  await using fleet = await without('127.45.1.1', EPIC, 'http:/');
  const hall = new Hall(t, [inRange('127.45.1.1', fleet.ports)]);
  await lookAtAll(hall, 0, 0, 0);
  const id = hall.seat(0).device;
  const said = await saidIn(hall, async () => {
    fleet.device(0).replace('PowerPlay-BMS v1.30.0', 'OtherOS v3.0');
    await lookAtAll(hall, 0, 0);
  });
  assert.deepEqual(said, [`${id} firmware.version-changed open medium`]);
  const { name, version } = hall.attestations().at(-1)?.evidence.claims?.firmware as { name: string; version: string };
  assert.deepEqual([name, version], ['OtherOS', 'v3.0']);
  hall.coverage();
  await hall.look(0);
  assert.equal(hall.coverage().observed, 1);
});

test('a pool that was stolen together with the firmware is found although no family knows that firmware', async (t) => {
  await using fleet = await without('127.45.2.1', EPIC, 'http:/');
  const hall = new Hall(t, [inRange('127.45.2.1', fleet.ports)]);
  await lookAtAll(hall, 0, 0, 0);
  const id = hall.seat(0).device;
  const said = await saidIn(hall, async () => {
    fleet.device(0).replace('PowerPlay-BMS v1.30.0', 'OtherOS v3.0');
    fleet.device(0).changePoolUser(0, 'thief.1');
    await hall.look(0, 'pools');
    await lookAtAll(hall, 0, 0);
  });
  assert.deepEqual(said, [`${id} pool.user-changed open critical`, `${id} firmware.version-changed open medium`]);
});

test('a position whose fork no longer names its chip is judged as before, and its stolen pool is found', async (t) => {
  await using fleet = await without('127.45.3.1', AXE, 'http:/', 'http:/api/system/asic');
  const place: Place = { ...inRange('127.45.3.1', fleet.ports), origin: 'host', id: 'axe' };
  const hall = new Hall(t, [place]);
  await lookAtAll(hall, 0, 0, 0);
  const said = await saidIn(hall, async () => {
    fleet.device(0).set('ASICModel', 0);
    fleet.device(0).changePoolUser(0, 'thief.1');
    await lookAtAll(hall, 0, 0);
  });
  assert.deepEqual(said, ['axe pool.user-changed open critical']);
});

test('a look that another family answered, once, alarms nobody', async (t) => {
  await using fleet = await startFleet({ specimens: [specimen(M50S), specimen(AXE)], base: '127.45.4.1' });
  const hall = new Hall(t, [inRange('127.45.4.1', fleet.ports)]);
  await lookAtAll(hall, 0, 0);
  const device = fleet.device(0);
  const own = device.configuration;
  const said = await saidIn(hall, async () => {
    device.putBack(fleet.device(1).configuration);
    await hall.look(0);
    assert.equal(hall.seat(0).family, 'axeos');
    device.putBack(own);
    await hall.look(0, 'pools');
    await lookAtAll(hall, 0, 0, 0);
  });
  assert.deepEqual(
    said.filter((one) => !one.includes(' resolved ')),
    [],
  );
});

/** Three machines of one make, known to a gateway, of which the first can take the identity of another. */
const threeMiners = async (t: TestContext, base: string) => {
  const fleet = await miners(base, M50S, 3);
  t.after(() => fleet.stop());
  const hall = new Hall(
    t,
    fleet.devices.map(({ address }) => inRange(address, fleet.ports)),
  );
  await lookAtAll(hall, 0, 1, 2, 0, 1, 2);
  const device = fleet.device(0);
  const showAs = (machine: number) => device.putBack({ ...device.configuration, machine });
  return { fleet, device, hall, showAs, id: hall.seat(0).device ?? '' };
};

test('a stolen machine that shows one neighbour after the other is judged as the one that sits there', async (t) => {
  const { device, hall, showAs, id } = await threeMiners(t, '127.45.5.1');
  const said = await saidIn(hall, async () => {
    device.changePoolUser(0, 'thief.1');
    for (let look = 0; look < 6; look += 1) {
      showAs(2 + (look % 2));
      await hall.look(0, 'pools');
      await lookAtAll(hall, 0, 1, 2);
    }
  });
  assert.ok(said.includes(`${id} pool.user-changed open critical`), `${said}`);
  assert.ok(said.includes(`${id} identity.hardware-swapped open high`), `${said}`);
  assert.equal(hall.fleet.states().length, 3, 'no device is made of what it shows');
  showAs(1);
  device.changePoolUser(0, 'acme.r07');
  for (let look = 0; look < 4; look += 1) await lookAtAll(hall, 0, 1, 2);
  assert.equal(hall.seat(0).device, id);
  assert.deepEqual(hall.fleet.machines.displaced(), []);
});

test('a stolen machine that shows two neighbours and itself in turn is judged as the one that sits there', async (t) => {
  const { device, hall, showAs, id } = await threeMiners(t, '127.45.12.1');
  const said = await saidIn(hall, async () => {
    for (let look = 0; look < 9; look += 1) {
      showAs(1 + ((look + 1) % 3));
      device.changePoolUser(0, (look + 1) % 3 === 0 ? 'acme.r07' : 'thief.1');
      await lookAtAll(hall, 0, 1, 2);
    }
  });
  assert.ok(said.includes(`${id} pool.user-changed open critical`), `${said}`);
});

test('an unknown machine at a free address that shows one neighbour after the other becomes a device', async (t) => {
  const { hall, showAs } = await threeMiners(t, '127.45.6.1');
  showAs(2);
  const seat = hall.seat(0);
  delete seat.device;
  for (let look = 0; look < 4; look += 1) {
    showAs(2 + (look % 2));
    await lookAtAll(hall, 0, 1, 2);
  }
  assert.notEqual(hall.seat(0).device, undefined);
});

test('a seat of which it stays open who sits there counts as failed, and its device becomes dark', async (t) => {
  const { hall, showAs, id } = await threeMiners(t, '127.45.7.1');
  hall.coverage();
  showAs(2);
  const said = await saidIn(hall, async () => {
    for (let look = 0; look < 5; look += 1) await hall.look(0, look % 2 === 0 ? 'full' : 'pools');
  });
  assert.deepEqual(said, [`${id} visibility.device-dark open low`]);
  assert.deepEqual(hall.findings().at(-1)?.reasons, ['unreadable', 'api-only']);
  const { unreachable, polls } = hall.coverage();
  assert.deepEqual([unreachable, polls], [1, { config: { due: 3, ok: 0 }, pools: { due: 2, ok: 0 } }]);
});

test('two machines that exchange their addresses alarm nobody, though a seat shows the other one for a while', async (t) => {
  const { fleet, hall } = await threeMiners(t, '127.45.8.1');
  const [one, two] = [hall.seat(0).device, hall.seat(1).device];
  const said = await saidIn(hall, async () => {
    await fleet.device(0).moveTo('127.45.8.9');
    await fleet.device(1).moveTo('127.45.8.1');
    await fleet.device(0).moveTo('127.45.8.2');
    await hall.look(0);
    assert.equal(hall.seat(0).claim?.device, two);
    await hall.look(0, 'pools');
    await lookAtAll(hall, 1, 0, 1, 0, 1, 0);
  });
  assert.deepEqual([hall.seat(0).device, hall.seat(1).device], [two, one]);
  assert.deepEqual(
    said.filter((finding) => !finding.endsWith(' info')),
    [],
  );
  hall.coverage();
  await lookAtAll(hall, 0, 1, 2);
  assert.equal(hall.coverage().observed, 3);
});

test('a machine that is stolen under the identity of one that went away is found once it was looked for and is nowhere', async (t) => {
  const { fleet, device, hall, showAs, id } = await threeMiners(t, '127.45.9.1');
  const other = hall.seat(2).device ?? '';
  fleet.device(2).changePoolUser(0, 'thief.1');
  const said = await saidIn(hall, async () => {
    await lookAtAll(hall, 2, 2);
    await fleet.device(2).moveTo('127.45.9.200');
    await lookAtAll(hall, 2);
    showAs(3);
    device.changePoolUser(0, 'thief.1');
    await lookAtAll(hall, 0, 0);
    hall.displaced(5);
    await lookAtAll(hall, 0, 0);
  });
  assert.equal(hall.seat(0).device, other);
  const isNew = (finding: string) => finding.startsWith(`${other} identity.new-device`);
  assert.deepEqual(said.filter(isNew), [], 'not every place was searched yet');
  hall.searchMs = 0;
  hall.answersArp = true;
  const later = await saidIn(hall, () => lookAtAll(hall, 0, 0));
  assert.deepEqual(later.filter(isNew), [`${other} identity.new-device open high`]);
  hall.passedMs += 24 * 60 * MINUTE;
  const missing = await saidIn(hall, async () => hall.displaced(1));
  assert.deepEqual(missing, [`${id} identity.device-missing open medium`], 'who answers to ARP there is the thief');
  const { reasons, after } = hall.findings().at(-1) ?? {};
  assert.deepEqual([reasons, after], [['address-taken'], { address: hall.seat(0).place.address, device: other }]);
  const back = await saidIn(hall, async () => {
    await device.moveTo('127.45.9.3');
    showAs(1);
    device.changePoolUser(0, 'acme.r07');
    await fleet.device(2).moveTo('127.45.9.1');
    for (let look = 0; look < 5; look += 1) await lookAtAll(hall, 2, 0);
  });
  assert.deepEqual(
    [hall.seat(2).device, hall.seat(0).device, back.filter(isNew)],
    [id, other, [`${other} identity.new-device resolved high`]],
  );
});

test('six machines of different owners that rotate their leases alarm nobody, whoever is looked at first', async (t) => {
  const fleet = await miners('127.45.10.1', M50S, 6);
  t.after(() => fleet.stop());
  const hall = new Hall(
    t,
    fleet.devices.map(({ address }) => inRange(address, fleet.ports)),
  );
  const seats = [0, 1, 2, 3, 4, 5];
  for (const at of seats) fleet.device(at).changePoolUser(0, `owner${at}.w`);
  await lookAtAll(hall, ...seats, ...seats);
  const before = seats.map((at) => hall.seat(at).device);
  const said = await saidIn(hall, async () => {
    for (const at of seats) await fleet.device(at).moveTo(`127.45.11.${at + 1}`);
    for (const at of seats) await fleet.device(at).moveTo(`127.45.10.${((at + 1) % 6) + 1}`);
    for (let round = 0; round < 3; round += 1) {
      for (const at of seats) await lookAtAll(hall, at);
      hall.displaced(5);
    }
    hall.searchMs = 0;
    await lookAtAll(hall, ...seats, ...seats);
  });
  assert.deepEqual(
    seats.map((at) => hall.seat((at + 1) % 6).device),
    before,
  );
  assert.deepEqual(
    said.filter((finding) => !/ info$|visibility.device-dark/.test(finding)),
    [],
  );
  assert.equal(
    hall.stored().some(({ replaces }) => replaces !== undefined),
    false,
  );
});

const isMute = (replies: ReadonlyMap<string, unknown>): boolean =>
  JSON.stringify([...replies.values()]).includes('mute');

/** A family whose full looks ask one question more than its looks at the pools. */
const toy = defineDriver({
  family: 'toy',
  title: 'Toy',
  source: 'this test',
  recognise: ({ cgminer: replies }) => (replies.has('version') && !isMute(replies) ? 3 : 0),
  queries: { version: cgminer('version'), pools: cgminer('pools', { cadence: 'pools' }) },
  facts: {
    'firmware.version': at('version', '/version', text),
    'config.mode': at('version', '/mode', text),
    pools: at('pools', '/pools', poolList({ slot: 'slot', url: 'url', user: 'user' })),
  },
});

/** A family that nobody can read: of what it is asked no fact follows. */
const mute = defineDriver({
  family: 'mute',
  title: 'Mute',
  source: 'this test',
  recognise: ({ cgminer: replies }) => (isMute(replies) ? 3 : 0),
  queries: { config: cgminer('config', { cadence: 'pools' }) },
  facts: { 'firmware.name': at('config', '/name', text) },
});

/** What a toy keeps to itself in full looks: all of it, or its pools. */
type Hides = 'nothing' | 'all' | 'pools';

/** A toy known to a gateway, which may answer in full looks otherwise than in looks at its pools. */
const knownToy = async (t: TestContext) => {
  const device: { user: string; hides: Hides; version: string } = { user: 'acme.rig1', hides: 'nothing', version: '1' };
  let isFull = true;
  const miner = await FakeMiner.start((request, socket) => {
    const isHidden = device.hides === 'all' || (device.hides === 'pools' && request.includes('pools'));
    if (isFull && isHidden) socket.resetAndDestroy();
    else if (request.includes('version')) socket.end(`{"version":"${device.version}","mode":"normal"}\0`);
    else socket.end(`{"pools":[{"slot":0,"url":"stratum+tcp://pool.example:3333","user":"${device.user}"}]}\0`);
  });
  t.after(() => miner[Symbol.asyncDispose]());
  const hall = new Hall(t, [inRange('127.0.0.1', { cgminer: miner.port, http: miner.port })], [toy, mute]);
  /** A minute passes. */
  const look = async (kind: 'full' | 'pools') => {
    isFull = kind === 'full';
    await hall.look(0, kind);
    hall.passedMs += MINUTE;
  };
  for (const _ of [1, 2]) await look('full');
  return { hall, device, look, id: hall.seat(0).device ?? '' };
};

test('a device that answers to looks at its pools only is not observed, is asked for more, and becomes dark', async (t) => {
  const { hall, device, look, id } = await knownToy(t);
  device.hides = 'all';
  hall.coverage();
  const said = await saidIn(hall, async () => {
    for (let failed = 1; failed <= 5; failed += 1) {
      await look('full');
      await look('pools');
      assert.deepEqual(
        hall.timetable.due(Number.MAX_SAFE_INTEGER).map((due) => [due.look, due.early]),
        [['full', true]],
      );
    }
  });
  assert.deepEqual(said, [`${id} visibility.device-dark open low`]);
  const { observed, unreachable, polls } = hall.coverage();
  assert.deepEqual([observed, unreachable, polls.pools?.ok, polls.config?.ok], [0, 1, 0, 0]);
  device.hides = 'nothing';
  const back = await saidIn(hall, async () => {
    for (const kind of ['full', 'pools', 'full'] as const) await look(kind);
  });
  assert.deepEqual(back, [`${id} visibility.device-dark resolved low`]);
  hall.coverage();
  await look('pools');
  assert.equal(hall.coverage().observed, 1);
});

test('a device that looks like another family, in whose words it says nothing, is judged in those it was known by', async (t) => {
  const { hall, device, look, id } = await knownToy(t);
  Object.assign(device, { version: 'mute 1', user: 'thief.1' });
  const said = await saidIn(hall, async () => {
    for (const _ of [1, 2]) await look('full');
  });
  assert.deepEqual(said, [`${id} pool.user-changed open critical`, `${id} firmware.version-changed open medium`]);
});

test('a full look that gave nothing once is forgotten at the next one', async (t) => {
  const { hall, device, look, id } = await knownToy(t);
  const said = await saidIn(hall, async () => {
    for (let round = 0; round < 6; round += 1) {
      device.hides = 'all';
      await look('full');
      device.hides = 'nothing';
      await look('pools');
      assert.equal(hall.fleet.state(id)?.marks.failures, 1);
      await look('full');
      assert.equal(hall.fleet.state(id)?.marks.failures, 0);
    }
  });
  assert.deepEqual(said, []);
});

/** A toy whose pool was stolen, until that is said; what was said, and how long it took. */
const robbed = async (t: TestContext, hides: Hides) => {
  const { hall, device, look, id } = await knownToy(t);
  Object.assign(device, { hides, user: 'thief.1' });
  let passedMs = 0;
  const said = await saidIn(hall, async () => {
    for (const known = hall.attestations().length; hall.findings().length === 0; passedMs += 2 * MINUTE) {
      assert.equal(hall.attestations().length, known);
      assert.ok(passedMs <= LONGEST_WAIT_MS + 4 * MINUTE, 'it waits for ever');
      await look('pools');
      if (hall.findings().length === 0) await look('full');
    }
  });
  assert.ok(passedMs > LONGEST_WAIT_MS, 'full looks were waited for');
  assert.deepEqual(said, [`${id} pool.user-changed open critical`]);
  return { hall, device, look, id };
};

test('a stolen pool that full looks do not show is said after the longest wait, and stays said', async (t) => {
  const { hall, device, look, id } = await robbed(t, 'pools');
  const more = await saidIn(hall, async () => {
    for (const kind of ['full', 'pools', 'full', 'pools'] as const) await look(kind);
  });
  assert.deepEqual(more, []);
  Object.assign(device, { hides: 'nothing', user: 'acme.rig1' });
  const back = await saidIn(hall, async () => {
    for (let looked = 0; looked < 3; looked += 1) await look('full');
  });
  assert.deepEqual(back, [`${id} pool.user-changed resolved critical`]);
});

test('what waits for a full look that cannot be had is attested by a look at the pools, after the longest wait', async (t) => {
  const { hall, id } = await robbed(t, 'all');
  const change = hall.attestations().find(({ evidence: { trigger } }) => trigger === 'change');
  const { evidence, appraisal } = change ?? assert.fail('the theft was not attested');
  assert.deepEqual(Object.keys(evidence.claims ?? {}), ['family', 'pools']);
  assert.deepEqual(evidence.readings, {
    'config.mode': 'unknown: unreadable',
    'firmware.version': 'unknown: unreadable',
  });
  assert.deepEqual(
    appraisal.not_run
      ?.map(({ id: rule, reason }) => `${rule}: ${reason}`)
      .filter((one) => one.startsWith('firmware.version')),
    ['firmware.version-changed: unreadable'],
  );
  const { reference } = hall.fleet.state(id) ?? {};
  assert.equal(keptFacts(reference?.facts).pools?.[0]?.user, 'acme.rig1', 'nothing was learned');
});

test('identity.device-missing: a clock that is set ahead is no time in which a device was silent, neither now nor for the next agent', async (t) => {
  await using fleet = await miners('127.45.14.1', AXE, 3);
  const hall = new Hall(
    t,
    fleet.devices.map(({ address }) => inRange(address, fleet.ports)),
  );
  await lookAtAll(hall, 0, 1, 2, 0, 1, 2);
  const ids = [0, 1, 2].map((at) => hall.seat(at).device ?? '');
  for (const at of [0, 1, 2]) await fleet.device(at).moveTo(`127.45.14.20${at}`);
  const silent = () => saidIn(hall, () => lookAtAll(hall, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2));
  assert.deepEqual([...(await silent())].sort(), ids.map((id) => `${id} visibility.device-dark open low`).sort());
  hall.aheadMs += 26 * 60 * MINUTE;
  assert.deepEqual(await silent(), []);
  for (const id of ids) {
    const { failingSinceMs = 0 } = hall.kept(id)?.marks ?? {};
    assert.ok(hall.nowMs() - failingSinceMs < 60 * MINUTE, 'the store has it, too');
  }
  hall.passedMs += 23 * 60 * MINUTE;
  assert.deepEqual(await silent(), []);
  hall.passedMs += 2 * 60 * MINUTE;
  assert.deepEqual([...(await silent())].sort(), ids.map((id) => `${id} identity.device-missing open medium`).sort());
});

/** Whoever has this address now: takes every connection, and says nothing. */
const hanging = async (host: string, port: number): Promise<AsyncDisposable> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

test('identity.address-moved: after the clock was set back, too, a machine that moved is the one it was, though its former address hangs', async (t) => {
  await using fleet = await miners('127.45.15.1', M50S, 2);
  const free = '127.45.15.9';
  const addresses = [...fleet.devices.map(({ address }) => address), free];
  const hall = new Hall(
    t,
    addresses.map((address) => inRange(address, fleet.ports)),
  );
  await lookAtAll(hall, 0, 1, 2, 0, 1);
  const id = hall.seat(1).device;
  hall.aheadMs -= 60 * MINUTE;
  const said = await saidIn(hall, async () => {
    await fleet.device(1).moveTo(free);
    await using _ = await hanging('127.45.15.2', fleet.ports.cgminer);
    const hangs = hall.look(1);
    await lookAtAll(hall, 2, 2);
    assert.equal(hall.fleet.states().length, 2, 'its former address was not asked since');
    await hangs;
    await lookAtAll(hall, 2, 2);
  });
  assert.deepEqual(said, [`${id} identity.address-moved open info`]);
  assert.deepEqual([hall.seat(2).device, hall.fleet.states().length], [id, 2]);
});

for (const [name, elsewhen] of Object.entries({
  'pools alone': (hall: Hall) => hall.look(0, 'pools'),
  'all facts': (hall: Hall) => hall.look(0),
}))
  test(`§4: a clock that is set back says of a theft when ${name} were seen last before it, by the clock as it is now`, async (t) => {
    await using fleet = await miners('127.45.16.1', M50S);
    const hall = new Hall(t, [inRange('127.45.16.1', fleet.ports)]);
    await lookAtAll(hall, 0, 0);
    hall.passedMs += MINUTE / 3;
    const seconds = (): number => Math.floor((hall.nowMs() - 60 * MINUTE) / 1000);
    const fromS = seconds();
    await elsewhen(hall);
    const toS = seconds();
    hall.aheadMs -= 60 * MINUTE;
    hall.passedMs += MINUTE / 3;
    fleet.device(0).changePoolUser(0, 'thief.1');
    const beganS = Math.floor(hall.nowMs() / 1000);
    await lookAtAll(hall, 0, 0);
    const theft = hall.findings().find(({ id }) => id === 'pool.user-changed');
    assert.ok(theft !== undefined);
    const { before_at = 0, first_observed_at } = theft;
    assert.ok(fromS <= before_at && before_at <= toS, `${fromS} <= ${before_at} <= ${toS}`);
    assert.ok(first_observed_at >= beganS);
  });

test('issue 2: an attestation that a clock dated which ran ahead is refreshed once it is right, and once only', async (t) => {
  await using fleet = await miners('127.45.13.1', AXE);
  const hall = new Hall(t, [inRange('127.45.13.1', fleet.ports)]);
  hall.aheadMs = 12 * 24 * 60 * MINUTE;
  await lookAtAll(hall, 0, 0, 0, 0);
  const triggersAt = async (aheadMs: number): Promise<readonly string[]> => {
    const before = hall.attestations().length;
    hall.aheadMs = aheadMs;
    await lookAtAll(hall, 0, 0, 0);
    return hall
      .attestations()
      .slice(before)
      .map(({ evidence }) => evidence.trigger);
  };
  assert.deepEqual(await triggersAt(0), ['refresh']);
  assert.deepEqual(await triggersAt(-60 * MINUTE), ['refresh']);
  assert.deepEqual(await triggersAt(-61 * MINUTE), [], 'clocks differ by a minute');
});
