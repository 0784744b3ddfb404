import { AgentError } from '../../agent/platform/errors.ts';
import type { Outbox, OutboxEntry, StaleMirror } from '../../agent/publish/outbox.ts';
import { leafHash, subtreeWidths, treeRoot } from '../../shared/tree.ts';

/** A log in memory. Its messages are readable JSON with their `seq`, so that a receiver can tell order and loss. */
export class MemoryOutbox implements Outbox {
  readonly entries: OutboxEntry[] = [];
  /** While true, reading fails as a store on a broken disk does. */
  unreadable = false;
  /** Most entries that were handed out at once. */
  largestRead = 0;
  /** Every place the cursor was moved to, in order; moves to where it stood are left out. */
  readonly cursors: number[] = [];
  readonly #callbacks = new Set<() => void>();
  readonly #pruned = new Set<number>();
  readonly #confirmed = new Map<string, number>();
  readonly #left = new Set<string>();
  #stale: StaleMirror[] = [];
  #cursor = 0;

  constructor(cursor = 0) {
    this.#cursor = cursor;
  }

  append(
    entry: { kind?: string; device?: string; severity?: OutboxEntry['severity']; tenant?: string; bytes?: number } = {},
  ): void {
    const { kind = 'attestation', device, severity, tenant, bytes = 0 } = entry;
    const seq = this.entries.length;
    if (kind === 'attestation' && device !== undefined) this.#move(device, tenant);
    const text = JSON.stringify({ seq, kind, ...(device === undefined ? {} : { device }), fill: 'x'.repeat(bytes) });
    this.entries.push({
      seq,
      kind,
      ...(device === undefined ? {} : { device }),
      ...(severity === undefined ? {} : { severity }),
      ...(tenant === undefined ? {} : { tenant }),
      message: Buffer.from(text),
    });
    for (const callback of this.#callbacks) callback();
  }

  /** What stood on the topic of the former tenant is of the past, and what stands on these not any more. */
  #move(device: string, tenant: string | undefined): void {
    const former = this.#newest().get(device)?.tenant;
    if (former !== undefined && former !== tenant) this.#stale.push({ device, tenant: former });
    this.#stale = this.#stale.filter(
      (stale) => stale.device !== device || (stale.tenant !== undefined && stale.tenant !== tenant),
    );
  }

  /** The device leaves the configuration, as a `session` entry says. */
  leave(device: string): void {
    const tenant = this.#newest().get(device)?.tenant;
    this.#left.add(device);
    this.#stale.push({ device }, ...(tenant === undefined ? [] : [{ device, tenant }]));
    this.append({ kind: 'session' });
  }

  staleMirrors(limit: number): readonly StaleMirror[] {
    return this.#stale.slice(0, limit);
  }

  mirrorCleared(mirror: StaleMirror): void {
    this.#stale = this.#stale.filter(({ device, tenant }) => device !== mirror.device || tenant !== mirror.tenant);
  }

  appendMany(count: number): void {
    for (let made = 0; made < count; made += 1) this.append({ kind: 'coverage' });
  }

  /** Takes entries away, as retention does. */
  prune(from: number, to: number): void {
    for (let seq = from; seq < to; seq += 1) this.#pruned.add(seq);
  }

  size(): number {
    return this.entries.length;
  }

  entriesFrom(seq: number, limit: number): readonly OutboxEntry[] {
    if (this.unreadable)
      throw new AgentError({ code: 'store.io', message: 'could not be read', remedy: 'check the disk' });
    const read = this.entries.filter((entry) => entry.seq >= seq && !this.#pruned.has(entry.seq)).slice(0, limit);
    this.largestRead = Math.max(this.largestRead, read.length);
    return read;
  }

  cursor(): number {
    return this.#cursor;
  }

  advance(next: number): void {
    if (next !== this.#cursor) this.cursors.push(next);
    this.#cursor = next;
  }

  confirmed(collector: string): number {
    return this.#confirmed.get(collector) ?? 0;
  }

  confirm(collector: string, next: number): void {
    this.#confirmed.set(collector, next);
  }

  leaf(seq: number): string | undefined {
    const entry = this.entries[seq];
    return entry === undefined ? undefined : leafHash(entry.message).toString('base64url');
  }

  async tiles(from: number, to: number): Promise<readonly Buffer[]> {
    let at = from;
    return subtreeWidths(from, to).map((width) => {
      at += width;
      return treeRoot(this.entries.slice(at - width, at).map(({ message }) => leafHash(message)));
    });
  }

  writtenAt(seq: number): number | undefined {
    return this.entries[seq] === undefined ? undefined : Math.floor(Date.now() / 1000) - 60;
  }

  onAppend(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  isNewest(device: string, seq: number): boolean {
    return this.#newest().get(device)?.seq === seq;
  }

  newestAfter(device: string, limit: number): readonly OutboxEntry[] {
    return [...this.#newest()]
      .filter(([id]) => id > device)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .slice(0, limit)
      .map(([, entry]) => entry);
  }

  deviceCount(): number {
    return this.#newest().size;
  }

  #newest(): Map<string, OutboxEntry> {
    const newest = new Map<string, OutboxEntry>();
    for (const entry of this.entries) {
      if (entry.kind === 'attestation' && entry.device !== undefined) newest.set(entry.device, entry);
    }
    for (const device of this.#left) newest.delete(device);
    return newest;
  }
}
