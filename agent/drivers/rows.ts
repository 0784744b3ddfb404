import {
  ABSENT,
  type FirmwareComponent,
  type OtherSetting,
  present,
  type Reading,
  unknown,
} from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import type { Replies, Source } from './driver.ts';
import { answer, asArray, asObject, type MemberName, memberOf, type Reader, whenPresent } from './readers.ts';

/** For firmwares that put the same members into differently shaped replies, which one JSON Pointer cannot say. */

/** Finds the object that holds the members of interest; undefined where the reply has another shape. */
export type RowFinder = (reply: JsonValue) => JsonObject | undefined;

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
      return row === undefined ? unknown('unreadable') : read(row);
    }),
});

/** A fact that is one member of an object of a reply. */
export const inRow = <T, const Name extends string>(
  query: Name,
  find: RowFinder,
  name: MemberName,
  reader: Reader<T>,
): Source<T, Name> =>
  ofRow(query, find, (row) => {
    const value = memberOf(row, name);
    return value === undefined ? ABSENT : reader(value);
  });

/** The values of the readings that have one. */
export const valuesOf = <T>(readings: readonly Reading<T>[]): readonly T[] =>
  readings.flatMap((reading) => (reading.kind === 'present' ? [reading.value] : []));

/** A list made of readings; none present is absent. */
export const listed = <T>(readings: readonly Reading<T>[]): Reading<readonly T[]> => {
  const values = valuesOf(readings);
  return values.length === 0 ? ABSENT : present(values);
};

/** The highest of the readings that have a value. */
export const highest = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) => present(Math.max(...values)));

/** The sum of the readings that have a value. */
export const sum = (readings: readonly Reading<number>[]): Reading<number> =>
  whenPresent(listed(readings), (values) => present(values.reduce((total, value) => total + value, 0)));

/** What the driver knows of every device of its family, said once the device answered the query. */
export const known = <T, const Name extends string>(query: Name, value: T): Source<T, Name> => ({
  queries: [query],
  read: (replies) => whenPresent(answer(replies, query), () => present(value)),
});

/**
 * A measured value that is due in every look in which `first` is, and that replies of the full look give as well: those
 * help out where they are there, without making the value wait for a full look.
 */
export const elseIfAsked = <T, const Name extends string>(
  first: Source<T, Name>,
  ...others: readonly Source<T, Name>[]
): Source<T, Name> => ({
  queries: first.queries,
  read: (replies) => {
    const reading = first.read(replies);
    if (reading.kind === 'present') return reading;
    return others.map((other) => other.read(replies)).find(({ kind }) => kind === 'present') ?? reading;
  },
});

/** The device answered that it has no such thing, or does not know the question. */
const isSettled = (reading: Reading<unknown>): boolean =>
  reading.kind === 'absent' || (reading.kind === 'unknown' && reading.reason === 'unsupported');

type Named<Name extends string> = { readonly [name: string]: Source<string, Name> };

interface Collected {
  /** Sorted by name. */
  readonly found: readonly (readonly [name: string, value: string])[];
  /** Why the first of the lost ones is unknown. */
  readonly lost: Reading<never> | undefined;
}

const collect = (sources: Named<string>, replies: Replies): Collected => {
  const found: [string, string][] = [];
  let lost: Reading<never> | undefined;
  for (const name of Object.keys(sources).sort()) {
    const reading = sources[name]?.read(replies) ?? ABSENT;
    if (reading.kind === 'present') found.push([name, reading.value]);
    else if (!isSettled(reading)) lost ??= reading;
  }
  return { found, lost };
};

const queriesOf = <Name extends string>(sources: Named<Name>): readonly Name[] => [
  ...new Set(Object.values(sources).flatMap(({ queries }) => queries)),
];

/** `firmware.components` out of sources. A part that could not be read is left out: parts are compared by name. */
export const componentsFrom = <const Name extends string>(
  parts: Named<Name>,
): Source<readonly FirmwareComponent[], Name> => ({
  queries: queriesOf(parts),
  read: (replies) => {
    const { found, lost } = collect(parts, replies);
    if (found.length === 0) return lost ?? ABSENT;
    return present(found.map(([name, value]) => ({ name, value })));
  },
});

/** `config.other` out of sources. One lost reply makes all unknown: a setting that is missing would look removed. */
export const settingsFrom = <const Name extends string>(keys: Named<Name>): Source<readonly OtherSetting[], Name> => ({
  queries: queriesOf(keys),
  read: (replies) => {
    const { found, lost } = collect(keys, replies);
    if (lost !== undefined) return lost;
    return found.length === 0 ? ABSENT : present(found.map(([key, value]) => ({ key, value })));
  },
});
