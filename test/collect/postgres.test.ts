import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Postgres } from '../../agent/collect/postgres.ts';
import { AgentError } from '../../agent/platform/errors.ts';
import { assayer } from '../cli/assayer.ts';
import { Authority } from '../publish/certificates.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { eventful, plain } from '../shared/collector/bench.ts';
import { stop } from '../shared/writing.ts';
import { CollectorProcess } from './collector-process.ts';
import { PostgresServer, WITHOUT_POSTGRES } from './postgres-server.ts';
import { SimulatedGateway, textOf } from './simulated-gateway.ts';

const code = (wanted: string) => (error: unknown) => error instanceof AgentError && error.code === wanted;

describe('assayer collect with PostgreSQL', { skip: WITHOUT_MOSQUITTO || WITHOUT_POSTGRES }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const assertWhole = async (url: string, { log }: SimulatedGateway): Promise<void> => {
    const rows = await server.query(
      new URL(url).pathname.slice(1),
      `SELECT bytes FROM assayer.entry WHERE log = '${log.next.log}' ORDER BY seq`,
    );
    assert.deepEqual(
      rows.map(({ bytes }) => textOf(bytes as Uint8Array)),
      log.messages.map(textOf),
    );
  };

  test('workers and server killed at random moments: every entry is there once, none was confirmed that is not', async () => {
    const url = await server.database();
    await using broker = await Mosquitto.start();
    await using one = new CollectorProcess();
    await using other = new CollectorProcess();
    const gateways = await Promise.all(
      Array.from({ length: 4 }, (_none, index) =>
        SimulatedGateway.connect(broker.url, plain(20, `example.org/gw-${index}/1`)),
      ),
    );
    const writing = setInterval(() => {
      for (const gateway of gateways) {
        if (gateway.log.messages.length < 400) for (let n = 0; n < 4; n += 1) gateway.log.write(stop);
        gateway.wake();
      }
    }, 50);
    try {
      one.start(broker.url, ['--postgres', url, '--shard', '1/2']);
      other.start(broker.url, ['--postgres', url, '--shard', '2/2']);
      await until('something is confirmed', () => gateways.some(({ acked }) => acked > 0));
      await server.kill();
      const acked = gateways.map((gateway) => gateway.acked);
      await server.up();
      const sizes = await server.query(new URL(url).pathname.slice(1), 'SELECT log, size FROM assayer.log');
      for (const [index, gateway] of gateways.entries()) {
        const size = Number(sizes.find(({ log }) => log === gateway.log.next.log)?.size ?? 0);
        assert.ok(size >= (acked[index] ?? 0), `${acked[index]} confirmed, ${size} stored`);
      }
      await one.kill();
      await delay(300);
      one.start(broker.url, ['--postgres', url, '--shard', '1/2']);
      const isDone = () => gateways.every(({ isDone: done, log }) => done && log.messages.length >= 400);
      await until('all entries are confirmed', isDone, 60_000);
    } finally {
      clearInterval(writing);
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
    }
    for (const gateway of gateways) {
      await assertWhole(url, gateway);
      assert.deepEqual(gateway.wrong, []);
    }
    assert.match(one.err + other.err, /"event":"collect.store-refuses","code":"store.unreachable"/);
    assert.deepEqual(await one.stop(), { code: 0, signal: null });
    assert.deepEqual(await other.stop(), { code: 0, signal: null });
  });

  test('tables that are dropped under it: it ends with what to do, and without a stack', async () => {
    for (const sql of ['DROP TABLE assayer.entry', 'DROP SCHEMA assayer CASCADE']) {
      const url = await server.database();
      await using broker = await Mosquitto.start();
      await using collector = new CollectorProcess();
      await using gateway = await SimulatedGateway.connect(broker.url, plain(20));
      collector.start(broker.url, ['--postgres', url]);
      await until('all are confirmed', () => gateway.isDone);
      await server.query(new URL(url).pathname.slice(1), sql);
      for (let n = 0; n < 5; n += 1) gateway.log.write(stop);
      gateway.wake();
      assert.deepEqual(await collector.ended(), { code: 3, signal: null }, sql);
      assert.match(
        collector.err,
        /PostgreSQL at .*does not exist\n.*restore a backup of the store.*\[store\.tables\]/,
        sql,
      );
      assert.doesNotMatch(collector.err, /\n +at /);
      assert.equal(gateway.acked, 20);
    }
  });

  test('two workers that serve the same gateways by mistake lose time, not entries', async () => {
    const url = await server.database();
    await using broker = await Mosquitto.start();
    await using one = new CollectorProcess();
    await using other = new CollectorProcess();
    await using gateway = await SimulatedGateway.connect(broker.url, eventful(300));
    one.start(broker.url, ['--postgres', url, '--shard', '1/1']);
    other.start(broker.url, ['--postgres', url, '--gateways', gateway.id]);
    await until('all are confirmed', () => gateway.isDone, 40_000);
    await assertWhole(url, gateway);
    assert.deepEqual(gateway.wrong, []);
  });

  test('queries read it, and say when there is nothing to read', async () => {
    const url = await server.database();
    const empty = await assayer(['collect', 'devices', '--postgres', url]);
    assert.deepEqual([empty.code, empty.out], [3, '']);
    assert.match(
      empty.err,
      /no collector has made its tables in PostgreSQL at 127\.0\.0\.1:\d+\/fleet_\d+\n.*\[store.absent\]/,
    );
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    await using gateway = await SimulatedGateway.connect(broker.url, eventful(60));
    collector.start(broker.url, ['--postgres', url, '--until-idle', '2']);
    assert.equal((await collector.ended()).code, 0, collector.err);
    assert.ok(gateway.isDone);
    const logs = await assayer(['collect', 'logs', '--postgres', url, '--json']);
    assert.deepEqual(
      [JSON.parse(logs.out)].map(({ log, size, included }) => [log, size, included]),
      [[gateway.log.next.log, 60, 60]],
    );
    const devices = await assayer(['collect', 'devices', '--postgres', url]);
    assert.match(devices.out, /^example\.org\/gw-test {2}rig-0 /m);
    const findings = await assayer(['collect', 'findings', '--postgres', url, '--json', '--gateway', 'gw-test']);
    assert.equal(findings.code, 1);
    assert.equal(JSON.parse(findings.out.split('\n')[0] ?? '').id, 'pool.url-changed');
  });

  test('over TLS the server has to show a certificate for its name, from the authority that the URL names', async () => {
    const authority = new Authority(server.folder);
    const { cert, key } = authority.issue('postgres', 'IP:127.0.0.1');
    const stranger = mkdtempSync(join(server.folder, 'stranger-'));
    const other = new Authority(stranger);
    await using secure = await PostgresServer.start({ cert, key });
    const url = `${await secure.database()}?sslmode=verify-full`;
    await using database = await Postgres.open({ url: `${url}&sslrootcert=${authority.ca}` });
    const [row] = await database.all('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    assert.equal(row?.ssl, true);
    await assert.rejects(Postgres.open({ url: `${url}&sslrootcert=${other.ca}` }), code('store.unreachable'));
    await assert.rejects(Postgres.open({ url }), code('store.unreachable'));
    // The same server under a name that its certificate does not have.
    const renamed = url.replace('127.0.0.1', 'localhost');
    await assert.rejects(Postgres.open({ url: `${renamed}&sslrootcert=${authority.ca}` }), code('store.unreachable'));
  });

  test('what cannot be used is told without the password', async () => {
    const refused = async (url: string): Promise<AgentError> => {
      const problem = await Postgres.open({ url }).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(problem instanceof AgentError, `${problem}`);
      assert.doesNotMatch(`${problem.message}${problem.remedy}`, /hunter2/);
      return problem;
    };
    assert.equal((await refused('postgresql://me:hunter2@127.0.0.1/x')).code, 'usage.postgres');
    assert.equal((await refused('mysql://127.0.0.1/x')).code, 'usage.postgres');
    assert.equal((await refused('postgresql://me@db.example.org/x?sslmode=no-verify')).code, 'usage.postgres');
    assert.equal((await refused('postgresql://me@db.example.org/x?sslrootcert=/nowhere')).code, 'usage.postgres');
    assert.equal((await refused('postgresql://me@127.0.0.1/x?host=db.example.org')).code, 'usage.postgres');
    assert.equal((await refused('postgresql://me@db.example.org/x?ssl=no-verify')).code, 'usage.postgres');
    assert.equal((await refused(server.urlOf('nowhere'))).code, 'store.denied');
    assert.equal((await refused('postgresql://me@127.0.0.1:1/x')).code, 'store.unreachable');
    // TLS is demanded where nothing is said, and this server has none.
    assert.equal((await refused(`${server.urlOf('postgres')}?sslmode=verify-full`)).code, 'store.unreachable');
    await server.query('postgres', 'CREATE ROLE reader LOGIN');
    await server.query('postgres', 'REVOKE CREATE ON DATABASE postgres FROM PUBLIC');
    await assert.rejects(
      Postgres.open({ url: server.urlOf('postgres').replace('collector@', 'reader@') }),
      code('store.denied'),
    );
  });
});
