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
 * The newest entries of a log as notes, oldest dropped first. Rows of numbers: 44 bytes an entry, and what repeats is
 * held once.
 */
export class EntryWindow {
  readonly #limit: number;
  #start: number;
  readonly #about = new Interned<string>();
  readonly #facts = new Interned<readonly string[]>();
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
      [
        KINDS.indexOf(note.kind),
        this.#about.number(note.about, note.about),
        this.#facts.number(note.facts.join(' '), note.facts),
      ],
      row * 3,
    );
    this.#next += 1;
  }

  /** Forgets everything; the next entry noted is `seq`. */
  restart(seq: number): void {
    this.#start = seq;
    this.#next = seq;
  }

  /** The note of an entry; undefined where it is not, or no longer, in the window. */
  get(seq: number): EntryNote | undefined {
    if (seq < this.#start || seq >= this.#next || seq < this.#next - this.#capacity) return undefined;
    const row = (seq - this.#start) % this.#capacity;
    const [kind = 0, about = 0, facts = 0] = this.#rows.subarray(row * 3, row * 3 + 3);
    return {
      leaf: Buffer.from(this.#leaves.subarray(row * LEAF_BYTES, (row + 1) * LEAF_BYTES)),
      kind: KINDS[kind] ?? 'session',
      about: this.#about.value(about) ?? '',
      facts: this.#facts.value(facts) ?? [],
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

/** Values by number, each held once. */
class Interned<Value> {
  readonly #values: Value[] = [];
  readonly #numbers = new Map<string, number>();

  number(name: string, value: Value): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#values.length);
    return this.#values.push(value) - 1;
  }

  value(number: number): Value | undefined {
    return this.#values[number];
  }
}
