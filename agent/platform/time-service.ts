import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { ClockState } from '../../shared/statement.ts';

/** What the host's time services answer; tests pass their own. */
export interface TimeSources {
  /** Output of `chronyc -c tracking`; undefined when there is no chrony that answers. */
  readonly chronyTracking: () => Promise<string | undefined>;
  /** When systemd-timesyncd last set the clock, Unix seconds; undefined when it never did since boot. */
  readonly timesyncdAt: () => Promise<number | undefined>;
  /** `NTPMessage` of `timedatectl show-timesync`; undefined when it does not answer. */
  readonly timesyncdMessage: () => Promise<string | undefined>;
}

const EVERY_MS = 60_000;
const COMMAND_TIMEOUT_MS = 2000;

/** Twice the longest poll interval of systemd-timesyncd (2048 s): a clock that was set longer ago runs on its own. */
const HOLDOVER_AFTER_S = 4096;

const UNSYNCED: ClockState = { state: 'unsynced', src: 'none' };

/** Asks the host's time service in the background once a minute; `state` answers at once from the last reply. */
export class TimeService {
  readonly #sources: TimeSources;
  readonly #wallMs: () => number;
  #state: ClockState = UNSYNCED;
  #syncedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly wallMs: () => number; readonly sources?: TimeSources }) {
    this.#sources = options.sources ?? HOST;
    this.#wallMs = options.wallMs;
  }

  /** Asks once, then every minute until disposed. Await it before the first entry is written. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.refresh(), EVERY_MS).unref();
    await this.refresh();
  }

  /** What the `clock` member of a statement made now says. */
  state(): ClockState {
    if (this.#syncedAt === undefined) return this.#state;
    return aged(this.#state, this.#syncedAt, Math.floor(this.#wallMs() / 1000));
  }

  /** Asks now. Never fails: a host without a time service is `unsynced`. */
  async refresh(): Promise<void> {
    const synced = (await this.#chrony()) ?? (await this.#timesyncd());
    this.#state = synced?.state ?? UNSYNCED;
    this.#syncedAt = synced?.syncedAt;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #chrony(): Promise<Synced | undefined> {
    const csv = await this.#sources.chronyTracking();
    return csv === undefined ? undefined : parseChronyTracking(csv);
  }

  async #timesyncd(): Promise<Synced | undefined> {
    const syncedAt = await this.#sources.timesyncdAt();
    if (syncedAt === undefined) return undefined;
    const message = await this.#sources.timesyncdMessage();
    const errMs = message === undefined ? undefined : parseNtpMessage(message);
    return { state: { state: 'synced', src: 'ntp', ...(errMs === undefined ? {} : { err_ms: errMs }) }, syncedAt };
  }
}

/** A clock that was set, and when, Unix seconds. */
export interface Synced {
  readonly state: ClockState;
  readonly syncedAt: number;
}

/**
 * Reads the one line of `chronyc -c tracking`: reference id, name, stratum, time of the last update, offset of the
 * system clock, … root delay, root dispersion, update interval, leap status. Undefined when chrony is not synchronised.
 */
export const parseChronyTracking = (csv: string): Synced | undefined => {
  const [id, name, , updatedAt, offset, , , , , , delay, dispersion, , leap] = csv.trim().split(',');
  // 7F7F0101 is chrony's own clock served as a reference (`local`): nothing outside vouches for it.
  if (leap === undefined || leap === 'Not synchronised' || id === '7F7F0101') return undefined;
  const numbers = [updatedAt, offset, delay, dispersion].map(Number);
  if (numbers.some((number) => !Number.isFinite(number))) return undefined;
  const [at = 0, offsetS = 0, delayS = 0, dispersionS = 0] = numbers;
  // chronyc(1), "Root dispersion": the bound on the error of the clock.
  const errMs = Math.ceil((Math.abs(offsetS) + dispersionS + delayS / 2) * 1000);
  return { state: { state: 'synced', src: sourceOf(name ?? ''), err_ms: errMs }, syncedAt: Math.floor(at) };
};

const sourceOf = (name: string): ClockState['src'] => {
  if (/^(GPS|PPS|NMEA|GNSS)/.test(name)) return 'gnss';
  return /^(PHC|PTP)/.test(name) ? 'ptp' : 'ntp';
};

/** Bound on the clock error, ms, from `RootDelay=1.3ms, RootDispersion=26ms` of systemd's NTPMessage. */
export const parseNtpMessage = (message: string): number | undefined => {
  const delayMs = parseTimespanMs(/\bRootDelay=([^,}]+)/.exec(message)?.[1]);
  const dispersionMs = parseTimespanMs(/\bRootDispersion=([^,}]+)/.exec(message)?.[1]);
  return delayMs === undefined || dispersionMs === undefined ? undefined : Math.ceil(delayMs / 2 + dispersionMs);
};

const UNIT_MS: { readonly [unit: string]: number } = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

const parseTimespanMs = (text: string | undefined): number | undefined => {
  const parts = text?.trim().split(/\s+/) ?? [];
  const sizes = parts.map((part) => {
    if (part === '0') return 0;
    const [, number, unit] = /^([0-9.]+)(us|ms|s|min|h)$/.exec(part) ?? [];
    return number === undefined || unit === undefined ? Number.NaN : Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  });
  const sum = sizes.reduce((total, size) => total + size, 0);
  return parts.length === 0 || !Number.isFinite(sum) ? undefined : sum;
};

const aged = (state: ClockState, syncedAt: number, now: number): ClockState => {
  const age = Math.max(0, now - syncedAt);
  return { ...state, state: age > HOLDOVER_AFTER_S ? 'holdover' : state.state, sync_age_s: age };
};

const output = (file: string, args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(file, args, { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 65_536 }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });

const HOST: TimeSources = {
  chronyTracking: () => output('chronyc', ['-c', 'tracking']),
  timesyncdAt: async () => {
    try {
      return Math.floor((await stat('/run/systemd/timesync/synchronized')).mtimeMs / 1000);
    } catch {
      return undefined;
    }
  },
  timesyncdMessage: () => output('timedatectl', ['show-timesync', '--property=NTPMessage', '--value']),
};
