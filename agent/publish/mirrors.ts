import { setTimeout as delay } from 'node:timers/promises';
import { isId } from '../../shared/ids.ts';
import { REASON } from './ending.ts';
import { MIRROR } from './messages.ts';
import type { OutboxEntry, StaleMirror } from './outbox.ts';
import type { PumpOptions } from './pump.ts';
import type { TenantTopics } from './topics.ts';

/** Above this many devices `mirror: auto` keeps no retained message per device: brokers drop from large sets silently. */
const AUTO_DEVICES = 500;
const PAGE = 50;
/** How long a count of the devices holds: counting costs the store more than sending a mirror. */
const COUNT_MS = 10_000;

/** A message for displays: a signed one again, or the empty one that clears a topic. */
interface Mirror {
  readonly kind: keyof typeof MIRROR;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Of an empty one: what it clears. */
  readonly clears?: StaleMirror;
}

const EMPTY = new Uint8Array();

/** By these entries a device may leave, or change its tenant. */
const LEAVING: ReadonlySet<string> = new Set(['session', 'attestation']);

/**
 * Copies for displays and tenants: `dev/<device>` retained, `finding/<severity>`, and for a tenant its `coverage`, the same
 * signed bytes (mqtt.md §9). Best effort: a mirror follows the acknowledgement of its entry, is never repeated, and holds
 * nothing up. That a retained one is cleared when its device leaves is not forgotten: the store knows which are left.
 */
export class Mirrors {
  readonly #options: PumpOptions;
  readonly #queue: Mirror[] = [];
  readonly #refused = new Set<Mirror['kind']>();
  /** Topics that are being cleared. */
  readonly #clearing = new Set<string>();
  #stopped = false;
  #few: boolean | undefined;
  #countedMs = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Queues the mirrors of an acknowledged entry. The pump sends no new entry before them, so the queue stays short. */
  add(entry: OutboxEntry): void {
    const { outbox, topics } = this.#options;
    const payload = entry.message;
    const tenant = this.#tenant(entry.tenant);
    // Before what is new: of a device that came back the new message is the one that stays.
    if (LEAVING.has(entry.kind)) this.clearStale();
    if (entry.severity !== undefined) {
      this.#queue.push({ kind: 'finding', topic: topics.finding(entry.severity), payload });
      if (tenant !== undefined)
        this.#queue.push({ kind: 'tenantFinding', topic: tenant.finding(entry.severity), payload });
    }
    if (entry.kind === 'coverage' && tenant !== undefined)
      this.#queue.push({ kind: 'tenantCoverage', topic: tenant.coverage, payload });
    if (entry.kind === 'attestation' && entry.device !== undefined && this.#mirrorsDevices()) {
      if (outbox.isNewest(entry.device, entry.seq)) this.#queue.push(...this.#ofDevice(entry.device, entry));
    }
  }

  /** A label of an older version may be no id; such a tenant has no topics. */
  #tenant(name: string | undefined): TenantTopics | undefined {
    return name === undefined || !isId(name) ? undefined : this.#options.topics.tenant(name);
  }

  #ofDevice(device: string, entry: OutboxEntry): readonly Mirror[] {
    const payload = entry.message;
    const tenant = this.#tenant(entry.tenant);
    return [
      { kind: 'dev', topic: this.#options.topics.dev(device), payload },
      ...(tenant === undefined ? [] : [{ kind: 'tenantDev', topic: tenant.dev(device), payload } as const]),
    ];
  }

  /** Queues the clearing of what is retained of devices that left, and for former tenants of others; also where `mirror` is off now. */
  clearStale(): void {
    const { outbox, topics } = this.#options;
    for (const stale of outbox.staleMirrors(PAGE)) {
      const tenant = this.#tenant(stale.tenant);
      if (stale.tenant !== undefined && tenant === undefined) {
        outbox.mirrorCleared(stale);
        continue;
      }
      const topic = (tenant ?? topics).dev(stale.device);
      if (this.#clearing.has(topic)) continue;
      this.#clearing.add(topic);
      const kind = tenant === undefined ? 'dev' : 'tenantDev';
      this.#queue.push({ kind, topic, payload: EMPTY, clears: stale });
    }
  }

  /** Sends the oldest that waits; false when none does. */
  sendOne(count: (sent: Promise<void>) => void): boolean {
    const mirror = this.#queue.shift();
    if (mirror === undefined) return false;
    count(this.#send(mirror));
    return true;
  }

  /** All `dev` topics again, slowly: for a broker that lost, or never had, what it retains. */
  async republish(): Promise<void> {
    const { outbox, timing } = this.#options;
    let last = '';
    while (!this.#stopped && this.#mirrorsDevices()) {
      const page = outbox.newestAfter(last, PAGE);
      for (const entry of page) {
        const device = entry.device ?? '';
        last = device;
        await delay(timing.mirrorEveryMs);
        if (this.#stopped) return;
        // Entries from the cursor on are mirrored in their turn.
        if (entry.seq >= outbox.cursor()) continue;
        for (const mirror of this.#ofDevice(device, entry)) {
          // A newer one may have been mirrored since this was read, and the topic of a former tenant cleared.
          if (outbox.isNewest(device, entry.seq)) await this.#send(mirror);
        }
      }
      if (page.length < PAGE) return;
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #mirrorsDevices(): boolean {
    const { outbox, settings, clock } = this.#options;
    if (settings.mirror !== 'auto') return settings.mirror === 'on';
    const nowMs = clock.monoMs();
    if (this.#few === undefined || nowMs - this.#countedMs >= COUNT_MS) {
      this.#few = outbox.deviceCount() <= AUTO_DEVICES;
      this.#countedMs = nowMs;
    }
    return this.#few;
  }

  async #send({ kind, topic, payload, clears }: Mirror): Promise<void> {
    if (this.#refused.has(kind)) return;
    const result = await this.#options.connection.publish(topic, payload, MIRROR[kind]);
    if (clears !== undefined) this.#cleared(topic, clears, result.kind === 'acknowledged');
    if (result.kind === 'refused' && result.reason === REASON.notAuthorised) this.#giveUp(kind, topic);
  }

  #cleared(topic: string, stale: StaleMirror, done: boolean): void {
    this.#clearing.delete(topic);
    if (!done) return;
    this.#options.outbox.mirrorCleared(stale);
    // Of many a page at a time.
    if (this.#clearing.size === 0) this.clearStale();
  }

  #giveUp(kind: Mirror['kind'], topic: string): void {
    if (this.#refused.has(kind)) return;
    this.#refused.add(kind);
    this.#options.emit('warn', 'uplink.mirror-refused', {
      topic,
      message: 'allow it in the access list of the broker',
    });
  }
}
