import type { Clock } from '../platform/clock.ts';
import { AgentError } from '../platform/errors.ts';
import type { Emit } from '../platform/events.ts';
import { Allowance } from './allowance.ts';
import type { MqttSettings } from './broker.ts';
import { REASON } from './ending.ts';
import { Lead } from './lead.ts';
import { logMessage } from './messages.ts';
import { Mirrors } from './mirrors.ts';
import type { Connection } from './mqtt.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';
import { Patience } from './patience.ts';
import type { Change, Held, Receivers } from './receivers.ts';
import type { Timing } from './timing.ts';
import { Told } from './told.ts';
import type { Topics } from './topics.ts';

/** The connection of a pump, and what it sends over it. */
export interface PumpOptions {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly receivers: Receivers;
  readonly topics: Topics;
  readonly settings: Pick<MqttSettings, 'rate' | 'mirror'>;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** While no collector is there, so many entries are tried now and then. */
const PROBE_ENTRIES = 8;
const WATCH_MS = 1_000;

/**
 * Sends the log over one connection, in `seq` order, never skipping one that is held (mqtt.md §5). It reads a window of entries at a
 * time, so a backlog costs no memory. One pump per connection: nothing an earlier connection answers can reach it. Any
 * failure ends the connection; the next pump begins at the lowest entry that was not confirmed. Collectors confirm, where
 * any are required; else the broker's acknowledgement has to do.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #mirrors: Mirrors;
  readonly #allowance: Allowance;
  readonly #lead: Lead;
  readonly #patience: Patience;
  readonly #told: Told;
  /** Acknowledged above the cursor, waiting for a lower one. */
  readonly #ahead = new Set<number>();
  #read: OutboxEntry[] = [];
  #next = 0;
  #inflight = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #held: Held | undefined;
  #turning = false;
  #timer: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #probedMs = 0;
  #floor = 0;
  #unsubscribe: () => void = () => {};

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#mirrors = new Mirrors(options);
    this.#allowance = new Allowance(options.settings.rate, options.clock.monoMs());
    this.#patience = new Patience(options.timing);
    this.#told = new Told(options.emit);
    this.#lead = new Lead(options.timing.firstLead);
  }

  /** Begins at the lowest unconfirmed entry. */
  start(): void {
    const { connection, outbox, receivers, timing } = this.#options;
    this.#state = 'running';
    const subscriptions = [outbox.onAppend(() => this.#wake()), receivers.onChange((change) => this.#changed(change))];
    this.#unsubscribe = () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
    if (receivers.required) {
      this.#watching = setInterval(() => this.#watch(), Math.min(WATCH_MS, timing.resendMs / 4, timing.probeMs / 4));
    }
    this.#probedMs = this.#options.clock.monoMs();
    this.#floor = this.#lowestUnconfirmed();
    this.#mirrors.clearStale();
    this.#rewind();
    this.#sayHeld();
    if (!connection.server.sessionPresent) void this.#mirrors.republish().catch((error) => this.#mirrorsEnded(error));
  }

  /** Sends no further entry. Answers to those under way still count. */
  stop(): void {
    this.#state = 'stopped';
    this.#unsubscribe();
    clearTimeout(this.#timer);
    clearInterval(this.#watching);
    this.#mirrors.stop();
  }

  get held(): Held | undefined {
    const { receivers, outbox } = this.#options;
    const isWaiting = receivers.required && receivers.confirmed() < outbox.size();
    return this.#held ?? (isWaiting ? (receivers.held ?? this.#behind()) : undefined);
  }

  /** Everything that may be sent beyond what is confirmed was sent. */
  #behind(): Held | undefined {
    const { outbox } = this.#options;
    if (this.#next >= outbox.size() || this.#lead.count === 0) return undefined;
    const entry = this.#read[0];
    return entry === undefined || this.#lead.hasRoom(entry) ? undefined : this.#unconfirmed();
  }

  #unconfirmed(): Held {
    return {
      code: 'uplink.collector-behind',
      message: `${this.#lead.count} entries from ${this.#options.receivers.floor()} on were sent and are not confirmed yet`,
      remedy: 'look at the collector: its log lines say why it does not store, or is slow',
    };
  }

  /** The lowest entry that is not confirmed. */
  #lowestUnconfirmed(): number {
    const { outbox, receivers } = this.#options;
    return receivers.required ? receivers.floor() : outbox.cursor();
  }

  #rewind(): void {
    const { outbox } = this.#options;
    this.#held = undefined;
    this.#next = this.#lowestUnconfirmed();
    // What a collector has stored, a broker must have taken.
    if (this.#next > outbox.cursor()) outbox.advance(this.#next);
    this.#read = [];
    this.#lead.clear();
    this.#wake();
  }

  #changed(change: Change): void {
    try {
      this.#heed(change);
    } catch (error) {
      this.#failed(error);
    }
  }

  #heed(change: Change): void {
    const { receivers, clock } = this.#options;
    switch (change) {
      case 'joined':
        this.#patience.rest();
        this.#floor = receivers.floor();
        // A pump that a person has to free first stays where it is.
        if (this.#held === undefined) this.#rewind();
        return;
      case 'stored':
      case 'left':
        this.#advance();
        if (change === 'left') this.#sayHeld();
        return;
      case 'gap':
        if (this.#next > receivers.floor() && this.#patience.heedsGap(clock.monoMs())) this.#sendAgain('gap');
        return;
    }
  }

  #advance(): void {
    const floor = this.#lowestUnconfirmed();
    if (floor > this.#floor) this.#patience.begin(this.#options.clock.monoMs());
    this.#floor = floor;
    this.#told.goesOn(this.#lowestUnconfirmed());
    this.#lead.confirmed(floor, this.#options.clock.monoMs());
    if (this.#lead.count === 0) this.#patience.rest();
    // It may have stored them from an earlier connection.
    if (floor > this.#next && this.#held === undefined) this.#rewind();
    else this.#wake();
  }

  #sendAgain(why: 'gap' | 'no progress'): void {
    const { emit, clock, receivers } = this.#options;
    if (this.#held !== undefined || this.#state !== 'running') return;
    this.#patience.sentAgain(clock.monoMs());
    emit('info', 'uplink.sends-again', { from: receivers.floor(), to: this.#next, why });
    if (why === 'no progress') this.#told.waits('warn', this.#unconfirmed(), this.#lowestUnconfirmed());
    this.#rewind();
  }

  /** Now and then: entries that nobody confirmed are sent again; while nobody is there, the first ones are tried. */
  #watch(): void {
    const { receivers, clock, timing } = this.#options;
    const nowMs = clock.monoMs();
    receivers.tick();
    if (!receivers.anybody) {
      if (nowMs - this.#probedMs < timing.probeMs) return;
      this.#probedMs = nowMs;
      if (this.#held === undefined) this.#changed('joined');
    } else if (this.#lead.count > 0 && this.#patience.isDue(nowMs)) {
      this.#sendAgain('no progress');
    }
  }

  #sayHeld(): void {
    const { held } = this;
    if (held?.code === 'uplink.no-collector') this.#told.waits('warn', held, this.#lowestUnconfirmed());
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
      if (entry === undefined || !this.#mayGo(entry)) return;
      const waitMs = this.#allowance.take(clock.monoMs());
      if (waitMs > 0) {
        this.#turnAfter(waitMs);
        return;
      }
      this.#read.shift();
      this.#next = entry.seq + 1;
      this.#noteSent(entry);
      this.#count(this.#send(entry));
    }
  }

  #mayGo(entry: OutboxEntry): boolean {
    const { receivers } = this.#options;
    if (!receivers.required) return true;
    if (receivers.anybody) return this.#lead.hasRoom(entry);
    return !receivers.objecting && !receivers.expecting && this.#lead.count < PROBE_ENTRIES;
  }

  #noteSent(entry: OutboxEntry): void {
    if (!this.#options.receivers.required) return;
    const nowMs = this.#options.clock.monoMs();
    this.#patience.sent(nowMs);
    this.#lead.sent(entry, nowMs);
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

  /** Where retention removed entries that somebody lacks, sending passes over them once nothing is under way. */
  #afterPruned(entry: OutboxEntry): OutboxEntry | undefined {
    const { outbox, emit } = this.#options;
    if (this.#inflight > 0) return undefined;
    emit('warn', 'uplink.pruned', { from: this.#next, to: entry.seq });
    if (entry.seq > outbox.cursor()) outbox.advance(entry.seq);
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
          message: `entry ${entry.seq} needs ${result.bytes} bytes, the broker takes ${result.limit}`,
          remedy: 'raise its limit: max_packet_size of Mosquitto, mqtt.max_packet_size of EMQX',
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
    if (entry.seq < cursor || this.#ahead.has(entry.seq)) return;
    this.#ahead.add(entry.seq);
    let next = cursor;
    while (this.#ahead.delete(next)) next += 1;
    if (next > cursor) outbox.advance(next);
    this.#told.goesOn(this.#lowestUnconfirmed());
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
      message: `the broker does not let this gateway publish to ${topics.log} (entry ${entry.seq})`,
      remedy: 'allow it in the access list of the broker: docs/broker.md; it is tried again every 5 minutes',
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rewind(), timing.notAuthorisedMs);
  }

  #hold(held: Held): void {
    if (this.#state !== 'running' || this.#held?.code === held.code) return;
    this.#held = held;
    this.#told.waits('error', held, this.#lowestUnconfirmed());
  }
}
