import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { LiveTable } from '../../agent/cli/collect/live-table.ts';
import { trustOf, unboundOf } from '../../agent/cli/collect/options.ts';
import { command } from '../../agent/cli/program.ts';
import { SqlStore } from '../../agent/collect/sql-store.ts';
import { Sqlite } from '../../agent/collect/sqlite.ts';
import { type SigningCollector, signingCollector } from '../../agent/collect/witness.ts';
import type { Worker } from '../../agent/collect/worker.ts';
import type { AgentError } from '../../agent/platform/errors.ts';
import { createKey } from '../../agent/platform/keys.ts';
import {
  Collector,
  jwkOf,
  type LogReport,
  publicKeyOf,
  signMessage,
  thumbprint,
  verifyEpoch,
  verifyManifest,
  verifyMessage,
} from '../../shared/index.ts';
import { assayer, assertHarmless, folder, lines } from '../cli/assayer.ts';
import { Authority } from '../publish/certificates.ts';
import { freePort, Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { eventful, gatewayKey, keyOf, keys, NOW, plain, rootOf } from '../shared/collector/bench.ts';
import { knownAnswers } from '../shared/vectors.ts';
import { start, Writing } from '../shared/writing.ts';
import { CollectorProcess } from './collector-process.ts';
import { SimulatedGateway } from './simulated-gateway.ts';

test('what is missing or cannot be used is told with its remedy: 2, and nothing is made', async (t) => {
  const dir = folder(t);
  const key = join(dir, 'gateway.jwk.json');
  writeFileSync(key, JSON.stringify(knownAnswers.jwk));
  const approver = join(dir, 'alice.jwk.json');
  writeFileSync(approver, JSON.stringify({ ...knownAnswers.jwk, role: 'approver' }));
  mkdirSync(join(dir, 'empty'));
  const own = join(dir, 'own');
  mkdirSync(own);
  createKey(own);
  const url = 'mqtt://127.0.0.1:1';
  const io = { out: { write: () => {} }, err: { write: () => {} }, input: process.stdin };
  const problemOf = async (words: readonly string[]): Promise<string> => {
    try {
      await command(['collect', ...words, '--state', join(dir, 'state')], io);
    } catch (problem) {
      const { message, remedy, code } = problem as AgentError;
      return `${message} ${remedy} [${code}]`;
    }
    throw new Error(`nothing wrong with ${words.join(' ')}`);
  };
  const cases: readonly (readonly [words: readonly string[], error: RegExp])[] = [
    [[url, '--trust', key], /the id of this collector is missing .*--id collector-a \[usage.collector\]/],
    [[url, '--id', 'A_b', '--trust', key], /"A_b" is no collector id/],
    [[url, '--id', 'a'], /no key is trusted.*gateway\.jwk\.json.*\[usage.trust\]/],
    [[url, '--id', 'a', '--trust', join(dir, 'none')], /ENOENT.*\[usage.key\]/],
    [[url, '--id', 'a', '--trust', join(dir, 'empty')], /there is no \.json file in this folder/],
    [[url, '--id', 'a', '--authority', join(dir, 'none')], /\[usage.authority\]/],
    [[url, '--id', 'a', '--authority', key], /its key is a gateway's, .*"role":"authority".*\[usage.authority\]/],
    [
      [url, '--id', 'a', '--authority', approver],
      /an approver's, not an authority's.*--role authority.*\[usage.authority\]/,
    ],
    [[url, '--id', 'a', '--trust', key, '--manifest', key], /nobody is named whose signature.*\[usage.manifest\]/],
    [[url, '--id', 'a', '--trust', key, '--shard', '3/2'], /"3\/2" is no part of a fleet/],
    [[url, '--id', 'a', '--trust', key, '--gateways', 'x/y'], /"x\/y" is no gateway id/],
    [[url, '--id', 'a', '--trust', key, '--shard', '1/2', '--gateways', 'x'], /cannot be used with option/],
    [['mqtt://broker.example.org', '--id', 'a', '--trust', key], /clear text.*\[mqtt.broker\]/],
    [['mqtt://me:hunter2@127.0.0.1', '--id', 'a', '--trust', key], /may not hold credentials/],
    [[url, '--id', 'a', '--trust', key, '--until-idle', '0'], /a number of seconds/],
    [['mqtts://broker.example.org', '--id', 'a', '--trust', key], /PEM file of your authority as --ca/],
    [[url, '--id', 'a', '--trust', key, '--cert', key], /--cert and --key go together/],
    [
      [url, '--id', 'a', '--trust', join(own, 'gateway.jwk.json'), '--cosign', join(own, 'gateway.key')],
      /key of --cosign is trusted as that of a gateway.*\[usage.cosign\]/,
    ],
    [[], /missing required argument 'broker-url'/],
  ];
  for (const [words, error] of cases) {
    const problem = await problemOf(words);
    assert.match(problem, error);
    assert.doesNotMatch(problem, /hunter2/);
  }
  assert.equal(existsSync(join(dir, 'state')), false);

  const untrusting = await assayer(['collect', url, '--id', 'a'], { cwd: dir });
  assert.deepEqual([untrusting.code, untrusting.out], [2, '']);
  assertHarmless(untrusting);
  const nowhere = await assayer(['collect', url, '--id', 'a', '--trust', key, '--state', join(dir, 'no', 'where')]);
  assert.equal(nowhere.code, 3);
  assert.match(nowhere.err, /\[store\.unreadable\]/);
});

test('a folder of --trust may hold what is no key: it is left out, and told; a file that is named has to be one', (t) => {
  const keys = folder(t);
  writeFileSync(join(keys, 'one.json'), JSON.stringify(gatewayKey.jwk));
  writeFileSync(join(keys, 'plan.signed.json'), '{"doc":"{}"}');
  const leftOut: string[] = [];
  const trusting = (place: string) =>
    trustOf(
      { trust: [place], state: keys, prefix: 'attest', tlsMin: '1.3', protocol: 'auto', logLevel: 'info' },
      (file, why) => leftOut.push(`${file.slice(keys.length)} ${why}`),
    );
  const source = trusting(keys);
  assert.deepEqual(source.kind === 'keys' && [...source.keys.keys()], [gatewayKey.kid]);
  assert.equal(leftOut.length, 1);
  assert.match(leftOut[0] ?? '', /^\/plan\.signed\.json not a file of keys/);
  assert.throws(() => trusting(join(keys, 'plan.signed.json')), { code: 'usage.key' });
});

test('a gateway that nothing here knows is told with the nearest one, by every query; one of which there is nothing to show is not', async (t) => {
  const state = folder(t);
  const printed: string[] = [];
  const io = { out: { write: (text: string) => printed.push(text) }, err: { write: () => {} }, input: process.stdin };
  const ask = async (...words: readonly string[]): Promise<string> => {
    try {
      await command(['collect', ...words, '--state', state], io);
      return 'shown';
    } catch (problem) {
      const { message, remedy, code } = problem as AgentError;
      return `[${code}] ${message}: ${remedy}`;
    }
  };
  t.after(() => {
    process.exitCode = undefined;
  });
  const QUERIES = ['logs', 'devices', 'findings', 'gaps', 'silence', 'alarms'];
  const answers = async (gateway: string) => Promise.all(QUERIES.map((name) => ask(name, '--gateway', gateway)));
  const database = Sqlite.open(state);
  t.after(() => database[Symbol.asyncDispose]());
  for (const answer of await answers('gw-1'))
    assert.match(answer, /^\[usage\.gateway\] .*"gw-1".*: assayer collect logs/);
  const store = new SqlStore(database, Date.now);
  const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
  const topic = 'attest/v1/gw-test/log';
  await collector.take(
    plain(3).messages.map((payload) => ({ topic, payload })),
    NOW,
  );
  await store.commit({
    logs: [],
    notices: [
      { kind: 'silent', gateway: 'example.org/gw-silent', of: 'heartbeat', sinceMs: NOW },
      { kind: 'gap', log: 'example.org/gw-unbegun/5', from: 0, to: 3, waiting: 0 },
      { kind: 'reinstated', log: 'example.org/gw-named/5', why: 'alice: x' },
    ],
    refused: [
      {
        topic: 'attest/v1/gw-forged/log',
        bytes: Buffer.from('x'),
        remarks: [{ code: 'E_SIZE', step: 1, detail: 'x' }],
        receivedAtMs: NOW,
      },
    ],
  });
  for (const known of ['gw-test', 'example.org/gw-test', 'gw-silent', 'gw-unbegun', 'gw-named', 'gw-forged'])
    assert.deepEqual(
      await answers(known),
      QUERIES.map(() => 'shown'),
      known,
    );
  assert.equal(await ask('alarms', '--since', '9999999999', '--gateway', 'gw-forged'), 'shown');
  printed.length = 0;
  for (const [typo, nearest] of [
    ['gw-tset', 'gw-test'],
    ['gw-silence', 'gw-silent'],
    ['example.org/gw-tes', 'example.org/gw-test'],
    ['example.com/gw-test', 'example.org/gw-test'],
    ['gw-forge', undefined],
    ['test', 'gw-test'],
  ] as const)
    for (const answer of await answers(typo)) {
      assert.ok(answer.startsWith('[usage.gateway]') && answer.includes(`"${typo}"`), answer);
      if (nearest === undefined) assert.ok(!answer.includes('gw-forged'), 'what nobody signed is no proposal');
      else assert.ok(answer.includes(`did you mean "${nearest}"?`), answer);
    }
  assert.deepEqual(printed, [], 'no empty table either');
});

test('of several keys of gateways those that name none are told: their holders can speak for every gateway', (t) => {
  const keys = folder(t);
  const source = () =>
    trustOf(
      { trust: [keys], state: keys, prefix: 'attest', tlsMin: '1.3', protocol: 'auto', logLevel: 'info' },
      (file, why) => assert.fail(`${file}: ${why}`),
    );
  const write = (name: string, content: object) => writeFileSync(join(keys, name), JSON.stringify(content));
  write('one.json', gatewayKey.jwk);
  assert.deepEqual(unboundOf(source()), [], 'there is nobody else to speak for');
  const other = keyOf(4);
  write('other.json', { ...other.jwk, logs: ['example.org/gw-other'] });
  assert.deepEqual(unboundOf(source()), [gatewayKey.kid]);
  write('one.json', { ...gatewayKey.jwk, logs: ['example.org/gw-test'] });
  const bound = source();
  assert.deepEqual(unboundOf(bound), []);
  const writing = plain(1);
  writing.signer = other;
  writing.write({ kind: 'session', session: { event: 'stop' } });
  const [own, foreign] = writing.messages;
  const trust = { keys: bound.kind === 'keys' ? bound.keys : new Map() };
  assert.equal(verifyMessage(own ?? Buffer.alloc(0), trust).kid, gatewayKey.kid);
  assert.throws(() => verifyMessage(foreign ?? Buffer.alloc(0), trust), { code: 'E_KEY_SCOPE' });
});

test('the live table: every gateway in a line, silent ones first, drawn again in place, nothing that moves the cursor', async () => {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const out = { write, isTTY: true, columns: 80, rows: 14 };
  const report = (n: number, silent: boolean): LogReport => ({
    log: `example.org/gw-${n}/1`,
    size: 10 * n,
    included: n,
    witnessed: 0,
    silent,
  });
  const worker = {
    connection: { state: 'connected', broker: 'mqtt://127.0.0.1:1883', protocol: '5' },
    failing: 'store.full',
    waiting: 7,
    logs: async () => Array.from({ length: 20 }, (_none, n) => report(n, n === 13)),
  } as unknown as Worker;
  const table = new LiveTable({ out, err: out, input: process.stdin }, 'collector-a', worker);
  table.tell(['one\x1b[2J', 'two']);
  await table.draw();
  const shown = stripVTControlCharacters(written).replaceAll('\r', '').split('\n');
  assert.match(
    shown[0] ?? '',
    /^collector-a: connected mqtt:\/\/127\.0\.0\.1:1883, MQTT 5, 7 messages wait, the store refuses: store\.full$/,
  );
  assert.match(shown[2] ?? '', /^gateway +log +entries +included/);
  assert.match(shown[3] ?? '', /^example\.org\/gw-13 +1 +130 +13 +0 +not heard/);
  assert.ok(shown.some((line) => /^… and \d+ more: assayer collect logs$/.test(line)));
  assert.ok(shown.length <= out.rows, `${shown.length} lines`);
  assert.ok(written.includes('one\u{FFFD}[2J'));
  const first = written.length;
  await table.draw();
  assert.match(written.slice(first), new RegExp(`\x1b\\[${shown.length - 1}A\r`));
  for (const rows of [5, 3, 1]) {
    const before = written.length;
    const low = new LiveTable({ out: { ...out, rows }, err: out, input: process.stdin }, 'collector-a', worker);
    low.tell(['one', 'two', 'three']);
    for (let frame = 0; frame < 3; frame += 1) await low.draw();
    const frames = stripVTControlCharacters(written.slice(before)).split('\n').length - 1;
    const high = Math.max(1, rows - 1);
    assert.equal(frames, 3 * high, `${rows} rows`);
    assert.ok(written.slice(before).includes(`\x1b[${high}A\r`), `${rows} rows`);
  }
  table.end();
  assert.ok(written.endsWith('\x1b[?25h'));
});

/** A manifest that trusts the gateway of these tests, signed by `signer`. */
const manifestBy = (
  signer: ReturnType<typeof keyOf>,
  witnesses: readonly SigningCollector[],
  others: readonly object[] = [],
): Buffer =>
  signMessage(
    {
      version: 1,
      iat: Math.floor(Date.now() / 1000) - 60,
      exp: Math.floor(Date.now() / 1000) + 3_600,
      keys: [
        { kid: gatewayKey.kid, jwk: gatewayKey.jwk, role: 'gateway' },
        ...witnesses.map(({ kid, jwk }) => ({ kid, jwk, role: 'collector' })),
        ...others,
      ],
      witnesses: witnesses.map(({ vkey }) => vkey),
      quorum: 1,
    },
    'miner-trust+jwt',
    signer,
  );

describe('assayer collect as a person uses it', { skip: WITHOUT_MOSQUITTO }, () => {
  test('TLS 1.3 with a client certificate; presence with its will; log-in and rollcall', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'assayer-collect-tls-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const authority = new Authority(dir);
    const server = authority.issue('broker', 'IP:127.0.0.1');
    const client = authority.issue('collector-a', 'DNS:collector-a');
    const plainPort = await freePort();
    await using broker = await Mosquitto.start([
      'per_listener_settings true',
      `cafile ${authority.ca}`,
      `certfile ${server.cert}`,
      `keyfile ${server.key}`,
      'tls_version tlsv1.3',
      'require_certificate true',
      'use_identity_as_username true',
      `listener ${plainPort} 127.0.0.1`,
      'allow_anonymous true',
    ]);
    const plainUrl = `mqtt://127.0.0.1:${plainPort}`;
    await using collector = new CollectorProcess();
    await using observer = await Observer.connect(plainUrl);
    await using gateway = await SimulatedGateway.connect(plainUrl, plain(20));
    const tls = ['--ca', authority.ca, '--cert', client.cert, '--key', client.key];
    collector.start(`mqtts://127.0.0.1:${broker.port}`, tls);
    await until('all are confirmed', () => gateway.isDone);
    const topic = 'attest/v1/_fleet/collector/collector-a';
    const [online] = observer.on(topic);
    const { state, session, at } = JSON.parse(online?.text ?? '{}');
    assert.deepEqual([state, Object.keys(JSON.parse(online?.text ?? '{}'))], ['online', ['state', 'session', 'at']]);
    assert.ok(Math.abs(at - Date.now() / 1000) < 30);
    assert.equal(online?.packet.properties?.messageExpiryInterval, 900);
    assert.equal(observer.on('attest/v1/_fleet/rollcall/collector-a').length, 1);
    await collector.kill();
    await until('the will', () => observer.states(topic).includes('lost'), 5_000);
    assert.equal(JSON.parse(observer.on(topic).at(-1)?.text ?? '').session, session);
    // A stranger's certificate is refused, and told with what is wrong.
    const stranger = mkdtempSync(join(dir, 'stranger-'));
    const other = new Authority(stranger).issue('collector-a', 'DNS:collector-a');
    collector.start(`mqtts://127.0.0.1:${broker.port}`, [
      '--ca',
      authority.ca,
      '--cert',
      other.cert,
      '--key',
      other.key,
    ]);
    await until('the refusal', () => collector.events().some((event) => /^uplink\.(tls|closed|network)$/.test(event)));
  });

  test('JSON lines: one for every message and notice; queries as tables and as JSON', async () => {
    await using broker = await Mosquitto.start();
    await using collector = new CollectorProcess();
    await using gateway = await SimulatedGateway.connect(broker.url, eventful(26));
    collector.start(broker.url, ['--json', '--until-idle', '2']);
    assert.deepEqual(await collector.ended(), { code: 0, signal: null });
    assert.deepEqual(
      collector
        .told('message')
        .map(({ seq, status }) => `${seq} ${status}`)
        .slice(0, 26),
      gateway.log.messages.map((_message, seq) => `${seq} chained`),
    );
    assert.equal(collector.told('incarnation').length, 1);
    assert.equal(collector.told('checkpoint')[0]?.log, gateway.log.next.log);
    const ask = (...words: readonly string[]) => assayer(['collect', ...words, '--state', collector.state]);
    const findings = await ask('findings');
    assert.equal(findings.code, 1);
    assert.match(findings.out, /^since \(UTC\) +severity +state +gateway +device +finding/);
    assert.match(findings.out, /high +open +example\.org\/gw-test +rig-\d +pool\.url-changed/);
    const [one] = lines((await ask('findings', '--json')).out).map((line) => JSON.parse(line));
    assert.deepEqual(
      [one.gateway, one.id, one.severity, one.state, one.log],
      ['example.org/gw-test', 'pool.url-changed', 'high', 'open', gateway.log.next.log],
    );
    assert.deepEqual(
      lines((await ask('devices', '--json')).out).map((line) => JSON.parse(line).device),
      ['rig-0', 'rig-1', 'rig-2'],
    );
    for (const verb of ['gaps', 'silence', 'alarms']) {
      const none = await ask(verb, '--json');
      assert.deepEqual([none.code, none.out, none.err], [0, '', ''], verb);
    }
    const next = new Writing('example.org/gw-test/2');
    next.write(start({ prior: { log: gateway.log.next.log, size: 26, root: rootOf(gateway.log, 26) } }));
    collector.start(broker.url, ['--until-idle', '3']);
    await until(
      'it is connected',
      () => collector.events().filter((event) => event === 'collect.connected').length === 2,
    );
    await gateway.publish('log', next.messages[0] ?? '');
    assert.equal((await collector.ended()).code, 0, collector.err);
    assert.deepEqual([(await ask('findings')).code, (await ask('findings')).out.split('\n').length], [0, 2]);
    const all = await ask('findings', '--all');
    assert.equal(all.code, 0);
    assert.match(
      all.out,
      /high +superseded by example\.org\/gw-test\/2 +example\.org\/gw-test +rig-\d +pool\.url-changed/,
    );
    assert.equal((await ask('gaps')).code, 0);
    const { kind, detail, at: replacedAt } = JSON.parse((await ask('alarms', '--json')).out);
    assert.deepEqual([kind, detail.held, detail.prior.size], ['replaced', 26, 26]);

    await until('a later second', () => Date.now() / 1000 > replacedAt + 1);
    collector.start(broker.url, ['--until-idle', '3']);
    await until(
      'it is connected',
      () => collector.events().filter((event) => event === 'collect.connected').length === 3,
    );
    await gateway.publish('log', 'rubbish');
    assert.equal((await collector.ended()).code, 1);
    const at = JSON.parse(lines((await ask('alarms', '--json')).out)[0] ?? '').at;
    for (const [since, code] of [
      [`${at}`, 1],
      [new Date(at * 1000).toISOString(), 1],
      [`${at + 1}`, 0],
    ] as const)
      assert.equal((await ask('alarms', '--since', since)).code, code, since);
    assert.equal((await ask('alarms', '--since', 'yesterday')).code, 2);
    const elsewhere = await ask('devices', '--json', '--gateway', 'gw-other');
    assert.deepEqual([elsewhere.code, elsewhere.out], [2, '']);
    assert.match(elsewhere.err, /"gw-other".*\n?.*did you mean "gw-test"\?/);
    assert.equal((await ask('silence', '--gateway', 'gw-test')).code, 0);
    assert.match((await ask('logs')).out, /^example\.org\/gw-test\/1 +26 +26 +0$/m);
  });

  test('whom a manifest names is trusted, from a file or from the broker; a forged one is not', async (t) => {
    const dir = folder(t);
    const [pinned, forger] = [keyOf(7), keyOf(8)];
    const manifest = (signer: typeof pinned) => manifestBy(signer, []);
    const files = { jwk: join(dir, 'authority.jwk.json'), good: join(dir, 'good.json'), bad: join(dir, 'bad.json') };
    writeFileSync(files.jwk, JSON.stringify({ ...pinned.jwk, role: 'authority' }));
    writeFileSync(files.good, manifest(pinned));
    writeFileSync(files.bad, manifest(forger));
    await using broker = await Mosquitto.start();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(10));
    const collect = (state: string, ...more: readonly string[]) =>
      assayer(
        [
          'collect',
          broker.url,
          '--id',
          'collector-a',
          '--authority',
          files.jwk,
          '--until-idle',
          '2',
          '--state',
          join(dir, state),
          ...more,
        ],
        { cwd: dir },
      );
    const forged = await collect('a', '--manifest', files.bad);
    assert.equal(forged.code, 2);
    assert.match(forged.err, /the manifest is refused: E_/);
    const good = await collect('b', '--manifest', files.good);
    assert.deepEqual([good.code, gateway.isDone], [0, true], good.err);
    const before = gateway.acks.length;
    await using observer = await Observer.connect(broker.url);
    await observer.publish('attest/v1/_fleet/trust', manifest(pinned).toString(), true);
    const fromBroker = await collect('c');
    assert.match(fromBroker.out, /manifest 1 is in force/);
    assert.ok(gateway.acks.length > before && gateway.isDone, `${gateway.acks}`);
  });

  test('a manifest names a thousand gateways, over a broker as it is recommended', async (t) => {
    const dir = folder(t);
    const authority = keyOf(7);
    writeFileSync(join(dir, 'authority.jwk.json'), JSON.stringify({ ...authority.jwk, role: 'authority' }));
    const others = Array.from({ length: 1_000 }, (_none, n) => {
      const jwk = jwkOf(generateKeyPairSync('ed25519').privateKey);
      return { kid: thumbprint(jwk), jwk, role: 'gateway', logs: [`example.org/site-0417-gateway-${n}`] };
    });
    const manifest = manifestBy(authority, [], others);
    assert.ok(manifest.length > 200_000, `${manifest.length} bytes`);
    await using broker = await Mosquitto.start(['allow_anonymous true', 'max_packet_size 262144']);
    await using observer = await Observer.connect(broker.url);
    await using gateway = await SimulatedGateway.connect(broker.url, plain(10));
    await observer.publish('attest/v1/_fleet/trust', manifest.toString(), true);
    const words = ['--authority', 'authority.jwk.json', '--state', 'state', '--until-idle', '2'];
    const said = await assayer(['collect', broker.url, '--id', 'collector-a', ...words], { cwd: dir });
    assert.match(said.out, /manifest 1 is in force/);
    assert.ok(gateway.isDone, said.out + said.err);
    assert.throws(() => manifestBy(authority, [], [...others, ...others]), /cannot sign/);
  });

  test('it cosigns what it has stored, under a key that only its user can read, and says what time it is', async (t) => {
    const dir = folder(t);
    const keyFile = join(dir, 'collector.key');
    const signing = signingCollector(keyFile, 'collector-a');
    const authority = keyOf(7);
    writeFileSync(join(dir, 'authority.jwk.json'), JSON.stringify({ ...authority.jwk, role: 'authority' }));
    writeFileSync(join(dir, 'manifest.json'), manifestBy(authority, [signing]));
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = await SimulatedGateway.connect(broker.url, plain(10));
    const words = ['--authority', 'authority.jwk.json', '--manifest', 'manifest.json', '--cosign', keyFile];
    const said = await assayer(
      ['collect', broker.url, '--id', 'collector-a', ...words, '--state', join(dir, 'state'), '--until-idle', '2'],
      { cwd: dir },
    );
    assert.equal(said.code, 0, said.err);
    assert.ok(said.err.includes(signing.vkey) && gateway.isDone);
    const { note } = JSON.parse(observer.on('attest/v1/gw-test/cosig/collector-a').at(-1)?.text ?? '{}');
    assert.match(note, /^— collector-a /m);
    const [epoch] = observer.on('attest/v1/_fleet/epoch/collector-a');
    const { keys } = verifyManifest(manifestBy(authority, [signing]), {
      authority: new Map([
        [
          authority.kid,
          { kid: authority.kid, jwk: authority.jwk, role: 'authority' as const, key: publicKeyOf(authority.jwk) },
        ],
      ]),
    });
    assert.equal(verifyEpoch(Buffer.from(epoch?.text ?? ''), { keys }, Date.now())?.iss, 'collector-a');
    assert.match((await assayer(['collect', 'logs', '--state', join(dir, 'state')])).out, /gw-test\/1 +10 +10 +10$/m);
    assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  });

  test('a person sets a log aside and takes it back, with a name and a reason; alarms show both', async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, 'gateway.jwk.json'), JSON.stringify(knownAnswers.jwk));
    await using broker = await Mosquitto.start();
    await using gateway = await SimulatedGateway.connect(broker.url, plain(3));
    const words = ['--trust', 'gateway.jwk.json', '--state', 'state', '--until-idle', '2'];
    await assayer(['collect', broker.url, '--id', 'collector-a', ...words], { cwd: dir });
    assert.ok(gateway.isDone);
    const log = 'example.org/gw-test/1';
    const say = (verb: string, ...more: readonly string[]) =>
      assayer(['collect', verb, log, '--note', 'a stolen key', '--state', 'state', ...more], { cwd: dir });
    assert.deepEqual([(await say('set-aside')).code, (await say('reinstate', '--yes')).code], [2, 2]);
    const done = await say('set-aside', '--by', 'alice', '--yes', '--json');
    assert.deepEqual([done.code, JSON.parse(done.out)], [0, { log, size: 3, aside: true, why: 'alice: a stolen key' }]);
    assert.match(
      (await assayer(['collect', 'logs', '--state', 'state'], { cwd: dir })).out,
      /gw-test\/1 .* set aside$/m,
    );
    assert.match((await say('reinstate', '--by', 'bob', '--yes')).out, /gw-test\/1 is reinstated/);
    const alarms = await assayer(['collect', 'alarms', '--state', 'state'], { cwd: dir });
    assert.match(alarms.out, / aside +example\.org\/gw-test\/1 +alice: a stolen key$/m);
    assert.match(alarms.out, / reinstated +example\.org\/gw-test\/1 +bob: a stolen key$/m);
    const none = await assayer(['collect', 'set-aside', `${log}7`, '--note', 'x', '--yes', '--state', 'state'], {
      cwd: dir,
    });
    assert.deepEqual([none.code, /\[usage\.log\]/.test(none.err)], [2, true]);
    const ghost = `${log}7`;
    {
      await using database = Sqlite.open(join(dir, 'state'));
      const gap = { kind: 'gap', log: ghost, from: 0, to: 3, waiting: 0 } as const;
      await new SqlStore(database, Date.now).commit({ logs: [], notices: [gap], refused: [] });
    }
    const ask = (verb: string) => assayer(['collect', verb, '--state', 'state'], { cwd: dir });
    assert.match((await ask('alarms')).out, / unbegun +example\.org\/gw-test\/17 +\{"from":0,"to":3\}$/m);
    const spokenOf = await assayer(['collect', 'set-aside', ghost, '--note', 'x', '--yes', '--state', 'state'], {
      cwd: dir,
    });
    assert.deepEqual([spokenOf.code, (await ask('gaps')).code], [0, 0]);
    assert.doesNotMatch((await ask('alarms')).out, /unbegun/);
    const back = await assayer(['collect', 'reinstate', ghost, '--note', 'x', '--yes', '--state', 'state'], {
      cwd: dir,
    });
    assert.deepEqual([back.code, /gw-test\/17 is reinstated$/m.test(back.out)], [0, true]);
    assert.equal(
      (await assayer(['collect', 'set-aside', log, '--note', 'x', '--state', 'none'], { cwd: dir })).code,
      3,
    );
    assert.equal(existsSync(join(dir, 'none')), false);
  });

  test('where keys are given by hand, its own marker of time is no forgery', async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, 'gateway.jwk.json'), JSON.stringify(knownAnswers.jwk));
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    await using gateway = await SimulatedGateway.connect(broker.url, plain(10));
    const words = ['--trust', 'gateway.jwk.json', '--cosign', 'collector.key', '--state', 'state', '--until-idle', '2'];
    const said = await assayer(['collect', broker.url, '--id', 'collector-a', ...words], { cwd: dir });
    assert.equal(said.code, 0, said.out + said.err);
    assert.ok(gateway.isDone && observer.on('attest/v1/_fleet/epoch/collector-a').length > 0);
    assert.equal((await assayer(['collect', 'alarms', '--state', 'state'], { cwd: dir })).code, 0);
  });
});

