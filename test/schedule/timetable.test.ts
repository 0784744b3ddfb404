import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { phaseOf } from '../../agent/schedule/fleet.ts';
import { type DueLook, type Seat, Timetable } from '../../agent/schedule/timetable.ts';

interface TestSeat extends Seat {
  readonly name: string;
  occupied: boolean;
  restUntilMs: number;
}

const seat = (name: string, occupied = true): TestSeat => ({ name, occupied, restUntilMs: 0 });

const seatsNamed = (count: number): readonly TestSeat[] => Array.from({ length: count }, (_, at) => seat(`seat-${at}`));

const timetableOf = (seats: readonly TestSeat[], random: () => number = () => 0.5): Timetable<TestSeat> =>
  new Timetable({ seats: () => seats, phaseOf: ({ name }) => phaseOf(name), random });

type Handed = DueLook<TestSeat> & { readonly atMs: number };

/** What is handed out from `fromMs` on, before `toMs`, asked every `tickMs`. */
const handedOut = (timetable: Timetable<TestSeat>, fromMs: number, toMs: number, tickMs = 40): readonly Handed[] => {
  const looks: Handed[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += tickMs)
    looks.push(...timetable.due(atMs).map((look) => ({ ...look, atMs })));
  return looks;
};

const MINUTE = 60_000;
const round = (openedAtMs: number, intervalMs = MINUTE) => ({ openedAtMs, intervalMs });
const named = (looks: readonly Handed[]): readonly string[] => looks.map(({ seat: { name } }) => name).sort();

