import { randomUUID } from 'node:crypto';
import type { Witness } from '../cosignature.ts';
import { type Standing, standingOf } from '../heartbeats.ts';
import { endOf } from '../log-state.ts';
import { gatewayOf } from '../verify.ts';
import { Asked } from './asked.ts';
import { Fleet } from './fleet.ts';
import { Influx } from './influx.ts';
import { HEARTBEAT_MS, Intake } from './intake.ts';
import type { LogMachine } from './machine.ts';
import type { Presence } from './messages.ts';
import { Presences } from './presences.ts';
import { Silence } from './silence.ts';
import { type CollectorStore, StoreConflict } from './store.ts';
import { tellAck, tellCosignature, tellResync, tellRollcall, tellTiles } from './telling.ts';
import { type CollectorTopics, collectorTopics } from './topics.ts';
import { TrustAndTime, type TrustSource } from './trust-and-time.ts';
import { type Report, Work } from './work.ts';

/** How a collector works. */
export interface CollectorOptions {
  /** Collector id, `<col>` of the topics. */
  readonly id: string;
  /** First levels of all topics; `attest` where nothing is given. */
  readonly prefix?: string;
  readonly store: CollectorStore;
  readonly trust: TrustSource;
  /** `required` (the default): gateways wait for this collector, it acknowledges. `observer`: it asks with `resync`. */
  readonly mode?: 'required' | 'observer';
  /** Cosigns the checkpoints that agree with what was stored. Its key is trusted for the markers of time that it signed. */
  readonly witness?: Witness;
  /** Which gateways this process serves, where several share a fleet: by the gateway id of the topics. */
  readonly serves?: (gateway: string) => boolean;
  /** Logs that are kept in memory, 10 000; the others are read again when they are needed. */
  readonly mostLogs?: number;
  /** Bytes of messages above gaps, over all logs, 64 MiB. */
  readonly mostHeldBytes?: number;
  /** Makes ids of requests. */
  readonly uuid?: () => string;
}

/** A message as a broker delivered it. Whether it was retained, its QoS and its properties say nothing and are not asked. */
export interface Arrived {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** How far a log is here. */
export interface LogReport {
  readonly log: string;
  readonly size: number;
  /** Root of the tree, b64u; absent after entries that are lost, until the gateway gave the tree over them and signed it. */
  readonly root?: string;
  /** Set aside: it stands for nothing any more. */
  readonly aside?: true;
  /** Entries below are under a checkpoint that agrees. */
  readonly included: number;
  /** Entries below were seen by a quorum of witnesses. */
  readonly witnessed: number;
  /** No heartbeat for a quarter of an hour, or none yet. */
  readonly silent: boolean;
  /** What the gateway, or the broker in its name, says: unsigned, and `online` only while heartbeats come. */
  readonly presence?: Presence['state'];
}

const MOST_CONFLICTS = 3;
const LIST_MS = 60_000;

/**
 * A collector without its network: messages and time go in; what they are worth, and what to publish, comes out, after it
 * was stored. Verification is that of attestation.md §8, acknowledging that of mqtt.md §5. Calls are carried out one
 * after the other. A call that throws has lost nothing: what it did not store was not acknowledged, and comes again.
 */
export class Collector {
  readonly topics: CollectorTopics;
  readonly #options: CollectorOptions;
  readonly #fleet: Fleet;
  readonly #intake: Intake;
  readonly #heartbeats = new Silence('heartbeat');
  readonly #coverage = new Silence('coverage');
  readonly #presences = new Presences();
  readonly #influx = new Influx();
  readonly #asked = new Asked();
  #trusted: TrustAndTime;
  #queue: Promise<unknown> = Promise.resolve();
  /** When it was read last which logs there are. */
  #listedMs = Number.NEGATIVE_INFINITY;
  /** A commit failed: memory may be ahead of the store, or behind. */
  #isStale = false;

