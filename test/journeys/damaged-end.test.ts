import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Store } from '../../agent/record/store.ts';
import type { Statement } from '../../shared/statement.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { mountSmall, remount, WITHOUT_MOUNT } from '../record/small-disk.ts';
import { damageFrame, framesOf } from '../record/torn.ts';
import { Gateway, run } from './agent.ts';
import { assertPolite, fleetOf } from './fleets.ts';

const TOPIC = 'attest/v1/gw-1/log';

/** The messages of each log, by its origin, in order of `seq`; every message once. */
const byLog = (observer: Observer): ReadonlyMap<string, readonly { readonly seq: number; readonly text: string }[]> => {
  const texts = [...new Set(observer.on(TOPIC).map(({ text }) => text))];
  const entries = texts.map((text) => ({ text, ...(JSON.parse(text) as Pick<Statement, 'log' | 'seq'>) }));
  return Map.groupBy(
    entries.sort((one, other) => one.seq - other.seq),
    ({ log }) => log,
  );
};

const LOST = ['evidence.agent-gap', 'high', ['store-lost']];

/** What counts in the store now. */
const openFindings = (gateway: Gateway) => {
  using store = Store.openReadOnly(gateway.stateDir);
  return store.findings({ open: true }).map(({ finding }) => [finding.ruleId, finding.severity, finding.reasons]);
};

const learnedIn = (log: readonly Statement[]): readonly string[] =>
  log.flatMap((one) =>
    one.kind === 'baseline' && one.baseline.action === 'learned'
      ? one.baseline.devices.map(({ device }) => device)
      : [],
  );

/** The log that the store holds now names what the second device shows as learned. */
const learnsAnew = (gateway: Gateway): Promise<void> =>
  until('the second is learned anew', () => {
    using store = Store.openReadOnly(gateway.stateDir);
    const log = store.entriesFrom(0, 100_000).map(({ message }) => JSON.parse(Buffer.from(message).toString()));
    return learnedIn(log as readonly Statement[]).includes('rig-1');
  });

/** A gateway that came to know a second device after a clean stop, and found the theft at it. `before.db` in its folder is the store of that stop. */
const robbed = async (fleet: Awaited<ReturnType<typeof fleetOf>>): Promise<Gateway> => {
  const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
  const gateway = await Gateway.start({ devices: devices.slice(0, 1) });
  await gateway.says('the first is learned', (log) => learnedIn(log).includes('rig-0'));
  await gateway.stop();
  copyFileSync(join(gateway.stateDir, 'assayer.db'), join(gateway.folder, 'before.db'));
  gateway.configure({ devices });
  await gateway.up();
  await gateway.says('the second is learned', (log) => learnedIn(log).includes('rig-1'));
  fleet.device(1).changePoolUser(0, 'thief.1');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
  // What was written of the theft is not the last that was written.
  const { size } = statSync(join(gateway.stateDir, 'assayer.db-wal'));
  const noted = (): boolean => statSync(join(gateway.stateDir, 'assayer.db-wal')).size > size;
  await until('more is written', noted, 20_000);
  return gateway;
};

