import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isDark } from '../../agent/appraise/rules/visibility-device-dark.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import type { Place } from '../../agent/schedule/places.ts';
import type { Behaviour } from '../simulator/behaviour.ts';
import { type Fleet, startFleet } from '../simulator/fleet.ts';
import { loadSpecimens } from '../specimens/specimen.ts';
import { Hall } from './hall.ts';

/** Machines of ranges that stand where another one is known, and do not say who they are. */

const M50S = 'whatsminer/m50s-api2';
const S21 = 'antminer-stock/s21';
const GAMMA = 'axeos/gamma-2.15';
const MINUTE = 60_000;

const placeOf = (address: string, { ports }: Fleet): Place => ({
  address,
  ports,
  labels: {},
  origin: 'range',
  entry: '127.46.0.0/16',
});

/** What names a machine of these families, as its requests show. */
const NAMING: { readonly [name: string]: RegExp } = {
  [M50S]: /"(?:get_miner_info|summary|edevs|devdetails|devs|get_psu)"/,
  [S21]: /^GET /,
  [GAMMA]: /^GET \/api\/system\/info/,
};

/** What names them, and what tells their pools. */
const NAMING_AND_POOLS: typeof NAMING = {
  [M50S]: /"(?:get_miner_info|summary|edevs|devdetails|devs|get_psu|pools)"/,
  [S21]: /^GET |"pools"/,
  [GAMMA]: /^GET \/api\/system\/info/,
};

interface Row {
  readonly fleet: Fleet;
  readonly hall: Hall;
  /** The agent is started anew: another hall. */
  readonly restart: () => void;
  /** Loses, or spoils, what names the machines, or other answers. `honest` ends that. */
  readonly lose: (how: Behaviour, asked?: RegExp) => void;
  /** The ids of the devices that stand at the seats. */
  readonly ids: () => readonly (string | undefined)[];
  /** Looks in full at these seats, after the time in which they wanted to be asked again. */
  readonly look: (...seats: readonly number[]) => Promise<void>;
  /** What was found since the last call, `<seat at the start> <id> <severity>`, without what is `info`. */
  readonly found: () => readonly string[];
}

/** So many known machines of a kind in a range, each with an account of its own, and one free address behind them. */
const rowOf = async (t: TestContext, name: string, base: string, devices = 2): Promise<Row> => {
  const specimens = loadSpecimens().filter((specimen) => specimen.name === name);
  let nowMs = Date.now;
  const fleet = await startFleet({ specimens, base, devices, nowMs: () => nowMs() });
  t.after(() => fleet.stop());
  const [net = ''] = base.match(/^.*\./) ?? [];
  const addresses = [...fleet.devices.map(({ address }) => address), `${net}${devices + 1}`];
  const places = addresses.map((address) => placeOf(address, fleet));
  let hall = new Hall(t, places);
  const restart = (): void => {
    const { credential } = hall;
    hall = new Hall(t, places, DRIVERS, {}, hall);
    hall.credential = credential;
  };
  nowMs = () => hall.nowMs();
  hall.credential = { user: 'root', password: () => 'specimen' };
  for (const [at, device] of fleet.devices.entries()) device.changePoolUser(0, `owner${at}.w1`);
  let how: Behaviour = 'honest';
  let lost = NAMING[name];
  fleet.follow((device, request) => device.behave(lost?.test(request) === true ? how : 'honest'));
  const look = async (...seats: readonly number[]): Promise<void> => {
    for (const at of seats) {
      hall.passedMs += 5000;
      await hall.look(at);
    }
  };
  const all = addresses.map((_, at) => at);
  await look(...all, ...all);
  const ids = () => all.map((at) => hall.seat(at).device);
  const known = ids();
  assert.equal(new Set(known).size, devices + 1, `${known}`);
  let told = hall.findings().length;
  const found = () => {
    const findings = hall.findings().slice(told);
    told += findings.length;
    return findings
      .filter(({ state, severity }) => state === 'open' && severity !== 'info')
      .map(({ id, device, severity }) => `${known.indexOf(device)} ${id} ${severity}`);
  };
  const lose = (now: Behaviour, asked = NAMING[name]): void => {
    how = now;
    lost = asked;
  };
  return {
    fleet,
    get hall() {
      return hall;
    },
    restart,
    lose,
    ids,
    look,
    found,
  };
};

/** The first two exchange their addresses. */
const exchange = async ({ fleet }: Row): Promise<void> => {
  const [one, two] = [fleet.device(0), fleet.device(1)];
  const [first, second] = [one.address, two.address];
  await one.moveTo(`${first.replace(/\d+$/, '')}200`);
  await two.moveTo(first);
  await one.moveTo(second);
};

const isGrave = (finding: string): boolean => !finding.endsWith(' low');

