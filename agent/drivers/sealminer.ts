import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { answersOf, describedBy, lastShareAge, shareDifficulty } from './cgminer-api.ts';
import { numberedIn } from './damaged-names.ts';
import {
  type Clues,
  cgminer,
  cgminerCheck,
  defineDriver,
  httpGet,
  type Login,
  PASSWORD,
  type Replies,
  USER,
} from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import {
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
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { firstRow, hottest, inRow, known, listed, ofRow } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';
import { accessIn } from './write-access.ts';

const rounded = scaled(1);

/** The web pages are PHP behind a session. A page without one sends the browser to the log-in. */
const SESSION: Login = {
  kind: 'login',
  method: 'POST',
  path: '/cgi-bin/login.php',
  as: 'form',
  members: { username: USER, origin_pwd: PASSWORD },
  gives: { kind: 'cookie' },
};

const statsRow = firstRow('STATS');

const inStats = <T>(name: MemberName, reader: Reader<T>) => inRow('stats', statsRow, name, reader);
const inWeb = <T>(name: string, reader: Reader<T>) => at('system_info', `/${name}`, reader);

/** Members whose names begin with the number of a board or a fan, `0 SN`, in the order of the numbers. */
const numberedMembers = (row: JsonObject, template: string): readonly JsonValue[] =>
  numberedIn(row, template).map(({ value }) => value);

// ---- pools -----------------------------------------------------------------------------------------------------------

const pools = storedAndRunning(
  at('poolconf', '/pools', poolList({ url: 'url', user: 'user' })),
  at('pools', '/POOLS', poolList(RUNTIME_POOL)),
);

// ---- settings --------------------------------------------------------------------------------------------------------

/** The web interface gives the mode as a number, and beside it the number of each mode. */
const webMode: Reader<string> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  return whenPresent(memberIn(info, 'miningMode', count), (code) => {
    const name = MODES.find(([member]) => {
      const number = memberIn(info, member, count);
      return number.kind === 'present' && number.value === code;
    });
    return present(name?.[1] ?? String(code));
  });
};

/** In the words of `stats`. */
const MODES = [
  ['low_power', 'Low Power'],
  ['normal', 'Normal'],
  ['high_performance', 'High Performance'],
  ['custom', 'Custom'],
] as const;

// ---- measurements ----------------------------------------------------------------------------------------------------

const workingChips = (row: JsonObject): Reading<number> =>
  whenPresent(memberIn(row, 'Chip Count', count), (chips) =>
    whenPresent(memberIn(row, 'Bad Chip Count', count), (bad) => (bad > chips ? UNREADABLE : present(chips - bad))),
  );

/** The shortest average that the firmware has. */
const RATES = ['MHS(30s)', 'MHS(1m)', 'MHS(5m)', 'MHS(Avg)'];

// ---- recognition -----------------------------------------------------------------------------------------------------

const isOwn = (reply: JsonValue): boolean =>
  /^bdminer\b/i.test(describedBy(reply)) || typeof firstRow('VERSION')(reply)?.BDMiner === 'string';

const recognise = ({ cgminer: replies }: Clues): 0 | 3 => ([...replies.values()].some(isOwn) ? 3 : 0);

const stillSpeaks = (replies: Replies): boolean =>
  answersOf(replies, ['pools', 'version', 'summary', 'stats']).every(isOwn);

// ---- driver ----------------------------------------------------------------------------------------------------------

