import { hash } from 'node:crypto';
import type { Absent } from '../baseline/absent.ts';
import { activityText, comparedText } from '../baseline/compared.ts';
import type { Observation } from '../normalise/observation.ts';
import { absentAtMs } from './absences.ts';
import { watchedText } from './approval.ts';
import type { DeviceState, Track } from './device.ts';
import { FACTORY_MS } from './factory-pools.ts';
import { ruleOf } from './index.ts';
import { isAstir } from './lasting.ts';
import { isTaker } from './replaced.ts';
import { identityAddressMoved } from './rules/identity-address-moved.ts';
import { identityNewDevice, QUARANTINE_MS } from './rules/identity-new-device.ts';
import { hasShareGap, noteShares, poolShareGap } from './rules/pool-share-gap.ts';
import {
  hasRebooted,
  REBOOT_HOLD_MS,
  runtimeRebootUnexpected,
  sampleUptime,
} from './rules/runtime-reboot-unexpected.ts';
import { mayLast } from './rules/visibility-coverage-reduced.ts';
import { isShown } from './stand-ins.ts';
import { isUndecided, quietAtMs, restatedAtMs, worst } from './track.ts';
import type { LookContext } from './verdict.ts';

/** Most looks show what the last one showed: what a device remembers of a look, so that an equal one needs no work. */

/** Whether the look shows what the last one showed, on a device with which nothing was left to do. */
export const isSettled = (state: DeviceState, observation: Observation, context: LookContext): boolean => {
  const { facts, family, address, look, observedAtMs } = observation;
  const { marks } = state;
  const settled = look === 'full' ? marks.settledFull : marks.settledPools;
  // What comes of looking for the device whose place it took does not show in what it answers.
  if (isTaker(state)) return false;
  if (look === 'full' && context.demanded === true) return false;
  // What it has none of may count from now on.
  if (look === 'full' && observedAtMs >= (absentAtMs(state) ?? Number.POSITIVE_INFINITY)) return false;
  if (settled === undefined || marks.policy !== context.policy) return false;
  if (family !== state.family || address !== state.address) return false;
  if (context.nowMs >= (marks.wakeMs ?? Number.POSITIVE_INFINITY)) return false;
  if (look === 'full' && context.nowMs >= (context.refreshDueMs ?? Number.POSITIVE_INFINITY)) return false;
  if (hasRebooted(marks.uptime, sampleUptime(facts, observedAtMs)) || isAstir(state, observation, context))
    return false;
  if (hasShareGap(marks.shares, facts, observedAtMs) || mayLast(marks.leftOut, observation)) return false;
  const activity = activityText(facts);
  return marks.activity === markOf(activity) && settled === digestOf(state, observation, activity, context);
};

/**
 * The same value is another one's where another surface says it. A digest, because a gateway remembers many devices; of one byte
 * for each character, which is the shortest that it can be kept.
 */
const digestOf = (
  state: DeviceState,
  { facts, gaps, standIns, look }: Observation,
  activity: string,
  { standing, nowMs }: LookContext,
): string => {
  const text = comparedText(facts);
  const from = standIns.size === 0 ? '' : `${[...standIns.keys()].join(' ')} `;
  const watched = look === 'full' ? watchedText(state, standing, facts, nowMs) : '';
  return hash('sha256', `${from}${text}${watched}${absentText(state, gaps)}\n${activity}`, 'latin1');
};

/**
 * What there is none of, as before, ends what was found of it, and is known to be absent; what could not be read is neither, and shows
 * the same facts.
 */
const absentText = ({ tracks, reference }: DeviceState, gaps: Observation['gaps']): string => {
  const { absent = NONE, absentOnce = NONE } = reference ?? {};
  const told = tracks.length === 0 ? absentOnce : [...absent, ...absentOnce];
  return told.length === 0 ? '' : told.filter((name) => gaps.get(name) === 'absent').join(' ');
};

const NONE: Absent = [];

/** A small integer (FNV-1a, 31 bits), which takes no memory of its own. Two texts may have the same: the digest tells them apart. */
const markOf = (text: string): number => {
  let mark = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) mark = Math.imul(mark ^ text.charCodeAt(at), 0x01000193);
  return mark >>> 1;
};

