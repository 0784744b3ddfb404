import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from './broker.ts';
import { describeEnding, type Ending, needsPerson } from './ending.ts';
import { Line } from './line.ts';
import { connect, type Protocol } from './mqtt.ts';
import type { Notary, Outbox } from './outbox.ts';
import { presenceBytes, type Sessions } from './presence.ts';
import { type Held, type ReceiverStatus, Receivers } from './receivers.ts';
import { Renewal } from './renewal.ts';
import type { Observe } from './requests.ts';
import { type Hop, type Next, Route } from './route.ts';
import { TIMING, type Timing } from './timing.ts';
import { type Topics, topicsOf } from './topics.ts';

export interface UplinkOptions {
  readonly settings: MqttSettings;
  readonly gateway: string;
  /** Version of the agent. */
  readonly version: string;
  /** Origin of the log. */
  readonly log: string;
  readonly sessions: Sessions;
  readonly outbox: Outbox;
  readonly notary: Notary;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly random?: () => number;
  readonly timing?: Timing;
}

/** What `assayer status` shows of the uplink. Instants are Unix milliseconds. */
export interface UplinkStatus {
  readonly state: 'stopped' | 'connecting' | 'connected' | 'waiting';
  /** The broker in use, or tried last. */
  readonly broker?: string;
  readonly protocol?: Protocol;
  /** The connection has no TLS. */
  readonly insecure?: boolean;
  /** Entries a broker acknowledged, and entries in the log. */
  readonly cursor: number;
  readonly size: number;
  /** No collector is required: what a broker acknowledged may still be lost. */
  readonly unconfirmed: boolean;
  /** The required collectors, and how far each has stored the log. */
  readonly collectors: readonly ReceiverStatus[];
  /** Before the first connect: it is made within this, at random, so that a fleet does not come all at once. Seconds. */
  readonly firstWithinS?: number;
  /** Why entries wait, while they do. */
  readonly held?: Held;
  readonly lastError?: { readonly message: string; readonly atMs: number };
}

/**
 * Keeps one connection to a broker for as long as it lives, and a pump on it (mqtt.md §4–§7). What an operator has to mend
 * first is told when it is made; later everything a broker or network does ends one connection and is tried again.
 */
export class Uplink {
  readonly #options: UplinkOptions & { readonly timing: Timing };
  readonly #random: () => number;
  readonly #topics: Topics;
  readonly #route: Route;
  readonly #renewal: Renewal;
  readonly #stop = new AbortController();
  readonly #alarmed = new Set<string>();
  readonly #receivers: Receivers;
  #running: Promise<void> | undefined;
  #state: UplinkStatus['state'] = 'stopped';
  #hop: Hop | undefined;
  #line: Line | undefined;
  #lastError: UplinkStatus['lastError'];

  /** Throws `mqtt.credentials` or `config.secret` for a file that cannot be used. */
  constructor(options: UplinkOptions) {
    this.#options = { ...options, timing: options.timing ?? TIMING };
    this.#random = options.random ?? Math.random;
    this.#topics = topicsOf(options.settings.prefix, options.gateway);
    this.#route = new Route(options.settings, this.#options.timing, this.#random);
    this.#renewal = new Renewal(options);
    this.#receivers = new Receivers({
      ...this.#options,
      collectors: options.settings.collectors,
      random: this.#random,
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Publishes `stopped` if there is a connection, and ends it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#receivers.stop();
  }

  /** Looks whether the files of the log-in were renewed; it does so by itself every minute, too. */
  renew(): void {
    this.#renewal.check();
  }

