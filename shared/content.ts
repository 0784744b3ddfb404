import { hash } from 'node:crypto';
import { type Approval, appraise, assuranceOf, isOverclaimed, type Outcome } from './appraisal.ts';
import { fromBase64url } from './base64url.ts';
import type { EntryNote } from './entry-window.ts';
import { signingInput } from './envelope.ts';
import { canonicalJson } from './jcs.ts';
import { publicKeyOf, type TrustedKeys, thumbprint } from './keys.ts';
import type { DeviceState, LogState } from './log-state.ts';
import { factsHeld, itemsInForce, type ReferenceItem, sharingLists, weakerApproval } from './reference.ts';
import type {
  AttestationStatement,
  BaselineStatement,
  ChangeStatement,
  CoverageStatement,
  FindingStatement,
  KeyStatement,
  SessionStatement,
  Statement,
} from './statement.ts';
import { type Code, type Remark, VerificationError } from './verification.ts';
import { checkSignature, gatewayOf, readHeader, type VerifiedMessage, verifyDocument } from './verify.ts';

/** Step 14 of attestation.md §8: what the content of a statement cites exists, and what it concludes follows. */

/** What the checks of content may ask beside the state of the log. */
export interface ContentContext {
  readonly keys: TrustedKeys;
  /**
   * The entry of a log of the same gateway; `unseen` where it may exist but the verifier has not seen it or no longer
   * holds it, undefined where there is none.
   */
  readonly entry: (log: string, seq: number) => EntryNote | 'unseen' | undefined;
}

const remark = (code: Code, detail: string): Remark => ({ code, step: 14, detail });
const unchecked = (detail: string): Remark => remark('I_UNCHECKED', detail);

/** Checks the content by its kind. */
export const checkContent = (
  state: LogState,
  { statement, kid }: VerifiedMessage,
  context: ContentContext,
): readonly Remark[] => {
  switch (statement.kind) {
    case 'session':
      return [];
    case 'baseline':
      return checkBaseline(state, statement, context);
    case 'change':
      return checkChange(statement, context);
    case 'attestation':
      return [...checkReference(state, statement), ...checkAppraisal(statement)];
    case 'finding':
      return checkFinding(statement, context);
    case 'coverage':
      return checkCoverage(state, statement);
    case 'key':
      return checkKey(statement, kid, context);
  }
};

// ---- baseline, change

type Baseline = BaselineStatement['baseline'];

const checkBaseline = (state: LogState, statement: BaselineStatement, context: ContentContext): readonly Remark[] => {
  const { baseline } = statement;
  switch (baseline.action) {
    case 'learned':
    case 'accepted':
      return baseline.devices.flatMap((item) =>
        checkCited({ ...item, log: item.log ?? statement.log }, statement, context, 'E_BASELINE'),
      );
    case 'adopted':
      return checkAdopted(baseline, statement, context);
    case 'withdrawn':
      return checkWithdrawn(state, baseline.seq);
  }
};

/** A cited entry is an attestation of that device, earlier in this log or in a former one of the gateway. */
const checkCited = (
  cited: { readonly log: string; readonly seq: number; readonly device?: string | undefined },
  by: Statement,
  context: ContentContext,
  code: 'E_BASELINE' | 'E_FINDING',
): readonly Remark[] => {
  const name = `entry ${cited.seq} of ${cited.log}`;
  const isEarlier = cited.log === by.log ? cited.seq < by.seq : isFormer(cited.log, by.log);
  if (!isEarlier) return [remark(code, `${name} is not earlier than this one`)];
  const entry = context.entry(cited.log, cited.seq);
  if (entry === 'unseen') return [unchecked(`${name} was not seen`)];
  const isMeant = entry?.kind === 'attestation' && (cited.device === undefined || entry.about === cited.device);
  return isMeant ? [] : [remark(code, `${name} is no attestation of ${cited.device ?? 'a device'}`)];
};

/** True for an earlier log of the same gateway. */
export const isFormer = (log: string, than: string): boolean =>
  gatewayOf(log) === gatewayOf(than) && incarnationOf(log) < incarnationOf(than);

