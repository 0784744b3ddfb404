import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import mqtt from 'mqtt';
import { topicsOf } from '../../agent/publish/topics.ts';
import { emqxAccess, mosquittoAccess, type Right, ROLES } from '../../scripts/docs/broker-access.ts';
import { CHANNELS } from '../../shared/channels.ts';
import { collectorTopics } from '../../shared/index.ts';
import { CollectorProcess } from '../collect/collector-process.ts';
import { Gateway } from '../journeys/agent.ts';
import { fleetOf, rangeOf } from '../journeys/fleets.ts';
import { Authority, type Pair } from './certificates.ts';
import { freePort, Mosquitto, WITHOUT_MOSQUITTO } from './mosquitto.ts';
import { Observer, until } from './observer.ts';

const BROKER = join(import.meta.dirname, '..', '..', 'docs', 'broker');
const read = (file: string): string => readFileSync(join(BROKER, file), 'utf8');

/** MQTT's own rule (4.7): `+` is one level, `#` at the end the rest; neither begins with `$`. */
const matches = (filter: string, topic: string): boolean => {
  const [levels, names] = [filter.split('/'), topic.split('/')];
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
  const at = levels.indexOf('#');
  if (at >= 0) return levels.slice(0, at).every((level, n) => level === '+' || level === names[n]);
  return levels.length === names.length && levels.every((level, n) => level === '+' || level === names[n]);
};

/** Who writes, what, and who hears it. */
const ALLOWED: readonly (readonly [writer: string, topic: string, reader: string, filter: string, retain?: true])[] = [
  ['gw-1', 'attest/v1/gw-1/log', 'collector-a', 'attest/v1/+/log'],
  ['gw-1', 'attest/v1/gw-1/cp', 'collector-a', 'attest/v1/+/cp', true],
  ['gw-1', 'attest/v1/gw-1/conn', 'gw-1', 'attest/v1/gw-1/conn', true],
  ['gw-1', 'attest/v1/gw-1/conn', 'display-a', 'attest/v1/+/conn', true],
  ['gw-1', 'attest/v1/gw-1/rsp/collector-a', 'collector-a', 'attest/v1/+/rsp/collector-a'],
  ['gw-1', 'attest/v1/gw-1/dev/m-1', 'display-a', 'attest/v1/+/dev/+', true],
  ['gw-1', 'attest/v1/gw-1/finding/high', 'display-a', 'attest/v1/+/finding/+'],
  ['collector-a', 'attest/v1/gw-1/ack/collector-a', 'gw-1', 'attest/v1/gw-1/ack/+'],
  ['collector-a', 'attest/v1/gw-1/cosig/collector-a', 'gw-1', 'attest/v1/gw-1/cosig/+', true],
  ['collector-a', 'attest/v1/gw-1/cosig/collector-a', 'auditor-a', 'attest/v1/+/cosig/+', true],
  ['collector-a', 'attest/v1/gw-1/cmd/collector-a', 'gw-1', 'attest/v1/gw-1/cmd/+'],
  ['collector-a', 'attest/v1/_fleet/collector/collector-a', 'gw-1', 'attest/v1/_fleet/collector/+', true],
  ['collector-a', 'attest/v1/_fleet/epoch/collector-a', 'gw-1', 'attest/v1/_fleet/epoch/+', true],
  ['collector-a', 'attest/v1/_fleet/rollcall/collector-a', 'gw-1', 'attest/v1/_fleet/rollcall/+'],
  ['auditor-a', 'attest/v1/gw-1/cmd/auditor-a', 'gw-1', 'attest/v1/gw-1/cmd/+'],
  ['gw-1', 'attest/v1/gw-1/rsp/auditor-a', 'auditor-a', 'attest/v1/+/rsp/auditor-a'],
  ['authority', 'attest/v1/_fleet/trust', 'collector-a', 'attest/v1/_fleet/trust', true],
  ['approver', 'attest/v1/gw-1/ref/r-1', 'gw-1', 'attest/v1/gw-1/ref/+', true],
  ['gw-1', 'attest/v1/gw-1/tenant/acme/dev/m-1', 'acme', 'attest/v1/+/tenant/acme/#', true],
  ['gw-1', 'attest/v1/gw-1/tenant/acme/finding/high', 'acme', 'attest/v1/+/tenant/acme/#'],
  ['gw-1', 'attest/v1/gw-1/tenant/acme/coverage', 'acme', 'attest/v1/+/tenant/acme/#'],
];

