import { hash } from 'node:crypto';
import { canonicalJson } from '../../shared/jcs.ts';
import { agoMs } from './ago.ts';
import type { Blip, Said, Track } from './device.ts';
import { isEdited } from './edited.ts';
import { type Finding, SEVERITIES, type Severity } from './finding.ts';
import { isComparison } from './index.ts';
import { isKeyed, type Keyed } from './keyed.ts';
import type { Ran } from './outcome.ts';
import { byAccount } from './pool-user.ts';
import type { Confirmation, Deviation, RuleEntry } from './rule.ts';
import { poolUserChanged } from './rules/pool-user-changed.ts';
import { takesTwo } from './who-approves.ts';

/**
 * The life of a finding (catalogue §2): provisional until confirmed, open until the reference was seen again often
 * enough. Every function takes a track and gives the next one; the same object when nothing happened.
 */

/** What one step made of one track. */
export interface Step {
  /** Absent when it ended. */
  readonly track?: Track;
  /** To be stated now. */
  readonly statement?: Finding;
  /** A confirmed finding began, ended or changed its value: the attestation of this look shows it. */
  readonly confirmed?: true;
  /** It would go on if this were a full look. */
  readonly waits?: true;
  readonly blip?: string;
  readonly ended?: Track;
}

/** When and how a look was, as far as the life of findings goes. */
export interface Moment {
  readonly nowMs: number;
  /** The look can be attested. */
  readonly attestable: boolean;
}

/** What the device remembers of findings that ended. */
export interface Past {
  readonly blips: readonly Blip[];
  readonly closed: readonly Track[];
}

/** A finding made of a deviation, before it has a life. */
export type Draft = Omit<Finding, 'state' | 'firstObservedAt' | 'openedSeq'>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The looks in a row that have to show the reference. */
export const MATCHES = 3;
const CALM_CHANGES = 3;
const C3_MS = 10 * 60_000;

/** Unix seconds, as entries state them. */
export const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The graver of two severities. */
export const worst = (a: Severity, b: Severity): Severity => (SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b);

const within = (times: readonly number[], spanMs: number, nowMs: number): readonly number[] =>
  times.filter((atMs) => nowMs - atMs < spanMs);

const afterText = ({ before, after }: Pick<Finding, 'before' | 'after'>): string =>
  canonicalJson(after ?? { gone: before ?? null });

/**
 * What counts as one thing that comes and goes. What a device shows is the same whatever its value is by then: whoever is there at every
 * other look chooses another worker, port or account each time, and another slot. Only of slots that one person may approve
 * each is by itself: partial replies leave out now this one, now that.
 */
const blipKey = (finding: Pick<Draft, 'ruleId' | 'part' | 'reasons'>, after: string): string => {
  const { ruleId, part = '' } = finding;
  if (takesTwo(finding)) return `${ruleId} ${part.replace(/\d+$/, '')}`;
  return isComparison(ruleId) ? `${ruleId} ${part}` : `${ruleId} ${part} ${after}`;
};

/** What came and went so often within a day is believed when it comes once more. */
const OLD_AFTER = 2;

const isOld = (blips: readonly Blip[], key: string, nowMs: number): boolean =>
  within(blips.find((blip) => blip.key === key)?.atMs ?? [], DAY_MS, nowMs).length >= OLD_AFTER;

/** Blips of the last day with one more, of a value that came and went now. */
export const withBlip = (blips: readonly Blip[], key: string, nowMs: number): readonly Blip[] => {
  const kept = blips
    .map((blip) => ({ key: blip.key, atMs: within(blip.atMs, DAY_MS, nowMs) }))
    .filter((blip) => blip.atMs.length > 0);
  const known = kept.find((blip) => blip.key === key);
  const atMs = [...(known?.atMs ?? []), nowMs].slice(-OLD_AFTER);
  return [...kept.filter((blip) => blip !== known), { key, atMs }].slice(-MOST_BLIPS);
};

const MOST_BLIPS = 64;

