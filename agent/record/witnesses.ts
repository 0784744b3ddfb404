import { z } from 'zod';
import { isAheadOfTime, isFormer } from '../../shared/content.ts';
import { type Cosigned, verifyCosigned } from '../../shared/cosignature.ts';
import { type EpochMarker, epochSchema, verifyEpoch } from '../../shared/epoch.ts';
import { jwkOf, type TrustedKey, type TrustedKeys, thumbprint } from '../../shared/keys.ts';
import type { NoteKey } from '../../shared/note.ts';
import { type CommonMembers, sha256Schema } from '../../shared/statement.ts';
import { type CompactRange, EMPTY_RANGE, rangeRoot } from '../../shared/tree.ts';
import { VerificationError } from '../../shared/verification.ts';
import { verifyMessage } from '../../shared/verify.ts';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Seldom } from '../platform/seldom.ts';
import type { Signed } from './incarnation.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';
import { grow, parseEdge, writeEdge } from './tree.ts';
import { readWitnesses } from './witness-keys.ts';

/** Whose word about the log counts, and what follows from it. */
export interface WitnessesOptions {
  readonly store: Store;
  readonly log: Log;
  /** The key that signs the log. */
  readonly key: TrustedKey;
  /** C2SP vkeys of the collectors whose word counts, and how many of them make an entry witnessed. */
  readonly vkeys: readonly string[];
  readonly quorum: number;
  readonly clock: Clock;
  readonly emit: Emit;
  /** This key signed a log that this store does not hold: nothing may be appended any more. */
  readonly rolledBack: (signed: Signed, why: string) => void;
}

interface Witness {
  readonly note: NoteKey;
  /** The same key, as one that signs epoch markers. */
  readonly keys: TrustedKeys;
}

const COSIGNED = 'cosigned';
const COSIGNED_EDGE = 'cosigned-tree';
const EPOCH = 'epoch';

/** The newest cosigned checkpoint of each witness, by its name; `note` is the evidence. */
const cosignedSchema = z.strictObject({
  log: z.string(),
  by: z.record(
    z.string(),
    z.strictObject({ size: z.int().min(0), root: sha256Schema, atS: z.int(), note: z.string() }),
  ),
});

type CosignedBy = z.infer<typeof cosignedSchema>['by'];

/**
 * What collectors say under their own keys: cosignatures of checkpoints, the only receipt that permits pruning, and epoch
 * markers, which bound time from below (attestation.md §5, §7). A good message can come from anybody; the key decides.
 */
export class Witnesses {
  readonly #options: WitnessesOptions;
  readonly #witnesses: readonly Witness[];
  #by: CosignedBy;
  #edge: CompactRange;
  #marker: EpochMarker | undefined;
  #dirty = false;
  #comparing = false;
  readonly #seldom: Seldom;
  #stopped = false;

  /** Throws `mqtt.witness`. */
  constructor(options: WitnessesOptions) {
    const { store, log, vkeys, quorum } = options;
    this.#options = options;
    this.#seldom = new Seldom(options.clock);
    this.#witnesses = readWitnesses(vkeys, quorum).map(witnessOf);
    const kept = store.meta(COSIGNED, (text) => cosignedSchema.parse(JSON.parse(text)));
    this.#by = kept?.log === log.origin ? kept.by : {};
    const edge = store.meta(COSIGNED_EDGE, parseEdge);
    this.#edge = kept?.log === log.origin && edge !== undefined && edge.size <= log.size() ? edge : EMPTY_RANGE;
    this.#marker = store.meta(EPOCH, (text) => epochSchema.parse(JSON.parse(text)));
  }

