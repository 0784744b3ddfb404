import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from './broker.ts';
import { describeEnding, type Ending, needsPerson } from './ending.ts';
import { type Connection, type ConnectOptions, connect } from './mqtt.ts';
import { OPTIONS, remedyOf, SETTINGS } from './remedy.ts';
import { Renewal } from './renewal.ts';
import { type Hop, type Next, Route } from './route.ts';
import type { Timing } from './timing.ts';

/** Which broker is connected to, and what each connection is for. */
export interface LinkOptions {
  readonly settings: MqttSettings;
  /** Also the user name, where a password is given without one. */
  readonly clientId: string;
  readonly isCollector?: ConnectOptions['isCollector'];
  /** What is left with the broker as the will of the next connection. */
  readonly will: (hop: Hop) => NonNullable<ConnectOptions['will']>;
  /** What is done with a connection, from CONNACK to its end; `leave` asks for its end. */
  readonly serve: (connection: Connection, leave: AbortSignal) => Promise<Ending>;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly random: () => number;
  readonly timing: Timing;
}

/** Why there was no connection, or why it ended, and what can be done about it. */
export interface LastError {
  readonly message: string;
  readonly remedy: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** One connection to a broker after another, for as long as it runs: route, back-off, renewed files (mqtt.md §6, §7). */
export class Link {
  readonly #options: LinkOptions;
  readonly #route: Route;
  readonly #renewal: Renewal;
  readonly #stop = new AbortController();
  readonly #alarmed = new Set<string>();
  #state: 'stopped' | 'connecting' | 'connected' | 'waiting' = 'stopped';
  #hop: Hop | undefined;
  #lastError: LastError | undefined;

  /** Throws `mqtt.credentials` or `config.secret` for a file that cannot be used. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#route = new Route(options.settings, options.timing, options.random);
    this.#renewal = new Renewal({ ...options, gateway: options.clientId });
  }

  get state(): 'stopped' | 'connecting' | 'connected' | 'waiting' {
    return this.#state;
  }

  /** The broker in use, or tried last. */
  get hop(): Hop | undefined {
    return this.#hop;
  }

  get lastError(): LastError | undefined {
    return this.#lastError;
  }

  /** Until `stop`; what is served then ends first. */
  async run(): Promise<void> {
    const watch = setInterval(() => this.renew(), this.#options.timing.renewalMs);
    this.renew();
    await this.#wait(this.#options.random() * this.#options.settings.spread_s * 1000);
    while (!this.#stop.signal.aborted) {
      const { ending, lastedMs } = await this.#once(this.#route.next());
      if (this.#stop.signal.aborted) break;
      if (lastedMs >= this.#options.timing.stableMs) this.#alarmed.clear();
      const next = this.#route.after(ending, lastedMs);
      this.#report(ending, next);
      await this.#wait(next.pauseMs);
    }
    clearInterval(watch);
    this.#state = 'stopped';
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Looks whether the files of the log-in were renewed; it does so by itself every minute, too. */
  renew(): void {
    this.#renewal.check();
  }

  /** One connection, from its first packet to its last. */
  async #once(hop: Hop): Promise<{ readonly ending: Ending; readonly lastedMs: number }> {
    const { clock, serve } = this.#options;
    this.#hop = hop;
    this.#state = 'connecting';
    const connection = await this.#connect(hop);
    if (connection.kind !== 'connected') return { ending: connection, lastedMs: 0 };
    this.#renewal.shown(connection.certificate);
    const sinceMs = clock.monoMs();
    this.#state = 'connected';
    const ending = await serve(connection, this.#leaveSignal());
    return { ending, lastedMs: clock.monoMs() - sinceMs };
  }

  #connect(hop: Hop): ReturnType<typeof connect> {
    const { settings, clientId, isCollector, will, timing } = this.#options;
    return connect({
      broker: hop.broker,
      protocol: hop.protocol,
      credentials: this.#renewal.use(),
      clientId,
      isCollector,
      tlsMin: settings.tls_min,
      will: will(hop),
      timing,
      signal: this.#stop.signal,
    });
  }

  /** At stop, and when the files were renewed; away from the first broker also after about an hour, to return to it. */
  #leaveSignal(): AbortSignal {
    const { timing, random } = this.#options;
    const signals = [this.#stop.signal, this.#renewal.signal];
    if (this.#route.atPrimary) return AbortSignal.any(signals);
    const awayMs = timing.primaryReturnMs * (5 / 6 + random() / 3);
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
  #report(ending: Ending, { pauseMs, otherwise }: Next): void {
    if (ending.kind === 'left') return;
    const { emit, clock, isCollector } = this.#options;
    const broker = this.#hop?.broker.url;
    const message = describeEnding(ending);
    if (otherwise) {
      emit('info', 'uplink.fall-back', { broker, message });
      return;
    }
    const known = `${broker} ${message}`;
    const level = needsPerson(ending) && !this.#alarmed.has(known) ? 'error' : 'warn';
    this.#alarmed.add(known);
    const remedy = remedyOf(ending, isCollector === true ? OPTIONS : SETTINGS);
    this.#lastError = { message, remedy, atMs: clock.wallMs() };
    emit(level, `uplink.${ending.kind}`, { broker, message, remedy, retry_s: Math.ceil(pauseMs / 1000) });
  }
}
