import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { Attested, CoveragePeriod } from '../../agent/record/coverage.ts';
import {
  type AttestationFacts,
  buildAttestation,
  buildBaselineAccepted,
  buildBaselineLearned,
  buildCoverage,
  buildFinding,
} from '../../agent/record/statement.ts';
import { parseTrustedKeys } from '../../shared/keys.ts';
import { LogVerifier } from '../../shared/log-verifier.ts';
import { openGateway, restart, TestClock } from './gateway.ts';

const look = (url: string, changes: Partial<AttestationFacts>): AttestationFacts => ({
  subject: { device: 'rig-1', labels: {} },
  address: '10.20.14.7',
  look: {
    kind: 'observed',
    observation: {
      family: 'antminer-stock',
      address: '10.20.14.7',
      look: 'full',
      observedAtMs: 1_795_339_200_000,
      facts: { family: 'antminer-stock', pools: [{ slot: 0, url, user: 'acme.rig0417', priority: 0 }] },
      gaps: new Map(),
      standIns: new Map(),
      sanitized: [],
    },
    replies: [],
  },
  trigger: 'first',
  checks: { failed: [], notRun: [], passed: { 'self-reported': ['pool.url-changed'] } },
  ...changes,
});

const STOLEN: Finding = {
  ruleId: 'pool.url-changed',
  part: 'slot 0',
  state: 'open',
  severity: 'high',
  severityBase: 'high',
  basis: 'self-reported',
  ruleVersion: 1,
  before: 'stratum+tcp://pool.example:3333',
  after: 'stratum+tcp://thief.example:3333',
  firstObservedAt: 1_795_339_260,
  confirmedAt: 1_795_339_270,
  surfaces: ['pools'],
};

const redactions = [undefined, { secret: Buffer.alloc(32, 1) }];

for (const redaction of redactions) {
  test(`a day of a gateway${redaction === undefined ? '' : ' that redacts users'} passes every step of a verifier`, (t) => {
    const { dir, jwk, log, clock, store } = openGateway(t);
    const attested = new Attested();
    const coverage = (device: string) => {
      const period = new CoveragePeriod(Math.floor(clock.wall / 1000));
      period.observed(device);
      period.polled('pools', true);
      clock.pass(900_000);
      const toAt = Math.floor(clock.wall / 1000);
      return buildCoverage(period.close({ toAt, scope: 'gateway', expected: new Set([device]), attested }));
    };
    log.transaction((tx) => tx.append(buildAttestation(look('stratum+tcp://pool.example:3333', {}), redaction)));
    clock.pass(2000);
    log.transaction((tx) => {
      for (const built of buildBaselineLearned([{ device: 'rig-1', seq: 1 }])) tx.append(built);
      tx.append(buildBaselineAccepted([{ device: 'rig-1', seq: 1 }], { by: 'jo' }));
    });
    clock.pass(60_000);
    clock.wall += 10_000;
    const failed = [{ id: 'pool.url-changed', part: 'slot 0', basis: 'self-reported', severity: 'high' }] as const;
    const [step, change] = log.transaction((tx) => {
      const reference = { approval: 'local', seqs: [3] } as const;
      const checks = { failed, notRun: [], passed: {} };
      const seq = tx.append(
        buildAttestation(look('stratum+tcp://thief.example:3333', { trigger: 'change', reference, checks }), redaction),
      );
      const about = { device: 'rig-1', labels: {} };
      tx.append(buildFinding({ finding: STOLEN, about, openedSeq: tx.next(), evidence: [seq], reference }, redaction));
    });
    assert.equal(step?.kind, 'session');
    assert.ok(change !== undefined);
    attested.set('rig-1', { leaf: change.leaf, unreachable: false });
    log.transaction((tx) => tx.append(coverage('rig-1')));
    store[Symbol.dispose]();
    const next = restart(t, dir, new TestClock(clock.wall + 30_000));

    const verifier = new LogVerifier({ keys: parseTrustedKeys(jwk), start: 'zero' });
    const verdicts = next.store
      .entriesFrom(0, 100)
      .flatMap(({ message }) =>
        verifier.accept(message, { topic: 'attest/v1/tx1-gw3/log', nowMs: clock.wall + 60_000 }),
      );
    assert.deepEqual(
      verdicts.map(({ statement, status, remarks }) => [
        statement?.kind,
        status,
        ...remarks.map(({ detail }) => detail),
      ]),
      [
        ['session', 'chained'],
        ['attestation', 'chained'],
        ['baseline', 'chained'],
        ['baseline', 'chained'],
        ['session', 'chained'],
        ['attestation', 'chained'],
        ['finding', 'chained'],
        ['coverage', 'chained'],
        ['session', 'chained'],
      ],
    );
  });
}