/** What somebody tries to write that he may not. */
const EVASIONS: readonly (readonly [title: string, who: string, topics: readonly string[]])[] = [
  [
    'the topics of another gateway, kept or not',
    'gw-2',
    [
      ...['log', 'cp', 'conn', 'rsp/collector-a', 'dev/m-1', 'finding/high'],
      ...['tenant/acme/dev/m-1', 'tenant/acme/finding/high', 'tenant/acme/coverage'],
    ].map((end) => `attest/v1/gw-1/${end}`),
  ],
  [
    'acknowledgements and cosignatures that a gateway gives itself, or another',
    'gw-2',
    ['gw-2/ack/collector-a', 'gw-2/ack/gw-2', 'gw-1/ack/collector-a', 'gw-2/cosig/collector-a', 'gw-1/cosig/gw-2'].map(
      (end) => `attest/v1/${end}`,
    ),
  ],
  [
    'requests and references by a gateway',
    'gw-2',
    ['gw-2/cmd/collector-a', 'gw-1/cmd/collector-a', 'gw-1/cmd/gw-2', 'gw-2/ref/r-1', 'gw-1/ref/r-1'].map(
      (end) => `attest/v1/${end}`,
    ),
  ],
  [
    'what speaks to the whole fleet, by a gateway',
    'gw-2',
    ['collector/collector-a', 'collector/gw-2', 'epoch/collector-a', 'rollcall/gw-2', 'trust'].map(
      (end) => `attest/v1/_fleet/${end}`,
    ),
  ],
  [
    'topics that look like its own',
    'gw-2',
    [
      'attest/v1/gw-2',
      'attest/v1/gw-2/',
      'attest/v1/gw-2/logs',
      'attest/v1/gw-2/log/',
      'attest/v1/gw-2/log/x',
      'attest/v1/gw-2/dev/m-1/x',
      'attest/v1/gw-2/dev',
      'attest/v1/gw-2/tenant/acme',
      'attest/v1/gw-2/tenant/acme/log',
      'attest/v1/gw-2/tenant/acme/coverage/x',
      'attest/v1/gw-20/log',
      'attest/v1/GW-2/log',
      '/attest/v1/gw-2/log',
      'attest/v1//gw-2/log',
      'attest//v1/gw-2/log',
      'attest/v2/gw-2/log',
      'other/v1/gw-2/log',
      'attest/v1/gw-1/../gw-2/log',
      'attest/v1/%u/log',
      'log',
    ],
  ],
  ['the control topics of the broker', 'gw-2', ['$CONTROL/dynamic-security/v1', '$SYS/broker/clients/total']],
  [
    'what gateways and other collectors say, by a collector',
    'collector-a',
    ['gw-1/log', 'gw-1/cp', 'gw-1/conn', 'gw-1/rsp/collector-a', 'gw-1/ack/auditor-a', 'gw-1/cosig/auditor-a'].map(
      (end) => `attest/v1/${end}`,
    ),
  ],
  [
    'acknowledgements, cosignatures and markers by one that only looks',
    'auditor-a',
    [
      'gw-1/ack/auditor-a',
      'gw-1/ack/collector-a',
      'gw-1/cosig/auditor-a',
      '_fleet/epoch/auditor-a',
      '_fleet/trust',
    ].map((end) => `attest/v1/${end}`),
  ],
  [
    'anything by a display',
    'display-a',
    [
      ...['gw-1/dev/m-1', 'gw-1/finding/high', 'gw-1/cmd/display-a', '_fleet/collector/display-a'],
      ...['dev/m-1', 'finding/high', 'conn', 'log', 'cp', 'rsp/x'].map((end) => `display-a/${end}`),
    ].map((end) => `attest/v1/${end}`),
  ],
  ...['authority', 'approver', 'collector-a', 'acme'].map(
    (who): readonly [title: string, who: string, topics: readonly string[]] => [
      `what gateways say, by ${who} under its own name`,
      who,
      ['finding/critical', 'dev/m-1', 'log', 'conn', 'tenant/acme/coverage'].map((end) => `attest/v1/${who}/${end}`),
    ],
  ),
  [
    'anything by a tenant, its own topics among it',
    'acme',
    [
      'gw-1/tenant/acme/dev/m-1',
      'gw-1/tenant/acme/coverage',
      'gw-1/tenant/zeta/coverage',
      'gw-1/cp',
      'gw-1/cmd/acme',
    ].map((end) => `attest/v1/${end}`),
  ],
];

