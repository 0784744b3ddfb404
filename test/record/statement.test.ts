import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Checks, Finding } from '../../agent/appraise/finding.ts';
import type { Observation } from '../../agent/normalise/observation.ts';
import type { Built } from '../../agent/record/entry.ts';
import { disclose, pidOf, type Redaction } from '../../agent/record/redaction.ts';
import {
  type AttestationFacts,
  buildAttestation,
  buildBaselineAccepted,
  buildBaselineLearned,
  buildCoverage,
  buildFinding,
  pages,
} from '../../agent/record/statement.ts';
import type { Facts } from '../../shared/facts.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { verifyMessage } from '../../shared/verify.ts';
import { openGateway, TestClock } from './gateway.ts';

const CHECKS: Checks = {
  failed: [],
  notRun: [],
  passed: { 'self-reported': ['pool.url-changed', 'pool.user-changed'] },
};

const FACTS: Facts = {
  family: 'antminer-stock',
  'identity.make': 'bitmain',
  'identity.mac': '02:1a:2b:3c:4d:5e',
  'firmware.version': '2026.03.1',
  pools: [{ slot: 0, url: 'stratum+tcp://pool.example:3333', user: 'acme.rig0417', priority: 0 }],
  'config.other': [{ key: 'fan', value: 'auto' }],
  'telemetry.fans_rpm': [6000, 6030],
};

const observation = (changes: Partial<Observation> = {}): Observation => ({
  family: 'antminer-stock',
  address: '10.20.14.7',
  look: 'full',
  observedAtMs: 1_795_339_200_900,
  facts: FACTS,
  gaps: new Map([
    ['network.dns', 'timeout'],
    ['identity.psu', 'absent'],
  ]),
  standIns: new Map(),
  sanitized: [],
  ...changes,
});

const POOLS_REPLY = { query: 'pools', bytes: Buffer.from('{"POOLS":[]}'), repairs: ['missing-comma'] };

const attestation = (changes: Partial<AttestationFacts> = {}): AttestationFacts => ({
  subject: { device: 'rig-1', labels: { site: 'tx1' } },
  address: '10.20.14.7',
  look: { kind: 'observed', observation: observation(), replies: [POOLS_REPLY] },
  trigger: 'first',
  checks: CHECKS,
  ...changes,
});

const withFacts = (facts: { readonly [name: string]: unknown }): AttestationFacts =>
  attestation({
    look: { kind: 'observed', observation: observation({ facts: facts as Facts }), replies: [POOLS_REPLY] },
  });

const finding = (changes: Partial<Finding> = {}): Finding => ({
  ruleId: 'pool.user-changed',
  part: 'slot 0',
  state: 'open',
  severity: 'critical',
  severityBase: 'critical',
  basis: 'self-reported',
  ruleVersion: 1,
  before: 'acme.rig0417',
  after: 'thief.rig0417',
  firstObservedAt: 1_795_339_100,
  beforeAt: 1_795_339_000,
  confirmedAt: 1_795_339_110,
  surfaces: ['pools'],
  ...changes,
});

const ABOUT = { device: 'rig-1', labels: { site: 'tx1' } };

/** The statement as a verifier gets it, after steps 1 to 7. */
const verified = (t: TestContext, built: Built | ((seq: number) => Built)) => {
  const { log, jwk } = openGateway(t, new TestClock());
  const [entry] = log.transaction((tx) => tx.append(typeof built === 'function' ? built(tx.next()) : built));
  assert.ok(entry !== undefined);
  return { entry, statement: verifyMessage(entry.message, { keys: parseTrustedKeys(jwk) }).statement };
};

const attested = (t: TestContext, facts: AttestationFacts, redaction?: Redaction) => {
  const { statement, entry } = verified(t, buildAttestation(facts, redaction));
  assert.ok(statement.kind === 'attestation');
  return { ...statement, bytes: entry.message.length };
};

