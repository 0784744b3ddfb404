import type { FactName, Facts } from '../../shared/facts.ts';
import { type Absent, absentMember } from '../baseline/absent.ts';
import type { Approved } from '../baseline/approved.ts';
import { changed, changedFacts, comparedFacts, newFacts } from '../baseline/compared.ts';
import { type KeptFacts, keepFacts, keptFacts, NO_FACTS } from '../baseline/kept.ts';
import { citedReference, isCommissioned, withoutLater } from '../baseline/reference.ts';
import type { Observation } from '../normalise/observation.ts';
import { absencesIn, isAbsent } from './absences.ts';
import { speaksOf, unclaimedOf } from './accept.ts';
import type { Advanced } from './advance.ts';
import { isNamedAnew } from './approval.ts';
import { checksOf } from './checks.ts';
import { type Attested, type DeviceState, orNone, type Reference, type Track } from './device.ts';
import type { Finding, Trigger } from './finding.ts';
import { isOtherFirmware } from './first-seen.ts';
import { nextAtMs, nextLook } from './next-look.ts';
import type { Outcome } from './outcome.ts';
import { heldAgainstLists, underList } from './raised.ts';
import { isStrange, isTaker } from './replaced.ts';
import { identityDeviceMissing } from './rules/identity-device-missing.ts';
import { saysRefused } from './rules/visibility-coverage-reduced.ts';
import { saysDark } from './rules/visibility-device-dark.ts';
import { clearSettled, settle } from './settled.ts';
import { end, isUndecided, quietAtMs } from './track.ts';
import type { LookContext, Verdict } from './verdict.ts';

/** Facts that differ from the last attestation, with their values, as text; undefined when none does. */
export const unattestedFacts = ({ attested }: DeviceState, facts: Facts): string | undefined => {
  if (attested === undefined || attested.facts === NO_FACTS) return undefined;
  const now = comparedFacts(facts);
  const names = changedFacts(keptFacts(attested.facts), now);
  return names.length === 0 ? undefined : JSON.stringify(names.map((name) => [name, now[name]]));
};

/** Which documents hold facts of the device, as text; undefined where none does. */
export const documentsText = (approved: Approved | undefined): string | undefined =>
  approved === undefined || approved.holders.size === 0
    ? undefined
    : [...new Set([...approved.holders.values()].flatMap(({ seqs }) => seqs))].sort((a, b) => a - b).join();

/**
 * Why a full look must be attested, if it must. What is not confirmed waits, but not for it the first sight: whoever looks until then
 * would have nothing to hold the device against.
 */
export const triggerOf = (
  state: DeviceState,
  unseen: string | undefined,
  advanced: Advanced,
  documents: string | undefined,
  { facts, nowMs, refreshDueMs, demanded }: LookContext & { readonly facts: Facts },
): Trigger | undefined => {
  const first = (state.attested?.facts ?? NO_FACTS) === NO_FACTS;
  if (first) return 'first';
  if (advanced.confirmed) return 'change';
  if (state.tracks.some(isUndecided)) return undefined;
  if (state.referenceChanged === true || state.attested?.reachable !== true) return 'change';
  if (state.relabelled === true || documents !== state.attested.documents) return 'change';
  if (tellsWhatIsOpen(state, facts)) return 'change';
  if (unseen !== undefined) return unseen === state.unattested ? 'change' : undefined;
  if (demanded === true) return 'demand';
  return nowMs >= (refreshDueMs ?? Number.POSITIVE_INFINITY) ? 'refresh' : undefined;
};

/** The look tells what an open finding is about and the last attestation left out: nobody can accept it before it is attested. */
const tellsWhatIsOpen = (state: DeviceState, facts: Facts): boolean => {
  const told = state.attested?.missing?.filter((fact) => facts[fact] !== undefined) ?? [];
  return told.length > 0 && state.tracks.some((track) => told.some((fact) => fact === unclaimedOf(state, track)));
};

