import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outbox } from '../../agent/publish/outbox.ts';
import { LogOutbox } from '../../agent/record/outbox.ts';
import { buildCoverage, buildFinding } from '../../agent/record/statement.ts';
import { anyStatement, attestation, finding, openGateway, restart } from './gateway.ts';

const coverage = (scope: 'gateway' | 'tenant:acme') =>
  buildCoverage({
    fromAt: 1,
    toAt: 2,
    scope,
    expected: 0,
    observed: 0,
    unreachable: 0,
    missed: [],
    polls: new Map(),
    stateSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  });

test('the uplink sees each entry with what routes it', (t) => {
  const { log, store } = openGateway(t);
  const outbox: Outbox = new LogOutbox(log, store, 'broker');
  let woken = 0;
  outbox.onAppend(() => {
    woken += 1;
  });
  const { confirmedAt: _never, ...blip } = finding;
  log.transaction((tx) => {
    tx.append(attestation('rig-1'));
    tx.append(buildFinding({ finding, about: { device: 'rig-1', labels: {} }, openedSeq: tx.next(), evidence: [1] }));
    const about = { device: 'rig-1', labels: {} };
    tx.append(buildFinding({ finding: { ...blip, state: 'resolved' }, about, openedSeq: tx.next(), evidence: [] }));
  });
  assert.equal(woken, 1);
  assert.equal(outbox.size(), 4);
  assert.deepEqual(
    outbox.entriesFrom(1, 10).map(({ seq, kind, device, severity }) => ({ seq, kind, device, severity })),
    [
      { seq: 1, kind: 'attestation', device: 'rig-1', severity: undefined },
      { seq: 2, kind: 'finding', device: 'rig-1', severity: 'high' },
      { seq: 3, kind: 'finding', device: 'rig-1', severity: undefined },
    ],
  );
});

test('the newest attestation of each device that is still configured can be paged through', (t) => {
  const { log, store } = openGateway(t);
  const outbox = new LogOutbox(log, store, 'broker');
  log.transaction((tx) => {
    for (const device of ['rig-2', 'rig-1', 'rig-3', 'rig-2']) tx.append(attestation(device));
    tx.removeDevice('rig-3');
  });
  assert.equal(outbox.deviceCount(), 2);
  assert.deepEqual(
    [outbox.isNewest('rig-2', 1), outbox.isNewest('rig-2', 4), outbox.isNewest('rig-3', 3)],
    [false, true, false],
  );
  const pages = ['', 'rig-1', 'rig-2'].map((after) => outbox.newestAfter(after, 1).map(({ seq }) => seq));
  assert.deepEqual(pages, [[2], [4], []]);
});

test('what is about one tenant alone names it, and so does its coverage', (t) => {
  const { log, store } = openGateway(t);
  const outbox: Outbox = new LogOutbox(log, store, 'broker');
  const labels = { tenant: 'acme' };
  log.transaction((tx) => {
    tx.append(attestation('rig-1', labels));
    const { confirmedAt: _never, ...blip } = finding;
    const about = { device: 'rig-1', labels };
    tx.append(buildFinding({ finding, about, openedSeq: tx.next(), evidence: [1] }));
    tx.append(buildFinding({ finding: { ...blip, state: 'resolved' }, about, openedSeq: tx.next(), evidence: [] }));
    const many = { devices: ['rig-1'], count: 1 };
    tx.append(buildFinding({ finding, about: many, openedSeq: tx.next(), evidence: [1] }));
    tx.append(coverage('tenant:acme'));
    tx.append(coverage('gateway'));
    tx.append(attestation('tenant', { site: 'tenant:"acme"', note: '"tenant":"acme"' }));
  });
  assert.deepEqual(
    outbox.entriesFrom(1, 10).map(({ kind, tenant, severity }) => [kind, tenant, severity]),
    [
      ['attestation', 'acme', undefined],
      ['finding', 'acme', 'high'],
      ['finding', 'acme', undefined],
      ['finding', undefined, 'high'],
      ['coverage', 'acme', undefined],
      ['coverage', undefined, undefined],
      ['attestation', undefined, undefined],
    ],
  );
  assert.deepEqual(
    outbox.newestAfter('', 9).map(({ device, tenant }) => [device, tenant]),
    [
      ['rig-1', 'acme'],
      ['tenant', undefined],
    ],
  );
});

test('what the broker retains of a device that left, or for its former tenant, waits to be cleared, also over a restart', (t) => {
  const { dir, log, store } = openGateway(t);
  const outbox: Outbox = new LogOutbox(log, store, 'broker');
  const attest = (device: string, tenant?: string) =>
    log.transaction((tx) => void tx.append(attestation(device, tenant === undefined ? {} : { tenant })));
  const stale = (of: Outbox = outbox) => of.staleMirrors(9).map(({ device, tenant = '' }) => `${device} ${tenant}`);
  for (const [device, tenant] of [['rig-1', 'acme'], ['rig-1', 'acme'], ['rig-2', 'acme'], ['rig-3']] as const)
    attest(device, tenant);
  assert.deepEqual(stale(), []);
  attest('rig-1', 'zeta');
  assert.deepEqual(stale(), ['rig-1 acme']);
  log.transaction((tx) => {
    tx.removeDevice('rig-2');
    tx.removeDevice('rig-3');
  });
  assert.deepEqual(stale(), ['rig-2 ', 'rig-3 ', 'rig-1 acme', 'rig-2 acme']);
  attest('rig-1', 'acme');
  assert.deepEqual(stale(), ['rig-2 ', 'rig-3 ', 'rig-2 acme', 'rig-1 zeta'], 'what is shown again is not cleared');
  attest('rig-3');
  outbox.mirrorCleared({ device: 'rig-2' });
  outbox.mirrorCleared({ device: 'rig-1', tenant: 'zeta' });
  store[Symbol.dispose]();
  const again = restart(t, dir);
  assert.deepEqual(stale(new LogOutbox(again.log, again.store, 'broker')), ['rig-2 acme']);
});

test('a crash after a backlog was sent repeats none of it', (t) => {
  const { log, store } = openGateway(t);
  log.transaction((tx) => {
    for (let count = 0; count < 40; count += 1) tx.append(anyStatement());
  });
  const kept = () => new LogOutbox(log, store, 'broker').cursor();
  const outbox = new LogOutbox(log, store, 'broker');
  outbox.advance(log.size() - 1);
  assert.equal(kept(), 0);
  outbox.advance(log.size());
  assert.equal(kept(), log.size());
  const size = log.size();
  log.transaction((tx) => void tx.append(anyStatement()));
  outbox.advance(log.size());
  assert.equal(kept(), size, 'one more entry is not worth a transaction of its own');
});

test('a crash repeats at most 256 acknowledged entries, an orderly end none', (t) => {
  const { log, store } = openGateway(t);
  log.transaction((tx) => {
    for (let count = 0; count < 600; count += 1) tx.append(anyStatement());
  });
  const outbox = new LogOutbox(log, store, 'broker');
  for (let next = 1; next <= 500; next += 1) {
    outbox.advance(next);
    assert.ok(next - new LogOutbox(log, store, 'broker').cursor() < 256);
  }
  assert.equal(outbox.cursor(), 500);
  outbox.save();
  assert.equal(new LogOutbox(log, store, 'broker').cursor(), 500);
  assert.equal(new LogOutbox(log, store, 'other').cursor(), 0);
});