/** Notes when the device was last seen. Pools that are seen between full looks that give nothing do not make it a device that answers. */
export const touch = (state: DeviceState, observation: Observation): void => {
  const { marks } = state;
  const { facts, gaps, look, observedAtMs } = observation;
  if (isShown('pools', state, observation)) marks.poolsMs = observedAtMs;
  if (look === 'full') {
    marks.fullMs = observedAtMs;
    const closed = [...gaps].filter(([, gap]) => gap === 'refused' || gap === 'unreachable').map(([fact]) => fact);
    if (closed.length > 0) marks.closed = closed;
    else marks.closed = undefined;
  }
  const uptime = sampleUptime(facts, observedAtMs);
  if (uptime !== undefined) marks.uptime = uptime;
  marks.shares = noteShares(marks.shares, facts, observedAtMs);
  if (look === 'full') marks.fullLost = false;
  if (marks.fullLost) return;
  marks.failures = 0;
  marks.refusals = 0;
  marks.lostBy = undefined;
  marks.failingSinceMs = undefined;
  marks.unwatchedMs = undefined;
};

/** Findings that end at a look which shows what the last one showed. */
const ENDING_UNSEEN: ReadonlySet<string> = new Set([identityAddressMoved.id, poolShareGap.id]);

/** Remembers the look, when an equal one needs no work. What could not be read this time shows as other facts when it can. */
export const settle = (state: DeviceState, observation: Observation, context: LookContext): void => {
  const { facts, look } = observation;
  const { policy, nowMs } = context;
  const { marks } = state;
  if (state.attested?.reachable !== true || state.tracks.some(isUndecided)) return;
  // Once confirmed the new address is the known one: the next look, though the same, sees this finding end. And a share
  // that is accepted again changes nothing else.
  if (state.tracks.some(({ finding }) => ENDING_UNSEEN.has(finding.ruleId))) return;
  if (marks.policy !== policy) clearSettled(state);
  const activity = activityText(facts);
  marks[look === 'full' ? 'settledFull' : 'settledPools'] = digestOf(state, observation, activity, context);
  marks.policy = policy;
  marks.activity = markOf(activity);
  const wakeMs = Math.min(factoryWakeMs(state, nowMs), ...state.tracks.map((track) => wakingMs(track, state, context)));
  if (Number.isFinite(wakeMs)) marks.wakeMs = wakeMs;
  else marks.wakeMs = undefined;
};

/** A new device is judged once more when it may no longer work for the default of its maker. */
const factoryWakeMs = ({ firstSeenMs = 0 }: DeviceState, nowMs: number): number =>
  nowMs < firstSeenMs + FACTORY_MS ? firstSeenMs + FACTORY_MS : Number.POSITIVE_INFINITY;

/** When time alone changes a finding, or what is said of it. */
const wakingMs = (track: Track, state: DeviceState, context: LookContext): number =>
  quietAtMs(track) ?? Math.min(restatedAtMs(track) ?? Number.POSITIVE_INFINITY, ripeMs(track, state, context));

const ripeMs = (
  { finding, aheadMs = 0 }: Track,
  state: DeviceState,
  { nowMs, amongCommissioned }: Pick<LookContext, 'nowMs' | 'amongCommissioned'>,
): number => {
  if (finding.ruleId === runtimeRebootUnexpected.id) return (state.rebootsMs.at(-1) ?? 0) + REBOOT_HOLD_MS;
  if (finding.ruleId === identityNewDevice.id && !amongCommissioned) {
    const overMs = (state.firstSeenMs ?? 0) + QUARANTINE_MS;
    // One that has not ended by then waits for a person.
    return nowMs < overMs ? overMs : Number.POSITIVE_INFINITY;
  }
  const escalate = ruleOf(finding.ruleId)?.escalate;
  if (escalate === undefined || worst(finding.severity, escalate.severity) === finding.severity)
    return Number.POSITIVE_INFINITY;
  return finding.firstObservedAt * 1000 + aheadMs + escalate.afterMs;
};

/** The next look is judged, whatever it shows. */
export const clearSettled = ({ marks }: DeviceState): void => {
  marks.settledFull = undefined;
  marks.settledPools = undefined;
};
