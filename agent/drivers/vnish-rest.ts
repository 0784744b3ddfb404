import {
  ABSENT,
  type OtherSetting,
  type PoolSlot,
  present,
  type Reading,
  standingIn,
  unknown,
} from '../../shared/facts.ts';
import { DAMAGED, type JsonObject, type JsonValue, type NoReply, type Reply } from '../probe/capture.ts';
import { mean } from './averages.ts';
import { maker } from './bitmain-api.ts';
import { inRows, lastShareAge, sumOfRows } from './cgminer-api.ts';
import { type HttpQuery, httpGet, type Replies, type Source } from './driver.ts';
import { type FeeTest, feePools, operatorPools } from './fee-pools.ts';
import { components, keysOf } from './named-texts.ts';
import { within as inObject } from './nested.ts';
import { livePools, type PoolMembers, poolList, withRuntime } from './pools.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  closedBy,
  count,
  firstOf,
  flag,
  insteadOf,
  isLost,
  joined,
  listOf,
  mac,
  memberIn,
  type Reader,
  rateFactor,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { above, highest, inOrder, listed, valuesOf } from './rows.ts';
import { descend, settingsIn, sortedSettings } from './sections.ts';
import { withTold } from './stored-pools.ts';

/** The REST interface of VNish 1.2 and newer (AnthillOS): its questions, and where each fact stands in the answers. */

// ---- which interface there is ----------------------------------------------------------------------------------------

/** The REST interface answered in this look. */
export const isRest = (replies: Replies): boolean =>
  ['v1_summary', 'v1_info'].some((query) => replies.get(query)?.kind === 'reply');

/** Something of the REST interface came, but no document that can be read. */
const isDamaged = (reply: Reply | NoReply | undefined): boolean =>
  reply?.kind === 'no-reply' &&
  reply.elsewhere !== true &&
  (reply.reason === 'truncated' || reply.reason === 'unreadable');

/**
 * It is not there: the device has no such path, asks for the log-in of the older web interface, shows a page of it, or
 * has no web port. An answer that was late says nothing of the kind.
 */
export const isOlder = (replies: Replies): boolean => {
  const summary = replies.get('v1_summary');
  if (isRest(replies) || summary?.kind !== 'no-reply' || isDamaged(replies.get('v1_info'))) return false;
  return summary.elsewhere === true || ['unsupported', 'refused', 'unreachable'].includes(summary.reason);
};

/** What needs the operator's key is asked where the interface answered: nobody else is shown the key. */
const isSilent = (replies: Replies): boolean => !isRest(replies);

/** Releases before 1.3 list the boards under the first path, later ones under the second. */
const BOARDS = { before: '/api/v1/chains', from: '/api/v1/boards' };

const isFrom13 = (replies: Replies): boolean | undefined => {
  const info = answer(replies, 'v1_info');
  const version = info.kind === 'present' ? asObject(info.value)?.fw_version : undefined;
  const [, major, minor] = (typeof version === 'string' ? /^(\d+)\.(\d+)\./.exec(version) : undefined) ?? [];
  return major === undefined ? undefined : Number(major) > 1 || (major === '1' && Number(minor) >= 3);
};

const KEY = { cadence: 'config', auth: { kind: 'key', header: 'x-api-key' } } as const;

const publicly = (path: string): HttpQuery => httpGet(path, { cadence: 'config', unless: isOlder });

export const REST_QUERIES = {
  v1_summary: httpGet('/api/v1/summary', { cadence: 'pools' }),
  v1_settings: httpGet('/api/v1/settings', { ...KEY, cadence: 'pools', unless: isSilent }),
  v1_info: publicly('/api/v1/info'),
  v1_status: publicly('/api/v1/status'),
  v1_perf: publicly('/api/v1/perf-summary'),
  v1_factory: publicly('/api/v1/chains/factory-info'),
  v1_chains: httpGet(BOARDS.before, {
    cadence: 'config',
    unless: (replies) => isOlder(replies) || isFrom13(replies) === true,
  }),
  v1_boards: httpGet(BOARDS.from, {
    cadence: 'config',
    unless: (replies) => isOlder(replies) || isFrom13(replies) === false || replies.get('v1_chains')?.kind === 'reply',
  }),
  v1_apikeys: httpGet('/api/v1/apikeys', { ...KEY, unless: isSilent }),
} as const;

type Query = keyof typeof REST_QUERIES;

// ---- places ----------------------------------------------------------------------------------------------------------

/** Any member may be missing, or null until the miner has started. */
const within = <T, const Name extends Query>(query: Name, path: string, reader: Reader<T>): Source<T, Name> => {
  const names = path.split('/').slice(1);
  return {
    queries: [query],
    read: (replies) =>
      whenPresent(answer(replies, query), (reply) => whenPresent(descend(reply, names), (value) => reader(value))),
  };
};

