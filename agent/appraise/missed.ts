import { FACTS, type FactName } from '../../shared/facts.ts';
import { keptFacts, NO_FACTS } from '../baseline/kept.ts';
import { plansFor } from '../baseline/standing.ts';
import { type Advanced, advance } from './advance.ts';
import { approvedOf, circumstancesOf, stagesOf } from './approval.ts';
import { checksOf } from './checks.ts';
import type { DeviceState, Marks } from './device.ts';
import { draftingOf } from './drafting.ts';
import type { Finding } from './finding.ts';
import { confirmingAtMs } from './next-look.ts';
import { type Ran, runComparisons } from './outcome.ts';
import { underPlans } from './planned.ts';
import type { Deviation } from './rule.ts';
import { identityDeviceMissing, isLongSilent } from './rules/identity-device-missing.ts';
import {
  overSilence,
  REFUSED,
  refusalSeen,
  saysRefused,
  visibilityCoverageReduced,
} from './rules/visibility-coverage-reduced.ts';
import { DARK_POLLS, darkSeen, saysDark, visibilityDeviceDark } from './rules/visibility-device-dark.ts';
import { ruleContextOf } from './run-rules.ts';
import { clearSettled } from './settled.ts';
import type { Look, LookContext, Verdict } from './verdict.ts';

type Lost = Extract<Look, { kind: 'unreachable' }>;
type Reason = Lost['reason'];

/**
 * A look that gave nothing. The fifth in a row makes the device dark, or one that refuses; but not looks at the pools alone: a
 * device may keep its pools to itself, and tell the rest.
 */
export const missed = (state: DeviceState, lost: Omit<Lost, 'kind'>, context: LookContext): Verdict => {
  const { marks } = state;
  const { atMs, look } = lost;
  const reason = noteLost(marks, lost);
  marks.failures += 1;
  marks.fullLost ||= look === 'full';
  marks.failingSinceMs ??= atMs;
  if (marks.failures < DARK_POLLS) return { state, changed: false, transitions: [], ...retry(state, context) };
  if (look === 'pools' && !marks.fullLost && state.attested?.reachable === true)
    return { state, changed: false, transitions: [], next: { look: 'full', atMs: context.nowMs } };
  marks.leftOut = overSilence(marks.leftOut, marks.failingSinceMs ?? atMs);
  const isRefused = isRefusing(state);
  const said =
    has(state, isRefused ? saysRefused : saysDark) &&
    !(isRefused && has(state, saysDark)) &&
    state.attested?.reachable === false &&
    isMissing(state, context) === state.tracks.some(({ finding }) => finding.ruleId === identityDeviceMissing.id);
  const advanced = silent(state, isRefused ? 'refuses' : reason, context);
  if (said && advanced.statements.length === 0 && context.nowMs < (context.refreshDueMs ?? Number.POSITIVE_INFINITY))
    return { state, changed: false, transitions: [] };
  return goneDark(state, reason, advanced, context);
};

/**
 * Notes what a lost look tells of whether somebody is there; gives why the device cannot be read. What was sent tells it; a log-in that
 * rests, or that nobody configured, tells nothing, and then the last look of the row that did has the reason.
 */
const noteLost = (marks: Marks, { reason, refuses, waits }: Pick<Lost, 'reason' | 'refuses' | 'waits'>): Reason => {
  if (refuses === undefined && (reason === 'refused' || waits === true)) return marks.lostBy ?? reason;
  marks.lostBy = reason;
  marks.refusals =
    refuses === true
      ? Math.min(Math.max(marks.refusals, 0) + 1, DARK_POLLS)
      : Math.max(Math.min(marks.refusals, 0) - 1, -DARK_POLLS);
  return reason;
};

/** So many refusals in a row show that a device which was silent is there. */
const REFUSALS = 3;

/**
 * Whether a device that was known answers, and refuses all that it is asked: as the last answer has it when nothing is said of it yet,
 * and from then on until so many in a row say otherwise.
 */
const isRefusing = (state: DeviceState): boolean => {
  const { refusals } = state.marks;
  if (state.reference === undefined || refusals <= -DARK_POLLS) return false;
  return refusals >= REFUSALS || has(state, saysRefused) || (refusals > 0 && !has(state, saysDark));
};

const has = ({ tracks }: DeviceState, isMeant: (finding: Finding) => boolean): boolean =>
  tracks.some(({ finding }) => isMeant(finding));

/** A finding that waits for its second look should not wait for the schedule because one look failed. */
const retry = (state: DeviceState, context: LookContext): Pick<Verdict, 'next'> => {
  const atMs = confirmingAtMs(state, context);
  return atMs === undefined ? {} : { next: { look: 'full', atMs } };
};

/** A machine that was known, and neither answers at its address in any way nor shows anywhere else. */
const isMissing = (state: DeviceState, { nowMs, linkAlive, seenElsewhere }: LookContext): boolean =>
  isLongSilent(state.marks, nowMs) &&
  !isRefusing(state) &&
  (state.attested?.facts ?? NO_FACTS) !== NO_FACTS &&
  linkAlive?.() !== true &&
  seenElsewhere?.() !== true;

/** That it is missing, and which device stands where it stood. */
const missingSeen = (state: DeviceState, context: LookContext): readonly Deviation[] => {
  if (!isMissing(state, context)) return [];
  const device = context.placeTakenBy?.();
  return device === undefined ? [{}] : [{ after: { address: state.address, device }, reasons: ['address-taken'] }];
};

/** What is found of a device that answers, and refuses all that it is asked: that it is silent is over. */
const refused = ({ reference }: DeviceState): readonly Ran[] => [
  {
    kind: 'ran',
    rule: visibilityCoverageReduced,
    deviations: refusalSeen(keptFacts(reference?.facts)),
    facts: [],
    sees: (part) => part === REFUSED,
  },
  { kind: 'ran', rule: visibilityDeviceDark, deviations: [], facts: [] },
];

/** The findings about the silence itself, held against the plans for the device as any other. */
const silent = (state: DeviceState, reason: Reason | 'refuses', context: LookContext): Advanced => {
  const { nowMs, standing, linkAlive } = context;
  const dark = (why: Reason): Ran => ({
    kind: 'ran',
    rule: visibilityDeviceDark,
    deviations: darkSeen(why, linkAlive),
    facts: [],
  });
  const silences: readonly Ran[] = [
    ...(reason === 'refuses' ? refused(state) : [dark(reason)]),
    { kind: 'ran', rule: identityDeviceMissing, deviations: missingSeen(state, context), facts: [] },
  ];
  const outcomes = underPlans(silences, {
    plans: standing.plans.length === 0 ? [] : plansFor(standing, stagesOf(state, {}), nowMs),
    observed: {},
    approved: {},
    beyond: () => [],
    known: () => ({}),
    circumstances: circumstancesOf(state, {}, nowMs),
    tracks: state.tracks,
  });
  const ran = outcomes.filter((outcome) => outcome.kind === 'ran');
  return advance(state, ran, draftingOf(state, context), { nowMs, attestable: true });
};

const goneDark = (state: DeviceState, reason: Reason, advanced: Advanced, context: LookContext): Verdict => {
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
