import type { PoolSlot } from '../../shared/facts.ts';
import type { JsonObject } from '../probe/capture.ts';
import { headerRow, inData, labelledRate } from './antminer-stats.ts';
import { API_FACTS, API_QUERIES, called, knownBy, modelBefore, named, programIn, STATED_RATE } from './bitmain-api.ts';
import { defineDriver, httpGet, type Login, PASSWORD, type Source, USER } from './driver.ts';
import { feePools, operatorPools, operatorShares } from './fee-pools.ts';
import { settingsFrom } from './named-texts.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import {
  answer,
  anyOf,
  at,
  insteadOf,
  mac,
  memberIn,
  type Reader,
  scalarText,
  text,
  UNREADABLE,
  watts,
  whenPresent,
} from './readers.ts';
import { descend } from './sections.ts';
import { storedAndRunning } from './stored-pools.ts';

/** The version of the firmware stands behind the model: `S19-88 v.2.6.0.39 `. */
const VERSION = /\bv\.?(\d\S{0,40})\s*$/i;

/** The program is Hiveon's as well, which says so behind the model: without a version there it may be either. */
const isOurs = (row: JsonObject): boolean =>
  /rwglr/i.test(programIn(row)) &&
  typeof row.Type === 'string' &&
  VERSION.test(row.Type) &&
  !/\bhiveon\b/i.test(row.Type);

const version: Reader<string> = (value) => whenPresent(text(value), (found) => text(VERSION.exec(found)?.[1] ?? null));

/** Its model names lack the make, by which the label of a rate is known. */
const rate: Reader<number> = (reply) => {
  const type = headerRow(reply)?.Type;
  return typeof type === 'string' ? inData((row) => labelledRate(row, `Antminer ${type}`))(reply) : UNREADABLE;
};

/** One masked row, behind all others. A row there that names its pool is none of the maker's. */
const isFee = (row: JsonObject): boolean => row.URL === '*' || row.url === '*';

const runningPools = at('pools', '/POOLS', operatorPools(isFee, poolList(RUNTIME_POOL)));

/** The stored configuration within the one document. Nobody described it, so that a firmware may lack it. */
const storedPools: Source<readonly PoolSlot[], 'info'> = {
  queries: ['info'],
  read: (replies) =>
    whenPresent(answer(replies, 'info'), (info) =>
      whenPresent(descend(info, ['miner_conf', 'pools']), operatorPools(isFee, poolList({ url: 'url', user: 'user' }))),
    ),
};

const storedBesideRunning = storedAndRunning(storedPools, runningPools);

/** Where the document has no stored list, what runs stands in: a device that has shown one is not held to this. */
const pools: typeof storedBesideRunning = {
  ...storedBesideRunning,
  read: (replies) =>
    storedPools.read(replies).kind === 'absent'
      ? insteadOf(runningPools).read(replies)
      : storedBesideRunning.read(replies),
};

/** The form of its web page. What it gives is a session to read with. */
const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/admin/login',
  as: 'form',
  members: { username: USER, password: PASSWORD },
  gives: { kind: 'cookie' },
};

/** MSKMiner on Antminers: port 4028, and of the web interface the one document that holds more than that. */
export const mskminer = defineDriver({
  family: 'mskminer',
  title: 'MSKMiner (Antminer)',
  source: 'Replies of an S19 with 2.6.0.39; pyasic web/mskminer.py; mskminer-ha',
  ...knownBy(isOurs),
  queries: {
    ...API_QUERIES,
    info: httpGet('/api/info_v1', { cadence: 'pools', auth: LOGIN }),
  },
  facts: {
    ...API_FACTS,
    'identity.model': named('/Type', modelBefore(VERSION)),
    'identity.mac': at('info', '/network_info/result/macaddr', mac),
    'firmware.name': called('MSKMiner'),
    'firmware.version': named('/Type', version),
    pools,
    live_pools: at('pools', '/POOLS', operatorPools(isFee, livePools(RUNTIME_POOL))),
    fee_pools: at('pools', '/POOLS', feePools(isFee, RUNTIME_POOL)),
    'config.other': settingsFrom({
      has_hotel_fee: at(
        'stats',
        '',
        inData((row) => memberIn(row, 'has_hotel_fee', scalarText)),
      ),
    }),
    'telemetry.hashrate_hs': anyOf(STATED_RATE, at('stats', '', rate)),
    'telemetry.power_w': at(
      'stats',
      '',
      inData((row) => memberIn(row, 'total_power', watts)),
    ),
    ...operatorShares(isFee),
  },
  unverified: ['identity.mac'],
  quirks: [
    "S19: `Type` is a model name of the firmware's own with its version behind it, and a blank.",
    "S19: `Description` is that of Bitmain's program; `rwglr` stands in the version of the program.",
    'A masked row, URL and user `*` with priority 998, may be active at the same time as the first pool: a fee pool whose address nobody shows. Its shares are not counted: `accepted`, `rejected` and the last share are those of the other rows.',
    'The MAC address is not on port 4028: it is read where a log-in for the web interface is given, in one document (`/api/info_v1`), which is asked at every poll.',
    'The stored pools stand in that document (`miner_conf`), with where each stands now on port 4028; without the log-in the pools are those that run, and one that is stored for the next start is not seen.',
    'unverified: `miner_conf`, its pools by `url` and `user`. Where a firmware leaves it out, the pools are those that run.',
    'unverified: that document and its log-in, known from pyasic and mskminer-ha. pyasic asks for it by POST, which is never sent; a browser gets it by GET.',
    'unverified: how the log-in of newer versions differs. One that is refused leaves the MAC address and the stored pools unknown, and is tried again less and less often.',
    'The other documents of the web interface (`info_app`, `pools`, `power_limit`, `summary`) repeat what port 4028 says, or are described nowhere.',
    'Of a serial number nothing is known.',
  ],
  close: [
    'Change the log-in of the web interface; whoever has it sets pools and limits.',
    'Where `access.api_write` is true, port 4028 takes writes from this gateway, and most likely from everybody.',
  ],
});
