import { ABSENT, type FirmwareComponent, present, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { poolsOfInfo, poolsOfSettings } from './axeos-pools.ts';
import { type Clues, defineDriver, httpGet, type Source } from './driver.ts';
import { livePools } from './pools.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  components,
  count,
  firstOf,
  flag,
  joined,
  mac,
  type Pointer,
  type Reader,
  scalarText,
  scaled,
  settings,
  temperatureMc,
  text,
  whenPresent,
  worded,
} from './readers.ts';
import { elseIfAsked, highest, known, listed, ofRow, sum, valuesOf } from './rows.ts';

/**
 * A fact at a path that not every firmware serves. Where there is no 404 the device answers with its landing page, or
 * sends the browser there, and either is no document.
 */
const ifServed = <T, const Name extends string>(query: Name, pointer: Pointer, reader: Reader<T>): Source<T, Name> => {
  const source = at(query, pointer, reader);
  return {
    queries: source.queries,
    read: (replies) => {
      const reply = replies.get(query);
      const isElsewhere = reply?.kind === 'no-reply' && reply.reason === 'unreadable';
      return isElsewhere ? unknown('unsupported') : source.read(replies);
    },
  };
};

const inInfo = <T>(pointer: Pointer, reader: Reader<T>) => at('info', pointer, reader);
const inAsic = <T>(pointer: Pointer, reader: Reader<T>) => ifServed('asic', pointer, reader);
const inSystem = <T>(pointer: Pointer, reader: Reader<T>) => ifServed('v2_system', pointer, reader);
const inSettings = <T>(pointer: Pointer, reader: Reader<T>) => ifServed('v2_settings', pointer, reader);
const inDashboard = <T>(pointer: Pointer, reader: Reader<T>) => ifServed('v2_dashboard', pointer, reader);

const rounded = scaled(1);

// ---- identity and firmware -------------------------------------------------------------------------------------------

/** The boards are open designs that many people make; the firmware says which kind of board it is for. */
const maker: Reader<string> = (value) => {
  const info = asObject(value);
  if (info === undefined) return unknown('unreadable');
  if (typeof info.minerModel === 'string') return present('Lucky Miner');
  return present(/^nerd/i.test(String(info.deviceModel ?? '')) ? 'NerdAxe' : 'Bitaxe');
};

const partitionsIn = (info: JsonValue): readonly JsonObject[] =>
  (asArray(asObject(info)?.partitions) ?? []).map(asObject).filter((partition) => partition !== undefined);

const compiledAt = (partition: JsonObject): Reading<string> =>
  whenPresent(listed(['compileDate', 'compileTime'].map((name) => text(partition[name] ?? null))), (parts) =>
    present(parts.join(' ')),
  );

/** When the running partition was compiled. */
const buildOfCurrent: Reader<string> = (info) => {
  const current = partitionsIn(info).find((partition) => valuesOf([flag(partition.isCurrent ?? null)])[0] === true);
  return current === undefined ? ABSENT : compiledAt(current);
};

const partOf = (partition: JsonObject): readonly FirmwareComponent[] => {
  const [label] = valuesOf([text(partition.label ?? null)]);
  const value = valuesOf([text(partition.version ?? null), compiledAt(partition)]).join(' ');
  return label === undefined || value === '' ? [] : [{ name: `partition.${label}`, value }];
};

const versionParts = components([
  ['asic', 'info', '/ASICModel'],
  ['axeos', 'info', '/axeOSVersion'],
  ['board', 'info', '/boardVersion'],
  ['idf', 'info', '/idfVersion'],
  ['version', 'info', '/version'],
]);

/** What the firmware says of its parts, and of the partitions that wait beside the running one. */
const partsInInfo: Source<readonly FirmwareComponent[], 'info'> = {
  queries: ['info'],
  read: (replies) =>
    whenPresent(versionParts.read(replies), (parts) => {
      const info = answer(replies, 'info');
      const partitions = info.kind === 'present' ? partitionsIn(info.value).flatMap(partOf) : [];
      return present([...parts, ...partitions].sort((a, b) => (a.name < b.name ? -1 : 1)));
    }),
};

const partsInSettings = components([
  ['asic', 'v2_settings', '/asicModel'],
  ['version', 'v2_settings', '/version'],
]);

/** The pools where the firmware has no info any more. An info that was late has them, and is not replaced. */
const poolsWithoutInfo = joined(['info', 'v2_settings', 'v2_dashboard'], ({ info, v2_settings, v2_dashboard }) => {
  if (info.kind === 'unknown' && (info.reason === 'timeout' || info.reason === 'truncated')) return info;
  const dashboard = v2_dashboard.kind === 'present' ? v2_dashboard.value : undefined;
  return whenPresent(v2_settings, (value) => poolsOfSettings(value, dashboard));
});

// ---- settings --------------------------------------------------------------------------------------------------------

