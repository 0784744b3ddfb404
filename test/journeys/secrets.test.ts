import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { startFleet } from '../simulator/fleet.ts';
import type { Specimen } from '../specimens/specimen.ts';
import { Gateway } from './agent.ts';
import { brokerPasswords } from './broker-passwords.ts';
import { ALLOWED, assertPolite, rangeOf, specimen } from './fleets.ts';

const MINER_PASSWORD = 'Xq7-miner-door';
const BROKER_PASSWORD = 'Xq7-broker-door';
/** What the specimens have as passwords of pools and networks. */
const IN_REPLIES = ['not-a-secret', 'specimen-secret'];

/** The same specimen behind our password. */
const behindPassword = (name: string): Specimen => {
  const { device, ...rest } = specimen(name);
  assert.ok(device.auth !== undefined);
  return { ...rest, device: { ...device, auth: { ...device.auth, password: MINER_PASSWORD } } };
};

suite('what does not leave the gateway', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  test('no password is in a log line, in a message or in the store; under redact no pool user is in a message or a kept reply', async () => {
    const specimens = [
      behindPassword('antminer-stock/s21'),
      behindPassword('antminer-stock/s9'),
      ...['axeos/gamma-2.15', 'whatsminer/m50s-api2', 'avalon/a1246', 'cgminer/bfgminer', 'cgminer/cgminer'].map(
        specimen,
      ),
    ];
    await using fleet = await startFleet({ specimens, base: '127.76.0.1', allowed: ALLOWED });
    assert.ok(specimens.some(({ files }) => [...files.values()].some((bytes) => holds(bytes, IN_REPLIES[0] ?? ''))));
    await using broker = await Mosquitto.start(['allow_anonymous false', 'password_file #/passwords'], {
      passwords: brokerPasswords({ observer: 'o', 'gw-1': BROKER_PASSWORD }),
    });
    await using observer = await Observer.connect(broker.url, { username: 'observer', password: 'o' });
    process.env.TEST_BROKER_PASSWORD = BROKER_PASSWORD;
    await using gateway = Gateway.create({
      credentials: { stock: { user: 'root', password_file: 'miner-password' } },
      devices: [{ ...rangeOf(fleet), credentials: 'stock' }],
      mqtt: { url: broker.url, spread_s: 0, password_env: 'TEST_BROKER_PASSWORD' },
      redact: ['pools.user'],
      pools: { allow: [{ url: '*.pool.example', user: 'acme.*' }] },
    });
    gateway.write('miner-password', `${MINER_PASSWORD}\n`);
    await gateway.up();
    await gateway.knows(7);
    const stock = gateway.attestations().find(({ evidence }) => evidence.address === '127.76.0.1');
    assert.match(JSON.stringify(stock?.evidence.claims), /"mac":/, 'the log-in was used: without it there is no MAC');

    fleet.device(0).changePoolUser(0, 'thief.x1');
    fleet.device(2).changePoolUser(0, 'thief.x2');
    fleet.device(3).addPool({ url: 'stratum+tcp://attacker.example:3333', user: 'thief.x3' });
    await gateway.says('the thefts', () => gateway.findings('pool.user-changed').length >= 2);
    await gateway.says('the slot', () => gateway.findings('pool.slot-added').length >= 1);
    await gateway.says('outside the list', () => gateway.findings('pool.outside-allowlist').length >= 3);
    for (const one of fleet.devices) one.behave('code45');
    await gateway.says('a refusal', () =>
      gateway.findings('visibility.coverage-reduced').some(({ finding }) => finding.part === 'refused'),
    );
    const stored = await gateway.assayer('status');
    assertAbsent('the store of a running agent', bytesIn(gateway.stateDir), SECRETS);
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    const messages = await gateway.verified();
    await until('all of it at the broker', () => observer.on('attest/v1/gw-1/log').length >= messages.length);

    const published = observer.heard.map(({ text }) => text).join('\n');
    for (const [where, text] of [
      ['log lines', gateway.stderr],
      ['messages', messages.join('\n')],
      ['published messages', published],
      ['status', stored.out],
    ] as const)
      assertAbsent(where, Buffer.from(text), SECRETS);
    assertAbsent('the store', bytesIn(gateway.stateDir), SECRETS);

    assert.ok(fleet.devices.some(({ pools }) => pools.some(({ user }) => user.startsWith('acme.'))));
    for (const [where, bytes] of [
      ['log lines', Buffer.from(gateway.stderr)],
      ['messages', Buffer.from(messages.join('\n'))],
      ['published messages', Buffer.from(published)],
      ['kept replies', keptReplies(gateway)],
    ] as const)
      assertAbsent(where, bytes, ['acme', 'thief', 'bc1-specimen']);
    const found = gateway.findings('pool.user-changed')[0]?.finding as Record<string, unknown>;
    assert.match(String(found.after_pid), /^[\w-]{22}$/);
    assert.notEqual(found.after_pid, found.before_pid);
    assertPolite(fleet);
  });
});

const SECRETS = [MINER_PASSWORD, BROKER_PASSWORD, ...IN_REPLIES];

const holds = (bytes: Uint8Array, text: string): boolean => Buffer.from(bytes).includes(text);

const assertAbsent = (where: string, bytes: Uint8Array, texts: readonly string[]): void => {
  assert.ok(bytes.length > 100, `there is something to look at in ${where}: ${bytes.length} bytes`);
  for (const text of texts) assert.ok(!holds(bytes, text), `${text} is in ${where}`);
};

/** Everything in the state folder: the store, its write-ahead log, marks and keys. */
const bytesIn = (folder: string): Buffer =>
  Buffer.concat(
    readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path)),
  );

const keptReplies = ({ stateDir }: Gateway): Buffer => {
  using db = new DatabaseSync(join(stateDir, 'assayer.db'), { readOnly: true });
  return Buffer.concat(
    db
      .prepare('SELECT bytes FROM captures')
      .all()
      .map(({ bytes }) => bytes as Uint8Array),
  );
};
