import { ABSENT, present, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import type { Replies } from './driver.ts';
import { answer, asArray, asObject, place, type Reader, scaled, text } from './readers.ts';

/**
 * What the forks of the CGMiner API have in common. Source: ckolivas/cgminer, API-README and api.c.
 */

/** The numbers of an object whose names fit, in their order; what is no number is left out. */
export const numbersOf = (object: JsonObject, name: RegExp): readonly number[] =>
  Object.keys(object)
    .filter((key) => name.test(key))
    .flatMap((key) => numberOf(object[key] as JsonValue));

const numberOf = (value: JsonValue): readonly number[] => {
  const reading = scaled(1)(value);
  return reading.kind === 'present' ? [reading.value] : [];
};

/** Added up; none at all is absent. */
export const sum = (numbers: readonly number[]): Reading<number> =>
  numbers.length === 0 ? ABSENT : present(numbers.reduce((total, number) => total + number, 0));

/** Rows of a section: an array, or an object with one member per row (FDMiner). */
export const rowsOf = (section: JsonValue | undefined): readonly JsonObject[] | undefined => {
  const object = asObject(section);
  const rows = (object === undefined ? asArray(section) : Object.values(object))?.map((row) => asObject(row));
  return rows?.every((row) => row !== undefined) ? (rows as readonly JsonObject[]) : undefined;
  // The check before the cast has seen every row.
};

/** One member of all rows, added up. */
export const sumOfRows =
  (name: string): Reader<number> =>
  (section) => {
    const rows = rowsOf(section);
    return rows === undefined ? unknown('unreadable') : sum(rows.flatMap((row) => numberOf(row[name] ?? null)));
  };

/** Rates by preference: the shortest average first, whatever its unit. bfgminer averages over 20 s. */
const RATES: readonly (readonly [name: string, factor: number])[] = [
  ['GHS 5s', 1e9],
  ['MHS 5s', 1e6],
  ['KHS 5s', 1e3],
  ['MHS 20s', 1e6],
  ['GHS av', 1e9],
  ['MHS av', 1e6],
  ['KHS av', 1e3],
];

/** The hash rate of a SUMMARY or DEVS row by the unit in the member's name, H/s. */
export const namedRate: Reader<number> = (value) => {
  const row = asObject(value);
  if (row === undefined) return unknown('unreadable');
  for (const [name, factor] of RATES) {
    const rate = row[name];
    if (rate !== undefined) return scaled(factor)(rate);
  }
  return ABSENT;
};

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
    if (rows === undefined) return unknown('unreadable');
    const now = WHEN(reply);
    const nowS = now.kind === 'present' && typeof now.value === 'number' ? now.value : undefined;
    const ages = rows.flatMap((row) => ageOf(row[name], nowS));
    return ages.length === 0 ? ABSENT : present(Math.min(...ages));
  };

/** Younger than this, a time since 1970 is no time but a clock that was never set. */
const CLOCK_SET_S = 1_000_000_000;

const ageOf = (value: JsonValue | undefined, nowS: number | undefined): readonly number[] => {
  if (typeof value === 'string') {
    const age = /^([0-9]+):([0-5][0-9]):([0-5][0-9])$/.exec(value.trim());
    return age === null ? [] : [Number(age[1]) * 3600 + Number(age[2]) * 60 + Number(age[3])];
  }
  if (typeof value !== 'number' || nowS === undefined || value < CLOCK_SET_S || value > nowS) return [];
  return [Math.round(nowS - value)];
};

const DESCRIPTION = place(['/STATUS/0/Description', '/Description']);

/** What the program calls itself in `Description`, by default its name and version; '' where it says nothing. */
export const describedBy = (reply: JsonValue): string => {
  const found = DESCRIPTION(reply);
  const reading = found.kind === 'present' ? text(found.value) : found;
  return reading.kind === 'present' ? reading.value : '';
};

/** The successful replies among some queries. */
export const answersOf = (replies: Replies, queries: readonly string[]): readonly JsonValue[] =>
  queries.flatMap((query) => {
    const reading = answer(replies, query);
    return reading.kind === 'present' ? [reading.value] : [];
  });

/** First row of the VERSION section of a `version` reply. */
export const versionRow = (reply: JsonValue | undefined): JsonObject | undefined =>
  asObject(asArray(asObject(reply)?.VERSION)?.[0]);

/** The rates of all rows of DEVS, added up, H/s. */
export const sumOfRates: Reader<number> = (section) => {
  const rows = rowsOf(section);
  if (rows === undefined) return unknown('unreadable');
  const rates = rows.flatMap((row) => {
    const rate = namedRate(row);
    return rate.kind === 'present' ? [rate.value] : [];
  });
  return sum(rates);
};
