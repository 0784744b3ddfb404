import { ABSENT, type LivePool, present, type Reading } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { type Clues, defineDriver, httpGet, type Login, PASSWORD, type Replies, type Source, USER } from './driver.ts';
import { components, keysOf } from './named-texts.ts';
import { poolList } from './pools.ts';
import { rateWithLetter } from './rate-text.ts';
import {
  answer,
  asObject,
  flag,
  joined,
  mac,
  memberIn,
  memberOf,
  type Reader,
  scaled,
  text,
  textList,
  UNREADABLE,
  whenPresent,
} from './readers.ts';
import { hottest, known, listed } from './rows.ts';
import { storedAndConnected } from './stored-pools.ts';

/** The words of the form of its page; `yuyan` is the language of what it answers. */
const LOGIN: Login = {
  kind: 'login',
  method: 'POST',
  path: '/user/login',
  as: 'form',
  members: { username: USER, word: PASSWORD, yuyan: '1', login: 'Login', get_password: '' },
  gives: { kind: 'cookie' },
};

const behindLogin = { cadence: 'config', auth: LOGIN } as const;

// ---- replies ---------------------------------------------------------------------------------------------------------

/** Every reply is `{"status":1,"feedback":{…}}`. */
const feedbackIn = (reply: JsonValue): Reading<JsonObject> => {
  const { status, feedback } = asObject(reply) ?? {};
  const object = asObject(feedback);
  return status !== 1 || object === undefined ? UNREADABLE : present(object);
};

const ofFeedback = <T, const Name extends string>(
  query: Name,
  read: (feedback: JsonObject) => Reading<T>,
): Source<T, Name> => ({
  queries: [query],
  read: (replies) => whenPresent(whenPresent(answer(replies, query), feedbackIn), read),
});

const inSystem = <T>(name: string, reader: Reader<T>) => ofFeedback('system', (row) => memberIn(row, name, reader));
const inNetwork = <T>(name: string, reader: Reader<T>) => ofFeedback('network', (row) => memberIn(row, name, reader));
const inStatus = <T>(name: string, reader: Reader<T>) => ofFeedback('status', (row) => memberIn(row, name, reader));

// ---- pools -----------------------------------------------------------------------------------------------------------

const SLOTS = [1, 2, 3] as const;

/** The three slots of the form as rows. `mining` is the URL that the miner program works for, where it is known. */
const rowsOf = (form: JsonObject, mining: string | undefined): readonly JsonObject[] =>
  SLOTS.flatMap((number) => {
    const [url, user] = [memberOf(form, `Mip${number}`), memberOf(form, `Mwork${number}`)];
    if (url === undefined && user === undefined) return [];
    // The form has both of a slot: one alone is none, which no reader takes for a pool.
    if (url === undefined || user === undefined) return [{}];
    const row = { slot: number - 1, url, user };
    return [mining === undefined || typeof url !== 'string' ? row : { ...row, active: url.trim() === mining }];
  });

const stored = joined(['stored', 'status'], ({ stored: slots, status }) =>
  whenPresent(whenPresent(slots, feedbackIn), (form) => {
    const url = whenPresent(whenPresent(status, feedbackIn), (row) => memberIn(row, 'cgminerstatus', text));
    const rows = rowsOf(form, url.kind === 'present' ? url.value : undefined);
    return poolList({ url: 'url', user: 'user', slot: 'slot', active: 'active' })(rows);
  }),
);

const connected = inStatus(
  'cgminerstatus',
  (value): Reading<readonly LivePool[]> =>
    whenPresent(text(value), (url) => (url.includes(':') ? present([{ url, active: true }]) : ABSENT)),
);

// ---- measurements ----------------------------------------------------------------------------------------------------

/** `65,59|58,56` for the sensors of a board, a number where there is one; 0 where there is none. */
const temperaturesOf = (feedback: JsonObject): Reading<number> =>
  hottest(
    [1, 2, 3, 4].flatMap((board): readonly (JsonValue | undefined)[] => {
      const value = feedback[`device${board}temp`];
      return typeof value === 'string' ? value.split(/[,|]/) : [value];
    }),
  );

const fansOf = (feedback: JsonObject): Reading<readonly number[]> =>
  listed(['devicefan', 'devicefan2'].map((name) => memberIn(feedback, name, scaled(1))));

