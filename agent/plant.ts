import { appraise } from './appraise/engine.ts';
import { expiredBy } from './appraise/firmware-policy.ts';
import { revisionOf, type Standing } from './baseline/standing.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { lookDeps } from './look.ts';
import { contextOf } from './look-context.ts';
import type { Clock } from './platform/clock.ts';
import { AgentError } from './platform/errors.ts';
import type { Emit } from './platform/events.ts';
import { Neighbours } from './platform/neighbours.ts';
import { isVendorDefault, readSecret } from './platform/secrets.ts';
import { VERSION } from './platform/version.ts';
import type { Endpoint } from './probe/connection.ts';
import type { Logins } from './probe/logins.ts';
import { Surplus } from './probe/surplus.ts';
import type { Target } from './probe/target.ts';
import type { Recorder } from './record/recorder.ts';
import { admitLook, type RoundDeps, runLook, type StandingNow } from './round.ts';
import { DefaultLogins } from './schedule/default-logins.ts';
import type { Fleet } from './schedule/fleet.ts';
import { Pacer } from './schedule/pacer.ts';
import type { FleetSeat } from './schedule/seat.ts';
import { type DueLook, Timetable } from './schedule/timetable.ts';
import { formerlyUntilMs, Turns } from './schedule/turns.ts';

/** What a configuration makes: who is looked at, when, how, and judged by what. A reload replaces it as a whole. */
export interface Plant {
  readonly config: Config;
  readonly fleet: Fleet;
  readonly pacer: Pacer;
  readonly timetable: Timetable<FleetSeat>;
}

/** What a plant needs that outlives it. */
export interface PlantDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly recorder: Recorder;
  /** Shared by all configurations: a log-in that was refused is not tried again because of a reload. */
  readonly logins: Logins;
  /** Whether the log has begun, once that is known. */
  readonly begun: Promise<boolean>;
  readonly signal: AbortSignal;
  /** What approvers laid down and the log holds. */
  readonly standing: () => Standing;
  /** How many people approvals take here at most. */
  readonly people: () => number;
  /** Whether a device locked us out when the log-in of its maker was tried, and nobody took note of it since. */
  readonly isLockedOut: () => boolean;
  /** When the process before this one wrote its last entry, Unix milliseconds; 0 where there was none. */
  readonly ranUntilMs: number;
}

/** Wires the stages for one configuration. Nothing runs before `pacer.start`. */
export const buildPlant = ({ config, sha256, drivers }: LoadedConfig, fleet: Fleet, plantDeps: PlantDeps): Plant => {
  const { clock, emit, recorder, logins, begun, signal, ranUntilMs } = plantDeps;
  const timetable = new Timetable<FleetSeat>({
    seats: () => fleet.seats(),
    phaseOf: ({ phase }) => phase,
    random: Math.random,
  });
  const turns = {
    web: new Turns(config.schedule.web, clock.wallMs),
    tls: new Turns(config.schedule.tls, clock.wallMs),
    ssh: new Turns(config.schedule.ssh, clock.wallMs),
    ports: new Turns(config.schedule.ports, clock.wallMs),
    login: new DefaultLogins({
      allowed: config.probe.default_logins,
      isLockedOut: plantDeps.isLockedOut(),
      wallMs: clock.wallMs,
    }),
  };
  const neighbours = new Neighbours(clock.monoMs);
  const deps: RoundDeps = {
    fleet,
    timetable,
    recorder,
    emit,
    begun,
    look: lookDeps({
      drivers,
      limits: limitsOf(config),
      clock,
      signal,
      logins,
      managementPorts: config.probe.management_ports,
      surplus: new Surplus((where) => tellSurplus(where, plantDeps)),
      lockedOut: (where) => {
        if (turns.login.lockOut()) tellLockedOut(where, plantDeps);
      },
    }),
    wallMs: clock.wallMs,
    monoMs: clock.monoMs,
    random: Math.random,
    targetOf: targets(config),
    settings: {
      ...(config.pools.allow === undefined ? {} : { allow: config.pools.allow }),
      ...(config.provenance === undefined ? {} : { provenance: config.provenance }),
      linkAlive: (address) => neighbours.isAlive(address),
      confirmS: config.confirm_s,
      refreshS: config.refresh_s,
      pollIntervalMs: () => pacer.poolsIntervalMs(),
      searchMs: () => pacer.searchMs(),
      firmware: config.firmware,
      nameplates: config.nameplates,
      allowOf: new Map(Object.entries(config.tenants).flatMap(([name, { allow }]) => (allow ? [[name, allow]] : []))),
      standing: standingNow(`${VERSION} ${sha256}`, (nowMs) => epochOf(config, fleet, nowMs), plantDeps),
      redact: config.redact,
      turns: ({ phase }) => ({
        lastMs: (surface) => turns[surface].lastMs(phase),
        nowMs: clock.wallMs(),
        ranUntilMs: formerlyUntilMs(ranUntilMs, clock),
      }),
      inFirstPass: (seat) => fleet.inFirstPass(seat),
    },
  };
  const pacer = new Pacer({
    timetable,
    schedule: config.schedule,
    admit: (due) => admitLook(due, deps),
    run: (due) => lookSafely(due, deps, plantDeps),
    most: config.probe.concurrency,
    opened: () =>
      void begun.then((hasBegun) => {
        if (!hasBegun) return;
        judgeDisplaced(deps);
        // Whoever switched it off has taken note of the lock-out: switched on again, it begins anew.
        if (!config.probe.default_logins) recorder.saveMeta(LOCKED_OUT, 'no');
        savePassed(deps);
      }),
    overdue: (seat, intervalMs) => isOverdue(seat, intervalMs, deps),
    clock,
    emit,
  });
  return { config, fleet, pacer, timetable };
};

