import type { FactName, Facts } from '../../shared/facts.ts';
import type { Plan } from '../../shared/terms.ts';
import type { Approved } from '../baseline/approved.ts';
import { withKnownUsers } from '../baseline/compared.ts';
import { saysNothing } from '../baseline/expected.ts';
import { keptFacts } from '../baseline/kept.ts';
import { isCommissioned } from '../baseline/reference.ts';
import { type Adopted, type Column, heldBy, plansFor, tellsColumn } from '../baseline/standing.ts';
import type { Observation } from '../normalise/observation.ts';
import { circumstancesOf, describe, stagesOf, toleratedOf, usersBeyond } from './approval.ts';
import type { DeviceState } from './device.ts';
import type { Value } from './finding.ts';
import { isOtherFirmware } from './first-seen.ts';
import { withoutFlood } from './flood.ts';
import { isAboutPolicy } from './index.ts';
import { type Outcome, runComparisons } from './outcome.ts';
import { underPlans } from './planned.ts';
import { hidesUsers, isHeld, isStrange, isTaker, type Strange, strangePools } from './replaced.ts';
import type { Deviation, RuleContext, RuleEntry } from './rule.ts';
import { addressMoved, identityAddressMoved } from './rules/identity-address-moved.ts';
import { identityDeviceMissing } from './rules/identity-device-missing.ts';
import { duplicatesSeen, identityDuplicate } from './rules/identity-duplicate.ts';
import { identityNewDevice, newDeviceSeen, QUARANTINE_MS } from './rules/identity-new-device.ts';
import { poolShareGap, shareGap, tellsShares } from './rules/pool-share-gap.ts';
import { rebootsSeen, runtimeRebootUnexpected, sampleUptime } from './rules/runtime-reboot-unexpected.ts';
import { changedWhileDark, speaksOfReturn, visibilityChangedWhileDark } from './rules/visibility-changed-while-dark.ts';
import {
  coverageLost,
  leftOut,
  leftOutAfter,
  speaksOfFirmware,
  UNREAD,
  unclear,
  usuallyClosed,
  visibilityCoverageReduced,
} from './rules/visibility-coverage-reduced.ts';
import { visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { isStale } from './running.ts';
import { templatedBy } from './template.ts';
import { WHOLE } from './track.ts';
import type { LookContext } from './verdict.ts';

/** What the configuration, and the rest of the gateway, say of the device: how grave it is what rules find, and what lists refuse. */
type Around = Pick<
  LookContext,
  | 'nowMs'
  | 'allow'
  | 'tenancy'
  | 'firmware'
  | 'nameplates'
  | 'primaryIsDown'
  | 'vantage'
  | 'provenance'
  | 'endpointChanges'
>;

/**
 * What rules may know beside these facts, held against what is approved: of a look, and where it is asked what the next one would find.
 * What is known of the device is put together only for a rule that asks.
 */
export const ruleContextOf = (
  { labels, firstSeenMs, attested, reference, identified }: DeviceState,
  address: string,
  facts: Facts,
  approved: Approved | undefined,
  { nowMs, allow, tenancy, firmware, nameplates, primaryIsDown, vantage, provenance, endpointChanges }: Around,
): RuleContext => ({
  nowMs,
  address,
  device: templatedBy(labels, address, () => ({ ...approved?.facts, ...keptFacts(attested?.facts), ...facts })),
  ...(allow === undefined ? {} : { allow }),
  firstSeenMs,
  ...(tenancy === undefined ? {} : { tenancy }),
  ...(firmware === undefined ? {} : { firmware }),
  ...(nameplates === undefined ? {} : { nameplates }),
  primaryIsDown,
  accepted: () => keptFacts(reference?.facts),
  classOf: (fact) => approved?.classes.get(fact),
  absent: approved?.absent,
  insteadOf: identified?.family === facts.family ? identified?.insteadOf : undefined,
  commissioned: isCommissioned(reference),
  vantage,
  provenance,
  endpointChanges,
  firstSeen: approved?.firstSeen === true,
  firstMedium: approved?.firstMedium === true,
  otherFamily: approved?.otherFamily === true,
});

/** Every rule, in one list. */
export const outcomesOf = (
  state: DeviceState,
  facts: Facts,
  approved: Approved | undefined,
  observation: Observation,
  context: LookContext & { readonly lasting: readonly Outcome[] },
): readonly Outcome[] => {
  const { address, gaps, look, observedAtMs, toldPools, noPools = false } = observation;
  const { nowMs } = context;
  const ruleContext = { ...ruleContextOf(state, address, facts, approved, context), noPools };
  const uptime = sampleUptime(facts, observedAtMs);
  const outcomes = [
    ...runComparisons(facts, gaps, approved?.facts, ruleContext, toldPools),
    ran(poolShareGap, shareGap(state.marks.shares, facts, observedAtMs), tellsShares(state.marks.shares, facts)),
    newnessOutcome(state, facts, strangeness(state, facts, ruleContext, context), { address, context }),
    ran(identityAddressMoved, addressMoved(state.address, address, context.formerLabels, state.labels)),
    ran(runtimeRebootUnexpected, rebootsSeen(state.rebootsMs, state.rebootsPlanned ?? [], nowMs), uptime !== undefined),
    duplicateOutcome(context, { id: state.id, address }),
    ...context.lasting,
    // Pools that are seen between full looks that give nothing do not end it.
    ran(visibilityDeviceDark, [], look === 'full' || !state.marks.fullLost),
    ran(identityDeviceMissing, []),
    coverageOutcome(state, facts, observation, context),
    returnOutcome(state, facts, approved?.facts ?? {}, gaps, { ...context, ruleContext }),
  ];
  return underPlans(withoutFlood(outcomes, state.tracks, facts), {
    plans: plansOf(state, facts, context),
    observed: facts,
    approved: approved?.facts ?? {},
    beyond: () => usersBeyond(state, context.standing, { approved: approved?.facts ?? {}, observed: facts }, nowMs),
    known: () => keptFacts(state.reference?.facts),
    holders: approved?.holders,
    otherFamily: approved?.otherFamily === true,
    circumstances: circumstancesOf(state, facts, nowMs),
    tracks: state.tracks,
  });
};

/** Plans that speak of the device and are open, or were until a day ago. */
export const plansOf = (
  state: DeviceState,
  facts: Facts,
  { standing, nowMs }: Pick<LookContext, 'standing' | 'nowMs'>,
): readonly Adopted<Plan>[] => (standing.plans.length === 0 ? [] : plansFor(standing, stagesOf(state, facts), nowMs));

const ran = (rule: RuleEntry, deviations: readonly Deviation[], runs = true): Outcome =>
  runs ? { kind: 'ran', rule, deviations, facts: [] } : { kind: 'silent', rule };

/** What is strange about the pools of a device, as long as it is held against the one whose place it took. */
const strangeness = (
  state: DeviceState,
  facts: Facts,
  context: RuleContext,
  { standing, driven, people = 0 }: Pick<LookContext, 'standing' | 'driven' | 'people'>,
): Strange | 'unknown' | undefined => {
  const { replaces } = state;
  if (replaces === undefined || !isHeld(state)) return undefined;
  // Two that exchange their addresses take each other's place: it is a theft where the other one is found nowhere.
  if (facts.pools === undefined || (isTaker(state) && driven !== 'nowhere')) return 'unknown';
  const held = heldBy(standing, describe(state, facts), context.nowMs);
  // What a document holds, or leaves open, is a matter of the rules of pools; of a column that its list leaves out it says nothing.
  const list = held.get('pools');
  const isSaid = (column: Column): boolean =>
    held.has(`pools.${column}`) ||
    (list !== undefined && (saysNothing(list.items, context.nowMs) || tellsColumn(list, column, context.nowMs)));
  const open = (['url', 'user'] as const).filter((column) => !isSaid(column));
  return (
    strangePools(replaces, facts.pools, open, { ...context, people }) ??
    (hidesUsers(replaces, facts.pools) ? 'unknown' : undefined)
  );
};

/**
 * Its inventory is that of the first look: what a new device shows later is a matter of other rules. But for strange pools,
 * which are never learned: they end when they are accepted, or are those of the device before.
 */
const newnessOutcome = (
  state: DeviceState,
  facts: Facts,
  strange: Strange | 'unknown' | undefined,
  { address, context: { nowMs, amongCommissioned } }: { readonly address: string; readonly context: LookContext },
): Outcome => {
  const rule = identityNewDevice;
  const known = state.tracks.find(({ finding }) => finding.ruleId === rule.id)?.finding;
  const inventory = withoutPools(known?.after ?? newDeviceSeen(facts, address));
  if (strange !== undefined && strange !== 'unknown')
    return ran(rule, [
      { ...strange, after: { ...inventory, ...(isTaker(state) ? { address } : {}), ...strange.after } },
    ]);
  const isAsked = isTaker(state) || (known !== undefined && isStrange(known));
  if (strange === 'unknown' && isAsked) return { kind: 'silent', rule };
  const isOver = !amongCommissioned && nowMs - (state.firstSeenMs ?? nowMs) >= QUARANTINE_MS;
  const isNew = state.unknownDevice === true;
  return ran(rule, isOver || !isNew ? [] : [{ after: inventory }], isNew || isTaker(state) || known !== undefined);
};

/** The inventory that a finding holds: where its pools are strange no more it says nothing of them. */
const withoutPools = (after: Value): { readonly [member: string]: unknown } => {
  const { pools: _, ...inventory } = after as { readonly [member: string]: unknown };
  return inventory;
};

const duplicateOutcome = ({ twins, nowMs }: LookContext, device: Pick<DeviceState, 'id' | 'address'>): Outcome => {
  const seen = twins === undefined ? 'unknown' : duplicatesSeen(twins, device, nowMs);
  return seen === 'unknown' ? { kind: 'silent', rule: identityDuplicate } : ran(identityDuplicate, seen);
};

/**
 * What could be read when the reference was made, and is closed, left out or lost now. Only a full look asks everything; one at the
 * pools says what of it is lost at every look, and that it is not any more. While it is not settled what became of the firmware,
 * what that does not serve is a matter of it, but for the pools: every firmware works for somebody.
 */
const coverageOutcome = (
  state: DeviceState,
  facts: Facts,
  { facts: sent, gaps, look }: Pick<Observation, 'facts' | 'gaps' | 'look'>,
  context: LookContext,
): Outcome => {
  const rule = visibilityCoverageReduced;
  const { reference, tracks, marks, unreadable: accepted = [] } = state;
  const { answered, nowMs } = context;
  // What is of an earlier time tells nothing of what is told now.
  if (isStale(marks, context)) return { kind: 'silent', rule };
  if (reference === undefined) {
    marks.usuallyClosed = usuallyClosedAfter(marks, answered);
    return { kind: 'silent', rule };
  }
  const known = keptFacts(reference.facts);
  const inQuestion = known.family !== facts.family || tracks.some(({ finding }) => speaksOfFirmware(finding.ruleId));
  const firmware = inQuestion ? 'in-question' : isOtherVersion(known, facts) ? 'other' : undefined;
  marks.leftOut = leftOutAfter(marks.leftOut, known, accepted, { look, sent, facts, gaps, nowMs, firmware });
  if (look !== 'full') return unreadOutcome(state);
  if (inQuestion) {
    const counted = unclear(marks.leftOut);
    const sees = (part: string): boolean => part !== WHOLE && !counted.includes(part);
    return { kind: 'ran', rule, deviations: leftOut(marks.leftOut), facts: [], sees, idle: true };
  }
  marks.usuallyClosed = usuallyClosedAfter(marks, answered);
  const usual = marks.usuallyClosed ?? [];
  const closed = answered === undefined ? [] : coverageLost(gaps, known, { accepted, usual, answered });
  const unsure = unclear(marks.leftOut);
  return {
    ...ran(rule, [...closed, ...leftOut(marks.leftOut)]),
    ...(unsure.length === 0 ? {} : { lost: 'unconfirmed', sees: (part: string) => !unsure.includes(part) }),
  };
};

const usuallyClosedAfter = (
  { usuallyClosed: before }: DeviceState['marks'],
  answered: LookContext['answered'],
): readonly string[] | undefined => (answered === undefined ? before : usuallyClosed(before, answered));

const unreadOutcome = ({ marks, tracks }: DeviceState): Outcome => {
  const rule = visibilityCoverageReduced;
  const isUnread = ({ part }: Pick<Deviation, 'part'>): boolean => part === UNREAD;
  const unread = leftOut(marks.leftOut).filter(isUnread);
  const isOpen = tracks.some(({ finding }) => finding.ruleId === rule.id && isUnread(finding));
  if (unread.length === 0 && !isOpen) return { kind: 'silent', rule };
  const isUnsure = unclear(marks.leftOut).includes(UNREAD);
  return {
    kind: 'ran',
    rule,
    deviations: unread,
    facts: [],
    sees: (part) => part === UNREAD && !isUnsure,
    idle: true,
  };
};

/** Documents allow versions without a finding. What another one does not tell is a matter of that, but for the pools. */
const isOtherVersion = (known: Facts, { 'firmware.version': version = known['firmware.version'] }: Facts): boolean =>
  version !== known['firmware.version'];

/** Held against is what was before, and nothing that came with a version. */
const OF_REFERENCE = { firstSeen: false, firstMedium: false, otherFamily: false } as const;

/** What the comparisons say when held against the time before the dark. */
const returnOutcome = (
  state: DeviceState,
  facts: Facts,
  approved: Facts,
  gaps: Observation['gaps'],
  { standing, nowMs, ruleContext }: Pick<LookContext, 'standing' | 'nowMs'> & { readonly ruleContext: RuleContext },
): Outcome => {
  const rule = visibilityChangedWhileDark;
  const { returned } = state;
  if (returned === undefined) return { kind: 'silent', rule };
  // A known user that was hidden before the dark is no news after it.
  const known = withKnownUsers(keptFacts(state.reference?.facts), keptFacts(returned.facts));
  const before = toleratedOf(state, standing, known, facts, nowMs);
  // What it showed before the dark is of the version that it had then.
  const absent = isOtherFirmware(facts, known) ? [] : (returned.absent ?? []);
  const outcomesSince = (former: Facts): readonly Outcome[] =>
    runComparisons(facts, gaps, former, { ...ruleContext, absent, ...OF_REFERENCE }).filter((outcome) =>
      speaksOfReturn(outcome.rule.id),
    );
  const outcomes = outcomesSince(before);
  const seen = outcomes.filter((outcome) => outcome.kind === 'ran');
  const lost = outcomes.find((outcome) => outcome.kind === 'not-run')?.reason ?? gaps.get('pools.user');
  if (seen.length === 0) return { kind: 'silent', rule };
  return {
    kind: 'ran',
    rule,
    deviations: changedSince(seen, returned.changed),
    facts: [],
    sees: (key) => seen.some((outcome) => key === outcome.rule.id || key.startsWith(`${outcome.rule.id} `)),
    ...(lost === undefined ? {} : { lost }),
    against: (expected) => changedSince(outcomesSince(withPlanned(before, approved, expected)), returned.changed),
  };
};

const changedSince = (outcomes: readonly Outcome[], known: readonly string[] | undefined): readonly Deviation[] =>
  changedWhileDark(
    outcomes
      .filter((outcome) => outcome.kind === 'ran')
      // What the operator's lists say was so before the dark, too.
      .filter(({ rule: { id } }) => !isAboutPolicy(id))
      .flatMap(({ rule: { id, severity }, deviations }) =>
        deviations.map((deviation) => ({ id, deviation, severity: deviation.severity ?? severity })),
      ),
    known,
  );

/** What was known before the dark, with what a plan expects in place of what is approved. */
const withPlanned = (before: Facts, approved: Facts, expected: Facts): Facts => {
  const names = (Object.keys({ ...approved, ...expected }) as FactName[]).filter(
    (name) => expected[name] !== approved[name],
  );
  return { ...before, ...Object.fromEntries(names.map((name) => [name, expected[name]])) };
};
