import { AgentError } from '../platform/errors.ts';
import type { Track } from './device.ts';
import { type Finding, noteOf } from './finding.ts';
import { ruleOf } from './index.ts';
import { end, seconds, tell } from './track.ts';

/** What a person does with a finding that is not an approval: takes note of it, or closes the incident. */
export interface Review {
  readonly action: 'acknowledge' | 'close';
  readonly by: string;
  /** Why; an incident is closed with a reason. */
  readonly note?: string;
}

/** The track after the review, none where it ended, and what is to be stated. */
export interface Reviewed {
  readonly track?: Track;
  readonly ended?: Track;
  readonly statement: Finding;
}

/** One that `requireReviewable` lets through. */
export const reviewTrack = (track: Track, review: Review, nowMs: number): Reviewed => {
  const finding = reviewedFinding(track.finding, review, nowMs);
  if (review.action === 'acknowledge') return tell({ ...track, finding }, nowMs);
  const { ended, statement } = end({ ...track, finding }, 'incident-closed', nowMs);
  return { ...(ended === undefined ? {} : { ended }), statement: statement ?? finding };
};

/** Throws `finding.still-seen` where an incident is to be closed that the device still shows, and that can be approved. */
export const requireReviewable = ({ finding, clear }: Track, { action }: Review): void => {
  if (action === 'close' && clear === 0 && ruleOf(finding.ruleId)?.approval !== 'AN') throw stillSeen(finding);
};

/** The finding with the person and the reason; still open where its end is stated apart. */
export const reviewedFinding = (
  { note: _, ...finding }: Finding,
  { action, by, note }: Review,
  nowMs: number,
): Finding => ({
  ...finding,
  ...(action === 'acknowledge' ? { acknowledgedAt: seconds(nowMs) } : {}),
  ...(action === 'acknowledge' && finding.state === 'open' ? { state: 'acknowledged' as const } : {}),
  by,
  ...(note === undefined ? {} : { note: { by, text: note } }),
});

/** Whether the same person took note of it before, and says nothing else of it now. */
export const isAcknowledged = (finding: Finding, { action, by, note }: Review): boolean =>
  action === 'acknowledge' &&
  finding.state === 'acknowledged' &&
  finding.by === by &&
  (note === undefined || note === noteOf(finding));

const stillSeen = ({ ruleId }: Finding): AgentError =>
  new AgentError({
    code: 'finding.still-seen',
    message: `${ruleId}: the device still shows it`,
    remedy: 'assayer findings show says what ends it',
  });