for (const [at, [name, how]] of (
  [
    [M50S, 'truncate'],
    [S21, 'garbage'],
    [S21, 'early-close'],
  ] as const
).entries()) {
  test(`two ${name} that exchange their addresses alarm nobody while what names them is lost (${how})`, async (t) => {
    const row = await rowOf(t, name, `127.46.${10 + at}.1`);
    const { hall, ids, look, found } = row;
    const [one, two] = ids();
    row.lose(how);
    await exchange(row);
    for (let looks = 0; looks < 3; looks += 1) {
      for (const seat of [0, 1]) await hall.look(seat, 'pools');
      await look(0, 1);
    }
    assert.deepEqual(found().filter(isGrave), []);
    row.lose('honest');
    hall.passedMs += 6 * MINUTE;
    for (let looks = 0; looks < 3; looks += 1) await look(0, 1);
    assert.deepEqual(ids().slice(0, 2), [two, one]);
    assert.deepEqual(found().filter(isGrave), []);
  });
}

test('machines with several pools that exchange their addresses twice within a day alarm nobody, and are told at the third time', async (t) => {
  const row = await rowOf(t, M50S, '127.46.81.1');
  const { hall, look, found } = row;
  const graveAfter = async (): Promise<readonly string[]> => {
    hall.passedMs += 60 * MINUTE;
    await exchange(row);
    for (const seat of [0, 1]) await hall.look(seat, 'pools');
    for (let looks = 0; looks < 4; looks += 1) await look(0, 1);
    return found().filter((finding) => finding.endsWith(' critical'));
  };
  assert.deepEqual(await graveAfter(), []);
  assert.deepEqual(await graveAfter(), []);
  assert.deepEqual(await graveAfter(), ['0 pool.user-changed critical', '1 pool.user-changed critical']);
});

test('an account that nobody is known to work for is found at once, though what names the machine is lost', async (t) => {
  const { fleet, hall, lose, look, found } = await rowOf(t, M50S, '127.46.20.1');
  lose('truncate');
  fleet.device(0).changePoolUser(0, 'thief.1');
  await hall.look(0, 'pools');
  await look(0);
  assert.deepEqual(found(), ['0 pool.user-changed critical']);
});

test('the account of a theft hides no other one: who works for it, too, is found at once', async (t) => {
  const { fleet, hall, lose, look, found } = await rowOf(t, M50S, '127.46.23.1', 3);
  const steal = (at: number): void => {
    for (const slot of [0, 1, 2]) fleet.device(at).changePoolUser(slot, 'thief.1');
  };
  const critical = (at: number) => `${at} pool.user-changed critical`;
  steal(0);
  await hall.look(0, 'pools');
  await look(0);
  assert.ok(found().includes(critical(0)));
  lose('truncate');
  for (const at of [1, 2]) {
    steal(at);
    await hall.look(at, 'pools');
    await look(at);
    assert.ok(found().includes(critical(at)), `${at}`);
  }
});

test('a machine that works as another one does, and never says who it is, is taken for who sat there after ten minutes', async (t) => {
  const { fleet, hall, lose, look, found } = await rowOf(t, M50S, '127.46.21.1');
  lose('truncate');
  fleet.device(0).changePoolUser(0, 'owner1.w1');
  for (const slot of [1, 2]) fleet.device(0).changePoolUser(slot, 'acme.w2117-00002');
  let minutes = 0;
  while (minutes < 30 && !found().includes('0 pool.user-changed critical')) {
    hall.passedMs += MINUTE;
    minutes += 1;
    await hall.look(0, 'pools');
    await look(0);
  }
  assert.ok(minutes >= 9 && minutes <= 12, `${minutes}`);
});

test('a dark machine is not back because another one that is known takes its address without a name', async (t) => {
  const { fleet, hall, lose, look, found, ids } = await rowOf(t, M50S, '127.46.22.1');
  const [one, two] = ids();
  await fleet.device(0).goDark();
  for (let looks = 0; looks < 20; looks += 1) {
    hall.passedMs += MINUTE;
    await look(0);
  }
  assert.deepEqual(found(), ['0 visibility.device-dark low']);
  const { address } = fleet.device(0);
  await fleet.device(1).moveTo(address);
  lose('truncate');
  await hall.look(0, 'pools');
  for (let looks = 0; looks < 3; looks += 1) await look(0, 1);
  lose('honest');
  for (let looks = 0; looks < 3; looks += 1) await look(0, 1);
  assert.deepEqual(found().filter(isGrave), []);
  assert.deepEqual([ids()[0], hall.fleet.state(one ?? '')?.marks.failures !== 0], [two, true]);
});

/** The first machine is silent until it counts as dark. */
const darken = async ({ fleet, hall, look, found }: Row): Promise<void> => {
  await fleet.device(0).goDark();
  for (let looks = 0; looks < 6; looks += 1) {
    hall.passedMs += MINUTE;
    await look(0);
  }
  assert.deepEqual(found(), ['0 visibility.device-dark low']);
};

const LOSSES = [
  [GAMMA, 'busy'],
  [GAMMA, 'early-close'],
  [M50S, 'truncate'],
  [S21, 'early-close'],
] as const;

