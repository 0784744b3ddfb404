import type { FactName, Facts } from '../../shared/facts.ts';
import { WITH_VERSION } from '../../shared/open-values.ts';
import { keptFacts } from '../baseline/kept.ts';
import { only, withEntry } from '../baseline/reference.ts';
import { AgentError } from '../platform/errors.ts';
import { exportLine, word } from './advice.ts';
import { leftUnclaimed } from './claimed.ts';
import { type Attested, type DeviceState, type Track, unsettled } from './device.ts';
import { withoutApart } from './edit.ts';
import { type Finding, SEVERITIES } from './finding.ts';
import { compareFirmware, FIRMWARE_TEXTS } from './firmware.ts';
import { isAsFirstSeen, isAsItCame, isOtherFamily, mediumAsFirstSeen, PARTS, withoutFirstSeen } from './first-seen.ts';
import { COMPARISONS, ruleOf } from './index.ts';
import { OF_VERSION } from './planned.ts';
import { isStrange, isTaker, withoutReplaced } from './replaced.ts';
import { speaksOfFirmware, visibilityCoverageReduced } from './rules/visibility-coverage-reduced.ts';
import { leavesOutUsers } from './slots.ts';
import { end } from './track.ts';
import { endingOf, factsToApprove, isAnswered, isSlotOfVersion, isUnplanned, needsMorePeople } from './who-approves.ts';

/** What an acceptance does: the new state, the findings it ends (to be stated), and what the item of its `baseline` entry names. */
export interface Acceptance {
  readonly state: DeviceState;
  readonly transitions: readonly Finding[];
  readonly item: { readonly device: string; readonly seq: number; readonly facts?: readonly FactName[] };
}

/** What a person accepts. */
export interface Accepting {
  readonly by: string;
  readonly nowMs: number;
  /** `seq` that the `baseline` entry will have. */
  readonly seq: number;
  /** Only these facts; without them all that the current attestation claims. */
  readonly facts?: readonly FactName[] | undefined;
  /** Facts that are left out all the same: they are right only while a document says so. */
  readonly leaves?: readonly FactName[] | undefined;
}

/** The claims that `accept` would adopt: what was attested last. */
export const attestedClaims = ({ attested }: DeviceState): Facts => {
  const facts = keptFacts(attested?.facts);
  return only(
    facts,
    (Object.keys(facts) as FactName[]).filter((fact) => attested?.missing?.includes(fact) !== true),
  );
};

/**
 * These facts, and with a version the slot that came with it, and all that came with one that a plan covers under the same plan: one
 * update is approved as one. What else the plan does not cover is a matter of its own. With a version or parts of another family that
 * family is approved: they say nothing of the former one.
 */
export const withBrought = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
): readonly FactName[] | undefined => {
  if (wanted === undefined) return undefined;
  const isOther = wanted.some(isOfFamily) && isOtherFamily(attestedClaims(state), keptFacts(state.reference?.facts));
  return withPlanned(state, withSlot(state, isOther ? [...new Set<FactName>([...wanted, 'family'])] : wanted));
};

const withSlot = ({ tracks }: DeviceState, facts: readonly FactName[]): readonly FactName[] => {
  const open = tracks.filter(({ finding }) => finding.state !== 'provisional');
  const isVersion = (track: Track): boolean =>
    OF_VERSION.has(track.finding.ruleId) && speaksOf(track, (inputs) => inputs.every(isAmong(facts)));
  const slot = open.find(({ finding }) => isSlotOfVersion(finding));
  if (slot === undefined || !open.some(isVersion)) return facts;
  return [...new Set([...facts, ...factsToApprove(slot.finding)])];
};

const OF_FAMILY: readonly FactName[] = [...FIRMWARE_TEXTS, PARTS];
const isOfFamily = (fact: FactName): boolean => OF_FAMILY.includes(fact);

const withPlanned = ({ tracks }: DeviceState, facts: readonly FactName[]): readonly FactName[] => {
  const planned = tracks.filter(({ finding }) => finding.plan !== undefined && finding.state !== 'provisional');
  const version = planned.find(
    (track) => OF_VERSION.has(track.finding.ruleId) && speaksOf(track, (inputs) => inputs.some(isAmong(facts))),
  );
  if (version === undefined) return facts;
  const brought = planned
    .filter(({ finding }) => finding.plan === version.finding.plan)
    .map(({ finding }) => factsToApprove(finding))
    .filter((inputs) => inputs.every(isOfVersion));
  return [...new Set([...facts, ...brought.flat()])];
};

