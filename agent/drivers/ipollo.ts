import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { answersOf, inRows, lastShareAge, rowsOf } from './cgminer-api.ts';
import { type Clues, cgminer, defineDriver, type Replies } from './driver.ts';
import { components, keysOf } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, poolList } from './pools.ts';
import {
  anyOf,
  asObject,
  at,
  memberIn,
  type Reader,
  rateFactor,
  scalarText,
  scaled,
  text,
  whenPresent,
} from './readers.ts';
import { eachOnce, known, sum } from './rows.ts';

/** Rows of devices and of statistics carry an id like `G220`, and their rate with its unit beside it. */
const isOwnRow = ({ ID, Algo, Unit, Hashrate }: JsonObject): boolean =>
  typeof ID === 'string' && /^G\d{2,}$/.test(ID) && Algo !== undefined && Unit !== undefined && Hashrate !== undefined;

const hasOwnRows = (reply: JsonValue): boolean =>
  ['DEVS', 'STATS'].some((section) => rowsOf(asObject(reply)?.[section])?.some(isOwnRow) === true);

/** LuCI alone is OpenWrt, and other makers' miners as well: the maker's name must stand there too. */
const recognise = ({ cgminer: asked, web }: Clues): 0 | 1 | 2 | 3 => {
  const page = `${web?.body ?? ''} ${web?.location ?? ''}`;
  const told = [[...asked.values()].some(hasOwnRows), /luci/i.test(page) && /\bipollo\b/i.test(page)];
  if (told.every(Boolean)) return 3;
  return told.some(Boolean) ? 2 : 0;
};

/** Whatever answers must have rows of this maker. */
const stillSpeaks = (replies: Replies): boolean => {
  const telling = answersOf(replies, ['version', 'stats', 'devs']);
  return telling.length === 0 || telling.some(hasOwnRows);
};

const ownRows = <T>(read: (rows: readonly JsonObject[]) => Reading<T>): Reader<T> =>
  inRows((rows) => {
    const own = rows.filter(isOwnRow);
    return own.length === 0 ? ABSENT : read(own);
  });

const rateOf = (row: JsonObject): Reading<number> =>
  whenPresent(memberIn(row, 'Unit', text), (unit) => {
    const factor = rateFactor(unit);
    return factor === undefined ? ABSENT : memberIn(row, 'Hashrate', scaled(factor));
  });

const sumOfRates = ownRows((rows) => sum(rows.map(rateOf)));

const algorithms = ownRows((rows) =>
  whenPresent(eachOnce(rows.map((row) => memberIn(row, 'Algo', text))), (names) => present(names)),
);

const inSummary = (name: string) => at('summary', `/SUMMARY/0/${name}`, scaled(1));

/** iPollo machines where their CGMiner API is switched on. The rest stands behind the log-in of LuCI and is not read. */
export const ipollo = defineDriver({
  family: 'ipollo',
  title: 'iPollo (V1, V1 Mini, G1), port 4028 only',
  source: 'survey of other families; no reply of a real machine was at hand',
  recognise,
  stillSpeaks,
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    summary: cgminer('summary', { cadence: 'pools' }),
    version: cgminer('version'),
    devs: cgminer('devs'),
    stats: cgminer('stats'),
  },
  facts: {
    'identity.make': known('pools', 'iPollo'),
    'firmware.version': at('version', '/VERSION/0/CGMiner', scalarText),
    'firmware.components': components({
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'version.api': at('version', '/VERSION/0/API', scalarText),
      'version.description': at('version', '/STATUS/0/Description', scalarText),
      'version.program': at('version', '/VERSION/0/CGMiner', scalarText),
    }),
    pools: at('pools', '/POOLS', poolList(CGMINER_POOL)),
    live_pools: at('pools', '/POOLS', connectedPools),
    'config.mode': anyOf(at('devs', '/DEVS', algorithms), at('stats', '/STATS', algorithms)),
    'telemetry.hashrate_hs': anyOf(at('devs', '/DEVS', sumOfRates), at('stats', '/STATS', sumOfRates)),
    'telemetry.elapsed_s': inSummary('Elapsed'),
    'telemetry.accepted': inSummary('Accepted'),
    'telemetry.rejected': inSummary('Rejected'),
    'telemetry.hw_errors': inSummary('Hardware Errors'),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
  },
  quirks: [
    'Port 4028 is usually closed; then nothing but the landing page of LuCI is there, and no fact is read.',
    'The MAC address is only in the report that the unit broadcasts (UDP 54321).',
    'Modified images circulate; nothing that this API tells would show one.',
    'unverified: that rows carry `ID`, `Algo`, `Unit` and `Hashrate`, in which replies, and what the landing page shows.',
  ],
  close: [
    'The control board is an OpenWrt with a log-in of the factory: change it, and let only the managing host reach its web interface and SSH.',
  ],
});
