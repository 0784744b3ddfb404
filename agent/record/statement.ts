import { hash } from 'node:crypto';
import { appraise } from '../../shared/appraisal.ts';
import type { FactName, Facts } from '../../shared/facts.ts';
import type {
  AttestationContent,
  BaselineContent,
  ChangeContent,
  CoverageContent,
  FindingContent,
} from '../../shared/statement.ts';
import { termsId } from '../../shared/terms.ts';
import { type Checks, type Finding, noteOf, type Trigger } from '../appraise/finding.ts';
import { nestFacts } from '../normalise/nest.ts';
import type { Observation } from '../normalise/observation.ts';
import type { Coverage } from './coverage.ts';
import type { Built, CitedReply, Disclosure, KeptReply } from './entry.ts';
import { claimValue, fitAttestation, fitFinding, shortText, wireValue } from './fit.ts';
import type { Order } from './orders.ts';
import {
  memberOf,
  named,
  pidOf,
  type Redaction,
  type Redactor,
  redactorOf,
  speaksOfUsers,
  withoutUser,
  withoutUsers,
} from './redaction.ts';

/** Our values as members of the wire. Nowhere else do facts, checks and findings get their published names. */

/** The device a statement is about. `formerly`: its id before it was renamed. */
export interface Subject {
  readonly device: string;
  readonly labels: { readonly [name: string]: string };
  readonly formerly?: string;
}

/** `seq` of the `baseline` entries in force, and the weakest approval among them. */
export interface ReferenceFacts {
  readonly approval: 'none' | 'local' | 'signed';
  readonly seqs: readonly number[];
}

/** What an attestation rests on. */
export interface AttestationFacts {
  readonly subject: Subject;
  /** The address that was asked. */
  readonly address: string;
  readonly look:
    | { readonly kind: 'observed'; readonly observation: Observation; readonly replies: readonly KeptReply[] }
    | { readonly kind: 'unreachable'; readonly atMs: number };
  readonly trigger: Trigger;
  readonly checks: Checks;
  readonly reference?: ReferenceFacts;
  /** Where else users of the device stand, if they are redacted. */
  readonly users?: readonly unknown[];
}

/** One device, one look, one appraisal. */
export const buildAttestation = (facts: AttestationFacts, redaction?: Redaction): Built<AttestationContent> => {
  const { look, checks } = facts;
  const redactor = redaction === undefined ? undefined : redactorOf(redaction, attestedUsers(facts));
  const disclosures: Disclosure[] = [];
  const replies = look.kind === 'observed' ? look.replies.map(cite) : [];
  const content: AttestationContent = {
    kind: 'attestation',
    subject: subjectOf(facts.subject),
    evidence: {
      address: facts.address,
      ...(look.kind === 'observed'
        ? observedMembers(look.observation, redactor, disclosures)
        : { observed_at: seconds(look.atMs), readings: {} }),
      raw: look.kind === 'observed' ? rawOf(look.replies, replies) : [],
      trigger: facts.trigger,
    },
    ...(facts.reference === undefined ? {} : { reference: referenceOf(facts.reference) }),
    appraisal: {
      ...appraise({
        observed: look.kind === 'observed',
        failed: checks.failed,
        notRun: checks.notRun,
        passed: checks.passed,
        ...(facts.reference === undefined ? {} : { approval: facts.reference.approval }),
      }),
      failed: checks.failed.map((check) => failedOf(check, redactor)),
      not_run: checks.notRun.map(({ id, reason }) => ({ id, reason })),
      passed: Object.fromEntries(Object.entries(checks.passed).map(([basis, ids]) => [basis, [...ids]])),
    },
  };
  return { content: fitAttestation(content), replies, disclosures };
};

/** All that may hold a user that this attestation mentions. */
const attestedUsers = ({ look, checks, users = [] }: AttestationFacts): readonly unknown[] => [
  ...users,
  ...(look.kind === 'observed' ? [look.observation.facts] : []),
  ...checks.failed.flatMap(({ id, obs, ref }) => [named(id, obs), named(id, ref)]),
];

