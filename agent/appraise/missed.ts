import { FACTS, type FactName, type UnknownReason } from '../../shared/facts.ts';
import { NO_FACTS } from '../baseline/kept.ts';
import { plansFor } from '../baseline/standing.ts';
import { type Advanced, advance } from './advance.ts';
import { approvedOf, circumstancesOf, stagesOf } from './approval.ts';
import { checksOf } from './checks.ts';
import type { DeviceState } from './device.ts';
import { draftingOf } from './drafting.ts';
import { confirmingAtMs } from './next-look.ts';
import { type Ran, runComparisons } from './outcome.ts';
import { underPlans } from './planned.ts';
import type { Deviation } from './rule.ts';
import { identityDeviceMissing, isLongSilent } from './rules/identity-device-missing.ts';
import { afterSilence } from './rules/visibility-coverage-reduced.ts';
import { DARK_POLLS, darkSeen, isDark, visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { ruleContextOf } from './run-rules.ts';
import { clearSettled } from './settled.ts';
import type { Look, LookContext, Verdict } from './verdict.ts';

/**
 * A look that gave nothing. The fifth in a row makes the device dark, but not looks at the pools alone: a device may keep its
 * pools to itself, and tell the rest.
 */
export const missed = (
  state: DeviceState,
  { reason, atMs, look }: Omit<Extract<Look, { kind: 'unreachable' }>, 'kind'>,
  context: LookContext,
): Verdict => {
  const { marks } = state;
  marks.failures += 1;
  marks.fullLost ||= look === 'full';
  marks.failingSinceMs ??= atMs;
  if (marks.failures < DARK_POLLS) return { state, changed: false, transitions: [], ...retry(state, context) };
  if (look === 'pools' && !marks.fullLost && state.attested?.reachable === true)
    return { state, changed: false, transitions: [], next: { look: 'full', atMs: context.nowMs } };
  marks.leftOut = afterSilence(marks.leftOut);
  const said =
    isDark(state) &&
    state.attested?.reachable === false &&
    isMissing(state, context) === state.tracks.some(({ finding }) => finding.ruleId === identityDeviceMissing.id);
  const advanced = silent(state, reason, context);
  if (said && advanced.statements.length === 0 && context.nowMs < (context.refreshDueMs ?? Number.POSITIVE_INFINITY))
    return { state, changed: false, transitions: [] };
  return goneDark(state, reason, advanced, context);
};

/** A finding that waits for its second look should not wait for the schedule because one look failed. */
const retry = (state: DeviceState, context: LookContext): Pick<Verdict, 'next'> => {
  const atMs = confirmingAtMs(state, context);
  return atMs === undefined ? {} : { next: { look: 'full', atMs } };
};

/** A machine that was known, and neither answers at its address in any way nor shows anywhere else. */
const isMissing = ({ marks, attested }: DeviceState, { nowMs, linkAlive, seenElsewhere }: LookContext): boolean =>
  isLongSilent(marks, nowMs) &&
  (attested?.facts ?? NO_FACTS) !== NO_FACTS &&
  linkAlive?.() !== true &&
  seenElsewhere?.() !== true;

/** That it is missing, and which device stands where it stood. */
const missingSeen = (state: DeviceState, context: LookContext): readonly Deviation[] => {
  if (!isMissing(state, context)) return [];
  const device = context.placeTakenBy?.();
  return device === undefined ? [{}] : [{ after: { address: state.address, device }, reasons: ['address-taken'] }];
};

/** The findings about the silence itself, held against the plans for the device as any other. */
const silent = (state: DeviceState, reason: Exclude<UnknownReason, 'unsupported'>, context: LookContext): Advanced => {
  const { nowMs, standing } = context;
  const silences: readonly Ran[] = [
    { kind: 'ran', rule: visibilityDeviceDark, deviations: darkSeen(reason, context.linkAlive), facts: [] },
    { kind: 'ran', rule: identityDeviceMissing, deviations: missingSeen(state, context), facts: [] },
  ];
  const outcomes = underPlans(silences, {
    plans: standing.plans.length === 0 ? [] : plansFor(standing, stagesOf(state, {}), nowMs),
    observed: {},
    approved: {},
    circumstances: circumstancesOf(state, {}, nowMs),
    tracks: state.tracks,
  });
  const ran = outcomes.filter((outcome) => outcome.kind === 'ran');
  return advance(state, ran, draftingOf(state, context), { nowMs, attestable: true });
};

const goneDark = (
  state: DeviceState,
  reason: Exclude<UnknownReason, 'unsupported'>,
  advanced: Advanced,
  context: LookContext,
): Verdict => {
  const { nowMs } = context;
  const approved = approvedOf(state, context.standing, {}, nowMs);
  const nothing = new Map((Object.keys(FACTS) as FactName[]).map((fact) => [fact, reason]));
  const outcomes = runComparisons(
    {},
    nothing,
    approved?.facts,
    ruleContextOf(state, state.address, {}, approved, context),
  );
  clearSettled(state);
  return {
    state: {
      ...state,
      ...findingsOf(advanced),
      attested: { ...(state.attested ?? { facts: NO_FACTS }), atMs: nowMs, reachable: false },
    },
    changed: true,
    transitions: advanced.statements,
    attest: 'unreachable',
    checks: checksOf(outcomes, advanced.tracks),
  };
};

const findingsOf = ({ tracks, closed, blips }: Advanced): Pick<DeviceState, 'tracks' | 'closed' | 'blips'> => ({
  tracks,
  closed,
  blips,
});
