import { ABSENT, type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import {
  chainFrequency,
  chainSerials,
  chainTemperatures,
  fansOf,
  frequency,
  headerRow,
  inChains,
  inData,
  labelledRate,
  labelledStatsRate,
  listedFans,
  numberedFans,
  numberedSerials,
  numberedTemperatures,
  power,
  rateWithUnit,
  sumOf,
  sumOfChains,
  voltage,
  workingChips,
} from './antminer-stats.ts';
import { answersOf, describedBy, lastShareAge, sumOfRows } from './cgminer-api.ts';
import { type Clues, cgminer, defineDriver, httpGet, type Replies, type Source } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { CGMINER_POOL, livePools, type PoolMembers, poolList, withRuntime, withStatus } from './pools.ts';
import {
  answer,
  anyOf,
  asObject,
  at,
  closedBy,
  count,
  firstOf,
  flag,
  isLost,
  joined,
  mac,
  memberIn,
  type Pointer,
  type Reader,
  scalarText,
  scaled,
  serial,
  text,
  textList,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { elseIfAsked, firstRow, ofRow, type RowFinder } from './rows.ts';

/** Other firmwares on the same hardware keep the digest realm and most CGI names, but not these words. */
const OTHER_FIRMWARE =
  /bosminer|boser|braiins|luxminer|luxor firmware|hiveon|kaonsu|marafw|rwglr|vnish|anthillos|asicseer|blissz|chipless|bcfminer|fdminer/i;

const ANTMINER = /^antminer\b/i;

const versionRow: RowFinder = firstRow('VERSION');

type Row = JsonObject | undefined;

/** The row that names the model. On early units (S7) it is the header of `stats`, and `version` is the program only. */
const namingRow = (version: Row, header: Row): Row => [version, header].find((row) => row?.Type !== undefined);

/** The program alone, without a model: Bitmain's first builds, and anybody's cgminer. */
const isBare = (version: Row): boolean => version !== undefined && hasProgram(version) && version.Type === undefined;

/** The one row of the first builds (S5): Bitmain's driver by its id, and the state of its chains. */
const isEarlyRow = (row: Row): boolean =>
  typeof row?.ID === 'string' && /^BMM\d/.test(row.ID) && Object.keys(row).some((name) => name.startsWith('chain_ac'));

const hasProgram = (row: JsonObject): boolean => (row.BMMiner ?? row.CGMiner) !== undefined;

const isBitmain = (row: JsonObject): boolean =>
  typeof row.Type === 'string' && ANTMINER.test(row.Type) && hasProgram(row);

/** 3 for the version of a Bitmain build, 2 for what only its first builds say, 1 for the realm alone, which third-party builds keep. */
const recognise = ({ cgminer: asked, web, http }: Clues): 0 | 1 | 2 | 3 => {
  const said = [...asked.values(), ...http.values()].map((value) => JSON.stringify(value)).join(' ');
  if (OTHER_FIRMWARE.test(said) || OTHER_FIRMWARE.test(web?.body ?? '')) return 0;
  const version = versionRow(asked.get('version'));
  const header = headerRow(asked.get('stats'));
  const naming = namingRow(version, header);
  if (naming !== undefined) return isBitmain(naming) ? 3 : 0;
  if (version !== undefined && !isBare(version)) return 0;
  if (isEarlyRow(header)) return 2;
  return /^antminer/i.test(web?.realm ?? '') ? 1 : 0;
};

/** By default `Description` names the program; that of 2022 gives the library it is built with, that of S23 `cminer`. */
const DESCRIBED = /^((bm|cg|c)miner\b|jansson\b|$)/i;

const stillSpeaks = (replies: Replies): boolean => {
  const [version, stats] = ['version', 'stats'].map((query) => answersOf(replies, [query])[0]);
  const program = versionRow(version);
  const naming = namingRow(program, headerRow(stats));
  if (naming === undefined ? program !== undefined && !isBare(program) : !isBitmain(naming)) return false;
  const described = answersOf(replies, ['version', 'pools', 'stats', 'summary']).map(describedBy);
  if (OTHER_FIRMWARE.test([JSON.stringify(version ?? null), ...described].join(' '))) return false;
  return naming !== undefined || described.every((program) => DESCRIBED.test(program));
};

const STORED_POOL: PoolMembers = { url: 'url', user: 'user' };
const CGI_POOL: PoolMembers = { url: 'url', user: 'user', slot: 'index', priority: 'priority', status: 'status' };

/** Without the quota, which is always 1 here and unknown to the stored configuration. */
const { quota: _, ...RUNTIME_POOL } = CGMINER_POOL;

const storedPools = poolList(STORED_POOL);
const runtimePools = poolList(RUNTIME_POOL);
const cgiPools = poolList(CGI_POOL);

const section =
  <T>(name: string, reader: Reader<T>): Reader<T> =>
  (reply) => {
    const value = asObject(reply)?.[name];
    return value === undefined ? UNREADABLE : reader(value);
  };

/**
 * The stored slots, with where each stands now. One surface alone only where the other is closed, not where it was late.
 * `pools.cgi` is asked in full looks only: it may say how a slot stands, but not that there are more.
 */
const pools: Source<readonly PoolSlot[], 'conf' | 'pools'> = {
  queries: ['conf', 'pools'],
  read: (replies) => {
    const stored = whenPresent(answer(replies, 'conf'), section('pools', storedPools));
    const running = whenPresent(answer(replies, 'pools'), section('POOLS', runtimePools));
    if (isLost(stored)) return stored;
    if (isLost(running)) return running;
    if (stored.kind !== 'present') return running.kind === 'present' ? running : stored;
    if (running.kind === 'present') return present(withRuntime(stored.value, running.value));
    const listed = whenPresent(answer(replies, 'web_pools'), section('POOLS', cgiPools));
    return present(listed.kind === 'present' ? withStatus(stored.value, listed.value) : stored.value);
  },
  // The two spell schemes and users differently.
  standsIn: (replies) => (answer(replies, 'pools').kind === 'present' ? closedBy(answer(replies, 'conf')) : undefined),
};

/** 4028 pads the day of a date with a blank, the CGIs do not: the same build on both surfaces is the same text. */
const singleSpaced: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(found.replace(/\s+/g, ' ')));

/** S21 XP Hyd. of January 2026 has a year of five digits. */
const DATE = /^(mon|tue|wed|thu|fri|sat|sun)\b.*\b\d{4,5}$/i;

/** `system_filesystem_version` is a release id on new builds … */
const release: Reader<string> = (value) =>
  whenPresent(singleSpaced(value), (found) => (DATE.test(found) ? ABSENT : present(found)));

/** Builds with a release id call the miner program `uart_trans.1.3` whatever they are: that is no version. */
const minerVersion: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (/^\d/.test(found) ? present(found) : ABSENT));

