import { ABSENT, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { mean } from './averages.ts';
import { answersOf, describedBy, inRows, lastShareAge, namedRate, numbered } from './cgminer-api.ts';
import {
  asset,
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
import { components, keysOf, settings } from './named-texts.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  flag,
  mac,
  memberIn,
  type Reader,
  scalarText,
  scaled,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { highest, hottest, known, listed, sum } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';
import { accessIn } from './write-access.ts';

/** The token that it gives is the same on all units and never ends; the operator's log-in is used all the same. */
const LOGIN: Login = {
  kind: 'login',
  method: 'GET',
  path: '/user/login',
  as: 'query',
  members: { username: USER, password: PASSWORD, cipher: 'false' },
  gives: { kind: 'token', pointer: '/JWT Token', header: 'Authorization', prefix: 'Bearer ' },
};

const behindLogin = { cadence: 'config', auth: LOGIN } as const;

// ---- boards over the web ---------------------------------------------------------------------------------------------

const ofBoards = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) => at('devs', '/data', inRows(read));

const sumOf = (name: string, factor = 1) =>
  ofBoards((boards) => sum(boards.map((board) => memberIn(board, name, scaled(factor)))));

/** Numbers of a text like `83.0 °C / 73.8 °C` or `2940 rpm / 2940 rpm`; the degree sign may be broken (CK5). */
const numbersIn = (value: JsonValue | undefined): readonly JsonValue[] => {
  // Two values under one name are no number, and do not leave the others for all.
  if (typeof value !== 'string') return typeof value === 'symbol' ? [value] : [];
  return value.split('/').flatMap((part) => /^\s*(-?\d+(?:\.\d+)?)/.exec(part)?.[1] ?? []);
};

/** Scrypt and LB units name four sensors, of which some are not there. */
const TEMPERATURES = ['temp', 'r_temp', 'l_temp', 't_temp', 'm_temp'] as const;

const hottestOf = (boards: readonly JsonObject[]): Reading<number> =>
  hottest(boards.flatMap((board) => TEMPERATURES.flatMap((name) => numbersIn(board[name]))));

/** Every board lists the fans of the whole machine. */
const fansOf = ([board]: readonly JsonObject[]): Reading<readonly number[]> =>
  listed(numbersIn(board?.fanspeed).map(scaled(1)));

// ---- boards over 4028 ------------------------------------------------------------------------------------------------

const ofPrograms = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) => at('boards', '/DEVS', inRows(read));

const hottestSensor = (boards: readonly JsonObject[]): Reading<number> =>
  hottest(boards.flatMap((board) => ['tstemp-0', 'tstemp-1', 'tstemp-2'].map((name) => board[name])));

const fansOfFirst = ([board]: readonly JsonObject[]): Reading<readonly number[]> =>
  listed(numbered(board ?? {}, /^fan\d+$/));

const inSummary = (name: string) => at('summary', `/SUMMARY/0/${name}`, scaled(1));

// ---- settings --------------------------------------------------------------------------------------------------------

/** The level of the power plan, or that the plan is the operator's own. */
const plan: Reader<string> = (value) => {
  const setting = asObject(value);
  if (setting === undefined) return UNREADABLE;
  return whenPresent(memberIn(setting, 'manual', flag), (manual) =>
    manual ? present('manual') : memberIn(setting, 'select', scalarText),
  );
};

/** Members of the settings that are facts of their own. */
const HAS_FACT: ReadonlySet<string> = new Set(['manual', 'name', 'select', 'version']);

/** The stored address is in use where the unit does not ask for one. */
const ifStatic = (name: string): Reader<string> => {
  return (value) => {
    const ip = asObject(value);
    if (ip === undefined) return UNREADABLE;
    return whenPresent(memberIn(ip, 'useDHCP', flag), (dhcp) => {
      const stored = asObject(ip.setIP);
      return dhcp || stored === undefined ? ABSENT : memberIn(stored, name, text);
    });
  };
};

// ---- recognition -----------------------------------------------------------------------------------------------------

const isStatus = (reply: JsonValue | undefined): boolean => {
  const model = asObject(reply)?.model;
  return typeof model === 'string' && /^goldshell/i.test(model);
};

/** Sensors that no other firmware of the CGMiner API names. */
const hasSensors = (reply: JsonValue): boolean =>
  asObject(asArray(asObject(reply)?.DEVS)?.[0])?.['tstemp-0'] !== undefined;

/** Names of the miner program that only these machines have. Some units say `bfgminer`, which others say as well. */
const PROGRAM = /^(intchains|kdaminer|intminer)/i;

