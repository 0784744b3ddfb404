import type { Finding } from './appraise/finding.ts';
import { type GapReason, gapSince, isGap } from './appraise/rules/evidence-agent-gap.ts';
import { type ClockWatch, isStep, watchClock } from './appraise/rules/evidence-clock-untrusted.ts';
import type { ChangeControl } from './desk/change-control.ts';
import { type Ground, noteSigner } from './ground.ts';
import type { Outlet } from './outlet.ts';
import type { Plant } from './plant.ts';
import { type Clock, sleptMs } from './platform/clock.ts';
import { AgentError } from './platform/errors.ts';
import type { Emit } from './platform/events.ts';
import type { TimeService } from './platform/time-service.ts';
import { LOGIN_REMEDY, Logins, REFUSED_LOGINS, type RefusedDoor, TRIED_LOGINS } from './probe/logins.ts';
import { replacedStore } from './record/failure.ts';
import { noteRunning } from './record/last-run.ts';
import { firstHeld, NOTHING, prunableBelow, pruneBatch, restsOn } from './record/retention.ts';
import { keepHead } from './record/signed-head.ts';
import type { Store } from './record/store.ts';
import { durationText, isoOf } from './terms/instant.ts';

const SECOND_MS = 1000;
/** How often it is noted that the agent runs, ms. */
const LEAST_NOTED_MS = 5000;
const MOST_NOTED_MS = 60_000;

/** The running agent as upkeep sees it; what a reload may replace is asked for anew each time. */
export interface UpkeepDeps {
  readonly ground: Ground;
  readonly time: TimeService;
  readonly changes: ChangeControl;
  readonly logins: Logins;
  readonly plant: () => Plant;
  readonly outlet: () => Outlet | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Does what may fail for what an operator has to mend, and says so. */
  readonly attempt: (work: () => void) => void;
  /** The store is gone. */
  readonly bereft: (error: AgentError) => void;
  readonly signal: AbortSignal;
}

