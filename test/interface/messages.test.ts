import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import mqtt from 'mqtt';
import { signingCollector } from '../../agent/collect/witness.ts';
import { CollectorProcess } from '../collect/collector-process.ts';
import { Gateway } from '../journeys/agent.ts';
import { assertPolite, fleetOf } from '../journeys/fleets.ts';
import { Mosquitto, WITHOUT_MOSQUITTO } from '../publish/mosquitto.ts';
import { until } from '../publish/observer.ts';
import { channelsOf, namesNothingElse, readAsyncApi, validatorOf } from './documents.ts';
import { type Judged, judge } from './judged.ts';

const document = readAsyncApi();
const channelOf = channelsOf(document);

interface Caught {
  readonly topic: string;
  readonly text: string;
  readonly retain: boolean;
  readonly qos: number;
  readonly properties: NonNullable<mqtt.IPublishPacket['properties']>;
}

/** Everything on a broker, with the retain flag as its publisher set it. */
const eavesdrop = async (
  url: string,
): Promise<AsyncDisposable & { readonly caught: Caught[]; readonly client: mqtt.MqttClient }> => {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, clientId: 'eavesdropper' });
  const caught: Caught[] = [];
  client.on('message', (topic, payload, { retain, qos, properties = {} }) =>
    caught.push({ topic, text: payload.toString(), retain, qos, properties }),
  );
  await client.subscribeAsync('#', { qos: 1, rap: true });
  return { caught, client, [Symbol.asyncDispose]: async () => client.endAsync(true) };
};

/** The message of a channel that a payload is, by the schemas alone. */
const messagesOf = (channel: string, payload: unknown): readonly string[] =>
  Object.keys(document.channels[channel]?.messages ?? {}).filter((name) => validatorOf(name)(payload));

/** Schemas that nothing on the wire of this test has: nobody approves anything here, and nobody publishes a manifest. */
const ELSEWHERE = ['change', 'key', 'terms', 'trust'];

/** Schemas of unsigned messages that leave room for members of later versions; this version has no others. */
const ROOMY = ['conn', 'rsp', 'collector', 'rollcall'];

