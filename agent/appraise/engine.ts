import type { Facts, UnknownReason } from '../../shared/facts.ts';
import { absentMember } from '../baseline/absent.ts';
import { NO_FACTS } from '../baseline/kept.ts';
import type { Observation } from '../normalise/observation.ts';
import { withAbsent } from './absences.ts';
import { type Advanced, advance } from './advance.ts';
import { approvedOf, isNamedAnew } from './approval.ts';
import { attest, documentsText, triggerOf, unattestedFacts } from './attest.ts';
import { owedTo } from './breach.ts';
import { type DeviceState, isJustBack, lastSeenMs, orNone, type Track } from './device.ts';
import { draftingOf } from './drafting.ts';
import { withoutApart } from './edit.ts';
import { awaitsFirstSeen, heldAgainst, withFirstSeen } from './first-seen.ts';
import { isKeyed } from './keyed.ts';
import { noteTold } from './last-told.ts';
import { isStopNew, lastingOutcomes } from './lasting.ts';
import { withLeft } from './left.ts';
import { missed } from './missed.ts';
import { nextAtMs, nextLook } from './next-look.ts';
import type { Outcome } from './outcome.ts';
import { withoutFuture } from './past.ts';
import { believable } from './placeholder.ts';
import { planOfReboot } from './planned.ts';
import { isStrange, isTaker, withoutReplaced } from './replaced.ts';
import type { RuleEntry } from './rule.ts';
import { identityAddressMoved } from './rules/identity-address-moved.ts';
import { identityNewDevice, QUARANTINE_MS } from './rules/identity-new-device.ts';
import { hasRebooted, recentReboots, sampleUptime } from './rules/runtime-reboot-unexpected.ts';
import { DARK_MS, visibilityChangedWhileDark } from './rules/visibility-changed-while-dark.ts';
import { factOf } from './rules/visibility-coverage-reduced.ts';
import { isDark } from './rules/visibility-device-dark.ts';
import { outcomesOf, plansOf } from './run-rules.ts';
import { isStale, noteRunning, withoutStale } from './running.ts';
import { clearSettled, isSettled, settle, touch } from './settled.ts';
import { comparable, withOpened } from './stand-ins.ts';
import type { Look, LookContext, Verdict } from './verdict.ts';
import { asAttested, isAttestable, noteWaiting } from './waiting.ts';
import { underWiderLists } from './wider.ts';

/** Judges one look at one device. Pure but for the marks of `state`, which are touched in place. */
export const appraise = (state: DeviceState, look: Look, context: LookContext): Verdict => {
  const past = withoutFuture(state, context.nowMs);
  const verdict = appraisePast(past, look, context);
  return past === state ? verdict : { ...verdict, changed: true };
};

const appraisePast = (state: DeviceState, look: Look, context: LookContext): Verdict => {
  if (look.kind === 'unreachable') return missed(state, look, context);
  const { observation } = look;
  noteRunning(state.marks, observation, context.pollIntervalMs);
  if (isSettled(state, observation, context)) return untouched(state, observation, context);
  if (!isValid(observation)) return missed(state, lostLook(observation), context);
  return judge(state, observation, context);
};

const NONE: readonly never[] = [];

const untouched = (state: DeviceState, observation: Observation, context: LookContext): Verdict => {
  const stale = isStale(state.marks, context);
  touch(state, stale ? withoutStale(state, observation) : observation);
  noteWaiting(state.marks, observation.look, NONE, context.nowMs);
  return { state, changed: false, transitions: NONE, ...(stale ? { stale } : {}) };
};

/** Whether the look read anything: that something answered is not yet an observation of the device. */
const isValid = ({ facts }: Observation): boolean => Object.keys(facts).some((name) => name !== 'family');

const lostLook = (observation: Observation): Parameters<typeof missed>[1] => ({
  reason: reasonOf(observation),
  atMs: observation.observedAtMs,
  look: observation.look,
});

const reasonOf = ({ gaps }: Observation): Exclude<UnknownReason, 'unsupported'> => {
  for (const reason of gaps.values()) if (reason !== 'absent') return reason;
  return 'unreadable';
};

