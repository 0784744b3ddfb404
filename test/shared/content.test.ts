import assert from 'node:assert/strict';
import { generateKeyPairSync, hash } from 'node:crypto';
import { test } from 'node:test';
import {
  type AttestationContent,
  type Content,
  type CoverageContent,
  type Jwk,
  jwkOf,
  type KeyContent,
  LogVerifier,
  NO_PREVIOUS,
  parseTrustedKeys,
  type Role,
  type Signer,
  signerOf,
  signMessage,
  toBase64url,
} from '../../shared/index.ts';
import { knownAnswers } from './vectors.ts';
import { accepted, attestation, finding, learned, start, stateOf, stop, Writing } from './writing.ts';

/** A key made for a test, and its record in a file of trusted keys. */
const newKey = (role: Role): { readonly signer: Signer; readonly record: { readonly jwk: Jwk } } => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = signerOf(privateKey);
  const record = { kid: signer.kid, jwk: jwkOf(privateKey), role };
  return { signer, record };
};

const ada = newKey('approver');
const bob = newKey('approver');
const next = newKey('gateway');
const keys = parseTrustedKeys({
  keys: [{ kid: knownAnswers.kid, jwk: knownAnswers.jwk, role: 'gateway' }, ada.record, bob.record, next.record],
});

/** Status and codes of the last of the entries; those before must be chained without a remark. */
const lastOf = (messages: readonly Buffer[]): string => {
  const verifier = new LogVerifier({ keys });
  const verdicts = messages.flatMap((message) => verifier.accept(message));
  for (const verdict of verdicts.slice(0, -1)) {
    assert.deepEqual([verdict.status, verdict.remarks.filter(({ code }) => code !== 'I_START')], ['chained', []]);
  }
  return [verdicts.at(-1)?.status, ...(verdicts.at(-1)?.remarks ?? []).map(({ code }) => code)].join(' ');
};

const logOf = (...contents: readonly Content[]): Writing => {
  const log = new Writing();
  log.write(start());
  for (const content of contents) log.write(content);
  return log;
};

const verdictOf = (...contents: readonly Content[]): string => lastOf(logOf(...contents).messages);

// ---- baseline

test('a learned item cites an earlier attestation of its device', () => {
  const rig7 = attestation('rig-7');
  assert.equal(verdictOf(rig7, learned('rig-7', 1)), 'chained');
  assert.equal(verdictOf(rig7, learned('rig-8', 1)), 'quarantined E_BASELINE');
  assert.equal(verdictOf(rig7, learned('rig-7', 0)), 'quarantined E_BASELINE');
  assert.equal(verdictOf(rig7, learned('rig-7', 2)), 'quarantined E_BASELINE');
  assert.equal(verdictOf(rig7, learned('rig-7', 9)), 'quarantined E_BASELINE');
});

test('an item may cite a former incarnation, not another gateway', () => {
  const restated = (log: string) => verdictOf(learned('rig-7', 12, { log }));
  assert.equal(restated('example.org/gw-test/0'), 'chained I_UNCHECKED');
  assert.equal(restated('example.org/gw-test/2'), 'quarantined E_BASELINE');
  assert.equal(restated('example.org/gw-other/0'), 'quarantined E_BASELINE');
});

test('an item that cites a former incarnation is checked where that was followed', () => {
  const former = logOf(attestation('rig-7'));
  const verifier = new LogVerifier({ keys });
  for (const message of former.messages) verifier.accept(message);
  const log = new Writing('example.org/gw-test/2');
  log.write(start({ prior: verifier.ends()[0] }));
  log.write(learned('rig-7', 1, { log: 'example.org/gw-test/1' }));
  log.write(attestation('rig-7', { reference: { approval: 'none', seqs: [1] } }));
  log.write(learned('rig-8', 1, { log: 'example.org/gw-test/1' }));
  const verdicts = log.messages.flatMap((message) => verifier.accept(message)).map(({ status }) => status);
  assert.deepEqual(verdicts, ['chained', 'chained', 'chained', 'quarantined']);
});

test('what was in force can be withdrawn, once', () => {
  const withdrawn = (seq: number): Content => ({ kind: 'baseline', baseline: { action: 'withdrawn', seq } });
  const before = [attestation('rig-7'), learned('rig-7', 1)];
  assert.equal(verdictOf(...before, withdrawn(2)), 'chained');
  assert.equal(verdictOf(...before, withdrawn(1)), 'quarantined E_BASELINE');
  assert.equal(verdictOf(...before, withdrawn(2), withdrawn(2)), 'quarantined E_BASELINE');
  const citing = attestation('rig-7', { reference: { approval: 'none', seqs: [2] } });
  assert.equal(verdictOf(...before, withdrawn(2), citing), 'quarantined E_REFERENCE');
});