test('an attestation says what was observed, nested by the dots of its facts, and what could not be read', (t) => {
  const statement = attested(t, attestation({ reference: { approval: 'local', seqs: [4] } }));
  assert.deepEqual(statement.subject, { device: 'rig-1', labels: { site: 'tx1' } });
  assert.deepEqual(statement.evidence, {
    address: '10.20.14.7',
    claims: {
      family: 'antminer-stock',
      identity: { make: 'bitmain', mac: '02:1a:2b:3c:4d:5e' },
      firmware: { version: '2026.03.1' },
      pools: [{ slot: 0, url: 'stratum+tcp://pool.example:3333', user: 'acme.rig0417', priority: 0 }],
      config: { other: [{ key: 'fan', value: 'auto' }] },
      telemetry: { fans_rpm: [6000, 6030] },
    },
    observed_at: 1_795_339_200,
    raw: [
      {
        query: 'pools',
        bytes: 12,
        sha256: createHash('sha256').update('{"POOLS":[]}').digest('base64url'),
        repairs: ['missing-comma'],
      },
    ],
    readings: { 'network.dns': 'unknown: timeout', 'identity.psu': 'absent' },
    trigger: 'first',
  });
  assert.deepEqual(statement.appraisal, {
    assurance: 'self-reported',
    conformance: 'match',
    ear_status: 'warning',
    ear_trustworthiness_vector: { configuration: 2, 'sourced-data': 32 },
    failed: [],
    not_run: [],
    passed: { 'self-reported': ['pool.url-changed', 'pool.user-changed'] },
  });
});

test('an unreachable device is attested without claims and without assurance', (t) => {
  const statement = attested(
    t,
    attestation({
      look: { kind: 'unreachable', atMs: 1_795_339_200_000 },
      trigger: 'unreachable',
      checks: { failed: [], notRun: [{ id: 'pool.url-changed', reason: 'unreachable' }], passed: {} },
    }),
  );
  assert.equal(statement.evidence.claims, undefined);
  assert.deepEqual(statement.evidence.raw, []);
  assert.equal(statement.appraisal.conformance, 'unreachable');
  assert.equal(statement.appraisal.assurance, 'none');
});

test('the replies an attestation cites are kept with it, as long as the entry, those of a refresh for 35 days', (t) => {
  const { log, store } = openGateway(t);
  log.transaction((tx) => {
    tx.append(buildAttestation(attestation()));
    tx.append(buildAttestation(attestation({ trigger: 'refresh' })));
  });
  assert.deepEqual(
    store.captures(1).map(({ query, bytes }) => [query, Buffer.from(bytes).toString()]),
    [['pools', '{"POOLS":[]}']],
  );
  const in35Days = 1_795_339_200 + 35 * 86_400;
  assert.equal(store.pruneCaptures(in35Days - 1, 500), 0);
  assert.equal(store.pruneCaptures(in35Days, 500), 1);
  assert.equal(store.captures(1).length, 1);
  assert.equal(store.captures(2).length, 0);
});

test('§2: claims that would exceed the message lose items of the longest list, and the fact is named', (t) => {
  const other = Array.from({ length: 500 }, (_none, index) => ({ key: `key-${index}`, value: 'v'.repeat(60) }));
  const components = Array.from({ length: 40 }, (_none, index) => ({ name: `part-${index}`, value: 'x'.repeat(40) }));
  const statement = attested(t, withFacts({ ...FACTS, 'config.other': other, 'firmware.components': components }));
  const claims = statement.evidence.claims as { config: { other: unknown[] }; firmware: { components: unknown[] } };
  assert.ok(statement.bytes <= 32_768);
  assert.ok(statement.bytes > 30_000, `not cut more than needed: ${statement.bytes}`);
  assert.deepEqual(claims.config.other, other.slice(0, claims.config.other.length));
  assert.equal(claims.firmware.components.length, 40);
  assert.deepEqual(statement.evidence.sanitized, ['config.other']);
});

test('§2: a list of more than 512 items is cut, and the fact is named', (t) => {
  const statement = attested(t, withFacts({ ...FACTS, 'telemetry.fans_rpm': Array.from({ length: 600 }, () => 1) }));
  const { telemetry } = statement.evidence.claims as { telemetry: { fans_rpm: number[] } };
  assert.equal(telemetry.fans_rpm.length, 512);
  assert.deepEqual(statement.evidence.sanitized, ['telemetry.fans_rpm']);
});

