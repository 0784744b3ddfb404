import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Attested, CoveragePeriod } from '../../agent/record/coverage.ts';

const leaf = (byte: number) => Buffer.alloc(32, byte);

test('every expected device is counted once: unreachable as attested, else observed, else missed', () => {
  const attested = new Attested();
  for (const device of ['rig-1', 'rig-2', 'rig-3', 'rig-4'])
    attested.set(device, { leaf: leaf(1), unreachable: false });
  attested.set('rig-3', { leaf: leaf(3), unreachable: true });
  const period = new CoveragePeriod(1000);
  for (const device of ['rig-1', 'rig-1', 'rig-2', 'rig-3', 'stranger']) period.observed(device);
  period.observed('rig-2', false);
  period.polled('pools', true);
  period.polled('pools', false);
  period.polled('config', true);
  const expected = new Set(['rig-4', 'rig-1', 'rig-2', 'rig-3', 'never-seen']);
  const coverage = period.close({ toAt: 1900, scope: 'gateway', expected, attested });
  assert.deepEqual(
    { ...coverage, stateSha256: '' },
    {
      fromAt: 1000,
      toAt: 1900,
      scope: 'gateway',
      expected: 5,
      observed: 1,
      unreachable: 1,
      missed: ['never-seen', 'rig-2', 'rig-4'],
      polls: new Map([
        ['pools', { due: 2, ok: 1 }],
        ['config', { due: 1, ok: 1 }],
      ]),
      stateSha256: '',
    },
  );
});

test('§4: a device without an attestation is missed, whatever was seen of it: nothing of it could be affirmed', () => {
  const period = new CoveragePeriod(1000);
  period.observed('rig-1');
  const end = { toAt: 1900, scope: 'gateway' as const, expected: new Set(['rig-1']) };
  const attested = new Attested();
  const before = period.close({ ...end, attested });
  assert.deepEqual([before.observed, before.missed], [0, ['rig-1']]);
  attested.set('rig-1', { leaf: leaf(1), unreachable: false });
  const after = period.close({ ...end, attested });
  assert.deepEqual([after.observed, after.missed], [1, []]);
});

test('§4: state_sha256 is the digest of the canonical list of device and leaf, sorted by device', () => {
  const attested = new Attested();
  const expected = new Set(['rig-9', 'rig-10', 'a']);
  attested.set('rig-9', { leaf: leaf(9), unreachable: false });
  attested.set('rig-10', { leaf: leaf(1), unreachable: false });
  attested.set('left', { leaf: leaf(7), unreachable: false });
  attested.set('rig-10', { leaf: leaf(10), unreachable: true });
  const byHand = (...pairs: readonly (readonly [string, Buffer])[]) =>
    createHash('sha256')
      .update(JSON.stringify(pairs.map(([device, hash]) => [device, hash.toString('base64url')])))
      .digest('base64url');
  assert.equal(attested.sha256(expected), byHand(['rig-10', leaf(10)], ['rig-9', leaf(9)]));
  attested.set('a', { leaf: leaf(2), unreachable: false });
  assert.equal(attested.sha256(expected), byHand(['a', leaf(2)], ['rig-10', leaf(10)], ['rig-9', leaf(9)]));
  attested.delete('rig-9');
  assert.equal(attested.sha256(expected), byHand(['a', leaf(2)], ['rig-10', leaf(10)]));
  assert.equal(new Attested().sha256(expected), createHash('sha256').update('[]').digest('base64url'));
});

test('the state of 50 000 devices is digested in one go', (t) => {
  const attested = new Attested();
  const expected = new Set<string>();
  for (let index = 0; index < 50_000; index += 1) {
    const device = `mac-${((index * 7919) % 50_000).toString(16).padStart(12, '0')}`;
    expected.add(device);
    attested.set(device, { leaf: leaf(index % 256), unreachable: false });
  }
  const period = new CoveragePeriod(0);
  for (const device of expected) period.observed(device);
  const close = () => period.close({ toAt: 1, scope: 'gateway', expected, attested });
  const began = performance.now();
  close();
  const sorted = performance.now();
  const coverage = close();
  t.diagnostic(`${(sorted - began).toFixed(0)} ms the first time, then ${(performance.now() - sorted).toFixed(0)} ms`);
  assert.deepEqual([coverage.observed, coverage.missed.length], [50_000, 0]);
});

test('a period across a clock that was set back does not end before it begins', () => {
  const coverage = new CoveragePeriod(1000).close({
    toAt: 400,
    scope: 'gateway',
    expected: new Set(),
    attested: new Attested(),
  });
  assert.deepEqual([coverage.fromAt, coverage.toAt], [400, 400]);
});
