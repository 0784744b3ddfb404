import {
  ABSENT,
  type FirmwareComponent,
  type OtherSetting,
  type PoolSlot,
  present,
  type Reading,
} from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { certificatesOfInfo, poolModeOfInfo, poolSettingsBeside, poolsOfInfo, poolsOfSettings } from './axeos-pools.ts';
import { inRows } from './cgminer-api.ts';
import { asset, type Clues, defineDriver, httpGet, type Replies, type Source } from './driver.ts';
import { components, keysOf, settings } from './named-texts.ts';
import { within } from './nested.ts';
import { livePools } from './pools.ts';
import {
  alike,
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  flag,
  mac,
  memberIn,
  type Pointer,
  type Reader,
  scalarText,
  scaled,
  temperatureMc,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { elseIfAsked, firstIfAsked, hottest, known, listed, ofRow, sum } from './rows.ts';
import { sortedSettings } from './sections.ts';
import { ifServed, isServed } from './served.ts';
import { openWithout } from './write-access.ts';

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
  if (info === undefined) return UNREADABLE;
  const lucky = memberIn(info, 'minerModel', text);
  if (lucky.kind !== 'absent') return lucky.kind === 'present' ? present('Lucky Miner') : lucky;
  const nerd = memberIn(info, 'deviceModel', text);
  if (nerd.kind === 'unknown') return nerd;
  return present(nerd.kind === 'present' && /^nerd/i.test(nerd.value) ? 'NerdAxe' : 'Bitaxe');
};

const partitionsIn: Reader<readonly JsonObject[]> = (value) => {
  const info = asObject(value);
  return info === undefined ? UNREADABLE : memberIn(info, 'partitions', inRows(present));
};

const compiledAt = (partition: JsonObject): Reading<string> => {
  const parts = ['compileDate', 'compileTime'].map((name) => memberIn(partition, name, text));
  return whenPresent(listed(parts), (words) => present(words.join(' ')));
};

/** When the running partition was compiled. */
const buildOfCurrent: Reader<string> = (info) =>
  whenPresent(partitionsIn(info), (rows) => {
    const partitions = rows.map((partition) => ({ partition, isCurrent: memberIn(partition, 'isCurrent', flag) }));
    if (partitions.some(({ isCurrent }) => isCurrent.kind === 'unknown')) return UNREADABLE;
    const current = partitions.find(({ isCurrent }) => isCurrent.kind === 'present' && isCurrent.value);
    return current === undefined ? ABSENT : compiledAt(current.partition);
  });

const partOf = (partition: JsonObject): readonly FirmwareComponent[] => {
  const label = memberIn(partition, 'label', text);
  const told = listed([memberIn(partition, 'version', text), compiledAt(partition)]);
  if (label.kind !== 'present' || told.kind !== 'present') return [];
  return [{ name: `partition.${label.value}`, value: told.value.join(' ') }];
};

/**
 * Members of info that are there in some states only: after the first block template, once the chips are measured,
 * with a fault, on the radio (ESP-Miner, system_api_json.c).
 */
const PASSING: ReadonlySet<string> = new Set([
  'blockHeight',
  'blockSignals',
  'coinbaseOutputs',
  'coinbaseValueTotalSatoshis',
  'coinbaseValueUserSatoshis',
  'hardware_fault',
  'hashrateMonitor',
  'networkDifficulty',
  'power_fault',
  'scriptsig',
  'wifiRSSI',
]);

const namedParts = components({
  // Both APIs spell these two alike.
  asic: alike(ifServed('info', '/ASICModel', scalarText), inSettings('/asicModel', scalarText)),
  axeos: inInfo('/axeOSVersion', scalarText),
  board: inInfo('/boardVersion', scalarText),
  idf: inInfo('/idfVersion', scalarText),
  'keys.asic': keysOf('asic', ['']),
  'keys.info': keysOf('info', [''], PASSING),
  'keys.v2_system': keysOf('v2_system', ['', '/network']),
  version: alike(ifServed('info', '/version', scalarText), inSettings('/version', scalarText)),
});

/** What the firmware says of its parts, and of the partitions that wait beside the running one. */
const parts: Source<readonly FirmwareComponent[], (typeof namedParts)['queries'][number]> = {
  queries: namedParts.queries,
  read: (replies) =>
    whenPresent(namedParts.read(replies), (named) => {
      const partitions = whenPresent(answer(replies, 'info'), partitionsIn);
      return present(partitions.kind === 'present' ? [...named, ...partitions.value.flatMap(partOf)] : named);
    }),
};

/** The pools where the firmware has no info any more. */
const poolsInSettings: Source<readonly PoolSlot[], 'v2_settings' | 'v2_dashboard'> = {
  queries: ['v2_settings', 'v2_dashboard'],
  read: (replies) => {
    const dashboard = answer(replies, 'v2_dashboard');
    return whenPresent(answer(replies, 'v2_settings'), (value) =>
      poolsOfSettings(value, dashboard.kind === 'present' ? dashboard.value : undefined),
    );
  },
};

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

