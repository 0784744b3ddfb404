import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { Gateway } from '../journeys/agent.ts';
import { fleetOf } from '../journeys/fleets.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { Observer, until } from '../publish/observer.ts';
import { valueAt } from './changed.ts';
import { channelsOf, readAsyncApi } from './documents.ts';

const MIRRORS = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'mirrors');
const PYTHON = '/usr/bin/python3';
const WITHOUT_JINJA: string | false =
  existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import jinja2']).status === 0
    ? false
    : 'python3-jinja2 is missing: run scripts/install-test-packages.sh';

const channelOf = channelsOf(readAsyncApi());
const read = (file: string): string => readFileSync(join(MIRRORS, file), 'utf8');

/** What a real agent left on the mirror topics: of a device that answers, of one that does not, of a finding, of presence. */
interface Caught {
  readonly seen: unknown;
  readonly dark: unknown;
  readonly finding: unknown;
  readonly conn: unknown;
}

/** A topic that a filter is for, so that it can be compared with the channels. */
const asTopic = (filter: string): string => filter.replace('/finding/+', '/finding/high').replaceAll('+', 'gw-1');

suite('the files of the page about mirrors', { skip: WITHOUT_MOSQUITTO, timeout: 120_000 }, () => {
  let caught: Caught;

  before(async () => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.83.0.1');
    await using broker = await Mosquitto.start();
    await using observer = await Observer.connect(broker.url);
    const devices = fleet.devices.map(({ address }, index) => ({
      host: address,
      name: `rig-${index}`,
      ports: fleet.ports,
    }));
    await using gateway = await Gateway.start({
      devices,
      labels: { site: 'tx1' },
      mqtt: { url: broker.url, spread_s: 0 },
    });
    await gateway.knows(2);
    fleet.device(0).changePoolUser(0, 'thief.rig0');
    await fleet.device(1).goDark();
    const newest = (topic: string): unknown => JSON.parse(observer.on(topic).at(-1)?.text ?? 'null');
    const triggerOf = (device: string): unknown =>
      valueAt(newest(`attest/v1/gw-1/dev/${device}`), ['evidence', 'trigger']);
    await until('the device is gone', () => triggerOf('rig-1') === 'unreachable', 60_000);
    await until(
      'the theft',
      () => observer.on('attest/v1/gw-1/finding/critical').length > 0 && triggerOf('rig-0') === 'change',
    );
    caught = {
      seen: newest('attest/v1/gw-1/dev/rig-0'),
      dark: newest('attest/v1/gw-1/dev/rig-1'),
      finding: JSON.parse(observer.on('attest/v1/gw-1/finding/critical')[0]?.text ?? ''),
      conn: newest('attest/v1/gw-1/conn'),
    };
  });

  test('Telegraf: its topics are mirrors, and every path leads to a value of its type, or may be missing', () => {
    const { inputs } = parseToml(read('telegraf.conf')) as unknown as {
      readonly inputs: { readonly mqtt_consumer: readonly [Consumer] };
    };
    const [{ topics, topic_parsing, json_v2 }] = inputs.mqtt_consumer;
    const [{ topic, tags }] = topic_parsing;
    assert.deepEqual(
      [...topics, topic].flatMap((filter) => channelOf(asTopic(filter))),
      ['dev', 'dev'],
    );
    assert.equal(tags.split('/').length, topic.split('/').length, 'Telegraf refuses another number of levels');
    assert.deepEqual(
      tags
        .split('/')
        .map((tag, level) => (tag === '_' ? '' : topic.split('/')[level]))
        .filter(Boolean),
      ['+', '+'],
    );
    const [{ field, tag, timestamp_path }] = json_v2;
    assert.ok(field.length > 4 && tag.length > 2);
    for (const { path, type = 'string', optional = false } of [
      ...field,
      ...tag,
      { path: timestamp_path, type: 'int' },
    ]) {
      assert.equal(typeOf(atPath(caught.seen, path)), type, path);
      assert.ok(
        optional || typeOf(atPath(caught.dark, path)) === type,
        `${path} is missing where a device does not answer`,
      );
    }
  });

  test('Node-RED: its nodes are connected, and its functions make a row and a sentence', () => {
    const nodes: readonly FlowNode[] = JSON.parse(read('node-red.json'));
    const ids = new Set(nodes.map(({ id }) => id));
    assert.equal(ids.size, nodes.length);
    for (const { id, wires = [], broker, tls, type } of nodes) {
      assert.deepEqual(
        [...wires.flat(), ...(type === 'mqtt in' ? [broker ?? ''] : []), ...(tls === undefined ? [] : [tls])].filter(
          (to) => !ids.has(to),
        ),
        [],
        id,
      );
    }
    const listening = nodes.filter(({ type }) => type === 'mqtt in');
    assert.deepEqual(
      listening.map(({ topic = '' }) => channelOf(asTopic(topic))),
      [['dev'], ['finding']],
    );
    const run = (id: string, payload: unknown): unknown => {
      const { func = '' } = nodes.find((node) => node.id === id) ?? {};
      const made = runInNewContext(`(function (msg) {\n${func}\n})(${JSON.stringify({ payload })})`);
      return JSON.parse(JSON.stringify(made.payload));
    };
    const { said_at, ...row } = run('assayer-row', caught.seen) as { readonly said_at: string };
    assert.match(said_at, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(
      Object.values(row).every((value) => typeof value === 'string'),
      true,
    );
    assert.equal(valueAt(row, ['conformance']), 'deviation');
    assert.equal(valueAt(row, ['failed']), 'pool.user-changed');
    assert.deepEqual(valueAt(run('assayer-row', caught.dark), ['model']), 'unknown');
    assert.match(
      String(run('assayer-sentence', caught.finding)),
      /^critical pool\.user-changed open, rig-0: ".*" -> "thief\.rig0"$/,
    );
  });

  test('Home Assistant: its topics are mirrors, and its templates give what they should', {
    skip: WITHOUT_JINJA,
  }, () => {
    const { mqtt } = parseYaml(read('home-assistant.yaml')) as {
      readonly mqtt: { readonly sensor: readonly Sensor[] };
    };
    const [conformance, power, finding] = mqtt.sensor as readonly [Sensor, Sensor, Sensor];
    assert.equal(mqtt.sensor.length, 3);
    assert.deepEqual(
      mqtt.sensor.map(({ state_topic }) => channelOf(asTopic(state_topic))),
      [['dev'], ['dev'], ['finding']],
    );
    const [availability] = conformance.availability ?? [];
    assert.deepEqual(channelOf(availability?.topic ?? ''), ['conn']);
    assert.equal(conformance.json_attributes_topic, conformance.state_topic);

    assert.equal(render(conformance.value_template, caught.seen), 'deviation');
    assert.equal(render(conformance.value_template, caught.dark), 'unreachable');
    assert.equal(render(availability?.value_template ?? '', caught.conn), 'online');
    const attributes = JSON.parse(render(conformance.json_attributes_template ?? '', caught.seen));
    assert.deepEqual(attributes.failed, ['pool.user-changed']);
    assert.equal(attributes.firmware, valueAt(caught.seen, ['evidence', 'claims', 'firmware', 'version']));
    assert.ok(attributes.pools.length > 0 && attributes.said_at === valueAt(caught.seen, ['iat']));
    assert.equal(JSON.parse(render(conformance.json_attributes_template ?? '', caught.dark)).firmware, 'unknown');
    assert.equal(
      Number(render(power.value_template, caught.seen)),
      valueAt(caught.seen, ['evidence', 'claims', 'telemetry', 'power_w']),
    );
    assert.equal(render(power.value_template, caught.dark), 'None');
    assert.equal(render(finding.value_template, caught.finding), 'critical pool.user-changed open rig-0');
  });
});

