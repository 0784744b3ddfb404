import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Fleet } from '../../agent/schedule/fleet.ts';
import { Pacer } from '../../agent/schedule/pacer.ts';
import type { Place } from '../../agent/schedule/places.ts';
import type { FleetSeat } from '../../agent/schedule/seat.ts';
import { type DueLook, Timetable } from '../../agent/schedule/timetable.ts';

const NOON = Date.UTC(2026, 10, 23, 12, 0, 0);
const MINUTE = 60_000;
const HANDLE = {};

const position = (number: number): Place => ({
  address: `10.0.0.${number}`,
  ports: { cgminer: 4028, http: 80 },
  labels: {},
  origin: 'host',
  entry: `10.0.0.${number}`,
  id: `rig-${number}`,
});

const positions = (count: number): readonly Place[] => Array.from({ length: count }, (_, at) => position(at + 1));

/** A pacer over positions in simulated time; looks end when the test lets them. */
const pacing = (t: TestContext, places: readonly Place[], most = 100) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOON + 20_000 });
  // Ticks go on whatever the wall clock does, as those of the engine do.
  let tick: () => void = () => {};
  t.mock.method(globalThis, 'setInterval', (run: () => void) => {
    tick = run;
    return HANDLE;
  });
  t.mock.method(globalThis, 'clearInterval', (handle: unknown) => {
    if (handle === HANDLE) tick = () => {};
  });
  const fleet = new Fleet(places, [], new Set());
  let monoMs = 0;
  const clock = { wallMs: Date.now, monoMs: () => monoMs };
  const looks: (DueLook<FleetSeat> & { readonly monoMs: number })[] = [];
  const waiting: (() => void)[] = [];
  let holds = false;
  const pacer = new Pacer({
    timetable: new Timetable({ seats: () => fleet.seats(), phaseOf: ({ phase }) => phase, random: () => 0.5 }),
    schedule: { pools: '* * * * *', config: '*/15 * * * *' },
    admit: () => true,
    run: async (due) => {
      looks.push({ ...due, monoMs });
      if (holds) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    most,
    opened: () => {},
    overdue: () => true,
    clock,
    emit: () => {},
  });
  return {
    pacer,
    looks,
    waiting,
    hold: () => {
      holds = true;
    },
    /** Time passes on both clocks, and `byMs` more on the wall. */
    pass: async (ms: number, byMs = 0): Promise<void> => {
      t.mock.timers.setTime(Date.now() + byMs);
      for (let passed = 0; passed < ms; passed += 40) {
        monoMs += 40;
        t.mock.timers.setTime(Date.now() + 40);
        tick();
        await undefined;
      }
    },
  };
};

test('the first looks are full and come at once, then one each minute', async (t) => {
  const { pacer, looks, pass } = pacing(t, positions(5));
  pacer.start();
  await pass(1000);
  assert.deepEqual(
    looks.map(({ look }) => look),
    ['full', 'full', 'full', 'full', 'full'],
  );
  assert.equal(pacer.poolsIntervalMs(), MINUTE);
  // From 12:00:21 to 12:03:21: the rounds of 12:01 and 12:02, and a part of that of 12:03.
  await pass(3 * MINUTE);
  assert.ok(looks.length >= 15 && looks.length <= 20, `${looks.length}`);
  await pacer.stop();
  const before = looks.length;
  await pass(2 * MINUTE);
  assert.equal(looks.length, before);
});

test('a wall clock that is set, back or forward, moves no look by more than a round', async (t) => {
  const { pacer, looks, pass } = pacing(t, positions(20));
  pacer.start();
  await pass(2 * MINUTE);
  for (const stepMs of [-365 * 86_400_000, 30 * 86_400_000, -45_000, 3_600_000]) {
    const before = looks.length;
    await pass(3 * MINUTE, stepMs);
    const gained = looks.length - before;
    assert.ok(gained >= 40 && gained <= 80, `${stepMs}: ${gained} looks in three minutes`);
  }
  await pacer.stop();
});

test('no more looks are under way than allowed, and the end waits for those that are', async (t) => {
  const { pacer, looks, waiting, hold, pass } = pacing(t, positions(10), 3);
  hold();
  pacer.start();
  await pass(1000);
  assert.equal(looks.length, 3);
  let stopped = false;
  const stopping = pacer.stop().then(() => {
    stopped = true;
  });
  for (let round = 0; round < 30; round += 1) {
    assert.ok(waiting.length <= 3);
    if (waiting.length > 0) assert.equal(stopped, false);
    for (const end of waiting.splice(0)) end();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stopping;
  assert.equal(looks.length, 10);
});

test('positions of one address with the same cgminer and http ports take turns, hold up nobody else, and the end waits for them', async (t) => {
  const same = (ssh: number): Place => ({
    ...position(9),
    id: `same-${ssh}`,
    ports: { cgminer: 4028, http: 80, ssh },
  });
  const apart: Place = { ...position(9), id: 'apart', ports: { cgminer: 4028, http: 8081 } };
  const { pacer, looks, waiting, hold, pass } = pacing(t, [same(22), same(2222), same(2223), apart, position(1)], 3);
  hold();
  pacer.start();
  await pass(1000);
  const asked = () => looks.map(({ seat }) => seat.device ?? '');
  const alike = () => asked().filter((id) => id.startsWith('same-')).length;
  assert.equal(alike(), 1);
  assert.deepEqual(
    asked()
      .filter((id) => !id.startsWith('same-'))
      .sort(),
    ['apart', 'rig-1'],
    'what waits for its turn takes no place of another one',
  );
  let stopped = false;
  const stopping = pacer.stop().then(() => {
    stopped = true;
  });
  for (const turn of [2, 3]) {
    assert.equal(stopped, false);
    for (const end of waiting.splice(0)) end();
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(alike(), turn);
    assert.equal(waiting.length, 1);
  }
  for (const end of waiting.splice(0)) end();
  await stopping;
});
