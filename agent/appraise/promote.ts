import type { FactName, Facts } from '../../shared/facts.ts';
import { namesRule, type Terms } from '../../shared/terms.ts';
import type { Absent } from '../baseline/absent.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { only, withEntry } from '../baseline/reference.ts';
import type { Standing } from '../baseline/standing.ts';
import { attestedClaims, speaksOf, unreadableOf, withPlace } from './accept.ts';
import { approvedOf } from './approval.ts';
import type { DeviceState, ReferenceEntry, Track } from './device.ts';
import type { Finding } from './finding.ts';
import { heldAgainst, withoutFirstSeen } from './first-seen.ts';
import { isAboutPolicy, RULES } from './index.ts';
import { runComparisons } from './outcome.ts';
import { openTooLong } from './plan-reach.ts';
import { ruleContextOf } from './run-rules.ts';
import { isOfRunning } from './still-shown.ts';
import { end } from './track.ts';
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
export type Signed = 'device' | readonly FactName[];

/**
 * Findings about what a device shows that end when this becomes its reference: the last attested values no longer leave it.
 * Where approvers signed what the device showed, and it shows that still, they answered what is of other origin, too; and where they
 * signed all of it, what the device is.
 */
export const settledBy = (
  state: DeviceState,
  standing: Standing,
  { nowMs, signed }: { readonly nowMs: number; readonly signed?: Signed | undefined },
): readonly Track[] => {
  const open = state.tracks.filter(({ finding }) => finding.state !== 'provisional');
  if (open.length === 0) return [];
  const facts = keptFacts(state.attested?.facts);
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
    return outcome?.kind === 'ran' && !outcome.deviations.some((deviation) => deviation.part === part);
  });
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
  return settledBy(approved, standing, { nowMs, signed: facts ?? 'device' });
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

/** What is signed of a device that entries of a document name. */
export const signedOf = (entries: readonly { readonly facts?: readonly FactName[] }[]): Signed | undefined => {
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
  const gone = settledBy(after, standing.after, { nowMs });
  const findings = before.tracks.filter(
    (track) =>
      needsMorePeople(track.finding) &&
      (gone.includes(track) || speaksOf(track, (inputs) => inputs.some((fact) => facts.includes(fact)))),
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
