/**
 * The vocabulary of facts: one name from driver to wire. Dots are the path in `evidence.claims` and in `probe --json`.
 * Source: the table "Facts" of the design. Numbers are integers on the wire; the unit is in the name.
 */

/**
 * A configured pool slot. `url` is canonical; `user` is byte-exact; `proxy` is what the device reaches the pool through, as a canonical
 * URL; `share_ppm` is the part of all work that goes to the pool's group; `status` and `active` are joined from the runtime list.
 */
export interface PoolSlot {
  readonly slot: number;
  readonly url: string;
  readonly user?: string;
  readonly priority: number;
  readonly quota?: number;
  readonly share_ppm?: number;
  readonly tls?: boolean;
  readonly proxy?: string;
  readonly status?: string;
  readonly active?: boolean;
}

/** One row of a runtime pool list that is a surface of its own. `host` is the host connected now. */
export interface LivePool {
  readonly url: string;
  readonly user?: string;
  readonly status?: string;
  readonly active?: boolean;
  readonly host?: string;
  readonly proxy?: string;
}

/** A pool that the firmware mines for its maker, as it declares it; `quota` is what it takes, in its own words. */
export interface FeePool {
  readonly url: string;
  readonly user?: string;
  readonly quota?: string;
}

/** A named part of what the firmware says about itself; `value` is text or a SHA-256 (b64u). Sorted by `name`. */
export interface FirmwareComponent {
  readonly name: string;
  readonly value: string;
}

/** A scalar setting without a fact of its own; compared by key. Sorted by `key`. */
export interface OtherSetting {
  readonly key: string;
  readonly value: string;
}

/** The value type of every fact. */
export interface FactValues {
  family: string;
  'identity.make': string;
  'identity.model': string;
  'identity.serial': string;
  'identity.mac': string;
  'identity.control_board': string;
  'identity.chip_id': string;
  'identity.hashboards': readonly string[];
  'identity.psu': string;
  'firmware.name': string;
  'firmware.version': string;
  'firmware.build': string;
  'firmware.kernel': string;
  'firmware.medium': string;
  'firmware.secure_boot': string;
  'firmware.components': readonly FirmwareComponent[];
  'firmware.fingerprint': string;
  pools: readonly PoolSlot[];
  live_pools: readonly LivePool[];
  fee_pools: readonly FeePool[];
  'config.mode': string;
  'config.preset': string;
  'config.power_limit_w': number;
  'config.power_target_w': number;
  'config.freq_mhz': number;
  'config.voltage_mv': number;
  'config.fan_mode': string;
  'config.fan_min_pct': number;
  'config.temp_limit_mc': number;
  'config.watchdog': boolean;
  'config.strategy': string;
  'config.other': readonly OtherSetting[];
  'network.hostname': string;
  'network.dhcp': boolean;
  'network.netmask': string;
  'network.gateway': string;
  'network.dns': readonly string[];
  'network.ntp': readonly string[];
  'network.vlan': number;
  'network.address': string;
  'access.api_write': boolean;
  'access.api_allow': string;
  'access.api_switch': boolean;
  'access.fleet_manager': string;
  'access.ssh': boolean;
  'access.telnet': boolean;
  'access.web_auth': boolean;
  'access.cloud': boolean;
  'access.update_source': string;
  'access.write_session': boolean;
  'access.open_ports': readonly number[];
  'access.default_login': string;
  'telemetry.hashrate_hs': number;
  'telemetry.power_w': number;
  'telemetry.temp_max_mc': number;
  'telemetry.fans_rpm': readonly number[];
  'telemetry.chips': number;
  'telemetry.elapsed_s': number;
  'telemetry.uptime_s': number;
  'telemetry.accepted': number;
  'telemetry.rejected': number;
  'telemetry.hw_errors': number;
  'telemetry.last_share_age_s': number;
  'telemetry.share_difficulty': number;
  'telemetry.faults': readonly string[];
}

export type FactName = keyof FactValues;

/** What a reading is of: a fact, or the users of pools that are told without them. */
export type ReadingName = FactName | 'pools.user';

