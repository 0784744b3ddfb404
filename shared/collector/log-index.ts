import { incarnationOf } from '../content.ts';
import type { LogEnd } from '../statement.ts';
import { gatewayOf } from '../verify.ts';

/** Which logs are stored, by gateway, in the order of their incarnations. */
export class LogIndex {
  readonly #sizes = new Map<string, number>();
  readonly #gateways = new Map<string, readonly string[]>();

  constructor(logs: readonly Pick<LogEnd, 'log' | 'size'>[]) {
    for (const { log, size } of logs) this.set(log, size);
  }

  set(log: string, size: number): void {
    if (!this.#sizes.has(log)) {
      const logs = [...(this.#gateways.get(gatewayOf(log)) ?? []), log];
      this.#gateways.set(
        gatewayOf(log),
        logs.toSorted((one, other) => incarnationOf(one) - incarnationOf(other)),
      );
    }
    this.#sizes.set(log, size);
  }

  has(log: string): boolean {
    return this.#sizes.has(log);
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

  /** The newest log of the gateway that wrote this one; undefined where none of its logs is known. */
  newestBeside(log: string): string | undefined {
    return this.#others(log).at(-1);
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
}