const inInfo = <T>(path: string, reader: Reader<T>) => within('v1_info', path, reader);
const inMiner = <T>(path: string, reader: Reader<T>) => within('v1_summary', `/miner${path}`, reader);
const inNetwork = <T>(path: string, reader: Reader<T>) => inInfo(`/system/network_status${path}`, reader);
const inSettings = <T>(path: string, reader: Reader<T>) => within('v1_settings', path, reader);

// ---- pools -----------------------------------------------------------------------------------------------------------

/** The pools of the maker are told by their type. Their place says DevFee in both members, and nothing more. */
const isFee: FeeTest = ({ pool_type, url }) =>
  typeof pool_type === 'string' ? !/^userpool$/i.test(pool_type) : url === 'DevFee';

const STORED_POOL: PoolMembers = { url: 'url', user: 'user' };
const RUNNING_POOL: PoolMembers = { ...STORED_POOL, status: 'status', active: 'active' };

/** `active` is the pool that is mined for, `working` one that answers. */
const withActive = (row: JsonValue): JsonValue => {
  const object = asObject(row);
  // Whose pool it is nobody knows then.
  if (object !== undefined && memberIn(object, 'pool_type', text).kind === 'unknown') return DAMAGED;
  return object?.status === undefined ? row : { ...object, active: object.status === 'active' };
};

/**
 * The operator's rows of the runtime list, in the order of their `id`: the place in the list. Without those of the maker,
 * wherever these stand, the numbers have holes.
 */
const ofOperator = <T>(reader: Reader<T>): Reader<T> =>
  operatorPools(isFee, (list) => {
    const rows = asArray(list)?.map(withActive);
    return rows === undefined ? reader(list) : whenPresent(numbered(rows), reader);
  });

/** A row without its number stands anywhere, and so does one of two with the same: one of the two is damaged. */
const numbered = (rows: readonly JsonValue[]): Reading<JsonValue> => {
  const objects = rows.map(asObject).filter((row) => row !== undefined);
  // A row that is none is left to the reader.
  if (objects.length < rows.length) return present(rows);
  const ids = valuesOf(objects.map(idOf));
  if (ids.length === 0) return present(rows);
  if (new Set(ids).size < rows.length) return UNREADABLE;
  return inOrder(objects, idOf);
};

const idOf = (row: JsonObject): Reading<number> => memberIn(row, 'id', count);

/** A list of nothing but the maker's pools: the miner program runs none of the operator's. */
const unlessEmpty =
  <T>(reader: Reader<T>): Reader<T> =>
  (list) =>
    asArray(list)?.length === 0 ? ABSENT : reader(list);

const storedPools = inSettings('/miner/pools', poolList(STORED_POOL));
const runningPools = inMiner('/pools', ofOperator(unlessEmpty(poolList(RUNNING_POOL))));

/** The stored slots where the key opens them, with where each stands now, and what runs beside them; else those that run. */
const pools: Source<readonly PoolSlot[], 'v1_summary' | 'v1_settings'> = {
  queries: ['v1_summary', 'v1_settings'],
  read: (replies) => {
    const summary = answer(replies, 'v1_summary');
    const stored = storedPools.read(replies);
    if (summary.kind === 'unknown' && isLost(summary)) return summary;
    if (isLost(stored)) return stored;
    const running = runningPools.read(replies);
    // Which pool is tried first stands in this list only.
    if (isLost(running)) return running;
    // The settings arrived and have no list: they are not closed, and what runs is not what is stored.
    if (stored.kind === 'absent') return withTold(UNREADABLE, running);
    if (stored.kind !== 'present') return unstored(stored, running);
    return present(running.kind === 'present' ? withRuntime(stored.value, running.value) : stored.value);
  },
};

/** The pools of a device that does not tell what it stored. Closed settings may hold pools of which none runs: nobody knows, for the reason that they are closed. */
const unstored = (
  stored: Reading<readonly PoolSlot[]>,
  running: Reading<readonly PoolSlot[]>,
): Reading<readonly PoolSlot[]> => {
  const closed = closedBy(stored);
  if (running.kind === 'present') return standingIn(running, closed);
  if (closed !== undefined) return stored;
  return running.kind === 'absent' ? UNREADABLE : running;
};

/** `ls_time` is the age of the last share as h:mm:ss. */
const shareAge: Reader<number> = ofOperator((rows) => lastShareAge('ls_time')({ POOLS: rows }));

// ---- readers ---------------------------------------------------------------------------------------------------------

