import { X509Certificate } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import type { MqttSettings } from './broker.ts';
import { type Credentials, commonName, readCredentials } from './credentials.ts';

/** Whose certificates and secrets are watched. */
export interface RenewalOptions {
  readonly settings: MqttSettings;
  readonly gateway: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly emit: Emit;
}

const DAY_MS = 86_400_000;

/** A certificate is an alarm when it ends within so many days, once for each (mqtt.md §7). */
const ALARM_DAYS: readonly number[] = [1, 7, 30];

/**
 * The files that the agent shows a broker, over time: renewed ones are used without a restart, bad ones change nothing
 * while the former still serve (mqtt.md §7).
 */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #alarmed = new Set<string>();
  #inUse: Credentials;
  #brokerEndsMs: number | undefined;
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

  /** The files as they are now, for the next connect; the former ones where those cannot be used. */
  use(): Credentials {
    this.#renewed = new AbortController();
    this.#inUse = this.#goodOnes() ?? this.#inUse;
    return this.#inUse;
  }

  /** Looks at the files again. */
  check(): void {
    if (!this.#renewed.signal.aborted && this.#goodOnes() !== undefined) {
      this.#options.emit('info', 'uplink.renewed', {
        message: 'other credentials lie there, and are used from now on',
      });
      this.#renewed.abort();
    }
    this.#warnOfEnds();
  }

  /** The broker showed a certificate that ends then; it warns as of our own. */
  shown(certificate: { readonly validTo: string } | undefined): void {
    this.#brokerEndsMs = certificate === undefined ? undefined : Date.parse(certificate.validTo);
    this.#warnOfEnds();
  }

  /** The files, where they are other ones than those in use, and can be used. */
  #goodOnes(): Credentials | undefined {
    const { settings, gateway } = this.#options;
    try {
      const credentials = readCredentials(settings, gateway);
      if (sameBytes(credentials, this.#inUse)) return undefined;
      const fault = this.#faultOf(credentials);
      if (fault === undefined) return credentials;
      this.#refuse(fault);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#refuse(error.message);
    }
    return undefined;
  }

  /** A broker takes the name of a client from its certificate: one of another name would be another client. */
  #faultOf({ cert }: Credentials): string | undefined {
    if (cert === undefined) return undefined;
    const { validFrom, validTo } = new X509Certificate(cert);
    const now = this.#options.clock.wallMs();
    if (Date.parse(validTo) <= now) return `the new client certificate ended on ${validTo}`;
    if (Date.parse(validFrom) > now) return `the new client certificate is not valid before ${validFrom}`;
    const [name, former] = [
      commonName(cert),
      this.#inUse.cert === undefined ? undefined : commonName(this.#inUse.cert),
    ];
    if (former === undefined || name === former) return undefined;
    return `the new client certificate is of ${JSON.stringify(name)}, the one in use of ${JSON.stringify(former)}`;
  }

  #refuse(message: string): void {
    this.#once(message, () =>
      this.#options.emit('error', 'uplink.renewal-refused', {
        message,
        remedy: 'mend the files that are named as ca, cert, key and password_file; they are read again by themselves',
        in_force: 'the credentials read before',
      }),
    );
  }

  #warnOfEnds(): void {
    const { cert } = this.#inUse;
    if (cert !== undefined) {
      const { validTo, fingerprint256 } = new X509Certificate(cert);
      this.#warnOfEnd('client', Date.parse(validTo), fingerprint256);
    }
    if (this.#brokerEndsMs !== undefined) this.#warnOfEnd('broker', this.#brokerEndsMs, `${this.#brokerEndsMs}`);
  }

  #warnOfEnd(whose: 'client' | 'broker', endsMs: number, id: string): void {
    const leftMs = endsMs - this.#options.clock.wallMs();
    const days = ALARM_DAYS.find((most) => leftMs <= most * DAY_MS);
    if (days === undefined) return;
    this.#once(`${whose} ${id} ${days}`, () =>
      this.#options.emit(days === 30 ? 'warn' : 'error', 'uplink.certificate-ends', {
        whose,
        ends_at: new Date(endsMs).toISOString(),
        message: `the certificate of the ${whose} ends soon, or has ended`,
        remedy: whose === 'client' ? 'renew it: new files are read by themselves' : 'renew it at the broker',
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