/** Judges a look that is not the repetition of a settled one. */
const judge = (before: DeviceState, observation: Observation, context: LookContext): Verdict => {
  const stale = isStale(before.marks, context);
  const attestable = isAttestable(before, observation, context.nowMs);
  const shown = comparable(before, attestable ? asAttested(before, observation) : observation);
  const compared = stale ? withoutStale(before, shown) : shown;
  const facts = believable({ ...compared.facts, family: compared.family });
  const noted = note(withOpened(before, { ...compared, facts }, context.standing), facts, compared, context);
  const approved = approvedOf(noted, context.standing, facts, context.nowMs);
  const stopIsNew = isStopNew(noted, observation);
  const lasting = lastingOutcomes(noted, observation, context);
  const held = heldAgainst(approved, noted, context.standing, facts, context.nowMs);
  const judged = outcomesOf(noted, facts, held, compared, { ...context, lasting });
  const { state: known, outcomes } = underWiderLists({ state: noted, facts, approved, context }, judged);
  const ran = outcomes.filter((outcome) => outcome.kind === 'ran');
  const advanced = advance(known, ran, draftingOf(known, context), { nowMs: context.nowMs, attestable });
  const found = withFindings(known, advanced, outcomes, observation, context);
  const isFull = observation.look === 'full';
  const moved = isFull ? withAbsent(withFirstSeen(found, facts, context.nowMs), { ...compared, facts }) : found;
  const unseen = unattestedFacts(moved, facts);
  const documents = documentsText(approved);
  const trigger =
    isFull || (attestable && advanced.confirmed)
      ? triggerOf(moved, unseen, advanced, documents, { ...context, facts })
      : undefined;
  const isUpdating = isFull && awaitsFirstSeen(moved, facts);
  const restless = stopIsNew || isUpdating || (noted.rebootsMs !== before.rebootsMs && noted.rebootsMs.length > 0);
  noteTold(before, { ...compared, facts });
  touch(before, { ...compared, facts });
  noteWaiting(before.marks, observation.look, advanced.waiting, context.nowMs);
  if (trigger !== undefined)
    return attest(moved, trigger, {
      noted,
      facts,
      standIns: compared.standIns,
      approved,
      outcomes,
      advanced,
      observation,
      context,
      isUpdating,
      ...(stale ? { stale } : {}),
    });
  const state = unseen === moved.unattested || !isFull ? moved : withUnattested(moved, unseen);
  const atMs = nextAtMs(state, unseen, advanced, restless, context);
  if (state !== before) clearSettled(state);
  if (atMs === undefined && !isNamedAnew(noted, state, facts)) settle(state, observation, context);
  return {
    state,
    changed: state !== before,
    transitions: advanced.statements,
    ...(stale ? { stale } : {}),
    ...nextLook(state, atMs, context),
  };
};

/** What the look says about the device itself: first sight, family, reboots, the return from the dark. */
const note = (
  state: DeviceState,
  facts: Facts,
  { family, observedAtMs, gaps }: Observation,
  context: LookContext,
): DeviceState => {
  const changes: { -readonly [Member in keyof DeviceState]?: DeviceState[Member] } = {};
  // Accepted was that it cannot be read, not that it may go away whenever it likes.
  const unreadable = state.unreadable?.filter((name) => gaps.has(name) || facts[factOf(name)] === undefined);
  if (unreadable !== undefined && unreadable.length !== state.unreadable?.length) changes.unreadable = unreadable;
  if (state.firstSeenMs === undefined) {
    changes.firstSeenMs = observedAtMs;
    const isNew = !context.inFirstPass || state.replaces !== undefined;
    if (isNew && state.attested === undefined) changes.unknownDevice = true;
  }
  if (state.family !== family) changes.family = family;
  const reboots = [...recentReboots(state.rebootsMs, context.nowMs)];
  const rebooted = hasRebooted(state.marks.uptime, sampleUptime(facts, observedAtMs));
  if (rebooted) reboots.push(observedAtMs);
  if (reboots.length !== state.rebootsMs.length || reboots.at(-1) !== state.rebootsMs.at(-1)) {
    changes.rebootsMs = orNone(reboots);
    const planned = (state.rebootsPlanned ?? NONE).filter(({ atMs }) => reboots.includes(atMs));
    const plan = rebooted ? planOfReboot(plansOf(state, facts, context), planned, context.nowMs) : undefined;
    const known = plan === undefined ? planned : [...planned, { atMs: observedAtMs, plan }];
    if (known.length > 0 || state.rebootsPlanned !== undefined) changes.rebootsPlanned = orNone(known);
  }
  const darkSinceMs = lastSeenMs(state);
  const known = state.attested?.facts ?? NO_FACTS;
  // The clock may have been set since it was seen last; the first look that failed was at most one interval later.
  const darkMs = observedAtMs - Math.max(darkSinceMs, (state.marks.failingSinceMs ?? 0) - context.pollIntervalMs);
  if (isDark(state) && state.returned === undefined && known !== NO_FACTS && darkMs > DARK_MS)
    changes.returned = {
      darkSinceMs,
      backMs: observedAtMs,
      facts: known,
      ...absentMember(state.attested?.absent?.filter((name) => state.reference?.absent?.includes(name))),
    };
  return Object.keys(changes).length === 0 ? state : { ...state, ...changes };
};

