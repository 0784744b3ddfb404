import type { Expected, Notice } from './notice.ts';

interface Expectation {
  heardMs: number;
  /** Within what it said that it will be heard again, the latest last. */
  withinMs: readonly number[];
  silent: boolean;
}

/**
 * The longest of so many counts. A period that was cut short, as a clock was set or the agent ended, says nothing of how long the next one
 * lasts, and is itself followed by what is left of its own.
 */
const REMEMBERED = 4;

/**
 * Who should have been heard by now, by our own clock alone (step 18). What a message says about its time plays no part,
 * and time in which the collector did not run is nobody's silence.
 */
export class Silence {
  readonly #of: Expected;
  readonly #gateways = new Map<string, Expectation>();

  constructor(of: Expected) {
    this.#of = of;
  }

  /** From now on the gateway is expected to be heard at least once in this time. */
  expect(gateway: string, nowMs: number, withinMs: number): void {
    if (!this.#gateways.has(gateway))
      this.#gateways.set(gateway, { heardMs: nowMs, withinMs: [withinMs], silent: false });
  }

  /** The gateway was heard. A notice where it had been silent. */
  heard(gateway: string, nowMs: number, withinMs: number): readonly Notice[] {
    const before = this.#gateways.get(gateway);
    const within = [...(before?.withinMs ?? []), withinMs].slice(-REMEMBERED);
    this.#gateways.set(gateway, { heardMs: nowMs, withinMs: within, silent: false });
    return before?.silent === true ? [{ kind: 'heard', gateway, of: this.#of }] : [];
  }

  /** Those that fell silent, each once. */
  due(nowMs: number): readonly Notice[] {
    return [...this.#gateways].flatMap(([gateway, each]): readonly Notice[] => {
      if (each.silent || nowMs - each.heardMs < Math.max(...each.withinMs)) return [];
      each.silent = true;
      return [{ kind: 'silent', gateway, of: this.#of, sinceMs: each.heardMs }];
    });
  }

  /** A notice of silence that nobody got: it is due again. */
  retract({ gateway }: { readonly gateway: string }): void {
    const each = this.#gateways.get(gateway);
    if (each !== undefined) each.silent = false;
  }

  /** True until the gateway was expected, and while it is silent. */
  isSilent(gateway: string): boolean {
    return this.#gateways.get(gateway)?.silent ?? true;
  }
}
