import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Finding } from '../../agent/appraise/finding.ts';
import { createKey, loadKey } from '../../agent/platform/keys.ts';
import { Log, type LogOptions } from '../../agent/record/log.ts';
import type { StartFacts } from '../../agent/record/session.ts';
import { buildAttestation, buildCoverage } from '../../agent/record/statement.ts';
import { Store } from '../../agent/record/store.ts';

/** A folder of its own that ends with the test. */
export const tempDir = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'assayer-record-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

export const START: StartFacts = {
  agent: { name: 'assayer', version: '0.1.0' },
  configSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  host: { os: 'Debian GNU/Linux 13', kernel: '6.12.0', arch: 'x64' },
  keyProtection: 'file',
};

/** Two clocks that a test turns. */
export class TestClock {
  wall: number;
  mono = 0;

  constructor(wall = 1_795_339_200_000) {
    this.wall = wall;
  }

  readonly wallMs = (): number => this.wall;
  readonly monoMs = (): number => this.mono;

  /** Time passes on both. */
  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }
}

export const logOptions = (
  store: Store,
  dir: string,
  clock: TestClock,
  changes: Partial<LogOptions> = {},
): LogOptions => ({
  store,
  signer: loadKey(dir).signer,
  clock,
  clockState: () => ({ state: 'synced', src: 'ntp', err_ms: 4, sync_age_s: 31 }),
  operator: 'example.org',
  gateway: 'tx1-gw3',
  start: START,
  ...changes,
});

/** A gateway with a key, an open store and a log that has just started. */
export const openGateway = (t: TestContext, clock = new TestClock()) => {
  const dir = tempDir(t);
  const { jwk } = createKey(dir);
  const store = Store.open(dir);
  t.after(() => store[Symbol.dispose]());
  return { dir, jwk, store, clock, log: Log.open(logOptions(store, dir, clock)) };
};

/** Ends the process's hold on a store and starts the next run of the agent. */
export const restart = (t: TestContext, dir: string, clock = new TestClock(), changes: Partial<LogOptions> = {}) => {
  const store = Store.open(dir);
  t.after(() => store[Symbol.dispose]());
  return { store, log: Log.open(logOptions(store, dir, clock, changes)) };
};

/** Takes a closed store back to version 6. */
export const VERSION_6 = `
  DROP TABLE storms;
  DROP TABLE storm_members;
  DROP INDEX entries_held;
  ALTER TABLE entries DROP COLUMN ran_s;
  ALTER TABLE findings DROP COLUMN ran_s;
  CREATE INDEX entries_held ON entries (seq, iat) WHERE message IS NOT NULL;
  DROP TABLE departures;
  PRAGMA user_version = 6;
`;

/** Some statement that rests on nothing else. */
export const anyStatement = (expected = 1) =>
  buildCoverage({
    fromAt: 1_795_339_200,
    toAt: 1_795_340_100,
    scope: 'gateway',
    expected,
    observed: expected,
    unreachable: 0,
    missed: [],
    polls: new Map([['pools', { due: 15, ok: 15 }]]),
    stateSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  });

/** A confirmed finding. */
export const finding: Finding = {
  ruleId: 'pool.url-changed',
  state: 'open',
  severity: 'high',
  severityBase: 'high',
  basis: 'self-reported',
  ruleVersion: 1,
  firstObservedAt: 1,
  confirmedAt: 2,
  surfaces: [],
};

/** That a device is unreachable: the least that can be attested. */
export const attestation = (device: string, labels: { readonly [name: string]: string } = {}) =>
  buildAttestation({
    subject: { device, labels },
    address: '10.20.14.7',
    look: { kind: 'unreachable', atMs: 0 },
    trigger: 'unreachable',
    checks: { failed: [], notRun: [], passed: {} },
  });
