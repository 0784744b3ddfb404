import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { earStatusOf } from '../../shared/appraisal.ts';
import { type Approval, appraise, isOverclaimed, type Outcome } from '../../shared/index.ts';

const nothing: Outcome = { observed: true, failed: [], notRun: [], passed: {} };

test('a device that was not observed is unreachable and claims nothing', () => {
  assert.deepEqual(appraise({ ...nothing, observed: false }), {
    assurance: 'none',
    conformance: 'unreachable',
    ear_status: 'none',
    ear_trustworthiness_vector: {},
  });
});

test('conformance: deviation before unbaselined before partial before match', () => {
  const failed = [{ id: 'pool.url-changed', severity: 'high' as const }];
  const notRun = [{ id: 'config.network-changed' }];
  const conformance = (outcome: Partial<Outcome>) => appraise({ ...nothing, ...outcome }).conformance;
  assert.equal(conformance({ failed, notRun, approval: 'none' }), 'deviation');
  assert.equal(conformance({ notRun }), 'unbaselined');
  assert.equal(conformance({ notRun, approval: 'none' }), 'unbaselined');
  assert.equal(conformance({ notRun, approval: 'local' }), 'partial');
  assert.equal(conformance({ approval: 'signed' }), 'match');
  assert.equal(conformance({ approval: 'local', failed: [{ id: 'pool.url-changed', severity: 'info' }] }), 'match');
});

test('the example of attestation.md §4 has the vector printed there', () => {
  const outcome: Outcome = {
    observed: true,
    approval: 'local',
    failed: [{ id: 'pool.url-changed', severity: 'high' }],
    notRun: [{ id: 'config.network-changed' }],
    passed: { 'self-reported': ['firmware.version-changed', 'pool.user-changed'] },
  };
  assert.deepEqual(appraise(outcome), {
    assurance: 'self-reported',
    conformance: 'deviation',
    ear_status: 'contraindicated',
    ear_trustworthiness_vector: { configuration: 96, 'sourced-data': 32 },
  });
});

test('the claims of the vector follow group and severity', () => {
  const vector = (outcome: Partial<Outcome>) => appraise({ ...nothing, ...outcome }).ear_trustworthiness_vector;
  const failed = (id: string, severity: 'info' | 'low' | 'medium' | 'high' | 'critical') =>
    vector({ failed: [{ id, severity }] });
  assert.deepEqual(failed('pool.failover-active', 'low'), { configuration: -33, 'sourced-data': 32 });
  assert.deepEqual(failed('tenant.hash-destination-breach', 'critical'), { configuration: 96, 'sourced-data': 32 });
  assert.deepEqual(failed('firmware.version-changed', 'high'), { executables: 33, 'sourced-data': 32 });
  assert.deepEqual(failed('firmware.image-hash-mismatch', 'critical'), { executables: 96, 'sourced-data': 32 });
  assert.deepEqual(failed('identity.psu-changed', 'low'), { hardware: 97, 'sourced-data': 32 });
  assert.deepEqual(failed('runtime.stale-data', 'medium'), { 'sourced-data': 96 });
  assert.deepEqual(failed('identity.psu-changed', 'info'), { 'sourced-data': 32 });
  const passed = { 'self-reported': ['config.drift'] };
  assert.deepEqual(vector({ passed, approval: 'local' }), { configuration: 2, 'sourced-data': 32 });
  assert.deepEqual(vector({ passed, approval: 'none' }), { 'sourced-data': 32 });
  assert.deepEqual(vector({ passed, approval: 'local', notRun: [{ id: 'pool.url-changed' }] }), {
    configuration: 36,
    'sourced-data': 32,
  });
});

test('corroborated takes a passed check of a second witness on pools, runtime or egress', () => {
  const assurance = (passed: Outcome['passed']) => appraise({ ...nothing, passed }).assurance;
  assert.equal(assurance({ independent: ['pool.accounting-gap'] }), 'corroborated');
  assert.equal(assurance({ 'gateway-observed': ['egress.known-bad-destination'] }), 'corroborated');
  assert.equal(assurance({ 'gateway-observed': ['visibility.device-dark'] }), 'self-reported');
  assert.equal(assurance({ 'multi-surface': ['pool.url-changed'] }), 'self-reported');
  assert.ok(isOverclaimed('device-bound', 'corroborated') && !isOverclaimed('none', 'self-reported'));
});

test('the tiers have the bounds of AR4SI', () => {
  const tier = (value: number) => earStatusOf({ configuration: value });
  assert.deepEqual([-1, 0, 1].map(tier), ['none', 'none', 'none']);
  assert.deepEqual([2, 31, -2, -32].map(tier), Array(4).fill('affirming'));
  assert.deepEqual([32, 95, -33, -96].map(tier), Array(4).fill('warning'));
  assert.deepEqual([96, 127, -97, -128].map(tier), Array(4).fill('contraindicated'));
});

test('no outcome of checks is ever affirming: nothing here is bound to the device', () => {
  const id = fc.constantFrom('pool.url-changed', 'firmware.rollback', 'identity.psu-changed', 'runtime.stale-data');
  const severity = fc.constantFrom('info', 'low', 'medium', 'high', 'critical');
  const outcome = fc.record({
    observed: fc.boolean(),
    approval: fc.constantFrom<Approval>('none', 'local', 'signed'),
    failed: fc.array(fc.record({ id, severity })),
    notRun: fc.array(fc.record({ id })),
    passed: fc.record({ 'self-reported': fc.array(id), independent: fc.array(id) }),
  });
  fc.assert(
    fc.property(outcome, (each) => {
      const appraisal = appraise({ ...each, ...(each.observed ? {} : { failed: [], notRun: [], passed: {} }) });
      assert.notEqual(appraisal.ear_status, 'affirming');
      assert.notEqual(appraisal.assurance, 'device-bound');
    }),
    { numRuns: 300 },
  );
});
