import type { Blip, DeviceState, Marks, Track } from './device.ts';
import { ruleOf } from './index.ts';
import { QUARANTINE_MS } from './rules/identity-new-device.ts';
import { clearSettled } from './settled.ts';

/**
 * The device once the wall clock of the gateway was set by `byMs`, so that it is `nowMs`: what lasts has lasted for as long as before, and
 * no step makes a change confirmed, a silence long or a window over. What statements told stays as the clock had it then; so does when a
 * device was last seen, but where the clock was set back: that would lie ahead. The same object where only what every look notes anew was
 * moved. Its marks are set in place.
 */
export const afterStep = (state: DeviceState, byMs: number, nowMs: number): DeviceState => {
  const { marks } = state;
  moveMarks(marks, byMs);
  const moved = { ...instantsOf(state, byMs, nowMs), ...listsOf(state, byMs) };
  const isLasting = marks.failingSinceMs !== undefined || marks.leftOut !== undefined;
  if (!isLasting && Object.keys(moved).length === 0) return state;
  // It slept until an instant that was reckoned from one of these.
  clearSettled(state);
  marks.wakeMs = undefined;
  return { ...state, ...moved };
};

/** Nobody looked for so long, as the host slept or no agent ran: that is no time in which the device was silent. Its marks are set in place. */
export const noteUnwatched = ({ marks }: DeviceState, forMs: number): void => {
  if (marks.failingSinceMs === undefined || forMs <= 0) return;
  marks.unwatchedMs = (marks.unwatchedMs ?? 0) + forMs;
};

const instantsOf = (state: DeviceState, byMs: number, nowMs: number): Partial<DeviceState> => {
  const { firstSeenMs, replaces, returned } = state;
  // Nothing is decided any more by what was longer ago.
  const isNew = firstSeenMs !== undefined && nowMs - byMs - firstSeenMs < QUARANTINE_MS;
  return {
    ...(isNew ? { firstSeenMs: firstSeenMs + byMs } : {}),
    ...(replaces?.sinceMs === undefined ? {} : { replaces: { ...replaces, sinceMs: replaces.sinceMs + byMs } }),
    ...(returned === undefined ? {} : { returned: { ...returned, backMs: returned.backMs + byMs } }),
  };
};

const listsOf = (
  { tracks, closed, blips, rebootsMs, rebootsPlanned, left }: DeviceState,
  byMs: number,
): Partial<DeviceState> => {
  const timesMoved = (times: readonly number[]): readonly number[] => times.map((atMs) => atMs + byMs);
  const moved = <At extends { readonly atMs: number }>(list: readonly At[]): readonly At[] =>
    list.map((one) => ({ ...one, atMs: one.atMs + byMs }));
  return {
    ...(tracks.length === 0 ? {} : { tracks: tracks.map((track) => trackMoved(track, byMs)) }),
    ...(closed.length === 0 ? {} : { closed: closed.map((track) => trackMoved(track, byMs)) }),
    ...(blips.length === 0 ? {} : { blips: blips.map(({ key, atMs }): Blip => ({ key, atMs: timesMoved(atMs) })) }),
    ...(rebootsMs.length === 0 ? {} : { rebootsMs: timesMoved(rebootsMs) }),
    ...(rebootsPlanned === undefined ? {} : { rebootsPlanned: moved(rebootsPlanned) }),
    ...(left === undefined ? {} : { left: moved(left) }),
  };
};

const trackMoved = (track: Track, byMs: number): Track => {
  const { finding, candidate, clearSinceMs, statedMs, changesMs, aheadMs = 0 } = track;
  const isTold = finding.state !== 'provisional';
  const isEscalating = isTold && ruleOf(finding.ruleId)?.escalate !== undefined;
  return {
    ...track,
    changesMs: changesMs.map((atMs) => atMs + byMs),
    ...(isTold ? {} : { finding: { ...finding, firstObservedAt: finding.firstObservedAt + Math.round(byMs / 1000) } }),
    ...(clearSinceMs === undefined ? {} : { clearSinceMs: clearSinceMs + byMs }),
    ...(statedMs === undefined ? {} : { statedMs: statedMs + byMs }),
    ...(candidate === undefined ? {} : { candidate: candidateMoved(candidate, byMs) }),
    ...(isEscalating ? { aheadMs: aheadMs + byMs } : {}),
  };
};

const candidateMoved = (candidate: NonNullable<Track['candidate']>, byMs: number): NonNullable<Track['candidate']> => {
  const { sinceMs, afterMs } = candidate;
  return { ...candidate, sinceMs: sinceMs + byMs, ...(afterMs === undefined ? {} : { afterMs: afterMs + byMs }) };
};

const moveMarks = (marks: Marks, byMs: number): void => {
  const byS = Math.round(byMs / 1000);
  // Ahead it may have been a pause that nobody told us of: nothing was seen in it.
  if (byMs < 0) moveSights(marks, byMs);
  const { failingSinceMs, waitsMs, movedS, ranS, uptime, shares, leftOut, endpoint } = marks;
  if (failingSinceMs !== undefined) marks.failingSinceMs = failingSinceMs + byMs;
  if (waitsMs !== undefined) marks.waitsMs = waitsMs + byMs;
  if (movedS !== undefined) marks.movedS = movedS + byS;
  if (ranS !== undefined) marks.ranS = ranS + byS;
  if (uptime !== undefined) marks.uptime = { ...uptime, atMs: uptime.atMs + byMs };
  if (shares !== undefined) marks.shares = { ...shares, atS: shares.atS + byS };
  if (endpoint?.atS.login !== undefined)
    marks.endpoint = { ...endpoint, atS: { ...endpoint.atS, login: endpoint.atS.login + byS } };
  if (leftOut !== undefined)
    marks.leftOut = Object.fromEntries(
      Object.entries(leftOut).map(([name, row]) => [name, { ...row, sinceMs: row.sinceMs + byMs }]),
    );
};

const moveSights = (marks: Marks, byMs: number): void => {
  const moved = (atMs: number): number => Math.max(0, atMs + byMs);
  const { poolsMs, fullMs, poolsUnreadMs, toldMs } = marks;
  if (poolsMs !== undefined) marks.poolsMs = moved(poolsMs);
  if (fullMs !== undefined) marks.fullMs = moved(fullMs);
  if (poolsUnreadMs !== undefined) marks.poolsUnreadMs = moved(poolsUnreadMs);
  if (toldMs !== undefined)
    marks.toldMs = Object.fromEntries(Object.entries(toldMs).map(([name, atMs]) => [name, moved(atMs)]));
};
