import { ABSENT, type PoolSlot, present, type Reading, unknown } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { answersOf, describedBy, inRows, isUnknownTo, lastShareAge } from './cgminer-api.ts';
import {
  asset,
  type Clues,
  cgminer,
  cgminerCheck,
  defineDriver,
  httpPost,
  type Login,
  PASSWORD,
  type Replies,
  type Source,
  USER,
} from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { livePools, poolList, RUNTIME_POOL } from './pools.ts';
import {
  answer,
  anyOf,
  asArray,
  asObject,
  at,
  firstOf,
  flag,
  joined,
  mac,
  memberIn,
  memberOf,
  type Pointer,
  place,
  type Reader,
  scalarText,
  scaled,
  text,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { firstIfAsked, firstRow, highest, hottest, known, listed, sum } from './rows.ts';
import { storedAndRunning } from './stored-pools.ts';
import { accessIn } from './write-access.ts';

// ---- web replies -----------------------------------------------------------------------------------------------------

const isExpired = (reply: JsonValue): boolean => {
  const { success, token } = asObject(reply) ?? {};
  return success === false && token === 'expired';
};

const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/api/auth',
  as: 'form',
  members: { username: USER, password: PASSWORD },
  gives: { kind: 'token', pointer: '/jwt', header: 'Authorization', prefix: 'Bearer ' },
  over: isExpired,
  ifAsked: true,
};

const behindLogin = { cadence: 'config', auth: LOGIN } as const;

/** A fact at a place of a reply that says of itself whether it is one. */
const inWeb =
  <const Name extends string>(query: Name) =>
  <T>(pointer: Pointer, reader: Reader<T>): Source<T, Name> => {
    const find = place(pointer);
    return {
      queries: [query],
      read: (replies) =>
        whenPresent(answer(replies, query), (reply) => {
          if (isExpired(reply)) return unknown('refused');
          if (asObject(reply)?.success !== true) return UNREADABLE;
          const found = find(reply);
          return found.kind === 'present' ? reader(found.value) : found;
        }),
    };
  };

const inOverview = inWeb('overview');
const inSummary = inWeb('web_summary');

// ---- 4028 ------------------------------------------------------------------------------------------------------------

/** Rows of a section. Early units (sgminer 4.4.2) have a member `POOL0`, `POOL1` … for each instead of a list. */
const section =
  <T>(list: string, row: string, reader: Reader<T>): Reader<T> =>
  (reply) => {
    const object = asObject(reply);
    if (object === undefined) return UNREADABLE;
    const rows = Object.keys(object)
      .filter((name) => name.startsWith(row) && /^\d+$/.test(name.slice(row.length)))
      .map((name) => object[name] as JsonValue);
    const found = object[list] ?? (rows.length > 0 ? rows.flatMap((one) => asArray(one) ?? [one]) : undefined);
    return found === undefined ? UNREADABLE : reader(found);
  };

const runningPools = poolList(RUNTIME_POOL);

const STORED_POOL = { url: 'url', user: 'user' } as const;

/** The form has the URL and the user of every slot: a user that stands under another name must not look like none. */
const storedPools: Reader<readonly PoolSlot[]> = (list) => {
  const hasBoth = (asArray(list) ?? []).every((row) => {
    const { url, user } = asObject(row) ?? {};
    return url === '' || user !== undefined;
  });
  return hasBoth ? poolList(STORED_POOL)(list) : UNREADABLE;
};

const ofPools = <T>(reader: Reader<T>) => at('pools', '', section('POOLS', 'POOL', reader));

/** The rows of `stats` that are boards; the others are pools. */
const ofBoards = <T>(read: (boards: readonly JsonObject[]) => Reading<T>) =>
  at(
    'stats',
    '',
    section(
      'STATS',
      'STATS',
      inRows((rows) => read(rows.filter((row) => row['Num chips'] !== undefined))),
    ),
  );

const inRow = (name: string) => at('summary', `/SUMMARY/0/${name}`, scaled(1));

// ---- hash rate -------------------------------------------------------------------------------------------------------

/** "MHS" means what the model's algorithm counts: Sol/s on the A9, MH/s on the T series, A10 and A11; of others it is not known. */
const UNIT_OF_MODEL: readonly (readonly [model: RegExp, factor: number])[] = [
  [/^a9/i, 1],
  [/^(t\d|a1[01])/i, 1e6],
];

const modelOf = (...replies: readonly Reading<JsonValue>[]): string => {
  for (const reply of replies) {
    if (reply.kind !== 'present') continue;
    const type = asObject(reply.value)?.type;
    const said = typeof type === 'string' ? type : modelIn(describedBy(reply.value));
    if (said !== undefined) return said;
  }
  return '';
};

const modelIn = (description: string): string | undefined => /^innominer +([a-z]+\d+[a-z+]*)-/i.exec(description)?.[1];

/** The rate of a row in H/s, where it is known what the model counts. */
const rateIn = (row: JsonObject, model: string): Reading<number> => {
  const factor = UNIT_OF_MODEL.find(([pattern]) => pattern.test(model))?.[1];
  const rate = memberOf(row, ['MHS 5s', 'MHS 1m', 'MHS av']);
  return factor === undefined || rate === undefined ? ABSENT : scaled(factor)(rate);
};