suite(
  'a write-ahead log whose end is damaged while the agent is down (issue 2)',
  {
    skip: WITHOUT_MOSQUITTO,
    timeout: 120_000,
  },
  () => {
    test('no number of what was published is used again: another log begins, and says what shows', async () => {
      await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.78.0.1');
      const devices = fleet.devices.map(({ address }, at) => ({
        host: address,
        name: `rig-${at}`,
        ports: fleet.ports,
      }));
      await using broker = await Mosquitto.start();
      await using observer = await Observer.connect(broker.url);
      await using gateway = Gateway.create({ devices, mqtt: { url: broker.url, spread_s: 0 } });
      await gateway.up();
      await gateway.knows(2);
      await gateway.says('what was learned', (log) => log.some(({ kind }) => kind === 'baseline'));
      const wal = join(gateway.stateDir, 'assayer.db-wal');
      const before = framesOf(wal);
      fleet.device(1).changePoolUser(0, 'thief.1');
      const theft = (text: string): boolean =>
        text.includes('"pool.user-changed"') && text.includes('"kind":"finding"');
      await until('the theft is published', () => observer.on(TOPIC).some(({ text }) => theft(text)));
      const [stolen] = gateway.findings('pool.user-changed');
      // The agent notes again and again that it runs: what it wrote of the theft is not the last that it wrote.
      await delay(6000);
      assert.deepEqual(await gateway.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
      assert.ok(framesOf(wal) > before);
      damageFrame(wal, before);

      const doctor = await gateway.assayer('doctor');
      assert.match(doctor.out, /^FAIL {2}store .* assayer\.db-wal is damaged behind frame \d+: /m);
      for (const verb of ['findings', 'status', 'log']) {
        const { err } = await gateway.assayer(verb);
        assert.match(err, /assayer\.db-wal is damaged behind frame \d+: /, verb);
      }

      await gateway.up();
      const told = await gateway.event('store.end-lost');
      assert.equal(told.level, 'error');
      assert.match(String(told.message), /^assayer\.db-wal is damaged behind frame \d+: /);
      assert.match(String(told.kept), /assayer\.db-wal\.damaged-\d+$/);
      assert.equal((await gateway.event('log.replaced')).former, stolen?.log);
      await until('the theft is found again', () =>
        observer.on(TOPIC).some(({ text }) => theft(text) && (JSON.parse(text) as Statement).log !== stolen?.log),
      );
      await gateway.stop();
      assert.match((await gateway.assayer('findings')).out, /critical .*pool\.user-changed/);
      assert.match((await gateway.assayer('doctor')).out, /^warn {2}store .* the end of the store was damaged/m);

      await gateway.verified();
      const logs = byLog(observer);
      assert.equal(logs.size, 2);
      for (const [log, entries] of logs) {
        assert.deepEqual(
          entries.map(({ seq }) => seq),
          entries.map((_entry, at) => at),
          `a number of ${log} stands for one entry`,
        );
      }
      const file = gateway.write(
        'published.jsonl',
        `${[...logs.values()]
          .flat()
          .map(({ text }) => text)
          .join('\n')}\n`,
      );
      const { out } = await run(['verify', file, '--key', gateway.keyFile]);
      assert.doesNotMatch(out, /E_/);

      await gateway.up();
      await gateway.stop('SIGKILL');
      await gateway.up();
      await gateway.stop();
      assert.deepEqual([gateway.eventsOf('store.end-lost').length, gateway.eventsOf('log.replaced').length], [1, 1]);
      assert.equal(readdirSync(gateway.stateDir).filter((name) => name.includes('.damaged')).length, 1);
      assertPolite(fleet);
    });

    test('of a store that was never moved into its file doctor and the verbs that look say so, too', async () => {
      await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.1.1');
      const devices = fleet.devices.map(({ address }) => ({ host: address, name: 'rig-0', ports: fleet.ports }));
      await using gateway = Gateway.create({ devices });
      await gateway.up();
      await gateway.knows(1);
      await gateway.says('what was learned', (log) => log.some(({ kind }) => kind === 'baseline'));
      await gateway.stop('SIGKILL');
      damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 1);
      assert.match(
        (await gateway.assayer('doctor')).out,
        /^FAIL {2}store .* assayer\.db-wal is damaged behind frame 0: /m,
      );
      for (const verb of ['findings', 'status', 'log'])
        assert.match((await gateway.assayer(verb)).err, /assayer\.db-wal is damaged behind frame 0: /, verb);
      await gateway.up();
      await gateway.event('store.end-lost');
      await gateway.verified();
    });
  },
);

suite('a store that lost what it knew of a device, and the theft at it', { timeout: 180_000 }, () => {
  test('what was learned in the lost part is learned anew, and that this may hide a theft is high and open until a person closes it', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.78.2.1');
    await using gateway = await robbed(fleet);
    await gateway.stop('SIGKILL');
    damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 3);
    await gateway.up();
    await gateway.event('store.end-lost');
    await learnsAnew(gateway);
    await gateway.stop();
    assert.deepEqual(openFindings(gateway), [LOST]);
    assert.match(
      (await gateway.assayer('doctor')).out,
      /^warn {2}store .* an earlier store, or the end of it, was lost/m,
    );
    await gateway.up();
    await gateway.stop();
    assert.deepEqual(openFindings(gateway), [LOST]);
    await gateway.verified();
  });

  test('a start that fails once the other log has begun leaves no log that says nothing of it', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.78.3.1');
    await using gateway = await robbed(fleet);
    await gateway.stop('SIGKILL');
    damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 3);
    rmSync(join(gateway.stateDir, 'control.sock'), { force: true });
    mkdirSync(join(gateway.stateDir, 'control.sock'));
    await assert.rejects(gateway.up(), /config\.state-dir/);
    assert.equal(gateway.eventsOf('log.replaced').length, 1, 'it had begun');
    rmdirSync(join(gateway.stateDir, 'control.sock'));
    await gateway.up();
    await gateway.stop();
    assert.equal(gateway.eventsOf('log.replaced').length, 1, 'and goes on');
    assert.deepEqual(openFindings(gateway), [LOST]);
  });

  test('the same of a store that is put back to before a device was known', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.78.4.1');
    await using gateway = await robbed(fleet);
    await gateway.stop();
    for (const end of ['', '-wal', '-shm']) rmSync(join(gateway.stateDir, `assayer.db${end}`), { force: true });
    copyFileSync(join(gateway.folder, 'before.db'), join(gateway.stateDir, 'assayer.db'));
    await gateway.up();
    await gateway.event('log.replaced');
    await learnsAnew(gateway);
    await gateway.stop();
    assert.deepEqual(openFindings(gateway), [LOST]);
    await gateway.verified();
  });
});