const recognise = ({ cgminer: asked, web, http }: Clues): 0 | 1 | 2 | 3 => {
  if (isStatus(http.get('/mcb/status'))) return 3;
  if ([...asked.values()].some((reply) => PROGRAM.test(describedBy(reply)) || hasSensors(reply))) return 2;
  return /<title>\s*cloud-box/i.test(web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const status = answer(replies, 'status');
  if (status.kind === 'present') return isStatus(status.value);
  return answersOf(replies, ['version', 'pools', 'summary']).every((reply) =>
    /^(intchains|kdaminer|intminer|bfgminer|$)/i.test(describedBy(reply)),
  );
};

// ---- driver ----------------------------------------------------------------------------------------------------------

const inStatus = (name: string) => at('status', `/${name}`, text);

/** Goldshell box and rack miners. The model is open to everybody, port 4028 as well where the unit has it; the rest needs a log-in. */
export const goldshell = defineDriver({
  family: 'goldshell',
  title: 'Goldshell (CK, KD, LB, LT, HS, SC, AL, DG)',
  source:
    'delawr0190/foreman-apps, UpstreamData/pyasic, public notes on boxes with firmware 2.2; replies of CK5 and an LB unit',
  recognise,
  stillSpeaks,
  toldByPage: true,
  proofs: ['status'],
  vendorLogin: { user: 'admin', password: '123456789' },
  queries: {
    stored: httpGet('/mcb/pools', { cadence: 'pools', auth: LOGIN }),
    pools: cgminer('pools', { cadence: 'pools' }),
    status: httpGet('/mcb/status'),
    setting: httpGet('/mcb/setting', behindLogin),
    devs: httpGet('/mcb/cgminer?cgminercmd=devs', behindLogin),
    ip: httpGet('/mcb/ip', behindLogin),
    version: cgminer('version'),
    summary: cgminer('summary'),
    boards: cgminer('devs'),
    check: cgminerCheck('addpool'),
  },
  assets: [asset('/')],
  facts: {
    'identity.make': anyOf(known('status', 'Goldshell'), known('devs', 'Goldshell'), known('pools', 'Goldshell')),
    'identity.model': inStatus('model'),
    'identity.mac': at('setting', '/name', mac),
    'identity.control_board': inStatus('hardware'),

    'firmware.name': anyOf(known('status', 'Goldshell'), known('devs', 'Goldshell'), known('pools', 'Goldshell')),
    'firmware.version': inStatus('firmware'),
    'firmware.components': components({
      firmware: inStatus('firmware'),
      hardware: inStatus('hardware'),
      'keys.status': keysOf('status', ['']),
      mcbversion: inStatus('mcbversion'),
      'miner.api': at('version', '/VERSION/0/API', scalarText),
      'miner.description': at('version', '/STATUS/0/Description', scalarText),
      model: inStatus('model'),
      'setting.version': at('setting', '/version', text),
    }),

    pools: storedAndRunning(
      at('stored', '', poolList({ url: 'url', user: 'user', priority: 'pool-priority', active: 'active' })),
      at('pools', '/POOLS', poolList(RUNTIME_POOL)),
    ),
    live_pools: at('pools', '/POOLS', livePools(RUNTIME_POOL)),

    'config.preset': at('setting', '', plan),
    'config.freq_mhz': ofPrograms((boards) => mean(boards.map((board) => memberIn(board, 'clock', scaled(1))))),
    'config.other': at(
      'setting',
      '',
      settings((name) => !HAS_FACT.has(name)),
    ),

    'network.dhcp': at('ip', '/useDHCP', flag),
    'network.netmask': at('ip', '', ifStatic('Subnetmask')),
    'network.gateway': at('ip', '', ifStatic('Router')),
    'network.address': at('ip', '', ifStatic('IPv4addr')),

    'access.api_write': accessIn('check'),

    'telemetry.hashrate_hs': anyOf(sumOf('hashrate', 1e6), at('summary', '/SUMMARY/0', namedRate)),
    'telemetry.temp_max_mc': anyOf(ofBoards(hottestOf), ofPrograms(hottestSensor)),
    'telemetry.fans_rpm': anyOf(ofBoards(fansOf), ofPrograms(fansOfFirst)),
    'telemetry.elapsed_s': anyOf(
      inSummary('Elapsed'),
      ofBoards((boards) => highest(boards.map((board) => memberIn(board, 'time', scaled(1))))),
    ),
    'telemetry.accepted': anyOf(sumOf('accepted'), inSummary('Accepted')),
    'telemetry.rejected': anyOf(sumOf('rejected'), inSummary('Rejected')),
    'telemetry.hw_errors': anyOf(sumOf('hwerrors'), inSummary('Hardware Errors')),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
  },
  quirks: [
    'The log-in carries the password in the URL; it is never written to a log here, but the unit and what is between may keep it.',
    'Tokens are the same on all units and never end, as public notes say: whoever has one of any unit may write over the web.',
    'Two log-ins at once race, and the loser gets 401; a burst of requests stops the backend for a while, so that they go one by one.',
    'Temperatures and fan speeds are texts; the degree sign may be broken (CK5), and sensors that are not there read 0.0 (LB).',
    'Every board lists all fans of the machine (CK5).',
    'The name in the settings is the MAC address.',
    'The power plan has a text of its own on each generation; the level alone is the preset.',
    'Serials of box, control board and hashboards are only in the report that the unit broadcasts (UDP 1314).',
    '`access.api_write` is about port 4028; the web interface is a way in of its own.',
    'unverified: the members of `devs` on port 4028 (`clock`, `fan0`, `tstemp-0`) are known from public notes on SC units only.',
    'unverified: what `useAuto` of the network settings means; it is not read.',
    'unverified: `/mcb/algosetting` and `/cpb/hshistory` answer reads; their members are not known and they are not asked.',
  ],
  close: [
    'A password does not protect the web interface where a token of any unit opens all others, as public notes say: only this gateway and the managing host should reach ports 80 and 4028.',
    'Change the log-in all the same; the factory has admin and 123456789.',
  ],
});
