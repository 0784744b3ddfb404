import { ABSENT, type OtherSetting, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { answersOf, describedBy, inRows, lastShareAge, namedRate } from './cgminer-api.ts';
import {
  asset,
  type Clues,
  cgminer,
  defineDriver,
  httpGet,
  type Login,
  PASSWORD,
  type Replies,
  type Source,
  USER,
} from './driver.ts';
import { components, keysOf, settings, settingsFrom } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, poolList } from './pools.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  flag,
  listOf,
  type MemberName,
  mac,
  memberIn,
  memberOf,
  type Reader,
  scalarText,
  scaled,
  serial,
  text,
  textList,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import {
  elseIfAsked,
  firstRow,
  highest,
  hottest,
  inRow,
  known,
  listed,
  ofRow,
  type RowFinder,
  sum,
  valuesOf,
} from './rows.ts';

const rounded = scaled(1);

// ---- questions -------------------------------------------------------------------------------------------------------

/** Every read of port 8080 wants the token that this gives; the same path as a POST is the write. */
const TOKEN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/token',
  as: 'json',
  members: { command: 'token', user: USER, password: PASSWORD },
  gives: { kind: 'token', pointer: '/Token/0/Token', header: 'Token' },
  over: (document) => isError(document) && /token|auth/i.test(messageOf(document)),
};

const statusOf = (document: JsonValue): JsonObject => firstRow('STATUS')(document) ?? {};
const isError = (document: JsonValue): boolean => statusOf(document).STATUS === 'E';
const messageOf = (document: JsonValue): string => String(statusOf(document).Msg ?? '');

const get = (path: string) => httpGet(path, { cadence: 'config', port: 'auradine', auth: TOKEN });

// ---- replies ---------------------------------------------------------------------------------------------------------

/** The first row of the one section that a reply has beside its status, whatever it is called. */
const ownRow: RowFinder = (reply) => {
  const sections = Object.entries(asObject(reply) ?? {}).filter(([name, value]) => name !== 'STATUS' && asArray(value));
  const [section] = sections;
  return sections.length === 1 && section !== undefined ? asObject(asArray(section[1])?.[0]) : undefined;
};

const inReport = <T>(name: MemberName, reader: Reader<T>) => inRow('ipreport', firstRow('IPReport'), name, reader);
const inMode = <T>(name: MemberName, reader: Reader<T>) => inRow('mode', firstRow('Mode'), name, reader);
const inNetwork = <T>(name: MemberName, reader: Reader<T>) => inRow('network', firstRow('Network'), name, reader);

/** A text of the one row, by spellings in use. */
const inOwnRow = <const Name extends string>(query: Name, name: MemberName) => inRow(query, ownRow, name, scalarText);

/** Numbers with their unit behind them, `58.94W`. */
const withUnit =
  (unit: string, reader: Reader<number>): Reader<number> =>
  (value) =>
    reader(typeof value === 'string' && value.trim().endsWith(unit) ? value.trim().slice(0, -unit.length) : value);

// ---- firmware --------------------------------------------------------------------------------------------------------

/** `FluxOS-2023-12.27-<40 hex>`: the revision of the source that the answering program was built from. */
const revision: Reader<string> = (value) =>
  whenPresent(text(value), (description) => {
    const found = /-([0-9a-f]{40})$/.exec(description)?.[1];
    return found === undefined ? ABSENT : present(found);
  });

const described = <const Name extends string>(query: Name) => at(query, '/STATUS/0/Description', text);

// ---- settings --------------------------------------------------------------------------------------------------------

/** In the mode that tunes to a rate the power that stands beside it is no target. */
const powerTarget: Reader<number> = (value) => {
  const mode = asObject(value);
  if (mode === undefined) return UNREADABLE;
  const tune = memberIn(mode, 'Tune', text);
  if (tune.kind === 'unknown') return tune;
  const tunesToRate = tune.kind === 'present' && tune.value.toLowerCase() === 'ths';
  return tunesToRate ? ABSENT : memberIn(mode, 'Power', rounded);
};

const namedSettings = settingsFrom({
  'chassis.serial': inReport('ChassisSerialNo', serial),
  'mode.coolant_default_action': inMode('coolantDefaultAction', scalarText),
  'mode.fans_in_standby': inMode(['FansInStandby', 'fansInStandby'], scalarText),
  'mode.mining_if_net_down': inMode('miningIfNetDown', scalarText),
  'mode.optimize_eco': inMode('optimizeEco', scalarText),
  'mode.persist_standby': inMode('persistStandby', scalarText),
  'mode.retune_time': inMode('reTuneTime', scalarText),
  'mode.sleep': inMode('Sleep', scalarText),
  'mode.ths': inMode('Ths', scalarText),
  'mode.tune': inMode('Tune', scalarText),
  'pools.accepted_urls': at(
    'whitelistpools',
    ['/whitelistPools/0/acceptedPoolUrls', '/WhitelistPools/0/acceptedPoolUrls'],
    (value) => whenPresent(textList(value), (urls) => present(urls.join(' '))),
  ),
  timezone: inOwnRow('timedate', ['timezone', 'Timezone', 'TimeZone']),
});

