import type { Plan } from '../../shared/terms.ts';
import { keptFacts } from '../baseline/kept.ts';
import { type Adopted, countsFor } from '../baseline/standing.ts';
import { circumstancesOf, stagesOf } from './approval.ts';
import type { DeviceState } from './device.ts';
import { showsExpected } from './planned.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { isDark } from './rules/visibility-device-dark.ts';

/** What became of a plan, device by device (catalogue 5.9, `change.*`). Every device in its scope is on one of the lists. */
export interface PlanReport {
  /** They show all that the plan expects; where it says nothing that they could show, or of a curtailment, they changed as planned. */
  readonly matched: readonly string[];
  /** They changed to something else. */
  readonly wrong: readonly string[];
  readonly unchanged: readonly string[];
  /** They changed as planned, but not to all that the plan expects, or no longer show it. */
  readonly incomplete: readonly string[];
  /** They are not seen now. */
  readonly dark: readonly string[];
}

/** `matched` are the devices with a finding that the plan covered. */
export const reportPlan = (
  plan: Adopted<Plan>,
  states: readonly DeviceState[],
  matched: ReadonlySet<string>,
  nowMs: number,
): PlanReport => {
  const fates = states
    .filter((state) => matched.has(state.id) || stagesOf(state, {}).some((who) => countsFor(plan, who)))
    .map((state) => ({ device: state.id, fate: fateOf(plan, state, matched, nowMs) }));
  const those = (fate: keyof PlanReport): readonly string[] =>
    fates.filter((one) => one.fate === fate).map(({ device }) => device);
  return {
    matched: those('matched'),
    wrong: those('wrong'),
    unchanged: those('unchanged'),
    incomplete: those('incomplete'),
    dark: those('dark'),
  };
};

const fateOf = (
  plan: Adopted<Plan>,
  state: DeviceState,
  matched: ReadonlySet<string>,
  nowMs: number,
): keyof PlanReport => {
  const { terms } = plan;
  const isAbout = (part: string | undefined): boolean => part?.startsWith(`${terms.plan_id} `) === true;
  if (state.tracks.some(({ finding }) => finding.ruleId === changeDeviation.id && isAbout(finding.part)))
    return 'wrong';
  if (isDark(state)) return 'dark';
  const isCovered = matched.has(state.id);
  const observed = keptFacts(state.attested?.facts);
  const approved = keptFacts(state.reference?.facts);
  const shown = showsExpected(plan, { observed, approved, circumstances: circumstancesOf(state, observed, nowMs) });
  // A curtailment is over when the load is back: what it expects was to last no longer than that.
  const hasPassed = terms.type === 'curtailment' && isCovered;
  if (hasPassed || (shown ?? isCovered)) return 'matched';
  return isCovered ? 'incomplete' : 'unchanged';
};
