import { incarnationOf } from '../content.ts';
import { gatewayOf } from '../verify.ts';
import type { ListedLog } from './store.ts';

/**
 * Which logs have entries here, by gateway, in the order of their incarnations. A log that was set aside is known, and is before and
 * after none.
 */
export class LogIndex {
  readonly #sizes = new Map<string, number>();
  readonly #gateways = new Map<string, string[]>();
  readonly #aside = new Set<string>();

  constructor(listed: readonly ListedLog[]) {
    for (const { log, size, aside } of listed) {
      if (aside === true) this.#aside.add(log);
      if (size === 0) continue;
      this.#sizes.set(log, size);
      if (aside !== true) this.#of(log).push(log);
    }
    for (const logs of this.#gateways.values()) logs.sort((one, other) => incarnationOf(one) - incarnationOf(other));
  }

  set(log: string, size: number): void {
    if (!this.#sizes.has(log)) {
      const logs = this.#of(log);
      logs.splice(logs.findLastIndex((other) => incarnationOf(other) < incarnationOf(log)) + 1, 0, log);
    }
    this.#sizes.set(log, size);
  }

  setAside(log: string): void {
    this.#aside.add(log);
    const logs = this.#of(log);
    if (logs.includes(log)) logs.splice(logs.indexOf(log), 1);
  }

  has(log: string): boolean {
    return this.#sizes.has(log);
  }

  isAside(log: string): boolean {
    return this.#aside.has(log);
  }

  /** Logs of the gateway that wrote this one, those aside left out. */
  count(log: string): number {
    return this.#others(log).length;
  }

  /** Entries that are stored; undefined for a log that is not. */
  size(log: string): number | undefined {
    return this.#sizes.get(log);
  }

  /** The newest former incarnation of a log. */
  before(log: string): string | undefined {
    return this.#others(log).findLast((other) => incarnationOf(other) < incarnationOf(log));
  }

  /** The next incarnation after a log. */
  after(log: string): string | undefined {
    return this.#others(log).find((other) => incarnationOf(other) > incarnationOf(log));
  }

  /** The incarnations after a log. */
  allAfter(log: string): readonly string[] {
    return this.#others(log).filter((other) => incarnationOf(other) > incarnationOf(log));
  }

  /** The newest log of every gateway. */
  newest(): readonly string[] {
    return [...this.#gateways.values()].flatMap((logs) => logs.slice(-1));
  }

  all(): readonly string[] {
    return [...this.#sizes.keys()];
  }

  gateways(): readonly string[] {
    return [...this.#gateways.keys()];
  }

  #others(log: string): readonly string[] {
    return this.#gateways.get(gatewayOf(log)) ?? [];
  }

  #of(log: string): string[] {
    const logs = this.#gateways.get(gatewayOf(log)) ?? [];
    this.#gateways.set(gatewayOf(log), logs);
    return logs;
  }
}
