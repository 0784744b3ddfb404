import type { Plan } from '../../shared/terms.ts';
import { keptFacts } from '../baseline/kept.ts';
import { type Adopted, countsFor, expectedBy } from '../baseline/standing.ts';
import { circumstancesOf, stagesOf } from './approval.ts';
import type { DeviceState } from './device.ts';
import { shows } from './planned.ts';
import { changeDeviation } from './rules/change-deviation.ts';
import { isDark } from './rules/visibility-device-dark.ts';

/** What became of a plan, device by device (catalogue 5.9, `change.*`). Every device in its scope is on one of the lists. */
export interface PlanReport {
  /** They changed as planned, or show what the plan expects. */
  readonly matched: readonly string[];
  /** They changed to something else. */
  readonly wrong: readonly string[];
  readonly unchanged: readonly string[];
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
    dark: those('dark'),
  };
};

const fateOf = (
  { terms, seq }: Adopted<Plan>,
  state: DeviceState,
  matched: ReadonlySet<string>,
  nowMs: number,
): keyof PlanReport => {
  const isAbout = (part: string | undefined): boolean => part?.startsWith(`${terms.plan_id} `) === true;
  if (state.tracks.some(({ finding }) => finding.ruleId === changeDeviation.id && isAbout(finding.part)))
    return 'wrong';
  if (matched.has(state.id)) return 'matched';
  if (isDark(state)) return 'dark';
  const facts = keptFacts(state.attested?.facts);
  const expected = expectedBy(terms, seq, nowMs);
  return shows(facts, expected, circumstancesOf(state, facts, nowMs)) ? 'matched' : 'unchanged';
};
