import { type Broker, brokersOf, type MqttSettings } from './broker.ts';
import { capMs, type Ending, REASON } from './ending.ts';
import type { Protocol } from './mqtt.ts';
import type { Timing } from './timing.ts';

/** What was learned about one broker, for as long as the process lives. */
interface Lesson {
  /** It refused version 5 by name. */
  old: boolean;
  /** It closed without an answer to a CONNECT of version 5: the next attempt uses 3.1.1, the one after it 5 again. */
  silent: boolean;
  /** It refused a retained will. */
  forgetful: boolean;
}

/** How the next connect is made. */
export interface Hop {
  readonly broker: Broker;
  readonly protocol: Protocol;
  readonly retainedWill: boolean;
}

/** When to connect next; `otherwise`: the same broker at once, in another way. */
export interface Next {
  readonly pauseMs: number;
  readonly otherwise: boolean;
}

/** Which broker is next, with which protocol, and after how long: full jitter, ceilings by reason (mqtt.md §6). */
export class Route {
  readonly #brokers: readonly Broker[];
  readonly #settings: MqttSettings;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #lessons: readonly Lesson[];
  #at = 0;
  #attempt = 0;

  constructor(settings: MqttSettings, timing: Timing, random: () => number) {
    this.#settings = settings;
    this.#brokers = brokersOf(settings);
    this.#lessons = this.#brokers.map(() => ({ old: false, silent: false, forgetful: false }));
    this.#timing = timing;
    this.#random = random;
  }

  next(): Hop {
    const broker = this.#brokers[this.#at];
    if (broker === undefined) throw new Error(`no broker ${this.#at}`);
    return { broker, protocol: this.#protocol(), retainedWill: !this.#lesson.forgetful };
  }

  /** True while the first broker of the list is in use. */
  get atPrimary(): boolean {
    return this.#at === 0;
  }

  /** Learns from how the last connection ended and how long it lasted. */
  after(ending: Ending, lastedMs: number): Next {
    if (ending.kind === 'left') {
      this.#at = 0;
      return { pauseMs: 0, otherwise: false };
    }
    if (ending.kind === 'rival') return { pauseMs: this.#timing.rivalMs, otherwise: false };
    if (ending.kind === 'foreign') return { pauseMs: this.#timing.rivalLookMs, otherwise: false };
    const stable = lastedMs >= this.#timing.stableMs;
    if (stable) this.#attempt = 0;
    if (this.#learn(ending)) return { pauseMs: 0, otherwise: true };
    this.#turn(ending, stable);
    const ceiling = Math.min(capMs(ending, this.#timing), this.#timing.backoffBaseMs * 2 ** this.#attempt);
    this.#attempt += 1;
    return { pauseMs: this.#random() * ceiling, otherwise: false };
  }

  #protocol(): Protocol {
    if (this.#settings.protocol !== 'auto') return this.#settings.protocol;
    return this.#lesson.old || this.#lesson.silent ? '3.1.1' : '5';
  }

  /** True where the same broker is asked again at once, in another way. Never twice for the same reason. */
  #learn(ending: Ending): boolean {
    const lesson = this.#lesson;
    const triedFive = this.#settings.protocol === 'auto' && this.#protocol() === '5';
    lesson.silent = triedFive && ending.kind === 'closed' && !ending.connected;
    if (ending.kind !== 'refused') return false;
    if (ending.reason === REASON.unsupportedVersion) {
      lesson.old = triedFive;
      return triedFive;
    }
    if (ending.reason !== REASON.retainNotSupported || lesson.forgetful) return false;
    lesson.forgetful = true;
    return true;
  }

  /** The broker that is referred to, if it is in the list; else the next one, unless this one was stable or is to be asked in another way. */
  #turn(ending: Ending, stable: boolean): void {
    const referred = ending.kind === 'refused' ? this.#referred(ending) : -1;
    if (referred >= 0) this.#at = referred;
    else if (!stable && !this.#lesson.silent) this.#at = (this.#at + 1) % this.#brokers.length;
  }

  #referred({ reason, serverReference }: Ending & { kind: 'refused' }): number {
    if (reason !== REASON.useAnotherServer && reason !== REASON.serverMoved) return -1;
    const named = new Set((serverReference ?? '').split(' '));
    return this.#brokers.findIndex(({ host, port }) => named.has(host) || named.has(`${host}:${port}`));
  }

  get #lesson(): Lesson {
    const lesson = this.#lessons[this.#at];
    if (lesson === undefined) throw new Error(`no broker ${this.#at}`);
    return lesson;
  }
}
