import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf, payeeOf, workerOf } from '../../shared/pool-user.ts';
import { cpuMs } from '../cpu.ts';

test('the account of a user ends at the first dot, behind a coin at the second, that of an e-mail log-in behind its domain', () => {
  for (const [user, account, worker] of [
    ['acme', 'acme', undefined],
    ['acme.rig1', 'acme', 'rig1'],
    ['acme.', 'acme', ''],
    ['acme.rig1.a', 'acme', 'rig1.a'],
    ['LTC.acme.rig1', 'LTC.acme', 'rig1'],
    ['kas.acme.rig1.a', 'kas.acme', 'rig1.a'],
    ['LTC.acme', 'LTC', 'acme'],
    ['ACME.hall2.rig1', 'ACME', 'hall2.rig1'],
    ['acme.01@hall2', 'acme', '01@hall2'],
    ['bc1qexample.rig1/ops@mail.example', 'bc1qexample', 'rig1/ops@mail.example'],
    ['ops@acme.example', 'ops@acme.example', undefined],
    ['ops@acme.example/rig1', 'ops@acme.example', 'rig1'],
    ['ops@acme.example_rig1', 'ops@acme.example', 'rig1'],
    ['ops@acme.example.rig1', 'ops@acme.example', 'rig1'],
    ['ops@acme.example.10.20.14.7', 'ops@acme.example', '10.20.14.7'],
    ['jo.ops@eu.acme.example/hall.3', 'jo.ops@eu.acme.example', 'hall.3'],
    ['ops@acme.xn--p1ai/rig1', 'ops@acme.xn--p1ai', 'rig1'],
    ['ops%40acme.example.rig1', 'ops%40acme.example', 'rig1'],
  ] as const)
    assert.deepEqual([accountOf(user), workerOf(user)], [account, worker], user);
});

test('where nobody knows whether a domain goes on or a worker begins, it goes on', () => {
  for (const user of [
    'ops@acme.example.attacker.net',
    'ops@acme.example.kitchen',
    'ops@acme.example_x.attacker.net',
    'ops@acme.example.\u0440\u0444',
    'ops@acme.example .attacker.net',
    'ops@mail.example@attacker.net',
  ])
    assert.equal(accountOf(user), user);
});

test('an address of which nobody knows where it ends is account up to a slash', () => {
  for (const [user, account] of [
    ['ops@acme.example-rig1', 'ops@acme.example-rig1'],
    ['ops@acme.example+rig1', 'ops@acme.example+rig1'],
    ['ops@acme.example#rig1.x', 'ops@acme.example#rig1.x'],
    ['ops@localhost/rig1', 'ops@localhost'],
    ['ops%40localhost/rig1', 'ops%40localhost'],
    ['ops@10.20.14.7/rig1', 'ops@10.20.14.7'],
  ] as const)
    assert.equal(accountOf(user), account);
});

test('where no account is told the whole user says for whom it works', () => {
  for (const [user, payee] of [
    ['acme.rig1', 'acme'],
    ['LTC.acme.rig1', 'LTC.acme'],
    ['LTC.acme', 'LTC.acme'],
    ['.rig1', '.rig1'],
  ] as const)
    assert.equal(payeeOf(user), payee);
});

test('a long user is read in short time', () => {
  const startMs = cpuMs();
  for (const piece of ['a', '.', '.a', '.aa', 'a@', '@.aa', '_']) accountOf(`a@${piece.repeat(50_000)}`);
  assert.ok(cpuMs() - startMs < 2000);
});