const isOfVersion = (fact: FactName): boolean => fact === 'firmware.version' || WITH_VERSION.includes(fact);

/**
 * The facts that an acceptance of these adopts: what a plan brought with a version; with a version, or build, that was not the reference's
 * also the parts and the slot that came with it, and what it tells that the one before had none of; and with another family the version
 * that came with that. Where there is a finding of its own to be approved only what was asked for is adopted.
 */
export const adoptedWith = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
): readonly FactName[] | undefined => {
  const asked = withBrought(state, wanted);
  if (asked === undefined) return undefined;
  const claims = attestedClaims(state);
  const isOpen = (fact: FactName): boolean =>
    state.tracks.some((track) => speaksOf(track, (inputs) => inputs.includes(fact)));
  const texts = FIRMWARE_TEXTS.filter((name) => claims[name] !== undefined && !asked.includes(name));
  const bringsTexts = asked.includes('family') && !texts.some(isOpen) && isAsItCame(state, claims);
  const facts = bringsTexts ? [...asked, ...texts] : asked;
  const known = keptFacts(state.reference?.facts);
  const brings =
    compareFirmware(claims, known) !== 'same' &&
    compareFirmware(claims, { ...known, ...only(claims, facts) }) === 'same';
  if (!brings) return facts;
  const parts: readonly FactName[] = isAsFirstSeen(state) ? [PARTS] : [];
  const more = [...parts, ...mediumAsFirstSeen(state), ...(state.reference?.absent ?? [])];
  return [...facts, ...more.filter((fact) => !facts.includes(fact) && claims[fact] !== undefined && !isOpen(fact))];
};

/** What an acceptance would adopt, and the findings it would end. */
interface Acceptable {
  /** `seq` of the attestation. */
  readonly cited: number;
  readonly attested: Attested;
  readonly covered: readonly Track[];
}

/**
 * Throws `AgentError` where `accept` would: `baseline.not-attested` before the first look was recorded,
 * `baseline.finding-open` while a finding that this does not cover is as grave as what it covers.
 */
export const requireAcceptable = (state: DeviceState, facts?: readonly FactName[]): Acceptable => {
  const { attested } = state;
  if (attested?.seq === undefined || !attested.reachable) throw notAttested(state);
  const covered = coveredBy(state, facts);
  refuseWhileOpen(state, covered, facts === undefined ? 'whole' : 'facts');
  return { cited: attested.seq, attested, covered };
};

/** The findings that an acceptance of these facts, or of the whole device, would end. */
export const coveredBy = (state: DeviceState, wanted?: readonly FactName[]): readonly Track[] => {
  const facts = withBrought(state, wanted);
  return state.tracks.filter((track) => covers(track, facts) && unclaimedOf(state, track) === undefined);
};

/** The fact that a finding is about and that the entry of an acceptance would not hold. */
export const unclaimedOf = (state: DeviceState, { finding }: Track): FactName | undefined =>
  leftUnclaimed(finding, {
    claims: attestedClaims(state),
    absent: state.attested?.absent ?? [],
    known: keptFacts(state.reference?.facts),
  });

/**
 * Findings in which this acceptance has a part, and which two people have to approve, or a plan beforehand: one fact of several that such
 * a finding is about is as much of it as all of them.
 */
export const decidedWith = (state: DeviceState, wanted?: readonly FactName[]): readonly Track[] => {
  const facts = withBrought(state, wanted);
  return state.tracks.filter(
    (track) =>
      needsMorePeople(track.finding) &&
      (covers(track, facts) || speaksOf(track, (inputs) => inputs.some(isAmong(facts)))),
  );
};

/** Whether there is one. */
export const wantsMorePeople = (state: DeviceState, wanted?: readonly FactName[]): boolean =>
  decidedWith(state, wanted).length > 0;

const isAmong =
  (facts: readonly FactName[] | undefined) =>
  (fact: FactName): boolean =>
    facts?.includes(fact) !== false;

/**
 * A person accepts what the current attestation of the device claims. The findings that speak of it end as `approved`;
 * the next full look is attested against the new reference. Throws what `requireAcceptable` throws.
 */
