import type { StatementKind } from './statement.ts';

/** What later entries may ask about an earlier one: its leaf, its kind and whom or what it is about. */
export interface EntryNote {
  readonly leaf: Buffer;
  readonly kind: StatementKind;
  /** The device of an attestation, the rule id of a finding; empty for other kinds. */
  readonly about: string;
  /** Names of the facts that an attestation claims; empty for other kinds. */
  readonly facts: readonly string[];
}

const LEAF_BYTES = 32;
const FIRST_CAPACITY = 64;
const KINDS: readonly StatementKind[] = ['session', 'baseline', 'change', 'attestation', 'finding', 'coverage', 'key'];

/**
 * The newest entries of a log as notes, oldest dropped first. Rows of numbers: 45 bytes an entry, and texts that repeat
 * are held once.
 */
export class EntryWindow {
  readonly #limit: number;
  readonly #start: number;
  readonly #about = new Interned();
  readonly #facts = new Interned();
  #next: number;
  #capacity = FIRST_CAPACITY;
  #leaves = new Uint8Array(FIRST_CAPACITY * LEAF_BYTES);
  #rows = new Int32Array(FIRST_CAPACITY * 3);

  /** A window of at most `limit` entries over a log read from `start`. */
  constructor(limit: number, start: number) {
    this.#limit = Math.max(limit, FIRST_CAPACITY);
    this.#start = start;
    this.#next = start;
  }

  /** Notes the entry that follows the last one noted. */
  push(note: EntryNote): void {
    const count = this.#next - this.#start;
    if (count === this.#capacity && this.#capacity < this.#limit) this.#grow();
    const row = count % this.#capacity;
    this.#leaves.set(note.leaf, row * LEAF_BYTES);
    this.#rows.set(
      [KINDS.indexOf(note.kind), this.#about.number(note.about), this.#facts.number(note.facts.join(' '))],
      row * 3,
    );
    this.#next += 1;
  }

  /** The note of an entry; undefined where it is not, or no longer, in the window. */
  get(seq: number): EntryNote | undefined {
    if (seq < this.#start || seq >= this.#next || seq < this.#next - this.#capacity) return undefined;
    const row = (seq - this.#start) % this.#capacity;
    const [kind = 0, about = 0, facts = 0] = this.#rows.subarray(row * 3, row * 3 + 3);
    return {
      leaf: Buffer.from(this.#leaves.subarray(row * LEAF_BYTES, (row + 1) * LEAF_BYTES)),
      kind: KINDS[kind] ?? 'session',
      about: this.#about.text(about),
      facts: this.#facts.text(facts).split(' ').filter(Boolean),
    };
  }

  /** Rows lie in order until the limit is reached, so they keep their places. */
  #grow(): void {
    this.#capacity = Math.min(this.#capacity * 2, this.#limit);
    const [leaves, rows] = [new Uint8Array(this.#capacity * LEAF_BYTES), new Int32Array(this.#capacity * 3)];
    leaves.set(this.#leaves);
    rows.set(this.#rows);
    [this.#leaves, this.#rows] = [leaves, rows];
  }
}

/** Texts by number, each held once. */
class Interned {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }
}
