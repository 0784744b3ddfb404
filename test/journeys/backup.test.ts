import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { Store } from '../../agent/record/store.ts';
import type { Statement } from '../../shared/statement.ts';
import { until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { fleetOf } from './fleets.ts';

/** What docs/backup.md says, done. */

const STORE = 'assayer.db';

/** An agent that has seen two devices. */
const furnish = async (base: string) => {
  const stack = new AsyncDisposableStack();
  const fleet = stack.use(await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], base));
  const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
  const gateway = stack.use(await Gateway.start({ devices }));
  await gateway.knows(2);
  return { gateway, fleet, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

/** `sqlite3 assayer.db "VACUUM INTO …"` beside a running agent, and the small files. */
const backUp = (gateway: Gateway): string => {
  const folder = join(gateway.folder, 'backup');
  mkdirSync(folder, { mode: 0o700 });
  for (const name of readdirSync(gateway.stateDir))
    if (/\.(?:json|key)$/.test(name))
      cpSync(join(gateway.stateDir, name), join(folder, name), { preserveTimestamps: true });
  using db = new DatabaseSync(join(gateway.stateDir, STORE), { readOnly: true });
  db.prepare('VACUUM INTO ?').run(join(folder, STORE));
  return folder;
};

/** Puts a file in the place of the store of an agent that does not run. */
const putBackStore = (gateway: Gateway, file: string): void => {
  for (const end of ['', '-wal', '-shm']) rmSync(join(gateway.stateDir, `${STORE}${end}`), { force: true });
  renameSync(file, join(gateway.stateDir, STORE));
};

/** The file in which an agent that lost its store kept what that held. */
const keptBy = (gateway: Gateway): string => /is kept as (\S+?\.replaced-\d+)/.exec(gateway.stderr)?.[1] ?? '';

const sizeIn = (stateDir: string): number => {
  using store = Store.openReadOnly(stateDir);
  return store.size();
};

/** The log that the store holds now. */
const logIn = (gateway: Gateway): readonly Statement[] => {
  using store = Store.openReadOnly(gateway.stateDir);
  return store.entriesFrom(0, 100_000).map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
};

/** How that log began. */
const startOf = (gateway: Gateway) => {
  const [start] = logIn(gateway);
  assert.ok(start?.kind === 'session' && start.session.event === 'start');
  return { log: start.log, prior: start.session.prior };
};

suite('a copy of a state_dir (docs/backup.md)', { timeout: 180_000 }, () => {
  test('made while the agent runs, put back after its end: the store alone is known by the head beside it', async () => {
    await using site = await furnish('127.78.0.1');
    const { gateway, fleet } = site;
    const former = gateway.log[0]?.log;
    const backup = backUp(gateway);
    fleet.device(1).changePoolUser(0, 'thief.1');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
    await gateway.stop();
    const size = sizeIn(gateway.stateDir);
    putBackStore(gateway, join(backup, STORE));
    await gateway.up();
    const { log, prior } = startOf(gateway);
    assert.deepEqual([prior?.log, prior?.size], [former, size]);
    assert.notEqual(log, former);
    await until('the theft is found again', () =>
      logIn(gateway).some((one) => one.kind === 'finding' && one.finding.id === 'pool.user-changed'),
    );
    await gateway.stop();
    await gateway.verified();
  });

  test('made after the end of the agent, put back on another disk: the log goes on where it ended', async () => {
    await using site = await furnish('127.78.1.1');
    const { gateway } = site;
    await gateway.stop();
    const backup = join(gateway.folder, 'backup');
    cpSync(gateway.stateDir, backup, { recursive: true });
    const size = sizeIn(backup);
    const { log } = startOf(gateway);
    rmSync(gateway.stateDir, { recursive: true });
    cpSync(backup, gateway.stateDir, { recursive: true });
    await gateway.up();
    assert.equal(startOf(gateway).log, log);
    assert.ok(sizeIn(gateway.stateDir) > size);
    assert.deepEqual([gateway.eventsOf('log.replaced').length, gateway.eventsOf('log.rolled-back').length], [0, 0]);
    await gateway.stop();
    await gateway.verified();
  });

  test('moved over the store of an agent that runs: it ends at once and says why, keeps what it had, and the next start begins another log', async () => {
    await using site = await furnish('127.78.2.1');
    const { gateway } = site;
    const former = gateway.log[0]?.log;
    const backup = backUp(gateway);
    const before = sizeIn(gateway.stateDir);
    await gateway.says('more is written', () => sizeIn(gateway.stateDir) > before);
    renameSync(join(backup, STORE), join(gateway.stateDir, STORE));
    await until('the agent ends', () => gateway.ended !== undefined, 20_000);
    assert.deepEqual(gateway.ended, { code: 3, signal: null });
    assert.match(
      gateway.stderr,
      /was removed or replaced while it is in use; what it held is kept as (\S+).*\n.*remedy: start the agent again.*\[store\.replaced\]/,
    );
    const kept = keptBy(gateway);
    assert.equal(dirname(kept), gateway.stateDir);
    using db = new DatabaseSync(kept, { readOnly: true });
    const all = Number(db.prepare('SELECT count(*) AS n FROM entries').get()?.n);
    assert.ok(all > before);
    assert.equal(sizeIn(gateway.stateDir), before, 'the copy is whole, and as it was');
    await gateway.up();
    const { log: second, prior } = startOf(gateway);
    assert.deepEqual([prior?.log, prior?.size], [former, all]);
    await gateway.stop();
    await gateway.verified();

    // What it had, put back after another log was begun: a third one, above both.
    const size = sizeIn(gateway.stateDir);
    putBackStore(gateway, kept);
    await gateway.up();
    const third = startOf(gateway);
    assert.deepEqual([third.prior?.log, third.prior?.size], [second, size]);
    await gateway.stop();
    await gateway.verified();
  });

  test('what it had, put back before another start: the log goes on, and nothing of it is lost', async () => {
    await using site = await furnish('127.78.4.1');
    const { gateway } = site;
    const { log } = startOf(gateway);
    renameSync(join(backUp(gateway), STORE), join(gateway.stateDir, STORE));
    await until('the agent ends', () => gateway.ended !== undefined, 20_000);
    putBackStore(gateway, keptBy(gateway));
    const size = sizeIn(gateway.stateDir);
    await gateway.up();
    assert.equal(startOf(gateway).log, log);
    await gateway.says('it goes on', () => sizeIn(gateway.stateDir) > size);
    assert.equal(gateway.eventsOf('log.replaced').length, 0);
    await gateway.stop();
    await gateway.verified();
  });

  test('assayer.db-wal that is removed while the agent runs ends it; the file holds everything then, and the log goes on', async () => {
    await using site = await furnish('127.78.5.1');
    const { gateway } = site;
    const { log } = startOf(gateway);
    const size = sizeIn(gateway.stateDir);
    rmSync(join(gateway.stateDir, `${STORE}-wal`));
    await until('the agent ends', () => gateway.ended !== undefined, 20_000);
    assert.deepEqual(gateway.ended, { code: 3, signal: null });
    assert.match(gateway.stderr, /\[store\.replaced\]/);
    assert.ok(sizeIn(gateway.stateDir) >= size);
    await gateway.up();
    assert.equal(startOf(gateway).log, log);
    await gateway.stop();
    await gateway.verified();
  });

  test('assayer.db-wal that is removed after the agent was killed: an older state, known by the head beside it', async () => {
    await using site = await furnish('127.78.6.1');
    const { gateway, fleet } = site;
    await gateway.stop();
    await gateway.up();
    const { log } = startOf(gateway);
    fleet.device(1).changePoolUser(0, 'thief.1');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
    await gateway.stop('SIGKILL');
    for (const end of ['-wal', '-shm']) rmSync(join(gateway.stateDir, `${STORE}${end}`));
    await gateway.up();
    const { log: next, prior } = startOf(gateway);
    assert.deepEqual([next === log, prior?.log], [false, log]);
    await until('the theft is found again', () =>
      logIn(gateway).some((one) => one.kind === 'finding' && one.finding.id === 'pool.user-changed'),
    );
    await gateway.stop();
    await gateway.verified();
  });

  test('a store that is removed while the agent runs ends it, too, and an empty one begins another log', async () => {
    await using site = await furnish('127.78.3.1');
    const { gateway } = site;
    const former = gateway.log[0]?.log;
    for (const end of ['', '-wal', '-shm']) rmSync(join(gateway.stateDir, `${STORE}${end}`));
    await until('the agent ends', () => gateway.ended !== undefined, 20_000);
    assert.deepEqual(gateway.ended, { code: 3, signal: null });
    await gateway.up();
    assert.equal(startOf(gateway).prior?.log, former);
    assert.equal(gateway.eventsOf('log.begun-anew').length, 1);
  });
});
