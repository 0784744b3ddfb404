import type { Query } from '../../agent/drivers/driver.ts';
import type { Connection, SimulatedDevice } from './device.ts';
import { prefixAt } from './script.ts';
import type { Visit } from './visit.ts';

/** A request that an observer of miners must not send. `request` is the text that came, cut at 300 characters. */
export interface Violation {
  readonly device: string;
  readonly reason: 'changes a miner' | 'not on the allow-list' | 'not one plain question';
  readonly request: string;
}

/** POSTs that only read, in the words of their makers; every other one changes something, as far as an observer can know. */
const READING_POSTS: readonly RegExp[] = [
  /^POST \/user\/(?:userpanel post=4|ipconfig post=1|machineconfig post=1)$/,
  /^POST \/api\/(?:type|overview|summary|pools|network|getFacInfo|getFreqVol|getAutoTune) \{\}$/,
  /^POST \/graphql \{"query":"\{(?!.*(?:mutation|subscription|checkForUpgrade)).*\}"\}$/,
  // Log-ins, which open a read session.
  /^POST (?:\/token|\/api\/v1\/auth\/login) \{.*\}$/,
  /^POST (?:\/user\/loginpost post=6&|\/user\/login username=|\/api\/auth username=|\/admin\/login username=|\/cgi-bin\/login\.php username=)/,
  /^POST \/cgi-bin\/luci luci_username=/,
];

/** Calls that only read, without a message, and the log-in; whatever else a method does it may do to the miner. */
const READING_CALLS =
  /^grpc [a-z][\w.]*\.[A-Z]\w*\/(?:Get|List)[A-Z]\w*$|^grpc braiins\.bos\.v1\.AuthenticationService\/Login 1=[^ ]* 2=[^ ]*$/;

/** Commands of the CGMiner API and its dialects that change a miner, take a session or hand out a token (protocols, all families). */
export const CHANGING_COMMANDS: ReadonlySet<string> = new Set(
  `switchpool enablepool disablepool addpool removepool poolpriority poolquota failover-only save quit restart pgaenable
  pgadisable pgaidentify pgaset ascenable ascdisable ascidentify ascset setconfig debug zero hotplug lockstats setpool
  gpuenable gpudisable gpurestart gpuintensity gpumem gpuengine gpufan gpuvddc upgrade logon logoff reboot rebootdevice
  updaterun updatecancel pause resume atmset update_pools restart_btminer power_off power_on set_led set_low_power
  set_normal_power set_high_power update_firmware upgrade_firmware factory_reset ssh_open ssh_close update_pwd net_config
  download_logs load_log set_target_freq enable_btminer_fast_boot disable_btminer_fast_boot enable_cgminer_fast_boot
  disable_cgminer_fast_boot enable_web_pools disable_web_pools set_hostname set_zone set_power_pct set_power_pct_v2
  pre_power_on set_temp_offset adjust_power_limit adjust_upfreq_speed set_poweroff_cool set_fan_zero_speed open_write_api
  get_token dosleep updatepools addgroup removegroup groupquota pooloptsset logset kill autotunerset curtail disableboard enableboard fanset
  frequencyset frequencystop hashboardoptsset healthchipset healthctrlset immersionswitch ledset netset profilenew
  profilerem profilerestore profileset resetminer resetconfig tempctrlset tempsensorset tunableswitch tunerswitch
  uninstallluxos updatecheck updateset voltageset powertargetset`.split(/\s+/),
);

/**
 * Pages that act on a plain GET (Bitmain and its descendants, FDMiner), routes that act or make the radio scan (Elphapex, AxeOS), and
 * requests of Goldshell, Innosilicon, Ebang and Obelisk that act by some method. Of LuCI all pages but those that are documented as reads.
 */
const CHANGING_PAGES =
  /\/(reboot|reset_conf|restart|blink|set_\w+|upgrade\w*|passwd|upload_conf|kill_\w+|network_diag|create_\w+|getandsettime|minerConfiguration|minerAdvanced|networkConfiguration|reset_miner_conf|monitor|post_led_onoff|clear_refine|setworkmode|wifi_connect|get_wifi_list|led_conf|resetAndCheck|configMiner|deleteLogs|setDefaultName|setTimeZone|reIdentify|getPing|getNsLookup|getTraceRoute)\.(cgi|php)|\/get_wifi_port_list|\.sh\b|\/wifi\/scan|\/api\/system\/(restart|OTA\w*|pause|resume|boot|identify|shutdown|reset-stats)\b|cgminercmd=(?!devs$)|\/user\/(?:logout|updatepd|firconfig|systemconfig)|\/mcb\/(?:newpool|delpool|restart|facrst|protect|defend|uploadimage)|\/api\/(?:update\w+|set\w+|factoryReset|reboot|poweroff|restart\w+|start\w+|check\w+|TestingPool|getLatestFirmwareVersion|action\b|config\/pools)|\/index\.csp|\/f_settings\.php|\/Cgminer\/CgminerConfig|\/cgi-bin\/luci\/(?!admin\/status\/(?:overview|btminerapi)$)/;

