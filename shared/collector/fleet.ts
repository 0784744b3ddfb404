import { noteOfMessage } from '../chain.ts';
import type { EntryNote } from '../entry-window.ts';
import { Room } from '../held.ts';
import { gatewayOf } from '../verify.ts';
import { LogIndex } from './log-index.ts';
import { LogMachine } from './machine.ts';
import type { CollectorStore } from './store.ts';

/** The logs of a collector: those that are in use in memory, all others in the store. */
export class Fleet {
  readonly #store: CollectorStore;
  readonly #serves: (gateway: string) => boolean;
  readonly #most: number;
  readonly #room: Room;
  readonly #machines = new Map<string, LogMachine>();
  #index = new LogIndex([]);

  constructor(options: {
    readonly store: CollectorStore;
    readonly serves?: ((gateway: string) => boolean) | undefined;
    readonly mostLogs?: number | undefined;
    readonly mostHeldBytes?: number | undefined;
  }) {
    this.#store = options.store;
    this.#serves = options.serves ?? (() => true);
    // One message may need its log, the one before and the one after.
    this.#most = Math.max(options.mostLogs ?? 10_000, 16);
    this.#room = new Room(options.mostHeldBytes ?? 64 * 1_048_576);
  }

  get index(): LogIndex {
    return this.#index;
  }

  /** Machines in memory. */
  loaded(): readonly LogMachine[] {
    return [...this.#machines.values()];
  }

  /** Reads which logs there are. */
  async read(): Promise<void> {
    this.#index = new LogIndex(await this.#store.logs());
  }

  /** The machine of a log, as it was stored or new. */
  async machine(log: string): Promise<LogMachine> {
    const machine = this.#machines.get(log) ?? new LogMachine(log, await this.#store.log(log), this.#room);
    // Last in the order of the map: the first one is the one that nobody asked for longest.
    this.#machines.delete(log);
    this.#machines.set(log, machine);
    this.#evict(machine);
    return machine;
  }

  /** Forgets what memory says about logs: it is read again from the store. */
  forget(machines: Iterable<LogMachine>): void {
    for (const machine of machines) {
      machine.follower.forget();
      this.#machines.delete(machine.log.log);
    }
  }

  /** An entry of any log as later entries ask about it; undefined for one that does not exist, or not here. */
  note(log: string, seq: number): EntryNote | 'unseen' | undefined {
    const known = this.#machines.get(log)?.log.entries.get(seq);
    const size = this.#index.size(log);
    return known ?? (size !== undefined && seq >= size ? undefined : 'unseen');
  }

  /** Notes of stored entries. */
  async storedNotes(log: string, seqs: readonly number[]): Promise<ReadonlyMap<number, EntryNote>> {
    const entries = await this.#store.entries(log, seqs);
    return new Map(entries.map(({ seq, bytes }) => [seq, noteOfMessage(bytes)]));
  }

  /** The bytes of an entry: accepted, stored, or waiting above a gap. */
  async entry(machine: LogMachine, seq: number): Promise<Uint8Array | undefined> {
    const here = machine.pendingEntry(seq) ?? machine.follower.waitingEntry(seq);
    return here ?? (await this.#store.entries(machine.log.log, [seq]))[0]?.bytes;
  }

  serves(log: string): boolean {
    return this.servesId(gatewayIdOf(log));
  }

  servesId(gateway: string): boolean {
    return this.#serves(gateway);
  }

  #evict(inUse: LogMachine): void {
    for (const machine of this.#machines.values()) {
      if (this.#machines.size <= this.#most) return;
      if (!machine.dirty && machine !== inUse) this.forget([machine]);
    }
  }
}

/** The gateway id of a log: the level of its topics. */
export const gatewayIdOf = (log: string): string => gatewayOf(log).split('/')[1] ?? '';
