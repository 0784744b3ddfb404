import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import mqtt from 'mqtt';
import { earlierBoots } from '../../agent/record/boots.ts';
import { Store } from '../../agent/record/store.ts';
import type { BaselineStatement, SessionStatement, Statement } from '../../shared/statement.ts';
import { Journal, LibraryCollector, WITNESS_VKEY } from '../publish/library-collector.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { Gateway } from './agent.ts';
import { type fleetOf as FleetOf, fleetOf } from './fleets.ts';

const STORE = /^assayer\.db/;

/** Copies the files of a store that nobody writes. */
const copyStore = (from: string, to: string): void => {
  for (const name of readdirSync(to)) if (STORE.test(name)) rmSync(join(to, name));
  for (const name of readdirSync(from)) if (STORE.test(name)) copyFileSync(join(from, name), join(to, name));
};

/** Sets the whole folder of a gateway that does not run aside. */
const setAside = (gateway: Gateway): string => {
  const copy = join(gateway.folder, 'aside');
  cpSync(gateway.stateDir, copy, { recursive: true });
  return copy;
};

/** Puts it back, in place of everything that is there. */
const putBack = (gateway: Gateway, copy: string): void => {
  for (const name of readdirSync(gateway.stateDir)) rmSync(join(gateway.stateDir, name), { recursive: true });
  cpSync(copy, gateway.stateDir, { recursive: true });
};

/** The broker keeps nothing for the gateway: what collectors said before, it does not hear when it comes. */
const forgetsQueue = async (url: string): Promise<void> => {
  const inItsPlace = await mqtt.connectAsync(url, { protocolVersion: 5, clientId: 'gw-1', clean: true });
  await inItsPlace.endAsync();
};

/** The log that the store holds now. */
const logNow = (gateway: Gateway): readonly Statement[] => {
  using store = Store.openReadOnly(gateway.stateDir);
  return store.entriesFrom(0, 100_000).map(({ message }) => JSON.parse(Buffer.from(message).toString()) as Statement);
};

const isSession = (statement: Statement | undefined): statement is SessionStatement => statement?.kind === 'session';
const namedIn = (log: readonly Statement[]): readonly BaselineStatement[] =>
  log.filter((one): one is BaselineStatement => one.kind === 'baseline');

/** An agent that learned, accepted and found something; a copy of its store from before the last of it; and its end. */
const livedThrough = async (fleet: Awaited<ReturnType<typeof FleetOf>>, gateway: Gateway): Promise<void> => {
  await gateway.up();
  await gateway.knows(2);
  await gateway.says(
    'both are named',
    (log) => namedIn(log).flatMap(({ baseline }) => ('devices' in baseline ? baseline.devices : [])).length >= 2,
  );
  assert.equal((await gateway.assayer('baseline accept', 'rig-0', '--yes', '--by', 'alice')).code, 0);
  fleet.device(1).changePoolUser(0, 'thief.1');
  await gateway.says('the theft', () => gateway.findings('pool.user-changed', 'rig-1').length > 0);
  await gateway.stop();
  copyStore(gateway.stateDir, gateway.folder);
  await gateway.up();
  fleet.device(0).setFirmware({ version: 'v2.16.0' });
  await gateway.says(
    'a change that the copy does not know',
    () => gateway.findings('firmware.version-changed').length > 0,
  );
};

/** What a log that replaces another one begins with. */
const assertReplaced = (log: readonly Statement[], former: { log: string; size: number }): void => {
  const [start, rollback] = log;
  assert.ok(isSession(start) && start.session.event === 'start' && start.seq === 0);
  assert.deepEqual([start.session.prior?.log, start.session.prior?.size], [former.log, former.size]);
  assert.notEqual(start.log, former.log);
  assert.ok(isSession(rollback) && rollback.session.event === 'rollback');
  const accepted = namedIn(log).find(({ baseline }) => baseline.action === 'accepted');
  assert.ok(accepted?.baseline.action === 'accepted' && accepted.baseline.by === 'alice');
  assert.deepEqual(
    accepted.baseline.devices.map(({ device, log: of }) => [device, of]),
    [['rig-0', former.log]],
  );
};

/** How often it was told. What the agent still tried to append before it stopped is told under the same name, at `debug`. */
const rollbacksTold = (gateway: Gateway): number =>
  gateway.eventsOf('log.rolled-back').filter(({ level }) => level === 'error').length;