/** What a finding statement rests on, beside the finding. */
export interface FindingFacts {
  readonly finding: Finding;
  readonly about: Subject | { readonly devices: readonly string[]; readonly count: number };
  /** `seq` of this entry where it opens the finding, else of the one that did. */
  readonly openedSeq: number;
  /** `seq` of the attestations that show it. */
  readonly evidence: readonly number[];
  /** The replies that showed it, where no attestation does because it was never confirmed. */
  readonly replies?: readonly KeptReply[];
  readonly reference?: ReferenceFacts;
  /** Where else users of the devices stand, if they are redacted. */
  readonly users?: readonly unknown[];
}

/** One transition of one finding; of a device, or of many as the parent of a storm. A provisional one is never stated. */
export const buildFinding = (facts: FindingFacts, redaction?: Redaction): Built<FindingContent> => {
  const { finding, about, replies: kept = [], users = [] } = facts;
  if (finding.state === 'provisional') throw new Error(`${finding.ruleId}: a provisional finding is not stated`);
  const replies = kept.map(cite);
  const { ruleId, before, after, lastSeen } = finding;
  const redactor =
    redaction === undefined
      ? undefined
      : redactorOf(redaction, [...users, ...[before, after, lastSeen].map((value) => named(ruleId, value))]);
  const content: FindingContent = {
    kind: 'finding',
    finding: {
      id: ruleId,
      opened_seq: facts.openedSeq,
      state: finding.state,
      severity: finding.severity,
      severity_base: finding.severityBase,
      basis: finding.basis,
      rule_version: finding.ruleVersion,
      ...('device' in about
        ? { device: about.device, ...labelsOf(about) }
        : { devices: about.devices.slice(0, MOST_DEVICES), count: about.count }),
      ...valueMembers('before', before, ruleId, redactor),
      ...valueMembers('after', after, ruleId, redactor),
      ...valueMembers('last_seen', lastSeen, ruleId, redactor),
      first_observed_at: finding.firstObservedAt,
      evidence: [...facts.evidence],
      surfaces: [...finding.surfaces],
      ...given({
        part: finding.part === undefined ? undefined : shortText(finding.part, 256),
        reasons: reasonsOf(finding)?.map((reason) => shortText(reason, 256)),
        before_at: finding.beforeAt,
        after_at: finding.afterAt,
        confirmed_at: finding.confirmedAt,
        resolved_at: finding.resolvedAt,
        not_observed: finding.notObserved === undefined ? undefined : [...finding.notObserved],
        raw: replies.length === 0 ? undefined : rawOf(kept, replies),
        reference: facts.reference === undefined ? undefined : referenceOf(facts.reference),
        plan: finding.plan,
        waiver: finding.waiver,
        parent: finding.parent,
        by: finding.by,
        flapping: finding.flapping,
      }),
    },
  };
  return { content: fitFinding(content), replies, disclosures: [] };
};

/** Those of the rule, then what the person said whom it names. */
const reasonsOf = (finding: Finding): readonly string[] | undefined => {
  const note = noteOf(finding);
  return note === undefined ? finding.reasons : [...(finding.reasons ?? []), note];
};

/** One device of a `baseline` entry: the claims of attestation `seq` are adopted, or only `facts` of them. */
export interface Citation {
  readonly device: string;
  readonly seq: number;
  readonly facts?: readonly FactName[] | undefined;
}

/** Most devices in one `baseline` entry. */
const MOST_DEVICES = 256;

/** Nobody looked: what was seen first holds. As many entries as the devices need. */
export const buildBaselineLearned = (citations: readonly Citation[]): readonly Built<BaselineContent>[] =>
  pages(citations).map((page) =>
    plain({ kind: 'baseline', baseline: { action: 'learned', approval: 'none', devices: page } }),
  );

/** A person at the gateway, `by`, looked and accepted what one page (`pages`) cites. */
export const buildBaselineAccepted = (
  page: readonly Citation[],
  person: { readonly by: string; readonly note?: string },
): Built<BaselineContent> =>
  plain({
    kind: 'baseline',
    baseline: { action: 'accepted', approval: 'local', ...person, devices: page.map(itemOf) },
  });

