import { FACTS, type FactName } from '../../shared/facts.ts';
import { changed } from '../baseline/compared.ts';
import type { Standing } from '../baseline/standing.ts';
import { attestedClaims, coveredBy, withBrought } from './accept.ts';
import { approvedOf } from './approval.ts';
import type { DeviceState, Track } from './device.ts';
import { isKeyed, keyOf } from './keyed.ts';
import { factsToApprove } from './who-approves.ts';

/** A fact of which a signed document allows other values than the device shows: approved by the next version of that document. */
export interface HeldFact {
  readonly fact: FactName;
  /** `seq` of the entry that adopted the document. */
  readonly seq: number;
  readonly refId: string;
}

/** The first of these facts, and of those accepted along with them, that a document holds so; of all where none are named. */
export const heldOtherwise = (
  state: DeviceState,
  wanted: readonly FactName[] | undefined,
  { standing, nowMs }: { readonly standing: Standing; readonly nowMs: number },
): HeldFact | undefined => {
  const facts = withBrought(state, wanted);
  const observed = attestedClaims(state);
  const approved = approvedOf(state, standing, observed, nowMs);
  if (approved === undefined || approved.holders.size === 0) return undefined;
  const covered = coveredBy(state, facts);
  const isOther = (fact: FactName): boolean =>
    FACTS[fact].class === 'volatile'
      ? covered.some((track) => isFound(fact, track))
      : observed[fact] !== undefined && changed(fact, approved.facts[fact] ?? null, observed[fact]);
  const held = [...approved.holders].find(([fact]) => facts?.includes(fact) !== false && isOther(fact));
  if (held === undefined) return undefined;
  const [fact, { seqs }] = held;
  const document = standing.references.find(({ seq }) => seqs.includes(seq));
  return document === undefined ? undefined : { fact, seq: document.seq, refId: document.terms.ref_id };
};

/** What changes by itself no attestation keeps: that it is not where a document has it only its finding says. */
const isFound = (fact: FactName, { finding }: Track): boolean =>
  factsToApprove(finding).includes(fact) &&
  isKeyed(finding.after) &&
  finding.after.some(({ key }) => key === keyOf(fact));
