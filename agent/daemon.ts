import { readDevice } from './appraise/device.ts';
import { agentGap } from './appraise/rules/evidence-agent-gap.ts';
import { noteUnwatched } from './appraise/step.ts';
import { type LoadedConfig, loadConfig } from './config/load.ts';
import { labelNames } from './config/meaning.ts';
import { shadowedRanges } from './config/overlaps.ts';
import type { Config } from './config/schema.ts';
import { listedTwice } from './config/warnings.ts';
import { departedIn, forgetDevices } from './departures.ts';
import { ChangeControl } from './desk/change-control.ts';
import { heedCriteria } from './desk/criteria.ts';
import { Desk } from './desk/desk.ts';
import { heedEdits } from './desk/edits.ts';
import { type Ground, layGround, trustedKey } from './ground.ts';
import { beginLog, readLog, tellBegunAnew, tellLost } from './log-start.ts';
import { Notifier } from './notify/notifier.ts';
import { Outlet } from './outlet.ts';
import { buildPlant, LOCKED_OUT, PASSED, type Plant, savedNames, UNTOLD } from './plant.ts';
import type { Clock } from './platform/clock.ts';
import { type Door, serveControl } from './platform/control.ts';
import { AgentError } from './platform/errors.ts';
import type { Emit } from './platform/events.ts';
import { binaryDigest, describeHost } from './platform/host.ts';
import { bindPublicKey, type GatewayKey, loadKey, loadRedactionKey } from './platform/keys.ts';
import { keysHere } from './platform/keys-here.ts';
import { TimeService, type TimeSources } from './platform/time-service.ts';
import { VERSION } from './platform/version.ts';
import type { Logins } from './probe/logins.ts';
import { Sessions } from './publish/presence.ts';
import { heedReassignments } from './reassignments.ts';
import { earlierBoots, keepBoot } from './record/boots.ts';
import { LogFeed } from './record/feed.ts';
import { lastBegun, markBegun, type Replaces, type Signed } from './record/incarnation.ts';
import { ranUntilMs } from './record/last-run.ts';
import type { Log } from './record/log.ts';
import type { Redaction } from './record/redaction.ts';
import { buildReload, buildStop } from './record/session.ts';
import { keptHead } from './record/signed-head.ts';
import { Store } from './record/store.ts';
import { Fleet, type Ownership } from './schedule/fleet.ts';
import { placesOf } from './schedule/places.ts';
import { Tenants } from './schedule/tenants.ts';
import { loginsOf, Upkeep } from './upkeep.ts';

/** What the agent gets from its process. */
export interface Ambience {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Who says how good the wall clock is: the services of the host, unless given. */
  readonly timeSources?: TimeSources;
}

const SECOND_MS = 1000;
/** How often the place of the uplink in the log is made durable, ms. */
const CURSOR_MS = 5000;
/** How often entries older than the retention are looked for, ms. */
const RETENTION_MS = 3_600_000;
/** The first time comes sooner after the start, ms: an agent that is often started again removes what is old, too. */
const FIRST_RETENTION_MS = 10_000;
/** How often plans and waivers are looked through for what time ended, ms. */
const CHANGES_MS = 60_000;
/** How often the head of the log is signed and kept beside the store, where it grew, ms. */
const HEAD_MS = 60_000;

const ownershipIn = (config: Config, { wallMs }: Clock): Ownership => ({ tenants: new Tenants(config), nowMs: wallMs });

/** The agent: wires the stages together and lives until it is stopped. */
export class Daemon {
  readonly #ambience: Ambience;
  readonly #ground: Ground;
  readonly #stopping = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #time: TimeService;
  readonly #logins: Logins;
  /** Whether the log has begun; never rejects. */
  readonly #begun = Promise.withResolvers<boolean>();
  readonly #over = Promise.withResolvers<Replaces | AgentError>();
  readonly #sessions: Sessions;
  readonly #changes: ChangeControl;
  readonly #desk: Desk;
  readonly #upkeep: Upkeep;
  /** Until when the process before this one is known to have run; undefined where there was none. */
  readonly #ranUntilMs: number | undefined;
  /** The configuration in force. */
  #loaded: LoadedConfig;
  #redaction: Redaction | undefined;
  #plant: Plant;
  #coverage: { readonly timer: NodeJS.Timeout; readonly periodS: number } | undefined;
  #outlet: Outlet | undefined;
  #notifier: Notifier | undefined;
  #control: Door | undefined;
  #reloading: Promise<void> = Promise.resolve();

