import { ABSENT, type OtherSetting, type PoolSlot, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { imitatesStock } from './bitmain-api.ts';
import {
  answersOf,
  describedBy,
  lastShareAge,
  namedRate,
  numbered,
  rowsOf,
  SUMMARY_COUNTS,
  shareDifficulty,
} from './cgminer-api.ts';
import { asset, type Clues, cgminer, cgminerCheck, defineDriver, type Replies, type Source } from './driver.ts';
import { components, keysOf, settings, settingsFrom } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, type PoolMembers, poolList, RUNTIME_POOL } from './pools.ts';
import {
  asObject,
  at,
  count,
  firstOf,
  flag,
  mac,
  memberIn,
  type Reader,
  scalarText,
  scaled,
  serial,
  temperatureMc,
  text,
  textList,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { above, firstRow, inOrder, known, listed, sum } from './rows.ts';
import { accessIn } from './write-access.ts';

const inConfig = <T>(name: string, reader: Reader<T>) => at('config', `/CONFIG/0/${name}`, reader);
const inVersion = <T>(name: string, reader: Reader<T>) => at('version', `/VERSION/0/${name}`, reader);
const inStats = <T>(name: string, reader: Reader<T>) => at('stats', `/STATS/1/${name}`, reader);

// ---- recognition -----------------------------------------------------------------------------------------------------

const NAME = /^luxminer\b/i;

/** By `Description`, by the key of VERSION, or by the operating system in CONFIG: some builds imitate the rest. */
const isOwn = (reply: JsonValue): boolean =>
  NAME.test(describedBy(reply)) ||
  firstRow('VERSION')(reply)?.LUXminer !== undefined ||
  firstRow('CONFIG')(reply)?.OS === 'LuxOS';

const recognise = ({ cgminer: replies, web }: Clues): 0 | 1 | 2 | 3 => {
  if ([...replies.values()].some(isOwn)) return 3;
  if (/luxor firmware/i.test(web?.body ?? '')) return 2;
  return imitatesStock(firstRow('VERSION')(replies.get('version'))) && !replies.has('config') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const answers = answersOf(replies, ['pools', 'summary', 'version', 'config']);
  return answers.length === 0 || answers.some(isOwn);
};

/** The version behind the name, where VERSION imitates another program. */
const described: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (NAME.test(found) ? text(found.replace(NAME, '')) : ABSENT));

// ---- identity --------------------------------------------------------------------------------------------------------

const maker: Reader<string> = (value) =>
  whenPresent(text(value), (model) => (/^antminer\b/i.test(model) ? present('Bitmain') : ABSENT));

/** `devs` lists the boards in no order; their `ID` is the place. */
const boardSerials: Reader<readonly string[]> = (section) => {
  const rows = rowsOf(section);
  if (rows === undefined || rows.length === 0) return UNREADABLE;
  return whenPresent(
    inOrder(rows, (row) => memberIn(row, 'ID', count)),
    (inPlace) => listed(inPlace.map((row) => memberIn(row, 'SerialNumber', serial))),
  );
};

// ---- pools -----------------------------------------------------------------------------------------------------------

const SHARED_POOL: PoolMembers = { ...RUNTIME_POOL, share: 'share' };

const isFraction = ({ Quota }: JsonObject): boolean => typeof Quota === 'number' && !Number.isInteger(Quota);

/** The quota of the group that the pool of this row is in, in millionths. */
const groupOf = (row: JsonObject): { readonly group: number; readonly quota: number } | undefined => {
  const [group, quota] = [memberIn(row, 'GROUP', count), memberIn(row, 'Quota', scaled(1e6))];
  if (group.kind !== 'present' || quota.kind !== 'present' || quota.value < 0) return undefined;
  return { group: group.value, quota: quota.value };
};

