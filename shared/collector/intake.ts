import { type VerifiedCheckpoint, verifyCheckpoint } from '../checkpoint.ts';
import { isFormer } from '../content.ts';
import { verifyCosigned } from '../cosignature.ts';
import type { EntryNote } from '../entry-window.ts';
import { verifyEpoch } from '../epoch.ts';
import type { Circumstances, Wanted } from '../follower.ts';
import { endOf } from '../log-state.ts';
import { appendLeaf, type CompactRange, rangeRoot } from '../tree.ts';
import { VerificationError } from '../verification.ts';
import { gatewayOf, type VerifiedMessage, verifyMessage } from '../verify.ts';
import { Admission } from './admission.ts';
import type { Asked } from './asked.ts';
import { type Fleet, gatewayIdOf } from './fleet.ts';
import type { LogMachine } from './machine.ts';
import { entriesOfPage, parseAnswered, parsePresence, tilesOf } from './messages.ts';
import { errorsOf, type Notice } from './notice.ts';
import type { Presences } from './presences.ts';
import { Quarantine } from './quarantine.ts';
import type { Silence } from './silence.ts';
import type { Channel } from './topics.ts';
import type { TrustAndTime, TrustSource } from './trust-and-time.ts';
import type { Placed, Work } from './work.ts';

/** No heartbeat for so long is silence (step 18). */
export const HEARTBEAT_MS = 15 * 60_000;
const COVERAGE_PERIODS = 3;
/** Well below the window of a log: what is not stored yet must be found there. */
const MOST_PENDING = 256;
const LEAVES_AT_ONCE = 4_096;
/**
 * Entries that waited above a gap and are placed in one call, at most. Where gaps of many logs close at the same time they may be all
 * that memory has room for, and read they take several times that room.
 */
const MOST_RELEASED = 1_024;

interface Belongings {
  /** Collector id. */
  readonly id: string;
  readonly fleet: Fleet;
  readonly trusted: () => TrustAndTime;
  readonly trust: TrustSource;
  readonly heartbeats: Silence;
  readonly coverage: Silence;
  readonly presences: Presences;
  readonly asked: Asked;
  readonly commit: (work: Work) => Promise<void>;
}

/** Takes one message by what its topic is for: verifies it, lets the machine of its log place it, notes what came of it. */
export class Intake {
  readonly #own: Belongings;
  readonly #admission: Admission;
  readonly #quarantine = new Quarantine();
  /** Logs whose gap is closed while entries above it still wait, each with the topic of the message that closed it. */
  readonly #owed = new Map<string, string>();
  /** Logs with a tree that was offered, to which our entries are still to be appended. */
  readonly #growing = new Set<string>();

  constructor(own: Belongings) {
    this.#own = own;
    this.#admission = new Admission(own);
  }

  /** A message whose verification fails is refused: reported, and a bounded number kept as evidence. */
  async take(channel: Channel, topic: string, payload: Uint8Array, work: Work): Promise<void> {
    try {
      await this.#receive(channel, topic, payload, work);
    } catch (problem) {
      if (!(problem instanceof VerificationError)) throw problem;
      this.#refuse({ status: 'refused', remarks: [problem], bytes: payload, topic }, work);
    }
  }

  /** Goes on with what was more than one call does. */
  async goOn(work: Work): Promise<void> {
    await this.#growOffered(work);
    for (const [log, topic] of [...this.#owed]) {
      if (work.released >= MOST_RELEASED) return;
      this.#owed.delete(log);
      await this.#placeReleased(await this.#machine(log, work), topic, work);
    }
  }

  async #receive(channel: Channel, topic: string, payload: Uint8Array, work: Work): Promise<void> {
    const trusted = this.#own.trusted();
    const trust = trusted.trust(work.nowMs);
    switch (channel.kind) {
      case 'log':
        return this.#placeAll(verifyMessage(payload, { ...trust, topic }), topic, work);
      case 'rsp':
        return this.#takeAnswer(payload, channel.gateway, topic, work);
      case 'cp':
        return this.#hear(payload, topic, work);
      case 'cosig':
        return this.#takeCosigned(payload, channel.gateway, work);
      case 'conn':
        return this.#takePresence(payload, channel.gateway, work);
      case 'epoch': {
        const marker = verifyEpoch(payload, trust, work.nowMs);
        if (marker !== undefined) trusted.takeMarker(marker);
        return;
      }
      case 'trust':
        return this.#takeManifest(payload, trusted, work);
    }
  }

  // ---- answers