/** … and the time of the build on others. */
const buildTime: Reader<string> = (value) =>
  whenPresent(singleSpaced(value), (found) => (DATE.test(found) ? present(found) : ABSENT));

const maker: Reader<string> = (value) =>
  whenPresent(text(value), (model) => (ANTMINER.test(model) ? present('Bitmain') : ABSENT));

/** uart builds say so in words. */
const chipId: Reader<string> = (value) =>
  whenPresent(serial(value), (found) => (/^no miner id/i.test(found) ? ABSENT : present(found)));

const program: Reader<string> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  const name = ['BMMiner', 'CGMiner'].find((key) => row[key] !== undefined);
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

const dhcp: Reader<boolean> = (value) =>
  whenPresent(text(value), (kind) => {
    if (/^dhcp$/i.test(kind)) return present(true);
    return /^static$/i.test(kind) ? present(false) : UNREADABLE;
  });

/** `bitmain-fan-ctrl` hands the fans to the operator's fixed speed. */
const fanMode: Reader<string> = (value) => whenPresent(flag(value), (fixed) => present(fixed ? 'manual' : 'auto'));

const workMode = worded({ '0': 'normal', '1': 'sleep', '3': 'low-power' });

/** Scalars of the configuration that have no fact of their own. The measured or secret ones are not among them. */
const HAS_FACT: ReadonlySet<string> = new Set(['bitmain-fan-ctrl', 'bitmain-work-mode', 'miner-mode', 'api-allow']);

const part = <const Name extends string>(query: Name, pointer: Pointer) => at(query, pointer, scalarText);

const digest = { cadence: 'config', auth: 'digest' } as const;

/**
 * Bitmain's own firmware on Antminers, both generations of its web interface. Without the web password, port 4028
 * alone gives model, version, pools and telemetry.
 */
