import type { TestContext } from 'node:test';
import { affirmsPools } from '../../agent/appraise/agreement.ts';
import {
  type DeviceState,
  type Identified,
  newDevice,
  readDevice,
  withIdentified,
  writeDevice,
} from '../../agent/appraise/device.ts';
import { appraise } from '../../agent/appraise/engine.ts';
import { withFormer } from '../../agent/appraise/former.ts';
import { NO_STORMS } from '../../agent/appraise/storm.ts';
import type { Look, LookContext, Verdict } from '../../agent/appraise/verdict.ts';
import { revisionOf } from '../../agent/baseline/standing.ts';
import type { Approvers } from '../../agent/config/approvers.ts';
import { ChangeControl } from '../../agent/desk/change-control.ts';
import type { LookKind } from '../../agent/normalise/observation.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { keysHere } from '../../agent/platform/keys-here.ts';
import { Approvals, type Past } from '../../agent/record/approvals.ts';
import { Attested } from '../../agent/record/coverage.ts';
import type { Transaction } from '../../agent/record/log.ts';
import { Orders } from '../../agent/record/orders.ts';
import { Recorder } from '../../agent/record/recorder.ts';
import type { Redaction } from '../../agent/record/redaction.ts';
import { buildReload } from '../../agent/record/session.ts';
import type { Facts } from '../../shared/facts.ts';
import { parseTrustedKeys, type TrustedKeys } from '../../shared/keys.ts';
import { LogVerifier } from '../../shared/log-verifier.ts';
import type { Statement } from '../../shared/statement.ts';
import { type Gaps, honest, observationOf } from '../appraise/watch.ts';
import { openGateway, TestClock } from './gateway.ts';

const CONFIRM_MS = 10_000;

/** A gateway whose devices are looked at by hand, and whose store refuses when it is told to. */
export class Recording {
  /** While true every transaction fails at its end, as on a full disk. */
  refusing = false;
  /** What every transaction fails with that is not the store's doing. */
  failing: Error | undefined;
  readonly events: { readonly level: string; readonly event: string; readonly [member: string]: unknown }[] = [];
  readonly states = new Map<string, DeviceState>();
  readonly orders: Orders;
  readonly recorder: Recorder;
  readonly clock: ReturnType<typeof openGateway>['clock'];
  readonly #gateway: ReturnType<typeof openGateway>;

  constructor(
    t: TestContext,
    devices: readonly string[] = ['rig-1'],
    {
      redaction,
      labels = () => ({}),
      sinceMs,
      past = {},
    }: {
      redaction?: Redaction;
      labels?: (device: string) => DeviceState['labels'];
      sinceMs?: number;
      past?: Partial<Past>;
    } = {},
  ) {
    // Before the store is closed, which happens in the same order.
    t.after(() => this.recorder.stop());
    this.#gateway = openGateway(t, new TestClock(sinceMs));
    const { log, clock, store } = this.#gateway;
    this.clock = clock;
    this.orders = Orders.read(store, this.approvals(past));
    for (const id of devices)
      this.states.set(id, newDevice({ id, position: 'host', address: `10.0.0.${id.slice(4)}`, labels: labels(id) }));
    const transaction = (body: (tx: Transaction) => void) =>
      log.transaction((tx) => {
        body(tx);
        if (this.failing !== undefined) throw this.failing;
        if (this.refusing)
          throw new AgentError({ code: 'store.full', message: 'the disk is full', remedy: 'free space' });
      });
    this.recorder = new Recorder({
      log: { transaction, isFailing: () => log.isFailing() },
      attested: new Attested(),
      redaction: () => redaction,
      wallMs: clock.wallMs,
      monoMs: clock.monoMs,
      roundMs: () => 60_000,
      emit: (level, event) => this.events.push({ level, event }),
      keep: (state) => this.states.set(state.id, state),
      state: (id) => this.states.get(id),
      states: () => [...this.states.values()],
      expected: () => new Set(this.states.keys()),
      storms: NO_STORMS,
      orders: this.orders,
    });
  }

  /** What is remembered of approvals beside the store, as a start finds it. */
  approvals(past: Partial<Past> = {}): Approvals {
    return Approvals.read(this.dir, {
      isWhole: true,
      isDoubtful: false,
      wasBegun: false,
      now: Math.floor(this.clock.wall / 1000),
      ...past,
    });
  }

  /** What came of looking for the device whose place another one took. */
  driven: LookContext['driven'];

  /** Change control over these devices. */
  changes(approvers: Approvers | (() => Approvers)): ChangeControl {
    const { log, store, clock } = this.#gateway;
    return new ChangeControl({
      orders: this.orders,
      recorder: this.recorder,
      store,
      log: () => log.origin,
      gateway: log.origin.slice(0, log.origin.lastIndexOf('/')),
      approvers: typeof approvers === 'function' ? approvers : () => approvers,
      states: () => [...this.states.values()],
      labels: () => [...this.states.values()].flatMap(({ labels }) => Object.keys(labels)),
      keysHere: () => keysHere(this.dir),
      wallMs: clock.wallMs,
      emit: (level, event, members) => this.events.push({ level, event, ...members }),
    });
  }

  /** The newest attestation of a device, as a document approves it. */
  attestation(device: string): { device: string; log: string; seq: number; leaf: string } {
    const { log, store } = this.#gateway;
    const seq = this.state(device).attested?.seq ?? -1;
    return { device, log: log.origin, seq, leaf: Buffer.from(store.entry(seq)?.leaf ?? []).toString('base64url') };
  }