  private constructor(options: CollectorOptions, fleet: Fleet, trusted: TrustAndTime) {
    this.#options = options;
    this.topics = collectorTopics(options.prefix ?? 'attest', options.id);
    this.#fleet = fleet;
    this.#trusted = trusted;
    this.#intake = new Intake({
      id: options.id,
      fleet,
      trusted: () => this.#trusted,
      trust: options.trust,
      heartbeats: this.#heartbeats,
      coverage: this.#coverage,
      presences: this.#presences,
      asked: this.#asked,
      commit: (work) => this.#commit(work),
    });
  }

  /** Goes on from what the store holds. */
  static async open(options: CollectorOptions): Promise<Collector> {
    const fleet = new Fleet(options);
    await fleet.read();
    return new Collector(options, fleet, await readTrust(options));
  }

  /** Takes messages in the order of their arrival, stores what they bring, and says what they were worth. */
  take(messages: readonly Arrived[], nowMs: number): Promise<Report> {
    this.#influx.came(messages.length, nowMs);
    return this.#run(nowMs, async (work) => {
      await this.#intake.goOn(work);
      for (const { topic, payload } of messages) {
        const channel = this.topics.read(topic);
        if (channel === undefined || ('gateway' in channel && !this.#fleet.servesId(channel.gateway))) continue;
        await this.#intake.take(channel, topic, payload, work);
      }
    });
  }

  /** To be called about every second: announces gaps and silence, asks for what is missing, acknowledges when idle. */
  tick(nowMs: number): Promise<Report> {
    return this.#run(nowMs, async (work) => {
      if (nowMs - this.#listedMs >= LIST_MS) {
        await this.#readList(work);
        this.#listedMs = nowMs;
      }
      await this.#intake.goOn(work);
      this.#expect(nowMs);
      for (const machine of this.#fleet.loaded()) {
        work.note(machine.tick(nowMs));
        // Of a log that was replaced no more comes.
        if (this.#fleet.index.after(machine.log.log) === undefined) work.note(machine.owed(nowMs));
        work.touched.add(machine);
      }
      work.note([...this.#heartbeats.due(nowMs), ...this.#coverage.due(nowMs)]);
    });
  }

  /** To be called after every connect, when the subscriptions stand: acknowledges everything and asks all to report. */
  connected(nowMs: number): Promise<Report> {
    return this.#run(nowMs, async (work) => {
      for (const log of this.#fleet.index.newest()) {
        if (this.#fleet.serves(log)) await this.#remind(log, work);
      }
      work.publish.push(tellRollcall(this.topics, nowMs));
    });
  }

  /** A person may have set a log aside, or taken that back. Its gateway is told at once how far the one is that counts now. */
  async #readList(work: Work): Promise<void> {
    const before = new Set(this.#fleet.index.newest());
    await this.#fleet.read();
    for (const log of this.#fleet.index.newest()) {
      if (!before.has(log) && this.#fleet.serves(log)) await this.#remind(log, work);
    }
  }

  async #remind(log: string, work: Work): Promise<void> {
    const machine = await this.#fleet.machine(log);
    machine.remind();
    work.touched.add(machine);
  }

  /** How far every log is here. */
  logs(): Promise<readonly LogReport[]> {
    return this.#serial(async () => {
      await this.#readAgain();
      const reports: LogReport[] = [];
      for (const log of this.#fleet.index.all()) {
        if (this.#fleet.serves(log)) reports.push(this.#report(await this.#fleet.machine(log)));
      }
      return reports;
    });
  }

  /** What an entry is worth now. Without a manifest nothing is ever `witnessed`. */
  standing(log: string, seq: number): Promise<Standing> {
    return this.#serial(async () => {
      await this.#readAgain();
      if (!this.#fleet.index.has(log)) return 'missing';
      const machine = await this.#fleet.machine(log);
      return standingOf(machine.log, machine.heartbeats, seq);
    });
  }

  #report({ log, heartbeats }: LogMachine): LogReport {
    const gateway = gatewayOf(log.log);
    const silent = this.#heartbeats.isSilent(gateway);
    const presence = this.#presences.get(gateway);
    return {
      ...endOf(log),
      ...(this.#fleet.index.isAside(log.log) ? { aside: true } : {}),
      included: heartbeats.agreed.at(-1)?.size ?? 0,
      witnessed: heartbeats.witnessed?.size ?? 0,
      silent,
      // After a power cut of broker and gateway a retained `online` would stand for ever.
      ...(presence === undefined || (presence === 'online' && silent) ? {} : { presence }),
    };
  }

  /** Runs one piece of work, commits, and only then makes the messages that tell of it. */
  #run(nowMs: number, body: (work: Work) => Promise<void>): Promise<Report> {
    return this.#serial(async () => {
      for (let conflicts = 0; ; conflicts += 1) {
        await this.#readAgain();
        const work = new Work(nowMs);
        try {
          await body(work);
          await this.#commit(work);
          this.#tell(work);
          return work;
        } catch (problem) {
          this.#distrust(work);
          if (!(problem instanceof StoreConflict) || conflicts >= MOST_CONFLICTS) throw problem;
        }
      }
    });
  }

  #serial<Result>(body: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(body);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** One transaction with everything that changed; cosignatures are noted in it before anybody sees them. */
  async #commit(work: Work): Promise<void> {
    const cosigning = this.#options.witness === undefined ? [] : [...work.touched].flatMap(takeCosign);
    const machines = [...work.touched].filter((machine) => machine.dirty);
    const logs = machines.map((machine) => machine.changes());
    const trusted = this.#trusted.changes();
    const { uncommitted: notices, refused } = work;
    if (logs.length + notices.length + refused.length === 0 && trusted === undefined) return;
    await this.#options.store.commit({ logs, notices, refused, ...(trusted === undefined ? {} : { trusted }) });
    for (const machine of machines) machine.committed();
    this.#trusted.committed();
    work.committed();
    const { witness } = this.#options;
    if (witness === undefined) return;
    for (const each of cosigning) {
      work.publish.push(tellCosignature(this.topics, { ...each, witness, nowMs: work.nowMs }));
    }
  }

  #distrust(work: Work): void {
    this.#isStale = true;
    this.#fleet.forget(work.touched);
    for (const notice of work.uncommitted) {
      if (notice.kind === 'silent') (notice.of === 'heartbeat' ? this.#heartbeats : this.#coverage).retract(notice);
    }
  }

  /** What the store says, before anything else is done. A store that does not answer is asked again by the next call. */
  async #readAgain(): Promise<void> {
    if (!this.#isStale) return;
    await this.#fleet.read();
    this.#trusted = await readTrust(this.#options);
    this.#isStale = false;
  }

  /** No gateway listens to what is said about a log that it has replaced, or that does not count. */
  #tell(work: Work): void {
    const { nowMs } = work;
    const isBacklog = this.#influx.isMuch(nowMs);
    const inquiry = { nowMs, isBacklog, uuid: this.#options.uuid ?? randomUUID, asked: this.#asked };
    for (const machine of work.touched) {
      const { index } = this.#fleet;
      if (index.isAside(machine.log.log) || index.after(machine.log.log) !== undefined) continue;
      const told =
        this.#options.mode === 'observer'
          ? tellResync(this.topics, machine, inquiry)
          : tellAck(this.topics, machine, { nowMs, isBacklog });
      work.publish.push(...told, ...tellTiles(this.topics, machine, inquiry));
    }
  }

  /** Heartbeats are expected of the gateways that have a log, and of those that a key is trusted for. */
  #expect(nowMs: number): void {
    const gateways = new Set(this.#fleet.index.gateways());
    for (const { role, logs } of this.#trusted.trust(nowMs).keys.values()) {
      if (role === 'gateway') for (const gateway of logs ?? []) gateways.add(gateway);
    }
    for (const gateway of gateways) {
      if (this.#fleet.servesId(gateway.split('/')[1] ?? '')) this.#heartbeats.expect(gateway, nowMs, HEARTBEAT_MS);
    }
  }
}

const readTrust = async ({ trust, store, witness }: CollectorOptions): Promise<TrustAndTime> =>
  new TrustAndTime(trust, await store.trusted(), witness?.jwk);

const takeCosign = (machine: LogMachine) => {
  const head = machine.takeCosign();
  return head === undefined ? [] : [{ log: machine.log.log, head }];
};