export const antminerStock = defineDriver({
  family: 'antminer-stock',
  title: 'Bitmain stock firmware (Antminer)',
  vendorLogin: { user: 'root', password: 'root' },
  source:
    'Unpacked images of S21+ Hyd. (2025), X3 (2018) and KS; bmminer-mix api.c; replies of S9, S9k, L3+, E3, Z11, T15, S17, S19, S21, KS5',
  recognise,
  stillSpeaks,
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    conf: httpGet('/cgi-bin/get_miner_conf.cgi', { cadence: 'pools', auth: 'digest' }),
    version: cgminer('version'),
    stats: cgminer('stats'),
    summary: cgminer('summary'),
    system: httpGet('/cgi-bin/get_system_info.cgi', digest),
    network: httpGet('/cgi-bin/get_network_info.cgi', digest),
    board: httpGet('/cgi-bin/miner_type.cgi', digest),
    web_stats: httpGet('/cgi-bin/stats.cgi', digest),
    web_pools: httpGet('/cgi-bin/pools.cgi', digest),
  },
  facts: {
    'identity.make': firstOf(
      at('system', '/minertype', maker),
      at('version', '/VERSION/0/Type', maker),
      at('stats', '/STATS/0/Type', maker),
      at('web_stats', '/INFO/type', maker),
    ),
    'identity.model': firstOf(
      at('system', '/minertype', text),
      at('version', '/VERSION/0/Type', text),
      at('stats', '/STATS/0/Type', text),
      at('web_stats', '/INFO/type', text),
    ),
    'identity.serial': at('system', '/serinum', serial),
    'identity.mac': firstOf(at('system', '/macaddr', mac), at('network', '/macaddr', mac)),
    'identity.control_board': firstOf(
      at('board', '/subtype', text),
      at('system', ['/ant_hwv', '/bb_hwv', '/hwv'], text),
    ),
    'identity.chip_id': at('stats', '/STATS/1/miner_id', chipId),
    'identity.hashboards': firstOf(
      at('web_stats', '', inChains(chainSerials)),
      at('stats', '', inData(numberedSerials)),
    ),
    'firmware.name': firstOf(at('version', '/VERSION/0', program), at('stats', '/STATS/0', program)),
    'firmware.version': firstOf(
      at('system', '/system_filesystem_version', release),
      at('version', '/VERSION/0/Miner', minerVersion),
      at('stats', '/STATS/0/Miner', minerVersion),
      at('web_stats', '/INFO/miner_version', minerVersion),
    ),
    'firmware.build': firstOf(
      at('version', '/VERSION/0/CompileTime', singleSpaced),
      at('stats', '/STATS/0/CompileTime', singleSpaced),
      at('web_stats', '/INFO/CompileTime', singleSpaced),
      at('system', '/system_filesystem_version', buildTime),
    ),
    'firmware.kernel': at('system', '/system_kernel_version', text),
    'firmware.components': components({
      '4028.api': part('version', '/VERSION/0/API'),
      '4028.build': part('version', '/VERSION/0/CompileTime'),
      '4028.description': part('version', '/STATUS/0/Description'),
      '4028.miner': part('version', '/VERSION/0/Miner'),
      '4028.program': part('version', ['/VERSION/0/BMMiner', '/VERSION/0/CGMiner']),
      '4028.type': part('version', '/VERSION/0/Type'),
      'board.firmware': part('board', '/fw_version'),
      'board.subtype': part('board', '/subtype'),
      'keys.system': keysOf('system', ['']),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'system.algorithm': part('system', '/Algorithm'),
      'system.filesystem': part('system', '/system_filesystem_version'),
      'system.firmware-type': part('system', '/firmware_type'),
      'system.kernel': part('system', '/system_kernel_version'),
      'system.logic': part('system', '/system_logic_version'),
      'system.miner': part('system', ['/bmminer_version', '/cgminer_version']),
      'system.model': part('system', '/minertype'),
      'web.api': part('web_stats', '/STATUS/api_version'),
      'web.build': part('web_stats', '/INFO/CompileTime'),
      'web.miner': part('web_stats', '/INFO/miner_version'),
      'web.type': part('web_stats', '/INFO/type'),
    }),
    pools,
    live_pools: elseIfAsked(
      at('pools', '/POOLS', livePools(RUNTIME_POOL)),
      at('web_pools', '/POOLS', livePools(CGI_POOL)),
    ),
    'config.mode': at('conf', ['/bitmain-work-mode', '/miner-mode'], workMode),
    'config.freq_mhz': anyOf(
      at('stats', '', inData(frequency)),
      at('conf', '/bitmain-freq', scaled(1)),
      at('web_stats', '', inChains(chainFrequency)),
    ),
    'config.voltage_mv': at('stats', '', inData(voltage)),
    'config.fan_mode': at('conf', '/bitmain-fan-ctrl', fanMode),
    'config.other': at(
      'conf',
      '',
      settings((name) => !HAS_FACT.has(name)),
    ),
    'network.hostname': firstOf(at('network', '/conf_hostname', text), at('system', '/hostname', text)),
    'network.dhcp': firstOf(at('network', ['/conf_nettype', '/nettype'], dhcp), at('system', '/nettype', dhcp)),
    'network.netmask': firstOf(at('network', '/conf_netmask', text), at('system', '/netmask', text)),
    'network.gateway': firstOf(
      at('network', '/conf_gateway', text),
      at('network', '/gateway', text),
      at('system', '/gateway', text),
    ),
    'network.dns': firstOf(
      at('network', '/conf_dnsservers', textList),
      at('network', '/dnsservers', textList),
      at('system', '/dnsservers', textList),
    ),
    'network.address': anyOf(at('system', '/ipaddress', text), at('network', '/ipaddress', text)),
    'access.api_allow': at('conf', '/api-allow', text),
    'telemetry.hashrate_hs': anyOf(
      at('stats', '', inData(rateWithUnit)),
      ofRow('summary', summaryRow, rateWithUnit),
      at('web_stats', '', inData(rateWithUnit)),
      at('stats', '', labelledStatsRate),
      joined(['summary', 'version'], ({ summary, version }) => whenPresent(summary, labelledSummaryRate(version))),
    ),
    'telemetry.power_w': anyOf(at('web_stats', '', inData(power)), at('stats', '', inData(power))),
    'telemetry.temp_max_mc': anyOf(
      at('stats', '', inData(numberedTemperatures)),
      at('web_stats', '', inChains(chainTemperatures)),
    ),
    'telemetry.fans_rpm': anyOf(at('stats', '', fansOf(numberedFans)), at('web_stats', '', fansOf(listedFans))),
    'telemetry.chips': anyOf(
      at('stats', '', inData(workingChips)),
      at('web_stats', '', inChains(sumOfChains('asic_num'))),
    ),
    'telemetry.elapsed_s': anyOf(
      at(
        'stats',
        '',
        inData((row) => memberIn(row, 'Elapsed', count)),
      ),
      at('summary', '/SUMMARY/0/Elapsed', count),
      at('web_stats', '/STATS/0/elapsed', count),
    ),
    'telemetry.accepted': anyOf(
      at('summary', '/SUMMARY/0/Accepted', count),
      at('pools', '/POOLS', sumOfRows('Accepted')),
      at('web_pools', '/POOLS', sumOfRows('accepted')),
    ),
    'telemetry.rejected': anyOf(
      at('summary', '/SUMMARY/0/Rejected', count),
      at('pools', '/POOLS', sumOfRows('Rejected')),
      at('web_pools', '/POOLS', sumOfRows('rejected')),
    ),
    'telemetry.hw_errors': anyOf(
      at('summary', '/SUMMARY/0/Hardware Errors', count),
      at('stats', '', inData(sumOf(/^chain_hw\d+$/))),
      at('web_stats', '', inChains(sumOfChains('hw'))),
    ),
    'telemetry.last_share_age_s': anyOf(
      at('pools', '', lastShareAge('Last Share Time')),
      at('web_pools', '', lastShareAge('lstime')),
    ),
  },
  secrets: ['pass'],
  quirks: [
    'S9, L3+, Z11: `stats` lacks the comma between its two rows.',
    'S19 and S21 CGIs begin their body with blank lines.',
    'The rate label is GHS on every model of the old program; L3+, L7, E3 and D3 mean MH/s, Z9 and Z11 kSol/s (`rate_unit` says so where it exists).',
    'The program of KS3, KS5, KA3, K7, L9 (`version` 2.12, described as `jansson 2.12`) means GH/s by GHS; `RT HASHRATE` of SUMMARY has its unit. Z15 Pro: GHS is G of Sol.',
    'S7, S5: `version` has the program only; S7 names its model in `stats`, S5 nowhere on port 4028.',
    'Hyd. and immersion models list fans that stand still; they have none. S23 Hyd. gives its power in `stats.cgi`.',
    'S7: `voltage` in small letters, in V.',
    'S17 Pro: `Stratum Active` is true for every pool that has a connection, not for one.',
    'L3+, S9: URLs of the stored configuration may have no scheme.',
    'KS5 Pro: `pools.cgi` lists fewer rows than the stored configuration has slots, and `type` lacks "Pro".',
    'Port 4028 spells pools and versions otherwise than the web interface; while that is closed, these facts of a device that was known by it are not compared.',
    'A pool of the runtime list that no stored slot has, by endpoint and account, is a slot behind the stored ones.',
    'Release builds from 2020 on leave api-allow, frequency and voltage out of the configuration reply.',
  ],
  close: [
    'Port 4028 lets in whom `api-allow` names: factory builds give everybody five reads, older ones everybody every write (`W:0/0`).',
    'Change the log-in of the web interface; the factory has root and root.',
  ],
});
