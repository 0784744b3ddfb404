import { ABSENT, unknown } from '../../shared/facts.ts';
import type { JsonValue } from '../probe/capture.ts';
import { DETAILS, NETWORK_INFO } from './braiins-messages.ts';
import { pools } from './braiins-pools.ts';
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
import { answersOf, describedBy, lastShareAge, namedRate, shareDifficulty, sumOfRows } from './cgminer-api.ts';
import {
  type Clues,
  cgminer,
  cgminerCheck,
  defineDriver,
  type GrpcLogin,
  grpc,
  httpGet,
  httpPost,
  type Login,
  PASSWORD,
  type Replies,
  type Source,
  USER,
} from './driver.ts';
import { graphAnswer, inGraph } from './graphql.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { within } from './nested.ts';
import { CGMINER_POOL, livePools } from './pools.ts';
import {
  alike,
  anyOf,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  flag,
  type MemberName,
  mac,
  memberIn,
  place,
  type Reader,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
  UNREADABLE,
} from './readers.ts';
import { eachOnce, elseIfAsked, firstRow, known, sum } from './rows.ts';
import { ifServed, isServed } from './served.ts';

// ---- places ----------------------------------------------------------------------------------------------------------

/** The version of the REST API is open to everybody: where there is none, there is no REST API. */
const hasNoRest = (replies: Replies): boolean => !isServed(replies.get('api'));

const inRest = <T, const Name extends string>(query: Name, pointer: string, reader: Reader<T>): Source<T, Name> => {
  const source = at(query, pointer, reader);
  return {
    queries: source.queries,
    read: (replies) => (hasNoRest(replies) ? unknown('unsupported') : source.read(replies)),
  };
};

const inDetails = <T>(pointer: string, reader: Reader<T>) => inRest('details', pointer, reader);
const inStats = <T>(pointer: string, reader: Reader<T>) => inRest('stats', pointer, reader);
const inNetwork = <T>(pointer: string, reader: Reader<T>) => inRest('network', pointer, reader);
/** One member that two documents ask for. */
const inBos = <T>(pointer: string, reader: Reader<T>) =>
  alike(inGraph('gql_bos', `/bos${pointer}`, reader), inGraph('gql_system', `/bos${pointer}`, reader));
const inSystem = <T>(pointer: string, reader: Reader<T>) => inGraph('gql_system', `/bosminer/info${pointer}`, reader);
const inSolvers = <T>(reader: Reader<T>) => inGraph('gql_boards', '/bosminer/info/workSolver/childSolvers', reader);

/** Over gRPC, where there is no REST API. Its documents have the names of the REST API. */
const inCall = <T>(pointer: string, reader: Reader<T>) => ifServed('grpc_details', pointer, reader);
const inCallOfNetwork = <T>(pointer: string, reader: Reader<T>) => ifServed('grpc_network', pointer, reader);

/** The program that answers port 4028, by the one member of VERSION that is named after it. */
const PROGRAM = ['BOSer', 'BOSminer', 'BOSminer+', 'BMMiner'];
const inVersion = <T>(names: MemberName, reader: Reader<T>) =>
  at('version', '/VERSION/0', (row) => {
    const object = asObject(row);
    return object === undefined ? UNREADABLE : memberIn(object, names, reader);
  });

// ---- identity and firmware -------------------------------------------------------------------------------------------

const psuPart = (name: string) =>
  inDetails('/psu_info', (value) => {
    const object = asObject(value);
    return object === undefined ? ABSENT : memberIn(object, name, scalarText);
  });

const kinds = (name: string) =>
  inRest(
    'hashboards',
    '/hashboards',
    ofRows((rows) => eachOnce(rows.map((row) => memberIn(row, name, text)))),
  );

const kindsOfSolvers = (name: string) =>
  inGraph(
    'gql_parts',
    '/bosminer/info/workSolver/childSolvers',
    ofRows((rows) => eachOnce(rows.map((row) => inSolver(row, name, text)))),
  );

/** What GraphQL says of the machine itself, from 25.05 on. */
const inUnit25 = <T>(pointer: string, reader: Reader<T>) => inGraph('gql_unit', `/bos${pointer}`, reader);

/** Of an address from DHCP GraphQL says nothing more. */
const inStatic = <T>(name: string, reader: Reader<T>) => inGraph('gql_network', '/bos/network', within(name, reader));

/** The same whatever answers. */
const firmwareName = anyOf(
  known('version', 'Braiins OS'),
  known('gql_bos', 'Braiins OS'),
  known('details', 'Braiins OS'),
);

const VERSIONS = [inDetails('/bos_version/current', text), inBos('/info/version/full', text)] as const;
const fullVersion = firstOf(...VERSIONS);