/** `123:6:37`: hours, minutes, seconds, without leading zeros. */
const duration: Reader<number> = (value) =>
  whenPresent(text(value), (found) => {
    const parts = /^(\d{1,6}):(\d{1,2}):(\d{1,2})$/.exec(found)?.slice(1).map(Number);
    if (parts === undefined) return UNREADABLE;
    const [hours = 0, minutes = 0, seconds = 0] = parts;
    return present((hours * 60 + minutes) * 60 + seconds);
  });

// ---- recognition -----------------------------------------------------------------------------------------------------

const isSystem = (reply: JsonValue | undefined): boolean => {
  const feedback = asObject(asObject(reply)?.feedback);
  return feedback?.systemsoftwareversion !== undefined && feedback.bank1snmpversion !== undefined;
};

const recognise = ({ http, web }: Clues): 0 | 1 | 2 | 3 => {
  if (isSystem(http.get('/Status/getsystemstatus'))) return 3;
  return /\b(?:ebang|ebit)\b/i.test(web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const system = answer(replies, 'system');
  return system.kind !== 'present' || isSystem(system.value);
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** Ebang machines: JSON behind the log-in form of their web page. */
export const ebang = defineDriver({
  family: 'ebang',
  title: 'Ebang (E9 to E12)',
  source: 'delawr0190/foreman-apps; replies of an E9i',
  recognise,
  stillSpeaks,
  proofs: ['open'],
  queries: {
    stored: httpGet('/Cgminer/CgminerGetVal', { cadence: 'pools', auth: LOGIN }),
    status: httpGet('/Cgminer/CgminerStatus', { cadence: 'pools', auth: LOGIN }),
    system: httpGet('/Status/getsystemstatus', behindLogin),
    network: httpGet('/admininfo/Getadmininfo', behindLogin),
    alarms: httpGet('/alarm/GetAlarmLoop', behindLogin),
    // For identification only.
    open: httpGet('/Status/getsystemstatus', { cadence: 'config', unless: (replies) => replies.has('system') }),
  },
  facts: {
    'identity.make': known('system', 'Ebang'),
    'identity.model': inSystem('productname', text),
    'identity.mac': inNetwork('macaddr', mac),
    'identity.control_board': inSystem('hardwareversion', text),

    'firmware.name': known('system', 'Ebang'),
    'firmware.version': inSystem('systemsoftwareversion', text),
    'firmware.components': components({
      bank1: inSystem('bank1snmpversion', text),
      bank2: inSystem('bank2snmpversion', text),
      fpga: inSystem('fpgawareversion', text),
      hardware: inSystem('hardwareversion', text),
      'keys.system': keysOf('system', ['', '/feedback']),
      software: inSystem('systemsoftwareversion', text),
    }),

    pools: storedAndConnected(stored, connected),
    live_pools: connected,

    'config.freq_mhz': ofFeedback('alarms', (row) => memberIn(row, 'pllValue', scaled(1))),

    'network.dhcp': inNetwork('dhcpstatus', flag),
    'network.netmask': inNetwork('ipmask', text),
    'network.gateway': inNetwork('geteway', text),
    'network.dns': inNetwork('dnsaddr', textList),
    'network.address': inNetwork('newipaddr', text),

    'telemetry.hashrate_hs': inStatus('fivesecfigure', rateWithLetter),
    'telemetry.temp_max_mc': ofFeedback('system', temperaturesOf),
    'telemetry.fans_rpm': ofFeedback('system', fansOf),
    'telemetry.elapsed_s': inStatus('worktime', duration),
    'telemetry.accepted': inStatus('accepted', scaled(1)),
    'telemetry.rejected': inStatus('rejected', scaled(1)),
  },
  secrets: ['Mpassword1', 'Mpassword2', 'Mpassword3', 'word'],
  quirks: [
    'The firmware has two flash banks: a bank that differs from the running version is kept as a part of its own (E9i).',
    'A pool is live where its URL is the one that the miner program names; the program tells nothing of the others.',
    'Temperatures of a board are one text, or a number, or 0 where there is no board (E9i).',
    'The gateway is called `geteway`.',
    'unverified: what the landing page shows; where it does not name the maker the family cannot be told without a log-in.',
    'unverified: that all firmware answers its reads to a GET; some tools send an empty POST, which is not sent here.',
    'unverified: that `dhcpstatus` 1 is an address by DHCP; `pllValue` is taken for MHz.',
    'unverified: newer firmware that serves https only, which is not asked.',
  ],
  close: [
    'Where the web interface is plain HTTP the log-in passes in clear: keep such machines on a network of their own.',
  ],
});