/** What a reply says that no document names the members of, but for stamps of the moment. */
const rowOf = (query: string): Source<readonly OtherSetting[]> =>
  ofRow(query, ownRow, (row) =>
    whenPresent(settings((name) => !/time|when|date|^command$/i.test(name))(row), (found) =>
      present(found.map(({ key, value }) => ({ key: `${query}.${key}`, value }))),
    ),
  );

const registration = rowOf('register');
const provisioning = rowOf('ztp');

/** One lost reply makes all unknown: a setting that is missing would look removed. */
const other: Source<readonly OtherSetting[], (typeof namedSettings)['queries'][number] | 'register' | 'ztp'> = {
  queries: [...namedSettings.queries, 'register', 'ztp'],
  read: (replies) => {
    const readings = [namedSettings, registration, provisioning].map((source) => source.read(replies));
    const lost = readings.find((reading) => reading.kind === 'unknown' && reading.reason !== 'unsupported');
    if (lost !== undefined) return lost;
    const found = valuesOf(readings).flat();
    return found.length === 0 ? ABSENT : present([...found].sort((a, b) => (a.key < b.key ? -1 : 1)));
  },
};

const isDhcp: Reader<boolean> = (value) => flag(value === 'dhcp' ? true : value === 'static' ? false : value);

/** All numbers called `name` in the lists called `list` of the rows; what is no list, or no element of one, as it is. */
const numbersIn = (rows: readonly JsonObject[], list: string, name: string): readonly JsonValue[] =>
  rows
    .flatMap((row) => asArray(row[list]) ?? row[list] ?? [])
    .map((element) => {
      const object = asObject(element);
      return object === undefined ? element : (memberOf(object, name) ?? null);
    });

/** The mean over the chips of all boards. */
const meanOfChips = (list: string, name: string, factor: number): Reader<number> =>
  inRows((rows) =>
    whenPresent(listOf(scaled(factor * 1000))(numbersIn(rows, list, name)), (values) =>
      present(Math.round(values.reduce((total, value) => total + value, 0) / values.length / 1000)),
    ),
  );

// ---- measurements ----------------------------------------------------------------------------------------------------

const hottestDevice: Reader<number> = inRows((rows) => hottest(rows.map(({ Temperature }) => Temperature)));

const hottestSensor: Reader<number> = inRows((rows) =>
  highest(['BoardTemp', 'ChipTemp'].map((list) => hottest(numbersIn(rows, list, 'Temperature')))),
);

const fanSpeeds: Reader<readonly number[]> = inRows((rows) =>
  listed(rows.map((fan) => memberIn(fan, 'Speed', rounded))),
);

const powerOfSupplies: Reader<number> = inRows((rows) =>
  sum(rows.map((supply) => memberIn(supply, 'PowerIn', withUnit('W', rounded)))),
);

// ---- recognition -----------------------------------------------------------------------------------------------------

const OWN_NAMES = /^(?:gcminer|fluxos)\b/i;

const isOwn = (reply: JsonValue): boolean =>
  OWN_NAMES.test(describedBy(reply)) || firstRow('VERSION')(reply)?.GCMiner !== undefined;

const recognise = ({ cgminer: replies, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...replies.values()].some(isOwn)) return 3;
  return /<title>\s*Miner UI\s*</i.test(web?.body ?? '') ? 2 : 0;
};