test('a number that has no form on the wire is left out and named', (t) => {
  const statement = attested(t, withFacts({ ...FACTS, 'telemetry.hashrate_hs': 2 ** 60, 'telemetry.power_w': 3495.5 }));
  assert.deepEqual(statement.evidence.sanitized, ['telemetry.hashrate_hs', 'telemetry.power_w']);
});

test('whatever a device says, its attestation can be signed and verifies', (t) => {
  const { log, jwk } = openGateway(t);
  const keys = parseTrustedKeys(jwk);
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('😀'.repeat(256), 'ä'.repeat(2000), '"'.repeat(256), '\ud800', ''),
  );
  /** Long lists of few different texts. */
  const many = fc
    .tuple(fc.nat(700), fc.array(value, { minLength: 1, maxLength: 3 }))
    .map(([count, texts]) => Array.from({ length: count }, (_none, index) => texts[index % texts.length] ?? ''));
  const hostile = fc.record({
    'identity.model': value,
    'identity.serial': value,
    'network.hostname': value,
    'config.other': many.map((texts) => texts.map((each, index) => ({ key: `${index}${each}`, value: each }))),
    pools: many.map((texts) => texts.map((each, slot) => ({ slot, url: each, user: each, priority: slot }))),
    'identity.hashboards': many,
  });
  const any = fc.oneof(
    value,
    fc.double(),
    many,
    fc.dictionary(value, fc.oneof(value, fc.object({ maxKeys: 5 })), { maxKeys: 5 }),
  );
  const failed = fc.tuple(many, fc.array(any, { minLength: 1, maxLength: 3 })).map(([parts, values]) =>
    parts.map((part, index) => ({
      id: ['config.drift', 'pool.url-changed', 'identity.hardware-swapped'][index % 3] ?? '',
      part,
      basis: 'self-reported' as const,
      severity: (['low', 'high', 'info'] as const)[index % 4] ?? 'medium',
      obs: values[index % values.length] ?? '',
      ref: values[(index + 1) % values.length] ?? '',
    })),
  );
  let cut = 0;
  fc.assert(
    fc.property(hostile, failed, fc.boolean(), (facts, checks, redacted) => {
      const input = { ...withFacts(facts), checks: { failed: checks, notRun: [], passed: {} } } as AttestationFacts;
      const built = buildAttestation(input, redacted ? { secret: Buffer.alloc(32) } : undefined);
      const [entry] = log.transaction((tx) => tx.append(built));
      const { statement } = verifyMessage(entry?.message ?? Buffer.of(), { keys });
      assert.ok(statement.kind === 'attestation');
      if (statement.evidence.sanitized !== undefined) cut += 1;
      // Cutting never changes what follows from the checks.
      assert.equal(
        statement.appraisal.conformance,
        checks.some((check) => check.severity !== 'info') ? 'deviation' : 'unbaselined',
      );
    }),
    { numRuns: 25, seed: 7 },
  );
  assert.ok(cut > 0, 'some statement had to be cut');
});

test('whatever the values of a finding are, it can be signed and verifies', (t) => {
  const { log, jwk } = openGateway(t);
  const keys = parseTrustedKeys(jwk);
  const long = fc.oneof(fc.string({ maxLength: 2000 }), fc.constant('😀'.repeat(3000)));
  const any = fc.oneof(
    long,
    fc.double({ noNaN: true }),
    fc.array(long, { maxLength: 600, size: 'max' }),
    fc.dictionary(long, fc.object()),
  );
  fc.assert(
    fc.property(any, any, fc.array(long, { maxLength: 600 }), (before, after, reasons) => {
      const change = finding({ ruleId: 'config.drift', before, after, reasons: reasons.slice(0, 512) });
      const built = buildFinding({ finding: change, about: ABOUT, openedSeq: log.size(), evidence: [1] });
      const [entry] = log.transaction((tx) => tx.append(built));
      verifyMessage(entry?.message ?? Buffer.of(), { keys });
    }),
    { numRuns: 25, seed: 7 },
  );
});

