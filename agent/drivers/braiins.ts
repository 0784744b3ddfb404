import {
  GRAPH_POOLS,
  GRAPH_QUERIES,
  inBos,
  inSolvers,
  inStatic,
  inSystem,
  inTuning,
  inUnit25,
  kindsOfSolvers,
  shares,
} from './braiins-graphql.ts';
import { CALL_QUERIES, inCall, inCallOfNetwork, VERSIONS } from './braiins-grpc.ts';
import { pools } from './braiins-pools.ts';
import { inTempControl, inVersion, isOwn, PORT_QUERIES, PROGRAM, stillSpeaks } from './braiins-port.ts';
import {
  apiVersion,
  boardSerials,
  degrees,
  fanMode,
  hottestBoard,
  hottestRow,
  hottestSolver,
  inSolver,
  inUnit,
  isDhcp,
  isDhcpType,
  lowered,
  MEDIUM,
  maker,
  makerInName,
  managementId,
  meanOf,
  meanOfSolvers,
  megahertz,
  modelName,
  ofRows,
  psu,
  rounded,
  SOC,
  solverSerials,
  speeds,
  total,
  tunerMode,
  unlessZero,
} from './braiins-readers.ts';
import {
  inDetails,
  inNetwork,
  inRest,
  inStats,
  kinds,
  psuPart,
  REST_POOLS,
  REST_QUERIES,
  REST_VERSION,
} from './braiins-rest.ts';
import { lastShareAge, namedRate, shareDifficulty, sumOfRows } from './cgminer-api.ts';
import { type Clues, defineDriver } from './driver.ts';
import { inGraph } from './graphql.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { within } from './nested.ts';
import { CGMINER_POOL, livePools } from './pools.ts';
import {
  alike,
  anyOf,
  at,
  count,
  firstOf,
  flag,
  mac,
  place,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
} from './readers.ts';
import { elseIfAsked, known, sum } from './rows.ts';
import { ifServed } from './served.ts';
import { accessIn } from './write-access.ts';

/** The same whatever answers. */
const firmwareName = anyOf(
  known('version', 'Braiins OS'),
  known('gql_bos', 'Braiins OS'),
  known('details', 'Braiins OS'),
);

/** Parts that both surfaces spell alike, so that neither stands in for the other. */
const ALIKE = {
  'bos.current': alike(...VERSIONS),
  kernel: alike(inDetails('/kernel_version', scalarText), inCall('/kernel_version', scalarText)),
};

const BOS_VERSION = place('/data/bos/info/version/full');

const recognise = ({ cgminer: replies, http, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...replies.values()].some(isOwn)) return 3;
  const graph = http.get('/graphql');
  if (graph !== undefined && BOS_VERSION(graph).kind === 'present') return 3;
  return /braiins ?os/i.test(web?.body ?? '') ? 2 : 0;
};

