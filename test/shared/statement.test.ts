import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { FACTS, NO_PREVIOUS, type Statement, statementSchema } from '../../shared/index.ts';
import { trustedKeysSchema } from '../../shared/keys.ts';
import { accepted, attestation, finding, learned, start, Writing } from './writing.ts';

const common = new Writing().next;
const isStatement = (content: object): boolean => statementSchema.safeParse({ ...content, ...common }).success;

/** The attestation printed in attestation.md §4, its placeholders filled in. */
const printed = {
  appraisal: {
    assurance: 'self-reported',
    conformance: 'deviation',
    ear_status: 'contraindicated',
    ear_trustworthiness_vector: { configuration: 96, 'sourced-data': 32 },
    failed: [
      {
        basis: 'self-reported',
        id: 'pool.url-changed',
        obs: 'stratum+tcp://203.0.113.9:3333',
        part: 'slot 0',
        ref: 'stratum+ssl://pool.example:443',
        severity: 'high',
      },
    ],
    not_run: [{ id: 'config.network-changed', reason: 'timeout' }],
    passed: { 'self-reported': ['firmware.version-changed', 'pool.user-changed'] },
  },
  bootcount: 12,
  bootseed: 'AAECAwQFBgcICQoLDA0ODw',
  clock: { err_ms: 4, src: 'ntp', state: 'synced', sync_age_s: 31 },
  eat_profile: 'tag:assayer.example,2026:attestation/1',
  epoch: { age_s: 40, id: 'Qm9x5v0V5mQ8l0m5m1m1Ag', iss: 'example.org/collector-a' },
  evidence: {
    address: '10.20.14.7',
    claims: {
      family: 'antminer-stock',
      firmware: { build: 'Thu Mar 12 2026', name: 'stock', version: '2026.03.1' },
      identity: { mac: '02:1a:2b:3c:4d:5e', make: 'bitmain', model: 'Antminer S21', serial: 'JYZZ12345678' },
      pools: [{ priority: 0, slot: 0, url: 'stratum+tcp://203.0.113.9:3333', user: 'acme.rig0417' }],
      telemetry: { chips: 324, hashrate_hs: 200430000000000, power_w: 3495 },
    },
    observed_at: 1795339201,
    raw: [{ bytes: 1874, query: '4028 pools', sha256: NO_PREVIOUS }],
    readings: { 'network.dns': 'unknown: timeout' },
    trigger: 'change',
  },
  iat: 1795339201,
  kind: 'attestation',
  log: 'example.org/tx1-gw3/1795262400',
  mono_ms: 86401123,
  prev: NO_PREVIOUS,
  reference: { approval: 'local', seqs: [4] },
  seq: 88172,
  subject: { device: 'tx1-b2-r14-07', labels: { building: 'B2', site: 'tx1' } },
} satisfies Statement;

test('the attestation printed in §4 is a statement', () => {
  assert.deepEqual(statementSchema.parse(printed), printed);
});

test('every kind and action of §4 has its form', () => {
  const signedDocument = { sha256: NO_PREVIOUS, doc: '{}', sigs: ['e30..AA'] };
  for (const content of [
    start(),
    start({ prior: { log: 'example.org/gw-test/0', size: 9, root: NO_PREVIOUS }, removed: ['rig-1'] }),
    ...['stop', 'rollback', 'storage'].map((event) => ({ kind: 'session', session: { event } })),
    { kind: 'session', session: { event: 'reload', config_sha256: NO_PREVIOUS, removed: ['rig-1'] } },
    { kind: 'session', session: { event: 'clock-step', delta_ms: -3600000 } },
    learned('rig-7', 1, { facts: ['pools'], log: 'example.org/gw-test/0' }),
    accepted('rig-7', 1),
    {
      kind: 'baseline',
      baseline: { action: 'adopted', approval: 'signed', ref_id: 'r', version: 1, ...signedDocument },
    },
    {
      kind: 'baseline',
      baseline: { action: 'adopted', approval: 'signed', ref_id: 'r', version: 1, sha256: NO_PREVIOUS },
    },
    { kind: 'baseline', baseline: { action: 'withdrawn', seq: 3 } },
    { kind: 'change', change: { action: 'adopted', type: 'plan', id: 'p', ...signedDocument } },
    { kind: 'change', change: { action: 'expired', type: 'waiver', id: 'w', by: 'ada', terms: { reason: 'x' } } },
    attestation('rig-7'),
    finding({ before: { url: 'a', user: 'b' }, after: ['x', 1, true], reasons: ['not-listed'], raw: [] }),
    finding({ before: 1, after: false, count: 7, devices: ['rig-1', 'rig-2'], flapping: 4 }),
    {
      kind: 'coverage',
      coverage: {
        from_at: 1,
        to_at: 2,
        scope: 'tenant:acme',
        expected: 1,
        observed: 0,
        unreachable: 0,
        missed: 1,
        missed_devices: ['rig-1'],
        polls: { pools: { due: 1, ok: 0 } },
        state_sha256: NO_PREVIOUS,
      },
    },
    { kind: 'key', key: { action: 'retire' } },
    { kind: 'key', key: { action: 'rotate', next_jwk: { kty: 'OKP', crv: 'Ed25519', x: NO_PREVIOUS }, pop: 'a.b.c' } },
  ]) {
    const parsed = statementSchema.safeParse({ ...content, ...common });
    assert.ok(parsed.success, `${JSON.stringify(content)}\n${parsed.error}`);
  }
});