/** A document came into force: reference values, or a plan or waiver. `withheld`: it names what is published as digests only. */
export const buildAdopted = (order: Omit<Order, 'seq'>, withheld: boolean): Built<BaselineContent | ChangeContent> => {
  const { terms } = order;
  if (terms.kind !== 'reference') return buildChange(order, 'adopted', withheld);
  const { ref_id, version } = terms;
  return plain({
    kind: 'baseline',
    baseline: { action: 'adopted', approval: 'signed', ref_id, version, ...signedMembers(order, withheld) },
  });
};

/** A plan or waiver came into force or left it. Every such entry holds what it speaks of. */
export const buildChange = (
  order: Omit<Order, 'seq'>,
  action: ChangeContent['change']['action'],
  withheld: boolean,
): Built<ChangeContent> => {
  const { terms, doc, by } = order;
  if (terms.kind === 'reference') throw new Error('reference values are no change');
  const said =
    doc !== undefined || withheld
      ? signedMembers(order, withheld)
      : { by: by.join(', '), terms: terms as { readonly [name: string]: unknown } };
  return plain({ kind: 'change', change: { action, type: terms.kind, id: termsId(terms), ...said } });
};

const signedMembers = ({ doc, sigs, sha256 }: Omit<Order, 'seq'>, withheld: boolean) => ({
  sha256,
  ...(withheld || doc === undefined ? {} : { doc, ...(sigs === undefined ? {} : { sigs: [...sigs] }) }),
});

/** What entry `seq` brought into force holds no longer. Without `by` it was withdrawn before, in a log that the store lost. */
export const buildWithdrawn = (seq: number, by: string | undefined): Built<BaselineContent> =>
  plain({ kind: 'baseline', baseline: { action: 'withdrawn', seq, ...given({ by }) } });

/** What was looked at in a period, and the state that this affirms. */
export const buildCoverage = (coverage: Coverage): Built<CoverageContent> =>
  plain({
    kind: 'coverage',
    coverage: {
      from_at: coverage.fromAt,
      to_at: coverage.toAt,
      scope: coverage.scope,
      expected: coverage.expected,
      observed: coverage.observed,
      unreachable: coverage.unreachable,
      missed: coverage.missed.length,
      ...(coverage.missed.length === 0 ? {} : { missed_devices: coverage.missed.slice(0, MOST_DEVICES) }),
      polls: Object.fromEntries(coverage.polls),
      state_sha256: coverage.stateSha256,
    },
  });

const plain = <Of extends BaselineContent | ChangeContent | CoverageContent>(content: Of): Built<Of> => ({
  content,
  replies: [],
  disclosures: [],
});

/** A page holds at most 256 items, fewer where many of them are limited to some facts; those of a device stay together. */
export const pages = (citations: readonly Citation[]): readonly CitationItem[][] => {
  const made: CitationItem[][] = [];
  let bytes = 0;
  for (const items of Map.groupBy(citations.map(itemOf), ({ device }) => device).values()) {
    const size = JSON.stringify(items).length;
    const page = made.at(-1);
    if (page === undefined || page.length + items.length > MOST_DEVICES || bytes + size > MOST_PAGE_BYTES) {
      made.push([...items]);
      bytes = size;
    } else {
      page.push(...items);
      bytes += size;
    }
  }
  return made;
};

const itemOf = ({ device, seq, facts }: Citation): CitationItem =>
  facts === undefined ? { device, seq } : { device, seq, facts: [...facts] };

interface CitationItem {
  device: string;
  seq: number;
  facts?: FactName[];
}

const MOST_PAGE_BYTES = 24_000;

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The members that are there. */
const given = <T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } =>
  // What is undefined is filtered out, so nothing of that type is left.
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };

const labelsOf = ({ labels }: Subject): { labels?: { [name: string]: string } } =>
  Object.keys(labels).length === 0 ? {} : { labels: { ...labels } };

