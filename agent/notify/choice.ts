import { SEVERITIES } from '../appraise/finding.ts';
import type { Skipped, StatedFinding, Transition } from './feed.ts';
import type { Target } from './target.ts';

const ENDS: ReadonlySet<StatedFinding['state']> = new Set(['approved', 'resolved', 'incident-closed']);

/** The finding is over with this transition. */
export const isEnd = ({ state }: StatedFinding): boolean => ENDS.has(state);

/** Whether a target is told of this. `known`: it was told of the finding before, and hears of it to its end, however harmless that is. */
export const isFor = (
  { least, states, ids }: Pick<Target, 'least' | 'states' | 'ids'>,
  finding: StatedFinding,
  known: boolean,
): boolean => {
  if (finding.confirmed_at === undefined) return false;
  if (!known && SEVERITIES.indexOf(finding.severity) < SEVERITIES.indexOf(least)) return false;
  if (states !== undefined && !states.includes(finding.state)) return false;
  return ids === undefined || ids.some((id) => id === finding.id || id === `${finding.id.split('.')[0]}.*`);
};

/** What was passed over, and one more. `known`: the target was told of the finding. */
export const withSkipped = (before: Skipped | undefined, { iat, finding }: Transition, known: boolean): Skipped => ({
  count: (before?.count ?? 0) + 1,
  bySeverity: { ...before?.bySeverity, [finding.severity]: (before?.bySeverity[finding.severity] ?? 0) + 1 },
  fromAt: Math.min(before?.fromAt ?? iat, iat),
  toAt: Math.max(before?.toAt ?? iat, iat),
  ended: [...(before?.ended ?? []), ...(known && isEnd(finding) ? [finding.opened_seq] : [])],
});
