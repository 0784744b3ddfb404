import { hash } from 'node:crypto';
import {
  type AttestationContent,
  appraise,
  type CommonMembers,
  type Content,
  EAT_PROFILE,
  type FindingContent,
  leafHash,
  NO_PREVIOUS,
  type SessionContent,
  type Signer,
  signMessage,
  toBase64url,
} from '../../shared/index.ts';
import { gateway } from './vectors.ts';

/** A log as a gateway would write it: numbers, dates, chains and signs what it is given. */
export class Writing {
  readonly messages: Buffer[] = [];
  /** Members of the entries to come. */
  next: { -readonly [Name in keyof CommonMembers]: CommonMembers[Name] };
  signer: Signer = gateway;

  constructor(log = 'example.org/gw-test/1') {
    this.next = {
      eat_profile: EAT_PROFILE,
      log,
      seq: 0,
      prev: NO_PREVIOUS,
      iat: 1795339200,
      mono_ms: 0,
      bootcount: 1,
      bootseed: 'AAECAwQFBgcICQoLDA0ODw',
      clock: { state: 'synced', src: 'ntp' },
    };
  }

  /** Signs the next entry, one second after the one before. */
  write(content: Content, common: Partial<CommonMembers> = {}): Buffer {
    const message = signMessage({ ...content, ...this.next, ...common }, 'miner-att+jwt', this.signer);
    this.messages.push(message);
    this.next = {
      ...this.next,
      seq: this.next.seq + 1,
      prev: toBase64url(leafHash(message)),
      iat: this.next.iat + 1,
      mono_ms: this.next.mono_ms + 1000,
    };
    return message;
  }

  /** b64u leaf hash of an entry written. */
  leaf(seq: number): string {
    return toBase64url(leafHash(this.messages[seq] ?? Buffer.alloc(0)));
  }
}

export const start = (members: object = { prior: null }): SessionContent => ({
  kind: 'session',
  session: {
    event: 'start',
    agent: { name: 'assayer', version: '0.1.0' },
    config_sha256: NO_PREVIOUS,
    host: { os: 'linux', kernel: '6.12.0', arch: 'x64' },
    key_protection: 'file',
    ...members,
  },
});

export const stop: SessionContent = { kind: 'session', session: { event: 'stop' } };

export const attestation = (device: string, members: Partial<AttestationContent> = {}): AttestationContent => ({
  kind: 'attestation',
  subject: { device },
  evidence: {
    address: '192.0.2.7',
    claims: { family: 'axeos', firmware: { version: '2.9.0' }, telemetry: { power_w: 15 } },
    observed_at: 1795339200,
    raw: [],
    readings: {},
    trigger: 'first',
  },
  appraisal: {
    ...appraise({
      observed: true,
      ...(members.reference === undefined ? {} : { approval: members.reference.approval }),
      failed: [],
      notRun: [],
      passed: {},
    }),
    failed: [],
    not_run: [],
    passed: {},
  },
  ...members,
});

export const learned = (device: string, seq: number, members: object = {}): Content => ({
  kind: 'baseline',
  baseline: { action: 'learned', approval: 'none', devices: [{ device, seq, ...members }] },
});

export const accepted = (device: string, seq: number, members: object = {}): Content => ({
  kind: 'baseline',
  baseline: { action: 'accepted', approval: 'local', by: 'ada', devices: [{ device, seq, ...members }] },
});

export const finding = (members: Partial<FindingContent['finding']>): FindingContent => ({
  kind: 'finding',
  finding: {
    id: 'pool.url-changed',
    opened_seq: 0,
    state: 'open',
    severity: 'high',
    severity_base: 'high',
    basis: 'self-reported',
    rule_version: 1,
    device: 'rig-7',
    first_observed_at: 1795339200,
    evidence: [],
    surfaces: ['4028 pools'],
    ...members,
  },
});

/** `state_sha256` of pairs of device and leaf, as anyone would compute it. */
export const stateOf = (pairs: readonly (readonly [string, string])[]): string =>
  hash('sha256', JSON.stringify(pairs), 'base64url');