/** Settings that are no facts of their own, by what they are called in `info` and in the settings of API v2. */
const SETTINGS: ReadonlySet<string> = new Set([
  'coinbaseVerifyMode',
  'fallbackStratumExtranonceSubscribe',
  'fallbackStratumSuggestedDifficulty',
  'invertFanPolarity',
  'invertfanpolarity',
  'jobInterval',
  'manualFanSpeed',
  'otp',
  'overclockEnabled',
  'pidTargetTemp',
  'poolBalance',
  'poolMode',
  'ssid',
  'statsFrequency',
  'stratumDifficulty',
  'stratumExtranonceSubscribe',
  'stratumKeep',
  'stratumSuggestedDifficulty',
  'temptarget',
  'useCustomWWW',
  'useFallbackStratum',
  'useNTP',
  'vrFrequency',
]);

const otherSettings = settings((name) => SETTINGS.has(name));

const fanMode = worded({ '0': 'manual', false: 'manual', '1': 'auto', true: 'auto' });

/** Nobody can write without the one-time code where it is on; without it, everybody on the network can. */
const writesOpen: Reader<boolean> = (value) => whenPresent(flag(value), (codeNeeded) => present(!codeNeeded));

// ---- measurements ----------------------------------------------------------------------------------------------------

/** A sensor that is not there reads 0 or -1. */
const sensors = (values: readonly (JsonValue | undefined)[]): Reading<number> =>
  highest(
    values
      .map((value) => temperatureMc(value ?? null))
      .filter((reading) => reading.kind === 'present' && reading.value > 0),
  );

const hottestInInfo = ofRow('info', asObject, ({ temp, temp2, vrTemp, boardtemp1, boardtemp2 }) =>
  sensors([temp, temp2, vrTemp, boardtemp1, boardtemp2]),
);

const hottestInDashboard: Reader<number> = (value) => {
  const thermal = asObject(value);
  const chips = asArray(thermal?.asicTemps) ?? [];
  return sensors([thermal?.asicTemp, thermal?.vrTemp, thermal?.vrTempInt, ...chips]);
};

/** Up to 2.1 `fanSpeed` is 1/min and `fanspeed` percent; later `fanrpm` is 1/min. */
const fansInInfo = ofRow('info', asObject, ({ fanrpm, fanSpeed, fan2rpm, fanrpm2 }) =>
  listed([fanrpm ?? fanSpeed, fan2rpm ?? fanrpm2].map((speed) => rounded(speed ?? null))),
);

const fansInDashboard: Reader<readonly number[]> = (value) =>
  listed((asArray(value) ?? []).map((fan) => rounded(asObject(fan)?.rpm ?? null)));

/** The chips as the hash-rate monitor lists them, from 2.12 on. */
const ofMonitor = (read: (asics: readonly JsonValue[]) => Reading<number>): Source<number, 'info'> =>
  ofRow('info', asObject, ({ hashrateMonitor }) => {
    const asics = asArray(asObject(hashrateMonitor)?.asics);
    return asics === undefined ? ABSENT : read(asics);
  });

// ---- recognition -----------------------------------------------------------------------------------------------------

const ownName = (object: JsonObject): boolean =>
  typeof object.ASICModel === 'string' || typeof object.asicModel === 'string';

const isInfo = (reply: JsonValue): boolean => {
  const info = asObject(reply);
  return info !== undefined && ownName(info) && (info.stratumURL !== undefined || asArray(info.pools) !== undefined);
};

/** The other open documents of these firmwares: the chip's choices, and the four of API v2. */
const isOther = (reply: JsonValue): boolean => {
  const object = asObject(reply);
  if (object === undefined) return false;
  const hasModel = typeof object.deviceModel === 'string';
  return (hasModel && (ownName(object) || object.otp !== undefined)) || (ownName(object) && !!object.frequencyOptions);
};

