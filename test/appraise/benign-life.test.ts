import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Look } from '../../agent/appraise/verdict.ts';
import { type Driver, type HttpQuery, type Query, questionOf } from '../../agent/drivers/driver.ts';
import { DRIVERS } from '../../agent/drivers/index.ts';
import { normalise } from '../../agent/normalise/facts.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import type { JsonValue, NoReply, Reply } from '../../agent/probe/capture.ts';
import { documentIn } from '../../agent/probe/exchange.ts';
import { answeredIn } from '../../agent/probe/probe.ts';
import { noReply, readReply } from '../../agent/probe/reply.ts';
import type { FactName } from '../../shared/facts.ts';
import { loadSpecimens, replyBytes, type Specimen } from '../specimens/specimen.ts';
import { ADDRESS, HOUR, MINUTE, numbers, runningOn, T0, Watch } from './watch.ts';

/** A day in the life of every specimen, in which one reply of twenty is late, cut short or empty. */

const FAULTS = 0.05;
/** Specimens that mine on their second pool all day, and say so. */
const ON_THE_SECOND_POOL: ReadonlySet<string> = new Set(['axeos/gamma-2.12', 'hammer/blackminer-f1']);

const bytesOf = (specimen: Specimen, query: Query): Uint8Array | undefined => replyBytes(specimen, questionOf(query));

/** The same document with nothing in its lists. */
const emptied = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return [];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, emptied(member)]));
};

const answer = (specimen: Specimen, query: Query, faults: number, random: () => number): Reply | NoReply => {
  const bytes = bytesOf(specimen, query);
  if (bytes === undefined || bytes.length === 0) return noReply('unsupported', 'no such question');
  const fate = random();
  if (fate < faults / 3) return noReply('timeout', 'late');
  if (fate < (faults / 3) * 2)
    return readReply(bytes.subarray(0, Math.floor(random() * bytes.length)), { whole: false });
  // A reply of the CGMiner API ends with a NUL, which tells that one in the plain-text form is complete.
  const whole = query.kind === 'cgminer' ? Buffer.concat([bytes, Buffer.of(0)]) : bytes;
  const reply = query.kind === 'http' ? pageOf(query, bytes) : readReply(whole, { whole: false });
  return fate < faults && reply.kind === 'reply' ? { ...reply, value: emptied(reply.value) } : reply;
};

const pageOf = (query: HttpQuery, bytes: Uint8Array): Reply | NoReply =>
  documentIn({ kind: 'page', status: 200, challenges: [], cookies: [], body: Buffer.from(bytes), whole: true }, query);

type Ask = (query: Query) => Reply | NoReply;

const lookAt = (watch: Watch, driver: Driver, look: LookKind, nowMs: number, ask: Ask): Look => {
  const due = Object.entries(driver.queries).filter(([, query]) => look === 'full' || query.cadence === 'pools');
  const replies = new Map(due.map(([name, query]) => [name, ask(query)]));
  const capture = { address: ADDRESS, observedAtMs: nowMs, replies };
  watch.context = { answered: look === 'full' ? answeredIn(driver, capture) : undefined };
  const observation = normalise(driver, capture, look);
  return { kind: 'observed', observation: runningOn(observation) };
};

const day = (specimen: Specimen, driver: Driver, faults: number): Watch => {
  const watch = new Watch();
  const random = numbers(specimen.name.length);
  const ask = (query: Query) => answer(specimen, query, faults, random);
  for (let minute = 0; minute < (24 * HOUR) / MINUTE; minute++) {
    const startMs = watch.nowMs;
    watch.take(lookAt(watch, driver, minute % 15 === 0 ? 'full' : 'pools', watch.nowMs, ask));
    while (watch.nextFullMs < startMs + MINUTE) {
      watch.nowMs = Math.max(watch.nowMs + 1000, watch.nextFullMs);
      watch.take(lookAt(watch, driver, 'full', watch.nowMs, ask));
    }
    watch.nowMs = startMs + MINUTE;
  }
  return watch;
};

const lives = loadSpecimens().flatMap((specimen) => {
  const { device } = specimen;
  const driver = 'family' in device ? DRIVERS.find(({ family }) => family === device.family) : undefined;
  return driver === undefined ? [] : [{ specimen, driver }];
});

test('runtime.stale-data: an hour of the same replies, behind a cache, is found on every family that has a counter', () => {
  const behindCache = lives.map(({ specimen, driver }) => {
    const watch = new Watch();
    for (let minute = 0; minute < 75; minute++, watch.nowMs += MINUTE) {
      const ask = (query: Query) => answer(specimen, query, 0, () => 1);
      const look = lookAt(watch, driver, minute % 15 === 0 ? 'full' : 'pools', T0, ask);
      if (look.kind === 'observed')
        watch.take({ ...look, observation: { ...look.observation, observedAtMs: watch.nowMs } });
    }
    return { specimen, watch };
  });
  const isFound = (watch: Watch) => watch.said().includes('runtime.stale-data open');
  for (const { specimen, watch } of behindCache) {
    const hashes =
      (watch.state.marks.rate ?? 0) > 0 && (watch.state.marks.elapsedS ?? watch.state.marks.uptime?.s ?? 0) > 0;
    assert.equal(isFound(watch), hashes, specimen.name);
  }
  assert.ok(behindCache.filter(({ watch }) => isFound(watch)).length > DRIVERS.length / 2);
});