/** The code and the words of a failure, while the miner is in that state. */
const failure: Reader<readonly string[]> = (value) => {
  const status = asObject(value);
  if (status === undefined) return UNREADABLE;
  return whenPresent(memberIn(status, 'miner_state', scalarText), (state) => {
    if (state !== 'failure') return ABSENT;
    const named = listed(['failure_code', 'description'].map((name) => memberIn(status, name, scalarText)));
    if (named.kind === 'unknown') return named;
    return present([['failure', ...(named.kind === 'present' ? named.value : [])].join(' ')]);
  });
};

const rateNow = joined(['v1_summary', 'v1_info'], ({ v1_summary, v1_info }) =>
  whenPresent(v1_summary, (summary) =>
    whenPresent(v1_info, (info) => {
      const rate = descend(summary, ['miner', 'hr_realtime']);
      const unit = whenPresent(descend(info, ['hr_measure']), text);
      if (rate.kind !== 'present') return rate;
      if (unit.kind !== 'present') return unit;
      const factor = rateFactor(unit.value);
      return factor === undefined ? UNREADABLE : scaled(factor)(rate.value);
    }),
  ),
);

const hottestOfMiner: Reader<number> = (miner) => {
  const object = asObject(miner);
  if (object === undefined) return UNREADABLE;
  return highest(
    above(
      0,
      ['chip_temp', 'pcb_temp'].map((name) => memberIn(object, name, inObject('max', temperatureMc))),
    ),
  );
};

const fanSpeeds: Reader<readonly number[]> = (fans) => listOf(inObject('rpm', count))(fans);

/** 0 stands for "not set" here, and for a chain that is off. */
const positive: Reader<number> = (value) =>
  whenPresent(scaled(1)(value), (found) => (found > 0 ? present(found) : ABSENT));

const meanOfChains = (name: string): Reader<number> =>
  inRows((chains) => mean(chains.map((chain) => memberIn(chain, name, positive))));

/** Chips that hash. Without chips, as long as the miner has not started, nobody knows. */
const hashingChips: Reader<number> = (boards) => {
  const chips = asArray(boards)?.flatMap((board) => asArray(asObject(board)?.chips) ?? []);
  if (chips === undefined) return UNREADABLE;
  if (chips.length === 0) return ABSENT;
  const rates = chips.map((chip) => asObject(chip)?.hr);
  return rates.every((rate) => typeof rate === 'number')
    ? present(rates.filter((rate) => rate > 0).length)
    : UNREADABLE;
};

const boardSerials: Reader<readonly string[]> = inRows((chains) =>
  listed(chains.map((chain) => memberIn(chain, 'serial', serial))),
);

/** `0:06`, ` 1:00`, `10 days, 18:00`: to the minute. */
const uptime: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const [, days = '0', hours, minutes] = /^(?:(\d+) days?, *)?(\d+):(\d\d)$/.exec(found) ?? [];
    return hours === undefined
      ? UNREADABLE
      : present((Number(days) * 24 + Number(hours)) * 3600 + Number(minutes) * 60);
  });

/** The preset that is in use is the one that was chosen, unless the firmware switches between them by itself. */
const presetInUse: Reader<string> = (perf) => {
  const switches = descend(perf, ['preset_switcher', 'enabled']);
  if (switches.kind === 'present' && switches.value !== false) return unknown('unsupported');
  return whenPresent(descend(perf, ['current_preset', 'name']), scalarText);
};

const fanMode = worded({ immers: 'immersion' });

// ---- further settings ------------------------------------------------------------------------------------------------

/** Members that are facts of their own. */
const HAS_FACT: ReadonlySet<string> = new Set(['fan_min_duty', 'name', 'preset', 'restart_temp']);

const publicSettings = settingsIn({ switcher: ['preset_switcher'] });

const keptSettings = settingsIn(
  {
    cooling: ['miner', 'cooling'],
    'cooling.mode': ['miner', 'cooling', 'mode'],
    globals: ['miner', 'overclock', 'globals'],
    misc: ['miner', 'misc'],
    overclock: ['miner', 'overclock'],
    timezone: ['regional', 'timezone'],
  },
  (name) => !HAS_FACT.has(name),
);

/** How many keys there are; what they are is nobody's business. One at least, for it was asked with one. */
const numberOfKeys: Reader<readonly OtherSetting[]> = (keys) => {
  const found = asArray(keys)?.length ?? 0;
  return found === 0 ? UNREADABLE : present([{ key: 'api-keys', value: String(found) }]);
};

/** What a document that the firmware does not have would say: nothing. */
const ifThere = (settings: Reading<readonly OtherSetting[]>): Reading<readonly OtherSetting[]> =>
  settings.kind === 'unknown' && settings.reason === 'unsupported' ? present([]) : settings;