/** Neither entries nor checkpoints of a state that was put back prove anything against its own key. */
const assertNoFork = ({ notices }: Journal): void =>
  assert.deepEqual(
    notices.filter(({ kind }) => kind === 'fork'),
    [],
  );

suite('a store that is put back to an older state (attestation.md §7)', { timeout: 180_000 }, () => {
  test('is known at the start by the head beside it: a new log says what is in force, and goes on', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.76.0.1');
    const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
    await using gateway = Gateway.create({ devices });
    await livedThrough(fleet, gateway);
    await gateway.stop();
    const before = logNow(gateway);
    const former = { log: before[0]?.log ?? '', size: before.length };

    copyStore(gateway.folder, gateway.stateDir);
    await gateway.up();
    assert.equal(gateway.eventsOf('log.replaced').at(-1)?.former, former.log);
    await until(
      'both are attested anew',
      () => logNow(gateway).filter(({ kind }) => kind === 'attestation').length >= 2,
    );
    await until('what changed meanwhile is found', () =>
      logNow(gateway).some((one) => one.kind === 'finding' && one.finding.id === 'firmware.version-changed'),
    );
    const after = logNow(gateway);
    assertReplaced(after, former);
    const open = after.filter((one) => one.kind === 'finding' && one.finding.id === 'pool.user-changed');
    assert.ok(open.length > 0, 'what was open is said again');
    assert.match((await gateway.assayer('findings')).out, /pool\.user-changed/);
    assert.match((await gateway.assayer('status')).out, /^rig-0 .* local /m);
    await gateway.stop();
    await gateway.verified();
    await gateway.up();
    await gateway.stop();
    assert.equal(logNow(gateway)[0]?.log, after[0]?.log, 'the new log goes on');
    await gateway.verified();
  });

  test('an emptied store begins a log that names the end of the former one', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.76.1.1');
    const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
    await using gateway = await Gateway.start({ devices });
    await gateway.knows(1);
    await gateway.stop();
    const before = logNow(gateway);
    for (const name of readdirSync(gateway.stateDir)) if (STORE.test(name)) rmSync(join(gateway.stateDir, name));
    await gateway.up();
    await gateway.stop();
    const [start] = logNow(gateway);
    assert.ok(isSession(start) && start.session.event === 'start');
    assert.deepEqual([start.session.prior?.log, start.session.prior?.size], [before[0]?.log, before.length]);
  });
});

suite('after a crash, at a broker that still says that the agent is online', { skip: WITHOUT_MOSQUITTO }, () => {
  test('an agent whose store was moved away knows its former self, and sends at once', async () => {
    await using broker = await Mosquitto.start();
    await using gateway = await Gateway.start({
      devices: [{ host: '127.0.0.1', ports: { cgminer: 1, http: 2 } }],
      mqtt: { url: broker.url, spread_s: 0 },
    });
    await gateway.event('uplink.connected');
    await gateway.stop('SIGKILL');
    for (const name of readdirSync(gateway.stateDir)) if (STORE.test(name)) rmSync(join(gateway.stateDir, name));
    await gateway.up();
    await gateway.event('uplink.connected', { after: 1 });
    assert.deepEqual([...gateway.eventsOf('uplink.foreign'), ...gateway.eventsOf('uplink.rival')], []);
  });
});

suite('the same, known by what a collector cosigned', { skip: WITHOUT_MOSQUITTO, timeout: 180_000 }, () => {
  test('nothing more is appended; a new log begins by itself, and a collector follows it without an objection', async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.77.0.1');
    const devices = fleet.devices.map(({ address }, at) => ({ host: address, name: `rig-${at}`, ports: fleet.ports }));
    await using broker = await Mosquitto.start();
    await using gateway = Gateway.create({
      devices,
      mqtt: { url: broker.url, spread_s: 0, collectors: ['col-a'], witnesses: [WITNESS_VKEY] },
    });
    const journal = new Journal();
    const jwk = JSON.parse(readFileSync(gateway.keyFile, 'utf8'));
    using _collector = await LibraryCollector.start({ url: broker.url, journal, jwk });
    await livedThrough(fleet, gateway);
    await gateway.stop();
    const before = logNow(gateway);
    const former = { log: before[0]?.log ?? '', size: before.length };
    await until('the collector has all', () => journal.all(former.log).length === former.size, 60_000);
    await until('it cosigned the end', () =>
      journal.notices.some((each) => each.kind === 'checkpoint' && each.size === former.size),
    );

    copyStore(gateway.folder, gateway.stateDir);
    rmSync(join(gateway.stateDir, 'checkpoint.json'));
    await gateway.up();
    await gateway.event('log.rolled-back');
    await gateway.event('log.replaced');
    assert.equal(rollbacksTold(gateway), 1);
    await until(
      'both are attested anew',
      () => logNow(gateway).filter(({ kind }) => kind === 'attestation').length >= 2,
    );
    const after = logNow(gateway);
    assertReplaced(after, former);
    {
      using store = Store.openReadOnly(gateway.stateDir);
      assert.ok(
        earlierBoots(gateway.stateDir, store).has(before[0]?.bootseed ?? ''),
        'its own earlier starts are no rival',
      );
    }
    const origin = after[0]?.log ?? '';
    await gateway.stop();
    await until('the collector has the new log', () => journal.all(origin).length === logNow(gateway).length, 60_000);
    assert.deepEqual(
      journal.all(origin).flatMap(({ status, remarks }) => (status === 'chained' ? [] : remarks)),
      [],
    );
    const codes = new Set(journal.all(origin).flatMap(({ remarks }) => remarks.map(({ code }) => code)));
    assert.equal(codes.has('W_NEW_LOG'), false, 'it begins where the collector knows that the former one ended');
    assert.ok(journal.notices.some((each) => each.kind === 'incarnation' && each.former === former.log));
  });
});