  /** Entries below were seen by a quorum of the witnesses: a cosigned checkpoint speaks of all before it. */
  cosignedSize(): number {
    const sizes = this.#witnesses.map(({ note: { name } }) => this.#by[name]?.size ?? 0).sort((a, b) => b - a);
    return sizes[this.#options.quorum - 1] ?? 0;
  }

  /** The newest marker, as a statement names it; its age by the clock of the gateway. */
  epoch(): CommonMembers['epoch'] {
    if (this.#marker === undefined) return undefined;
    const { id, iss, iat } = this.#marker;
    return { id, iss, age_s: Math.floor(this.#options.clock.wallMs() / 1000) - iat };
  }

  /**
   * Takes a cosigned checkpoint. One of a longer log, of another tree, or of a log that this gateway began later shows that
   * this store is not the log: it carries the signature of our own key.
   */
  takeCosigned(payload: Uint8Array): void {
    const { key, log } = this.#options;
    const cosigned = verifyCosigned(payload, { keys: [key], witnesses: this.#witnesses.map(({ note }) => note) });
    if (cosigned === undefined || this.#isBehind(cosigned.end) || cosigned.end.log !== log.origin) return;
    if (this.#isNews(cosigned)) this.#compare(cosigned);
  }

  /**
   * Takes an entry as a collector has it. Under our own key it shows what a checkpoint shows, and there is one for every entry
   * as soon as it was sent, while checkpoints come once a minute.
   */
  takeEntry(message: Uint8Array): void {
    const { key, log, store, rolledBack } = this.#options;
    const entry = verified(() => verifyMessage(message, { keys: new Map([[key.kid, key]]) }));
    if (entry === undefined) return;
    const { log: of, seq } = entry.statement;
    if (this.#isBehind({ log: of, size: seq + 1 }) || of !== log.origin) return;
    const [leaf] = store.leavesFrom(seq, 1);
    if (leaf !== undefined && !entry.leaf.equals(leaf))
      rolledBack({ log: of, size: seq + 1 }, `another entry ${seq} was signed`);
  }

  /** True where this key signed a log that was begun after ours, or more of ours than there is here: that is told. */
  #isBehind(signed: Signed): boolean {
    const { log, clock, rolledBack } = this.#options;
    if (isFormer(log.origin, signed.log)) {
      if (isAheadOfTime(signed.log, clock.wallMs())) {
        this.#doubt(signed.log);
        return false;
      }
      rolledBack(signed, `the store holds ${log.origin}, which ${signed.log} had replaced`);
      return true;
    }
    if (signed.log !== log.origin || signed.size <= log.size()) return false;
    rolledBack(signed, `the store holds ${log.size()} entries of ${signed.size} that were signed`);
    return true;
  }

  #doubt(log: string): void {
    if (this.#seldom.take('ahead of time') === undefined) return;
    this.#options.emit('error', 'log.ahead-of-time', {
      log,
      message: `this key has signed ${log}, which begins more than a day from now: this log goes on all the same`,
      remedy:
        'set the clock of this host right; where it is right, somebody else has used the key of this gateway: give it a new one',
    });
  }

  #isNews({ end, times }: Cosigned): boolean {
    return [...times.keys()].some((name) => end.size > (this.#by[name]?.size ?? -1));
  }

  /** Our tree at that size, from the newest cosigned one before it, some leaves at a time: the event loop goes on. */
  #compare(cosigned: Cosigned): void {
    // The next one says more than one that is missed while a long tree is computed.
    if (this.#comparing) return;
    const { store, emit } = this.#options;
    const { size } = cosigned.end;
    let edge = this.#edge.size <= size ? this.#edge : EMPTY_RANGE;
    const step = (): void => {
      if (this.#stopped) return;
      try {
        if (edge.size < size) edge = grow(store, edge, size);
        this.#comparing = edge.size < size;
        if (this.#comparing) setImmediate(step);
        else this.#compared(cosigned, edge);
      } catch (error) {
        this.#comparing = false;
        if (!(error instanceof AgentError)) throw error;
        emit('error', error.code, { message: error.message, remedy: error.remedy });
      }
    };
    step();
  }

  #compared({ end, note, times }: Cosigned, edge: CompactRange): void {
    if (rangeRoot(edge).toString('base64url') !== end.root) {
      this.#options.rolledBack(end, `another tree of ${end.size} entries was signed`);
      return;
    }
    const newer = [...times].filter(([name]) => end.size > (this.#by[name]?.size ?? -1));
    const added = newer.map(([name, atS]) => [name, { size: end.size, root: end.root, atS, note }] as const);
    this.#by = { ...this.#by, ...Object.fromEntries(added) };
    if (edge.size > this.#edge.size) this.#edge = edge;
    this.#dirty = true;
    this.#options.emit('debug', 'uplink.cosigned', { size: end.size, by: newer.map(([name]) => name) });
  }

  /** Takes an epoch marker of a witness: the newest counts, and none that is ahead of our clock. */
  takeMarker(payload: Uint8Array): void {
    const nowMs = this.#options.clock.wallMs();
    for (const { note, keys } of this.#witnesses) {
      const marker = markerOf(payload, keys, nowMs);
      if (marker?.iss !== note.name || marker.iat <= (this.#marker?.iat ?? 0)) continue;
      this.#marker = marker;
      this.#dirty = true;
    }
  }

  /** Looks at the store no more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Makes durable what came; now and then is enough, as all of it comes again. */
  save(): void {
    if (!this.#dirty) return;
    const { store, log } = this.#options;
    store.transaction(() => {
      store.saveMeta(COSIGNED, JSON.stringify({ log: log.origin, by: this.#by }));
      store.saveMeta(COSIGNED_EDGE, writeEdge(this.#edge));
      if (this.#marker !== undefined) store.saveMeta(EPOCH, JSON.stringify(this.#marker));
    });
    this.#dirty = false;
  }
}

const witnessOf = (note: NoteKey): Witness => {
  const jwk = jwkOf(note.key);
  const kid = thumbprint(jwk);
  return { note, keys: new Map([[kid, { kid, jwk, role: 'collector', key: note.key }]]) };
};

const markerOf = (payload: Uint8Array, keys: TrustedKeys, nowMs: number): EpochMarker | undefined =>
  verified(() => verifyEpoch(payload, { keys }, nowMs));

/** What `verify` gives; undefined for what does not verify. */
const verified = <Result>(verify: () => Result): Result | undefined => {
  try {
    return verify();
  } catch (problem) {
    if (problem instanceof VerificationError) return undefined;
    throw problem;
  }
};