/** The reason of a finding that no two looks in a row confirmed: each of its former comings is a statement of its own. */
const INTERMITTENT = 'intermittent';

const asIntermittent = <Told extends Pick<Finding, 'reasons'>>(finding: Told): Told => ({
  ...finding,
  reasons: [...new Set([...(finding.reasons ?? []), INTERMITTENT])],
});

/** A draft of a finding that began so says so, too. */
const asBegun = <Told extends Pick<Finding, 'reasons'>>(draft: Told, { reasons = [] }: Finding): Told =>
  reasons.includes(INTERMITTENT) ? asIntermittent(draft) : draft;

type Candidate = NonNullable<Track['candidate']>;

/** A value that is another one at every look is a deviation all the same: it is believed one look later. */
const isConfirmed = (how: Confirmation, { same, any, sinceMs }: Candidate, nowMs: number): boolean => {
  switch (how) {
    case 'C1':
      return true;
    case 'C2':
      return same >= 2 || any >= 3;
    case 'C3':
      return nowMs - sinceMs >= C3_MS && (same >= 3 || any >= 4);
  }
};

/** A finding that was not there before. */
export const begin = (rule: RuleEntry, deviation: Deviation, draft: Draft, past: Past, moment: Moment): Step => {
  const after = afterText(draft);
  const finding = covered({ ...draft, state: 'provisional', firstObservedAt: seconds(moment.nowMs) });
  const candidate: Candidate = { after, same: 1, any: 1, sinceMs: moment.nowMs };
  return confirm(rule, deviation, { finding, candidate, clear: 0, changesMs: [] }, past, moment);
};

/** The deviation is seen again, perhaps with another value. */
export const observe = (
  rule: RuleEntry,
  deviation: Deviation,
  draft: Draft,
  track: Track,
  past: Past,
  moment: Moment,
): Step => {
  const after = afterText(draft);
  if (deviation.uncovered === true && deviation.plan === undefined && track.finding.plan !== undefined) {
    const { plan: _, ...finding } = track.finding;
    return observe(rule, deviation, draft, { ...track, finding }, past, moment);
  }
  if (track.finding.state === 'provisional') {
    const candidate = again(track.candidate, after, moment.nowMs);
    const plan = draft.plan ?? (after === track.candidate?.after ? track.finding.plan : undefined);
    const finding = covered({
      ...withPast(draft, track.finding),
      ...(plan === undefined ? {} : { plan }),
      state: 'provisional',
      firstObservedAt: track.finding.firstObservedAt,
    });
    return confirm(rule, deviation, { ...track, finding, candidate }, past, moment);
  }
  if (after === afterText(track.finding)) return persist(rule, draft, track, moment);
  const candidate = again(track.candidate, after, moment.nowMs);
  const next: Track = { ...returned(track, moment.nowMs), candidate };
  const isSteady = isConfirmed(deviation.confirm ?? rule.confirm, candidate, moment.nowMs);
  const isBack = takesTwo(draft) && isOld(past.blips, blipKey(draft, after), moment.nowMs);
  if (!isSteady && !isBack) return { track: next };
  if (!moment.attestable) return { track: next, waits: true };
  const told = isSteady ? asBegun(draft, next.finding) : asIntermittent(draft);
  const shown = { ...withPast(told, next.finding), ...lasting(next.finding) };
  return restate(next, covered({ ...shown, ...afterAtOf(candidate, shown.firstObservedAt) }), moment.nowMs);
};