suite('what agent and collector say on a real broker', { skip: WITHOUT_MOSQUITTO, timeout: 180_000 }, () => {
  test('every message is one of its channel, published as the document says; every kind is seen; a schema accepts and refuses what the product does', async (t) => {
    await using fleet = await fleetOf(['axeos/gamma-2.15', 'whatsminer/m50s-api2'], '127.81.0.1');
    await using broker = await Mosquitto.start();
    await using ear = await eavesdrop(broker.url);
    await using collector = new CollectorProcess();
    const witness = join(collector.folder, 'witness.key');
    const devices = fleet.devices.map(({ address }, index) => ({
      host: address,
      name: `rig-${index}`,
      ports: fleet.ports,
    }));
    const { vkey } = signingCollector(witness, 'collector-a');
    await using gateway = Gateway.create({
      devices,
      labels: { site: 'tx1' },
      mqtt: { url: broker.url, spread_s: 0, collectors: ['collector-a'], witnesses: [vkey] },
    });
    copyFileSync(gateway.keyFile, collector.keyFile);
    const { caught } = ear;
    const on = (channel: string) => caught.filter(({ topic }) => channelOf(topic).includes(channel));
    const says = (channel: string, state: string) => on(channel).some(({ text }) => JSON.parse(text).state === state);
    const ask = async (op: string, args: object): Promise<void> => {
      const request = { id: randomUUID(), op, args, expires_at: Math.floor(Date.now() / 1000) + 60 };
      const properties = {
        messageExpiryInterval: 60,
        contentType: 'application/json',
        payloadFormatIndicator: true,
        correlationData: Buffer.from(op),
      };
      await ear.client.publishAsync('attest/v1/gw-1/cmd/auditor', JSON.stringify(request), { qos: 1, properties });
      await until(`an answer to ${op}`, () => on('rsp').some(({ text }) => JSON.parse(text).id === request.id));
    };

    collector.start(broker.url, ['--cosign', witness]);
    await gateway.up();
    await gateway.knows(2);
    fleet.device(0).changePoolUser(0, 'thief.rig0');
    await gateway.says('the theft', () => gateway.findings('pool.user-changed').length > 0);
    const accepted = await gateway.assayer('baseline accept', '--all', '--yes', '--by', 'ada', '--note', 'ticket 12');
    assert.equal(accepted.code, 0, accepted.err);
    gateway.configure({ labels: { site: 'tx2' } });
    gateway.signal('SIGHUP');
    await gateway.periodEnds();
    for (const [op, args] of [
      ['status', {}],
      ['observe', { devices: ['rig-0', 'rig-9'] }],
      ['checkpoint', {}],
      ['tiles', { from: 0, to: 3 }],
    ] as const)
      await ask(op, args);
    await ask('resync', { from: 0, to: gateway.log.length });
    await ask('resync', { from: 1_000_000, to: 1_000_001 });
    await until('a cosignature', () => on('cosig').length > 0);
    await using observing = new CollectorProcess();
    copyFileSync(gateway.keyFile, observing.keyFile);
    observing.start(broker.url, ['--id', 'auditor-b', '--observer']);
    await until('it asks for what it lacks', () =>
      caught.some(({ topic }) => topic === 'attest/v1/gw-1/cmd/auditor-b'),
    );
    await observing.kill();
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    await until('it left', () => says('conn', 'stopped'));
    await gateway.up();
    await gateway.event('uplink.connected', { after: 1 });
    await until('it is back', () => on('conn').at(-1)?.text.includes('"online"') === true);
    await gateway.stop('SIGKILL');
    await collector.stop();
    await until('the collector left', () => says('collector', 'stopped'));
    await until('the will of the gateway', () => says('conn', 'lost'), 40_000);
    assertPolite(fleet);

    const seen = new Map<string, unknown[]>();
    for (const message of caught) {
      const [channel = ''] = channelOf(message.topic);
      const payload = JSON.parse(message.text);
      const names = messagesOf(channel, payload);
      assert.equal(names.length, 1, `${message.topic}: ${names.join(' and ') || 'no schema'}: ${message.text}`);
      assertPublished(channel, message, payload.state);
      const [name = ''] = names;
      if (ROOMY.includes(name)) assert.ok(namesNothingElse(name)(payload), `no schema names all of ${message.text}`);
      seen.set(name, [...(seen.get(name) ?? []), payload]);
    }
    const carried = Object.keys(document.components.messages);
    assert.deepEqual(
      carried.filter((name) => !seen.has(name)),
      ELSEWHERE,
    );
    assert.ok(
      ['dev', 'finding'].every((channel) => on(channel).length > 0),
      'mirrors',
    );

    const key: unknown = JSON.parse(readFileSync(gateway.keyFile, 'utf8'));
    const judged = [...seen, ['keys', [key]] as const].flatMap(([name, payloads]) =>
      ofEachForm(payloads).map((payload) => judge(name, payload)),
    );
    const sum = (member: keyof Judged): number => judged.reduce((total, each) => total + each[member], 0);
    t.diagnostic(
      `${caught.length} messages, ${seen.size} kinds; ${sum('refused')} of ${sum('judged')} changed ones refused by both`,
    );
  });
});

/** One of each combination of members and of short texts, which is about one of each event, state or operation. */
const ofEachForm = (payloads: readonly unknown[]): readonly unknown[] => {
  const forms = new Map(payloads.map((payload) => [formOf(payload), payload]));
  return [...forms.values()].slice(0, 6);
};

const formOf = (payload: unknown): string => {
  const { kind, session, baseline, state, op, ok, data, evidence } = payload as {
    readonly [name: string]: Record<string, unknown>;
  };
  const members = [
    kind,
    session?.event,
    baseline?.action,
    state,
    op,
    ok,
    evidence?.trigger,
    Object.keys(data ?? {}).join(),
  ];
  return JSON.stringify(members);
};

/** QoS, retain flag, content type and expiry are those of an operation that sends on the channel. */
const assertPublished = (channel: string, { topic, retain, qos, properties }: Caught, state: unknown): void => {
  const sends = Object.entries(document.operations).filter(
    ([
      ,
      {
        action,
        channel: { $ref },
      },
    ]) => action === 'send' && $ref === `#/channels/${channel}`,
  );
  const leaves = state === 'stopped' || state === 'lost';
  const [found] = sends.filter(([name]) => sends.length === 1 || name.endsWith('Leaves') === leaves);
  assert.ok(found !== undefined, topic);
  const { mqtt: bindings } = found[1].bindings;
  const expiry = bindings.messageExpiryInterval;
  const left = properties.messageExpiryInterval;
  assert.deepEqual([qos, retain], [bindings.qos, bindings.retain], topic);
  // A broker counts down.
  assert.ok(
    expiry === undefined ? left === undefined : left !== undefined && left <= expiry && left > expiry - 30,
    `${topic}: expiry ${left}`,
  );
  const contentTypes = Object.keys(document.channels[channel]?.messages ?? {}).map(
    (name) => document.components.messages[name]?.contentType,
  );
  assert.ok(contentTypes.includes(properties.contentType), `${topic}: ${properties.contentType}`);
  assert.equal(properties.payloadFormatIndicator, true, topic);
};
