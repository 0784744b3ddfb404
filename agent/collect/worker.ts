import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Arrived,
  Collector,
  type CollectorStore,
  type CollectorTopics,
  collectorTopics,
  GONE_EXPIRY_S,
  type LogReport,
  type Outgoing,
  publishingOn,
  type Report,
  StoreConflict,
  signEpoch,
  type TrustSource,
} from '../../shared/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from '../publish/broker.ts';
import { type Ending, reasonText } from '../publish/ending.ts';
import { Link } from '../publish/link.ts';
import type { Connection } from '../publish/mqtt.ts';
import { TIMING, type Timing } from '../publish/timing.ts';
import { mendsByWaiting } from './failure.ts';
import { Inbox } from './inbox.ts';
import { OwnPresence } from './presence.ts';
import { filtersFor, type Share } from './share.ts';
import type { SigningCollector } from './witness.ts';

export interface WorkerOptions {
  readonly id: string;
  readonly settings: MqttSettings;
  readonly store: CollectorStore;
  readonly trust: TrustSource;
  /** Throws where the store is not what was opened any more: nothing may be acknowledged then. */
  readonly requireStore?: () => void;
  readonly share: Share;
  /** Workers that share an id need clients of their own; without it the share says which. */
  readonly clientId?: string;
  readonly mode: 'required' | 'observer';
  /** Cosigns checkpoints, and issues markers of time. */
  readonly signing?: SigningCollector;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What came of each call, after it was stored. */
  readonly tell: (report: Report) => void;
  readonly timing?: Timing;
}

/** Messages of one transaction at most, and together their size: read they take some times of that. */
const BATCH = 256;
const BATCH_BYTES = 2 * 1_048_576;
/** How long messages gather before they are stored together. */
const GATHER_MS = 100;
const TICK_MS = 1_000;
/** A store that refused is tried again after this, then after twice as long each time, up to the second. */
const RETRY_MS = [1_000, 30_000] as const;
/** A wall clock that left the way of the monotonic one by more was set. */
const STEP_MS = 5_000;

const JSON_TEXT = 'application/json';
const ONLINE = publishingOn('collector');

/**
 * A collector at a broker: what arrives gathers in a bounded inbox, one loop hands it to the library, batch by batch, and what
 * the library wants said goes out after its transaction. The connection comes and goes beside it.
 */
export class Worker {
  readonly #options: WorkerOptions & { readonly timing: Timing };
  readonly #topics: CollectorTopics;
  readonly #inbox = new Inbox();
  readonly #presence: OwnPresence;
  readonly #link: Link;
  readonly #stop = new AbortController();
  #collector: Collector;
  #connection: Connection | undefined;
  /** The gateways were not told yet, on this connection, how far their logs are here. */
  #owesGreeting = false;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #lastArrivalMs: number;
  /** When there was a connection last, as far as `awayMs` saw; at first when it began. */
  #connectedMs: number;
  #skewMs: number;
  #failing: string | undefined;
  #hasGivenWay = false;