/** How long the news of a close may take on a busy machine, ms. */
const CLOSING_MS = 25;

/** Keeps every request that came, how often, and which of them should never have come; and who was asked twice at once. */
export class Watch {
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #requests = new Map<string, number>();
  readonly #violations: Violation[] = [];
  #connections = 0;
  #maxConnections = 0;
  #firstMs: number | undefined;
  #listener: ((device: SimulatedDevice, request: string) => void) | undefined;

  /** `allowed` as `AllowList.listed` has it: `{"command":"version"}`, `GET /path`. Without it only known changes count. */
  constructor(allowed: Iterable<string> | undefined) {
    this.#allowed = allowed === undefined ? undefined : new Set(allowed);
  }

  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#connections;
  }

  /** The most connections that one device had at the same time. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** When the first request came, Unix milliseconds with a fraction. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** Tells `listener` of every request from now on. */
  follow(listener: (device: SimulatedDevice, request: string) => void): void {
    this.#listener = listener;
  }

  /** The bytes that one CGMiner connection brought. */
  command(visit: Visit, request: string): void {
    this.#note(
      visit,
      'cgminer',
      request,
      commandsIn(request).some((name) => CHANGING_COMMANDS.has(name)),
    );
  }

  /** The document of a question to WhatsMiner API 3. */
  framed(visit: Visit, request: string): void {
    this.#note(visit, 'framed', request, !/^\{"cmd":"get\.(?!psu\.command|log\.download)/.test(request));
  }

  /** One call of gRPC: its method and what its message holds; a read has an empty one. */
  grpc(visit: Visit, request: string): void {
    this.#note(visit, 'grpc', request, !READING_CALLS.test(request));
  }

  /** One HTTP request; `odd` where it carries more than a read and a log-in. */
  http(visit: Visit, request: string, odd: boolean): void {
    const reads = request.startsWith('GET ')
      ? !CHANGING_PAGES.test(request)
      : READING_POSTS.some((known) => known.test(request));
    this.#note(visit, 'http', withoutLogin(request, visit.device), !reads);
    if (odd) this.odd(visit.device, request);
  }

  /** Bytes that are no single question: a second request on a connection, a body, a request in pieces. */
  odd(device: SimulatedDevice, request: string): void {
    this.#violate(device, 'not one plain question', request);
  }

  #note({ device, port }: Visit, kind: Query['kind'], words: string, changes: boolean): void {
    const prefix = prefixAt(kind, port);
    const request = prefix.includes('@') ? `${words} @${port}` : words;
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
    this.#firstMs ??= performance.timeOrigin + performance.now();
    this.#listener?.(device, request);
    if (changes) this.#violate(device, 'changes a miner', request);
    else if (this.#allowed?.has(request) === false) this.#violate(device, 'not on the allow-list', request);
  }

  #violate(device: SimulatedDevice, reason: Violation['reason'], request: string): void {
    if (this.#violations.length < 1000)
      this.#violations.push({ device: device.id, reason, request: request.slice(0, 300) });
  }

  /**
   * Counts the connections of a device when one more was accepted. A peer's close may be reported a little after its
   * next connection, so an earlier one counts only if it brings more bytes, or is open still a moment later.
   */
  connected(device: SimulatedDevice, connection: Connection): void {
    this.#connections += 1;
    const earlier = [...device.connections].map((other) => ({ other, read: other.bytesRead }));
    device.connections.add(connection);
    if (earlier.length === 0) {
      this.#maxConnections = Math.max(this.#maxConnections, 1);
      return;
    }
    const count = (): void => {
      const open = earlier.filter(({ other, read }) => device.connections.has(other) || other.bytesRead > read);
      this.#maxConnections = Math.max(this.#maxConnections, open.length + 1);
    };
    // A process that was held up runs its timers before it reads what has long arrived.
    setTimeout(() => setImmediate(count), CLOSING_MS).unref();
  }
}

/** A request as the allow-list has it: user and password of the device are not part of it. */
const withoutLogin = (request: string, { script }: SimulatedDevice): string => {
  const { auth } = script.device;
  if (auth?.kind !== 'login') return request;
  return request === auth.request
    ? auth.request.replace(auth.password, '<password>').replace(auth.user, '<user>')
    : request;
};

/** The command names in a request, JSON or plain, joined or with a parameter. */
const commandsIn = (request: string): readonly string[] => {
  const named = request.startsWith('{') ? /"(?:command|cmd)"\s*:\s*"([^"]*)"/.exec(request)?.[1] : request;
  return (named ?? request).split('|', 1).flatMap((names) => names.split('+').map((name) => name.trim()));
};