/** Releases from 2025 on describe themselves by a bare number. */
const stillSpeaks = (replies: Replies): boolean => {
  const version: Reading<JsonValue> = answer(replies, 'version');
  if (version.kind === 'present') return isOwn(version.value);
  return answersOf(replies, ['pools', 'summary']).every((reply) => isOwn(reply) || /^[\d.]*$/.test(describedBy(reply)));
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** Auradine Teraflux: the miner program GCMiner on port 4028, the control software FluxOS on port 8080. */
export const auradine = defineDriver({
  family: 'auradine',
  title: 'Auradine Teraflux (FluxOS)',
  source: 'Auradine API notes; sample replies of FluxOS and GCMiner 2022 to 2024',
  recognise,
  stillSpeaks,
  vendorLogin: { user: 'admin', password: 'admin' },
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    summary: cgminer('summary', { cadence: 'pools' }),
    version: cgminer('version'),
    devs: cgminer('devs'),
    asccount: cgminer('asccount'),
    ipreport: get('/ipreport'),
    mode: get('/mode'),
    network: get('/network'),
    register: get('/register'),
    ztp: get('/ztp'),
    timedate: get('/timedate'),
    whitelistpools: get('/whitelistpools'),
    fan: get('/fan'),
    psu: get('/psu'),
    temperature: get('/temperature'),
    frequency: get('/frequency'),
    voltage: get('/voltage'),
  },
  assets: [asset('/')],
  facts: {
    'identity.make': known('summary', 'Auradine'),
    'identity.model': inReport('model', text),
    'identity.serial': inReport('SerialNo', serial),
    'identity.mac': inReport('mac', mac),
    'identity.control_board': inReport('CBSerialNo', serial),
    'identity.chip_id': inReport('tpmPubKey', serial),
    'identity.hashboards': inReport('HBSerialNo', listOf(serial)),
    'firmware.name': known('summary', 'FluxOS'),
    'firmware.version': inReport('version', text),
    'firmware.build': at('ipreport', '/STATUS/0/Description', revision),
    'firmware.components': components({
      'fluxos.description': described('ipreport'),
      'fluxos.version': inReport('version', text),
      'gcminer.api': at('version', '/VERSION/0/API', scalarText),
      'gcminer.description': described('version'),
      'gcminer.version': at('version', '/VERSION/0/GCMiner', scalarText),
      'keys.ipreport': keysOf('ipreport', ['', '/IPReport/0']),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'model.internal_type': inReport('InternalType', text),
      'model.version': inReport('ModelVersion', scalarText),
    }),
    pools: at('pools', '/POOLS', poolList(CGMINER_POOL)),
    live_pools: at('pools', '/POOLS', connectedPools),
    'config.mode': inMode('Mode', text),
    'config.power_target_w': at('mode', '/Mode/0', powerTarget),
    'config.freq_mhz': at('frequency', '/Frequency', meanOfChips('ChipFrequency', 'Frequency', 1)),
    'config.voltage_mv': at('voltage', '/Voltage', meanOfChips('ChipVoltage', 'Voltage', 1000)),
    'config.other': other,
    'network.hostname': firstOf(inReport('hostname', text), inNetwork('hostname', text)),
    'network.dhcp': inNetwork('protocol', isDhcp),
    'network.netmask': inNetwork('mask', text),
    'network.gateway': inNetwork('gateway', text),
    'network.dns': inNetwork('dns', textList),
    'network.ntp': inRow('timedate', ownRow, ['ntp', 'NTP', 'Ntp'], textList),
    'network.address': inReport('ip', text),
    'access.fleet_manager': firstOf(
      inReport('orgid', text),
      inOwnRow('register', ['orgid', 'OrgId', 'company', 'Company']),
    ),
    'telemetry.hashrate_hs': at('summary', '/SUMMARY/0', namedRate),
    'telemetry.power_w': elseIfAsked(at('summary', '/SUMMARY/0/Wattage', rounded), at('psu', '/PSU', powerOfSupplies)),
    'telemetry.temp_max_mc': anyOf(
      at('temperature', '/Temperature', hottestSensor),
      at('devs', '/DEVS', hottestDevice),
    ),
    'telemetry.fans_rpm': at('fan', '/Fan', fanSpeeds),
    'telemetry.chips': at('asccount', '/ASCCount/0/AsicCount', count),
    'telemetry.elapsed_s': at('summary', '/SUMMARY/0/Elapsed', count),
    'telemetry.accepted': at('summary', '/SUMMARY/0/Accepted', count),
    'telemetry.rejected': at('summary', '/SUMMARY/0/Rejected', count),
    'telemetry.hw_errors': at('summary', '/SUMMARY/0/Hardware Errors', count),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
  },
  secrets: ['Pass'],
  quirks: [
    'On port 8080 every read is a GET and the same path as a POST is the write: the only POST that is sent is the log-in.',
    'FluxOS and GCMiner are built and change apart; each describes itself by a version and the revision of its source, development builds without one.',
    'Some builds return the pool password as `Pass`.',
    'The public samples are of different releases, so that they do not agree with each other; `mode` says something else in `Msg` than in its row.',
    'Frequency and voltage are means over the chips that are listed.',
    'Without the log-in there are only the pools, the rates and what GCMiner says of itself.',
    'unverified: the members of `network`, `register`, `ztp`, `timedate` and `whitelistpools`; what stands in `register` and `ztp` is kept as it is.',
    'unverified: `tpmPubKey`, the public key of the TPM, is read as the id of the controller.',
    'unverified: how a token that is over is refused, and whether repeated log-ins lock the account.',
    'unverified: everything of firmware after 2024.',
  ],
  close: [
    'Change the log-in of the REST API on port 8080; the factory has admin and admin. Its writes there set pools, firmware and network.',
    'Port 4028 answers without a log-in: only this gateway and the managing host should reach both ports.',
  ],
});