suite('the access lists in docs/broker', () => {
  const rightsOf = (user: string, as?: string): readonly Right[] =>
    ROLES.filter((role) => role.user === undefined || role.user === as)
      .flatMap(({ rights }) => rights)
      .map((right) => ({ ...right, topic: `attest/v1/${right.topic.replace('<self>', user)}` }));
  const may = (rights: readonly Right[], what: 'read' | 'write', topic: string): boolean =>
    rights.some((right) => right.may === what && matches(right.topic, topic));
  /** Every string and every function of one argument, also of what that gives: what is written. */
  const written = (topics: object, sample: string): readonly string[] =>
    Object.entries(topics).flatMap(([name, value]) => {
      if (typeof value === 'string') return [value];
      if (name === 'read' || typeof value !== 'function') return [];
      const made = value(sample);
      return typeof made === 'string' ? [made] : written(made, sample);
    });

  test('a gateway may write every topic of its own and hear every filter that it subscribes to', () => {
    const topics = topicsOf('attest', 'gw-1');
    const rights = rightsOf('gw-1');
    const all = written(topics, 'high');
    assert.ok(all.length >= 6, String(all));
    for (const topic of all) assert.ok(may(rights, 'write', topic), topic);
    for (const filter of topics.filters) assert.ok(may(rights, 'read', filter.replace('+', 'x')), filter);
    for (const topic of written(topicsOf('attest', 'gw-2'), 'high')) assert.ok(!may(rights, 'write', topic), topic);
  });

  test('a collector, too; an auditor everything but acknowledgements, cosignatures and markers', () => {
    for (const id of ['collector-a', 'auditor-a']) {
      const topics = collectorTopics('attest', id);
      const rights = rightsOf(id, id);
      const all = written(topics, 'gw-1');
      assert.ok(all.length >= 6, String(all));
      const beyond = id === 'auditor-a' ? [topics.ack('gw-1'), topics.cosig('gw-1'), topics.epoch] : [];
      assert.deepEqual(
        all.filter((topic) => !may(rights, 'write', topic)),
        beyond,
      );
      for (const filter of [...topics.filters, topics.presence])
        assert.ok(may(rights, 'read', filter.replaceAll('+', 'x')), filter);
    }
  });

  /** Who has a block of its own is no gateway, whatever the lines for every client say. */
  const others = ROLES.flatMap(({ user }) => user ?? []);

  /** `user may topic` of the Mosquitto file; `*` is every client. */
  const fromMosquitto = (text: string): readonly string[] => {
    assert.deepEqual(
      [...text.matchAll(/^user (\S+)\ntopic deny attest\/v1\/(\S+)\/#$/gm)].map(([, user, denied]) => [user, denied]),
      others.map((user) => [user, user]),
    );
    let user = '';
    return text.split('\n').flatMap((line) => {
      if (line === '' || line.startsWith('#')) return [];
      const [word = '', ...rest] = line.split(' ');
      if (word === 'user') user = rest.join(' ');
      if (word === 'user' || rest[0] === 'deny') return [];
      assert.ok(word === 'topic' || word === 'pattern', line);
      assert.match(rest[0] ?? '', /^(read|write)$/);
      return [`${word === 'pattern' ? '*' : user} ${rest.join(' ').replace('%u', '<self>')}`];
    });
  };

  /** The same of the EMQX file, by the grammar that EMQX documents for it. */
  const RULE =
    /^\{allow, (all|\{username, "([a-z0-9-]+)"\}), (subscribe|\{publish, \[\{retain, (?:true|false)\}\]\}), \[((?:\n {2}"[^"\n]+",?)+)\n\]\}\.$/;
  const fromEmqx = (text: string): readonly string[] => {
    const terms = text
      .split('\n')
      .filter((line) => !line.startsWith('%%'))
      .join('\n')
      .split(/\n\n+/)
      .flatMap((block) => block.trim().split(/(?<=\}\.)\n/));
    assert.equal(terms[0], '{deny, {username, {re, "[^a-z0-9-]"}}, all, ["#"]}.');
    assert.equal(terms.at(-1), '{deny, all}.');
    const denied = terms.filter((term) => /^\{deny, \{username, "/.test(term));
    assert.deepEqual(
      denied,
      others.map((user) => `{deny, {username, "${user}"}, all, ["attest/v1/${user}/#"]}.`),
    );
    return terms.slice(1, -1).flatMap((term) => {
      if (denied.includes(term)) return [];
      const [, , user = '*', action = '', topics = ''] = RULE.exec(term) ?? assert.fail(`not understood: ${term}`);
      return [...topics.matchAll(/"([^"]+)"/g)].map(
        ([, topic = '']) =>
          `${user} ${action === 'subscribe' ? 'read' : 'write'} ${topic.replace(`\${username}`, '<self>')}`,
      );
    });
  };

  test('Mosquitto and EMQX get the same rights, and those of the list', () => {
    assert.equal(read('mosquitto/acl'), mosquittoAccess());
    assert.equal(read('emqx/acl.conf'), emqxAccess());
    const listed = ROLES.flatMap(({ user = '*', rights }) =>
      rights.map(({ may: what, topic }) => `${user} ${what} attest/v1/${topic}`),
    ).sort();
    assert.ok(listed.length > 30);
    assert.deepEqual([...fromMosquitto(read('mosquitto/acl'))].sort(), listed);
    assert.deepEqual([...fromEmqx(read('emqx/acl.conf'))].sort(), listed);
  });

  /** The rules of the EMQX file, and what its documentation makes of them: the first that fits decides. */
  const emqxDecides = (user: string, action: 'read' | 'write', topic: string, kept: boolean): boolean => {
    if (/[^a-z0-9-]/.test(user)) return false;
    const text = read('emqx/acl.conf');
    if (text.includes(`{deny, {username, "${user}"}, all, ["attest/v1/${user}/#"]}.`)) {
      if (matches(`attest/v1/${user}/#`, topic)) return false;
    }
    const rules = text.matchAll(
      /^\{allow, (all|\{username, "([^"]+)"\}), (subscribe|\{publish, \[\{retain, (true|false)\}\]\}), \[([^\]]+)\]\}\.$/gm,
    );
    return [...rules].some(([, , name, what, retain, topics = '']) => {
      if (name !== undefined && name !== user) return false;
      if (action === 'read' ? what !== 'subscribe' : retain !== `${kept}`) return false;
      return [...topics.matchAll(/"([^"]+)"/g)].some(([, filter = '']) =>
        matches(filter.replace(`\${username}`, user), topic),
      );
    });
  };

  test('EMQX’s list decides on what is tried at Mosquitto below as Mosquitto does, by the rules that EMQX documents', () => {
    for (const [writer, topic, reader, filter, kept = false] of ALLOWED) {
      assert.ok(emqxDecides(writer, 'write', topic, kept), `${writer} writes ${topic}`);
      assert.ok(!emqxDecides(writer, 'write', topic, !kept), `${writer} writes ${topic} as what it is not`);
      assert.ok(emqxDecides(reader, 'read', filter, false), `${reader} reads ${filter}`);
    }
    for (const [title, who, topics] of EVASIONS)
      for (const topic of topics)
        for (const kept of [false, true]) assert.ok(!emqxDecides(who, 'write', topic, kept), `${title}: ${topic}`);
    for (const filter of ['#', 'attest/#', 'attest/v1/#', 'attest/v1/+/log', 'attest/v1/gw-1/#', 'attest/v1/+/+/+'])
      assert.ok(!emqxDecides('gw-2', 'read', filter, false), filter);
    for (const name of ['+', '#', 'gw-1/x', 'gw-1/ack', '_fleet'])
      assert.ok(!emqxDecides(name, 'write', `attest/v1/${name}/log`, false), name);
  });

  test('every channel of the interface has somebody who writes it, kept or not as it is published, and somebody who reads it', () => {
    for (const [name, { path, retain }] of Object.entries(CHANNELS)) {
      const names: { readonly [braced: string]: string } = { '{gateway}': 'gw-1', '{tenant}': 'acme' };
      const topic = path.replaceAll(/\{\w+\}/g, (braced) => names[braced] ?? 'collector-a');
      const rights = ROLES.flatMap(({ rights: each }) => each).map((right) => ({
        ...right,
        topic: right.topic.replace('<self>', 'gw-1'),
      }));
      const writers = rights.filter((right) => right.may === 'write' && matches(right.topic, topic));
      assert.ok(writers.length > 0 && writers.every(({ kept }) => kept === retain), name);
      assert.ok(may(rights, 'read', topic), name);
    }
  });

  test('Mosquitto’s configuration names no directive twice, and binds every name to its certificate', () => {
    const lines = directives();
    assert.equal(new Set(lines.map((line) => line.split(' ')[0])).size, lines.length);
    for (const line of ['require_certificate true', 'use_identity_as_username true', 'use_username_as_clientid true'])
      assert.ok(lines.includes(line), line);
    assert.ok(lines.includes('allow_anonymous false') && lines.includes('tls_version tlsv1.3'));
    const emqx = read('emqx/emqx.conf');
    for (const line of [
      'verify = verify_peer',
      'fail_if_no_peer_cert = true',
      'peer_cert_as_username = cn',
      'peer_cert_as_clientid = cn',
      'no_match = deny',
      'versions = ["tlsv1.3"]',
    ])
      assert.ok(emqx.includes(line), line);
  });
});

const directives = (): readonly string[] =>
  read('mosquitto/mosquitto.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

suite(
  'Mosquitto with the files of docs/broker/mosquitto (mqtt.md §9)',
  { skip: WITHOUT_MOSQUITTO, timeout: 240_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'assayer-access-'));
    let ours: Authority;
    let broker: Mosquitto;
    let overseer: Observer;
    let watchUrl: string;
    const pairs = new Map<string, Pair>();
    const opened: { readonly end: () => void }[] = [];

    before(async () => {
      ours = new Authority(folder);
      const server = ours.issue('broker', 'IP:127.0.0.1');
      const port = await freePort();
      // The file as it is, but for its port and paths; beside it a second listener, for whoever proves what was delivered.
      const lines = directives()
        .filter((line) => !line.startsWith('listener '))
        .map((line) => line.replace(/^(cafile) .*/, `$1 ${ours.ca}`).replace(/^(certfile) .*/, `$1 ${server.cert}`))
        .map((line) => line.replace(/^(keyfile) .*/, `$1 ${server.key}`).replace(/^(acl_file) .*/, '$1 #/acl'))
        .map((line) => line.replace(/^(persistence_location) .*/, '$1 #/'));
      const beside = [`listener ${port} 127.0.0.1`, 'allow_anonymous true'];
      broker = await Mosquitto.start([...lines, ...beside], { acl: read('mosquitto/acl') }, [
        'per_listener_settings true',
      ]);
      watchUrl = `mqtt://127.0.0.1:${port}`;
      overseer = await Observer.connect(watchUrl, { clientId: 'overseer' }, [
        '#',
        '$SYS/broker/clients/+',
        '$CONTROL/#',
      ]);
    });

    after(async () => {
      for (const each of opened) each.end();
      await overseer?.[Symbol.asyncDispose]();
      await broker?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    /** The certificate with a common name. */
    const pairOf = (name: string): Pair => {
      const found = pairs.get(name);
      if (found !== undefined) return found;
      const file = `client-${pairs.size}`;
      const made = ours.issue(file, 'DNS:client.example', { commonName: name });
      pairs.set(name, made);
      return made;
    };

    const tls = (name: string, pair = pairOf(name)) => ({
      host: '127.0.0.1',
      port: broker.port,
      ca: readFileSync(ours.ca),
      cert: readFileSync(pair.cert),
      key: readFileSync(pair.key),
    });

    /** A client with the certificate of `name`, and what it heard. */
    class Client {
      readonly heard: { readonly topic: string; readonly text: string; readonly retain: boolean }[] = [];
      readonly mqtt: mqtt.MqttClient;
      isOpen = false;

      private constructor(name: string, options: mqtt.IClientOptions) {
        this.mqtt = mqtt.connect({
          protocol: 'mqtts',
          ...tls(name),
          protocolVersion: 5,
          clientId: name,
          reconnectPeriod: 0,
          ...options,
        });
        opened.push({ end: () => void this.mqtt.end(true) });
        this.mqtt.on('error', () => {});
        this.mqtt.on('close', () => {
          this.isOpen = false;
        });
        this.mqtt.on('message', (topic, payload, { retain }) =>
          this.heard.push({ topic, text: payload.toString(), retain }),
        );
      }

      /** Connected, or closed by the broker. */
      static async open(name: string, options: mqtt.IClientOptions = {}): Promise<Client> {
        const client = new Client(name, options);
        await new Promise<void>((resolve) => {
          client.mqtt.once('connect', () => {
            client.isOpen = true;
            resolve();
          });
          client.mqtt.once('close', () => resolve());
        });
        return client;
      }

      /** A refusal is no proof; whoever watches is. */
      async say(topic: string, text: string, options: mqtt.IClientPublishOptions = {}): Promise<void> {
        if (this.isOpen) await this.mqtt.publishAsync(topic, text, { qos: 1, ...options }).catch(() => {});
      }

      async listen(...filters: readonly string[]): Promise<void> {
        if (this.isOpen) await this.mqtt.subscribeAsync([...filters], { qos: 1 }).catch(() => {});
      }

      texts(): readonly string[] {
        return this.heard.map(({ text }) => text);
      }

      /** Without DISCONNECT: the will stands. */
      break(): void {
        this.mqtt.stream.destroy();
      }
    }

    let marks = 0;
    /** Everything that was sent to the broker before has been delivered, or never will be. */
    const settled = async (): Promise<void> => {
      const mark = `mark-${marks++}`;
      await overseer.publish('marks', mark, false);
      await until(mark, () => overseer.on('marks').some(({ text }) => text === mark));
    };
    const arrived = (topic: string, text: string): boolean =>
      overseer.on(topic).some((message) => message.text === text);
    /** Where a text was delivered. */
    const delivered = (text: string): readonly string[] =>
      overseer.heard.filter((message) => message.text === text).map(({ topic }) => topic);

    // ---- what is allowed

    for (const [at, [writer, topic, reader, filter, retain]] of ALLOWED.entries()) {
      test(`allowed ${at + 1}: ${writer} writes ${topic}, ${reader} hears it${retain ? ', and whoever comes later' : ''}`, async () => {
        const text = `allowed-${at}`;
        const from = await Client.open(writer);
        // One name is one client: who hears itself is one and the same.
        const to = writer === reader ? from : await Client.open(reader);
        await to.listen(filter);
        await from.say(topic, text, { retain: retain === true });
        await until('the message', () => to.texts().includes(text), 5_000);
        await until('whoever watches heard it, too', () => arrived(topic, text));
        if (retain !== true) return;
        await using late = await Observer.connect(watchUrl, { clientId: `late-${at}` }, [topic]);
        await until('it was kept', () => late.on(topic).some((message) => message.text === text && message.retain));
      });
    }

    test('allowed 22: the will of a gateway on its own presence', async () => {
      const client = await Client.open('gw-1', {
        will: { topic: 'attest/v1/gw-1/conn', payload: Buffer.from('lost-1'), qos: 1, retain: true },
      });
      client.break();
      await until('the will', () => arrived('attest/v1/gw-1/conn', 'lost-1'), 5_000);
    });

    for (const { user = 'gw-1', rights } of ROLES) {
      test(`allowed: every single right of ${user}`, async () => {
        const client = await Client.open(user);
        for (const [at, { may, topic, kept = false }] of rights.entries()) {
          const filter = `attest/v1/${topic.replace('<self>', 'gw-1')}`;
          const sample = filter.replaceAll(/[+#]/g, 'some-1');
          const text = `right ${user} ${at}`;
          if (may === 'read') {
            await client.listen(filter);
            await overseer.publish(sample, text, false);
            await until(`${user} hears ${sample}`, () => client.texts().includes(text), 5_000);
          } else {
            await client.say(sample, text, { retain: kept });
            await until(`${user} writes ${sample}`, () => arrived(sample, text), 5_000);
          }
        }
      });
    }

    // ---- what is not: writing

    let attempts = 0;
    /** Tries to write; nothing of it may be delivered to anybody, or kept. */
    const writesNothing = async (who: string, topics: readonly string[], options: mqtt.IClientOptions = {}) => {
      const evil = `evil ${attempts++} `;
      for (const version of [5, 4] as const) {
        const client = await Client.open(who, { protocolVersion: version, ...options });
        assert.ok(client.isOpen, `${who} is connected: what follows is refused to it, not to nobody`);
        for (const [at, topic] of topics.entries()) {
          for (const qos of [0, 1, 2] as const)
            for (const retain of [false, true]) {
              const text = `${evil} ${version} ${at} ${qos} ${retain}`;
              const sent = client.mqtt.publishAsync(topic, text, { qos, retain });
              // A broker may close instead of an answer; the next one is then a connection of its own.
              await Promise.race([sent.catch(() => {}), delay(1_000)]);
              if (!client.isOpen) return assert.fail(`closed at ${topic}`);
            }
        }
        client.mqtt.end(true);
      }
      await settled();
      const said = ({ text }: { readonly text: string }) => text.startsWith(evil);
      assert.deepEqual(overseer.heard.filter(said), []);
      await using late = await Observer.connect(watchUrl, { clientId: 'late' }, ['#', '$CONTROL/#']);
      await overseer.publish('end', 'end', false);
      await until('the end of what is kept', () => late.on('end').length > 0);
      assert.deepEqual(late.heard.filter(said), []);
    };

    for (const [at, [title, who, topics]] of EVASIONS.entries())
      test(`evasion ${at + 1}: ${title}`, () => writesNothing(who, topics));

    test('evasion 11: the user name, client id and password of another beside the own certificate', async () => {
      const first = await Client.open('gw-1');
      const other = { clientId: 'gw-1', username: 'collector-a', password: 'x' };
      await writesNothing('gw-2', ['attest/v1/gw-1/log', 'attest/v1/gw-1/ack/collector-a'], other);
      assert.ok(first.isOpen, 'and it puts nobody out of his connection');
      await first.say('attest/v1/gw-1/log', 'still here');
      await until('the first is connected', () => arrived('attest/v1/gw-1/log', 'still here'));
    });

    test('evasion 12: a will on a topic of somebody else', async () => {
      const topics = [
        'attest/v1/gw-1/conn',
        'attest/v1/gw-1/ack/collector-a',
        'attest/v1/_fleet/collector/collector-a',
      ];
      for (const [at, topic] of topics.entries()) {
        for (const protocolVersion of [5, 4] as const) {
          const payload = Buffer.from(`evil will ${at}`);
          const client = await Client.open('gw-2', { protocolVersion, will: { topic, payload, qos: 1, retain: true } });
          client.break();
        }
      }
      // A will without delay is published when the broker sees the end of the connection: one that is allowed comes after them.
      const payload = Buffer.from('lost-2');
      const honest = await Client.open('gw-2', {
        will: { topic: 'attest/v1/gw-2/conn', payload, qos: 1, retain: true },
      });
      honest.break();
      await until('the honest will', () => arrived('attest/v1/gw-2/conn', 'lost-2'), 5_000);
      for (const at of topics.keys()) assert.deepEqual(delivered(`evil will ${at}`), []);
      await using late = await Observer.connect(watchUrl, { clientId: 'late-will' }, topics);
      await overseer.publish(topics[0] ?? '', 'end', false);
      await until('the end of what is kept', () => late.heard.some(({ text }) => text === 'end'));
      assert.ok(!late.heard.some(({ text }) => text.startsWith('evil')));
    });

    test('evasion 13: a topic alias that was set with a forbidden topic', async () => {
      const socket = await rawConnection(tls('gw-2'), 'gw-2');
      // The alias is set by a publish that is refused; then it stands alone, and then behind an allowed topic.
      socket.write(publish5('attest/v1/gw-1/log', 'evil alias 0', { alias: 1 }));
      socket.write(publish5('', 'evil alias 1', { alias: 1 }));
      socket.write(publish5('attest/v1/gw-2/log', 'honest alias', { alias: 2 }));
      socket.write(publish5('attest/v1/gw-1/log', 'evil alias 2', { alias: 2 }));
      socket.write(publish5('', 'evil alias 3', { alias: 2 }));
      await until('the honest one', () => arrived('attest/v1/gw-2/log', 'honest alias'), 5_000);
      await settled();
      socket.destroy();
      const evil = overseer.heard.filter(({ text, topic }) => text.startsWith('evil alias') && topic.includes('gw-1'));
      assert.deepEqual(evil, []);
    });

    test('evasion 14: an empty message that would remove what another gateway has kept', async () => {
      const owner = await Client.open('gw-1');
      await owner.say('attest/v1/gw-1/cp', 'the checkpoint', { retain: true });
      const thief = await Client.open('gw-2');
      await thief.say('attest/v1/gw-1/cp', '', { retain: true });
      await settled();
      await using late = await Observer.connect(watchUrl, { clientId: 'late-cp' }, ['attest/v1/gw-1/cp']);
      await until('it is still there', () => late.on('attest/v1/gw-1/cp')[0]?.text === 'the checkpoint');
    });

    // ---- what is not: reading

    /** What is said everywhere, some of it kept, and what of it a client may hear. */
    const EVERYWHERE: readonly (readonly [topic: string, retain: boolean])[] = [
      ['attest/v1/gw-1/log', false],
      ['attest/v1/gw-1/cp', true],
      ['attest/v1/gw-1/conn', true],
      ['attest/v1/gw-1/ack/collector-a', false],
      ['attest/v1/gw-1/cosig/collector-a', true],
      ['attest/v1/gw-1/cmd/collector-a', false],
      ['attest/v1/gw-1/rsp/collector-a', false],
      ['attest/v1/gw-1/rsp/auditor-a', false],
      ['attest/v1/gw-1/ref/r-1', true],
      ['attest/v1/gw-1/dev/m-1', true],
      ['attest/v1/gw-1/finding/high', false],
      ['attest/v1/gw-1/tenant/acme/dev/m-1', true],
      ['attest/v1/gw-1/tenant/acme/coverage', false],
      ['attest/v1/gw-1/tenant/zeta/dev/m-2', true],
      ['attest/v1/gw-1/tenant/zeta/finding/high', false],
      ['attest/v1/gw-2/cmd/collector-a', false],
      ['attest/v1/gw-2/log', false],
      ['attest/v1/_fleet/rollcall/collector-a', false],
      ['elsewhere/secret', true],
    ];

    let rounds = 0;
    /** Subscribes before and after everything is said; gives the topics that were heard, kept ones among them. */
    const overheard = async (who: string, filters: readonly string[], options: mqtt.IClientOptions = {}) => {
      const round = `round-${rounds++}`;
      for (const [topic, retain] of EVERYWHERE) if (retain) await overseer.publish(topic, round, true);
      const client = await Client.open(who, options);
      await client.listen(...filters, 'attest/v1/_fleet/trust');
      for (const [topic] of EVERYWHERE) await overseer.publish(topic, round, false);
      // Everybody may hear this one: what comes before it has come.
      await overseer.publish('attest/v1/_fleet/trust', round, false);
      if (client.isOpen)
        await until('the last one', () => client.heard.some(({ topic }) => topic === 'attest/v1/_fleet/trust'), 5_000);
      await settled();
      for (const [topic] of EVERYWHERE) assert.ok(arrived(topic, round), `${topic} was really said`);
      client.mqtt.end(true);
      const heard = client.heard.filter(({ text, topic }) => text === round && topic !== 'attest/v1/_fleet/trust');
      return [...new Set(heard.map(({ topic }) => topic))].sort();
    };
    const WIDE = [
      '#',
      '+/#',
      'attest/#',
      'attest/v1/#',
      'attest/v1/+/log',
      'attest/v1/+/+/+',
      'attest/v1/gw-1/#',
      '+/+/+/cmd/+',
      'elsewhere/secret',
      'attest/v1/+/tenant/#',
    ];

    test('evasion 15: a gateway with every wildcard hears only what is for it', async () => {
      const its = ['attest/v1/_fleet/rollcall/collector-a', 'attest/v1/gw-2/cmd/collector-a'];
      for (const protocolVersion of [5, 4] as const)
        assert.deepEqual(await overheard('gw-2', WIDE, { protocolVersion }), its);
    });

    test('evasion 16: shared subscriptions are no way around', async () => {
      const shared = WIDE.map((filter, at) => `$share/group-${at}/${filter}`);
      const its = ['attest/v1/_fleet/rollcall/collector-a', 'attest/v1/gw-2/cmd/collector-a'];
      assert.deepEqual(await overheard('gw-2', shared), its);
    });

    test('evasion 17: a display hears mirrors, a collector nothing that is for others', async () => {
      const shown = ['conn', 'cp', 'dev/m-1', 'finding/high'].map((end) => `attest/v1/gw-1/${end}`);
      assert.deepEqual(await overheard('display-a', WIDE), ['attest/v1/_fleet/rollcall/collector-a', ...shown]);
      const collected = await overheard('collector-a', WIDE);
      for (const topic of ['gw-1/rsp/auditor-a', 'gw-1/ref/r-1', 'gw-1/cmd/collector-a', 'gw-1/dev/m-1'])
        assert.ok(!collected.includes(`attest/v1/${topic}`), topic);
      assert.ok(collected.includes('attest/v1/gw-1/log') && collected.includes('attest/v1/gw-1/rsp/collector-a'));
    });

    test('evasion 18: a tenant hears of its own devices, and nothing of those of others', async () => {
      const its = ['cp', 'tenant/acme/coverage', 'tenant/acme/dev/m-1'].map((end) => `attest/v1/gw-1/${end}`);
      for (const protocolVersion of [5, 4] as const)
        assert.deepEqual(await overheard('acme', WIDE, { protocolVersion }), [
          'attest/v1/_fleet/rollcall/collector-a',
          ...its,
        ]);
    });

    test('evasion 19: the broker’s own topics are not heard', async () => {
      const client = await Client.open('gw-2');
      await client.listen('$SYS/#', '$CONTROL/#', '$SYS/broker/clients/+', 'attest/v1/_fleet/trust');
      await until(
        'whoever watches hears them',
        () => overseer.heard.some(({ topic }) => topic.startsWith('$SYS/')),
        15_000,
      );
      await overseer.publish('attest/v1/_fleet/trust', 'after $SYS', false);
      await until('the last one', () => client.texts().includes('after $SYS'), 5_000);
      assert.ok(!client.heard.some(({ topic }) => topic.startsWith('$')));
    });

    for (const [at, [name, topics]] of (
      [
        ['+', ['attest/v1/gw-1/log', 'attest/v1/+/log', 'attest/v1/gw-1/conn']],
        ['#', ['attest/v1/gw-1/log', 'attest/v1/#/log', 'attest/v1/gw-1/conn']],
        ['gw-1/x', ['attest/v1/gw-1/log', 'attest/v1/gw-1/x', 'attest/v1/gw-1/conn', 'attest/v1/gw-1/ack/collector-a']],
        ['gw-1/ack', ['attest/v1/gw-1/ack/collector-a', 'attest/v1/gw-1/ack', 'attest/v1/gw-1/log']],
        ['_fleet', ['attest/v1/_fleet/collector/collector-a', 'attest/v1/_fleet/trust', 'attest/v1/_fleet/epoch/x']],
        ['', ['attest/v1//log', 'attest/v1/gw-1/log']],
      ] as const
    ).entries()) {
      test(`evasion ${at + 20}: a certificate whose common name is ${JSON.stringify(name)}`, async () => {
        const client = await Client.open(name, { clientId: 'gw-1' });
        for (const topic of topics.filter((each) => !/[+#]/.test(each)))
          for (const retain of [false, true]) await client.say(topic, `evil name ${at}`, { retain });
        await client.listen(...WIDE);
        await overseer.publish('attest/v1/gw-1/cmd/collector-a', `secret ${at}`, false);
        await overseer.publish('attest/v1/gw-1/log', `secret ${at}`, false);
        await settled();
        // What the broker sent to this client came before the answer to this.
        await client.say('nowhere', '');
        assert.deepEqual(delivered(`evil name ${at}`), []);
        assert.ok(!client.texts().includes(`secret ${at}`));
        client.mqtt.end(true);
      });
    }

    test('evasion 26: no certificate, one of another authority, one that has ended, no TLS', async () => {
      const strangers = mkdtempSync(join(folder, 'stranger-'));
      const foreign = new Authority(strangers).issue('collector-a', 'DNS:x');
      const ended = ours.issue('ended', 'DNS:x', { commonName: 'collector-a', days: -1 });
      const attempts: readonly (readonly [string, mqtt.IClientOptions])[] = [
        ['no certificate', { cert: '', key: '' }],
        ['another authority', { cert: readFileSync(foreign.cert), key: readFileSync(foreign.key) }],
        ['ended', { cert: readFileSync(ended.cert), key: readFileSync(ended.key) }],
        ['TLS 1.2', { maxVersion: 'TLSv1.2' } as mqtt.IClientOptions],
        ['no TLS', { protocol: 'mqtt', cert: '', key: '' }],
      ];
      for (const [how, options] of attempts) {
        const client = await Client.open('collector-a', options);
        assert.equal(client.isOpen, false, how);
        await settled();
      }
      const good = await Client.open('collector-a');
      assert.ok(good.isOpen, 'the same client with its certificate is let in');
    });

    // ---- and the program itself

    test('agent and collector do all they do through these files, and nothing is refused to them', async (t) => {
      // What a test above has kept there are no terms: the agent would refuse them, and rightly.
      await overseer.publish('attest/v1/gw-1/ref/r-1', '', true);
      await using fleet = await fleetOf(['axeos/gamma-2.15'], '127.67.0.1');
      const url = `mqtts://127.0.0.1:${broker.port}`;
      // What a test above had kept there is no document of an approver, and would rightly be refused by the gateway.
      await overseer.publish('attest/v1/gw-1/ref/r-1', '', true);
      const [own, theirs] = [pairOf('gw-1'), pairOf('collector-a')];
      await using gateway = await Gateway.start({
        devices: [rangeOf(fleet)],
        mqtt: { url, ca: ours.ca, ...own, collectors: ['collector-a'], mirror: 'on', spread_s: 0 },
      });
      await using collector = new CollectorProcess();
      const key = ['--ca', ours.ca, '--cert', theirs.cert, '--key', theirs.key];
      collector.start(url, [...key, '--trust', gateway.keyFile, '--cosign', join(collector.folder, 'witness.key')]);
      await gateway.knows(1);
      fleet.device(0).changePoolUser(0, 'thief.x');
      await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
      await until('a finding for displays', () =>
        overseer.heard.some(({ topic }) => topic.startsWith('attest/v1/gw-1/finding/')),
      );
      const isConfirmed = async () => {
        const { out } = await gateway.assayer('status', '--json');
        const { size, uplink } = JSON.parse(out);
        return uplink.collectors[0]?.confirmed === size && size > 3;
      };
      let confirmed = false;
      for (let tries = 0; tries < 40 && !confirmed; tries += 1) confirmed = await isConfirmed();
      assert.ok(confirmed, 'the collector has stored everything');
      const used = (end: string) => overseer.heard.some(({ topic }) => topic === `attest/v1/${end}`);
      await until('a device for displays', () =>
        overseer.heard.some(({ topic }) => topic.startsWith('attest/v1/gw-1/dev/')),
      );
      for (const end of ['gw-1/log', 'gw-1/cp', 'gw-1/conn', 'gw-1/ack/collector-a', 'gw-1/cosig/collector-a'])
        assert.ok(used(end), end);
      for (const end of ['collector/collector-a', 'rollcall/collector-a', 'epoch/collector-a'])
        assert.ok(used(`_fleet/${end}`), end);
      t.diagnostic(`${overseer.on('attest/v1/gw-1/log').filter(({ text }) => text.startsWith('{')).length} entries`);
      // What the programs really had kept is what the list, and with it EMQX, allows to be kept. The rest here is from tests above.
      await using late = await Observer.connect(watchUrl, { clientId: 'late-all' }, ['attest/#']);
      await overseer.publish('attest/end', 'end', false);
      await until('the end of what is kept', () => late.on('attest/end').length > 0);
      const kept = late.heard.filter(({ text, retain }) => retain && text.startsWith('{'));
      assert.deepEqual([...new Set(kept.map(({ topic }) => topic.split('/')[3]))].sort(), [
        'collector',
        'conn',
        'cosig',
        'cp',
        'dev',
        'epoch',
      ]);
      await gateway.stop();
      await collector.stop();
      const refusals = [...gateway.events.map(({ event }) => event), ...collector.events()].filter((event) =>
        /refused|not-authorised|uplink\.(tls|closed)/.test(event),
      );
      assert.deepEqual(refusals, []);
    });
  },
);

test('the commands of docs/broker.md make certificates with which Mosquitto runs on those files alone, and keeps strangers’ words out', {
  skip: WITHOUT_MOSQUITTO,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'assayer-broker-page-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const commands = /```bash\n([\s\S]*?issue collector-a[\s\S]*?)```/.exec(read('../broker.md'))?.[1] ?? '';
  const script = `${commands.replace('DNS:broker.example.org', 'DNS:localhost')}\nissue gw-2 DNS:gw-2\n`;
  const made = spawnSync('bash', ['-euc', script], { cwd: folder, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const at = (name: string): string => join(folder, name);
  const paths: { readonly [directive: string]: string } = {
    cafile: at('ca.pem'),
    certfile: at('broker.pem'),
    keyfile: at('broker.key'),
    acl_file: join(BROKER, 'mosquitto', 'acl'),
    persistence_location: '#/',
  };
  const lines = directives()
    .map((line) => line.split(' '))
    .filter(([word]) => word !== 'listener')
    .map(([word = '', ...rest]) => [word, ...(word in paths ? [paths[word]] : rest)].join(' '));
  await using broker = await Mosquitto.start(lines);
  const client = (name: string) => ({
    ca: readFileSync(at('ca.pem')),
    cert: readFileSync(at(`${name}.pem`)),
    key: readFileSync(at(`${name}.key`)),
    clientId: 'something-else',
  });
  const url = `mqtts://localhost:${broker.port}`;
  await using collector = await Observer.connect(url, client('collector-a'), ['attest/v1/+/log']);
  await using other = await Observer.connect(url, client('gw-2'), []);
  await using gateway = await Observer.connect(url, client('tx1-gw3'), []);
  await other.publish('attest/v1/tx1-gw3/log', 'forged', false).catch(() => {});
  await other.publish('attest/v1/gw-2/log', 'its own', false);
  await gateway.publish('attest/v1/tx1-gw3/log', 'honest', false);
  await until('what is honest', () => collector.heard.length >= 2, 5_000);
  assert.deepEqual(collector.heard.map(({ text }) => text).sort(), ['honest', 'its own']);
});

/** A connection of MQTT 5 that says what a test wants, byte for byte. */
const rawConnection = async (options: ConnectionOptions, clientId: string): Promise<TLSSocket> => {
  const socket = connectTls(options);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const body = Buffer.concat([text('MQTT'), Buffer.from([5, 2, 0, 60, 0]), text(clientId)]);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
};

/** PUBLISH with QoS 0, at most 127 bytes. */
const publish5 = (topic: string, payload: string, { alias }: { readonly alias: number }): Buffer => {
  const body = Buffer.concat([text(topic), Buffer.from([3, 0x23, 0, alias]), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
};

const text = (value: string): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};
