import { hash } from 'node:crypto';
import type { VerifiedCheckpoint } from '../checkpoint.ts';
import type { Cosigned } from '../cosignature.ts';
import { type Circumstances, LogFollower } from '../follower.ts';
import {
  countCosignatures,
  type Head,
  type Heard,
  type HeartbeatState,
  hearCheckpoint,
  isNewer,
  isRetired,
  mayCosign,
  newHeartbeats,
  reachCheckpoint,
} from '../heartbeats.ts';
import type { Room } from '../held.ts';
import { type LogState, newState } from '../log-state.ts';
import { appendLeaf, type CompactRange, extendRange } from '../tree.ts';
import type { Verdict } from '../verdict.ts';
import { isError } from '../verification.ts';
import { isStart, type VerifiedMessage } from '../verify.ts';
import { Asking } from './asking.ts';
import type { Ack, Data } from './messages.ts';
import type { Notice } from './notice.ts';
import { readState, saveDevice, saveState } from './saved.ts';
import type { AcceptedEntry, LogChanges, StoredLog } from './store.ts';

/** Entries of a log that are remembered for citations, duplicates and roots, 44 bytes each; older ones are looked up. */
const WINDOW = 1_024;
const ANCHOR_EVERY = 256;
const ANCHORS = 4;
const ACK_EVERY_MS = 200;
const IDLE_ACK_MS = 60_000;
/** Entries that were signed for are told as missing after so long without any: longer than a gateway takes to send them again. */
const OWED_MS = 5 * 60_000;
const MOST_EARLY = 8;
const MOST_PROOFS = 16;

/**
 * One log at a collector: verification of entries and checkpoints, what waits to be stored, and what to tell the gateway
 * afterwards. Touches nothing: time comes in, changes and messages go out. What `changes` gave counts as stored with
 * `committed`; after a commit that failed the machine is thrown away and read again from the store.
 */
export class LogMachine {
  readonly log: LogState;
  readonly follower: LogFollower;
  readonly heartbeats: HeartbeatState;
  readonly asking = new Asking();
  /** Entries that the gateway, or the broker in its name, says there are. A hint. */
  hintedSize = 0;
  #revision: number;
  #kid: string | undefined;
  #dirty = false;
  #entries: AcceptedEntry[] = [];
  #early: Cosigned[] = [];
  /** Our tree at some of the newest sizes, ascending: a checkpoint is usually a few entries behind them. */
  #anchors: readonly CompactRange[] = [];
  /** Our tree, as it is if what the gateway says of lost entries is true: nothing has shown that yet. */
  #offered: CompactRange | undefined;
  readonly #askingTiles = new Asking();
  #cosign: Head | undefined;
  #openGapTo: number | undefined;
  /** Where the log stands, and since when, while more of it was signed for. */
  #standstill: { readonly next: number; readonly sinceMs: number } | undefined;
  #ackDue = true;
  /** The entry before `next`, to be shown to the gateway once. */
  #head: { readonly next: number; readonly bytes: Uint8Array } | undefined;
  #ackedMs = Number.NEGATIVE_INFINITY;

  /** A log that was stored, or a new one. */
  constructor(log: string, stored: StoredLog | undefined, room: Room) {
    const known = stored && readState(stored.state, stored.devices, WINDOW);
    this.log = known?.log ?? newState(log, 0, WINDOW);
    this.heartbeats = known?.heartbeats ?? newHeartbeats();
    this.follower = new LogFollower(this.log, room);
    this.#revision = stored?.revision ?? 0;
    this.#kid = known?.kid;
  }

  /** Entries that were accepted and are not stored yet. Kept well below the window, so that they can be looked up. */
  get pending(): number {
    return this.#entries.length;
  }

  /** An entry of it was accepted. Of a log of which there is none nothing is stored: whoever has a key can name any number of logs. */
  get begun(): boolean {
    return this.#revision > 0 || this.#entries.length > 0;
  }

  get dirty(): boolean {
    return this.#dirty && this.begun;
  }

  /** The key that signed the newest entry; undefined where another version of this library stored it. */
  get kid(): string | undefined {
    return this.#kid;
  }

