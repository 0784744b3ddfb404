import { X509Certificate } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from './broker.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import type { Ending } from './ending.ts';

export interface RenewalOptions {
  readonly settings: MqttSettings;
  readonly gateway: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly emit: Emit;
}

const DAY_MS = 86_400_000;

/** A client certificate is an alarm when it ends within so many days, once for each (mqtt.md §7). */
const ALARM_DAYS: readonly number[] = [1, 7, 30];

/**
 * The files that the agent shows a broker, over time: renewed ones are used without a restart, bad ones change nothing
 * while the former still serve (mqtt.md §7).
 */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #alarmed = new Set<string>();
  #inUse: Credentials;
  #renewed = new AbortController();

  /** Throws `mqtt.credentials` or `config.secret` for a file that cannot be used. */
  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#inUse = readCredentials(options.settings, options.gateway);
  }

  /** Aborts when other files that can be used lie there: the connection that was made with the former ones is to end. */
  get signal(): AbortSignal {
    return this.#renewed.signal;
  }

  /** The files as they are now, for the next connect. */
  use(): Credentials | Extract<Ending, { kind: 'credentials' }> {
    this.#renewed = new AbortController();
    const credentials = this.#read();
    if (!('kind' in credentials)) this.#inUse = credentials;
    return credentials;
  }

  /** Looks at the files again. */
  check(): void {
    const credentials = this.#read();
    if ('kind' in credentials) this.#refuse(credentials.message);
    else this.#compare(credentials);
    this.#warnOfEnd();
  }

  #compare(credentials: Credentials): void {
    if (sameBytes(credentials, this.#inUse)) return;
    const fault = this.#datesOf(credentials);
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    this.#options.emit('info', 'uplink.renewed', { message: 'other credentials lie there, and are used from now on' });
    this.#renewed.abort();
  }

  #read(): Credentials | Extract<Ending, { kind: 'credentials' }> {
    const { settings, gateway } = this.#options;
    try {
      return readCredentials(settings, gateway);
    } catch (error) {
      if (error instanceof AgentError) return { kind: 'credentials', message: error.message };
      throw error;
    }
  }

  #datesOf({ cert }: Credentials): string | undefined {
    if (cert === undefined) return undefined;
    const { validFrom, validTo } = new X509Certificate(cert);
    const now = this.#options.clock.wallMs();
    if (Date.parse(validTo) <= now) return `the new client certificate ended on ${validTo}`;
    return Date.parse(validFrom) > now ? `the new client certificate is not valid before ${validFrom}` : undefined;
  }

  #refuse(message: string): void {
    this.#once(message, () =>
      this.#options.emit('error', 'uplink.renewal-refused', { message, in_force: 'the credentials read before' }),
    );
  }

  #warnOfEnd(): void {
    const { cert } = this.#inUse;
    if (cert === undefined) return;
    const { validTo, fingerprint256 } = new X509Certificate(cert);
    const leftMs = Date.parse(validTo) - this.#options.clock.wallMs();
    const days = ALARM_DAYS.find((most) => leftMs <= most * DAY_MS);
    if (days === undefined) return;
    this.#once(`${fingerprint256} ${days}`, () =>
      this.#options.emit(days === 30 ? 'warn' : 'error', 'uplink.certificate-ends', {
        ends_at: new Date(Date.parse(validTo)).toISOString(),
        message: 'renew the client certificate: the agent reads new files by itself',
      }),
    );
  }

  #once(what: string, tell: () => void): void {
    if (this.#alarmed.has(what)) return;
    this.#alarmed.add(what);
    tell();
  }
}

const sameBytes = (one: Credentials, other: Credentials): boolean =>
  one.username === other.username &&
  one.password === other.password &&
  (['ca', 'cert', 'key'] as const).every((name) => Buffer.compare(one[name] ?? NONE, other[name] ?? NONE) === 0);

const NONE = Buffer.alloc(0);
