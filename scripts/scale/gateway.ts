import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { affirmsPools } from '../../agent/appraise/agreement.ts';
import { type DeviceState, newDevice } from '../../agent/appraise/device.ts';
import { appraise } from '../../agent/appraise/engine.ts';
import { NO_STORMS } from '../../agent/appraise/storm.ts';
import { NOTHING_STANDING } from '../../agent/baseline/standing.ts';
import { configSchema } from '../../agent/config/schema.ts';
import type { Clock } from '../../agent/platform/clock.ts';
import type { Emit } from '../../agent/platform/events.ts';
import { createKey } from '../../agent/platform/keys.ts';
import { Sessions } from '../../agent/publish/presence.ts';
import { TIMING } from '../../agent/publish/timing.ts';
import { Uplink } from '../../agent/publish/uplink.ts';
import { Attested } from '../../agent/record/coverage.ts';
import { signedHeartbeat } from '../../agent/record/heartbeat.ts';
import { Log } from '../../agent/record/log.ts';
import { LogOutbox } from '../../agent/record/outbox.ts';
import { Recorder } from '../../agent/record/recorder.ts';
import { Store } from '../../agent/record/store.ts';
import { Witnesses } from '../../agent/record/witnesses.ts';
import { trustKey } from '../../shared/keys.ts';
import { honest, observationOf, POOLS } from '../../test/appraise/watch.ts';
import type { Setup } from './orders.ts';

const OPERATOR = 'scale.example';
/** A reply as an attestation cites it. What is kept of it for auditors concerns no collector, so it is short. */
const REPLIES = ['4028 summary', '4028 pools', '4028 stats', 'web system_info', 'web miner_conf', 'web network'].map(
  (query) => ({ query, bytes: Buffer.from(`{"reply":"${query}"}`), repairs: [] }),
);
const THIEF = POOLS.map((pool) => ({ ...pool, user: 'thief.x' }));

/** Clock and log lines of the process that plays gateways. */
export interface Ambience {
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * A gateway without its miners: what these would show is made up, all that follows from it is the agent's own code, from the
 * judgement of a look to the last byte on the wire.
 */
export class SimulatedGateway implements AsyncDisposable {
  readonly #setup: Setup;
  readonly #ambience: Ambience;
  readonly #store: Store;
  readonly #log: Log;
  readonly #outbox: LogOutbox;
  readonly #recorder: Recorder;
  readonly #witnesses: Witnesses;
  readonly #uplink: Uplink;
  readonly #states = new Map<string, DeviceState>();
  readonly #devices: readonly string[];
  /** Whose pools the attacker has now. */
  readonly #stolen = new Set<string>();
  #looked = 0;

