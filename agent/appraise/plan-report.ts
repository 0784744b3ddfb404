import type { FactName, PoolSlot } from '../../shared/facts.ts';
import type { ExpectedValue, Plan } from '../../shared/terms.ts';
import { type Circumstances, mayAgree, saysNothing } from '../baseline/expected.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import { type Adopted, countsFor, heldBy, type Standing } from '../baseline/standing.ts';
import { approvedOf, circumstancesOf, describe, stagesOf, usersBeyond } from './approval.ts';
import type { DeviceState } from './device.ts';
import { showsExpected } from './planned.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { changeWindowOverrun } from './rules/change-window-overrun.ts';
import { isDark } from './rules/visibility-device-dark.ts';
import { COMPARED_WHERE_HELD, changesByItself } from './where-held.ts';
import { wholeOf } from './who-approves.ts';

/** What became of a plan, device by device (catalogue 5.9, `change.*`). Every device in its scope is on one of the lists. */
export interface PlanReport {
  /** They show all that the plan expects; where it says nothing that they could show, or of a curtailment, they changed as planned. */
  readonly matched: readonly string[];
  /** They changed to something else. */
  readonly wrong: readonly string[];
  readonly unchanged: readonly string[];
  /** They changed as planned, but not to all that the plan expects, or no longer show it; or were not put back from what it expected for a while. */
  readonly incomplete: readonly string[];
  /** They are not seen now. */
  readonly dark: readonly string[];
  /** Whether they show what the plan expects nothing tells: it is compared with nothing, was allowed before, or was approved without the plan. */
  readonly unjudged: readonly string[];
}

/** What a plan is held against. */
export interface PlanGround {
  /** The devices with a finding that the plan covered. */
  readonly matched: ReadonlySet<string>;
  /** The devices that were approved as something else than it expects. */
  readonly deviated: ReadonlySet<string>;
  readonly standing: Standing;
  readonly nowMs: number;
  /** It was held against its devices after its window before. */
  readonly isReported: boolean;
}

/** The report of a plan over these devices. */
export const reportPlan = (plan: Adopted<Plan>, states: readonly DeviceState[], ground: PlanGround): PlanReport => {
  const fates = states
    .filter((state) => ground.matched.has(state.id) || stagesOf(state, {}).some((who) => countsFor(plan, who)))
    .map((state) => ({ device: state.id, fate: fateOf(plan, state, ground) }));
  const those = (fate: keyof PlanReport): readonly string[] =>
    fates.filter((one) => one.fate === fate).map(({ device }) => device);
  return {
    matched: those('matched'),
    wrong: those('wrong'),
    unchanged: those('unchanged'),
    incomplete: those('incomplete'),
    dark: those('dark'),
    unjudged: those('unjudged'),
  };
};

const fateOf = (plan: Adopted<Plan>, state: DeviceState, ground: PlanGround): keyof PlanReport => {
  const { terms } = plan;
  const isTold = (id: string): boolean =>
    state.tracks.some(
      ({ finding: { ruleId, part } }) => ruleId === id && part?.startsWith(`${terms.plan_id} `) === true,
    );
  if (isTold(changeDeviation.id)) return 'wrong';
  if (isDark(state)) return 'dark';
  if (ground.isReported && isTold(changeWindowOverrun.id)) return 'incomplete';
  const isCovered = ground.matched.has(state.id);
  const observed = keptFacts(state.attested?.facts);
  const { standing, nowMs } = ground;
  const circumstances = circumstancesOf(state, observed, nowMs);
  // What a plan leaves out is held to all that is in force, as it was when its changes were found.
  const approved = approvedOf(state, standing, observed, nowMs)?.facts ?? {};
  const beyond = (): readonly PoolSlot[] => usersBeyond(state, standing, { approved, observed }, nowMs);
  const shown = showsExpected(plan, { observed, approved, beyond, circumstances });
  // A curtailment is over when the load is back: what it expects was to last no longer than that.
  const hasPassed = terms.type === 'curtailment' && isCovered;
  if (hasPassed || (shown ?? isCovered)) return 'matched';
  // With its approval ended what told of it.
  if (ground.deviated.has(state.id)) return 'wrong';
  if (isCovered) return 'incomplete';
  const isJudged =
    shown !== undefined || !(isUntold(terms, state, standing, circumstances) || isApprovedSince(plan, state.reference));
  return isJudged ? 'unchanged' : 'unjudged';
};

/** Whether people approved a fact of the plan at this device since that came into force: what they approved may be the change. */
const isApprovedSince = ({ seq, terms }: Adopted<Plan>, reference: DeviceState['reference']): boolean =>
  (terms.expected_after ?? []).some(({ fact }) => {
    const holder = holderOf(reference?.entries ?? [], wholeOf(fact) as FactName);
    return holder !== undefined && holder.approval !== 'none' && holder.seq > seq;
  });

/**
 * Whether none of the facts that the plan expects could have told of the change: they change by themselves, so that nothing is
 * kept of them, and no document of the device holds them to other values, so that no rule would have found it.
 */
const isUntold = (
  { expected_after: values = [] }: Plan,
  state: DeviceState,
  standing: Standing,
  circumstances: Circumstances,
): boolean => {
  if (values.length === 0 || !values.every(({ fact }) => changesByItself(fact))) return false;
  const held = heldBy(standing, describe(state, {}), circumstances.nowMs);
  return [...Map.groupBy(values, ({ fact }) => fact)].every(([fact, expected]) => {
    const items = COMPARED_WHERE_HELD.has(fact) ? held.get(fact)?.items : undefined;
    if (items === undefined || saysNothing(items, circumstances.nowMs)) return true;
    // Of what is left open any change would have been found.
    if (expected.some((item) => item.class === 'volatile')) return false;
    return mayAgree(expected.map(atAnyTime), items, circumstances);
  });
};

/** What the plan expected for a part of its window only was to be seen then. */
const atAnyTime = ({ until_at: _, ...item }: ExpectedValue): ExpectedValue => item;