const reference = { kind: 'reference', ref_id: 'ref-1', version: 3, iat: 1795339200, scope: { model: 'x' } };

const adopted = (
  document: object,
  { signer = ada.signer, ...members }: { signer?: Signer; version?: number; sigs?: string[]; sha256?: string } = {},
): Content => {
  const doc = signMessage(document, 'miner-ref+jwt', signer).toString();
  return {
    kind: 'baseline',
    baseline: {
      action: 'adopted',
      approval: 'signed',
      ref_id: 'ref-1',
      version: 3,
      sha256: hash('sha256', doc, 'base64url'),
      doc,
      ...members,
    },
  };
};

test('an adopted document is signed by approvers, and is the one named', () => {
  const further = ({ signer }: { readonly signer: Signer }): string =>
    JSON.parse(signMessage(reference, 'miner-ref+jwt', signer).toString()).jws;
  assert.equal(verdictOf(adopted(reference)), 'chained');
  assert.equal(verdictOf(adopted(reference, { sigs: [further(bob)] })), 'chained');
  assert.equal(verdictOf(adopted(reference, { sigs: [further(ada)] })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted(reference, { sigs: [further(next)] })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted(reference, { sigs: ['x..y'] })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted(reference, { signer: next.signer })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted(reference, { version: 4 })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted(reference, { sha256: NO_PREVIOUS })), 'quarantined E_BASELINE');
  assert.equal(verdictOf(adopted({ kind: 'plan' })), 'quarantined E_BASELINE');
});

test('entries that a document approves are those of the log', () => {
  const log = logOf(attestation('rig-7'));
  const approving = (leaf: string, device = 'rig-7') => adopted({ ...reference, entries: [{ device, seq: 1, leaf }] });
  assert.equal(verdictOf(attestation('rig-7'), approving(log.leaf(1))), 'chained');
  assert.equal(verdictOf(attestation('rig-7'), approving(log.leaf(0))), 'quarantined E_BASELINE');
  assert.equal(verdictOf(attestation('rig-7'), approving(log.leaf(1), 'rig-8')), 'quarantined E_BASELINE');
});

test('a document that is withheld is flagged', () => {
  const baseline = { action: 'adopted', approval: 'signed', ref_id: 'r', version: 1, sha256: NO_PREVIOUS } as const;
  assert.equal(verdictOf({ kind: 'baseline', baseline }), 'chained W_WITHHELD');
  const change = { action: 'adopted', type: 'plan', id: 'p' } as const;
  assert.equal(verdictOf({ kind: 'change', change: { ...change, sha256: NO_PREVIOUS } }), 'chained W_WITHHELD');
  assert.equal(verdictOf({ kind: 'change', change: { ...change, by: 'ada', terms: {} } }), 'chained');
  assert.equal(verdictOf({ kind: 'change', change }), 'quarantined E_BASELINE');
});

// ---- attestation

const referring = (approval: 'none' | 'local' | 'signed', ...seqs: readonly number[]): AttestationContent =>
  attestation('rig-7', { reference: { approval, seqs: [...seqs] } });

test('a reference names entries in force for the device, with the weakest approval', () => {
  const before = [attestation('rig-7'), learned('rig-7', 1)];
  assert.equal(verdictOf(...before, referring('none', 2)), 'chained');
  assert.equal(verdictOf(...before, referring('local', 2)), 'quarantined E_REFERENCE');
  assert.equal(verdictOf(...before, referring('none', 1)), 'quarantined E_REFERENCE');
  assert.equal(verdictOf(...before, referring('none', 3)), 'quarantined E_REFERENCE');
  assert.equal(verdictOf(attestation('rig-8'), learned('rig-8', 1), referring('none', 2)), 'quarantined E_REFERENCE');
});

test('for each fact the newest entry of the strongest approval is in force', () => {
  const before = [attestation('rig-7'), learned('rig-7', 1), accepted('rig-7', 1, { facts: ['family'] })];
  assert.equal(verdictOf(...before, referring('none', 2, 3)), 'chained');
  assert.equal(verdictOf(...before, accepted('rig-7', 1), referring('local', 4)), 'chained');
  assert.equal(verdictOf(...before, accepted('rig-7', 1), referring('none', 2, 4)), 'quarantined E_REFERENCE');
  assert.equal(verdictOf(...before, learned('rig-7', 1), referring('none', 3, 4)), 'chained');
  assert.equal(verdictOf(...before, learned('rig-7', 1), referring('none', 2, 3)), 'quarantined E_REFERENCE');
});