/** All of the settings, or why one of the documents is missing: a setting that was not read would look removed. */
const allSettings = joined(['v1_perf', 'v1_settings', 'v1_apikeys'], ({ v1_perf, v1_settings, v1_apikeys }) =>
  whenPresent(whenPresent(v1_settings, keptSettings), (kept) =>
    whenPresent(whenPresent(v1_apikeys, numberOfKeys), (keys) =>
      whenPresent(ifThere(whenPresent(v1_perf, publicSettings)), (open) => sortedSettings([...kept, ...keys, ...open])),
    ),
  ),
);

const openSettings = joined(['v1_perf'], ({ v1_perf }) =>
  whenPresent(whenPresent(v1_perf, publicSettings), sortedSettings),
);

// ---- facts -----------------------------------------------------------------------------------------------------------

/** The public description of the device, whatever its maker calls the firmware. */
export const isInfo = (reply: JsonValue | undefined): boolean => {
  const info: JsonObject = asObject(reply) ?? {};
  const members = [info.fw_name, info.fw_version, info.miner, info.model, info.install_type];
  return members.every((member) => typeof member === 'string');
};

const part = (path: string) => inInfo(path, scalarText);

/** Parts of the firmware fingerprint. */
const REST_PARTS = {
  'info.algorithm': part('/algorithm'),
  'info.build-name': part('/build_name'),
  'info.build-time': part('/build_time'),
  'info.build-uuid': part('/build_uuid'),
  'info.file-system': part('/system/file_system_version'),
  'info.firmware': part('/fw_name'),
  'info.install-type': part('/install_type'),
  'info.model': part('/model'),
  'info.platform': part('/platform'),
  'info.version': part('/fw_version'),
  'keys.v1_info': keysOf('v1_info', ['']),
};

export const REST_FACTS = {
  'identity.make': inInfo('/miner', maker),
  'identity.model': firstOf(inInfo('/miner', text), inInfo('/model', text)),
  'identity.serial': inInfo('/serial', serial),
  'identity.mac': inNetwork('/mac', mac),
  'identity.control_board': inInfo('/platform', text),
  'identity.hashboards': within('v1_factory', '/chains', boardSerials),
  'identity.psu': firstOf(
    within('v1_factory', '/psu_serial', serial),
    insteadOf(within('v1_factory', '/psu_model', serial)),
  ),
  'firmware.name': inInfo('/fw_name', text),
  'firmware.version': inInfo('/fw_version', text),
  'firmware.build': inInfo('/build_time', text),
  'firmware.medium': inInfo('/install_type', text),
  'firmware.components': components(REST_PARTS),
  pools,
  live_pools: inMiner('/pools', ofOperator(unlessEmpty(livePools(RUNNING_POOL)))),
  fee_pools: inMiner('/pools', (list) => feePools(isFee, STORED_POOL)(asArray(list)?.map(withActive) ?? list)),
  'config.preset': firstOf(inSettings('/miner/overclock/preset', scalarText), within('v1_perf', '', presetInUse)),
  'config.freq_mhz': anyOf(
    within('v1_perf', '/current_preset/globals/freq', positive),
    inMiner('/chains', meanOfChains('frequency')),
  ),
  'config.voltage_mv': inMiner('/chains', meanOfChains('voltage')),
  'config.fan_mode': firstOf(
    inSettings('/miner/cooling/mode/name', fanMode),
    inMiner('/cooling/settings/mode/name', fanMode),
  ),
  'config.fan_min_pct': inSettings('/miner/cooling/fan_min_duty', count),
  'config.temp_limit_mc': inSettings('/miner/misc/restart_temp', temperatureMc),
  'config.other': firstOf(allSettings, openSettings),
  'network.hostname': inNetwork('/hostname', text),
  'network.dhcp': inNetwork('/dhcp', flag),
  'network.netmask': inNetwork('/netmask', text),
  'network.gateway': inNetwork('/gateway', text),
  'network.dns': inNetwork('/dns', textList),
  'network.address': inNetwork('/ip', text),
  'access.write_session': within('v1_status', '/unlocked', flag),
  'telemetry.faults': within('v1_status', '', failure),
  'telemetry.hashrate_hs': rateNow,
  'telemetry.power_w': inMiner('/power_consumption', scaled(1)),
  'telemetry.temp_max_mc': inMiner('', hottestOfMiner),
  'telemetry.fans_rpm': inMiner('/cooling/fans', fanSpeeds),
  'telemetry.chips': anyOf(within('v1_boards', '', hashingChips), within('v1_chains', '', hashingChips)),
  'telemetry.uptime_s': inInfo('/system/uptime', uptime),
  'telemetry.accepted': inMiner('/pools', ofOperator(sumOfRows('accepted'))),
  'telemetry.rejected': inMiner('/pools', ofOperator(sumOfRows('rejected'))),
  'telemetry.hw_errors': inMiner('/hw_errors', count),
  'telemetry.last_share_age_s': inMiner('/pools', shareAge),
};