const programRate = joined(['summary', 'overview', 'type'], ({ summary, overview, type }) =>
  whenPresent(summary, (reply) => {
    const row = firstRow('SUMMARY')(reply);
    return row === undefined ? UNREADABLE : rateIn(row, modelOf(overview, type, summary));
  }),
);

/** The web interface lists the devices as the miner program does, also where port 4028 is closed. */
const deviceRates = joined(['web_summary', 'overview', 'type'], ({ web_summary: summary, overview, type }) =>
  whenPresent(summary, (reply) => {
    const model = modelOf(overview, type);
    const devices = asObject(reply)?.DEVS;
    return devices === undefined ? ABSENT : inRows((rows) => sum(rows.map((row) => rateIn(row, model))))(devices);
  }),
);

// ---- readers ---------------------------------------------------------------------------------------------------------

const describedModel: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const model = modelIn(found);
    return model === undefined ? ABSENT : present(model.toUpperCase());
  });

const describedVersion: Reader<string> = (value) =>
  whenPresent(text(value), (found) => {
    const version = /^(?:innominer|sgminer) +(\S+)$/i.exec(found)?.[1];
    return version === undefined ? ABSENT : present(version);
  });

const dhcp: Reader<boolean> = (value) => flag(value === 'dhcp' ? true : value === 'static' ? false : value);

const servers: Reader<readonly string[]> = (value) => {
  const network = asObject(value);
  return network === undefined ? UNREADABLE : listed(['dns1', 'dns2'].map((name) => memberIn(network, name, text)));
};

/** The line that `uptime` prints: `15:38:31 up 10 min, …`, `up 3 days, 4:05, …`. */
const uptime: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const [, days = 0, hours = 0, ofHour = 0, minutes = 0] =
      /\bup +(?:(\d+) days?, *)?(?:(\d+):(\d\d)|(\d+) min)/.exec(found)?.map((part) => Number(part ?? 0)) ?? [];
    const seconds = ((days * 24 + hours) * 60 + ofHour + minutes) * 60;
    return seconds > 0 ? present(seconds) : ABSENT;
  });

const ofDevices = <T>(read: (devices: readonly JsonObject[]) => Reading<T>) => inSummary('/DEVS', inRows(read));

const sumOfDevices = (name: string, factor = 1) =>
  ofDevices((devices) => sum(devices.map((device) => memberIn(device, name, scaled(factor)))));

// ---- recognition -----------------------------------------------------------------------------------------------------

const isInnominer = (reply: JsonValue): boolean => /^innominer\b/i.test(describedBy(reply));

/** Only this firmware names the rows of a section one by one. */
const isEarly = (reply: JsonValue): boolean => {
  const object = asObject(reply);
  return object !== undefined && (asObject(object.STATS0) ?? asObject(object.POOL0)) !== undefined;
};

const isType = (reply: JsonValue | undefined): boolean => {
  const { success, type } = asObject(reply ?? null) ?? {};
  return success === true && typeof type === 'string';
};

const recognise = ({ cgminer: asked, http, web }: Clues): 0 | 1 | 2 | 3 => {
  const replies = [...asked.values()];
  if (replies.some(isInnominer) || isType(http.get('/api/type')) || isOverview(http.get('/api/overview'))) return 3;
  return replies.some(isEarly) || /dragonmint|innosilicon/i.test(web?.body ?? '') ? 2 : 0;
};

const isOverview = (reply: JsonValue | undefined): boolean =>
  asObject(asObject(reply)?.version)?.platform_v !== undefined;

const stillSpeaks = (replies: Replies): boolean => {
  const overview = answer(replies, 'overview');
  if (overview.kind === 'present') return isOverview(overview.value) || isExpired(overview.value);
  const described = answersOf(replies, ['pools', 'summary', 'stats']).map(describedBy);
  return !isUnknownTo(replies, 'summary') && described.every((words) => /^(innominer|sgminer|$)/i.test(words));
};

const MAKER = anyOf(known('overview', 'Innosilicon'), known('type', 'Innosilicon'), known('summary', 'Innosilicon'));

// ---- driver ----------------------------------------------------------------------------------------------------------