/** Bitdeer SealMiner, air and hydro: `bdminer` on port 4028, PHP pages behind a log-in. */
export const sealminer = defineDriver({
  family: 'sealminer',
  title: 'Bitdeer SealMiner',
  source: 'replies of a SealMiner A2 with firmware 2025091001; clients of its web pages',
  recognise,
  stillSpeaks,
  vendorLogin: { user: 'seal', password: 'seal' },
  queries: {
    pools: cgminer('pools', { cadence: 'pools' }),
    poolconf: httpGet('/cgi-bin/get_miner_poolconf.php', { cadence: 'pools', auth: SESSION }),
    version: cgminer('version'),
    summary: cgminer('summary'),
    stats: cgminer('stats'),
    check: cgminerCheck('addpool'),
    system_info: httpGet('/cgi-bin/get_system_info.php', { cadence: 'config', auth: SESSION }),
  },
  facts: {
    'identity.make': known('stats', 'Bitdeer'),
    'identity.model': firstOf(inStats('Model', text), inWeb('miner_type', text)),
    'identity.serial': firstOf(inStats('Ctrl Board SN', serial), inWeb('crtl_sn', serial)),
    'identity.mac': firstOf(inStats('MAC', mac), inWeb('macaddr', mac)),
    'identity.control_board': firstOf(inStats('Ctrl Board', text), inWeb('ctrl_version', text)),
    'identity.hashboards': ofRow('stats', statsRow, (row) => listed(numberedMembers(row, '# SN').map(serial))),
    'identity.psu': firstOf(inStats('PSU SN', serial), insteadOf(inStats('PSU Model', serial))),
    'firmware.name': known('stats', 'SealMiner'),
    'firmware.version': firstOf(inStats('Firmware', scalarText), inWeb('firmware_version', scalarText)),
    'firmware.build': inStats('Software Version', text),
    'firmware.components': components({
      api: at('version', '/VERSION/0/API', scalarText),
      bdminer: at('version', '/VERSION/0/BDMiner', scalarText),
      chip: inStats('ASIC', text),
      control_board: inStats('Ctrl Board', text),
      firmware: inStats('Firmware', scalarText),
      'keys.system_info': keysOf('system_info', ['']),
      'keys.version': keysOf('version', ['', '/STATUS/0', '/VERSION/0']),
      'psu.firmware': inStats('PSU Firmware', scalarText),
      'psu.model': inStats('PSU Model', text),
      software: inStats('Software Version', text),
    }),
    pools,
    live_pools: at('pools', '/POOLS', livePools(RUNTIME_POOL)),
    'config.mode': firstOf(inStats('Mining Mode', text), at('system_info', '', webMode)),
    'config.power_limit_w': inStats('Power Limit', rounded),
    'config.freq_mhz': inStats('Freq', rounded),
    'config.voltage_mv': inStats('Chip Voltage', rounded),
    'config.other': settingsFrom({
      debug: inStats('Debug', scalarText),
      fast_raise_freq: inStats('Fast Raise Freq', scalarText),
      hashrate_boost_ratio: inStats('Hashrate Boost Ratio', scalarText),
      liquid_cooling: inStats('Liquid Cooling', scalarText),
      target_ctrl_temp: inStats('Target Ctrl Temp', scalarText),
    }),
    'network.dhcp': inWeb('DHCP', flag),
    'network.address': firstOf(inStats('IP', text), inWeb('ipaddress', text)),
    'access.api_write': accessIn('check'),
    'telemetry.hashrate_hs': ofRow(
      'stats',
      statsRow,
      (row) => RATES.map((name) => memberIn(row, name, scaled(1e6))).find(({ kind }) => kind !== 'absent') ?? ABSENT,
    ),
    'telemetry.power_w': inStats('PSU Input Power', rounded),
    'telemetry.temp_max_mc': ofRow('stats', statsRow, (row) =>
      hottest([
        row.Temp,
        ...Object.keys(row).flatMap((name) => (/^\d+ Temp \d+$/.test(name) ? (row[name] ?? []) : [])),
      ]),
    ),
    'telemetry.fans_rpm': ofRow('stats', statsRow, (row) => listed(numberedMembers(row, '# Speed').map(rounded))),
    'telemetry.chips': ofRow('stats', statsRow, workingChips),
    'telemetry.elapsed_s': inStats('Elapsed', count),
    'telemetry.uptime_s': inStats('System Uptime', count),
    'telemetry.accepted': at('summary', '/SUMMARY/0/Accepted', count),
    'telemetry.rejected': at('summary', '/SUMMARY/0/Rejected', count),
    'telemetry.hw_errors': at('summary', '/SUMMARY/0/Hardware Errors', count),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
    'telemetry.share_difficulty': at('pools', '/POOLS', shareDifficulty),
  },
  secrets: ['pass', 'origin_pwd'],
  quirks: [
    'Port 4028 takes writes from everybody (`reboot`, `ascset` with suspend and network settings): keep it out of reach.',
    'There is no serial of the machine; that of the control board stands for it.',
    'Values of the web pages are texts or numbers without pattern (`"true"`, `"2"`, null).',
    'Estimators such as `Current BTC Price` and `Profit Dayli` move all the time and are not read.',
    'The 5 s rate of `summary` is of shares and jumps; the 30 s rate of `stats` is read.',
    'The button report on UDP 18650 tells pool accounts and passwords to the whole network.',
    'unverified: the members of `get_miner_poolconf.php`, and that its URL may lack the scheme that port 4028 adds.',
    'unverified: that `check` is answered as cgminer does, and whether writes on port 4028 can be switched off.',
    'unverified: how a page answers when the session is over; hydro models; other firmware.',
  ],
  close: [
    'Change the log-in of the web interface; the factory has seal and seal.',
    'Where `access.api_write` is true, port 4028 takes pool changes without a log-in: only this gateway and the managing host should reach it.',
  ],
});
