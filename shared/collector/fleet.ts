import { noteOfMessage } from '../chain.ts';
import type { EntryNote } from '../entry-window.ts';
import { Room } from '../held.ts';
import { gatewayOf } from '../verify.ts';
import { LogIndex } from './log-index.ts';
import { LogMachine } from './machine.ts';
import type { CollectorStore } from './store.ts';

/** Logs of one gateway that are in memory without an entry: it begins one, and may speak of the one before. */
const MOST_UNBEGUN = 4;

/** The logs of a collector: those that are in use in memory, all others in the store. */
export class Fleet {
  readonly #store: CollectorStore;
  readonly #serves: (gateway: string) => boolean;
  readonly #most: number;
  readonly #room: Room;
  readonly #machines = new Map<string, LogMachine>();
  /** Logs in memory of which there is no entry, by gateway, the one that nobody asked for longest first. */
  readonly #unbegun = new Map<string, Set<string>>();
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
    this.forget(this.loaded().filter(({ log: { log } }) => this.#index.isAside(log)));
  }

  /** From now on no other log has to come after this one. */
  setAside(machine: LogMachine): void {
    this.#index.setAside(machine.log.log);
    this.forget([machine]);
  }

  /** The machine of a log, as it was stored or new. */
  async machine(log: string): Promise<LogMachine> {
    const machine = this.#machines.get(log) ?? new LogMachine(log, await this.#store.log(log), this.#room);
    // Last in the order of the map: the first one is the one that nobody asked for longest.
    this.#machines.delete(log);
    this.#machines.set(log, machine);
    if (!machine.begun) this.#boundUnbegun(log);
    this.#evict(machine);
    return machine;
  }

  /** Forgets what memory says about logs: it is read again from the store. */
  forget(machines: Iterable<LogMachine>): void {
    for (const machine of machines) {
      const { log } = machine.log;
      machine.follower.forget();
      this.#machines.delete(log);
      const unbegun = this.#unbegun.get(gatewayOf(log));
      if (unbegun?.delete(log) && unbegun.size === 0) this.#unbegun.delete(gatewayOf(log));
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

  #boundUnbegun(log: string): void {
    const logs = this.#unbegun.get(gatewayOf(log)) ?? new Set();
    this.#unbegun.set(gatewayOf(log), logs);
    logs.delete(log);
    logs.add(log);
    for (const each of logs) {
      if (logs.size <= MOST_UNBEGUN) return;
      const machine = this.#machines.get(each);
      if (machine === undefined || machine.begun) logs.delete(each);
      else this.forget([machine]);
    }
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