  /** Only what was asked for: anything else on this topic is not even read. */
  async #takeAnswer(payload: Uint8Array, gateway: string, topic: string, work: Work): Promise<void> {
    const { asked } = this.#own;
    const answer = parseAnswered(payload);
    const matter = answer && asked.matter(answer.id, gateway, work.nowMs);
    if (answer === undefined || matter === undefined) return;
    if (matter.op === 'resync') {
      const entries = entriesOfPage(answer);
      // Each entry by itself: one that is bad does not spoil the rest of its page.
      for (const entry of entries.slice(0, asked.take(answer.id, entries.length)))
        await this.take({ kind: 'log', gateway }, topic, Buffer.from(entry), work);
      return;
    }
    const tiles = tilesOf(answer);
    if (tiles?.log !== matter.log || asked.take(answer.id, 1) === 0) return;
    (await this.#machine(matter.log, work)).takeTiles(tiles);
    this.#growing.add(matter.log);
  }

  // ---- entries

  /** Steps 8 to 15 for a message, then for those that waited for it. */
  async #placeAll(message: VerifiedMessage, topic: string, work: Work): Promise<void> {
    const { log, seq } = message.statement;
    this.#admission.require(log, work.nowMs);
    if (seq >= (this.#own.fleet.index.size(log) ?? 0)) await this.#admission.clearTheWay(log, work);
    const machine = await this.#machine(log, work);
    await this.#place(machine, message, topic, work);
    await this.#placeReleased(machine, topic, work);
  }

  async #placeReleased(machine: LogMachine, topic: string, work: Work): Promise<void> {
    for (;;) {
      if (machine.pending >= MOST_PENDING) await this.#own.commit(work);
      if (work.released >= MOST_RELEASED) {
        if (machine.follower.isReached) this.#owed.set(machine.log.log, topic);
        return;
      }
      const message = machine.follower.released(work.nowMs);
      if (message === undefined) return;
      work.released += 1;
      await this.#place(machine, message, topic, work);
    }
  }

  async #place(machine: LogMachine, message: VerifiedMessage, topic: string, work: Work): Promise<void> {
    const { fleet } = this.#own;
    const by = await this.#circumstances(machine, message, work.nowMs);
    const { verdicts, notices } = machine.place(message, by);
    work.note(notices);
    if (notices.some(({ kind }) => kind === 'incarnation')) work.note(await this.#lostBefore(machine));
    if (machine.pending > 0) fleet.index.set(machine.log.log, machine.log.next);
    for (const verdict of verdicts) await this.#judged(machine, { ...verdict, topic }, work);
    this.#countEarly(machine, work);
  }

