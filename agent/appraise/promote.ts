import type { FactName, Facts } from '../../shared/facts.ts';
import { namesRule, type Terms } from '../../shared/terms.ts';
import type { Absent } from '../baseline/absent.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { only, withEntry } from '../baseline/reference.ts';
import { type Adopted, countsFor, type Standing } from '../baseline/standing.ts';
import { attestedClaims, speaksOf, unreadableOf, withPlace } from './accept.ts';
import { approvedOf, describe } from './approval.ts';
import { factsAbout } from './claimed.ts';
import type { DeviceState, ReferenceEntry, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { heldAgainst, withoutFirstSeen } from './first-seen.ts';
import { isAboutPolicy, RULES } from './index.ts';
import { isKeyed, keyOf } from './keyed.ts';
import { runComparisons } from './outcome.ts';
import { openTooLong } from './plan-reach.ts';
import { ruleContextOf } from './run-rules.ts';
import { isOfRunning } from './still-shown.ts';
import { end } from './track.ts';
import { changesByItself } from './where-held.ts';
import {
  type Approvable,
  coverable,
  factsToApprove,
  hidesSight,
  isAnsweredBySignature,
  isFactOfTwo,
  needsMorePeople,
  takesTwo,
  wholeOf,
} from './who-approves.ts';
import { isApproved } from './wider.ts';

/** What the adoption of a document does to one device. */
export interface Promotion {
  readonly state: DeviceState;
  /** Findings that it ends as `approved`, to be stated. */
  readonly transitions: readonly Finding[];
}

/** What approvers signed of that which a device showed: all of it, or these facts. */
type Signed = 'device' | readonly FactName[];

/** What a document says of one device. */
export interface Said {
  readonly signed?: Signed | undefined;
  /** Facts of which it tells what they may be. */
  readonly values?: readonly FactName[];
}

/**
 * Findings that end when this is the reference of a device, by the document that makes it so: of those that would be found no more the
 * ones that it speaks of. What else is over the next looks say.
 */
export const settledBy = (
  state: DeviceState,
  standing: Standing,
  { nowMs, says, inDoubt = false }: { readonly nowMs: number; readonly says: Said; readonly inDoubt?: boolean },
): readonly Track[] =>
  foundNoMore(state, standing, { nowMs, signed: says.signed, inDoubt }).filter(({ finding }) => isSaid(finding, says));

/** Whether a document speaks of a finding: of one of the facts that it is about, or of all that the device shows. */
const isSaid = (finding: Finding, { signed, values = [] }: Said): boolean => {
  if (signed === 'device') return true;
  const facts = [...(signed ?? []), ...values];
  return factsAbout(finding).some((fact) => facts.includes(fact));
};

/**
 * Findings about what a device shows of which the next look would find nothing: the last attested values do not leave this reference.
 * Where approvers signed what the device showed, and it shows that still, they answered what is of other origin, too; and where they
 * signed all of it, what the device is. `inDoubt`: and findings of which nobody can tell, as what they are about is not read just now: who may
 * take them away is asked before that is known.
 */
const foundNoMore = (
  state: DeviceState,
  standing: Standing,
  {
    nowMs,
    signed,
    inDoubt,
  }: { readonly nowMs: number; readonly signed?: Signed | undefined; readonly inDoubt: boolean },
): readonly Track[] => {
  const open = state.tracks.filter(({ finding }) => finding.state !== 'provisional');
  if (open.length === 0) return [];
  const facts = inDoubt ? knownFacts(state) : shownFacts(state);
  const approved = approvedOf(state, standing, facts, nowMs);
  const held = heldAgainst(approved, state, standing, facts, nowMs);
  const context = ruleContextOf(state, state.address, facts, held, { nowMs });
  const outcomes = runComparisons(facts, new Map(), held?.facts, context);
  const isSigned = (finding: Approvable): boolean => speaksOfSigned(finding, signed, facts);
  const isAsSigned = outcomes.every(
    (one) => one.kind !== 'ran' || !isSigned({ ruleId: one.rule.id }) || one.deviations.length === 0,
  );
  return open.filter(({ finding, foundAt }) => {
    const { ruleId, part } = finding;
    if (isAnsweredBySignature(ruleId)) return signed === 'device' && isAsSigned;
    // What a document says of the device was so at the other address, too.
    if (foundAt !== undefined) return (signed === 'device' || isSigned(finding)) && isAsSigned;
    if (!holdsFacts(finding)) return false;
    // No list is at hand here, and none would approve anything.
    if (isAboutPolicy(ruleId))
      return isOfRunning(finding) ? isSigned(finding) && isAsSigned : isApproved(finding, { state, facts, approved });
    const outcome = outcomes.find((one) => one.rule.id === ruleId);
    if (outcome?.kind !== 'ran') return inDoubt;
    // The user of a slot that tells none may be the one that was found.
    const isUnseen = part !== undefined && outcome.sees?.(part) === false;
    return (inDoubt || !isUnseen) && !outcome.deviations.some((deviation) => deviation.part === part);
  });
};

/** What was attested last, with what findings tell of facts that no state keeps. */
const knownFacts = ({ attested, tracks }: DeviceState): Facts => ({
  ...keptFacts(attested?.facts),
  ...Object.fromEntries(tracks.flatMap(toldMoving)),
});

/** The same without pools that could not be read whole: what is known of them is not all that was found. */
const shownFacts = (state: DeviceState): Facts => {
  const facts = knownFacts(state);
  if (state.attested?.missing?.includes('pools') !== true) return facts;
  const { pools: _, ...others } = facts;
  return others;
};

/** What a finding tells of facts that change by themselves, where a document holds them all the same. */
const toldMoving = ({ finding }: Track): readonly (readonly [FactName, unknown])[] => {
  const { after } = finding;
  if (!isKeyed(after)) return [];
  const moving = factsAbout(finding).filter(changesByItself);
  return after.flatMap(({ key, value }) =>
    moving.filter((fact) => keyOf(fact) === key).map((fact) => [fact, value] as const),
  );
};

/** The findings that end when approvers sign what was attested of the device last: all of it, or these facts. */
export const settledBySigning = (
  state: DeviceState,
  facts: readonly FactName[] | undefined,
  { standing, nowMs }: { readonly standing: Standing; readonly nowMs: number },
): readonly Track[] => {
  const { attested } = state;
  if (attested?.seq === undefined) return [];
  const { absent = [] } = attested;
  const approved = withSignedEntry(state, attested.seq, attestedClaims(state), { absent, facts });
  return settledBy(approved, standing, { nowMs, says: { signed: facts ?? 'device' } });
};

const holdsFacts = (finding: Approvable): boolean => factsToApprove(finding).length > 0;

/** Whether approvers signed all that such a finding is about, as far as the device tells it. */
const speaksOfSigned = (finding: Approvable, signed: Signed | undefined, told: Facts): boolean => {
  const inputs = factsToApprove(finding);
  if (signed === undefined || signed === 'device') return signed === 'device' && inputs.length > 0;
  return (
    inputs.some((fact) => signed.includes(fact)) &&
    inputs.every((fact) => told[fact] === undefined || signed.includes(fact))
  );
};

/** The device with the claims of an attestation, or only `facts` of them, as its reference, which approvers signed for it. */
export const withSignedEntry = (
  state: DeviceState,
  seq: number,
  claims: Facts,
  { absent = [], facts }: { readonly absent?: Absent; readonly facts?: readonly FactName[] | undefined } = {},
): DeviceState => {
  const left = withoutFirstSeen(state, facts === undefined ? claims : only(claims, facts));
  const { unknownDevice: _, returned: __, edited: ___, ...rest } = left;
  const entry = { seq, approval: 'signed' as const, ...(facts === undefined ? {} : { facts }) };
  return {
    ...(facts === undefined ? rest : left),
    reference: withEntry(state.reference, entry, claims, { absent, standIns: stoodIn(state, claims) }),
  };
};

/** The facts of these claims that the device told from a stand-in: an attestation does not say so, and what tells the same is the same place. */
const stoodIn = ({ attested, reference }: DeviceState, claims: Facts): readonly FactName[] => {
  const now = comparedFacts(claims);
  const told = [attested, reference].flatMap((known) => {
    if (known?.standIns === undefined) return [];
    const facts = keptFacts(known.facts);
    return known.standIns.filter(
      (fact) => facts[fact] !== undefined && now[fact] !== undefined && !changed(fact, facts[fact], now[fact]),
    );
  });
  return [...new Set(told)];
};

/** What of an attestation a document approves: all that it claims, or these facts. */
interface SignedEntry {
  readonly claims: Facts;
  readonly absent: Absent;
  readonly facts?: readonly FactName[];
}

/**
 * A device as the adoption of a document leaves it, and the findings that it ends there. `seq`: the entry of the log that adopts it,
 * `entries`: those of the document that name the device, `standing`: what is in force with it, `inDoubt`: with those of which nobody can
 * tell whether it ends them.
 */
export const underDocument = (
  state: DeviceState,
  {
    seq,
    entries,
    ...document
  }: Pick<Adopted<Terms>, 'seq' | 'terms' | 'sha256'> & { readonly entries: readonly SignedEntry[] },
  {
    standing,
    nowMs,
    inDoubt = false,
  }: { readonly standing: Standing; readonly nowMs: number; readonly inDoubt?: boolean },
): { readonly state: DeviceState; readonly settled: readonly Track[] } => {
  const says = { signed: signedOf(entries), values: valuesFor(document, state) };
  const next = entries.reduce(
    (before, { claims, absent, facts }) => withSignedEntry(before, seq, claims, { absent, facts }),
    state,
  );
  return { state: next, settled: settledBy(next, standing, { nowMs, says, inDoubt }) };
};

/** The facts of this device of which a document tells values. */
const valuesFor = (
  { terms, sha256 }: Pick<Adopted<Terms>, 'terms' | 'sha256'>,
  state: DeviceState,
): readonly FactName[] =>
  terms.kind === 'reference' && countsFor({ terms, sha256 }, describe(state, {}))
    ? (terms.values ?? []).map(({ fact }) => wholeOf(fact) as FactName)
    : [];

const signedOf = (entries: readonly Pick<SignedEntry, 'facts'>[]): Signed | undefined => {
  if (entries.length === 0) return undefined;
  return entries.some(({ facts }) => facts === undefined) ? 'device' : entries.flatMap(({ facts = [] }) => facts);
};

/** Ends these findings as approved; the next full look is attested against the new reference. */
export const promote = (
  state: DeviceState,
  settled: readonly Track[],
  { by, nowMs }: { readonly by: string; readonly nowMs: number },
): Promotion => ({
  state: {
    ...withPlace(state, settled),
    referenceChanged: true,
    ...unreadableOf(settled, state),
    tracks: state.tracks.filter((track) => !settled.includes(track)),
    closed: state.closed.filter(({ finding }) => !settled.some((track) => track.finding.ruleId === finding.ruleId)),
    marks: { ...state.marks, settledPools: undefined, settledFull: undefined },
  },
  transitions: settled.flatMap(
    (track) => end({ ...track, finding: { ...track.finding, by } }, 'approved', nowMs).statement ?? [],
  ),
});

/**
 * Whether two people have to stand behind these terms: they speak of what only two, or a plan of theirs, may approve, or hide it, or
 * keep quiet for long who a device is and whether it is seen.
 */
export const wantsTwo = (terms: Terms): boolean => {
  if (terms.kind === 'plan' && openTooLong(terms) !== undefined) return true;
  if (terms.kind !== 'reference')
    return RULES.some(
      (rule) =>
        terms.ids.some((pattern) => namesRule(pattern, rule.id)) &&
        (takesTwo(coverable(rule, terms)) || hidesSight(rule, terms)),
    );
  if ((terms.entries ?? terms.admits) !== undefined) return true;
  return (terms.values ?? []).some(({ fact }) => isFactOfTwo(wholeOf(fact) as FactName));
};

/** What a device would lose with entries that are withdrawn. */
export interface Loss {
  /** Findings of two people, or of a plan, that would be seen no longer, or held against nothing. */
  readonly findings: readonly Track[];
  /** Facts that only two people, or a plan of theirs, may approve, and that nothing would hold: what shows next is learned. */
  readonly facts: readonly FactName[];
}

/** What this device loses where `after` is what is left of it, under the documents that are left. */
export const lossOf = (
  before: DeviceState,
  after: DeviceState,
  standing: { readonly before: Standing; readonly after: Standing },
  nowMs: number,
): Loss => {
  const seen = keptFacts(before.attested?.facts);
  const left = approvedOf(after, standing.after, seen, nowMs)?.facts ?? {};
  const held = approvedOf(before, standing.before, seen, nowMs)?.facts ?? {};
  const isLeft = (fact: FactName): boolean =>
    left[fact] !== undefined || after.reference?.absent?.includes(fact) === true;
  const facts = [...(Object.keys(held) as FactName[]), ...(before.reference?.absent ?? [])].filter(
    (fact) => !isLeft(fact) && isFactOfTwo(fact),
  );
  const gone = foundNoMore(after, standing.after, { nowMs, inDoubt: false });
  const maybeGone = foundNoMore(after, standing.after, { nowMs, inDoubt: true });
  const isHeldOtherwise = (fact: FactName): boolean => changed(fact, held[fact], left[fact]);
  const findings = before.tracks.filter(
    (track) =>
      needsMorePeople(track.finding) &&
      (gone.includes(track) ||
        (maybeGone.includes(track) && factsAbout(track.finding).some(isHeldOtherwise)) ||
        speaksOf(track, (inputs) => inputs.some((fact) => facts.includes(fact)))),
  );
  return { findings, facts };
};

/** The reference of a device from the entries that are left, oldest first, each with the facts it gives. */
export const rebuilt = (
  state: DeviceState,
  entries: readonly { readonly entry: ReferenceEntry; readonly claims: Facts; readonly absent: Absent }[],
): DeviceState => {
  const { reference: before, ...rest } = state;
  let next: DeviceState = rest;
  for (const { entry, claims, absent } of entries)
    next = {
      ...next,
      reference: withEntry(next.reference, entry, claims, { absent, standIns: stoodIn(state, claims) }),
    };
  const unrecorded = before?.unrecorded;
  return {
    ...next,
    ...(next.reference === undefined || unrecorded === undefined
      ? {}
      : { reference: { ...next.reference, unrecorded } }),
    referenceChanged: true,
    marks: { ...state.marks, settledPools: undefined, settledFull: undefined },
  };
};

/** Whether the terms may hold pool users, which an operator may want published as digests only. */
export const namesUsers = (terms: Terms): boolean => {
  const values = terms.kind === 'reference' ? terms.values : terms.kind === 'plan' ? terms.expected_after : undefined;
  return (values ?? []).some(({ fact }) => fact === 'pools.user' || wholeOf(fact) === 'pools' || fact === 'live_pools');
};
