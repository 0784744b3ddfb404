/** What was written against what was stored, entry by entry, byte by byte. */
export interface Comparison {
  readonly written: number;
  /** Of them, those that are stored as they were written. */
  readonly stored: number;
  readonly lost: number;
  /** Stored, but not as they were written. */
  readonly differing: number;
  /** The first that are lost or differ. */
  readonly first: readonly number[];
}

const MOST_NAMED = 8;

export const compare = (
  written: Iterable<{ readonly seq: number; readonly message: Uint8Array }>,
  storedAt: (seq: number) => Uint8Array | undefined,
): Comparison => {
  const count = { written: 0, stored: 0, lost: 0, differing: 0 };
  const first: number[] = [];
  for (const { seq, message } of written) {
    const found = storedAt(seq);
    const outcome = found === undefined ? 'lost' : Buffer.compare(found, message) === 0 ? 'stored' : 'differing';
    count.written += 1;
    count[outcome] += 1;
    if (outcome !== 'stored' && first.length < MOST_NAMED) first.push(seq);
  }
  return { ...count, first };
};
