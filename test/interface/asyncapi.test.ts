import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { topicsOf } from '../../agent/publish/topics.ts';
import { PAYLOAD_NAMES } from '../../scripts/docs/interface/payloads.ts';
import { CHANNELS, collectorTopics } from '../../shared/index.ts';
import { changed, type Path, valueAt } from './changed.ts';
import { channelsOf, readAsyncApi, schemaFiles, validators } from './documents.ts';

const document = readAsyncApi();

/** The official JSON Schema of AsyncAPI 3.0.0. */
const official = () => {
  const ajv = new Ajv({ strict: false, allErrors: false, unicodeRegExp: false });
  addFormats.default(ajv);
  // The type of the package is that of an older draft.
  return ajv.compile(specs.schemasWithoutId['3.0.0'] as object);
};

suite('the AsyncAPI document', () => {
  test('is valid by the official schema of AsyncAPI 3.0, and no longer where something is wrong in it', () => {
    const validate = official();
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
    const wrong: readonly (readonly [Path, unknown])[] = [
      [['info', 'title'], undefined],
      [['operations', 'gatewaySendsLog', 'action'], undefined],
      [['operations', 'gatewaySendsLog', 'bindings', 'mqtt', 'qos'], 3],
      [['operations', 'gatewaySendsLog', 'bindings', 'mqtt', 'keep'], true],
      [['channels', 'log', 'adress'], 'x'],
    ];
    for (const [path, value] of wrong) assert.ok(!validate(changed(document, path, value)), path.join('.'));
  });

  test('every reference leads somewhere, and an operation names messages of its channel only', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
    assert.ok(refs.length > 50);
    for (const ref of refs) {
      if (ref.startsWith('./schemas/'))
        assert.ok(validators.has(ref.slice('./schemas/'.length, -'.json'.length) as never), ref);
      else assert.notEqual(valueAt(document, ref.slice(2).split('/')), undefined, ref);
    }
    for (const [name, { channel, messages }] of Object.entries(document.operations)) {
      assert.ok(
        messages.every(({ $ref }) => $ref.startsWith(`${channel.$ref}/messages/`)),
        name,
      );
    }
  });

  test('beside the document there is the schema of every payload, and no other', () => {
    assert.deepEqual(schemaFiles().sort(), PAYLOAD_NAMES.map((name) => `${name}.json`).sort());
  });

  test('its channels are the table of topics: all of them, and each is sent by one party and received by another', () => {
    assert.deepEqual(Object.keys(document.channels), Object.keys(CHANNELS));
    for (const name of Object.keys(CHANNELS)) {
      const on = Object.values(document.operations).filter(({ channel }) => channel.$ref === `#/channels/${name}`);
      const parties = (action: string) =>
        new Set(on.filter((each) => each.action === action).flatMap(({ tags }) => tags.map((tag) => tag.name)));
      assert.equal(parties('send').size, 1, name);
      assert.ok([...parties('receive')].length > 0, name);
    }
  });

  test('whatever agent and collector publish on or subscribe to is one channel of it', () => {
    const channelOf = channelsOf(document);
    const gateway = topicsOf('attest', 'gw-1');
    const tenant = gateway.tenant('acme');
    const collector = collectorTopics('site/attest', 'collector-a');
    const asTopic = (filter: string) => filter.replaceAll('+', 'x');
    const topics = [
      ...[...gateway.filters, ...collector.filters].map(asTopic),
      ...[gateway.log, gateway.cp, gateway.conn, gateway.rsp('c'), gateway.dev('d'), gateway.finding('low')],
      ...[tenant.dev('d'), tenant.finding('low'), tenant.coverage],
      ...[
        collector.ack('gw-1'),
        collector.cosig('gw-1'),
        collector.cmd('gw-1'),
        collector.rollcall,
        collector.epoch,
        collector.presence,
      ],
    ];
    const found = topics.map((topic) => ({ topic, channels: channelOf(topic) }));
    assert.deepEqual(
      found.filter(({ channels }) => channels.length !== 1),
      [],
    );
    assert.equal(new Set(found.flatMap(({ channels }) => channels)).size, Object.keys(CHANNELS).length);
    for (const none of [
      'attest/v2/gw-1/log',
      'attest/v1/gw-1/log/x',
      'attest/v1/gw-1/finding/bad',
      'a/b/c/v1/gw-1/log',
      'attest/v1/GW/log',
    ])
      assert.deepEqual(channelOf(none), [], none);
  });
});
