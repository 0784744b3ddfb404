import { setTimeout as delay } from 'node:timers/promises';
import type { Data } from '../../shared/collector/messages.ts';
import { AgentError } from '../platform/errors.ts';
import { describeEnding, type Ending } from './ending.ts';
import { HEARTBEAT, ONLINE, STOPPED } from './messages.ts';
import type { Connection, Delivered, PublishResult } from './mqtt.ts';
import { presenceBytes } from './presence.ts';
import { Pump } from './pump.ts';
import type { Held, Receivers } from './receivers.ts';
import { remedyOf } from './remedy.ts';
import { Requests } from './requests.ts';
import type { Rivals } from './rivals.ts';
import type { Timing } from './timing.ts';
import type { Topics } from './topics.ts';
import type { UplinkOptions } from './uplink.ts';

/** Smallest packet a broker must take: the largest statement, its topic and its properties. */
const NEEDED_PACKET_BYTES = 40_000;

/** One connection, with whom it serves. */
export interface LineOptions extends UplinkOptions {
  readonly connection: Connection;
  readonly receivers: Receivers;
  readonly topics: Topics;
  readonly session: string;
  readonly rivals: Rivals;
  readonly timing: Timing;
  /** What is told to whoever asks with `status`. */
  readonly report: () => Data<'status'>;
}

const DRAIN_LOOK_MS = 10;
const ALLOW = 'allow it in the access list of the broker: docs/broker.md';

/** What is done with one connection, from CONNACK to its end (mqtt.md §4). */
export class Line {
  readonly #options: LineOptions;
  readonly #pump: Pump;
  readonly #requests: Requests;
  #held: Held | undefined;
  #leaving = false;
  /** Others were told that this agent is online. */
  #introduced = false;
  /** Session of somebody who may be online as this gateway: until that is known to be nobody, nothing is said. */
  #stranger: string | undefined;
  #pumping = false;
  /** And had time to answer. */
  #waited = false;
  /** The newest checkpoint that was published: entries, and when. */
  #told: { readonly size: number; readonly atMs: number } | undefined;
  #vouching: NodeJS.Timeout | undefined;
  #rollcall: NodeJS.Timeout | undefined;
  /** Monotonic; when it was last said that an acknowledgement contradicts the log. */
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: NodeJS.Timeout | undefined;
  readonly #refused = new Set<string>();

  constructor(options: LineOptions) {
    this.#options = options;
    this.#pump = new Pump(options);
    this.#requests = new Requests({ ...options, publishCheckpoint: () => this.#publishCheckpoint() });
  }

  /** Why entries wait although there is a connection. */
  get held(): Held | undefined {
    return this.#held ?? this.#pump.held;
  }

