import { FACTS, type FactName, type Facts } from '../../shared/facts.ts';
import type { Approved } from '../baseline/approved.ts';
import { changed, comparedFacts } from '../baseline/compared.ts';
import { keptFacts } from '../baseline/kept.ts';
import { holderOf } from '../baseline/reference.ts';
import type { DeviceState, Track } from './device.ts';
import { CONFIGURATION_EDITED, isEdited } from './edited.ts';
import type { Finding } from './finding.ts';
import { COMPARISONS } from './index.ts';
import type { Outcome, Ran } from './outcome.ts';
import type { Deviation, Rule } from './rule.ts';
import type { LookContext } from './verdict.ts';
import { needsMorePeople } from './who-approves.ts';

/**
 * Lists of the operator allow what somebody writes into them. Where a device shows what it was found for, and a list allows it
 * now, the list was edited: where approvers are named that ends nothing which takes two people, until what the device shows was
 * approved; elsewhere the end of the finding says so.
 */

/** What is known of the device at this look. */
interface Shown {
  readonly state: DeviceState;
  readonly facts: Facts;
  readonly approved: Approved | undefined;
  readonly context: Pick<LookContext, 'people'>;
}

/** The findings and outcomes of a look, with what lists say since they were edited told as such. */
export const underWiderLists = (
  tracks: readonly Track[],
  outcomes: readonly Outcome[],
  shown: Shown,
): { readonly tracks: readonly Track[]; readonly outcomes: readonly Outcome[] } => {
  const listed = tracks.filter((track) => isListedNow(track, outcomes, shown));
  if (listed.length === 0) return { tracks, outcomes };
  const isHeld = (track: Track): boolean =>
    (shown.context.people ?? 0) > 0 &&
    needsMorePeople(track.finding) &&
    !isApproved(editedRule(track, shown.state), shown);
  const held = listed.filter(isHeld);
  const ending = new Set(listed.filter((track) => !isHeld(track)));
  return {
    tracks: tracks.map((track) => (ending.has(track) ? { ...track, finding: withReason(track.finding) } : track)),
    outcomes: outcomes.map((outcome) => {
      const those = held
        .filter(({ finding }) => finding.ruleId === outcome.rule.id)
        .map(({ finding }) => again(finding));
      if (outcome.kind !== 'ran' || those.length === 0) return outcome;
      const { idle: _, ...ran } = outcome;
      return { ...ran, deviations: [...ran.deviations, ...those] };
    }),
  };
};

/** The rule of the finding, where what it holds a device against stands in the configuration, or is filled in with what stands there. */
const editedRule = ({ finding }: Track, { edited }: DeviceState): Rule | undefined =>
  COMPARISONS.find(
    ({ id, against }) =>
      id === finding.ruleId && (against === 'policy' || (against === 'reference' && edited?.refilled)),
  );

/** The rule sees nothing any more in what the device was found for, and still shows. */
const isListedNow = (track: Track, outcomes: readonly Outcome[], shown: Shown): boolean => {
  const rule = editedRule(track, shown.state);
  const { state, severity, part } = track.finding;
  if (rule === undefined || state === 'provisional' || severity === 'info') return false;
  const ran = outcomes.find((outcome): outcome is Ran => outcome.kind === 'ran' && outcome.rule.id === rule.id);
  // What is still found, perhaps in another slot, no list allows.
  if (ran === undefined || ran.deviations.some((one) => one.part === part || isSamePool(one, track.finding)))
    return false;
  if (part !== undefined && ran.sees?.(part) === false) return false;
  if (rule.compares?.includes('pools') === true) return isStillSet(track.finding, shown.facts);
  return track.clear === 0 && isAsAttested(rule, shown);
};

/** The device is set to, or works for, the pool that was found. */
const isStillSet = (finding: Finding, { pools = [], live_pools: live = [] }: Facts): boolean =>
  (/(?:^| )live \d+$/.test(finding.part ?? '') ? live : pools).some((pool) =>
    isSamePool({ after: { ...pool } }, finding),
  );

const isSamePool = (one: Pick<Deviation, 'after'>, other: Pick<Deviation, 'after'>): boolean => {
  const [{ url, user }, known] = [poolOf(one), poolOf(other)];
  return url !== undefined && url === known.url && user === known.user;
};

const poolOf = ({ after }: Pick<Deviation, 'after'>) =>
  (after ?? {}) as { readonly url?: string; readonly user?: string };

const inputsOf = ({ reads, compares = [] }: Rule): readonly FactName[] =>
  [...reads, ...compares].filter((fact) => FACTS[fact].class !== 'volatile');

const isAsAttested = (rule: Rule, { state, facts }: Shown): boolean => {
  const [known, now] = [keptFacts(state.attested?.facts), comparedFacts(facts)];
  const seen = inputsOf(rule).filter((fact) => now[fact] !== undefined);
  return seen.length > 0 && seen.every((fact) => known[fact] !== undefined && !changed(fact, known[fact], now[fact]));
};

/** Whether people approved what the device shows of what the rule looks at. */
const isApproved = (rule: Rule | undefined, { state, facts, approved }: Shown): boolean => {
  // A document that is filled in with an edited label says nothing of what people approved.
  if (rule?.against !== 'policy' || approved === undefined) return false;
  const [held, now] = [comparedFacts(approved.facts), comparedFacts(facts)];
  return inputsOf(rule)
    .filter((fact) => now[fact] !== undefined)
    .every((fact) => {
      const entry = holderOf(state.reference?.entries ?? [], fact);
      const byPeople = approved.holders.has(fact) || (entry !== undefined && entry.approval !== 'none');
      return byPeople && held[fact] !== undefined && !changed(fact, held[fact], now[fact]);
    });
};

const withReason = (finding: Finding): Finding =>
  isEdited(finding) ? finding : { ...finding, reasons: [...(finding.reasons ?? []), CONFIGURATION_EDITED] };

const again = (finding: Finding): Deviation => {
  const { part, before, after, severityBase: severity, reasons = [] } = withReason(finding);
  return {
    severity,
    reasons,
    ...(part === undefined ? {} : { part }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
};
