import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../agent/config/load.ts';
import { placesOf } from '../../agent/schedule/places.ts';

const parsed = (...devices: readonly string[]) =>
  parseConfig(
    [
      'gateway: gw-1',
      'operator: example.org',
      'state_dir: state',
      'devices:',
      ...devices.map((line) => `  - ${line}`),
    ].join('\n'),
    '/srv',
  );

const ids = (...devices: readonly string[]): readonly (string | undefined)[] => {
  const config = parsed(...devices);
  assert.ok(config.kind === 'good', JSON.stringify(config));
  return placesOf(config.config).map(({ id }) => id);
};

const problems = (...devices: readonly string[]): readonly string[] => {
  const config = parsed(...devices);
  return config.kind === 'good' ? [] : config.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
};

test('the id of a position is its name, else its address, with the ports that are not the usual ones', () => {
  assert.deepEqual(
    ids(
      '{ host: 10.20.15.7 }',
      '{ host: 10.20.15.8, name: b2-r14-07 }',
      '{ host: 10.20.15.9, ports: { cgminer: 14028 } }',
      '{ host: 10.20.15.9, ports: { cgminer: 14028, http: 8080 } }',
      '{ host: Miner_7.Example }',
      '{ host: "fd00::7" }',
    ),
    ['10-20-15-7', 'b2-r14-07', '10-20-15-9-14028', '10-20-15-9-14028-8080', 'miner-7-example', 'fd00-7'],
  );
});

test('places of entries that say the same share labels and ports, which nobody changes', () => {
  const config = parsed(
    '{ host: 10.20.15.7, labels: { rack: r1 } }',
    '{ host: 10.20.15.8, labels: { rack: r1 } }',
    '{ range: 10.20.16.1-10.20.16.2, labels: { rack: r1 } }',
    '{ host: 10.20.15.9, labels: { rack: r2 }, ports: { cgminer: 4029 } }',
  );
  assert.ok(config.kind === 'good', JSON.stringify(config));
  const places = placesOf(config.config);
  const objects = (values: readonly object[]): number => new Set(values).size;
  assert.equal(objects(config.config.devices.flatMap(({ labels, ports }) => [labels, ports])), 4);
  assert.equal(objects(places.flatMap(({ labels, ports }) => [labels, ports])), 4);
  assert.ok(config.config.devices.every(({ labels, ports }) => Object.isFrozen(labels) && Object.isFrozen(ports)));
});

test('an id is at most 63 characters and an address in a range has none yet', () => {
  assert.deepEqual(ids(`{ host: ${'a'.repeat(80)}.example }`, '{ range: 10.0.0.1-10.0.0.1 }'), [
    'a'.repeat(63),
    undefined,
  ]);
});

test('two positions with one id, or one position under two, are told with their line', () => {
  assert.deepEqual(problems('{ host: 10.0.0.1, name: rig }', '{ host: 10.0.0.2, name: rig }'), [
    '6 devices[1].name: "rig" is used twice',
  ]);
  assert.deepEqual(problems('{ host: 10.0.0.1 }', '{ host: 10.0.0.2, name: 10-0-0-1 }'), [
    '6 devices[1].name: "10-0-0-1" is used twice',
  ]);
  assert.deepEqual(problems('{ host: 10.0.0.1, name: one }', '{ host: 10.0.0.1, name: two }'), [
    '6 devices[1].name: 10.0.0.1 is listed twice with the same ports',
  ]);
  assert.deepEqual(problems('{ host: 10.0.0.1 }', '{ host: 10.0.0.1, ports: { cgminer: 4029 } }'), []);
});

test('an address is written in one spelling, so that one machine under two of them is seen', () => {
  for (const [host, here] of [
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['FD00::7', 'fd00::7'],
    ['fd00:0:0::7', 'fd00::7'],
  ] as const)
    assert.deepEqual(problems(`{ host: "${host}", name: rig }`), [
      `5 devices[0].host: ${host} is another spelling of ${here}`,
    ]);
  assert.deepEqual(problems('{ host: "fd00::7" }', '{ host: Miner7.example }', '{ host: 10.0.0.1 }'), []);
});
