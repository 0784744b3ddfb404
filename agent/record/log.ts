import { randomBytes } from 'node:crypto';
import { signMessage } from '../../shared/envelope.ts';
import type { Signer } from '../../shared/keys.ts';
import {
  type ClockState,
  type CommonMembers,
  type Content,
  EAT_PROFILE,
  type LogEnd,
  NO_PREVIOUS,
} from '../../shared/statement.ts';
import { appendLeaf, type CompactRange, EMPTY_RANGE, leafHash, rangeRoot } from '../../shared/tree.ts';
import type { DeviceState } from '../appraise/device.ts';
import type { Finding } from '../appraise/finding.ts';
import type { StormState } from '../appraise/storm.ts';
import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import { givenFacts } from './baseline-history.ts';
import type { Built, Entry } from './entry.ts';
import { readHead } from './head.ts';
import { latestOrigin, nextOrigin, type Replaces, signedEnd } from './incarnation.ts';
import { REFRESH_CAPTURE_S } from './retention.ts';
import { buildClockStep, buildRollback, buildStart, buildStorage, type StartFacts } from './session.ts';
import type { Store } from './store.ts';
import { saveStorms } from './storms.ts';
import { readEdge, saveEdge } from './tree.ts';

/** What one transaction of the log can do. All of it becomes durable together, or none of it. */
export interface Transaction {
  /** The `seq` that the next statement gets, for one that names itself. Where a clock was set, that is stated first. */
  next(): number;
  /** Signs and appends a statement, with the replies it cites and its disclosures. Gives its `seq`. */
  append(statement: Built): number;
  saveDevice(id: string, state: string): void;
  /** The device left the configuration. */
  removeDevice(id: string): void;
  /** Keeps the newest state of a finding; `device` is missing for the parent of a storm. */
  saveFinding(finding: Finding, device?: string): void;
  /** The parent of a storm, which was kept as first observed at `formerAt`, is of another instant. */
  redateFinding(finding: Finding, formerAt: number): void;
  /** Keeps how the present storms differ from those before. */
  saveStorms(before: StormState, after: StormState): void;
  saveMeta(name: string, value: string): void;
  /** Keeps a document that entry `seq` adopted, until it is removed. */
  saveOrder(seq: number, order: string): void;
  removeOrder(seq: number): void;
  /** By device, what its `baseline` entries gave it, without those that are withdrawn. */
  givenFacts(states: readonly DeviceState[], withdrawn: ReadonlySet<number>): ReturnType<typeof givenFacts>;
}

/** What opening the log takes. */
export interface LogOptions extends ReadOptions {
  readonly start: StartFacts;
}

/** What reading the log takes; what its first entry says comes with `begin`. */
export interface ReadOptions {
  readonly store: Store;
  readonly signer: Signer;
  readonly clock: Clock;
  /** State of the host's clock now, for the `clock` member. */
  readonly clockState: () => ClockState;
  readonly operator: string;
  readonly gateway: string;
  /** Origin of the log that was begun here before; an empty store begins another one. */
  readonly former?: string | undefined;
  /** The end of that former log, where it is known. */
  readonly prior?: LogEnd | undefined;
  /** The log in the store is not the one that was written: another one replaces it. */
  readonly replaces?: Replaces | undefined;
  /** The newest epoch marker that was heard, as a statement names it. */
  readonly epoch?: () => CommonMembers['epoch'];
}

/** Where the chain and both clocks stand after an entry. */
interface Position {
  readonly seq: number;
  readonly prev: string;
  /** The right edge of the tree over the entries before. */
  readonly edge: CompactRange;
  readonly monoMs: number;
  /** Wall clock of the last entry of this process, Unix milliseconds. */
  readonly wallMs?: number;
}

/** The append-only log of one gateway: it alone numbers, dates, chains and signs statements. */
export class Log {
  /** Log origin, `<operator-domain>/<gateway>/<incarnation>`. */
  readonly origin: string;
  /** Origin of the log in the store, where this one replaces it. */
  readonly replaced: string | undefined;
  /** It has no entry of an earlier process: nobody can have another one under its origin. */
  readonly isNew: boolean;
  readonly bootcount: number;
  readonly bootseed: string;
  readonly #options: ReadOptions;
  /** How much longer agents have run on this store than the monotonic clock says, ms. */
  readonly #ranBeforeMs: number;
  readonly #listeners = new Set<() => void>();
  #position: Position;
  #frozen: AgentError | undefined;
  #failure: { readonly code: string; readonly since: number; count: number } | undefined;

