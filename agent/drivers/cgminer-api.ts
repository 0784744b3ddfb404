import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import type { Replies } from './driver.ts';
import { rateWithLetter } from './rate-text.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  count,
  flag,
  integer,
  memberIn,
  place,
  type Reader,
  scaled,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { sum, valuesOf } from './rows.ts';

/**
 * What the forks of the CGMiner API have in common. Source: ckolivas/cgminer, API-README and api.c.
 */

/** Members of an object whose names fit, in their order, as whole numbers. */
export const numbered = (object: JsonObject, name: RegExp): readonly Reading<number>[] =>
  Object.keys(object)
    .filter((key) => name.test(key))
    .map((key) => scaled(1)(object[key] as JsonValue));

/** Rows of a section: an array, or an object with one member per row (FDMiner). */
export const rowsOf = (section: JsonValue | undefined): readonly JsonObject[] | undefined => {
  const object = asObject(section);
  const rows = (object === undefined ? asArray(section) : Object.values(object))?.map((row) => asObject(row));
  return rows?.every((row) => row !== undefined) ? (rows as readonly JsonObject[]) : undefined;
  // The check before the cast has seen every row.
};

/** Reads the rows of a section. */
export const inRows =
  <T>(read: (rows: readonly JsonObject[]) => Reading<T>): Reader<T> =>
  (section) => {
    const rows = rowsOf(section);
    return rows === undefined ? UNREADABLE : read(rows);
  };

/** One member of all rows, added up. */
export const sumOfRows = (name: string): Reader<number> =>
  inRows((rows) => sum(rows.map((row) => memberIn(row, name, scaled(1)))));

/** Averages by preference, the shortest first. bfgminer averages over 20 s. */
const WINDOWS = ['5s', '20s', 'av'] as const;

/** The finest first: of a slow algorithm the coarse ones have two decimals, or say 0. */
const UNITS: readonly (readonly [name: string, factor: number])[] = [
  ['KHS', 1e3],
  ['MHS', 1e6],
  ['GHS', 1e9],
];

/** For each average the readers of its members: names are put together once. */
const NAMED_RATES = WINDOWS.map((window) =>
  UNITS.map(([unit, factor]) => ({ name: `${unit} ${window}`, read: scaled(factor) })),
);

/** The hash rate of a SUMMARY or DEVS row by the unit in the member's name, H/s. */
export const namedRate: Reader<number> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  for (const members of NAMED_RATES) {
    const rates = members.map(({ name, read }) => memberIn(row, name, read));
    const given = rates.filter(({ kind }) => kind !== 'absent');
    const [first] = given;
    if (first !== undefined) return given.find((rate) => rate.kind === 'present' && rate.value > 0) ?? first;
  }
  return ABSENT;
};

const counted = (name: string) => at('summary', `/SUMMARY/0/${name}`, count);

/** What SUMMARY counts since the miner program started; shares are counted in the pool rows as well. */
export const SUMMARY_COUNTS = {
  'telemetry.elapsed_s': counted('Elapsed'),
  'telemetry.accepted': anyOf(counted('Accepted'), at('pools', '/POOLS', sumOfRows('Accepted'))),
  'telemetry.rejected': anyOf(counted('Rejected'), at('pools', '/POOLS', sumOfRows('Rejected'))),
  'telemetry.hw_errors': counted('Hardware Errors'),
} as const;

const OF_POOLS = place('/POOLS');
const WHEN = place(['/STATUS/0/When', '/STATUS/when']);

/**
 * Seconds since the newest share of any pool. `Last Share Time` is the age as h:mm:ss on Bitmain, else seconds of the
 * device's own clock, which is why they are compared with the `When` of the same reply and with no other clock.
 */
export const lastShareAge =
  (name: string): Reader<number> =>
  (reply) => {
    const section = OF_POOLS(reply);
    const rows = section.kind === 'present' ? rowsOf(section.value) : undefined;
    if (rows === undefined) return UNREADABLE;
    // The plain-text form has no numbers.
    const now = whenPresent(WHEN(reply), integer);
    const nowS = now.kind === 'present' ? now.value : undefined;
    const ages = rows.flatMap((row) => ageOf(row[name], nowS));
    return ages.length === 0 ? ABSENT : present(Math.min(...ages));
  };

/** Younger than this, a time since 1970 is no time but a clock that was never set. */
const CLOCK_SET_S = 1_000_000_000;

const ageOf = (value: JsonValue | undefined, nowS: number | undefined): readonly number[] => {
  if (typeof value === 'string' && /^[0-9]{10}$/.test(value)) return ageOf(Number(value), nowS);
  if (typeof value === 'string') {
    const age = /^([0-9]+):([0-5][0-9]):([0-5][0-9])$/.exec(value.trim());
    return age === null ? [] : [Number(age[1]) * 3600 + Number(age[2]) * 60 + Number(age[3])];
  }
  if (typeof value !== 'number' || nowS === undefined || value < CLOCK_SET_S || value > nowS) return [];
  return [Math.round(nowS - value)];
};

/** Where forks say what the pool asks of a share; Bitmain's with a letter, `65.5K`. */
const DIFFICULTIES = ['Stratum Difficulty', 'Diff', 'diff', 'Work Difficulty'] as const;

/** The first of them that is a number above 0. */
const difficultyOf = (row: JsonObject): number => {
  const given = DIFFICULTIES.map((name) => memberIn(row, name, difficulty));
  return given.reduce((found, reading) => (found === 0 && reading.kind === 'present' ? reading.value : found), 0);
};

const difficulty: Reader<number> = (value) => (typeof value === 'number' ? scaled(1)(value) : rateWithLetter(value));

/** The difficulty of a share at the pool in use, rounded: the highest where several are. Absent before there is one. */
export const shareDifficulty: Reader<number> = inRows((rows) => {
  const used = rows.filter((row) => {
    const active = memberIn(row, 'Stratum Active', flag);
    return active.kind !== 'present' || active.value;
  });
  const highest = Math.max(0, ...used.map(difficultyOf));
  return highest === 0 ? ABSENT : present(highest);
});

const DESCRIPTION = place(['/STATUS/0/Description', '/Description']);

/** What the program calls itself in `Description`, by default its name and version; '' where it says nothing. */
export const describedBy = (reply: JsonValue): string => {
  const found = DESCRIPTION(reply);
  const reading = found.kind === 'present' ? text(found.value) : found;
  return reading.kind === 'present' ? reading.value : '';
};

/** Whether a reply says what the program calls itself, were it nothing. */
export const isDescribed = (reply: JsonValue): boolean => {
  const found = DESCRIPTION(reply);
  return found.kind === 'present' && typeof found.value === 'string';
};

/** The successful replies among some queries. */
export const answersOf = (replies: Replies, queries: readonly string[]): readonly JsonValue[] =>
  valuesOf(queries.map((query) => answer(replies, query)));

/** Whether something answers that does not know a question: it is no miner of a family that all know it. */
export const isUnknownTo = (replies: Replies, query: string): boolean => {
  const reading = answer(replies, query);
  return reading.kind === 'unknown' && reading.reason === 'unsupported';
};

/** The rates of all rows of DEVS, added up, H/s. */
export const sumOfRates: Reader<number> = inRows((rows) => sum(rows.map(namedRate)));
