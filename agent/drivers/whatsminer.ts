import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import {
  answersOf,
  describedBy,
  isUnknownTo,
  lastShareAge,
  rowsOf,
  shareDifficulty,
  sumOfRows,
} from './cgminer-api.ts';
import { numberedIn } from './damaged-names.ts';
import { type Clues, cgminer, defineDriver } from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { CGMINER_POOL, connectedPools, poolsFromZero } from './pools.ts';
import {
  answer,
  anyOf,
  asObject,
  at,
  count,
  firstOf,
  flag,
  insteadOf,
  type MemberName,
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
import {
  elseIfAsked,
  firstRow,
  highest,
  inOrder,
  inRow,
  known,
  listed,
  ofRow,
  type RowFinder,
  sum,
  valuesOf,
} from './rows.ts';
import {
  api3Boards,
  api3Chips,
  api3ControlBoard,
  api3Fans,
  api3Faults,
  api3Pools,
  api3Questions,
  api3Settings,
  inInfo,
  inStatus,
  isDeviceInfo,
} from './whatsminer-api3.ts';
import { luciOf } from './whatsminer-luci.ts';

/** The one row of `summary`; REL3 firmware puts its members into `Msg`. */
const summaryRow: RowFinder = (reply) => firstRow('SUMMARY')(reply) ?? asObject(asObject(reply)?.Msg);

const inSummary = <T>(name: MemberName, reader: Reader<T>) => inRow('summary', summaryRow, name, reader);

/** The `Msg` of the btminer questions, an object where they succeed. */
const messageOf: RowFinder = (reply) => asObject(asObject(reply)?.Msg);

const inMessage = <T, const Name extends string>(query: Name, name: MemberName, reader: Reader<T>) =>
  inRow(query, messageOf, name, reader);

/** Versions come in single quotes from 2020 on, which older parsers needed. A run of them is looked at once, at its start. */
const unquoted: Reader<string> = (value) =>
  whenPresent(text(value), (found) => text(found.replace(/^'+|(?<!')'+$/g, '')));

const rounded = scaled(1);

/** Settings that firmware which does not have them reports as 0. */
const positive =
  (reader: Reader<number>): Reader<number> =>
  (value) =>
    whenPresent(reader(value), (found) => (found > 0 ? present(found) : ABSENT));

/** The largest number of 32 bits stands for no limit (M60S). */
const NO_LIMIT_W = 2_147_483_647;

const powerLimit: Reader<number> = (value) =>
  whenPresent(positive(rounded)(value), (limit) => (limit === NO_LIMIT_W ? ABSENT : present(limit)));

// ---- summary ---------------------------------------------------------------------------------------------------------

/** Names of the rate now, the steadiest of the short ones first. */
const RATES = ['HS RT', 'MHS 1m', 'MHS 5s', 'MHS av'] as const;

/** Readings in °C, of a summary or a board. */
const hottest = (row: JsonObject): Reading<number> =>
  highest(['Chip Temp Max', 'Temperature'].map((name) => memberIn(row, name, temperatureMc)));

const fansOf = (row: JsonObject): Reading<readonly number[]> =>
  listed(['Fan Speed In', 'Fan Speed Out'].map((name) => memberIn(row, name, rounded)));

/** Faults by their codes: as many as are counted, or the others are not all. */
const faultsOf = (row: JsonObject): Reading<readonly string[]> => {
  const counted = memberIn(row, 'Error Code Count', count);
  const codes = listed(numberedIn(row, 'Error Code #').map(({ value }) => whenPresent(count(value), asText)));
  if (counted.kind !== 'present' || codes.kind === 'unknown') return counted.kind === 'unknown' ? counted : codes;
  const told = codes.kind === 'present' ? codes.value.length : 0;
  return told < counted.value ? UNREADABLE : codes;
};

const asText = (code: number): Reading<string> => present(String(code));

/** Platform and version of the control board, as far as the summary has them. */
const controlBoardOf = (row: JsonObject): Reading<string> =>
  whenPresent(listed(['CB Platform', 'CB Version'].map((name) => memberIn(row, name, text))), (parts) =>
    present(parts.join(' ')),
  );

/** The description names a version only in the years of cgminer. */
const describedVersion: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (/\d/.test(found) ? present(found) : ABSENT));

// ---- boards ----------------------------------------------------------------------------------------------------------

const slotOf = (row: JsonObject): Reading<number> => memberIn(row, ['Slot', 'ASC'], rounded);

/** Something of the boards, in slot order: `edevs` where the firmware has it, else `devs`. */
const ofBoards = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) => {
  const boards: Reader<T> = (value) => {
    const rows = rowsOf(value) ?? [];
    return rows.length === 0 ? UNREADABLE : whenPresent(inOrder(rows, slotOf), read);
  };
  return firstOf(at('edevs', '/DEVS', boards), at('devs', '/DEVS', boards));
};

/** REL3 rows have no `ASC`, and their rates, still named MHS, are TH/s; its summary stays MH/s. */
const boardRate = (board: JsonObject): Reading<number> => {
  const inUnit = scaled(board.ASC === undefined ? 1e12 : 1e6);
  return RATES.map((name) => memberIn(board, name, inUnit)).find(({ kind }) => kind !== 'absent') ?? ABSENT;
};

/** Boards repeat the fans of the summary. */
const fans = elseIfAsked(
  ofRow('summary', summaryRow, fansOf),
  ofBoards(([board]) => fansOf(board ?? {})),
);

const isLiquidCooled = inSummary('Liquid Cooling', flag);

/** Liquid cooled units have no fans, and report their speed as 0 all the same. */
const fansWhereAny: typeof fans = {
  ...fans,
  read: (replies) =>
    whenPresent(fans.read(replies), (speeds) => {
      const standing = speeds.every((speed) => speed === 0);
      return standing && valuesOf([isLiquidCooled.read(replies)])[0] === true ? ABSENT : present(speeds);
    }),
};

// ---- recognition -----------------------------------------------------------------------------------------------------

const NAMES = /btminer|bitmicro|whatsminer/i;

const describes = (reply: JsonValue): boolean => NAMES.test(describedBy(reply));

/** No other firmware of the CGMiner API has both. */
const isOwnSummary = (reply: JsonValue): boolean => {
  const row = summaryRow(reply);
  return row?.['Fan Speed In'] !== undefined && row['Fan Speed Out'] !== undefined;
};

const isOwnVersion = (reply: JsonValue): boolean => {
  const message = messageOf(reply);
  return message?.api_ver !== undefined && message.fw_ver !== undefined;
};

const isOwn = (reply: JsonValue): boolean => describes(reply) || isOwnSummary(reply) || isOwnVersion(reply);

const recognise = ({ cgminer: replies, framed, web }: Clues): 0 | 1 | 2 | 3 => {
  if (isDeviceInfo(framed?.get('get.device.info'))) return 3;
  if ([...replies.values()].some(isOwn)) return 3;
  if (web === undefined) return 0;
  if (/<title>[^<]*whatsminer/i.test(web.body)) return 2;
  // LuCI alone is OpenWrt, as on routers and other makers' miners: only beside a program on 4028 it makes the summary worth asking.
  const isHint = replies.size > 0 && !replies.has('summary');
  return isHint && /^https:.*\/cgi-bin\/luci/.test(web.location ?? '') ? 1 : 0;
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** How the address is given: `dhcp` or `static`. */
const isDhcp: Reader<boolean> = (value) => flag(value === 'dhcp' ? true : value === 'static' ? false : value);

const minerInfo = <T>(name: MemberName, reader: Reader<T>) => inMessage('get_miner_info', name, reader);
const version = <T>(name: MemberName, reader: Reader<T>) => inMessage('get_version', name, reader);
const psu = <T>(name: MemberName, reader: Reader<T>) => inMessage('get_psu', name, reader);
const state = <T>(name: MemberName, reader: Reader<T>) => inMessage('status', name, reader);

/** Some firmware knows the questions of btminer only under `cmd`, cgminer builds only `command`. */
const byEitherKey = { cadence: 'config', key: 'either' } as const;

const firmwareVersion = firstOf(
  version('fw_ver', unquoted),
  inSummary('Firmware Version', unquoted),
  state(['FirmwareVersion', 'Firmware Version'], unquoted),
);

const luci = luciOf((reply) => isOwn(reply) || isDeviceInfo(reply));

/** MicroBT WhatsMiner: the cgminer of 2018, btminer with API 1.x and 2.x, the 2.x dialect of API 3 (REL3), and API 3 itself. */
export const whatsminer = defineDriver({
  family: 'whatsminer',
  title: 'MicroBT WhatsMiner (cgminer, API 1.x, 2.x, REL3, API 3)',
  source: 'WhatsMiner API documents 1.3.8, 2.0.x and 3.0; replies of units from 2018 to 2026',
  recognise,
  stillSpeaks: (replies) => {
    const summary = answer(replies, 'summary');
    if (summary.kind === 'present') return describes(summary.value) || isOwnSummary(summary.value);
    return !isUnknownTo(replies, 'summary') || answersOf(replies, ['api3_info']).length > 0;
  },
  // The cgminer of 2018 to 2020 shows its maker in the summary alone.
  proofs: ['summary', 'api3_info'],
  queries: {
    summary: cgminer('summary', { cadence: 'pools' }),
    pools: cgminer('pools', { cadence: 'pools' }),
    get_version: cgminer('get_version', byEitherKey),
    get_miner_info: cgminer('get_miner_info', byEitherKey),
    get_psu: cgminer('get_psu', byEitherKey),
    status: cgminer('status', byEitherKey),
    devdetails: cgminer('devdetails'),
    edevs: cgminer('edevs'),
    devs: cgminer('devs'),
    ...api3Questions(firmwareVersion.read),
    luci: luci.query,
  },
  facts: {
    'identity.make': firstOf(known('summary', 'MicroBT'), known('api3_summary', 'MicroBT')),
    'identity.model': firstOf(
      version('miner_type', text),
      inRow('devdetails', firstRow('DEVDETAILS'), 'Model', text),
      inInfo('/miner/type', text),
      luci.model,
    ),
    'identity.serial': firstOf(minerInfo('minersn', serial), inInfo('/miner/miner-sn', serial)),
    'identity.mac': firstOf(minerInfo('mac', mac), inSummary('MAC', mac), inInfo('/network/mac', mac)),
    'identity.control_board': firstOf(
      ofRow('summary', summaryRow, controlBoardOf),
      api3ControlBoard,
      version('platform', text),
    ),
    'identity.hashboards': firstOf(
      ofBoards((boards) => listed(boards.map((board) => memberIn(board, 'PCB SN', serial)))),
      api3Boards,
    ),
    'identity.psu': firstOf(
      psu('serial_no', serial),
      minerInfo('powersn', serial),
      inInfo('/power/sn', serial),
      insteadOf(psu(['model', 'name'], serial)),
      insteadOf(inInfo('/power/model', serial)),
    ),

    'firmware.name': firstOf(known('summary', 'WhatsMiner'), known('api3_summary', 'WhatsMiner')),
    'firmware.version': firstOf(
      firmwareVersion,
      inInfo('/system/fwversion', unquoted),
      at('summary', '/STATUS/0/Description', describedVersion),
    ),
    'firmware.kernel': luci.kernel,
    'firmware.components': components({
      'api3.api': inInfo('/system/api', text),
      'api3.control_board': inInfo('/system/control-board-version', text),
      'api3.fwversion': inInfo('/system/fwversion', unquoted),
      'api3.platform': inInfo('/system/platform', text),
      'api3.psu_hwversion': inInfo('/power/hwversion', text),
      'api3.psu_swversion': inInfo('/power/swversion', text),
      api_ver: version('api_ver', text),
      cb_platform: inSummary('CB Platform', text),
      cb_version: inSummary('CB Version', text),
      description: at('summary', ['/STATUS/0/Description', '/Description'], text),
      fw_ver: version('fw_ver', unquoted),
      'keys.api3_info': keysOf('api3_info', ['', '/msg/miner', '/msg/network', '/msg/power', '/msg/system']),
      'keys.get_miner_info': keysOf('get_miner_info', ['', '/Msg']),
      'keys.get_version': keysOf('get_version', ['', '/Msg']),
      'luci.firmware_version': luci.version,
      'luci.hardware_info': luci.hardware,
      'luci.kernel_version': luci.kernel,
      platform: version('platform', text),
      'psu.hw_version': psu('hw_version', text),
      'psu.sw_version': psu('sw_version', text),
      'status.firmware_version': state(['FirmwareVersion', 'Firmware Version'], unquoted),
      'summary.firmware_version': inSummary('Firmware Version', unquoted),
    }),

    pools: firstOf(
      // cgminer counts its pools from 0 and btminer from 1.
      at('pools', '/POOLS', poolsFromZero(CGMINER_POOL)),
      anyOf(at('api3_pools', '/msg/pools', api3Pools), at('api3_both', '/msg/pools', api3Pools)),
    ),

    live_pools: at('pools', '/POOLS', connectedPools),

    'config.mode': firstOf(inSummary('Power Mode', text), state('power_mode', text)),
    'config.power_limit_w': firstOf(
      inSummary('Power Limit', powerLimit),
      state('power_limit_set', powerLimit),
      inStatus('power-limit', powerLimit),
    ),
    'config.freq_mhz': firstOf(
      inSummary('Target Freq', positive(rounded)),
      inSummary('freq_avg', positive(rounded)),
      inStatus('freq-avg', positive(rounded)),
    ),
    'config.strategy': inInfo('/miner/pool-strategy', text),
    'config.other': firstOf(
      settingsFrom({
        btminer_fast_boot: inSummary('Btminer Fast Boot', scalarText),
        fast_hash: state('fast_hash', scalarText),
        fast_mining: state('fast_mining', scalarText),
        hash_percent: state('hash_percent', scalarText),
        liquid_cooling: inSummary('Liquid Cooling', scalarText),
        power_limit_set: state('power_limit_set', scalarText),
        power_pct: state('power_pct', scalarText),
        security_mode: inSummary('Security Mode', scalarText),
        upfreq_speed: minerInfo('upfreq_speed', scalarText),
      }),
      api3Settings,
    ),

    'network.hostname': firstOf(minerInfo('hostname', text), inInfo('/network/hostname', text)),
    'network.dhcp': firstOf(minerInfo('proto', isDhcp), inInfo('/network/proto', isDhcp)),
    'network.netmask': firstOf(minerInfo('netmask', text), inInfo('/network/netmask', text)),
    'network.gateway': firstOf(minerInfo('gateway', text), inInfo('/network/gateway', text)),
    'network.dns': firstOf(minerInfo('dns', textList), inInfo('/network/dns', textList)),
    'network.ntp': minerInfo('ntp', textList),
    'network.address': anyOf(minerInfo('ip', text), inInfo('/network/ip', text)),

    'access.api_switch': inInfo('/system/apiswitch', flag),

    'telemetry.hashrate_hs': elseIfAsked(
      firstOf(...RATES.map((name) => inSummary(name, scaled(1e6)))),
      inStatus('hash-realtime', scaled(1e12)),
      ofBoards((boards) => sum(boards.map(boardRate))),
    ),
    'telemetry.power_w': anyOf(
      inSummary('Power', rounded),
      inSummary('Power_RT', rounded),
      inStatus('power-realtime', rounded),
    ),
    'telemetry.temp_max_mc': elseIfAsked(
      ofRow('summary', summaryRow, hottest),
      inStatus('chip-temp-max', temperatureMc),
      ofBoards((boards) => highest(boards.map(hottest))),
    ),
    'telemetry.fans_rpm': anyOf(fansWhereAny, api3Fans),
    'telemetry.chips': anyOf(
      ofBoards((boards) => sum(boards.map((board) => memberIn(board, 'Effective Chips', rounded)))),
      api3Chips,
    ),
    'telemetry.elapsed_s': anyOf(inSummary('Elapsed', rounded), inStatus('elapsed', rounded)),
    'telemetry.uptime_s': inSummary('Uptime', rounded),
    'telemetry.accepted': anyOf(inSummary('Accepted', rounded), at('pools', '/POOLS', sumOfRows('Accepted'))),
    'telemetry.rejected': anyOf(inSummary('Rejected', rounded), at('pools', '/POOLS', sumOfRows('Rejected'))),
    'telemetry.hw_errors': inSummary('Hardware Errors', rounded),
    'telemetry.faults': anyOf(ofRow('summary', summaryRow, faultsOf), api3Faults),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  quirks: [
    'REL3 firmware (2026) answers `summary` with its members in `Msg`, without MAC and firmware version (M7B).',
    'REL3 board rates are TH/s although they are named MHS; the summary beside them stays MH/s (M6, M7B).',
    'Some firmware from late 2020 on answers `get_*` only where it is asked for by `cmd`; cgminer builds reject that key with code 24.',
    'REL3 refuses `devdetails` as deprecated and names the model in `get_version` (M7B).',
    'btminer counts its pools from 1, the cgminer before it from 0; slots here count from 0.',
    'The firmware version may stand in quotes, in 2020 with a backslash that is not JSON (H3 board).',
    'Two slots may report the same board serial (M7B).',
    '`Voltage` and `Power Current` changed their scale between firmwares and are not read.',
    '`Chip Data` names a production lot, the same in many machines, and is not read as an identity.',
    'A power limit of 2147483647 W is none (M60S).',
    'Hydro models (M33, M53, M63) report fans at 0; they have none.',
    '`get_token` hands out one of few tokens and is never asked.',
    'API 3 on port 4433 stands beside port 4028 on firmware from the end of 2024 on; its description of the device is read there as well, all of it where 4028 is closed.',
    'The kernel line with the time of its build stands in the LuCI page `overview` alone: HTTPS behind a session. It is read where the operator gave the log-in of LuCI, at full looks, from a device that showed itself as a WhatsMiner in the same look. The model of cgminer builds stands there, too.',
    'The certificate of LuCI is made by the device itself: the password goes to whoever answers at that address, until the TLS key is in the reference of the device (`schedule.tls`). From then on another key is sent nothing, and the page is `unknown: unreachable` until a person accepts that key.',
    'The LuCI page is taken apart strictly: one with other markup, in another language, or with a character that is not UTF-8 is `unknown: unreadable`.',
    '`Hardware Info` of the LuCI page joins model, control board, power supply and chip; it is one component of the firmware and not taken apart. In 2019 the same stood under `Hostname`, with a number of unknown meaning behind it; that is not read.',
    'Unverified: the log-in of LuCI and the page before 2019. The stored pools, as against the running ones, stand in the LuCI page `admin/network/btminer`, whose shape is in no document or reply at hand; it is not asked. Nor is `btminerapi`, a log for people, chip by chip.',
    'unverified: the members of `get.miner.setting`, `get.system.setting` and `get.fan.setting` (fans, time servers), which are not asked.',
    'API 3 names the mode of the power supply by a number whose meaning is not documented; it is not read. Nor is `bootup-time`: on the recorded M60S it is 1323 s beside 50000 s of mining, and so no time since the start.',
    'Faults are told by their codes, in the summary of port 4028 and by API 3; the settings of API 3 are read where port 4028 is closed, under names of their own (`api3.`), as the two may spell them differently.',
    'API 3 names no host that a pool is connected to: with port 4028 closed, a redirect does not show.',
    'The pools of API 3 have the slots of their `id`; the recorded M60S has none, and the places of the rows count.',
  ],
  close: [
    'Switch writes over the API off (`access.api_switch`; that they are on is a fact, and a finding only where it changes) and change the factory passwords: whoever knows them gives orders over 4028 and 4433.',
    'Port 8889 of the vendor tool sets pools, passwords and firmware: only the managing host should reach it.',
  ],
});
