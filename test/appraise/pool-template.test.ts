import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesUrl, matchesUser } from '../../agent/appraise/pool-template.ts';

const DEVICE = {
  labels: { rack: 'r14', tenant: 'acme', client: 'ops@acme.example' },
  facts: { 'identity.mac': '02:aa:bb:cc:dd:ee', 'network.hostname': 'thief@mail.example' },
  address: '10.20.14.7',
} as const;

test('a line for an account allows no e-mail address that begins like it', () => {
  for (const [template, user] of [
    ['acme.*', 'acme.rig1'],
    ['acme.*', 'acme.rig@hall2'],
    ['acme.*', 'acme.rig1/ops@mail.example'],
    ['ops@acme.example', 'ops@acme.example'],
    ['ops@acme.example/*', 'ops@acme.example/rig1'],
    ['ops@acme.example.*', 'ops@acme.example.rig1'],
    ['ops@acme.example_*', 'ops@acme.example_rig1'],
    ['*@acme.example/{rack}', 'ops@acme.example/r14'],
    ['ops@{tenant}.example/*', 'ops@acme.example/rig1'],
    ['{account}.*', 'ops@acme.example.rig1'],
    ['*', 'ops@acme.example/rig1'],
    ['{client}', 'ops@acme.example'],
    ['{client}/*', 'ops@acme.example/rig1'],
    ['{client}.*', 'ops@acme.example.rig1'],
    ['{tenant}.*', 'acme.rig1'],
    ['{tenant}.*', 'acme.rig@hall2'],
    // Nobody knows the serial of this one.
    ['{serial}/*', 'ops@acme.example/rig1'],
  ] as const)
    assert.ok(matchesUser(template, user, DEVICE), `${template} ${user}`);
  for (const [template, user] of [
    ['acme.*', 'acme.thief@mail.example'],
    ['acme.*', 'acme.thief@mail.example/rig1'],
    ['acme*', 'acme@mail.example'],
    ['ops@acme.*', 'ops@acme.attacker.net/rig1'],
    ['ops@acme.example*', 'ops@acme.example.attacker.net/rig1'],
    ['ops@acme.example.*', 'ops@acme.example.attacker.net'],
    ['*@acme.example/*', 'thief@mail.example/x@acme.example/rig1'],
    ['{tenant}.*', 'acme.thief@mail.example'],
    ['{tenant}.*', 'acme.thief@mail.example/rig1'],
    ['{tenant}*', 'acme@mail.example'],
    ['{tenant}-{rack}.*', 'acme-r14.thief@mail.example'],
    ['{mac}.*', '02aabbccddee.thief@mail.example'],
    ['{tenant}.{hostname}', 'acme.thief@mail.example'],
    ['{client}*', 'ops@acme.example.attacker.net'],
  ] as const)
    assert.ok(!matchesUser(template, user, DEVICE), `${template} ${user}`);
});

test('a URL is what a template makes of it where its host by itself is, too', () => {
  for (const [template, url] of [
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://eu.pool.example:3333'],
    ['stratum+tcp://{tenant}.pool.example:*', 'stratum+tcp://acme.pool.example:25'],
    ['*://eu.pool.example*', 'stratum+ssl://eu.pool.example:443/key'],
    ['stratum+tcp://[2001:db8::1]:*', 'stratum+tcp://[2001:db8::1]:3333'],
    ['stratum+tcp://*@eu.pool.example', 'stratum+tcp://wallet@eu.pool.example'],
    ['*', 'eu.pool.example:3333'],
  ] as const)
    assert.ok(matchesUrl(template, url, DEVICE), `${template} ${url}`);
  for (const [template, url] of [
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://203.0.113.66 .pool.example:3333'],
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://evil.example/.pool.example:3333'],
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://evil.example:25?.pool.example:3333'],
    ['stratum+tcp://*.pool.example:3333', 'stratum+tcp://evil.example@eu.pool.example:3333'],
    ['*', '203.0.113.66 .pool.example:3333'],
  ] as const)
    assert.ok(!matchesUrl(template, url, DEVICE), `${template} ${url}`);
});
