import { type DeviceState, restoreMarks, writeDevice } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import type { Review } from '../appraise/review.ts';
import { afterStep, noteUnwatched } from '../appraise/step.ts';
import { collapse, isPartOf, type StormState } from '../appraise/storm.ts';
import type { LookKind } from '../normalise/observation.ts';
import { type Clock, type Sample, sampleOf, sleptMs, stepBetween } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { type Accepting, Batch, type Judged } from './batch.ts';
import { type Attested, type Coverage, CoveragePeriod } from './coverage.ts';
import { departedWith } from './departed.ts';
import type { Built, Entry } from './entry.ts';
import type { Log, Transaction } from './log.ts';
import { lostFindings } from './lost-findings.ts';
import type { Adoption, Order, Orders } from './orders.ts';
import type { Redaction } from './redaction.ts';
import { buildCoverage } from './statement.ts';
import type { Store } from './store.ts';

/** What the recorder needs; `keep` takes each state once it is durable. */
export interface RecorderDeps {
  readonly log: Pick<Log, 'transaction' | 'isFailing'>;
  readonly attested: Attested;
  /** In force now; undefined where nothing is redacted. */
  readonly redaction?: () => Redaction | undefined;
  readonly wallMs: () => number;
  readonly monoMs: () => number;
  readonly bootMs?: Clock['bootMs'];
  /** How long it takes to look at everything once, ms: what a step of the clock left of a period is stated where it lasted so long. */
  readonly roundMs: () => number;
  readonly emit: Emit;
  readonly keep: (state: DeviceState) => void;
  readonly state: (device: string) => DeviceState | undefined;
  /** All devices that are known. */
  readonly states: () => readonly DeviceState[];
  /** Every device that is expected to be looked at now. */
  readonly expected: () => ReadonlySet<string>;
  readonly storms: StormState;
  /** Documents in force. */
  readonly orders?: Orders;
}

/** Verdicts are written together after this, ms, or when so many wait. */
const GATHER_MS = 10;
const MOST_GATHERED = 256;
/** Learned values are named in a `baseline` entry after this, ms; the limit is 60 s after the attestation. */
const LEARN_MS = 2000;
/** A `baseline` entry names at most 256 items; a device has more than one only where facts came later. */
const MOST_LEARNED = 200;
/** Rows per transaction: more would block the event loop. */
const MOST_SAVED = 500;
/** How often a store that refused is tried again, ms. */
const RETRY_MS = 5000;

/** Runs one transaction; undefined where the store refused it. */
type Transact = (body: (tx: Transaction) => void) => readonly Entry[] | undefined;

interface Waiting {
  readonly judged: Judged;
  readonly done: (recorded: boolean) => void;
  readonly failed: (mistake: unknown) => void;
}

/**
 * The record stage: turns verdicts into entries, many in one transaction. A verdict takes effect only when it is durable:
 * where the store refuses, the state stays as it was and the next look finds the same change again.
 */