test('whoever may not read the store of a collector is told to be its user', async (t) => {
  // What ends with a test ends in the same order, and what is shut cannot be removed.
  t.after(() => chmodSync(state, 0o700));
  const dir = folder(t);
  const state = join(dir, 'state');
  {
    await using _ = Sqlite.open(state);
  }
  const as = process.getuid?.() === 0 ? 65534 : undefined;
  for (const [path, mode] of [
    [join(state, 'collector.db'), as === undefined ? 0 : 0o600],
    [state, as === undefined ? 0 : 0o700],
  ] as const) {
    chmodSync(state, 0o755);
    chmodSync(dir, 0o755);
    chmodSync(path, mode);
    const { code, out, err } = await assayer(['collect', 'gaps', '--state', state], { as });
    assert.deepEqual([code, out], [3, ''], err);
    assert.match(err, /collector\.db may not be read by this user\n {2}remedy: .* as the user of the collector/);
  }
});

test('many logs that a stolen key signed are set aside in one word, and none of another gateway or before', async (t) => {
  const dir = folder(t);
  const logOf = (gateway: string, at: number) => `example.org/${gateway}/${1795339200 + at}`;
  {
    await using database = Sqlite.open(join(dir, 'state'));
    const store = new SqlStore(database, Date.now);
    const collector = await Collector.open({ id: 'collector-a', store, trust: { kind: 'keys', keys } });
    for (const log of [...[0, 5, 10, 11, 12].map((at) => logOf('gw-test', at)), logOf('gw-other', 20)]) {
      const payload = new Writing(log).write(start());
      await collector.take([{ topic: `attest/v1/${log.split('/')[1]}/log`, payload }], 1795339300_000);
    }
  }
  const say = (verb: string, ...more: readonly string[]) =>
    assayer(['collect', verb, '--note', 'a stolen key', '--by', 'alice', '--state', 'state', ...more], { cwd: dir });
  const asideNow = async () => {
    await using database = Sqlite.openReadOnly(join(dir, 'state'));
    const listed = await new SqlStore(database, Date.now).logs();
    return listed.flatMap(({ log, aside }) => (aside ? [log] : [])).sort();
  };
  const after = ['--all-after', logOf('gw-test', 5)];
  const later = [10, 11, 12].map((at) => logOf('gw-test', at));

  // Nothing is done without a word, nor where one of them is not what it is taken for.
  const shown = await say('set-aside', ...after);
  assert.equal(shown.code, 2);
  assert.match(shown.err, /\[usage\.confirmation\]/);
  assert.deepEqual(
    shown.out.trim().split('\n').slice(0, -1),
    later.map((log) => `${log}: 1 entries`),
  );
  for (const wrong of [[], [logOf('gw-test', 7)], [logOf('gw-test', 0), logOf('gw-none', 0)]])
    assert.match((await say('set-aside', '--yes', ...wrong)).err, /\[usage\.log\]/);
  assert.match((await say('set-aside', '--yes', '--all-after', logOf('gw-test', 7))).err, /there is no log/);
  assert.match((await say('reinstate', '--yes', ...after)).err, /no log after .*\[usage\.log\]/s);
  assert.deepEqual(await asideNow(), []);

  const done = await say('set-aside', ...after, '--yes', '--json');
  assert.deepEqual(
    done.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    later.map((log) => ({ log, size: 1, aside: true, why: 'alice: a stolen key' })),
  );
  assert.deepEqual(await asideNow(), later);
  const { out } = await assayer(['collect', 'alarms', '--json', '--state', 'state'], { cwd: dir });
  const told = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    told
      .filter(({ kind }) => kind === 'aside')
      .map(({ log, detail }) => [log, detail.why])
      .sort(),
    later.map((log) => [log, 'alice: a stolen key']),
  );

  // Several by their names; with `--all-after` those that are so already are passed over.
  assert.equal((await say('reinstate', '--yes', later[0] ?? '', later[2] ?? '')).code, 0);
  assert.deepEqual(await asideNow(), [later[1]]);
  assert.equal((await say('set-aside', '--yes', ...after, logOf('gw-other', 20))).code, 0);
  assert.deepEqual(await asideNow(), [logOf('gw-other', 20), ...later]);
  assert.equal((await say('reinstate', '--yes', ...after)).code, 0);
  assert.deepEqual(await asideNow(), [logOf('gw-other', 20)]);
});
