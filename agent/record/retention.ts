import type { Store } from './store.ts';

/** Rows per transaction: larger ones would hold the event loop. */
const BATCH = 500;

const DAY_S = 86_400;

/** How long the captures of a `refresh` attestation are kept; those of other attestations stay as long as the entry. */
export const REFRESH_CAPTURE_S = 35 * DAY_S;

/** What may go. */
export interface Retention {
  /** Unix seconds. */
  readonly now: number;
  readonly days: number;
  /** Entries from here on stay: the quorum-cosigned size where collectors are required, else the size of the log. */
  readonly below: number;
  /** What the present state rests on beyond what the store knows: baseline entries in force and the attestations they cite. */
  readonly keep: ReadonlySet<number>;
  /** Where the last batch of this pass ended; -1 begins a pass. */
  readonly after: number;
}

/** What one batch did. `after` goes into the next batch; undefined when the pass is over. */
export interface Pruned {
  readonly entries: number;
  readonly captures: number;
  readonly findings: number;
  readonly after: number | undefined;
}

/**
 * Removes one bounded batch of what is older than the retention. Never the last entry, the newest attestation of a
 * device, or what an open finding points at; leaf hashes are kept for ever (attestation.md §7).
 */
export const pruneBatch = (store: Store, retention: Retention): Pruned => {
  const before = retention.now - retention.days * DAY_S;
  const last = store.size() - 1;
  const old = store.prunable({ ...retention, before, below: Math.min(retention.below, last), limit: BATCH });
  const kept = restsOn(store);
  return store.transaction(() => {
    const doomed = old.filter((seq) => !retention.keep.has(seq) && !kept.has(seq));
    for (const seq of doomed) store.pruneEntry(seq);
    const captures = store.pruneCaptures(retention.now, BATCH);
    const findings = store.pruneFindings(before, BATCH);
    const more = old.length === BATCH || captures === BATCH || findings === BATCH;
    return { entries: doomed.length, captures, findings, after: more ? (old.at(-1) ?? retention.after) : undefined };
  });
};

const restsOn = (store: Store): ReadonlySet<number> => {
  const open = store.findings({ open: true, limit: Number.MAX_SAFE_INTEGER });
  const opened = open.flatMap(({ finding }) => [finding.openedSeq, finding.parent]).filter((seq) => seq !== undefined);
  return new Set([...store.newestAttestations(), ...opened]);
};