test('an item holds only facts that its attestation claims', () => {
  const before = [attestation('rig-7'), learned('rig-7', 1)];
  const unclaimed = accepted('rig-7', 1, { facts: ['pools', 'telemetry.power_w'] });
  assert.equal(verdictOf(...before, unclaimed, referring('none', 2)), 'chained');
  assert.equal(verdictOf(...before, unclaimed, referring('none', 2, 3)), 'quarantined E_REFERENCE');
});

test('a column of a list is held by what holds the list', () => {
  const pools = [{ slot: 0, priority: 0, url: 'stratum+tcp://pool.example:3333', user: 'acme' }];
  const { evidence } = attestation('rig-7');
  const before = [attestation('rig-7', { evidence: { ...evidence, claims: { pools } } }), learned('rig-7', 1)];
  const column = accepted('rig-7', 1, { facts: ['pools.url'] });
  assert.equal(verdictOf(...before, column, referring('none', 2, 3)), 'chained');
  assert.equal(verdictOf(...before, column, accepted('rig-7', 1), referring('local', 3)), 'quarantined E_REFERENCE');
});

test('what was accepted of a device that left holds nothing when it is back under its name', () => {
  const removed = ['rig-7', 'rig-9'];
  const left: Content = { kind: 'session', session: { event: 'reload', config_sha256: NO_PREVIOUS, removed } };
  const before = [attestation('rig-7'), learned('rig-7', 1), accepted('rig-7', 1), left, attestation('rig-7')];
  assert.equal(verdictOf(...before, referring('local', 3)), 'quarantined E_REFERENCE');
  assert.equal(verdictOf(...before, learned('rig-7', 5), referring('none', 6)), 'chained');
  assert.equal(verdictOf(...before, accepted('rig-7', 5), referring('local', 6)), 'chained');
});

test('a signed document in force may be referred to', () => {
  assert.equal(verdictOf(adopted(reference), referring('signed', 1)), 'chained');
  assert.equal(verdictOf(adopted(reference), adopted(reference), referring('signed', 1)), 'quarantined E_REFERENCE');
});

test('what a stream that begins later cannot check is said, not blamed on the log', () => {
  const log = logOf(attestation('rig-7'), learned('rig-7', 1), referring('none', 2), learned('rig-7', 1));
  log.write(finding({ evidence: [1], opened_seq: 5 }));
  for (const seq of [3, 4, 5]) {
    assert.equal(lastOf(log.messages.slice(seq, seq + 1)), 'chained I_START I_UNCHECKED');
  }
});

test('an unreachable device has no claims and is so appraised', () => {
  const { evidence, appraisal } = attestation('rig-7');
  const { claims, ...nothing } = evidence;
  assert.ok(claims);
  const unreachable = (members: object) =>
    attestation('rig-7', {
      evidence: { ...nothing, trigger: 'unreachable' },
      appraisal: {
        ...appraisal,
        assurance: 'none',
        conformance: 'unreachable',
        ear_status: 'none',
        ear_trustworthiness_vector: {},
        ...members,
      },
    });
  assert.equal(verdictOf(unreachable({})), 'chained');
  assert.equal(verdictOf(unreachable({ assurance: 'self-reported' })), 'quarantined E_OVERCLAIM');
  assert.equal(verdictOf(unreachable({ conformance: 'match' })), 'quarantined E_APPRAISAL');
});

// ---- finding

test('a finding points at attestations of its device and at the entry that opened it', () => {
  const before = attestation('rig-7');
  const second = (members: object) => verdictOf(before, finding({ evidence: [1], opened_seq: 2, ...members }));
  assert.equal(second({}), 'chained');
  assert.equal(second({ device: 'rig-8' }), 'quarantined E_FINDING');
  assert.equal(second({ evidence: [0] }), 'quarantined E_FINDING');
  assert.equal(second({ evidence: [2] }), 'quarantined E_FINDING');
  assert.equal(second({ opened_seq: 1 }), 'quarantined E_FINDING');
  assert.equal(second({ opened_seq: 3 }), 'quarantined E_FINDING');
  const opened = finding({ evidence: [1], opened_seq: 2 });
  const resolved = finding({ evidence: [1], opened_seq: 2, state: 'resolved' });
  assert.equal(verdictOf(before, opened, resolved), 'chained');
  const other = finding({ id: 'pool.user-changed', evidence: [1], opened_seq: 2, state: 'resolved' });
  assert.equal(verdictOf(before, opened, other), 'quarantined E_FINDING');
});

