import type { Advanced } from './advance.ts';
import { type DeviceState, isJustBack, type Marks, type Track } from './device.ts';
import { ruleOf } from './index.ts';
import { runtimeRebootUnexpected } from './rules/runtime-reboot-unexpected.ts';
import { isDark } from './rules/visibility-device-dark.ts';
import { isSessionNew, isStale } from './running.ts';
import { isUnconfirmed, MATCHES } from './track.ts';
import type { LookContext, Verdict } from './verdict.ts';

const REBOOT_LOOK_MS = 60_000;

/** When the next full look is wanted because something is not settled, if before its time. */
export const nextAtMs = (
  state: DeviceState,
  unseen: string | undefined,
  { waiting }: Advanced,
  /** It started anew, or stopped. */
  restless: boolean,
  context: LookContext,
): number | undefined => {
  const { nowMs, random } = context;
  const wishes: number[] = [];
  if (waiting.some((id) => id !== runtimeRebootUnexpected.id)) wishes.push(nowMs);
  // A whole site that boots at once is not asked at once.
  if (restless || waiting.length > 0) wishes.push(nowMs + random() * REBOOT_LOOK_MS);
  const confirming = confirmingAtMs(state, context);
  const { tracks, breaches = [] } = state;
  const isEnding =
    tracks.some(({ clear }) => clear > 0 && clear < MATCHES) || breaches.some(({ clear = 0 }) => clear > 0);
  if (confirming !== undefined) wishes.push(confirming);
  else if (
    isDark(state) ||
    // What is of an earlier time is not compared with what was before the dark, however soon it is asked for again.
    (isJustBack(state) && !isStale(state.marks, context)) ||
    state.referenceChanged === true ||
    state.relabelled === true
  )
    wishes.push(nowMs + jittered(context));
  // The reference has to be seen again for a while, not three times in a moment.
  else if (isEnding) wishes.push(nowMs + context.pollIntervalMs);
  else if (unseen !== undefined) wishes.push(nowMs + jittered(context));
  return wishes.length === 0 ? undefined : Math.floor(Math.min(...wishes));
};

/** The wish for the next full look: what is not settled, and a session that is to be seen a poll later whatever else shows. */
export const nextLook = (state: DeviceState, atMs: number | undefined, context: LookContext): Pick<Verdict, 'next'> => {
  const sessionMs = isSessionNew(state.marks) ? context.nowMs + context.pollIntervalMs : Number.POSITIVE_INFINITY;
  const earliestMs = Math.min(atMs ?? Number.POSITIVE_INFINITY, sessionMs);
  return Number.isFinite(earliestMs) ? { next: { look: 'full', atMs: earliestMs } } : {};
};

const jittered = ({ confirmS, random }: LookContext): number => confirmS * 1000 * (0.5 + random());

const MOST_DOUBLINGS = 5;

/**
 * When the look comes that says whether what is not confirmed holds. Each finding has its own: the second look comes early whatever
 * else is open, and looks that decide nothing come later and later, as each waits as long as its value has waited already.
 */
export const confirmingAtMs = (state: DeviceState, context: LookContext): number | undefined => {
  const { marks, tracks } = state;
  const { nowMs, pollIntervalMs, confirmS } = context;
  const unconfirmed = tracks.filter(isUnconfirmed);
  if (unconfirmed.length === 0) return undefined;
  const firstMs = jittered(context);
  const isHurried = unconfirmed.some((track) => isNew(track, nowMs) && thirdLookMs(track) <= nowMs);
  const newMs = isHurried && !mayHurry(marks, context) ? Math.max(firstMs, pollIntervalMs) : firstMs;
  const waitMs = (track: Track): number => {
    if (isNew(track, nowMs)) return newMs;
    const waited = (nowMs - shownSinceMs(track)) / (confirmS * 1000);
    return firstMs * Math.min(Math.max(waited, 1), 2 ** MOST_DOUBLINGS);
  };
  return Math.min(...unconfirmed.map((track) => Math.max(nowMs + waitMs(track), thirdLookMs(track))));
};

/** Since when it shows the value that is to be confirmed. */
const shownSinceMs = ({ candidate }: Track): number => candidate?.afterMs ?? candidate?.sinceMs ?? 0;

const isNew = (track: Track, nowMs: number): boolean => shownSinceMs(track) === nowMs;

/** So many early looks at what is new come one right after the other; further ones twice in a poll. */
const MOST_IN_A_ROW = 5;

/**
 * Whether what is new has its second look early. A device that shows something new at every look would be looked at in full all the
 * time: half a poll gives it one such look, and it keeps a few.
 */
const mayHurry = (marks: Marks, { nowMs, pollIntervalMs }: LookContext): boolean => {
  const eachMs = pollIntervalMs / 2;
  const sinceMs = Math.max(marks.hurriedMs ?? 0, nowMs - MOST_IN_A_ROW * eachMs);
  if (nowMs - sinceMs < eachMs) return false;
  marks.hurriedMs = sinceMs + eachMs;
  return true;
};

/** Three looks over ten minutes need not be more than three. */
const thirdLookMs = ({ finding, candidate }: Track): number => {
  if (candidate === undefined || ruleOf(finding.ruleId)?.confirm !== 'C3') return 0;
  return candidate.sinceMs + (candidate.any < 2 ? 5 : 10) * 60_000;
};