  /** Entries of former logs that were signed to exist and are not here: the log that begins now says that no more of them come. */
  async #lostBefore({ log: { log, prior } }: LogMachine): Promise<readonly Notice[]> {
    const { fleet } = this.#own;
    const sizes = new Map<string, number>();
    const former = fleet.index.before(log);
    const heard = former === undefined ? undefined : (await fleet.machine(former)).heartbeats.heard;
    if (former !== undefined && heard !== undefined) sizes.set(former, heard.size);
    if (prior && isFormer(prior.log, log)) sizes.set(prior.log, Math.max(prior.size, sizes.get(prior.log) ?? 0));
    return [...sizes].flatMap(([of, to]): readonly Notice[] => {
      const from = fleet.index.size(of) ?? 0;
      return from < to ? [{ kind: 'lost', log: of, from, to, replacedBy: log }] : [];
    });
  }

  /** What the checks of a message ask about other entries: looked up before it is placed. */
  async #circumstances(
    machine: LogMachine,
    message: VerifiedMessage,
    nowMs: number,
  ): Promise<Circumstances & { readonly nowMs: number }> {
    const { fleet } = this.#own;
    const { index } = fleet;
    const { log, seq } = message.statement;
    const found = new Map<string, EntryNote>();
    const former = seq === 0 ? index.before(log) : undefined;
    const later = index.after(log);
    const trusted = this.#own.trusted();
    const by = {
      keys: trusted.trust(nowMs).keys,
      epochs: trusted.epochs,
      nowMs,
      recall: (of: string, at: number) => found.get(`${of} ${at}`) ?? fleet.note(of, at),
      former: former === undefined ? undefined : endOf((await fleet.machine(former)).log),
      successor: later === undefined ? undefined : (await fleet.machine(later)).log.prior,
    };
    for (const [of, seqs] of byLog(machine.follower.wanted(message, by))) {
      for (const [at, note] of await fleet.storedNotes(of, seqs)) found.set(`${of} ${at}`, note);
    }
    return by;
  }

  async #judged(machine: LogMachine, placed: Placed, work: Work): Promise<void> {
    if (placed.status === 'refused') return this.#refusedAtPlace(machine, placed, work);
    work.verdicts.push(placed);
    const { statement, status } = placed;
    if (status !== 'chained' || statement?.kind !== 'coverage' || statement.coverage.scope !== 'gateway') return;
    const periodMs = Math.max(60, statement.coverage.to_at - statement.coverage.from_at) * 1000;
    work.note(this.#own.coverage.heard(gatewayOf(statement.log), work.nowMs, COVERAGE_PERIODS * periodMs));
  }

  /** A fork is kept with both messages; anything else as what it is, a refused message. */
  async #refusedAtPlace(machine: LogMachine, placed: Placed, work: Work): Promise<void> {
    const remark = placed.remarks.find(({ code }) => code === 'E_FORK');
    if (remark === undefined || placed.statement === undefined) return this.#refuse(placed, work);
    work.verdicts.push(placed);
    const { seq } = placed.statement;
    const first = await this.#own.fleet.entry(machine, seq);
    work.note(machine.proved({ at: seq, first, second: Buffer.from(placed.bytes), remark }));
  }

  #refuse(placed: Placed, work: Work): void {
    work.verdicts.push(placed);
    const { topic, bytes, remarks } = placed;
    const kept = this.#quarantine.keep({ topic, bytes, remarks, receivedAtMs: work.nowMs });
    if (kept !== undefined) work.refused = [...work.refused, kept];
  }

  // ---- checkpoints and cosignatures

  /** Step 16. */
  async #hear(payload: Uint8Array, topic: string, work: Work): Promise<void> {
    const checkpoint = verifyCheckpoint(payload, { ...this.#own.trusted().trust(work.nowMs), topic });
    const { log } = checkpoint.content;
    this.#admission.require(log, work.nowMs);
    const machine = await this.#machine(log, work);
    await this.#proveTree(machine, checkpoint, work);
    const base = machine.baseFor(checkpoint);
    const range = base && (await this.#rangeAt(machine, base, checkpoint.content.size, work));
    const { notices, isAlive } = machine.hear(checkpoint, range);
    const [error] = machine.begun ? [] : notices.flatMap(errorsOf);
    // Alarms stand for ever, and logs without entries can be named in any number; of refused messages a bounded number is kept.
    if (error !== undefined) return this.#refuse({ status: 'refused', remarks: [error], bytes: payload, topic }, work);
    work.note(notices);
    this.#countEarly(machine, work);
    // What waited for entries that are lost waits no longer.
    await this.#placeReleased(machine, topic, work);
    if (isAlive) await this.#admission.clearTheWay(log, work);
    const newest = this.#own.fleet.index.allAfter(log).at(-1);
    if (newest !== undefined) {
      // A former incarnation that still reports is not the gateway that is expected, but one that lost what came after it.
      (await this.#machine(newest, work)).repeat();
      return;
    }
    if (!isAlive) return;
    work.note(this.#own.heartbeats.heard(gatewayOf(log), work.nowMs, HEARTBEAT_MS));
  }

  /**
   * Where entries were lost, tiles of the gateway stand for them. They are unsigned, but with our entries after them they give the
   * root that was signed, or they are none of this log; so the tree is known from here on, and joined to what we knew before.
   */
  async #proveTree(machine: LogMachine, checkpoint: VerifiedCheckpoint, work: Work): Promise<void> {
    const { size, root } = checkpoint.content;
    const base = machine.offeredBase(checkpoint);
    if (base === undefined) return;
    const atHead = await this.#rangeAt(machine, base, size, work);
    const isShown = rangeRoot(atHead).toString('base64url') === root;
    const now = machine.offered ?? atHead;
    machine.settleOffered(
      isShown ? { atHead, now: await this.#rangeAt(machine, now, machine.log.next, work) } : undefined,
    );
  }

  /** Appends our entries to a tree that was offered, a bounded number in one call: there may be very many. */
  async #growOffered(work: Work): Promise<void> {
    const [log] = this.#growing;
    if (log === undefined) return;
    this.#growing.delete(log);
    const machine = await this.#machine(log, work);
    const { offered } = machine;
    if (offered === undefined || offered.size >= machine.log.next) return;
    this.#growing.add(log);
    const size = Math.min(machine.log.next, offered.size + LEAVES_AT_ONCE);
    machine.growOffered(await this.#rangeAt(machine, offered, size, work));
  }

  /** Our tree at an earlier size, from one before it and the leaves between. */
  async #rangeAt(machine: LogMachine, base: CompactRange, size: number, work: Work): Promise<CompactRange> {
    let range = base;
    while (range.size < size) {
      const count = Math.min(LEAVES_AT_ONCE, size - range.size);
      for (const leaf of await this.#leaves(machine, range.size, count, work)) range = appendLeaf(range, leaf);
    }
    return range;
  }

  async #leaves(machine: LogMachine, from: number, count: number, work: Work): Promise<readonly Buffer[]> {
    const seqs = Array.from({ length: count }, (_none, index) => from + index);
    const missing = seqs.filter((seq) => machine.log.entries.get(seq) === undefined);
    if (missing.length > 0) await this.#own.commit(work);
    const stored = await this.#own.fleet.storedNotes(machine.log.log, missing);
    return seqs.map((seq) => {
      const note = machine.log.entries.get(seq) ?? stored.get(seq);
      if (note === undefined) throw new Error(`the store lacks entry ${seq} of ${machine.log.log}`);
      return note.leaf;
    });
  }

  /** Step 17. Only a manifest names witnesses, and a cosignature alone makes no log known. */
  async #takeCosigned(payload: Uint8Array, gateway: string, work: Work): Promise<void> {
    const trusted = this.#own.trusted();
    const { keys } = trusted.trust(work.nowMs);
    const cosigned = verifyCosigned(payload, { keys: keys.values(), witnesses: trusted.witnesses });
    if (cosigned === undefined || !this.#own.fleet.index.has(cosigned.end.log)) return;
    if (gatewayIdOf(cosigned.end.log) !== gateway) return;
    const machine = await this.#machine(cosigned.end.log, work);
    work.note(machine.cosigned(cosigned, trusted.quorum));
  }

  #countEarly(machine: LogMachine, work: Work): void {
    for (const cosigned of machine.takeEarly()) work.note(machine.cosigned(cosigned, this.#own.trusted().quorum));
  }

  // ---- presence and trust

  /** Unsigned: it is reported and never stored, and may only speak of a log that is known. */
  async #takePresence(payload: Uint8Array, gateway: string, work: Work): Promise<void> {
    const presence = parsePresence(payload);
    if (presence === undefined || gatewayIdOf(presence.log) !== gateway) return;
    if (presence.contradicted_by?.includes(this.#own.id)) await this.#showHead(presence.log, work);
    const newest = this.#newest(presence.log);
    if (newest === undefined) return;
    const { presences, fleet } = this.#own;
    const name = gatewayOf(presence.log);
    const isArrival = presences.isArrival(name, presence);
    const state = presences.take(name, presence);
    if (state !== undefined) work.notices.push({ kind: 'presence', gateway: name, state });
    // It waits for that before it sends what may be another entry than the one that is here, or of a log that it has replaced and forgotten.
    if (isArrival) (await this.#machine(newest, work)).repeat();
    if (fleet.index.has(presence.log)) (await this.#machine(presence.log, work)).hintedSize = presence.size;
  }

  /** The newest log of a gateway, from this one on; undefined where there is none here. */
  #newest(log: string): string | undefined {
    const { index } = this.#own.fleet;
    return index.allAfter(log).at(-1) ?? (index.has(log) ? log : undefined);
  }

  /** What a gateway signed last, as far as it is here: a gateway that was put back to before that believes its own signature only. */
  async #showHead(log: string, work: Work): Promise<void> {
    const newest = this.#newest(log);
    if (newest === undefined) return;
    const { fleet } = this.#own;
    const machine = await this.#machine(newest, work);
    const { next } = machine.log;
    const bytes = next === 0 ? undefined : await fleet.entry(machine, next - 1);
    if (bytes !== undefined) machine.show({ next, bytes });
  }

  #takeManifest(payload: Uint8Array, trusted: TrustAndTime, work: Work): void {
    const { trust } = this.#own;
    if (trust.kind !== 'authority') return;
    const manifest = trusted.takeManifest(payload, trust.authority);
    if (manifest !== undefined) work.note([{ kind: 'manifest', version: manifest.version }]);
  }

  async #machine(log: string, work: Work): Promise<LogMachine> {
    const machine = await this.#own.fleet.machine(log);
    work.touched.add(machine);
    return machine;
  }
}

const byLog = (wanted: readonly Wanted[]): ReadonlyMap<string, readonly number[]> => {
  const groups = new Map<string, Set<number>>();
  for (const { log, seq } of wanted) groups.set(log, (groups.get(log) ?? new Set()).add(seq));
  return new Map([...groups].map(([log, seqs]) => [log, [...seqs]]));
};
