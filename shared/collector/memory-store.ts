import type { Notice } from './notice.ts';
import {
  type AcceptedEntry,
  type Changes,
  type CollectorStore,
  type ListedLog,
  type LogChanges,
  type RefusedMessage,
  StoreConflict,
  type StoredEntry,
  type StoredLog,
} from './store.ts';

interface KeptLog {
  revision: number;
  state: string;
  readonly devices: Map<string, string>;
  readonly entries: Map<number, AcceptedEntry>;
  size: number;
}

/** A store in memory: for tests, for displays that begin anew each time, and to read before writing another one. */
export class MemoryStore implements CollectorStore {
  readonly notices: Notice[] = [];
  readonly refused: RefusedMessage[] = [];
  readonly #logs = new Map<string, KeptLog>();
  readonly #aside = new Set<string>();
  #trusted: string | undefined;

  logs(): readonly ListedLog[] {
    const spokenOf = [...this.#aside].filter((log) => !this.#logs.has(log));
    return [
      ...[...this.#logs].map(([log, { size }]) => ({ log, size, aside: this.#aside.has(log) || undefined })),
      ...spokenOf.map((log) => ({ log, size: 0, aside: true as const })),
    ];
  }

  log(log: string): StoredLog | undefined {
    const kept = this.#logs.get(log);
    return kept && { revision: kept.revision, state: kept.state, devices: [...kept.devices] };
  }

  entries(log: string, seqs: readonly number[]): readonly StoredEntry[] {
    const kept = this.#logs.get(log)?.entries;
    return seqs.map((seq) => kept?.get(seq)).filter((entry) => entry !== undefined);
  }

  trusted(): string | undefined {
    return this.#trusted;
  }

  commit({ logs, notices, refused, trusted }: Changes): void {
    // All checks come before the first change: that makes it one transaction here.
    for (const { log, revision } of logs) {
      if ((this.#logs.get(log)?.revision ?? 0) !== revision) throw new StoreConflict(`${log} was changed`);
    }
    for (const changes of logs) this.#keep(changes);
    this.notices.push(...notices);
    for (const notice of notices) {
      if (notice.kind === 'aside') this.#aside.add(notice.log);
      if (notice.kind === 'reinstated') this.#aside.delete(notice.log);
    }
    this.refused.push(...refused);
    this.#trusted = trusted ?? this.#trusted;
  }

  /** Every entry of a log, in order. */
  all(log: string): readonly AcceptedEntry[] {
    return [...(this.#logs.get(log)?.entries.values() ?? [])].sort((one, other) => one.seq - other.seq);
  }

  #keep({ log, revision, size, state, devices, entries }: LogChanges): void {
    const kept = this.#logs.get(log) ?? { revision, state, devices: new Map(), entries: new Map(), size };
    kept.revision = revision + 1;
    kept.state = state;
    kept.size = size;
    for (const [device, text] of devices) kept.devices.set(device, text);
    for (const entry of entries) kept.entries.set(entry.seq, { ...entry, bytes: Buffer.from(entry.bytes) });
    this.#logs.set(log, kept);
  }
}
