import { type FirmwareComponent, type PoolSlot, present, type Reading, standingIn } from '../../shared/facts.ts';
import type { JsonObject, JsonValue } from '../probe/capture.ts';
import { asset, type Clues, defineDriver, httpGet, type Login, PASSWORD, type Replies, type Source } from './driver.ts';
import { components, keysOf, settingsFrom } from './named-texts.ts';
import { within } from './nested.ts';
import { poolList, withAuthority } from './pools.ts';
import {
  answer,
  asArray,
  asObject,
  at,
  count,
  firstOf,
  flag,
  listOf,
  mac,
  memberIn,
  memberOf,
  place,
  type Reader,
  scalarText,
  scaled,
  serial,
  text,
  UNREADABLE,
  whenPresent,
  worded,
} from './readers.ts';
import { eachOnce, elseIfAsked, hottest, inOrder, listed, sum } from './rows.ts';
import { openWithout } from './write-access.ts';

const rounded = scaled(1);

// ---- questions -------------------------------------------------------------------------------------------------------

/** There is one account, so that the log-in is a password alone. */
const SESSION: Login = {
  kind: 'login',
  method: 'POST',
  path: '/api/v1/auth/login',
  as: 'json',
  members: { password: PASSWORD },
  gives: { kind: 'token', pointer: '/access_token', header: 'Authorization', prefix: 'Bearer ' },
};

const open = (path: string, cadence: 'pools' | 'config' = 'config') => httpGet(`/api/v1${path}`, { cadence });
const inside = (path: string, cadence: 'pools' | 'config' = 'config') =>
  httpGet(`/api/v1${path}`, { cadence, auth: SESSION });

const inSystem = <T>(pointer: string, reader: Reader<T>) => at('system', `/system-info${pointer}`, reader);
const inHardware = <T>(pointer: string, reader: Reader<T>) => at('hardware', `/hardware-info${pointer}`, reader);
const inNetwork = <T>(pointer: string | readonly string[], reader: Reader<T>) =>
  at(
    'network',
    [pointer].flat().map((one) => `/network-info${one}`),
    reader,
  );
const inMining = <T>(pointer: string | readonly string[], reader: Reader<T>) =>
  at(
    'mining',
    [pointer].flat().map((one) => `/mining-status${one}`),
    reader,
  );
const inCooling = <T>(pointer: string, reader: Reader<T>) => at('cooling', `/cooling-status${pointer}`, reader);

// ---- hardware --------------------------------------------------------------------------------------------------------

/** Rows in the order of their slots. */
const bySlot = (value: JsonValue): Reading<readonly JsonObject[]> => {
  const rows = asArray(value)?.map(asObject);
  if (rows === undefined || !rows.every((row) => row !== undefined)) return UNREADABLE;
  return inOrder(rows, (row) => memberIn(row, 'slot', count));
};

const ofRows =
  <T>(read: (rows: readonly JsonObject[]) => Reading<T>): Reader<T> =>
  (value) =>
    whenPresent(bySlot(value), read);

const boardSerials = ofRows((boards) => listed(boards.map((board) => memberIn(board, 'hb_sn', serial))));

/** A rig has up to three supplies. */
const supplies = ofRows((rows) => {
  const serials = eachOnce(rows.map((row) => memberIn(row, 'psu_sn', serial)));
  if (serials.kind !== 'absent') return serials;
  return standingIn(eachOnce(rows.map((row) => memberIn(row, 'model', serial))), 'absent');
});

/** Type of the control board and of its controller. */
const controlBoard: Reader<string> = (value) => {
  const info = asObject(value);
  if (info === undefined) return UNREADABLE;
  return whenPresent(listed([memberIn(info, 'board', serial), memberIn(info, 'soc', serial)]), (parts) =>
    present(parts.join(' ')),
  );
};

// ---- firmware --------------------------------------------------------------------------------------------------------