for (const [at, [name, how]] of LOSSES.entries()) {
  for (const restarts of [false, true]) {
    const again = restarts ? ', also over a restart' : '';
    test(`a dark ${name} is not back because a known one at its address answers without name and pools (${how})${again}`, async (t) => {
      const row = await rowOf(t, name, `127.46.${50 + 2 * at + Number(restarts)}.1`, 3);
      const { fleet, look, ids, found, lose } = row;
      const [one, two] = ids();
      const isStillDark = (): boolean => {
        const state = row.hall.fleet.state(one ?? '');
        return state !== undefined && isDark(state) && state.marks.failures > 0;
      };
      await darken(row);
      lose(how, NAMING_AND_POOLS[name]);
      await fleet.device(1).moveTo(fleet.device(0).address);
      for (let looks = 0; looks < 4; looks += 1) {
        await row.hall.look(0, 'pools');
        await look(0, 1);
        assert.ok(isStillDark(), `look ${looks}`);
        if (restarts && looks === 1) row.restart();
      }
      lose('honest');
      for (let looks = 0; looks < 3; looks += 1) await look(0, 1);
      assert.equal(ids()[0], two);
      for (let rounds = 0; rounds < 8; rounds += 1) {
        row.hall.passedMs += 5 * MINUTE;
        row.hall.displaced(1);
        await look(0, 1, 3);
      }
      assert.deepEqual(found().filter(isGrave), []);
      assert.ok(isStillDark());
    });
  }

  test(`a dark ${name} that is back, and tells neither name nor pools (${how}), is itself after ten minutes at the latest`, async (t) => {
    const row = await rowOf(t, name, `127.46.${70 + at}.1`);
    const { fleet, hall, look, ids, found, lose } = row;
    const [one = ''] = ids();
    const failures = (): number | undefined => hall.fleet.state(one)?.marks.failures;
    await darken(row);
    lose(how, NAMING_AND_POOLS[name]);
    await fleet.device(0).comeBack();
    await look(0);
    const sinceMs = hall.passedMs;
    const waitedMs = (): number => hall.passedMs - sinceMs;
    while (failures() !== 0 && waitedMs() < 30 * MINUTE) {
      hall.passedMs += 5000;
      await hall.lookWhereDue();
    }
    assert.ok(waitedMs() > MINUTE && waitedMs() <= 10 * MINUTE + 5000, `${waitedMs()}`);
    lose('honest');
    for (let looks = 0; looks < 4; looks += 1) await look(0, 1);
    assert.deepEqual([ids()[0], found().filter(isGrave)], [one, []]);
    const state = hall.fleet.state(one);
    assert.ok(state !== undefined && !isDark(state));
  });
}

test('a theft at a machine that was dark is found at once, though what names it is lost', async (t) => {
  const row = await rowOf(t, M50S, '127.46.80.1');
  const { fleet, look, found, lose } = row;
  await darken(row);
  lose('truncate');
  fleet.device(0).changePoolUser(0, 'thief.1');
  await fleet.device(0).comeBack();
  await look(0, 0);
  assert.deepEqual(found(), ['0 pool.user-changed critical']);
});

for (const [at, how] of (['garbage', 'early-close'] as const).entries()) {
  test(`an S21 that moves while its web interface tells nothing (${how}) is who it was once that answers`, async (t) => {
    const { fleet, hall, lose, look, found, ids } = await rowOf(t, S21, `127.46.${30 + at}.1`);
    const [, two] = ids();
    lose(how);
    await fleet.device(1).moveTo(`127.46.${30 + at}.3`);
    for (let looks = 0; looks < 3; looks += 1) await look(2, 1);
    assert.equal(hall.seat(2).device, undefined);
    lose('honest');
    hall.passedMs += 6 * MINUTE;
    for (let looks = 0; looks < 3; looks += 1) await look(2, 1);
    assert.deepEqual([hall.seat(2).device, found().filter(isGrave)], [two, []]);
  });
}

test('who stood at an address without a name and left takes nothing of the time from who comes later', async (t) => {
  const { fleet, hall, lose, look, found } = await rowOf(t, M50S, '127.46.40.1');
  const two = hall.seat(1).device;
  lose('truncate');
  await fleet.device(0).moveTo('127.46.40.3');
  await look(2, 2);
  assert.equal(hall.seat(2).nameless?.looks, 2);
  lose('honest');
  await fleet.device(0).moveTo('127.46.40.1');
  await look(2, 0, 2, 0);
  hall.passedMs += 20 * MINUTE;
  lose('truncate');
  await fleet.device(1).moveTo('127.46.40.3');
  await look(2, 1, 2);
  assert.equal(hall.seat(2).device, undefined);
  lose('honest');
  await look(2, 1, 2, 1);
  assert.deepEqual([hall.seat(2).device, found().filter(isGrave)], [two, []]);
});
