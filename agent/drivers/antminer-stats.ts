import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { inRows, numbered } from './cgminer-api.ts';
import { numberedIn } from './damaged-names.ts';
import {
  asArray,
  asObject,
  listOf,
  memberIn,
  memberOf,
  type Reader,
  rateFactor,
  rateText,
  scaled,
  serial,
  text,
  UNREADABLE,
  watts,
  whenPresent,
} from './readers.ts';
import { above, firstRow, listed, type RowFinder, sum } from './rows.ts';

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

/** What "GHS" means on some models. `least`: a smaller rate is not in this unit, for newer builds of them count in G. */
interface LabelRule {
  readonly model: RegExp;
  readonly factor: number;
  readonly least?: number;
}

/**
 * What "GHS" means where no unit stands beside it. The old miner program has the one label on every model, whatever it
 * counts; the one of 2022 means GH/s and says so in SUMMARY, also on L9 and L11.
 */
const LABEL_RULES: readonly LabelRule[] = [
  { model: /^antminer ([st]\d|r4|v9|a3|d5|dr[35])/i, factor: 1e9 },
  { model: /^antminer (l3|e3|d3)/i, factor: 1e6 },
  { model: /^antminer l7/i, factor: 1e6, least: 100 },
  { model: /^antminer z\d/i, factor: 1e3, least: 1 },
  { model: /^antminer x3/i, factor: 1e3 },
  { model: /^antminer b3/i, factor: 1 },
];

const SPEEDS = ['GHS 5s', 'GHS5s', 'rate_5s', 'GHS av', 'rate_avg', 'total_rate', 'total rate'] as const;

const speedIn = (row: JsonObject): JsonValue | undefined => memberOf(row, SPEEDS);

/** The rate of a row that says its unit, in H/s, kSol/s as Sol/s. */
export const rateWithUnit = (row: JsonObject): Reading<number> => {
  const told = memberIn(row, ['RT HASHRATE', 'AV HASHRATE'], rateText);
  if (told.kind === 'present') return told;
  const unit = memberIn(row, 'rate_unit', text);
  const speed = speedIn(row);
  if (unit.kind === 'unknown') return unit;
  if (unit.kind === 'absent' || speed === undefined) return ABSENT;
  const factor = rateFactor(unit.value);
  return factor === undefined ? UNREADABLE : scaled(factor)(speed);
};

/** The rate of a row by what its label means on the model. Where nobody knows what that is, it is not read. */
export const labelledRate = (row: JsonObject, model: JsonValue | undefined): Reading<number> => {
  const speed = speedIn(row);
  if (speed === undefined) return ABSENT;
  const rule = typeof model === 'string' ? LABEL_RULES.find((one) => one.model.test(model)) : undefined;
  if (rule === undefined) return UNREADABLE;
  return whenPresent(scaled(rule.factor)(speed), (rate) => {
    const tooSmall = rate > 0 && rate < (rule.least ?? 0) * rule.factor;
    return tooSmall ? UNREADABLE : present(rate);
  });
};

/** The rate of a `stats` reply, whose header names the model. */
export const labelledStatsRate: Reader<number> = (reply) =>
  inData((row) => labelledRate(row, headerRow(reply)?.Type))(reply);

/** Water or oil cools these models; the fans that their rows have all the same stand still. */
const FANLESS = /hyd|imm/i;

/** The fans of a statistics reply; standing ones are none where the model has none. */
export const fansOf =
  (read: (row: JsonObject) => Reading<readonly number[]>): Reader<readonly number[]> =>
  (reply) =>
    whenPresent(inData(read)(reply), (speeds) =>
      FANLESS.test(modelIn(reply)) && speeds.every((speed) => speed === 0) ? ABSENT : present(speeds),
    );

/** What the header of 4028 or the envelope of a CGI calls the model; '' where it does not. */
const modelIn = (reply: JsonValue): string => {
  const model = headerRow(reply)?.Type ?? asObject(asObject(reply)?.INFO)?.type;
  return typeof model === 'string' ? model : '';
};

