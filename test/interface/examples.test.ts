import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { loadKey } from '../../agent/platform/keys.ts';
import { Store } from '../../agent/record/store.ts';
import { leafHash, NO_PREVIOUS, type Statement, signerOf, signHeartbeat, signMessage } from '../../shared/index.ts';
import { Gateway } from '../journeys/agent.ts';
import { assertPolite, fleetOf } from '../journeys/fleets.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { EXAMPLE_PROGRAMS, ExampleProcess } from './example-process.ts';
import { Relay } from './relay.ts';

const LOG_TOPIC = 'attest/v1/gw-1/log';
const CP_TOPIC = 'attest/v1/gw-1/cp';

test('the examples use nothing of the product, and of packages only what the page names', () => {
  const [typescript = '', python = ''] = EXAMPLE_PROGRAMS.map(({ file }) => readFileSync(file, 'utf8'));
  const imports = [...typescript.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)].map(([, name]) => name);
  assert.deepEqual(imports, ['node:crypto', 'node:fs', 'node:sqlite', 'node:util', 'mqtt']);
  const modules = [...python.matchAll(/^(?:import|from) ([a-z0-9_]+)/gm)].map(([, name]) => name);
  const standard = [
    'argparse',
    'base64',
    'hashlib',
    'json',
    'queue',
    're',
    'signal',
    'sqlite3',
    'sys',
    'time',
    'urllib',
  ];
  assert.deepEqual(modules, [...standard, 'uuid', 'paho', 'cryptography', 'cryptography']);
});