  constructor(id: string, setup: Setup, ambience: Ambience) {
    this.#setup = setup;
    this.#ambience = ambience;
    const folder = join(setup.folder, id);
    mkdirSync(folder);
    const { signer, jwk, kid } = createKey(folder);
    const publicJwk = { kty: jwk.kty, crv: jwk.crv, x: jwk.x };
    this.#devices = Array.from({ length: setup.devices }, (_none, index) => `${id}-r${String(index).padStart(3, '0')}`);
    for (const [index, device] of this.#devices.entries()) this.#states.set(device, known(device, index));
    this.#store = Store.open(folder);
    this.#log = Log.open({
      store: this.#store,
      signer,
      clock: ambience.clock,
      clockState: () => ({ state: 'synced', src: 'ntp', err_ms: 4, sync_age_s: 31 }),
      epoch: () => this.#witnesses?.epoch(),
      operator: OPERATOR,
      gateway: id,
      start: {
        agent: { name: 'assayer', version: '0' },
        configSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
        host: { os: 'scale', kernel: 'scale', arch: process.arch },
        keyProtection: 'file',
      },
    });
    this.#outbox = new LogOutbox(this.#log, this.#store, 'mqtt');
    this.#recorder = new Recorder({
      log: this.#log,
      attested: new Attested(),
      wallMs: ambience.clock.wallMs,
      monoMs: ambience.clock.monoMs,
      roundMs: () => 60_000,
      emit: ambience.emit,
      keep: (state) => this.#states.set(state.id, state),
      state: (device) => this.#states.get(device),
      states: () => [...this.#states.values()],
      expected: () => new Set(this.#states.keys()),
      storms: NO_STORMS,
    });
    this.#witnesses = new Witnesses({
      store: this.#store,
      log: this.#log,
      key: trustKey({ kid, jwk: publicJwk, role: 'gateway' }),
      vkeys: [setup.vkey],
      quorum: 1,
      ...ambience,
      rolledBack: (_end, why) => ambience.emit('error', 'log.rolled-back', { why }),
    });
    this.#uplink = new Uplink({
      settings: settingsOf(id, setup),
      gateway: id,
      version: '0',
      log: this.#log.origin,
      sessions: new Sessions(this.#log.bootseed, () => false),
      outbox: this.#outbox,
      notary: {
        isNew: true,
        heartbeat: () => signedHeartbeat(this.#log, this.#store, { ...signer, jwk: publicJwk }),
        takeCosigned: (payload) => this.#witnesses.takeCosigned(payload),
        takeEntry: (message) => this.#witnesses.takeEntry(message),
        takeMarker: (payload) => this.#witnesses.takeMarker(payload),
      },
      takeTerms: () => {},
      observe: (devices) => ({ asked: [], unknown: devices }),
      timing: { ...TIMING, settleMs: setup.spreadS * 1000 },
      ...ambience,
    });
  }

  get origin(): string {
    return this.#log.origin;
  }

  get size(): number {
    return this.#log.size();
  }

  get confirmed(): number {
    return this.#outbox.confirmed(this.#setup.collector);
  }

  get isConnected(): boolean {
    return this.#uplink.status().state === 'connected';
  }

  connect(): void {
    this.#uplink.start();
  }

  /** The first full look at every miner, and what is learned from it. */
  learn(): void {
    for (const device of this.#devices) this.#look(device);
    this.#recorder.writeLearned();
  }

  /** One after the other, looks at the next miners, whose attestations are due again. Gives how many entries that were. */
  refresh(count: number): number {
    const before = this.size;
    for (let looks = 0; looks < count; looks += 1) this.#look(this.#next(), { refreshDueMs: 0 });
    this.#recorder.flush();
    return this.size - before;
  }

  /** The pools of a miner change, or change back: looks until that is confirmed. */
  change(): void {
    const device = this.#next();
    if (!this.#stolen.delete(device)) this.#stolen.add(device);
    for (let looks = 0; looks < LOOKS_TO_CONFIRM; looks += 1) {
      this.#look(device, { laterMs: looks * CONFIRM_MS });
      this.#recorder.flush();
    }
  }

  /** The end of a period in which every miner was looked at. */
  cover(): void {
    for (const device of this.#devices) this.#recorder.polled('pools', this.#states.has(device));
    this.#recorder.closePeriod();
  }

  /** What the agent does every few seconds beside its work. */
  tick(): void {
    this.#recorder.tick();
    this.#outbox.save();
    this.#witnesses.save();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#uplink.stop();
    this.#witnesses.stop();
    this.#recorder.stop();
    this.#store[Symbol.dispose]();
  }

  #next(): string {
    const device = this.#devices[this.#looked % this.#devices.length] ?? '';
    this.#looked += 1;
    return device;
  }

  /** A full look. `laterMs`: the device confirms what it showed, which the judgement wants to be some time later. */
  #look(
    device: string,
    { laterMs = 0, ...due }: { readonly laterMs?: number; readonly refreshDueMs?: number } = {},
  ): void {
    const before = this.#states.get(device);
    if (before === undefined) throw new Error(`no device ${device}`);
    const nowMs = this.#ambience.clock.wallMs();
    const facts = honest(nowMs, {
      'identity.serial': `SN-${device}`,
      'identity.mac': macOf(before.address),
      'identity.hashboards': [`${device}-1`, `${device}-2`, `${device}-3`],
      ...(this.#stolen.has(device) ? { pools: THIEF } : {}),
    });
    const observation = observationOf('full', nowMs, { facts, address: before.address });
    const marks = { ...before.marks };
    const verdict = appraise(
      before,
      { kind: 'observed', observation },
      {
        nowMs: nowMs + laterMs,
        confirmS: CONFIRM_MS / 1000,
        pollIntervalMs: 60_000,
        ...due,
        inFirstPass: true,
        amongCommissioned: false,
        surfaces: (fact) => [fact.startsWith('pools') ? '4028 pools' : 'web'],
        standing: NOTHING_STANDING,
        policy: 'scale',
        random: Math.random,
      },
    );
    const affirms = affirmsPools(verdict.state.attested, observation);
    const look = { kind: 'observed' as const, observation, affirms, replies: () => REPLIES };
    void this.#recorder.take({ before, marks, verdict, address: before.address, look });
  }
}

const CONFIRM_MS = 10_000;
const LOOKS_TO_CONFIRM = 3;

const known = (id: string, index: number): DeviceState =>
  newDevice({
    id,
    position: 'host',
    address: `10.20.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    labels: { site: 'tx1', rack: 'r14' },
  });

const macOf = (address: string): string =>
  ['02', '1a', ...address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))].join(':');

const settingsOf = (id: string, { url, collector, vkey, spreadS }: Setup) => {
  const { mqtt } = configSchema.parse({
    gateway: id,
    operator: OPERATOR,
    state_dir: '/nowhere',
    devices: [{ host: '192.0.2.1' }],
    mqtt: { url, collectors: [collector], witnesses: [vkey], spread_s: spreadS, mirror: 'off' },
  });
  if (mqtt === undefined) throw new Error('no mqtt section');
  return mqtt;
};
