import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { frequency, inData, numberedFans, numberedTemperatures, sumOf, workingChips } from './antminer-stats.ts';

import { lastShareAge, namedRate, sumOfRows } from './cgminer-api.ts';
import { livePools, RUNTIME_POOL } from './pools.ts';
import {
  anyOf,
  asObject,
  at,
  count,
  firstOf,
  memberIn,
  type Pointer,
  type Reader,
  scalarText,
  temperatureMc,
  text,
} from './readers.ts';

/**
 * "ccminer 2.3.3", the miner program that Hammer, Blackminer and VolcMiner have in common: cgminer with the statistics
 * of Bitmain. Rates are text, in the unit that the member names.
 */

const part = (pointer: Pointer) => at('version', pointer, scalarText);

const inEither = (member: string, reader: Reader<string>) =>
  firstOf(at('version', `/VERSION/0${member}`, reader), at('stats', `/STATS/0${member}`, reader));

/** The row of `version` and the first of `stats` name the program by the member that holds its version. */
const programName: Reader<string> = (row) => (asObject(row)?.CGMiner === undefined ? ABSENT : present('CGMiner'));

/**
 * Hammer D10: the sensors of a board share one name, `temp1` for four of them, so that none can be told; the firmware's
 * own maximum can.
 */
const hottest = (row: JsonObject): Reading<number> =>
  Object.keys(row).some((name) => /^temp\d+$/.test(name) && typeof row[name] === 'symbol')
    ? memberIn(row, 'temp_max', temperatureMc)
    : numberedTemperatures(row);

/** What the program says, by what it is about. The queries are `version`, `summary`, `stats` and `pools`. */
export const program = {
  model: inEither('/Type', text),
  name: inEither('', programName),
  version: inEither('/Miner', text),
  build: inEither('/CompileTime', text),
  parts: {
    'program.api': part('/VERSION/0/API'),
    'program.build': part('/VERSION/0/CompileTime'),
    'program.description': part('/STATUS/0/Description'),
    'program.miner': part('/VERSION/0/Miner'),
    'program.type': part('/VERSION/0/Type'),
    'program.version': part('/VERSION/0/CGMiner'),
  },
  livePools: at('pools', '/POOLS', livePools(RUNTIME_POOL)),
  rate: anyOf(at('summary', '/SUMMARY/0', namedRate), at('stats', '', inData(namedRate))),
  frequency: at('stats', '', inData(frequency)),
  temperature: at('stats', '', inData(hottest)),
  fans: at('stats', '', inData(numberedFans)),
  chips: at('stats', '', inData(workingChips)),
  elapsed: anyOf(
    at('summary', '/SUMMARY/0/Elapsed', count),
    at(
      'stats',
      '',
      inData((row) => memberIn(row, 'Elapsed', count)),
    ),
  ),
  // SUMMARY has a text with another counter in `Accepted` and `Rejected`.
  accepted: at('pools', '/POOLS', sumOfRows('Accepted')),
  rejected: at('pools', '/POOLS', sumOfRows('Rejected')),
  errors: anyOf(at('summary', '/SUMMARY/0/Hardware Errors', count), at('stats', '', inData(sumOf(/^chain_hw\d+$/)))),
  shareAge: at('pools', '', lastShareAge('Last Share Time')),
} as const;