interface Judged {
  /** As documents were asked about it. */
  readonly noted: DeviceState;
  readonly facts: Facts;
  readonly standIns: Observation['standIns'];
  readonly approved: Approved | undefined;
  readonly outcomes: readonly Outcome[];
  readonly advanced: Advanced;
  /** As it came, for the next to be the same. */
  readonly observation: Observation;
  readonly context: LookContext;
  /** Another look has to say what came with its version. */
  readonly isUpdating: boolean;
  readonly stale?: true;
}

/** The verdict that this look is attested. Nothing is learned of a look at the pools alone. */
export const attest = (
  judged: DeviceState,
  trigger: Trigger,
  { noted, facts, standIns, approved, outcomes, advanced, observation, context, isUpdating, stale }: Judged,
): Verdict => {
  const isFull = observation.look === 'full';
  // Where no full look can be had a device that was dark still is.
  const lit = isFull ? withoutDark(judged, context.nowMs) : { state: judged, statements: [] };
  const reference = citedReference(
    judged.reference,
    outcomes.flatMap((outcome) => (outcome.kind === 'ran' ? outcome.facts : [])),
    approved?.holders,
  );
  const learn = isFull ? learnable(judged, facts, isTaker(judged) || outcomes.some(saysStrange)) : undefined;
  const { referenceChanged: _, unattested: __, relabelled: ___, ...rest } = lit.state;
  const documents = documentsText(approved);
  const attested = {
    ...attestedOf(judged.attested, { ...observation, facts, standIns }, judged.reference, context.nowMs),
    ...(documents === undefined ? {} : { documents }),
    ...heldAgainstLists(outcomes, judged.tracks),
    ...underList(judged, context.allow),
  };
  const state: DeviceState = {
    ...rest,
    attested,
    ...(learn === undefined ? {} : { reference: learned(judged.reference, learn, facts, attested) }),
  };
  clearSettled(state);
  const atMs = nextAtMs(state, undefined, { ...advanced, waiting: [] }, isUpdating, context);
  // What was learned just now was held against nothing yet, nor was what other documents hold it to from now on.
  if (atMs === undefined && learn !== 'all' && !isNamedAnew(noted, state, facts)) settle(state, observation, context);
  return {
    state,
    changed: true,
    transitions: [...advanced.statements, ...lit.statements],
    attest: trigger,
    checks: checksOf(outcomes, state.tracks),
    ...(reference === undefined ? {} : { reference }),
    ...(learn === undefined ? {} : { learn }),
    ...(stale === undefined ? {} : { stale }),
    ...nextLook(state, atMs, context),
  };
};

/** An attestation with claims shows that the device is back. */
const withoutDark = (
  state: DeviceState,
  nowMs: number,
): { readonly state: DeviceState; readonly statements: readonly Finding[] } => {
  // One that comes and goes stays open until it was quiet for an hour.
  const over = state.tracks.filter((track) => saysUnseen(track) && quietAtMs(track) === undefined);
  if (over.length === 0) return { state, statements: [] };
  const steps = over.map((track) => end(track, 'resolved', nowMs));
  return {
    state: {
      ...state,
      tracks: orNone(state.tracks.filter((track) => !over.includes(track))),
      closed: [...state.closed, ...steps.flatMap(({ ended }) => ended ?? [])],
    },
    statements: steps.flatMap(({ statement }) => statement ?? []),
  };
};

const saysUnseen = ({ finding }: Track): boolean =>
  saysDark(finding) || saysRefused(finding) || finding.ruleId === identityDeviceMissing.id;

/** What could not be read keeps its last known value, so that reading it again is no change. */
const attestedOf = (
  before: Attested | undefined,
  { facts, standIns, gaps, noPools }: Pick<Observation, 'facts' | 'standIns' | 'gaps' | 'noPools'>,
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
    ...absentMember(absencesIn((name) => isAbsent(name, { facts, gaps, noPools }) && known[name] === undefined)),
    ...standInsOf([
      ...[...standIns.keys()].filter((name) => facts[name] !== undefined),
      ...missing.filter((name) => before?.standIns?.includes(name) === true),
    ]),
  };
};

/** The equal text that is held already, so that memory holds it once. */
const shared = (facts: KeptFacts, ...others: readonly (KeptFacts | undefined)[]): KeptFacts =>
  others.find((other) => other === facts) ?? facts;