/** A generator of numbers in [0, 1) with a seed. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
};

test('every occupied seat is looked at exactly once in every pools round, whatever the jitter', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 2000, max: 90_000 }),
      fc.integer({ min: 1, max: 150 }),
      fc.nat(),
      (count, intervalMs, tickMs, seed) => {
        const seats = seatsNamed(count);
        const timetable = timetableOf(seats, randomFrom(seed));
        const everyone = seats.map(({ name }) => name).sort();
        for (let opened = 0; opened < 4 * intervalMs; opened += intervalMs) {
          timetable.openPools(round(opened, intervalMs));
          const looks = handedOut(timetable, opened, opened + intervalMs, tickMs);
          assert.deepEqual(named(looks), everyone);
          assert.ok(looks.every(({ look, early }) => look === 'pools' && !early));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a config round makes one look of every device a full one, and asks nobody at a turn of its own', () => {
  const seats = seatsNamed(200);
  const timetable = timetableOf(seats, randomFrom(7));
  const looks: Handed[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    timetable.openPools(round(minute * MINUTE));
    if (minute % 15 === 0) timetable.openFull(round(minute * MINUTE, 15 * MINUTE));
    for (const look of handedOut(timetable, minute * MINUTE, (minute + 1) * MINUTE)) {
      looks.push(look);
      if (look.look === 'full') timetable.fullLookDone(look.seat);
    }
  }
  for (const one of seats) {
    const own = looks.filter((look) => look.seat === one);
    assert.equal(own.length, 60);
    const full = own.filter(({ look }) => look === 'full').map(({ atMs }) => atMs);
    assert.ok(full.length === 4 || full.length === 3, `${one.name}: ${full.length} full looks`);
    // Its own place in the config round, a tenth of jitter, and up to two pools rounds until its next turn.
    const gaps = full.slice(1).map((atMs, at) => atMs - (full[at] ?? 0));
    for (const gap of gaps) assert.ok(Math.abs(gap - 15 * MINUTE) <= 3.5 * MINUTE, `${one.name}: ${gap} ms`);
  }
});

test('no seat is handed out twice at once, and none is lost, whatever is asked for in between', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 9000 }) }),
    fc.record({ do: fc.constant('early' as const), seat: fc.nat(), inMs: fc.integer({ min: -5000, max: 20_000 }) }),
    fc.record({ do: fc.constant('full' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), fc.nat(), (steps, count, seed) => {
      const seats = seatsNamed(count);
      const timetable = timetableOf(seats, randomFrom(seed));
      const turns = new Map<TestSeat, number>();
      let now = 0;
      let opened = 0;
      const open = (): void => {
        timetable.openPools(round(now, 10_000));
        opened += 1;
      };
      const look = (): void => {
        const due = timetable.due(now);
        assert.equal(new Set(due.map((one) => one.seat)).size, due.length);
        for (const one of due) {
          if (!one.early) turns.set(one.seat, (turns.get(one.seat) ?? 0) + 1);
          if (one.look === 'full') timetable.fullLookDone(one.seat);
        }
      };
      open();
      let nextMs = 10_000;
      for (const one of steps) {
        if (one.do === 'early') timetable.askEarly(seats[one.seat % count] ?? seat('none'), now + one.inMs);
        else if (one.do === 'full') timetable.openFull(round(now, 150_000));
        else {
          // A tick may come late: then it comes after the next round has opened.
          now += one.ms;
          if (now >= nextMs) {
            open();
            nextMs = now + 10_000;
          }
          look();
        }
      }
      now += 10_000;
      look();
      for (const one of seats) assert.equal(turns.get(one), opened);
    }),
    { numRuns: 150 },
  );
});

test('a look that fell due but was not handed out before the next round opened is made up for', () => {
  const seats = seatsNamed(50);
  const timetable = timetableOf(seats);
  timetable.openPools(round(0));
  const before = handedOut(timetable, 0, 30_000);
  timetable.openPools(round(MINUTE));
  const late = timetable.due(MINUTE).map((look) => ({ ...look, atMs: MINUTE }));
  assert.deepEqual(named([...before, ...late]), seats.map(({ name }) => name).sort());
  assert.equal(handedOut(timetable, MINUTE + 40, 2 * MINUTE).length, seats.length);
});

test('turns of a start round that are still to come are left to the round that opens', () => {
  const seats = seatsNamed(300);
  const timetable = timetableOf(seats);
  timetable.openStart(round(0), () => false);
  const before = handedOut(timetable, 0, 5000);
  timetable.openPools(round(5000));
  assert.ok(timetable.due(5000).length < 10, 'no herd at the boundary');
  assert.ok(before.length < seats.length);
  assert.equal(handedOut(timetable, 5040, 5000 + MINUTE).length, seats.length);
});

test('an early look comes at its time, once, and counts as the turn of the round when both fall together', () => {
  const one = seat('one');
  const timetable = timetableOf([one]);
  timetable.askEarly(one, 9000);
  timetable.askEarly(one, 7000);
  timetable.askEarly(one, 8000);
  assert.deepEqual(timetable.due(6999), []);
  assert.deepEqual(timetable.due(7000), [{ seat: one, look: 'full', early: true }]);
  assert.deepEqual(timetable.due(MINUTE), []);

  timetable.openPools(round(MINUTE));
  timetable.askEarly(one, MINUTE);
  assert.deepEqual(timetable.due(2 * MINUTE), [{ seat: one, look: 'full', early: false }]);
});

test('a full look that was made takes back the wish for an early one', () => {
  const one = seat('one');
  const timetable = timetableOf([one]);
  timetable.askEarly(one, 5000);
  timetable.fullLookDone(one);
  assert.deepEqual(timetable.due(MINUTE), []);
});

test('a device owes a full look until one was made', () => {
  const one = seat('one');
  const timetable = timetableOf([one]);
  timetable.openPools(round(0));
  timetable.openFull(round(0, 15 * MINUTE));
  timetable.due(15 * MINUTE);
  for (const minute of [16, 18]) {
    timetable.openPools(round(minute * MINUTE));
    assert.deepEqual(
      timetable.due((minute + 1) * MINUTE).map(({ look }) => look),
      ['full'],
    );
  }
});

test('a resting seat is left alone, and what was wanted early comes when it has rested', () => {
  const one = seat('one');
  const timetable = timetableOf([one]);
  one.restUntilMs = 90_000;
  timetable.askEarly(one, 1000);
  timetable.openPools(round(0));
  assert.deepEqual(handedOut(timetable, 0, MINUTE), []);
  assert.deepEqual(timetable.due(89_999), []);
  assert.deepEqual(timetable.due(90_000), [{ seat: one, look: 'full', early: true }]);
});

test('an empty address is searched in config rounds only, and at the start', () => {
  const empty = seat('empty', false);
  const timetable = timetableOf([empty]);
  timetable.openStart(round(0), () => false);
  assert.deepEqual(
    handedOut(timetable, 0, MINUTE).map(({ look }) => look),
    ['full'],
  );
  timetable.openPools(round(MINUTE));
  assert.deepEqual(handedOut(timetable, MINUTE, 2 * MINUTE), []);
  timetable.openFull(round(2 * MINUTE, 15 * MINUTE));
  assert.deepEqual(
    handedOut(timetable, 2 * MINUTE, 17 * MINUTE).map(({ look }) => look),
    ['full'],
  );
});

test('a seat that was left in the middle of a round has no turn any more', () => {
  const one = seat('one');
  const timetable = timetableOf([one]);
  timetable.openPools(round(0));
  one.occupied = false;
  assert.deepEqual(handedOut(timetable, 0, MINUTE), []);
});

test('a device whose last full look is long ago gets one at its first turn after the start, others do not', () => {
  const [old, fresh] = [seat('old'), seat('fresh')];
  const timetable = timetableOf([old, fresh]);
  timetable.openStart(round(0), (one) => one === old);
  const looks = handedOut(timetable, 0, MINUTE);
  assert.deepEqual(looks.map(({ seat: { name }, look }) => `${name} ${look}`).sort(), ['fresh pools', 'old full']);
});

test('config rounds as frequent as pools rounds replace them', () => {
  const seats = seatsNamed(20);
  const timetable = timetableOf(seats);
  for (let opened = 0; opened < 50_000; opened += 10_000) {
    timetable.openPools(round(opened, 10_000));
    timetable.openFull(round(opened + 3, 9_997));
    const looks = handedOut(timetable, opened, opened + 10_000);
    assert.equal(looks.length, seats.length);
    assert.ok(looks.every(({ look }) => look === 'full'));
  }
});

test('ten thousand seats are spread evenly over the round, each at about its own place in every round', () => {
  const seats = seatsNamed(10_000);
  const timetable = timetableOf(seats, randomFrom(1));
  const places = [0, 1].map((minute) => {
    timetable.openPools(round(minute * MINUTE));
    return new Map(
      handedOut(timetable, minute * MINUTE, (minute + 1) * MINUTE, 100).map((look) => [look.seat, look.atMs % MINUTE]),
    );
  });
  const perTenth = Array.from({ length: 10 }, () => 0);
  for (const atMs of places[0]?.values() ?? [])
    perTenth[Math.floor(atMs / 6000)] = (perTenth[Math.floor(atMs / 6000)] ?? 0) + 1;
  for (const count of perTenth.slice(1, 9)) assert.ok(count > 900 && count < 1300, `${perTenth}`);
  for (const one of seats) {
    const moved = Math.abs((places[0]?.get(one) ?? Number.NaN) - (places[1]?.get(one) ?? Number.NaN));
    assert.ok(moved <= MINUTE / 10 + 100, `${one.name} moved by ${moved} ms`);
  }
});