export class Recorder {
  readonly #deps: RecorderDeps;
  #waiting: Waiting[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #learning: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;
  readonly #learned = new Set<string>();
  readonly #meta = new Map<string, string>();
  #storms: StormState;
  #period: CoveragePeriod;
  /** Both clocks when the period began, and when it was last known that no clock had been set in it. */
  #began: Sample;
  #steady: Sample;
  /** How long the host had slept by its beginning, ms. */
  #sleptMs: number;
  /** The period began because the clock was set. */
  #isRest = false;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#storms = deps.storms;
    this.#began = sampleOf(deps);
    this.#steady = this.#began;
    this.#sleptMs = sleptMs(deps);
    this.#period = new CoveragePeriod(Math.floor(this.#began.wallMs / 1000));
  }

  /** A turn of a round at this device is over; `ok` when it gave a valid look, with the pools that are attested. */
  polled(look: LookKind, ok: boolean, device?: string): void {
    this.heedClock();
    const tenant = device === undefined ? undefined : this.#tenantOf(device);
    this.#period.polled(look === 'full' ? 'config' : 'pools', ok, tenant);
  }

  /** A device belongs to the tenant that its attestation names; to that of its labels while it has none. */
  #tenantOf(device: string): string | undefined {
    const { attested, state } = this.#deps;
    return attested.has(device) ? attested.tenant(device) : state(device)?.labels.tenant;
  }

  /** Records one verdict: true when nothing is left to be written, false when the store refused. */
  take(judged: Judged): Promise<boolean> | true {
    this.heedClock();
    if (judged.look.kind === 'observed' && judged.look.affirms) this.#period.observed(judged.before.id);
    if (!judged.verdict.changed) return true;
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<boolean>();
    this.#waiting.push({ judged, done, failed });
    if (this.#waiting.length >= MOST_GATHERED) this.flush();
    else this.#gathering ??= setTimeout(() => this.flush(), GATHER_MS);
    return promise;
  }

  /** Writes what waits. Throws only for a mistake of our own, and those who wait learn of it, too. */
  flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    const judged = waiting.map((one) => one.judged);
    try {
      const recorded = judged.length === 0 || this.#commit((batch) => batch.looks(judged));
      if (!recorded) for (const one of judged) this.#undo(one);
      for (const { done } of waiting) done(recorded);
    } catch (mistake) {
      for (const { failed } of waiting) failed(mistake);
      throw mistake;
    }
  }

  /** The store refused the verdict, so the look counts as not made: otherwise the next one would take the change for known. */
  #undo({ before, marks }: Judged): void {
    restoreMarks(before, marks);
    this.#period.refused(before.id);
  }

  /** A finding of the gateway itself, or about a list of devices. The `seq` that names it; undefined where the store refused. */
  takeGatewayFinding(finding: Finding, devices: readonly string[] = []): number | undefined {
    let openedSeq: number | undefined;
    const taken = this.#commit((batch) => {
      openedSeq = batch.gatewayFinding(finding, devices);
    });
    return taken ? openedSeq : undefined;
  }

  /** Learned values that no entry names yet, of the states a store was opened with. */
  resume(states: Iterable<DeviceState>): void {
    for (const { id, reference } of states) if (reference?.unrecorded !== undefined) this.#learn(id);
  }

  /** Writes again what of these devices, and of many, is open in their states and not in the store. */
  rewriteLost(store: Pick<Store, 'openFindings'>, states: readonly DeviceState[]): void {
    const lost = lostFindings(store, states, this.#storms);
    if (lost.length === 0) return;
    for (let from = 0; from < lost.length; from += MOST_SAVED) {
      const page = lost.slice(from, from + MOST_SAVED);
      const saved = this.#attempt((tx) => {
        for (const { finding, device } of page) tx.saveFinding(finding, device);
      });
      if (saved === undefined) return;
    }
    this.#deps.emit('warn', 'store.findings-lost', {
      message: `${lost.length} open findings were missing in the store, and are in it again`,
      remedy:
        'find out who removed them; findings of the gateway itself are not among these, and the log still has them: assayer log --kind finding',
    });
  }

  #learn(device: string): void {
    this.#learned.add(device);
    if (this.#learned.size >= MOST_LEARNED) this.writeLearned();
    else this.#learning ??= setTimeout(() => this.writeLearned(), LEARN_MS);
  }

  /** Names what was learned in `baseline` entries. */
  writeLearned(): void {
    clearTimeout(this.#learning);
    this.#learning = undefined;
    // A verdict that waits was made before these entries; written after them it would undo what they say.
    this.flush();
    const devices = [...this.#learned];
    this.#learned.clear();
    if (devices.length > 0 && !this.#commit((batch) => batch.learned(devices))) {
      for (const device of devices) this.#learned.add(device);
      this.#learning = setTimeout(() => this.writeLearned(), RETRY_MS);
    }
  }

  /** Says again what is open about these devices, in a log that replaced the one that said it. */
  takeRestated(states: readonly DeviceState[]): void {
    for (let from = 0; from < states.length; from += MOST_GATHERED) {
      this.#commit((batch) => batch.restated(states.slice(from, from + MOST_GATHERED)));
    }
  }

  /** Once a second: statements of storms that are due, and the end of a period over which the clock was set. */
  tick(): void {
    this.heedClock();
    const { statements } = collapse(this.#storms, [], this.#deps.wallMs());
    if (statements.length > 0) this.#commit((batch) => batch.transitions([]));
  }

  /** Nobody looked for a while, or nothing of it was kept: this period affirms nothing. */
  blind(): void {
    this.#period.blind();
  }

  /** Closes the coverage period, of the gateway and of each tenant, and begins the next. */
  closePeriod(): void {
    this.heedClock();
    // There was no time to look at everything since the clock was set: what the period lacks would be said to be missed.
    if (this.#isRest && this.lastedMs() < this.#deps.roundMs()) return;
    const now = this.#steady;
    if (!this.#state(Math.floor(now.wallMs / 1000))) return;
    this.#beginPeriod(now, Math.floor(now.wallMs / 1000));
    this.#isRest = false;
  }

  /** How long the present period has lasted, ms. */
  lastedMs(): number {
    return this.#deps.monoMs() - this.#began.monoMs;
  }

  /**
   * Before each look is judged, and every second: whether the clock was set, or the host slept. The period ends with the last that is known
   * of the former clock, as it would speak of time in which nobody looked. What the store refuses of it is lost: it could be written beside
   * later attestations only. What is remembered of devices goes on by the new clock.
   */
  heedClock(): void {
    const now = sampleOf(this.#deps);
    const stepMs = stepBetween(this.#began, now);
    if (stepMs === undefined) {
      this.#steady = now;
      return;
    }
    this.flush();
    const before = this.#steady;
    const asleepMs = Math.max(0, sleptMs(this.#deps) - this.#sleptMs);
    if (before.monoMs - this.#began.monoMs >= this.#deps.roundMs()) this.#state(Math.floor(before.wallMs / 1000));
    this.#beginPeriod(now, Math.ceil(now.wallMs / 1000));
    this.#isRest = true;
    this.#moveStates(stepMs - asleepMs, asleepMs, now.wallMs);
  }

  /** The clock was set by `setMs`, and the host slept. */
  #moveStates(setMs: number, asleepMs: number, nowMs: number): void {
    const moved = this.#deps.states().flatMap((state) => {
      noteUnwatched(state, asleepMs);
      const next = afterStep(state, setMs, nowMs);
      return next === state ? [] : [next];
    });
    for (const state of moved) this.#deps.keep(state);
    this.saveStates(moved);
  }

  #beginPeriod(began: Sample, fromAt: number): void {
    this.#period = new CoveragePeriod(fromAt);
    this.#began = began;
    this.#steady = began;
    this.#sleptMs = sleptMs(this.#deps);
  }

  /** States what the period came to until `toAt`. False where the store refused. */
  #state(toAt: number): boolean {
    const { attested } = this.#deps;
    const coverages = this.#scopes().map(([scope, expected]) =>
      this.#period.close({ toAt, scope, expected, attested }),
    );
    return this.#commit((batch) => {
      for (const coverage of coverages) batch.append(buildCoverage(coverage));
    });
  }

  /** Who is expected in each scope. */
  #scopes(): readonly (readonly [scope: Coverage['scope'], expected: ReadonlySet<string>])[] {
    const expected = this.#deps.expected();
    const tenants = [...Map.groupBy(expected, (device) => this.#tenantOf(device) ?? '')].filter(
      ([tenant]) => tenant !== '',
    );
    tenants.sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      ['gateway', expected],
      ...tenants.map(([tenant, devices]) => [`tenant:${tenant}`, new Set(devices)] as const),
    ];
  }

  /** Records that a person accepts what these devices show, as they are after `flush`. Throws when the store refuses. */
  takeAcceptance(states: readonly DeviceState[], accepting: Accepting): void {
    this.#require(this.#commit((batch) => batch.accepted(states, accepting)));
  }

  /** Records that a document came into force. `devices` are all that are known. Throws when the store refuses. */
  takeAdoption(adoption: Adoption, devices: readonly string[]): void {
    this.#require(this.#commit((batch) => batch.adopted(adoption, devices)));
  }

  /** Records that `baseline` entry `seq` holds nothing any longer, with a finding about that where there is one. Throws when the store refuses. */
  takeWithdrawal(
    seq: number,
    by: string | undefined,
    devices: readonly string[],
    told?: { readonly finding: Finding; readonly about: readonly string[] },
  ): void {
    this.#require(
      this.#commit((batch) => {
        batch.withdrawn(seq, by, devices);
        if (told !== undefined) batch.gatewayFinding(told.finding, told.about);
      }),
    );
  }

  /** Records that a plan or waiver is closed, with a finding about that where there is one. `devices` are all that are known. Throws when the store refuses. */
  takeClosing(order: Order, devices: readonly string[], finding?: Finding): void {
    this.#require(
      this.#commit((batch) => {
        batch.ended(order, 'closed', devices);
        if (finding !== undefined) batch.gatewayFinding(finding);
      }),
    );
  }

  /** Records that a plan or waiver came to its end, with a finding about that where there is one. False when the store refuses. */
  takeExpiry(order: Order, finding?: Finding, devices: readonly string[] = []): boolean {
    return this.#commit((batch) => {
      batch.ended(order, 'expired');
      if (finding !== undefined) batch.gatewayFinding(finding, devices);
    });
  }

  /** Records what a plan came to after its window. False when the store refuses. */
  takeReport(order: Order, finding: Finding | undefined, devices: readonly string[]): boolean {
    return this.#commit((batch) => {
      batch.reported(order);
      if (finding !== undefined) batch.gatewayFinding(finding, devices);
    });
  }

  /** Whether finding `openedSeq` is this one of a device, or speaks for it. */
  isPartOf(openedSeq: number): (device: string, finding: Finding) => boolean {
    return isPartOf(this.#storms, openedSeq);
  }

  /** Records that a person reviewed finding `openedSeq` of these devices. Throws `finding.still-seen`, and when the store refuses. */
  takeReview(openedSeq: number, devices: readonly string[], review: Review): void {
    this.#require(this.#commit((batch) => batch.reviewed(openedSeq, devices, review)));
  }

  /** Records the review of a finding of the gateway itself. Throws when the store refuses. */
  takeGatewayReview(finding: Finding, review: Review): void {
    this.#require(this.#commit((batch) => batch.gatewayReviewed(finding, review)));
  }

  #require(recorded: boolean): void {
    if (recorded) return;
    throw new AgentError({
      code: 'baseline.not-recorded',
      message: 'the store refused it; nothing changed',
      remedy: 'look at the log lines of the agent, mend the store, try again',
    });
  }

  /**
   * Records that these devices left the configuration: `session` says so, and what is open about them ends. Throws what
   * the store throws; then nothing changed. `before` are those that left earlier.
   */
  takeDepartures(
    states: readonly DeviceState[],
    session: readonly Built[] = [],
    before: readonly DeviceState[] = [],
  ): void {
    const write = (batch: Batch): void => {
      for (const statement of session) batch.append(statement);
      batch.departed(states, departedWith(before, states));
    };
    this.#commit(write, (body) => this.#deps.log.transaction(body));
    for (const { id } of states) this.#deps.attested.delete(id);
  }

  /** Keeps states as they are, with when each device was last seen: all of them at the end of the process. */
  saveStates(states: readonly DeviceState[]): void {
    for (let from = 0; from < states.length; from += MOST_SAVED) {
      const page = states.slice(from, from + MOST_SAVED);
      const saved = this.#attempt((tx) => {
        for (const state of page) tx.saveDevice(state.id, writeDevice(state));
      });
      if (saved === undefined) return;
    }
  }

  /** Keeps a value beside the log; one that did not change costs nothing. */
  saveMeta(name: string, value: string): void {
    if (this.#meta.get(name) === value) return;
    if (this.#attempt((tx) => tx.saveMeta(name, value)) !== undefined) this.#meta.set(name, value);
  }

  /** Writes what waits, and stops. */
  stop(): void {
    this.flush();
    this.writeLearned();
    clearTimeout(this.#learning);
    clearTimeout(this.#retrying);
  }

  /** One transaction; its consequences take effect only when it is durable. False when the store refused. */
  #commit(write: (batch: Batch) => void, transact: Transact = (body) => this.#attempt(body)): boolean {
    const batch = new Batch(this.#deps, this.#storms);
    const entries = transact((tx) => {
      batch.begin(tx);
      write(batch);
      batch.end();
    });
    if (entries === undefined) return false;
    this.#storms = batch.storms;
    for (const change of batch.orders.changes) this.#deps.orders?.take(change);
    for (const state of batch.states.values()) this.#deps.keep(state);
    for (const { kind, device, leaf } of entries) {
      if (kind !== 'attestation' || device === undefined) continue;
      const state = batch.states.get(device);
      this.#deps.attested.set(device, {
        leaf,
        unreachable: state?.attested?.reachable === false,
        tenant: state?.labels.tenant,
      });
    }
    for (const device of batch.toLearn) this.#learn(device);
    return true;
  }

  #attempt(body: (tx: Transaction) => void): readonly Entry[] | undefined {
    const wasFailing = this.#deps.log.isFailing();
    try {
      const entries = this.#deps.log.transaction(body);
      if (wasFailing) this.#deps.emit('info', 'store.recovered');
      return entries;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // A person needs to read it once; until it is mended, every look with a change fails the same way.
      this.#deps.emit(wasFailing ? 'debug' : 'error', error.code, { message: error.message, remedy: error.remedy });
      this.#retrying ??= setTimeout(() => this.#retry(), RETRY_MS);
      return undefined;
    }
  }

  #retry(): void {
    this.#retrying = undefined;
    if (this.#deps.log.isFailing()) this.#attempt(() => {});
  }
}