interface Consumer {
  readonly topics: readonly string[];
  readonly topic_parsing: readonly [{ readonly topic: string; readonly tags: string }];
  readonly json_v2: readonly [
    { readonly timestamp_path: string; readonly field: readonly Field[]; readonly tag: readonly Field[] },
  ];
}

interface Field {
  readonly path: string;
  readonly type?: string;
  readonly optional?: boolean;
}

interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly topic?: string;
  readonly broker?: string;
  readonly tls?: string;
  readonly func?: string;
  readonly wires?: readonly (readonly string[])[];
}

interface Sensor {
  readonly state_topic: string;
  readonly value_template: string;
  readonly json_attributes_topic?: string;
  readonly json_attributes_template?: string;
  readonly availability?: readonly { readonly topic: string; readonly value_template: string }[];
}

/** A GJSON path, as far as the file uses them: names with dots between, and `#` for how many. */
const atPath = (value: unknown, path: string): unknown =>
  path.split('.').reduce((at, name) => (name === '#' && Array.isArray(at) ? at.length : valueAt(at, [name])), value);

const typeOf = (value: unknown): string => (Number.isSafeInteger(value) ? 'int' : typeof value);

const RENDER = `
import json, sys
from jinja2.sandbox import ImmutableSandboxedEnvironment
given = json.load(sys.stdin)
environment = ImmutableSandboxedEnvironment()
environment.filters["tojson"] = json.dumps
print(environment.from_string(given["template"]).render(value_json=given["payload"]).strip())
`;

const render = (template: string, payload: unknown): string => {
  const input = JSON.stringify({ template, payload });
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', RENDER], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd();
};