test('a finding names the entry that opened it, which is its own at first', (t) => {
  const { statement } = verified(t, (seq) =>
    buildFinding({
      finding: finding(),
      about: ABOUT,
      openedSeq: seq,
      evidence: [seq - 1],
      reference: { approval: 'local', seqs: [0] },
    }),
  );
  assert.ok(statement.kind === 'finding');
  assert.deepEqual(statement.finding, {
    id: 'pool.user-changed',
    opened_seq: 1,
    state: 'open',
    severity: 'critical',
    severity_base: 'critical',
    basis: 'self-reported',
    rule_version: 1,
    device: 'rig-1',
    labels: { site: 'tx1' },
    part: 'slot 0',
    before: 'acme.rig0417',
    after: 'thief.rig0417',
    first_observed_at: 1_795_339_100,
    before_at: 1_795_339_000,
    confirmed_at: 1_795_339_110,
    evidence: [0],
    surfaces: ['pools'],
    reference: { approval: 'local', seqs: [0] },
  });
});

test('a blip that was never confirmed cites its replies instead of attestations', (t) => {
  const { confirmedAt: _never, ...blip } = finding({ state: 'resolved', resolvedAt: 1_795_339_160 });
  const { log, store } = openGateway(t);
  log.transaction((tx) =>
    tx.append(
      buildFinding({ finding: blip, about: ABOUT, openedSeq: tx.next(), evidence: [], replies: [POOLS_REPLY] }),
    ),
  );
  assert.deepEqual(
    store.captures(1).map(({ query }) => query),
    ['pools'],
  );
});

test('the parent of a storm names at most 256 of its devices and counts all', (t) => {
  const devices = Array.from({ length: 300 }, (_none, index) => `rig-${index}`);
  const { statement } = verified(t, (seq) =>
    buildFinding({ finding: finding(), about: { devices, count: 300 }, openedSeq: seq, evidence: [] }),
  );
  assert.ok(statement.kind === 'finding');
  assert.equal(statement.finding.devices?.length, 256);
  assert.equal(statement.finding.count, 300);
  assert.equal(statement.finding.device, undefined);
});

test('a baseline entry adopts the claims of at most 256 attestations; more take more entries', (t) => {
  const citations = Array.from({ length: 600 }, (_none, seq) => ({ device: `rig-${seq}`, seq }));
  const learned = buildBaselineLearned(citations);
  assert.deepEqual(
    learned.map(({ content }) => ('devices' in content.baseline ? content.baseline.devices.length : 0)),
    [256, 256, 88],
  );
  const many = citations.map((item) => ({
    ...item,
    facts: ['firmware.version', 'firmware.components', 'pools'] as const,
  }));
  const accepted = pages(many).map((page) => buildBaselineAccepted(page, { by: 'jo', note: 'after maintenance' }));
  assert.equal(accepted.length, 3);
  for (const built of [...learned, ...accepted]) {
    assert.equal(verified(t, built).statement.kind, 'baseline');
  }
});

test('coverage names the missed devices only where there are any', (t) => {
  const { statement } = verified(
    t,
    buildCoverage({
      fromAt: 1_795_338_300,
      toAt: 1_795_339_200,
      scope: 'tenant:acme',
      expected: 3,
      observed: 1,
      unreachable: 1,
      missed: ['rig-3'],
      polls: new Map([['pools', { due: 45, ok: 30 }]]),
      stateSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    }),
  );
  assert.ok(statement.kind === 'coverage');
  assert.deepEqual(statement.coverage.missed_devices, ['rig-3']);
  assert.deepEqual(statement.coverage.polls, { pools: { due: 45, ok: 30 } });
});

// ---- redaction (§9)

const REDACTION: Redaction = {
  secret: Buffer.alloc(32, 7),
  salt: () => Buffer.from('AAECAwQFBgcICQoLDA0ODw', 'base64url'),
};
const USER = 'acme.rig0417';