export const accept = (state: DeviceState, { by, nowMs, seq, facts: wanted, leaves }: Accepting): Acceptance => {
  const { cited, attested, covered } = requireAcceptable(state, wanted);
  const facts = factsNamed(state, { facts: wanted, leaves });
  const claims = attestedClaims(state);
  const entry = { seq, approval: 'local' as const, ...(facts === undefined ? {} : { facts }) };
  const left = withoutFirstSeen(state, facts === undefined ? claims : only(claims, facts));
  const { unknownDevice: _, returned: __, unattested: ___, ...rest } = left;
  const ended = covered.map((track) => end({ ...track, finding: { ...track.finding, by } }, 'approved', nowMs));
  return {
    state: {
      ...(wanted === undefined ? withoutApart(withPlace(rest, covered)) : left),
      reference: withEntry(state.reference, entry, claims, attested),
      referenceChanged: true,
      ...unreadableOf(covered, state),
      tracks: state.tracks.filter((track) => !covered.includes(track)),
      // A value that was approved is the reference: seen to leave it, it is a new finding.
      closed: state.closed.filter(({ finding }) => !covered.some((track) => track.finding.ruleId === finding.ruleId)),
      marks: unsettled(state),
    },
    transitions: ended.flatMap(({ statement }) => statement ?? []),
    item: { device: state.id, seq: cited, ...(facts === undefined ? {} : { facts }) },
  };
};

/** The facts that the item of an acceptance names; undefined where it holds all that is claimed. */
export const factsNamed = (
  state: DeviceState,
  { facts: wanted, leaves = [] }: Pick<Accepting, 'facts' | 'leaves'>,
): readonly FactName[] | undefined => {
  const adopted = adoptedWith(state, wanted);
  if (leaves.length === 0) return adopted;
  const all = adopted ?? [...(Object.keys(attestedClaims(state)) as FactName[]), ...(state.attested?.absent ?? [])];
  const named = all.filter((fact) => !leaves.includes(fact));
  // An item names something, also where the device is accepted for what it is and documents hold all that it tells.
  return named.length === 0 && wanted === undefined ? all.slice(0, 1) : named;
};

/** A device that took the place of another one has it where people answered for whom it works there. */
export const withPlace = (state: DeviceState, ended: readonly Track[]): DeviceState =>
  isTaker(state) && ended.some(({ finding }) => isStrange(finding)) ? withoutReplaced(state) : state;

/** Findings that hold what is seen against the reference, and those about a device nobody knew, or saw, before. */
const covers = (track: Track, facts: readonly FactName[] | undefined): boolean => {
  const { ruleId, state } = track.finding;
  if (state === 'provisional') return false;
  if (facts === undefined && (ruleId.startsWith('change.') || isAnswered(ruleId))) return true;
  return speaksOf(track, (inputs) => inputs.every(isAmong(facts)));
};

/** Whether it holds facts of the device against its reference, of which this is true. */
export const speaksOf = ({ finding }: Track, isMeant: (inputs: readonly FactName[]) => boolean): boolean => {
  const inputs = factsToApprove(finding);
  return inputs.length > 0 && isMeant(inputs);
};

/** What cannot be read any more is accepted with the device that closed it; but for pools also with the firmware that does not tell it. */
export const unreadableOf = (
  covered: readonly Track[],
  { unreadable, attested, reference }: Pick<DeviceState, 'unreadable' | 'attested' | 'reference'>,
): Pick<DeviceState, 'unreadable'> => {
  const missing = attested?.missing ?? [];
  const has = (isMeant: (id: string) => boolean): boolean => covered.some(({ finding }) => isMeant(finding.ruleId));
  if (has((id) => id === visibilityCoverageReduced.id)) {
    const [known, shown] = [keptFacts(reference?.facts).pools ?? [], keptFacts(attested?.facts).pools ?? []];
    return { unreadable: [...missing, ...(leavesOutUsers(known, shown) ? (['pools.user'] as const) : [])] };
  }
  if (!has(speaksOfFirmware)) return {};
  return { unreadable: [...new Set([...(unreadable ?? []), ...missing.filter((fact) => fact !== 'pools')])] };
};

const rank = ({ finding }: Track): number => SEVERITIES.indexOf(finding.severity);

