import { FACTS, type FactName, type Facts, type UnknownReason } from '../../shared/facts.ts';
import type { Approved } from '../baseline/approved.ts';
import { changedFacts, comparedFacts, newFacts } from '../baseline/compared.ts';
import { type KeptFacts, keepFacts, keptFacts, NO_FACTS } from '../baseline/kept.ts';
import { citedReference, isCommissioned } from '../baseline/reference.ts';
import { heldBy, plansFor, type Standing, waiverFor } from '../baseline/standing.ts';
import type { Observation } from '../normalise/observation.ts';
import { type Advanced, advance, type Drafting } from './advance.ts';
import { approvedOf, circumstancesOf, describe } from './approval.ts';
import { checksOf } from './checks.ts';
import type { Approval, Attested, DeviceState, Reference } from './device.ts';
import type { Checks, Finding, Trigger } from './finding.ts';
import type { FirmwarePolicy } from './firmware-policy.ts';
import { isAboutPolicy } from './index.ts';
import { isStopNew, lastingOutcomes } from './lasting.ts';
import { confirmingAtMs, nextAtMs } from './next-look.ts';
import { type Outcome, type Ran, runComparisons } from './outcome.ts';
import { believable } from './placeholder.ts';
import { underPlans } from './planned.ts';
import type { Provenance } from './provenance.ts';
import type { AllowList, Deviation, Nameplate, RuleContext, RuleEntry } from './rule.ts';
import { addressMoved, identityAddressMoved } from './rules/identity-address-moved.ts';
import { identityDeviceMissing, isLongSilent } from './rules/identity-device-missing.ts';
import { duplicatesSeen, identityDuplicate, type Twin } from './rules/identity-duplicate.ts';
import { identityNewDevice, newDeviceSeen, QUARANTINE_MS } from './rules/identity-new-device.ts';
import { poolShareGap, shareGap, tellsShares } from './rules/pool-share-gap.ts';
import {
  hasRebooted,
  rebootsSeen,
  recentReboots,
  runtimeRebootUnexpected,
  sampleUptime,
} from './rules/runtime-reboot-unexpected.ts';
import {
  changedWhileDark,
  DARK_MS,
  speaksOfReturn,
  visibilityChangedWhileDark,
} from './rules/visibility-changed-while-dark.ts';
import {
  type Answered,
  coverageLost,
  speaksOfFirmware,
  usuallyClosed,
  visibilityCoverageReduced,
} from './rules/visibility-coverage-reduced.ts';
import { DARK_POLLS, darkSeen, isDark, visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { isStale, noteRunning, withoutStale } from './running.ts';
import { clearSettled, isSettled, settle, touch } from './settled.ts';
import { comparable } from './stand-ins.ts';
import type { Tenancy } from './tenancy.ts';
import { end, isUndecided, quietAtMs, seconds, worst } from './track.ts';

/** What one attempt to look at a device gave. */
export type Look =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | { readonly kind: 'unreachable'; readonly atMs: number; readonly reason: Exclude<UnknownReason, 'unsupported'> };

/** What the judgement of one look may know beside the device. */
export interface LookContext {
  readonly nowMs: number;
  /** Undefined when none is configured. */
  readonly allow?: AllowList | undefined;
  /** Whose the device is now, as its labels say; undefined where nobody says. */
  readonly tenancy?: Tenancy | undefined;
  /** What the operator says of firmware; undefined where nothing is configured. */
  readonly firmware?: FirmwarePolicy | undefined;
  readonly nameplates?: readonly Nameplate[] | undefined;
  /** See `RuleContext`. */
  readonly vantage?: (() => string | undefined) | undefined;
  readonly provenance?: Provenance | undefined;
  /** More than a quarter of the site of the device mines on fail-over pools. */
  readonly primaryIsDown?: (() => boolean) | undefined;
  readonly endpointChanges?: number | undefined;
  readonly confirmS: number;
  readonly pollIntervalMs: number;
  /** Somebody asked for an attestation of what shows now. */
  readonly demanded?: boolean;
  /** When the attestation of this device is due again. */
  readonly refreshDueMs?: number | undefined;
  /** The entry that the device belongs to is being searched for the first time: what it shows is learned silently. */
  readonly inFirstPass: boolean;
  /** Other devices of the gateway have an approved reference. */
  readonly amongCommissioned: boolean;
  /** Whether anybody answers to ARP at the address of the device; undefined where that is not known. */
  readonly linkAlive?: (() => boolean | undefined) | undefined;
  /** Labels of the address where the device was known, where that is another one. */
  readonly formerLabels?: { readonly [name: string]: string } | undefined;
  /** Other devices that show the identity of this one; of a full look. */
  readonly twins?: readonly Twin[] | undefined;
  /** Whether the machine shows at another place. */
  readonly seenElsewhere?: (() => boolean) | undefined;
  /** Names of the queries that a fact of this device is read from. */
  readonly surfaces: (fact: FactName) => readonly string[];
  /** What came of the questions of this look. */
  readonly answered?: Answered | undefined;
  /** Documents, plans and waivers that the log holds. */
  readonly standing: Standing;
  /** Changes with the configuration, and with what of the documents is in force: a device that settled under another one is judged anew. */
  readonly policy: string;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
}

/** What follows from one look. */
export interface Verdict {
  /** The same object as before when only its marks were touched. */
  readonly state: DeviceState;
  /** The state must be persisted, with the statements below, in one transaction. */
  readonly changed: boolean;
  /** Findings to state now. */
  readonly transitions: readonly Finding[];
  /** The look must be attested; `checks` and `reference` are then those of the attestation. */
  readonly attest?: Trigger;
  readonly checks?: Checks;
  readonly reference?: { readonly approval: Approval; readonly seqs: readonly number[] };
  /** Facts of this attestation to be named by the next `learned` entry; `withLearned` tells the state that it was written. */
  readonly learn?: readonly FactName[] | 'all';
  /** What the look shows is of an earlier time: it is recorded as `withoutStale` has it. */
  readonly stale?: true;
  /** A full look is wanted earlier than the schedule has it. */
  readonly next?: { readonly look: 'full'; readonly atMs: number };
}

/** Judges one look at one device. Pure but for the marks of `state`, which are touched in place. */
export const appraise = (state: DeviceState, look: Look, context: LookContext): Verdict => {
  if (look.kind === 'unreachable') return missed(state, look.reason, look.atMs, context);
  const { observation } = look;
  noteRunning(state.marks, observation, context.pollIntervalMs);
  if (isSettled(state, observation, context)) return untouched(state, observation, context);
  if (!isValid(observation)) return missed(state, reasonOf(observation), observation.observedAtMs, context);
  return judge(state, observation, context);
};

const NONE: readonly never[] = [];

const untouched = (state: DeviceState, observation: Observation, context: LookContext): Verdict => {
  const stale = isStale(state.marks, context);
  touch(state, stale ? withoutStale(state, observation) : observation);
  return { state, changed: false, transitions: NONE, ...(stale ? { stale } : {}) };
};

/** Whether the look read anything: that something answered is not yet an observation of the device. */
const isValid = ({ facts }: Observation): boolean => Object.keys(facts).some((name) => name !== 'family');

const reasonOf = ({ gaps }: Observation): Exclude<UnknownReason, 'unsupported'> => {
  for (const reason of gaps.values()) if (reason !== 'absent') return reason;
  return 'unreadable';
};

/** A look that gave nothing. The fifth in a row makes the device dark. */
const missed = (
  state: DeviceState,
  reason: Exclude<UnknownReason, 'unsupported'>,
  atMs: number,
  context: LookContext,
): Verdict => {
  const { marks } = state;
  marks.failures += 1;
  marks.failingSinceMs ??= atMs;
  if (marks.failures < DARK_POLLS) return { state, changed: false, transitions: NONE, ...retry(state, context) };
  const said =
    isDark(state) &&
    state.attested?.reachable === false &&
    isMissing(state, context) === state.tracks.some(({ finding }) => finding.ruleId === identityDeviceMissing.id);
  if (said && context.nowMs < (context.refreshDueMs ?? Number.POSITIVE_INFINITY))
    return { state, changed: false, transitions: NONE };
  return goneDark(state, reason, context);
};

/** A finding that waits for its second look should not wait for the schedule because one look failed. */
const retry = (state: DeviceState, context: LookContext): Pick<Verdict, 'next'> => {
  const atMs = confirmingAtMs(state, context);
  return atMs === undefined ? {} : { next: { look: 'full', atMs } };
};

/** A machine that was known, and neither answers at its address in any way nor shows anywhere else. */
const isMissing = ({ marks, attested }: DeviceState, { nowMs, linkAlive, seenElsewhere }: LookContext): boolean =>
  isLongSilent(marks, nowMs) &&
  (attested?.facts ?? NO_FACTS) !== NO_FACTS &&
  linkAlive?.() !== true &&
  seenElsewhere?.() !== true;

const goneDark = (state: DeviceState, reason: Exclude<UnknownReason, 'unsupported'>, context: LookContext): Verdict => {
  const { nowMs } = context;
  const silences: readonly Ran[] = [
    { kind: 'ran', rule: visibilityDeviceDark, deviations: darkSeen(reason, context.linkAlive), facts: [] },
    { kind: 'ran', rule: identityDeviceMissing, deviations: isMissing(state, context) ? [{}] : [], facts: [] },
  ];
  const advanced = advance(state, silences, draftingOf(state, context), { nowMs, attestable: true });
  const approved = approvedOf(state, context.standing, {}, nowMs);
  const nothing = new Map((Object.keys(FACTS) as FactName[]).map((fact) => [fact, reason]));
  const outcomes = runComparisons(
    {},
    nothing,
    approved?.facts,
    ruleContextOf(state, state.address, {}, approved, context),
  );
  clearSettled(state);
  return {
    state: {
      ...state,
      ...findingsOf(advanced),
      attested: { ...(state.attested ?? { facts: NO_FACTS }), atMs: nowMs, reachable: false },
    },
    changed: true,
    transitions: advanced.statements,
    attest: 'unreachable',
    checks: checksOf(outcomes, advanced.tracks),
  };
};

/** What rules may know beside the facts of the look. What is known of the device is put together only for a rule that asks. */
const ruleContextOf = (
  { labels, firstSeenMs, attested, reference }: DeviceState,
  address: string,
  facts: Facts,
  approved: Approved | undefined,
  { nowMs, allow, tenancy, firmware, nameplates, primaryIsDown, vantage, provenance, endpointChanges }: LookContext,
): RuleContext => ({
  nowMs,
  address,
  device: {
    labels,
    address,
    get facts() {
      return { ...approved?.facts, ...keptFacts(attested?.facts), ...facts };
    },
  },
  ...(allow === undefined ? {} : { allow }),
  ...(firstSeenMs === undefined ? {} : { firstSeenMs }),
  ...(tenancy === undefined ? {} : { tenancy }),
  ...(firmware === undefined ? {} : { firmware }),
  ...(nameplates === undefined ? {} : { nameplates }),
  primaryIsDown,
  ...(reference === undefined ? {} : { accepted: () => keptFacts(reference.facts) }),
  ...(approved === undefined ? {} : { classOf: (fact: FactName) => approved.classes.get(fact) }),
  commissioned: isCommissioned(reference),
  vantage,
  provenance,
  endpointChanges,
});

const findingsOf = ({ tracks, closed, blips }: Advanced): Pick<DeviceState, 'tracks' | 'closed' | 'blips'> => ({
  tracks,
  closed,
  blips,
});

/** A look that has to be thought about. */
const judge = (before: DeviceState, observation: Observation, context: LookContext): Verdict => {
  const stale = isStale(before.marks, context);
  const shown = comparable(before, observation);
  const compared = stale ? withoutStale(before, shown) : shown;
  const facts = believable({ ...compared.facts, family: compared.family });
  const noted = note(before, facts, compared, context);
  const approved = approvedOf(noted, context.standing, facts, context.nowMs);
  const stopIsNew = isStopNew(noted, observation);
  const lasting = lastingOutcomes(noted, observation, context);
  const outcomes = outcomesOf(noted, facts, approved, compared, { ...context, lasting });
  const ran = outcomes.filter((outcome) => outcome.kind === 'ran');
  const attestable = observation.look === 'full';
  const advanced = advance(noted, ran, draftingOf(noted, context), { nowMs: context.nowMs, attestable });
  const moved = withFindings(noted, advanced, outcomes, observation, context);
  const unseen = unattestedFacts(moved, facts);
  const documents = documentsText(approved);
  const trigger = attestable ? triggerOf(moved, unseen, advanced, documents, context) : undefined;
  const restless = stopIsNew || (noted.rebootsMs !== before.rebootsMs && noted.rebootsMs.length > 0);
  touch(before, { ...compared, facts });
  if (trigger !== undefined)
    return attest(moved, trigger, {
      facts,
      standIns: compared.standIns,
      approved,
      outcomes,
      advanced,
      observation,
      context,
      ...(stale ? { stale } : {}),
    });
  const state = unseen === moved.unattested || !attestable ? moved : withUnattested(moved, unseen);
  const atMs = nextAtMs(state, unseen, advanced, restless, context);
  if (state !== before) clearSettled(state);
  if (atMs === undefined) settle(state, observation, context);
  return {
    state,
    changed: state !== before,
    transitions: advanced.statements,
    ...(stale ? { stale } : {}),
    ...(atMs === undefined ? {} : { next: { look: 'full', atMs } }),
  };
};

/** What the look says about the device itself: first sight, family, reboots, the return from the dark. */
const note = (
  state: DeviceState,
  facts: Facts,
  { family, observedAtMs }: Observation,
  context: LookContext,
): DeviceState => {
  const changes: { -readonly [Member in keyof DeviceState]?: DeviceState[Member] } = {};
  if (state.firstSeenMs === undefined) {
    changes.firstSeenMs = observedAtMs;
    if (!context.inFirstPass && state.attested === undefined) changes.unknownDevice = true;
  }
  if (state.family !== family) changes.family = family;
  const reboots = [...recentReboots(state.rebootsMs, context.nowMs)];
  if (hasRebooted(state.marks.uptime, sampleUptime(facts, observedAtMs))) reboots.push(observedAtMs);
  if (reboots.length !== state.rebootsMs.length || reboots.at(-1) !== state.rebootsMs.at(-1))
    changes.rebootsMs = reboots;
  const darkSinceMs = lastSeenMs(state);
  const known = state.attested?.facts ?? NO_FACTS;
  if (isDark(state) && state.returned === undefined && known !== NO_FACTS && observedAtMs - darkSinceMs > DARK_MS)
    changes.returned = { darkSinceMs, backMs: observedAtMs, facts: known };
  return Object.keys(changes).length === 0 ? state : { ...state, ...changes };
};

const lastSeenMs = ({ marks: { poolsMs = 0, fullMs = 0, failingSinceMs = 0 } }: DeviceState): number =>
  Math.max(poolsMs, fullMs) || failingSinceMs;

/** Every rule, in one list. */
const outcomesOf = (
  state: DeviceState,
  facts: Facts,
  approved: Approved | undefined,
  { address, gaps, look, observedAtMs }: Observation,
  context: LookContext & { readonly lasting: readonly Outcome[] },
): readonly Outcome[] => {
  const { nowMs, standing } = context;
  const ruleContext = ruleContextOf(state, address, facts, approved, context);
  const uptime = sampleUptime(facts, observedAtMs);
  const outcomes = [
    ...runComparisons(facts, gaps, approved?.facts, ruleContext),
    ran(poolShareGap, shareGap(state.marks.shares, facts, observedAtMs), tellsShares(state.marks.shares, facts)),
    ran(identityNewDevice, newness(state, facts, address, context), state.unknownDevice === true),
    ran(identityAddressMoved, addressMoved(state.address, address, context.formerLabels, state.labels)),
    ran(runtimeRebootUnexpected, rebootsSeen(state.rebootsMs, context.nowMs), uptime !== undefined),
    duplicateOutcome(context, address),
    ...context.lasting,
    ran(visibilityDeviceDark, []),
    ran(identityDeviceMissing, []),
    coverageOutcome(state, facts, { gaps, look }, context),
    returnOutcome(state, facts, gaps, ruleContext),
  ];
  return underPlans(outcomes, {
    plans: standing.plans.length === 0 ? NONE : plansFor(standing, describe(state, facts), nowMs),
    observed: facts,
    approved: approved?.facts ?? {},
    circumstances: circumstancesOf(state, facts, nowMs),
    tracks: state.tracks,
  });
};

const ran = (rule: RuleEntry, deviations: readonly Deviation[], runs = true): Outcome =>
  runs ? { kind: 'ran', rule, deviations, facts: [] } : { kind: 'silent', rule };

/** Its inventory is that of the first look: what a new device shows later is a matter of other rules. */
const newness = (
  state: DeviceState,
  facts: Facts,
  address: string,
  { nowMs, amongCommissioned }: LookContext,
): readonly Deviation[] => {
  if (!amongCommissioned && nowMs - (state.firstSeenMs ?? nowMs) >= QUARANTINE_MS) return [];
  const known = state.tracks.find(({ finding }) => finding.ruleId === identityNewDevice.id)?.finding.after;
  return known === undefined ? newDeviceSeen(facts, address) : [{ after: known }];
};

const duplicateOutcome = ({ twins, nowMs }: LookContext, address: string): Outcome => {
  const seen = twins === undefined ? 'unknown' : duplicatesSeen(twins, address, nowMs);
  return seen === 'unknown' ? { kind: 'silent', rule: identityDuplicate } : ran(identityDuplicate, seen);
};

/** What could be read when the reference was made and is closed now. Only a full look asks everything. */
const coverageOutcome = (
  { reference, tracks, marks, unreadable = [] }: DeviceState,
  { family }: Facts,
  { gaps, look }: Pick<Observation, 'gaps' | 'look'>,
  { answered }: LookContext,
): Outcome => {
  const rule = visibilityCoverageReduced;
  if (look !== 'full' || reference === undefined || answered === undefined) return { kind: 'silent', rule };
  marks.usuallyClosed = usuallyClosed(marks.usuallyClosed, answered);
  if (answered.closed.every((query) => marks.usuallyClosed?.includes(query))) return ran(rule, []);
  const known = keptFacts(reference.facts);
  if (known.family !== family || tracks.some(({ finding }) => speaksOfFirmware(finding.ruleId)))
    return { kind: 'silent', rule };
  return ran(rule, coverageLost(gaps, known, { accepted: unreadable, usual: marks.usuallyClosed, answered }));
};

/** What the comparisons say when held against the time before the dark. */
const returnOutcome = (
  { returned }: DeviceState,
  facts: Facts,
  gaps: Observation['gaps'],
  context: RuleContext,
): Outcome => {
  const rule = visibilityChangedWhileDark;
  if (returned === undefined) return { kind: 'silent', rule };
  const outcomes = runComparisons(facts, gaps, keptFacts(returned.facts), context).filter((outcome) =>
    speaksOfReturn(outcome.rule.id),
  );
  const seen = outcomes.filter((outcome) => outcome.kind === 'ran');
  const lost = outcomes.find((outcome) => outcome.kind === 'not-run');
  if (seen.length === 0) return { kind: 'silent', rule };
  const found = seen
    // What the operator's lists say was so before the dark, too.
    .filter(({ rule: { id } }) => !isAboutPolicy(id))
    .flatMap(({ rule: { id, severity }, deviations }) =>
      deviations.map((deviation) => ({ id, deviation, severity: deviation.severity ?? severity })),
    );
  return {
    kind: 'ran',
    rule,
    deviations: changedWhileDark(found),
    facts: [],
    sees: (key) => seen.some((outcome) => key === outcome.rule.id || key.startsWith(`${outcome.rule.id} `)),
    ...(lost === undefined ? {} : { lost: lost.reason }),
  };
};

/** Makes a finding of a deviation: severities, surfaces, when the before-value was last seen. */
const draftingOf =
  (state: DeviceState, context: LookContext): Drafting =>
  ({ rule, facts }, { part, before, after, severity: own, reasons, plan }) => {
    const severityBase = own ?? rule.severity;
    const commissioned =
      rule.id === identityNewDevice.id ? context.amongCommissioned : isApproved(state, context.standing);
    const waiver = waiverOf(state, rule.id, context);
    const severity = commissioned && rule.unplanned !== undefined ? worst(severityBase, rule.unplanned) : severityBase;
    const { poolsMs, fullMs } = state.marks;
    const beforeMs = facts.includes('pools')
      ? poolsMs
      : rule.id === visibilityDeviceDark.id
        ? lastSeenMs(state)
        : fullMs;
    return {
      ruleId: rule.id,
      severity,
      severityBase,
      basis: rule.basis,
      ruleVersion: rule.version,
      surfaces: [...new Set(facts.flatMap((fact) => context.surfaces(fact)))].sort(),
      ...(part === undefined ? {} : { part }),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(reasons === undefined || reasons.length === 0 ? {} : { reasons }),
      ...(beforeMs === undefined || beforeMs === 0 ? {} : { beforeAt: seconds(beforeMs) }),
      ...(plan === undefined ? {} : { plan }),
      ...(waiver === undefined ? {} : { waiver: waiver.seq }),
    };
  };

/** Whether a person stands behind what the device is held against. */
const isApproved = (state: DeviceState, standing: Standing): boolean =>
  isCommissioned(state.reference) || (standing.references.length > 0 && heldBy(standing, describe(state, {})).size > 0);

const waiverOf = (state: DeviceState, id: string, { standing, nowMs }: LookContext) =>
  standing.waivers.length === 0 ? undefined : waiverFor(standing, describe(state, {}), id, nowMs);

/** The state after the findings moved on, and after what they settled. */
const withFindings = (
  state: DeviceState,
  advanced: Advanced,
  outcomes: readonly Outcome[],
  { address, look, observedAtMs }: Observation,
  context: LookContext,
): DeviceState => {
  const changes: { -readonly [Member in keyof DeviceState]?: DeviceState[Member] } = {};
  if (advanced.tracks !== state.tracks) changes.tracks = advanced.tracks;
  if (advanced.closed !== state.closed) changes.closed = advanced.closed;
  if (advanced.blips !== state.blips) changes.blips = advanced.blips;
  const has = (rule: RuleEntry, confirmed: boolean): boolean =>
    advanced.tracks.some(
      ({ finding }) => finding.ruleId === rule.id && (finding.state !== 'provisional') === confirmed,
    );
  if (has(identityAddressMoved, true) && state.address !== address) changes.address = address;
  const next = Object.keys(changes).length === 0 ? state : { ...state, ...changes };
  const { unknownDevice, returned, ...rest } = next;
  const known = unknownDevice === true && isKnownNow(state, context) && !has(identityNewDevice, true);
  const back =
    returned !== undefined &&
    !has(visibilityChangedWhileDark, true) &&
    !has(visibilityChangedWhileDark, false) &&
    ((look === 'full' && wasCompared(outcomes)) || observedAtMs - returned.backMs > DARK_MS * 4);
  if (!known && !back) return next;
  return {
    ...rest,
    ...(known || unknownDevice === undefined ? {} : { unknownDevice }),
    ...(back || returned === undefined ? {} : { returned }),
  };
};

const isKnownNow = ({ firstSeenMs = 0 }: DeviceState, { amongCommissioned, nowMs }: LookContext): boolean =>
  !amongCommissioned && nowMs - firstSeenMs >= QUARANTINE_MS;

const wasCompared = (outcomes: readonly Outcome[]): boolean =>
  outcomes.some(
    (outcome) =>
      outcome.rule.id === visibilityChangedWhileDark.id && outcome.kind === 'ran' && outcome.lost === undefined,
  );

/** Facts that differ from the last attestation, with their values, as text; undefined when none does. */
const unattestedFacts = ({ attested }: DeviceState, facts: Facts): string | undefined => {
  if (attested === undefined || attested.facts === NO_FACTS) return undefined;
  const now = comparedFacts(facts);
  const names = changedFacts(keptFacts(attested.facts), now);
  return names.length === 0 ? undefined : JSON.stringify(names.map((name) => [name, now[name]]));
};

const withUnattested = (state: DeviceState, unattested: string | undefined): DeviceState => {
  const { unattested: _, ...rest } = state;
  return unattested === undefined ? rest : { ...rest, unattested };
};

/** Which documents hold facts of the device, as text; undefined where none does. */
const documentsText = (approved: Approved | undefined): string | undefined =>
  approved === undefined || approved.holders.size === 0
    ? undefined
    : [...new Set(approved.holders.values())].sort((a, b) => a - b).join();

/** Why a full look must be attested, if it must. What is not confirmed waits. */
const triggerOf = (
  state: DeviceState,
  unseen: string | undefined,
  advanced: Advanced,
  documents: string | undefined,
  { nowMs, refreshDueMs, demanded }: LookContext,
): Trigger | undefined => {
  const first = (state.attested?.facts ?? NO_FACTS) === NO_FACTS;
  if (advanced.confirmed) return first ? 'first' : 'change';
  if (state.tracks.some(isUndecided)) return undefined;
  if (first) return 'first';
  if (state.referenceChanged === true || state.attested?.reachable !== true) return 'change';
  if (state.relabelled === true || documents !== state.attested.documents) return 'change';
  if (unseen !== undefined) return unseen === state.unattested ? 'change' : undefined;
  if (demanded === true) return 'demand';
  return nowMs >= (refreshDueMs ?? Number.POSITIVE_INFINITY) ? 'refresh' : undefined;
};

interface Judged {
  readonly facts: Facts;
  readonly standIns: Observation['standIns'];
  readonly approved: Approved | undefined;
  readonly outcomes: readonly Outcome[];
  readonly advanced: Advanced;
  /** As it came, for the next to be the same. */
  readonly observation: Observation;
  readonly context: LookContext;
  readonly stale?: true;
}

/** The verdict that this look is attested. */
const attest = (
  judged: DeviceState,
  trigger: Trigger,
  { facts, standIns, approved, outcomes, advanced, observation, context, stale }: Judged,
): Verdict => {
  const lit = withoutDark(judged, context.nowMs);
  const reference = citedReference(
    judged.reference,
    outcomes.flatMap((outcome) => (outcome.kind === 'ran' ? outcome.facts : [])),
    approved?.holders,
  );
  const learn = learnable(judged, facts);
  const { referenceChanged: _, unattested: __, relabelled: ___, ...rest } = lit.state;
  const documents = documentsText(approved);
  const attested = {
    ...attestedOf(judged.attested, { facts, standIns }, judged.reference, context.nowMs),
    ...(documents === undefined ? {} : { documents }),
  };
  const state: DeviceState = {
    ...rest,
    attested,
    ...(learn === undefined ? {} : { reference: learned(judged.reference, learn, facts, attested) }),
  };
  clearSettled(state);
  const atMs = nextAtMs(state, undefined, { ...advanced, waiting: [] }, false, context);
  // What was learned just now was held against nothing yet.
  if (atMs === undefined && learn !== 'all') settle(state, observation, context);
  return {
    state,
    changed: true,
    transitions: [...advanced.statements, ...lit.statements],
    attest: trigger,
    checks: checksOf(outcomes, state.tracks),
    ...(reference === undefined ? {} : { reference }),
    ...(learn === undefined ? {} : { learn }),
    ...(stale === undefined ? {} : { stale }),
    ...(atMs === undefined ? {} : { next: { look: 'full', atMs } }),
  };
};

/** An attestation with claims shows that the device is back. */
const withoutDark = (
  state: DeviceState,
  nowMs: number,
): { readonly state: DeviceState; readonly statements: readonly Finding[] } => {
  // One that comes and goes stays open until it was quiet for an hour.
  const over = state.tracks.filter((track) => SILENCES.has(track.finding.ruleId) && quietAtMs(track) === undefined);
  if (over.length === 0) return { state, statements: [] };
  const steps = over.map((track) => end(track, 'resolved', nowMs));
  return {
    state: {
      ...state,
      tracks: state.tracks.filter((track) => !over.includes(track)),
      closed: [...state.closed, ...steps.flatMap(({ ended }) => ended ?? [])],
    },
    statements: steps.flatMap(({ statement }) => statement ?? []),
  };
};

const SILENCES: ReadonlySet<string> = new Set([visibilityDeviceDark.id, identityDeviceMissing.id]);

/** What could not be read keeps its last known value, so that reading it again is no change. */
const attestedOf = (
  before: Attested | undefined,
  { facts, standIns }: Pick<Observation, 'facts' | 'standIns'>,
  reference: Reference | undefined,
  nowMs: number,
): Attested => {
  const known = keptFacts(before?.facts);
  const missing = (Object.keys(known) as FactName[]).filter((name) => facts[name] === undefined);
  return {
    atMs: nowMs,
    reachable: true,
    facts: shared(keepFacts(missing.length === 0 ? facts : { ...known, ...facts }), reference?.facts, before?.facts),
    ...(missing.length === 0 ? {} : { missing }),
    ...standInsOf([
      ...[...standIns.keys()].filter((name) => facts[name] !== undefined),
      ...missing.filter((name) => before?.standIns?.includes(name) === true),
    ]),
  };
};

/** An equal one that is kept already. */
const shared = (facts: KeptFacts, ...others: readonly (KeptFacts | undefined)[]): KeptFacts =>
  others.find((other) => other === facts) ?? facts;

const standInsOf = (names: readonly FactName[]): Pick<Attested, 'standIns'> =>
  names.length === 0 ? {} : { standIns: names };

/** Facts that the reference lacks. Another machine's, or another firmware's, are not learned into it. */
const learnable = (state: DeviceState, facts: Facts): readonly FactName[] | 'all' | undefined => {
  if (state.reference === undefined) return 'all';
  if (state.tracks.some(({ finding }) => FOREIGN.has(finding.ruleId))) return undefined;
  const names = newFacts(keptFacts(state.reference.facts), comparedFacts(facts));
  return names.length === 0 ? undefined : names;
};

const FOREIGN = new Set(['firmware.family-changed', 'identity.hardware-swapped']);

const learned = (
  reference: Reference | undefined,
  learn: readonly FactName[] | 'all',
  facts: Facts,
  attested: Attested,
): Reference => {
  if (reference === undefined || learn === 'all')
    return {
      entries: [],
      unrecorded: [{ facts: 'all' }],
      facts: attested.facts,
      ...standInsOf(attested.standIns ?? []),
    };
  const known = keptFacts(reference.facts);
  const now = comparedFacts(facts);
  const added = Object.fromEntries(learn.map((name) => [name, now[name]]));
  const stoodIn = attested.standIns?.filter((name) => learn.includes(name)) ?? [];
  return {
    ...reference,
    unrecorded: [...(reference.unrecorded ?? []), { facts: learn }],
    facts: shared(keepFacts({ ...known, ...added }), attested.facts),
    ...standInsOf([...new Set([...(reference.standIns ?? []), ...stoodIn])]),
  };
};