  /** Steps 8 to 15. Afterwards `follower.released` gives what waited. */
  place(
    message: VerifiedMessage,
    by: Circumstances & { readonly nowMs: number },
  ): { readonly verdicts: readonly Verdict[]; readonly notices: readonly Notice[] } {
    const verdicts = this.follower.place(message, by);
    this.#ackDue = true;
    const [own] = verdicts;
    if (own?.status !== 'chained' && own?.status !== 'quarantined') return { verdicts, notices: this.#gap(verdicts) };
    const lost = this.begun || this.log.start === 0 ? [] : [this.#lost()];
    this.#kid = message.kid;
    this.#entries.push({
      seq: message.statement.seq,
      bytes: message.bytes,
      leaf: message.leaf,
      status: own.status,
      remarks: own.remarks,
      statement: message.statement,
      receivedAtMs: by.nowMs,
    });
    this.#dirty = true;
    const { next } = this.log;
    if (this.#offered?.size === next - 1) this.#offered = appendLeaf(this.#offered, message.leaf);
    const range = this.log.range ?? this.#offered;
    if (range?.size === next && next % ANCHOR_EVERY === 0) this.#anchor(range);
    return { verdicts, notices: [...lost, ...this.#advanced(message, by), ...this.#reached()] };
  }

  /**
   * Step 16. `range`, our tree at the size of the checkpoint, computed from `baseFor`, where that gave something. `isAlive`: the heartbeat was
   * newer than all before it, so somebody who has the key is there now or was since the last one.
   */
  hear(
    checkpoint: VerifiedCheckpoint,
    range: CompactRange | undefined,
  ): { readonly notices: readonly Notice[]; readonly isAlive: boolean } {
    const heard = hearCheckpoint(this.heartbeats, this.log, checkpoint, range);
    const isAlive = !heard.remarks.some((remark) => remark.code === 'I_STALE' || isError(remark));
    if (isAlive) this.#dirty = true;
    const lost = isAlive ? this.#skipTo(checkpoint.content.first) : [];
    return { notices: [...lost, ...this.#told(checkpoint.content.size, heard)], isAlive };
  }

  /** Where to compute our tree at the size of a checkpoint from; undefined where `hear` needs no help. */
  baseFor(checkpoint: VerifiedCheckpoint): CompactRange | undefined {
    const { size } = checkpoint.content;
    if (this.log.range === undefined || size >= this.log.next) return undefined;
    // Anyone can deliver an old one again and again; for that nothing is read from the store.
    if (!isNewer(this.heartbeats, checkpoint)) return undefined;
    return [this.heartbeats.range, ...this.#anchors].findLast((range) => range.size <= size);
  }

  /** What is to be asked for, and when, to know the tree of a log of which entries are lost. */
  lackedTiles(nowMs: number): { readonly from: number; readonly to: number } | undefined {
    const { start, range } = this.log;
    if (range !== undefined || this.#offered !== undefined) return undefined;
    if (!this.#askingTiles.isDue(start, start + 1, nowMs)) return undefined;
    return { from: this.heartbeats.range.size, to: start };
  }

  /** What was asked for came; our entries after it are still to be appended. */
  takeTiles({ from, to, hashes }: Data<'tiles'>): void {
    const { range: known } = this.heartbeats;
    if (this.log.range !== undefined || to !== this.log.start || from !== known.size) return;
    const roots = hashes.map((each) => Buffer.from(each, 'base64url'));
    const offered = extendRange(known, to, roots);
    if (offered !== undefined) this.growOffered(offered);
  }

  get offered(): CompactRange | undefined {
    return this.#offered;
  }

  growOffered(range: CompactRange): void {
    this.#offered = range;
    this.#anchor(range);
  }

  /** From where to compute the tree that was offered at the size of a checkpoint; undefined for one that can show nothing, or not yet. */
  offeredBase(checkpoint: VerifiedCheckpoint): CompactRange | undefined {
    const { size } = checkpoint.content;
    if (this.#offered === undefined || size > this.#offered.size) return undefined;
    if (!isNewer(this.heartbeats, checkpoint) || isRetired(this.log, checkpoint)) return undefined;
    return [...this.#anchors, this.#offered].findLast((range) => range.size <= size);
  }

  /** A signed checkpoint has shown what our tree is: at its size, and now. Without one, that what was offered is none of this log. */
  settleOffered(shown: { readonly atHead: CompactRange; readonly now: CompactRange } | undefined): void {
    this.#offered = undefined;
    if (shown === undefined) {
      this.#anchors = [];
      return;
    }
    this.heartbeats.range = shown.atHead;
    this.log.range = shown.now;
    this.#dirty = true;
  }

  #anchor(range: CompactRange): void {
    this.#anchors = [...this.#anchors, range].slice(-ANCHORS);
  }

  /** Step 17. A cosignature that is ahead of the entries waits for them. */
  cosigned(cosigned: Cosigned, quorum: number): readonly Notice[] {
    const { agreed, witnessed: before } = this.heartbeats;
    const remarks = countCosignatures(this.heartbeats, cosigned, quorum);
    if (remarks === undefined) {
      this.#early = [...this.#early, cosigned].slice(-MOST_EARLY);
      return [];
    }
    if (this.heartbeats.agreed !== agreed) this.#dirty = true;
    const { witnessed } = this.heartbeats;
    if (witnessed !== before && witnessed !== undefined) {
      return [{ kind: 'witnessed', log: this.log.log, ...witnessed, remarks }];
    }
    return remarks.length > 0 ? this.#told(cosigned.end.size, { remarks, fork: { second: cosigned.note } }) : [];
  }

  /** Cosignatures that waited for their checkpoint. */
  takeEarly(): readonly Cosigned[] {
    const ready = this.#early.filter(({ end }) => this.heartbeats.agreed.some(({ size }) => size === end.size));
    this.#early = this.#early.filter((each) => !ready.includes(each) && each.end.size > this.log.next);
    return ready;
  }

  /** A proof that the gateway signed two histories. Each is told once, and 16 are enough: anyone can deliver it again. */
  proved(proof: Pick<Notice & { kind: 'fork' }, 'at' | 'first' | 'second' | 'remark'>): readonly Notice[] {
    const digest = hash('sha256', proof.second, 'base64url');
    if (this.heartbeats.proofs.includes(digest) || this.heartbeats.proofs.length >= MOST_PROOFS) return [];
    this.heartbeats.proofs = [...this.heartbeats.proofs, digest];
    this.#dirty = true;
    return [{ kind: 'fork', log: this.log.log, ...proof }];
  }

  /** The checkpoint to cosign, noted as cosigned: the state has to be stored before anybody sees the cosignature. */
  takeCosign(): Head | undefined {
    const head = this.#cosign;
    this.#cosign = undefined;
    if (head === undefined || !this.begun || !mayCosign(this.heartbeats, head)) return undefined;
    this.heartbeats.cosigned = { size: head.size, root: head.root };
    this.#dirty = true;
    return head;
  }

  /** What has to be stored, where `dirty`. */
  changes(): LogChanges {
    const { log, devices, touched, next } = this.log;
    return {
      log,
      revision: this.#revision,
      size: next,
      state: saveState(this.log, this.heartbeats, this.#kid),
      devices: new Map([...touched].map((name) => [name, saveDevice(devices.get(name))])),
      entries: this.#entries,
    };
  }

  /** The changes are stored. */
  committed(): void {
    this.#revision += 1;
    this.#dirty = false;
    this.#entries = [];
    this.log.touched.clear();
  }

  /** The bytes of an entry that is accepted and not stored yet. */
  pendingEntry(seq: number): Uint8Array | undefined {
    return this.#entries.find((entry) => entry.seq === seq)?.bytes;
  }

  /** To be told to the gateway at the next opportunity, whatever happened: after a connect. */
  remind(): void {
    this.#ackDue = true;
    this.#ackedMs = Number.NEGATIVE_INFINITY;
  }

  /** To be told to the gateway soon, as after an entry. */
  repeat(): void {
    this.#ackDue = true;
  }

  /** The last entry goes with the next acknowledgement. */
  show(head: { readonly next: number; readonly bytes: Uint8Array }): void {
    this.#ackDue = true;
    this.#head = head;
  }

  /** The acknowledgement that is due: only ever of what is stored. */
  ack(nowMs: number, gap: readonly [number, number] | undefined): Ack | undefined {
    const { log, next, before } = this.log;
    const isDue = gap !== undefined || this.#ackDue || nowMs - this.#ackedMs >= IDLE_ACK_MS;
    if (this.dirty) throw new Error(`${log}: what is not stored cannot be acknowledged`);
    if (!isDue || (gap === undefined && nowMs - this.#ackedMs < ACK_EVERY_MS)) return undefined;
    // After entries that are lost nothing is known of the one before the next.
    if (next > 0 && before === undefined) return undefined;
    const head = this.#head?.next === next ? Buffer.from(this.#head.bytes).toString('utf8') : undefined;
    this.#ackDue = false;
    this.#head = undefined;
    this.#ackedMs = nowMs;
    return {
      log,
      next,
      ...(before === undefined ? {} : { leaf: before.leaf.toString('base64url') }),
      ...(gap === undefined ? {} : { gap }),
      ...(head === undefined ? {} : { head }),
      stored_at: Math.floor(nowMs / 1000),
    };
  }

  /**
   * The range that is missing and overdue, to be asked for. While a backlog comes in, only below entries that are here: a topic keeps
   * its order, so these will not come by themselves.
   */
  overdue(nowMs: number, isBacklog: boolean): readonly [from: number, to: number] | undefined {
    const { next } = this.log;
    const [, held] = this.follower.gap() ?? [];
    const target = held ?? (isBacklog ? next : Math.max(this.heartbeats.heard?.size ?? 0, this.hintedSize));
    return this.asking.isDue(next, target, nowMs) ? [next, target] : undefined;
  }

  /** A gap that is older than a minute. */
  tick(nowMs: number): readonly Notice[] {
    return this.follower.isGapDue(nowMs) ? this.#gap(this.follower.announceGaps()) : [];
  }

  /** Entries that a signed checkpoint speaks of, where none came for five minutes. Those below one that waits are told of by `tick`. */
  owed(nowMs: number): readonly Notice[] {
    const { log, next } = this.log;
    const to = this.heartbeats.heard?.size ?? 0;
    if (to <= next || this.follower.gap() !== undefined || (this.#openGapTo ?? 0) > next) {
      this.#standstill = undefined;
      return [];
    }
    if (this.#standstill?.next !== next) this.#standstill = { next, sinceMs: nowMs };
    if (nowMs - this.#standstill.sinceMs < OWED_MS) return [];
    this.#openGapTo = to;
    return [{ kind: 'gap', log, from: next, to, waiting: 0 }];
  }

  /** Begins anew at the lowest entry the gateway still holds; those before will not come. */
  #skipTo(first: number): readonly Notice[] {
    const { start, next } = this.log;
    if (first <= next) return [];
    // Where no entry came in between it is the same loss: a gateway could make ever new ones.
    if (next > start) this.log.lostFrom = next;
    this.log.next = first;
    this.log.start = first;
    this.log.before = undefined;
    // What is lost has to fit to what was known before.
    this.heartbeats.range = this.log.range ?? this.heartbeats.range;
    this.log.range = undefined;
    this.#offered = undefined;
    this.#anchors = [];
    this.log.entries.restart(first);
    this.follower.dropBelow(first);
    this.#dirty = true;
    // Of a log that has not begun it is told when it does.
    return this.begun ? [this.#lost()] : [];
  }

  #lost(): Notice {
    return { kind: 'lost', log: this.log.log, from: this.log.lostFrom, to: this.log.start };
  }

  #gap(verdicts: readonly Verdict[]): readonly Notice[] {
    const gap = this.follower.gap();
    if (gap === undefined || !verdicts.some(({ remarks }) => remarks.some(({ code }) => code === 'W_GAP'))) return [];
    const [from, to] = gap;
    if (this.#openGapTo === to) return [];
    this.#openGapTo = to;
    return [{ kind: 'gap', log: this.log.log, from, to, waiting: this.follower.waiting }];
  }

  #advanced({ statement }: VerifiedMessage, by: Circumstances): readonly Notice[] {
    const { log, seq, bootcount } = statement;
    const notices: Notice[] = [];
    if (seq === 0) {
      const { former } = by;
      notices.push({
        kind: 'incarnation',
        log,
        former: former?.log,
        held: former?.size,
        prior: this.log.prior ?? null,
      });
    }
    if (seq > 0 && isStart(statement)) notices.push({ kind: 'restart', log, seq, bootcount });
    if (this.#openGapTo !== undefined && this.log.next >= this.#openGapTo) {
      this.#openGapTo = undefined;
      notices.push({ kind: 'filled', log, next: this.log.next });
    }
    return notices;
  }

  #reached(): readonly Notice[] {
    const heard = reachCheckpoint(this.heartbeats, this.log);
    return heard === undefined ? [] : this.#told(this.log.next, heard);
  }

  #told(size: number, { remarks, agreed, fork }: Heard): readonly Notice[] {
    const { log } = this.log;
    if (agreed !== undefined) this.#cosign = agreed;
    const [remark] = remarks;
    // Anyone can deliver an old one again: that is not news.
    if (remark?.code === 'I_STALE') return [];
    const checkpoint: Notice = { kind: 'checkpoint', log, size, remarks };
    if (fork === undefined || remark === undefined) return [checkpoint];
    const first = fork.first === undefined ? undefined : Buffer.from(fork.first);
    const proved = this.proved({ at: size, first, second: Buffer.from(fork.second), remark });
    return proved.length === 0 ? [] : [checkpoint, ...proved];
  }
}
