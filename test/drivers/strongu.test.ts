import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strongu } from '../../agent/drivers/strongu.ts';
import type { JsonValue } from '../../agent/probe/capture.ts';

test('the MAC is read from the network document of either shape', () => {
  const mac = (value: JsonValue) =>
    strongu.facts['identity.mac']?.read(
      new Map([['network', { kind: 'reply' as const, bytes: new Uint8Array(), value, repairs: [] }]]),
    );
  const told = { kind: 'present', value: '02:ad:66:00:00:17' };
  assert.deepEqual(mac({ conf_macaddr: '02:AD:66:00:00:17', conf_ipaddress: '192.0.2.1' }), told);
  assert.deepEqual(mac({ macaddr: '02:AD:66:00:00:17', ipaddress: '192.0.2.1' }), told);
  assert.deepEqual(mac({ ipaddress: '192.0.2.1' }), { kind: 'absent' });
});