/** What is in force at each look. Time alone changes it at most once a minute. */
const standingNow = (
  policy: string,
  epochAt: (nowMs: number) => string,
  { standing, people, clock }: Pick<PlantDeps, 'standing' | 'people' | 'clock'>,
): RoundDeps['settings']['standing'] => {
  let known: (StandingNow & { readonly minute: number }) | undefined;
  return () => {
    const minute = Math.floor(clock.wallMs() / MINUTE_MS);
    const now = standing();
    if (known?.standing !== now || known.minute !== minute)
      known = {
        standing: now,
        people: people(),
        minute,
        policy: `${policy} ${epochAt(minute * MINUTE_MS)} ${revisionOf(now, minute * MINUTE_MS)}`,
      };
    return known;
  };
};

/** Changes when time alone changes what the configuration says: assignments begin and end, approvals of firmware expire. */
const epochOf = ({ firmware }: Config, fleet: Fleet, nowMs: number): string =>
  `${fleet.epoch(nowMs)}.${firmware === undefined ? 0 : expiredBy(firmware, nowMs)}`;

const MINUTE_MS = 60_000;

/** Name under which the store keeps whether a device locked us out. */
export const LOCKED_OUT = 'default-login-lockout';

const tellLockedOut = (where: { readonly address: string; readonly said: string }, deps: PlantDeps): void => {
  deps.recorder.saveMeta(LOCKED_OUT, 'yes');
  deps.emit('warn', 'probe.locked-out', {
    ...where,
    message: 'the device closed its door after the log-in of its maker was tried; no device is tried any more',
    remedy:
      'set probe.default_logins to false, reload, and leave it so until you know how many tries the device allows',
  });
};

const tellSurplus = ({ host: address, port }: Endpoint, { emit }: PlantDeps): void =>
  emit('warn', 'probe.surplus-reply', {
    address,
    port,
    message:
      'the device sent bytes behind a reply that nobody had asked for; it is asked one question per connection now',
    remedy:
      'look what serves this port: a proxy, or firmware that answers twice; what it said before may belong to another question',
  });

/** The round loop's catch: whatever one look fails with, the others go on. */
const lookSafely = (due: DueLook<FleetSeat>, deps: RoundDeps, plantDeps: PlantDeps): Promise<void> =>
  runLook(due, deps).catch((error: unknown) => report(error, due, plantDeps));

const report = (error: unknown, { seat }: DueLook<FleetSeat>, { emit, signal }: PlantDeps): void => {
  if (signal.aborted) return;
  const known = error instanceof AgentError;
  emit('error', known ? error.code : 'round.failed', {
    address: seat.place.address,
    message: error instanceof Error ? error.message : String(error),
    ...(known ? { remedy: error.remedy } : { stack: error instanceof Error ? error.stack : undefined }),
  });
};

/** A device whose address another machine has taken is not seen; once a round it is judged as such. */
export const judgeDisplaced = (deps: RoundDeps): void => {
  deps.recorder.heedClock();
  for (const before of deps.fleet.machines.displaced()) {
    const atMs = deps.wallMs();
    const context = contextOf(before, undefined, undefined, deps);
    const marks = { ...before.marks };
    const verdict = appraise(before, { kind: 'unreachable', atMs, reason: 'unreachable' }, context);
    const look = { kind: 'unreachable', atMs } as const;
    void deps.recorder.take({ before, marks, verdict, address: before.address, look });
  }
  // At once: the machine may be found elsewhere the next moment, and would be judged by what holds now.
  deps.recorder.flush();
};

/** Name under which the store keeps the entries of the configuration whose every address was looked at. */
export const PASSED = 'passed-entries';

/** And the addresses that are still in their first pass all the same. */
export const UNTOLD = 'untold-addresses';

const savePassed = ({ fleet, recorder }: RoundDeps): void => {
  recorder.saveMeta(PASSED, JSON.stringify(fleet.passedEntries()));
  recorder.saveMeta(UNTOLD, JSON.stringify(fleet.untoldAddresses()));
};

/** The entries, or addresses, from what the store keeps. */
export const savedNames = (text: string): ReadonlySet<string> =>
  // Written by `savePassed`.
  new Set(JSON.parse(text) as readonly string[]);

const isOverdue = (seat: FleetSeat, intervalMs: number, { fleet, wallMs }: RoundDeps): boolean => {
  const marks = seat.device === undefined ? undefined : fleet.state(seat.device)?.marks;
  return marks?.fullMs === undefined || wallMs() - marks.fullMs >= intervalMs;
};

const limitsOf = ({ probe }: Config) => ({
  connectMs: probe.connect_timeout_ms,
  exchangeMs: probe.exchange_timeout_ms,
  deviceMs: probe.device_timeout_ms,
  maxReplyBytes: probe.max_reply_bytes,
});

/** The target of a seat. A password is read when it is first needed and kept until the configuration is read again. */
const targets = (config: Config): ((seat: FleetSeat) => Target) => {
  const logins = new Map<string, Pick<Target, 'credential' | 'vendorDefault' | 'families'>>(
    Object.entries(config.credentials).map(([name, source]) => {
      const { user, families } = source;
      if (isVendorDefault(source)) return [name, { vendorDefault: true, families }];
      let password: string | undefined;
      return [name, { credential: { user, password: () => (password ??= readSecret(source)) }, families }];
    }),
  );
  return ({ place, closed }) => ({
    address: place.address,
    ports: place.ports,
    closed,
    ...logins.get(place.credentials ?? ''),
  });
};
