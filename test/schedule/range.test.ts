import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema } from '../../agent/config/schema.ts';
import { placesOf } from '../../agent/schedule/places.ts';
import { isNoDevice, parseRange } from '../../agent/schedule/range.ts';

const addresses = (text: string): readonly string[] => {
  const range = parseRange(text);
  return range.kind === 'good' ? range.addresses : [];
};

const messageOf = (text: string): string => {
  const range = parseRange(text);
  return range.kind === 'bad' ? range.message : '';
};

test('a block leaves out network and broadcast address, a /31 and a /32 do not', () => {
  assert.deepEqual(addresses('10.20.14.0/30'), ['10.20.14.1', '10.20.14.2']);
  assert.deepEqual(addresses('10.20.14.8/31'), ['10.20.14.8', '10.20.14.9']);
  assert.deepEqual(addresses('10.20.14.8/32'), ['10.20.14.8']);
});

test('first-last crosses octets, one address is a range', () => {
  assert.deepEqual(addresses('10.0.0.254-10.0.1.1'), ['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']);
  assert.deepEqual(addresses('10.0.0.7'), ['10.0.0.7']);
});

test('nonsense, a backward range and a huge one are refused with a remedy', () => {
  for (const text of ['10.0.0.0/33', 'miners', '10.0.0.9-10.0.0.1', '10.0.0.0/8', '10.0.0.1-2-3', '1.2.3/24', '']) {
    const range = parseRange(text);
    assert.equal(range.kind, 'bad', text);
  }
});

test('addresses at which no device can be are refused, of a range and of a host', () => {
  for (const text of [
    '0.0.0.0/32',
    '0.0.0.7',
    '224.0.0.1',
    '239.255.255.255-240.0.0.1',
    '255.255.255.255',
    '223.255.255.255-224.0.0.1',
  ])
    assert.match(messageOf(text), /^no device can have the address /, text);
  for (const text of ['::', 'ff02::1', '0.0.0.0', '224.0.0.1', '255.255.255.255']) assert.ok(isNoDevice(text), text);
  for (const text of [
    '1.0.0.0',
    '223.255.255.255',
    '10.0.0.0',
    '127.0.0.1',
    '::1',
    'fe80::1',
    'miner7.example',
    '240.example',
  ])
    assert.ok(!isNoDevice(text), text);
  assert.equal(addresses('1.0.0.0').length, 1);
});

test('a host wins over a range that holds its address, and overlapping ranges ask an address once', () => {
  const places = placesOf(
    configSchema.parse({
      gateway: 'gw-1',
      operator: 'example.org',
      state_dir: '/state',
      labels: { site: 'tx1' },
      devices: [
        { range: '10.0.0.1-10.0.0.3', labels: { building: 'b2' } },
        { range: '10.0.0.3-10.0.0.4' },
        { host: '10.0.0.2', name: 'rack-7' },
        { host: '10.0.0.2', ports: { cgminer: 14028 } },
      ],
    }),
  );
  assert.deepEqual(
    places.map(({ address, origin, id, ports }) => [address, origin, id, ports.cgminer]),
    [
      ['10.0.0.2', 'host', 'rack-7', 4028],
      ['10.0.0.2', 'host', '10-0-0-2-14028', 14028],
      ['10.0.0.1', 'range', undefined, 4028],
      ['10.0.0.3', 'range', undefined, 4028],
      ['10.0.0.4', 'range', undefined, 4028],
    ],
  );
  assert.deepEqual(places.find(({ address }) => address === '10.0.0.1')?.labels, { site: 'tx1', building: 'b2' });
});
