import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Allowance } from './allowance.ts';
import type { MqttSettings } from './broker.ts';
import { REASON } from './ending.ts';
import { logMessage } from './messages.ts';
import { Mirrors } from './mirrors.ts';
import type { Connection } from './mqtt.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';
import type { Timing } from './timing.ts';
import type { Topics } from './topics.ts';

/** Why entries wait although the broker is connected. */
export interface Held {
  readonly code: string;
  readonly message: string;
}

export interface PumpOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly topics: Topics;
  readonly settings: Pick<MqttSettings, 'rate' | 'mirror'>;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * Sends the log over one connection, in `seq` order, never skipping one that is held (mqtt.md §5). It reads a window of entries at a
 * time, so a backlog costs no memory. One pump per connection: nothing an earlier connection answers can reach it. Any
 * failure ends the connection; the next pump begins at the lowest entry that was not acknowledged.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #mirrors: Mirrors;
  readonly #allowance: Allowance;
  /** Acknowledged above the cursor, waiting for a lower one. */
  readonly #ahead = new Set<number>();
  #read: OutboxEntry[] = [];
  #next = 0;
  #inflight = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #held: Held | undefined;
  #turning = false;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: () => void = () => {};

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#mirrors = new Mirrors(options);
    this.#allowance = new Allowance(options.settings.rate, options.clock.monoMs());
  }

  /** Begins at the lowest unacknowledged entry. */
  start(): void {
    const { connection, outbox } = this.#options;
    this.#state = 'running';
    this.#unsubscribe = outbox.onAppend(() => this.#wake());
    this.#rewind();
    if (!connection.server.sessionPresent) void this.#mirrors.republish().catch((error) => this.#mirrorsEnded(error));
  }

  /** Sends no further entry. Answers to those under way still count. */
  stop(): void {
    this.#state = 'stopped';
    this.#unsubscribe();
    clearTimeout(this.#timer);
    this.#mirrors.stop();
  }

  get held(): Held | undefined {
    return this.#held;
  }

  #rewind(): void {
    this.#held = undefined;
    this.#next = this.#options.outbox.cursor();
    this.#read = [];
    this.#wake();
  }

  /** A turn soon, outside of the transaction or callback that asks for it. */
  #wake(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      this.#turn();
    });
  }

  #turn(): void {
    try {
      this.#fill();
    } catch (error) {
      this.#failed(error);
    }
  }

  #fill(): void {
    const { connection, clock } = this.#options;
    while (this.#state === 'running' && this.#held === undefined && this.#inflight < connection.window) {
      if (this.#mirrors.sendOne((sent) => this.#count(sent))) continue;
      const entry = this.#peek();
      if (entry === undefined) return;
      const waitMs = this.#allowance.take(clock.monoMs());
      if (waitMs > 0) {
        this.#turnAfter(waitMs);
        return;
      }
      this.#read.shift();
      this.#next = entry.seq + 1;
      this.#count(this.#send(entry));
    }
  }

  #turnAfter(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), waitMs);
  }

  #peek(): OutboxEntry | undefined {
    const { connection, outbox } = this.#options;
    if (this.#read.length === 0) this.#read = [...outbox.entriesFrom(this.#next, connection.window)];
    const entry = this.#read[0];
    return entry === undefined || entry.seq === this.#next ? entry : this.#afterPruned(entry);
  }

  /** Where retention removed entries before there was a broker, the cursor passes over them once nothing is under way. */
  #afterPruned(entry: OutboxEntry): OutboxEntry | undefined {
    if (this.#inflight > 0) return undefined;
    this.#options.emit('warn', 'uplink.pruned', { from: this.#next, to: entry.seq });
    this.#options.outbox.advance(entry.seq);
    this.#next = entry.seq;
    return entry;
  }

  #count(sent: Promise<void>): void {
    this.#inflight += 1;
    void sent
      .catch((error) => this.#failed(error))
      .then(() => {
        this.#inflight -= 1;
        this.#wake();
      });
  }

  /** What displays are shown is best effort: entries go on without it. */
  #mirrorsEnded(error: unknown): void {
    if (!(error instanceof AgentError)) throw error;
    this.#options.emit('warn', 'uplink.mirrors-ended', { message: error.message, remedy: error.remedy });
  }

  /** A store that cannot be read ends the connection, so that its failure is reported and tried again like any other. */
  #failed(error: unknown): void {
    if (!(error instanceof AgentError)) throw error;
    this.#options.connection.drop({ kind: 'store', message: error.message });
  }

  async #send(entry: OutboxEntry): Promise<void> {
    const { connection, topics } = this.#options;
    const result = await connection.publish(topics.log, entry.message, logMessage(entry));
    switch (result.kind) {
      case 'acknowledged':
        this.#acknowledge(entry);
        return;
      case 'refused':
        this.#refused(entry, result.reason);
        return;
      case 'oversize':
        this.#hold({
          code: 'uplink.entry-too-large',
          message: `entry ${entry.seq} needs ${result.bytes} bytes, the broker takes ${result.limit}: raise its packet limit`,
        });
        return;
      case 'closed':
        return;
    }
  }

  #acknowledge(entry: OutboxEntry): void {
    const { outbox } = this.#options;
    const cursor = outbox.cursor();
    // After a rewind an entry below the cursor may be acknowledged a second time.
    if (entry.seq >= cursor) this.#ahead.add(entry.seq);
    let next = cursor;
    while (this.#ahead.delete(next)) next += 1;
    if (next > cursor) outbox.advance(next);
    this.#mirrors.add(entry);
  }

  /** The broker's access rules are mended by a person while we stay connected; any other refusal ends the connection. */
  #refused(entry: OutboxEntry, reason: number): void {
    const { connection, timing, topics } = this.#options;
    if (this.#state === 'stopped') return;
    if (reason !== REASON.notAuthorised) {
      connection.drop({ kind: 'refused', reason });
      return;
    }
    this.#hold({
      code: 'uplink.not-authorised',
      message: `the broker does not let this gateway publish to ${topics.log} (entry ${entry.seq}): allow it in its access list`,
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rewind(), timing.notAuthorisedMs);
  }

  #hold(held: Held): void {
    if (this.#state !== 'running' || this.#held?.code === held.code) return;
    this.#held = held;
    this.#options.emit('error', held.code, { message: held.message });
  }
}