/** Rows with the part of all work that their groups get; undefined where one of them does not tell which that is: its part would be that of others. */
const withShares = (rows: readonly JsonObject[]): readonly JsonObject[] | undefined => {
  const quotas = new Map<number, number>();
  const shared: { readonly row: JsonObject; readonly quota: number }[] = [];
  for (const row of rows) {
    const { group, quota } = groupOf(row) ?? {};
    if (group === undefined || quota === undefined || quotas.getOrInsert(group, quota) !== quota) return undefined;
    shared.push({ row, quota });
  }
  const all = quotas.values().reduce((sum, quota) => sum + quota, 0);
  return shared.map(({ row, quota }) => ({ ...row, share: Math.round((quota / all) * 1e6) }));
};

/**
 * Each row tells the quota of its group beside those of the others. A slot's is a whole number: where an operator made one a
 * fraction, all slots have the part of all work that it comes to.
 */
const pools: Reader<readonly PoolSlot[]> = (section) => {
  const rows = rowsOf(section);
  if (rows === undefined) return UNREADABLE;
  if (!rows.some(isFraction)) return poolList(CGMINER_POOL)([...rows]);
  const shared = withShares(rows);
  return shared === undefined ? UNREADABLE : poolList(SHARED_POOL)([...shared]);
};

// ---- settings --------------------------------------------------------------------------------------------------------

/** While ATM is on it moves the profile by itself, which is then no setting. */
const preset: Reader<string> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  return whenPresent(memberIn(row, 'IsAtmEnabled', flag), (moves) => (moves ? ABSENT : memberIn(row, 'Profile', text)));
};

const FAN_MODES: { readonly [theirs: string]: string } = { automatic: 'auto', auto: 'auto', manual: 'manual' };

const fanMode: Reader<string> = (value) =>
  whenPresent(text(value), (found) => present(FAN_MODES[found.toLowerCase()] ?? found));

/** Settings of CONFIG that are no facts of their own; the others there count, measure or describe the moment. */
const SETTINGS: ReadonlySet<string> = new Set([
  'Cooling',
  'ImmersionMode',
  'IsAtmEnabled',
  'LogFileLevel',
  'UpdateOnStartup',
  'UpdateOnTimeout',
  'UpdateOnUser',
  'UpdateTimeout',
]);

const inAtm = (name: string) => at('atm', `/ATM/0/${name}`, scalarText);
const inFanControl = (name: string) => at('fans', `/FANCTRL/0/${name}`, scalarText);
const inTempControl = (name: string) => at('tempctrl', `/TEMPCTRL/0/${name}`, scalarText);

const namedSettings = settingsFrom({
  'atm.max-profile': inAtm('MaxProfile'),
  'atm.min-profile': inAtm('MinProfile'),
  'atm.post-ramp-minutes': inAtm('PostRampMinutes'),
  'atm.startup-minutes': inAtm('StartupMinutes'),
  'atm.temp-window': inAtm('TempWindow'),
  'fans.min': inFanControl('MinFans'),
  'fans.power-off-speed': inFanControl('PowerOffSpeed'),
  'temp.hot': inTempControl('Hot'),
  'temp.target': inTempControl('Target'),
});

/** Each group of pools as `group.<number>`: its share, and its name. */
const groups: Reader<readonly OtherSetting[]> = (section) => {
  const rows = rowsOf(section);
  if (rows === undefined || rows.length === 0) return UNREADABLE;
  const found: OtherSetting[] = [];
  for (const row of rows) {
    const number = memberIn(row, 'GROUP', count);
    const quota = memberIn(row, 'Quota', scalarText);
    const name = memberIn(row, 'Name', text);
    if (number.kind !== 'present' || quota.kind !== 'present' || name.kind === 'unknown') return UNREADABLE;
    const label = name.kind === 'present' ? ` ${name.value}` : '';
    found.push({ key: `group.${number.value}`, value: `${quota.value}${label}` });
  }
  return present(found);
};

const SETTING_LISTS = [
  at(
    'config',
    '/CONFIG/0',
    settings((name) => SETTINGS.has(name)),
  ),
  at('groups', '/GROUPS', groups),
  namedSettings,
] as const;