suite(
  'a whole state_dir that is put back twice, to before a change of logs (issue 4)',
  {
    skip: WITHOUT_MOSQUITTO,
    timeout: 240_000,
  },
  () => {
    const furnish = async ({
      heedsPresence = true,
      ...settings
    }: {
      readonly witnesses: readonly string[];
      readonly heedsPresence?: boolean;
    }) => {
      const stack = new AsyncDisposableStack();
      const fleet = stack.use(await fleetOf(['axeos/gamma-2.15'], '127.77.1.1'));
      const devices = fleet.devices.map(({ address }, at) => ({
        host: address,
        name: `rig-${at}`,
        ports: fleet.ports,
      }));
      const broker = stack.use(await Mosquitto.start());
      const gateway = stack.use(
        Gateway.create({ devices, mqtt: { url: broker.url, spread_s: 0, collectors: ['col-a'], ...settings } }),
      );
      const journal = new Journal();
      const jwk = JSON.parse(readFileSync(gateway.keyFile, 'utf8'));
      stack.use(
        await LibraryCollector.start({
          url: broker.url,
          journal,
          jwk,
          cosigns: settings.witnesses.length > 0,
          heedsPresence,
        }),
      );
      /** Lets the agent write and end, and waits until the collector has all of it, and cosigned it. Gives the end. */
      const endsWell = async () => {
        // Delivery has begun: what is written while the agent ends still goes.
        await until('the collector has what was written', () => {
          const log = logNow(gateway);
          const isAll = journal.all(log[0]?.log ?? '').length === log.length;
          return isAll && log.some(({ kind }) => kind === 'attestation');
        });
        await gateway.stop();
        const log = logNow(gateway);
        const end = { log: log[0]?.log ?? '', size: log.length };
        await until('the collector has all', () => journal.all(end.log).length === end.size, 60_000);
        await until('it heard the checkpoint of the end', () =>
          journal.notices.some((each) => each.kind === 'checkpoint' && each.log === end.log && each.size === end.size),
        );
        return end;
      };
      return { gateway, journal, endsWell, url: broker.url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    };

    test('the second time, too, the log is replaced by one above both, and nothing stays undelivered', async () => {
      await using site = await furnish({ witnesses: [WITNESS_VKEY] });
      const { gateway, journal, endsWell } = site;
      await gateway.up();
      const first = await endsWell();
      const copy = setAside(gateway);
      await gateway.up();
      await endsWell();
      const ends = [first];
      for (let time = 1; time <= 3; time += 1) {
        putBack(gateway, copy);
        await gateway.up();
        await gateway.event('log.replaced', { after: time - 1 });
        const end = await endsWell();
        const [start] = logNow(gateway);
        assert.ok(isSession(start) && start.session.event === 'start');
        assert.equal(start.session.prior?.log, ends.at(-1)?.log, 'it names the log that was the newest');
        assert.ok(Number(end.log.split('/').at(-1)) > Number(ends.at(-1)?.log.split('/').at(-1)), 'above it');
        assert.ok(journal.all(end.log).every(({ status }) => status === 'chained'));
        ends.push(end);
      }
      assertNoFork(journal);
      assert.equal(rollbacksTold(gateway), 3);
      await gateway.verified();
    });

    test('without a witness, too: the entry that the collector has is under our own key, and a new log begins at once', async () => {
      await using site = await furnish({ witnesses: [] });
      const { gateway, journal, endsWell, url } = site;
      await gateway.up();
      await endsWell();
      const copy = setAside(gateway);
      await gateway.up();
      const second = await endsWell();
      putBack(gateway, copy);
      await forgetsQueue(url);
      const startedMs = Date.now();
      await gateway.up();
      await gateway.event('log.replaced');
      assert.ok(Date.now() - startedMs < 30_000, 'long before the next checkpoint would be cosigned');
      const third = await endsWell();
      assert.ok(Number(third.log.split('/').at(-1)) > Number(second.log.split('/').at(-1)));
      assert.ok(journal.all(third.log).every(({ status }) => status === 'chained'));
      assert.equal(rollbacksTold(gateway), 1);
      putBack(gateway, copy);
      await forgetsQueue(url);
      await gateway.up();
      await gateway.event('log.replaced', { after: 1 });
      const fourth = await endsWell();
      assert.ok(Number(fourth.log.split('/').at(-1)) > Number(third.log.split('/').at(-1)), 'above a later log, too');
      assertNoFork(journal);
      await gateway.verified();
    });

    test('after a kill, too, in about half a minute: what was written meanwhile is sent under no number that the collector has', async () => {
      await using site = await furnish({ witnesses: [] });
      const { gateway, journal, endsWell } = site;
      await gateway.up();
      const { size } = await endsWell();
      const copy = setAside(gateway);
      await gateway.up();
      const killed = logNow(gateway)[0]?.log ?? '';
      await until('the collector has more than the copy', () => journal.all(killed).length > size);
      await gateway.stop('SIGKILL');
      putBack(gateway, copy);
      const startedMs = Date.now();
      await gateway.up();
      await gateway.event('log.replaced', { withinMs: 60_000 });
      assert.ok(Date.now() - startedMs < 50_000, `${Date.now() - startedMs} ms`);
      const { log } = await endsWell();
      assert.notEqual(log, killed);
      assertNoFork(journal);
      for (const origin of [killed, log]) assert.ok(journal.all(origin).every(({ status }) => status === 'chained'));
      assert.equal(gateway.eventsOf('uplink.rival').length, 0);
      await gateway.verified();
    });

    test('an acknowledgement that somebody else made up holds up nothing: the collector is asked, and its word ends the objection', async () => {
      await using site = await furnish({ witnesses: [] });
      const { gateway, journal, endsWell, url } = site;
      await gateway.up();
      await gateway.event('uplink.collector-online');
      await using mallory = await Observer.connect(url);
      const { log = '' } = logNow(gateway)[0] ?? {};
      await until('something is stored', () => journal.all(log).length > 0);
      const startedMs = Date.now();
      await mallory.publish(
        'attest/v1/gw-1/ack/col-a',
        JSON.stringify({ log, next: 1, leaf: 'A'.repeat(43), stored_at: 1 }),
        false,
      );
      await gateway.event('uplink.fork');
      await gateway.event('uplink.collector-online', { after: 1 });
      // After its word a gateway waits up to ten seconds, at random, so that a fleet does not begin at once.
      assert.ok(
        Date.now() - startedMs < 20_000,
        'long before the minute in which an idle collector says the same again',
      );
      assert.equal(gateway.eventsOf('log.rolled-back').length, 0);
      const end = await endsWell();
      assert.equal(end.log, log);
    });

    test('a collector that shows no entry is an alarm that a person has to look at, and nothing is sent', async () => {
      await using site = await furnish({ witnesses: [], heedsPresence: false });
      const { gateway, endsWell, journal } = site;
      await gateway.up();
      await endsWell();
      const copy = setAside(gateway);
      // An emptied store begins another log.
      for (const name of readdirSync(gateway.stateDir)) if (STORE.test(name)) rmSync(join(gateway.stateDir, name));
      await gateway.up();
      const { log } = await endsWell();
      putBack(gateway, copy);
      const before = journal.notices.length;
      await gateway.up();
      const alarm = await gateway.event('uplink.ack-ahead');
      assert.match(String(alarm.message), new RegExp(`of ${log}, a later log`));
      assert.match((await gateway.assayer('status')).out, /uplink\.ack-ahead|a later log/);
      await gateway.stop();
      assert.deepEqual(
        journal.notices.slice(before).filter(({ kind }) => kind === 'fork'),
        [],
      );
    });
  },
);
