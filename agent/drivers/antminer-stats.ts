import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { inRows, numbered } from './cgminer-api.ts';
import {
  asArray,
  asObject,
  listOf,
  memberIn,
  type Reader,
  rateFactor,
  scaled,
  serial,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { firstRow, listed, type RowFinder, sum, valuesOf } from './rows.ts';

/**
 * The statistics of Bitmain firmware: `stats` of port 4028, one wide row of numbered members, and `stats.cgi` of the
 * newer web interface, one row with a list of chains.
 */

/** `STATS` has a header row and a data row; a few builds have one row that is both. */
export const headerRow: RowFinder = firstRow('STATS');

/** A row with an id holds data. The first cgminer builds have no header, and a row of the pool behind the data. */
const dataRow: RowFinder = (reply) => {
  const first = headerRow(reply);
  if (first?.ID !== undefined) return first;
  return asObject(asArray(asObject(reply)?.STATS)?.[1]) ?? first;
};

/** Reads the data row of a statistics reply. */
export const inData =
  <T>(read: (row: JsonObject) => Reading<T>): Reader<T> =>
  (reply) => {
    const row = dataRow(reply);
    return row === undefined ? UNREADABLE : read(row);
  };

/** Reads the rows of `chain` in `stats.cgi`, one for each hashboard. */
export const inChains = <T>(read: (chains: readonly JsonObject[]) => Reading<T>): Reader<T> =>
  inData((row) => inRows(read)(row.chain ?? null));

/**
 * What "GHS" means where no `rate_unit` says it. The label is the same on every model: MH/s on scrypt and Ethash
 * machines and the D3, kSol/s on the Z series, kH/s on the X3.
 */
const UNIT_OF_MODEL: readonly (readonly [model: RegExp, factor: number])[] = [
  [/^antminer [st]\d/i, 1e9],
  [/^antminer (l|e)\d|^antminer d3/i, 1e6],
  [/^antminer (z\d|x3)/i, 1e3],
];

const unitOf = (rateUnit: JsonValue | undefined, model: JsonValue | undefined): number | undefined => {
  if (typeof rateUnit === 'string' && rateUnit.trim() !== '') return rateFactor(rateUnit);
  if (typeof model !== 'string') return undefined;
  return UNIT_OF_MODEL.find(([pattern]) => pattern.test(model))?.[1];
};

const SPEEDS = ['GHS 5s', 'GHS5s', 'rate_5s', 'GHS av', 'rate_avg', 'total_rate', 'total rate'] as const;

/** The rate of a row in H/s, kSol/s as Sol/s. A rate whose unit neither the row nor the model tells is not read. */
export const rateOf = (row: JsonObject, model: JsonValue | undefined): Reading<number> => {
  const name = SPEEDS.find((speed) => row[speed] !== undefined);
  if (name === undefined) return ABSENT;
  const factor = unitOf(row.rate_unit, model);
  return factor === undefined ? UNREADABLE : scaled(factor)(row[name] as JsonValue);
};

/** The rate of a `stats` reply, whose header names the model. */
export const statsRate: Reader<number> = (reply) => inData((row) => rateOf(row, headerRow(reply)?.Type))(reply);

/** Fans that turn; where the count says that more are fitted and those in front are them, the standing ones too. */
export const numberedFans = (row: JsonObject): Reading<readonly number[]> => {
  const speeds = valuesOf(numbered(row, /^fan\d+$/));
  const fitted = valuesOf([memberIn(row, 'fan_num', scaled(1))])[0] ?? 0;
  const turning = speeds.filter((speed) => speed > 0);
  const front = speeds.slice(0, fitted);
  const inFront = front.filter((speed) => speed > 0).length === turning.length;
  const seen = inFront ? front : turning;
  return seen.length === 0 ? ABSENT : present(seen);
};

/** The fans of `stats.cgi`, a list. */
export const listedFans = (row: JsonObject): Reading<readonly number[]> =>
  row.fan === undefined ? ABSENT : listOf(scaled(1))(row.fan);

/** Hottest of all readings, milli-°C. A reading of 0 is a sensor that is not there; `78-50-69-70` is four of them. */
const hottest = (readings: readonly (JsonValue | undefined)[]): Reading<number> => {
  const degrees = readings
    .flatMap((reading) => (typeof reading === 'string' ? reading.split('-').map(Number) : [reading]))
    .filter((degree): degree is number => typeof degree === 'number' && degree > 0 && degree < 250);
  return degrees.length === 0 ? ABSENT : present(Math.round(Math.max(...degrees) * 1000));
};

const membersNamed = (row: JsonObject, name: RegExp): readonly (JsonValue | undefined)[] =>
  Object.keys(row)
    .filter((key) => name.test(key))
    .map((key) => row[key]);

export const numberedTemperatures = (row: JsonObject): Reading<number> =>
  hottest(membersNamed(row, /^temp\d+(_\d+)?$|^temp_(chip|pcb|pic)\d+$/));

export const chainTemperatures = (chains: readonly JsonObject[]): Reading<number> =>
  hottest(
    chains.flatMap((chain) => membersNamed(chain, /^temp_(chip|pcb|pic)$/)).flatMap((list) => asArray(list) ?? []),
  );

/** The mean of the chains' frequencies; firmwares give one number, one with a unit (`1600M`), or one per chain. */
export const frequency = (row: JsonObject): Reading<number> => {
  const given = [row.frequency, row.total_freqavg]
    .map((value) => scaled(1)(typeof value === 'string' ? value.replace(/m(hz)?$/i, '') : (value ?? null)))
    .find((reading) => reading.kind === 'present' && reading.value > 0);
  if (given !== undefined) return given;
  const perChain = numbered(row, /^(freq|frequency|freq_avg)\d+$/).filter(
    (mhz) => mhz.kind === 'present' && mhz.value > 0,
  );
  return whenPresent(sum(perChain), (total) => present(Math.round(total / perChain.length)));
};

/** Hashboard serials in the order of the chains. */
const serials = (values: readonly (JsonValue | undefined)[]): Reading<readonly string[]> =>
  listed(values.map((value) => serial(value ?? null)));

export const numberedSerials = (row: JsonObject): Reading<readonly string[]> =>
  serials(membersNamed(row, /^chain_sn\d+$/));

export const chainSerials = (chains: readonly JsonObject[]): Reading<readonly string[]> =>
  serials(chains.map(({ sn }) => sn));

/** One numbered member of all chains, added up. */
export const sumOf =
  (name: RegExp) =>
  (row: JsonObject): Reading<number> =>
    sum(numbered(row, name));

/** One member of all chains, added up. */
export const sumOfChains =
  (name: string) =>
  (chains: readonly JsonObject[]): Reading<number> =>
    sum(chains.map((chain) => memberIn(chain, name, scaled(1))));

/** Chips that answer: `chain_acs` has an `o` for each and an `x` for one that is silent. Builds without it only count chips. */
export const workingChips = (row: JsonObject): Reading<number> => {
  const maps = membersNamed(row, /^chain_acs\d+$/).filter((map) => typeof map === 'string');
  if (maps.every((map) => map.trim() === '')) return sum(numbered(row, /^chain_acn\d+$/));
  return sum(maps.map((map) => present(map.split('o').length - 1)));
};