  private constructor(options: WorkerOptions, collector: Collector) {
    this.#options = { ...options, timing: { ...(options.timing ?? TIMING), willDelayS: 0 } };
    this.#collector = collector;
    this.#topics = collectorTopics(options.settings.prefix, options.id);
    this.#presence = new OwnPresence(options.clock.wallMs);
    this.#lastArrivalMs = options.clock.monoMs();
    this.#connectedMs = this.#lastArrivalMs;
    this.#skewMs = options.clock.wallMs() - options.clock.monoMs();
    const { suffix } = options.share;
    const clientId = suffix === undefined ? options.id : `${options.id}-${suffix}`;
    this.#link = new Link({
      ...this.#options,
      clientId: options.clientId ?? clientId,
      isCollector: true,
      random: Math.random,
      will: ({ retainedWill }) => {
        this.#presence.begin();
        return { topic: this.#topics.presence, payload: this.#presence.bytes('lost'), retain: retainedWill };
      },
      serve: (connection, leave) => this.#serve(connection, leave),
    });
  }

  /** Goes on from what the store holds; nothing is connected yet. Throws `store.*`, and `mqtt.*` for what cannot work. */
  static async open(options: WorkerOptions): Promise<Worker> {
    return new Worker(options, await openCollector(options));
  }

  /** A document that was given by hand instead of by the broker: the manifest of trust. Throws what the store throws. */
  async read(kind: 'trust', payload: Uint8Array): Promise<Report> {
    const { prefix } = this.#options.settings;
    return this.#collector.take([{ topic: `${prefix}/v1/_fleet/${kind}`, payload }], this.#nowMs());
  }

  /** Until `stop`. Throws for a store that no waiting mends; then the connection has ended, too. */
  async run(): Promise<void> {
    const link = this.#link.run();
    try {
      await this.#loop();
    } finally {
      this.#link.stop();
      await link;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Looks whether the files of the log-in were renewed; it does so by itself every minute, too. */
  renew(): void {
    this.#link.renew();
  }

  logs(): Promise<readonly LogReport[]> {
    return this.#collector.logs();
  }

  get connection(): {
    readonly state: Link['state'];
    readonly broker?: string | undefined;
    readonly protocol?: string | undefined;
    readonly lastError?: Link['lastError'];
  } {
    const { state, hop, lastError } = this.#link;
    return { state, broker: hop?.broker.url, protocol: hop?.protocol, lastError };
  }

  /** What the store refuses with, while it does. */
  get failing(): string | undefined {
    return this.#failing;
  }

  /** Messages that wait to be stored. */
  get waiting(): number {
    return this.#inbox.size;
  }

  /** How long there has been no connection; 0 while there is one. */
  awayMs(): number {
    const nowMs = this.#options.clock.monoMs();
    if (this.#connection !== undefined) this.#connectedMs = nowMs;
    return nowMs - this.#connectedMs;
  }

  /** How long nothing arrived while there was a connection; 0 while something waits. */
  idleMs(): number {
    const isIdle = this.#connection !== undefined && !this.#owesGreeting && this.#inbox.size === 0;
    if (!isIdle) this.#lastArrivalMs = this.#options.clock.monoMs();
    return this.#options.clock.monoMs() - this.#lastArrivalMs;
  }

  // ---- storing

  async #loop(): Promise<void> {
    let retryMs: number = RETRY_MS[0];
    while (!this.#stop.signal.aborted) {
      try {
        await this.#turn();
        if (this.#failing !== undefined) this.#mended();
        retryMs = RETRY_MS[0];
      } catch (problem) {
        if (problem instanceof StoreConflict) await this.#giveWay();
        else if (mendsByWaiting(problem)) {
          this.#refused(problem);
          await this.#pause(retryMs);
          retryMs = Math.min(retryMs * 2, RETRY_MS[1]);
        } else throw problem;
      }
    }
  }

  /** What is due: the greeting of a new connection, one batch, the tick. */
  async #turn(): Promise<void> {
    await this.#inbox.filled(GATHER_MS);
    // One transaction for what comes together, not one for each message.
    if (this.#inbox.size > 0 && this.#inbox.size < BATCH) await this.#pause(GATHER_MS);
    await this.#heedClock();
    if (this.#owesGreeting && this.#connection !== undefined) {
      const report = await this.#collector.connected(this.#nowMs());
      this.#owesGreeting = false;
      this.#report(report);
    }
    const batch = this.#inbox.first(BATCH, BATCH_BYTES);
    if (batch.length > 0) {
      const report = await this.#collector.take(batch, this.#nowMs());
      this.#inbox.done(batch.length);
      this.#report(report);
    }
    const monoMs = this.#options.clock.monoMs();
    if (monoMs - this.#tickedMs < TICK_MS) return;
    this.#options.requireStore?.();
    this.#report(await this.#collector.tick(this.#nowMs()));
    this.#tickedMs = monoMs;
  }

  #report(report: Report): void {
    for (const message of report.publish) void this.#publish(message);
    this.#options.tell(report);
  }

  #refused(problem: Error & { readonly code: string; readonly remedy: string }): void {
    this.#inbox.refuse();
    if (this.#failing === problem.code) return;
    this.#failing = problem.code;
    const { message, remedy } = problem;
    this.#options.emit('error', 'collect.store-refuses', { code: problem.code, message, remedy });
  }

  /** Another worker serves the same gateway, and was faster again and again. The one that rests longer lets the other pass. */
  async #giveWay(): Promise<void> {
    const message = 'another worker changes the same logs: give each its own --shard or --gateways';
    if (!this.#hasGivenWay) this.#options.emit('warn', 'collect.shared-log', { message });
    this.#hasGivenWay = true;
    await this.#pause(Math.random() * GATHER_MS * 4);
  }

  /** Gateways are told where their logs are here, so that what was dropped comes again at once. */
  #mended(): void {
    this.#failing = undefined;
    const dropped = this.#inbox.accept();
    this.#owesGreeting = true;
    this.#options.emit('info', 'collect.store-accepts', { dropped });
  }

  /** Monotonic, so that no step of the wall clock is silence or patience; after a step memory begins anew. */
  #nowMs(): number {
    return this.#skewMs + this.#options.clock.monoMs();
  }

  async #heedClock(): Promise<void> {
    const { clock, emit } = this.#options;
    const skewMs = clock.wallMs() - clock.monoMs();
    const stepMs = skewMs - this.#skewMs;
    if (Math.abs(stepMs) < STEP_MS) return;
    const collector = await openCollector(this.#options);
    this.#collector = collector;
    this.#skewMs = skewMs;
    this.#owesGreeting = true;
    emit('warn', 'collect.clock-step', { delta_ms: Math.round(stepMs) });
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {
      // The stop, which the loop looks for next.
    });
  }

  // ---- the connection

  #hear(message: Arrived): Promise<void> | undefined {
    const { topic, payload } = message;
    if (topic === this.#topics.presence) {
      if (this.#presence.isContradictedBy(payload)) void this.#sayOnline();
      return undefined;
    }
    const channel = this.#topics.read(topic);
    const gateway = channel !== undefined && 'gateway' in channel ? channel.gateway : undefined;
    if (channel === undefined || (gateway !== undefined && !this.#options.share.serves(gateway))) return undefined;
    this.#lastArrivalMs = this.#options.clock.monoMs();
    return this.#inbox.put(message, gateway);
  }

  /** Subscriptions, presence, greeting, in this order; then until the connection ends, or `leave` asks for its end. */
  async #serve(connection: Connection, leave: AbortSignal): Promise<Ending> {
    const { timing, emit, share } = this.#options;
    connection.onMessage(({ topic, payload }) => this.#hear({ topic, payload }));
    const { maximumQos } = connection.server;
    if (maximumQos === 0) {
      await connection.leave({
        kind: 'limit',
        message: 'the broker allows QoS 0 only: entries would be lost without a sign',
      });
      return connection.closed;
    }
    const refusal = await connection.subscribe([...filtersFor(this.#topics.filters, share), this.#topics.presence]);
    if (refusal !== undefined) await connection.leave({ kind: 'refused', reason: refusal });
    const farewell = (): void => void this.#farewell(connection);
    leave.addEventListener('abort', farewell, { once: true });
    if (leave.aborted) farewell();
    else if (connection.open) {
      this.#connection = connection;
      // Nobody waits for the answers: they come behind all that the broker delivers.
      void this.#sayOnline();
      void this.#sayTime();
      this.#owesGreeting = true;
      const { broker, protocol } = connection;
      emit('info', 'collect.connected', { broker: broker.url, protocol });
    }
    const repeat = setInterval(() => {
      void this.#sayOnline();
      void this.#sayTime();
    }, timing.presenceMs);
    const ending = await connection.closed;
    clearInterval(repeat);
    leave.removeEventListener('abort', farewell);
    this.#connection = undefined;
    return ending;
  }

  async #sayOnline(): Promise<void> {
    await this.#connection?.publish(this.#topics.presence, this.#presence.bytes('online'), ONLINE);
  }

  /** An entry that contains the marker is younger than it (attestation.md §5). */
  async #sayTime(): Promise<void> {
    const { id, signing, clock } = this.#options;
    if (signing === undefined) return;
    const iat = Math.floor(clock.wallMs() / 1000);
    const marker = { iss: id, id: randomBytes(16).toString('base64url'), n: iat, iat };
    await this.#connection?.publish(this.#topics.epoch, signEpoch(marker, signing), publishingOn('epoch'));
  }

  async #farewell(connection: Connection): Promise<void> {
    this.#connection = undefined;
    const giveUp = setTimeout(() => connection.drop({ kind: 'left' }), this.#options.timing.stopMs);
    await connection.publish(this.#topics.presence, this.#presence.bytes('stopped'), {
      ...ONLINE,
      expiryS: GONE_EXPIRY_S,
    });
    await connection.leave({ kind: 'left' });
    clearTimeout(giveUp);
  }

  /** May be lost: it is made again. */
  async #publish({ topic, payload, retain, expiryS, prompt }: Outgoing): Promise<void> {
    const options = { retain, contentType: JSON_TEXT, ...(expiryS === undefined ? {} : { expiryS }) };
    const connection = this.#connection;
    // The answers of a broker that delivers a backlog stand behind it; gateways wait for theirs.
    if (prompt && connection?.hasRoom === false) {
      connection.tell(topic, payload, options);
      return;
    }
    const result = await connection?.publish(topic, payload, options);
    if (result?.kind === 'refused')
      this.#options.emit('warn', 'collect.publish-refused', {
        topic,
        reason: result.reason,
        message: `the broker does not let this collector publish to ${topic}: ${reasonText(result.reason)}`,
        remedy: `allow it in the access list of the broker: docs/broker.md; the name in the certificate has to be the id, ${this.#options.id}`,
      });
  }
}

const openCollector = ({ id, settings, store, trust, share, mode, signing }: WorkerOptions): Promise<Collector> =>
  Collector.open({
    id,
    prefix: settings.prefix,
    store,
    trust,
    mode,
    serves: share.serves,
    ...(signing === undefined ? {} : { witness: signing }),
  });
