import type { Emit, Level } from '../platform/events.ts';
import type { Held } from './receivers.ts';

/** What keeps entries waiting is told when it begins, and when they go on. */
export class Told {
  readonly #emit: Emit;
  #told: { readonly code: string; readonly at: number } | undefined;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Entries from `at` on wait. An alarm that is repeated is a warning. */
  waits(level: Level, held: Held, at: number): void {
    const { code, message, remedy } = held;
    this.#emit(this.#told?.code === code ? 'warn' : level, held.code, { message, remedy, from: at });
    this.#told = { code, at };
  }

  /** Everything below `at` is where it should be. */
  goesOn(at: number): void {
    if (this.#told === undefined || at <= this.#told.at) return;
    this.#emit('info', 'uplink.goes-on', { after: this.#told.code, from: this.#told.at, to: at });
    this.#told = undefined;
  }
}
