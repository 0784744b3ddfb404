import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceriver } from '../../agent/drivers/iceriver.ts';
import type { Reply } from '../../agent/probe/capture.ts';

const gatewayOf = (gateway: string) => {
  const network: Reply = {
    kind: 'reply',
    bytes: new Uint8Array(),
    value: { error: 0, data: { gateway } },
    repairs: [],
  };
  return iceriver.facts['network.gateway']?.read(new Map([['network', network]]));
};

test('of a gateway with an IPv6 address right behind it the first address is told', () => {
  for (const [spelled, told] of [
    ['192.168.1.1', '192.168.1.1'],
    ['192.168.1.1fe80::1', '192.168.1.1'],
    ['192.168.1.1FE80::1%eth0', '192.168.1.1'],
    ['192.168.1.12001:db8::1', '192.168.1.1'],
    ['192.168.1.122001:db8::1', '192.168.1.12'],
    ['192.168.1.2543fff:1:2:3::1', '192.168.1.254'],
    ['10.0.0.1fd12:3456::1', '10.0.0.1'],
    ['2001:db8:2abc:fe80::1', '2001:db8:2abc:fe80::1'],
    ['fe80::1', 'fe80::1'],
  ] as const)
    assert.deepEqual(gatewayOf(spelled), { kind: 'present', value: told }, spelled);
  for (const spelled of ['192.168.1.1::1', '192.168.1.1:8080', '192.168.1.1db8::1'])
    assert.deepEqual(gatewayOf(spelled), { kind: 'unknown', reason: 'unreadable' }, spelled);
});
