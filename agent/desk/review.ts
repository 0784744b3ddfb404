import type { DeviceState } from '../appraise/device.ts';
import { isAcknowledged, type Review, requireReviewable } from '../appraise/review.ts';
import { AgentError } from '../platform/errors.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Store } from '../record/store.ts';

/** What the review of one finding touched. */
export interface ReviewResult {
  readonly opened_seq: number;
  readonly id: string;
  readonly devices: readonly string[];
  /** The same person acknowledged it before, with these words or more: nothing was written. */
  readonly already: boolean;
  /** Since when it is acknowledged, where that is known; Unix seconds. */
  readonly acknowledged_at?: number;
}

/**
 * A person takes note of finding `openedSeq`, or closes it as an incident; the parent of a storm with all of its devices.
 * Throws `finding.none`, `finding.still-seen`, and what the recorder throws.
 */
export const reviewFinding = (
  openedSeq: number,
  review: Review,
  {
    states,
    store,
    recorder,
  }: { readonly states: readonly DeviceState[]; readonly store: Store; readonly recorder: Recorder },
): ReviewResult => {
  recorder.flush();
  const found = store.findings({ open: true, limit: Number.MAX_SAFE_INTEGER });
  const named = found.find(({ finding }) => finding.openedSeq === openedSeq);
  if (named === undefined) throw none(openedSeq);
  const isMeant = recorder.isPartOf(openedSeq);
  const meant = states.map(({ id, tracks }) => ({
    id,
    tracks: tracks.filter(({ finding }) => isMeant(id, finding)),
  }));
  const devices = meant.filter(({ tracks }) => tracks.length > 0).map(({ id }) => id);
  const result = { opened_seq: openedSeq, id: named.finding.ruleId, devices };
  const all = [named.finding, ...meant.flatMap(({ tracks }) => tracks.map(({ finding }) => finding))];
  if (all.every((finding) => isAcknowledged(finding, review))) {
    const { acknowledgedAt } = named.finding;
    return { ...result, already: true, ...(acknowledgedAt === undefined ? {} : { acknowledged_at: acknowledgedAt }) };
  }
  for (const { tracks } of meant) for (const track of tracks) requireReviewable(track, review);
  if (devices.length > 0) recorder.takeReview(openedSeq, devices, review);
  else recorder.takeGatewayReview(named.finding, review);
  return { ...result, already: false };
};

const none = (openedSeq: number): AgentError =>
  new AgentError({
    code: 'finding.none',
    message: `no finding ${openedSeq} is open`,
    remedy: 'assayer findings list shows the numbers',
  });
