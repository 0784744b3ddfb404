import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import {
  fansOf,
  frequency,
  headerRow,
  inData,
  labelledRate,
  labelledStatsRate,
  numberedFans,
  numberedSerials,
  numberedTemperatures,
  power,
  rateWithUnit,
  sumOf,
  voltage,
  workingChips,
} from './antminer-stats.ts';
import { answersOf, describedBy, lastShareAge, shareDifficulty, sumOfRows } from './cgminer-api.ts';
import { type Clues, cgminer, type Driver, type Replies } from './driver.ts';
import { components, keysOf } from './named-texts.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import {
  anyOf,
  asObject,
  at,
  count,
  firstOf,
  joined,
  memberIn,
  type Pointer,
  type Reader,
  scalarText,
  serial,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { firstRow, known, ofRow, type RowFinder } from './rows.ts';
import { letIn, PRIVILEGED } from './write-access.ts';

/**
 * Port 4028 of Bitmain's miner program: its questions, and where each fact stands in the answers. Firmware of other
 * makers on the same hardware keeps them; such a driver takes these facts and replaces what differs.
 */

export const API_QUERIES = {
  pools: cgminer('pools', { cadence: 'pools' }),
  version: cgminer('version'),
  stats: cgminer('stats'),
  summary: cgminer('summary'),
  privileged: PRIVILEGED,
} as const;

// ---- who answers -----------------------------------------------------------------------------------------------------

type Row = JsonObject | undefined;

export const ANTMINER = /^antminer\b/i;

export const versionRow: RowFinder = firstRow('VERSION');

/** The row that names the model. On early units (S7) it is the header of `stats`, and `version` is the program only. */
export const namingRow = (version: Row, header: Row): Row => [version, header].find((row) => row?.Type !== undefined);

/** Stock firmware has API 3.1. Builds of LuxOS, whose API is 3.7, show the rest of what it shows. */
export const imitatesStock = (row: Row): boolean => row?.BMMiner === '1.0.0' && row.API === '3.7';

/** What the miner program calls itself, by the member of its row that holds its version. */
export const PROGRAMS = ['BMMiner', 'CGMiner'] as const;

/** By default `Description` names the program; that of 2022 gives the library it is built with, that of S23 `cminer`. */
export const DESCRIBED = /^((bm|cg|c)miner\b|jansson\b|$)/i;

/** Tells a firmware by a row in which the device names itself, and by what the reply calls the program. */
export type IsOurs = (row: JsonObject, described: string) => boolean;

/** Whether `version` or the header of `stats` names the firmware. */
const isNamed = (version: JsonValue | undefined, stats: JsonValue | undefined, isOurs: IsOurs): boolean => {
  const rows = [
    [versionRow(version), version],
    [headerRow(stats), stats],
  ] as const;
  return rows.some(([row, reply]) => row !== undefined && reply !== undefined && isOurs(row, describedBy(reply)));
};

/**
 * How firmware is known that says its name in `version` or in the header of `stats`. The minute's questions do not tell
 * it: then a program that is described as one of its kind is enough.
 */
export const knownBy = (isOurs: IsOurs, described: RegExp = DESCRIBED): Pick<Driver, 'recognise' | 'stillSpeaks'> => ({
  recognise: ({ cgminer: asked }: Clues) => (isNamed(asked.get('version'), asked.get('stats'), isOurs) ? 3 : 0),
  stillSpeaks: (replies: Replies) => {
    const [version, stats] = ['version', 'stats'].map((query) => answersOf(replies, [query])[0]);
    if (version !== undefined || headerRow(stats) !== undefined) return isNamed(version, stats, isOurs);
    return answersOf(replies, ['pools', 'summary'])
      .map(describedBy)
      .every((words) => described.test(words));
  },
});

/** What the miner program says of its version, whatever its name it has. */
export const programIn = (row: JsonObject): string =>
  PROGRAMS.flatMap((name) => (typeof row[name] === 'string' ? [row[name]] : [])).join(' ');

/** The model in a text behind which firmware puts words of its own. */
export const modelBefore =
  (words: RegExp): Reader<string> =>
  (value) =>
    whenPresent(text(value), (found) => text(found.replace(words, '')));

/** The name of a firmware that a row shows by other words. */
export const called = (name: string) => firstOf(known('version', name), known('stats', name));

// ---- readers ---------------------------------------------------------------------------------------------------------

/** 4028 pads the day of a date with a blank, the CGIs do not: the same build on both surfaces is the same text. */
export const singleSpaced: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(found.replace(/\s+/g, ' ')));

/** Builds with a release id call the miner program `uart_trans.1.3` whatever they are: that is no version. */
export const minerVersion: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (/^\d/.test(found) ? present(found) : ABSENT));