/** The state after the findings moved on, and after what they settled. */
const withFindings = (
  state: DeviceState,
  advanced: Advanced,
  outcomes: readonly Outcome[],
  { address, look, observedAtMs }: Observation,
  context: LookContext,
): DeviceState => {
  const changes: { -readonly [Member in keyof DeviceState]?: DeviceState[Member] } = {};
  if (advanced.tracks !== state.tracks) changes.tracks = advanced.tracks;
  if (advanced.closed !== state.closed) changes.closed = advanced.closed;
  if (advanced.blips !== state.blips) changes.blips = advanced.blips;
  const has = (rule: RuleEntry, confirmed: boolean): boolean =>
    advanced.tracks.some(
      ({ finding }) => finding.ruleId === rule.id && (finding.state !== 'provisional') === confirmed,
    );
  if (has(identityAddressMoved, true) && state.address !== address) {
    changes.address = address;
    changes.left = withLeft(state, context.nowMs);
  }
  const answered = isPlaceAnswered(state, outcomes, context) ? withoutReplaced(state) : state;
  const moved = Object.keys(changes).length === 0 ? answered : { ...answered, ...changes };
  const next =
    look === 'full' && moved.tracks.length === 0 && owedTo(moved, moved.labels).length === 0
      ? withoutApart(moved)
      : moved;
  const { unknownDevice, returned, ...rest } = next;
  const known = unknownDevice === true && isKnownNow(state, context) && !has(identityNewDevice, true);
  const isCompared =
    returned !== undefined &&
    ((look === 'full' && wasCompared(outcomes)) || observedAtMs - returned.backMs > DARK_MS * 4);
  const track = next.tracks.find(({ finding }) => finding.ruleId === visibilityChangedWhileDark.id);
  const isBack = isCompared && track === undefined;
  const isTold = isCompared && isJustBack(next) && track !== undefined && track.finding.state !== 'provisional';
  if (!known && !isBack && !isTold) return next;
  return {
    ...rest,
    ...(known || unknownDevice === undefined ? {} : { unknownDevice }),
    ...(isBack || returned === undefined
      ? {}
      : { returned: isTold ? { ...returned, changed: keysIn(track) } : returned }),
  };
};

/**
 * Whether a known device need no longer be held against the one whose place it took: that one shows elsewhere, or this one works
 * for nobody for whom that one did not.
 */
const isPlaceAnswered = (
  state: DeviceState,
  outcomes: readonly Outcome[],
  { driven }: Pick<LookContext, 'driven'>,
): boolean => {
  if (!isTaker(state) || driven === undefined) return false;
  if (driven === 'elsewhere') return true;
  const newness = outcomes.find(({ rule }) => rule.id === identityNewDevice.id);
  return newness?.kind === 'ran' && !newness.deviations.some(isStrange);
};

const isKnownNow = ({ firstSeenMs = 0 }: DeviceState, { amongCommissioned, nowMs }: LookContext): boolean =>
  !amongCommissioned && nowMs - firstSeenMs >= QUARANTINE_MS;

const keysIn = ({ finding: { after } }: Track): readonly string[] =>
  isKeyed(after) ? after.map(({ key }) => key) : [];

const wasCompared = (outcomes: readonly Outcome[]): boolean =>
  outcomes.some(
    (outcome) =>
      outcome.rule.id === visibilityChangedWhileDark.id && outcome.kind === 'ran' && outcome.lost === undefined,
  );

const withUnattested = (state: DeviceState, unattested: string | undefined): DeviceState => {
  const { unattested: _, ...rest } = state;
  return unattested === undefined ? rest : { ...rest, unattested };
};
