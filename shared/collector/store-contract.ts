import { generateKeyPairSync } from 'node:crypto';
import { signMessage } from '../envelope.ts';
import { jwkOf, parseTrustedKeys, type Signer, signerOf } from '../keys.ts';
import { EAT_PROFILE, NO_PREVIOUS } from '../statement.ts';
import { leafHash } from '../tree.ts';
import type { Arrived } from './collector.ts';
import { Collector } from './collector.ts';
import { type Ack, ackSchema } from './messages.ts';
import { type Changes, type CollectorStore, type LogChanges, StoreConflict } from './store.ts';
import type { Report } from './work.ts';

/** A store as the contract looks at it. */
export interface StoreUnderTest {
  readonly store: CollectorStore;
  /** What a new process finds: another connection to the same storage. */
  readonly reopen: () => Promise<CollectorStore>;
}

/** One sentence of the contract. `check` is given a way to make an empty store, and throws where the store breaks it. */
export interface StoreCase {
  readonly title: string;
  readonly check: (open: () => Promise<StoreUnderTest>) => Promise<void>;
}

/** What every store of a collector has to keep; run each case as a test of whatever framework is at hand. */
export const storeContract: readonly StoreCase[] = [
  {
    title: 'an empty store has no logs, no entries and nothing trusted',
    check: async (open) => {
      const { store } = await open();
      same((await store.logs()).length, 0, 'logs');
      same(await store.log(LOG), undefined, 'a log');
      same((await store.entries(LOG, [0, 1])).length, 0, 'entries');
      same(await store.trusted(), undefined, 'trusted');
    },
  },
  {
    title: 'what was committed is there for a new process, byte for byte',
    check: async (open) => {
      const { store, reopen } = await open();
      const messages = someLog(3);
      await store.commit(changesOf(changesTo(messages, 0, 2, { devices: { 'rig-1': 'a', 'rig-2': 'b' } }), 'first'));
      await store.commit(changesOf(changesTo(messages, 2, 3, { revision: 1, devices: { 'rig-2': 'c' } })));
      for (const each of [store, await reopen()]) await holds(each, messages);
      same(await store.trusted(), 'first', 'trusted, which the second commit left alone');
    },
  },
  {
    title: 'entries are given where they are there, whatever else was asked for',
    check: async (open) => {
      const { store } = await open();
      const messages = someLog(300);
      await store.commit(changesOf(changesTo(messages, 0, 300)));
      const seqs = [299, 7, 300, 4_000_000_000].concat(Array.from({ length: 250 }, (_none, seq) => seq + 20));
      const found = await store.entries(LOG, seqs);
      same(found.length, 252, 'entries found');
      for (const { seq, bytes } of found) same(text(bytes), text(messages[seq]), `entry ${seq}`);
      same((await store.entries('example.org/gw-other/1', [7])).length, 0, 'entries of another log');
    },
  },
  {
    title: 'changes that build on another revision are refused with everything beside them',
    check: async (open) => {
      const { store, reopen } = await open();
      const messages = someLog(2);
      await store.commit(changesOf(changesTo(messages, 0, 1), 'before'));
      const other = { ...changesTo(someLog(1, OTHER), 0, 1), log: OTHER };
      for (const revision of [0, 2]) {
        const late = changesTo(messages, 1, 2, { revision, devices: { 'rig-1': 'x' } });
        const refused = await refusal(() => store.commit({ ...changesOf(other, 'after'), logs: [other, late] }));
        same(refused instanceof StoreConflict, true, `StoreConflict for revision ${revision}, not ${refused}`);
      }
      for (const each of [store, await reopen()]) {
        same((await each.logs()).map(({ log, size }) => `${log} ${size}`).join(), `${LOG} 1`, 'logs');
        same((await each.entries(LOG, [1])).length + (await each.entries(OTHER, [0])).length, 0, 'entries');
        same([...((await each.log(LOG))?.devices ?? [])].length, 0, 'devices');
        same(await each.trusted(), 'before', 'trusted');
      }
    },
  },
  {
    title: 'a collector that dies at any moment has every entry once, and acknowledged none that it did not store',
    check: async (open) => {
      const under = await open();
      const messages = arrivals(someLog(24));
      for (let dies = 0; dies < 12; dies += 1) {
        const store = await under.reopen();
        const stored = (await store.logs())[0]?.size ?? 0;
        const collector = await opened(dying(store, dies % 3));
        const from = Math.max(0, stored - 3);
        const reports = await untilItFails(collector, messages.slice(from, from + 9));
        const now = (await (await under.reopen()).logs())[0]?.size ?? 0;
        for (const { next } of acksOf(reports)) same(next <= now, true, `${next} acknowledged, ${now} stored`);
        same(now >= stored, true, `${stored} stored, then ${now}`);
      }
      const collector = await opened(await under.reopen());
      await collector.take(messages, NOW);
      await holdsOnce(await under.reopen(), messages);
    },
  },
  {
    title: 'two collectors at one store give way to each other: every entry is there once',
    check: async (open) => {
      const { store, reopen } = await open();
      const messages = arrivals(someLog(20));
      const [one, other] = [await opened(store), await opened(await reopen())];
      for (let from = 0; from < 20; from += 5) {
        await one.take(messages.slice(0, from + 3), NOW);
        await other.take(messages.slice(from, from + 5), NOW);
      }
      await one.take(messages, NOW);
      await holdsOnce(store, messages);
    },
  },
];

const NOW = 1_795_339_300_000;
const LOG = 'example.org/gw-contract/1';
const OTHER = 'example.org/gw-other/1';

