import { ABSENT, present } from '../../shared/facts.ts';
import type { JsonValue } from '../probe/capture.ts';
import { dhcp, meanOf, networkInfo, slotsIn, storedConfig, storedSlots } from './cgi-lineage.ts';
import {
  answersOf,
  describedBy,
  inRows,
  namedRate,
  numbered,
  SUMMARY_COUNTS,
  sumOfRates,
  sumOfRows,
} from './cgminer-api.ts';
import { type Clues, cgminer, cgminerCheck, defineDriver, type Replies } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { livePools, RUNTIME_POOL } from './pools.ts';
import {
  anyOf,
  asArray,
  asObject,
  at,
  firstOf,
  mac,
  memberIn,
  type Reader,
  scalarText,
  text,
  textList,
  UNREADABLE,
} from './readers.ts';
import { eachOnce, firstRow, hottest, known, listed } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';
import { accessIn } from './write-access.ts';

/** The program is a plain cgminer but for this member of SUMMARY, the kind of chips: `dash`, `sc`. */
const chipsOf = (summary: JsonValue): JsonValue | undefined => firstRow('SUMMARY')(summary)?.['Miner type'];

const recognise = ({ cgminer: asked, web }: Clues): 0 | 2 | 3 => {
  const summary = asked.get('summary');
  if (summary !== undefined && typeof chipsOf(summary) === 'string') return 3;
  return /^stuminer\b/i.test(web?.realm ?? '') ? 2 : 0;
};

/** Without a program on 4028 the web interface alone has to tell: no other network document has `conf_macaddr`. */
const stillSpeaks = (replies: Replies): boolean => {
  const summaries = answersOf(replies, ['summary']);
  const unknown = replies.get('summary')?.kind === 'reply' && summaries.length === 0;
  const networks = answersOf(replies, ['network']);
  return (
    !unknown &&
    summaries.every((summary) => typeof chipsOf(summary) === 'string') &&
    networks.every((network) => asObject(network)?.conf_macaddr !== undefined)
  );
};

/** `Description` is `cgminer` and its version unless the operator set it. */
const describedVersion: Reader<string> = (reply) => {
  const version = /^cgminer +(\S+)$/.exec(describedBy(reply))?.[1];
  return version === undefined ? ABSENT : present(version);
};

const summaryFans: Reader<readonly number[]> = (value) => {
  const row = asObject(value);
  return row === undefined ? UNREADABLE : listed(numbered(row, /^Fan\d+$/));
};

/** Seconds since the newest share of any board, by the clock of the device. The pool rows have a date without a zone. */
const shareAge: Reader<number> = (reply) => {
  const now = firstRow('STATUS')(reply)?.When;
  const boards = asArray(asObject(reply)?.DEVS);
  if (boards === undefined) return UNREADABLE;
  const times = boards
    .map((board) => asObject(board)?.['Last Share Time'])
    .filter((time): time is number => typeof time === 'number' && time > 0);
  if (typeof now !== 'number' || times.length === 0) return ABSENT;
  const age = now - Math.max(...times);
  return age < 0 ? ABSENT : present(Math.round(age));
};

/** StrongU: a plain cgminer on port 4028, and a web interface made after Bitmain's. */
export const strongu = defineDriver({
  family: 'strongu',
  title: 'StrongU (STU-U1, U2, U6, U8)',
  source: 'Replies of an STU-U6 (2020); cgminer API-README',
  recognise,
  stillSpeaks,
  proofs: ['summary'],
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    conf: storedConfig,
    summary: cgminer('summary'),
    version: cgminer('version'),
    devs: cgminer('devs'),
    write_access: cgminerCheck('addpool'),
    network: networkInfo,
  },
  facts: {
    'identity.make': known('summary', 'StrongU'),
    'identity.model': at(
      'devs',
      '/DEVS',
      inRows((boards) => eachOnce(boards.map((board) => memberIn(board, 'Name', text)))),
    ),
    'identity.mac': at('network', ['/conf_macaddr', '/macaddr'], mac),

    'firmware.name': known('summary', 'cgminer'),
    'firmware.version': firstOf(at('version', '/VERSION/0/CGMiner', scalarText), at('summary', '', describedVersion)),
    'firmware.components': components({
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'program.api': at('version', '/VERSION/0/API', scalarText),
      'program.chips': at('summary', '/SUMMARY/0/Miner type', scalarText),
      'program.description': at('summary', '/STATUS/0/Description', scalarText),
      'program.version': at('version', '/VERSION/0/CGMiner', scalarText),
    }),

    pools: storedAndRunning(storedSlots, slotsIn('pools', 'POOLS', RUNTIME_POOL)),
    live_pools: at('pools', '/POOLS', livePools(RUNTIME_POOL)),

    'config.freq_mhz': at('devs', '/DEVS', inRows(meanOf('Frequency'))),
    'config.other': at(
      'conf',
      '',
      settings((name) => name !== 'api-allow'),
    ),
    'network.dhcp': at('network', '/conf_nettype', dhcp),
    'network.netmask': at('network', '/conf_netmask', text),
    'network.gateway': at('network', '/conf_gateway', text),
    'network.dns': at('network', '/conf_dnsservers', textList),
    'network.ntp': at('network', '/conf_ntpserver', textList),
    'network.address': at('network', '/conf_ipaddress', text),
    'access.api_allow': at('conf', '/api-allow', text),
    'access.api_write': accessIn('write_access'),

    'telemetry.hashrate_hs': anyOf(at('summary', '/SUMMARY/0', namedRate), at('devs', '/DEVS', sumOfRates)),
    'telemetry.temp_max_mc': at(
      'devs',
      '/DEVS',
      inRows((boards) => hottest(boards.map(({ Temperature }) => Temperature))),
    ),
    'telemetry.fans_rpm': at('summary', '/SUMMARY/0', summaryFans),
    'telemetry.chips': at('devs', '/DEVS', sumOfRows('ChipNum')),
    ...SUMMARY_COUNTS,
    'telemetry.last_share_age_s': at('devs', '', shareAge),
  },
  secrets: ['pass'],
  quirks: [
    'U6: `Last Share Time` of a pool is a date without a zone and with a raw line break, which is not JSON; the boards have the seconds.',
    '`Miner type` of `summary` names the kind of chips (dash, sc) and is what tells the machine from a plain cgminer.',
    'Bytes may follow the document, and `Best Share` may be 2^64-1.',
    'The web interface stores an address, netmask and gateway although it gets them by DHCP.',
    "Unverified: the digest realm `stuMiner Configuration` and which members the stored configuration has, which are known from public tools only; the maker's log-in; `check` on this program.",
  ],
  close: [
    'Port 4028 lets in whom `api-allow` names: where that has `W:0/0`, everybody may change pools.',
    'Change the log-in of the web interface from the one of the factory.',
  ],
});