/** Version, revision and build of one of the programs. */
const program: Reader<string> = (value) => {
  const about = asObject(value);
  if (about === undefined) return UNREADABLE;
  return whenPresent(
    listed(['name', 'version', 'git_hash', 'build'].map((name) => memberIn(about, name, serial))),
    (parts) => present(parts.join(' ')),
  );
};

const PROGRAMS = {
  hashboard_firmware: '/hashboard_firmware',
  mining_driver: '/mining_driver_sw',
  os: '/os',
  pool_interface: '/pool_interface_sw',
  web_dashboard: '/web_dashboard',
  web_server: '/web_server',
};

/** Each program as it calls itself, and the digest of its image where the rig tells it. */
const programParts = Object.fromEntries(
  Object.entries(PROGRAMS).flatMap(([name, pointer]) => [
    [name, inSystem(pointer, program)],
    [`image.${name}`, inSystem(pointer, within('image_hash', serial))],
  ]),
);

const namedParts = components({
  ...programParts,
  'control_board.firmware': inHardware('/cb-info', within('firmware', program)),
  'control_board.id': inHardware('/cb-info/board_id', scalarText),
  'image.control_board': inHardware('/cb-info', within('firmware', within('image_hash', serial))),
  'keys.system': keysOf('system', ['', '/system-info'], new Set(['sw_update_status'])),
  'os.build': inSystem('/os', within('build_datetime_utc', text)),
  'os.variant': inSystem('/os/variant', text),
});

const BOARDS = place('/hardware-info/hashboards-info');

/** What runs on each hashboard: what it calls itself, and the digest of its image where the rig tells it. */
const partsOfBoards = (hardware: JsonValue): readonly FirmwareComponent[] => {
  const found = BOARDS(hardware);
  const boards = whenPresent(found, bySlot);
  if (boards.kind !== 'present') return [];
  return boards.value.flatMap((board) => [...partsOf(board, 'firmware'), ...partsOf(board, 'bootloader')]);
};

const partsOf = (board: JsonObject, part: 'firmware' | 'bootloader'): readonly FirmwareComponent[] => {
  const about = asObject(memberOf(board, part));
  const slot = memberIn(board, 'slot', count);
  if (about === undefined || slot.kind !== 'present') return [];
  const named = listed(['version', 'git_hash', 'build'].map((name) => memberIn(about, name, serial)));
  const image = memberIn(about, 'image_hash', serial);
  const name = `hashboard.${slot.value}.${part}`;
  return [
    ...(named.kind === 'present' ? [{ name, value: named.value.join(' ') }] : []),
    ...(image.kind === 'present' ? [{ name: `image.${name}`, value: image.value }] : []),
  ];
};

const parts: Source<readonly FirmwareComponent[], (typeof namedParts)['queries'][number]> = {
  queries: namedParts.queries,
  read: (replies) =>
    whenPresent(namedParts.read(replies), (named) => {
      const hardware = answer(replies, 'hardware');
      return present(hardware.kind === 'present' ? [...named, ...partsOfBoards(hardware.value)] : named);
    }),
};

// ---- pools -----------------------------------------------------------------------------------------------------------

const withKey: Reader<JsonValue> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  const url = memberIn(row, 'url', text);
  const authority = memberIn(row, 'v2_authority_pubkey', text);
  if (authority.kind === 'unknown') return authority;
  if (url.kind !== 'present' || authority.kind === 'absent') return present(row);
  return present({ ...row, url: withAuthority(url.value, authority.value) });
};

const rows = poolList({ url: 'url', user: 'user', slot: 'id', priority: 'priority', status: 'status' });

/** Several pools may say that they are active; the rig mines the first of them. */
const withActive = (slots: readonly PoolSlot[]): readonly PoolSlot[] => {
  const active = slots.filter(({ status }) => status === 'Active').sort((a, b) => a.priority - b.priority)[0];
  return slots.map((slot) => (slot.status === undefined ? slot : { ...slot, active: slot === active }));
};

const pools: Reader<readonly PoolSlot[]> = (value) =>
  whenPresent(listOf(withKey)(value), (list) => whenPresent(rows(list), (slots) => present(withActive(slots))));