  /** Topics of presence and checkpoints that the broker does not take: entries may go all the same. */
  get refused(): readonly string[] {
    return [...this.#refused];
  }

  /** Limits, subscription, presence, checkpoint, pump, in this order; then until the connection ends, or `leave` asks for its end. */
  async serve(leave: AbortSignal): Promise<Ending> {
    const { connection, timing } = this.#options;
    const farewell = (): void => void this.#farewell();
    leave.addEventListener('abort', farewell, { once: true });
    if (leave.aborted) farewell();
    await this.#introduce();

    const repeat = setInterval(() => void this.#publishOnline(), timing.presenceMs);
    const beat = setInterval(() => this.#beat(), timing.heartbeatMs);
    if (connection.open && !this.#leaving) this.#startPump();
    const ending = await connection.closed;
    clearInterval(repeat);
    clearInterval(beat);
    clearTimeout(this.#rollcall);
    clearTimeout(this.#asking);
    clearTimeout(this.#vouching);
    this.#pump.stop();
    this.#requests.stop();
    leave.removeEventListener('abort', farewell);
    return ending;
  }

  async #introduce(): Promise<void> {
    const { connection, topics, timing } = this.#options;
    const limit = this.#unbearableLimit();
    if (limit !== undefined) return connection.leave({ kind: 'limit', message: limit });
    connection.onMessage((message) => this.#guarded(() => void this.#hear(message)));
    const refusal = await connection.subscribe(topics.filters);
    if (refusal !== undefined) return connection.leave({ kind: 'refused', reason: refusal });
    // Who comes second sees the first here, and does not disturb it by an `online` of its own.
    await this.#passed(timing.lookMs);
    if (this.#stranger !== undefined) await this.#listen(this.#stranger);
    this.#introduced = true;
    this.#vouching = setTimeout(() => {
      this.#waited = true;
      void this.#vouch();
    }, timing.firstWordMs);
    await this.#publishOnline();
    await this.#vouch();
  }

  /** The first checkpoint of this connection, as soon as there may be one. */
  async #vouch(): Promise<void> {
    if (this.#told === undefined) await this.#publishCheckpoint();
  }

  /**
   * Where the state folder was put back, collectors have another log than this one: a checkpoint of it would be a proof against our own
   * key. They hear of us first, and say how far they are; who does not within that time is not waited for.
   */
  #mayVouch(): boolean {
    const { connection, receivers, notary } = this.#options;
    if (!connection.open || !this.#introduced || receivers.contradictedBy.length > 0) return false;
    return notary.isNew || receivers.spoken || this.#waited;
  }

  /**
   * Our connect put out a rival at the same broker: it comes back at once, and puts us out. Where nobody does, and nobody speaks, the
   * `online` that is there was left by an agent that is gone, and is unknown here because the state folder was put back.
   */
  async #listen(session: string): Promise<void> {
    const { connection, rivals, timing, emit } = this.#options;
    const foreign: Ending = { kind: 'foreign', session };
    const [message, remedy] = [describeEnding(foreign), remedyOf(foreign)];
    this.#held = { code: 'uplink.foreign', message, remedy };
    emit('warn', 'uplink.foreign', { broker: connection.broker.url, message, remedy });
    await this.#passed(timing.rivalLookMs);
    if (!connection.open || this.#leaving) return;
    rivals.dismiss();
    this.#held = undefined;
    this.#stranger = undefined;
  }

  /** So long, or until the connection ends. */
  async #passed(ms: number): Promise<void> {
    const ended = new AbortController();
    void this.#options.connection.closed.then(() => ended.abort());
    await delay(ms, undefined, { signal: ended.signal }).catch(() => {});
  }

  /** Limits in CONNACK that the library does not look at. */
  #unbearableLimit(): string | undefined {
    const { connection, gateway } = this.#options;
    const { maximumQos, assignedClientId } = connection.server;
    if (maximumQos === 0) return 'the broker allows QoS 0 only: entries would be lost without a sign';
    if (assignedClientId === undefined || assignedClientId === gateway) return undefined;
    return `the broker gave this gateway another client id, ${JSON.stringify(assignedClientId.slice(0, 128))}`;
  }

  #startPump(): void {
    const { connection, emit, session } = this.#options;
    const { broker, protocol, window, server } = connection;
    emit('info', 'uplink.connected', { broker: broker.url, protocol, session, window });
    if (server.maximumPacketSize >= NEEDED_PACKET_BYTES) {
      this.#pumping = true;
      this.#guarded(() => this.#pump.start());
      return;
    }
    const message = `the broker takes packets up to ${server.maximumPacketSize} bytes, ${NEEDED_PACKET_BYTES} are needed`;
    const remedy = 'raise its limit: max_packet_size of Mosquitto, mqtt.max_packet_size of EMQX';
    this.#held = { code: 'uplink.packet-limit', message, remedy };
    emit('error', 'uplink.packet-limit', { broker: broker.url, message, remedy });
  }

  /** What others say. Anyone who may publish there chose every byte of it. */
  #hear(message: Delivered): void {
    const { topics, receivers, notary } = this.#options;
    const { payload, retained } = message;
    const channel = topics.read(message.topic);
    switch (channel.kind) {
      case 'conn':
        this.#watchRival(payload);
        return;
      case 'ack':
        // One that was kept speaks of another time.
        if (retained) return;
        receivers.takeAck(channel.collector, payload);
        this.#askForProof();
        void this.#vouch();
        return;
      case 'presence':
        receivers.takePresence(channel.collector, payload, retained);
        return;
      case 'cosig':
        notary.takeCosigned(payload);
        return;
      case 'epoch':
        notary.takeMarker(payload);
        return;
      case 'cmd':
        if (this.#stranger === undefined) void this.#requests.take(channel.collector, message);
        return;
      case 'ref':
        this.#options.takeTerms(payload, channel.terms);
        return;
      case 'rollcall':
        if (!retained) this.#answerRollcall();
        return;
      case 'other':
        return;
    }
  }

  /** Our own `conn` shows who else speaks under this identity; a broker need not tell of a take-over (mqtt.md §4). */
  #watchRival(payload: Uint8Array): void {
    const { connection, rivals } = this.#options;
    const rivalry = rivals.hear(payload);
    if (rivalry === undefined) return;
    if (!rivalry.proven && !this.#introduced) {
      this.#stranger = rivalry.session;
      return;
    }
    this.#leaving = true;
    this.#pump.stop();
    void connection.leave({ kind: rivalry.proven ? 'rival' : 'foreign', session: rivalry.session });
  }

  /** Acknowledgements are unsigned, and anybody may have made one: presence says to whom they belong that the entry itself is wanted. */
  #askForProof(): void {
    const { receivers, clock, timing } = this.#options;
    if (receivers.contradictedBy.length === 0) return;
    const waitMs = Math.max(0, this.#askedMs + timing.proofMs - clock.monoMs());
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      // An answer may have come meanwhile.
      if (receivers.contradictedBy.length > 0) void this.#publishOnline();
    }, waitMs);
  }