/**
 * Nobody may settle the lesser matter while the greater one lies open (catalogue §3). Somebody who took note of it has not
 * settled it, and what is not confirmed yet may be graver than what is; what is waived was settled for a while, and what the plan
 * covers that covers this, too, was announced with it. Of many devices that a document speaks of the first one with such a finding is
 * named. `people`: how many approvals take at most.
 */
export const refuseWhileOpen = (
  state: DeviceState,
  covered: readonly Track[],
  by: keyof typeof OTHERWISE,
  people = 0,
): void => {
  const gravest = Math.max(0, ...covered.map(rank));
  const plans = new Set(covered.flatMap(({ finding }) => finding.plan ?? []));
  const others = state.tracks.filter(
    (track) =>
      !covered.includes(track) &&
      track.finding.state !== 'waived' &&
      !(track.finding.state !== 'provisional' && plans.has(track.finding.plan ?? -1)) &&
      // That less can be seen is no value which somebody could accept too early.
      (track.finding.state !== 'provisional' || COMPARISONS.some(({ id }) => id === track.finding.ruleId)) &&
      // What differs from a plan is settled with the finding that it is about.
      !track.finding.ruleId.startsWith('change.') &&
      ruleOf(track.finding.ruleId)?.approval !== 'A0' &&
      rank(track) >= gravest,
  );
  const [other] = others;
  if (other === undefined) return;
  const { ruleId, severity, state: life, openedSeq, parent } = other.finding;
  const number = openedSeq ?? parent;
  const show = `assayer findings show ${number}`;
  const isDocument = by === 'document';
  const isNeverCovered = endingOf(other.finding).kind === 'waive';
  const unclaimed = isDocument || life === 'provisional' ? undefined : unclaimedOf(state, other);
  const why =
    life === 'provisional'
      ? 'nothing covers it before it is confirmed'
      : `this ${isDocument ? by : 'acceptance'} does not cover it`;
  const otherwise = OTHERWISE[by](state, { all: [...covered, ...others], number, people });
  throw new AgentError({
    code: 'baseline.finding-open',
    message: `${state.id}: ${ruleId} (${severity}) is ${life} and ${why}`,
    remedy:
      life === 'provisional'
        ? 'wait for the next looks: they confirm it, or it goes away; then do this again'
        : ruleId === 'pool.outside-allowlist'
          ? 'put the pool on the list pools.allow, or set the device to a pool of the list, then do this again'
          : unclaimed !== undefined
            ? `what is attested leaves ${unclaimed} out: do this again when the device tells it (${show} has more)`
            : isNeverCovered
              ? `set the device right, or have it waived for a while (${show} has the line to type), then do this again`
              : `deal with that finding first (${show} says what ends it)${otherwise}`,
  });
};

/** What is to be settled, the number of the finding that is in the way, and how many people approvals take at most. */
interface InTheWay {
  readonly all: readonly Track[];
  readonly number: number | undefined;
  readonly people: number;
}

const OTHERWISE: {
  readonly [By in 'whole' | 'facts' | 'document']: (state: DeviceState, inTheWay: InTheWay) => string;
} = {
  whole: () => '',
  facts: () => ', or accept the whole device',
  document: ({ id }, inTheWay) => `${togetherText(id, inTheWay)}, or have one signed that leaves this device out`,
};

/** One document for all of it, where it can be approved; what nobody planned cannot afterwards, but in an emergency. */
const togetherText = (id: string, { all, number, people }: InTheWay): string => {
  if (!all.every(({ finding }) => factsToApprove(finding).length > 0)) return '';
  const facts = [...new Set(all.flatMap(({ finding }) => factsToApprove(finding)))];
  const line = exportLine({ named: word(id), facts, file: `finding-${number}` });
  const unplanned = people === 0 ? undefined : all.find(({ finding }) => isUnplanned(finding));
  if (unplanned === undefined) return `, or where all of it is meant have one document signed for all of it (${line})`;
  return `; ${unplanned.finding.ruleId} was not planned: treat it as an incident, and set the device back, or in an emergency have one document signed for all of it (${line}) and adopt that with --break-glass and --note, which is reported`;
};

const notAttested = ({ id }: DeviceState): AgentError =>
  new AgentError({
    code: 'baseline.not-attested',
    message: `${id}: there is no attestation of this device with claims to accept`,
    remedy: 'wait until the device was looked at: assayer status',
  });