export const maker: Reader<string> = (value) =>
  whenPresent(text(value), (model) => (ANTMINER.test(model) ? present('Bitmain') : ABSENT));

/** uart builds say so in words. */
const chipId: Reader<string> = (value) =>
  whenPresent(serial(value), (found) => (/^no miner id/i.test(found) ? ABSENT : present(found)));

const program: Reader<string> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  const name = PROGRAMS.find((key) => row[key] !== undefined);
  return name === undefined ? ABSENT : present(name);
};

const summaryRow = firstRow('SUMMARY');

/** SUMMARY does not name the model, `version` does. */
const labelledSummaryRate =
  (version: Reading<JsonValue>): Reader<number> =>
  (reply) => {
    const row = summaryRow(reply);
    const model = version.kind === 'present' ? versionRow(version.value)?.Type : undefined;
    return row === undefined ? UNREADABLE : labelledRate(row, model);
  };

/** A member of the row that names the model, in `version` or in the header of `stats`. */
export const named = <T>(member: string, reader: Reader<T>) =>
  firstOf(at('version', `/VERSION/0${member}`, reader), at('stats', `/STATS/0${member}`, reader));

/** What the miner program says of its version, whatever its name, in the same rows. */
export const ofProgram = <T>(reader: Reader<T>) => {
  const within = (row: string) => PROGRAMS.map((name) => `${row}/${name}`);
  return firstOf(at('version', within('/VERSION/0'), reader), at('stats', within('/STATS/0'), reader));
};

/** The rate that has its unit beside it. */
export const STATED_RATE = anyOf(at('stats', '', inData(rateWithUnit)), ofRow('summary', summaryRow, rateWithUnit));

/** The rate by what its label means on the model. */
export const LABELLED_RATE = anyOf(
  at('stats', '', labelledStatsRate),
  joined(['summary', 'version'], ({ summary, version }) => whenPresent(summary, labelledSummaryRate(version))),
);

// ---- facts -----------------------------------------------------------------------------------------------------------

export const part = <const Name extends string>(query: Name, pointer: Pointer) => at(query, pointer, scalarText);

/** Parts of the firmware fingerprint. */
export const API_PARTS = {
  '4028.api': part('version', '/VERSION/0/API'),
  '4028.build': part('version', '/VERSION/0/CompileTime'),
  '4028.description': part('version', '/STATUS/0/Description'),
  '4028.miner': part('version', '/VERSION/0/Miner'),
  '4028.program': part(
    'version',
    PROGRAMS.map((name) => `/VERSION/0/${name}`),
  ),
  '4028.type': part('version', '/VERSION/0/Type'),
  'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
};

export const API_FACTS = {
  'identity.make': named('/Type', maker),
  'identity.model': named('/Type', text),
  'identity.chip_id': at('stats', '/STATS/1/miner_id', chipId),
  'identity.hashboards': at('stats', '', inData(numberedSerials)),
  'firmware.name': named('', program),
  'firmware.version': named('/Miner', minerVersion),
  'firmware.build': named('/CompileTime', singleSpaced),
  'firmware.components': components(API_PARTS),
  pools: at('pools', '/POOLS', poolList(RUNTIME_POOL)),
  live_pools: at('pools', '/POOLS', livePools(RUNTIME_POOL)),
  'access.api_write': letIn('privileged'),
  'config.freq_mhz': at('stats', '', inData(frequency)),
  'config.voltage_mv': at('stats', '', inData(voltage)),
  'telemetry.hashrate_hs': anyOf(STATED_RATE, LABELLED_RATE),
  'telemetry.power_w': at('stats', '', inData(power)),
  'telemetry.temp_max_mc': at('stats', '', inData(numberedTemperatures)),
  'telemetry.fans_rpm': at('stats', '', fansOf(numberedFans)),
  'telemetry.chips': at('stats', '', inData(workingChips)),
  'telemetry.elapsed_s': anyOf(
    at(
      'stats',
      '',
      inData((row) => memberIn(row, 'Elapsed', count)),
    ),
    at('summary', '/SUMMARY/0/Elapsed', count),
  ),
  'telemetry.accepted': anyOf(
    at('summary', '/SUMMARY/0/Accepted', count),
    at('pools', '/POOLS', sumOfRows('Accepted')),
  ),
  'telemetry.rejected': anyOf(
    at('summary', '/SUMMARY/0/Rejected', count),
    at('pools', '/POOLS', sumOfRows('Rejected')),
  ),
  'telemetry.hw_errors': anyOf(
    at('summary', '/SUMMARY/0/Hardware Errors', count),
    at('stats', '', inData(sumOf(/^chain_hw\d+$/))),
  ),
  'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
  'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
};
