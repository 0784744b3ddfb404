import type { FactName, Facts } from '../../shared/facts.ts';
import type { AttestationStatement } from '../../shared/statement.ts';
import { approvedOf } from '../appraise/approval.ts';
import type { DeviceState } from '../appraise/device.ts';
import { COMPARED_WHERE_HELD } from '../appraise/where-held.ts';
import { valueAt } from '../baseline/claims.ts';
import { changed } from '../baseline/compared.ts';
import type { Difference } from '../baseline/reference.ts';
import type { Standing } from '../baseline/standing.ts';
import type { Store } from '../record/store.ts';

/** What changes by itself and a document holds all the same: no state keeps it, so that it is read from the log where somebody asks. */

/** What documents in force hold, when that is asked, and the log. */
export interface Watching {
  readonly standing: Standing;
  readonly nowMs: number;
  readonly store: Pick<Store, 'entry'>;
}

/** Such facts as the newest attestation of the device claims them. */
export const watchedClaims = (
  { attested }: Pick<DeviceState, 'attested'>,
  { standing: { watched }, store }: Pick<Watching, 'standing' | 'store'>,
): Facts => {
  const entry = watched.size === 0 || attested?.seq === undefined ? undefined : store.entry(attested.seq);
  if (entry?.kind !== 'attestation') return {};
  // Our own statement.
  const { evidence } = JSON.parse(Buffer.from(entry.message).toString()) as AttestationStatement;
  const values = [...watched].map((fact) => [fact, valueAt(evidence.claims ?? {}, fact)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Facts;
};

/** Those that are not as a document has them, of the facts that rules compare where one does. */
export const watchedDifferences = (state: DeviceState, watching: Watching): readonly Difference[] => {
  const claims = watchedClaims(state, watching);
  const names = (Object.keys(claims) as FactName[]).filter((fact) => COMPARED_WHERE_HELD.has(fact));
  if (names.length === 0) return [];
  const approved = approvedOf(state, watching.standing, claims, watching.nowMs);
  return names.flatMap((fact): readonly Difference[] => {
    const [before, after] = [approved?.facts[fact], claims[fact]];
    const isHeld = approved?.holders.has(fact) === true && before !== undefined && after !== undefined;
    return isHeld && changed(fact, before, after) ? [{ fact, before, after } as Difference] : [];
  });
};