/** The facts that are present, by name. A fact that is not present is left out, never given a default. */
export type Facts = { readonly [Name in FactName]?: FactValues[Name] };

/** How a baseline compares a fact: `exact` as a whole, `by-name`/`by-key` element by element, `set` without order, `volatile` never. */
export type KeyClass = 'exact' | 'by-name' | 'by-key' | 'set' | 'volatile';

/** One row of the table: what the fact means, how it is compared, its unit where it has one. */
export interface FactRow {
  readonly type: 'text' | 'integer' | 'boolean' | 'text list' | 'integer list' | 'object list';
  readonly class: KeyClass;
  readonly meaning: string;
}

const text = (meaning: string, keyClass: KeyClass = 'exact'): FactRow => ({ type: 'text', class: keyClass, meaning });
const integer = (meaning: string, keyClass: KeyClass = 'exact'): FactRow => ({
  type: 'integer',
  class: keyClass,
  meaning,
});
const flag = (meaning: string, keyClass: KeyClass = 'exact'): FactRow => ({
  type: 'boolean',
  class: keyClass,
  meaning,
});

/** Every fact, in the order of the documentation. */
export const FACTS: { readonly [Name in FactName]: FactRow } = {
  family: text('id of the driver that read the device'),
  'identity.make': text('maker'),
  'identity.model': text('model as reported'),
  'identity.serial': text('serial number of the machine'),
  'identity.mac': text('MAC address, aa:bb:cc:dd:ee:ff'),
  'identity.control_board': text('control board type or serial'),
  'identity.chip_id': text('id of the controller chip'),
  'identity.hashboards': { type: 'text list', class: 'set', meaning: 'hashboard serials in slot order' },
  'identity.psu': text('power supply: serial, else model'),
  'firmware.name': text('name of the firmware'),
  'firmware.version': text('version as reported'),
  'firmware.build': text('build time or build id as reported'),
  'firmware.kernel': text('kernel line as reported'),
  'firmware.medium': text('boot medium, slot or partition'),
  'firmware.secure_boot': text('what the device says of its secure boot'),
  'firmware.components': {
    type: 'object list',
    class: 'by-name',
    meaning: 'named parts {name, value} of the fingerprint',
  },
  'firmware.fingerprint': text('SHA-256 (b64u) of the canonical components; not an image hash', 'volatile'),
  pools: {
    type: 'object list',
    class: 'exact',
    meaning: 'configured slots {slot, url, user, priority, quota, share_ppm, tls, proxy}, in order',
  },
  live_pools: { type: 'object list', class: 'volatile', meaning: 'runtime pool list where it is a surface of its own' },
  fee_pools: {
    type: 'object list',
    class: 'exact',
    meaning: 'pools {url, user, quota} that the firmware mines for its maker',
  },
  'config.mode': text('mining or work mode'),
  'config.preset': text('performance preset'),
  'config.power_limit_w': integer('power ceiling, W'),
  'config.power_target_w': integer('power target, W'),
  'config.freq_mhz': integer('chip frequency, MHz', 'volatile'),
  'config.voltage_mv': integer('core voltage, mV', 'volatile'),
  'config.fan_mode': text('fan control mode'),
  'config.fan_min_pct': integer('minimum fan speed, %'),
  'config.temp_limit_mc': integer('temperature limit, milli-°C'),
  'config.watchdog': flag('watchdog on'),
  'config.strategy': text('multi-pool strategy'),
  'config.other': { type: 'object list', class: 'by-key', meaning: 'further scalar settings {key, value}' },
  'network.hostname': text('host name'),
  'network.dhcp': flag('address by DHCP'),
  'network.netmask': text('netmask'),
  'network.gateway': text('default gateway'),
  'network.dns': { type: 'text list', class: 'exact', meaning: 'DNS servers' },
  'network.ntp': { type: 'text list', class: 'exact', meaning: 'NTP servers' },
  'network.vlan': integer('VLAN id'),
  'network.address': text('IP address as the device reports it', 'volatile'),
  'access.api_write': flag('a write would be accepted from this gateway'),
  'access.api_allow': text('API allow list as reported'),
  'access.api_switch': flag('writes over the API are switched on at the device'),
  'access.fleet_manager': text('organisation or fleet manager that the device answers or reports to'),
  'access.ssh': flag('SSH on'),
  'access.telnet': flag('telnet on'),
  'access.web_auth': flag('web interface asks for a log-in'),
  'access.cloud': flag('cloud link on'),
  'access.update_source': text('where updates come from'),
  'access.write_session': flag('somebody holds a write session', 'volatile'),
  'access.open_ports': {
    type: 'integer list',
    class: 'set',
    meaning: 'management ports that accept a connection from this gateway',
  },
  'access.default_login': text("account and page that the maker's documented log-in opened, else `refused`"),
  'telemetry.hashrate_hs': integer("hash rate, H/s or the algorithm's unit/s", 'volatile'),
  'telemetry.power_w': integer('power drawn, W', 'volatile'),
  'telemetry.temp_max_mc': integer('hottest reading, milli-°C', 'volatile'),
  'telemetry.fans_rpm': { type: 'integer list', class: 'volatile', meaning: 'fan speeds, 1/min' },
  'telemetry.chips': integer('working chips', 'volatile'),
  'telemetry.elapsed_s': integer('seconds since the miner program started', 'volatile'),
  'telemetry.uptime_s': integer('seconds since the board started', 'volatile'),
  'telemetry.accepted': integer('accepted shares', 'volatile'),
  'telemetry.rejected': integer('rejected shares', 'volatile'),
  'telemetry.hw_errors': integer('hardware errors', 'volatile'),
  'telemetry.last_share_age_s': integer('seconds since the last accepted share', 'volatile'),
  'telemetry.share_difficulty': integer('difficulty of a share at the pool in use, rounded', 'volatile'),
  'telemetry.faults': {
    type: 'text list',
    class: 'volatile',
    meaning: 'faults that keep the device from hashing, as it names them',
  },
};