/** Fans that turn; where the count says that more are fitted and those in front are them, the standing ones too. */
export const numberedFans = (row: JsonObject): Reading<readonly number[]> => {
  const fitted = memberIn(row, 'fan_num', scaled(1));
  if (fitted.kind === 'unknown') return fitted;
  return whenPresent(listed(numbered(row, /^fan\d+$/)), (speeds) => {
    const turning = speeds.filter((speed) => speed > 0);
    const front = speeds.slice(0, fitted.kind === 'present' ? fitted.value : 0);
    const inFront = front.filter((speed) => speed > 0).length === turning.length;
    const seen = inFront ? front : turning;
    return seen.length === 0 ? ABSENT : present(seen);
  });
};

/** The fans of `stats.cgi`, a list. */
export const listedFans = (row: JsonObject): Reading<readonly number[]> =>
  row.fan === undefined ? ABSENT : listOf(scaled(1))(row.fan);

/** Hottest of all readings, milli-°C. A reading of 0 is a sensor that is not there; `78-50-69-70` is four of them. */
const hottest = (readings: readonly (JsonValue | undefined)[]): Reading<number> => {
  // Two values under one name.
  if (readings.some((reading) => typeof reading === 'symbol')) return UNREADABLE;
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
  hottest(membersNamed(row, /^temp\d+(_\d+)?$|^temp_(chip|pcb|pic)\d+$|^temp_(in|out)_(chip|pcb)_\d+$/));

export const chainTemperatures = (chains: readonly JsonObject[]): Reading<number> =>
  hottest(
    chains
      .flatMap((chain) => membersNamed(chain, /^temp_(chip|pcb|pic)$/))
      .flatMap((list) => asArray(list) ?? list ?? []),
  );

/** The mean of the chains' frequencies; firmwares give one number, one with a unit (`1600M`), or one per chain. */
export const frequency = (row: JsonObject): Reading<number> => {
  const given = [row.frequency, row.total_freqavg]
    .map((value) => scaled(1)(typeof value === 'string' ? value.replace(/m(hz)?$/i, '') : (value ?? null)))
    .find((reading) => reading.kind === 'present' && reading.value > 0);
  return given ?? meanOf(numbered(row, /^(freq|frequency|freq_avg)\d+$/));
};

/** The same in `stats.cgi`. */
export const chainFrequency = (chains: readonly JsonObject[]): Reading<number> =>
  meanOf(chains.map((chain) => memberIn(chain, 'freq_avg', scaled(1))));

/** A chain that does not run says 0. */
const meanOf = (readings: readonly Reading<number>[]): Reading<number> => {
  const running = above(0, readings);
  return whenPresent(sum(running), (total) => present(Math.round(total / running.length)));
};

/** Core voltage in mV, from V. */
export const voltage = (row: JsonObject): Reading<number> => memberIn(row, ['Voltage', 'voltage'], scaled(1000));

/** Power drawn, W: `watt` in `stats.cgi` of water-cooled models, a text with its unit in others. */
export const power = (row: JsonObject): Reading<number> =>
  memberIn(row, ['watt', 'power', 'Power', 'chain_power'], watts);

/** Hashboard serials in the order of the chains. */
export const numberedSerials = (row: JsonObject): Reading<readonly string[]> =>
  listed(numberedIn(row, 'chain_sn#').map(({ value }) => serial(value)));

export const chainSerials = (chains: readonly JsonObject[]): Reading<readonly string[]> =>
  listed(chains.map((chain) => memberIn(chain, 'sn', serial)));

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
  const said = membersNamed(row, /^chain_acs\d+$/);
  if (said.some((map) => typeof map === 'symbol')) return UNREADABLE;
  const maps = said.filter((map) => typeof map === 'string');
  if (maps.every((map) => map.trim() === '')) return sum(numbered(row, /^chain_acn\d+$/));
  return sum(maps.map((map) => present(map.split('o').length - 1)));
};
