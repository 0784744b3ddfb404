import { setTimeout as delay } from 'node:timers/promises';
import type { Ending } from './ending.ts';
import { ONLINE, STOPPED } from './messages.ts';
import type { Connection } from './mqtt.ts';
import { presenceBytes, rivalSession } from './presence.ts';
import { type Held, Pump } from './pump.ts';
import type { Timing } from './timing.ts';
import type { Topics } from './topics.ts';
import type { UplinkOptions } from './uplink.ts';

/** Smallest packet a broker must take: the largest statement, its topic and its properties. */
const NEEDED_PACKET_BYTES = 40_000;

export interface LineOptions extends UplinkOptions {
  readonly connection: Connection;
  readonly topics: Topics;
  readonly session: string;
  readonly timing: Timing;
}

const DRAIN_LOOK_MS = 10;

/** What is done with one connection, from CONNACK to its end (mqtt.md §4). */
export class Line {
  readonly #options: LineOptions;
  readonly #pump: Pump;
  #held: Held | undefined;
  #leaving = false;
  #pumping = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#pump = new Pump(options);
  }

  /** Why entries wait although there is a connection. */
  get held(): Held | undefined {
    return this.#held ?? this.#pump.held;
  }

  /** Limits, subscription, presence, pump, in this order; then until the connection ends, or `leave` asks for its end. */
  async serve(leave: AbortSignal): Promise<Ending> {
    const { connection, timing } = this.#options;
    const farewell = (): void => void this.#farewell();
    leave.addEventListener('abort', farewell, { once: true });
    if (leave.aborted) farewell();
    await this.#introduce();

    const repeat = setInterval(() => void this.#publishOnline(), timing.presenceMs);
    if (connection.open && !this.#leaving) this.#startPump();
    const ending = await connection.closed;
    clearInterval(repeat);
    this.#pump.stop();
    leave.removeEventListener('abort', farewell);
    return ending;
  }

  async #introduce(): Promise<void> {
    const { connection, topics, timing } = this.#options;
    const limit = this.#unbearableLimit();
    if (limit !== undefined) return connection.leave({ kind: 'limit', message: limit });
    this.#watchRivals();
    const refusal = await connection.subscribe([topics.conn]);
    if (refusal !== undefined) return connection.leave({ kind: 'refused', reason: refusal });
    // Who comes second sees the first here, and does not disturb it by an `online` of its own.
    await Promise.race([connection.closed, delay(timing.lookMs)]);
    await this.#publishOnline();
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
      this.#pump.start();
      return;
    }
    const message = `the broker takes packets up to ${server.maximumPacketSize} bytes, ${NEEDED_PACKET_BYTES} are needed: raise its limit`;
    this.#held = { code: 'uplink.packet-limit', message };
    emit('error', 'uplink.packet-limit', { broker: broker.url, message });
  }

  /** Our own `conn` shows who else speaks under this identity; a broker need not tell of a take-over (mqtt.md §4). */
  #watchRivals(): void {
    const { connection, topics, sessions, clock, timing } = this.#options;
    connection.onMessage((topic, payload) => {
      if (topic !== topics.conn) return;
      const session = rivalSession(payload, sessions, Math.floor(clock.wallMs() / 1000), timing.rivalFreshS);
      if (session === undefined) return;
      this.#leaving = true;
      this.#pump.stop();
      void connection.leave({ kind: 'rival', session });
    });
  }

  async #publishOnline(): Promise<void> {
    if (this.#leaving) return;
    const { connection, topics, emit } = this.#options;
    const result = await connection.publish(topics.conn, this.#presence('online'), ONLINE);
    if (result.kind !== 'refused') return;
    emit('warn', 'uplink.presence-refused', { topic: topics.conn, reason: result.reason });
  }

  /** `stopped` after everything that is on its way, then DISCONNECT; at most as long as a stop may take. */
  async #farewell(): Promise<void> {
    const { connection, topics, timing } = this.#options;
    this.#leaving = true;
    const giveUp = setTimeout(() => connection.drop({ kind: 'left' }), timing.stopMs);
    await this.#drain();
    this.#pump.stop();
    await connection.publish(topics.conn, this.#presence('stopped'), STOPPED);
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
    });
  }
}