/** What `access.default_login` says of a device that did not take the log-in. */
export const DEFAULT_LOGIN_REFUSED = 'refused';

/** Why a fact could not be read. `unsupported`: the driver knows no place to look. */
export type UnknownReason = 'unreachable' | 'timeout' | 'refused' | 'truncated' | 'unreadable' | 'unsupported';

/**
 * Why a surface of a device could not be asked, until somebody opens it: it refused, there was no connection, or something else
 * came in place of its document, a redirect, a page or an error.
 */
export type Closed = Extract<UnknownReason, 'refused' | 'unreachable'> | 'elsewhere';

/** Why the place where a fact should stand gave none. */
export type StandsIn = Closed | 'absent';

/** The same as a reading has it. */
export const asGap = (why: StandsIn): Exclude<StandsIn, 'elsewhere'> | 'unreadable' =>
  why === 'elsewhere' ? 'unreadable' : why;

/** What one look at one fact gave. Absence is a value: never fold it into null, 0 or ''. */
export type Reading<T> =
  | {
      readonly kind: 'present';
      readonly value: T;
      /** Why the place where the fact should stand gave none, where another one, which may spell it differently, gave it. */
      readonly standsIn?: StandsIn;
    }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'unknown';
      readonly reason: UnknownReason;
      /** Something else came in place of the document: the surface is closed. */
      readonly elsewhere?: true;
      /** Pools of a list that could not be read whole, and of two lists that belong together those of the one that arrived. */
      readonly toldPools?: readonly PoolSlot[];
    };

export const present = <T>(value: T): Reading<T> => ({ kind: 'present', value });

/** The same reading, which stands in for that of a place that gave none for this reason; as it is where there is no reason. */
export const standingIn = <T>(reading: Reading<T>, why: StandsIn | undefined): Reading<T> =>
  why === undefined || reading.kind !== 'present' ? reading : { ...reading, standsIn: why };

export const ABSENT: Reading<never> = { kind: 'absent' };
export const unknown = (reason: UnknownReason): Reading<never> => ({ kind: 'unknown', reason });