/** Innosilicon's control software, also on DragonMint machines: a web API that is all POST, and port 4028 where it is open. */
export const innosilicon = defineDriver({
  family: 'innosilicon',
  title: 'Innosilicon (A8 to A11, T1 to T3) and DragonMint',
  source:
    'sources of the web interface (x1unix/innosilicon-web-ui), UpstreamData/pyasic, delawr0190/foreman-apps; replies of T1 and A9',
  recognise,
  stillSpeaks,
  proofs: ['type'],
  vendorLogin: { user: 'admin', password: 'admin' },
  queries: {
    stored: httpPost('/api/pools', '{}', { cadence: 'pools', auth: LOGIN }),
    pools: cgminer('pools', { cadence: 'pools' }),
    overview: httpPost('/api/overview', '{}', behindLogin),
    web_summary: httpPost('/api/summary', '{}', { cadence: 'pools', auth: LOGIN }),
    freqvol: httpPost('/api/getFreqVol', '{}', behindLogin),
    autotune: httpPost('/api/getAutoTune', '{}', behindLogin),
    type: httpPost('/api/type', '{}'),
    summary: cgminer('summary'),
    stats: cgminer('stats'),
    check: cgminerCheck('addpool'),
  },
  assets: [asset('/')],
  facts: {
    'identity.make': MAKER,
    'identity.model': firstOf(
      inOverview('/type', text),
      inWeb('type')('/type', text),
      at('summary', '/STATUS/0/Description', describedModel),
    ),
    'identity.mac': inOverview('/version/ethaddr', mac),
    'identity.control_board': inOverview('/version/hwver', text),

    'firmware.name': MAKER,
    'firmware.version': firstOf(
      inOverview('/version/platform_v', text),
      at('summary', '/STATUS/0/Description', describedVersion),
    ),
    'firmware.build': inOverview('/version/build_date', text),
    'firmware.components': components({
      build_date: inOverview('/version/build_date', text),
      hwver: inOverview('/version/hwver', text),
      'keys.overview': keysOf('overview', ['', '/version', '/network']),
      'miner.description': at('summary', '/STATUS/0/Description', text),
      platform_v: inOverview('/version/platform_v', text),
      type: inOverview('/type', text),
    }),

    pools: storedAndRunning(
      inWeb('stored')('/pools', storedPools),
      ofPools(runningPools),
      inSummary('/POOLS', runningPools),
    ),
    live_pools: firstIfAsked(ofPools(livePools(RUNTIME_POOL)), inSummary('/POOLS', livePools(RUNTIME_POOL))),

    'config.mode': inWeb('autotune')(['/autoTuneMode', '/mode'], scalarText),
    'config.freq_mhz': inWeb('freqvol')('/freq', scaled(1)),
    'config.other': settingsFrom({
      'autotune.level': inWeb('autotune')('/level', scalarText),
      vol: inWeb('freqvol')('/vol', scalarText),
    }),

    'network.dhcp': inOverview('/network/dhcp', dhcp),
    'network.netmask': inOverview('/network/netmask', text),
    'network.gateway': inOverview('/network/gateway', text),
    'network.dns': inOverview('/network', servers),
    'network.address': inOverview('/network/ipaddress', text),

    'access.api_write': accessIn('check'),

    'telemetry.hashrate_hs': anyOf(sumOfDevices('Hash Rate H'), programRate, deviceRates),
    'telemetry.temp_max_mc': anyOf(
      ofBoards((boards) => hottest(boards.flatMap((board) => [board['Temp max'], board.Temp]))),
      ofDevices((devices) => hottest(devices.map(({ Temperature }) => Temperature))),
    ),
    'telemetry.chips': ofBoards((boards) => sum(boards.map((board) => memberIn(board, 'Num active chips', scaled(1))))),
    'telemetry.elapsed_s': anyOf(
      inRow('Elapsed'),
      ofDevices((devices) => highest(devices.map((device) => memberIn(device, 'Device Elapsed', scaled(1))))),
    ),
    'telemetry.uptime_s': inOverview('/hardware/status', uptime),
    'telemetry.accepted': anyOf(inRow('Accepted'), sumOfDevices('Accepted')),
    'telemetry.rejected': anyOf(inRow('Rejected'), sumOfDevices('Rejected')),
    'telemetry.hw_errors': anyOf(inRow('Hardware Errors'), sumOfDevices('Hardware Errors')),
    'telemetry.last_share_age_s': at('pools', '', lastShareAge('Last Share Time')),
  },
  quirks: [
    'Reads are POSTs as writes are; each of them is listed word for word.',
    'DragonMint machines have the same hardware and software; no reply tells the two makers apart.',
    'The MAC of a board that was never given one is 00:0a:35:00:00:00 (T1), which identifies nothing.',
    'The uptime is a part of a line of text, which is in minutes (T1).',
    '"MHS" is Sol/s on the A9; on models whose unit is not known the rate of port 4028 is not read.',
    'Percentages and difficulties of `summary` are nonsense (A9) and are not read.',
    'Early units (sgminer 4.4.2) name `POOL0`, `STATS0` one by one, and tell no user.',
    'Reads that would make the miner ask other hosts (`checkUrl`, `getLatestFirmwareVersion` …) are never sent.',
    'unverified: whether a build of the web interface calls the user of a stored pool otherwise than `user`; its pools are unknown.',
    'unverified: which reads need a log-in on which build; it is tried only where one says that its token is over.',
    'unverified: the members of `getFreqVol` and `getAutoTune`, and the unit of `vol`; those of `getFacInfo`, which may have the serial number, are not known, and it is not asked.',
    'unverified: fields of A10 and A11 Pro.',
    'unverified: a telnet service at port 8100 of some versions; it is never connected to.',
  ],
  close: [
    'Change the log-in of the web interface; the factory has admin and admin.',
    'Some versions are said to have a telnet service at port 8100, and a port 4028 that is opened takes pool changes without a log-in unless `check` says otherwise: close what is not used.',
  ],
});