/** All of them, or none: a setting that is missing would look removed. */
const otherSettings: Source<readonly OtherSetting[], 'config' | 'groups' | 'atm' | 'fans' | 'tempctrl'> = {
  queries: SETTING_LISTS.flatMap(({ queries }) => queries),
  read: (replies) => {
    const readings = SETTING_LISTS.map((list): Reading<readonly OtherSetting[]> => list.read(replies));
    const closed = readings.find((reading) => reading.kind === 'unknown' && reading.reason !== 'unsupported');
    if (closed !== undefined) return closed;
    const found = readings.flatMap((reading) => (reading.kind === 'present' ? reading.value : []));
    return found.length === 0 ? ABSENT : present(found.sort((a, b) => (a.key < b.key ? -1 : 1)));
  },
};

// ---- access ----------------------------------------------------------------------------------------------------------

/** The id of the open session is enough to use it: whether there is one is all that is read of it. */
const hasSession: Reader<boolean> = (id) => (typeof id === 'string' ? present(id.trim() !== '') : UNREADABLE);

// ---- measurements ----------------------------------------------------------------------------------------------------

const ofStats =
  <T>(name: RegExp, read: (values: readonly Reading<number>[]) => Reading<T>): Reader<T> =>
  (value) => {
    const row = asObject(value);
    return row === undefined ? UNREADABLE : read(numbered(row, name));
  };

const fanSpeeds: Reader<readonly number[]> = (section) => {
  const rows = rowsOf(section);
  if (rows === undefined) return UNREADABLE;
  return listed(
    above(
      0,
      rows.map((row) => memberIn(row, 'RPM', scaled(1))),
    ),
  );
};

/** 0 stands for a sensor that is not there. */
const measured =
  (reader: Reader<number>): Reader<number> =>
  (value) =>
    whenPresent(reader(value), (found) => (found > 0 ? present(found) : ABSENT));

