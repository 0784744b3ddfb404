import { ABSENT, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import type { Source } from './driver.ts';
import {
  answer,
  asArray,
  asObject,
  closedBy,
  firstOf,
  type MemberName,
  memberIn,
  type Reader,
  temperatureMc,
  UNREADABLE,
  whenPresent,
} from './readers.ts';

/** For firmwares that put the same members into differently shaped replies, which one JSON Pointer cannot say. */

/** Finds the object that holds the members of interest; undefined where the reply has another shape. */
export type RowFinder = (reply: JsonValue | undefined) => JsonObject | undefined;

/** The first row of a section of the CGMiner API. */
export const firstRow =
  (section: string): RowFinder =>
  (reply) =>
    asObject(asArray(asObject(reply)?.[section])?.[0]);

/** A fact made of several members of an object of a reply. */
export const ofRow = <T, const Name extends string>(
  query: Name,
  find: RowFinder,
  read: (row: JsonObject) => Reading<T>,
): Source<T, Name> => ({
  queries: [query],
  read: (replies) =>
    whenPresent(answer(replies, query), (reply) => {
      const row = find(reply);
      return row === undefined ? UNREADABLE : read(row);
    }),
});

/** A fact that is one member of an object of a reply. */
export const inRow = <T, const Name extends string>(
  query: Name,
  find: RowFinder,
  name: MemberName,
  reader: Reader<T>,
): Source<T, Name> => ofRow(query, find, (row) => memberIn(row, name, reader));

/** The values of the readings that have one. */
export const valuesOf = <T>(readings: readonly Reading<T>[]): readonly T[] =>
  readings.flatMap((reading) => (reading.kind === 'present' ? [reading.value] : []));

/** A list made of readings; none present is absent, and without one that cannot be read the others are not all. */
export const listed = <T>(readings: readonly Reading<T>[]): Reading<readonly T[]> => {
  const values: T[] = [];
  for (const reading of readings) {
    if (reading.kind === 'unknown') return reading;
    if (reading.kind === 'present') values.push(reading.value);
  }
  return values.length === 0 ? ABSENT : present(values);
};

/** The readings without those that are not above a number: so much says a part that is not there. */
export const above = (least: number, readings: readonly Reading<number>[]): readonly Reading<number>[] =>
  readings.filter((reading) => reading.kind !== 'present' || reading.value > least);

/** Rows in the order of their numbers, those without one as they came. A number that cannot be read leaves the order open. */
export const inOrder = (
  rows: readonly JsonObject[],
  numberOf: (row: JsonObject) => Reading<number>,
): Reading<readonly JsonObject[]> => {
  const numbered = rows.map((row) => ({ row, number: numberOf(row) }));
  const lost = numbered.find(({ number }) => number.kind === 'unknown');
  if (lost !== undefined) return UNREADABLE;
  const place = ({ number }: (typeof numbered)[number]): number => (number.kind === 'present' ? number.value : 0);
  return present(numbered.sort((a, b) => place(a) - place(b)).map(({ row }) => row));
};

/** The highest of the readings that have a value. */
export const highest = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) => present(Math.max(...values)));

/** The sum of the readings that have a value. */
export const sum = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) => present(values.reduce((total, value) => total + value, 0)));

/** The hottest of some sensors, milli-°C. One that is not there reads 0 or -1. */
export const hottest = (values: readonly (JsonValue | undefined)[]): Reading<number> =>
  highest(
    above(
      0,
      values.map((value) => temperatureMc(value ?? null)),
    ),
  );

/** Texts that are present, each once, in their order: one on most machines, several where parts differ. */
export const eachOnce = (readings: readonly Reading<string>[]): Reading<string> =>
  whenPresent(listed(readings), (values) => present([...new Set(values)].join(', ')));

/** What the driver knows of every device of its family, said once the device answered the query. */
export const known = <T, const Name extends string>(query: Name, value: T): Source<T, Name> => ({
  queries: [query],
  read: (replies) => whenPresent(answer(replies, query), () => present(value)),
});

/** A measured value that is due in every look in which `usual` is, and that a reply of the full look tells better. */
export const betterIfAsked = <T, const Name extends string>(
  better: Source<T, Name>,
  usual: Source<T, Name>,
): Source<T, Name> => ({
  queries: usual.queries,
  read: (replies) => {
    const reading = better.read(replies);
    return reading.kind === 'present' ? reading : usual.read(replies);
  },
});

/**
 * What the device was told, such as its pools, where it is due in every look in which `first` is and replies of the full
 * look tell it as well. As with `firstOf` a lost answer ends the search.
 */
export const firstIfAsked = <T, const Name extends string>(
  first: Source<T, Name>,
  ...others: readonly Source<T, Name>[]
): Source<T, Name> => ({ ...firstOf(first, ...others), queries: first.queries });

/**
 * A measured value that is due in every look in which `first` is, and that replies of the full look give as well: those
 * help out where they are there, or where the first answer was lost, without making the value wait for a full look.
 */
export const elseIfAsked = <T, const Name extends string>(
  first: Source<T, Name>,
  ...others: readonly Source<T, Name>[]
): Source<T, Name> => ({
  queries: first.queries,
  read: (replies) => {
    const reading = first.read(replies);
    if (reading.kind === 'present') return reading;
    let closed = closedBy(reading);
    for (const other of others) {
      const found = other.read(replies);
      if (found.kind === 'present') return standingIn(found, closed);
      closed ??= closedBy(found);
    }
    return reading;
  },
});