/** Several lists as one: all of them, or none. */
const together = (lists: readonly Reading<readonly OtherSetting[]>[]): Reading<readonly OtherSetting[]> =>
  whenPresent(listed(lists), (all) => sortedSettings(all.flat()));

/** Those of `info`, with the pool mode, and the certificates of pools. */
const settingsOfInfo: Reader<readonly OtherSetting[]> = (value) =>
  together([otherSettings(value), poolModeOfInfo(value), certificatesOfInfo(value)]);

/** Those of API v2 that `info` does not tell. The two spell a name in other letters. */
const settingsBeside = (info: JsonObject, told: readonly OtherSetting[], value: JsonValue) => {
  const object = asObject(value);
  if (object === undefined) return UNREADABLE;
  const known = new Set(told.map(({ key }) => key.toLowerCase()));
  const others = whenPresent(otherSettings(value), (list) =>
    present(list.filter(({ key }) => !known.has(key.toLowerCase()))),
  );
  return together([others, poolSettingsBeside(info, object)]);
};

const allSettings = inSettings('', present);

const settingsOfOne = firstOf(inInfo('', settingsOfInfo), inSettings('', otherSettings));

/** The settings of `info`, and beside them what API v2 alone tells; all that it tells where there is no info. */
const settingsOfBoth: typeof settingsOfOne = {
  ...settingsOfOne,
  read: (replies) => {
    const told = settingsOfOne.read(replies);
    const info = answer(replies, 'info');
    const object = info.kind === 'present' ? asObject(info.value) : undefined;
    if (object === undefined || told.kind !== 'present') return told;
    const further = whenPresent(allSettings.read(replies), (value) => settingsBeside(object, told.value, value));
    return further.kind === 'unknown' && further.reason === 'unsupported' ? told : together([told, further]);
  },
};

/** 2 is the PID control of the Nerd boards. */
const fanMode = worded({ '0': 'manual', false: 'manual', '1': 'auto', true: 'auto', '2': 'auto' });

/** Overheat mode stays until somebody ends it; the other two are texts, there only with the fault. */
const faults: Reader<readonly string[]> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  const overheated = memberIn(info, 'overheat_mode', flag);
  const texts = ['hardware_fault', 'power_fault'].map((name) => memberIn(info, name, text));
  if ([overheated, ...texts].some(({ kind }) => kind === 'unknown')) return UNREADABLE;
  const named = [
    ...(overheated.kind === 'present' && overheated.value ? ['overheat'] : []),
    ...texts.flatMap((reading) => (reading.kind === 'present' ? [reading.value] : [])),
  ];
  return named.length === 0 ? ABSENT : present(named);
};

// ---- measurements ----------------------------------------------------------------------------------------------------

const hottestInInfo = ofRow('info', asObject, ({ temp, temp2, vrTemp, boardtemp1, boardtemp2 }) =>
  hottest([temp, temp2, vrTemp, boardtemp1, boardtemp2]),
);

const hottestInDashboard: Reader<number> = (value) => {
  const thermal = asObject(value);
  const chips = asArray(thermal?.asicTemps) ?? thermal?.asicTemps ?? [];
  return hottest([thermal?.asicTemp, thermal?.vrTemp, thermal?.vrTempInt, chips].flat());
};

/** Up to 2.1 `fanSpeed` is 1/min and `fanspeed` percent; later `fanrpm` is 1/min. */
const fansInInfo = ofRow('info', asObject, ({ fanrpm, fanSpeed, fan2rpm, fanrpm2 }) =>
  listed([fanrpm ?? fanSpeed, fan2rpm ?? fanrpm2].map((speed) => rounded(speed ?? null))),
);

const fansInDashboard: Reader<readonly number[]> = inRows((fans) =>
  listed(fans.map((fan) => memberIn(fan, 'rpm', rounded))),
);

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
  if (/^Bitaxe$/i.test(web?.realm ?? '')) return 2;
  return /<title>[^<]*(?:AxeOS|NerdQAxe|NerdAxe|Lucky ?miner)/i.test(web?.body ?? '') ? 2 : 0;
};

// ---- driver ----------------------------------------------------------------------------------------------------------

// ---- which documents there are --------------------------------------------------------------------------------------

/** The firmware of the Nerd boards names the model in info, that of Bitaxe boards only beside the chip's choices. */
const namesModel = (replies: Replies): boolean | undefined => {
  const info = answer(replies, 'info');
  const object = info.kind === 'present' ? asObject(info.value) : undefined;
  const model = object && memberIn(object, 'deviceModel', text);
  return model === undefined || model.kind === 'unknown' ? undefined : model.kind === 'present';
};

/** All that the chip's choices say stands in the info of a Nerd board. */
const isNerd = (replies: Replies): boolean => namesModel(replies) === true;

/** Only Nerd boards have an API v2. */
const isBitaxe = (replies: Replies): boolean => namesModel(replies) === false;

/** Where one of its documents is missing, the others are as well. */
const hasNoV2 = (replies: Replies): boolean => isBitaxe(replies) || !isServed(replies.get('v2_system'));