test('§12 TV-24: the disclosure of the known salt, name and value has the known digest', () => {
  const salt = Buffer.from('AAECAwQFBgcICQoLDA0ODw', 'base64url');
  assert.equal(disclose(salt, 'user', USER).digest, 'UVUX_oBD2WPRJqW0l6vmcAw9nlBG6mfXhlHXeGpZNVI');
});

test('§9: a redacted pool user leaves as salted digest and pseudonym, the disclosure stays in the store', (t) => {
  const facts = withFacts({
    ...FACTS,
    live_pools: [{ url: 'stratum+tcp://pool.example:3333', user: USER }],
    'config.other': [{ key: 'pool1user', value: `${USER}@x` }],
  });
  const { log, store, jwk } = openGateway(t);
  const salts = [1, 2].map((byte) => Buffer.alloc(16, byte));
  const built = buildAttestation(facts, { ...REDACTION, salt: () => salts.pop() ?? assert.fail('one salt each') });
  const [entry] = log.transaction((tx) => tx.append(built));
  const { statement } = verifyMessage(entry?.message ?? Buffer.of(), { keys: parseTrustedKeys(jwk) });
  assert.ok(statement.kind === 'attestation');
  assert.ok(!Buffer.from(entry?.message ?? []).includes('acme'), 'the user is nowhere in the message');
  assert.equal(statement._sd_alg, 'sha-256');
  const claims = statement.evidence.claims as {
    pools: [{ _sd: string[]; user_pid: string }];
    live_pools: [{ user_pid: string }];
  };
  assert.equal(claims.pools[0].user_pid, pidOf(REDACTION, USER));
  assert.equal(claims.live_pools[0].user_pid, pidOf(REDACTION, USER));
  const disclosures = store.disclosures(1);
  assert.equal(disclosures.length, 2);
  const [shown] = disclosures.filter(({ digest }) => digest === claims.pools[0]._sd[0]);
  assert.equal(
    createHash('sha256')
      .update(shown?.text ?? '')
      .digest('base64url'),
    claims.pools[0]._sd[0],
  );
  const [, name, value] = JSON.parse(Buffer.from(shown?.text ?? '', 'base64url').toString()) as string[];
  assert.deepEqual([name, value], ['user', USER]);
});

test('§9: findings and checks that speak of a redacted user carry pseudonyms', (t) => {
  const { statement, entry } = verified(t, (seq) =>
    buildFinding({ finding: finding(), about: ABOUT, openedSeq: seq, evidence: [] }, REDACTION),
  );
  assert.ok(statement.kind === 'finding');
  assert.equal(statement.finding.before_pid, pidOf(REDACTION, USER));
  assert.notEqual(statement.finding.after_pid, statement.finding.before_pid);
  assert.ok(!/acme|thief/.test(Buffer.from(entry.message).toString()));

  const checks: Checks = {
    failed: [
      {
        id: 'pool.user-changed',
        part: 'slot 0',
        basis: 'self-reported',
        severity: 'critical',
        obs: 'thief.rig',
        ref: USER,
      },
      {
        id: 'pool.slot-added',
        basis: 'self-reported',
        severity: 'high',
        obs: { slot: 1, url: 'u', user: 'thief.rig' },
      },
    ],
    notRun: [],
    passed: {},
  };
  const built = attested(t, attestation({ checks }), REDACTION);
  assert.equal(built.appraisal.failed[0]?.ref_pid, pidOf(REDACTION, USER));
  assert.deepEqual(built.appraisal.failed[1]?.obs, { slot: 1, url: 'u', user_pid: pidOf(REDACTION, 'thief.rig') });
});

