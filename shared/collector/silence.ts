import type { Expected, Notice } from './notice.ts';

interface Expectation {
  heardMs: number;
  withinMs: number;
  silent: boolean;
}

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
    if (!this.#gateways.has(gateway)) this.#gateways.set(gateway, { heardMs: nowMs, withinMs, silent: false });
  }

  /** The gateway was heard. A notice where it had been silent. */
  heard(gateway: string, nowMs: number, withinMs: number): readonly Notice[] {
    const wasSilent = this.#gateways.get(gateway)?.silent === true;
    this.#gateways.set(gateway, { heardMs: nowMs, withinMs, silent: false });
    return wasSilent ? [{ kind: 'heard', gateway, of: this.#of }] : [];
  }

  /** Those that fell silent, each once. */
  due(nowMs: number): readonly Notice[] {
    return [...this.#gateways].flatMap(([gateway, each]): readonly Notice[] => {
      if (each.silent || nowMs - each.heardMs < each.withinMs) return [];
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