/** A pool that never took a share gives the time since the start in the place of the age of its last one (S19k Pro). */
const shareAge: Reader<number> = (reply) => {
  const object = asObject(reply);
  const rows = rowsOf(object?.POOLS);
  if (object === undefined || rows === undefined) return UNREADABLE;
  return lastShareAge('Last Share Time')({ ...object, POOLS: rows.filter(({ Accepted }) => Accepted !== 0) });
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** LuxOS, the firmware of Luxor on Antminers. Port 4028 answers everything, and takes pool changes, without any log-in. */
export const luxos = defineDriver({
  family: 'luxos',
  title: 'LuxOS (LUXminer)',
  source: 'docs.luxor.tech LuxOS API; command list and test data of luxos-tooling; replies of an S19k Pro, 2025.4.8',
  recognise,
  stillSpeaks,
  proofs: ['config'],
  // Connections that follow each other within a second may be refused.
  pauseMs: 1000,
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    summary: cgminer('summary', { cadence: 'pools' }),
    version: cgminer('version'),
    config: cgminer('config'),
    stats: cgminer('stats'),
    devs: cgminer('devs'),
    power: cgminer('power'),
    fans: cgminer('fans'),
    groups: cgminer('groups'),
    atm: cgminer('atm'),
    tempctrl: cgminer('tempctrl'),
    session: cgminer('session'),
    may_add_pool: cgminerCheck('addpool'),
  },
  assets: [asset('/')],
  facts: {
    'identity.make': firstOf(inVersion('Type', maker), inConfig('Model', maker)),
    'identity.model': firstOf(inConfig('Model', text), inVersion('Type', text)),
    'identity.serial': inConfig('SerialNumber', serial),
    'identity.mac': firstOf(inConfig('MACAddr', mac), inStats('miner_id', mac)),
    'identity.control_board': inConfig('ControlBoardType', text),
    'identity.hashboards': at('devs', '/DEVS', boardSerials),
    'identity.psu': inConfig('PSULabel', text),

    'firmware.name': known('version', 'LuxOS'),
    'firmware.version': firstOf(inVersion('LUXminer', text), at('version', '/STATUS/0/Description', described)),
    'firmware.build': firstOf(inVersion('CompileTime', text), at('stats', '/STATS/0/CompileTime', text)),
    'firmware.components': components({
      'config.fpga': inConfig('FPGABuildIdHex', scalarText),
      'config.os': inConfig('OS', scalarText),
      'config.psu-hardware': inConfig('PSUHwVersion', scalarText),
      'keys.config': keysOf('config', ['', '/CONFIG/0']),
      'keys.version': keysOf('version', ['', '/VERSION/0']),
      'version.api': inVersion('API', scalarText),
      'version.build': inVersion('CompileTime', scalarText),
      'version.description': at('version', '/STATUS/0/Description', scalarText),
      'version.luxminer': inVersion('LUXminer', scalarText),
      'version.miner': inVersion('Miner', scalarText),
      'version.type': inVersion('Type', scalarText),
    }),

    pools: at('pools', '/POOLS', pools),
    live_pools: at('pools', '/POOLS', connectedPools),

    'config.mode': inConfig('CurtailMode', text),
    'config.preset': at('config', '/CONFIG/0', preset),
    'config.freq_mhz': inStats('frequency', measured(scaled(1))),
    'config.fan_mode': at('tempctrl', '/TEMPCTRL/0/Mode', fanMode),
    'config.temp_limit_mc': at('tempctrl', '/TEMPCTRL/0/Dangerous', temperatureMc),
    'config.strategy': inConfig('Strategy', text),
    'config.other': otherSettings,

    'network.hostname': inConfig('Hostname', text),
    'network.dhcp': inConfig('DHCP', flag),
    'network.netmask': inConfig('Netmask', text),
    'network.gateway': inConfig('Gateway', text),
    'network.dns': inConfig('DNS Servers', textList),
    'network.address': inConfig('IPAddr', text),

    'access.api_write': accessIn('may_add_pool'),
    'access.update_source': inConfig('UpdateSource', text),
    'access.write_session': at('session', '/SESSION/0/SessionID', hasSession),

    'telemetry.hashrate_hs': at('summary', '/SUMMARY/0', namedRate),
    'telemetry.power_w': at('power', '/POWER/0/Watts', scaled(1)),
    'telemetry.temp_max_mc': inStats('temp_max', measured(temperatureMc)),
    'telemetry.fans_rpm': at('fans', '/FANS', fanSpeeds),
    'telemetry.chips': at('stats', '/STATS/1', ofStats(/^chain_acn\d+$/, sum)),
    ...SUMMARY_COUNTS,
    'telemetry.last_share_age_s': at('pools', '', shareAge),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  // Whoever knows the id of the open session can write.
  secrets: ['SessionID'],
  quirks: [
    'Several groups of pools mine at the same time, each with a pool of its own that is active (S19k Pro).',
    'Groups share the work by their quotas. Where one of these is a fraction, slots have their part of all work, `share_ppm`, instead of `quota`.',
    'Pool changes need no session, and the session that other changes need is a lock, not a log-in.',
    'Questions are a second apart, as connections that follow each other faster may be refused; a full look takes a quarter of a minute.',
    'While ATM is on it moves the profile by itself, and no preset is read.',
    '`devs` lists the boards in no order (S19k Pro).',
    'The MAC may be a locally administered one (S19k Pro).',
    '`PSULabel` names the model of the power supply; there is no serial of it.',
    'Some builds imitate the version members of stock firmware, but for API 3.7: such a device is asked for its landing page and `config`, whose operating system tells it, before it is taken for one or the other.',
    'unverified: that a group gets the part of the work that its quota is of the sum of all.',
    'unverified: that `check` answers for pool commands as cgminer does.',
    'unverified: `Mode` and `Dangerous` of `tempctrl`, which are read as bosminer has them.',
    'Voltages and chips are asked for board by board and stall the API of 2026.4.3; they, `profiles` and `limits` are not read.',
    '`updatecheck` may call the update server, and `logon` takes the one session: neither is asked.',
  ],
  close: [
    'Nothing protects port 4028: whoever reaches it redirects the hash rate. Only this gateway and the managing host should reach it.',
    'Set `UpdateSource` and the times of updates as the site wants them; they are watched.',
  ],
});
