import type { FactName, Facts } from '../../shared/facts.ts';
import type { Plan } from '../../shared/terms.ts';
import { changed, partsOf, withKnownUsers } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { type Adopted, heldBy, type Standing } from '../baseline/standing.ts';
import { adoptedWith, attestedClaims, coveredBy, speaksOf } from './accept.ts';
import { describe, toleratedOf } from './approval.ts';
import type { DeviceState, Track } from './device.ts';
import { FIRMWARE_TEXTS } from './firmware.ts';
import { runComparisons } from './outcome.ts';
import { ruleContextOf } from './run-rules.ts';
import { isFactOfTwo, takesTwo, wholeOf } from './who-approves.ts';

/**
 * What is right at a device only while a document says so. Who accepts the device, or a fact beside, would make it his own word, which
 * outlives the document: of what two people have to approve an acceptance adopts nothing that rests on one.
 */

/** What an acceptance would adopt that rests on documents in force. */
export interface Resting {
  /** Facts that are left out: they stay what they were below the documents. */
  readonly leaves: readonly FactName[];
  /** Whether a finding which ends speaks of a list of which a part rests on a document, and another part does not: no acceptance tells these apart. */
  readonly mixes: boolean;
}

/** By what this is judged. */
export interface Judging {
  readonly standing: Standing;
  readonly nowMs: number;
  /** The facts of the reference of a device without what approvers signed for it; undefined where it has none then. */
  readonly unsigned: (state: DeviceState) => Facts | undefined;
}

/** What of this acceptance, of these facts or of the whole device, rests on documents. */
export const restingIn = (state: DeviceState, wanted: readonly FactName[] | undefined, judging: Judging): Resting => {
  const claims = attestedClaims(state);
  const adopted = (adoptedWith(state, wanted) ?? (Object.keys(claims) as FactName[])).filter(
    (fact) => isFactOfTwo(fact) && claims[fact] !== undefined,
  );
  const standpoint = standpoints(state, claims, judging);
  const covered = coveredBy(state, wanted);
  const mixed = adopted.filter((fact) => standpoint(fact) === 'mixed');
  const asked = mixed.filter((fact) => covered.some(isAbout(fact)));
  const leaves = adopted.filter(
    (fact) => standpoint(fact) === 'rests' || (mixed.includes(fact) && !asked.includes(fact)),
  );
  return { leaves: [...leaves, ...broughtWith(leaves, { adopted, covered })], mixes: asked.length > 0 };
};

type Standpoint =
  /** All of it is as documents have it, and below them it is what only two people could make of it. */
  | 'rests'
  /** So is a part of it, and another part is as nothing has it. */
  | 'mixed'
  | 'own';

const standpoints = (state: DeviceState, claims: Facts, judging: Judging): ((fact: FactName) => Standpoint) => {
  const { standing, nowMs } = judging;
  const known = keptFacts(state.reference?.facts);
  const tolerated = toleratedOf(state, standing, known, claims, nowMs);
  const held = heldBy(standing, describe(state, claims), nowMs);
  const entries = state.reference?.entries ?? [];
  return (fact) => {
    const { [fact]: was } = known;
    const seen = withKnownUsers(known, claims)[fact];
    const isSigned = holderOf(entries, fact)?.approval === 'signed';
    const isSame = was !== undefined && !changed(fact, was, seen);
    if (isSigned && isSame) return 'rests';
    const isHeld = held.has(fact) || tolerated[fact] !== undefined;
    const allowed = isHeld ? withOpen(tolerated[fact], was, seen) : was;
    const isByDocument = was === undefined ? isHeld : changed(fact, was, allowed);
    // Of a value that is no list another one is all of it another one.
    if (!isByDocument && !(isSigned && Array.isArray(was))) return 'own';
    const below = isSigned ? judging.unsigned(state) : known;
    if (!takesMore(fact, { below, allowed, state, nowMs })) return 'own';
    return changed(fact, allowed, seen) ? 'mixed' : 'rests';
  };
};

/** What documents allow, with what they leave open as it is seen: all of it, or the named parts of a list that they take out. */
const withOpen = (tolerated: unknown, was: unknown, seen: unknown): unknown => {
  if (tolerated === undefined) return seen;
  if (!Array.isArray(tolerated) || !Array.isArray(was) || !Array.isArray(seen)) return tolerated;
  const [before, left] = [partsOf(was), partsOf(tolerated)];
  const isOpen = (part: unknown): boolean =>
    [...partsOf([part]).keys()].some((name) => before.has(name) && !left.has(name));
  return [...tolerated, ...seen.filter(isOpen)];
};

const NOTHING: ReadonlyMap<FactName, never> = new Map<FactName, never>();

/** Whether it takes two people to make this value of what stands below the documents. */
const takesMore = (
  fact: FactName,
  {
    below,
    allowed,
    state,
    nowMs,
  }: {
    readonly below: Facts | undefined;
    readonly allowed: unknown;
    readonly state: DeviceState;
    readonly nowMs: number;
  },
): boolean => {
  if (below?.[fact] === undefined) return true;
  const facts: Facts = { ...below, [fact]: allowed };
  const held = { facts: below, holders: NOTHING, classes: NOTHING };
  // As if people stood behind all that lies below the documents.
  const known = { ...ruleContextOf(state, state.address, facts, held, { nowMs }), accepted: () => below };
  const context = { ...known, commissioned: true };
  return runComparisons(facts, new Map(), below, context).some(
    (outcome) =>
      outcome.kind === 'ran' &&
      outcome.deviations.some(({ reasons }) =>
        takesTwo({ ruleId: outcome.rule.id, ...(reasons === undefined ? {} : { reasons }) }),
      ),
  );
};

/** What came with a version, or family, that is left out belongs to that, where no finding which ends speaks of it. */
const broughtWith = (
  leaves: readonly FactName[],
  { adopted, covered }: { readonly adopted: readonly FactName[]; readonly covered: readonly Track[] },
): readonly FactName[] =>
  leaves.some((fact) => OF_VERSION.includes(fact))
    ? adopted.filter((fact) => BROUGHT.includes(fact) && !leaves.includes(fact) && !covered.some(isAbout(fact)))
    : [];

const OF_VERSION: readonly FactName[] = ['family', ...FIRMWARE_TEXTS];
const BROUGHT: readonly FactName[] = [...OF_VERSION, 'firmware.components', 'firmware.medium'];

const isAbout =
  (fact: FactName) =>
  (track: Track): boolean =>
    speaksOf(track, (inputs) => inputs.includes(fact));

/**
 * Whether this acceptance has a part in what two people have to approve and a plan covers for a while only: a curtailment, or a value
 * with an end. Accepted, it would stay.
 */
export const wantsForGood = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
  { plans }: Pick<Standing, 'plans'>,
): boolean => {
  const adopted = adoptedWith(state, wanted);
  return state.tracks.some((track) => {
    const plan = plans.find(({ seq }) => seq === track.finding.plan);
    return (
      plan !== undefined &&
      takesTwo(track.finding) &&
      speaksOf(track, (inputs) => inputs.some((fact) => adopted?.includes(fact) !== false) && ends(plan, inputs))
    );
  });
};

const ends = ({ terms }: Adopted<Plan>, inputs: readonly FactName[]): boolean =>
  terms.type === 'curtailment' ||
  (terms.expected_after ?? []).some(
    ({ fact, until_at: until }) => until !== undefined && inputs.some((input) => input === wholeOf(fact)),
  );
