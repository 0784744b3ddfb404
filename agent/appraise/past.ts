import { isAhead } from './ago.ts';
import { type Blip, type DeviceState, type Marks, orNone, type Track } from './device.ts';
import { clearSettled } from './settled.ts';

/**
 * The device with nothing in its memory that lies ahead of now; the same object where nothing did. What lasts since then lasts since now: that is
 * late by what passed meanwhile, and no false alarm. What was only counted, or stated, is forgotten. When it was attested stays, as that is due anew.
 * Its marks are set in place.
 */
export const withoutFuture = (state: DeviceState, nowMs: number): DeviceState => {
  const moved = { ...instantsOf(state, nowMs), ...listsOf(state, nowMs) };
  const isMoved = setMarks(state.marks, nowMs) || Object.keys(moved).length > 0;
  if (!isMoved) return state;
  // It slept until an instant that was reckoned from one of these.
  clearSettled(state);
  state.marks.wakeMs = undefined;
  return { ...state, ...moved };
};

const instantsOf = (state: DeviceState, nowMs: number): Partial<DeviceState> => {
  const { firstSeen, firstSeenMs = 0, replaces, returned } = state;
  return {
    ...(isAhead(firstSeenMs, nowMs) ? { firstSeenMs: nowMs } : {}),
    ...(firstSeen !== undefined && isAhead(firstSeen.atS * 1000, nowMs)
      ? { firstSeen: { ...firstSeen, atS: Math.floor(nowMs / 1000) } }
      : {}),
    ...(replaces !== undefined && isAhead(replaces.sinceMs ?? 0, nowMs)
      ? { replaces: { ...replaces, sinceMs: nowMs } }
      : {}),
    ...(returned !== undefined && isAhead(returned.backMs, nowMs)
      ? { returned: { ...returned, darkSinceMs: Math.min(returned.darkSinceMs, nowMs), backMs: nowMs } }
      : {}),
  };
};

const listsOf = ({ tracks, closed, blips, rebootsMs, left }: DeviceState, nowMs: number): Partial<DeviceState> => {
  const isLater = (atMs: number): boolean => isAhead(atMs, nowMs);
  return {
    ...(tracks.some((track) => isTrackAhead(track, nowMs)) ? { tracks: tracks.map((one) => inPast(one, nowMs)) } : {}),
    ...(closed.some((track) => isTrackAhead(track, nowMs)) ? { closed: closed.map((one) => inPast(one, nowMs)) } : {}),
    ...(blips.some(({ atMs }) => atMs.some(isLater))
      ? { blips: orNone(blips.flatMap((blip) => blipInPast(blip, nowMs))) }
      : {}),
    ...(rebootsMs.some(isLater) ? { rebootsMs: orNone(rebootsMs.filter((atMs) => !isLater(atMs))) } : {}),
    ...(left?.some(({ atMs }) => isLater(atMs)) === true
      ? { left: left.map((one) => ({ ...one, atMs: Math.min(one.atMs, nowMs) })) }
      : {}),
  };
};

const isTrackAhead = ({ candidate, clearSinceMs = 0, changesMs, statedMs = 0 }: Track, nowMs: number): boolean =>
  [candidate?.sinceMs ?? 0, candidate?.afterMs ?? 0, clearSinceMs, statedMs, ...changesMs].some((atMs) =>
    isAhead(atMs, nowMs),
  );

const inPast = (track: Track, nowMs: number): Track => {
  const { candidate, clearSinceMs, statedMs = 0, changesMs, ...rest } = track;
  const past = (atMs: number): number => Math.min(atMs, nowMs);
  return {
    ...rest,
    changesMs: changesMs.filter((atMs) => !isAhead(atMs, nowMs)),
    ...(isAhead(statedMs, nowMs) || track.statedMs === undefined ? {} : { statedMs }),
    ...(clearSinceMs === undefined ? {} : { clearSinceMs: past(clearSinceMs) }),
    ...(candidate === undefined ? {} : { candidate: candidateInPast(candidate, past) }),
  };
};

const candidateInPast = (
  candidate: NonNullable<Track['candidate']>,
  past: (atMs: number) => number,
): NonNullable<Track['candidate']> => {
  const { sinceMs, afterMs } = candidate;
  return { ...candidate, sinceMs: past(sinceMs), ...(afterMs === undefined ? {} : { afterMs: past(afterMs) }) };
};

const blipInPast = ({ key, atMs }: Blip, nowMs: number): readonly Blip[] => {
  const past = atMs.filter((one) => !isAhead(one, nowMs));
  return past.length === 0 ? [] : [{ key, atMs: past }];
};

const MARKED_MS = ['poolsMs', 'fullMs', 'poolsUnreadMs', 'failingSinceMs', 'waitsMs', 'hurriedMs'] as const;
const MARKED_S = ['movedS', 'ranS'] as const;

/** Whether any of them lay ahead. */
const setMarks = (marks: Marks, nowMs: number): boolean => {
  const nowS = Math.floor(nowMs / 1000);
  const ms = MARKED_MS.filter((name) => isAhead(marks[name] ?? 0, nowMs));
  const s = MARKED_S.filter((name) => isAhead((marks[name] ?? 0) * 1000, nowMs));
  for (const name of ms) marks[name] = nowMs;
  if (ms.includes('failingSinceMs')) marks.unwatchedMs = undefined;
  for (const name of s) marks[name] = nowS;
  const { uptime, shares, leftOut = {}, toldMs = {}, endpoint } = marks;
  const isUptime = uptime !== undefined && isAhead(uptime.atMs, nowMs);
  const isShares = shares !== undefined && isAhead(shares.atS * 1000, nowMs);
  const isTold = Object.values(toldMs).some((atMs) => isAhead(atMs, nowMs));
  const isLeftOut = Object.values(leftOut).some(({ sinceMs }) => isAhead(sinceMs, nowMs));
  const isTried = endpoint !== undefined && isAhead((endpoint.atS.login ?? 0) * 1000, nowMs);
  // What a surface showed at a time to come is read again; a log-in that was tried is not tried again for that.
  if (isTried) marks.endpoint = { ...endpoint, atS: { ...endpoint.atS, login: nowS } };
  // Two samples of different clocks say nothing together.
  if (isUptime) marks.uptime = undefined;
  if (isShares) marks.shares = { ...shares, atS: nowS };
  if (isLeftOut)
    marks.leftOut = Object.fromEntries(
      Object.entries(leftOut).map(([name, row]) => [name, { ...row, sinceMs: Math.min(row.sinceMs, nowMs) }]),
    );
  if (isTold)
    marks.toldMs = Object.fromEntries(Object.entries(toldMs).map(([name, atMs]) => [name, Math.min(atMs, nowMs)]));
  return ms.length + s.length > 0 || isTried || isUptime || isShares || isLeftOut || isTold;
};