/** Newer ESP-Miner lets its owner ask for a log-in, of reads as well. */
const IF_ASKED = 'basic-if-asked';

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
  proofs: ['info'],
  queries: {
    info: httpGet('/api/system/info', { cadence: 'pools', auth: IF_ASKED }),
    asic: httpGet('/api/system/asic', { cadence: 'config', auth: IF_ASKED, unless: isNerd }),
    v2_system: httpGet('/api/v2/system', { cadence: 'config', auth: IF_ASKED, unless: isBitaxe }),
    v2_settings: httpGet('/api/v2/settings', { cadence: 'config', auth: IF_ASKED, unless: hasNoV2 }),
    v2_dashboard: httpGet('/api/v2/dashboard', { cadence: 'config', auth: IF_ASKED, unless: hasNoV2 }),
  },
  assets: [asset('/')],
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
    'firmware.components': parts,

    pools: firstIfAsked(ifServed('info', '', poolsOfInfo), poolsInSettings),
    live_pools: inDashboard(
      '/stratum/pools',
      livePools({ url: 'host', port: 'port', user: 'user', active: 'connected', host: 'host' }),
    ),

    'config.freq_mhz': anyOf(inInfo('/frequency', rounded), inSettings('/frequency', rounded)),
    'config.voltage_mv': anyOf(inInfo('/coreVoltage', rounded), inSettings('/coreVoltage', rounded)),
    'config.fan_mode': firstOf(inInfo('/autofanspeed', fanMode), inSettings('/fans/0/mode', fanMode)),
    'config.fan_min_pct': inInfo(['/minFanSpeed', '/minimumFanSpeed'], count),
    'config.temp_limit_mc': firstOf(
      inInfo('/overheat_temp', temperatureMc),
      inSettings('/fans/0/overheatTemp', temperatureMc),
    ),
    'config.other': settingsOfBoth,

    'network.hostname': firstOf(
      inInfo('/hostname', text),
      inSystem('/network/hostname', text),
      inSettings('/hostname', text),
    ),
    'network.address': anyOf(inInfo(['/ipv4', '/hostip'], text), inSystem('/network/ipAddr', text)),
    'access.api_write': firstOf(inInfo('/otp', openWithout), inSettings('/otp', openWithout)),

    'telemetry.hashrate_hs': elseIfAsked(
      inInfo('/hashRate', scaled(1e9)),
      inDashboard('/performance/hashRate', scaled(1e9)),
    ),
    'telemetry.power_w': elseIfAsked(inInfo('/power', rounded), inDashboard('/power/watts', rounded)),
    'telemetry.temp_max_mc': elseIfAsked(hottestInInfo, inDashboard('/thermal', hottestInDashboard)),
    'telemetry.fans_rpm': elseIfAsked(fansInInfo, inDashboard('/thermal/fans', fansInDashboard)),
    'telemetry.faults': inInfo('', faults),
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
    'telemetry.hw_errors': ofMonitor((asics) => sum(asics.map(within('errorCount', count)))),
  },
  secrets: ['wifiPass', 'stratumPassword', 'fallbackStratumPassword'],
  quirks: [
    'Bitaxe has no log-in before its owner sets one (`Basic`, newer than 2.15): every host of the private network may read and write.',
    'Booleans are 0 and 1 on Bitaxe, true and false on NerdAxe and NerdQAxe.',
    'Before 2.4 there are no MAC and no fallback pool, and `fanSpeed` (1/min) and `fanspeed` (%) differ in case only.',
    'NerdQAxe and NerdOctaxe: `autofanspeed` 2 is automatic by PID.',
    '`stratumURL` is a host without scheme and port; from 2.13 TLS and Stratum V2 stand in members beside it.',
    'NerdQAxe: while both pools are mined on, their slots carry the split (`poolBalance`, percent of the first pool); whether they are is a setting, too (`poolMode`).',
    'NerdQAxe with API v2: what `/api/v2/settings` tells and info does not, also of each pool, is a setting, read at full looks; `none` stands for a key that is blank.',
    'The authority key of a Stratum V2 pool is made a part of its URL, as other firmwares write it.',
    'The certificate that a pool is held to is a setting, `none` where `stratumTLS` is not 2; TLS and protocol in other words than those of the firmware leave the pools unknown.',
    '`coinbaseOutputs`, whom a block would pay, is not read: pools that pay their miners in it pay others from block to block, and what is no setting of the device would look changed.',
    '2.15 stores any number of pools and names the two in use by id.',
    '`axeOSVersion` is the web interface: where it differs from `version`, the partitions were flashed apart.',
    'An older NerdQAxe answers `/api/system/asic` by sending the browser to its landing page.',
    'The MAC may stand with dashes (2.6).',
    'A board with one fan may report a second one at 0 (2.12, Gamma 601).',
    '`/api/system/wifi/scan` disturbs the radio and is never asked.',
  ],
  close: [
    'Where the owner set no log-in everybody on the network may change pools and firmware: keep such devices on a network of their own.',
  ],
});