const subjectOf = (subject: Subject): AttestationContent['subject'] => ({
  device: subject.device,
  ...labelsOf(subject),
  ...given({ formerly: subject.formerly }),
});

const referenceOf = ({ approval, seqs }: ReferenceFacts) => ({ approval, seqs: [...seqs] });

const cite = ({ query, bytes }: KeptReply): CitedReply => ({ query, bytes, sha256: hash('sha256', bytes, 'buffer') });

const rawOf = (kept: readonly KeptReply[], cited: readonly CitedReply[]): AttestationContent['evidence']['raw'] =>
  cited.map(({ query, bytes, sha256 }, index) => {
    const repairs = kept[index]?.repairs ?? [];
    return {
      query,
      bytes: bytes.length,
      sha256: Buffer.from(sha256).toString('base64url'),
      ...(repairs.length === 0 ? {} : { repairs: [...repairs] }),
    };
  });

const observedMembers = (observation: Observation, redactor: Redactor | undefined, disclosures: Disclosure[]) => {
  const unfit = new Set(observation.sanitized);
  const stated = statedFacts(observation.facts, unfit);
  const claims = nestFacts(redactor === undefined ? stated : redactedFacts(stated, redactor, disclosures));
  return {
    claims,
    observed_at: seconds(observation.observedAtMs),
    readings: Object.fromEntries(
      [...observation.gaps].map(([fact, gap]) => [fact, gap === 'absent' ? 'absent' : `unknown: ${gap}`]),
    ),
    ...(unfit.size === 0 ? {} : { sanitized: [...unfit].sort() }),
  };
};

/** The facts that have a form on the wire. What is left out or cut is named in `unfit`. */
const statedFacts = (facts: Facts, unfit: Set<string>): Facts => {
  const stated = Object.entries(facts).map(([fact, value]) => [fact, claimValue(value, () => unfit.add(fact))]);
  // Each value is what it was, or shorter; the names are the same.
  return Object.fromEntries(stated.filter(([, value]) => value !== undefined)) as Facts;
};

/** The family is a word of ours, which a user may happen to have for a name. */
const redactedFacts = (
  { family, pools, live_pools, ...others }: Facts,
  redactor: Redactor,
  disclosures: Disclosure[],
) => ({
  ...(withoutUsers(others, redactor) as Facts),
  ...given({
    family,
    pools: pools?.map((pool) => withoutUser(pool, redactor, disclosures)),
    live_pools: live_pools?.map((pool) => withoutUser(pool, redactor, disclosures)),
  }),
});

type Failed = AttestationContent['appraisal']['failed'][number];

const failedOf = (check: Checks['failed'][number], redactor: Redactor | undefined): Failed => ({
  id: check.id,
  basis: check.basis,
  severity: check.severity,
  ...given({ part: check.part === undefined ? undefined : shortText(check.part, 256) }),
  ...valueMembers('obs', check.obs, check.id, redactor),
  ...valueMembers('ref', check.ref, check.id, redactor),
});

type WireValue = NonNullable<Failed['obs']>;

/** `{<name>}` with the value as it goes out, `{<name>_pid}` where it is redacted, nothing where there is none. */
const valueMembers = <Name extends 'before' | 'after' | 'last_seen' | 'obs' | 'ref'>(
  name: Name,
  value: unknown,
  ruleId: string,
  redactor: Redactor | undefined,
): { [Member in Name]?: WireValue } & { [Member in `${Name}_pid`]?: string } => {
  // The computed names are the ones of the type; the compiler widens them to text.
  type Members = { [Member in Name]?: WireValue } & { [Member in `${Name}_pid`]?: string };
  if (value === undefined) return {} as Members;
  if (redactor === undefined) return { [name]: wireValue(value) } as Members;
  if (speaksOfUsers(ruleId) && typeof value !== 'object')
    return { [`${name}_pid`]: pidOf(redactor, wireValue(value)) } as Members;
  // What is cut short could not be recognised any more.
  return { [name]: wireValue(withoutUsers(value, redactor, memberOf(ruleId))) } as Members;
};