/** Parts that both surfaces spell alike, so that neither stands in for the other. */
const ALIKE = {
  'bos.current': alike(...VERSIONS),
  kernel: alike(inDetails('/kernel_version', scalarText), inCall('/kernel_version', scalarText)),
};

// ---- settings --------------------------------------------------------------------------------------------------------

const inTuning = <T>(name: string, reader: Reader<T>) =>
  inGraph('gql_tuning', '/bosminer/config/autotuning', (value) => {
    if (value === null) return ABSENT;
    const object = asObject(value);
    return object === undefined ? UNREADABLE : memberIn(object, name, reader);
  });

const inTempControl = (name: string) => at('tempctrl', `/TEMPCTRL/0/${name}`, scalarText);

// ---- measurements ----------------------------------------------------------------------------------------------------

/** Shares of all pools of all groups. */
const shares = (name: string) =>
  inGraph(
    'gql_pools',
    '/bosminer/info/poolGroups',
    ofRows((groups) =>
      sum(
        groups.flatMap((group) => asArray(group.pools) ?? group.pools ?? []).map(within('shares', within(name, count))),
      ),
    ),
  );

// ---- recognition -----------------------------------------------------------------------------------------------------

const NAME = /^bos(?:miner|er)\b/i;

const isOwn = (reply: JsonValue): boolean => {
  if (NAME.test(describedBy(reply))) return true;
  const row = firstRow('VERSION')(reply) ?? {};
  // Builds of 2018 are a bmminer of Braiins' own.
  return Object.entries(row).some(
    ([key, value]) => NAME.test(key) || (key === 'Type' && /^braiins\b/i.test(String(value))),
  );
};

const BOS_VERSION = place('/data/bos/info/version/full');

const recognise = ({ cgminer: replies, http, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...replies.values()].some(isOwn)) return 3;
  const graph = http.get('/graphql');
  if (graph !== undefined && BOS_VERSION(graph).kind === 'present') return 3;
  return /braiins ?os/i.test(web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const answers = answersOf(replies, ['pools', 'version', 'summary']);
  return answers.length === 0 || answers.some(isOwn);
};

// ---- which documents there are --------------------------------------------------------------------------------------

/** The REST API answered, or would have at another time: its list of pools needs no second. */
const hasStored = (replies: Replies): boolean => {
  const reply = replies.get('stored');
  return reply?.kind === 'reply' || (reply !== undefined && isServed(reply) && reply.reason !== 'refused');
};

const hasDetails = (replies: Replies): boolean => replies.get('details')?.kind === 'reply';
const hasNoGraph = (replies: Replies): boolean => !isServed(replies.get('gql_bos'));
const needsNoGraph = (replies: Replies): boolean => hasDetails(replies) || hasNoGraph(replies);

/** `2024-09-30-0-1b2c3d4e-24.09-plus`. */
const RELEASE = /-(\d\d)\.(\d\d)(?:[.-]|$)/;
const FIRST_WITH_GRPC = 2303;

/** gRPC came with 23.03, and what it tells stands in the REST API where there is one. */
const needsNoCall = (replies: Replies): boolean => {
  if (!hasNoRest(replies)) return true;
  const version = fullVersion.read(replies);
  if (version.kind !== 'present') return true;
  const release = RELEASE.exec(version.value);
  // A build that names no release may have it.
  return release !== null && Number(`${release[1]}${release[2]}`) < FIRST_WITH_GRPC;
};

/** GraphQL tells an address that is fixed. */
const hasAddress = (replies: Replies): boolean => inStatic('address', text).read(replies).kind === 'present';

/** The web interface has measured everything that port 4028 would tell. */
const isMeasured = (replies: Replies): boolean =>
  hasDetails(replies) || graphAnswer(replies, 'gql_system').kind === 'present';

// ---- driver ----------------------------------------------------------------------------------------------------------

/** The one POST of the REST API that changes nothing. The token goes into the header as it is, without a scheme. */
const login: Login = {
  kind: 'login',
  method: 'POST',
  path: '/api/v1/auth/login',
  as: 'json',
  members: { username: USER, password: PASSWORD },
  gives: { kind: 'token', pointer: '/token', header: 'Authorization' },
};

/** A look that asks for the pools alone does not know whether there is a REST API: what has none is not sent the password. */
const loginIfAsked: Login = { ...login, ifAsked: true };

/** The same log-in where the REST API is not. Before API 1.1.0 the token stands in the metadata alone. */
const callLogin: GrpcLogin = {
  kind: 'grpc-login',
  method: 'braiins.bos.v1.AuthenticationService/Login',
  fields: { 1: USER, 2: PASSWORD },
  metadata: 'authorization',
  field: 1,
};