test('§9: a redacted user is replaced wherever a finding, a check or a claim repeats it, now or from the reference', (t) => {
  const [before, after] = [[{ key: 'other.w', value: USER }], [{ key: 'other.w', value: 'evil.rig1@x' }]];
  const checks: Checks = {
    failed: [{ id: 'config.drift', basis: 'self-reported', severity: 'low', ref: before, obs: after }],
    notRun: [],
    passed: {},
  };
  const facts: Facts = {
    ...FACTS,
    pools: [{ slot: 0, url: 'stratum+tcp://pool.example:3333', user: 'evil.rig1', priority: 0 }],
    'network.hostname': 'miner-acme.rig0417',
    'config.other': [{ key: 'w', value: 'evil.rig1@x' }],
  };
  const built = attested(t, { ...withFacts(facts), checks, users: [FACTS] }, REDACTION);
  assert.doesNotMatch(JSON.stringify(built), /acme|evil/);
  const [ref, obs] = [USER, 'evil.rig1'].map((user) => `pid:${pidOf(REDACTION, user)}`);
  assert.deepEqual(built.appraisal.failed[0]?.ref, [{ key: 'other.w', value: ref }]);
  assert.deepEqual(built.appraisal.failed[0]?.obs, [{ key: 'other.w', value: `${obs}@x` }]);

  const change = finding({ ruleId: 'config.drift', before, after });
  const { entry } = verified(t, (seq) =>
    buildFinding({ finding: change, about: ABOUT, openedSeq: seq, evidence: [], users: [FACTS, facts] }, REDACTION),
  );
  assert.doesNotMatch(Buffer.from(entry.message).toString(), /acme|evil/);
});

test('§9: the user inside a pool URL is a user, in claims and in findings', (t) => {
  const urls = ['stratum+tcp://acme.rig1@p:1', 'acme.rig1@p:1', 'stratum+tcp://x1:***@p:1', 'stratum+tcp://p:1/a@b'];
  const shown = [
    `stratum+tcp://pid:${pidOf(REDACTION, 'acme.rig1')}@p:1`,
    `pid:${pidOf(REDACTION, 'acme.rig1')}@p:1`,
    `stratum+tcp://pid:${pidOf(REDACTION, 'x1')}:***@p:1`,
    'stratum+tcp://p:1/a@b',
  ];
  const pools = urls.map((url, slot) => ({ slot, url, user: 'thief.x', priority: slot }));
  const { evidence } = attested(t, withFacts({ pools, live_pools: [{ url: urls[0] }] }), {
    secret: REDACTION.secret,
  });
  const claims = evidence.claims as { pools: { url: string }[]; live_pools: { url: string }[] };
  assert.deepEqual(
    [...claims.pools, ...claims.live_pools].map(({ url }) => url),
    [...shown, shown[0]],
  );
  for (const [index, before] of urls.entries()) {
    const change = finding({ ruleId: 'pool.url-changed', before, after: { url: before, nearest: { url: 'b://c:1' } } });
    const { statement } = verified(t, (seq) =>
      buildFinding({ finding: change, about: ABOUT, openedSeq: seq, evidence: [] }, REDACTION),
    );
    assert.ok(statement.kind === 'finding');
    assert.deepEqual(
      [statement.finding.before, statement.finding.after],
      [shown[index], { url: shown[index], nearest: { url: 'b://c:1' } }],
    );
  }
});

test('a user that contains another one is replaced as a whole', (t) => {
  const pools = ['acme', 'acme.rig0417'].map((user, slot) => ({ slot, url: 'p:1', user, priority: slot }));
  const facts = withFacts({ pools, 'config.other': [{ key: 'w', value: USER }] });
  const { evidence } = attested(t, facts, { secret: REDACTION.secret });
  const { config } = evidence.claims as { config: { other: unknown } };
  assert.deepEqual(config.other, [{ key: 'w', value: `pid:${pidOf(REDACTION, USER)}` }]);
});

test('a finding about anything else keeps its values where users are redacted', (t) => {
  const change = finding({ ruleId: 'pool.url-changed', before: 'stratum+tcp://a:1', after: 'stratum+tcp://b:1' });
  const { statement } = verified(t, (seq) =>
    buildFinding({ finding: change, about: ABOUT, openedSeq: seq, evidence: [] }, REDACTION),
  );
  assert.ok(statement.kind === 'finding');
  assert.equal(statement.finding.after, 'stratum+tcp://b:1');
});