  /**
   * Starts an agent. `replaces`: what was found out about the log in the store while it ran before. Throws an `AgentError`
   * for whatever an operator has to mend first; nothing runs half.
   */
  static async start(loaded: LoadedConfig, ambience: Ambience, replaces?: Replaces): Promise<Daemon> {
    const { config } = loaded;
    const key = loadKey(config.state_dir);
    const store = Store.open(config.state_dir);
    const time = new TimeService({ wallMs: ambience.clock.wallMs, ...sourcesOf(ambience) });
    let daemon: Daemon | undefined;
    try {
      const known = [...store.devices(readDevice)];
      const fleet = new Fleet(
        placesOf(config),
        known,
        store.meta(PASSED, savedNames) ?? new Set(),
        ownershipIn(config, ambience.clock),
        departedIn(store),
        store.meta(UNTOLD, savedNames) ?? new Set(),
      );
      const log = readLog(loaded.config, {
        store,
        signer: key.signer,
        clock: ambience.clock,
        clockState: () => time.state(),
        epoch: () => daemon?.epoch(),
        head: keptHead(config.state_dir, trustedKey(key)),
        replaces,
      });
      daemon = new Daemon(loaded, ambience, { store, log, time, fleet, key, isDoubtful: replaces !== undefined });
      await daemon.#begin(key.protection);
      tellWhoseKey(loaded.config, key, ambience.emit);
      return daemon;
    } catch (error) {
      // An agent runs, or it does not: what had begun ends.
      if (daemon !== undefined) await daemon.#abandon();
      time[Symbol.dispose]();
      store[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(
    loaded: LoadedConfig,
    ambience: Ambience,
    parts: { store: Store; log: Log; time: TimeService; fleet: Fleet; key: GatewayKey; isDoubtful: boolean },
  ) {
    const { store, log, time, fleet, key, isDoubtful } = parts;
    this.#ambience = ambience;
    this.#loaded = loaded;
    this.#redaction = redactionOf(loaded.config);
    this.#logins = loginsOf(ambience, { store, key });
    this.#time = time;
    const { clock, emit } = ambience;
    this.#ground = layGround({
      key,
      store,
      log,
      fleet,
      clock,
      emit,
      stateDir: loaded.config.state_dir,
      isDoubtful,
      plant: () => this.#plant,
      redaction: () => this.#redaction,
    });
    const { orders, recorder } = this.#ground;
    this.#changes = new ChangeControl({
      orders,
      recorder,
      store,
      log: () => log.origin,
      gateway: `${loaded.config.operator}/${loaded.config.gateway}`,
      approvers: () => this.#loaded.approvers,
      states: () => this.#plant.fleet.states(),
      labels: () => labelNames(this.#loaded.config),
      keysHere: () => keysHere(loaded.config.state_dir),
      wallMs: clock.wallMs,
      emit,
    });
    const { state_dir } = loaded.config;
    this.#sessions = new Sessions(log.bootseed, (seed) => earlierBoots(state_dir, store).has(seed));
    this.#ranUntilMs = ranUntilMs(store, trustedKey(key));
    const notRunMs = clock.wallMs() - (this.#ranUntilMs ?? clock.wallMs());
    for (const state of fleet.states()) noteUnwatched(state, notRunMs);
    this.#plant = this.#buildPlant(loaded, fleet);
    const inForce = {
      ground: this.#ground,
      changes: this.#changes,
      plant: () => this.#plant,
      outlet: () => this.#outlet,
    };
    this.#desk = new Desk({ ...inForce, clock, loaded: () => this.#loaded, notifier: () => this.#notifier });
    this.#upkeep = new Upkeep({
      ...inForce,
      clock,
      emit,
      time,
      logins: this.#logins,
      attempt: (work) => this.#try(work),
      bereft: (error) => this.#over.resolve(error),
      signal: this.#stopping.signal,
    });
  }

  /** The first devices are asked while the host describes itself; what they answer is judged once the log has begun. */
  async #begin(keyProtection: GatewayKey['protection']): Promise<void> {
    const { log } = this.#ground;
    const { config, fleet, pacer } = this.#plant;
    const former = lastBegun(config.state_dir);
    const sizeBefore = log.size();
    pacer.start();
    const [host, sha256] = await Promise.all([describeHost(), binaryDigest(), this.#time.start()]);
    // A first log is marked once it stands: a start that dies before that lost nothing.
    if (former !== undefined) markBegun(config.state_dir, log.origin);
    keepBoot(config.state_dir, log.bootseed);
    const start = {
      agent: { name: 'assayer', version: VERSION, ...(sha256 === undefined ? {} : { sha256 }) },
      configSha256: this.#loaded.sha256,
      host,
      keyProtection,
      removed: fleet.removed,
    };
    beginLog(start, this.#ground, {
      fleet,
      isRedacting: this.#redaction !== undefined,
      wasBegun: former !== undefined,
      nowMs: this.#ambience.clock.wallMs(),
      emit: this.#ambience.emit,
    });
    if (former === undefined) markBegun(config.state_dir, log.origin);
    const { store } = this.#ground;
    if (store.lost !== undefined) tellLost(store.lost, store, this.#ambience.emit);
    if (this.#ranUntilMs === undefined && former !== undefined) tellBegunAnew(log, former, this.#ambience.emit);
    this.#changes.resume();
    this.#heedEdits();
    this.#control = await serveControl(config.state_dir, (request) => this.#desk.answer(request));
    this.#run(sizeBefore);
    this.#begun.resolve(true);
  }

  async #abandon(): Promise<void> {
    this.#stopping.abort();
    this.#begun.resolve(false);
    await this.#haltLooks();
    await Promise.all([this.#outlet?.stop(), this.#notifier?.stop()]);
  }

  /**
   * Settles when this agent can write no more and is to be stopped: another log has to replace this one, and the agent is to be started
   * with that; or the store is gone.
   */
  get over(): Promise<Replaces | AgentError> {
    return this.#over.promise;
  }

  /** The configuration in force, as it was read. */
  get loaded(): LoadedConfig {
    return this.#loaded;
  }

  /** The newest epoch marker of a witness, as statements name it. */
  epoch(): ReturnType<Outlet['epoch']> {
    return this.#outlet?.epoch();
  }

  /** What goes on from now until the end: the uplink, those who are told of findings, and what is due again and again. */
  #run(sizeBefore: number): void {
    const { recorder, store } = this.#ground;
    const { config, fleet } = this.#plant;
    forgetDevices(fleet.removed, [], { store, recorder, emit: this.#ambience.emit });
    this.#outlet = this.#buildOutlet(config);
    this.#outlet?.start();
    this.#notifier = this.#buildNotifier(config, sizeBefore);
    this.#notifier.start();
    const gap = agentGap({
      ranUntilMs: this.#ranUntilMs,
      nowMs: this.#ambience.clock.wallMs(),
      pollIntervalMs: this.#plant.pacer.poolsIntervalMs(),
    });
    if (gap !== undefined) recorder.takeGatewayFinding(gap);
    recorder.resume(fleet.states());
    recorder.saveStates(fleet.states().filter(({ marks }) => marks.failingSinceMs !== undefined));
    recorder.rewriteLost(store, fleet.states());
    this.#every(SECOND_MS, () => this.#upkeep.watchStore());
    this.#nowAndEvery(SECOND_MS, () => this.#upkeep.watchGaps());
    this.#every(SECOND_MS, () => recorder.tick());
    this.#every(SECOND_MS, () => this.#upkeep.saveRefusals());
    this.#nowAndEvery(SECOND_MS, () => this.#upkeep.watchClock());
    this.#every(SECOND_MS, () => this.#upkeep.noteRunning());
    this.#coverEvery(config.coverage_s);
    this.#every(CURSOR_MS, () => this.#upkeep.savePlaces());
    this.#nowAndEvery(CURSOR_MS, () => this.#upkeep.keepApprovals());
    this.#nowAndEvery(HEAD_MS, () => this.#upkeep.keepHead());
    this.#every(RETENTION_MS, () => this.#upkeep.prune());
    this.#timers.push(setTimeout(() => this.#try(() => this.#upkeep.prune()), FIRST_RETENTION_MS));
    this.#nowAndEvery(CHANGES_MS, () => this.#changes.tick());
    this.#every(RETENTION_MS, () => this.#changes.tickStale());
    tellDoublyListed(config, this.#ambience.emit);
    this.#ambience.emit('info', 'agent.started', {
      version: VERSION,
      log: this.#ground.log.origin,
      places: fleet.seats().length,
      store: store.file,
    });
  }

  #buildPlant(loaded: LoadedConfig, fleet: Fleet): Plant {
    const { recorder, store } = this.#ground;
    return buildPlant(loaded, fleet, {
      ...this.#ambience,
      recorder,
      logins: this.#logins,
      begun: this.#begun.promise,
      signal: this.#stopping.signal,
      standing: () => this.#ground.orders.standing,
      people: () => this.#changes.people(),
      ranUntilMs: this.#ranUntilMs ?? 0,
      isLockedOut: () => store.meta(LOCKED_OUT, (text) => text === 'yes') === true,
    });
  }

  #nowAndEvery(periodMs: number, work: () => void): void {
    this.#try(work);
    this.#every(periodMs, work);
  }

  #every(periodMs: number, work: () => void): void {
    this.#timers.push(setInterval(() => this.#try(work), periodMs));
  }

  /** Reading the configuration again cuts no period short, or whoever does it often would keep all coverage unsaid. */
  #coverEvery(periodS: number): void {
    if (this.#coverage?.periodS === periodS) return;
    clearInterval(this.#coverage?.timer);
    this.#coverage = { periodS, timer: setInterval(() => this.#cover(), periodS * SECOND_MS) };
  }

  #cover(): void {
    this.#try(() => this.#upkeep.watchGaps());
    this.#try(() => this.#ground.recorder.closePeriod());
  }

  /** At the end: what was looked at since the last coverage, where there was time to look at everything. */
  #coverRest(): void {
    if (this.#ground.recorder.lastedMs() >= this.#plant.pacer.poolsIntervalMs()) this.#cover();
  }

  /** Background work never ends the agent for what an operator has to mend. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#ambience.emit('error', error.code, { message: error.message, remedy: error.remedy });
    }
  }

  #buildOutlet({ mqtt, gateway }: Config): Outlet | undefined {
    if (mqtt === undefined) return undefined;
    return new Outlet(mqtt, gateway, {
      ground: this.#ground,
      sessions: this.#sessions,
      changes: this.#changes,
      observe: (devices) => this.#desk.observe(devices),
      rolledBack: (signed, why) => this.#rolledBack(signed, why),
      ...this.#ambience,
    });
  }

  #buildNotifier({ notify, gateway }: Config, from: number): Notifier {
    const { log, store } = this.#ground;
    return new Notifier({ targets: notify, gateway, feed: new LogFeed(log, store), from, ...this.#ambience });
  }

  /** The targets that were read again go on in the log where the former ones were. */
  async #replaceNotifier(config: Config, former: Config, from: number): Promise<void> {
    if (JSON.stringify(former.notify) === JSON.stringify(config.notify)) return;
    await this.#notifier?.stop();
    this.#try(() => {
      this.#notifier = this.#buildNotifier(config, from);
      this.#notifier.start();
    });
  }

  /** The store does not hold the log that was signed: nothing more may be appended to what it holds, and another log replaces it. */
  #rolledBack(signed: Signed, why: string): void {
    const { log } = this.#ground;
    if (log.isFrozen) return;
    const remedy = 'find out who put an older state_dir back, or copied it; a new log begins by itself';
    this.#ambience.emit('error', 'log.rolled-back', {
      log: signed.log,
      signed: signed.size,
      held: log.size(),
      why,
      remedy,
    });
    log.freeze(
      new AgentError({ code: 'log.rolled-back', message: `nothing is appended to ${log.origin}: ${why}`, remedy }),
    );
    this.#over.resolve({ signed, why });
  }

  /**
   * Reads the configuration again; gives the one in force afterwards. A wrong one is reported and changes nothing. While the agent
   * ends none is read.
   */
  async reload(): Promise<Config> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    await this.#reloading;
    return this.#loaded.config;
  }

  async #reload(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { file, config } = this.#loaded;
    try {
      const loaded = loadConfig(file);
      const sizeBefore = this.#ground.log.size();
      requireSameIdentity(config, loaded.config);
      const outlet = this.#outletFor(loaded.config, config.mqtt);
      // A period that is changed ends with the devices that it was about.
      if (loaded.config.coverage_s !== config.coverage_s) this.#cover();
      await this.#replacePlant(loaded, redactionOf(loaded.config));
      this.#changes.heedApprovers();
      this.#coverEvery(loaded.config.coverage_s);
      await this.#replaceOutlet(outlet);
      await this.#replaceNotifier(loaded.config, config, sizeBefore);
      tellDoublyListed(loaded.config, this.#ambience.emit);
      this.#ambience.emit('info', 'config.reloaded', { file });
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#ambience.emit('error', 'config.rejected', {
        code: error.code,
        message: error.message,
        remedy: error.remedy,
        in_force: 'the configuration read before',
      });
    }
  }

  /** Between two rounds. Where the store refuses the entry that says so, the former plant goes on. */
  async #replacePlant(loaded: LoadedConfig, redaction: Redaction | undefined): Promise<void> {
    const { fleet: former, pacer } = this.#plant;
    await pacer.stop();
    this.#ground.recorder.flush();
    const fleet = new Fleet(
      placesOf(loaded.config),
      former.states(),
      new Set(former.passedEntries()),
      ownershipIn(loaded.config, this.#ambience.clock),
      departedIn(this.#ground.store),
      new Set(former.untoldAddresses()),
    );
    try {
      const said = buildReload({ configSha256: loaded.sha256, removed: fleet.removed });
      forgetDevices(fleet.removed, said, { ...this.#ground, emit: this.#ambience.emit });
      this.#loaded = loaded;
      this.#redaction = redaction;
      this.#plant = this.#buildPlant(loaded, fleet);
      this.#heedEdits();
    } catch (error) {
      this.#plant = this.#buildPlant(this.#loaded, former);
      throw error;
    } finally {
      this.#plant.pacer.start();
    }
  }

  #heedEdits(): void {
    const { orders, recorder, store } = this.#ground;
    const { wallMs } = this.#ambience.clock;
    const by = { people: this.#changes.people(), nowMs: wallMs() };
    const { fleet } = this.#plant;
    const edits = fleet.takeEdits();
    heedEdits(edits, fleet, { orders, recorder, ...by });
    heedReassignments({ fleet, recorder, standing: orders.standing, edits, ...by });
    heedCriteria(this.#loaded, { store, recorder, ...by });
  }

  /** The uplink for a configuration that was read again: the former one where nothing about it changed. */
  #outletFor(config: Config, former: Config['mqtt']): Outlet | undefined {
    if (JSON.stringify(former) === JSON.stringify(config.mqtt)) return this.#outlet;
    // What witnesses said so far is read again from the store.
    this.#outlet?.save();
    return this.#buildOutlet(config);
  }

  async #replaceOutlet(outlet: Outlet | undefined): Promise<void> {
    if (outlet === this.#outlet) {
      outlet?.renew();
      return;
    }
    await this.#outlet?.stop();
    this.#outlet = outlet;
    outlet?.start();
  }

  /** Ends in good order: looks under way are dropped, what was judged is recorded, presence says `stopped`. */
  async stop(reason: string): Promise<void> {
    await this.#haltLooks();
    const { recorder, log, store } = this.#ground;
    if (!log.isFrozen) {
      recorder.saveStates(this.#plant.fleet.states());
      this.#try(() => this.#upkeep.saveRefusals({ atEnd: true }));
      this.#try(() => void log.transaction((tx) => void tx.append(buildStop(reason))));
    }
    await Promise.all([this.#outlet?.stop(), this.#notifier?.stop()]);
    this.#try(() => this.#upkeep.savePlaces());
    this.#try(() => this.#upkeep.keepHead());
    this.#try(() => this.#upkeep.keepApprovals());
    this.#time[Symbol.dispose]();
    store[Symbol.dispose]();
    this.#ambience.emit('info', 'agent.stopped', { reason });
  }

  async #haltLooks(): Promise<void> {
    this.#stopping.abort();
    this.#control?.close();
    // A reload under way comes to its end first: what it began is ended with the rest.
    await this.#reloading;
    for (const timer of this.#timers) timer.close();
    clearInterval(this.#coverage?.timer);
    await this.#plant.pacer.stop();
    const { log, recorder } = this.#ground;
    if (!log.isFrozen) this.#coverRest();
    recorder.stop();
  }
}

const sourcesOf = ({ timeSources }: Ambience): { readonly sources?: TimeSources } =>
  timeSources === undefined ? {} : { sources: timeSources };

/** For verifiers only: the agent does its work without. */
const tellWhoseKey = ({ state_dir, operator, gateway }: Config, key: GatewayKey, emit: Emit): void => {
  try {
    bindPublicKey(state_dir, key, `${operator}/${gateway}`);
  } catch (error) {
    emit('warn', 'key.public-unwritten', {
      message: `cannot note in gateway.jwk.json whose key it is: ${(error as Error).message}`,
      remedy: 'make it writable by the user of the agent: without the note whoever trusts it trusts it for any gateway',
    });
  }
};

const tellDoublyListed = (config: Config, emit: Emit): void => {
  for (const told of listedTwice(config)) emit('warn', 'config.listed-twice', told);
  for (const told of shadowedRanges(config)) emit('warn', 'config.ranges-overlap', told);
};

const redactionOf = ({ redact, state_dir }: Config): Redaction | undefined =>
  redact.length === 0 ? undefined : { secret: loadRedactionKey(state_dir) };

const requireSameIdentity = (before: Config, after: Config): void => {
  const changed = (['gateway', 'operator', 'state_dir'] as const).filter((name) => before[name] !== after[name]);
  if (changed.length === 0) return;
  throw new AgentError({
    code: 'config.needs-restart',
    message: `${changed.join(', ')} cannot change while the agent runs`,
    remedy: 'restart the agent',
  });
};