  status(): UplinkStatus {
    const { outbox } = this.#options;
    const hop = this.#hop;
    const held = this.#line?.held;
    return {
      state: this.#state,
      ...(hop === undefined ? {} : { broker: hop.broker.url, protocol: hop.protocol, insecure: !hop.broker.tls }),
      cursor: outbox.cursor(),
      size: outbox.size(),
      unconfirmed: !this.#receivers.required,
      collectors: this.#receivers.status(),
      ...(this.#state === 'waiting' && hop === undefined ? { firstWithinS: this.#options.settings.spread_s } : {}),
      ...(held === undefined ? {} : { held }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** The answer to whoever asks with `status`: nothing about the broker, and nothing that is not in the log for all to see. */
  #report(): object {
    const { version, log, settings, outbox } = this.#options;
    const { collectors, held, lastError } = this.status();
    return {
      agent: version,
      log,
      size: outbox.size(),
      sent: outbox.cursor(),
      rate: settings.rate,
      collectors: collectors.map(({ collector, state, confirmed }) => ({ collector, state, confirmed })),
      ...(held === undefined ? {} : { held: held.code }),
      ...(lastError === undefined ? {} : { last_error_at: Math.floor(lastError.atMs / 1000) }),
    };
  }

  async #run(): Promise<void> {
    const watch = setInterval(() => this.renew(), this.#options.timing.renewalMs);
    this.renew();
    await this.#wait(this.#random() * this.#options.settings.spread_s * 1000);
    while (!this.#stop.signal.aborted) {
      const { ending, lastedMs } = await this.#once(this.#route.next());
      if (this.#stop.signal.aborted) break;
      if (lastedMs >= this.#options.timing.stableMs) this.#alarmed.clear();
      const next = this.#route.after(ending, lastedMs);
      this.#reportEnding(ending, next);
      await this.#wait(next.pauseMs);
    }
    clearInterval(watch);
    this.#state = 'stopped';
  }

  /** One connection, from its first packet to its last. */
  async #once(hop: Hop): Promise<{ readonly ending: Ending; readonly lastedMs: number }> {
    const { clock, sessions } = this.#options;
    this.#hop = hop;
    this.#state = 'connecting';
    const session = sessions.next();
    const connection = await this.#connect(hop, session);
    if (connection.kind !== 'connected') return { ending: connection, lastedMs: 0 };
    const sinceMs = clock.monoMs();
    this.#state = 'connected';
    this.#line = new Line({
      ...this.#options,
      connection,
      receivers: this.#receivers,
      topics: this.#topics,
      session,
      report: () => this.#report(),
    });
    const ending = await this.#line.serve(this.#leaveSignal());
    this.#line = undefined;
    return { ending, lastedMs: clock.monoMs() - sinceMs };
  }

  async #connect({ broker, protocol, retainedWill }: Hop, session: string): ReturnType<typeof connect> {
    const { settings, gateway, timing, clock } = this.#options;
    const credentials = this.#renewal.use();
    if ('kind' in credentials) return credentials;
    const lost = presenceBytes(
      'lost',
      { ...this.#options, receivers: this.#receivers, session },
      { atMs: clock.wallMs(), tls: broker.tls, retained: retainedWill },
    );
    return connect({
      broker,
      protocol,
      credentials,
      clientId: gateway,
      tlsMin: settings.tls_min,
      will: { topic: this.#topics.conn, payload: lost, retain: retainedWill },
      timing,
      signal: this.#stop.signal,
    });
  }

  /** At stop, and when the files were renewed; away from the first broker also after about an hour, to return to it. */
  #leaveSignal(): AbortSignal {
    const signals = [this.#stop.signal, this.#renewal.signal];
    if (this.#route.atPrimary) return AbortSignal.any(signals);
    const awayMs = this.#options.timing.primaryReturnMs * (5 / 6 + this.#random() / 3);
    return AbortSignal.any([...signals, AbortSignal.timeout(Math.round(awayMs))]);
  }

  async #wait(ms: number): Promise<void> {
    this.#state = 'waiting';
    const signal = AbortSignal.any([this.#stop.signal, this.#renewal.signal]);
    await delay(ms, undefined, { signal }).catch(() => {
      // A stop, which the loop looks for next, or renewed files, which are worth a try at once.
    });
  }

  /** What a person has to mend is an alarm once; the same again, and what mends itself, is a warning. */
  #reportEnding(ending: Ending, { pauseMs, otherwise }: Next): void {
    if (ending.kind === 'left') return;
    const { emit, clock } = this.#options;
    const broker = this.#hop?.broker.url;
    const message = describeEnding(ending);
    if (otherwise) {
      emit('info', 'uplink.fall-back', { broker, message });
      return;
    }
    const known = `${broker} ${message}`;
    const level = needsPerson(ending) && !this.#alarmed.has(known) ? 'error' : 'warn';
    this.#alarmed.add(known);
    this.#lastError = { message, atMs: clock.wallMs() };
    emit(level, `uplink.${ending.kind}`, { broker, message, retry_s: Math.ceil(pauseMs / 1000) });
  }
}