/** What was seen before the finding began, as it was known then: by now the device shows something else. */
const withPast = (draft: Draft, { beforeAt, lastSeen }: Finding): Draft => {
  const { beforeAt: _, lastSeen: __, ...now } = draft;
  return {
    ...now,
    ...(beforeAt === undefined ? {} : { beforeAt }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
};

/** A finding that began with another value, or an hour ago, says since when it shows this one. */
const afterAtOf = ({ afterMs, sinceMs }: Candidate, firstObservedAt: number): Pick<Finding, 'afterAt'> => {
  const afterAt = seconds(afterMs ?? sinceMs);
  return afterAt > firstObservedAt ? { afterAt } : {};
};

/**
 * A plan or waiver takes the weight off a finding and nothing else; a waiver shows in its state, too, once it is
 * confirmed, and who signed it stands in it: whoever acknowledged the finding before did not waive it.
 */
const covered = (finding: Finding): Finding => {
  const { plan, waiver, state } = finding;
  if (waiver === undefined) {
    const shown: Finding = state === 'waived' ? { ...finding, state: 'open' } : finding;
    return plan === undefined ? shown : { ...shown, severity: 'info' };
  }
  if (state === 'provisional') return { ...finding, severity: 'info' };
  const { by: _, ...unclaimed } = finding;
  return { ...unclaimed, severity: 'info', state: 'waived' };
};

/** What stays while a finding lives and shows another value: whoever took note of it took note of the former one. */
const lasting = (finding: Finding): Pick<Finding, 'state' | 'firstObservedAt'> & Partial<Finding> => {
  const { firstObservedAt, confirmedAt, openedSeq, parent, flapping } = finding;
  return {
    state: 'open',
    firstObservedAt,
    ...(confirmedAt === undefined ? {} : { confirmedAt }),
    ...(openedSeq === undefined ? {} : { openedSeq }),
    ...(parent === undefined ? {} : { parent }),
    ...(flapping === undefined ? {} : { flapping }),
  };
};

const again = (candidate: Candidate | undefined, after: string, nowMs: number): Candidate =>
  candidate === undefined
    ? { after, same: 1, any: 1, sinceMs: nowMs }
    : {
        after,
        same: candidate.after === after ? candidate.same + 1 : 1,
        any: candidate.any + 1,
        sinceMs: candidate.sinceMs,
        ...sinceSame(candidate, after, nowMs),
      };

const sinceSame = (candidate: Candidate, after: string, nowMs: number): Pick<Candidate, 'afterMs'> => {
  if (candidate.after !== after) return { afterMs: nowMs };
  return candidate.afterMs === undefined ? {} : { afterMs: candidate.afterMs };
};

/** Opens a provisional finding as soon as it is confirmed and can be attested. */
const confirm = (
  rule: RuleEntry,
  deviation: Deviation,
  track: Track,
  past: Past,
  { nowMs, attestable }: Moment,
): Step => {
  const candidate = track.candidate as Candidate;
  const isSteady = isConfirmed(deviation.confirm ?? rule.confirm, candidate, nowMs);
  if (!isSteady && !isOld(past.blips, blipKey(track.finding, candidate.after), nowMs)) return { track };
  if (!attestable) return { track, waits: true };
  const finding = isSteady ? track.finding : asIntermittent(track.finding);
  return open({ ...track, finding }, candidate, past.closed, nowMs);
};

/** Within an hour of its end a finding continues under its name. */
const open = ({ finding }: Track, candidate: Candidate, closed: readonly Track[], nowMs: number): Step => {
  const former = closed.find((track) => sameName(track.finding, finding));
  const { openedSeq, parent, firstObservedAt } = former?.finding ?? finding;
  return restate(
    {
      finding,
      clear: 0,
      changesMs: former?.changesMs ?? [],
      ...(former?.statedMs === undefined ? {} : { statedMs: former.statedMs }),
      ...(former?.aheadMs === undefined ? {} : { aheadMs: former.aheadMs }),
    },
    covered({
      ...finding,
      state: 'open',
      firstObservedAt,
      ...afterAtOf(candidate, firstObservedAt),
      confirmedAt: seconds(nowMs),
      ...(openedSeq === undefined ? {} : { openedSeq }),
      ...(parent === undefined ? {} : { parent }),
      ...(former?.finding.flapping === undefined ? {} : { flapping: former.finding.flapping }),
    }),
    nowMs,
  );
};

/** Whether two findings are of the same rule and part. */
export const sameName = (a: { ruleId: string; part?: string }, b: { ruleId: string; part?: string }): boolean =>
  a.ruleId === b.ruleId && a.part === b.part;

/** The device changed it: that is stated, but once an hour when it does so all the time and this says no more than was said. */
const restate = (track: Track, finding: Finding, nowMs: number): Step => {
  const changesMs = [...within(track.changesMs, HOUR_MS, nowMs), nowMs].slice(-MOST_CHANGES);
  const { candidate: _, clearSinceMs: __, ...rest } = track;
  const next = counted({ ...rest, finding, clear: 0, changesMs }, nowMs);
  const { said } = track;
  const mayWait = said !== undefined && nowMs < (restatedAtMs(next) ?? 0) && !saysMore(next.finding, said);
  if (mayWait) return { track: next, confirmed: true };
  return { ...tell(next, nowMs), confirmed: true };
};

const MOST_CHANGES = 60;

/** The track with how often its finding changed within the last hour, where that is too often. */
const counted = (track: Track, nowMs: number): Track => {
  const { flapping: _, ...steady } = track.finding;
  const changes = within(track.changesMs, HOUR_MS, nowMs).length;
  return { ...track, finding: changes > CALM_CHANGES ? { ...steady, flapping: changes } : steady };
};

const isFlapping = ({ finding }: Track): boolean => finding.flapping !== undefined;

/** Whoever makes a finding flap must not hide behind that: what is graver, in another state or of somebody else is said at once. */
const saysMore = (finding: Finding, { state, severity, values }: Said): boolean =>
  finding.state !== state ||
  worst(finding.severity, severity) !== severity ||
  (values.length < MOST_VALUES && !values.includes(valueText(finding)));

/** A value that is another one all the time waits for the hour after so many. */
const MOST_VALUES = 8;

/** What a finding says that takes two people to approve, users by their account. Any other may wait with its value. */
const valueText = (finding: Finding): string => {
  if (!takesTwo(finding)) return '';
  const value = byAccount(finding.after ?? null, finding.ruleId === poolUserChanged.id);
  return hash('sha256', canonicalJson(value), 'base64url');
};

/** States the finding of a track as it stands. */
export const tell = (track: Track, nowMs: number): { readonly track: Track; readonly statement: Finding } => {
  const { said, ...rest } = track;
  const { finding } = track;
  const told: Track = { ...rest, statedMs: nowMs };
  if (!isFlapping(track)) return { track: told, statement: finding };
  const recent = nowMs < (restatedAtMs(track) ?? 0) ? (said?.values ?? []) : [];
  const values = [...new Set([...recent, valueText(finding)])];
  return { track: { ...told, said: { state: finding.state, severity: finding.severity, values } }, statement: finding };
};

/** When a flapping finding is stated as it stands by then. Where no earlier version kept what it said: at once. */
export const restatedAtMs = ({ finding, said, statedMs = 0 }: Track): number | undefined => {
  if (finding.flapping === undefined) return undefined;
  return said === undefined ? 0 : statedMs + HOUR_MS;
};

/**
 * The stated value is still there; time may have made it graver, a waiver begun or ended. No device did that: it counts as no
 * coming and going, and is stated whenever it happens.
 */
const persist = (rule: RuleEntry, draft: Draft, track: Track, moment: Moment): Step => ({
  ...stay(rule, draft, track, moment),
  ...candidateGone(track),
});

/** Another value that showed in an open finding, and went away unconfirmed, was there all the same. */
const candidateGone = ({ finding, candidate }: Track): Pick<Step, 'blip'> =>
  candidate !== undefined && takesTwo(finding) ? { blip: blipKey(finding, candidate.after) } : {};

const stay = (rule: RuleEntry, draft: Draft, track: Track, { nowMs, attestable }: Moment): Step => {
  const { candidate, ...settled } = returned(track, nowMs);
  const next = restated(rule, draft, track, nowMs);
  const { severity, state, plan, waiver } = track.finding;
  const same = next.severity === severity && next.state === state && next.plan === plan && next.waiver === waiver;
  if (same && isEdited(next) === isEdited(track.finding)) {
    if (nowMs >= (restatedAtMs(track) ?? Number.POSITIVE_INFINITY)) return tell(counted(settled, nowMs), nowMs);
    return { track: candidate === undefined && track.clear === 0 ? track : settled };
  }
  if (!attestable) return { track: settled, waits: true };
  return { ...tell(counted({ ...settled, finding: next }, nowMs), nowMs), confirmed: true };
};

/** A plan covers a value for as long as it stays, a waiver for as long as it is in force. */
const restated = (rule: RuleEntry, draft: Draft, track: Track, nowMs: number): Finding => {
  const { finding } = track;
  const { plan: was, waiver: waived, by, ...rest } = finding;
  const base = escalated(rule, worst(draft.severityBase, finding.severityBase), track, nowMs);
  const before = was === undefined && waived === undefined ? finding.severity : 'info';
  const severity = worst(worst(draft.severity, before), base);
  const plan = draft.plan ?? was;
  const graver = worst(severity, before) !== before && finding.state === 'acknowledged';
  const reasons = draft.reasons === undefined ? finding.reasons : asBegun(draft, finding).reasons;
  return covered({
    ...rest,
    severity,
    severityBase: base,
    ...(graver ? { state: 'open' as const } : {}),
    ...(graver || by === undefined ? {} : { by }),
    ...(reasons === undefined ? {} : { reasons }),
    ...(plan === undefined ? {} : { plan }),
    ...(draft.waiver === undefined ? {} : { waiver: draft.waiver }),
  });
};

const escalated = (
  { escalate }: RuleEntry,
  base: Severity,
  { finding: { firstObservedAt }, aheadMs = 0 }: Track,
  nowMs: number,
): Severity =>
  escalate !== undefined && nowMs - firstObservedAt * 1000 - aheadMs >= escalate.afterMs
    ? worst(base, escalate.severity)
    : base;

/** The deviation is back while its end was being counted; at the end of the count that is one more change. */
const returned = (track: Track, nowMs: number): Track => {
  if (track.clear === 0) return track;
  const { clearSinceMs: _, ...rest } = track;
  const changesMs = track.clear < MATCHES ? track.changesMs : [...within(track.changesMs, HOUR_MS, nowMs), nowMs];
  return { ...rest, clear: 0, changesMs };
};

/** The reference is seen. */
export const match = (track: Track, past: Past, moment: Moment): Step =>
  track.finding.state === 'provisional' ? goAway(track, past, moment) : clear(track, moment);

/** An unconfirmed value went away: its outcome is stated. The third time in a day it counts as confirmed. */
const goAway = (track: Track, { blips, closed }: Past, { nowMs, attestable }: Moment): Step => {
  const candidate = track.candidate as Candidate;
  const blip = blipKey(track.finding, candidate.after);
  if (!isOld(blips, blip, nowMs)) {
    const statement: Finding = { ...track.finding, state: 'resolved', resolvedAt: seconds(nowMs) };
    return { statement, blip };
  }
  if (!attestable) return { track, waits: true };
  const { track: opened, ...step } = open(
    { ...track, finding: asIntermittent(track.finding) },
    candidate,
    closed,
    nowMs,
  );
  return { ...step, blip, ...(opened === undefined ? {} : { track: { ...opened, clear: 1, clearSinceMs: nowMs } }) };
};

const clear = (track: Track, moment: Moment): Step => ({ ...countClear(track, moment), ...candidateGone(track) });

const countClear = (track: Track, { nowMs, attestable }: Moment): Step => {
  const count = Math.min(track.clear + 1, MATCHES);
  const { candidate: _, ...rest } = track;
  const clearSinceMs = track.clearSinceMs ?? nowMs;
  const next = count === track.clear && track.candidate === undefined ? track : { ...rest, clear: count, clearSinceMs };
  if (count < MATCHES) return { track: next };
  if (isRestless(track, nowMs) && nowMs - clearSinceMs < HOUR_MS) return hold(next, nowMs);
  if (!attestable) return { track: next, waits: true };
  return end(next, 'resolved', nowMs);
};

const isRestless = (track: Track, nowMs: number): boolean =>
  isFlapping(track) || within(track.changesMs, HOUR_MS, nowMs).length >= CALM_CHANGES;

/** A finding that comes and goes stays open until it was quiet for an hour; that it does so is stated once an hour. */
const hold = (track: Track, nowMs: number): Step => {
  if (nowMs < (restatedAtMs(track) ?? 0)) return { track };
  const flapping = within(track.changesMs, HOUR_MS, nowMs).length + 1;
  return tell({ ...track, finding: { ...track.finding, flapping } }, nowMs);
};

/** When quiet time alone ends a held finding. */
export const quietAtMs = (track: Track): number | undefined =>
  track.clear >= MATCHES && track.clearSinceMs !== undefined ? track.clearSinceMs + HOUR_MS : undefined;

/** Another look has to say whether its value holds. */
export const isUnconfirmed = ({ finding, candidate }: Track): boolean =>
  finding.state === 'provisional' || candidate !== undefined;

/** The same, or it is on its way to its end. */
export const isUndecided = (track: Track): boolean =>
  isUnconfirmed(track) || (track.clear > 0 && quietAtMs(track) === undefined);

/** Ends an open finding. One that nobody ended names nobody, not even who acknowledged it. */
export const end = (track: Track, state: 'resolved' | 'approved' | 'incident-closed', nowMs: number): Step => {
  const { by, ...known } = track.finding;
  const signed = state === 'resolved' || by === undefined ? {} : { by };
  const finding: Finding = { ...known, ...signed, state, resolvedAt: seconds(nowMs) };
  const changesMs = [...within(track.changesMs, HOUR_MS, nowMs), nowMs];
  const { candidate: _, clearSinceMs: __, said: ___, ...rest } = track;
  return { statement: finding, confirmed: true, ended: { ...rest, finding, clear: 0, changesMs, statedMs: nowMs } };
};

/** Findings that ended less than an hour ago. */
export const stillRemembered = (closed: readonly Track[], nowMs: number): readonly Track[] =>
  closed.filter(({ finding }) => agoMs((finding.resolvedAt ?? 0) * 1000, nowMs) < HOUR_MS);

/** What a finding without parts is called where it is asked whether a look could see it. */
export const WHOLE = '';

/**
 * The deviation of a look, completed by what this look could not see of the finding; `unseen` when it could see nothing
 * of it, undefined when it sees the reference again.
 */
export const complete = (
  track: Track,
  deviation: Deviation | undefined,
  sees: Ran['sees'],
): Deviation | 'unseen' | undefined => {
  const { part, before, after, severityBase, reasons = [] } = track.finding;
  if (sees === undefined) return deviation;
  if (part !== undefined) return sees(part) ? deviation : 'unseen';
  if (!isKeyed(after) || !isKeyed(before)) return deviation ?? (sees(WHOLE) ? undefined : 'unseen');
  const hidden = new Set(after.map(({ key }) => key).filter((key) => !sees(key)));
  if (hidden.size === 0) return deviation;
  if (deviation === undefined && hidden.size === after.length) return 'unseen';
  const seen = deviation ?? {};
  return {
    ...seen,
    before: joined(before, hidden, seen.before),
    after: joined(after, hidden, seen.after),
    severity: seen.severity === undefined ? severityBase : worst(seen.severity, severityBase),
    reasons: [...new Set([...(seen.reasons ?? []), ...reasons])],
  };
};

const joined = (kept: readonly Keyed[], hidden: ReadonlySet<string>, seen: unknown): readonly Keyed[] =>
  [...kept.filter(({ key }) => hidden.has(key)), ...(isKeyed(seen) ? seen : [])].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  );
