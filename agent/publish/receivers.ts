import { z } from 'zod';
import { type Ack, ackSchema, collectorPresenceSchema } from '../../shared/collector/messages.ts';
import { isAheadOfTime, isFormer } from '../../shared/content.ts';
import { parseUnsigned } from '../../shared/unsigned.ts';
import type { Clock } from '../platform/clock.ts';
import type { Emit } from '../platform/events.ts';
import { Seldom } from '../platform/seldom.ts';
import type { Outbox } from './outbox.ts';
import type { Timing } from './timing.ts';

/** Why entries wait although the broker is connected. */
export interface Held {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** A required collector as `assayer status` shows it. */
export interface ReceiverStatus {
  readonly collector: string;
  readonly state: 'online' | 'away';
  /** Number of entries from 0 that it has stored. */
  readonly confirmed: number;
  /** Entries that it lacks, and the age of the oldest of them. */
  readonly lag: number;
  readonly lagS: number;
  /** Why its acknowledgements do not count. */
  readonly problem?: Held;
}

/** What happened to the required collectors, for the pump. */
export type Change =
  /** One came, or was restored from a backup: entries from its place on are sent again. */
  | 'joined'
  /** One has stored more. */
  | 'stored'
  /** One misses entries that were sent. */
  | 'gap'
  | 'left';

/** Who has to store the log, and what is known of how far they are. */
export interface ReceiversOptions {
  readonly collectors: readonly string[];
  /** Origin of the log. */
  readonly log: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly emit: Emit;
  /** An entry of this gateway came that the log may not hold. Nothing of it is verified. */
  readonly takeEntry: (message: Uint8Array) => void;
  readonly random: () => number;
  readonly timing: Pick<Timing, 'settleMs' | 'absentMs' | 'firstWordMs' | 'mutedMs'>;
}

interface Receiver {
  readonly collector: string;
  isThere: boolean;
  /** Of the newest `online`. */
  session: string | undefined;
  /** Monotonic; when presence or an acknowledgement was heard last. Undefined once it went. */
  heardMs: number | undefined;
  settling: NodeJS.Timeout | undefined;
  /** Monotonic; when it acknowledged this log last. Undefined until it did since the agent started. */
  ackedMs: number | undefined;
  problem: Held | undefined;
  /** While there is one: the session of the collector that it came in, once that is known. */
  problemSession: string | undefined;
}

/** It was heard, and is not given entries yet. */
const isExpected = ({ heardMs, isThere, problem }: Receiver): boolean =>
  heardMs !== undefined && !isThere && problem === undefined;

/** Why the acknowledgements of a collector do not count, and what an operator can do about it. */
interface Objection {
  readonly level: 'error' | 'warn';
  readonly code: string;
  readonly remedy: string;
}

const UNREADABLE: Objection = {
  level: 'warn',
  code: 'uplink.ack-unreadable',
  remedy: 'bring the collector up to date: docs/collector-library.md says what it has to send',
};

const AHEAD: Objection = {
  level: 'error',
  code: 'uplink.ack-ahead',
  remedy:
    'wait a minute: where an older state_dir was put back the collector shows the entry that is missing here, and a new log begins by itself; where somebody else sent this, the next word of the collector ends it, and none but the collector should be allowed to write to its ack topic: docs/broker.md. Where neither happens, look at the store of the collector: if it is not its own, put the right one back; if it has entries that are missing here, move assayer.db away, and a new log begins',
};

const AHEAD_OF_TIME: Objection = {
  level: 'error',
  code: 'uplink.ack-ahead-of-time',
  remedy:
    'set the clock of this host right; where it is right somebody else has used the key of this gateway: give it a new one, and let the collector set that log aside',
};

const FORK: Objection = {
  level: 'error',
  code: 'uplink.fork',
  remedy:
    'find out whether state_dir was copied or put back; once the collector shows its entry, and this key signed it, a new log begins by itself: where none has after a minute it holds forged entries, or is of a version that shows none',
};

/**
 * The collectors whose acknowledgement counts as delivered (mqtt.md §5): who is there, and how far each has stored. It
 * outlives connections. Presence and acknowledgements steer sending only; none is evidence.
 */
export class Receivers {
  readonly #options: ReceiversOptions;
  readonly #receivers: ReadonlyMap<string, Receiver>;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #seldom: Seldom;

