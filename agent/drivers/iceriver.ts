import { ABSENT, type PoolSlot, present, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { mean } from './averages.ts';
import { inRows } from './cgminer-api.ts';
import {
  asset,
  type Clues,
  defineDriver,
  httpPost,
  type Login,
  PASSWORD,
  type Replies,
  type Source,
  USER,
} from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { firstNumber, livePools, type PoolMembers, poolList } from './pools.ts';
import { rateWithLetter } from './rate-text.ts';
import {
  always,
  answer,
  asArray,
  asObject,
  firstOf,
  flag,
  listOf,
  mac,
  memberIn,
  type Pointer,
  place,
  type Reader,
  scalarText,
  scaled,
  temperatureMc,
  text,
  textList,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { highest, known, sum } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';

// ---- replies ---------------------------------------------------------------------------------------------------------

/** What `error` says besides 0 (the site's own scripts). */
const NOT_LOGGED_IN = 1004;
const MINER_OFFLINE: ReadonlySet<unknown> = new Set([7001, 7002, 7003]);

/** Older firmware answers without a session, newer sends the browser to its log-in page. */
const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/user/loginpost',
  as: 'form',
  members: { post: '6', user: USER, pwd: PASSWORD },
  gives: { kind: 'cookie' },
  over: (document) => asObject(document)?.error === NOT_LOGGED_IN,
  ifAsked: true,
};

const dataIn = (reply: JsonValue): Reading<JsonObject> => {
  const { error, data } = asObject(reply) ?? {};
  if (error === NOT_LOGGED_IN) return unknown('refused');
  if (MINER_OFFLINE.has(error)) return unknown('unreachable');
  const object = asObject(data);
  return error !== 0 || object === undefined ? UNREADABLE : present(object);
};

/** A fact at a place of `data`. */
const inData =
  <const Name extends string>(query: Name) =>
  <T>(pointer: Pointer, reader: Reader<T>): Source<T, Name> => {
    const find = place(pointer);
    return {
      queries: [query],
      read: (replies) =>
        whenPresent(whenPresent(answer(replies, query), dataIn), (data) => {
          const found = find(data);
          return found.kind === 'present' ? reader(found.value) : found;
        }),
    };
  };

const inPanel = inData('panel');
const inMachine = inData('machine');
const inNetwork = inData('network');

// ---- pools -----------------------------------------------------------------------------------------------------------

const POOL: PoolMembers = {
  url: 'addr',
  user: 'user',
  slot: 'no',
  priority: 'priority',
  status: 'state',
  active: 'connect',
};

/** `connect` is true or false, on other firmware 1 or -1 (KS5L). */
const withFlags = (list: JsonValue): JsonValue =>
  asArray(list)?.map((element) => {
    const row = asObject(element);
    return row?.connect === -1 ? { ...row, connect: false } : element;
  }) ?? list;

/** Slots and priorities count from 1 here and from 0 with us. */
const poolsFromZero: Reader<readonly PoolSlot[]> = (value) =>
  whenPresent(poolList(POOL)(withFlags(value)), (slots) => {
    const base = firstNumber(value, 'no');
    if (base === undefined) return UNREADABLE;
    return present(slots.map((slot) => ({ ...slot, slot: slot.slot - base, priority: slot.priority - base })));
  });

const sumOfPools = (name: string) =>
  inPanel(
    '/pools',
    inRows((rows) => sum(rows.map((row) => memberIn(row, name, scaled(1))))),
  );

// ---- measurements ----------------------------------------------------------------------------------------------------

/** A sensor that is stuck shows 126 °C. */
const STUCK_MC = 126_000;

const hottestOf = (boards: readonly JsonObject[]): Reading<number> =>
  highest(
    boards
      .flatMap((board) => ['intmp', 'outtmp'].map((name) => memberIn(board, name, temperatureMc)))
      .filter((reading) => reading.kind === 'present' && reading.value > 0 && reading.value < STUCK_MC),
  );

/** `dd:hh:mm:ss` */
const duration: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const parts = /^(\d+):(\d\d):(\d\d):(\d\d)$/.exec(found)?.slice(1).map(Number);
    if (parts === undefined) return UNREADABLE;
    const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
    return present(((days * 24 + hours) * 60 + minutes) * 60 + seconds);
  });

// ---- identity and network --------------------------------------------------------------------------------------------

const named: Reader<string> = (value) =>
  whenPresent(text(value), (found) => (/^none$/i.test(found) ? ABSENT : present(found)));

/** Where the model is `none`, the name of the miner program has it: `ICM168_3_2_10_ks5L_miner`. */
const modelInProgram: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const model = /_([a-z]{2}\d[a-z0-9]*)_miner$/i.exec(found)?.[1];
    return model === undefined ? ABSENT : present(model);
  });

/** An IPv4 address, and right behind it a link-local, local or global address of IPv6, whose first group has four digits. */
const BOTH_ADDRESSES = /^((?:\d{1,3}\.){3}\w{1,3}?)(?:fe[89ab][\da-f]|f[cd][\da-f]{2}|[23][\da-f]{3}):.*$/i;

/** An IPv6 address may stand right behind that of the gateway: `192.168.1.1fe80::1`. */
const gateway: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const first = BOTH_ADDRESSES.exec(found)?.[1] ?? found;
    return /^[\d.]+\..*:/.test(first) ? UNREADABLE : present(first);
  });

const ofNetwork = <T>(name: string, reader: Reader<T>) =>
  firstOf(inNetwork(`/${name}`, reader), inPanel(`/${name}`, reader));

// ---- recognition -----------------------------------------------------------------------------------------------------