export const incarnationOf = (log: string): number => Number(log.slice(log.lastIndexOf('/') + 1));

/** A clock may be wrong by its time zone. */
const AHEAD_S = 86_400;

/** A log that begins so far from now is that of a clock that was wrong, or of somebody who has the key: no other has to be above it. */
export const isAheadOfTime = (log: string, nowMs: number): boolean => incarnationOf(log) > nowMs / 1000 + AHEAD_S;

const checkAdopted = (
  baseline: Baseline & { action: 'adopted' },
  statement: BaselineStatement,
  context: ContentContext,
): readonly Remark[] => {
  if (baseline.doc === undefined) return [remark('W_WITHHELD', `document ${baseline.ref_id} is not disclosed`)];
  const document = readApproved({ ...baseline, doc: baseline.doc }, context.keys);
  if (document instanceof VerificationError) return [remark('E_BASELINE', document.message)];
  if (document.kind !== 'reference' || document.ref_id !== baseline.ref_id || document.version !== baseline.version) {
    return [remark('E_BASELINE', `the document is not version ${baseline.version} of ${baseline.ref_id}`)];
  }
  return (document.entries ?? []).flatMap(({ device, log = statement.log, seq, leaf }) => {
    const remarks = checkCited({ log, device, seq }, statement, context, 'E_BASELINE');
    const entry = context.entry(log, seq);
    if (remarks.length > 0 || typeof entry !== 'object' || entry.leaf.toString('base64url') === leaf) return remarks;
    return [remark('E_BASELINE', `entry ${seq} is not the message that was approved`)];
  });
};

/** Steps 1 to 7 for a document inside a statement; what went wrong is a value here. */
const readApproved = (
  signed: { readonly doc: string; readonly sha256?: string | undefined; readonly sigs?: readonly string[] | undefined },
  keys: TrustedKeys,
): ReturnType<typeof verifyDocument> | VerificationError => {
  if (signed.sha256 !== hash('sha256', signed.doc, 'base64url')) {
    return new VerificationError('E_SCHEMA', 7, 'sha256 is not the digest of the document');
  }
  try {
    return verifyDocument(Buffer.from(signed.doc), { keys, signatures: signed.sigs });
  } catch (problem) {
    if (problem instanceof VerificationError) return problem;
    throw problem;
  }
};

const checkWithdrawn = (state: LogState, seq: number): readonly Remark[] => {
  if (isInForce(state, seq)) return [];
  if (seq < state.start) return [unchecked(`entry ${seq} was not seen`)];
  return [remark('E_BASELINE', `entry ${seq} is not in force`)];
};

const isInForce = (state: LogState, seq: number): boolean =>
  [...state.documents.values()].includes(seq) ||
  [...state.devices.values()].some(
    ({ items }) => items.some((item) => item.seq === seq) && itemsInForce(items).some((item) => item.seq === seq),
  );

const checkChange = ({ change }: ChangeStatement, context: ContentContext): readonly Remark[] => {
  if (change.doc !== undefined) {
    const document = readApproved({ ...change, doc: change.doc }, context.keys);
    if (document instanceof VerificationError) return [remark('E_BASELINE', document.message)];
    return document.kind === change.type ? [] : [remark('E_BASELINE', `the document is no ${change.type}`)];
  }
  if (change.sha256 !== undefined) return [remark('W_WITHHELD', `${change.type} ${change.id} is not disclosed`)];
  if (change.terms !== undefined && change.by !== undefined) return [];
  return [remark('E_BASELINE', `${change.type} ${change.id} has neither a document nor terms`)];
};

// ---- attestation

