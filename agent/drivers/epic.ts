import { ABSENT, type LivePool, type PoolSlot, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { inRows } from './cgminer-api.ts';
import { type Clues, defineDriver, type HttpQuery, httpGet, type Replies, type Source } from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { within } from './nested.ts';
import { livePools, type PoolMembers, poolList } from './pools.ts';
import {
  answer,
  asArray,
  asObject,
  at,
  closedBy,
  count,
  firstOf,
  flag,
  insteadOf,
  isLost,
  listOf,
  mac,
  memberIn,
  memberOf,
  type Reader,
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
import { hottest, listed, sum } from './rows.ts';
import { storedAndConnected } from './stored-pools.ts';

const rounded = scaled(1);

/** The API is plain HTTP on the port where other firmwares have the CGMiner API; every GET is open. */
const get = (path: string, cadence: 'pools' | 'config' = 'config', unless?: HttpQuery['unless']) =>
  httpGet(path, { cadence, port: 'cgminer', ...(unless === undefined ? {} : { unless }) });

/** The hash rate is not split: nothing is connected but the one pool. */
const isWhole = (replies: Replies): boolean => {
  const enabled = at('split_config', '/enabled', flag).read(replies);
  return enabled.kind === 'present' && !enabled.value;
};

const inSummary = <T>(pointer: string, reader: Reader<T>) => at('summary', pointer, reader);
const inCapabilities = <T>(pointer: string, reader: Reader<T>) => at('capabilities', pointer, reader);

// ---- identity and firmware -------------------------------------------------------------------------------------------

/** ePIC sells control boards for other makers' machines, and machines of its own. */
const maker: Reader<string> = (value) =>
  whenPresent(text(value), (model) => {
    if (/^antminer/i.test(model)) return present('Bitmain');
    return /^blockminer/i.test(model) ? present('ePIC') : ABSENT;
  });

/** `PowerPlay-BMS v1.5.13`: the name, or what stands behind it. */
const softwareWord =
  (position: 0 | 1): Reader<string> =>
  (value) =>
    whenPresent(text(value), (software) => {
      const words = /^(\S+)\s+(\S.*)$/s.exec(software);
      const word = words === null ? (position === 0 ? software : undefined) : words[position + 1];
      return word === undefined ? ABSENT : present(word);
    });

/** A board without a readable serial number is null. */
const boardSerials = listOf(serial);

// ---- pools -----------------------------------------------------------------------------------------------------------

const STORED: PoolMembers = { url: 'pool', user: 'login' };

/** Marks the slot that `Stratum` says it is mining. */
const withCurrent = (slots: readonly PoolSlot[], stratum: JsonValue | undefined): readonly PoolSlot[] => {
  const current = asObject(stratum);
  if (current === undefined) return slots;
  const position = memberIn(current, 'Config Id', count);
  const connected = memberIn(current, 'IsPoolConnected', flag);
  if (position.kind !== 'present' || connected.kind !== 'present') return slots;
  return slots.map((slot) => ({ ...slot, active: connected.value && slot.slot === position.value }));
};

interface Split {
  readonly slots: readonly PoolSlot[];
  /** How many places the split has; a blank one is among them. */
  readonly places: number;
}

/** The pools of one split, each with the share of the hash rate that the split gets. */
const splitOf: Reader<Split> = (value) => {
  const split = asObject(value);
  if (split === undefined) return UNREADABLE;
  const ratio = memberIn(split, 'ratio', count);
  if (ratio.kind !== 'present') return UNREADABLE;
  const places = asArray(split.stratum_configs)?.length;
  if (places === undefined) return UNREADABLE;
  const slots = poolList(STORED)(split.stratum_configs ?? null);
  if (slots.kind === 'unknown') return slots;
  const filled = slots.kind === 'present' ? slots.value : [];
  return present({ slots: filled.map((slot) => ({ ...slot, quota: ratio.value })), places });
};

/** The pools of all splits, numbered through by their places; the place within its split is the priority of a pool. */
const poolsOfSplits: Reader<readonly PoolSlot[]> = (value) =>
  whenPresent(listOf(splitOf)(value), (splits) => {
    let before = 0;
    const all = splits.flatMap(({ slots, places }) => {
      const from = before;
      before += places;
      return slots.map((slot) => ({ ...slot, slot: from + slot.slot }));
    });
    return all.length === 0 ? ABSENT : present(all);
  });

/** The saved splits where they are on. Off, or not offered by an older version, is absent. */
const splits = at('split_config', '', (value): Reading<readonly PoolSlot[]> => {
  const config = asObject(value);
  if (config === undefined) return UNREADABLE;
  const enabled = memberIn(config, 'enabled', flag);
  if (enabled.kind !== 'present') return UNREADABLE;
  if (!enabled.value) return ABSENT;
  const found = memberIn(config, 'hashrate_splits', poolsOfSplits);
  return found.kind === 'absent' ? UNREADABLE : found;
});

const stored = at('summary', '', (value): Reading<readonly PoolSlot[]> => {
  const summary = asObject(value);
  if (summary?.StratumConfigs === undefined) return UNREADABLE;
  return whenPresent(poolList(STORED)(summary.StratumConfigs), (slots) => present(withCurrent(slots, summary.Stratum)));
});

/** The connection of the moment. Its user may carry a suffix that the rig made of its own address. */
const current: Reader<readonly LivePool[]> = (value) =>
  livePools({ url: 'Current Pool', user: 'Current User', active: 'IsPoolConnected' })([value]);

const splitStatus: Reader<readonly LivePool[]> = (value) =>
  asArray(value)?.length === 0
    ? ABSENT
    : livePools({ url: 'pool', user: 'login', active: 'is_stratum_connected' })(value);

/** The connections of the splits where the hash rate is split, else the one; where an answer to that was lost, nobody knows. */
const connections: Source<readonly LivePool[], 'summary' | 'split_config' | 'split_status'> = {
  queries: ['summary', 'split_config', 'split_status'],
  read: (replies) => {
    const enabled = at('split_config', '/enabled', flag).read(replies);
    if (enabled.kind === 'unknown' && isLost(enabled)) return enabled;
    const isSplit = enabled.kind === 'present' && enabled.value;
    return isSplit ? at('split_status', '', splitStatus).read(replies) : inSummary('/Stratum', current).read(replies);
  },
};

/** What the rig is set to mine: the splits of its hash rate where they are on, else its list of pools. */
const configured: Source<readonly PoolSlot[], 'summary' | 'split_config'> = {
  queries: ['summary', 'split_config'],
  read: (replies) => {
    const reading = splits.read(replies);
    if (reading.kind === 'present' || isLost(reading)) return reading;
    return standingIn(stored.read(replies), closedBy(reading));
  },
};

/** What the rig makes of its address, its MAC or the id of its CPU, behind a login that names no worker, too. */
const SUFFIX = /^-[0-9a-fx]+$/i;

/** The connection with the login as it was configured. */
const withoutSuffix = (pool: LivePool, slots: readonly PoolSlot[]): LivePool => {
  const { user } = pool;
  const login = slots.find((slot) => slot.user !== undefined && user?.startsWith(slot.user) === true)?.user;
  return login !== undefined && SUFFIX.test(user?.slice(login.length) ?? '') ? { ...pool, user: login } : pool;
};

// ---- settings --------------------------------------------------------------------------------------------------------

/** The one member of an object whose name is the choice, `{"Auto": {…}}`; a choice without details is a text. */
const tag: Reader<string> = (value) => {
  if (typeof value === 'string') return text(value);
  const names = Object.keys(asObject(value) ?? {});
  const [name] = names;
  return names.length === 1 && name !== undefined ? present(name) : UNREADABLE;
};

/** A detail of the choice that is made. */
const chosen =
  <T>(name: string, reader: Reader<T>): Reader<T> =>
  (value) => {
    const details = asObject(Object.values(asObject(value) ?? {})[0]);
    return details === undefined ? ABSENT : memberIn(details, name, reader);
  };

/** The mean over the boards. */
const meanClock: Reader<number> = (value) =>
  whenPresent(listOf((board) => memberIn(asObject(board) ?? {}, 'Data', scaled(1000)))(value), (clocks) =>
    present(Math.round(clocks.reduce((total, clock) => total + clock, 0) / clocks.length / 1000)),
  );

/** Older firmware has one object, newer a list with one, which is there while nothing goes out as well. */
const endpointsOfTraces: Reader<readonly string[]> = (value) => {
  const targets = (asArray(value) ?? [value]).map(asObject);
  if (targets.length === 0 || !targets.every((target) => target !== undefined)) return UNREADABLE;
  const endpoints = targets.map((target) => memberIn(target, 'endpoint', text));
  if (endpoints.some(({ kind }) => kind === 'unknown')) return UNREADABLE;
  return present(endpoints.flatMap((endpoint) => (endpoint.kind === 'present' ? endpoint.value : [])));
};

const tracesGoOut: Reader<boolean> = (value) =>
  whenPresent(endpointsOfTraces(value), (endpoints) => present(endpoints.length > 0));

/** Whoever receives the traces sees what the machine does. */
const receiverOfTraces: Reader<string> = (value) =>
  whenPresent(endpointsOfTraces(value), (endpoints) =>
    endpoints.length === 0 ? ABSENT : present(endpoints.join(' ')),
  );

// ---- network ---------------------------------------------------------------------------------------------------------

/** The one member, named after how the address is given; null while there is none. */
const addressing: Reader<JsonObject> = (value) => {
  const settings = memberOf(asObject(value) ?? {}, ['dhcp', 'static']);
  if (settings === null) return ABSENT;
  const object = asObject(settings);
  return object === undefined ? UNREADABLE : present(object);
};

const inNetwork = <T>(name: string, reader: Reader<T>) =>
  at('network', '', (value) => whenPresent(addressing(value), (settings) => memberIn(settings, name, reader)));

const isDhcp: Reader<boolean> = (value) => {
  const names = Object.keys(asObject(value) ?? {});
  if (names.length !== 1) return UNREADABLE;
  return names[0] === 'dhcp' ? present(true) : names[0] === 'static' ? present(false) : UNREADABLE;
};

// ---- measurements ----------------------------------------------------------------------------------------------------

/** `Hashrate` is [MH/s, % of the target, …]. */
const boardRates: Reader<number> = inRows((boards) =>
  sum(
    boards.map((board) =>
      memberIn(board, 'Hashrate', (rate) => {
        const numbers = asArray(rate);
        return numbers === undefined ? UNREADABLE : scaled(1e6)(numbers[0] ?? null);
      }),
    ),
  ),
);

const boardTemperatures: Reader<number> = inRows((boards) => hottest(boards.map(({ Temperature }) => Temperature)));

/** A place without a fan is null. */
const fanSpeeds: Reader<readonly number[]> = (value) => {
  const fans = asObject(value);
  return fans === undefined ? UNREADABLE : listed(Object.values(fans).map((speed) => rounded(speed)));
};

// ---- recognition -----------------------------------------------------------------------------------------------------

const OWN_SOFTWARE = /^(?:PowerPlay\b|epic-miner\b)/i;

const isOwnSummary = (reply: JsonValue | undefined): boolean => {
  const software: JsonObject[string] | undefined = asObject(reply)?.Software;
  return typeof software === 'string' && OWN_SOFTWARE.test(software);
};

const recognise = ({ http, web }: Clues): 0 | 1 | 2 | 3 => {
  if (isOwnSummary(http.get('/summary'))) return 3;
  return /Miner Web Dashboard/.test(web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const summary: Reading<JsonValue> = answer(replies, 'summary');
  return summary.kind !== 'present' || isOwnSummary(summary.value);
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** ePIC's firmware for its own machines and for its control boards (UMC) in Antminers. */
export const epic = defineDriver({
  family: 'epic',
  title: 'ePIC PowerPlay-BMS (UMC)',
  source: 'PowerPlay API specification 1.22 to 1.38; replies of PowerPlay-BMS 1.5.13',
  recognise,
  stillSpeaks,
  proofs: ['summary'],
  queries: {
    summary: get('/summary', 'pools'),
    split_config: get('/hashratesplit/config', 'pools'),
    split_status: get('/hashratesplit/status', 'pools', isWhole),
    capabilities: get('/capabilities'),
    network: get('/network'),
    otel: get('/otelsettings'),
  },
  facts: {
    'identity.make': inCapabilities('/Model', maker),
    'identity.model': inCapabilities('/Model', text),
    'identity.serial': inCapabilities('/Miner Serial Number', serial),
    'identity.mac': inNetwork('mac_address', mac),
    'identity.control_board': inCapabilities('/Control Board Version', within('cpuHardware', text)),
    'identity.chip_id': inCapabilities('/Control Board Version', within('cpuSerial', serial)),
    'identity.hashboards': inCapabilities('/Board Serial Numbers', boardSerials),
    'identity.psu': firstOf(
      inCapabilities('/Psu Info', within('PSU Serial', serial)),
      insteadOf(inCapabilities('/Psu Info', within('PSU Model', serial))),
    ),
    'firmware.name': inSummary('/Software', softwareWord(0)),
    'firmware.version': inSummary('/Software', softwareWord(1)),
    'firmware.components': components({
      'board.subtype': inCapabilities('/Model Subtype', text),
      'chip.type': inCapabilities('/Chip Type', text),
      'control_board.carrier': inCapabilities('/Control Board Version', within('carrierBoardVersion', scalarText)),
      'control_board.som': inCapabilities('/Control Board Version', within('somBoardVersion', scalarText)),
      'keys.capabilities': keysOf('capabilities', [''], new Set(['Psu Info', 'Miner Serial Number'])),
      'keys.summary': keysOf('summary', [''], new Set(['Last Devfee Error', 'Last License Error'])),
      os: inSummary('/OS Type', text),
      'psu.firmware': inCapabilities('/Psu Info', within('FW', scalarText)),
      'psu.type': inCapabilities('/Psu Info', within('PSU Type', scalarText)),
      software: inSummary('/Software', text),
    }),
    pools: storedAndConnected(configured, connections, withoutSuffix),
    live_pools: connections,
    'config.mode': inSummary('/PerpetualTune/Algorithm', tag),
    'config.power_target_w': inSummary('/PresetInfo/Target Power', rounded),
    'config.freq_mhz': inSummary('/HwConfig/Boards Target Clock', meanClock),
    'config.voltage_mv': inSummary('/Power Supply Stats/Target Voltage', rounded),
    'config.fan_mode': inSummary('/Fans/Fan Mode', (value) =>
      whenPresent(tag(value), worded({ Auto: 'auto', Manual: 'manual' })),
    ),
    'config.temp_limit_mc': inSummary('/Misc/Shutdown Temp', temperatureMc),
    'config.strategy': at('split_config', '/enabled', (value) =>
      whenPresent(flag(value), (on) => present(on ? 'hashrate split' : 'failover')),
    ),
    'config.other': settingsFrom({
      coin: inSummary('/Mining/Coin', text),
      critical_temp: inSummary('/Misc/Critical Temp', scalarText),
      disable_board_on_failure: inSummary('/Disable Board On Failure', scalarText),
      enable_boards_on_idle: inSummary('/Enable Boards On Idle', scalarText),
      'fan.idle_speed': inSummary('/Fans/Fan Mode', chosen('Idle Speed', scalarText)),
      'fan.manual_speed': inSummary('/Fans/Fan Mode/Manual', scalarText),
      'fan.target_temperature': inSummary('/Fans/Fan Mode', chosen('Target Temperature', scalarText)),
      idle_on_connection_lost: inSummary('/IdleOnConnectionLost', scalarText),
      minimum_working_fans: inSummary('/Fans/Minimum Working Fans', scalarText),
      overdrive: inSummary('/Overdrive', scalarText),
      'tune.min_throttle_target': inSummary('/PerpetualTune/Algorithm', chosen('Min Throttle Target', scalarText)),
      'tune.target': inSummary('/PerpetualTune/Algorithm', chosen('Target', scalarText)),
      'tune.unit': inSummary('/PerpetualTune/Algorithm', chosen('Unit', scalarText)),
      worker_unique_id: inSummary('/Stratum/Worker Unique Id', scalarText),
      worker_unique_id_variant: inSummary('/Stratum/Worker Unique Id Variant', scalarText),
    }),
    'network.hostname': inSummary('/Hostname', text),
    'network.dhcp': at('network', '', isDhcp),
    'network.netmask': inNetwork('netmask', text),
    'network.gateway': inNetwork('gateway', text),
    'network.dns': at('network', '', (value) =>
      whenPresent(addressing(value), ({ dns = null, dns2 = null }) =>
        textList([dns, dns2].filter((server) => server !== null)),
      ),
    ),
    'network.address': inNetwork('address', text),
    'access.fleet_manager': at('otel', '', receiverOfTraces),
    'access.cloud': at('otel', '', tracesGoOut),
    'telemetry.hashrate_hs': inSummary('/HBs', boardRates),
    'telemetry.power_w': inSummary('/Power Supply Stats/Input Power', rounded),
    'telemetry.temp_max_mc': inSummary('/HBs', boardTemperatures),
    'telemetry.fans_rpm': inSummary('/Fans Rpm', fanSpeeds),
    'telemetry.elapsed_s': inSummary('/Session/Uptime', rounded),
    'telemetry.accepted': inSummary('/Session/Accepted', count),
    'telemetry.rejected': inSummary('/Session/Rejected', count),
    'telemetry.last_share_age_s': inSummary('/Session/Last Accepted Share Timer', count),
  },
  secrets: ['password'],
  quirks: [
    'Port 4028 speaks HTTP, without any log-in for reads; writes are POSTs with a password in the body, of which the factory one is public: change it.',
    '`Current User` is the configured login with a suffix made of the address, the MAC or the CPU id where `Worker Unique Id` is on; the configured pools carry the login without it.',
    '`Current Pool` has no scheme, the configured pool has one.',
    'With the hash rate split, shares go to several pools at once; the pools of the splits are then the configured ones, their ratio the quota.',
    'unverified: what `StratumConfigs` and `Stratum` say while the hash rate is split; they are then not read.',
    'unverified: that `Current Pool` never names the pool of the maker; it would be taken for a slot that was added.',
    'unverified: that `Config Id` counts the configured pools from 0; it marks the active one.',
    'unverified: the unit of `Target Voltage`, read as mV because 12600 stands beside an output of 12.595 V.',
    'unverified: the answer of `/otelsettings`, where an address means that traces leave the machine (1.30 on).',
    'A path that a version does not offer is 404: before the hash-rate split there is no strategy.',
    'epic-miner 2.0.6 lists no `StratumConfigs`: its configured pools are unknown.',
  ],
  close: [
    'Everybody reads all of port 4028, pools and settings included, and a write needs no more than the password in its body, in clear: change the one of the factory, and let only this gateway and the managing host reach the port.',
  ],
});