test('what §4 does not name is no statement', () => {
  const base = attestation('rig-7');
  const claims = (members: object) => ({ ...base, evidence: { ...base.evidence, claims: members } });
  for (const content of [
    { ...base, extra: 1 },
    { ...base, subject: { device: 'Rig 7' } },
    { ...base, evidence: { ...base.evidence, readings: { 'network.dns': 'unknown: unsupported' } } },
    { ...base, evidence: { ...base.evidence, trigger: 'boredom' } },
    claims({ firmware: { version: 7 } }),
    claims({ telemetry: { power_w: '15' } }),
    claims({ pools: [{ url: 'x' }] }),
    claims({ identity: { hashboards: 'x' } }),
    finding({ id: 'poolurl' }),
    { kind: 'finding', finding: { ...finding({}).finding, state: 'provisional' } },
    { kind: 'session', session: { event: 'stop', removed: [] } },
    { kind: 'baseline', baseline: { action: 'learned', approval: 'local', devices: [{ device: 'rig-7', seq: 1 }] } },
    { kind: 'baseline', baseline: { action: 'learned', approval: 'none', devices: [] } },
    { kind: 'change', change: { action: 'adopted', type: 'holiday', id: 'p' } },
  ]) {
    assert.ok(!isStatement(content), JSON.stringify(content));
  }
  assert.ok(!statementSchema.safeParse({ ...base, ...common, log: 'example.org/gw test/1' }).success);
  assert.ok(!statementSchema.safeParse({ ...base, ...common, log: 'example.org/gw+1/1' }).success);
  assert.ok(!statementSchema.safeParse({ ...base, ...common, prev: `${NO_PREVIOUS.slice(0, -1)}V` }).success);
});

test('redacted facts and facts of a later version are carried (§9)', () => {
  const pid = 'AAECAwQFBgcICQoLDA0ODw';
  const base = attestation('rig-7');
  const failed = [
    { id: 'pool.user-changed', basis: 'self-reported', severity: 'critical', obs_pid: pid, ref_pid: pid } as const,
  ];
  assert.ok(
    isStatement({
      ...base,
      _sd_alg: 'sha-256',
      evidence: {
        ...base.evidence,
        claims: {
          pools: [{ slot: 0, priority: 0, url: 'x', user_pid: pid, _sd: [NO_PREVIOUS] }],
          identity: { serial_pid: pid, _sd: [NO_PREVIOUS] },
          firmware: { signer: 'later' },
          optics: { lanes: 4 },
        },
      },
      appraisal: { ...base.appraisal, failed },
    }),
  );
  assert.ok(isStatement({ ...finding({ before_pid: pid, after_pid: pid }), _sd_alg: 'sha-256' }));
});

test('every fact of the table has a place in the claims', () => {
  const schema = JSON.stringify(z.toJSONSchema(statementSchema));
  for (const fact of Object.keys(FACTS)) assert.ok(schema.includes(`"${fact.split('.').at(-1)}":`), fact);
});

test('the schemas are published as they are checked: without transforms', () => {
  assert.equal(z.toJSONSchema(statementSchema).oneOf?.length, 7);
  assert.ok(z.toJSONSchema(trustedKeysSchema).anyOf);
});
