import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeContract } from '../../../shared/collector/store-contract.ts';
import { type Changes, type CollectorStore, MemoryStore, StoreConflict } from '../../../shared/index.ts';

for (const { title, check } of storeContract) {
  test(`a store in memory: ${title}`, () =>
    check(async () => {
      const store = new MemoryStore();
      return { store, reopen: async () => store };
    }));
}

const plain = (store: MemoryStore): CollectorStore => ({
  logs: () => store.logs(),
  log: (log) => store.log(log),
  entries: (log, seqs) => store.entries(log, seqs),
  trusted: () => store.trusted(),
  commit: (changes) => store.commit(changes),
});

/** A store that keeps the contract but for what `commit` does. */
const broken = (commit: (store: MemoryStore, changes: Changes) => void): CollectorStore => {
  const store = new MemoryStore();
  return { ...plain(store), commit: (changes) => commit(store, changes) };
};

const BROKEN: { readonly [title: string]: () => CollectorStore } = {
  'keeps what it should refuse': () =>
    broken((store, changes) => {
      const logs = changes.logs.map((each) => ({ ...each, revision: store.log(each.log)?.revision ?? 0 }));
      store.commit({ ...changes, logs });
    }),
  'keeps one log of a transaction that it refuses': () =>
    broken((store, changes) => {
      for (const each of changes.logs) store.commit({ ...changes, logs: [each] });
    }),
  'forgets devices that a commit does not name': () => forgetting(new MemoryStore()),
  'loses entries': () =>
    broken((store, changes) =>
      store.commit({ ...changes, logs: changes.logs.map((each) => ({ ...each, entries: each.entries.slice(1) })) }),
    ),
  'writes messages anew': () =>
    broken((store, changes) => {
      const logs = changes.logs.map((each) => ({
        ...each,
        entries: each.entries.map((entry) => ({ ...entry, bytes: Buffer.from(`${Buffer.from(entry.bytes)} `) })),
      }));
      store.commit({ ...changes, logs });
    }),
  'overwrites what is trusted with nothing': () => ({ ...plain(new MemoryStore()), trusted: () => undefined }),
  'says of every failure that it was a conflict': () =>
    broken((store, changes) => {
      store.commit(changes);
      throw new StoreConflict('always');
    }),
};

const forgetting = (store: MemoryStore): CollectorStore => {
  let last: ReadonlyMap<string, string> = new Map();
  return {
    ...plain(store),
    log: (log) => {
      const stored = store.log(log);
      return stored && { ...stored, devices: last };
    },
    commit: (changes) => {
      store.commit(changes);
      last = changes.logs[0]?.devices ?? last;
    },
  };
};

for (const [title, make] of Object.entries(BROKEN)) {
  test(`the contract finds a store that ${title}`, async () => {
    const problems: string[] = [];
    for (const { check } of storeContract) {
      const store = make();
      await check(async () => ({ store, reopen: async () => store })).catch((problem: Error) =>
        problems.push(problem.message),
      );
    }
    assert.ok(problems.length > 0);
  });
}
