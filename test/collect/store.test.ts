import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Database } from '../../agent/collect/database.ts';
import { Postgres } from '../../agent/collect/postgres.ts';
import { alarms, devices, findings, gaps, silence } from '../../agent/collect/queries.ts';
import { SqlStore } from '../../agent/collect/sql-store.ts';
import { Sqlite } from '../../agent/collect/sqlite.ts';
import type { StoreUnderTest } from '../../shared/collector/store-contract.ts';
import { storeContract } from '../../shared/collector/store-contract.ts';
import { Collector, type Notice, type Remark, StoreConflict } from '../../shared/index.ts';
import { arrived, eventful, heartbeat, keys, LOG, NOW, plain, rootOf } from '../shared/collector/bench.ts';
import { attestation, finding, start, stop, Writing } from '../shared/writing.ts';
import { PostgresServer, WITHOUT_POSTGRES } from './postgres-server.ts';

/** Opens a database at one place, again and again. */
type Open = () => Promise<Database>;

let server: PostgresServer | undefined;

const KINDS: {
  readonly [name: string]: { readonly skip: string | false; readonly place: (t: TestContext) => Promise<Open> };
} = {
  SQLite: {
    skip: false,
    place: async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'assayer-collector-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      return async () => Sqlite.open(folder);
    },
  },
  PostgreSQL: {
    skip: WITHOUT_POSTGRES,
    place: async () => {
      const url = await server?.database();
      assert.ok(url);
      return () => Postgres.open({ url });
    },
  },
};

before(async () => {
  if (WITHOUT_POSTGRES === false) server = await PostgresServer.start();
});
after(() => server?.[Symbol.asyncDispose]());

const closing = async (t: TestContext, open: Open): Promise<Database> => {
  const database = await open();
  t.after(() => database[Symbol.asyncDispose]());
  return database;
};

test('however many entries are asked for, the texts of the questions are few: a database keeps what it prepared for each', async () => {
  const asked = new Set<string>();
  const found = new Set<number>();
  const database: Database = {
    all: (sql, values = []) => {
      asked.add(sql);
      const [, ...seqs] = values.map(Number);
      return [...new Set(seqs)].map((seq) => ({ seq, bytes: Buffer.of(0) }));
    },
    write: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const store = new SqlStore(database, () => NOW);
  for (const count of [0, 1, 2, 3, 5, 100, 255, 256, 257, 511, 512, 513, 4_096]) {
    const seqs = Array.from({ length: count }, (_none, index) => index * 3);
    const entries = await store.entries(LOG, seqs);
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      seqs,
      `${count}`,
    );
    for (const { seq } of entries) found.add(seq);
  }
  assert.ok(asked.size <= 10 && found.size === 4_096, `${asked.size} texts`);
});