const recognise = ({ http, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...http.values()].some((reply) => isInfo(reply) || isOther(reply))) return 3;
  return /<title>[^<]*(?:AxeOS|NerdQAxe|NerdAxe|Lucky ?miner)/i.test(web?.body ?? '') ? 2 : 0;
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** ESP-Miner with its AxeOS interface on Bitaxe boards, its NerdAxe and NerdQAxe descendants, and closed forks. */
export const axeos = defineDriver({
  family: 'axeos',
  title: 'AxeOS: Bitaxe, NerdAxe, NerdQAxe',
  source: 'ESP-Miner openapi.yaml to 2.15; NerdQAxePlus docs/API.md; replies of releases 2.4 to 2.12',
  recognise,
  stillSpeaks: (replies) => {
    const info = answer(replies, 'info');
    return info.kind !== 'present' || isInfo(info.value);
  },
  queries: {
    info: httpGet('/api/system/info', { cadence: 'pools' }),
    asic: httpGet('/api/system/asic'),
    v2_system: httpGet('/api/v2/system'),
    v2_settings: httpGet('/api/v2/settings'),
    v2_dashboard: httpGet('/api/v2/dashboard'),
  },
  facts: {
    'identity.make': firstOf(inInfo('', maker), inSystem('', maker), inSettings('', maker)),
    'identity.model': firstOf(
      inInfo(['/deviceModel', '/minerModel'], text),
      inSystem('/deviceModel', text),
      inSettings('/deviceModel', text),
      inAsic('/deviceModel', text),
      inInfo('/boardVersion', scalarText),
    ),
    'identity.mac': firstOf(inInfo('/macAddr', mac), inSystem('/network/macAddr', mac)),
    'identity.control_board': inInfo('/boardVersion', scalarText),
    'firmware.name': elseIfAsked(known('info', 'AxeOS'), known('v2_settings', 'AxeOS'), known('v2_system', 'AxeOS')),
    'firmware.version': firstOf(inInfo('/version', text), inSystem('/version', text), inSettings('/version', text)),
    'firmware.build': inInfo('', buildOfCurrent),
    'firmware.medium': inInfo('/runningPartition', text),
    'firmware.components': firstOf(partsInInfo, partsInSettings),

    pools: elseIfAsked(inInfo('', poolsOfInfo), poolsWithoutInfo),
    live_pools: inDashboard(
      '/stratum/pools',
      livePools({ url: 'host', port: 'port', user: 'user', active: 'connected' }),
    ),

    'config.freq_mhz': anyOf(inInfo('/frequency', rounded), inSettings('/frequency', rounded)),
    'config.voltage_mv': anyOf(inInfo('/coreVoltage', rounded), inSettings('/coreVoltage', rounded)),
    'config.fan_mode': firstOf(inInfo('/autofanspeed', fanMode), inSettings('/fans/0/mode', fanMode)),
    'config.fan_min_pct': inInfo(['/minFanSpeed', '/minimumFanSpeed'], count),
    'config.temp_limit_mc': firstOf(
      inInfo('/overheat_temp', temperatureMc),
      inSettings('/fans/0/overheatTemp', temperatureMc),
    ),
    'config.other': firstOf(inInfo('', otherSettings), inSettings('', otherSettings)),

    'network.hostname': firstOf(
      inInfo('/hostname', text),
      inSystem('/network/hostname', text),
      inSettings('/hostname', text),
    ),
    'network.address': anyOf(inInfo(['/ipv4', '/hostip'], text), inSystem('/network/ipAddr', text)),
    'access.api_write': firstOf(inInfo('/otp', writesOpen), inSettings('/otp', writesOpen)),

    'telemetry.hashrate_hs': elseIfAsked(
      inInfo('/hashRate', scaled(1e9)),
      inDashboard('/performance/hashRate', scaled(1e9)),
    ),
    'telemetry.power_w': elseIfAsked(inInfo('/power', rounded), inDashboard('/power/watts', rounded)),
    'telemetry.temp_max_mc': elseIfAsked(hottestInInfo, inDashboard('/thermal', hottestInDashboard)),
    'telemetry.fans_rpm': elseIfAsked(fansInInfo, inDashboard('/thermal/fans', fansInDashboard)),
    'telemetry.chips': elseIfAsked(
      anyOf(
        inInfo('/asicCount', count),
        ofMonitor(({ length }) => present(length)),
      ),
      inAsic('/asicCount', count),
      inDashboard('/performance/asicCount', count),
    ),
    'telemetry.elapsed_s': elseIfAsked(inInfo('/uptimeSeconds', rounded), inSystem('/uptimeSeconds', rounded)),
    'telemetry.uptime_s': elseIfAsked(inInfo('/uptimeSeconds', rounded), inSystem('/uptimeSeconds', rounded)),
    'telemetry.accepted': elseIfAsked(
      inInfo('/sharesAccepted', count),
      inDashboard('/performance/sharesAccepted', count),
    ),
    'telemetry.rejected': elseIfAsked(
      inInfo('/sharesRejected', count),
      inDashboard('/performance/sharesRejected', count),
    ),
    'telemetry.hw_errors': ofMonitor((asics) => sum(asics.map((asic) => count(asObject(asic)?.errorCount ?? null)))),
  },
  secrets: ['wifiPass', 'stratumPassword', 'fallbackStratumPassword'],
  quirks: [
    'Bitaxe has no log-in: every host of the private network may read and write.',
    'Booleans are 0 and 1 on Bitaxe, true and false on NerdAxe and NerdQAxe.',
    'Before 2.4 there are no MAC and no fallback pool, and `fanSpeed` (1/min) and `fanspeed` (%) differ in case only.',
    '`stratumURL` is a host without scheme and port; from 2.13 TLS and Stratum V2 stand in members beside it.',
    '2.15 stores any number of pools and names the two in use by id.',
    '`axeOSVersion` is the web interface: where it differs from `version`, the partitions were flashed apart.',
    'An older NerdQAxe answers `/api/system/asic` by sending the browser to its landing page.',
    'The MAC may stand with dashes (2.6).',
    'A board with one fan may report a second one at 0 (2.12, Gamma 601).',
    '`/api/system/wifi/scan` disturbs the radio and is never asked.',
  ],
});