  /** Reads the end of the log and begins at once. */
  static open(options: LogOptions): Log {
    const log = Log.read(options);
    log.begin(options.start);
    return log;
  }

  /**
   * Reads the end of the log; nothing may be written before `begin`. Throws `store.corrupt` when it does not verify,
   * `log.renamed` and `log.key-changed` when it is the log of another gateway or key.
   */
  static read(options: ReadOptions): Log {
    return new Log(options, readHead(options.store), readEdge(options.store));
  }

  /**
   * Continues the log, or begins one, with a `session` `start`, and says in the same transaction with `more` what else it begins with. One
   * that replaces the log in the store puts that aside.
   */
  begin(start: StartFacts, more: (tx: Transaction) => void = () => {}): void {
    const { store, replaces, prior } = this.#options;
    const { replaced } = this;
    this.transaction((tx) => {
      if (replaced !== undefined) store.retireLog(Number(replaced.slice(replaced.lastIndexOf('/') + 1)));
      const first = this.#position.seq === 0;
      const end = replaces === undefined || replaced === undefined ? prior : signedEnd(replaces);
      for (const statement of buildStart(start, { first, prior: end })) tx.append(statement);
      if (replaces !== undefined && replaced !== undefined) tx.append(buildRollback(replaces.why));
      more(tx);
    });
  }

  /** The log in the store turned out not to be the one that was signed: from now on every transaction throws `error`. */
  freeze(error: AgentError): void {
    this.#frozen = error;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  private constructor(options: ReadOptions, { seq, prev, last }: ReturnType<typeof readHead>, edge: CompactRange) {
    const name = `${options.operator}/${options.gateway}`;
    if (last !== undefined) requireSameLog(options, last, name);
    const nowMs = options.clock.wallMs();
    this.replaced = options.replaces === undefined ? undefined : last?.log;
    this.origin =
      this.replaced !== undefined
        ? nextOrigin(name, nowMs, latestOrigin(name, this.replaced, [options.former, options.replaces?.signed?.log]))
        : (last?.log ?? nextOrigin(name, nowMs, options.former));
    this.bootcount = (last?.bootcount ?? 0) + 1;
    this.bootseed = randomBytes(16).toString('base64url');
    this.#options = options;
    this.#ranBeforeMs = ranBeforeMs(options);
    this.#position =
      this.replaced === undefined
        ? { seq, prev, edge, monoMs: 0 }
        : { seq: 0, prev: NO_PREVIOUS, edge: EMPTY_RANGE, monoMs: 0 };
    this.isNew = this.#position.seq === 0;
  }

  /** Number of committed entries. */
  size(): number {
    return this.#position.seq;
  }

  /** Size and root of the tree over all committed entries. */
  end(): LogEnd {
    const { edge } = this.#position;
    return { log: this.origin, size: edge.size, root: rangeRoot(edge).toString('base64url') };
  }

  /** The right edge of that tree. */
  edge(): CompactRange {
    return this.#position.edge;
  }

  /**
   * How long agents have run on this store until now, seconds: what retention goes by. It begins at the instant of the first entry, and no
   * clock that is set moves it; while no agent runs, it stands.
   */
  ranS(): number {
    return this.#ranSAt(Math.floor(this.#options.clock.monoMs()));
  }

  #ranSAt(monoMs: number): number {
    return Math.floor((this.#ranBeforeMs + monoMs) / 1000);
  }

  /** The members that everything signed by this log has, as of now. */
  members(): Omit<CommonMembers, 'seq' | 'prev' | 'log'> {
    const { clock } = this.#options;
    return this.#membersAt({
      wallMs: Math.floor(clock.wallMs()),
      monoMs: Math.max(this.#position.monoMs, Math.floor(clock.monoMs())),
    });
  }