for (const [name, { skip, place }] of Object.entries(KINDS)) {
  describe(`the store in ${name}`, { skip }, () => {
    for (const { title, check } of storeContract) {
      test(title, (t) =>
        check(async (): Promise<StoreUnderTest> => {
          const open = await place(t);
          const storeAt = async () => new SqlStore(await closing(t, open), () => NOW);
          return { store: await storeAt(), reopen: storeAt };
        }),
      );
    }

    test('two workers that extend one log at the same time: one is told, and nothing of its transaction stays', async (t) => {
      const open = await place(t);
      const stores = [new SqlStore(await closing(t, open), () => NOW), new SqlStore(await closing(t, open), () => NOW)];
      const log = eventful(40);
      const messages = log.messages.map((message) => arrived(message));
      const collectors = await Promise.all(
        stores.map((store) => Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } })),
      );
      for (let from = 0; from < 40; from += 4) {
        await Promise.all(collectors.map((collector) => collector.take(messages.slice(from, from + 6), NOW + from)));
      }
      const [row] = await (await closing(t, open)).all('SELECT count(*) AS entries, max(seq) AS last FROM entry');
      assert.deepEqual([Number(row?.entries), Number(row?.last)], [40, 39]);
      await assert.rejects(
        async () =>
          stores[0]?.commit({
            logs: [{ log: LOG, revision: 7_000, size: 41, state: '', devices: new Map(), entries: [] }],
            notices: [],
            refused: [],
          }),
        StoreConflict,
      );
    });

    test('a log that the store lost is not continued in the middle', async (t) => {
      const open = await place(t);
      const database = await closing(t, open);
      const store = new SqlStore(database, () => NOW);
      const changes = { log: LOG, revision: 3, size: 9, state: '{}', devices: new Map(), entries: [] };
      await assert.rejects(store.commit({ logs: [changes], notices: [], refused: [] }), StoreConflict);
      assert.deepEqual(await store.logs(), []);
    });

    test('current state: newest attestation of each device, open findings, none of what ended or left', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const log = new Writing();
      log.write(start());
      log.write(attestation('rig-1'));
      log.write(attestation('rig-2'));
      log.write(finding({ device: 'rig-1', evidence: [1], opened_seq: 3, before: 'a\0b', after: ['x'] }));
      log.write(finding({ device: 'rig-2', evidence: [2], opened_seq: 4 }));
      log.write(finding({ device: 'rig-2', evidence: [2], opened_seq: 4, state: 'resolved', resolved_at: 1795339300 }));
      log.write({ kind: 'session', session: { event: 'reload', config_sha256: log.leaf(0), removed: ['rig-2'] } });
      const take = (from: number, to: number) =>
        collector.take(
          log.messages.slice(from, to).map((message) => arrived(message)),
          NOW,
        );
      await take(0, 5);
      const open = () =>
        database.all('SELECT device, opened_seq, value_before, value_after FROM finding ORDER BY opened_seq');
      assert.equal((await open()).length, 2);
      const { verdicts } = await take(5, 7);
      assert.deepEqual(
        verdicts.map(({ status, remarks }) => [status, ...remarks.map(({ detail }) => detail)]),
        [['chained'], ['chained']],
      );
      assert.deepEqual(
        (await open()).map((row) => [row.device, Number(row.opened_seq), row.value_before, row.value_after]),
        [['rig-1', 3, '"a\\u0000b"', '["x"]']],
      );
      const devices = await database.all(
        'SELECT device, seq, has_left, conformance, firmware FROM device ORDER BY device',
      );
      assert.deepEqual(
        devices.map((row) => [row.device, Number(row.seq), Number(row.has_left), row.conformance, row.firmware]),
        [
          ['rig-1', 1, 0, 'unbaselined', '2.9.0'],
          ['rig-2', 6, 1, '', ''],
        ],
      );
    });

    test('an attestation of a former incarnation that comes late does not replace a newer one', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const changesTo = (log: string) => {
        const writing = new Writing(log);
        const bytes = [writing.write(start()), writing.write(attestation('rig-1'))];
        const entries = bytes.map((message, seq) => ({
          seq,
          bytes: message,
          leaf: Buffer.alloc(32, seq),
          status: 'chained' as const,
          remarks: [],
          statement: JSON.parse(message.toString()),
          receivedAtMs: NOW,
        }));
        return { log, revision: 0, size: 2, state: '{}', devices: new Map(), entries };
      };
      const commit = (...logs: readonly string[]) =>
        store.commit({ logs: logs.map(changesTo), notices: [], refused: [] });
      const shown = async () => (await database.all('SELECT log FROM device')).map(({ log }) => log);
      await commit('example.org/gw-test/12', 'example.org/gw-test/3');
      assert.deepEqual(await shown(), ['example.org/gw-test/12']);
      await commit('example.org/gw-test/4');
      assert.deepEqual(await shown(), ['example.org/gw-test/12']);
    });

    test('gaps, silence, alarms: told once, gone when they are over, also for a process that did not see them begin', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const note = (...notices: readonly Notice[]) => store.commit({ logs: [], notices, refused: [] });
      const count = async (table: string) => Number((await database.all(`SELECT count(*) AS n FROM ${table}`))[0]?.n);
      const gateway = 'example.org/gw-test';
      await note(
        { kind: 'gap', log: LOG, from: 3, to: 9, waiting: 1 },
        { kind: 'silent', gateway, of: 'heartbeat', sinceMs: NOW },
      );
      await note(
        { kind: 'gap', log: LOG, from: 5, to: 9, waiting: 1 },
        { kind: 'silent', gateway, of: 'coverage', sinceMs: NOW },
      );
      assert.deepEqual(
        (await database.all('SELECT from_seq, to_seq FROM gap')).map((row) => [
          Number(row.from_seq),
          Number(row.to_seq),
        ]),
        [[5, 9]],
      );
      assert.equal(await count('silence'), 2);
      const fork: Notice = {
        kind: 'fork',
        log: LOG,
        at: 4,
        first: Buffer.from('one'),
        second: Buffer.from('two'),
        remark: { code: 'E_FORK', step: 8, detail: 'another' },
      };
      await note(fork, fork);
      await note(fork, { kind: 'lost', log: LOG, from: 0, to: 2 });
      assert.deepEqual([await count('alarm'), await count('gap')], [2, 2]);
      const late: Remark = { code: 'E_TIME_WINDOW', step: 17, detail: 'cosigned before the time it claims' };
      const witnessed = { kind: 'witnessed', log: LOG, size: 2, atS: NOW / 1000 } as const;
      await note({ ...witnessed, remarks: [] }, { ...witnessed, remarks: [late] });
      const at = NOW / 1000;
      assert.deepEqual(await gaps(database, 'gw-test'), [
        { gateway, log: LOG, kind: 'lost', from: 0, to: 2, since: at },
        { gateway, log: LOG, kind: 'gap', from: 5, to: 9, since: at },
      ]);
      assert.deepEqual(
        (await silence(database, gateway)).map((each) => [each.gateway, each.expected, each.since]).sort(),
        [
          [gateway, 'coverage', at],
          [gateway, 'heartbeat', at],
        ],
      );
      const told = await alarms(database, undefined);
      assert.deepEqual(told.map(({ kind }) => kind).sort(), ['fork', 'lost', 'witnessed']);
      assert.equal((told.find(({ kind }) => kind === 'fork')?.detail as { position?: number }).position, 4);
      assert.deepEqual(
        told.find(({ kind }) => kind === 'fork')?.proof.map((piece) => Buffer.from(piece, 'base64').toString()),
        ['one', 'two'],
      );
      for (const ask of [gaps, silence, alarms]) assert.deepEqual(await ask(database, 'gw-other'), []);

      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const log = eventful(10);
      await collector.take([...log.messages.map((message) => arrived(message)), heartbeat(log, 10)], NOW);
      assert.deepEqual(
        [(await database.all('SELECT kind FROM gap')).map(({ kind }) => kind), await count('silence')],
        [['lost'], 0],
      );
    });

    /** The former log with two findings, and the first entry of the one that replaced it, which ended after `size` entries. */
    const replaced = (size: number) => {
      const former = new Writing();
      former.write(start());
      former.write(attestation('rig-1'));
      former.write(finding({ device: 'rig-1', evidence: [1], opened_seq: 2 }));
      former.write(finding({ device: 'rig-1', id: 'pool.user-changed', evidence: [1], opened_seq: 3 }));
      const next = new Writing('example.org/gw-test/20');
      next.write(start({ prior: { log: LOG, size, root: rootOf(former, 4) } }));
      next.write(attestation('rig-1'));
      next.write(finding({ device: 'rig-1', evidence: [1], opened_seq: 2 }));
      return { former, next };
    };
    const shownOf = async (database: Database, all: boolean) =>
      (await findings(database, undefined, { all })).map((each) => [
        each.log.slice(20),
        each.opened_seq,
        each.state,
        each.superseded_by?.slice(20),
      ]);

    test('findings of a log that was replaced are open no more, whatever comes late; they stay to be read', async (t) => {
      const open = await place(t);
      const database = await closing(t, open);
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const { former, next } = replaced(4);
      const take = (messages: readonly Buffer[]) =>
        collector.take(
          messages.map((each) => arrived(each)),
          NOW,
        );
      await take(former.messages.slice(0, 3));
      assert.deepEqual(await shownOf(database, false), [['1', 2, 'open', undefined]]);
      await take(next.messages);
      await take(former.messages.slice(3));
      assert.deepEqual(await shownOf(database, false), [['20', 2, 'open', undefined]]);
      assert.deepEqual((await shownOf(database, true)).sort(), [
        ['1', 2, 'open', '20'],
        ['1', 3, 'open', '20'],
        ['20', 2, 'open', undefined],
      ]);
      assert.deepEqual(
        (await devices(database, undefined)).map(({ findings: count }) => count),
        [1],
      );
      // What resolves one in its own log late is heard all the same.
      await take([
        former.write(
          finding({ device: 'rig-1', evidence: [1], opened_seq: 2, state: 'resolved', resolved_at: 1795339300 }),
        ),
      ]);
      assert.equal((await shownOf(database, true)).length, 2);
    });

    test('a store that holds findings of replaced logs is mended at the next start', async (t) => {
      const open = await place(t);
      const database = await closing(t, open);
      const collector = await Collector.open({
        id: 'collector-a',
        store: new SqlStore(database, () => NOW),
        trust: { kind: 'keys', keys },
      });
      const { former, next } = replaced(4);
      await collector.take(
        [...former.messages, ...next.messages].map((each) => arrived(each)),
        NOW,
      );
      // As the version before wrote it.
      for (const sql of [
        'DROP INDEX finding_open',
        'DROP INDEX log_of_gateway',
        'ALTER TABLE finding DROP COLUMN superseded_by',
        'ALTER TABLE log DROP COLUMN aside',
        'DROP INDEX alarm_nth',
        'ALTER TABLE alarm DROP COLUMN nth',
        "UPDATE meta SET value = '1' WHERE name = 'version'",
      ])
        await database.write([{ before: sql, row: '', after: '', rows: [[]] }]);
      assert.deepEqual(await shownOf(await closing(t, open), false), [['20', 2, 'open', undefined]]);
    });

    test('a log that is set aside states nothing any more, and others what they did; until it is reinstated', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const { former, next } = replaced(4);
      next.write(attestation('rig-2'));
      await collector.take(
        [...former.messages, ...next.messages].map((each) => arrived(each)),
        NOW,
      );
      const shown = async () => [
        (await devices(database, undefined)).map(({ device, log, seq, findings: open }) => [device, log, seq, open]),
        (await shownOf(database, true)).sort(),
      ];
      const say = (kind: 'aside' | 'reinstated') =>
        store.commit({ logs: [], notices: [{ kind, log: next.next.log, why: 'alice: x' }], refused: [] });
      const before = await shown();
      await say('aside');
      assert.deepEqual(
        (await store.logs()).filter(({ aside }) => aside).map(({ log }) => log),
        [next.next.log],
      );
      assert.deepEqual(await shown(), [
        [['rig-1', LOG, 1, 2]],
        [
          ['1', 2, 'open', undefined],
          ['1', 3, 'open', undefined],
        ],
      ]);
      // The collector that runs finds out at its next transaction about it, and takes nothing more.
      const late = await collector.take([arrived(next.write(stop))], NOW);
      assert.deepEqual(
        late.verdicts.map(({ status, remarks }) => [status, ...remarks.map(({ code }) => code)]),
        [['refused', 'E_INCARNATION']],
      );
      await say('reinstated');
      assert.deepEqual(await shown(), before);
      const told = (await alarms(database, undefined)).filter(({ kind }) => kind === 'aside' || kind === 'reinstated');
      assert.deepEqual(
        told.map(({ kind, log, at, detail }) => [kind, log, at, detail]),
        [
          ['reinstated', next.next.log, NOW / 1000, { why: 'alice: x', at: NOW / 1000 }],
          ['aside', next.next.log, NOW / 1000, { why: 'alice: x', at: NOW / 1000 }],
        ],
      );
    });

    test('alarms of one second are told as they were written, the newest first, those of one transaction too', async (t) => {
      const open = await place(t);
      const database = await closing(t, open);
      let nowMs = NOW;
      const store = new SqlStore(database, () => nowMs);
      const say = (...logs: readonly string[]) =>
        store.commit({
          logs: [],
          notices: logs.map((log) => ({ kind: 'incarnation', log, former: LOG, held: 1, prior: null })),
          refused: [],
        });
      const names = Array.from({ length: 12 }, (_none, at) => `example.org/gw-test/${at + 2}`);
      for (const log of names.slice(0, 6)) await say(log);
      await say(...names.slice(6));
      nowMs -= 5_000;
      await say('example.org/gw-test/90');
      // Told again it is no news.
      nowMs += 60_000;
      await say(names[3] ?? '');
      assert.deepEqual(
        (await alarms(await closing(t, open), undefined)).map(({ log }) => log),
        [...names.toReversed(), 'example.org/gw-test/90'],
      );
    });

    test('a gateway that was put back, and signs fewer entries than before, is an alarm of a fork with both checkpoints', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const log = eventful(10);
      const messages = log.messages.map((message) => arrived(message));
      await collector.take([...messages, heartbeat(log, 10), heartbeat(log, 7)], NOW);
      const told = (await alarms(database, undefined)).map(({ kind, detail, proof }) => {
        const { code, remarks } = detail as { readonly code?: string; readonly remarks?: readonly Remark[] };
        return [kind, code ?? remarks?.map((each) => each.code).join(), proof.length];
      });
      assert.deepEqual(told, [
        ['fork', 'E_ROLLBACK', 2],
        ['checkpoint', 'E_ROLLBACK', 0],
      ]);
    });

    test('a range that is lost and grows is one gap and one alarm, whose time is that of the last news', async (t) => {
      const database = await closing(t, await place(t));
      let nowMs = NOW;
      const store = new SqlStore(database, () => nowMs);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const log = eventful(10);
      const loses = (...firsts: readonly number[]) =>
        collector.take(
          firsts.map((first) => heartbeat(log, 2 ** 52, { root: rootOf(log, 10), first })),
          nowMs,
        );
      const lost = async () => [
        (await gaps(database, undefined)).map(({ kind, from, to, since }) => [kind, from, to, since - NOW / 1000]),
        (await alarms(database, undefined)).map(({ kind, at, detail }) => [kind, at - NOW / 1000, detail]),
      ];
      await collector.take(
        log.messages.slice(0, 5).map((message) => arrived(message)),
        NOW,
      );
      // In one transaction, and in many.
      await loses(6, 7, 8);
      assert.deepEqual(await lost(), [[['lost', 5, 8, 0]], [['lost', 0, { from: 5, to: 8 }]]]);
      nowMs += 60_000;
      for (let first = 1_000; first <= 40_000; first += 1_000) await loses(first);
      const grown = [[['lost', 5, 40_000, 0]], [['lost', 60, { from: 5, to: 40_000 }]]];
      assert.deepEqual(await lost(), grown);
      nowMs += 60_000;
      await loses(40_000);
      assert.deepEqual(await lost(), grown, 'nothing more is lost');
      // What another log says that it lost, and what was replaced, is told apart.
      const other = { kind: 'lost', log: `${LOG}0`, from: 5, to: 9 } as const;
      await store.commit({ logs: [], notices: [other, { ...other, replacedBy: LOG }], refused: [] });
      assert.deepEqual([(await gaps(database, undefined)).length, (await alarms(database, undefined)).length], [3, 3]);
    });

    test('several logs that are set aside at once state nothing, and what stood before them does; all count again at once, too', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      const logs = [1, 2, 3, 4].map((at) => new Writing(`example.org/gw-test/${1795339200 + at}`));
      for (const log of logs)
        for (const content of [start(), attestation('rig-1')]) await collector.take([arrived(log.write(content))], NOW);
      const names = logs.map(({ next }) => next.log);
      const shown = async () => (await devices(database, undefined)).map(({ device, log }) => [device, log]);
      const say = (kind: 'aside' | 'reinstated', some: readonly string[]) =>
        store.commit({ logs: [], notices: some.map((log) => ({ kind, log, why: 'alice: x' })), refused: [] });
      assert.deepEqual(await shown(), [['rig-1', names[3]]]);
      await say('aside', names.slice(1));
      assert.deepEqual(await shown(), [['rig-1', names[0]]]);
      // In whatever order they are named.
      await say('reinstated', names.slice(1).reverse());
      assert.deepEqual(await shown(), [['rig-1', names[3]]]);
    });

    test('where a log is set aside by the entry of another, devices are what that one says of them', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const [own, ahead] = [new Writing(), new Writing('example.org/gw-test/4102444800')];
      for (const log of [own, ahead]) for (const each of [start(), attestation('rig-1')]) log.write(each);
      const opened = () => Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      await (await opened()).take([arrived(own.messages[0] ?? Buffer.of())], NOW);
      await (await opened()).take(
        ahead.messages.map((each) => arrived(each)),
        4_102_444_800_000,
      );
      const shown = async () => (await devices(database, undefined)).map(({ log, seq }) => [log, seq]);
      assert.deepEqual(await shown(), [[ahead.next.log, 1]]);
      await (await opened()).take([arrived(own.messages[1] ?? Buffer.of())], NOW);
      assert.deepEqual(await shown(), [[LOG, 1]]);
      assert.deepEqual(
        (await alarms(database, undefined)).filter(({ kind }) => kind === 'aside').map(({ log }) => log),
        [ahead.next.log],
      );
    });

    test('logs without an entry, which an earlier version kept, are gone at the next start; of their gaps one a gateway stays', async (t) => {
      const open = await place(t);
      const database = await closing(t, open);
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      await collector.take(
        eventful(3).messages.map((each) => arrived(each)),
        NOW,
      );
      const named = (gateway: string, incarnation: number) => `example.org/${gateway}/${incarnation}`;
      for (let index = 0; index < 3; index += 1) {
        const log = named('gw-test', 10 + index);
        await store.commit({
          logs: [{ log, revision: 0, size: index, state: '', devices: new Map(), entries: [] }],
          notices: [],
          refused: [],
        });
      }
      for (const sql of [
        'ALTER TABLE log DROP COLUMN aside',
        'DROP INDEX alarm_nth',
        'ALTER TABLE alarm DROP COLUMN nth',
        "UPDATE meta SET value = '2' WHERE name = 'version'",
      ])
        await database.write([{ before: sql, row: '', after: '', rows: [[]] }]);
      const again = new SqlStore(await closing(t, open), () => NOW);
      assert.deepEqual(
        (await again.logs()).map(({ log, size }) => [log, size]),
        [[LOG, 3]],
      );
      const gapOf = (log: string): Notice => ({ kind: 'gap', log, from: 0, to: 1, waiting: 1 });
      for (const each of [
        [gapOf(LOG)],
        [gapOf(named('gw-test-2', 5))],
        [10, 11].map((at) => gapOf(named('gw-test', at))),
      ])
        await again.commit({ logs: [], notices: each, refused: [] });
      await again.commit({ logs: [], notices: [gapOf(named('gw-test', 12))], refused: [] });
      assert.deepEqual(
        (await database.all('SELECT log FROM gap')).map(({ log }) => log).sort(),
        [LOG, named('gw-test', 12), named('gw-test-2', 5)].sort(),
      );
    });

    test('a log that is signed for and never comes is an alarm beside one that is here, until a person sets it aside', async (t) => {
      const database = await closing(t, await place(t));
      const store = new SqlStore(database, () => NOW);
      const ghost = 'example.org/gw-test/7';
      const gap: Notice = { kind: 'gap', log: ghost, from: 0, to: 3, waiting: 0 };
      const commit = (notice: Notice) => store.commit({ logs: [], notices: [notice], refused: [] });
      const told = async () => (await alarms(database, undefined)).filter(({ kind }) => kind === 'unbegun');
      await commit(gap);
      assert.deepEqual([(await gaps(database, undefined)).length, await told()], [1, []], 'it may be the first one');
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      await collector.take(
        eventful(3).messages.map((each) => arrived(each)),
        NOW,
      );
      assert.deepEqual(await told(), [
        { kind: 'unbegun', at: NOW / 1000, log: ghost, detail: { from: 0, to: 3 }, proof: [] },
      ]);
      const logs = async () => (await store.logs()).map(({ log, size, aside }) => [log, size, aside]).sort();
      await commit({ kind: 'aside', log: ghost, why: 'alice: x' });
      assert.deepEqual([await told(), await gaps(database, undefined)], [[], []]);
      assert.deepEqual(await logs(), [
        [LOG, 3, undefined],
        [ghost, 0, true],
      ]);
      await commit({ kind: 'reinstated', log: ghost, why: 'alice: y' });
      assert.deepEqual(await logs(), [[LOG, 3, undefined]]);
      await commit(gap);
      const begun = plain(3, ghost).messages.map((each) => arrived(each));
      await (await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } })).take(begun, NOW);
      assert.deepEqual([await told(), await gaps(database, undefined)], [[], []], 'it came');
    });

    test('entries that the next log says there were are lost, and told with its alarm; found again if they come', async (t) => {
      for (const held of [0, 2]) {
        const database = await closing(t, await place(t));
        const store = new SqlStore(database, () => NOW);
        const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
        const { former, next } = replaced(4);
        const take = (messages: readonly Buffer[]) =>
          collector.take(
            messages.map((each) => arrived(each)),
            NOW,
          );
        await take([...former.messages.slice(0, held), ...next.messages]);
        const lost = { gateway: 'example.org/gw-test', log: LOG, kind: 'lost', from: held, to: 4, since: NOW / 1000 };
        assert.deepEqual(await gaps(database, undefined), [lost]);
        const prior = { log: LOG, size: 4, root: rootOf(former, 4) };
        const ends = held === 0 ? { prior } : { former: LOG, held, prior };
        assert.deepEqual((await alarms(database, undefined)).map(({ kind, detail }) => [kind, detail]).sort(), [
          ['lost', { from: held, to: 4, replaced_by: next.next.log }],
          ['replaced', ends],
        ]);
        await take(former.messages.slice(0, 3));
        assert.deepEqual(await gaps(database, undefined), [{ ...lost, from: 3 }]);
        await take(former.messages);
        assert.deepEqual(await gaps(database, undefined), []);
      }
    });

    test('of refused messages the newest 4096 stay', async (t) => {
      const database = await closing(t, await place(t));
      const refuse = (from: number, count: number) =>
        new SqlStore(database, () => NOW).commit({
          logs: [],
          notices: [],
          refused: Array.from({ length: count }, (_none, index) => ({
            topic: 'attest/v1/gw-test/log',
            bytes: Buffer.from(`forged ${from + index}`),
            remarks: [{ code: 'E_SIGNATURE' as const, step: 4, detail: 'x' }],
            receivedAtMs: NOW + (from + index) * 1000,
          })),
        });
      for (let from = 0; from < 4_200; from += 300) await refuse(from, 300);
      const [row] = await database.all('SELECT count(*) AS n, min(at) AS oldest FROM refused');
      assert.deepEqual([Number(row?.n), Number(row?.oldest)], [4_096, NOW / 1000 + 104]);
    });

    test('messages of any bytes are kept byte for byte', async (t) => {
      const database = await closing(t, await place(t));
      const log = new Writing();
      log.write(start());
      log.write({ ...stop, session: { event: 'stop', reason: 'ünïcode \0 \u2028 ? $1 \\ \'"' } });
      const store = new SqlStore(database, () => NOW);
      const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
      await collector.take(
        log.messages.map((message) => arrived(message)),
        NOW,
      );
      const rows = await database.all('SELECT bytes FROM entry ORDER BY seq');
      assert.deepEqual(
        rows.map(({ bytes }) => Buffer.from(bytes as Uint8Array).toString()),
        log.messages.map(String),
      );
    });
  });
}
