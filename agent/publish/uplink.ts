import type { Data } from '../../shared/collector/messages.ts';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from './broker.ts';
import type { Ending } from './ending.ts';
import { Line } from './line.ts';
import { type LastError, Link } from './link.ts';
import type { Connection, ConnectOptions, Protocol } from './mqtt.ts';
import type { Notary, Outbox } from './outbox.ts';
import { presenceBytes, type Sessions } from './presence.ts';
import { type Held, type ReceiverStatus, Receivers } from './receivers.ts';
import type { Observe } from './requests.ts';
import { Rivals } from './rivals.ts';
import type { Hop } from './route.ts';
import { TIMING, type Timing } from './timing.ts';
import { type Topics, topicsOf } from './topics.ts';

/** What goes over the uplink, and who takes what comes. */
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
  /** Terms of approvers came in. Nothing of them is verified. An empty message takes back what was kept for those who come later. */
  readonly takeTerms: (payload: Uint8Array, name: string) => void;
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
  /** Topics that the broker does not let this gateway publish to, beside entries. */
  readonly refused?: readonly string[];
  readonly lastError?: LastError;
}

/**
 * Keeps one connection to a broker for as long as it lives, and a pump on it (mqtt.md §4–§7). What an operator has to mend
 * first is told when it is made; later everything a broker or network does ends one connection and is tried again.
 */
export class Uplink {
  readonly #options: UplinkOptions & { readonly timing: Timing };
  readonly #topics: Topics;
  readonly #link: Link;
  readonly #receivers: Receivers;
  readonly #rivals: Rivals;
  #running: Promise<void> | undefined;
  #session = '';
  #line: Line | undefined;

  /** Throws `mqtt.credentials` or `config.secret` for a file that cannot be used. */
  constructor(options: UplinkOptions) {
    this.#options = { ...options, timing: options.timing ?? TIMING };
    this.#topics = topicsOf(options.settings.prefix, options.gateway);
    const random = options.random ?? Math.random;
    this.#rivals = new Rivals(this.#options);
    this.#receivers = new Receivers({
      ...this.#options,
      collectors: options.settings.collectors,
      takeEntry: (message) => options.notary.takeEntry(message),
      random,
    });
    this.#link = new Link({
      ...this.#options,
      clientId: options.gateway,
      random,
      will: (hop) => this.#will(hop),
      serve: (connection, leave) => this.#serve(connection, leave),
    });
  }

  start(): void {
    this.#running = this.#link.run();
  }

  /** Publishes `stopped` if there is a connection, and ends it. */
  async stop(): Promise<void> {
    this.#link.stop();
    await this.#running;
    this.#receivers.stop();
  }

  /** Looks whether the files of the log-in were renewed; it does so by itself every minute, too. */
  renew(): void {
    this.#link.renew();
  }

  status(): UplinkStatus {
    const { outbox } = this.#options;
    const { state, hop, lastError } = this.#link;
    const held = this.#line?.held;
    const refused = this.#line?.refused ?? [];
    return {
      state,
      ...(hop === undefined ? {} : { broker: hop.broker.url, protocol: hop.protocol, insecure: !hop.broker.tls }),
      cursor: outbox.cursor(),
      size: outbox.size(),
      unconfirmed: !this.#receivers.required,
      collectors: this.#receivers.status(),
      ...(state === 'waiting' && hop === undefined ? { firstWithinS: this.#options.settings.spread_s } : {}),
      ...(held === undefined ? {} : { held }),
      ...(refused.length === 0 ? {} : { refused }),
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  /** The answer to whoever asks with `status`: nothing about the broker, and nothing that is not in the log for all to see. */
  #report(): Data<'status'> {
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

  #will({ broker, retainedWill }: Hop): NonNullable<ConnectOptions['will']> {
    const { sessions, clock } = this.#options;
    this.#session = sessions.next();
    const lost = presenceBytes(
      'lost',
      { ...this.#options, receivers: this.#receivers, session: this.#session },
      { atMs: clock.wallMs(), tls: broker.tls, retained: retainedWill },
    );
    return { topic: this.#topics.conn, payload: lost, retain: retainedWill };
  }

  async #serve(connection: Connection, leave: AbortSignal): Promise<Ending> {
    this.#line = new Line({
      ...this.#options,
      connection,
      receivers: this.#receivers,
      topics: this.#topics,
      session: this.#session,
      rivals: this.#rivals,
      report: () => this.#report(),
    });
    const ending = await this.#line.serve(leave);
    this.#line = undefined;
    return ending;
  }
}