  constructor(options: ReceiversOptions) {
    this.#options = options;
    this.#seldom = new Seldom(options.clock);
    this.#receivers = new Map(
      options.collectors.map((collector) => [
        collector,
        {
          collector,
          isThere: false,
          session: undefined,
          heardMs: undefined,
          settling: undefined,
          ackedMs: undefined,
          problem: undefined,
          problemSession: undefined,
        },
      ]),
    );
  }

  /** Somebody has to confirm. Without anybody what a broker took counts as delivered. */
  get required(): boolean {
    return this.#receivers.size > 0;
  }

  /** Some required collector is there, and stores what it is sent. */
  get anybody(): boolean {
    return this.#there().length > 0;
  }

  /** Some required collector was heard, and is about to be given entries. */
  get expecting(): boolean {
    return [...this.#receivers.values()].some(isExpected);
  }

  /** Whoever was heard has said how far it is since the agent started, and somebody has; nobody has to where none is required. */
  get spoken(): boolean {
    const all = [...this.#receivers.values()];
    const isSilent = ({ heardMs, ackedMs }: Receiver): boolean => heardMs !== undefined && ackedMs === undefined;
    return !this.required || (all.some(({ ackedMs }) => ackedMs !== undefined) && !all.some(isSilent));
  }

  /** What every required collector says contradicts this log: it would be of no use to any of them. */
  get objecting(): boolean {
    return this.required && [...this.#receivers.values()].every(({ problem }) => problem !== undefined);
  }

  /**
   * The lowest entry that a collector which is there lacks; of all, where none is. One that is away holds up no other: it
   * gets what it lacks when it comes.
   */
  floor(): number {
    const there = this.#there();
    return this.#lowest(there.length > 0 ? there : [...this.#receivers.values()]);
  }

  /** Number of entries from 0 that every required collector has stored. */
  confirmed(): number {
    return this.#lowest([...this.#receivers.values()]);
  }

  /** Calls back when something happened; returns the way to stop that. */
  onChange(callback: (change: Change) => void): () => void {
    this.#listeners.add(callback);
    // From now on they hear of us.
    for (const receiver of this.#receivers.values()) if (isExpected(receiver)) this.#expect(receiver);
    return () => {
      this.#listeners.delete(callback);
      if (this.#listeners.size === 0) this.#expectAnew();
    };
  }

  /** Collectors that have stored what this log does not hold: the entries themselves can show who is right. */
  get contradictedBy(): readonly string[] {
    const isContradiction = ({ problem }: Receiver): boolean =>
      problem !== undefined && problem.code !== UNREADABLE.code;
    return [...this.#receivers.values()].filter(isContradiction).map(({ collector }) => collector);
  }

  /** Why nothing is sent, where nobody is there. */
  get held(): Held | undefined {
    if (!this.required || this.anybody || this.expecting) return undefined;
    const problem = [...this.#receivers.values()].find((each) => each.problem !== undefined)?.problem;
    const names = this.#options.collectors.join(', ');
    return (
      problem ?? {
        code: 'uplink.no-collector',
        message: `no required collector is online: ${names}`,
        remedy:
          'start it: assayer collect <broker-url> --id <collector>; where it runs, look at the access list of the broker',
      }
    );
  }

  status(): readonly ReceiverStatus[] {
    const { outbox, clock } = this.#options;
    const size = outbox.size();
    return [...this.#receivers.values()].map(({ collector, isThere, problem }) => {
      const confirmed = outbox.confirmed(collector);
      const oldest = confirmed < size ? outbox.writtenAt(confirmed) : undefined;
      return {
        collector,
        state: isThere ? 'online' : 'away',
        confirmed,
        lag: size - confirmed,
        lagS: oldest === undefined ? 0 : Math.max(0, Math.floor(clock.wallMs() / 1000) - oldest),
        ...(problem === undefined ? {} : { problem }),
      };
    });
  }

  /** To be called about every second: who was not heard for a quarter of an hour is away. */
  tick(): void {
    const { clock, timing } = this.#options;
    for (const receiver of this.#receivers.values()) {
      const silentMs = clock.monoMs() - (receiver.heardMs ?? 0);
      if (receiver.isThere && silentMs > timing.absentMs) this.#leave(receiver, 'silent');
    }
  }

  stop(): void {
    for (const { settling } of this.#receivers.values()) clearTimeout(settling);
  }

  /** Takes what came on `_fleet/collector/<col>`. What a broker kept for long says nothing about now. */
  takePresence(collector: string, payload: Uint8Array, retained: boolean): void {
    const receiver = this.#receivers.get(collector);
    const presence = collectorPresenceSchema.safeParse(parseUnsigned(payload)).data;
    if (receiver === undefined || presence === undefined) return;
    const { clock, timing } = this.#options;
    if (presence.state === 'online') {
      if (retained && Math.abs(clock.wallMs() - presence.at * 1000) > timing.absentMs) return;
      this.#forgive(receiver, presence.session);
      receiver.session = presence.session;
      this.#heard(receiver);
      return;
    }
    // A will of an earlier connection that comes late, or was kept, is stale.
    const isStale = receiver.session === undefined ? retained : receiver.session !== presence.session;
    if (isStale) return;
    clearTimeout(receiver.settling);
    receiver.settling = undefined;
    receiver.heardMs = undefined;
    if (receiver.isThere) this.#leave(receiver, presence.state);
  }

  /**
   * A collector that was started anew may have been mended, or know of no log yet, and such a one acknowledges what it is sent
   * first. Where nothing was mended its next acknowledgement says so.
   */
  #forgive(receiver: Receiver, session: string): void {
    if (receiver.problem === undefined) return;
    receiver.problemSession ??= session;
    if (receiver.problemSession !== session) receiver.problem = undefined;
  }

  /** Takes what came on `ack/<col>`. Accepted is only what speaks of this very log; the leaf shows that it does. */
  takeAck(collector: string, payload: Uint8Array): void {
    const receiver = this.#receivers.get(collector);
    if (receiver === undefined) return;
    const { data: ack, error } = ackSchema.safeParse(parseUnsigned(payload));
    if (ack === undefined) {
      const why = z.prettifyError(error).split('\n', 1)[0];
      this.#object(receiver, UNREADABLE, `what ${collector} sends is no acknowledgement: ${why}`);
    } else if (isFormer(this.#options.log, ack.log)) {
      // Whoever once had the key can name a log. One without an entry says nothing of this store.
      if (ack.next > 0) this.#isBehind(receiver, ack);
    } else if (ack.log === this.#options.log && this.#agrees(receiver, ack)) this.#accept(receiver, ack);
    if (ack?.head !== undefined && receiver.problem !== undefined) this.#options.takeEntry(Buffer.from(ack.head));
  }

  /** Of a log that this gateway began later than the one in the store. An acknowledgement is unsigned: by itself it is told, no more. */
  #isBehind(receiver: Receiver, { log, next }: Ack): void {
    const { collector } = receiver;
    const stored = `${collector} has stored ${next} entries of ${log}`;
    if (isAheadOfTime(log, this.#options.clock.wallMs())) {
      this.#object(receiver, AHEAD_OF_TIME, `${stored}, a log that begins more than a day from now`);
      return;
    }
    const message = `${stored}, a later log of this gateway than ${this.#options.log}: this store is older than that`;
    this.#object(receiver, AHEAD, message);
  }

  /** An acknowledgement that contradicts this log never moves anything: it is told, and the collector does not count. */
  #agrees(receiver: Receiver, { next, leaf }: Ack): boolean {
    const { outbox, log } = this.#options;
    const { collector } = receiver;
    const size = outbox.size();
    if (next > size) {
      const message = `${collector} has stored ${next} entries of ${log}, here are ${size}: this store is older than the log`;
      this.#object(receiver, AHEAD, message);
      return false;
    }
    if (next > 0 && leaf !== outbox.leaf(next - 1)) {
      const message = `${collector} has stored another entry ${next - 1} of ${log} than this one: one of the two is not the log`;
      this.#object(receiver, FORK, message);
      return false;
    }
    return true;
  }

  /** Told when it is new; while it lasts, entries do not wait for this collector. */
  #object(receiver: Receiver, { level, code, remedy }: Objection, message: string): void {
    const isNew = receiver.problem?.code !== code;
    if (receiver.problem === undefined) receiver.problemSession = receiver.session;
    receiver.problem = { code, message, remedy };
    if (isNew && this.#mayTell(receiver, code))
      this.#options.emit(level, code, { collector: receiver.collector, message, remedy });
    clearTimeout(receiver.settling);
    receiver.settling = undefined;
    if (receiver.isThere) this.#leave(receiver, code);
  }

  /** Of acknowledgements there may be any number. True where it was not told lately; then it counts as told. */
  #mayTell({ collector }: Receiver, code: string): boolean {
    return this.#seldom.take(`${collector} ${code}`) !== undefined;
  }

  #accept(receiver: Receiver, { next, gap }: Ack): void {
    const { outbox, emit, clock, timing } = this.#options;
    const { collector } = receiver;
    const before = outbox.confirmed(collector);
    const nowMs = clock.monoMs();
    // What it was sent meanwhile it did not take: it was mended, and is given that again, however long the back-off is by now.
    const wasMuted = receiver.ackedMs !== undefined && nowMs - receiver.ackedMs > timing.mutedMs;
    const isFirst = receiver.ackedMs === undefined;
    receiver.ackedMs = nowMs;
    receiver.problem = undefined;
    if (next !== before) outbox.confirm(collector, next);
    if (next < before && this.#mayTell(receiver, 'uplink.collector-restored'))
      emit('warn', 'uplink.collector-restored', { collector, confirmed: next, before });
    const wasThere = receiver.isThere;
    if (isFirst && receiver.settling !== undefined) this.#join(receiver);
    else this.#heard(receiver);
    if (!wasThere) return;
    if (next < before || (wasMuted && next === before)) this.#tell('joined');
    else if (next > before) this.#tell('stored');
    if (gap !== undefined) this.#tell('gap');
  }

  #heard(receiver: Receiver): void {
    receiver.heardMs = this.#options.clock.monoMs();
    this.#expect(receiver);
  }

  /** Who has said nothing yet is asked once more over the next connection. */
  #expectAnew(): void {
    for (const receiver of this.#receivers.values()) {
      if (receiver.ackedMs !== undefined) continue;
      clearTimeout(receiver.settling);
      receiver.settling = undefined;
    }
  }

  /** It is given entries soon. */
  #expect(receiver: Receiver): void {
    if (receiver.isThere || receiver.problem !== undefined || receiver.settling !== undefined) return;
    const { timing, random } = this.#options;
    const isIdle = this.#listeners.size === 0;
    // A state that was put back may hold other entries than the collector: it tells how far it is when it hears of us, and that shows it.
    if (receiver.ackedMs === undefined) {
      if (!isIdle) receiver.settling = setTimeout(() => this.#join(receiver), timing.firstWordMs);
    }
    // While nothing is being sent there is nobody to surprise.
    else if (isIdle) this.#join(receiver);
    else receiver.settling = setTimeout(() => this.#join(receiver), random() * timing.settleMs);
  }

  #join(receiver: Receiver): void {
    const { outbox, emit } = this.#options;
    const { collector } = receiver;
    clearTimeout(receiver.settling);
    receiver.settling = undefined;
    receiver.isThere = true;
    emit('info', 'uplink.collector-online', { collector, confirmed: outbox.confirmed(collector), size: outbox.size() });
    this.#tell('joined');
  }

  #leave(receiver: Receiver, why: string): void {
    const { outbox, emit } = this.#options;
    const { collector } = receiver;
    receiver.isThere = false;
    receiver.session = undefined;
    receiver.heardMs = undefined;
    emit('warn', 'uplink.collector-away', {
      collector,
      why,
      confirmed: outbox.confirmed(collector),
      size: outbox.size(),
    });
    this.#tell('left');
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #there(): readonly Receiver[] {
    return [...this.#receivers.values()].filter(({ isThere }) => isThere);
  }

  #lowest(receivers: readonly Receiver[]): number {
    return Math.min(...receivers.map(({ collector }) => this.#options.outbox.confirmed(collector)));
  }
}