EXAMPLE_PROGRAMS.forEach((example, index) => {
  const skip = WITHOUT_MOSQUITTO || example.skip;
  suite(`the collector in ${example.language}`, { skip, timeout: 240_000 }, () => {
    test('it stores what the agent writes, byte for byte, through forgery, loss, its own death and a second history', async (t) => {
      await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], `127.82.${index}.1`);
      await using near = await Mosquitto.start();
      await using far = await Mosquitto.start();
      await using relay = await Relay.between(near.url, far.url);
      const devices = fleet.devices.map(({ address }, number) => ({
        host: address,
        name: `rig-${number}`,
        ports: fleet.ports,
      }));
      await using gateway = await Gateway.start({
        devices,
        mqtt: { url: near.url, spread_s: 0, collectors: ['collector-a'] },
        // What comes when is the test's to say.
        coverage_s: 3_600,
      });
      const words = [far.url, '--trust', `example.org/gw-1=${gateway.keyFile}`];
      await using collector = new ExampleProcess(example, [...words, '--id', 'collector-a']);
      await using observer = new ExampleProcess(example, [...words, '--id', 'auditor-a', '--observer']);
      const hasAll = (who = collector): boolean =>
        who.of('stored').length >= gateway.log.length && gateway.log.length > 0;
      const everything = (who = collector): Promise<void> => who.says('everything is stored', () => hasAll(who));
      let thefts = 0;
      /** Changes a pool user: an attestation and a finding follow. */
      const steal = async (): Promise<void> => {
        thefts += 1;
        const before = gateway.findings('pool.user-changed').length;
        fleet.device(0).changePoolUser(0, `thief.${thefts}`);
        await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > before);
      };

      // It comes, and gets everything.
      collector.start();
      await gateway.knows(2);
      await everything();
      await gateway.event('uplink.collector-online');

      // A gap: one delivery of an entry is lost.
      const dropped: string[] = [];
      relay.tamper = (topic, payload) => {
        if (topic !== LOG_TOPIC || dropped.length > 0 || !payload.includes('"thief.1"')) return [payload];
        dropped.push(payload.toString());
        return [];
      };
      await steal();
      await everything();
      assert.equal(dropped.length, 1);
      const { seq: lost } = JSON.parse(dropped[0] ?? '') as Statement;
      assert.ok(collector.of('gap').some(({ missing }) => (missing as readonly number[])[0] === lost));
      assert.ok(
        relay.said.some(({ topic, text }) => topic.endsWith('/ack/collector-a') && JSON.parse(text).gap?.[0] === lost),
      );
      assert.deepEqual(collector.alarms(), []);

      // A forgery: an entry with another value in it, and one that another key signed.
      const stranger = signerOf(generateKeyPairSync('ed25519').privateKey);
      const forged: string[] = [];
      relay.tamper = (topic, payload) => {
        const text = payload.toString();
        if (topic !== LOG_TOPIC || forged.length > 0 || !text.includes('"thief.2"')) return [payload];
        const { jws: _jws, ...statement } = JSON.parse(text);
        forged.push(text.replaceAll('"thief.2"', '"owner.2"'));
        forged.push(signMessage(statement, 'miner-att+jwt', stranger).toString());
        return [...forged.map((each) => Buffer.from(each)), payload];
      };
      await steal();
      await everything();
      assert.equal(forged.length, 2);
      assert.deepEqual(collector.alarms(), ['E_SIGNATURE', 'E_KEY_UNKNOWN']);
      relay.tamper = (_topic, payload) => [payload];

      // A death between two entries, and one who comes late and asks for everything.
      await collector.end('SIGKILL');
      await steal();
      collector.start();
      observer.start();
      await Promise.all([everything(), everything(observer)]);
      await relay.ask('checkpoint', {});
      const agrees = (who: ExampleProcess): boolean => who.of('agreed').some(({ size }) => size === gateway.log.length);
      await collector.says('the trees are the same', () => agrees(collector));
      await observer.says('the trees are the same', () => agrees(observer));
      assert.ok(
        relay.said.some(({ topic, text }) => topic.endsWith('/cmd/auditor-a') && JSON.parse(text).op === 'resync'),
      );
      assert.ok(relay.said.every(({ topic }) => !topic.endsWith('/ack/auditor-a')));
      assert.match(
        (await gateway.assayer('status')).out,
        /collector collector-a: online, \d+ entries stored, nothing waits/,
      );

      // Until here both have what the log has.
      const messages = await gateway.messages();
      for (const who of [collector, observer]) {
        assert.deepEqual(
          who
            .stored()
            .slice(0, messages.length)
            .map(({ text }) => text),
          messages,
        );
        assert.deepEqual([...new Set(who.stored().map(({ status }) => status))], ['chained']);
      }

      // A second history under the same key: of an entry, of a tree, and of what comes next.
      const { signer, jwk } = loadKey(gateway.stateDir);
      const sign = (statement: object): Buffer => signMessage(statement, 'miner-att+jwt', signer);
      const { jws: _jws, ...second } = JSON.parse(messages[2] ?? '');
      const twin = sign({ ...second, mono_ms: second.mono_ms + 1 });
      relay.inject(LOG_TOPIC, twin);
      await collector.says('a fork', () => collector.alarms().includes('E_FORK'));
      const { eat_profile, bootcount, bootseed, clock, log, iat } = second;
      const end = { log, size: 3, root: NO_PREVIOUS, first: 0 };
      const common = { eat_profile, bootcount, bootseed, clock, iat };
      const forks = (): number => collector.of('alarm').filter(({ code }) => code === 'E_FORK').length;
      relay.inject(CP_TOPIC, signHeartbeat(end, { ...common, mono_ms: 2 ** 40 }, { ...signer, jwk }));
      await collector.says('a checkpoint below the one that agreed', () => collector.alarms().includes('E_ROLLBACK'));
      const size = collector.of('stored').length;
      relay.inject(CP_TOPIC, signHeartbeat({ ...end, size }, { ...common, mono_ms: 2 ** 40 + 1 }, { ...signer, jwk }));
      await collector.says('a checkpoint of another tree', () => forks() === 2);
      assert.ok(collector.evidence().some(({ code, text }) => code === 'E_FORK' && text === twin.toString('latin1')));
      await everything();
      const next = collector.of('stored').length;
      const wrong = sign({ ...second, seq: next, prev: leafHash(twin).toString('base64url') });
      relay.inject(LOG_TOPIC, wrong);
      await collector.says('an entry that follows another one', () => collector.alarms().includes('E_CHAIN'));
      assert.equal(collector.stored().find(({ text }) => text === wrong.toString())?.status, 'E_CHAIN');
      // What is acknowledged now, the gateway never wrote: it says so.
      await gateway.event('uplink.ack-ahead');

      assert.equal(await collector.end('SIGTERM'), 0);
      await until('it said that it leaves', () => relay.said.some(({ text }) => text.includes('"stopped"')));
      assert.equal(collector.err, '');
      assertPolite(fleet);
      t.diagnostic(
        `${messages.length} entries, ${relay.said.length} messages of collectors, alarms ${collector.alarms().join(' ')}`,
      );
    });

    test('a gateway whose whole state was put back is shown its own entry, and goes on in a new log of which nothing is lost', async () => {
      await using fleet = await fleetOf(['axeos/gamma-2.15'], `127.82.${index}.11`);
      await using broker = await Mosquitto.start();
      const devices = [{ host: fleet.devices[0]?.address, name: 'rig-0', ports: fleet.ports }];
      await using gateway = await Gateway.start({
        devices,
        mqtt: { url: broker.url, spread_s: 0, collectors: ['collector-a'] },
      });
      const words = [broker.url, '--trust', `example.org/gw-1=${gateway.keyFile}`, '--id', 'collector-a'];
      await using collector = new ExampleProcess(example, words);
      /** The log that the store holds now, and its messages. */
      const now = () => {
        using store = Store.openReadOnly(gateway.stateDir);
        const messages = store.entriesFrom(0, 100_000).map(({ message }) => Buffer.from(message).toString());
        return { log: String(JSON.parse(messages[0] ?? '{}').log), messages };
      };
      const stored = (log: string) => collector.of('stored').filter((line) => line.log === log).length;
      const everything = () =>
        collector.says('everything is stored', () => stored(now().log) === now().messages.length, 60_000);
      const incarnation = (log: string) => Number(log.split('/').at(-1));

      collector.start();
      await gateway.knows(1);
      await everything();
      await gateway.stop();
      const copy = join(gateway.folder, 'aside');
      cpSync(gateway.stateDir, copy, { recursive: true });
      await gateway.up();
      fleet.device(0).changePoolUser(0, 'thief.1');
      await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
      await everything();
      await gateway.stop();
      await everything();
      const former = now().log;

      for (const name of readdirSync(gateway.stateDir)) rmSync(join(gateway.stateDir, name));
      cpSync(copy, gateway.stateDir, { recursive: true });
      await gateway.up();
      await gateway.event('uplink.ack-ahead');
      await gateway.event('log.replaced', { withinMs: 30_000 });
      await collector.says(
        'the theft in the new log',
        () => incarnation(now().log) > incarnation(former) && now().messages.some((each) => each.includes('thief.1')),
      );
      await everything();
      assert.match((await gateway.assayer('status')).out, /collector collector-a: online, \d+ entries stored/);
      await gateway.stop();
      await everything();
      const { log, messages } = now();
      const kept = collector.stored().filter(({ text }) => JSON.parse(text).log === log);
      assert.deepEqual(
        kept.map(({ text, status }) => [text, status]),
        messages.map((text) => [text, 'chained']),
      );
      // A look under way may say, at debug, that it wrote nothing.
      const alarms = gateway.eventsOf('log.rolled-back').filter(({ level }) => level === 'error');
      assert.equal(alarms.length, 1);
      assert.equal(collector.err, '');
    });
  });
});