/** What the agent does beside its work, each in its own time: it keeps places, heads and marks, and removes what is old. */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  #clockWatch: ClockWatch;
  /** When `watchGaps` was last called, on the clock that is never set, and how much more the host says has passed. */
  #watchedMs: number | undefined;
  #sleptMs: number;
  /** Since when the store refuses, on that clock. */
  #refusedMs: number | undefined;
  /** Gaps that no entry states yet. */
  readonly #gaps: Finding[] = [];
  /** Entries in the log when its head was last kept beside the store. */
  #headSize = 0;
  /** When it was last noted that the agent runs, on the clock that is never set. */
  #notedMs: number;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#notedMs = deps.clock.monoMs();
    this.#sleptMs = sleptMs(deps.clock);
    const { log, store } = deps.ground;
    this.#clockWatch = log.replaced === undefined ? clockWatchOf(store) : {};
  }

  /**
   * An agent that dies over and over must not lock an account by trying a wrong password at every start: what was refused is kept, and only
   * then is the note forgotten that it was tried. At an end in good order no note stays.
   */
  saveRefusals({ atEnd = false } = {}): void {
    const { logins, clock, ground } = this.#deps;
    const refusals = logins.unsaved(clock.wallMs());
    if (refusals !== undefined) ground.recorder.saveMeta(REFUSED_LOGINS, refusals);
    logins.forgetTries({ all: atEnd });
  }

  /**
   * Every second, and before a period is closed: whether this process stood still, the host slept, or the store refused all, for longer
   * than lies between two looks. What came and went meanwhile is in no entry, and no coverage may say otherwise.
   */
  watchGaps(): void {
    const { ground, clock, plant } = this.#deps;
    const { log, recorder } = ground;
    // What it stood still over, and the clock was set in, is in no period: the former one ends before that.
    recorder.heedClock();
    const nowMs = clock.monoMs();
    const slept = sleptMs(clock);
    const isLong = (fromMs: number): boolean => isGap(nowMs - fromMs, plant().pacer.poolsIntervalMs());
    const asleepMs = Math.max(0, slept - this.#sleptMs);
    if (this.#watchedMs !== undefined && isLong(this.#watchedMs - asleepMs)) {
      this.#noteGap(this.#watchedMs - asleepMs, 'stood-still');
      // Where the clocks parted meanwhile, as they do while the host sleeps, a period ended before that, and none has the time in it.
      if (recorder.lastedMs() >= nowMs - this.#watchedMs && isLong(this.#watchedMs)) recorder.blind();
    }
    this.#watchedMs = nowMs;
    this.#sleptMs = slept;
    const refusedMs = log.isFailing() ? (this.#refusedMs ?? nowMs) : undefined;
    if (refusedMs !== undefined && isLong(refusedMs)) recorder.blind();
    if (refusedMs === undefined && this.#refusedMs !== undefined && isLong(this.#refusedMs)) {
      this.#noteGap(this.#refusedMs, 'not-recorded');
      recorder.blind();
    }
    this.#refusedMs = refusedMs;
    while (this.#gaps[0] !== undefined && recorder.takeGatewayFinding(this.#gaps[0]) !== undefined) this.#gaps.shift();
  }

  #noteGap(fromMs: number, reason: GapReason): void {
    const { clock } = this.#deps;
    const wallMs = clock.wallMs();
    this.#gaps.push(gapSince(wallMs - (clock.monoMs() - fromMs), wallMs, reason));
  }

  /** What was not recorded is seen again a second later. */
  watchClock(): void {
    const { ground, clock, time } = this.#deps;
    const { recorder } = ground;
    const sample = { wallMs: clock.wallMs(), monoMs: clock.monoMs(), state: time.state().state };
    const { watch, statement } = watchClock(this.#clockWatch, sample);
    if (statement === undefined) {
      this.#clockWatch = watch;
      return;
    }
    const openedSeq = recorder.takeGatewayFinding(statement);
    if (openedSeq === undefined) return;
    if (isStep(statement)) this.#tellStep(statement.after.step_ms, sample.wallMs);
    const { open, ...rest } = watch;
    this.#clockWatch = open === undefined ? rest : { ...rest, open: { ...open, openedSeq } };
    recorder.saveMeta(UNTRUSTED_CLOCK, JSON.stringify(this.#clockWatch.open ?? null));
  }

  #tellStep(stepMs: number, wallMs: number): void {
    const direction = stepMs > 0 ? 'forward' : 'back';
    this.#deps.emit('warn', 'clock.stepped', {
      direction,
      step_s: Math.round(stepMs / SECOND_MS),
      instead_of: isoOf(Math.round((wallMs - stepMs) / SECOND_MS)),
      message: `the wall clock went ${direction} by ${durationText(Math.round(Math.abs(stepMs) / SECOND_MS))}, or the host slept; rounds go on, and nothing is removed for it`,
      remedy: 'assayer doctor shows whether a time service keeps the clock of this host',
    });
  }

  /**
   * Notes that the agent runs as often as it looks: after a crash the gap begins there, and not at the last entry, which a quiet site may
   * have written long before.
   */
  noteRunning(): void {
    const { ground, clock, plant } = this.#deps;
    const { log, store, key, recorder } = ground;
    const everyMs = Math.min(MOST_NOTED_MS, Math.max(LEAST_NOTED_MS, plant().pacer.poolsIntervalMs()));
    if (clock.monoMs() - this.#notedMs < everyMs || log.isFailing()) return;
    this.#notedMs = clock.monoMs();
    noteRunning(recorder, log, store, noteSigner(key));
  }

  /** Where the uplink is in the log, and what witnesses said. */
  savePlaces(): void {
    const { log, outbox } = this.#deps.ground;
    if (log.isFailing()) return;
    outbox.save();
    this.#deps.outlet()?.save();
  }

  /** A store that is put back to an older state, or emptied, is known by the head that stands beside it. */
  keepHead(): void {
    const { log, key } = this.#deps.ground;
    const end = log.end();
    if (end.size === this.#headSize || log.isFailing()) return;
    keepHead(this.#deps.plant().config.state_dir, end, noteSigner(key));
    this.#headSize = end.size;
  }

  /**
   * Somebody has put another store in the place of the open one, or removed it: nothing more is written. What was signed is known by the head
   * beside it, so that the next start does not take the one that is there for the log.
   */
  watchStore(): void {
    const { ground, plant, bereft } = this.#deps;
    const { log, store, key } = ground;
    if (log.isFrozen || store.isThere()) return;
    const error = replacedStore(store.file, rescued(store));
    log.freeze(error);
    bereft(error);
    keepHead(plant().config.state_dir, log.end(), noteSigner(key));
  }

  /** What was ended, and how many people approvals take, is remembered beside the store, too. */
  keepApprovals(): void {
    const { log, orders } = this.#deps.ground;
    if (!log.isFailing()) orders.approvals.save();
  }

  /** Removes entries older than the retention that everybody who needs them has, batch by batch, and says so. */
  prune(): void {
    const { ground, plant, changes, attempt, signal } = this.#deps;
    const { store, log } = ground;
    if (log.isFailing()) return;
    const baselines = plant()
      .fleet.states()
      .flatMap(({ reference }) => reference?.entries.map(({ seq }) => seq) ?? []);
    const pass = {
      ranS: log.ranS(),
      days: plant().config.retention_days,
      below: this.#prunableBelow(),
      keep: restsOn(store, [...baselines, ...changes.all().map(({ seq }) => seq)]),
    };
    const removed = { entries: 0, captures: 0, findings: 0, newestIat: 0 };
    const step = (after: number): void => {
      const pruned = signal.aborted ? NOTHING : pruneBatch(store, { ...pass, after });
      removed.entries += pruned.entries;
      removed.captures += pruned.captures;
      removed.findings += pruned.findings;
      removed.newestIat = Math.max(removed.newestIat, pruned.newestIat ?? 0);
      if (pruned.after !== undefined) setImmediate(() => attempt(() => step(pruned.after ?? -1)));
      else if (removed.entries > 0) this.#tellRemoved(removed);
    };
    step(-1);
  }

  #tellRemoved({ newestIat, ...counts }: { readonly newestIat: number; readonly entries: number }): void {
    const held_from = firstHeld(this.#deps.ground.store);
    this.#deps.emit('info', 'retention.removed', { ...counts, newest: isoOf(newestIat), held_from });
  }

  #prunableBelow(): number {
    const { ground, plant } = this.#deps;
    const { store, outbox } = ground;
    const outlet = this.#deps.outlet();
    const stored = (plant().config.mqtt?.collectors ?? []).map((each) => outbox.confirmed(each));
    const uplink =
      outlet === undefined ? undefined : { taken: outbox.cursor(), stored, cosigned: outlet.cosignedSize() };
    return prunableBelow({ size: store.size(), uplink });
  }
}

/** What became of what a store held that is gone: as long as it is open it can be read. */
const rescued = (store: Store): string => {
  try {
    return `; what it held is kept as ${store.rescue()}`;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return `; what it held is lost where no collector has it: ${error.message}`;
  }
};

/** The log-ins with what was refused before this start. Their marks are made with a key that is in no store: a signature, which is always the same. */
export const loginsOf = (
  { clock, emit }: Pick<UpkeepDeps, 'clock' | 'emit'>,
  { store, key: { signer } }: Pick<Ground, 'store' | 'key'>,
): Logins => {
  const markKey = signer.sign(Buffer.from('assayer: marks of refused log-ins'));
  const logins = new Logins(
    clock,
    markKey,
    (door, became) => tellLogin(door, became, emit),
    (text) => noteTries(text, store),
  );
  store.meta(REFUSED_LOGINS, (text) => logins.takeOver(text, clock.wallMs()));
  tellCutOff(store.meta(TRIED_LOGINS, (text) => logins.takeOverTries(text)) ?? [], emit);
  return logins;
};

/** What the store says of it comes from whatever else is written: here it is enough that nothing was. */
const noteTries = (text: string, store: Store): boolean => {
  try {
    store.transaction(() => store.saveMeta(TRIED_LOGINS, text));
    return true;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return false;
  }
};

/** Of the doors in one event. */
const MOST_TOLD = 8;

const tellCutOff = (doors: readonly RefusedDoor[], emit: Emit): void => {
  if (doors.length === 0) return;
  emit('warn', 'probe.login-cut-off', {
    logins: doors.length,
    addresses: doors.slice(0, MOST_TOLD).map(({ host }) => host),
    message:
      'the agent ended in bad order before it knew what these devices say to the log-in; it rests there as a refused one does',
    remedy:
      'find out what ended the agent (journalctl, memory, power); what is behind the log-in is read again within minutes',
  });
};

const tellLogin = ({ host: address, port }: RefusedDoor, became: 'refused' | 'taken', emit: Emit): void =>
  became === 'taken'
    ? emit('info', 'probe.login-taken', { address, port })
    : emit('warn', 'probe.login-refused', {
        address,
        port,
        message: 'the device refuses the log-in of the configuration; what it keeps behind that is not read',
        remedy: LOGIN_REMEDY,
      });

/** Name under which the store keeps that the clock was found not to be trusted, as it was stated. */
const UNTRUSTED_CLOCK = 'untrusted-clock';

const clockWatchOf = (store: Store): ClockWatch => {
  // Written by this agent, as JSON of the same type.
  const open = store.meta(UNTRUSTED_CLOCK, (text) => JSON.parse(text) as Finding | null);
  return open === undefined || open === null ? {} : { open };
};
