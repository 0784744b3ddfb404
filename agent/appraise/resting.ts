import type { FactName, Facts } from '../../shared/facts.ts';
import { canonicalJson } from '../../shared/jcs.ts';
import type { Plan } from '../../shared/terms.ts';
import { withoutOpen } from '../baseline/approved.ts';
import { changed, withKnownUsers } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { type Adopted, heldBy, type Standing } from '../baseline/standing.ts';
import { adoptedWith, attestedClaims, coveredBy, speaksOf } from './accept.ts';
import { describe, toleratedOf } from './approval.ts';
import type { DeviceState, Track } from './device.ts';
import { FIRMWARE_TEXTS } from './firmware.ts';
import { isFactOfTwo, takesTwo, wholeOf } from './who-approves.ts';

/**
 * What is right at a device only while a document says so. Who accepts the device, or a fact beside, would make it his own word, which
 * outlives the document: of what two people have to approve an acceptance adopts nothing that rests on one.
 */

/** What an acceptance would adopt that rests on documents in force. */
export interface Resting {
  /** Facts that are as a signed document has them, and as nothing below it does: left out, they stay what they were below it. */
  readonly leaves: readonly FactName[];
  /** Whether a part of what it adopts is as a document has it, and another part is not: no acceptance tells these apart. */
  readonly mixes: boolean;
}

/** By what this is judged. */
interface Judging {
  readonly standing: Standing;
  readonly nowMs: number;
}

/** What of this acceptance, of these facts or of the whole device, rests on documents. */
export const restingIn = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
  { standing, nowMs }: Judging,
): Resting => {
  const claims = attestedClaims(state);
  const adopted = (adoptedWith(state, wanted) ?? (Object.keys(claims) as FactName[])).filter(
    (fact) => isFactOfTwo(fact) && claims[fact] !== undefined,
  );
  const shown = compare(state, claims, { standing, nowMs });
  const leaves = adopted.filter((fact) => shown(fact) === 'rests');
  const covered = coveredBy(state, wanted).filter(({ finding }) => finding.plan === undefined);
  return {
    leaves: [...leaves, ...broughtWith(leaves, { adopted, covered })],
    mixes: adopted.includes('pools') && shown('pools') === 'mixed' && covered.some(isAbout('pools')),
  };
};

type Standpoint =
  /** It is as a document has it, and what is known below that has it otherwise; or a signed entry has it just so. */
  | 'rests'
  /** Documents have a part of it otherwise than it is known below them, and it is not as they have it either. */
  | 'mixed'
  | 'own';

const compare = (state: DeviceState, claims: Facts, { standing, nowMs }: Judging) => {
  const known = keptFacts(state.reference?.facts);
  const tolerated = toleratedOf(state, standing, known, claims, nowMs);
  const held = heldBy(standing, describe(state, claims), nowMs);
  const entries = state.reference?.entries ?? [];
  return (fact: FactName): Standpoint => {
    const { [fact]: was } = known;
    const { [fact]: allowed } = tolerated;
    const isSigned = holderOf(entries, fact)?.approval === 'signed';
    if (was !== undefined && !changed(fact, was, withKnownUsers(known, claims)[fact]))
      return isSigned ? 'rests' : 'own';
    const isByDocument = canonicalJson(was ?? null) !== canonicalJson(allowed ?? null);
    if (!isByDocument) return isSigned && fact === 'pools' ? 'mixed' : 'own';
    const now = withoutOpen(withKnownUsers(tolerated, claims)[fact], held.get(fact)?.items ?? []);
    return allowed === undefined || !changed(fact, allowed, now) ? 'rests' : 'mixed';
  };
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