/** Verbs that look at the store; the agent need not run. What they say of a loss they say once. */
const LOOKING = [
  'findings',
  'findings show 1',
  'status',
  'log',
  'plan list',
  'waiver list',
  'lint',
  'baseline show',
  'baseline export --all',
] as const;

/** A gateway with one device, whose agent was killed after it had moved `moved` into the file, and then wrote more. */
const killed = async (
  fleet: Awaited<ReturnType<typeof fleetOf>>,
  { isMoved }: { readonly isMoved: boolean },
  furnish?: Parameters<typeof Gateway.create>[1],
): Promise<Gateway> => {
  const devices = fleet.devices.map(({ address }) => ({ host: address, name: 'rig-0', ports: fleet.ports }));
  const gateway = Gateway.create({ devices }, furnish);
  await gateway.up();
  await gateway.says('what was learned', (log) => learnedIn(log).includes('rig-0'));
  if (isMoved) {
    await gateway.stop();
    await gateway.up();
    fleet.device(0).changePoolUser(0, 'thief.1');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
  }
  await gateway.stop('SIGKILL');
  return gateway;
};

suite('verbs that look at a store whose end is damaged', { timeout: 180_000 }, () => {
  test('all of them say once that they show an older state', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.5.1');
    await using gateway = await killed(fleet, { isMoved: true });
    damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 3);
    for (const verb of LOOKING) {
      const { err } = await gateway.assayer(verb);
      assert.equal(err.match(/assayer\.db-wal is damaged behind frame \d+: .* see assayer doctor\n/g)?.length, 1, verb);
    }
  });

  test('where what is left has the schema of no version, they say what the next start does', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.6.1');
    await using gateway = await killed(fleet, { isMoved: false });
    damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 1);
    for (const verb of LOOKING) {
      const { err } = await gateway.assayer(verb);
      assert.match(
        err,
        /\n {2}remedy: .*the next start keeps the damaged file and begins another log: docs\/backup\.md/,
        verb,
      );
      assert.doesNotMatch(err, /up to date/, verb);
    }
  });

  test('where assayer.db-wal is a folder, it is named', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.7.1');
    await using gateway = await killed(fleet, { isMoved: true });
    rmSync(join(gateway.stateDir, 'assayer.db-wal'));
    mkdirSync(join(gateway.stateDir, 'assayer.db-wal'));
    for (const verb of [...LOOKING, 'run']) {
      const { err } = await gateway.assayer(verb);
      assert.match(err, /assayer\.db-wal is a folder.*\n {2}remedy: .*move the folder away/, verb);
    }
    assert.match((await gateway.assayer('doctor')).out, /^FAIL {2}store .*assayer\.db-wal is a folder/m);
  });

  test('on a file system that is mounted read-only, too, where no agent can write; doctor looks at the entries', {
    skip: WITHOUT_MOUNT,
  }, async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.78.8.1');
    await using gateway = await killed(fleet, { isMoved: true }, (dir) => mountSmall(dir, '16m'));
    damageFrame(join(gateway.stateDir, 'assayer.db-wal'), 3);
    remount(gateway.stateDir, 'ro');
    for (const verb of ['findings', 'status', 'log', 'plan list']) {
      const { err, code } = await gateway.assayer(verb);
      assert.match(err, /^assayer\.db-wal is damaged behind frame \d+: .* see assayer doctor\n$/, verb);
      assert.ok(code === 0 || code === 1, verb);
    }
    const { out } = await gateway.assayer('doctor');
    assert.match(out, /^FAIL {2}store .* assayer\.db-wal is damaged behind frame \d+: /m);
    assert.match(out, /entries of .*; the last \d+ verify/);
    assert.doesNotMatch(out, /assayer\.lock/);
    remount(gateway.stateDir, 'rw');
    await gateway.up();
    await gateway.stop();
    remount(gateway.stateDir, 'ro');
    const stopped = (await gateway.assayer('doctor')).out;
    assert.match(stopped, /entries of .*; the last \d+ verify/);
    assert.doesNotMatch(stopped, /assayer\.lock/);
    assert.equal((await gateway.assayer('status')).err, '');
  });
});