// ---- coverage

const coverage = (stateSha256: string, members: Partial<CoverageContent['coverage']> = {}): CoverageContent => ({
  kind: 'coverage',
  coverage: {
    from_at: 1795339200,
    to_at: 1795340100,
    scope: 'gateway',
    expected: 2,
    observed: 2,
    unreachable: 0,
    missed: 0,
    polls: { pools: { due: 30, ok: 30 } },
    state_sha256: stateSha256,
    ...members,
  },
});

test('coverage counts add up and the state is that of the current attestations', () => {
  const before = [attestation('rig-8'), attestation('rig-7'), attestation('rig-8')];
  const log = logOf(...before);
  const state = stateOf([
    ['rig-7', log.leaf(2)],
    ['rig-8', log.leaf(3)],
  ]);
  assert.equal(verdictOf(...before, coverage(state)), 'chained');
  assert.equal(verdictOf(...before, coverage(state, { observed: 1 })), 'quarantined E_COVERAGE');
  assert.equal(verdictOf(...before, coverage(state, { observed: 1, missed: 1 })), 'quarantined E_COVERAGE');
  const missed = { observed: 1, missed: 1, missed_devices: ['rig-8'] };
  assert.equal(verdictOf(...before, coverage(state, missed)), 'chained');
  const old = stateOf([
    ['rig-7', log.leaf(2)],
    ['rig-8', log.leaf(1)],
  ]);
  assert.equal(verdictOf(...before, coverage(old)), 'quarantined E_COVERAGE');
  assert.equal(lastOf(logOf(...before, coverage(old)).messages.slice(2)), 'chained I_UNCHECKED');
});

test('a device that left is no longer covered; a tenant is covered apart', () => {
  const acme = attestation('rig-7', { subject: { device: 'rig-7', labels: { tenant: 'acme' } } });
  const before = [acme, attestation('rig-8')];
  const log = logOf(...before);
  const tenants = stateOf([['rig-7', log.leaf(1)]]);
  const one = { expected: 1, observed: 1 };
  assert.equal(verdictOf(...before, coverage(tenants, { scope: 'tenant:acme', ...one })), 'chained');
  assert.equal(verdictOf(...before, coverage(tenants, one)), 'quarantined E_COVERAGE');
  const reload: Content = {
    kind: 'session',
    session: { event: 'reload', config_sha256: NO_PREVIOUS, removed: ['rig-8'] },
  };
  assert.equal(verdictOf(...before, reload, coverage(tenants, one)), 'chained');
});

// ---- key

const rotation = (claims: object, signer = next.signer): KeyContent => {
  const encode = (value: object): string => toBase64url(Buffer.from(JSON.stringify(value)));
  const input = `${encode({ alg: 'Ed25519', kid: signer.kid, typ: 'miner-pop+jwt' })}.${encode(claims)}`;
  return {
    kind: 'key',
    key: {
      action: 'rotate',
      next_jwk: next.record.jwk,
      pop: `${input}.${toBase64url(signer.sign(Buffer.from(input)))}`,
    },
  };
};

test('a new key proves that it exists; the old one then signs nothing more', () => {
  const claims = { kid_new: next.signer.kid, kid_old: knownAnswers.kid, log: 'example.org/gw-test/1', seq: 1 };
  assert.equal(verdictOf(rotation(claims)), 'chained');
  assert.equal(verdictOf(rotation({ ...claims, seq: 2 })), 'quarantined E_SIGNATURE');
  assert.equal(verdictOf(rotation(claims, bob.signer)), 'quarantined E_SIGNATURE');
  assert.equal(verdictOf(rotation(claims), stop), 'refused E_KEY_SCOPE');
  const log = logOf(rotation(claims));
  log.signer = next.signer;
  log.write(stop);
  assert.equal(lastOf(log.messages), 'chained');
});

test('a new key that is not trusted is not accepted', () => {
  const stranger = newKey('gateway');
  const content: KeyContent = {
    kind: 'key',
    key: { action: 'rotate', next_jwk: stranger.record.jwk, pop: 'a.b.c' },
  };
  assert.equal(verdictOf(content), 'quarantined E_KEY_UNKNOWN');
});