const checkReference = (state: LogState, { reference, subject, seq }: AttestationStatement): readonly Remark[] => {
  if (reference === undefined) return [];
  const items = itemsInForce(state.devices.get(subject.device)?.items ?? []);
  const documents = [...state.documents.values()];
  let weakest: Approval = 'signed';
  for (const cited of reference.seqs) {
    const item = items.find((each) => each.seq === cited);
    if (item === undefined && cited < state.start) return [unchecked(`baseline entry ${cited} was not seen`)];
    if (cited >= seq || (item === undefined && !documents.includes(cited))) {
      return [remark('E_REFERENCE', `baseline entry ${cited} is not in force for ${subject.device}`)];
    }
    weakest = weakerApproval(weakest, item?.approval ?? 'signed');
  }
  return weakest === reference.approval
    ? []
    : [remark('E_REFERENCE', `weakest approval is ${weakest}, not ${reference.approval}`)];
};

/** The conclusions of an attestation follow from its checks (§6). */
const checkAppraisal = ({ appraisal, evidence, reference }: AttestationStatement): readonly Remark[] => {
  const outcome: Outcome = {
    observed: evidence.claims !== undefined,
    ...(reference === undefined ? {} : { approval: reference.approval }),
    failed: appraisal.failed,
    notRun: appraisal.not_run,
    passed: appraisal.passed,
  };
  if (appraisal.ear_status === 'affirming') return [remark('E_OVERCLAIM', 'affirming below device-bound')];
  const supported = assuranceOf(outcome);
  if (isOverclaimed(appraisal.assurance, supported)) {
    return [remark('E_OVERCLAIM', `assurance ${appraisal.assurance}, the checks support ${supported}`)];
  }
  const expected = appraise(outcome);
  return (['conformance', 'ear_trustworthiness_vector', 'ear_status'] as const)
    .filter((member) => canonicalJson(appraisal[member]) !== canonicalJson(expected[member]))
    .map((member) => remark('E_APPRAISAL', `${member} should be ${canonicalJson(expected[member])}`));
};

// ---- finding, coverage, key

const checkFinding = (statement: FindingStatement, context: ContentContext): readonly Remark[] => {
  const { finding, log } = statement;
  const cited = finding.evidence.flatMap((seq) =>
    checkCited({ log, seq, device: finding.device }, statement, context, 'E_FINDING'),
  );
  return [...cited, ...checkOpened(statement, context)];
};

const checkOpened = ({ finding, log, seq }: FindingStatement, context: ContentContext): readonly Remark[] => {
  if (finding.opened_seq === seq) return [];
  const opened = finding.opened_seq < seq ? context.entry(log, finding.opened_seq) : undefined;
  if (opened === 'unseen') return [unchecked(`entry ${finding.opened_seq} was not seen`)];
  const isMeant = opened?.kind === 'finding' && opened.about === finding.id;
  return isMeant ? [] : [remark('E_FINDING', `entry ${finding.opened_seq} did not open ${finding.id}`)];
};

const MOST_MISSED = 256;

const checkCoverage = (state: LogState, { coverage }: CoverageStatement): readonly Remark[] => {
  const { expected, observed, unreachable, missed, scope } = coverage;
  if (expected !== observed + unreachable + missed) return [remark('E_COVERAGE', 'the counts do not add up')];
  if ((coverage.missed_devices?.length ?? 0) !== Math.min(missed, MOST_MISSED)) {
    return [remark('E_COVERAGE', 'missed_devices does not have the missed devices')];
  }
  if (stateDigest(state.devices, scope) === coverage.state_sha256) return [];
  return state.start > 0
    ? [unchecked('state_sha256 covers attestations that were not seen')]
    : [remark('E_COVERAGE', 'state_sha256 is not the digest of the current attestations')];
};

/** SHA-256 over the canonical list of device and leaf hash of its current attestation, sorted by device, b64u. */
const stateDigest = (devices: ReadonlyMap<string, DeviceState>, scope: string): string => {
  const tenant = scope === 'gateway' ? undefined : scope.slice('tenant:'.length);
  const pairs = [...devices]
    .filter(([, device]) => device.attested !== undefined && (tenant === undefined || device.tenant === tenant))
    .map(([name, device]) => [name, device.attested])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  return hash('sha256', canonicalJson(pairs), 'base64url');
};

