import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { vantageTo } from '../../agent/probe/vantage.ts';

const at = (address: string, cidr: string | null, family: 'IPv4' | 'IPv6' = 'IPv4'): NetworkInterfaceInfo =>
  ({ address, cidr, family, netmask: '', mac: '', internal: false, scopeid: 0 }) as NetworkInterfaceInfo;

const INTERFACES = [
  at('10.20.0.2', '10.20.0.2/22'),
  at('10.20.14.2', '10.20.14.2/24'),
  at('fd00::2', 'fd00::2/64', 'IPv6'),
  at('192.0.2.1', null),
];

test('the vantage is our own address on the network of the device', () => {
  assert.equal(vantageTo('10.20.14.7', INTERFACES), '10.20.14.2');
  assert.equal(vantageTo('10.20.3.255', INTERFACES), '10.20.0.2');
  assert.equal(vantageTo('fd00::7', INTERFACES), 'fd00::2');
  assert.equal(vantageTo('127.0.0.1'), '127.0.0.1');
});

test('behind a router, and for a name, the vantage is not known', () => {
  assert.equal(vantageTo('10.20.15.7', INTERFACES), undefined);
  assert.equal(vantageTo('192.0.2.1', INTERFACES), undefined);
  assert.equal(vantageTo('miner7.example', INTERFACES), undefined);
});