const isPanel = (reply: JsonValue | undefined): boolean => {
  const { error, data } = asObject(reply) ?? {};
  if (error === NOT_LOGGED_IN || MINER_OFFLINE.has(error)) return true;
  const panel = asObject(data);
  return error === 0 && panel?.softver1 !== undefined && panel.firmver1 !== undefined;
};

/** Where the landing page sends on to one where one logs in, that is its path. */
const LOGIN_PAGE = /^(?:https?:\/\/[^/]*)?\/user\/login(?:[?#]|$)/;

/** The landing page is titled "user interface" in Chinese, which others may say as well: the proof is a reply. */
const recognise = ({ http, web }: Clues): 0 | 1 | 2 | 3 => {
  const panel = http.get('/user/userpanel');
  if (isPanel(panel)) return 3;
  if (/<title>\s*用户界面/.test(web?.body ?? '')) return 2;
  // Many a web interface has such a page, and answers the proof otherwise.
  return panel === undefined && LOGIN_PAGE.test(web?.location ?? '') ? 1 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const panel = answer(replies, 'panel');
  return panel.kind !== 'present' || isPanel(panel.value);
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** IceRiver machines: forms sent by POST, of which a number selects the action. Only the reading pairs are known here. */
export const iceriver = defineDriver({
  family: 'iceriver',
  title: 'IceRiver (KS0 to KS7, AL, AE, RX)',
  source: 'scripts of the web interface in a KS3L file system (2023); a reply of a KS5L; UpstreamData/pyasic',
  recognise,
  stillSpeaks,
  proofs: ['open'],
  vendorLogin: { user: 'admin', password: '12345678' },
  queries: {
    machine: httpPost('/user/machineconfig', 'post=1', { cadence: 'pools', auth: LOGIN }),
    panel: httpPost('/user/userpanel', 'post=4', { cadence: 'pools', auth: LOGIN }),
    network: httpPost('/user/ipconfig', 'post=1', { cadence: 'config', auth: LOGIN }),
    // For identification only: without a log-in, the refusal tells as much as the answer.
    open: httpPost('/user/userpanel', 'post=4', { cadence: 'config', unless: (replies) => replies.has('panel') }),
  },
  assets: [asset('/'), asset('/user/login')],
  facts: {
    'identity.make': known('panel', 'IceRiver'),
    'identity.model': firstOf(inPanel('/model', named), inPanel('/softver1', modelInProgram)),
    'identity.mac': ofNetwork('mac', mac),

    'firmware.name': known('panel', 'IceRiver'),
    'firmware.version': always(inPanel('/softver1', text)),
    'firmware.components': components({
      firmtype: inPanel('/firmtype', text),
      firmver1: inPanel('/firmver1', text),
      firmver2: inPanel('/firmver2', text),
      'keys.panel': keysOf('panel', ['', '/data']),
      softver1: inPanel('/softver1', text),
      softver2: inPanel('/softver2', text),
    }),

    pools: storedAndRunning(inMachine('/pools', poolsFromZero), inPanel('/pools', poolsFromZero)),
    live_pools: inPanel('/pools', (value) => livePools(POOL)(withFlags(value))),

    'config.mode': inMachine('/mode', worded({ '0': 'sleep', '1': 'normal' })),
    'config.freq_mhz': inPanel(
      '/boards',
      inRows((boards) => mean(boards.map((board) => memberIn(board, 'freq', scaled(1))))),
    ),
    'config.other': settingsFrom({ ratio: inMachine('/ratio', scalarText) }),

    'network.hostname': ofNetwork('host', text),
    'network.dhcp': ofNetwork('dhcp', flag),
    'network.netmask': ofNetwork('netmask', text),
    'network.gateway': ofNetwork('gateway', gateway),
    'network.dns': ofNetwork('dns', textList),
    'network.address': ofNetwork('ip', text),

    'telemetry.hashrate_hs': inPanel('/rtpow', rateWithLetter),
    'telemetry.temp_max_mc': inPanel('/boards', inRows(hottestOf)),
    'telemetry.fans_rpm': inPanel('/fans', listOf(scaled(1))),
    'telemetry.elapsed_s': inPanel('/runtime', duration),
    'telemetry.accepted': sumOfPools('accepted'),
    'telemetry.rejected': sumOfPools('rejected'),
  },
  quirks: [
    'Everything is a POST, and one digit of its form makes a factory reset of a status poll; only three pairs are listed.',
    'Older firmware answers to everybody, newer wants a session; it is opened only where the device asks for one.',
    'The landing page may send on to `/user/login`: such a device is asked for its panel before it is taken for one.',
    'The model may be `none`; the name of the miner program has it then (KS3M, KS5L).',
    'The gateway may have an IPv6 address right behind it (KS5L).',
    '`connect` of a pool is true or false (KS3M), or 1 or -1 (KS5L); slots and priorities count from 1 here, from 0 with us.',
    'A sensor that is stuck shows 126 °C (KS3M) and is not read.',
    'There are no serial numbers; the MAC address alone identifies the machine.',
    'The clock of the device is often months off and is not read.',
    'Port 4111 answers reads as well; which of its words write is not known, so it is never asked.',
    'unverified: whether the log-in sets a cookie on every firmware; where it sets none, facts behind it stay refused.',
    'unverified: what `mode` and `ratio` do besides the fans, and the fields of AL, AE and RX.',
    'unverified: what the list named `false` of a board counts; chips are not read.',
  ],
  close: [
    'Change the log-in of the web interface; the factory has admin and 12345678. Older firmware shows its pools to everybody.',
    'Port 4111 takes commands of which nobody published which write: only the managing host should reach it.',
  ],
});