const sumOfPools = (name: string): Reader<number> =>
  ofRows((list) => sum(list.map((pool) => memberIn(pool, name, count))));

// ---- settings --------------------------------------------------------------------------------------------------------

/** Who may stop the rig from outside: each provider with its brokers. */
const providers: Reader<string> = (value) => whenPresent(listOf(provider)(value), (list) => present(list.join('; ')));

const provider: Reader<string> = (value) => {
  const row = asObject(value);
  if (row === undefined) return UNREADABLE;
  const brokers = memberIn(row, 'brokers', listOf(text));
  if (brokers.kind === 'unknown') return brokers;
  const reached = brokers.kind === 'present' ? brokers.value : [];
  const names = ['name', 'type', 'enabled', 'topic', 'port'].map((name) => memberIn(row, name, scalarText));
  return whenPresent(listed(names), (words) => present([...words, ...reached].join(' ')));
};

/** The state of the service as systemd names it. */
const sshRuns: Reader<boolean> = (value) => {
  if (value === 'active') return present(true);
  return value === 'inactive' || value === 'failed' ? present(false) : UNREADABLE;
};

// ---- recognition -----------------------------------------------------------------------------------------------------

const isOwnSystem = (reply: JsonValue | undefined): boolean =>
  asObject(asObject(reply)?.['system-info'])?.manufacturer === 'Proto';

const recognise = ({ http, web }: Clues): 0 | 1 | 2 | 3 => {
  if (isOwnSystem(http.get('/api/v1/system'))) return 3;
  return /Proto ?OS/i.test(web?.body ?? '') ? 2 : 0;
};

const stillSpeaks = (replies: Replies): boolean => {
  const system = answer(replies, 'system');
  return system.kind !== 'present' || isOwnSystem(system.value);
};

// ---- driver ----------------------------------------------------------------------------------------------------------