/** The new key proves that it exists, and is trusted before it is accepted. */
const checkKey = ({ key, log, seq }: KeyStatement, kid: string, context: ContentContext): readonly Remark[] => {
  if (key.action === 'retire') return [];
  const next = thumbprint(key.next_jwk);
  const trusted = context.keys.get(next);
  if (trusted === undefined || trusted.role !== 'gateway')
    return [remark('E_KEY_UNKNOWN', `key ${next} is not trusted`)];
  const claims = canonicalJson({ kid_new: next, kid_old: kid, log, seq });
  const [header = '', payload = '', signature = ''] = key.pop.split('.');
  try {
    if (readHeader(header, 'miner-pop+jwt') !== next || payload !== Buffer.from(claims).toString('base64url')) {
      return [remark('E_SIGNATURE', 'the proof of possession is for something else')];
    }
    const bytes = fromBase64url(signature) ?? Buffer.alloc(0);
    checkSignature(signingInput(header, Buffer.from(claims)), bytes, { ...trusted, key: publicKeyOf(key.next_jwk) });
    return [];
  } catch (problem) {
    if (problem instanceof VerificationError) return [remark('E_SIGNATURE', problem.message)];
    throw problem;
  }
};

// ---- what an entry changes

/**
 * Takes up what the entry says about devices, references and keys. A quarantined entry is still the newest attestation
 * of its device; nothing else of its content is used.
 */
export const applyContent = (
  state: LogState,
  { statement, leaf, kid }: VerifiedMessage,
  context: ContentContext & { readonly quarantined: boolean },
): void => {
  if (statement.kind === 'attestation') {
    const device = deviceOf(state, statement.subject.device);
    device.attested = leaf.toString('base64url');
    device.tenant = statement.subject.labels?.tenant;
  }
  if (context.quarantined) return;
  if (statement.kind === 'session') applySession(state, statement);
  if (statement.kind === 'baseline') applyBaseline(state, statement, context);
  if (statement.kind === 'key') state.retiredKeys.set(kid, statement.seq);
};

/** The state of a device, to be changed. */
const deviceOf = (state: LogState, name: string): DeviceState => {
  state.touched.add(name);
  const known = state.devices.get(name);
  if (known !== undefined) return known;
  const device: DeviceState = { items: [] };
  state.devices.set(name, device);
  return device;
};

const applySession = (state: LogState, { session }: SessionStatement): void => {
  if (session.event !== 'start' && session.event !== 'reload') return;
  for (const name of session.removed ?? []) {
    if (!state.devices.has(name)) continue;
    const device = deviceOf(state, name);
    device.attested = undefined;
    // One that comes back under the name is learned anew: whoever approved it approves it again.
    device.items = [];
  }
};

const applyBaseline = (state: LogState, statement: BaselineStatement, context: ContentContext): void => {
  const { baseline, seq } = statement;
  switch (baseline.action) {
    case 'learned':
    case 'accepted': {
      const shared = sharingLists();
      for (const item of baseline.devices) {
        const entry = context.entry(item.log ?? statement.log, item.seq);
        const claimed = typeof entry === 'object' ? entry.facts : undefined;
        const held = factsHeld(item.facts, claimed);
        const device = deviceOf(state, item.device);
        device.items = bounded([...device.items, { seq, approval: baseline.approval, facts: held && shared(held) }]);
      }
      return;
    }
    case 'adopted':
      state.documents.set(baseline.ref_id, seq);
      return;
    case 'withdrawn':
      withdraw(state, baseline.seq);
  }
};

/** Far more than a device collects. Beyond it displaced items go, which a withdrawal would bring back, then the oldest. */
const MOST_ITEMS = 64;

const bounded = (items: readonly ReferenceItem[]): readonly ReferenceItem[] =>
  items.length <= MOST_ITEMS
    ? items
    : itemsInForce(items)
        .toSorted((one, other) => one.seq - other.seq)
        .slice(-MOST_ITEMS);

const withdraw = (state: LogState, seq: number): void => {
  for (const [id, adopted] of state.documents) if (adopted === seq) state.documents.delete(id);
  for (const [name, { items }] of state.devices) {
    if (items.some((item) => item.seq === seq)) deviceOf(state, name).items = items.filter((item) => item.seq !== seq);
  }
};