/** Braiins OS in all its generations: bosminer and BOSer on port 4028, GraphQL from 21.09, gRPC from 23.03, REST from 25.07. */
export const braiins = defineDriver({
  family: 'braiins',
  title: 'Braiins OS (BOSminer, BOSer)',
  source:
    'bos-plus-api; BOSminer API document; schemas of GraphQL 24.09 to 25.05; replies of S9 (2020, 22.08), S21 (24.09, 25.05), S19 XP (25.07), S21 Pro (26.04)',
  recognise,
  stillSpeaks,
  proofs: ['gql_bos'],
  vendorLogin: { user: 'root', password: '' },
  queries: {
    api: REST_VERSION,
    // Of `stored` and `gql_pools` one is sent: GraphQL is asked where the REST API has no list.
    stored: REST_POOLS,
    gql_pools: GRAPH_POOLS,
    ...REST_QUERIES,
    ...GRAPH_QUERIES,
    ...PORT_QUERIES,
    ...CALL_QUERIES,
  },
  facts: {
    'identity.make': firstOf(
      inDetails('/miner_identity', maker),
      inGraph('gql_model', '/bosminer/info/modelName', makerInName),
      at('devdetails', '/DEVDETAILS/0/Model', makerInName),
    ),
    'identity.model': firstOf(
      inDetails('/miner_identity/miner_model', modelName),
      inDetails('/miner_identity/name', modelName),
      inGraph('gql_model', '/bosminer/info/modelName', modelName),
      at('devdetails', '/DEVDETAILS/0/Model', modelName),
    ),
    'identity.serial': firstOf(
      inDetails('/serial_number', serial),
      inUnit25('/serialNumber', serial),
      inCall('/serial_number', serial),
    ),
    'identity.mac': firstOf(
      inDetails('/mac_address', mac),
      inNetwork('/mac_address', mac),
      inGraph('gql_manager', '/bos/macAddress', mac),
      inCall('/mac_address', mac),
    ),
    'identity.control_board': firstOf(
      inDetails('/control_board_soc_family', unlessZero(SOC)),
      inUnit25('/info/controlBoardSocFamily', text),
      inCall('/control_board_soc_family', unlessZero(SOC)),
    ),
    'identity.chip_id': firstOf(inDetails('/uid', serial), inGraph('gql_more', '/bos/hwid', serial)),
    'identity.hashboards': firstOf(
      inRest('hashboards', '/hashboards', boardSerials),
      inGraph('gql_serials', '/bosminer/info/workSolver/childSolvers', solverSerials),
      inSolvers(solverSerials),
    ),
    'identity.psu': firstOf(inDetails('/psu_info', psu), inCall('/psu_info', psu)),

    'firmware.name': firmwareName,
    'firmware.version': firstOf(...VERSIONS, inVersion(PROGRAM, text)),
    'firmware.kernel': firstOf(inDetails('/kernel_version', text), inCall('/kernel_version', text)),
    'firmware.medium': firstOf(
      inDetails('/bos_mode', unlessZero(MEDIUM)),
      inGraph('gql_more', '/bos/info/mode', lowered),
    ),
    'firmware.components': components({
      ...ALIKE,
      api: ifServed('api', '', apiVersion),
      'bos.major': inDetails('/bos_version/major', scalarText),
      'hashboards.chip': firstOf(kinds('chip_type'), kindsOfSolvers('chipType')),
      'hashboards.name': firstOf(kinds('board_name'), kindsOfSolvers('hashboardName')),
      'keys.details': keysOf('details', ['', '/bos_version', '/miner_identity']),
      'keys.version': keysOf('version', ['', '/VERSION/0']),
      platform: firstOf(inDetails('/platform', scalarText), inUnit25('/info/platform', scalarText)),
      'psu.firmware': psuPart('fw_version'),
      'psu.version': psuPart('version'),
      'version.api': inVersion('API', scalarText),
      'version.program': inVersion(PROGRAM, scalarText),
    }),

    pools,
    live_pools: at('pools', '/POOLS', livePools(CGMINER_POOL)),

    'config.mode': firstOf(inRest('tuner', '/mode_state', tunerMode), inTuning('mode', lowered)),
    'config.power_target_w': firstOf(
      inRest('configuration', '/tuner/power_target', inUnit('watt', rounded)),
      inTuning('powerTarget', rounded),
    ),
    'config.power_limit_w': firstOf(
      inSystem('/summary/power/limitW', rounded),
      at('tunerstatus', '/TUNERSTATUS/0/PowerLimit', rounded),
    ),
    'config.freq_mhz': anyOf(
      inRest('hashboards', '/hashboards', meanOf('current_frequency', inUnit('hertz', scaled(1e-6)))),
      inSolvers(meanOfSolvers('frequencyMhz', rounded)),
      at('devdetails', '/DEVDETAILS', meanOf('Frequency', megahertz)),
    ),
    'config.voltage_mv': anyOf(
      inRest('hashboards', '/hashboards', meanOf('current_voltage', inUnit('volt', scaled(1000)))),
      inSolvers(meanOfSolvers('voltageV', scaled(1000))),
      at('devdetails', '/DEVDETAILS', meanOf('Voltage', scaled(1000))),
    ),
    'config.fan_mode': at('tempctrl', '/TEMPCTRL/0/Mode', fanMode),
    'config.temp_limit_mc': at('tempctrl', '/TEMPCTRL/0/Dangerous', temperatureMc),
    'config.strategy': at('config', '/CONFIG/0/Strategy', text),
    'config.other': settingsFrom({
      'auto-upgrade': inGraph('gql_more', '/bos/autoUpgrade', scalarText),
      'hashrate-target': inTuning('hashrateTarget', scalarText),
      'temp.hot': inTempControl('Hot'),
      'temp.target': inTempControl('Target'),
      'tuner.enabled': firstOf(inRest('configuration', '/tuner/enabled', scalarText), inTuning('enabled', scalarText)),
    }),

    'network.hostname': firstOf(inNetwork('/hostname', text), inDetails('/hostname', text), inBos('/hostname', text)),
    'network.dhcp': firstOf(inNetwork('/protocol', isDhcp), inGraph('gql_more', '/bos/network', isDhcpType)),
    'network.netmask': firstOf(
      inNetwork('/networks/0/netmask', text),
      inStatic('netmask', text),
      inCallOfNetwork('/networks/0/netmask', text),
    ),
    'network.gateway': firstOf(
      inNetwork('/default_gateway', text),
      inStatic('gateway', text),
      inCallOfNetwork('/default_gateway', text),
    ),
    'network.dns': firstOf(
      inNetwork('/dns_servers', textList),
      inStatic('dnsServers', textList),
      inCallOfNetwork('/dns_servers', textList),
    ),
    'network.address': firstOf(
      inNetwork('/networks/0/address', text),
      inStatic('address', text),
      inCallOfNetwork('/networks/0/address', text),
    ),

    'access.api_write': accessIn('may_add_pool'),
    'access.cloud': inGraph(
      'gql_telemetry',
      '/bosminer/config',
      within('management', within('telemetryEnabled', flag)),
    ),
    'access.fleet_manager': inGraph('gql_manager', '/bos/manager', managementId),

    'telemetry.hashrate_hs': anyOf(
      inStats('/miner_stats/real_hashrate/last_5s', inUnit('gigahash_per_second', scaled(1e9))),
      inSystem('/workSolver/realHashrate/mhs5S', scaled(1e6)),
      at('summary', '/SUMMARY/0', namedRate),
    ),
    'telemetry.power_w': anyOf(
      inStats('/power_stats/approximated_consumption', inUnit('watt', rounded)),
      inSystem('/summary/power/approxConsumptionW', rounded),
      at('tunerstatus', '/TUNERSTATUS/0/ApproximateMinerPowerConsumption', rounded),
    ),
    'telemetry.temp_max_mc': anyOf(
      inRest('hashboards', '/hashboards', hottestBoard),
      inRest('cooling', '/highest_temperature/temperature', degrees),
      inSolvers(hottestSolver),
      at('temps', '/TEMPS', hottestRow),
    ),
    'telemetry.fans_rpm': anyOf(
      inRest('cooling', '/fans', speeds('rpm')),
      inSystem('/fans', speeds('rpm')),
      at('fans', '/FANS', speeds('RPM')),
    ),
    'telemetry.chips': anyOf(
      inRest('hashboards', '/hashboards', total('chips_count')),
      inSolvers(ofRows((rows) => sum(rows.map((row) => inSolver(row, 'chips', count))))),
      at('devdetails', '/DEVDETAILS', total('Chips')),
    ),
    'telemetry.elapsed_s': anyOf(inDetails('/bosminer_uptime_s', count), at('summary', '/SUMMARY/0/Elapsed', count)),
    'telemetry.uptime_s': anyOf(inDetails('/system_uptime_s', count), inBos('/uptime/durationS', count)),
    'telemetry.accepted': elseIfAsked(
      at('pools', '/POOLS', sumOfRows('Accepted')),
      inStats('/pool_stats/accepted_shares', count),
      shares('acceptedSolutions'),
      at('summary', '/SUMMARY/0/Accepted', count),
    ),
    'telemetry.rejected': elseIfAsked(
      at('pools', '/POOLS', sumOfRows('Rejected')),
      inStats('/pool_stats/rejected_shares', count),
      shares('rejectedSolutions'),
      at('summary', '/SUMMARY/0/Rejected', count),
    ),
    'telemetry.hw_errors': at('summary', '/SUMMARY/0/Hardware Errors', count),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  quirks: [
    'Port 4028 takes pool changes from everybody, and forgets them at the next start: a pool that runs and is not stored is a slot behind the stored ones.',
    'Several groups of pools mine at the same time; their slots are counted through (S9, 22.08).',
    'The path of a `stratum2+tcp` URL is the key of the pool, and part of what is compared. `Stratum URL` may be such a URL, too; the host of it is read.',
    '`/configuration/miner` lists no pools although there are some; they stand in `/pools/` (S19 XP, S21 Pro).',
    'The token of the REST API goes into `Authorization` without a scheme.',
    '`devdetails` gives frequencies in Hz on BOSminer+ and in MHz on BOSer (S9).',
    'There are places for four fans on every machine; those that do not turn are left out (S9).',
    'Before 24.09 no open surface tells the MAC: the LuCI page that does is not asked.',
    "gRPC (23.03 on, port 50051) is asked at full looks where there is no REST API, with the operator's log-in: the kernel line, the power supply and, under DHCP, address, netmask, gateway and DNS stand nowhere else there (API 1.1.0 of May 2024; the power supply from 2025 on). Serial number, control board and MAC are taken from it where GraphQL has none.",
    'unverified: everything over gRPC, which is known from the protocol files of bos-plus-api; no recorded answer is at hand.',
    'unverified: serial number, control board, platform, kinds of boards and the fixed address in GraphQL, and `telemetryEnabled` as the link to the maker: known from its schemas (24.09, 25.05.1).',
    'unverified: that GraphQL answers without a log-in from 25.07 on, and which of its members 21.09 and 23.x lack.',
    'unverified: builds of 2018, a bmminer whose `Type` begins with `braiins`.',
    'unverified: the stored network settings (`/network/configuration`) and the constraints, which are not read.',
    'unverified: that `hwid` of GraphQL and `uid` of REST are the same number.',
    'Where the REST API refuses, GraphQL lists the stored pools in the same words; only port 4028 counts as a stand-in.',
  ],
  close: [
    'Give root a password: the factory has none, and the web interface, gRPC (port 50051) and SSH take the same one.',
    'Port 4028 takes pool changes from everybody: only this gateway and the managing host should reach it.',
  ],
});