const standInsOf = (names: readonly FactName[]): Pick<Attested, 'standIns'> =>
  names.length === 0 ? {} : { standIns: names };

/**
 * Facts that the reference lacks, or that no entry names. Another machine's, or another firmware's, are not learned into it,
 * nor what it says there was none of under its own version, nor what a finding speaks of: a reference that was withdrawn, or left behind
 * under a former name, makes nothing good. Strange pools never are.
 */
const learnable = (state: DeviceState, facts: Facts, strange: boolean): readonly FactName[] | 'all' | undefined => {
  const { reference, tracks } = state;
  // What another version tells where there was none is held against from then on.
  const isSame = !isOtherFirmware(facts, keptFacts(reference?.facts));
  const isWithheld = (fact: FactName): boolean =>
    (strange && fact === 'pools') ||
    (isSame && reference?.absent?.includes(fact) === true) ||
    tracks.some((track) => speaksOf(track, (inputs) => inputs.includes(fact)));
  const now = comparedFacts(facts);
  const known = keptFacts(reference?.facts);
  const unnamed = reference?.carried?.filter((fact) => isUnchanged(known, now, fact)) ?? [];
  // Pools, or their users, that show where people approved the device without any are a finding: nobody approved them.
  const isTheirs = (fact: FactName): boolean => fact === 'pools' && isCommissioned(reference);
  const names = [...newFacts(known, now).filter((fact) => !isTheirs(fact)), ...unnamed];
  const free = names.filter((fact) => !isWithheld(fact));
  // Nothing is withheld, and no entry of this device would be overruled.
  const isFresh = reference === undefined || isAsBefore(reference, unnamed);
  if (isFresh && !strange && free.length === names.length) return 'all';
  if (reference !== undefined && tracks.some(({ finding }) => FOREIGN.has(finding.ruleId))) return undefined;
  return free.length === 0 ? undefined : free;
};

/** The look shows pools for which the device that this one replaced did not work. */
const saysStrange = (outcome: Outcome): boolean => outcome.kind === 'ran' && outcome.deviations.some(isStrange);

/** All that was known under a former name shows as it was. */
const isAsBefore = ({ entries, unrecorded, carried }: Reference, unnamed: readonly FactName[]): boolean =>
  entries.length === 0 && unrecorded === undefined && carried?.length === unnamed.length;

const isUnchanged = (known: Facts, now: Facts, fact: FactName): boolean =>
  now[fact] !== undefined && known[fact] !== undefined && !changed(fact, known[fact], now[fact]);

const FOREIGN = new Set(['firmware.family-changed', 'identity.hardware-swapped']);

const onceMember = (names: Absent = []): Pick<Reference, 'absentOnce'> =>
  names.length === 0 ? {} : { absentOnce: names };

const learned = (
  reference: Reference | undefined,
  learn: readonly FactName[] | 'all',
  facts: Facts,
  attested: Attested,
): Reference => {
  if (learn === 'all')
    return {
      entries: [],
      unrecorded: [{ facts: 'all' }],
      facts: attested.facts,
      ...absentMember(reference?.absent),
      ...onceMember(attested.absent?.filter((name) => reference?.absent?.includes(name) !== true)),
      ...standInsOf(attested.standIns ?? []),
    };
  const { carried, ...held } = reference ?? { entries: [], facts: NO_FACTS, ...onceMember(attested.absent) };
  const unnamed = carried?.filter((fact) => !learn.includes(fact)) ?? [];
  const known = keptFacts(held.facts);
  const now = comparedFacts(facts);
  const added = Object.fromEntries(learn.map((name) => [name, now[name]]));
  const stoodIn = attested.standIns?.filter((name) => learn.includes(name)) ?? [];
  const first = learn.filter((name) => known[name] === undefined);
  return {
    ...held,
    entries: withoutLater(held.entries, first),
    unrecorded: [...(held.unrecorded ?? []), { facts: learn }],
    facts: shared(keepFacts({ ...known, ...added }), attested.facts),
    ...(unnamed.length === 0 ? {} : { carried: unnamed }),
    ...standInsOf([...new Set([...(held.standIns ?? []), ...stoodIn])]),
  };
};
