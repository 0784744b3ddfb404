import type { Store } from './store.ts';

/** Rows per transaction: more would block the event loop. */
const BATCH = 500;

const DAY_S = 86_400;

/** How long the captures of a `refresh` attestation are kept; those of other attestations stay as long as the entry. */
export const REFRESH_CAPTURE_S = 35 * DAY_S;

/** Name under which the store keeps from where on every entry still has its message. */
const HELD_FROM = 'held-from';

/** From this entry on the log is held without a hole; of those before some may be held, too. */
export const firstHeld = (store: Store): number => store.meta(HELD_FROM, Number) ?? 0;

/** What may go. */
export interface Retention {
  /** How long agents have run on this store, seconds (`Log.ranS`): a wall clock that is wrong once would remove evidence for good. */
  readonly ranS: number;
  readonly days: number;
  /** Entries from here on stay: the quorum-cosigned size where collectors are required, else the size of the log. */
  readonly below: number;
  /** What `restsOn` found at the beginning of this pass. */
  readonly keep: ReadonlySet<number>;
  /** Where the last batch of this pass ended; -1 begins a pass. */
  readonly after: number;
}

/**
 * Below which entry retention may remove anything: required collectors must have stored it, and a quorum of witnesses must
 * have cosigned it, who alone give evidence of that. Where none is required the broker must have taken it.
 */
export const prunableBelow = (of: {
  readonly size: number;
  /** Undefined without an uplink. */
  readonly uplink:
    | { readonly taken: number; readonly stored: readonly number[]; readonly cosigned: number }
    | undefined;
}): number => {
  if (of.uplink === undefined) return of.size;
  const { taken, stored, cosigned } = of.uplink;
  return stored.length === 0 ? taken : Math.min(cosigned, ...stored);
};

/** What one batch did. `after` goes into the next batch; undefined when the pass is over. */
export interface Pruned {
  readonly entries: number;
  /** Of the newest entry that went, Unix seconds as it states them. */
  readonly newestIat: number | undefined;
  readonly captures: number;
  readonly findings: number;
  readonly after: number | undefined;
}

/** A pass that ended early. */
export const NOTHING: Pruned = { entries: 0, newestIat: undefined, captures: 0, findings: 0, after: undefined };

/**
 * Removes one bounded batch of what is older than the retention, but not the last entry, nor what is in `keep`. Leaf
 * hashes are kept for ever (attestation.md §7).
 */
export const pruneBatch = (store: Store, retention: Retention): Pruned => {
  const before = retention.ranS - retention.days * DAY_S;
  const below = Math.min(retention.below, store.size() - 1);
  const old = store.prunable({ after: retention.after, below, before, limit: BATCH });
  const doomed = old.filter(({ seq }) => !retention.keep.has(seq));
  return store.transaction(() => {
    for (const { seq } of doomed) store.pruneEntry(seq);
    const above = (doomed.at(-1)?.seq ?? -1) + 1;
    if (above > firstHeld(store)) store.saveMeta(HELD_FROM, String(above));
    const captures = store.pruneCaptures(retention.ranS, BATCH);
    const findings = store.pruneFindings(before, BATCH);
    const more = old.length === BATCH || captures === BATCH || findings === BATCH;
    return {
      entries: doomed.length,
      newestIat: doomed.at(-1)?.iat,
      captures,
      findings,
      after: more ? (old.at(-1)?.seq ?? retention.after) : undefined,
    };
  });
};

/**
 * The entries that the present state rests on: the newest attestation of each device, the `baseline` entries in force
 * (`baselines`, as the devices name them) and the attestations they cite, the open findings and their evidence.
 */
export const restsOn = (store: Store, baselines: Iterable<number>): ReadonlySet<number> => {
  const kept = new Set(baselines);
  for (const seq of [...kept]) for (const cited of citedBy(store, seq)) kept.add(cited);
  for (const { finding } of store.findings({ open: true, limit: Number.MAX_SAFE_INTEGER })) {
    if (finding.parent !== undefined) kept.add(finding.parent);
    if (finding.openedSeq === undefined) continue;
    kept.add(finding.openedSeq);
    for (const cited of citedBy(store, finding.openedSeq)) kept.add(cited);
  }
  for (const { seq } of store.newestAttestations()) kept.add(seq);
  return kept;
};

/** What a `baseline` or `finding` entry of our own log points at. */
const citedBy = (store: Store, seq: number): readonly number[] => {
  const entry = store.entry(seq);
  if (entry?.kind !== 'baseline' && entry?.kind !== 'finding') return [];
  // Written by this agent: the shape is that of its own statements.
  const statement = JSON.parse(Buffer.from(entry.message).toString()) as {
    readonly baseline?: { readonly devices?: readonly { readonly seq: number }[] };
    readonly finding?: { readonly evidence: readonly number[] };
  };
  return [...(statement.baseline?.devices ?? []).map((item) => item.seq), ...(statement.finding?.evidence ?? [])];
};