const { privateKey } = generateKeyPairSync('ed25519');
const signer: Signer = signerOf(privateKey);
const keys = parseTrustedKeys(jwkOf(privateKey));

/** Messages of a small log. */
const someLog = (count: number, log = LOG): readonly Buffer[] => {
  const messages: Buffer[] = [];
  for (let seq = 0; seq < count; seq += 1) {
    const before = messages.at(-1);
    const statement = {
      ...(seq === 0 ? START : { kind: 'session', session: { event: 'storage', reason: 'ünïcode "quoted" \u2028 \\' } }),
      eat_profile: EAT_PROFILE,
      log,
      seq,
      prev: before === undefined ? NO_PREVIOUS : leafHash(before).toString('base64url'),
      iat: 1_795_339_200 + seq,
      mono_ms: seq * 1000,
      bootcount: 1,
      bootseed: 'AAECAwQFBgcICQoLDA0ODw',
      clock: { state: 'synced', src: 'ntp' },
    };
    messages.push(signMessage(statement, 'miner-att+jwt', signer));
  }
  return messages;
};

const START = {
  kind: 'session',
  session: {
    event: 'start',
    agent: { name: 'contract', version: '1' },
    config_sha256: NO_PREVIOUS,
    host: { os: 'linux', kernel: '6', arch: 'x64' },
    key_protection: 'file',
    prior: null,
  },
};

const changesTo = (
  messages: readonly Buffer[],
  from: number,
  to: number,
  {
    revision = 0,
    devices = {},
  }: { readonly revision?: number; readonly devices?: { readonly [name: string]: string } } = {},
): LogChanges => ({
  log: LOG,
  revision,
  size: to,
  state: `state "${to}"`,
  devices: new Map(Object.entries(devices)),
  entries: messages.slice(from, to).map((bytes, index) => ({
    seq: from + index,
    bytes,
    leaf: leafHash(bytes),
    status: 'chained',
    remarks: [],
    statement: JSON.parse(bytes.toString('utf8')),
    receivedAtMs: NOW,
  })),
});

const changesOf = (log: LogChanges, trusted?: string): Changes => ({
  logs: [log],
  notices: [{ kind: 'restart', log: log.log, seq: 0, bootcount: 1 }],
  refused: [
    {
      topic: 't',
      bytes: Buffer.of(0, 255, 10),
      remarks: [{ code: 'E_ENCODING', step: 1, detail: 'x' }],
      receivedAtMs: NOW,
    },
  ],
  ...(trusted === undefined ? {} : { trusted }),
});

const holds = async (store: CollectorStore, messages: readonly Buffer[]): Promise<void> => {
  const stored = await store.log(LOG);
  same(stored?.revision, 2, 'revision');
  same(stored?.state, 'state "3"', 'state');
  const devices = [...(stored?.devices ?? [])].map(([name, state]) => `${name} ${state}`).sort();
  same(devices.join(), 'rig-1 a,rig-2 c', 'devices');
  for (const { seq, bytes } of await store.entries(LOG, [0, 1, 2]))
    same(text(bytes), text(messages[seq]), `entry ${seq}`);
  same((await store.logs()).map(({ log, size }) => `${log} ${size}`).join(), `${LOG} 3`, 'logs');
};

const holdsOnce = async (store: CollectorStore, messages: readonly Arrived[]): Promise<void> => {
  same((await store.logs())[0]?.size, messages.length, 'size');
  const seqs = messages.map((_message, seq) => seq);
  const entries = [...(await store.entries(LOG, seqs))].sort((before, after) => before.seq - after.seq);
  same(entries.map(({ seq }) => seq).join(), seqs.join(), 'entries');
  for (const { seq, bytes } of entries) same(text(bytes), text(messages[seq]?.payload), `entry ${seq}`);
};

const arrivals = (messages: readonly Buffer[]): readonly Arrived[] =>
  messages.map((payload) => ({ topic: 'attest/v1/gw-contract/log', payload }));

const opened = (store: CollectorStore): Promise<Collector> =>
  Collector.open({ id: 'contract', store, trust: { kind: 'keys', keys } });

/** A store whose second commit fails: before it, after it was kept, or not at all. */
const dying = (store: CollectorStore, how: number): CollectorStore => {
  let commits = 0;
  return {
    logs: () => store.logs(),
    log: (log) => store.log(log),
    entries: (log, seqs) => store.entries(log, seqs),
    trusted: () => store.trusted(),
    commit: async (changes) => {
      commits += 1;
      if (commits === 2 && how === 0) throw new Error('killed before the commit');
      await store.commit(changes);
      if (commits === 2 && how === 1) throw new Error('killed after the commit');
    },
  };
};

const untilItFails = async (collector: Collector, messages: readonly Arrived[]): Promise<readonly Report[]> => {
  const reports: Report[] = [];
  try {
    for (let from = 0; from < messages.length; from += 4)
      reports.push(await collector.take(messages.slice(from, from + 4), NOW));
  } catch {
    // It died.
  }
  return reports;
};

const acksOf = (reports: readonly Report[]): readonly Ack[] =>
  reports
    .flatMap(({ publish }) => publish)
    .filter(({ topic }) => topic.includes('/ack/'))
    .map(({ payload }) => ackSchema.parse(JSON.parse(payload.toString('utf8'))));

const refusal = async (body: () => unknown): Promise<unknown> => {
  try {
    await body();
    return undefined;
  } catch (problem) {
    return problem;
  }
};

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');

const same = (actual: unknown, expected: unknown, what: string): void => {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
};