  #membersAt(now: Instant): Omit<CommonMembers, 'seq' | 'prev' | 'log'> {
    const epoch = this.#options.epoch?.();
    return {
      eat_profile: EAT_PROFILE,
      iat: Math.floor(now.wallMs / 1000),
      mono_ms: now.monoMs,
      bootcount: this.bootcount,
      bootseed: this.bootseed,
      clock: this.#options.clockState(),
      ...(epoch === undefined ? {} : { epoch }),
    };
  }

  /** Committed entries from `seq` upwards that still hold their message, at most `limit`. */
  entriesFrom(seq: number, limit: number): readonly Entry[] {
    return this.#options.store.entriesFrom(seq, limit);
  }

  /** Calls back after each commit that appended; returns the way to stop that. */
  onAppend(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /**
   * Runs `body` as one transaction and gives the entries it appended. When anything fails nothing is written, the log
   * stands where it stood, and the error is thrown; a `store.*` failure is recorded by the next transaction that succeeds.
   */
  transaction(body: (tx: Transaction) => void): readonly Entry[] {
    if (this.#frozen !== undefined) throw this.#frozen;
    const draft = new Draft(this.#options, this.#position, {
      log: this.origin,
      membersAt: (now) => this.#membersAt(now),
      ranSAt: (monoMs) => this.#ranSAt(monoMs),
    });
    try {
      this.#options.store.transaction(() => {
        if (this.#failure !== undefined) draft.append(buildStorage(this.#failure));
        body(draft);
        if (draft.entries.length > 0) saveEdge(this.#options.store, draft.position.edge);
      });
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    }
    this.#failure = undefined;
    this.#position = draft.position;
    if (draft.entries.length > 0) for (const listener of this.#listeners) listener();
    return draft.entries;
  }

  /** True from a failure of the store until a transaction succeeds (to try, an empty one is enough), and while frozen. */
  isFailing(): boolean {
    return this.#failure !== undefined || this.isFrozen;
  }

  #noteFailure(error: unknown): void {
    if (!(error instanceof AgentError) || !error.code.startsWith('store.')) return;
    const since = Math.floor(this.#options.clock.wallMs() / 1000);
    this.#failure ??= { code: error.code, since, count: 0 };
    this.#failure.count += 1;
  }
}

/** Throws `log.renamed` and `log.key-changed` when the log in the store is not the one that `name` and this key would write. */
export const requireSameLog = (
  { signer, store }: Pick<ReadOptions, 'signer' | 'store'>,
  last: { readonly log: string; readonly kid: string },
  name: string,
): void => {
  if (!last.log.startsWith(`${name}/`)) {
    throw new AgentError({
      code: 'log.renamed',
      message: `the log in ${store.file} is ${last.log}, the configuration says ${name}`,
      remedy:
        'set gateway and operator back, or choose an empty state_dir: the renamed gateway begins a log and learns anew',
    });
  }
  if (last.kid !== signer.kid) {
    throw new AgentError({
      code: 'log.key-changed',
      message: `the log in ${store.file} is signed with key ${last.kid}, gateway.key is ${signer.kid}`,
      remedy: 'put the former gateway.key back, or choose an empty state_dir: the new key begins a log',
    });
  }
};

/** An entry of an earlier version says its instant alone, which counts unless it is yet to come. */
const ranBeforeMs = ({ store, clock }: Pick<ReadOptions, 'store' | 'clock'>): number => {
  const last = store.lastRan();
  const nowS = Math.floor(clock.wallMs() / 1000);
  const ranS = last === undefined ? nowS : 'ranS' in last ? last.ranS : Math.min(last.iat, nowS);
  return ranS * 1000 - Math.floor(clock.monoMs());
};

/** Both clocks, sampled together. */
interface Instant {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** What the log puts on every statement. */
interface Naming {
  readonly log: string;
  readonly membersAt: (now: Instant) => Omit<CommonMembers, 'seq' | 'prev' | 'log'>;
  readonly ranSAt: (monoMs: number) => number;
}

/** A transaction while it is open: its position is ahead of the log's until the commit. */
class Draft implements Transaction {
  readonly entries: Entry[] = [];
  position: Position;
  readonly #options: ReadOptions;
  readonly #naming: Naming;
  readonly #now: Instant;
  readonly #ranS: number;

  constructor(options: ReadOptions, position: Position, naming: Naming) {
    this.#options = options;
    this.#naming = naming;
    this.position = position;
    // Both clocks are sampled together and once: all entries of a transaction are made at the same instant.
    const monoMs = Math.max(position.monoMs, Math.floor(options.clock.monoMs()));
    this.#now = { wallMs: Math.floor(options.clock.wallMs()), monoMs };
    this.#ranS = naming.ranSAt(monoMs);
  }

  next(): number {
    const stepMs = clockStep(this.position, this.#now);
    if (stepMs !== undefined) this.#append(buildClockStep(stepMs));
    return this.position.seq;
  }

  append(statement: Built): number {
    this.next();
    return this.#append(statement);
  }

  saveDevice(id: string, state: string): void {
    this.#options.store.saveDevice(id, state);
  }

  removeDevice(id: string): void {
    this.#options.store.removeDevice(id, this.position.seq);
  }

  saveFinding(finding: Finding, device?: string): void {
    this.#options.store.saveFinding(finding, device, this.#ranS);
  }

  redateFinding(finding: Finding, formerAt: number): void {
    this.#options.store.redateFinding(finding, formerAt);
  }

  saveStorms(before: StormState, after: StormState): void {
    saveStorms(this.#options.store, before, after);
  }

  saveMeta(name: string, value: string): void {
    this.#options.store.saveMeta(name, value);
  }

  saveOrder(seq: number, order: string): void {
    this.#options.store.saveOrder(seq, order);
  }

  removeOrder(seq: number): void {
    this.#options.store.removeOrder(seq);
  }

  givenFacts(states: readonly DeviceState[], withdrawn: ReadonlySet<number>): ReturnType<typeof givenFacts> {
    return givenFacts(this.#options.store, this.#naming.log, states, withdrawn);
  }

  #append({ content, replies, disclosures }: Built): number {
    const { store } = this.#options;
    const entry = this.#sign(content, disclosures.length > 0);
    store.insertEntry(entry, this.#ranS);
    if (content.kind === 'attestation') {
      const { device, labels } = content.subject;
      store.saveNewest(device, entry.seq, labels?.tenant ?? '');
    }
    const isRefresh = content.kind === 'attestation' && content.evidence.trigger === 'refresh';
    for (const reply of replies)
      store.keepCapture(entry.seq, reply, isRefresh ? this.#ranS + REFRESH_CAPTURE_S : undefined);
    for (const disclosure of disclosures) store.keepDisclosure(entry.seq, disclosure);
    this.entries.push(entry);
    const leaf = Buffer.from(entry.leaf);
    const edge = appendLeaf(this.position.edge, leaf);
    this.position = { seq: entry.seq + 1, prev: leaf.toString('base64url'), edge, ...this.#now };
    return entry.seq;
  }

  #sign(content: Content, isRedacted: boolean): Entry {
    const { seq, prev } = this.position;
    const members = this.#naming.membersAt(this.#now);
    const statement = {
      ...content,
      ...(isRedacted ? { _sd_alg: 'sha-256' } : {}),
      ...members,
      log: this.#naming.log,
      seq,
      prev,
    };
    const message = signMessage(statement, 'miner-att+jwt', this.#options.signer);
    return { seq, kind: content.kind, iat: members.iat, message, leaf: leafHash(message), ...deviceOf(content) };
  }
}

const deviceOf = (content: Content): { device?: string } => {
  const device =
    content.kind === 'attestation'
      ? content.subject.device
      : content.kind === 'finding'
        ? content.finding.device
        : undefined;
  return device === undefined ? {} : { device };
};

/**
 * How far the wall clock moved away from the monotonic one since the last entry, ms; undefined within the tolerance of
 * attestation.md §8 step 12, which a verifier applies to the same whole seconds. A suspend is a step too.
 */
const clockStep = (last: Position, now: { readonly wallMs: number; readonly monoMs: number }): number | undefined => {
  if (last.wallMs === undefined) return undefined;
  const monoMs = now.monoMs - last.monoMs;
  const stated = (Math.floor(now.wallMs / 1000) - Math.floor(last.wallMs / 1000)) * 1000 - monoMs;
  return Math.abs(stated) * 1000 > 2_000_000 + monoMs ? now.wallMs - last.wallMs - monoMs : undefined;
};