/** The Proto Rig of Block, with ProtoOS and its documented REST API. */
export const proto = defineDriver({
  family: 'proto',
  title: 'Proto Rig (ProtoOS)',
  source: 'Mining Development Kit API 1.8.2; replies of the maker’s simulator 1.8.0',
  recognise,
  stillSpeaks,
  proofs: ['system'],
  queries: {
    pools: inside('/pools', 'pools'),
    // Open to everybody, so that a rig of which nobody knows the password is still seen to be there.
    system: open('/system', 'pools'),
    mining: inside('/mining'),
    status: open('/system/status'),
    ssh: open('/system/ssh'),
    secure: open('/system/secure'),
    telemetry_service: open('/system/telemetry'),
    hardware: open('/hardware'),
    network: open('/network'),
    pairing: open('/pairing/info'),
    target: inside('/mining/target'),
    cooling: inside('/cooling'),
    curtailment: inside('/curtailment/config'),
  },
  assets: [asset('/')],
  facts: {
    'identity.make': inSystem('/manufacturer', text),
    'identity.model': firstOf(inSystem('/model', text), inSystem('/product_name', text)),
    'identity.serial': firstOf(inSystem('/cb_sn', serial), inHardware('/cb-info/serial_number', serial)),
    'identity.mac': firstOf(inNetwork('/mac', mac), at('pairing', '/mac', mac)),
    'identity.control_board': at('system', '/system-info', controlBoard),
    'identity.chip_id': inHardware('/cb-info', within('mpu', within('serial', serial))),
    'identity.hashboards': inHardware('/hashboards-info', boardSerials),
    'identity.psu': inHardware('/psus-info', supplies),
    'firmware.name': inSystem('/os/name', text),
    'firmware.version': inSystem('/os/version', text),
    'firmware.build': inSystem('/os', within('build_datetime_utc', text)),
    'firmware.secure_boot': at('secure', '/state/secureboot', text),
    'firmware.components': parts,
    pools: at('pools', '/pools', pools),
    'config.mode': at('target', '/performance_mode', text),
    'config.power_target_w': inMining('/power_target_watts', rounded),
    'config.fan_mode': inCooling('/fan_mode', worded({ Auto: 'auto', Manual: 'manual', Off: 'off' })),
    'config.other': settingsFrom({
      balance_bays: at('target', '/balance_bays', scalarText),
      certificate: at('secure', '/state/certificate-validity', text),
      'cooling.target_temperature_c': inCooling('/target_temperature_c', scalarText),
      'curtailment.enabled': at('curtailment', '/enabled', scalarText),
      'curtailment.fail_policy': at('curtailment', '/fail_policy', text),
      'curtailment.nats_url': at('curtailment', '/nats_url', text),
      'curtailment.providers': at('curtailment', '/providers', providers),
      default_power_target_watts: at('target', '/default_power_target_watts', scalarText),
      hash_on_disconnect: at('target', '/hash_on_disconnect', scalarText),
      nats: at('secure', '/state/nats-service', text),
      onboarded: at('status', '/onboarded', scalarText),
    }),
    'network.hostname': firstOf(inNetwork('/hostname', text), inSystem('/os/hostname', text)),
    'network.dhcp': inNetwork('/dhcp', flag),
    'network.netmask': inNetwork('/netmask', text),
    'network.gateway': inNetwork('/gateway', text),
    'network.address': inNetwork(['/ip', '/ip_address'], text),
    'access.ssh': firstOf(at('ssh', '/ssh-status/enabled', flag), at('secure', '/state/sshd', sshRuns)),
    'access.web_auth': at('status', '/password_set', flag),
    // Whoever comes first may set the password, and has all writes then.
    'access.api_write': at('status', '/password_set', openWithout),
    'access.cloud': at('telemetry_service', '/enabled', flag),
    'telemetry.hashrate_hs': inMining(['/hashrate_ghs', '/average_hashrate_ghs'], scaled(1e9)),
    'telemetry.power_w': inMining('/power_usage_watts', rounded),
    'telemetry.temp_max_mc': at('mining', '/mining-status', (value) => {
      const status = asObject(value);
      return status === undefined ? UNREADABLE : hottest([status.average_asic_temp_c, status.average_hb_temp_c]);
    }),
    'telemetry.fans_rpm': inCooling(
      '/fans',
      ofRows((fans) => listed(fans.map((fan) => memberIn(fan, 'rpm', rounded)))),
    ),
    'telemetry.chips': inHardware(
      '/hashboards-info',
      ofRows((boards) => sum(boards.map((board) => memberIn(board, 'mining_asic_count', count)))),
    ),
    'telemetry.elapsed_s': inMining('/mining_uptime_s', count),
    'telemetry.uptime_s': elseIfAsked(inSystem('/uptime_seconds', count), inMining('/reboot_uptime_s', count)),
    'telemetry.accepted': at('pools', '/pools', sumOfPools('accepted')),
    'telemetry.rejected': at('pools', '/pools', sumOfPools('rejected')),
    'telemetry.hw_errors': inMining('/hw_errors', count),
  },
  secrets: ['password', 'access_token', 'refresh_token'],
  quirks: [
    'A rig without a password (`password_set` false, here: the web interface asks for no log-in) lets whoever comes first set one: finish its set-up before it is on the network. It is a finding (`remote-control.api-write-open`) until one is set; that one is set says nothing of pairing.',
    'A fleet manager pairs by registering a key, on the first time without any log-in.',
    'Two pools may say Active at once; the one of the lowest priority number is the one that is mined.',
    'The authority key of a Stratum V2 pool is made a part of its URL, as other firmwares write it.',
    'There is only an average of the chip temperatures and of the boards; the higher one is read as the hottest.',
    'The rig tells digests of its running images (`image_hash`) by itself; the maker’s simulator has none.',
    'unverified: real rigs; what `image_hash` covers and how it is made; TLS.',
    'unverified: that the telemetry service of the rig is a link to its maker, as which it is read.',
    'unverified: the members of `/pairing/info`.',
  ],
  close: [
    'Finish the set-up of a rig before it is on the network: the first who comes sets its password, and may pair a fleet manager.',
  ],
});
