import {
  type AttestationStatement,
  type FindingStatement,
  isError,
  type Statement,
  type Verdict,
} from '../../shared/index.ts';

/** A device as its newest verified attestation shows it. */
export interface SeenDevice {
  readonly name: string;
  readonly family: string;
  readonly model: string;
  readonly firmware: string;
  /** User of the first pool slot. */
  readonly account: string;
  readonly conformance: AttestationStatement['appraisal']['conformance'];
}

/** The newest verified statement about a finding. */
export interface SeenFinding {
  readonly finding: FindingStatement['finding'];
  /** When the statement that opened it was verified, Unix milliseconds. */
  readonly verifiedAtMs: number;
}

/** Problems that are kept one by one. */
const MOST_PROBLEMS = 20;

/** What a collector knows after the messages so far: only of statements that verified and are in their place. */
export class Ledger {
  readonly devices = new Map<string, SeenDevice>();
  /** Devices with a baseline. */
  readonly learned = new Set<string>();
  /** By the entry that opened them, oldest first. */
  readonly findings = new Map<number, SeenFinding>();
  /** Verified entries, each in its place in the chain. */
  entries = 0;
  /** Messages that were the same bytes again, under another topic. */
  mirrors = 0;
  /** Messages above a gap. */
  waiting = 0;
  /** Messages that failed a check. */
  refused = 0;
  readonly problems: string[] = [];
  clock: Statement['clock']['state'] | undefined;
  /** The log ended in good order. */
  stopped = false;

  /** Takes verdicts of the verifier; returns the statements that may be used from now on. */
  take(verdicts: readonly Verdict[], nowMs: number): readonly Statement[] {
    return verdicts.flatMap((verdict) => {
      this.#count(verdict);
      if (verdict.status !== 'chained' || verdict.statement === undefined) return [];
      this.#learn(verdict.statement, nowMs);
      return [verdict.statement];
    });
  }

  #count({ status, remarks }: Verdict): void {
    if (status === 'chained') this.entries += 1;
    if (status === 'duplicate') this.mirrors += 1;
    if (status === 'unchained') this.waiting += 1;
    if (status === 'refused' || status === 'quarantined') this.refused += 1;
    for (const remark of remarks) {
      if (!isError(remark) && remark.code !== 'W_GAP') continue;
      if (this.problems.length < MOST_PROBLEMS)
        this.problems.push(`${remark.code} (step ${remark.step}): ${remark.detail}`);
    }
  }

  #learn(statement: Statement, nowMs: number): void {
    this.clock = statement.clock.state;
    switch (statement.kind) {
      case 'attestation':
        this.devices.set(statement.subject.device, deviceOf(statement, this.devices.get(statement.subject.device)));
        break;
      case 'baseline':
        if ('devices' in statement.baseline)
          for (const { device } of statement.baseline.devices) this.learned.add(device);
        break;
      case 'finding': {
        const { finding } = statement;
        const { verifiedAtMs = nowMs } = this.findings.get(finding.opened_seq) ?? {};
        this.findings.set(finding.opened_seq, { finding, verifiedAtMs });
        break;
      }
      case 'session':
        this.stopped = statement.session.event === 'stop';
        break;
    }
  }
}

/** What the demo shows of claims; the schema of a statement has checked their types. */
interface Claims {
  readonly family?: string;
  readonly identity?: { readonly model?: string };
  readonly firmware?: { readonly version?: string; readonly build?: string };
  readonly pools?: readonly { readonly user?: string }[];
}

/** A device that could not be reached keeps what it said before. */
const deviceOf = (
  { subject, evidence, appraisal }: AttestationStatement,
  before: SeenDevice | undefined,
): SeenDevice => {
  const claims = evidence.claims as Claims | undefined;
  return {
    name: subject.device,
    family: claims?.family ?? before?.family ?? '',
    model: claims?.identity?.model ?? before?.model ?? '',
    firmware: claims?.firmware?.version ?? claims?.firmware?.build ?? before?.firmware ?? '',
    account: claims?.pools?.[0]?.user ?? before?.account ?? '',
    conformance: appraisal.conformance,
  };
};
