import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import { approvedFacts, withoutOpen } from '../baseline/approved.ts';
import { changed } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { type Held, heldBy, type Standing } from '../baseline/standing.ts';
import { attestedClaims, coveredBy, withBrought } from './accept.ts';
import { circumstancesOf, describe } from './approval.ts';
import type { DeviceState, Track } from './device.ts';
import { isKeyed, keyOf } from './keyed.ts';
import { factsToApprove, wholeOf } from './who-approves.ts';

/** A fact of which a signed document allows, or approved, other values than the device shows: approved by its next version. */
export interface HeldFact {
  readonly fact: FactName;
  /** `seq` of the entry that adopted the document. */
  readonly seq: number;
  readonly refId: string;
}

/**
 * The first of these facts, and of those accepted along with them, that a document holds so; of all where none are named. Of the pools a
 * document that tells one column holds nothing else, and of what a device showed when it was signed only facts that it names: of a device
 * that was signed as a whole nobody signed each value.
 */
export const heldOtherwise = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
  { standing, nowMs }: { readonly standing: Standing; readonly nowMs: number },
): HeldFact | undefined => {
  const facts = withBrought(state, wanted);
  const observed = attestedClaims(state);
  const covered = coveredBy(state, facts);
  for (const [name, document] of heldBy(standing, describe(state, observed), nowMs)) {
    const whole = wholeOf(name);
    if (!Object.hasOwn(FACTS, whole)) continue;
    const fact = whole as FactName;
    if (facts?.includes(fact) === false || !isOther({ name, fact, document }, { state, observed, covered, nowMs }))
      continue;
    return { fact, seq: document.seq, refId: document.refId };
  }
  return namedOtherwise(state, facts, observed, standing);
};

/** The first of these facts that approvers signed by its name as the device showed it, and that it shows otherwise. */
const namedOtherwise = (
  { reference }: DeviceState,
  wanted: readonly FactName[] | undefined,
  observed: Facts,
  { references }: Standing,
): HeldFact | undefined => {
  const entries = reference?.entries ?? [];
  const known: { readonly [fact: string]: unknown } = keptFacts(reference?.facts);
  for (const entry of entries) {
    const document = references.find(({ seq }) => seq === entry.seq);
    if (entry.approval !== 'signed' || document === undefined) continue;
    const fact = entry.facts?.find(
      (one) =>
        wanted?.includes(one) !== false &&
        holderOf(entries, one) === entry &&
        observed[one] !== undefined &&
        changed(one, known[one] ?? null, observed[one]),
    );
    if (fact !== undefined) return { fact, seq: entry.seq, refId: document.terms.ref_id };
  }
  return undefined;
};

/** What one document says of one fact, or of one column of the pools. */
interface Saying {
  readonly name: string;
  readonly fact: FactName;
  readonly document: Held;
}

interface Shown {
  readonly state: DeviceState;
  readonly observed: Facts;
  readonly covered: readonly Track[];
  readonly nowMs: number;
}

const isOther = ({ name, fact, document }: Saying, { state, observed, covered, nowMs }: Shown): boolean => {
  const { [fact]: seen } = observed;
  const entries = state.reference?.entries ?? [];
  // Over what is seen itself, so that nothing differs but what the document does not allow.
  const { facts: allowed, holders } = approvedFacts(
    observed,
    new Map([[name, document]]),
    observed,
    circumstancesOf(state, observed, nowMs),
    (one) => holderOf(entries, one),
  );
  if (!holders.has(fact)) return false;
  if (FACTS[fact].class === 'volatile') return covered.some((track) => isFound(fact, track));
  if (seen === undefined) return false;
  const isShorter = name !== fact && saysMore(document, seen);
  return isShorter || changed(fact, allowed[fact] ?? null, withoutOpen(seen, document.items));
};

/** A column that is told slot by slot tells more of them than are seen. */
const saysMore = ({ items }: Held, seen: unknown): boolean =>
  Array.isArray(seen) &&
  items.some((item) => item.class === 'exact' && Array.isArray(item.value) && item.value.length > seen.length);

/** What changes by itself no attestation keeps: that it is not where a document has it only its finding says. */
const isFound = (fact: FactName, { finding }: Track): boolean =>
  factsToApprove(finding).includes(fact) &&
  isKeyed(finding.after) &&
  finding.after.some(({ key }) => key === keyOf(fact));