  /** Presence and checkpoint again, after a random time: all gateways were asked. */
  #answerRollcall(): void {
    const { settings, random = Math.random } = this.#options;
    this.#rollcall ??= setTimeout(
      async () => {
        this.#rollcall = undefined;
        await this.#publishOnline();
        await this.#publishCheckpoint();
      },
      random() * settings.spread_s * 1000,
    );
  }

  async #publishOnline(): Promise<void> {
    if (this.#leaving || !this.#introduced) return;
    const { connection, topics, emit, receivers, clock } = this.#options;
    if (receivers.contradictedBy.length > 0) this.#askedMs = clock.monoMs();
    const result = await connection.publish(topics.conn, this.#presence('online'), ONLINE);
    if (this.#isRefused(topics.conn, result))
      emit('warn', 'uplink.presence-refused', { topic: topics.conn, reason: result.reason, remedy: ALLOW });
  }

  /** A checkpoint where the log grew, and now and then in any case. */
  #beat(): void {
    const { outbox, clock, timing } = this.#options;
    const isIdle = this.#told?.size === outbox.size();
    if (isIdle && clock.monoMs() - (this.#told?.atMs ?? 0) < timing.idleHeartbeatMs - timing.heartbeatMs / 2) return;
    void this.#publishCheckpoint();
  }

  /** Its size; undefined where none may be published. */
  async #publishCheckpoint(): Promise<number | undefined> {
    const { connection, topics, notary, clock, emit } = this.#options;
    const beat = this.#mayVouch() ? this.#guarded(() => notary.heartbeat()) : undefined;
    if (beat === undefined) return undefined;
    this.#told = { size: beat.size, atMs: clock.monoMs() };
    const result = await connection.publish(topics.cp, beat.message, HEARTBEAT);
    if (this.#isRefused(topics.cp, result))
      emit('warn', 'uplink.checkpoint-refused', { topic: topics.cp, reason: result.reason, remedy: ALLOW });
    return beat.size;
  }

  #isRefused(topic: string, result: PublishResult): result is Extract<PublishResult, { kind: 'refused' }> {
    if (result.kind !== 'refused') {
      this.#refused.delete(topic);
      return false;
    }
    this.#refused.add(topic);
    return true;
  }

  /** A store that cannot be read ends the connection, so that its failure is reported and tried again like any other. */
  #guarded<Result>(body: () => Result): Result | undefined {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#options.connection.drop({ kind: 'store', message: error.message });
      return undefined;
    }
  }

  /** `stopped` after everything that is on its way, then DISCONNECT; at most as long as a stop may take. */
  async #farewell(): Promise<void> {
    const { connection, topics, timing, outbox } = this.#options;
    this.#leaving = true;
    const giveUp = setTimeout(() => connection.drop({ kind: 'left' }), timing.stopMs);
    await this.#drain();
    this.#pump.stop();
    if (this.#pumping && this.#told?.size !== outbox.size()) await this.#publishCheckpoint();
    if (this.#stranger === undefined) await connection.publish(topics.conn, this.#presence('stopped'), STOPPED);
    await connection.leave({ kind: 'left' });
    clearTimeout(giveUp);
  }

  /** What was written last, the entry about the stop itself above all, still goes; a long backlog waits for the next start. */
  async #drain(): Promise<void> {
    const { connection, outbox, clock, timing } = this.#options;
    const latestMs = clock.monoMs() + timing.stopMs / 2;
    const isWorthIt = (): boolean => this.#pumping && connection.open && this.held === undefined;
    while (isWorthIt() && outbox.cursor() < outbox.size() && clock.monoMs() < latestMs) await delay(DRAIN_LOOK_MS);
  }

  #presence(state: 'online' | 'stopped'): Uint8Array {
    const { connection, clock } = this.#options;
    return presenceBytes(state, this.#options, {
      atMs: clock.wallMs(),
      tls: connection.broker.tls,
      retained: connection.server.retainAvailable,
      held: this.held,
    });
  }
}
