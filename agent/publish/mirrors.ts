import { setTimeout as delay } from 'node:timers/promises';
import { REASON } from './ending.ts';
import { DEVICE_MIRROR, FINDING_MIRROR } from './messages.ts';
import type { OutboxEntry } from './outbox.ts';
import type { PumpOptions } from './pump.ts';

/** Above this many devices `mirror: auto` keeps no retained message per device: brokers drop from large sets silently. */
const AUTO_DEVICES = 500;
const PAGE = 50;
/** How long a count of the devices holds: counting costs the store more than sending a mirror. */
const COUNT_MS = 10_000;

/** A signed message again, on a topic for displays. */
interface Mirror {
  readonly kind: 'dev' | 'finding';
  readonly topic: string;
  readonly entry: OutboxEntry;
}

/**
 * Copies for displays: `dev/<device>` retained and `finding/<severity>`, the same signed bytes (mqtt.md §9). Best effort:
 * a mirror follows the acknowledgement of its entry, is never repeated, and holds nothing up.
 */
export class Mirrors {
  readonly #options: PumpOptions;
  readonly #queue: Mirror[] = [];
  readonly #refused = new Set<Mirror['kind']>();
  #stopped = false;
  #few: boolean | undefined;
  #countedMs = 0;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Queues the mirrors of an acknowledged entry. The pump sends no new entry before them, so the queue stays short. */
  add(entry: OutboxEntry): void {
    const { outbox, topics } = this.#options;
    if (entry.severity !== undefined) {
      this.#queue.push({ kind: 'finding', topic: topics.finding(entry.severity), entry });
    }
    if (entry.kind === 'attestation' && entry.device !== undefined && this.#mirrorsDevices()) {
      if (outbox.isNewest(entry.device, entry.seq)) {
        this.#queue.push({ kind: 'dev', topic: topics.dev(entry.device), entry });
      }
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
    const { outbox, timing, topics } = this.#options;
    let last = '';
    while (!this.#stopped && this.#mirrorsDevices()) {
      const page = outbox.newestAfter(last, PAGE);
      for (const entry of page) {
        const device = entry.device ?? '';
        last = device;
        await delay(timing.mirrorEveryMs);
        if (this.#stopped) return;
        // Entries from the cursor on are mirrored in their turn; a newer one may have been mirrored since this was read.
        if (entry.seq >= outbox.cursor() || !outbox.isNewest(device, entry.seq)) continue;
        await this.#send({ kind: 'dev', topic: topics.dev(device), entry });
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

  async #send({ kind, topic, entry }: Mirror): Promise<void> {
    if (this.#refused.has(kind)) return;
    const options = kind === 'dev' ? DEVICE_MIRROR : FINDING_MIRROR;
    const result = await this.#options.connection.publish(topic, entry.message, options);
    if (result.kind === 'refused' && result.reason === REASON.notAuthorised) this.#giveUp(kind, topic);
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