  get store(): ReturnType<typeof openGateway>['store'] {
    return this.#gateway.store;
  }

  /** The name of the log. */
  get origin(): string {
    return this.#gateway.log.origin;
  }

  /** The state folder. */
  get dir(): string {
    return this.#gateway.dir;
  }

  state(id: string): DeviceState {
    const state = this.states.get(id);
    if (state === undefined) throw new Error(`no device ${id}`);
    return state;
  }

  /** One look as a round makes it: what the device shows, or nothing. The verdict waits for `flush`. */
  look(
    id: string,
    changes: Facts | undefined,
    kind: LookKind = 'full',
    gaps: Gaps = {},
  ): { verdict: Verdict; recorded: Promise<boolean> } {
    const before = this.state(id);
    const nowMs = this.clock.wall;
    const facts = honest(nowMs, {
      'identity.serial': `SN-${id}-2024`,
      'identity.hashboards': [`HB-${id}-1`],
      ...changes,
    });
    const observation = observationOf(kind, nowMs, { facts, gaps, address: before.address });
    const look: Look =
      changes === undefined
        ? { kind: 'unreachable', atMs: nowMs, reason: 'timeout' }
        : { kind: 'observed', observation };
    const marks = { ...before.marks };
    const verdict = appraise(before, look, {
      nowMs,
      confirmS: CONFIRM_MS / 1000,
      pollIntervalMs: 60_000,
      inFirstPass: true,
      amongCommissioned: false,
      surfaces: () => ['4028 pools'],
      standing: this.orders.standing,
      policy: `a ${revisionOf(this.orders.standing, nowMs)}`,
      random: () => 0.5,
      driven: this.driven,
    });
    const recorded = this.recorder.take({
      before,
      marks,
      verdict,
      address: before.address,
      look:
        look.kind === 'observed'
          ? { ...look, affirms: affirmsPools(verdict.state.attested, observation), replies: () => [] }
          : look,
    });
    return { verdict, recorded: Promise.resolve(recorded) };
  }

  /** Looks, each 10 s after the last, all recorded. */
  async looks(id: string, count: number, changes: Facts | undefined, gaps: Gaps = {}): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      this.clock.pass(CONFIRM_MS);
      const { recorded } = this.look(id, changes, 'full', gaps);
      this.recorder.flush();
      await recorded;
    }
  }

  /** A device leaves the configuration, as a reload says. */
  leaves(id: string): void {
    const state = this.state(id);
    this.recorder.flush();
    this.recorder.takeDepartures([state], buildReload({ configSha256: 'A'.repeat(43), removed: [id] }));
    this.states.delete(id);
    this.#left.set(id, state);
  }

  /** It is back under its name, and shows this. */
  async returns(id: string, changes: Facts, count = 1): Promise<void> {
    const { position, address, labels } = this.#left.get(id) ?? this.state(id);
    const fresh = newDevice({ id, position, address, labels });
    this.states.set(id, withFormer(fresh, this.#left.get(id), this.orders.standing));
    await this.looks(id, count, changes);
    this.recorder.writeLearned();
  }

  readonly #left = new Map<string, DeviceState>();

  /** Every device learned, and the log so far put aside: `said` gives what comes after. */
  async learnAll(): Promise<void> {
    for (const id of this.states.keys()) await this.looks(id, 2, {});
    this.recorder.writeLearned();
    this.#aside = this.#gateway.log.size();
  }

  #aside = 0;

  /** The entries of the log, without those put aside. */
  said(): readonly Statement[] {
    return this.#gateway.store
      .entriesFrom(this.#aside, 100_000)
      .map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
  }

  /** Every entry of the log. */
  wholeLog(): readonly Statement[] {
    this.#aside = 0;
    return this.said();
  }

  /** Every message, as `log --raw` prints it. */
  rawLog(): readonly string[] {
    return this.#gateway.store.entriesFrom(0, 100_000).map(({ message }) => Buffer.from(message).toString());
  }

  /** The family of a device was found out in this way. */
  identify(id: string, identified: Identified): void {
    const state = this.states.get(id);
    if (state === undefined) throw new Error(`no device ${id}`);
    this.#gateway.store.saveDevice(id, writeDevice(withIdentified(state, identified)));
  }

  /** Rule and device of what the store holds for open. */
  openFindings(): readonly string[] {
    return this.#gateway.store.findings({ open: true }).map(({ device, finding }) => `${finding.ruleId} ${device}`);
  }

  stored(id: string): DeviceState | undefined {
    return this.#gateway.store.device(id, readDevice);
  }

  /** What a verifier objects to in the whole log. */
  objections(approvers: TrustedKeys = new Map()): readonly string[] {
    const keys = new Map([...parseTrustedKeys(this.#gateway.jwk), ...approvers]);
    const verifier = new LogVerifier({ keys, start: 'zero', window: 100_000 });
    const entries = this.#gateway.store.entriesFrom(0, 100_000);
    return entries
      .flatMap(({ message }) => verifier.accept(message, { nowMs: this.clock.wall }))
      .concat(verifier.finish())
      .flatMap(({ remarks }) => remarks.map(({ code, detail }) => `${code} ${detail}`));
  }
}

/** A gateway that has learned what these devices show. */
export const learned = async (t: TestContext, devices: readonly string[] = ['rig-1']): Promise<Recording> => {
  const recording = new Recording(t, devices);
  await recording.learnAll();
  return recording;
};

/** The code with which something is refused. */
export const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof AgentError) return error.code;
    throw error;
  }
  return 'nothing was refused';
};