const rest = { cadence: 'config', auth: login, unless: hasNoRest } as const;

const graph = (document: string, unless?: (replies: Replies) => boolean) =>
  httpPost('/graphql', `{"query":"${document}"}`, { cadence: 'config', ...(unless === undefined ? {} : { unless }) });

const fallback = { cadence: 'config', unless: isMeasured } as const;

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
    api: httpGet('/api/v1/version/', { cadence: 'config' }),
    // Of `stored` and `gql_pools` one is sent: GraphQL is asked where the REST API has no list.
    stored: httpGet('/api/v1/pools/', { ...rest, auth: loginIfAsked, cadence: 'pools' }),
    gql_pools: {
      ...graph(
        '{bosminer{config{... on BosminerConfig{groups{id pools{url user} strategy{... on QuotaStrategy{quota}}}}} info{poolGroups{name pools{url user status active shares{acceptedSolutions rejectedSolutions}}}}}}',
        hasStored,
      ),
      cadence: 'pools',
    },
    details: httpGet('/api/v1/miner/details', rest),
    stats: httpGet('/api/v1/miner/stats', rest),
    hashboards: httpGet('/api/v1/miner/hw/hashboards', rest),
    cooling: httpGet('/api/v1/cooling/state', rest),
    configuration: httpGet('/api/v1/configuration/miner', rest),
    tuner: httpGet('/api/v1/performance/tuner-state', rest),
    network: httpGet('/api/v1/network/', rest),
    gql_bos: graph('{bos{hostname info{version{full}} uptime{durationS}}}'),
    gql_more: graph('{bos{hwid autoUpgrade info{mode} network{__typename}}}', hasNoGraph),
    gql_network: graph('{bos{network{... on StaticIp{address netmask gateway dnsServers}}}}', needsNoGraph),
    gql_telemetry: graph('{bosminer{config{... on BosminerConfig{management{telemetryEnabled}}}}}', hasNoGraph),
    // Members of their own requests: an older schema that lacks one of them answers nothing else of a document either.
    gql_unit: graph('{bos{serialNumber info{controlBoardSocFamily platform}}}', needsNoGraph),
    gql_parts: graph(
      '{bosminer{info{workSolver{childSolvers{name hwDetails{hashboardName chipType}}}}}}',
      needsNoGraph,
    ),
    gql_manager: graph('{bos{macAddress manager{managementId}}}', hasNoGraph),
    gql_model: graph('{bosminer{info{modelName}}}', needsNoGraph),
    gql_system: graph(
      '{bos{hostname info{version{full}} uptime{durationS}} bosminer{info{workSolver{realHashrate{mhs5S} nominalMhs} fans{name speed rpm} summary{power{limitW approxConsumptionW}}}}}',
      needsNoGraph,
    ),
    gql_boards: graph(
      '{bosminer{info{workSolver{childSolvers{name realHashrate{mhs5S} nominalMhs hwDetails{chips frequencyMhz voltageV} temperatures{name degreesC}}}}}}',
      needsNoGraph,
    ),
    gql_serials: graph('{bosminer{info{workSolver{childSolvers{name hwDetails{hbSerialNumber}}}}}}', needsNoGraph),
    gql_tuning: graph(
      '{bosminer{config{... on BosminerConfig{autotuning{enabled mode powerTarget hashrateTarget}}}}}',
      needsNoGraph,
    ),
    pools: cgminer('pools', { cadence: 'pools' }),
    version: cgminer('version'),
    summary: cgminer('summary'),
    config: cgminer('config'),
    tempctrl: cgminer('tempctrl'),
    devdetails: cgminer('devdetails', fallback),
    fans: cgminer('fans', fallback),
    temps: cgminer('temps', fallback),
    tunerstatus: cgminer('tunerstatus', fallback),
    may_add_pool: cgminerCheck('addpool'),
    grpc_details: grpc('braiins.bos.v1.MinerService/GetMinerDetails', DETAILS, {
      cadence: 'config',
      auth: callLogin,
      unless: needsNoCall,
    }),
    grpc_network: grpc('braiins.bos.v1.NetworkService/GetNetworkInfo', NETWORK_INFO, {
      cadence: 'config',
      auth: callLogin,
      unless: (replies) => needsNoCall(replies) || hasAddress(replies),
    }),
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
    'firmware.version': firstOf(fullVersion, inVersion(PROGRAM, text)),
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

    'access.api_write': at('may_add_pool', '/CHECK/0/Access', flag),
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
    'The path of a `stratum2+tcp` URL is the key of the pool, and part of what is compared.',
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