test('there is a specimen of every family', () => {
  assert.deepEqual(
    DRIVERS.map(({ family }) => family).filter((family) => !lives.some(({ driver }) => driver.family === family)),
    [],
  );
});

const aboveInfo = (watch: Watch): readonly string[] =>
  [...new Set(watch.statements.filter(({ severity }) => severity !== 'info').map(({ ruleId }) => ruleId))].sort();

/** What a specimen shows all day, and truly: to say so is no false alarm. */
const shownTruly = ({ name, device }: Specimen): readonly string[] => {
  const looks = 'expect' in device ? device.expect : [];
  const shows = (fact: FactName) => looks.some(({ facts }) => facts[fact] === true);
  return [
    ...(ON_THE_SECOND_POOL.has(name) ? ['pool.failover-active'] : []),
    ...(shows('access.api_write') ? ['remote-control.api-write-open'] : []),
    ...(shows('access.write_session') ? ['remote-control.write-session-held'] : []),
    ...(shows('access.cloud') ? ['remote-control.vendor-cloud-enabled'] : []),
  ].sort();
};

for (const { specimen, driver } of lives)
  test(`a benign day of ${specimen.name} has no finding above info (§6.1)`, () => {
    const watch = day(specimen, driver, FAULTS);
    assert.ok(watch.looks >= 1440);
    assert.ok(watch.attestations.length > 0, 'it was never attested');
    const said = shownTruly(specimen);
    assert.deepEqual(aboveInfo(day(specimen, driver, 0)), said, 'without faults');
    assert.deepEqual(aboveInfo(watch), said);
    assert.ok(watch.attestations.length <= 24, `${watch.attestations.length} attestations`);
  });

test('visibility.device-dark: a device of which anything answers without a log-in does not become dark over its pools, on any family', () => {
  const dark: string[] = [];
  let watched = 0;
  for (const { specimen, driver } of lives) {
    const watch = new Watch();
    const ask = (query: Query) => {
      const isInside = 'auth' in query && query.auth !== 'none';
      return isInside ? noReply('refused', 'no log-in') : answer(specimen, query, 0, () => 1);
    };
    const lookNow = (look: LookKind) => watch.take(lookAt(watch, driver, look, watch.nowMs, ask));
    lookNow('full');
    if (watch.attestations.length === 0) continue;
    for (let minute = 1; minute < 60; minute++) {
      watch.nowMs += MINUTE;
      const isEarly = watch.nextFullMs < watch.nowMs;
      lookNow(isEarly || minute % 15 === 0 ? 'full' : 'pools');
    }
    watched += 1;
    if (watch.said().some((said) => said.startsWith('visibility.device-dark'))) dark.push(specimen.name);
  }
  assert.deepEqual(dark, []);
  assert.ok(watched > lives.length / 2);
});

/** What comes of the questions to an interface that is not to be had. */
const CLOSINGS: readonly NoReply[] = [
  noReply('refused', 'closed'),
  noReply('unreachable', 'closed', { dark: true }),
  noReply('unreadable', 'HTML instead of JSON', { elsewhere: true }),
  noReply('unreadable', 'HTTP 502', { withheld: true }),
  noReply('timeout', 'late'),
];

test('an interface that closes, or gives something else, changes no pool on any family, whatever another one tells', () => {
  const told: string[] = [];
  let watched = 0;
  for (const { specimen, driver } of lives) {
    for (const kind of new Set(Object.values(driver.queries).map((query) => query.kind))) {
      for (const closing of CLOSINGS) {
        const watch = new Watch();
        const live = (minutes: number, isClosed: boolean): void => {
          for (let minute = 0; minute < minutes; minute++, watch.nowMs += MINUTE) {
            const ask = (query: Query) =>
              isClosed && query.kind === kind ? closing : answer(specimen, query, 0, () => 1);
            watch.take(lookAt(watch, driver, minute % 3 === 0 ? 'full' : 'pools', watch.nowMs, ask));
          }
        };
        live(9, false);
        watch.clear();
        live(9, true);
        live(9, false);
        watched += 1;
        const ofPools = watch.said().filter((said) => said.startsWith('pool.'));
        if (ofPools.length > 0)
          told.push(
            `${specimen.name}, ${kind} ${closing.reason} ${closing.detail}: ${[...new Set(ofPools)].join(', ')}`,
          );
      }
    }
  }
  assert.deepEqual(told, []);
  assert.ok(watched > lives.length * CLOSINGS.length);
});
